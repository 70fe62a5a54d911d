"""ORU, SIU and DFT: results, bookings and bills."""

import pytest
from support.hl7v2 import PATIENT, PID, STAY, adapter, kinds, one, problems, pv1, said, segment, translate

OBR = "OBR|1|P1|F1^LAB|CBC^血常规^L|||20260310080000|||||||||D05^孙^五||||||20260310100000||HM|F"
REPORT = "LAB|F1|CBC"
SCH = segment("SCH", {1: "P1", 2: "F1^RIS", 6: "C01^临时取消", 7: "R01^随访", 8: "CHK^复查", 9: "30", 10: "min",
                      11: "^^30^20260320090000", 25: "BOOKED"})  # fmt: skip


# --- results ----------------------------------------------------------------------------------------------------------


def test_a_report_and_its_results_are_said() -> None:
    translation = translate(
        "ORU^R01", PID, pv1(), OBR, "OBX|1|NM|WBC^白细胞^L||11.20|10*9/L|3.5-9.5|H~A|||F|||20260310081500", evn=None
    )
    assert said(translation, "DiagnosticReport") == {
        REPORT: {
            "subject": PATIENT,
            "encounter": STAY,
            "code": {"coding": [{"code": "CBC", "display": "血常规", "system": "L"}]},
            "effective": "2026-03-10T08:00:00+08:00",
            "issued": "2026-03-10T10:00:00+08:00",
            "orderer": "RMYY|D05",
            "category": {"code": "HM"},
            "status": "final",
        }
    }
    assert said(translation, "Observation") == {
        f"{REPORT}|WBC": {
            "subject": PATIENT,
            "encounter": STAY,
            "report": REPORT,
            "code": {"coding": [{"code": "WBC", "display": "白细胞", "system": "L"}]},
            "value_quantity": {"value": "11.20", "unit": "10*9/L"},
            "value_concept": None,
            "value_string": None,
            "value_date_time": None,
            "reference_range": "3.5-9.5",
            "interpretation": ["H", "A"],
            "status": "final",
            "effective": "2026-03-10T08:15:00+08:00",
            "issued": "2026-03-10T10:00:00+08:00",
        }
    }
    assert translation.complete == ()


@pytest.mark.parametrize(
    ("kind", "value", "field", "expected"),
    [
        ("NM", "5.4", "value_quantity", {"value": "5.4", "unit": "mmol/L"}),
        ("NM", "-.5", "value_quantity", {"value": "-0.5", "unit": "mmol/L"}),
        ("NM", "1e3", "value_quantity", {"value": "1e3", "unit": "mmol/L"}),
        ("SN", ">^100", "value_quantity", {"value": "100", "unit": "mmol/L", "comparator": ">"}),
        ("SN", "≤^5", "value_quantity", {"value": "5", "unit": "mmol/L", "comparator": "<="}),
        ("SN", "^1^:^128", "value_string", "1 : 128"),
        ("VR", "5^10", "value_string", "5-10"),
        ("NM", "阳性", "value_string", "阳性"),
        ("NM", "<5", "value_string", "<5"),
        ("CE", "POS^阳性^L", "value_concept", {"coding": [{"code": "POS", "display": "阳性", "system": "L"}]}),
        ("CWE", "^^^^^^^^未见异常", "value_concept", {"text": "未见异常"}),
        ("ST", "未见异常", "value_string", "未见异常"),
        ("TX", "第一行~第二行", "value_string", "第一行\n第二行"),
        ("FT", "左肺\\.br\\结节", "value_string", None),
        ("TS", "20260310", "value_date_time", "2026-03-10"),
        ("DT", "昨天", "value_string", "昨天"),
        ("", "5.4", "value_string", "5.4"),
    ],
)
def test_a_value_is_read_by_its_type_and_kept_as_text_where_it_does_not_fit(
    kind: str, value: str, field: str, expected: object
) -> None:
    result = one(translate("ORU^R01", PID, OBR, f"OBX|1|{kind}|X||{value}|mmol/L|||||F", evn=None), "Observation")
    assert result[field] == expected or expected is None
    others = {"value_quantity", "value_concept", "value_string", "value_date_time"} - {field}
    assert all(result[name] is None for name in others)


@pytest.mark.parametrize("kind", ["ED", "RP"])
def test_documents_inside_results_are_left_out(kind: str) -> None:
    result = one(
        translate("ORU^R01", PID, OBR, f"OBX|1|{kind}|PDF||^AP^PDF^Base64^JVBERi0=|||||F", evn=None), "Observation"
    )
    assert not [name for name in result if name.startswith("value")]


