"""What was said of a stay follows it to another number, and to another patient, whatever arrives first."""

import msgspec
import pytest
from support.orders import orders
from support.streams import clear, tell

from hcrm_core.store.engine import Store

PATIENT, OTHER = "HOSP|MR|P1", "HOSP|MR|P2"


def message(kind: str, minute: int, patient: str, *segments: str) -> bytes:
    return "\r".join(
        (
            f"MSH|^~\\&|HIS|HOSP|HCRM||2026030110{minute:02d}||{kind}|M{minute}|P|2.5",
            *([f"EVN||2026030110{minute:02d}"] if kind.startswith("ADT") else []),
            f"PID|||{patient}^^^HOSP^MR||王^芳",
            *segments,
        )
    ).encode()


def visit(number: str) -> str:
    return f"PV1||I|内科^1||||||||||||||||{number}^^^HOSP^VN"


def result(minute: int, patient: str, number: str, order: str) -> bytes:
    return message(
        "ORU^R01", minute, patient, visit(number), f"OBR||{order}||K^血钾", "OBX||NM|K^血钾||7.1|mmol/L|||HH|||F"
    )


def prior(patient: str, number: str) -> str:
    return f"MRG|{patient}^^^HOSP^MR||||{number}^^^HOSP^VN"


ADMITTED = message("ADT^A01", 0, "P1", visit("V1"), "DG1|||I10^高血压")
EARLY = result(5, "P1", "V1", "O1")
LATE = result(30, "P1", "V1", "O2")
RENUMBERED = message("ADT^A50", 20, "P1", prior("P1", "V1"), visit("V2"))
MOVED = message("ADT^A45", 20, "P2", prior("P1", "V1"), visit("V1"))
MOVED_ON = message("ADT^A45", 20, "P2", prior("P1", "V1"), visit("V2"))


def found(lines: list[bytes], *kinds: str) -> list[dict]:
    return [fact for line in lines if (fact := msgspec.json.decode(line)).get("kind") in kinds and not fact["void"]]


def of_stays(lines: list[bytes]) -> list[tuple[str, str, str]]:
    """Kind, key of the patient and key of the stay of each fact that names both."""
    keys = {fact["fact"]: fact["key"] for fact in found(lines, "Patient", "Encounter")}
    facts = found(lines, "Condition", "DiagnosticReport", "Observation")
    for fact in facts:
        assert fact["fields"]["subject"] == fact["patient"]
    return sorted({(fact["kind"], keys[fact["patient"]], keys[fact["fields"]["encounter"]]) for fact in facts})


def at(patient: str, stay: str) -> list[tuple[str, str, str]]:
    return [(kind, patient, stay) for kind in ("Condition", "DiagnosticReport", "Observation")]


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (RENUMBERED, at(PATIENT, "HOSP|VN|V2")),
        (MOVED, at(OTHER, "HOSP|VN|V1")),
        (MOVED_ON, at(OTHER, "HOSP|VN|V2")),
    ],
    ids=["renumbered", "moved", "moved-and-renumbered"],
)
def test_diagnoses_and_results_follow_their_stay(store: Store, move: bytes, expected: list) -> None:
    dumps = set()
    for order in orders(store, (ADMITTED, EARLY, move, LATE)):
        clear(store)
        lines = tell(store, order, batch=1)
        assert of_stays(lines) == expected
        dumps.add(tuple(lines))
    clear(store)
    dumps.add(tuple(tell(store, (ADMITTED, EARLY, move, LATE), batch=4)))
    assert len(dumps) == 1


def test_a_chain_of_numbers_ends_at_the_last(store: Store) -> None:
    again = message("ADT^A50", 25, "P1", prior("P1", "V2"), visit("V3"))
    for order in orders(store, (ADMITTED, RENUMBERED, again, LATE)):
        clear(store)
        assert {stay for _, _, stay in of_stays(tell(store, order, batch=1))} == {"HOSP|VN|V3"}


def test_numbers_that_replace_each_other_are_one_stay(store: Store) -> None:
    back = message("ADT^A50", 25, "P1", prior("P1", "V2"), visit("V1"))
    ends = set()
    for order in orders(store, (ADMITTED, RENUMBERED, back, LATE)):
        clear(store)
        stays = {stay for _, _, stay in of_stays(tell(store, order, batch=1))}
        assert len(stays) == 1
        ends |= stays
    assert len(ends) == 1


def test_a_stay_moved_back_has_everything_back(store: Store) -> None:
    back = message("ADT^A45", 40, "P1", prior("P2", "V1"), visit("V1"))
    for order in orders(store, (ADMITTED, MOVED, LATE, back)):
        clear(store)
        assert of_stays(tell(store, order, batch=1)) == at(PATIENT, "HOSP|VN|V1")


def test_a_stay_moved_twice_takes_along_what_was_said_for_the_first_patient(store: Store) -> None:
    again = message("ADT^A45", 25, "P3", prior("P2", "V1"), visit("V1"))
    for order in orders(store, (ADMITTED, MOVED, again, LATE)):
        clear(store)
        assert of_stays(tell(store, order, batch=1)) == at("HOSP|MR|P3", "HOSP|VN|V1")


def test_a_number_taken_up_again_is_a_stay_again(store: Store) -> None:
    back = message("ADT^A50", 25, "P1", prior("P1", "V2"), visit("V1"))
    for order in orders(store, (ADMITTED, RENUMBERED, back)):
        clear(store)
        lines = tell(store, order, batch=1)
        stays = {fact["key"]: fact["fields"].get("replaced_by") for fact in found(lines, "Encounter")}
        assert stays["HOSP|VN|V1"] is None and stays["HOSP|VN|V2"]
        assert {stay for _, _, stay in of_stays(lines)} == {"HOSP|VN|V1"}


def test_a_result_said_again_without_its_stay_is_where_it_would_be_read_at_once(store: Store) -> None:
    """The report of a moved stay is corrected by a message that does not mention the stay."""
    named = message("ORU^R01", 5, "P1", visit("V1"), "OBR||O1||K^血钾", "OBX||NM|K^血钾||7.1|mmol/L|||HH|||F")
    moved_on = message("ADT^A45", 22, "P2", prior("P1", "V2"), visit("V2"))
    unnamed = message("ORU^R01", 40, "P2", "OBR||O1||K^血钾", "OBX||NM|K^血钾||6.9|mmol/L|||HH|||C")
    dumps = set()
    for order in orders(store, (named, RENUMBERED, moved_on, unnamed)):
        clear(store)
        dumps.add(tuple(tell(store, order, batch=1)))
    assert len(dumps) == 1


def test_a_slip_that_names_somebody_else_s_stay_moves_nobody_else_s_result(store: Store) -> None:
    slip = result(10, "P9", "V1", "O9")
    for order in ((ADMITTED, slip, MOVED), (MOVED, ADMITTED, slip), (slip, MOVED, ADMITTED)):
        clear(store)
        assert ("Observation", "HOSP|MR|P9", "HOSP|VN|V1") in of_stays(tell(store, order, batch=1))
