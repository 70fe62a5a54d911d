"""HL7 v2 segments. Values hold no delimiters (a test keeps the data files so), hence nothing is escaped."""

from functools import lru_cache

from hcrm_adapter_simulator.catalogue import Code
from hcrm_adapter_simulator.events import Booking, Charge, Finding, Report, Result, Visit
from hcrm_adapter_simulator.hospital import Department, Doctor
from hcrm_adapter_simulator.instants import hl7
from hcrm_adapter_simulator.keys import FACILITY, document
from hcrm_adapter_simulator.people import SELF, Demographics, Home, Person


@lru_cache(maxsize=4096)
def ce(code: Code) -> str:
    """CE: a code, its name and its system."""
    return f"{code.code}^{code.name}^{code.system}"


@lru_cache(maxsize=1024)
def xcn(doctor: Doctor) -> str:
    """XCN: a doctor by number and name."""
    return f"{doctor.number}^{doctor.family}^{doctor.given}^^^^^^{FACILITY}"


@lru_cache(maxsize=64)
def _place(department: Department) -> str:
    return f"^{FACILITY}^^^^^{department.name}"


def pl(department: Department, room: str, bed: str) -> str:
    """PL: department, room, bed; the department's name in PL.9."""
    return f"{department.code}^{room}^{bed}{_place(department)}"


def phone(number: str, use: str, equipment: str) -> str:
    """XTN."""
    return f"{number}^{use}^{equipment}" if number else ""


def xad(home: Home) -> str:
    """XAD: a home address."""
    return f"{home.street}^^{home.city}^{home.province}^{home.postal_code}^CHN^H^^{home.district}"


def pid(mrn: str, who: Demographics) -> str:
    """PID."""
    identity = f"~{who.identity}^^^PRC^{document(who.identity)}" if who.identity else ""
    died = f"|||||||{hl7(who.died)}|Y" if who.died >= 0 else ""
    return (
        f"PID|1||{mrn}^^^{FACILITY}^MR{identity}||{who.family}^{who.given}^^^^^L||{who.birth:%Y%m%d}|{who.sex}|||"
        f"{xad(who.home)}||{phone(who.phone, 'PRN', 'CP')}|{phone(who.work_phone, 'WPN', 'PH')}||{ce(who.marital)}||"
        f"||||{ce(who.ethnicity)}{died}"
    )


def person_segments(person: Person) -> tuple[str, str]:
    """What an admission desk sends beside PID: NK1 before PV1, and AL1 and IN1 after it, with a CR each."""
    before = "".join(
        f"NK1|{n}|{c.family}^{c.given}^^^^^L|{ce(c.relationship)}||{phone(c.phone, 'PRN', 'CP')}\r"
        for n, c in enumerate(person.contacts, 1)
    )
    return before, "".join(
        f"AL1|{n}|{ce(a.allergen.kind)}|{ce(a.allergen.code)}|{ce(a.severity)}|{a.allergen.reaction}\r"
        for n, a in enumerate(person.allergies, 1)
    )


def in1(person: Person) -> str:
    """IN1 with its CR; none where the patient pays."""
    payer = person.payer
    if not payer.insurer:
        return ""
    plan = payer.plan
    return f"IN1|1|{ce(plan)}|{plan.code}^^^{FACILITY}|{payer.insurer}{'|' * 13}{ce(SELF)}{'|' * 19}{person.policy}\r"


def pv1(trigger: str, visit: Visit) -> str:
    """PV1 of an ADT message. A cancelled discharge says its end and disposition empty."""
    empty = '""' if trigger == "ADT^A13" else ""
    begun = hl7(visit.begun) if visit.begun >= 0 else ""
    ended = hl7(visit.ended) if visit.ended >= 0 else empty
    admitter = xcn(visit.doctor) if visit.source else ""
    return (
        f"PV1|1|{visit.class_}|{pl(visit.department, visit.room, visit.bed)}||||{xcn(visit.doctor)}|||"
        f"{visit.department.code}||||{visit.source}|||{admitter}||{visit.number}^^^{FACILITY}^VN|{visit.payer}"
        f"{'|' * 16}{visit.disposition or empty}{'|' * 8}{begun}|{ended}"
    )


def pv1_reference(visit: Visit) -> str:
    """PV1 of other systems: they know the class and the number."""
    return f"PV1|1|{visit.class_}{'|' * 17}{visit.number}^^^{FACILITY}^VN"


def dg1(number: int, finding: Finding) -> str:
    """DG1."""
    return (
        f"DG1|{number}||{ce(finding.code)}||{hl7(finding.stated)}|{finding.stage}|||||||||{finding.rank}|"
        f"{xcn(finding.doctor)}"
    )


def sch(booking: Booking) -> str:
    """SCH."""
    end = booking.start + booking.minutes * 60
    why = ce(booking.cancelled_for) if booking.cancelled_for else ""
    return (
        f"SCH|{booking.number}^{FACILITY}|{booking.number}^{FACILITY}||||{why}|{ce(booking.reason)}|{ce(booking.service)}|"
        f"{booking.minutes}|min|^^^{hl7(booking.start)}^{hl7(end)}{'|' * 14}{booking.status}^^HL70278"
    )


def resources(booking: Booking) -> str:
    """RGS, AIL and AIP: where and with whom."""
    doctor = booking.doctor
    start = hl7(booking.start)
    length = f"{booking.minutes}|min"
    return (
        f"RGS|1\rAIL|1||{pl(doctor.department, doctor.room, '')}|||{start}|||{length}\r"
        f"AIP|1||{xcn(doctor)}|||{start}|||{length}"
    )


def obr(report: Report) -> str:
    """OBR."""
    number = f"{report.number}^{FACILITY}"
    return (
        f"OBR|1|{number}|{number}|{ce(report.panel.code)}|||{hl7(report.collected)}{'|' * 9}{xcn(report.doctor)}"
        f"{'|' * 6}{hl7(report.issued)}||{report.panel.section}|{report.status}"
    )


def obx(number: int, result: Result, collected: str) -> str:
    """OBX: a number, a code, or a text."""
    analyte = result.analyte
    if result.code is not None:
        kind, value, reference = "CE", ce(result.code), ""
    elif analyte.high:
        kind, value, reference = "NM", result.value, f"{analyte.low}-{analyte.high}"
    else:
        kind, value, reference = "ST", result.value, ""
    return (
        f"OBX|{number}|{kind}|{ce(analyte.code)}||{value}|{analyte.unit}|{reference}|{result.flag}|||{result.status}|||"
        f"{collected}"
    )


def ft1(number: int, charge: Charge, occurred: str) -> str:
    """FT1. The amount is whole fen written in yuan."""
    yuan, fen = divmod(charge.amount, 100)
    department = charge.department
    return (
        f"FT1|{number}|{charge.number}||{occurred}||CG|{ce(charge.code)}|||{charge.quantity}|{yuan}.{fen:02d}&CNY||"
        f"{department.code}^{department.name}"
    )
