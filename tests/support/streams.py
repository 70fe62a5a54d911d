"""Streams of HL7 messages for several patients, for proving that order and repetition do not matter."""

from collections.abc import Sequence
from concurrent.futures import Future

from hypothesis import strategies as st

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter, Hl7v2Settings
from hcrm_core.intake.land import Arrival, land
from hcrm_core.intake.process import Intake
from hcrm_core.model.translation import Translation
from hcrm_core.registry.offers import AdapterOffer, Source
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store
from hcrm_core.store.tables import inbox as inbox_tables
from hcrm_core.store.tables import store as store_tables

_SETTINGS = Hl7v2Settings(adapter="hl7v2", timezone="Asia/Shanghai")
ADAPTER = Hl7v2Adapter("his", _SETTINGS)
SOURCE = Source(
    "his",
    "hl7v2",
    AdapterOffer.of(Hl7v2Adapter),
    _SETTINGS,
)
USUAL = ("A01", "A02", "A03", "A04", "A05", "A08", "A11", "A13", "A28", "A31", "A40")
EVENTS = USUAL + tuple(f"A{number:02d}" for number in range(1, 63) if number not in (19, 20, 56, 57, 58, 59))
"""Every event about a patient; the usual ones twice as often."""

MERGES = ("A18", "A30", "A34", "A36", "A39", "A40", "A42", "A43", "A45", "A47", "A50")
PAIRS = ("A17", "A24", "A37")
WITHOUT_A_STAY = ("A24", "A28", "A29", "A31", "A37", "A60")

patients = st.sampled_from(("P1", "P2", "P3", "P4"))
minutes = st.integers(0, 9).map(lambda minute: f"2026030110{minute:02d}00+0800")
sequences = st.sampled_from(("", "7"))
phones = st.sampled_from(("", "13800000000", '""'))
said = st.sampled_from(("", '""', "张", "李"))


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """One ADT message; every field may be said, said empty or not mentioned."""
    event = draw(st.sampled_from(EVENTS))
    patient = draw(patients)
    time = draw(minutes)
    numbers = f"{patient}^^^HOSP^MR"
    if draw(st.booleans()):
        numbers += f"~{draw(st.sampled_from(('11010119900307002X', '110101199003070011')))}^^^PRC^NI"
    segments = [
        f"MSH|^~\\&|HIS|HOSP|HCRM||{time}||ADT^{event}|M{draw(st.integers(0, 99))}|P|2.5|"
        f"{draw(st.sampled_from(('', '7')))}",
        f"EVN|{event}|{draw(st.sampled_from(('', time)))}",
        f"PID|||{numbers}||{draw(said)}^三||{draw(st.sampled_from(('', '19900307', chr(34) * 2)))}|"
        f"{draw(st.sampled_from(('', 'F', 'M')))}|||{draw(said)}||"
        f"{draw(st.sampled_from(('', '13800000000', chr(34) * 2)))}",
    ]
    if event in MERGES:
        prior = draw(st.sampled_from(("V1^^^HOSP^VN", "V2^^^HOSP^VN", "")))
        segments.append(f"MRG|{draw(patients)}^^^HOSP^MR||||{prior}")
    if event not in (*WITHOUT_A_STAY, "A40"):
        visit = draw(st.sampled_from(("V1", "V2", "")))
        admitted = draw(st.sampled_from(("", "202603010900", "202603010930")))
        ended = draw(st.sampled_from(("", "", "202603011000", '""')))
        ward = draw(st.sampled_from(("内科^1", "外科^2", "")))
        stay = {2: "I", 3: ward, 19: f"{visit}^^^HOSP^VN" if visit else "", 44: admitted, 45: ended}
        segments.append("PV1|" + "|".join(stay.get(number, "") for number in range(1, 46)))
    if event in PAIRS:
        segments.append(f"PID|||{draw(patients)}^^^HOSP^MR||{draw(said)}^四")
    if event == "A17":
        segments.append("PV1||I|外科^3||||||||||||||||V2^^^HOSP^VN")
    if event == "A60":
        segments.append(f"IAM|||花生^花生|||{draw(st.sampled_from(('A', 'D', 'U')))}")
    for _ in range(draw(st.integers(0, 2))):
        allergen = draw(st.sampled_from(("青霉素", "花生", '""')))
        segments.append(f"AL1||DA|{allergen}^{allergen}|{draw(st.sampled_from(('', 'SV')))}")
    if event not in (*WITHOUT_A_STAY, "A40", "A11") and draw(st.booleans()):
        segments.append(f"DG1|||{draw(st.sampled_from(('I10', 'E11')))}")
    return "\r".join(segments).encode()


@st.composite
def results(draw: st.DrawFn) -> bytes:
    """One ORU message of one of two reports, which may say of which stay it is."""
    patient, time, visit = draw(patients), draw(minutes), draw(st.sampled_from(("V1", "V2", "")))
    stay = [f"PV1||I|||||||||||||||||{visit}^^^HOSP^VN"] if visit else []
    segments = [
        f"MSH|^~\\&|LIS|HOSP|HCRM||{time}||ORU^R01|R{draw(st.integers(0, 99))}|P|2.5",
        f"PID|||{patient}^^^HOSP^MR",
        *stay,
        f"OBR||{draw(st.sampled_from(('O1', 'O2')))}||K^K",
        f"OBX||NM|K^K||{draw(st.integers(4, 7))}||||||F",
    ]
    return "\r".join(segments).encode()


streams = st.lists(st.one_of(messages(), messages(), results()), min_size=2, max_size=14)


def tell(store: Store, payloads: Sequence[bytes], batch: int = 5) -> list[bytes]:
    """Land and fold payloads in this order, a few at a time, and return the canonical dump."""
    for start in range(0, len(payloads), batch):
        land(store, [Arrival("his", payload) for payload in payloads[start : start + batch]], now=start)
        work_off(store, now=start)
    return list(dump(store))


def work_off(store: Store, now: int = 0) -> None:
    """Translate and fold what waits, in this process."""
    intake = Intake(store, _here, lambda source: SOURCE, lambda: now)
    intake.begin()
    intake.settle()


def _here(source: object, payloads: Sequence[bytes]) -> "Future[list[Translation]]":
    future: Future[list[Translation]] = Future()
    future.set_result([ADAPTER.translate(payload) for payload in payloads])
    return future


def clear(store: Store) -> None:
    """Forget everything."""
    with store.write_inbox() as connection:
        for table in inbox_tables.sorted_tables:
            connection.execute(table.delete())
    with store.write() as connection:
        for table in store_tables.sorted_tables:
            connection.execute(table.delete())
