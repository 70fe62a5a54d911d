"""Rules as data: a YAML text read by the safe loader, typed, and every mistake named with file, line and key."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, Generic, Protocol, TypeVar

import msgspec
import yaml
from msgspec import Struct

from hcrm_core.errors import ConfigurationError
from hcrm_core.model.strategies import Written

MAX_FILE = 256 * 1024
MAX_PREDICATE = 2 * 1024
MAX_DEPTH = 30

_SQL_PIECES = re.compile(r"'(?:[^']|'')*'|--|/\*|[();'$]")
T = TypeVar("T", bound=Struct)
Path = tuple[str | int, ...]
"""Keys and places in lists, from the top: `("rules", 0, "steps")`."""


class RuleFile(Generic[T]):
    """A rule file that was read.

    Attributes:
        file: Its name, for errors.
        content: Typed.
    """

    def __init__(self, text: str, file: str, kind: type[T]) -> None:
        """Read a rule file.

        Args:
            text: Its content.
            file: Its name, for errors.
            kind: What it must hold: a struct that forbids unknown fields.

        Raises:
            ConfigurationError: With file, line, key and what to write.
        """
        self.file = file
        self._text = text
        self._tree, content = _read(text, file)
        try:
            self.content: T = msgspec.convert(content, kind)
        except msgspec.ValidationError as error:
            raise ConfigurationError(_explain(str(error), self._tree, file, kind)) from None

    def where(self, *path: str | int) -> str:
        """`FILE, line N`, for errors about what stands at a path."""
        return f"{self.file}, line {_line(self._tree, path)}"

    def written(self, sql: str, start: int, *path: str | int) -> Written:
        """Where the text at a path stands in a SELECT it was put into, and its words in the file.

        Args:
            sql: The SELECT.
            start: From where in it the text is looked for.
            path: To the text.
        """
        node = _node(self._tree, path)
        raw = self._text[node.start_mark.index : node.end_mark.index]
        marks, at = [], 0
        for word in re.finditer(r"\S+", node.value):
            found = raw.find(word.group(), at)
            if found >= 0:  # else it is written with an escape: the word before it is near enough
                at = found + len(word.group())
                breaks, line_start = raw.count("\n", 0, found), raw.rfind("\n", 0, found)
                column = found - line_start if breaks else node.start_mark.column + found + 1
                marks.append((word.start(), node.start_mark.line + 1 + breaks, column))
        return Written(self.file, sql.index(node.value, start), len(node.value), tuple(marks))

    def check_predicate(self, text: str, *path: str | int) -> None:
        """Refuse a SQL condition that would not stay inside the parentheses it is put into; all else the core judges
        when it checks the whole.

        Raises:
            ConfigurationError: With file and line.
        """
        where = f"{self.where(*path)}:"
        if len(text.encode("utf-8")) > MAX_PREDICATE:
            raise ConfigurationError(f"{where} the condition is longer than {MAX_PREDICATE // 1024} KiB. Shorten it.")
        depth = 0
        for piece in _SQL_PIECES.findall(text):
            depth += {"(": 1, ")": -1}.get(piece, 0)
            if piece in ("--", "/*", ";", "$", "'"):
                what = {"'": "a text that is not closed", "$": "a parameter"}.get(piece, f"`{piece}`")
                raise ConfigurationError(f"{where} a condition may not hold {what}. Write one SQL predicate.")
            if depth < 0:
                break
        if depth:
            raise ConfigurationError(f"{where} the parentheses of the condition do not match. Count them.")

    def check_once(self, name: str, seen: set[str], what: str, *path: str | int) -> None:
        """Refuse a name that was seen before, and remember it.

        Raises:
            ConfigurationError: With file and line.
        """
        _once(name, seen, f"{self.where(*path)}: {what}")


class Texts(Protocol):
    """What must be known of a workspace to find its rule files (`hookspecs.WorkspaceView`)."""

    def settings(self, table: str) -> dict[str, object]:
        """A table of `hcrm.toml`."""

    def read_text(self, path: str) -> str:
        """A text file of the workspace."""


def rule_texts(
    workspace: Texts, table: str, key: str, package: str, shipped: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """The rule files of a plugin, each as its name for errors and its text.

    Args:
        workspace: Whose `[table]` names them, by paths, in `key`.
        table: Of the plugin; it has no other key.
        key: In it.
        package: Where the shipped ones lie.
        shipped: Those that apply where the workspace names none, by their paths inside the package.

    Raises:
        ConfigurationError: The table is wrong, or a file cannot be read.
    """
    settings = workspace.settings(table)
    for other in settings:
        if other != key:
            raise ConfigurationError(f"[{table}] has no key {other!r} in hcrm.toml. Valid here: {key}.")
    named = settings.get(key)
    if named is None:
        for name in shipped:
            yield f"the shipped file {name}", files(package).joinpath(name).read_text(encoding="utf-8")
        return
    paths = [named] if isinstance(named, str) else named
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ConfigurationError(f'{key} in [{table}] of hcrm.toml must be a list of paths: {key} = ["{key}/a.yaml"].')
    for path in paths:
        yield path, workspace.read_text(path)


class _Loader(yaml.SafeLoader):
    """One without aliases and deep nesting, which could make much of little."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text)
        self._file = file
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise ConfigurationError(f"{self._file}, line {line}: write aliases (*) out in full.")
        if isinstance(event, yaml.CollectionStartEvent) and self._depth == MAX_DEPTH:
            raise ConfigurationError(f"{self._file}, line {line}: it is nested too deeply. Write it flatter.")
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _read(text: str, file: str) -> tuple[yaml.Node, Any]:
    """What stands in a rule file, as nodes that know their lines and as values."""
    if len(text.encode("utf-8")) > MAX_FILE:
        raise ConfigurationError(f"{file} is larger than {MAX_FILE // 1024} KiB. Split it into several rule files.")
    try:
        loader = _Loader(text, file)
        tree = loader.get_single_node()
        _check_keys(tree, file)
        content = loader.construct_document(tree) if tree else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError(f"{file}, line {line}: not valid YAML: {error.problem}. Mend that line.") from None
    except ValueError as error:
        # A day of the calendar that is none: YAML says no line.
        raise ConfigurationError(f"{file}: a value cannot be read: {error}. Mend it, or put it in quotes.") from None
    except (yaml.YAMLError, RecursionError):
        raise ConfigurationError(f"{file} is not valid YAML. Compare it with the shipped examples.") from None
    if tree is None:
        raise ConfigurationError(f"{file} is empty. It must hold at least one rule.")
    return tree, content


