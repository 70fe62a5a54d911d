"""The examples a mapping holds: messages, and what of their records is expected. They are the mapping's tests."""

from typing import Any

import msgspec
from msgspec import Struct

from hcrm_core.model.records import KINDS
from hcrm_core.model.toml_file import TextFile, TomlFile
from hcrm_core.model.translation import Translation


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """A message and what is expected of it.

    Attributes:
        name: What it shows.
        message: As text.
        expect: Kind → fields one of its records must have, or a list of such, one for each record there must be. `""`
            is said empty; of a value that has parts, those named are compared.
        quarantine: The code with which the message must be quarantined instead.
    """

    name: str
    message: str
    expect: dict[str, dict[str, Any] | list[dict[str, Any]]] = {}
    quarantine: str | None = None


class Tried(Struct, frozen=True):
    """What came of an example.

    Attributes:
        name: Of the example.
        where: `FILE, line N`.
        failures: What was not as expected, a sentence each.
    """

    name: str
    where: str
    failures: tuple[str, ...]


class _Mapping(Struct):
    """What is read of a mapping here; the rest is the adapter's."""

    examples: tuple[Example, ...] = ()


def examples_of(mapping: TextFile) -> list[tuple[Example, str]]:
    """The examples of a mapping, each with `FILE, line N`.

    Raises:
        ConfigurationError: One has a wrong key, or expects what no record has.
    """
    file = TomlFile(mapping.text, mapping.path, _Mapping)
    for place, example in enumerate(file.content.examples):
        for kind, expected in example.expect.items():
            at = ("examples", place, "expect", kind)
            if kind not in KINDS:
                raise file.unknown("kind of record", kind, list(KINDS), *at)
            valid = [one.encode_name for one in msgspec.structs.fields(KINDS[kind])]
            for fields in expected if isinstance(expected, list) else [expected]:
                for field in fields:
                    if field not in valid:
                        raise file.unknown(f"field of {kind}", field, valid, *at, field)
    return [(example, file.where("examples", place)) for place, example in enumerate(file.content.examples)]


def failures(example: Example, translation: Translation) -> list[str]:
    """What of a translation is not as an example expects."""
    reason = translation.quarantine
    if reason is not None or example.quarantine is not None:
        got = f"was quarantined ({reason.code}): {reason.text}" if reason else "was translated."
        wanted = f"It was to be quarantined ({example.quarantine}) and " if example.quarantine else "It "
        return [] if reason and reason.code == example.quarantine else [wanted + got]
    found = []
    for kind, expected in example.expect.items():
        records = [_fields(record) for record in translation.records if type(record).__name__ == kind]
        if isinstance(expected, dict):
            found += _closest(kind, expected, records)
            continue
        if len(expected) != len(records):
            found.append(f"{kind}: expected {len(expected)} records, got {len(records)}.")
        for one in expected:
            found += _closest(kind, one, records)
    return found


def _closest(kind: str, expected: dict[str, Any], records: list[dict[str, Any]]) -> list[str]:
    """How the record that comes nearest differs; nothing where one does not."""
    if not records:
        return [f"{kind}: expected one, got none."]
    return min(([*_differences(kind, expected, record)] for record in records), key=len)


def _differences(kind: str, expected: dict[str, Any], record: dict[str, Any]) -> list[str]:
    return [
        f"{kind}.{field}: expected {_shown(wanted)}, got {_shown(record[field]) if field in record else 'nothing'}."
        for field, wanted in expected.items()
        if field not in record or not _agrees(wanted, record[field])
    ]


def _agrees(wanted: Any, got: Any) -> bool:
    if wanted == "":
        return got is None
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(name in got and _agrees(one, got[name]) for name, one in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(wanted) == len(got) and all(map(_agrees, wanted, got))
    return bool(wanted == got)


def _fields(record: Any) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(record))
    return {name: value for name, value in fields.items() if name != "kind" and (name, value) != ("group", None)}


def _shown(value: Any) -> str:
    return "empty" if value in (None, "") else msgspec.json.encode(value).decode()
