"""The schema's version: upgrade it, and refuse to work on another. Alembic is loaded only to change it."""

from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, MetaData, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from hcrm_core.errors import StoreError
from hcrm_core.store import audit, tables
from hcrm_core.store.engine import Store

MIGRATIONS = Path(__file__).parent / "migrations"


class Part(NamedTuple):
    """One of the two schemas: its migrations, its tables, and the revision this version of HCRM works on."""

    name: str
    metadata: MetaData
    revision: str

    @property
    def version_table(self) -> str:
        """Where Alembic keeps the revision; the two may share a database."""
        return f"{self.name}_revision"


PARTS = (Part("inbox", tables.inbox, "0001"), Part("store", tables.store, "0001"))


def upgrade(store: Store) -> list[str]:
    """Bring both schemas to this version; what is there is kept.

    Returns:
        A line for each schema, saying from which revision it came to which.

    Raises:
        StoreError: One was made by a newer version; neither is touched.
    """
    for name, found, wanted in status(store):
        _refuse_newer(name, found, wanted)
    lines = []
    for part, engine in _engines(store):
        with engine.connect() as connection:
            before = _revision(connection, part)
            _alembic(part, connection)
            connection.commit()
        if part.metadata is tables.store and before is None:
            with store.write() as connection:
                audit.begin(connection, store.codec)
        lines.append(
            f"{part.name}: already at revision {before}"
            if before == part.revision
            else f"{part.name}: {before or 'empty'} → {part.revision}"
        )
    return lines


def status(store: Store) -> list[tuple[str, str | None, str]]:
    """(schema, its revision or `None`, the revision this version works on), a row each.

    Raises:
        StoreError: A database cannot be opened.
    """
    rows = []
    for part, engine in _engines(store):
        try:
            with engine.connect() as connection:
                rows.append((part.name, _revision(connection, part), part.revision))
        except DBAPIError as error:
            reason = str(error.orig).partition("\n")[0]
            raise StoreError(
                f"The {part.name} cannot be opened: {reason}. Check [store] in hcrm.toml, and that the database is "
                "there, running, and its folder writable."
            ) from None
    return rows


def require_current(store: Store) -> None:
    """Raises StoreError, saying what to do, unless both schemas are at this version."""
    for name, found, wanted in status(store):
        if found is None:
            raise StoreError(f"The {name} has no tables yet. Create them with: hcrm db upgrade")
        if found < wanted:
            raise StoreError(
                f"The {name} is at revision {found} and this version of HCRM works on {wanted}. Back it up, then run: "
                "hcrm db upgrade"
            )
        _refuse_newer(name, found, wanted)
    _require_own_key(store)
    _require_own_inbox(store)


def _require_own_key(store: Store) -> None:
    token = store.codec.token("key-check")
    with store.read() as connection:
        known = connection.scalar(select(tables.key_check.c.token))
    if known is None:
        with store.write() as connection:
            connection.execute(tables.key_check.insert().values(id=1, token=token))
    elif known != token:
        raise StoreError(
            "The key file is not the one this store was made with: every id would change and every person be known "
            "twice. Restore the store's own key file from your backup."
        )


def _require_own_inbox(store: Store) -> None:
    with store.read() as connection:
        processed = connection.scalar(select(func.max(tables.processing.c.message_id))) or 0
    with store.read_inbox() as connection:
        landed = connection.scalar(select(func.max(tables.message.c.id))) or 0
    if processed > landed:
        raise StoreError(
            f"The store has worked off message {processed}, but the inbox ends at {landed}: they do not belong "
            "together. Restore both from the same backup."
        )


def run_migrations(context: Any) -> None:
    """The body of Alembic's `env.py`: run on the connection that `upgrade` opened."""
    options = context.config.attributes
    context.configure(
        connection=options["connection"],
        target_metadata=options["part"].metadata,
        version_table=options["part"].version_table,
        include_name=lambda name, kind, _: kind != "table" or name in options["part"].metadata.tables,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def alembic_config(part: Part, connection: Connection) -> Any:
    """Alembic's configuration for one schema on an open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS / part.name))
    config.attributes |= {"connection": connection, "part": part}
    return config


def _refuse_newer(name: str, found: str | None, wanted: str) -> None:
    if found is not None and found > wanted:
        raise StoreError(
            f"The {name} is at revision {found}, made by a newer HCRM; this one knows {wanted}. Install the newer "
            "version."
        )


def _alembic(part: Part, connection: Connection) -> None:
    from alembic import command

    command.upgrade(alembic_config(part, connection), "head")


def _engines(store: Store) -> list[tuple[Part, Engine]]:
    return [(part, store.inbox if part.name == "inbox" else store.engine) for part in PARTS]


def _revision(connection: Connection, part: Part) -> str | None:
    if not inspect(connection).has_table(part.version_table):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {part.version_table}")).scalar()
    return str(found) if found else None
