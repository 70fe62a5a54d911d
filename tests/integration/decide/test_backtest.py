"""A back-test decides what nightly runs decided over the same days, row for row."""

from typing import Any

import pytest

from hcrm_core.decide.backtest import Simulated, backtest, instants
from hcrm_core.decide.run import decide
from hcrm_core.decide.shown import show_decisions
from hcrm_core.decide.steps import Means
from hcrm_core.errors import UsageError
from hcrm_core.mart.engine import open_mart
from hcrm_core.mart.snapshots import row_of
from hcrm_core.store.queries.decisions import last_runs, list_tasks
from hcrm_core.testing.strategies.wards import DAY, Ward, Wards
from hcrm_core.testing.world import hospital, microseconds
from hcrm_plugin_followup import register_strategies as followup
from hcrm_plugin_segmentation import register_strategies as segmentation

ZONE = "Asia/Shanghai"
DAYS = 12


class Workspace:
    """A workspace without settings of its own."""

    def settings(self, table: str) -> dict[str, object]:
        return {}

    def read_text(self, path: str) -> str:
        raise AssertionError(path)


STRATEGIES = [*segmentation(Workspace()), *followup(Workspace())]


@pytest.fixture(scope="module")
def nightly(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ward, list[int], dict[str, list[Any]]]:
    """A ward that heard and decided night after night; the instants, and what each night came to."""
    world = hospital(7, 60)
    wards = Wards(world, ZONE)
    ward = Ward(tmp_path_factory.mktemp("nightly") / "ward", 0)
    wards.empty.copy(ward.folder)
    end = microseconds(world.end)
    nights = [end - DAY * back for back in range(DAYS, -1, -1)]
    recorded: dict[str, list[Any]] = {"counts": [], "tasks": [], "members": []}
    heard = 0
    with ward.store() as store:
        for night in nights:
            told = [one for one in world.told[heard:] if one.said_at <= night]
            heard += len(told)
            # Some of it is heard before the night and some at it.
            wards.hear(ward, [(night - 1_000, told[: len(told) // 2]), (night, told[len(told) // 2 :])])
            outcomes = decide(store, ward.mart, STRATEGIES, now_us=night, timezone=ZONE)
            recorded["counts"].append({one.name: tuple(one[1:6]) for one in outcomes})
            with store.read() as connection:
                recorded["tasks"].append(
                    {row.task_id: (row.state, row.due_on, row.reason, row.detail) for row in list_tasks(connection)}
                )
                snapshot = last_runs(connection, "segment")["rfm"].snapshot
            with open_mart(ward.mart, tables=()) as mart:
                found = mart.execute(f"SELECT * FROM '{ward.mart / str(snapshot)}' ORDER BY ALL").fetchall()
            recorded["members"].append(found)
    return ward, nights, recorded


def test_each_nights_decisions_are_those_recorded(
    nightly: tuple[Ward, list[int], dict[str, list[Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ward, nights, recorded = nightly
    tasks: list[dict[str, Any]] = []
    apply = Simulated.apply

    def watched(self: Simulated, mart: Any, decided: Any, moment: Any) -> Any:
        applied = apply(self, mart, decided, moment)
        rows = self.rows("followup.discharge")
        tasks.append({row.task_id: (row.state, row.due_on, row.reason, row.detail) for row in rows.values()})
        return applied

    monkeypatch.setattr(Simulated, "apply", watched)
    with ward.store() as store:
        found = backtest(store, ward.mart, STRATEGIES, "followup.discharge", nights, timezone=ZONE, means=Means())
    assert [tuple(day.counts) for day in found.days] == [one["followup.discharge"] for one in recorded["counts"]]
    assert tasks == recorded["tasks"]
    assert any(one["followup.discharge"][1] or one["followup.discharge"][4] for one in recorded["counts"])


def test_members_enter_and_leave_as_recorded(nightly: tuple[Ward, list[int], dict[str, list[Any]]]) -> None:
    ward, nights, recorded = nightly
    with ward.store() as store:
        found = backtest(store, ward.mart, STRATEGIES, "rfm", nights, timezone=ZONE, means=Means())
    assert [tuple(day.counts) for day in found.days] == [one["rfm"] for one in recorded["counts"]]
    members: set[str] = set()
    for day, rows in zip(found.days, recorded["members"], strict=True):
        members = (members | set(day.entered)) - set(day.left)
        assert members == {row[0] for row in rows}
        assert day.standing == len(rows)
    assert found.standing == members


def test_nothing_is_kept(nightly: tuple[Ward, list[int], dict[str, list[Any]]]) -> None:
    ward, nights, recorded = nightly
    with ward.store() as store:
        backtest(store, ward.mart, STRATEGIES, "rfm", nights[:2], timezone=ZONE, means=Means())
        with store.read() as connection, open_mart(ward.mart) as mart:
            show_decisions(mart, store, ("decision_segment",))
            (run,) = [one for one in last_runs(connection, "segment").values() if one.strategy == "rfm"]
            assert run.snapshot and row_of(mart, run.snapshot, recorded["members"][-1][0][0])
    assert not (ward.mart / "backtest").exists()


def test_days_in_the_wrong_order_are_refused() -> None:
    from datetime import date, time

    with pytest.raises(UsageError, match="--to lies before --from"):
        instants(date(2026, 3, 2), date(2026, 3, 1), time(2), ZONE)
    assert len(instants(date(2026, 2, 27), date(2026, 3, 1), time(2), ZONE)) == 3
