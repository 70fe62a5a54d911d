"""Facts as rows of tables, as a hospital's report database or its office keeps them: codes beside names.

Cells are text as a person reads it; what a column holds (`Kind`) says how a workbook or a database writes it.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from hcrm_adapter_simulator.instants import iso
from hcrm_adapter_simulator.state import Known

Kind = Literal["text", "day", "time", "whole", "amount"]
"""`day`: `2026-06-30`. `time`: `2026-06-30 09:30:00`, by the hospital's clock. `amount`: yuan, `12.30`."""
Cell = str | int | None
Row = tuple[Cell, ...]


class Column(NamedTuple):
    """One column: its English and its Chinese name, and what it holds."""

    name: str
    heading: str
    kind: Kind = "text"


class Table(NamedTuple):
    """One table: its English and its Chinese name, and its columns."""

    name: str
    title: str
    columns: tuple[Column, ...]


ROW = Column("row_number", "序号", "whole")
"""The first column of every table; whoever writes the rows numbers them."""
PATIENT = Column("record_number", "病案号")
VISIT = Column("visit_id", "就诊流水号")
UPDATED = Column("updated_at", "更新时间", "time")
DEPARTMENT = (Column("department_code", "科室编码"), Column("department_name", "科室名称"))
DOCTOR = (Column("doctor_code", "医生工号"), Column("doctor_name", "医生姓名"))

TABLES: dict[str, Table] = {
    "Patient": Table("patients", "患者", (
        ROW, PATIENT, Column("identity_number", "身份证号"), Column("passport_number", "护照号"),
        Column("name", "姓名"), Column("gender", "性别"), Column("birth_date", "出生日期", "day"),
        Column("mobile", "手机号"), Column("work_phone", "单位电话"), Column("address", "家庭住址"),
        Column("district", "区县"), Column("marital_code", "婚姻状况代码"), Column("marital_status", "婚姻状况"),
        Column("ethnicity_code", "民族代码"), Column("ethnicity", "民族"), Column("deceased", "是否死亡"),
        Column("deceased_at", "死亡时间", "time"),
        Column("in_use", "是否有效"), Column("merged_into", "合并到病案号"), UPDATED,
    )),
    "RelatedPerson": Table("related_persons", "联系人", (
        ROW, PATIENT, Column("relative_name", "联系人姓名"), Column("relationship_code", "关系代码"),
        Column("relationship", "关系"), Column("relative_phone", "联系人电话"), UPDATED,
    )),
    "Encounter": Table("encounters", "就诊", (
        ROW, VISIT, PATIENT, Column("encounter_class", "就诊类型"), Column("encounter_status", "就诊状态"),
        Column("admitted_at", "就诊时间", "time"), Column("discharged_at", "离院时间", "time"), *DEPARTMENT,
        Column("ward", "病区"), Column("bed", "床号"), *DOCTOR, Column("admitter_code", "收治医生工号"),
        Column("admitter_name", "收治医生"), Column("admission_way", "入院途径"), Column("discharge_way", "离院方式"),
        Column("payer", "费别"), UPDATED,
    )),
    "Appointment": Table("appointments", "预约", (
        ROW, Column("appointment_id", "预约号"), PATIENT, VISIT, Column("appointment_status", "预约状态"),
        Column("appointment_start", "预约时间", "time"), Column("appointment_end", "预约结束时间", "time"),
        Column("appointment_minutes", "预约时长", "whole"), Column("appointment_type_code", "预约类型代码"),
        Column("appointment_type", "预约类型"), Column("visit_reason_code", "预约事由代码"),
        Column("visit_reason", "预约事由"), Column("cancel_reason_code", "取消原因代码"),
        Column("cancel_reason", "取消原因"), *DEPARTMENT, *DOCTOR, UPDATED,
    )),
    "Condition": Table("conditions", "诊断", (
        ROW, PATIENT, VISIT, Column("diagnosis_code", "诊断编码"), Column("diagnosis_name", "诊断名称"),
        Column("diagnosis_type", "诊断类型"), Column("diagnosis_rank", "诊断序号", "whole"),
        Column("diagnosed_at", "诊断时间", "time"), *DOCTOR, UPDATED,
    )),
    "AllergyIntolerance": Table("allergies", "过敏", (
        ROW, PATIENT, Column("allergen_code", "过敏原编码"), Column("allergen", "过敏原"),
        Column("allergy_category_code", "过敏类型代码"), Column("allergy_category", "过敏类型"),
        Column("severity_code", "严重程度代码"), Column("severity", "严重程度"), Column("reaction", "过敏反应"),
        UPDATED,
    )),
    "Observation": Table("observations", "检验结果", (
        ROW, PATIENT, VISIT, Column("report_id", "报告单号"), Column("report_code", "报告项目编码"),
        Column("report_name", "报告名称"), Column("report_section", "检验类别"), Column("report_state", "报告单状态"),
        Column("orderer_code", "申请医生工号"), Column("orderer_name", "申请医生"), Column("item_code", "项目编码"),
        Column("item_name", "项目名称"), Column("result", "结果"), Column("result_unit", "单位"),
        Column("reference_range", "参考范围"), Column("abnormal", "异常标志"), Column("result_status", "结果状态"),
        Column("sampled_at", "采样时间", "time"), Column("reported_at", "报告时间", "time"), UPDATED,
    )),
    "Coverage": Table("coverages", "医保", (
        ROW, PATIENT, Column("plan_code", "险种编码"), Column("plan_name", "险种名称"), Column("payor", "承保单位"),
        Column("policy_number", "参保号"), Column("insured_relation_code", "与参保人关系代码"),
        Column("insured_relation", "与参保人关系"), UPDATED,
    )),
    "ChargeItem": Table("charges", "费用", (
        ROW, Column("charge_id", "费用流水号"), PATIENT, VISIT, Column("charge_code", "收费项目编码"),
        Column("charge_name", "收费项目"), Column("quantity", "数量", "whole"), Column("amount", "金额", "amount"),
        Column("charged_at", "收费时间", "time"), *DEPARTMENT, UPDATED,
    )),
    "Organization": Table("organizations", "科室", (ROW, *DEPARTMENT, UPDATED)),
    "Practitioner": Table("practitioners", "医生", (ROW, *DOCTOR, UPDATED)),
}  # fmt: skip
"""By the kind of record that gives their rows."""

