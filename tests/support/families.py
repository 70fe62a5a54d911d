"""Registrations with relatives, an address and a policy: families, neighbours and strangers that look like them."""

from collections.abc import Sequence

from hypothesis import strategies as st

MOTHER = "林^静"
SON = "陈^思远"
_NAMES = (MOTHER, SON, "陈^一诺", "林^竞", "周^立")
_PHONES = ("13911112222", "13933334444", "13800000000", "")
_HOMES = ("春晓路24号3幢1402室", "春晓路24号3-1402", "春晓路24号", "")
_RELATIONS = ("SPO^配偶^HL70063", "MTH^母亲^HL70063", "51^父亲^GB/T 4761", "FND^朋友^HL70063", "^监护人", "")


def kin(name: str, relationship: str, phone: str = "", home: str = "") -> str:
    """The fields of NK1 from the second on."""
    return f"{name}|{relationship}|{home}|{phone}"


def registration(
    patient: str,
    name: str,
    phone: str = "",
    home: str = "",
    born: str = "",
    policy: str = "",
    group: str = "",
    kin: Sequence[str] = (),
    time: str = "20260301100000+0800",
) -> bytes:
    """One ADT^A04 with NK1 and IN1 segments."""
    segments = [
        f"MSH|^~\\&|HIS|HOSP|HCRM||{time}||ADT^A31|{patient}{time}|P|2.5",
        f"EVN|A31|{time}",
        f"PID|||{patient}^^^HOSP^MR||{name}||{born}||||{home}||{phone}",
        *(f"NK1|{place}|{one}" for place, one in enumerate(kin, 1)),
    ]
    if policy or group:
        segments.append(f"IN1|1|B^补充医疗|PICC^^^HOSP|人保{'|' * 4}{group or '|'}{'|' * 27}{policy}")
    return "\r".join(segments).encode()


@st.composite
def registrations(draw: st.DrawFn) -> bytes:
    """One registration, or now and then a merge."""
    patient = draw(st.sampled_from(("P1", "P2", "P3", "P4", "P5")))
    time = f"2026030110{draw(st.integers(0, 9)):02d}00+0800"
    if draw(st.integers(0, 9)) == 0:
        head = f"MSH|^~\\&|HIS|HOSP|HCRM||{time}||ADT^A40|M{time}|P|2.5\rEVN|A40|{time}\r"
        return f"{head}PID|||{patient}^^^HOSP^MR\rMRG|{draw(st.sampled_from(('P1', 'P3')))}^^^HOSP^MR".encode()
    related = [
        kin(draw(st.sampled_from(_NAMES)), draw(st.sampled_from(_RELATIONS)), draw(st.sampled_from(_PHONES)))
        for _ in range(draw(st.integers(0, 2)))
    ]
    return registration(
        patient,
        draw(st.sampled_from(_NAMES)),
        draw(st.sampled_from(_PHONES)),
        draw(st.sampled_from(_HOMES)),
        draw(st.sampled_from(("", "19800101", "20150606"))),
        draw(st.sampled_from(("", "PICC20260088"))),
        related,
        time,
    )


streams: st.SearchStrategy[Sequence[bytes]] = st.lists(registrations(), min_size=2, max_size=12)
