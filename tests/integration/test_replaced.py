"""Whom a source merged into another: the survivor's words stand, whatever the ids and whatever arrives when."""

from pathlib import Path

import msgspec
import pytest
from support.orders import orders
from support.streams import ADAPTER, clear, tell

from hcrm_core.decide.freshness import refresh_mart
from hcrm_core.identity.golden import display_name, golden, values_of
from hcrm_core.intake.accept import accept
from hcrm_core.intake.fold import Folder
from hcrm_core.mart.engine import open_mart
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import customers, inbox, links


def adt(event: str, time: str, who: str, *segments: str) -> bytes:
    head = f"MSH|^~\\&|HIS|HOSP|HCRM||20260301{time}||ADT^{event}|{event}{time}|P|2.5"
    return "\r".join((head, f"EVN|{event}|20260301{time}", f"PID|||{who}", *segments)).encode()


def story(survivor: str, retired: str) -> list[bytes]:
    """Two are registered, the later one is merged into the earlier, and its old number is used once more."""
    return [
        adt("A31", "0900", f"{survivor}^^^HOSP^MR||王^甲||19800101|M"),
        adt("A31", "1000", f"{retired}^^^HOSP^MR||李^乙||19900202|F|||||13812345678"),
        adt("A40", "1100", f"{survivor}^^^HOSP^MR", f"MRG|{retired}^^^HOSP^MR"),
        adt("A31", "1200", f"{retired}^^^HOSP^MR||李^乙^丙"),
    ]


def shown(store: Store) -> tuple[str, str, str, str]:
    """Name, birth date, sex and phone of the one customer."""
    with store.read() as connection:
        (customer_id,) = set(links.everybody(connection).values())
        rows = [row for _, row in customers.patients_of(connection, [customer_id])]
    known = values_of(golden(rows, store.codec, store.golden))
    return display_name(known["name"]), known["birth_date"], known["gender"], known["telecom"][0]["value"]


@pytest.mark.parametrize("numbers", [("P1", "P2"), ("P2", "P1"), ("P3", "P4"), ("P4", "P3")], ids="+".join)
def test_the_survivor_stands_before_the_one_it_replaced(store: Store, numbers: tuple[str, str]) -> None:
    dumps = set()
    for order in orders(store, story(*numbers)):
        clear(store)
        tell(store, order, batch=1)
        assert shown(store) == ("王甲", "1980-01-01", "male", "13812345678"), "what it does not say, the other says"
        dumps.add(tuple(dump(store)))
    assert len(dumps) == 1


def test_the_mart_shows_the_survivor_brought_up_to_date_or_written_anew(store: Store, tmp_path: Path) -> None:
    told = story("P1", "P2")
    tell(store, told[:2])
    refresh_mart(store, tmp_path / "mart", now_us=1, timezone="UTC")
    tell(store, told[2:])
    for name in ("mart", "anew"):
        refresh_mart(store, tmp_path / name, now_us=2, timezone="UTC")
        with open_mart(tmp_path / name) as opened:
            assert opened.execute("SELECT birth_year, sex, patients FROM customer").fetchall() == [(1980, "male", 2)]


def test_a_merge_that_is_no_longer_said_counts_no_more(store: Store, tmp_path: Path) -> None:
    """An adapter that has learnt better translates the merge anew, as a link between two who both go on."""
    tell(store, [*story("P1", "P2")])
    refresh_mart(store, tmp_path, now_us=1, timezone="UTC")
    with store.read_inbox() as connection:
        (merge,) = [
            one for one in inbox.read_all(connection, range(1, 5)) if b"A40" in store.codec.open(one.payload or b"")
        ]
    said = ADAPTER.translate(store.codec.open(merge.payload or b""))
    records = [
        msgspec.structs.replace(one, type="seealso") if type(one).__name__ == "PatientLink" else one
        for one in said.records
    ]
    again = msgspec.structs.replace(said, records=tuple(records))  # type: ignore[arg-type]
    accept(store, Folder(store.codec), "hl7v2 2", [merge], [again], 9, replay=True)
    assert shown(store)[0] == "李乙丙", "the later word"
    refresh_mart(store, tmp_path, now_us=10, timezone="UTC")
    with open_mart(tmp_path) as opened:
        assert opened.execute("SELECT birth_year FROM customer").fetchall() == [(1990,)]
