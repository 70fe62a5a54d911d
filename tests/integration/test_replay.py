"""A message translated anew: its newest translation takes the place of the one before."""

from collections.abc import Sequence

import msgspec
import pytest
from sqlalchemy import select
from support.streams import ADAPTER, clear, tell, work_off

from hcrm_core.intake.accept import accept
from hcrm_core.intake.fold import Folder
from hcrm_core.intake.land import Arrival, land
from hcrm_core.model.translation import Problem, Translation
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import coverage, inbox, processing
from hcrm_core.store.tables import statement, version

BY = f"{ADAPTER.name} {ADAPTER.version}"


def adt(event: str, time: str, *segments: str, patient: str = "P1") -> bytes:
    return "\r".join(
        (
            f"MSH|^~\\&|HIS|HOSP|HCRM||20260301{time}||ADT^{event}|{event}{time}|P|2.5",
            f"EVN|{event}|20260301{time}",
            f"PID|||{patient}^^^HOSP^MR||王^芳",
            *segments,
        )
    ).encode()


STAY = "PV1||I|内科^1||||||||||||||||V1^^^HOSP^VN"


def replay(store: Store, payload: bytes, translation: Translation | bytes, now: int = 99) -> None:
    """Translate a stored message anew, as if the adapter now read it as `translation` (or as it reads other bytes)."""
    with store.read_inbox() as landed:
        stored = next(
            message
            for number, *_ in inbox.headers(landed)
            if (message := inbox.read(landed, number)) and store.codec.open(message.payload) == payload
        )
    if isinstance(translation, bytes):
        translation = ADAPTER.translate(translation)
    accept(store, Folder(store.codec), BY, [stored], [translation], now=now, replay=True)


def said(store: Store) -> list[dict[str, object]]:
    """The canonical dump without the stamps, which name the message's bytes."""
    lines: Sequence[dict[str, object]] = [msgspec.json.decode(line) for line in dump(store)]
    return [
        {name: value for name, value in line.items() if name != "stamp"}
        for line in lines
        if not line.get("void") or line.get("kind") == "Encounter"
    ]


def test_the_same_translation_again_changes_nothing(store: Store) -> None:
    stream = (adt("A01", "1000", STAY, "DG1|||I10"), adt("A08", "1005", STAY, "DG1|||E11"), adt("A03", "1100", STAY))
    before = tell(store, stream)
    for payload in stream:
        replay(store, payload, payload)
    assert list(dump(store)) == before


@pytest.mark.parametrize("later", [(), (adt("A08", "1030", STAY),)], ids=["last", "not last"])
def test_what_only_the_old_translation_said_is_gone(store: Store, later: tuple[bytes, ...]) -> None:
    rich = adt("A01", "1000", STAY, "PV2|||Z^胸痛", "DG1|||I10^高血压", "AL1||DA|P^青霉素")
    thin = adt("A01", "1000", STAY)
    tell(store, (thin, *later))
    expected = said(store)
    clear(store)
    tell(store, (rich, *later))
    assert said(store) != expected
    replay(store, rich, thin)
    assert said(store) == expected


def test_what_only_the_new_translation_says_is_there(store: Store) -> None:
    rich, thin = adt("A01", "1000", STAY, "DG1|||I10^高血压"), adt("A01", "1000", STAY)
    tell(store, (rich, adt("A02", "1030", STAY)))
    expected = said(store)
    clear(store)
    tell(store, (thin, adt("A02", "1030", STAY)))
    replay(store, thin, rich)
    assert said(store) == expected


def test_a_replay_keeps_the_message_s_place_in_the_order(store: Store) -> None:
    """An A01 of ten o'clock that is replayed at night does not undo the discharge of eleven."""
    admitted, discharged = adt("A01", "1000", STAY), adt("A03", "1100", STAY)
    tell(store, (admitted, discharged))
    replay(store, admitted, admitted)
    stays = [line["fields"] for line in said(store) if line.get("kind") == "Encounter"]
    assert [stay["status"] for stay in stays] == ["finished"]  # type: ignore[index]


def test_only_an_accepted_translation_takes_the_place_of_its_predecessor(store: Store) -> None:
    """A replay that cannot translate the message must not take away what an earlier one understood."""
    gone = adt("A01", "1000", "PV1||I|外科^2", "AL1||DA|P^青霉素")
    tell(store, (gone, adt("A01", "1000", STAY.replace("|V1^", "|V2^"), patient="P2")))
    expected = said(store)
    replay(store, gone, Translation("ADT^A01", quarantine=Problem("no-patient", "PID-3", "No number.")))
    assert said(store) == expected
    with store.read() as connection:
        assert len(processing.find(connection, states=["quarantined"], limit=10)) == 1


def test_a_quarantined_message_is_translated_once_it_can_be(store: Store) -> None:
    good, bad = adt("A01", "1000", STAY), adt("A01", "1000", STAY, patient="")
    tell(store, (good,))
    expected = said(store)
    clear(store)
    tell(store, (bad,))
    with store.read() as connection:
        assert len(processing.find(connection, states=["quarantined"], limit=10)) == 1
    replay(store, bad, good)
    assert said(store) == expected
    with store.read() as connection:
        assert processing.find(connection, states=["quarantined"], limit=10) == []


