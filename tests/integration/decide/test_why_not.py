"""Why a strategy has decided nothing about a customer."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from hcrm_core.decide.narrate_why_not import render_why_not
from hcrm_core.decide.run import decide
from hcrm_core.decide.why_not import WhyNot, why_not
from hcrm_core.errors import NotFoundError
from hcrm_core.model.reviews import Review
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.queries import customers
from hcrm_core.testing.strategies.wards import Ward, Wards
from hcrm_core.testing.world import ZONE
from hcrm_core.testing.world import hospital as world
from hcrm_plugin_compliance import review_decisions
from hcrm_plugin_followup import register_strategies as followup
from hcrm_plugin_loyalty import register_strategies as loyalty
from hcrm_plugin_segmentation import register_strategies as segmentation

Hospital = Any

EVERYBODY = "SELECT customer_id AS subject, 'all' AS segment, ['customer/' || customer_id || '#sex'] AS evidence"


def noon(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()) * 10**6


def ask(hospital: Hospital, strategy: str, customer: str, day: str = "2026-03-11", **options: Any) -> WhyNot:
    (found,) = [one for one in hospital.strategies if one.name == strategy]
    return why_not(hospital.store, hospital.mart, found, customer, now_us=noon(day), timezone=ZONE, **options)


def text(found: WhyNot) -> str:
    return render_why_not(found, ZONE)


@pytest.fixture
def clinic(hospital: Hospital) -> Hospital:
    """Beside the one who was discharged, p2, who came otherwise, and p3, who never came."""
    hospital.tell("Patient", "p2", gender="male")
    hospital.tell("Patient", "p3", gender="male")
    for number, (kind, status) in enumerate((("AMB", "finished"), ("AMB", "planned"), ("急诊", "finished"))):
        hospital.stay(f"v{number}", "p2", "2026-03-02", "2026-03-05", **{"class": kind, "status": status})
    return hospital


def segment(name: str, sql: str, **more: Any) -> Strategy:
    return Strategy(name=name, version="1", kind="segment", scope="subject", tables=("customer",), sql=sql, **more)


def test_the_step_and_the_values_that_failed(clinic: Hospital) -> None:
    clinic.decide("2026-03-11")
    found = ask(clinic, "followup.discharge", "p2")
    assert (found.verdict, found.run, found.as_of, found.known) == ("no_row", 3, noon("2026-03-11"), True)
    (cause,) = found.causes
    assert (cause.step, cause.at, cause.of, cause.rows) == ("anchor", "where", "encounter", 3)
    assert text(found).splitlines()[1:] == [
        "anchor has none: of 3 rows of encounter",
        "  none fulfils class = 'IMP': class = AMB in 2 rows; class = 急诊 in 1 row",
        "  2 fulfil status = 'finished': status = planned in 1 row",
    ]
    assert msgspec.json.decode(msgspec.json.encode(found))["causes"][0]["checks"][3] == {
        "predicate": "class = 'IMP'", "fulfilled": 0, "parameters": {},
        "failed": [{"values": {"class": "AMB"}, "rows": 2}, {"values": {"class": "急诊"}, "rows": 1}],
    }  # fmt: skip
    assert [(look.step, look.rows) for look in found.steps][:3] == [("plan", None), ("anchor", 0), ("step", 0)]


def test_it_looks_at_the_instant_of_the_last_run(clinic: Hospital) -> None:
    clinic.decide("2026-03-11")
    clinic.stay("e3", "p3", "2026-03-11", "2026-03-12")
    found = ask(clinic, "followup.discharge", "p3", "2026-03-13")
    assert (found.causes[0].at, found.causes[0].of) == ("table", "encounter")
    assert "the table encounter has no row about this customer" in text(found)
    clinic.tell("Patient", "p4", "2026-03-12", gender="male")
    assert "Nothing was known of this customer at that instant" in text(ask(clinic, "rfm", "p4", "2026-03-13"))


def test_a_strategy_that_never_ran_is_asked_now(clinic: Hospital) -> None:
    found = ask(clinic, "followup.discharge", "p1")
    assert (found.verdict, found.run) == ("not_applied", None) and len(found.rows) == 3
    assert text(found).endswith("Next: hcrm decide followup.discharge") and "it never ran" in text(found)
    assert ask(clinic, "followup.discharge", "p2").verdict == "no_row"


def test_what_was_decided_is_said_with_its_reason(clinic: Hospital) -> None:
    clinic.decide("2026-03-11")
    found = ask(clinic, "followup.discharge", "p1")
    assert found.verdict == "decided" and [one["state"] for one in found.decisions] == ["open"] * 3
    (row,) = ask(clinic, "rfm", "p1").decisions
    assert row["segment"] and "evidence" not in row
    assert "hcrm explain segment p1 --strategy rfm" in text(ask(clinic, "rfm", "p1"))
    clinic.stay("e2", "p1", "2026-03-11", None)
    clinic.decide("2026-03-12")
    found = ask(clinic, "followup.discharge", "p1")
    assert "state = suppressed, reason = readmitted" in text(found)


def test_what_was_withdrawn_is_said_and_why_there_is_none_now(clinic: Hospital) -> None:
    clinic.decide("2026-03-11")
    clinic.tell("Encounter", "e1", "2026-03-12", status="cancelled")
    clinic.decide("2026-03-12")
    found = ask(clinic, "followup.discharge", "p1", "2026-03-12")
    assert {one["reason"] for one in found.decisions} == {"basis_withdrawn"}
    assert found.verdict == "no_row" and "status = cancelled in 1 row" in text(found)


def test_nobody(clinic: Hospital) -> None:
    with pytest.raises(NotFoundError, match="hcrm customers list"):
        ask(clinic, "rfm", "nobody")


def test_a_strategy_that_has_changed_since(clinic: Hospital) -> None:
    clinic.decide("2026-03-11")
    (before,) = [one for one in clinic.strategies if one.name == "pareto"]
    clinic.strategies = [msgspec.structs.replace(before, parameters=dict(before.parameters) | {"window_months": 1})]
    found = ask(clinic, "pareto", "p1")
    assert found.changed and "have changed since that run" in text(found)


def test_a_function_that_leaves_somebody_out(clinic: Hospital) -> None:
    clinic.strategies = [segment("picky", f"{EVERYBODY} FROM customer", function="picky:choose")]

    def compute(strategy: Strategy, rows: pa.Table, parameters: Any) -> pa.Table:
        return rows.filter(pc.not_equal(rows["subject"], "p2"))

    clinic.decide("2026-03-11", compute=compute)
    found = ask(clinic, "picky", "p2", compute=compute)
    assert (found.verdict, found.rows) == ("left_out_by_function", ({"subject": "p2", "segment": "all"},))
    assert "its function makes nothing of them:\n  subject = p2, segment = all" in text(found)


def test_a_review_that_refuses(clinic: Hospital) -> None:
    clinic.strategies = [segment("all", f"{EVERYBODY} FROM customer")]
    no_men = Review(
        name="no-men", version="1", kind="segment", tables=("customer",), title={},
        sql="SELECT decided.subject, decided.segment, 'refuse' AS verdict, '男' AS reason FROM decided "
        "JOIN customer ON customer.customer_id = decided.subject WHERE customer.sex = 'male'",
    )  # fmt: skip
    clinic.decide("2026-03-11", reviews=[no_men])
    found = ask(clinic, "all", "p2", reviews=[no_men])
    assert (found.verdict, found.reasons) == ("refused", ("no-men: 男",))
    assert text(found).endswith("which a review refuses:\n  no-men: 男")


# --- every shipped strategy and every customer of an invented hospital ------------------------------------------------


class Defaults:
    """A workspace without settings."""

    def settings(self, table: str) -> dict[str, object]:
        return {}

    def read_text(self, path: str) -> str:
        raise AssertionError(path)


SHIPPED: list[Strategy] = [
    *segmentation(Defaults()),  # type: ignore[arg-type]
    *followup(Defaults()),  # type: ignore[arg-type]
    *loyalty(Defaults()),  # type: ignore[arg-type]
]
REVIEWS: list[Review] = list(review_decisions(Defaults()))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    wards = Wards(world(patients=24), ZONE)
    made = wards.whole.copy(tmp_path_factory.mktemp("why-not") / "ward")
    with made.store() as store:
        outcomes = decide(store, made.mart, SHIPPED, now_us=made.now, timezone=ZONE, reviews=REVIEWS)
        assert not any(outcome.error for outcome in outcomes)
    yield made


@pytest.mark.parametrize("strategy", SHIPPED, ids=lambda strategy: strategy.name)
def test_everybody_who_is_missing_gets_a_reason(ward: Ward, strategy: Strategy) -> None:
    missing = 0
    with ward.store() as store:
        with store.read() as connection:
            everybody = customers.page(connection, 1_000, "")
        for customer in everybody:
            found = why_not(store, ward.mart, strategy, customer, now_us=ward.now, timezone=ZONE, reviews=REVIEWS)
            assert not found.changed and text(found)
            if found.verdict == "decided":
                assert found.decisions
                continue
            missing += 1
            assert found.verdict == "no_row" and found.causes
            for cause in found.causes:
                assert cause.at != "unknown"
                if cause.at in ("where", "join", "having", "qualify"):
                    failing = [check for check in cause.checks if check.fulfilled < cause.rows]
                    assert failing and all(check.failed for check in failing), cause
    assert missing or strategy.name == "rfm"  # everybody there has had a visit


def test_no_run_is_needed_to_answer() -> None:
    wards = Wards(world(patients=8), ZONE)
    with wards.whole.store() as store:
        with store.read() as connection:
            everybody = customers.page(connection, 1_000, "")
        for strategy in SHIPPED:
            now = wards.whole.now
            found = why_not(store, wards.whole.mart, strategy, everybody[0], now_us=now, timezone=ZONE)
            assert found.run is None and found.verdict in ("no_row", "not_applied")
