"""Databases of others: a real PostgreSQL and SQLite play the hospital's; nothing is ever written to them."""

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DataError, OperationalError
from support.pulling import configure, fetcher, install
from support.ward import hcrm, told

from hcrm_core.errors import ConfigurationError, FetchError, PluginError, UnavailableError
from hcrm_core.fetching.fetcher import Fetcher
from hcrm_core.model.pulling import Rows, SqlQuery
from hcrm_core.store.foreign_errors import told as told_error
from hcrm_core.store.foreign_statement import bound

PEOPLE = "CREATE TABLE people (number TEXT PRIMARY KEY, name TEXT, at INTEGER)"


def rows_of(through: Fetcher, statement: str, **parameters: object) -> list[Rows]:
    """All pieces of an answer."""
    pieces = list(through.ask(SqlQuery(statement=statement, parameters=parameters)))  # type: ignore[arg-type]
    assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    return [piece for piece in pieces if isinstance(piece, Rows)]


@pytest.fixture
def his(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """(URL of a database with 1,501 people, folder of the workspace), on the database the test names."""
    people = [{"number": f"P{n:04}", "name": f"病人{n}", "at": n // 7} for n in range(1_501)]
    if request.param == "sqlite":
        url, engine = "sqlite:///his.db", create_engine(f"sqlite:///{tmp_path}/his.db")
    else:
        url = request.getfixturevalue("new_database")()
        engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(PEOPLE))
        connection.execute(text("INSERT INTO people VALUES (:number, :name, :at)"), people)
    engine.dispose()
    return url, tmp_path


both = pytest.mark.parametrize(
    "his", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
postgresql = pytest.mark.parametrize("his", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)


@both
def test_rows_come_in_hundreds_in_the_order_asked_for(his: tuple[str, Path]) -> None:
    through = fetcher(his[1], his[0])
    pieces = rows_of(through, "SELECT number, at FROM people WHERE at >= :since ORDER BY number", since=0)
    assert [len(piece.rows) for piece in pieces] == [500, 500, 500, 1]
    assert pieces[0].columns == ("number", "at")
    assert [row[0] for piece in pieces for row in piece.rows] == [f"P{n:04}" for n in range(1_501)]
    (none,) = rows_of(through, "SELECT number FROM people WHERE at < 0")
    assert (none.columns, none.rows) == (("number",), ())


@both
def test_a_literal_is_no_parameter_and_a_sign_no_placeholder(his: tuple[str, Path]) -> None:
    through = fetcher(his[1], his[0])
    statement = "SELECT ':name 100%s ? %(x)s', name FROM people WHERE number = :number AND name LIKE '病人1%' -- :no"
    (piece,) = rows_of(through, statement, number="P0001")
    assert piece.rows == ((":name 100%s ? %(x)s", "病人1"),)
    (alone,) = rows_of(through, "SELECT name FROM people WHERE number LIKE 'P000%' AND number = 'P0002'")
    assert alone.rows == (("病人2",),)


NO_QUESTIONS = [
    "DELETE FROM people", "INSERT INTO people VALUES ('a', 'b', 1)", "UPDATE people SET name = ''",
    "DROP TABLE people", "SELECT 1; DELETE FROM people", "SELECT 1 INTO other", "CREATE TABLE a AS SELECT 1",
    "SELECT * FROM people FOR UPDATE", "PRAGMA writable_schema = 1", "ATTACH 'x.db' AS x", "COPY people TO '/x'",
    "WITH gone AS (DELETE FROM people RETURNING *) SELECT * FROM gone", "SET ROLE postgres", "VACUUM", "",
    "EXPLAIN ANALYZE DELETE FROM people", "CALL p()", "DO $$ BEGIN DELETE FROM people; END $$", "BEGIN", "SELEC 1",
    "GRANT ALL ON people TO PUBLIC", "MERGE INTO people USING people AS p ON 1 = 1 WHEN MATCHED THEN DELETE",
]  # fmt: skip


@both
def test_whatever_is_not_one_select_is_not_sent(his: tuple[str, Path]) -> None:
    for statement in NO_QUESTIONS:
        with pytest.raises(PluginError):
            rows_of(fetcher(his[1], his[0]), statement)
    assert sum(len(piece.rows) for piece in rows_of(fetcher(his[1], his[0]), "SELECT * FROM people")) == 1_501


@postgresql
def test_what_a_function_would_write_postgresql_refuses(his: tuple[str, Path]) -> None:
    engine = create_engine(his[0])
    with engine.begin() as connection:
        connection.execute(text("CREATE FUNCTION sly() RETURNS int LANGUAGE sql AS 'DELETE FROM people RETURNING 1'"))
    engine.dispose()
    with pytest.raises(FetchError, match="refuses the adapter's question"):
        rows_of(fetcher(his[1], his[0]), "SELECT sly()")
    assert rows_of(fetcher(his[1], his[0]), "SELECT count(*) FROM people")[0].rows == ((1_501,),)


@postgresql
def test_values_come_as_the_contract_says(his: tuple[str, Path]) -> None:
    statement = """SELECT 12.50::numeric, 1e40::numeric, '2026-03-01'::date, '2026-03-01 08:00'::timestamp,
        '2026-03-01 08:00:00.5+08'::timestamptz AT TIME ZONE 'Asia/Shanghai', '07:30'::time, '\\xCAFE'::bytea, true,
        NULL,
        1.5::float8, 9223372036854775807, '00000000-0000-0000-0000-000000000001'::uuid, '{"a": ["张"]}'::jsonb,
        ARRAY[1.5::numeric, 2], interval '1 day 2 seconds'"""
    (piece,) = rows_of(fetcher(his[1], his[0]), statement)
    assert piece.rows[0] == (
        "12.50", f"{Decimal('1e40'):f}", "2026-03-01", "2026-03-01T08:00:00", "2026-03-01T08:00:00.500000", "07:30:00",
        "cafe", True, None, 1.5, 9_223_372_036_854_775_807, "00000000-0000-0000-0000-000000000001", '{"a": ["张"]}',
        '["1.5", "2"]', "PT86402.000000S",
    )  # fmt: skip


@postgresql
def test_a_time_that_python_has_none_of_costs_no_row(his: tuple[str, Path]) -> None:
    statement = """SELECT 'infinity'::timestamp, '-infinity'::date, '12026-01-01'::date, '24:00'::time,
        'infinity'::timestamptz, '0044-03-15 BC'::date, ARRAY['infinity'::date] UNION ALL
        SELECT '2026-03-01', '2026-03-01', '2026-03-01', '07:30', '2026-03-01 08:00+00', '2026-03-01',
        ARRAY['2026-03-01'::date]"""
    (piece,) = rows_of(fetcher(his[1], his[0]), statement)
    assert piece.rows[0][:6] == ("infinity", "-infinity", "12026-01-01", "24:00:00", "infinity", "0044-03-15 BC")
    assert piece.rows[1][:2] == ("2026-03-01T00:00:00", "2026-03-01")
    assert [row[6] for row in piece.rows] == ['["infinity"]', '["2026-03-01"]']


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        (("22018", "[22018] Conversion failed for '张秘密13900000001' (245)"), "question (Strange 22018)."),
        ((1292, "Truncated incorrect DOUBLE value: '张秘密13900000001'"), "question (Strange 1292)."),
        (("张秘密13900000001",), "question (Strange)."),
    ],
)
def test_of_a_driver_without_states_nothing_but_the_kind_of_error_is_told(
    raised: tuple[object, ...], says: str
) -> None:
    class Strange(Exception):
        pass

    for kind in (DataError, OperationalError):
        sentence = str(told_error(kind("SELECT 1", {}, Strange(*raised)), "mysql://his"))
        assert "秘密" not in sentence and says.removeprefix("question ") in sentence


@postgresql
def test_rows_are_read_through_a_cursor_of_the_server(his: tuple[str, Path]) -> None:
    """A view of ten million rows is begun at once, and its rows never stand in memory together."""
    through = fetcher(his[1], his[0], pull={"read_seconds": 5.0})
    pieces = through.ask(SqlQuery(statement="SELECT generate_series(1, 2000000000) AS n"))
    assert len(next(pieces).rows) == 500  # type: ignore[union-attr]
    pieces.close()  # type: ignore[attr-defined]


@postgresql
def test_a_question_that_takes_too_long_is_ended(his: tuple[str, Path]) -> None:
    with pytest.raises(UnavailableError, match="cannot be asked now"):
        rows_of(fetcher(his[1], his[0], pull={"read_seconds": 0.2}), "SELECT pg_sleep(20)")


@both
def test_what_the_database_says_of_a_question_is_told_and_what_it_says_of_values_is_not(his: tuple[str, Path]) -> None:
    through = fetcher(his[1], his[0])
    with pytest.raises(FetchError, match="none_such"):
        rows_of(through, "SELECT none_such FROM people")
    if his[0].startswith("postgresql"):
        with pytest.raises(FetchError) as error:
            rows_of(through, "SELECT CAST(name AS integer) FROM people ORDER BY number")
        assert "病人" not in str(error.value) and "22P02" in str(error.value)


def test_parameters_must_be_given() -> None:
    with pytest.raises(PluginError, match="parameter other"):
        bound(SqlQuery(statement="SELECT :other", parameters={"one": 1}), "sqlite", "qmark")


def test_addresses_of_databases_that_are_wrong_are_named(tmp_path: Path) -> None:
    def wrong(url: str, **more: object) -> str:
        with pytest.raises(ConfigurationError) as error:
            fetcher(tmp_path, url, **more)
        assert "s3cret" not in str(error.value)
        return str(error.value)

    assert "holds a password" in wrong("postgresql+psycopg://hcrm:s3cret@his/views")
    assert "holds a password" in wrong("postgresql+psycopg://hcrm@his/views?password=s3cret")
    assert "holds a password" in wrong("mysql+pymysql://hcrm@his/views?Passwd=s3cret")
    assert "holds a password" in wrong("mssql+pyodbc:///?odbc_connect=Driver%3Dx%3BPWD%3Ds3cret")
    assert "there is no SQLite file" in wrong("sqlite:///none.db")
    assert "driver for mssql+pyodbc is not installed" in wrong("mssql+pyodbc://his/views")
    assert "knows no database" in wrong("nosuch://his/views")
    assert "neither a web server's" in wrong("his.example.org/fhir")
    (tmp_path / "password").write_text("s3cret", encoding="utf-8")
    (tmp_path / "password").chmod(0o644)
    assert "chmod 600" in wrong("postgresql+psycopg://hcrm@his/views", password_file="password")


def test_a_database_that_is_away_is_worth_asking_again_and_its_password_is_told_nobody(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n", encoding="utf-8")
    (tmp_path / "password").chmod(0o600)
    through = fetcher(tmp_path, "postgresql+psycopg://hcrm@127.0.0.1:1/views", password_file="password")
    with pytest.raises(UnavailableError) as error:
        rows_of(through, "SELECT 1")
    assert "s3cret" not in str(error.value) and "127.0.0.1" in str(error.value)


@postgresql
def test_a_password_from_a_file_opens_and_a_wrong_one_is_a_sentence(his: tuple[str, Path]) -> None:
    """The server of these tests trusts whoever reaches its socket."""
    url, root = his
    (root / "password").write_text("s3cret\n", encoding="utf-8")
    (root / "password").chmod(0o600)
    through = fetcher(root, url, password_file="password")
    assert rows_of(through, "SELECT count(*) FROM people")[0].rows == ((1_501,),)


@both
def test_a_view_is_pulled_from_where_it_was(
    his: tuple[str, Path], workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, root = his
    install(tmp_path / "site", monkeypatch)
    url = url.replace("his.db", f"{root}/his.db")
    configure(workspace, f'[sources.view]\nadapter = "view"\nurl = "{url}"\n')
    first = told("pull", "view")
    assert (first["requests"], first["messages"], first["landed"], first["patients"]) == (3, 1_501, 1_501, 1_501)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE people SET name = '王芳', at = 900 WHERE number = 'P0003'"))
    engine.dispose()
    second = told("pull")
    assert (second["requests"], second["landed"], second["duplicates"], second["patients"]) == (2, 1, 0, 1_501)


def test_a_locked_or_broken_file_of_sqlite_is_a_sentence(workspace: Path, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    install(tmp_path / "site", monkeypatch)
    (workspace / "his.db").write_bytes(b"no database at all" * 100)
    configure(workspace, '[sources.view]\nadapter = "view"\nurl = "sqlite:///his.db"\npull = { tries = 1 }\n')
    result = hcrm("pull", "view")
    assert result.exit_code == 1 and "hcrm: view: " in result.stderr and "Traceback" not in result.stderr


def test_sqlite_is_opened_so_that_nothing_can_be_written(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "his.db") as connection:
        connection.execute(PEOPLE)
    connection.close()
    (tmp_path / "his.db").chmod(0o444)
    assert rows_of(fetcher(tmp_path, "sqlite:///his.db"), "SELECT * FROM people")[0].rows == ()
