"""The default mapping, and what a site lays over it."""

import re
from importlib.resources import files
from typing import Any

import pytest

from hcrm_adapter_tabular import rows
from hcrm_adapter_tabular.adapter import TabularAdapter, TabularSettings
from hcrm_adapter_tabular.headings import spellings
from hcrm_adapter_tabular.mapping.check import check
from hcrm_adapter_tabular.mapping.overlay import Overlay, laid_over
from hcrm_adapter_tabular.mapping.tables import FieldRule, shipped
from hcrm_core.api import KINDS, ConfigurationError, TextFile, TomlFile, Translation


def translate(table: str, cells: dict[str, rows.Cell], mapping: str = "", **settings: Any) -> Translation:
    file = TextFile("m.toml", mapping) if mapping else None
    made = TabularAdapter("his", TabularSettings(adapter="tabular", mapping=file, **settings))
    return made.translate(rows.payload(rows.Row(table=table, cells=cells)))


def the(translation: Translation, kind: str) -> Any:
    assert translation.quarantine is None, translation.quarantine
    (found,) = [one for one in translation.records if type(one).__name__ == kind]
    return found


def test_the_shipped_tables_keep_to_their_own_rules() -> None:
    """Every record of them is checked as a site's would be, and every column is read by some record."""
    tables = shipped()
    folder = files("hcrm_adapter_tabular.mapping") / "data"
    text = "\n".join(
        re.sub(r"(?m)^\[", f"[{name}.", (folder / f"{name}.toml").read_text(encoding="utf-8"))
        for name in ("tables", "keys", "records", "codes")
    )
    file = TomlFile(text, "shipped", Overlay)
    assert file.content.records.keys() == tables.records.keys()
    check(file, laid_over(file))
    assert {record.kind or name for name, record in tables.records.items()} <= set(KINDS)
    read = {
        column
        for record in tables.records.values()
        for one in record.fields.values()
        for rule in ((one,) if isinstance(one, FieldRule) else one)
        for columns in (rule.column, rule.display, rule.unit, rule.plus)
        for column in ((columns,) if isinstance(columns, str) else columns)
    }
    parts = [part for record in tables.records.values() for part in record.key]
    parts += [part for key in tables.keys.values() for one in key.any for part in one]
    read |= {choice.removeprefix("time ") for part in parts for choice in part.removesuffix("?").split(" or ")}
    read |= {"updated_at", "row_number", "age", "deleted", "row_state"}
    assert set(tables.columns) <= read


def test_no_heading_is_that_of_two_columns() -> None:
    seen: dict[str, str] = {}
    for name, headings in shipped().columns.items():
        for heading in (*headings, name):
            plain = spellings(heading)[0]
            assert seen.setdefault(plain, name) == name, (heading, name, seen[plain])


def test_headings_are_known_however_they_are_written() -> None:
    told = {"患者 ID": "1", "＊姓名": "王芳", "Sex": "F", "DATE_OF_BIRTH": "1990-03-07", "手机号（必填）": "138"}
    patient = the(translate("patients", told), "Patient")
    assert (patient.key, patient.name[0].family, patient.gender, patient.birth_date, patient.telecom[0].value) == (
        "his|PI|1", "王芳", "female", "1990-03-07", "138",
    )  # fmt: skip


def test_a_stay_says_its_diagnosis_its_doctor_and_its_department() -> None:
    stay = translate(
        "encounters",
        {
            "住院号": "Z1", "住院次数": 2, "患者ID": "1", "入院时间": "2026-06-01 09:00", "出院时间": "",
            "出院诊断": "高血压", "出院科室": "心内科", "主治医生": "李建国", "床号": "12", "病区": "W3",
        },
    )  # fmt: skip
    encounter = the(stay, "Encounter")
    assert (encounter.key, encounter.class_, encounter.period_end) == ("his|IP|Z1|2", "IMP", None)
    assert (encounter.department, encounter.attender, encounter.location) == ("his|心内科", "his|李建国", "W3//12")
    assert the(stay, "Condition").code.coding[0].display == "高血压"
    assert the(stay, "Practitioner").name[0].family == "李建国"


def test_an_empty_cell_clears_where_its_table_says_so_and_a_column_that_is_missing_never_does() -> None:
    cells: dict[str, rows.Cell] = {"就诊号": "V1", "患者ID": "1", "出院时间": None, "手机号": None}
    told = translate("encounters", cells)
    assert the(told, "Encounter").period_end is None
    assert the(told, "Patient").telecom is not None
    assert translate("patients", {"患者ID": "1", "手机号": None}).records[0].telecom is not None  # type: ignore[union-attr]
    clearing = '[records.Patient]\nempty = "clears"\n'
    assert the(translate("patients", {"患者ID": "1", "手机号": None}, clearing), "Patient").telecom is None


