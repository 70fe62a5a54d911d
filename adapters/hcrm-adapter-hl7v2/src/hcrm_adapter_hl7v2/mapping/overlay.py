"""A site's overlay: tables in the notation of `data/`, laid over those that come with the adapter."""

from typing import Any

import msgspec
from msgspec import Struct, structs

from hcrm_adapter_hl7v2.mapping.tables import Codes, Constants, FieldRule, RecordRule, Tables, data, shipped, whole
from hcrm_core.api import TextFile, TomlFile, nearest


class RecordOverlay(Struct, frozen=True, forbid_unknown_fields=True):
    """What is different in a record table, or a new one: that needs `segment` and `key`."""

    segment: str | None = None
    key: str | tuple[str, ...] | None = None
    fields: dict[str, FieldRule] = {}
    """Each takes the place of the field of that name, or is added."""
    leave_out: tuple[str, ...] = ()
    """Fields that are not read."""
    kind: str | None = None
    group: str | None = None
    says: Constants = {}
    when: dict[str, Constants] = {}
    events: tuple[str, ...] = ()
    """The events that give it beside those that do already: `ADT^A01`, `ADT^*` for all of ADT, `*` for all."""


class EventOverlay(Struct, frozen=True, forbid_unknown_fields=True):
    """What is different in an event, or a new one: that needs `like` or `records`; `like` begins anew."""

    like: str | None = None
    about: str | None = None
    records: tuple[str, ...] | None = None
    snapshot: bool | None = None
    cancels: bool | None = None
    person: bool | None = None
    not_applied: str | None = None
    ignored: tuple[str, ...] | None = None
    says: dict[str, Constants] = {}
    fallback: dict[str, dict[str, tuple[str, ...]]] = {}
    when: dict[str, dict[str, Constants]] = {}


class Overlay(Struct, frozen=True, forbid_unknown_fields=True):
    """An overlay; `source` and `examples` are read by the core."""

    ignored: tuple[str, ...] = ()
    source: dict[str, Any] = {}
    records: dict[str, RecordOverlay] = {}
    events: dict[str, EventOverlay] = {}
    codes: Codes = {}
    examples: list[Any] = []


def overlaid(mapping: TextFile) -> Tables:
    """The tables of a source that has an overlay.

    Raises:
        ConfigurationError: Something in it is wrong; with file, line and what to write.
    """
    from hcrm_adapter_hl7v2.mapping.check import check  # it needs the data types, which need the tables

    file = TomlFile(mapping.text, mapping.path, Overlay)
    tables = laid_over(file)
    check(file, tables)
    return tables


def laid_over(file: TomlFile[Overlay]) -> Tables:
    """The shipped tables with an overlay over them.

    Raises:
        ConfigurationError: A new record table or event lacks what it needs.
    """
    base, overlay = shipped(), file.content
    records = base.records | {name: _record(file, name, base.records.get(name)) for name in overlay.records}
    events = _events(file)
    for name, record in overlay.records.items():
        for place, pattern in enumerate(record.events):
            found = [event for event in events if _matches(event, pattern)]
            if not found:
                raise file.unknown("event", pattern, list(events), "records", name, "events", place)
            for event in found:
                given = events[event]["records"]
                events[event]["records"] = [*given, *([] if name in given else [name])]
    codes = base.codes | {name: base.codes.get(name, {}) | table for name, table in overlay.codes.items()}
    typed = msgspec.convert({"records": {}, "events": events, "codes": codes, "ignored": base.ignored}, Tables)
    return structs.replace(typed, records=records, ignored=base.ignored | frozenset(overlay.ignored))


def _record(file: TomlFile[Overlay], name: str, base: RecordRule | None) -> RecordRule:
    own = file.content.records[name]
    if base is None:
        for needed in ("segment", "key"):
            if getattr(own, needed) is None:
                raise file.refusal(
                    f"{needed} is missing. It is a new table; to change one that is there use its name. "
                    + nearest(name, list(shipped().records)),
                    "records", name,
                )  # fmt: skip
        base = RecordRule(segment="", key="", fields={})
    for place, field in enumerate(own.leave_out):
        if field not in base.fields:
            raise file.unknown("field", field, list(base.fields), "records", name, "leave_out", place)
    said = {one: value for one in ("segment", "key", "kind", "group") if (value := getattr(own, one)) is not None}
    kept = {field: rule for field, rule in base.fields.items() if field not in own.leave_out}
    return structs.replace(
        base, fields=kept | own.fields, says=base.says | own.says, when=base.when | own.when, **said
    )  # fmt: skip


def _events(file: TomlFile[Overlay]) -> dict[str, dict[str, Any]]:
    events = dict(data("events"))
    for name, own in file.tables.get("events", {}).items():
        if name not in events and not own.keys() & {"like", "records"}:
            raise file.unknown("event", name, list(events), "events", name, more="A new one needs `like` or `records`.")
        events[name] = own if "like" in own else events.get(name, {}) | own
    for name, own in file.content.events.items():
        seen = [name]
        while (like := events[seen[-1]].get("like")) is not None:
            if like not in events:
                raise file.unknown("event", like, list(events), "events", name, "like")
            if like in seen:
                raise file.refusal("it is like itself in the end. Say its records instead.", "events", name, "like")
            seen.append(like)
        if own.like is not None and own.like not in events:
            raise file.unknown("event", own.like, list(events), "events", name, "like")
    return whole(events)


def _matches(event: str, pattern: str) -> bool:
    return pattern in ("*", event) or (pattern.endswith("^*") and event.startswith(pattern[:-1]))
