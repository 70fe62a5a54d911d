"""Bundles: each entry becomes a message.

The payload is the resource's own bytes wherever it is understood without the bundle. Where it is not - it has no id, it
refers to others by their place in the bundle, its medicine or its time stands beside it - the message is a bundle of
one: a `collection` with the tag SUBSETTED, in which the resource stands first, as sent, and after it what it refers to
with the ids alone. A deletion stays an entry of a history.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from hcrm_adapter_fhir.mapping.compiled import plan
from hcrm_adapter_fhir.reader import Unreadable, decode, deletion, is_subset
from hcrm_adapter_fhir.splitting.one import Head, control_id, head_of, of_resource
from hcrm_core.api import Problem, RawMessage

SUBSETTED = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}]}
"""FHIR's own mark of what is not all of it."""

DEEPEST = 20
"""Bundles within bundles."""

ALONE = Problem(
    "entry-alone",
    "Bundle.entry",
    "The bundle's entry is no list. It was read as the only one; have the sender write a list.",
)

_decode_list = msgspec.json.Decoder(list[Raw]).decode


class _Bundle(Struct):
    type: Any = None
    timestamp: Any = None
    meta: Any = None
    entry: Raw = Raw(b"")


class _Entry(Struct):
    fullUrl: Any = None
    resource: Raw = Raw(b"")
    request: Any = None
    response: Any = None


class _Whole(Struct):
    """Of a resource what others may need of it."""

    resourceType: str
    id: str | None = None
    code: Raw = Raw(b"")
    name: Any = None


class _One:
    """An entry that was read."""

    __slots__ = ("entry", "head", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.entry: _Entry | None = None
        self.head: Head | None = None
        try:
            self.entry = msgspec.json.decode(raw, type=_Entry)
            if not isinstance(self.entry.fullUrl, str):
                self.entry.fullUrl = None
            if self.entry.resource:
                self.head = head_of(bytes(self.entry.resource))
        except (msgspec.DecodeError, ValueError, RecursionError):
            pass


def of_bundle(raw: bytes, place: str = "", written: str = "", depth: int = 0) -> Iterator[RawMessage]:
    """The messages of a bundle, in order; one that cannot be taken apart, or holds nothing, is a message itself.

    Args:
        raw: The bundle.
        place: Where it stood.
        written: When what holds it was written.
        depth: In how many bundles it stood.
    """
    try:
        bundle = msgspec.json.decode(raw, type=_Bundle)
    except (msgspec.DecodeError, ValueError, RecursionError):
        yield of_resource(raw, None, place)
        return
    inside = bytes(bundle.entry)
    alone = inside.startswith(b"{")
    entries = [_One(bytes(one)) for one in (_decode_list(inside) if inside.startswith(b"[") else ())]
    if alone and depth <= DEEPEST:
        for message in _laid_open([_One(inside)], _timestamp(bundle) or written, place, depth):
            yield msgspec.structs.replace(message, repairs=(*message.repairs, ALONE))
    elif not entries or depth > DEEPEST:
        yield of_resource(raw, head_of(raw), place)
    elif _is_of_one(bundle, entries):
        yield RawMessage(raw, _id_of_one(bundle, entries[0]), (), place)
    else:
        yield from _laid_open(entries, _timestamp(bundle) or written, place, depth)


def _laid_open(entries: list[_One], timestamp: str, place: str, depth: int) -> Iterator[RawMessage]:
    others = {f"{one.head.resourceType}/{one.head.id}": one for one in entries if one.head and one.head.id}
    others |= {one.entry.fullUrl: one for one in entries if one.entry and one.entry.fullUrl and one.head}
    for number, one in enumerate(entries, start=1):
        where = f"{place}, entry {number}" if place else f"entry {number}"
        entry, head = one.entry, one.head
        gone = deletion(_plain(one.raw)) if entry is not None and not entry.resource else ""
        if gone:
            yield _deleted(one, gone, timestamp, where)
        elif entry is None or head is None:
            yield of_resource(one.raw, None, where)
        elif head.resourceType == "Bundle":
            yield from of_bundle(bytes(entry.resource), where, timestamp, depth + 1)
        else:
            yield _message(one, head, entry, _written(entry, timestamp), others, where)


def _message(one: _One, head: Head, entry: _Entry, timestamp: str, others: dict[str, _One], where: str) -> RawMessage:
    raw = bytes(entry.resource)
    dated = bool(head.meta and head.meta.lastUpdated)
    known = plan(head.resourceType or "") is not None
    needed = _needed(raw, head, others) if known else {}
    if not known or (head.id and not needed and (dated or not timestamp)):
        return of_resource(raw, head, where)
    first = {"resource": Raw(raw)}
    url = entry.fullUrl or ""
    made: dict[str, Any] = {"resourceType": "Bundle", "meta": SUBSETTED, "type": "collection"}
    if timestamp and not dated:
        made["timestamp"] = timestamp
    linked = [{"fullUrl": name, "resource": resource} for name, resource in needed.items()]
    made["entry"] = [{"fullUrl": url, **first} if url else first, *linked]
    return RawMessage(msgspec.json.encode(made), control_id(head, url, timestamp), (), where)


def _needed(raw: bytes, head: Head, others: dict[str, _One]) -> dict[str, dict[str, Any]]:
    """What a resource refers to and cannot be understood without: `reference` → that resource, with its id alone."""
    found: dict[str, dict[str, Any]] = {}
    # Most references name type and id, and say all there is to say; a medicine's code stands elsewhere in any case.
    if b'"urn:' not in raw and b"://" not in raw and b"medicationReference" not in raw:
        return found
    for reference, medicine in _references(_plain(raw)):
        other = others.get(reference)
        if other is None or other.head is None or other.entry is None or reference in found:
            continue
        literal = reference.rpartition("/")
        by_id = f"{other.head.resourceType}/{other.head.id}"
        if medicine or not (other.head.id and f"{literal[0].rpartition('/')[2]}/{literal[2]}" == by_id):
            found[reference] = _bare(other, medicine)
    return found


def _bare(other: _One, medicine: bool) -> dict[str, Any]:
    assert other.entry is not None and other.head is not None
    made: dict[str, Any] = {"resourceType": other.head.resourceType}
    if other.head.id:
        made["id"] = other.head.id
    made["meta"] = SUBSETTED
    if medicine or other.head.resourceType == "Location":
        try:
            whole = msgspec.json.decode(bytes(other.entry.resource), type=_Whole)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return made
        if medicine and whole.code:
            made["code"] = whole.code
        elif isinstance(whole.name, str):
            made["name"] = whole.name
    return made


def _references(value: Any) -> Iterator[tuple[str, bool]]:
    """All references in a resource, and whether each is to its medicine."""
    waiting: list[tuple[Any, bool]] = [(value, False)]
    while waiting:
        here, medicine = waiting.pop()
        if isinstance(here, dict):
            text = here.get("reference")
            if isinstance(text, str):
                yield text, medicine
            waiting += [(inner, name == "medicationReference") for name, inner in reversed(here.items())]
        elif isinstance(here, list):
            waiting += [(inner, medicine) for inner in reversed(here)]


def _written(entry: _Entry, timestamp: str) -> str:
    """When the server changed what an entry tells of, else when the bundle was written."""
    changed = entry.response.get("lastModified") if isinstance(entry.response, dict) else None
    return changed if isinstance(changed, str) and changed else timestamp


def _deleted(one: _One, gone: str, timestamp: str, where: str) -> RawMessage:
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "history"}
    if timestamp:
        made["timestamp"] = timestamp
    made["entry"] = [Raw(one.raw)]
    return RawMessage(msgspec.json.encode(made), _id_of_deletion(timestamp, one, gone), (), where)


