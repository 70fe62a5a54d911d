"""From JSON bodies to typed columns, one manifest at a time."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hcrm_core.errors import WorkspaceError
from hcrm_core.mart.columns import schema
from hcrm_core.mart.engine import Mart, open_mart
from hcrm_core.mart.made_tables import DECISIONS
from hcrm_core.mart.manifest import hold, read_manifest
from hcrm_core.mart.refresh import is_current
from hcrm_core.model.mart import MartRow, Position

Publish = Callable[..., Any]


def rows(mart: Mart, sql: str) -> list[dict[str, Any]]:
    return mart.query(sql, {}, name="test").to_pylist()


def only(mart: Path, table: str) -> dict[str, Any]:
    with open_mart(mart) as opened:
        (row,) = rows(opened, f"SELECT * FROM {table}")
    return row


def test_every_documented_column_has_its_type(mart: Path, publish: Publish) -> None:
    publish()
    with open_mart(mart) as opened:
        for table, columns in schema().items():
            found = {row[0]: row[1] for row in opened.execute(f"DESCRIBE {table}").fetchall()}
            assert found == columns, table
            assert table in DECISIONS or table == "calendar" or rows(opened, f"SELECT * FROM {table}") == []


def test_encounter(mart: Path, publish: Publish) -> None:
    body = {
        "status": "finished",
        "class": "IMP",
        "period_start": "2026-03-01T23:30:00-05:00",
        "period_end": "2026-03-09",
        "department": "d1",
        "service_type": {"code": "MED", "display": "内科"},
        "discharge_disposition": {"code": "01"},
        "uncertain": True,
        "location": "not a column",
    }
    publish(("e1", "Encounter", "c1", "p1", body))
    row = only(mart, "encounter")
    assert row["encounter_id"] == "e1" and (row["customer_id"], row["patient_id"]) == ("c1", "p1")
    assert (row["started_at"], row["started_on"]) == (datetime(2026, 3, 2, 4, 30), date(2026, 3, 1))
    assert (row["ended_at"], row["ended_on"]) == (None, date(2026, 3, 9))
    assert (row["class"], row["service_type"], row["discharge_disposition"]) == ("IMP", "MED", "01")
    assert row["uncertain"] is True and row["department_id"] == "d1" and row["payer_class"] is None
    assert (row["said_at"], row["known_at"]) == (datetime(1970, 1, 1, 0, 0, 1), datetime(1970, 1, 1, 0, 0, 2))


def test_observation_and_charge(mart: Path, publish: Publish) -> None:
    publish(
        ("o1", "Observation", "c1", "p1", {
            "code": {"coding": [{"code": "718-7", "system": "LN", "display": "血红蛋白"}], "text": "free"},
            "value_quantity": {"value": "-1.25e1", "unit": "g/L"},
            "interpretation": ["L", "A"], "effective": "2026-03"}),
        ("f1", "ChargeItem", "c1", "p1", {"price": {"amount": 9007199254740993, "currency": "CNY"}, "type": "CG",
                                           "occurrence": "2026-02-30"}),
    )  # fmt: skip
    observation = only(mart, "observation")
    assert (observation["code"], observation["display"]) == ("718-7", "血红蛋白")
    assert (observation["value"], observation["unit"]) == (Decimal("-12.5"), "g/L")
    assert observation["interpretation"] == ["L", "A"]
    assert (observation["effective_at"], observation["effective_on"]) == (None, None)
    charge = only(mart, "charge_item")
    assert charge["amount"] == 9007199254740993 and charge["occurred_on"] is None


def test_a_visit_that_goes_on_under_another_number_is_counted_once(mart: Path, publish: Publish) -> None:
    publish(("e1", "Encounter", "c1", "p1", {"replaced_by": "e2"}), ("e2", "Encounter", "c1", "p1", {}))
    assert only(mart, "encounter")["encounter_id"] == "e2"


def test_a_diagnosis_that_was_a_mistake_is_left_out(mart: Path, publish: Publish) -> None:
    publish(
        ("d1", "Condition", "c1", "p1", {"verification_status": "entered-in-error"}),
        ("d2", "Condition", "c1", "p1", {"verification_status": "refuted", "clinical_status": "inactive"}),
    )
    assert only(mart, "condition")["clinical_status"] == "inactive"


def test_what_was_entered_in_error_is_left_out(mart: Path, publish: Publish) -> None:
    made = publish(("e1", "Encounter", "c1", "p1", {"status": "entered-in-error"}), ("e2", "Encounter", "c1", "p1", {}))
    assert made.tables["encounter"].rows == 1
    assert only(mart, "encounter")["encounter_id"] == "e2"


def test_the_golden_customer_is_the_latest_word_on_each_member(mart: Path, publish: Publish) -> None:
    publish(
        ("p1", "Patient", "c1", "p1", {"gender": "male", "birth_date": "1990-02-28", "district": "西城"}),
        ("p2", "Patient", "c1", "p2", {"gender": "female", "deceased_date_time": "2026-03-01T10:00:00+08:00"}),
        ("p3", "Patient", "c1", "p3", {"birth_date": "1992-02-29", "deceased": False}),
    )
    row = only(mart, "customer")
    assert (row["customer_id"], row["sex"], row["birth_year"], row["district"]) == ("c1", "female", 1992, "西城")
    assert row["next_birthday"] == date(2027, 2, 28)
    assert (row["deceased"], row["deceased_on"], row["patients"]) == (True, date(2026, 3, 1), 3)


@pytest.mark.parametrize(
    ("born", "expected"),
    [("1990-03-10", date(2026, 3, 10)), ("1990-03-09", date(2027, 3, 9)), ("1990-03", None), ("1990", None)],
)
def test_next_birthday(mart: Path, publish: Publish, born: str, expected: date | None) -> None:
    publish(("p1", "Patient", "c1", "p1", {"birth_date": born}))
    row = only(mart, "customer")
    assert (row["birth_year"], row["next_birthday"]) == (1990, expected)


def test_calendar(mart: Path, publish: Publish) -> None:
    publish()
    with open_mart(mart) as opened:
        assert rows(opened, "SELECT min(day) AS a, max(day) AS b, count(*) AS n FROM calendar") == [
            {"a": date(2016, 3, 10), "b": date(2028, 3, 10), "n": 4384}
        ]
        sunday = rows(opened, "SELECT weekday, month FROM calendar WHERE day = CAST('2026-03-08' AS DATE)")
    assert sunday == [{"weekday": 7, "month": date(2026, 3, 1)}]


def test_a_reader_keeps_the_old_mart_until_it_is_done(mart: Path, publish: Publish) -> None:
    old = publish(("e1", "Encounter", "c1", "p1", {}))
    with open_mart(mart) as reader:
        new = publish(("e1", "Encounter", "c1", "p1", {}), ("e2", "Encounter", "c1", "p1", {}), sequence=2)
        assert len(rows(reader, "SELECT * FROM encounter")) == 1
        assert (mart / old.folders[0]).exists()
        with open_mart(mart) as other:
            assert len(rows(other, "SELECT * FROM encounter")) == 2
    publish(sequence=3)
    assert not (mart / old.folders[0]).exists() and not (mart / new.folders[0]).exists()
    assert new.generation == 2


def test_a_refresh_that_fails_leaves_the_old_mart(mart: Path, publish: Publish) -> None:
    old = publish(("e1", "Encounter", "c1", "p1", {}))
    with pytest.raises(ZeroDivisionError):
        publish_failing(mart)
    assert read_manifest(mart) == old
    assert only(mart, "encounter")["encounter_id"] == "e1"
    assert sorted(path.name for path in mart.glob("facts-*")) == old.folders


def publish_failing(mart: Path) -> None:
    from hcrm_core.mart.refresh import refresh

    def batches() -> Any:
        yield [MartRow("e9", "Encounter", "c", "p", "{}", 1, 1, 1)]
        raise ZeroDivisionError

    refresh(mart, batches(), position=Position(2), as_of_us=1, today=date(2026, 3, 10))


def test_same_facts_give_the_same_bytes(mart: Path, publish: Publish) -> None:
    facts = [(f"e{n}", "Encounter", f"c{n % 7}", f"p{n}", {"status": "finished"}) for n in range(500)]
    first = publish(*facts)
    before = {name: (mart / table.base).read_bytes() for name, table in first.tables.items()}
    second = publish(*facts)
    assert {name: (mart / table.base).read_bytes() for name, table in second.tables.items()} == before


def test_is_current(mart: Path, publish: Publish) -> None:
    assert not is_current(mart, sequence=1)
    publish()
    assert is_current(mart, sequence=1)
    assert not is_current(mart, sequence=2)


def test_there_is_no_mart_or_a_damaged_one(mart: Path, publish: Publish) -> None:
    with pytest.raises(WorkspaceError, match="no mart"), hold(mart):
        pass
    publish()
    (mart / "manifest.json").write_text("{")
    with pytest.raises(WorkspaceError, match="is damaged"), hold(mart):
        pass
