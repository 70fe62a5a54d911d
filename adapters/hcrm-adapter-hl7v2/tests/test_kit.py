"""The conformance kit on HL7 v2: the messages a Chinese hospital sends, and what it makes of them."""

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter
from hcrm_core.testing import adapter_kit
from hcrm_core.testing.adapters import SUITE, AdapterCase


def message(event: str, *segments: str, number: str = "C1", charset: str = "UNICODE UTF-8") -> str:
    """A message of 2026-03-10, with its header and EVN."""
    header = f"MSH|^~\\&|HIS|RMYY|HCRM|RMYY|20260310103000||{event}|{number}|P|2.5|||||CHN|{charset}"
    return "\r".join((header, f"EVN|{event[4:7]}|20260310103000", *segments)) + "\r"


def bytes_of(event: str, *segments: str, number: str = "C1") -> bytes:
    return message(event, *segments, number=number).encode()


def patient(phone: str = "^PRN^CP^^^^13812345678") -> str:
    """PID of the patient 1001."""
    return (
        "PID|1||1001^^^RMYY^MR~110101199003076543^^^PSN^NI||王^芳芳^^^^^L||19900307|F|||"
        f"解放路12号^^南京^江苏^210000^CHN^H||{phone}|||M"
    )


STAY = (
    "PV1|1|I|W3^301^2^RMYY||||D07^李^建国|||MED||||1|||D07^李^建国||V1^^^RMYY^VN|||||||||||||||||||||||||20260310090000"
)
DIAGNOSES = ("DG1|1||I10^高血压^ICD-10||20260310|A", "DG1|2||E11^糖尿病^ICD-10||20260310|A")
ALLERGIES = ("AL1|1|DA|PEN^青霉素^L|SV|皮疹", "AL1|2|FA|EGG^鸡蛋^L|MO|皮疹")
ORDER = "OBR|1|P1^HIS|F1^LIS|CBC^血常规^L|||20260310080000|||||||||D07^李^建国||||||20260310090000||LAB|F"
RESULTS = (
    "OBX|1|NM|WBC^白细胞^L||12.5|10*9/L|4.0-10.0|H|||F|||20260310081500",
    "OBX|2|NM|HGB^血红蛋白^L||135|g/L|115-150|N|||F|||20260310081500",
    "OBX|3|ST|CMT^备注^L||标本溶血||||||F",
)
KIN = "NK1|1|王^大明|FTH^父亲^HL70063||^PRN^CP^^^^13987654321"
INSURANCE = "IN1|1|YB01^城镇职工医保|YB|南京市医保中心"
CHARGES = (
    "FT1|1|T1||20260310093000||CG|DRUG01^阿莫西林^L|||2|25.60^CNY|12.80^CNY",
    "FT1|2|T2||20260310093500||CD|DRUG02^退药^L|||1|8.00^CNY|8.00^CNY",
)

ADMISSION = bytes_of("ADT^A01", patient(), STAY, *ALLERGIES, *DIAGNOSES, KIN, INSURANCE)
RESULT = bytes_of("ORU^R01", patient(), STAY, ORDER, *RESULTS, number="C2")
BOOKING = bytes_of(
    "SIU^S12",
    "SCH|A1^HIS|||||R^复诊^L|复诊||30|MIN|^^30^20260320090000^20260320093000",
    patient(),
    "RGS|1|A",
    "AIP|1|A|D07^李^建国",
    number="C3",
)
BOOKING_WITHOUT_END = bytes_of(
    "SIU^S12", "SCH|A2^HIS|||||R^复诊^L|复诊||30|MIN|^^^20260320090000", patient(), "RGS|1|A", "AIP|1|A|D07^李^建国"
)
BILL = bytes_of("DFT^P03", patient(), STAY, *CHARGES, number="C4")
CANCELLED = bytes_of("ADT^A13", patient(), STAY, number="C5")
MERGED = bytes_of("ADT^A40", patient(), "MRG|1002^^^RMYY^MR", number="C6")

TestHl7v2 = adapter_kit(
    Hl7v2Adapter,
    samples={
        "ward.hl7": b"".join((ADMISSION, RESULT, BILL)),
        "booking.hl7": BOOKING,
        "booking-without-end.hl7": BOOKING_WITHOUT_END,
        "cancelled.hl7": CANCELLED.replace(b"\r", b"\r\n"),
        "merged.hl7": MERGED,
        "gb18030.hl7": message("ADT^A01", patient(), STAY, *DIAGNOSES, charset="GB 18030-2000").encode("gb18030"),
    },
    settings={"timezone": "Asia/Shanghai"},
    says=[
        (
            "Patient",
            "telecom",
            bytes_of("ADT^A31", patient()),
            bytes_of("ADT^A31", patient('""')),
            bytes_of("ADT^A31", patient("")),
        ),
        (
            "Encounter",
            "period_end",
            bytes_of("ADT^A03", patient(), f"{STAY}|20260312100000"),
            bytes_of("ADT^A03", patient(), f'{STAY}|""'),
            bytes_of("ADT^A08", patient(), STAY),
        ),
    ],
    shuffled=(
        bytes_of("ORU^R01", patient(), STAY, ORDER, *RESULTS),
        bytes_of("ORU^R01", patient(), STAY, ORDER, *RESULTS[::-1]),
    ),
    complete=(
        bytes_of("ADT^A08", patient(), STAY, *ALLERGIES, *DIAGNOSES),
        bytes_of("ADT^A08", patient(), STAY, *ALLERGIES[1:], *DIAGNOSES[:1]),
    ),
    charsets={
        charset: message("ADT^A01", patient(), STAY, *DIAGNOSES, charset="").encode(charset)
        for charset in ("UTF-8", "GB18030")
    },
    frame=lambda payload: b"\x0b" + payload + b"\x1c\r",
)


def test_a_source_that_answers_by_the_application_tells_its_outcomes_apart() -> None:
    settings = {"acknowledge": "application", "charset": "GB18030"}
    case = AdapterCase(adapter=Hl7v2Adapter, samples={"admission.hl7": ADMISSION}, settings=settings)
    outcome = SUITE.outcome("A23", case)
    assert outcome.state == "passed", outcome.text
