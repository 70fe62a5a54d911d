"""HL7 v2 messages for tests of the mapping, and what they say as plain values."""

from typing import Any

import msgspec

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter, Hl7v2Settings
from hcrm_core.api import Translation

PID = "PID|1||1001^^^RMYY^MR||王^芳||19900307|F"
PATIENT = "RMYY|MR|1001"
STAY = "RMYY|VN|V1"


def adapter(**settings: Any) -> Hl7v2Adapter:
    """An adapter of the source `his`."""
    return Hl7v2Adapter("his", Hl7v2Settings(**({"adapter": "hl7v2", "timezone": "Asia/Shanghai"} | settings)))


ADAPTER = adapter()


def message(
    event: str, *segments: str, time: str = "20260310103000", evn: str | None = "", version: str = "2.5"
) -> str:
    """A message of a type such as `ADT^A01`; `evn=None` leaves the EVN segment out."""
    lines = [f"MSH|^~\\&|HIS|RMYY|HCRM|RMYY|{time}||{event}|C1|P|{version}|||||CHN|UNICODE UTF-8"]
    if evn is not None:
        lines.append(f"EVN|{event[-3:]}|{evn or time}")
    return "\r".join((*lines, *segments))


def segment(name: str, fields: dict[int, str]) -> str:
    """A segment with these fields."""
    return f"{name}|" + "|".join(fields.get(place, "") for place in range(1, max(fields) + 1))


def pv1(**more: str) -> str:
    """The PV1 of the stay V1, with further fields as `f45=…`."""
    fields = {1: "1", 2: "I", 19: "V1^^^RMYY^VN"}
    return segment("PV1", fields | {int(name[1:]): text for name, text in more.items()})


def translate(event: str, *segments: str, by: Hl7v2Adapter = ADAPTER, **options: Any) -> Translation:
    """Translate a message made of these parts."""
    return by.translate(message(event, *segments, **options).encode())


def said(translation: Translation, kind: str) -> dict[str, dict[str, Any]]:
    """Key → what is said of each record of a kind, without its key and group; what is said empty is `None`."""
    assert translation.quarantine is None, translation.quarantine
    found = {}
    for record in translation.records:
        fields = msgspec.json.decode(msgspec.json.encode(record))
        if fields.pop("kind") == kind:
            fields.pop("group", None)
            found[fields.pop("key")] = fields
    return found


def one(translation: Translation, kind: str) -> dict[str, Any]:
    """What is said of the only record of a kind."""
    (fields,) = said(translation, kind).values()
    return fields


def kinds(translation: Translation) -> list[str]:
    """The kinds of all records, sorted."""
    return sorted(type(record).__name__ for record in translation.records)


def sets(translation: Translation) -> set[tuple[str, str]]:
    """The complete sets as (kind, group)."""
    return {(whole.kind, whole.group) for whole in translation.complete}


def problems(translation: Translation) -> list[str]:
    """The codes of the problems, in order."""
    return [problem.code for problem in translation.problems]