def _check_keys(node: yaml.Node | None, file: str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                # YAML 1.1 reads on, off, yes and no as true and false.
                line = key.start_mark.line + 1
                raise ConfigurationError(f"{file}, line {line}: {key.value} is no name in YAML. Use another key.")
            _once(str(key.value), seen, f"{file}, line {key.start_mark.line + 1}: the key")
            _check_keys(value, file)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item, file)


def _once(name: str, seen: set[str], what: str) -> None:
    if name in seen:
        raise ConfigurationError(f"{what} {name!r} stands here twice. Give each its own name.")
    seen.add(name)


def _explain(error: str, tree: yaml.Node, file: str, kind: type[Struct]) -> str:
    message, _, at = error.partition(" - at `$")
    path: Path = tuple(int(index) if index else name for name, index in re.findall(r"\.([A-Za-z_]\w*)|\[(\d+)\]", at))
    unknown = re.match(r"Object contains unknown field `(.*)`", message)
    if unknown:
        name = unknown.group(1)
        hint = _nearest(name, _valid_keys(kind, path))
        return f"{file}, line {_line(tree, (*path, name))}: {name} is not a key. {hint}"
    return f"{file}, line {_line(tree, path)}: {'.'.join(map(str, path)) or 'the file'}: {message.lower()}."


def _nearest(name: str, valid: tuple[str, ...]) -> str:
    close = get_close_matches(name, valid, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Valid here: {', '.join(valid)}."


def _valid_keys(kind: type[Struct], path: Path) -> tuple[str, ...]:
    found: Any = kind
    for key in path:
        if isinstance(key, str) and isinstance(found, type) and issubclass(found, Struct):
            found = {field.encode_name: _struct_in(field.type) for field in msgspec.structs.fields(found)}.get(key)
    return tuple(field.encode_name for field in msgspec.structs.fields(found)) if found is not None else ()


def _struct_in(hint: Any) -> Any:
    """The struct a type is, or is a sequence of."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint
    return next((found for part in getattr(hint, "__args__", ()) if (found := _struct_in(part))), None)


def _node(tree: yaml.Node, path: Path) -> yaml.Node:
    """What stands at a path that exists."""
    node = tree
    for key in path:
        if isinstance(node, yaml.MappingNode):
            node = next(value for name, value in node.value if name.value == key)
        else:
            node = node.value[key]
    return node


def _line(tree: yaml.Node, path: Path) -> int:
    """The line of what stands at a path, or of the nearest thing above it."""
    node, line = tree, tree.start_mark.line + 1
    for key in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == key), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            return line
    return line
