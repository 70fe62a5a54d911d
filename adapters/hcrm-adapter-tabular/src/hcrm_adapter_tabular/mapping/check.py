"""What a mapping says, held against what there is, before any row is read by it."""

from typing import Any

from hcrm_adapter_tabular.headings import spellings
from hcrm_adapter_tabular.mapping.compiled import CHANGE, TIME, choices, columns_of
from hcrm_adapter_tabular.mapping.datatypes import GIVES, LINKS
from hcrm_adapter_tabular.mapping.overlay import Overlay
from hcrm_adapter_tabular.mapping.tables import Constants, FieldRule, Key, Tables, data, listed, shipped
from hcrm_core.api import KINDS, TomlFile, fields_of, fits, fitting, reference_of

EMPTY = ("says nothing", "clears")
_VALUE = "observation-value"
_DISPLAYED = ("coding", "concept", "location", *LINKS)


def check(file: TomlFile[Overlay], tables: Tables) -> None:
    """Refuse a mapping that names what there is not, or gives a field what does not fit it.

    Args:
        file: The mapping.
        tables: As it makes them.

    Raises:
        ConfigurationError: With file, line and what to write.
    """
    _Checker(file, tables).run()


class _Checker:
    def __init__(self, file: TomlFile[Overlay], tables: Tables) -> None:
        self.file = file
        self.tables = tables

    def run(self) -> None:
        own = self.file.content
        self._columns()
        for name, table in own.tables.items():
            if name not in shipped().tables and not any(name in one.tables for one in self.tables.records.values()):
                raise self.file.unknown(
                    "table", name, list(shipped().tables), "tables", name, more="No record is made of a new one."
                )
            if any("," in need for need in table.needs or ()):
                raise self.file.refusal('write one column, or "A or B".', "tables", name, "needs")
        for name, key in own.keys.items():
            self._kind(key.kind, "keys", name, "kind")
            for place, parts in enumerate(key.any):
                self._key(parts, "keys", name, "any", place)
        for name, conditions in own.conditions.items():
            for place, one in enumerate(conditions):
                self._condition(one, "conditions", name, place)
        for name in own.records:
            self._record(name)
        for name in own.codes:
            self._codes(name)

    def _columns(self) -> None:
        used, given = _used(self.tables), dict[str, str]()
        for name, headings in self.file.content.columns.items():
            if name not in shipped().columns and not headings:
                raise self.file.refusal("say which headings it has.", "columns", name)
            if name not in shipped().columns and name not in used:
                more = "A new one needs a rule of the mapping that reads it."
                raise self.file.unknown("column", name, list(shipped().columns), "columns", name, more=more)
            for heading in headings:
                other = given.setdefault(spellings(heading)[0], name)
                if other != name:
                    place = self.file.where("columns", other)
                    raise self.file.refusal(
                        f"the heading {heading!r} is given to {other} too ({place}). Give it to one of them.",
                        "columns", name,
                    )  # fmt: skip

    def _record(self, name: str) -> None:
        own, rule, at = self.file.content.records[name], self.tables.records[name], ("records", name)
        kind = rule.kind or name
        self._kind(kind, *at, *(("kind",) if own.kind else ()))
        for table in rule.tables:
            if table not in self.tables.tables:
                raise self.file.unknown("table", table, list(self.tables.tables), *at, "table")
        if own.key is not None:
            self._key(own.key, *at, "key")
        if rule.empty not in EMPTY:
            raise self.file.unknown("meaning of an empty cell", rule.empty, list(EMPTY), *at, "empty")
        for field in own.fields:
            one = rule.fields[field]
            if isinstance(one, FieldRule):
                self._field(kind, field, one, False, *at, "fields", field)
            else:
                for place, each in enumerate(one):
                    self._field(kind, field, each, True, *at, "fields", field, place)
        self._constants(kind, own.says, *at, "says")
        for group in ("when", "otherwise"):
            for condition, constants in getattr(own, group).items():
                self._condition(condition, *at, group, condition)
                self._constants(kind, constants, *at, group, condition)
        for place, condition in enumerate(own.void or ()):
            self._condition(condition, *at, "void", place)
        whose = [field for field in fields_of(kind) if reference_of(kind, field) == "Patient"]
        if name not in shipped().records and whose and not any(field in rule.fields for field in whose):
            advice = f'Add {whose[0]} = {{ from = "patient" }} to its fields.'
            raise self.file.refusal(f"nothing says whose it is. {advice}", *at)

    def _kind(self, kind: str, *at: str | int) -> None:
        if kind not in KINDS:
            raise self.file.unknown("kind of record", kind, list(KINDS), *at)

    def _key(self, key: Key, *at: str | int) -> None:
        for place, part in enumerate(key):
            for choice in choices(part):
                if choice.startswith("{"):
                    known = ["authority", *self.tables.keys]
                    if choice[1:-1] not in known:
                        raise self.file.unknown("key", choice[1:-1], known, *at, place)
                elif not choice.removeprefix(TIME).strip():
                    raise self.file.refusal("a part is empty. Name a column.", *at, place)

    def _condition(self, condition: str, *at: str | int) -> None:
        column = condition.partition("=")[0]
        if condition.startswith("{") and column != CHANGE and condition[1:-1] not in self.tables.conditions:
            raise self.file.unknown("condition", condition[1:-1], list(self.tables.conditions), *at)
        if not column.strip():
            raise self.file.refusal('name a column: "状态=作废".', *at)

    def _field(self, kind: str, field: str, rule: FieldRule, joined: bool, *at: str | int) -> None:
        if not (rule.datatype == _VALUE and field == "value" and kind == "Observation"):
            if field not in fields_of(kind):
                raise self.file.unknown(f"field of {kind}", field, list(fields_of(kind)), *at)
            self._reads(kind, field, rule, joined, *at)
        if not (rule.column or rule.display or rule.origin or rule.after):
            raise self.file.refusal('say where it is read: column = "职业", or from = "patient".', *at)
        if rule.default is not None:
            self._constants(kind, {field: rule.default}, *at, "default")
        if bool(rule.after) != bool(rule.plus):
            raise self.file.refusal('`after` and `plus` go together: after = "start", plus = "时长".', *at)
        if rule.after and rule.datatype != "datetime":
            raise self.file.refusal('what is reckoned is a datetime: as = "datetime".', *at)
        if rule.display and rule.datatype not in _DISPLAYED:
            raise self.file.refusal(
                f"as = {rule.datatype!r} has none. Use it with {', '.join(_DISPLAYED)}.", *at, "display"
            )

    def _reads(self, kind: str, field: str, rule: FieldRule, joined: bool, *at: str | int) -> None:
        reference = reference_of(kind, field)
        if rule.origin is not None:
            if rule.origin not in self.tables.keys:
                raise self.file.unknown("key", rule.origin, list(self.tables.keys), *at, "from")
            if self.tables.keys[rule.origin].kind != reference:
                raise self.file.refusal(
                    f"{kind}.{field} is no key of a {self.tables.keys[rule.origin].kind}.", *at, "from"
                )
            return
        fit = [name for name, given in GIVES.items() if fits(kind, field, [given] if joined else given)]
        if reference:
            fit = [name for name, made in LINKS.items() if made == reference]
        if rule.datatype not in (*GIVES, *LINKS, _VALUE):
            raise self.file.unknown("data type", rule.datatype, [*GIVES, *LINKS], *at, "as")
        truth = rule.datatype == "code" and fits(kind, field, True)
        if rule.datatype not in fit and not truth:
            listed = [name for name, given in GIVES.items() if fits(kind, field, given if joined else [given])]
            advice = f"Write one of: {', '.join(fit)}." if fit else 'It is filled by from = "…" only.'
            if not fit and listed:
                advice = (
                    "It is no list: write { … }."
                    if joined
                    else f"It is a list: write [{{ … }}] of {', '.join(listed)}."
                )
            raise self.file.refusal(f"as = {rule.datatype!r} does not fit {kind}.{field}. {advice}", *at, "as")
        if rule.datatype == "code" and rule.table is None:
            raise self.file.refusal('say by which table: table = "administrative-gender".', *at)
        if rule.table is not None and rule.table not in self.tables.codes:
            raise self.file.unknown("code table", rule.table, list(self.tables.codes), *at, "table")

    def _constants(self, kind: str, constants: Constants, *at: str | int) -> None:
        for field, value in constants.items():
            where = at if at[-1] == "default" else (*at, field)
            if field not in fields_of(kind):
                raise self.file.unknown(f"field of {kind}", field, list(fields_of(kind)), *where)
            try:
                if value != "":
                    fitting(kind, field, value)
            except ValueError:
                raise self.file.refusal(f"{kind}.{field} cannot be {value!r}.", *where) from None

    def _codes(self, name: str) -> None:
        rules = (rule for record in self.tables.records.values() for rule in record.fields.values())
        used = {each.table for rule in rules for each in ((rule,) if isinstance(rule, FieldRule) else rule)}
        if name not in shipped().codes and name not in used:
            raise self.file.unknown(
                "code table", name, list(shipped().codes), "codes", name, more="No field of a record reads by it."
            )
        allowed: list[Any] = data("values").get(name, [])
        for code, value in self.file.content.codes[name].items():
            if allowed and value != "" and value not in allowed:
                raise self.file.unknown("value", value, list(map(str, allowed)), "codes", name, code)


def _used(tables: Tables) -> set[str]:
    """Every name of a column that a rule names."""
    needs = {need for table in tables.tables.values() for need in table.needs}
    needs |= {need for record in tables.records.values() for need in record.needs}
    found = {choice for need in needs for choice in need.split(" or ")}
    conditions = [condition for known in tables.conditions.values() for condition in known]
    for record in tables.records.values():
        conditions += [*record.when, *record.otherwise, *record.void]
        for one in record.fields.values():
            for rule in (one,) if isinstance(one, FieldRule) else one:
                found |= {*listed(rule.plus)}
    found |= {condition.partition("=")[0] for condition in conditions}
    for name, table in tables.tables.items():
        found |= {*columns_of(tables, name), *table.ignored}
    return found