def test_a_merge_that_was_misread_is_taken_back(store: Store) -> None:
    """The two patients of an A40 are two customers again when it turns out to have named another one."""
    wrong = adt("A40", "1000", "MRG|P2^^^HOSP^MR")
    right = adt("A40", "1000", "MRG|P3^^^HOSP^MR")
    patients = (adt("A31", "0900", patient="P2"), adt("A31", "0901", patient="P3"))
    tell(store, (*patients, right))
    expected = [line for line in said(store) if "customer" in line and "kind" not in line]
    clear(store)
    tell(store, (*patients, wrong))
    replay(store, wrong, right)
    assert [line for line in said(store) if "customer" in line and "kind" not in line] == expected


def test_old_versions_are_voided_and_never_deleted(store: Store) -> None:
    payload = adt("A01", "1000", STAY)
    tell(store, (payload,))
    replay(store, payload, payload, now=50)
    replay(store, payload, payload, now=60)
    with store.read() as connection:
        rows = connection.execute(
            select(version.c.fact_number, statement.c.voided_at).join(
                statement, statement.c.id == version.c.statement_id
            )
        ).all()
    by_fact: dict[int, list[int | None]] = {}
    for number, voided_at in rows:
        by_fact.setdefault(number, []).append(voided_at)
    assert by_fact
    assert all(sorted(found, key=lambda at: at or 0) == [None, 50, 60] for found in by_fact.values())


def test_coverage_counts_a_message_once_however_often_it_is_translated(store: Store) -> None:
    payload = adt("A01", "1000", STAY)
    tell(store, (payload,))
    with store.read() as connection:
        before = coverage.read(connection)
    replay(store, payload, payload)
    with store.read() as connection:
        assert coverage.read(connection) == before


def counted(store: Store) -> dict[tuple[str, str], tuple[int, str, str]]:
    """Field and status → in how many messages, and on which days."""
    with store.read() as connection:
        rows = coverage.read(connection)
    return {(row.field, row.status): (row.messages, row.first_seen, row.last_seen) for row in rows}


def test_what_stands_of_a_message_is_counted_however_it_came_to_stand(store: Store) -> None:
    """Folded, put into quarantine by a replay, and folded again otherwise."""
    payload = adt("A01", "1000", STAY, "ZZZ|1")
    tell(store, (payload,))
    before = counted(store)
    assert before["ZZZ-1", "unknown"] == (1, "1970-01-01", "1970-01-01")
    replay(store, payload, Translation("ADT^A01", quarantine=Problem("no-patient", "PID-3", "There is none.")))
    assert counted(store) == before
    replay(store, payload, payload)
    assert counted(store) == before
    thin = adt("A01", "1000", STAY)
    replay(store, payload, thin)
    after = counted(store)
    assert ("ZZZ-1", "unknown") not in after
    assert after == {key: value for key, value in before.items() if key[0] != "ZZZ-1"}


def test_what_was_quarantined_at_first_is_counted_once_it_is_understood(store: Store) -> None:
    payload, read = adt("A01", "1000", patient=""), adt("A01", "1000")
    tell(store, (payload,))
    assert counted(store) == {}
    replay(store, payload, read)
    assert counted(store)["PID-3", "mapped"][0] == 1
    replay(store, payload, read)
    assert counted(store)["PID-3", "mapped"][0] == 1


def test_a_repetition_is_counted_once(store: Store) -> None:
    payload = adt("A01", "1000", STAY)
    tell(store, (payload, payload))
    tell(store, (payload, adt("A01", "1001", STAY)))
    assert counted(store)["PID-3", "mapped"][0] == 2


def test_a_message_counts_on_the_day_it_arrived_in_the_zone_of_the_workspace(store: Store) -> None:
    store.timezone = "Asia/Shanghai"
    evening = 1_780_329_600_000_000  # 2026-06-01T16:00:00Z, which is midnight there
    for at, time in ((evening - 1, "1000"), (evening, "1100")):
        land(store, [Arrival("his", adt("A01", time, STAY))], now=at)
    work_off(store, now=evening + 90_000_000_000)
    assert counted(store)["PID-3", "mapped"] == (2, "2026-06-01", "2026-06-02")
    with store.read() as connection:
        assert next(iter(coverage.read(connection, "his", "2026-06-02", "2026-06-03"))).messages == 1
        assert coverage.read(connection, "his", None, "2026-06-01") == []
        assert coverage.messages(connection, "his", "2026-06-02") == {("his", "ADT^A01"): 1}


def test_the_outcome_counts_the_translations(store: Store) -> None:
    payload = adt("A01", "1000", STAY)
    tell(store, (payload,))
    for _ in range(2):
        replay(store, payload, payload)
    with store.read_inbox() as landed, store.read() as processed:
        number = next(inbox.headers(landed))[0]
        assert processing.outcomes(processed, [number])[number].translation == 3