LINE = "OBX|{}|TX|GDT^所见||{}||||||{}"


@pytest.mark.parametrize("status", ["P", "F"])
def test_the_lines_of_a_text_keep_their_keys_from_one_report_to_the_next(status: str) -> None:
    lines = (LINE.format(1, f"one {status}", status), LINE.format(2, f"two {status}", status))
    found = said(translate("ORU^R01", PID, OBR, *lines, evn=None), "Observation")
    assert {key: fields["value_string"] for key, fields in found.items()} == {
        f"{REPORT}|GDT": f"one {status}",
        f"{REPORT}|GDT|2": f"two {status}",
    }
    first = said(translate("ORU^R01", PID, OBR, lines[0], evn=None), "Observation")
    assert list(first) == [f"{REPORT}|GDT"]


def test_one_result_keeps_its_key_when_it_is_corrected() -> None:
    before = translate("ORU^R01", PID, OBR, "OBX|1|NM|GLU||5.4|||||P", evn=None)
    after = translate("ORU^R01", PID, OBR, "OBX|1|NM|GLU||5.5||||||C", evn=None)
    assert list(said(before, "Observation")) == list(said(after, "Observation")) == [f"{REPORT}|GLU"]
    assert one(after, "Observation")["status"] == "corrected"


def test_sub_results_are_told_apart_by_their_sub_id() -> None:
    results = said(translate("ORU^R01", PID, OBR, "OBX|1|ST|X|1|a", "OBX|2|ST|X|2|b", evn=None), "Observation")
    assert set(results) == {f"{REPORT}|X|1", f"{REPORT}|X|2"}


def test_results_belong_to_the_report_above_them() -> None:
    second = OBR.replace("F1^LAB|CBC", "F2^LAB|BMP")
    results = said(translate("ORU^R01", PID, OBR, "OBX|1|NM|A||1", second, "OBX|1|NM|B||2", evn=None), "Observation")
    assert {key: fields["report"] for key, fields in results.items()} == {
        "LAB|F1|CBC|A": "LAB|F1|CBC",
        "LAB|F2|BMP|B": "LAB|F2|BMP",
    }


def test_a_result_without_a_visit_number_makes_no_stay_of_its_day() -> None:
    assert "Encounter" not in kinds(translate("ORU^R01", PID, pv1(f19=""), OBR, "OBX|1|NM|A||1", evn=None))


def test_results_about_nobody_are_translated_without_records() -> None:
    translation = translate("ORU^R01", OBR, "OBX|1|NM|A||1", evn=None)
    assert translation.quarantine is None and translation.records == ()


# --- bookings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "status", "rank"),
    [
        ("S12", "booked", 0), ("S13", "booked", 0), ("S14", "booked", 0), ("S15", "cancelled", 1),
        ("S16", "cancelled", 1), ("S17", "entered-in-error", 1), ("S26", "noshow", 0),
    ],
)  # fmt: skip
def test_a_booking_is_said_with_the_status_of_its_event(event: str, status: str, rank: int) -> None:
    translation = translate(
        f"SIU^{event}", SCH, PID, "AIS|1|A|US^超声|20260320090000", "AIP|1|A|D07^吴^七", "AIL|1|A|超声科^1", evn=None
    )
    booking = one(translation, "Appointment")
    cancel = {"cancelation_reason": {"coding": [{"code": "C01", "display": "临时取消"}]}}
    assert booking == {
        "subject": PATIENT,
        "status": status,
        "reason": {"coding": [{"code": "R01", "display": "随访"}]},
        "appointment_type": {"coding": [{"code": "CHK", "display": "复查"}]},
        "service_type": {"coding": [{"code": "US", "display": "超声"}]},
        "start": "2026-03-20T09:00:00+08:00",
        "end": "2026-03-20T09:30:00+08:00",
        "minutes_duration": 30,
        "practitioner": "RMYY|D07",
        "department": "RMYY|超声科",
    } | (cancel if event in ("S15", "S16", "S17") else {})
    assert translation.statement is not None and translation.statement.rank == rank


def test_a_booking_is_known_by_its_filler_number_else_by_its_placer_number() -> None:
    assert list(said(translate("SIU^S12", SCH, PID, evn=None), "Appointment")) == ["RIS|F1"]
    placed = SCH.replace("F1^RIS", "")
    assert list(said(translate("SIU^S12", placed, PID, evn=None), "Appointment")) == ["his/HIS/RMYY|P1"]


