"""Fields that are not open to every value, and whether the code tables of a site keep to them."""

from functools import cache

from hcrm_adapter_hl7v2.mapping.overlay import Overlay
from hcrm_adapter_hl7v2.mapping.tables import Tables, data, shipped
from hcrm_core.api import TomlFile, fits


def values_of(kind: str, field: str) -> list[str]:
    """What a field may be, as `values.toml` says; empty where it is open."""
    return closed_fields().get((kind, field), [])


@cache
def closed_fields() -> dict[tuple[str, str], list[str]]:
    """(kind, field) → what it may be."""
    tables, fields = data("values")["tables"], data("values")["fields"]
    found = {(kind, field): values for kind, own in fields.items() for field, values in own.items()}
    for name, record in shipped().records.items():
        for field, rule in record.fields.items():
            if rule.datatype == "code" and rule.table in tables:
                found[record.kind or name, field] = tables[rule.table]
    return found


def check_codes(file: TomlFile[Overlay], tables: Tables) -> None:
    """Refuse a code that would give a field what it cannot be.

    Args:
        file: The overlay.
        tables: As it makes them.

    Raises:
        ConfigurationError: With file, line and what to write.
    """
    for name, record in tables.records.items():
        for field, rule in record.fields.items():
            if rule.datatype == "code" and rule.table is not None:
                _check_table(file, tables, rule.table, record.kind or name, field, name)


def _check_table(file: TomlFile[Overlay], tables: Tables, table: str, kind: str, field: str, record: str) -> None:
    own, closed, truth = file.content.codes.get(table, {}), values_of(kind, field), fits(kind, field, True)
    for code, value in tables.codes[table].items():
        # Where the site did not write the code, it chose the wrong table.
        at = ("codes", table, code) if code in own else ("records", record, "fields", field, "table")
        if value == "":
            continue
        if not fits(kind, field, value):
            given = f"the text {value!r}" if isinstance(value, str) else str(value).lower()
            wanted = "true or false, without quotes" if truth else "a text in quotes"
            choice = f", one of {', '.join(closed)}" if closed and not truth else ""
            raise file.refusal(
                f"{kind}.{field} is read by the table {table}, where {code!r} is {given}; it must be {wanted}{choice}.",
                *at,
            )
        if closed and value not in closed:
            advice = f"{kind}.{field} is read by the table {table}, where {code!r} is that."
            raise file.unknown("value", value, closed, *at, more=advice)
