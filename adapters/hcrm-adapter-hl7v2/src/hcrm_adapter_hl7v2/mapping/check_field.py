"""How one field of a record is to be read, held against what can be read and what the field takes."""

from functools import cache

from hcrm_adapter_hl7v2.mapping.closed import values_of
from hcrm_adapter_hl7v2.mapping.kinds import GIVES, LINKS, ORIGINS
from hcrm_adapter_hl7v2.mapping.overlay import Overlay
from hcrm_adapter_hl7v2.mapping.tables import FieldRule, RecordRule, Tables, shipped
from hcrm_adapter_hl7v2.reader import Path, parse_path
from hcrm_core.api import TomlFile, fields_of, fits, fitting, reference_of

_VALUE = "observation-value"


@cache
def _known() -> frozenset[str]:
    """The fields that the adapter's own tables read or pass over."""
    rules = [rule for record in shipped().records.values() for rule in record.fields.values()]
    paths = [parse_path(path) for rule in rules for path in (*rule.paths, *rule.unit, *rule.durations)]
    return shipped().ignored | {f"{path.segment}-{path.field}" for path in paths}


class FieldChecker:
    """Checks fields, paths, conditions and constants of an overlay; each method raises `ConfigurationError`."""

    def __init__(self, file: TomlFile[Overlay], tables: Tables) -> None:
        self._file = file
        self._tables = tables

    def check(self, kind: str, record: RecordRule, field: str, *at: str | int) -> None:
        """Check a field of a record table."""
        rule = record.fields[field]
        if not (rule.datatype == _VALUE and field == "value" and kind == "Observation"):
            self.known(kind, field, *at)
            self._reads(kind, field, rule, *at)
        if sum((bool(rule.paths), rule.origin is not None)) > 1 or not (rule.paths or rule.origin or rule.after):
            raise self._file.refusal('say where it is read: path = "ZPI-3", or from = "patient".', *at)
        for name, paths in (("path", rule.paths), ("unit", rule.unit), ("plus", rule.durations)):
            for path in paths:
                self.path(path, *at, name)
        if rule.where is not None:
            self.condition(rule.where, *at, "where")
        for event in rule.only:
            if event not in self._tables.events:
                raise self._file.unknown("event", event, list(self._tables.events), *at, "only")
        if rule.default is not None:
            self.constant(kind, field, rule.default, *at, "default")
        self._reckoned(kind, record, rule, *at)

    def known(self, kind: str, field: str, *at: str | int) -> None:
        """Check that a kind of record has a field."""
        if field not in fields_of(kind):
            raise self._file.unknown(f"field of {kind}", field, list(fields_of(kind)), *at)

    def path(self, text: str, *at: str | int) -> None:
        """Check a path."""
        try:
            path = parse_path(text)
        except ValueError:
            raise self._file.refusal(f"{text!r} is no path. Write one as PID-5 or PID-5.1.", *at) from None
        if "[" in text:
            raise self._file.refusal(
                f"{text!r} counts; a mapping reads by what a segment says, never by its place. Write "
                f"{path.segment}-{path.field}.",
                *at,
            )

        self._of_the_standard(path, *at)

    def _of_the_standard(self, path: Path, *at: str | int) -> None:
        """A segment or field that no version has is a slip of the pen, unless an example shows that it is sent."""
        if path.segment.startswith("Z") or f"{path.segment}-{path.field}" in _known():
            return
        from hcrm_adapter_hl7v2.dictionary import last_field  # slow, and seldom needed

        last = last_field(path.segment)
        if path.field <= last or self._shown(path):
            return
        if not last:
            known = sorted({one[:3] for one in _known()})
            turned = [one for one in known if sorted(one) == sorted(path.segment)]
            raise self._file.unknown("segment", path.segment, turned or known, *at)
        raise self._file.refusal(
            f"{path.segment} ends with field {last} in every version of HL7. Where the sender fills field {path.field} "
            "all the same, show it by a message in [[examples]].",
            *at,
        )

    def _shown(self, path: Path) -> bool:
        messages = (one.get("message") for one in self._file.content.examples if isinstance(one, dict))
        lines = (line.split("|") for text in messages if isinstance(text, str) for line in text.splitlines())
        return any(line[0] == path.segment and len(line) > path.field for line in lines)

    def condition(self, text: str, *at: str | int) -> None:
        """Check a path that is to be filled, or to have a code."""
        self.path(text.partition("=")[0], *at)

    def constant(self, kind: str, field: str, value: str | bool, *at: str | int) -> None:
        """Check a value that stands in the table itself."""
        self.known(kind, field, *at)
        if value == "":
            return
        try:
            fitting(kind, field, value)
        except ValueError:
            raise self._file.refusal(f"{kind}.{field} cannot be {value!r}.", *at) from None
        closed = values_of(kind, field)
        if closed and value not in closed:
            raise self._file.unknown("value", value, closed, *at)

    def _reads(self, kind: str, field: str, rule: FieldRule, *at: str | int) -> None:
        reference = reference_of(kind, field)
        if rule.origin is not None:
            if rule.origin not in ORIGINS:
                raise self._file.unknown("record at hand", rule.origin, list(ORIGINS), *at, "from")
            if ORIGINS[rule.origin] != reference and rule.origin != field:
                raise self._file.refusal(f"{kind}.{field} is no key of the {rule.origin}.", *at, "from")
            return
        fit = [name for name in GIVES if fits(kind, field, GIVES[name])]
        if reference:
            fit = [name for name, made in LINKS.items() if made == reference]
        if rule.datatype not in (*GIVES, *LINKS, _VALUE):
            raise self._file.unknown("data type", rule.datatype, [*GIVES, *LINKS], *at, "as")
        truth = rule.datatype == "code" and fits(kind, field, True)
        if rule.datatype not in fit and not truth:
            advice = f"Write one of: {', '.join(fit)}." if fit else 'It is filled by from = "…" only.'
            raise self._file.refusal(f"as = {rule.datatype!r} does not fit {kind}.{field}. {advice}", *at, "as")
        if rule.datatype == "period" and len(rule.paths) != 2:
            raise self._file.refusal("a period has two paths: its start and its end.", *at, "path")
        if rule.join and not isinstance(GIVES.get(rule.datatype), list):
            raise self._file.refusal(f"{kind}.{field} is no list, so nothing can be joined.", *at, "join")
        self._coded(rule, *at)

    def _coded(self, rule: FieldRule, *at: str | int) -> None:
        if rule.datatype == "code" and rule.table is None:
            raise self._file.refusal('say by which table: table = "administrative-gender".', *at)
        if rule.table is not None and rule.table not in self._tables.codes:
            raise self._file.unknown("code table", rule.table, list(self._tables.codes), *at, "table")
        for name in ("table", "system"):
            codes = ("coding", "concept", *(("code",) if name == "table" else ()))
            if getattr(rule, name) is not None and rule.datatype not in codes:
                raise self._file.refusal(
                    f"as = {rule.datatype!r} has none. Use it with {' or '.join(codes)}.", *at, name
                )

    def _reckoned(self, kind: str, record: RecordRule, rule: FieldRule, *at: str | int) -> None:
        counted = rule.durations if rule.after else rule.paths
        if rule.unit and len(rule.unit) != len(counted):
            raise self._file.refusal(f"there are {len(counted)} paths for {len(rule.unit)} units.", *at, "unit")
        if rule.unit and not rule.after and rule.datatype not in ("minutes", "amount"):
            raise self._file.refusal("only minutes, an amount and `plus` have one.", *at, "unit")
        if bool(rule.after) != bool(rule.plus):
            raise self._file.refusal('`after` and `plus` go together: after = "start", plus = "AIS-7".', *at)
        if rule.after is None:
            return
        times = [name for name, one in record.fields.items() if one.datatype == "datetime" and one is not rule]
        if rule.after not in times:
            raise self._file.unknown("datetime of this table", rule.after, times, *at, "after")
        if rule.datatype != "datetime":
            raise self._file.refusal('what is reckoned is a datetime: as = "datetime".', *at)
