"""One resource as a message, and by what people can find it."""

from typing import Any

import msgspec
from msgspec import Struct

from hcrm_core.api import Problem, RawMessage


class Meta(Struct):
    """What a control id needs of Resource.meta."""

    versionId: str | None = None
    lastUpdated: str | None = None


class Head(Struct):
    """What must be known of a resource before it is a message."""

    resourceType: str | None = None
    id: str | None = None
    meta: Meta | None = None


class _Found(Struct):
    """A head in which something is not of the type that FHIR says."""

    resourceType: Any = None
    id: Any = None
    meta: Any = None


_decode = msgspec.json.Decoder(Head).decode
_decode_found = msgspec.json.Decoder(_Found).decode
LONGEST = 255
"""Characters of a control id."""


def head_of(raw: bytes) -> Head:
    """The head of a JSON object. An element that is of another type than FHIR says is not there.

    Raises:
        msgspec.ValidationError: It is no object.
        msgspec.DecodeError: It is no JSON.
    """
    try:
        return _decode(raw)
    except msgspec.ValidationError:
        found = _decode_found(raw)
    meta = found.meta if isinstance(found.meta, dict) else {}
    written = Meta(_text(meta.get("versionId")), _text(meta.get("lastUpdated")))
    return Head(_text(found.resourceType), _text(found.id), written)


def _text(found: Any) -> str | None:
    return found if isinstance(found, str) else None


def of_resource(raw: bytes, head: Head | None, place: str = "", repairs: tuple[Problem, ...] = ()) -> RawMessage:
    """A resource as it stands; one without a readable head is a message too, which translating it will refuse."""
    return RawMessage(raw, control_id(head) if head else "", repairs, place)


def control_id(head: Head, full_url: str = "", timestamp: str = "") -> str:
    """`Patient/1/_history/2`; without a version `Patient/1` and when it was written; so a new version has a new id."""
    name = f"{head.resourceType}/{head.id or full_url}" if head.id or full_url else ""
    if not name or not head.resourceType:
        return ""
    meta = head.meta or Meta()
    if meta.versionId:
        name = f"{name}/_history/{meta.versionId}"
    elif written := meta.lastUpdated or timestamp:
        name = f"{name} {written}"
    return name[:LONGEST].replace("\0", "")