_GENDER = {"male": "男", "female": "女"}
_CLASS = {"IMP": "住院", "AMB": "门诊", "EMER": "急诊", "PRENC": "预住院"}
_STAY = {"planned": "待入院", "in-progress": "就诊中", "finished": "已离院", "entered-in-error": "作废"}
_BOOKING = {"booked": "已预约", "cancelled": "已取消", "noshow": "爽约", "fulfilled": "已就诊"}
_RESULT = {"final": "已审核", "corrected": "已修改"}


class Directory:
    """What departments and doctors are called: a table tells it in every row."""

    def __init__(self, facts: Iterable[Known]) -> None:
        """Args: facts: of the directory."""
        self._names: dict[tuple[str, str], str | None] = {
            (known.kind, known.key): _name(known.body.get("name")) for known in facts
        }

    def told(self, kind: str, key: str | None) -> tuple[Cell, Cell]:
        """Number and name of a department or doctor."""
        return (_number(key), self._names.get((kind, key))) if key else (None, None)


def rows(facts: Iterable[Known], directory: Directory) -> Iterable[tuple[str, Row]]:
    """The rows of one person's facts, or of the directory: the kind of record, and the row without its number.

    Args:
        facts: All of the person's: a result's row tells of its report.
        directory: Of everybody these facts name.
    """
    told = {(known.kind, known.key): known for known in facts}
    for known in told.values():
        if (make := _MAKERS.get(known.kind)) is not None:
            yield known.kind, (*make(known, told, directory), iso(known.said)[:19].replace("T", " "))


Told = dict[tuple[str, str], Known]


def _number(key: str | None) -> str | None:
    return key.rpartition("|")[2] if key else None


def _name(name: Any) -> str | None:
    if not name or isinstance(name, str):
        return name or None
    return name[0]["family"] + "".join(name[0].get("given", ()))


def _time(value: str | None) -> str | None:
    return value[:19].replace("T", " ") if value else None


def _coded(coding: dict[str, str] | None) -> tuple[Cell, Cell]:
    """Code and name of a Coding, or of the first of a CodeableConcept."""
    one = coding["coding"][0] if coding and "coding" in coding else coding
    return (one.get("code"), one.get("display")) if one else (None, None)  # type: ignore[union-attr]


def _patient(known: Known, told: Told, directory: Directory) -> Row:
    body = known.body
    numbers = {one["type"]: one["value"] for one in body.get("identifier", ())}
    phones = {one["use"]: one["value"] for one in body.get("telecom", ())}
    home = (body.get("address") or [{}])[0]
    parts = (*(home.get(part, "") for part in ("state", "city", "district")), *home.get("line", ()))
    merged = next(
        (k.body["other"] for k in told.values() if k.kind == "PatientLink" and k.body["patient"] == known.key), ""
    )
    return (
        _number(known.key), numbers.get("NI"), numbers.get("PPN"), _name(body.get("name")),
        _GENDER.get(body.get("gender", "")), body.get("birth_date"), phones.get("mobile"), phones.get("work"),
        "".join(parts) or None, body.get("district"), *_coded(body.get("marital_status")),
        *_coded(body.get("ethnicity")), "是" if body.get("deceased") else None, _time(body.get("deceased_date_time")),
        "是" if body.get("active") else None, _number(merged) or None,
    )  # fmt: skip


