"""One story on SQLite and on PostgreSQL: decide, change, complete, merge, look back, and read it all again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hcrm_core.store import schema
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store
from hcrm_core.store.queries.decisions import complete_task, last_runs, snapshots_of


@pytest.fixture
def store(new_database: Callable[[], str]) -> Any:
    """An empty PostgreSQL store."""
    url = new_database()
    made = Store(url, url, Codec(b"\x07" * 32))
    schema.upgrade(made)
    yield made
    made.close()


@pytest.mark.postgresql
def test_the_story_on_postgresql(hospital: Any) -> None:
    hospital.tell("ChargeItem", "c1", "2026-03-05", subject="p1", type="CG", price={"amount": 500, "currency": "CNY"},
                  occurrence="2026-03-05")  # fmt: skip
    first = hospital.decide("2026-03-11")
    assert {name: outcome[1:6] for name, outcome in first.items()} == {
        "rfm": (1, 0, 0, 0, 0),
        "pareto": (1, 0, 0, 0, 0),
        "followup.discharge": (3, 0, 0, 0, 0),
    }
    hospital.stay("e2", "p1", "2026-03-16", None)
    with hospital.store.write() as connection:
        complete_task(connection, hospital.tasks()["e1.day3"].task_id[:9], by="nurse", note=None, now=1)
    assert hospital.counts("2026-03-14") == (0, 0, 1, 2, 0)
    hospital.tell("Patient", "a0", "2026-03-14")
    hospital.link("p1", "a0")
    assert hospital.counts("2026-03-15") == (0, 2, 1, 0, 0)
    assert {row.customer_id for row in hospital.tasks().values()} == {"a0"}
    then = 1773316800 * 10**6
    for basis in ("known", "said"):
        hospital.decide("2026-03-16", "followup.discharge", as_of_us=then, basis=basis, dry_run=True)
    again = hospital.decide("2026-03-15")
    assert again["rfm"][1:6] == (1, 0, 0, 1, 0)  # the customer's id changed
    with hospital.store.read() as connection:
        assert set(last_runs(connection)) == set(first)
        assert len(snapshots_of(connection, "rfm", 5)) == 2
    assert Path(hospital.mart / "manifest.json").exists()
