"""Follow the tables: one message in, its records, sets, coverage and problems out."""

from collections import Counter
from hashlib import blake2b
from typing import Any

from msgspec import structs

from hcrm_adapter_hl7v2.mapping import dates
from hcrm_adapter_hl7v2.mapping.charges import line_amount
from hcrm_adapter_hl7v2.mapping.compiled import Condition, Event, Field, Plan, Reckoned
from hcrm_adapter_hl7v2.mapping.datatypes import amount, minutes, period
from hcrm_adapter_hl7v2.mapping.identities import Identities
from hcrm_adapter_hl7v2.mapping.keys import patient_identifiers
from hcrm_adapter_hl7v2.mapping.linked import LINKED, provider
from hcrm_adapter_hl7v2.mapping.observation import VALUE_FIELDS, observation_value
from hcrm_adapter_hl7v2.mapping.view import NULL, View
from hcrm_adapter_hl7v2.reader import Path
from hcrm_core.api import UNSET, CompleteSet, Organization, Origin, Practitioner, Record

Fields = dict[str, Any]


class Translator:
    """Applies one event's plans to one message.

    Attributes:
        records: (kind, key) → record, in the order first met.
        complete: The sets stated whole.
        origins: Where each field came from; filled only when asked for.
    """

    def __init__(self, view: View, event: Event, *, trace: bool = False) -> None:
        self.view = view
        self.event = event
        self.records: dict[tuple[str, str], Record] = {}
        self.complete: list[CompleteSet] = []
        self.origins: list[Origin] = []
        self._trace = trace
        self._made: dict[tuple[str, str], Record] = {}
        self._identities = Identities(view, event)

    @property
    def about_somebody(self) -> bool:
        """Whether the message has a usable patient."""
        return self._identities.about_somebody

    def run(self) -> None:
        """Make all records."""
        if self.event.rule.not_applied:
            self.view.report("not-applied", "MSH-9", self.event.rule.not_applied)
        for plan in self.event.plans:
            indexes = self.view.positions.get(plan.segment, ())
            keys = [self._identities.key(plan, index) for index in indexes]
            met: Counter[str] = Counter()
            twice = {key for key, count in Counter(keys).items() if count > 1} if len(keys) > 1 else set()
            for index, key in zip(indexes, keys, strict=True):
                if key is None:
                    self._nameless(plan, index)
                    continue
                if key in twice:
                    met[key] += 1
                    key = self._apart(plan.kind, key, index, met[key])
                self._record(plan, index, key)
            self._complete_sets(plan, indexes)
        if self.event.ties and not self.event.ties & {kind for kind, _ in self.records}:
            self.view.report(
                "not-tied", "MRG",
                "The event merges, links or moves, and the message does not name two that differ: MRG and PID (of "
                "stays MRG-5 and PV1-19), or two PID. Nothing was merged, linked or moved. Have the sender fill them "
                "and send it again.",
            )  # fmt: skip

    def _nameless(self, plan: Plan, index: int) -> None:
        """Report a record that is told of and cannot be told from others."""
        numbered = plan.key == "prescription" or not isinstance(plan.key, str)
        # Who cannot be told from others is reported once, as the message's patient.
        if numbered and plan.personal and self._identities.reference("patient", index) is not None:
            self.view.report(
                "no-key", plan.segment,
                f"A {plan.kind} is told of, and the fields that tell it from others are empty, so it was left out. "
                "Have the sender fill them; the reference of mappings names them under the record's key.",
            )  # fmt: skip

    def _apart(self, kind: str, key: str, index: int, number: int) -> str:
        """The key of one of several records of a message that would have the same."""
        if kind == "Observation":
            # The lines of a text: the second of a preliminary result is the second of the final one.
            return key if number == 1 else f"{key}|{number}"
        return f"{key}|{self._content(index)}" if kind == "ChargeItem" else key

    def _record(self, plan: Plan, index: int, key: str) -> None:
        if plan.segment == "OBR":
            self._identities.reports[index] = key
        fields: Fields = {}
        texts = self.view.message.fields_at(index)
        filled, remembered = len(texts), self.view.remembered
        for field in plan.fields:
            place = field.place
            if place >= 0:
                if place >= filled or not (raw := texts[place]):
                    continue
                # Most fields stand in one place and are read by themselves: no path needs to be followed.
                if field.read:
                    where = field.paths[0][1]
                    value = None if raw == NULL else remembered(field.read, raw, where)
                    if value is UNSET or (field.join and not value and value is not None):
                        continue
                    fields[field.attribute] = value
                    if self._trace:
                        self.origins.append(Origin(plan.kind, key, field.name, where))
                    continue
            value, where = self._value(field, index)
            if value is UNSET:
                continue
            if field.datatype == "observation-value":
                fields |= value or dict.fromkeys(VALUE_FIELDS)
                names: tuple[str, ...] = VALUE_FIELDS
            else:
                fields[field.attribute] = value
                names = (field.name,)
            if self._trace:
                self.origins += [Origin(plan.kind, key, name, where) for name in names]
        for name, paths in plan.fallback:
            if name not in fields:
                self._fall_back(plan.kind, key, fields, name, paths, index)
        for default in plan.defaults:
            if default.attribute not in fields and not any(self.view.raw(path, index) for path in default.paths):
                fields[default.attribute] = default.value
                self._trace_constants(plan.kind, key, {default.attribute: default.value})
        for condition, constants in plan.when:
            if self._holds(condition, index):
                fields |= constants
                self._trace_constants(plan.kind, key, constants)
        fields |= plan.says
        self._trace_constants(plan.kind, key, plan.says)
        if plan.kind == "Encounter":
            stay = self._identities.stay(index)
            if self.event.rule.cancels and stay and stay.uncertain:
                self.view.report(
                    "uncertain-cancel", "PV1-19",
                    "This takes back an event of a stay that has no visit number; it was not applied. Cancel by hand "
                    "or have the sender fill PV1-19.",
                )  # fmt: skip
                return
        for reckoned in plan.reckoned:
            if reckoned.attribute not in fields and fields.get(reckoned.after):
                self._reckon(plan.kind, key, fields, reckoned, index)
        if plan.kind == "ChargeItem" and fields.get("type") == "CD" and (price := fields.get("price")):
            fields["price"] = structs.replace(price, amount=-abs(price.amount))
        group = self._identities.part(plan.group, index) if plan.group else None
        record = plan.make(key=key, group=group, **fields)
        if self._made.setdefault((plan.name, key), record) != record:
            self.view.report(
                "same-key", plan.segment,
                f"Two segments {plan.segment} that say different things make one {plan.kind}; what the later one says "
                "holds. Have the sender fill what tells them apart, or write another key in the mapping.",
            )  # fmt: skip
        self._put(plan.kind, key, record)

    def _fall_back(
        self, kind: str, key: str, fields: Fields, name: str, paths: tuple[tuple[Path, str], ...], index: int
    ) -> None:
        for path, reference in paths:
            moment = dates.date_time(self.view.first(self.view.raw(path, index)), self.view.zone)
            if moment:
                fields[name] = moment
                if self._trace:
                    self.origins.append(Origin(kind, key, name, reference))
                return

    def _reckon(self, kind: str, key: str, fields: Fields, reckoned: Reckoned, index: int) -> None:
        length, where = self._value(reckoned.length, index)
        moment = dates.add_minutes(fields[reckoned.after], length) if length else None
        if moment:
            fields[reckoned.attribute] = moment
            if self._trace:
                after = {one.field: one.path for one in self.origins if (one.kind, one.key) == (kind, key)}
                start = after[reckoned.after.rstrip("_")]
                self.origins.append(Origin(kind, key, reckoned.name, f"{start}, {where}"))

    def _put(self, kind: str, key: str, record: Record) -> None:
        before = self.records.get((kind, key))
        if before is None:
            self.records[kind, key] = record
        elif before != record:
            said = {name: value for name in record.__struct_fields__ if (value := getattr(record, name)) is not UNSET}
            self.records[kind, key] = structs.replace(before, **said)

    def _value(self, field: Field, index: int) -> tuple[Any, str]:
        if field.origin:
            return self._reference(field.origin, index), f"key of {field.origin}"
        if field.where:
            places = self.view.positions.get(field.where.path.segment, ())
            at = next((place for place in places if self._holds(field.where, place)), None)
            if at is None:
                return UNSET, ""
            index = at
        empty: Any = UNSET
        told = ""
        joined: tuple[Any, ...] = ()
        for path, reference in field.paths:
            raw = self.view.raw(path, index)
            if not raw:
                continue
            if raw == NULL:
                empty, told = None, told or reference
                continue
            noticed = self.view.noticed
            if field.read:
                value = self.view.remembered(field.read, raw, reference)
            else:
                value = self._special(field, raw, index, reference)
            if value is UNSET:
                # A status that is not understood is not replaced by one that is said less exactly.
                if field.datatype == "code" and self.view.noticed > noticed:
                    break
                continue
            if not field.join:
                return value, reference
            joined += value
            told = f"{told}, {reference}" if told else reference
        return (joined or empty), told

    def _special(self, field: Field, raw: str, index: int, where: str) -> Any:
        if field.datatype == "observation-value":
            return observation_value(self.view, index, raw, where)
        if field.datatype in ("minutes", "amount"):
            # A unit that stands nowhere is that of the standard.
            units = dict(zip((path for _, path in field.paths), field.units, strict=False))
            unit = self.view.raw(units[where], index) if where in units else ""
            return (minutes if field.datatype == "minutes" else amount)(self.view, raw, unit, where)
        if field.datatype == "line-amount":
            return line_amount(self.view, index, raw, where)
        if field.datatype == "patient-identifiers":
            return patient_identifiers(self.view, index, raw, where)
        if field.datatype == "period":
            return period(self.view, [self.view.raw(path, index) for path, _ in field.paths], where)
        if field.datatype == "provider":
            record: Practitioner | Organization | None = provider(self.view, index)
        else:
            record = self.view.remembered(LINKED[field.datatype], raw, where)
        if record is None:
            return UNSET
        self._put(type(record).__name__, record.key, record)
        if self._trace:
            said = [name for name in ("name", "code", "type") if getattr(record, name, UNSET) is not UNSET]
            self.origins += [Origin(type(record).__name__, record.key, name, where) for name in said]
        return record.key

    def _holds(self, condition: Condition, index: int) -> bool:
        raw = self.view.raw(condition.path, index)
        if condition.code is None:
            return bool(raw) and raw != NULL
        return condition.code in map(self.view.first, self.view.repetitions(raw))

    def _reference(self, name: str, index: int) -> Any:
        if name == "uncertain":
            stay = self._identities.stay(index)
            return True if stay and stay.uncertain else UNSET
        found = self._identities.reference(name, index)
        return UNSET if found is None else found

    def _content(self, index: int) -> str:
        # The set id in field 1 is a position; a repetition is known by what it says.
        said = self.view.message.delimiters.field.join(self.view.message.fields_at(index)[2:])
        return blake2b(said.encode(), digest_size=6).hexdigest()

    def _complete_sets(self, plan: Plan, indexes: list[int] | tuple[()]) -> None:
        if not (self.event.rule.snapshot and plan.group):
            return
        groups = dict.fromkeys(self._identities.part(plan.group, index) for index in indexes)
        self.complete += [CompleteSet(plan.kind, group) for group in groups if group]

    def _trace_constants(self, kind: str, key: str, constants: Fields) -> None:
        if self._trace and constants:
            names = {name.rstrip("_") for name in constants}
            # What the event states overrules what a field said.
            self.origins = [o for o in self.origins if (o.kind, o.key) != (kind, key) or o.field not in names]
            self.origins += [Origin(kind, key, name, "MSH-9") for name in sorted(names)]
