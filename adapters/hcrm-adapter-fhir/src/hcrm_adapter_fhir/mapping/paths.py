"""Paths into a resource: `period.start`, `participant[type=ATND].individual`."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from hcrm_adapter_fhir.mapping.concepts import codes_of

Getter = Callable[[dict[str, Any]], list[Any]]

_STEP = re.compile(r"(\w+)(?:\[(\w+)=(\w*)\])?")


class Step(NamedTuple):
    """One element of a path, and which items of it count: those whose element `by` has `code`, or has no code at all
    where that is empty."""

    name: str
    by: str = ""
    code: str = ""


def steps(path: str) -> tuple[Step, ...]:
    """The steps of a path of the tables."""
    found = []
    for part in path.split("."):
        match = _STEP.fullmatch(part)
        assert match is not None, path
        found.append(Step(match[1], match[2] or "", match[3] or ""))
    return tuple(found)


def plain(path: str) -> str:
    """A path without its conditions."""
    return ".".join(step.name for step in steps(path))


def getter(path: str) -> Getter:
    """A function that gives all JSON values at a path, lists laid open, null left out."""
    whole = steps(path)
    if len(whole) == 1 and not whole[0].by:
        return _at_top(whole[0].name)
    return _along(whole)


def _at_top(name: str) -> Getter:
    def found(resource: dict[str, Any]) -> list[Any]:
        value = resource.get(name)
        if value is None:
            return []
        return [one for one in value if one is not None] if isinstance(value, list) else [value]

    return found


def _along(whole: tuple[Step, ...]) -> Getter:
    first = whole[0].name

    def found(resource: dict[str, Any]) -> list[Any]:
        if first not in resource:
            return []
        values: list[Any] = [resource]
        for name, by, code in whole:
            reached: list[Any] = []
            for value in values:
                inner = value.get(name) if isinstance(value, dict) else None
                if isinstance(inner, list):
                    reached += inner
                elif inner is not None:
                    reached.append(inner)
            if by:
                reached = [one for one in reached if isinstance(one, dict) and _holds(codes_of(one.get(by)), code)]
            values = reached
            if not values:
                return values
        return [one for one in values if one is not None]

    return found


def _holds(codes: list[str], code: str) -> bool:
    return code in codes if code else not codes
