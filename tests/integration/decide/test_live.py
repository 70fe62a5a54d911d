"""Live and nightly: who changes is looked at alone, and what is decided is what a run over everybody would decide."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from hcrm_core.api import Strategy
from hcrm_core.decide.live import Live
from hcrm_core.decide.run import decide
from hcrm_core.decide.steps import Means
from hcrm_core.model.reviews import Review
from hcrm_core.testing.strategies.wards import DAY, Ward, Wards
from hcrm_core.testing.world import END, Told, hospital, microseconds
from hcrm_plugin_compliance import review_decisions
from hcrm_plugin_followup import register_strategies as followup
from hcrm_plugin_loyalty import register_strategies as loyalty
from hcrm_plugin_segmentation import register_strategies as segmentation
from hcrm_plugin_segmentation.segments import read_segments

ZONE = "Asia/Shanghai"


class Workspace:
    """A workspace without settings of its own."""

    def settings(self, table: str) -> dict[str, object]:
        return {}

    def read_text(self, path: str) -> str:
        raise AssertionError(path)


VISITS = Strategy(
    name="visits",
    version="1",
    kind="score",
    scope="subject",
    tables=("encounter", "customer"),
    sql="""
        SELECT customer.customer_id AS subject, 'visits' AS score, count(*) AS value,
          ['customer/' || customer.customer_id || '#customer_id'] AS evidence
        FROM customer JOIN encounter ON encounter.customer_id = customer.customer_id
        WHERE encounter.status IS NULL OR encounter.status <> 'cancelled'
        GROUP BY customer.customer_id""",
)
REVIEW_OF_LIFE = Strategy(
    name="checkup",
    version="1",
    kind="task",
    scope="subject",
    tables=("customer", "decision_score"),
    reads=("visits",),
    sql="""
        SELECT customer.customer_id AS subject, customer.customer_id AS anchor, 'checkup' AS step, 1 AS occurrence,
          'checkup' AS topic, customer.next_birthday AS due_on, customer.next_birthday AS window_start,
          customer.next_birthday AS window_end, 'centre' AS owner, 'call' AS channel, NULL AS form, NULL AS suppressed,
          ['customer/' || customer.customer_id || '#birth_year'] AS evidence
        FROM customer
        JOIN decision_score ON decision_score.customer_id = customer.customer_id AND decision_score.strategy = 'visits'
        WHERE decision_score.value >= 3 
          AND customer.next_birthday IS NOT NULL AND coalesce(NOT customer.deceased, true)""",
)
"""Without an anchor of its own, so that the customer stands in, and reading what another decided."""


def arrivals(told: Sequence[Told], random: Random) -> list[tuple[int, Told]]:
    """When each is heard: mostly at once, some of it days later, a little of it months later."""
    found = []
    for one in told:
        late = random.choices((0, random.randint(1, 20), random.randint(60, 300)), (88, 10, 2))[0]
        found.append((min(one.said_at + late * DAY, microseconds(END)), one))
    return sorted(found, key=lambda pair: (pair[0], pair[1].said_at))


def compare_over_two_years(folder: Path, patients: int, step_days: int, seed: int) -> tuple[int, int]:
    """Hear a hospital's two years step by step; returns how many decisions were live, and how many were compared."""
    world = hospital(seed, patients)
    wards = Wards(world, ZONE)
    ward = Ward(folder / "ward", 0)
    wards.empty.copy(ward.folder)
    strategies = [*followup(Workspace()), *loyalty(Workspace()), VISITS, REVIEW_OF_LIFE, *segmentation(Workspace())]
    for file in sorted((Path(__file__).resolve().parents[3] / "configs" / "segments").glob("*.yaml")):
        strategies += read_segments(file.read_text(encoding="utf-8"), file.name)
    names = [one.name for one in strategies if one.scope == "subject"]
    reviews: list[Review] = list(review_decisions(Workspace()))
    means = Means(reviews=reviews)
    waiting = arrivals(world.told, Random(seed))
    live_changes = compared = 0
    with ward.store() as store:
        live = Live(store, ward.mart, strategies, timezone=ZONE, means=means)
        now = waiting[0][0] - DAY
        decide(store, ward.mart, strategies, now_us=now, timezone=ZONE, reviews=reviews)
        while waiting:
            now += step_days * DAY
            # In the night everybody is looked at, since another day has come.
            decide(store, ward.mart, strategies, now_us=now, timezone=ZONE, reviews=reviews)
            heard = [pair for pair in waiting if pair[0] <= now]
            waiting = waiting[len(heard) :]
            for part in (heard[: len(heard) // 2], heard[len(heard) // 2 :]):
                now += 1_000_000
                wards.hear(ward, [(now, [one for _, one in part])])
                outcomes = live.run(now)
                assert not [one.error for one in outcomes if one.error]
                live_changes += sum(one.changes for one in outcomes)
            again = decide(
                store, ward.mart, strategies, now_us=now, timezone=ZONE, reviews=reviews, names=names, dry_run=True
            )
            for outcome in again:
                assert not outcome.differences, (outcome.name, now, outcome.differences[:3])
                compared += outcome.unchanged
    return live_changes, compared


def test_live_and_nightly_agree_over_24_months(tmp_path: Path) -> None:
    live_changes, compared = compare_over_two_years(tmp_path, patients=300, step_days=61, seed=3)
    assert live_changes > 300 and compared > 1_500


@pytest.mark.prove
def test_live_and_nightly_agree_day_by_day_among_2000(tmp_path: Path) -> None:
    live_changes, compared = compare_over_two_years(tmp_path, patients=2_000, step_days=1, seed=4)
    assert live_changes > 2_000 and compared > 100_000
