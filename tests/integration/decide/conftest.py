"""A small hospital whose facts are written straight into the store, and decided on any day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hcrm_core.decide.run import decide
from hcrm_core.decide.steps import StrategyOutcome
from hcrm_core.model.fold import Event, fold, stamp
from hcrm_core.model.records import PATIENT_FIELD
from hcrm_core.model.strategies import Strategy
from hcrm_core.model.translation import Statement
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store
from hcrm_core.store.packing import pack
from hcrm_core.store.queries import facts, links, log
from hcrm_core.store.queries.decisions import TaskRow, list_tasks
from hcrm_core.store.queries.facts import Content, FactRow
from hcrm_core.store.queries.log import Numbers, StatementRow
from hcrm_core.store.tables import store as tables
from hcrm_plugin_followup import register_strategies as followup
from hcrm_plugin_segmentation import register_strategies as segmentation

ZONE = "Asia/Shanghai"


class Defaults:
    """A workspace without settings."""

    def settings(self, table: str) -> dict[str, object]:
        return {}

    def read_text(self, path: str) -> str:
        raise AssertionError(path)


def micros(day: str, hour: int = 12) -> int:
    """Noon of a day in UTC, which is the same day in the hospital's zone."""
    return int(datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).timestamp() + hour * 3600) * 10**6


class Hospital:
    """Tells facts to the store and decides."""

    def __init__(self, store: Store, mart: Path) -> None:
        self.store = store
        self.mart = mart
        self.strategies: list[Strategy] = [*segmentation(Defaults()), *followup(Defaults())]
        self._messages = 0

    def tell(self, kind: str, fact_id: str, day: str = "2026-01-01", known: str | None = None, **fields: Any) -> None:
        """One statement about one fact, said on a day and known then or on another."""
        self._messages += 1
        place = stamp(Statement(said_at=micros(day)), self._messages.to_bytes(12, "big"))
        known_at = micros(known or day)
        with self.store.write() as connection:
            numbers = Numbers(connection)
            before = facts.facts(connection, [fact_id]).get(fact_id)
            number = before.number if before else numbers.next("fact")
            statement = StatementRow(numbers.next("statement"), self._messages, place, known_at)
            content_id = numbers.next("content")
            log.add_statements(connection, [statement])
            log.add_contents(connection, [(content_id, Content(pack(msgspec.json.encode(fields)), None))])
            log.add_versions(connection, [(number, statement.id, content_id)])
            said = log.numbered_versions(connection, [number])[number]
            folded = fold(Event(row.stamp, msgspec.json.decode(row.body)) for row in said)
            assert folded is not None
            patient = fact_id if kind == "Patient" else folded.fields.get(PATIENT_FIELD.get(kind, ""))
            key = self.store.codec.seal(f"key-of-{fact_id}".encode())
            content = Content(pack(msgspec.json.encode(folded.fields)), None)
            log.add_contents(connection, [(content_id + 1, content)])
            last = max(said, key=lambda row: row.stamp)
            row = FactRow(
                fact_id, kind, "his", key, patient, None, content, folded.stamp, max(row.known_at for row in said),
                folded.void, number, content_id + 1, True, last.statement.id,
            )  # fmt: skip
            facts.put_facts(connection, [row])
            if kind == "Patient" and fact_id not in links.customers_of(connection, [fact_id]):
                links.assign_customers(connection, [(fact_id, fact_id)], known_at)
            facts.note_batch(connection, max(known_at, facts.last_known_at(connection) + 1))

    def stay(self, fact_id: str, patient: str, start: str, end: str | None, **fields: Any) -> None:
        """An inpatient stay, finished when it has an end; told on its last day."""
        given = {
            "subject": patient,
            "class": "IMP",
            "status": "finished" if end else "in-progress",
            "period_start": f"{start}T09:00:00+08:00",
            "period_end": f"{end}T10:00:00+08:00" if end else None,
        }
        self.tell("Encounter", fact_id, end or start, **(given | fields))

    def link(self, patient: str, customer: str) -> None:
        """Move a patient to a customer."""
        with self.store.write() as connection:
            now = facts.last_known_at(connection) + 1
            links.assign_customers(connection, [(patient, customer)], now)
            facts.note_batch(connection, now)

    def decide(self, day: str, *names: str, **options: Any) -> dict[str, StrategyOutcome]:
        """Run strategies at noon of a day; outcomes by name."""
        found = decide(
            self.store, self.mart, self.strategies, now_us=micros(day), timezone=ZONE, names=names or None, **options
        )
        return {outcome.name: outcome for outcome in found}

    def counts(self, day: str, name: str = "followup.discharge", **options: Any) -> tuple[int, int, int, int, int]:
        """new, changed, unchanged, withdrawn, expired of one strategy."""
        outcome = self.decide(day, name, **options)[name]
        assert outcome.error is None
        return outcome[1:6]

    def tasks(self, **filters: Any) -> dict[str, TaskRow]:
        """Step → task; of several discharges the last one's."""
        with self.store.read() as connection:
            return {f"{row.anchor}.{row.step}": row for row in list_tasks(connection, **filters)}

    def states(self) -> dict[str, str]:
        """Anchor and step → state, with the reason where there is one."""
        return {key: f"{row.state}: {row.reason}" if row.reason else row.state for key, row in self.tasks().items()}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """SQLite, which nearly all of these tests are about; `test_both_databases` runs one story on PostgreSQL too."""
    made = Store(f"sqlite:///{tmp_path}/store.db", f"sqlite:///{tmp_path}/inbox.db", Codec(b"\x07" * 32))
    tables.create_all(made.engine)
    yield made
    made.close()


@pytest.fixture
def hospital(store: Store, tmp_path: Path) -> Hospital:
    """One patient, discharged on 10 March 2026."""
    made = Hospital(store, tmp_path / "mart")
    made.tell("Patient", "p1", gender="female", birth_date="1960-05-06")
    made.stay("e1", "p1", "2026-03-02", "2026-03-10")
    return made
