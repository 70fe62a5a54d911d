"""Refuse to acknowledge on a database that would not keep its word, or on a disk that soon could not."""

import os
from pathlib import Path

from hcrm_core.errors import StoreError
from hcrm_core.store.engine import Store

_NEEDED = {
    "fsync": "Set fsync = on in postgresql.conf.",
    "full_page_writes": "Set full_page_writes = on in postgresql.conf.",
    "synchronous_commit": "Set synchronous_commit = on for this database and its user (ALTER DATABASE, ALTER ROLE).",
}

SPARE = 0.05
SPARE_BYTES = 1 << 30


def has_room(store: Store) -> bool:
    """Whether the inbox's disk has room to spare: a twentieth of it, or a gigabyte.

    What is left below that is for folding what has landed. PostgreSQL's disk may be another machine's; it says itself
    when it is full.
    """
    path = store.inbox.url.database
    if store.inbox.dialect.name != "sqlite" or not path:
        return True
    disk = os.statvfs(Path(path).parent)
    free = disk.f_bavail * disk.f_frsize
    return free >= min(SPARE * disk.f_blocks * disk.f_frsize, SPARE_BYTES)


def require(store: Store) -> None:
    """Check that a commit to the inbox survives a crash of the machine.

    Raises:
        StoreError: It would not; the text names the setting.
    """
    with store.read_inbox() as connection:
        if connection.dialect.name == "postgresql":
            for name, advice in _NEEDED.items():
                if connection.exec_driver_sql(f"SHOW {name}").scalar() == "off":
                    raise StoreError(
                        f"PostgreSQL runs with {name} = off: an acknowledged message could be lost. {advice}"
                    )
            return
        level = int(connection.exec_driver_sql("PRAGMA synchronous").scalar() or 0)
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        if level < 2 or mode != "wal":
            raise StoreError(
                f"The inbox runs with synchronous = {level} and journal_mode = {mode}: an acknowledged message could "
                "be lost. It must lie on a local disk, where both can be FULL and WAL."
            )