def dated(raw: bytes, head: Head, timestamp: str, where: str) -> RawMessage:
    """A resource that does not say when it was written, with the time at which the file that holds it was."""
    return _message(_One(b""), head, _Entry(resource=Raw(raw)), timestamp, {}, where)


def _timestamp(bundle: _Bundle) -> str:
    """When a bundle was written; servers say it of a search in its meta."""
    meta = bundle.meta.get("lastUpdated") if isinstance(bundle.meta, dict) and bundle.type == "searchset" else None
    return next((one for one in (bundle.timestamp, meta) if isinstance(one, str) and one), "")


def _is_of_one(bundle: _Bundle, entries: list[_One]) -> bool:
    if bundle.type == "history" and len(entries) == 1 and entries[0].entry and not entries[0].entry.resource:
        return bool(deletion(_plain(entries[0].raw)))
    if bundle.type != "collection" or entries[0].head is None or not is_subset({"meta": bundle.meta}):
        return False
    return all(one.entry and is_subset(_plain(bytes(one.entry.resource))) and one.entry.fullUrl for one in entries[1:])


def _id_of_one(bundle: _Bundle, one: _One) -> str:
    timestamp = _timestamp(bundle)
    if one.head is None:
        return _id_of_deletion(timestamp, one, deletion(_plain(one.raw)))
    assert one.entry is not None
    return control_id(one.head, one.entry.fullUrl or "", timestamp)


def _id_of_deletion(timestamp: str, one: _One, gone: str) -> str:
    assert one.entry is not None
    return f"{gone} deleted {_written(one.entry, timestamp)}".rstrip()


def _plain(raw: bytes) -> dict[str, Any]:
    try:
        found = decode(raw)
    except Unreadable:
        return {}
    return found if isinstance(found, dict) else {}
