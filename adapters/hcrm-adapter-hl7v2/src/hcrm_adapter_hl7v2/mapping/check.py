"""What an overlay says, held against what there is, before any message is read by it."""

import re
from typing import Any

from hcrm_adapter_hl7v2.mapping.check_field import FieldChecker
from hcrm_adapter_hl7v2.mapping.closed import check_codes
from hcrm_adapter_hl7v2.mapping.kinds import NAMED_KEYS, ORIGINS, REFERRED, SEGMENT
from hcrm_adapter_hl7v2.mapping.overlay import Overlay
from hcrm_adapter_hl7v2.mapping.tables import Tables, data, shipped
from hcrm_adapter_hl7v2.reader import parse_path
from hcrm_core.api import KINDS, TomlFile, fields_of, reference_of


def check(file: TomlFile[Overlay], tables: Tables) -> None:
    """Refuse an overlay that names what there is not, or gives a field what does not fit it.

    Args:
        file: The overlay.
        tables: As it makes them.

    Raises:
        ConfigurationError: With file, line and what to write.
    """
    _Checker(file, tables).run()


class _Checker:
    def __init__(self, file: TomlFile[Overlay], tables: Tables) -> None:
        self.file = file
        self.tables = tables
        self.field = FieldChecker(file, tables)

    def run(self) -> None:
        overlay = self.file.content
        for place, one in enumerate(overlay.ignored):
            self._segment_or_field(one, "ignored", place)
        for name in overlay.records:
            self._record(name)
        for name in overlay.events:
            self._event(name)
        check_codes(self.file, self.tables)
        for name in overlay.codes:
            self._codes(name)

    def _record(self, name: str) -> None:
        own, rule, at = self.file.content.records[name], self.tables.records[name], ("records", name)
        kind = rule.kind or name
        if kind not in KINDS:
            raise self.file.unknown("kind of record", kind, list(KINDS), *at, *(("kind",) if own.kind else ()))
        if not re.fullmatch(SEGMENT, rule.segment):
            raise self.file.refusal(f"{rule.segment!r} is no id of a segment, as ZPI is.", *at, "segment")
        if own.key is not None:
            self._key(own.key, *at, "key")
            self._referred(name, own.key, *at, "key")
        if own.group is not None:
            self._part(own.group, *at, "group")
        for field in own.fields:
            self.field.check(kind, rule, field, *at, "fields", field)
        self._constants(kind, own.says, *at, "says")
        for condition, constants in own.when.items():
            self.field.condition(condition, *at, "when", condition)
            self._constants(kind, constants, *at, "when", condition)
        self._belongs(kind, name)
        if not any(name in event.records for event in self.tables.events.values()):
            advice = 'Say which: events = ["ADT^A01"], or ["*"] for all.'
            raise self.file.refusal(f"no event gives it, so nothing would be read by it. {advice}", *at)

    def _belongs(self, kind: str, name: str) -> None:
        """A record about a patient that does not say whose it is would be nobody's."""
        rule = self.tables.records[name]
        whose = [field for field in fields_of(kind) if reference_of(kind, field) == "Patient"]
        if whose and not any(field in rule.fields for field in whose):
            advice = f'Add {whose[0]} = {{ from = "patient" }} to its fields.'
            raise self.file.refusal(f"nothing says whose it is. {advice}", "records", name)

    def _key(self, key: str | tuple[str, ...], *at: str | int) -> None:
        if isinstance(key, str):
            if key not in NAMED_KEYS:
                raise self.file.unknown(
                    "named key", key, list(NAMED_KEYS), *at, more='Or write parts: ["{patient}", …].'
                )
            return
        for place, part in enumerate(key):
            self._part(part, *at, place)

    def _referred(self, name: str, key: str | tuple[str, ...], *at: str | int) -> None:
        """References are made by the built-in keys, whatever the table of what they refer to says."""
        base = shipped().records.get(name)
        if base is None or key == base.key or not isinstance(base.key, str) or base.key not in REFERRED:
            return
        raise self.file.refusal(
            f"other records refer to those of {base.kind or name} by the built-in key {base.key!r} and would find none "
            f"by another. Take the key out, and have the sender fill {REFERRED[base.key]}, of which the built-in one "
            "is made.",
            *at,
        )

    def _part(self, part: str, *at: str | int) -> None:
        for choice in part.removesuffix("?").split(" or "):
            name = re.fullmatch(r"\{(.*)\}", choice)
            if name is None:
                self._key_path(choice.removeprefix("entity "), *at)
            elif name[1] not in ORIGINS:
                raise self.file.unknown("record at hand", name[1], list(ORIGINS), *at)

    def _key_path(self, text: str, *at: str | int) -> None:
        self.field.path(text, *at)
        path = parse_path(text)
        if path.field != 1:
            return
        from hcrm_adapter_hl7v2.dictionary import is_set_id  # slow, and seldom needed

        if is_set_id(f"{path.segment}-1"):
            raise self.file.refusal(
                f"{path.segment}-1 is a set id: it counts the segments of one message, and the next message counts "
                "anew. Name fields that say what the record is about, such as a number or a code.",
                *at,
            )

    def _event(self, name: str) -> None:
        own, at = self.file.content.events[name], ("events", name)
        if not re.fullmatch(r"\*|[A-Z][A-Z0-9]{2}\^([A-Z0-9]{3}|\*)", name):
            raise self.file.refusal('it is no type of a message. Write one as "ADT^A01".', *at)
        for place, record in enumerate(own.records or ()):
            self._known_record(record, *at, "records", place)
        for place, one in enumerate(own.ignored or ()):
            self._segment_or_field(one, *at, "ignored", place)
        for record, constants in own.says.items():
            self._constants(self._known_record(record, *at, "says", record), constants, *at, "says", record)
        for record, conditions in own.when.items():
            kind = self._known_record(record, *at, "when", record)
            for condition, constants in conditions.items():
                self.field.condition(condition, *at, "when", record, condition)
                self._constants(kind, constants, *at, "when", record, condition)
        for record, fields in own.fallback.items():
            kind = self._known_record(record, *at, "fallback", record)
            for field, paths in fields.items():
                self.field.known(kind, field, *at, "fallback", record, field)
                for place, path in enumerate(paths):
                    self.field.path(path, *at, "fallback", record, field, place)

    def _known_record(self, name: str, *at: str | int) -> str:
        if name not in self.tables.records:
            raise self.file.unknown("record table", name, list(self.tables.records), *at)
        return self.tables.records[name].kind or name

    def _codes(self, name: str) -> None:
        used = {rule.table for record in self.tables.records.values() for rule in record.fields.values()}
        if name not in shipped().codes and name not in used:
            advice = "No field of a record reads by it."
            raise self.file.unknown("code table", name, list(shipped().codes), "codes", name, more=advice)
        allowed: list[Any] = data("values")["tables"].get(name, [])
        for code, value in self.file.content.codes[name].items():
            if allowed and value != "" and value not in allowed:
                raise self.file.unknown("value", _written(value), list(map(_written, allowed)), "codes", name, code)

    def _constants(self, kind: str, constants: dict[str, str | bool], *at: str | int) -> None:
        for field, value in constants.items():
            self.field.constant(kind, field, value, *at, field)

    def _segment_or_field(self, text: str, *at: str | int) -> None:
        if not re.fullmatch(rf"{SEGMENT}(-[1-9][0-9]*)?", text):
            raise self.file.refusal(f"{text!r} is neither a segment nor a field. Write ZPI or ZPI-3.", *at)


def _written(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()
