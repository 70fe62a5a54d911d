"""Find the files behind the paths a person names: files, folders, archives and standard input.

Archive members are read one by one and never unpacked to disk, so a member's name can do no harm.
"""

import gzip
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from hcrm_core.errors import InputError

MEMBER_LIMIT = 2 * 1024**3
"""Bytes an archive member may unpack to; a larger one is taken for a bomb and refused."""

UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
)
"""What reading a damaged file or archive raises."""

_ZIP = (".zip",)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


class Input(NamedTuple):
    """One file to read.

    Attributes:
        name: For messages to people: the path, or `archive!member`.
        data: Its bytes; `None` where the file was passed over or could not be read.
        problem: Why not; `None` for a file of another type, which is only counted.
    """

    name: str
    data: bytes | None
    problem: str | None = None

    @property
    def own_name(self) -> str:
        """The file's or the member's own name, without folders."""
        return self.name.rpartition("!")[2].rpartition("/")[2]

    @property
    def short_name(self) -> str:
        """The name by which people find it: without the folders before the file or the archive."""
        file, mark, member = self.name.partition("!")
        return file.rpartition("/")[2] + mark + member


def inputs(paths: tuple[str, ...], suffixes: tuple[str, ...]) -> Iterator[Input]:
    """The files behind `paths`, folders in the order of their names.

    A file that is named itself is read whatever its suffix; in folders and archives only files with one of `suffixes`
    are read, and the others are yielded without data so that they can be counted.

    Raises:
        InputError: A named path does not exist.
    """
    for path in paths:
        if path == "-":
            yield Input("standard input", sys.stdin.buffer.read())
            continue
        place = Path(path)
        if place.is_dir():
            for file in sorted(p for p in place.rglob("*") if p.is_file()):
                yield from _file(file, suffixes, named=False)
        elif place.is_file():
            yield from _file(place, suffixes, named=True)
        else:
            raise InputError(f"There is no file or folder {path}. Check the path.")


def named_files(paths: tuple[str, ...], suffix: str) -> list[Path]:
    """The files of one type behind `paths`, for formats that are read in place.

    Raises:
        InputError: A path does not exist, or there is no such file behind any of them.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise InputError(f"There is no file or folder {path}. Check the path.")
        found += sorted(path.rglob(f"*{suffix}")) if path.is_dir() else [path]
    if not found:
        raise InputError(f"No file ends in {suffix} in {', '.join(paths)}. Check the path.")
    return found


def _file(file: Path, suffixes: tuple[str, ...], *, named: bool) -> Iterator[Input]:
    lower = file.name.lower()
    try:
        if lower.endswith(_ZIP):
            yield from _zip(file, suffixes)
        elif lower.endswith(_TAR):
            yield from _tar(file, suffixes)
        elif lower.endswith(".gz"):
            if named or _wanted(lower[:-3], suffixes):
                with gzip.open(file) as stream:
                    yield Input(str(file), _capped(stream))
            else:
                yield Input(str(file), None)
        elif named or _wanted(lower, suffixes):
            yield Input(str(file), file.read_bytes())
        else:
            yield Input(str(file), None)
    except UNREADABLE as error:
        yield Input(str(file), None, f"{file}: cannot be read ({_reason(error)}). Check or replace the file.")


def _zip(file: Path, suffixes: tuple[str, ...]) -> Iterator[Input]:
    with zipfile.ZipFile(file) as archive:
        for member in sorted(archive.infolist(), key=lambda member: member.filename):
            if member.is_dir():
                continue
            name = f"{file}!{member.filename}"
            if _wanted(member.filename.lower(), suffixes):
                yield _member(name, partial(archive.open, member))
            else:
                yield Input(name, None)


def _tar(file: Path, suffixes: tuple[str, ...]) -> Iterator[Input]:
    with tarfile.open(file) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            if not member.isfile():
                continue
            name = f"{file}!{member.name}"
            if _wanted(member.name.lower(), suffixes):
                yield _member(name, partial(archive.extractfile, member))
            else:
                yield Input(name, None)


def _member(name: str, open_member: Callable[[], IO[bytes] | None]) -> Input:
    """One member; a damaged one costs no other."""
    try:
        stream = open_member()
        if stream is None:
            return Input(name, None)
        with stream:
            return Input(name, _capped(stream))
    except UNREADABLE as error:
        return Input(name, None, f"{name}: cannot be read ({_reason(error)}). Check or replace this member.")


def _wanted(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.endswith(suffixes)


def _capped(stream: IO[bytes] | gzip.GzipFile) -> bytes:
    data = stream.read(MEMBER_LIMIT + 1)
    if len(data) > MEMBER_LIMIT:
        raise ValueError(f"it unpacks to more than {MEMBER_LIMIT // 1024**3} GiB")
    return data


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.partition("\n")[0]
