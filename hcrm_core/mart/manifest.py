"""The manifest: the one file that says which Parquet files are the mart now.

A refresh writes a new folder of files and then renames a new manifest into place, so a reader finds either the old
mart or the new one. The files of a manifest may lie in several folders, each from the refresh that wrote them. A reader
holds a shared lock in each; a folder that no manifest names any more is removed once nobody holds it.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec import Struct

from hcrm_core.config import USUAL_GOLDEN, GoldenSettings
from hcrm_core.errors import WorkspaceError

MANIFEST = "manifest.json"
_FOLDER = "facts-"
_LOCK = ".lock"


class TableFiles(Struct, frozen=True):
    """The files of one table, relative to the mart.

    Attributes:
        base: All rows as of the last time the table was written whole, sorted by customer.
        rows: How many.
        delta: What changed since: rows that stand for those of `base` with the same id, and ids that are gone.
        delta_rows: How many.
        history: What rows were and are no more.
    """

    base: str
    rows: int
    delta: str | None = None
    delta_rows: int = 0
    history: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """All of them."""
        return (self.base, *((self.delta,) if self.delta else ()), *self.history)


class Manifest(Struct, frozen=True, kw_only=True):
    """What one published mart holds.

    Attributes:
        generation: Counted up by every refresh.
        sequence, known_at, statement: How far the store had come that it shows (`store.queries.mart_changes.Position`).
        complete_from: From which instant on history is whole, microseconds since 1970 UTC.
        as_of: When it was written, or the past instant it shows, likewise.
        basis: `known` (by arrival) or `said` (by statement time).
        today: The day of `as_of` in the workspace's zone.
        tables: Table name → files.
        golden: By which settings its customers are made of patients.
    """

    format: int = 5
    generation: int
    sequence: int
    known_at: int
    statement: int
    complete_from: int
    as_of: int
    basis: str
    today: str
    tables: dict[str, TableFiles]
    golden: GoldenSettings = USUAL_GOLDEN

    @property
    def folders(self) -> list[str]:
        """Where its files lie, relative to the mart."""
        return sorted({name.partition("/")[0] for table in self.tables.values() for name in table.files})


def read_manifest(mart: Path) -> Manifest | None:
    """The published manifest; `None` where nothing was ever published."""
    try:
        read = (mart / MANIFEST).read_bytes()
        if msgspec.json.decode(read, type=_Format).format != Manifest.__struct_defaults__[0]:
            return None  # of another version of HCRM: it is written anew
        return msgspec.json.decode(read, type=Manifest)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:
        raise WorkspaceError(f"{mart / MANIFEST} is damaged. Delete it: the next hcrm decide writes it anew.") from None


class _Format(Struct):
    format: int = 0


def publish(mart: Path, manifest: Manifest) -> None:
    """Make `manifest` the mart, after the files its own refresh wrote are safely on disk."""
    for table in manifest.tables.values():
        for name in table.files:
            if name.startswith(folder_name(manifest.generation)):
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
    with ExitStack() as held:
        manifest = read_manifest(mart)
        while True:
            if manifest is None:
                raise WorkspaceError(f"There is no mart in {mart} yet. Make it with: hcrm decide")
            missing = [folder for folder in manifest.folders if not _hold(mart / folder, held)]
            if not missing:
                break
            # Removed between reading and locking, if another manifest has taken its place: look again.
            held.close()
            manifest, before = read_manifest(mart), manifest
            if manifest == before:
                raise WorkspaceError(
                    f"The folder {mart / missing[0]} is missing. Delete {mart / MANIFEST}: the next hcrm decide writes "
                    "the mart anew."
                )
        yield manifest


def _hold(folder: Path, held: ExitStack) -> bool:
    """Lock a folder against removal; whether it is there."""
    lock = folder / _LOCK
    try:
        handle = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    held.callback(os.close, handle)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return lock.exists()


def folder_name(generation: int) -> str:
    """Where the files of a refresh lie, relative to the mart."""
    return f"{_FOLDER}{generation:08d}"


@contextmanager
def building(mart: Path) -> Iterator[Path]:
    """An empty folder for the next generation; one refresh at a time, a second one waits for the first.

    Folders that no manifest names any more, left by a crash or by readers that were slow, are removed at the end.
    """
    mart.mkdir(parents=True, exist_ok=True)
    with _lock(mart / _LOCK, fcntl.LOCK_EX, create=True):
        current = read_manifest(mart)
        folder = mart / folder_name(current.generation + 1 if current else 1)
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        (folder / _LOCK).touch()
        try:
            yield folder
        finally:
            _remove_superseded(mart)


@contextmanager
def deciding(mart: Path, strategy: str | None = None) -> Iterator[None]:
    """One run over everybody at a time or, where a strategy is named, one run of it: each compares with the last."""
    folder = mart / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder / quote(strategy or "everybody", safe=""), fcntl.LOCK_EX, create=True):
        yield


def _remove_superseded(mart: Path) -> None:
    current = read_manifest(mart)
    for folder in sorted(mart.glob(_FOLDER + "*")):
        if current and folder.name in current.folders:
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
