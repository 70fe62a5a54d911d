"""Day by day or in one jump: what the mart shows of a past instant is what it showed then."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st
from support.orders import drawn
from support.streams import ADAPTER, clear, streams, work_off

from hcrm_core.decide.freshness import complete_history, refresh_mart
from hcrm_core.intake.accept import accept
from hcrm_core.intake.fold import Folder
from hcrm_core.intake.land import Arrival, land
from hcrm_core.mart.engine import open_mart
from hcrm_core.mart.manifest import read_manifest
from hcrm_core.mart.tables import TABLES
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import facts, inbox

MINUTE = 60_000_000
TODAY = date(2026, 3, 10)
Shown = dict[str, list[tuple[Any, ...]]]


def shown(mart: Path, as_of_us: int | None = None) -> Shown:
    """All rows of all tables of facts."""
    tables = [table.name for table in TABLES] + ["customer"]
    with open_mart(mart, as_of_us=as_of_us, today=TODAY, tables=tables) as opened:
        return {name: opened.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in tables}


def say_less(store: Store, numbers: Sequence[int], now: int) -> None:
    """Replay messages with an adapter that has learnt to say less of them."""
    with store.read_inbox() as connection:
        landed = [message for number in numbers if (message := inbox.read(connection, number))]
    translations = []
    for message in landed:
        assert message.payload is not None
        told = ADAPTER.translate(store.codec.open(message.payload))
        kept = tuple(one for one in told.records if type(one).__name__ in ("Patient", "PatientLink"))
        translations.append(msgspec.structs.replace(told, records=kept, complete=()))
    accept(store, Folder(store.codec), "hl7v2 0", landed, translations, now, replay=True)


def check(store: Store, folder: Path, data: st.DataObject) -> None:
    clear(store)
    stream = data.draw(streams)
    told = [*data.draw(st.permutations(stream)), *data.draw(st.lists(st.sampled_from(stream), max_size=3))]
    daily, anew = folder / "daily", folder / "anew"
    then: dict[int, Shown] = {}
    number = 0
    while told:
        size = data.draw(st.integers(1, 4))
        number += 1
        now = number * MINUTE
        arrivals, told = told[:size], told[size:]
        land(store, [Arrival("his", payload) for payload in arrivals], now=now)
        work_off(store, now=now)
        if data.draw(st.integers(0, 4)) == 0:
            say_less(store, data.draw(st.lists(st.integers(1, len(stream)), min_size=1, max_size=3, unique=True)), now)
        if data.draw(st.booleans()):
            refresh_mart(store, daily, now_us=now, timezone="UTC")
        refresh_mart(store, folder / f"at-{number}", now_us=now, timezone="UTC")
        with store.read() as connection:
            then[facts.last_known_at(connection)] = shown(folder / f"at-{number}")
    for mart in (daily, anew):
        refresh_mart(store, mart, now_us=number * MINUTE, timezone="UTC")
        assert shown(mart) == then[max(then)]
        manifest = read_manifest(mart)
        assert manifest is not None
        complete_history(store, mart, manifest)
        for instant, expected in then.items():
            found = shown(mart, instant)
            for table, rows in expected.items():
                assert found[table] == rows, (mart.name, table, instant)


@drawn(8)
def test_a_past_instant_is_shown_as_it_was(store: Store, tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    check(store, tmp_path_factory.mktemp("marts"), data)


@pytest.mark.prove
@drawn(300, everywhere=True)
def test_a_past_instant_is_shown_as_it_was_300_times(
    store: Store, tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    check(store, tmp_path_factory.mktemp("marts"), data)
