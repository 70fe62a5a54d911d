"""One resource as a message, and by what people can find it."""

import msgspec
from msgspec import Struct

from hcrm_core.api import Problem, RawMessage


class Meta(Struct):
    """What a control id needs of Resource.meta."""

    versionId: str | None = None
    lastUpdated: str | None = None


class Head(Struct):
    """What must be known of a resource before it is a message; JSON of other shapes does not fit."""

    resourceType: str | None = None
    id: str | None = None
    meta: Meta | None = None


_decode = msgspec.json.Decoder(Head).decode
LONGEST = 255
"""Characters of a control id."""


def head_of(raw: bytes) -> Head:
    """The head of a JSON object.

    Raises:
        msgspec.ValidationError: It is no object, or an element of the head is of another type than FHIR says.
        msgspec.DecodeError: It is no JSON.
    """
    return _decode(raw)


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