@pytest.mark.parametrize(
    ("table", "cells", "kind", "field", "value"),
    [
        ("encounters", {"就诊号": "V1", "作废标志": 1}, "Encounter", "status", "entered-in-error"),
        ("appointments", {"预约号": "A1", "状态": "作废"}, "Appointment", "status", "entered-in-error"),
        ("conditions", {"诊断编码": "I10", "是否删除": "是"}, "Condition", "verification_status", "entered-in-error"),
        ("charges", {"费用流水号": "F1", "金额": 1, "作废": "Y"}, "ChargeItem", "status", "entered-in-error"),
        ("patients", {"姓名": "王", "删除标志": "1"}, "Patient", "active", False),
    ],
)
def test_a_row_that_is_taken_back_says_so(
    table: str, cells: dict[str, rows.Cell], kind: str, field: str, value: object
) -> None:
    found = [one for one in translate(table, {"患者ID": "1", **cells}).records if type(one).__name__ == kind]
    assert [getattr(one, field) for one in found] == [value]


def test_money_given_back_is_negative_however_it_is_written() -> None:
    for written in ("8.00", "-8.00", "(8.00)"):
        cells: dict[str, rows.Cell] = {"患者ID": "1", "费用流水号": "F1", "金额": written, "收退标志": "退费"}
        assert the(translate("charges", cells), "ChargeItem").price.amount == -800


def test_a_record_without_a_status_is_taken_back_by_its_empty_set() -> None:
    cells: dict[str, rows.Cell] = {"患者ID": "1", "医保类别编码": "01", "保单号": "Y1"}
    kept = the(translate("coverages", cells), "Coverage")
    gone = translate("coverages", {**cells, "作废标志": "1"})
    assert [(one.kind, one.group) for one in gone.complete] == [("Coverage", kept.group)]
    assert [type(one).__name__ for one in gone.records] == ["Patient"]


@pytest.mark.parametrize(
    ("table", "cells", "code", "where"),
    [
        ("patients", {"姓名": "王芳", "性别": "女"}, "no-patient", ""),
        ("charges", {"患者ID": "1", "费用流水号": "F1", "金额": "一百"}, "bad-amount", "金额"),
        ("charges", {"患者ID": "1", "费用流水号": "F1", "金额": "1.234"}, "bad-amount", "金额"),
        ("encounters", {"患者ID": "1", "就诊号": "V1", "入院时间": "01/06/2026"}, "bad-date", "入院时间"),
        ("organizations", {"是否启用": "是"}, "no-record", ""),
        ("nothing", {"a": "b"}, "no-table", ""),
    ],
)
def test_a_bad_row_names_its_column(table: str, cells: dict[str, rows.Cell], code: str, where: str) -> None:
    problem = translate(table, cells).quarantine
    assert problem is not None
    assert (problem.code, problem.where) == (code, where)
    assert not any(str(cell) in problem.text for cell in cells.values() if cell not in ("1", "b"))


SITE = """
[columns]
patient_id = ["卡号"]
blood = ["血型"]

[tables.patients]
names = ["BRJBXX"]
ignored = ["操作员"]

[records.Patient.fields]
occupation = { column = "ZY", as = "coding", table = "jobs", system = "QHYY" }

[records.Blood]
kind = "Observation"
table = "patients"
key = ["{patient}", "'blood'"]
needs = ["blood"]
says = { status = "final", code = "882-1" }

[records.Blood.fields]
subject = { from = "patient" }
value = { column = "blood", as = "observation-value" }

[codes.jobs]
"24" = "teacher"

[codes.administrative-gender]
"雄" = "male"
"""


