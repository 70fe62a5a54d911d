"""Files: one resource, a bundle, a list, NDJSON, or several of them one after the other."""

from collections.abc import Iterator

import msgspec

from hcrm_adapter_fhir.reader import BOM
from hcrm_adapter_fhir.splitting.bundles import dated, of_bundle
from hcrm_adapter_fhir.splitting.one import Head, head_of, of_resource
from hcrm_adapter_fhir.splitting.pieces import values
from hcrm_core.api import InputError, Problem, RawMessage

_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_SPACE = b" \t\r\n"

BROKEN = Problem(
    "broken-json",
    "",
    "The file is broken; what is whole in it was read, the rest is kept as it is. Ask for the file again.",
)


def messages(data: bytes, name: str) -> Iterator[RawMessage]:
    """The messages of a file, in order.

    Args:
        data: The file, or whole lines of it.
        name: Its name: in NDJSON a line is a message, whatever it holds.

    Raises:
        InputError: No resource is in it.
    """
    if data.startswith(BOM):
        data = data[3:]
    if ".ndjson" in name.lower():
        yield from lines(data)
        return
    start = data.lstrip(_SPACE)[:1]
    if start not in (b"{", b"["):
        raise InputError(_seems(data))
    try:
        whole = head_of(data)
    except msgspec.ValidationError:
        yield from _listed(data)
        return
    except (msgspec.DecodeError, ValueError, RecursionError):
        # Lines that came through a pipe, or in a file that is called otherwise.
        yield from lines(data) if _head(data.partition(b"\n")[0]) is not None else _broken(data)
        return
    yield from of_value(data.strip(_SPACE), whole)


def of_value(raw: bytes, head: Head | None, place: str = "", timestamp: str = "") -> Iterator[RawMessage]:
    """The messages of one JSON object."""
    if head is not None and head.resourceType == "Bundle":
        yield from of_bundle(raw, place, timestamp)
    elif head is not None and timestamp:
        yield dated(raw, head, timestamp, place)
    else:
        yield of_resource(raw, head, place)


def lines(data: bytes, before: int = 0, place: str = "", timestamp: str = "") -> Iterator[RawMessage]:
    """The messages of NDJSON.

    Args:
        data: Whole lines.
        before: How many lines stand before them.
        place: What people call the file.
        timestamp: When it was written, for resources that do not say it themselves.
    """
    for number, line in enumerate(data.split(b"\n"), start=before + 1):
        text = line.strip(_SPACE)
        if text:
            yield from of_value(text, _head(text), f"{place}line {number}", timestamp)


def _listed(data: bytes) -> Iterator[RawMessage]:
    try:
        listed = _decode_list(data)
    except (msgspec.DecodeError, ValueError, RecursionError):
        yield of_resource(data.strip(_SPACE), None)
        return
    if not listed:
        raise InputError("it is an empty list")
    for number, one in enumerate(listed, start=1):
        raw = bytes(one)
        yield from of_value(raw, _head(raw), f"item {number}")


def _broken(data: bytes) -> Iterator[RawMessage]:
    """What can be had of a file that is no JSON as a whole: values one after the other, or those before a fault."""
    found = list(values(data))
    single = len(found) == 1
    for number, (raw, whole) in enumerate(found, start=1):
        head = _head(raw) if whole else None
        if head is None and raw[:1] in (b"{", b"["):
            yield from _salvaged(raw, "" if single else f"item {number}")
        else:
            yield from of_value(raw, head, "" if single else f"item {number}")


def _salvaged(raw: bytes, place: str) -> Iterator[RawMessage]:
    """The entries of a bundle, or items of a list, that is broken somewhere."""
    opening = _opening(raw)
    if opening < 0:
        yield _marked(of_resource(raw, None, place))
        return
    count = 0
    for count, (item, whole) in enumerate(values(raw[opening + 1 :]), start=1):
        where = f"entry {count}"
        head = _head(item) if whole else None
        entry = _resource_in(item) if head is not None and head.resourceType is None else item
        if head is None or not entry:
            yield _marked(of_resource(item, None, where))
        else:
            for message in of_value(entry, _head(entry), where):
                yield _marked(message)
    if not count:
        yield _marked(of_resource(raw, None, place))


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


def _resource_in(item: bytes) -> bytes:
    try:
        return bytes(msgspec.json.decode(item, type=_Entry).resource)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return b""


def _opening(raw: bytes) -> int:
    """Where the list of entries of a broken bundle opens; that of a broken list itself."""
    if raw[:1] == b"[":
        return 0
    at = raw.find(b'"entry"')
    return raw.find(b"[", at) if at >= 0 and raw[:400].find(b'"Bundle"') >= 0 else -1


def _marked(message: RawMessage) -> RawMessage:
    return msgspec.structs.replace(message, repairs=(*message.repairs, BROKEN))


def _head(raw: bytes) -> Head | None:
    try:
        return head_of(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _seems(data: bytes) -> str:
    start = data.lstrip(_SPACE)[:200]
    if not start:
        return "it is empty"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "it is UTF-16, and FHIR is sent in UTF-8"
    if start.startswith(b"<"):
        return "it is XML; FHIR is read in JSON here, which every FHIR server sends for Accept: application/fhir+json"
    if start[:2] == b"PK":
        return "it is a zip archive or a spreadsheet"
    if start.startswith((b"MSH|", b"\x0bMSH|")):
        return "it is HL7 v2, which the adapter hl7v2 reads"
    return "it is no JSON"
