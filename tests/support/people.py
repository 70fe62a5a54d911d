"""Registrations of a few people as messages, for linking by score: alike enough to be linked, and to be mistaken."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from hypothesis import strategies as st

from hcrm_core.config import IdentitySettings
from hcrm_core.identity.model import read_model

ADULT = "110105199003072039"
OLD_FORM = "110105900307203"
TWIN = "110105199003072055"
TYPED = "110105199003072019"
"""The number of an adult with its old form, that of the twin, and the first with a wrong digit."""

NAMES = (
    "王^晓芳", "王^小芳", "王^曉芳", "晓芳^王", "WANG^XIAOFANG", "XIAOFANG WANG", "王^晓丽", "李^晓芳",
    "单^雄", "Dan^Xiong", '""',
)  # fmt: skip
BIRTHS = ("19900307", "19900703", "19900308", "19900101", "20240615", "")
"""The fifth is of a child that may have its mother's number."""
PHONES = ("13912345678", "13912345687", "13800000000", "13987654321", '""')
HOMES = ("文一路12号3幢401室", "文一路12号3-401", "庆春路88号", "")
DOCUMENTS = (ADULT, OLD_FORM, TWIN, TYPED, "")


def registration(
    patient: str,
    name: str = "",
    birth: str = "",
    sex: str = "",
    phone: str = "",
    home: str = "",
    document: str = "",
    time: str = "20260301100000+0800",
    order: str = "",
) -> bytes:
    """One ADT^A31; what is empty is not mentioned."""
    numbers = f"{patient}^^^HOSP^MR" + (f"~{document}^^^PRC^NI" if document else "")
    return "\r".join(
        (
            f"MSH|^~\\&|HIS|HOSP|HCRM||{time}||ADT^A31|{patient}{time}|P|2.5",
            f"EVN|A31|{time}",
            f"PID|||{numbers}||{name}||{birth}|{sex}|||{home}||{phone}||||||||||||{order}",
        )
    ).encode()


@st.composite
def registrations(draw: st.DrawFn) -> bytes:
    """One registration, or now and then a merge."""
    patient = draw(st.sampled_from(("P1", "P2", "P3", "P4", "P5")))
    time = f"2026030110{draw(st.integers(0, 9)):02d}00+0800"
    if draw(st.integers(0, 9)) == 0:
        head = f"MSH|^~\\&|HIS|HOSP|HCRM||{time}||ADT^A40|M{time}|P|2.5\rEVN|A40|{time}\r"
        gone = draw(st.sampled_from(("P1", "P3")))
        return f"{head}PID|||{patient}^^^HOSP^MR\rMRG|{gone}^^^HOSP^MR".encode()
    return registration(
        patient,
        draw(st.sampled_from(NAMES)),
        draw(st.sampled_from(BIRTHS)),
        draw(st.sampled_from(("F", "F", "M", ""))),
        draw(st.sampled_from(PHONES)),
        draw(st.sampled_from(HOMES)),
        draw(st.sampled_from(DOCUMENTS)),
        time,
        draw(st.sampled_from(("", "", "1", "2"))),
    )


streams: st.SearchStrategy[Sequence[bytes]] = st.lists(registrations(), min_size=2, max_size=12)


def with_blocks_of(folder: Path, largest_block: int) -> IdentitySettings:
    """Settings whose model compares no more than so many patients by one key."""
    path = folder / f"model-{largest_block}.json"
    model = msgspec.structs.replace(read_model(None), largest_block=largest_block)
    path.write_bytes(msgspec.json.encode(model))
    return IdentitySettings(model=str(path))
