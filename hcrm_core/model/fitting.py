"""Whether a value fits a field of a record, asked by what maps data to records before any of it is read."""

from functools import cache
from typing import Any

import msgspec

from hcrm_core.model.records import KINDS, REFERENCES


@cache
def fields_of(kind: str) -> dict[str, Any]:
    """The fields of a kind a mapping may fill, each with its type."""
    found = {one.encode_name: one.type for one in msgspec.structs.fields(KINDS[kind])}
    return {name: hint for name, hint in found.items() if name not in ("key", "group")}


def fitting(kind: str, field: str, value: str | bool) -> Any:
    """A constant of a mapping as a value of a field; a text is the code of a coding.

    Raises:
        ValueError: It fits in no way.
    """
    for form in (value, {"code": value}, {"coding": [{"code": value}]}):
        try:
            return msgspec.convert(form, fields_of(kind)[field])
        except msgspec.ValidationError:
            continue
    raise ValueError


def fits(kind: str, field: str, value: Any) -> bool:
    """Whether a value, as it would be written in JSON, fits a field."""
    try:
        msgspec.convert(value, fields_of(kind)[field])
    except msgspec.ValidationError:
        return False
    return True


def reference_of(kind: str, field: str) -> str | None:
    """The kind of record whose key a field holds; `None` where it holds none."""
    return REFERENCES[kind].get(field)
