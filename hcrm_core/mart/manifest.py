"""The manifest: the one file that says which Parquet files are the mart now.

A refresh writes a new folder of files and then renames a new manifest into place, so a reader finds either the old
mart or the new one. A reader holds a shared lock in its folder; a superseded folder is removed once nobody holds it.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from hcrm_core.errors import WorkspaceError

MANIFEST = "manifest.json"
_FOLDER = "facts-"
_LOCK = ".lock"


class TableFiles(Struct, frozen=True):
    """The files of one table, relative to the mart, and how many rows they hold together."""

    files: tuple[str, ...]
    rows: int


class Manifest(Struct, frozen=True, kw_only=True):
    """What one published mart holds.

    Attributes:
        generation: Counted up by every refresh.
        sequence: The store's `mart_state.sequence` it shows.
        as_of: Microseconds since 1970 UTC.
        basis: `known` (by arrival) or `said` (by statement time).
        today: The day of `as_of` in the workspace's zone; calendar and birthdays count from it.
        folder: Where its files lie, relative to the mart.
        tables: Table name → files.
    """

    format: int = 1
    generation: int
    sequence: int
    as_of: int
    basis: str
    today: str
    folder: str
    tables: dict[str, TableFiles]


def read_manifest(mart: Path) -> Manifest | None:
    """The published manifest; `None` where nothing was ever published."""
    try:
        return msgspec.json.decode((mart / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:
        raise WorkspaceError(f"{mart / MANIFEST} is damaged. Delete it: the next hcrm decide writes it anew.") from None


def publish(mart: Path, manifest: Manifest) -> None:
    """Make `manifest` the mart, after its files are safely on disk."""
    for table in manifest.tables.values():
        for name in table.files:
            _sync(mart / name)
    draft = mart / (MANIFEST + ".new")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    _sync(draft)
    draft.replace(mart / MANIFEST)
    _sync(mart)


@contextmanager
def hold(mart: Path) -> Iterator[Manifest]:
    """Read the manifest and keep its files from being removed for the length of the block.

    Raises:
        WorkspaceError: There is no mart yet.
    """
    manifest, handle = _hold(mart)
    try:
        yield manifest
    finally:
        os.close(handle)


def _hold(mart: Path) -> tuple[Manifest, int]:
    while True:
        manifest = read_manifest(mart)
        if manifest is None:
            raise WorkspaceError(f"There is no mart in {mart} yet. Make it with: hcrm decide")
        lock = mart / manifest.folder / _LOCK
        with suppress(FileNotFoundError):
            handle = os.open(lock, os.O_RDWR)
            fcntl.flock(handle, fcntl.LOCK_SH)
            if lock.exists():
                return manifest, handle
            os.close(handle)  # removed between reading and locking: look again
        if read_manifest(mart) == manifest and not lock.exists():
            raise WorkspaceError(
                f"The folder {mart / manifest.folder} is missing. Delete {mart / MANIFEST}: the next hcrm decide "
                "writes the mart anew."
            )


@contextmanager
def building(mart: Path) -> Iterator[Path]:
    """An empty folder for the next generation; one refresh at a time, a second one waits for the first.

    Folders that no manifest names any more, left by a crash or by readers that were slow, are removed at the end.
    """
    mart.mkdir(parents=True, exist_ok=True)
    with _lock(mart / _LOCK, fcntl.LOCK_EX, create=True):
        current = read_manifest(mart)
        folder = mart / f"{_FOLDER}{current.generation + 1 if current else 1:08d}"
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        (folder / _LOCK).touch()
        try:
            yield folder
        finally:
            _remove_superseded(mart)


@contextmanager
def deciding(mart: Path) -> Iterator[None]:
    """One run of strategies at a time: it writes snapshots and compares with those of the run before."""
    mart.mkdir(parents=True, exist_ok=True)
    with _lock(mart / ".decide.lock", fcntl.LOCK_EX, create=True):
        yield


def _remove_superseded(mart: Path) -> None:
    current = read_manifest(mart)
    for folder in sorted(mart.glob(_FOLDER + "*")):
        if current and folder.name == current.folder:
            continue
        with suppress(BlockingIOError, FileNotFoundError), _lock(folder / _LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(folder)


@contextmanager
def _lock(path: Path, how: int, create: bool = False) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