def test_the_end_is_the_start_and_the_duration() -> None:
    for duration, unit, end in (
        ("45", "min", "09:45:00"), ("45", "", "09:45:00"), ("2", "H", "11:00:00"), ("90", "S", None),
        ("120", "S", "09:02:00"),
    ):  # fmt: skip
        sch = f"SCH||F1^RIS|||||||{duration}|{unit}|^^^20260320090000"
        translation = translate("SIU^S12", sch, PID, evn=None)
        found = one(translation, "Appointment").get("end")
        assert found == (f"2026-03-20T{end}+08:00" if end else None)
        assert ("bad-duration" in problems(translation)) == (end is None)


def test_an_end_that_is_sent_is_kept() -> None:
    sch = "SCH||F1^RIS|||||||30|min|^^30^20260320090000^20260320094500"
    assert one(translate("SIU^S12", sch, PID, evn=None), "Appointment")["end"] == "2026-03-20T09:45:00+08:00"


def test_an_end_beyond_the_calendar_is_not_said() -> None:
    sch = "SCH||F1^RIS|||||||999999999999999|min|^^^20260320090000"
    assert "end" not in one(translate("SIU^S12", sch, PID, evn=None), "Appointment")


# --- bills ------------------------------------------------------------------------------------------------------------

FT1 = "FT1|1|{id}|B|20260310||{type}|{code}|||{quantity}|{price}"


def charge(price: str, *, kind: str = "CG", quantity: str = "1", currency: str = "CNY"):
    line = FT1.format(id="T1", type=kind, code="X^床位费", quantity=quantity, price=price)
    return translate("DFT^P03", PID, pv1(), line, by=adapter(currency=currency))


def test_a_line_of_a_bill_is_said() -> None:
    line = FT1.format(id="T1", type="CG", code="X^床位费^L", quantity="2^天", price="120.5&CNY") + "||心内科^心内科"
    assert said(translate("DFT^P03", PID, pv1(), line), "ChargeItem") == {
        "RMYY|T1|CG|X|20260310": {
            "subject": PATIENT,
            "encounter": STAY,
            "status": "billable",
            "type": "CG",
            "code": {"coding": [{"code": "X", "display": "床位费", "system": "L"}]},
            "quantity": {"value": "2", "unit": "天"},
            "price": {"amount": 12050, "currency": "CNY"},
            "occurrence": "2026-03-10",
            "department": "RMYY|心内科",
        }
    }


@pytest.mark.parametrize(
    ("price", "amount", "currency"),
    [
        ("1200.50", 120_050, "CNY"), ("0.1", 10, "CNY"), ("1200.500", 120_050, "CNY"), ("-3", -300, "CNY"),
        ("+3.00", 300, "CNY"), (".05", 5, "CNY"), ("1500&JPY", 1_500, "JPY"), ("1500.00&JPY", 1_500, "JPY"),
        ("1.234&KWD", 1_234, "KWD"), ("9.99&usd", 999, "USD"), ("0.30", 30, "CNY"),
        ("90071992547409.93", 9_007_199_254_740_993, "CNY"), ("7&¥", 700, "CNY"), ("12.00&CNY^UP", 1_200, "CNY"),
    ],
)  # fmt: skip
def test_money_is_exact_in_minor_units(price: str, amount: int, currency: str) -> None:
    assert one(charge(price), "ChargeItem")["price"] == {"amount": amount, "currency": currency}


@pytest.mark.parametrize("price", ["0.001", "1,200.50", "1e3", "免费", "1.5&JPY", "9" * 30, "9" * 5000, "１２"])
def test_an_amount_that_is_not_exact_is_left_out_and_reported(price: str) -> None:
    translation = charge(price)
    assert "price" not in one(translation, "ChargeItem")
    assert "bad-amount" in problems(translation)


def test_the_currency_of_the_source_holds_where_none_is_sent() -> None:
    assert one(charge("1500", currency="JPY"), "ChargeItem")["price"] == {"amount": 1_500, "currency": "JPY"}


