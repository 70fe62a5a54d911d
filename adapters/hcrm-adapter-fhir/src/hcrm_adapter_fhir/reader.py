"""A message as JSON values: numbers keep their digits, and what cannot be read is a sentence."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

BOM = b"\xef\xbb\xbf"


class Number(str):
    """A JSON number with a fraction or an exponent, digits as sent."""

    __slots__ = ()


class Unreadable(Exception):
    """It is no JSON, or no resource; the text is a sentence."""


class Message(NamedTuple):
    """One resource and what was sent around it.

    Attributes:
        type: Of the resource.
        resource: Its elements; `None` where it was deleted.
        full_url: Under which the bundle held it.
        timestamp: When the bundle was written, or the server changed it.
        links: `fullUrl` → resource of those it refers to, with their ids alone.
        deleted: What was deleted, as `Patient/123`.
    """

    type: str
    resource: dict[str, Any]
    full_url: str = ""
    timestamp: str = ""
    links: Mapping[str, dict[str, Any]] = MappingProxyType({})
    deleted: str = ""


_decoder = msgspec.json.Decoder(float_hook=Number)
_encoder = msgspec.json.Encoder(enc_hook=lambda number: msgspec.Raw(str(number).encode()), order="sorted")


def encode(value: Any) -> bytes:
    """Values that were decoded as JSON again, numbers as they were sent, elements in order of their names."""
    return _encoder.encode(value)


def decode(data: bytes) -> Any:
    """JSON as values.

    Raises:
        Unreadable: It is none.
    """
    if data.startswith(BOM):
        data = data[3:]
    try:
        return _decoder.decode(data)
    except UnicodeDecodeError:
        raise Unreadable(f"byte {_not_utf_8(data)} is no UTF-8. FHIR is sent in UTF-8") from None
    except RecursionError:
        raise Unreadable("it is nested deeper than any resource is") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise Unreadable(f"it is no JSON ({_reason(error)})") from None


def read(payload: bytes) -> Message:
    """A message of `splitting`.

    Raises:
        Unreadable: It is no resource.
    """
    value = decode(payload)
    if not isinstance(value, dict):
        raise Unreadable("it is JSON, but no object; a resource begins with {")
    kind = value.get("resourceType")
    if kind is None and (value.keys() & {"request", "response"}) and "resource" not in value:
        # A question of a batch, or the answer to one: it says nothing of anybody.
        return Message("Bundle", value)
    if kind is None and value.keys() & {"fullUrl", "search", "resource"}:
        raise Unreadable("the entry of the bundle holds no resource")
    if not isinstance(kind, str) or not is_name(kind):
        raise Unreadable("it has no resourceType")
    if kind == "Bundle":
        return _of_bundle(value)
    return Message(kind, value)


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Kind(msgspec.Struct):
    resourceType: str


class _Bundle(msgspec.Struct):
    entry: list[_Entry] = []


def resource_bytes(payload: bytes) -> bytes:
    """The bytes of the resource in a message that was read."""
    raw = payload.removeprefix(BOM)
    if msgspec.json.decode(raw, type=_Kind).resourceType != "Bundle":
        return raw
    entries = msgspec.json.decode(raw, type=_Bundle).entry
    return bytes(entries[0].resource) if entries else raw


def is_name(found: Any) -> bool:
    """Whether it can be the name of a resource type or an element."""
    return isinstance(found, str) and found.isascii() and found.isidentifier() and len(found) < 80


def entries_of(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of a bundle that are objects."""
    found = bundle.get("entry")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def is_subset(resource: dict[str, Any]) -> bool:
    """Whether a resource says of itself that it is not all of it."""
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    return isinstance(tags, list) and any(isinstance(tag, dict) and tag.get("code") == "SUBSETTED" for tag in tags)


def deletion(entry: dict[str, Any]) -> str:
    """What an entry of a history says was deleted, as `Patient/123`; empty where nothing was."""
    request = entry.get("request")
    if not isinstance(request, dict) or request.get("method") != "DELETE" or not isinstance(request.get("url"), str):
        return ""
    parts = request["url"].partition("?")[0].rstrip("/").split("/")
    if "_history" in parts:
        parts = parts[: parts.index("_history")]
    return "/".join(parts[-2:]) if len(parts) > 1 and is_name(parts[-2]) and parts[-1] else ""


def _of_bundle(bundle: dict[str, Any]) -> Message:
    if not isinstance(bundle.get("entry") or [], list):
        raise Unreadable("it is a bundle whose entry is no list")
    entries = entries_of(bundle)
    timestamp = bundle.get("timestamp")
    timestamp = timestamp if isinstance(timestamp, str) else ""
    if len(entries) == 1 and (gone := deletion(entries[0])):
        response = entries[0].get("response")
        when = response.get("lastModified") if isinstance(response, dict) else None
        return Message(gone.partition("/")[0], {}, timestamp=when if isinstance(when, str) else timestamp, deleted=gone)
    if bundle.get("type") == "collection" and is_subset(bundle) and entries:
        first = entries[0].get("resource")
        if not isinstance(first, dict) or not is_name(first.get("resourceType")):
            raise Unreadable("the first entry of the bundle holds no resource")
        links = {
            one["fullUrl"]: one["resource"]
            for one in entries[1:]
            if isinstance(one.get("fullUrl"), str) and isinstance(one.get("resource"), dict)
        }
        url = entries[0].get("fullUrl")
        return Message(first["resourceType"], first, url if isinstance(url, str) else "", timestamp, links)
    if entries:
        raise Unreadable("it is a bundle of several resources, which was not split. Read it by hcrm ingest")
    return Message("Bundle", bundle, timestamp=timestamp)


def _not_utf_8(data: bytes) -> int:
    """The first byte that is none, counted from 1; the decoder counts within a text."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start + 1
    return len(data)


def _reason(error: Exception) -> str:
    # The decoder tells a kind of fault and a place, never what stands there; an invalid character is not shown.
    return str(error).partition("\n")[0]