def _related_person(known: Known, told: Told, directory: Directory) -> Row:
    body = known.body
    phone = body["telecom"][0]["value"] if body.get("telecom") else None
    return _number(body["patient"]), _name(body["name"]), *_coded(body["relationship"]), phone


def _encounter(known: Known, told: Told, directory: Directory) -> Row:
    body = known.body
    ward, _, rest = body.get("location", "").partition("/")
    return (
        _number(known.key), _number(body["subject"]), _CLASS[body["class"]], _STAY.get(body.get("status", "")),
        _time(body.get("period_start")), _time(body.get("period_end")),
        *directory.told("Organization", body.get("department")), ward or None, rest.partition("/")[2] or None,
        *directory.told("Practitioner", body.get("attender")), *directory.told("Practitioner", body.get("admitter")),
        *(_coded(body.get(name))[0] for name in ("admit_source", "discharge_disposition", "payer_class")),
    )  # fmt: skip


def _appointment(known: Known, told: Told, directory: Directory) -> Row:
    body = known.body
    return (
        _number(known.key), _number(body["subject"]), _number(body.get("encounter")), _BOOKING[body["status"]],
        _time(body["start"]), _time(body["end"]), body["minutes_duration"], *_coded(body.get("appointment_type")),
        *_coded(body.get("reason")), *_coded(body.get("cancelation_reason")),
        *directory.told("Organization", body["department"]), *directory.told("Practitioner", body["practitioner"]),
    )  # fmt: skip


def _condition(known: Known, told: Told, directory: Directory) -> Row:
    body = known.body
    return (
        _number(body["subject"]), _number(body["encounter"]), *_coded(body["code"]), body["category"]["code"],
        body["rank"], _time(body["recorded_date"]), *directory.told("Practitioner", body["asserter"]),
    )  # fmt: skip


def _allergy(known: Known, told: Told, directory: Directory) -> Row:
    body = known.body
    return (
        _number(body["patient"]), *_coded(body["code"]), *_coded(body["category"]), *_coded(body["criticality"]),
        "、".join(body["reaction"]),
    )  # fmt: skip


def _observation(known: Known, told: Told, directory: Directory) -> Row:
    body = known.body
    report = told["DiagnosticReport", body["report"]].body
    quantity = body.get("value_quantity", {})
    value = quantity.get("value") or _coded(body.get("value_concept"))[1] or body.get("value_string")
    return (
        _number(body["subject"]), _number(body["encounter"]), body["report"].split("|")[1], *_coded(report["code"]),
        report["category"]["code"], _RESULT[report["status"]], *directory.told("Practitioner", report["orderer"]),
        *_coded(body["code"]), value, quantity.get("unit"), body.get("reference_range"), body["interpretation"][0],
        _RESULT[body["status"]], _time(body["effective"]), _time(body["issued"]),
    )  # fmt: skip


def _coverage(known: Known, told: Told, directory: Directory) -> Row:
    body = known.body
    return (
        _number(body["beneficiary"]), *_coded(body["plan"]), body["payor"], body["subscriber_id"],
        *_coded(body["relationship"]),
    )  # fmt: skip


def _charge(known: Known, told: Told, directory: Directory) -> Row:
    body = known.body
    yuan, fen = divmod(body["price"]["amount"], 100)
    return (
        known.key.split("|")[1], _number(body["subject"]), _number(body["encounter"]), *_coded(body["code"]),
        int(body["quantity"]["value"]), f"{yuan}.{fen:02d}", _time(body["occurrence"]),
        *directory.told("Organization", body["department"]),
    )  # fmt: skip


def _entry(known: Known, told: Told, directory: Directory) -> Row:
    return directory.told(known.kind, known.key)


_MAKERS: dict[str, Callable[[Known, Told, Directory], Row]] = {
    "Patient": _patient,
    "RelatedPerson": _related_person,
    "Encounter": _encounter,
    "Appointment": _appointment,
    "Condition": _condition,
    "AllergyIntolerance": _allergy,
    "Observation": _observation,
    "Coverage": _coverage,
    "ChargeItem": _charge,
    "Organization": _entry,
    "Practitioner": _entry,
}