@pytest.mark.parametrize(
    ("whole", "each", "quantity", "amount"),
    [
        ("", "100.00", "3", 30_000), ("300.00", "100.00", "3", 30_000), ("", "100", "", 10_000),
        ("", "1.2345", "100", 12_345), ("", "0.5", "1.5", 75), ("", "10", "-2", -2_000), ("", '""', "3", None),
    ],
)  # fmt: skip
def test_a_line_costs_its_amount_else_its_unit_price_so_many_times(
    whole: str, each: str, quantity: str, amount: int | None
) -> None:
    line = FT1.format(id="T1", type="CG", code="X", quantity=quantity, price=whole) + f"|{each}"
    fields = one(translate("DFT^P03", PID, line, evn=None), "ChargeItem")
    assert fields["price"] == (amount and {"amount": amount, "currency": "CNY"})


@pytest.mark.parametrize(("each", "quantity"), [("0.33", "0.1"), ("10", "many"), ("10", "1e9")])
def test_a_line_whose_amount_is_not_exact_is_told(each: str, quantity: str) -> None:
    line = FT1.format(id="T1", type="CG", code="X", quantity=quantity, price="") + f"|{each}"
    translation = translate("DFT^P03", PID, line, evn=None)
    if quantity == "1e9":
        assert one(translation, "ChargeItem")["price"]["amount"] == 10**12
        return
    assert "price" not in one(translation, "ChargeItem")
    assert "bad-amount" in problems(translation)


@pytest.mark.parametrize("price", ["30.00", "-30.00"])
def test_a_credit_is_negative_however_it_is_written(price: str) -> None:
    assert one(charge(price, kind="CD"), "ChargeItem")["price"]["amount"] == -3_000


def test_two_equal_lines_of_one_bill_are_two_charges_when_they_differ_at_all() -> None:
    lines = [FT1.format(id="T1", type="CG", code="X", quantity="1", price=price) for price in ("1", "2", "2")]
    charges = said(translate("DFT^P03", PID, pv1(), *lines), "ChargeItem")
    assert sorted(item["price"]["amount"] for item in charges.values()) == [100, 200]


def test_a_charge_and_its_credit_are_two_lines_of_one_transaction() -> None:
    """Restated together or sent apart, each keeps its own record and the sum is right."""
    made = {}
    for kind in ("CG", "CD"):
        made |= said(charge("100", kind=kind), "ChargeItem")
    assert sorted(body["price"]["amount"] for body in made.values()) == [-10_000, 10_000]


# --- results outside reports ------------------------------------------------------------------------------------------


def test_what_is_measured_at_an_admission_is_a_result_of_the_stay() -> None:
    weighed = "OBX|1|NM|3141-9^体重^LN||61.5|kg|||||F|||20260310"
    result = said(translate("ADT^A01", PID, pv1(), weighed), "Observation")
    assert list(result) == [f"{STAY}|3141-9"]
    assert result[f"{STAY}|3141-9"] == {
        "subject": PATIENT,
        "encounter": STAY,
        "status": "final",
        "code": {"coding": [{"code": "3141-9", "system": "LN", "display": "体重"}]},
        "value_quantity": {"value": "61.5", "unit": "kg"},
        "value_concept": None,
        "value_string": None,
        "value_date_time": None,
        "effective": "2026-03-10",
    }


def test_what_is_asked_with_an_order_belongs_to_it_and_is_no_report() -> None:
    order = ["ORC|NW|A1^HIS", "OBR|1|A1^HIS||58410-2^血常规^LN", "OBX|1|ST|49541-6^空腹^LN||是||||||O"]
    again = [line.replace("A1", "A2") for line in order]
    translation = translate("OML^O21", PID, *order, *again, evn=None)
    assert list(said(translation, "Observation")) == ["HIS|A1|49541-6", "HIS|A2|49541-6"]
    assert said(translation, "DiagnosticReport") == {}


@pytest.mark.parametrize(
    ("event", "segments", "where"),
    [
        ("SIU^S12", ("SCH||||||^复诊|||30|min|^^^20260610090000^20260610093000", PID), "SCH"),
        ("RDE^O11", (PID, "ORC|NW", "RXE||QMS^青霉素|1||片"), "RXE"),
        ("ORU^R01", (PID, "OBR|1|F1||GLU^葡萄糖", "OBX|1|NM|||5.4"), "OBX"),
    ],
)
def test_what_nothing_tells_from_others_is_left_out_and_told(event: str, segments: tuple[str, ...], where: str) -> None:
    translation = translate(event, *segments)
    [problem] = [problem for problem in translation.problems if problem.code == "no-key"]
    assert problem.where == where and "so it was left out" in problem.text
