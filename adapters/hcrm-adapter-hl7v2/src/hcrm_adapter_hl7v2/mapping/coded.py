"""Codes of a hospital's own, translated while they are read: what a table says under `table` and `system`."""

from typing import Any

from msgspec import structs

from hcrm_adapter_hl7v2.mapping.datatypes import READERS, Reader
from hcrm_adapter_hl7v2.mapping.view import View
from hcrm_core.api import UNSET, CodeableConcept, Coding


def coded(datatype: str, name: str | None, table: dict[str, str | bool] | None, system: str | None) -> Reader:
    """A reader of codings or concepts that translates their first code and names its system.

    What the table does not name stays as it was sent, and is reported: a coding may hold any code.

    Args:
        datatype: `coding` or `concept`.
        name: Of the table, for people.
        table: Of the source; absent, codes stay.
        system: Of codes whose system the message does not name, and of those that were translated.
    """
    read = READERS[datatype]

    def translated(view: View, one: Coding, where: str) -> Coding | None:
        code = one.code or one.display or ""
        found = table.get(code, table.get(code.upper())) if table is not None else None
        if table is not None and found is None:
            view.report(
                "unknown-code",
                where,
                f"The code is not in the table {name}; it stayed as it is. Map it in the mapping.",
            )
        if found is None:
            return structs.replace(one, system=one.system or system)
        return Coding(str(found), system, one.display or one.code) if found != "" else None

    def read_coded(view: View, raw: str, where: str) -> Any:
        value = read(view, raw, where)
        if value is UNSET:
            return UNSET
        if isinstance(value, Coding):
            return translated(view, value, where) or UNSET
        assert isinstance(value, CodeableConcept)
        first = translated(view, value.coding[0] if value.coding else Coding(display=value.text), where)
        return structs.replace(value, coding=(first, *value.coding[1:])) if first else UNSET

    return read_coded