def test_a_site_adds_headings_columns_records_and_codes() -> None:
    told = translate(
        "patients", {"卡号": "7", "ZY": "24", "血型": "AB", "性别": "雄", "操作员": "x", "备注": "y"}, SITE
    )
    patient = the(told, "Patient")
    assert (patient.key, patient.occupation.code, patient.gender) == ("his|PI|7", "teacher", "male")
    blood = the(told, "Observation")
    assert (blood.key, blood.value_string, blood.subject) == ("his|PI|7|blood", "AB", "his|PI|7")
    assert (told.coverage.ignored, told.coverage.unknown) == (("操作员",), ("备注",))
    assert [identifier.type for identifier in patient.identifier] == ["PI"]  # 卡号 is no card number any more


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ("[record.Patient]\n", "line 1: record"),
        ("[columns]\ndelted = ['作废']", "line 2: .*Did you mean 'deleted'"),
        ("[columns]\nbirth_date = ['生日']\ndeleted = ['删', '生 日']", "line 3: .*given to birth_date too .*line 2"),
        ("[columns\n", "line 1: not valid TOML"),
        ("[columns]\na = ['x'\n", "line 2: not valid TOML"),
        ("[records.Patient.fields]\nocupation = { column = 'x' }", "line 2: .*Did you mean 'occupation'"),
        ("[records.Patient.fields]\nname = { column = 'x', as = 'name' }", r"line 2: .*It is a list"),
        ("[records.Patient.fields]\ngender = [{ column = 'x' }]", r"line 2: .*as = 'text' does not fit"),
        ("[records.Patient.fields]\ngender = { column = 'x', as = 'code' }", "say by which table"),
        ("[records.Patient.fields]\ngender = { column = 'x', as = 'code', table = 'sex' }", "no code table 'sex'"),
        ("[records.Patient.fields]\ngender = { as = 'text' }", "say where it is read"),
        ("[records.Patient.fields]\nbirth_date = { colum = 'x' }", "line 2: .*colum"),
        ("[records.Patient.fields]\nbirth_date = { column = 'x', as = 'dat' }", "Did you mean 'date'"),
        ("[records.Visit]\nkind = 'Encounter'\n", "table is missing"),
        ("[records.Visit]\nkind = 'Encounter'\ntable = 'visit'\nkey = ['x']", "there is no table 'visit'"),
        ("[records.Visit]\nkind = 'Encounters'\ntable = 'patients'\nkey = ['x']", "Did you mean 'Encounter'"),
        ("[records.Visit]\nkind = 'Encounter'\ntable = 'patients'\nkey = ['{patients}']", "Did you mean 'patient'"),
        ("[records.Visit]\nkind = 'Encounter'\ntable = 'patients'\nkey = ['x']", "nothing says whose it is"),
        ("[records.Patient]\nempty = 'nothing'", "there is no meaning of an empty cell"),
        ("[records.Patient.when]\n'{voided}' = { active = false }", "Did you mean 'void'"),
        ("[records.Patient.when]\n'x=1' = { active = 'no' }", "Patient.active cannot be 'no'"),
        ("[records.Patient]\nleave_out = ['nam']", "Did you mean 'name'"),
        ("[tables.visits]\nnames = ['x']", "No record is made of a new one"),
        ("[codes.jobs]\na = 'b'", "No field of a record reads by it"),
        ("[codes.administrative-gender]\na = 'man'", "there is no value 'man'"),
        ("[keys.patient]\nkind = 'Patient'\nany = [['{authority}', '{encouter}']]", "Did you mean 'encounter'"),
        ("[records.Encounter.fields]\nsubject = { from = 'encounter' }", "is no key of a Encounter"),
        ("[columns]\nx = []", "say which headings"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence_with_its_line(mapping: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as raised:
        translate("patients", {}, mapping)
    assert str(raised.value).startswith("m.toml, line ")


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("2026-05-19 15:00", ["period-reversed"]),
        ("2026-05-20 09:29", ["period-reversed"]),
        ("2026-05-20 09:30", []),
        ("2026-05-20", []),
        ("2026-05-19", ["period-reversed"]),
        ("", []),
    ],
)
def test_a_stay_that_ends_before_it_begins_is_told_and_kept(end: str, told: list[str]) -> None:
    found = translate("encounters", {"住院号": "Z1", "患者ID": "1", "入院时间": "2026-05-20 09:30", "出院时间": end})
    problems = [one for one in found.problems if one.code == "period-reversed"]
    assert [one.code for one in problems] == told
    assert [one.where for one in problems] == ["入院时间, 出院时间"] * len(told)
    assert the(found, "Encounter").period_start == "2026-05-20T09:30:00+08:00"


def test_a_zero_byte_that_a_database_gives_costs_its_row() -> None:
    told = translate("patients", {"患者ID": "1", "姓名": "王\0芳"}).quarantine
    assert told is not None and (told.code, told.where) == ("bad-encoding", "姓名")
    assert translate("patients", {"患者ID": "1", "姓名": "王\\u0000"}).quarantine is None
