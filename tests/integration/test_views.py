"""`hcrm pull` from the views of a HIS, on both databases: what changes there changes here, and nothing twice."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from support.ward import NOW, hcrm, told

VIEWS = """
[sources.his]
adapter = "tabular"
url = "{url}"
authority = "QHYY"

[sources.his.views.patients]
view = "{schema}v_患者"
watermark = "更新时间"
key = "患者编号"

[sources.his.views.encounters]
view = "{schema}v_就诊"
watermark = "更新时间"
key = "就诊号"
overlap = 600

[sources.his.views.organizations]
select = "SELECT 科室编码, 科室名称 FROM {schema}科室"
"""
SCHEMA = (
    "CREATE TABLE {s}患者 (患者编号 varchar(20), 姓名 varchar(20), 性别 varchar(4), 出生日期 date, 更新时间 timestamp)",
    "CREATE TABLE {s}就诊 (就诊号 varchar(20), 患者编号 varchar(20), 入院时间 timestamp, 出院时间 timestamp, "
    "费用 numeric(10,2), 作废 integer, 更新时间 timestamp)",
    "CREATE TABLE {s}科室 (科室编码 varchar(9), 科室名称 varchar(20))",
    "CREATE VIEW {s}v_患者 AS SELECT * FROM {s}患者",
    "CREATE VIEW {s}v_就诊 AS SELECT * FROM {s}就诊",
    "INSERT INTO {s}科室 VALUES ('K01', '心内科'), ('K02', '骨科')",
)


class His:
    """A hospital's database; `{s}` in a statement is the schema before a table."""

    def __init__(self, engine: Engine, url: str, schema: str) -> None:
        self.engine, self.url, self.schema = engine, url, schema
        for statement in SCHEMA:
            self.do(statement)

    def do(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement.replace("{s}", self.schema)))

    def admit(self, number: int, at: str) -> None:
        self.do(f"INSERT INTO {{s}}患者 VALUES ('{number:05}', '病人{number}', '男', '1980-02-14', '{at}')")
        self.do(f"INSERT INTO {{s}}就诊 VALUES ('V{number:05}', '{number:05}', '{at}', NULL, 12.50, 0, '{at}')")


@pytest.fixture(params=["sqlite", "postgresql"])
def his(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[His]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/his.db"
        engine, schema = create_engine(url), ""
    else:
        new: Callable[..., str] = request.getfixturevalue("new_database")
        url = make_url(new())._replace(password=None).render_as_string(hide_password=False)
        engine, schema = create_engine(url), "医院."
        with engine.begin() as connection:
            connection.execute(text("CREATE SCHEMA 医院"))
    yield His(engine, url, schema)
    engine.dispose()


@pytest.fixture(autouse=True)
def configured(workspace: Path, his: His, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCRM_NOW", NOW)
    file = workspace / "hcrm.toml"
    kept = file.read_text(encoding="utf-8").partition("[sources.his]")[0]
    file.write_text(kept + VIEWS.format(url=his.url, schema=his.schema), encoding="utf-8")


def test_a_pull_reads_all_then_what_is_new_and_knows_again_what_is_not(his: His) -> None:
    for number in range(1, 8):
        his.admit(number, f"2026-03-0{number} 08:00:00")
    first = told("pull")
    assert (first["requests"], first["landed"], first["duplicates"], first["quarantined"]) == (3, 16, 0, 0)
    assert first["patients"] == 7
    second = told("pull")
    assert (second["landed"], second["duplicates"]) == (0, 4)
    his.do(
        "UPDATE {s}就诊 SET 出院时间 = '2026-03-09 15:00:00', 更新时间 = '2026-03-09 15:01:00' WHERE 就诊号 = 'V00003'"
    )
    his.admit(8, "2026-03-09 16:00:00")
    third = told("pull")
    assert (third["landed"], third["patients"]) == (3, 8)
    changed = min(row["id"] for row in told("messages", "list", "--type", "encounters") if row["id"] > 16)
    shown = hcrm("messages", "show", f"#{changed}", "--unmask").stdout
    assert "Encounter.period_end" in shown
    assert "2026-03-09T15:00:00+08:00" in shown
    assert "place: view encounters" in shown


def test_hundreds_of_rows_of_one_instant_come_once_each(his: His) -> None:
    rows = ", ".join(f"('{n:05}', '病人{n}', '女', '1990-01-01', '2026-03-01 08:00:00')" for n in range(1_203))
    his.do(f"INSERT INTO {{s}}患者 VALUES {rows}")
    first = told("pull")
    assert (first["landed"], first["duplicates"], first["patients"]) == (1_205, 0, 1_203)


def test_a_row_dated_for_ever_hides_no_row_that_is_written_later(his: His) -> None:
    his.admit(1, "2026-03-01 08:00:00")
    for number, at in ((2, "9999-12-31 00:00:00"), *([(3, "infinity")] if his.schema else [])):
        his.do(f"INSERT INTO {{s}}患者 VALUES ('{number:05}', '病人{number}', '女', '1990-01-01', '{at}')")
    first = told("pull")
    (problem,) = first["sources"][0]["problems"]
    assert (problem["code"], problem["where"]) == ("future-watermark", "patients, 更新时间")
    assert first["patients"] == (3 if his.schema else 2)
    his.admit(4, "2026-03-02 08:00:00")
    assert told("pull")["landed"] == 2


def test_a_statement_that_is_no_select_is_named_with_its_line(workspace: Path) -> None:
    file = workspace / "hcrm.toml"
    text = file.read_text(encoding="utf-8").replace('"SELECT 科室编码', '"DELETE FROM x; SELECT 科室编码')
    file.write_text(text, encoding="utf-8")
    line = next(number for number, one in enumerate(text.split("\n"), 1) if "DELETE" in one)
    wanted = f"hcrm.toml, line {line}: sources.his.views.organizations.select: write one SELECT"
    doctor, pull = hcrm("doctor"), hcrm("pull")
    assert doctor.exit_code == 1 and wanted in doctor.stdout
    assert pull.exit_code == 1 and wanted in pull.stderr + pull.stdout


def test_what_the_house_took_back_is_taken_back_here(his: His) -> None:
    his.admit(1, "2026-03-01 08:00:00")
    told("pull")
    his.do("UPDATE {s}就诊 SET 作废 = 1, 更新时间 = '2026-03-02 08:00:00'")
    assert told("pull")["landed"] == 1
    listed = told("messages", "list", "--type", "encounters")
    shown = told("messages", "show", str(listed[0]["id"]))
    assert {"kind": "Encounter", "field": "status", "value": "entered-in-error", "from": "作废"} in shown["mapped"]


def test_a_view_that_lost_a_column_is_a_sentence_and_the_pull_goes_on_when_it_is_back(his: His) -> None:
    his.admit(1, "2026-03-01 08:00:00")
    his.do("DROP VIEW {s}v_就诊")
    his.do("CREATE VIEW {s}v_就诊 AS SELECT 就诊号, 患者编号, 入院时间 FROM {s}就诊")
    result = hcrm("pull")
    assert result.exit_code in (1, 3)
    assert "Traceback" not in result.output
    assert "更新时间" in result.output
    his.do("DROP VIEW {s}v_就诊")
    his.do("CREATE VIEW {s}v_就诊 AS SELECT * FROM {s}就诊")
    assert told("pull")["landed"] == 3
