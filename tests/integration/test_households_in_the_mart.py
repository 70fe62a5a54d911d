"""`customer.household_id`: as in the store now, as it was known then of a past instant, and nobody's name or number."""

from datetime import date
from pathlib import Path

from sqlalchemy import select
from support.families import MOTHER, SON, kin, registration
from support.streams import work_off

from hcrm_core.decide.freshness import complete_history, refresh_mart
from hcrm_core.intake.land import Arrival, land
from hcrm_core.mart.engine import open_mart
from hcrm_core.mart.manifest import read_manifest
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import facts, mart_changes
from hcrm_core.store.tables import patient_customer, patient_household

MINUTE = 60_000_000
HOME = "春晓路24号银杏苑3幢2单元1402室"
NAMED = (kin(MOTHER, "MTH^母亲^HL70063", "13933334444"),)
MERGE = (
    "MSH|^~\\&|HIS|HOSP|HCRM||20260305100000+0800||ADT^A40|M1|P|2.5\rEVN|A40|20260305100000+0800\r"
    "PID|||P4^^^HOSP^MR\rMRG|P2^^^HOSP^MR"
)
STORY = (
    [registration("P1", SON, home=HOME, kin=NAMED), registration("P3", "周^立", phone="13955556666")],
    [registration("P2", MOTHER, phone="13933334444")],
    [
        registration("P3", "周^立", phone="13955556666", home=HOME, time="20260303100000+0800"),
        registration("P4", "林^静雯"),
    ],
    [registration("P1", SON, home=HOME, time="20260304100000+0800", kin=(kin("陈^建国", "FTH^父亲^HL70063"),))],
    [registration("P1", SON, home=HOME, time="20260304110000+0800", kin=NAMED)],
    [MERGE.encode()],
)
"""The mother comes; a neighbour moves in; she is no longer named; she is again; her records are merged."""


def shown(mart: Path, as_of_us: int | None = None) -> dict[str, str | None]:
    with open_mart(mart, as_of_us=as_of_us, today=date(2026, 3, 10), tables=["customer"]) as opened:
        return dict(opened.execute("SELECT customer_id, household_id FROM customer").fetchall())


def in_store(store: Store) -> dict[str, str | None]:
    with store.read() as connection:
        customers = {row.patient_id: row.customer_id for row in connection.execute(select(patient_customer))}
        homes = {row.patient_id: row.household_id for row in connection.execute(select(patient_household))}
    found: dict[str, set[str | None]] = {}
    for patient, customer in customers.items():
        found.setdefault(customer, set()).add(homes.get(patient))
    assert all(len(those) == 1 for those in found.values()), "all patients of a customer live together"
    return {customer: those.pop() for customer, those in found.items()}


def test_the_household_is_the_stores_now_and_the_one_that_was_known_of_every_past_instant(
    store: Store, tmp_path: Path
) -> None:
    daily = tmp_path / "daily"
    then: dict[int, dict[str, str | None]] = {}
    for number, payloads in enumerate(STORY, 1):
        land(store, [Arrival("his", payload) for payload in payloads], now=number * MINUTE)
        with store.read() as connection:
            before = mart_changes.position(connection)
        work_off(store, now=number * MINUTE)
        refresh_mart(store, daily, now_us=number * MINUTE, timezone="UTC")
        assert shown(daily) == in_store(store)
        with store.read() as connection:
            then[facts.last_known_at(connection)] = shown(daily)
            subjects = mart_changes.changed_subjects(connection, before)
        moved = {
            one for one, home in shown(daily).items() if len(then) > 1 and home != list(then.values())[-2].get(one)
        }
        assert moved <= set(subjects), "who comes into a household or leaves it is decided for anew"
    assert [len([home for home in one.values() if home]) for one in then.values()] == [0, 2, 2, 0, 2, 2]
    anew = tmp_path / "anew"
    refresh_mart(store, anew, now_us=9 * MINUTE, timezone="UTC")
    for mart in (daily, anew):
        manifest = read_manifest(mart)
        assert manifest is not None
        complete_history(store, mart, manifest)
        assert {instant: shown(mart, instant) for instant in then} == then
    said = b"".join(file.read_bytes() for file in tmp_path.rglob("*.parquet"))
    for canary in ("林静", "思远", "13933334444", "银杏苑"):
        assert canary.encode() not in said
