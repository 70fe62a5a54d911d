"""From a decision to the message and field it rests on."""

from typing import Any

import pyarrow.parquet as pq
import pytest

from hcrm_core.decide.again import cited_again
from hcrm_core.decide.evidence import Landed
from hcrm_core.decide.explain import explain_segment, explain_task
from hcrm_core.decide.narrate import render_explanation
from hcrm_core.errors import NotFoundError
from hcrm_core.model.translation import Origin
from hcrm_core.store.queries.decisions import RunRow, last_runs

Hospital = Any


def message(message_id: int) -> Landed:
    return Landed("his", f"MSG{message_id:05d}", message_id * 10**6)


def origins(message_id: int) -> list[Origin]:
    return [
        Origin("Encounter", "key-of-e1", "period_end", "PV1-45"),
        Origin("Encounter", "key-of-e2", "period_end", "PV1-99"),
        Origin("Patient", "key-of-p1", "deceased", "PID-30"),
        Origin("ChargeItem", "key-of-c1", "price", "FT1-11"),
    ]


def test_a_task_leads_to_the_field_of_the_message(hospital: Hospital) -> None:
    hospital.decide("2026-03-11")
    hospital.tell("Encounter", "e1", "2026-03-12", department="d1")  # does not mention the discharge
    found = explain_task(hospital.store, hospital.tasks()["e1.day3"].task_id[:8], message=message, origins=origins)
    assert (found.strategy, found.decision["state"], found.parameters) == (
        "followup.discharge", "open", {"lookback_days": 90},
    )  # fmt: skip
    assert found.decision["detail"]["priority"] == "normal"
    assert [event["state"] for event in found.history] == ["open"]
    (evidence,) = found.evidence
    assert (evidence.cited, evidence.member, evidence.value) == (
        "encounter/e1#ended_on", "period_end", "2026-03-10T10:00:00+08:00",
    )  # fmt: skip
    source = evidence.source
    assert source is not None
    assert (source.message_id, source.control_id, source.fields) == (2, "MSG00002", ("PV1-45",))
    text = render_explanation(found, "Asia/Shanghai")
    assert "encounter/e1#ended_on: period_end = 2026-03-10T10:00:00+08:00" in text
    assert "said by his in message MSG00002 (unknown type), field PV1-45" in text
    assert "on 2026-03-10T20:00:00+08:00, received 1970-01-01T08:00:02+08:00" in text


def test_evidence_is_what_the_run_saw(hospital: Hospital) -> None:
    hospital.decide("2026-03-11")
    task_id = hospital.tasks()["e1.day3"].task_id
    hospital.tell("Encounter", "e1", "2026-03-12", period_end="2026-03-11T10:00:00+08:00")
    found = explain_task(hospital.store, task_id, message=message, origins=origins)
    (evidence,) = found.evidence
    assert evidence.value == "2026-03-10T10:00:00+08:00"
    assert evidence.outdated and evidence.now == "2026-03-11T10:00:00+08:00"
    assert "    since then: period_end = 2026-03-11T10:00:00+08:00" in render_explanation(found, "Asia/Shanghai")
    assert evidence.source is not None and evidence.source.message_id == 2
    hospital.decide("2026-03-13")
    (evidence,) = explain_task(hospital.store, task_id, message=message, origins=origins).evidence
    assert evidence.value == "2026-03-11T10:00:00+08:00" and not evidence.outdated
    assert evidence.source is not None and evidence.source.message_id == 3


def test_evidence_about_a_person_who_was_linked_later(hospital: Hospital) -> None:
    hospital.tell("Patient", "p1", "2026-03-11", deceased=True)
    hospital.decide("2026-03-11")
    task_id = hospital.tasks()["e1.day3"].task_id
    hospital.tell("Patient", "p0", "2026-03-12", gender="male", deceased=True)
    hospital.link("p1", "p0")
    found = explain_task(hospital.store, task_id, message=message, origins=origins)
    death = {item.cited: item for item in found.evidence}["customer/p1#deceased"]
    assert death.value is True and death.source is not None and death.source.message_id == 3


def test_a_suppressed_task_leads_to_the_reason(hospital: Hospital) -> None:
    hospital.tell("Patient", "p1", "2026-03-11", deceased=True)
    hospital.decide("2026-03-11")
    found = explain_task(hospital.store, hospital.tasks()["e1.day3"].task_id, message=message, origins=origins)
    by_cited = {item.cited: item for item in found.evidence}
    death = by_cited["customer/p1#deceased"]
    assert (death.member, death.value, death.source and death.source.fields) == ("deceased", True, ("PID-30",))
    assert by_cited["encounter/e1#discharge_disposition"].source is None
    assert "no live statement mentioned it" in render_explanation(found, "Asia/Shanghai")


def test_a_segment_and_a_score(hospital: Hospital) -> None:
    hospital.tell("ChargeItem", "c1", "2026-03-05", subject="p1", type="CG", occurrence="2026-03-05",
                  price={"amount": 12_345, "currency": "CNY"})  # fmt: skip
    hospital.decide("2026-03-11")
    (score,) = explain_segment(hospital.store, hospital.mart, "pareto", "p1", message=message, origins=origins)
    assert score.decision["value"] == 12_345 and score.decision["in_top"] is True
    (evidence,) = score.evidence
    assert (evidence.value, evidence.source and evidence.source.fields) == (
        {"amount": 12_345, "currency": "CNY"}, ("FT1-11",),
    )  # fmt: skip
    (segment,) = explain_segment(hospital.store, hospital.mart, "rfm", "p1", message=message, origins=origins)
    assert segment.kind == "segment" and segment.decision["monetary"] == 12_345
    assert [item.cited for item in segment.evidence] == ["encounter/e1#started_on", "charge_item/c1#amount"]
    assert "segment decided by rfm 1" in render_explanation(segment, "Asia/Shanghai")
    with pytest.raises(NotFoundError, match="decided nothing about"):
        explain_segment(hospital.store, hospital.mart, "rfm", "nobody", message=message, origins=origins)
    with pytest.raises(NotFoundError, match="hcrm decide value"):
        explain_segment(hospital.store, hospital.mart, "value", "p1", message=message, origins=origins)


def test_evidence_that_a_snapshot_lacks_is_computed_again_as_of_its_run(hospital: Hospital) -> None:
    hospital.decide("2026-03-11", "rfm")
    with hospital.store.read() as connection:
        run = last_runs(connection)["rfm"]
    file = hospital.mart / str(run.snapshot)
    pq.write_table(pq.read_table(file).drop_columns(["evidence"]), file)
    hospital.stay("e2", "p1", "2026-03-12", None)  # what it would cite now
    (rfm,) = [one for one in hospital.strategies if one.name == "rfm"]

    def recompute(run: RunRow, customer: str) -> dict[str, list[str]]:
        return cited_again(hospital.store, hospital.mart, rfm, run, customer, timezone="Asia/Shanghai")

    (found,) = explain_segment(
        hospital.store, hospital.mart, "rfm", "p1", message=message, origins=origins, recompute=recompute
    )
    assert [item.cited for item in found.evidence] == ["encounter/e1#started_on"]
