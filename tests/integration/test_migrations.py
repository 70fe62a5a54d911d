"""The schema: migrations and tables agree on both databases, and a schema of another version is refused."""

from collections.abc import Callable

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from hcrm_core.errors import StoreError
from hcrm_core.store import schema
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store
from hcrm_core.store.schema import PARTS, Part


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path):
    """A store without any table."""
    codec = Codec(b"\x07" * 32)
    if request.param == "sqlite":
        store = Store(f"sqlite:///{tmp_path}/store.db", f"sqlite:///{tmp_path}/inbox.db", codec)
    else:
        make: Callable[[], str] = request.getfixturevalue("new_database")
        url = make()
        store = Store(url, url, codec)
    yield store
    store.close()


def engine_of(store: Store, part: Part):
    return store.inbox if part.name == "inbox" else store.engine


def tables(store: Store) -> set[str]:
    return {name for part in PARTS for name in inspect(engine_of(store, part)).get_table_names()}


def set_revision(store: Store, part: Part, revision: str) -> None:
    with engine_of(store, part).begin() as connection:
        connection.execute(text(f"UPDATE {part.version_table} SET version_num = :r"), {"r": revision})


def test_an_empty_database_is_refused_with_the_command_that_helps(empty: Store) -> None:
    with pytest.raises(StoreError, match=r"^The inbox has no tables yet\. Create them with: hcrm db upgrade$"):
        schema.require_current(empty)


def test_upgrading_an_empty_database_makes_every_table(empty: Store) -> None:
    lines = schema.upgrade(empty)
    assert lines == [f"{part.name}: empty → {part.revision}" for part in PARTS]
    wanted = {name for part in PARTS for name in part.metadata.tables}
    assert wanted <= tables(empty)
    schema.require_current(empty)
    assert all(found == needed for _, found, needed in schema.status(empty))


def test_upgrading_twice_changes_nothing(empty: Store) -> None:
    schema.upgrade(empty)
    assert schema.upgrade(empty) == [f"{part.name}: already at revision {part.revision}" for part in PARTS]


def test_migrations_make_exactly_what_the_code_declares(store: Store) -> None:
    for part in PARTS:
        with engine_of(store, part).connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "version_table": part.version_table,
                    "compare_type": True,
                    "include_name": lambda name, kind, _, part=part: kind != "table" or name in part.metadata.tables,
                },
            )
            assert compare_metadata(context, part.metadata) == []


def test_every_part_ends_at_the_revision_this_version_works_on(store: Store) -> None:
    from alembic.script import ScriptDirectory

    for part in PARTS:
        with engine_of(store, part).connect() as connection:
            scripts = ScriptDirectory.from_config(schema.alembic_config(part, connection))
            assert scripts.get_heads() == [part.revision]


def test_a_schema_can_be_taken_down_and_put_up_again(store: Store) -> None:
    for part in PARTS:
        with engine_of(store, part).connect() as connection:
            command.downgrade(schema.alembic_config(part, connection), "base")
            connection.commit()
    assert not tables(store) & {name for part in PARTS for name in part.metadata.tables}
    schema.upgrade(store)
    schema.require_current(store)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_newer_schema_is_refused_with_a_sentence(store: Store, part: Part) -> None:
    set_revision(store, part, "9999")
    with pytest.raises(StoreError) as raised:
        schema.require_current(store)
    assert str(raised.value) == (
        f"The {part.name} is at revision 9999, made by a newer HCRM; this one knows {part.revision}. "
        "Install the newer version."
    )


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_an_older_schema_is_refused_with_the_command_that_helps(store: Store, part: Part) -> None:
    set_revision(store, part, "0000")
    with pytest.raises(StoreError) as raised:
        schema.require_current(store)
    assert str(raised.value) == (
        f"The {part.name} is at revision 0000 and this version of HCRM works on {part.revision}. "
        "Back it up, then run: hcrm db upgrade"
    )


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_schema_of_an_unknown_revision_is_not_upgraded_but_explained(store: Store, part: Part) -> None:
    set_revision(store, part, "9999")
    with pytest.raises(StoreError, match="made by a newer HCRM"):
        schema.upgrade(store)
    assert {name: found for name, found, _ in schema.status(store)}[part.name] == "9999"


def test_sqlite_commits_are_durable_and_wait_for_each_other(empty: Store) -> None:
    if empty.engine.dialect.name != "sqlite":
        with empty.engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() != "off"
        return
    for engine in (empty.engine, empty.inbox):
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
