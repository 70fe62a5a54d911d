"""Follow the mapping: one row in, its records, coverage and problems out."""

from typing import Any

from msgspec import structs

from hcrm_adapter_tabular.mapping import dates
from hcrm_adapter_tabular.mapping.compiled import Cells, Condition, Field, Layout, Part, Plan, attribute
from hcrm_adapter_tabular.mapping.datatypes import (
    LINKS,
    READERS,
    VALUE_FIELDS,
    Read,
    Unreadable,
    Writing,
    coded,
    minutes,
)
from hcrm_adapter_tabular.mapping.tables import FieldRule, listed
from hcrm_adapter_tabular.rows import Cell, Row, text
from hcrm_core.api import (
    KINDS,
    UNSET,
    CompleteSet,
    HumanName,
    Organization,
    Origin,
    Practitioner,
    Problem,
    Quantity,
    Record,
)

Fields = dict[str, Any]


class Translator:
    """Applies the plans of a layout to one row.

    Attributes:
        records: (kind, key) → record, in the order first met.
        complete: The sets that a row taking its record back states empty.
        origins: Where each field came from; filled only when asked for.
        problems: What was left out or is doubtful.
        quarantine: Why the row cannot be taken at all.
    """

    def __init__(self, row: Row, layout: Layout, writing: Writing, *, trace: bool = False) -> None:
        self.records: dict[tuple[str, str], Record] = {}
        self.complete: list[CompleteSet] = []
        self.origins: list[Origin] = []
        self.problems: list[Problem] = []
        self.quarantine: Problem | None = None
        self._row = row
        self._cells = row.cells
        self._filled = {
            heading: cell
            for heading, cell in row.cells.items()
            if cell is not None and (not isinstance(cell, str) or cell.strip())
        }
        self._layout = layout
        self._writing = writing
        self._trace = trace
        self._keys: dict[str, str | None] = {}

    def run(self) -> None:
        """Make all records."""
        for plan in self._layout.plans:
            if all(map(self._first, plan.needs)):
                self._record(plan)

    def key(self, name: str) -> str | None:
        """The key of something the row names: the first of its keys all of whose parts are filled."""
        if name == "authority":
            return self._writing.authority
        if name not in self._keys:
            self._keys[name] = None  # a key that needs itself is none
            made = (self._joined(parts) for parts in self._layout.keys.get(name, ()))
            self._keys[name] = next((one for one in made if one), None)
        return self._keys[name]

    def said_at(self) -> int | None:
        """When the row was written, by its view, its file or itself; microseconds since 1970 UTC."""
        writing = self._writing
        found = dates.date_time(self._row.as_of, writing.zone) if self._row.as_of else None
        if found:
            return dates.microseconds(found, writing.zone)
        for heading in self._layout.said_at:
            if (cell := self._filled.get(heading)) is not None:
                found = dates.date_time(cell, writing.zone, writing.order, self._row.since_1904)
                if found:
                    return dates.microseconds(found, writing.zone)
                self.report("bad-date", heading, "This is no time, so the row is not ordered by it.")
        return None

    def report(self, code: str, where: str, sentence: str) -> None:
        """Note a problem once."""
        problem = Problem(code, where, sentence)
        if problem not in self.problems:
            self.problems.append(problem)

    def _record(self, plan: Plan) -> None:
        key = self._joined(plan.key)
        if key is None:
            return
        if self._holds(plan.void):
            # Whatever said it before, the set of this one record is empty now.
            self.complete.append(CompleteSet(plan.kind, key))
            return
        fields: Fields = {}
        for field in plan.fields:
            self._read(plan, key, field, fields)
        for condition, constants in plan.otherwise:
            for name, value in constants.items() if self._holds(condition) else ():
                if fields.get(name) is None:
                    self._constant(plan, key, fields, name, value, self._where(condition))
        for name, value in plan.defaults.items():
            if name not in fields:
                self._constant(plan, key, fields, name, value, self._place(plan))
        for condition, constants in plan.when:
            if self._holds(condition):
                for name, value in constants.items():
                    self._constant(plan, key, fields, name, value, self._where(condition) or self._place(plan))
        for name, value in plan.says.items():
            self._constant(plan, key, fields, name, value, self._place(plan))
        if plan.kind == "ChargeItem" and fields.get("type") == "CD" and (price := fields.get("price")):
            fields["price"] = structs.replace(price, amount=-abs(price.amount))
        start, end = fields.get("period_start"), fields.get("period_end")
        if start and end and dates.ends_before(end, start, self._writing.zone):
            where = ", ".join(self._column(plan, name) for name in ("period_start", "period_end"))
            self.report("period-reversed", where, "It ends before it begins; both were taken as they stand. Mend one.")
        group = key if plan.void else None
        self._put(plan.kind, key, KINDS[plan.kind](key=key, group=group, **fields))

    def _column(self, plan: Plan, name: str) -> str:
        return next((self._first(cells.all) for one in plan.fields if one.name == name for _, cells in one.rules), "")

    def _read(self, plan: Plan, key: str, field: Field, fields: Fields) -> None:
        if field.name == "value" and field.rules[0][0].datatype == "observation-value":
            self._observe(plan, key, field, fields)
            return
        joined: list[Any] = []
        told: list[str] = []
        empty = False
        for rule, cells in field.rules:
            if rule.origin is not None:
                found, where = self.key(rule.origin), f"key of {rule.origin}"
            else:
                found, where = self._value(rule, cells)
                empty = empty or any(heading in self._cells for heading in cells.column)
                if found is None and rule.after and (start := fields.get(attribute(rule.after))):
                    found, where = self._reckoned(start, rule, cells)
            if found is not None:
                joined.append(found)
                told.append(where)
        if joined:
            fields[field.attribute] = tuple(joined) if field.joined else joined[0]
            self._tell(plan.kind, key, field.name, ", ".join(dict.fromkeys(told)))
        elif empty and plan.clears and not self._unreadable(field):
            fields[field.attribute] = None
            where = next(heading for _, cells in field.rules for heading in cells.column if heading in self._cells)
            self._tell(plan.kind, key, field.name, where)

    def _value(self, rule: FieldRule, cells: Cells) -> tuple[Any, str]:
        """What a rule reads and where; `None`: nothing."""
        shown = self._first(cells.display)
        filled = [heading for heading in cells.column if heading in self._filled]
        make = self._link if rule.datatype in LINKS else None
        for heading in filled or ([""] if shown else []):
            main, display = self._filled.get(heading), self._filled.get(shown)
            read = Read(rule, main, display, self._unit(rule, cells), self._row.since_1904)
            where = ", ".join(filter(None, (heading, shown)))
            try:
                found = make(read, where) if make else READERS[rule.datatype](read, self._writing)
            except Unreadable as error:
                self._unread(rule, where, error)
                found = error.kept
            if found is not None:
                return found, where
        return None, ""

    def _unit(self, rule: FieldRule, cells: Cells) -> Cell:
        """The unit a cell says, else the one the mapping says itself."""
        if heading := self._first(cells.unit):
            return self._cells[heading]
        return next((one[1:-1] for one in listed(rule.unit) if one.startswith("'")), None)

    def _unread(self, rule: FieldRule, where: str, error: Unreadable) -> None:
        if rule.must and self.quarantine is None:
            self.quarantine = Problem(error.code, where, f"{error} Mend the cell and send the row again.")
        kept = "" if error.kept is not None else " It was left out."
        self.report(error.code, where, f"{error}{kept}")

    def _unreadable(self, field: Field) -> bool:
        """Whether a cell of the field is filled: what cannot be read does not clear."""
        return any(self._first(cells.column) for _, cells in field.rules)

    def _observe(self, plan: Plan, key: str, field: Field, fields: Fields) -> None:
        found, where = self._value(*field.rules[0])
        if found is None:
            return
        fields |= dict.fromkeys(VALUE_FIELDS)
        fields["value_quantity" if isinstance(found, Quantity) else "value_string"] = found
        for name in VALUE_FIELDS:
            self._tell(plan.kind, key, name, where)

    def _reckoned(self, start: str, rule: FieldRule, cells: Cells) -> tuple[Any, str]:
        heading = self._first(cells.plus)
        if not heading:
            return None, ""
        read = Read(rule, self._cells[heading], None, self._unit(rule, cells), self._row.since_1904)
        try:
            return dates.add_minutes(start, minutes(read, self._writing)), heading
        except Unreadable as error:
            self._unread(rule, heading, error)
            return None, ""

    def _link(self, read: Read, where: str) -> str | None:
        """The key of a member of staff or a department, whose record is made besides."""
        number, called = text(read.main), text(read.display)
        if not (number or called):
            return None
        key = f"{self._writing.authority}|{number or called}"
        made: Practitioner | Organization
        if read.rule.datatype == "practitioner":
            # A column that holds names alone names by them; one that holds numbers beside another does not.
            written = called or ("" if read.rule.display else number)
            made = Practitioner(key=key, name=(HumanName(family=written),) if written else UNSET)
        else:
            made = Organization(key=key, code=number or called, name=called or UNSET, type="dept")
        self._put(type(made).__name__, key, made)
        for name in ("name", "code", "type"):
            if getattr(made, name, UNSET) is not UNSET:
                self._tell(type(made).__name__, key, name, where)
        return key

    def _joined(self, parts: tuple[Part, ...]) -> str | None:
        found = []
        for part in parts:
            one = next(filter(None, (self._choice(form, what) for form, what in part.choices)), None)
            if one is None and not part.optional:
                return None
            found.append(one or "")
        return "|".join(found).rstrip("|") or None

    def _choice(self, form: str, what: Any) -> str | None:
        if form == "key":
            return self.key(what)
        if form == "text":
            return str(what)
        heading = self._first(what)
        if not heading:
            return None
        cell = self._cells[heading]
        writing = self._writing
        if form == "time" and cell is not None:
            return dates.date_time(cell, writing.zone, writing.order, self._row.since_1904) or text(cell)
        return text(cell)

    def _holds(self, condition: Condition) -> bool:
        return self._test(condition) is not None

    def _where(self, condition: Condition) -> str:
        return self._test(condition) or ""

    def _test(self, condition: Condition) -> str | None:
        """The heading by which a condition holds, empty where a change says so; `None` where it does not hold."""
        for test in condition:
            if test.of_change and test.value == self._row.change:
                return ""
            for heading in test.headings:
                cell = self._filled.get(heading)
                if cell is not None and (test.value is None or coded({test.value: True}, text(cell))):
                    return heading
        return None

    def _first(self, headings: tuple[str, ...]) -> str:
        return next((heading for heading in headings if heading in self._filled), "")

    def _constant(self, plan: Plan, key: str, fields: Fields, name: str, value: Any, where: str) -> None:
        fields[name] = value
        if self._trace:
            told = name.rstrip("_")
            self.origins = [o for o in self.origins if (o.kind, o.key, o.field) != (plan.kind, key, told)]
            self._tell(plan.kind, key, told, where)

    def _place(self, plan: Plan) -> str:
        """Where a constant of the mapping comes from: the columns its record is known by."""
        headings = [self._first(what) for part in plan.key for form, what in part.choices if form in ("column", "time")]
        return ", ".join(dict.fromkeys(filter(None, headings))) or f"key of {plan.name}"

    def _tell(self, kind: str, key: str, name: str, where: str) -> None:
        if self._trace:
            origin = Origin(kind, key, name, where)
            if origin not in self.origins:
                self.origins.append(origin)

    def _put(self, kind: str, key: str, record: Record) -> None:
        before = self.records.get((kind, key))
        if before is None:
            self.records[kind, key] = record
        elif before != record:
            said = {name: value for name in record.__struct_fields__ if (value := getattr(record, name)) is not UNSET}
            self.records[kind, key] = structs.replace(before, **said)
