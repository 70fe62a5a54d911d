"""A small disk of a test's own: a tmpfs that only a process and those it is joined by can see."""

import errno
import os
import subprocess
from pathlib import Path

import pytest


class SmallDisk:
    """Mounted over a folder for those who `enter`; the test itself looks at it through `inside`.

    Attributes:
        inside: The folder as it is on the disk.
        enter: The beginning of a command line that is to run there.
    """

    def __init__(self, folder: Path, megabytes: int) -> None:
        """Args: folder: an empty one. Skips the test where this machine lets nobody mount anything."""
        folder.mkdir()
        script = 'mount -t tmpfs -o "size=$1m" tmpfs "$0" && echo mounted && exec sleep 3600'
        for own, join in ("-m", ["-m"]), ("-rm", ["-U", "-m", "--preserve-credentials"]):
            try:
                self._holder = subprocess.Popen(
                    ["unshare", own, "sh", "-c", script, folder, str(megabytes)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            except FileNotFoundError:
                break
            assert self._holder.stdout
            if self._holder.stdout.readline():
                self.inside = Path(f"/proc/{self._holder.pid}/root{folder}")
                self.enter = ("nsenter", "-t", str(self._holder.pid), *join)
                self._ballast = self.inside / "ballast"
                return
        pytest.skip("A small disk cannot be had here: it takes root or user namespaces (unshare, mount).")

    def fill(self, leave: int) -> None:
        """Leave so many bytes free and no more."""
        with self._ballast.open("ab") as ballast:
            while True:
                disk = os.statvfs(self.inside)
                size = os.fstat(ballast.fileno()).st_size + disk.f_bavail * disk.f_frsize - leave
                try:
                    return os.posix_fallocate(ballast.fileno(), 0, size)
                except OSError as error:
                    # Others write meanwhile: what was free a moment ago is theirs.
                    if error.errno != errno.ENOSPC:
                        raise

    def clear(self) -> None:
        """Make room."""
        self._ballast.unlink()

    def close(self) -> None:
        """Let it go."""
        self._holder.kill()
        self._holder.wait()
