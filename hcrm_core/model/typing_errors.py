"""What msgspec objects to in a table, as a sentence with the place and the nearest valid key."""

import re
from collections.abc import Callable
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from hcrm_core.model.toml_lines import Path

_STEPS = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|(\[\.\.\.\])")
_WORDS = {
    "str": "a text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}


def explained(
    error: str,
    table: Any,
    kind: Any,
    path: Path,
    where: Callable[..., str],
    nearest: Callable[[str, tuple[str, ...]], str],
) -> str:
    """The sentence.

    Args:
        error: The text of the `msgspec.ValidationError`.
        table: What was to be typed.
        kind: As what.
        path: Where the table stands.
        where: From a path to `FILE, line N`.
        nearest: From a name and the valid ones to a sentence that suggests one.
    """
    message, _, at = error.partition(" - at `$")
    steps, found = _followed(at, table, kind)
    keys = (*path, *steps)
    unknown = re.match(r"Object contains unknown field `(.*)`", message)
    if not unknown:
        allowed = _choices(found) if "enum value" in message else ()
        advice = f" Write one of: {', '.join(map(repr, allowed))}." if allowed else ""
        return f"{where(*keys)}: {dotted(keys)}: {_plain(message)}.{advice}"
    name = unknown.group(1)
    return f"{where(*keys, name)}: {dotted((*keys, name))} is not a key. {nearest(name, valid_keys(found))}"


def valid_keys(kind: Any) -> tuple[str, ...]:
    """The keys of a struct, or of the one among the types of a union."""
    struct = _struct(kind)
    return tuple(one.encode_name for one in msgspec.structs.fields(struct)) if struct else ()


def _followed(at: str, value: Any, kind: Any) -> tuple[Path, Any]:
    """The path msgspec names, with the keys it leaves out as `[...]`, and the type that stands there."""
    path: list[str | int] = []
    for name, index, _ in _STEPS.findall(at):
        if name:
            step: str | int = name
            kind = _field(kind, name)
        else:
            kind = _member(kind)
            step = int(index) if index else next((key for key, one in _items(value) if not _fits(one, kind)), "")
        path.append(step)
        value = _at(value, step)
    return tuple(path), kind


def _field(kind: Any, name: str) -> Any:
    """The type of a struct's field."""
    struct = _struct(kind)
    fields = msgspec.structs.fields(struct) if struct else ()
    return next((one.type for one in fields if one.encode_name == name), None)


def _at(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _struct(kind: Any) -> type[Struct] | None:
    return next((one for one in _alternatives(kind) if isinstance(one, type) and issubclass(one, Struct)), None)


def _member(kind: Any) -> Any:
    """The type of the values of a dictionary, or of a list's members."""
    for one in _alternatives(kind):
        if get_origin(one) in (dict, tuple, list):
            return get_args(one)[1 if get_origin(one) is dict else 0]
    return Any


def _choices(kind: Any) -> tuple[Any, ...]:
    return next((get_args(one) for one in _alternatives(kind) if get_origin(one) is Literal), ())


def dotted(keys: Path) -> str:
    """A path as TOML writes it, members of lists counted from 1."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key + 1}]"
        else:
            shown = key if re.fullmatch(r"[\w-]+", key) else f'"{key}"'
            text += f".{shown}" if text else shown
    return text or "the file"


def _plain(message: str) -> str:
    """What msgspec objects to, with TOML's words for types."""
    if found := re.fullmatch(r"Expected `(.*)`, got `(.*)`", message):
        wanted, given = (
            " or ".join(_WORDS.get(word, word) for word in side.split(" | ") if word != "null")
            for side in found.groups()
        )
        return f"it must be {wanted}, not {given}"
    if found := re.fullmatch(r"Object missing required field `(.*)`", message):
        return f"{found[1]} is missing"
    return message[:1].lower() + message[1:]
