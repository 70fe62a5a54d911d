"""Read a rule file: YAML by the safe loader, typed, every mistake with file, line and the nearest valid key."""

import re
from difflib import get_close_matches
from typing import Any

import msgspec
import yaml

from hcrm_core.api import ConfigurationError
from hcrm_plugin_followup.notation import Rule, RuleFile, days

MAX_FILE = 256 * 1024
MAX_PREDICATE = 2 * 1024
MAX_AHEAD = 180
"""Days ahead a step may lie, its window included."""

_SQL_PIECES = re.compile(r"'(?:[^']|'')*'|--|/\*|[();'$]")


def read_rules(text: str, file: str) -> tuple[Rule, ...]:
    """The rules of one file.

    Args:
        text: Its content.
        file: Its name, for errors.

    Raises:
        ConfigurationError: With file, line, key and what to write.
    """
    tree = _compose(text, file)
    try:
        rules = msgspec.convert(yaml.safe_load(text), RuleFile).rules
    except msgspec.ValidationError as error:
        raise ConfigurationError(_explain(str(error), tree, file)) from None
    seen: set[str] = set()
    for place, rule in enumerate(rules):
        path: list[str | int] = ["rules", place]
        _once(rule.id, seen, f"{file}, line {_line(tree, [*path, 'id'])}: the rule id")
        _check(rule, tree, path, file)
    return rules


def _compose(text: str, file: str) -> yaml.Node:
    if len(text.encode("utf-8")) > MAX_FILE:
        raise ConfigurationError(f"{file} is larger than {MAX_FILE // 1024} KiB. Split it into several rule files.")
    try:
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise ConfigurationError(f"{file}, line {line}: write aliases (*) out in full.")
        tree = yaml.compose(text, yaml.SafeLoader)
        _check_keys(tree, file)
        yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError(f"{file}, line {line}: not valid YAML: {error.problem}. Mend that line.") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise ConfigurationError(f"{file} is not valid YAML. Compare it with the shipped rules.") from None
    if tree is None:
        raise ConfigurationError(f"{file} is empty. It must hold `rules:` and at least one rule.")
    return tree


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


def _check(rule: Rule, tree: yaml.Node, path: list[str | int], file: str) -> None:
    _predicate(rule.trigger.when, tree, [*path, "trigger", "when"], file)
    ids: set[str] = set()
    for place, step in enumerate(rule.steps):
        where = f"{file}, line {_line(tree, [*path, 'steps', place])}:"
        _once(step.id, ids, f"{where} the step id")
        first, last = map(days, step.window)
        if not first <= 0 <= last:
            raise ConfigurationError(
                f"{where} the window of {step.id} must begin at 0d or before and end at 0d or after."
            )
        if days(step.at) < 0 or days(step.at) + last > MAX_AHEAD:
            raise ConfigurationError(f"{where} {step.id} must lie between 0 and {MAX_AHEAD} days after its trigger.")
    reasons: set[str] = set()
    for place, reason in enumerate(rule.suppress):
        at = [*path, "suppress", place]
        where = f"{file}, line {_line(tree, at)}:"
        _once(reason.reason, reasons, f"{where} the reason")
        _predicate(reason.when, tree, [*at, "when"], file)
        if reason.exists is None and any(column.startswith("other.") for column in reason.because):
            raise ConfigurationError(
                f"{where} `because` names other, which needs `exists`. Add the table's name there."
            )


def _predicate(text: str, tree: yaml.Node, path: list[str | int], file: str) -> None:
    """Refuse what would not stay inside the parentheses it is put into; all else the core's checker judges."""
    where = f"{file}, line {_line(tree, path)}:"
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


def _once(name: str, seen: set[str], what: str) -> None:
    if name in seen:
        raise ConfigurationError(f"{what} {name!r} stands here twice. Give each its own name.")
    seen.add(name)


def _explain(error: str, tree: yaml.Node, file: str) -> str:
    message, _, at = error.partition(" - at `$")
    path: list[str | int] = [
        int(index) if index else name for name, index in re.findall(r"\.([A-Za-z_]\w*)|\[(\d+)\]", at)
    ]
    unknown = re.match(r"Object contains unknown field `(.*)`", message)
    if unknown:
        name = unknown.group(1)
        return f"{file}, line {_line(tree, [*path, name])}: {name} is not a key. {_nearest(name, _valid_keys(path))}"
    return f"{file}, line {_line(tree, path)}: {'.'.join(map(str, path)) or 'the file'}: {message.lower()}."


def _nearest(name: str, valid: tuple[str, ...]) -> str:
    close = get_close_matches(name, valid, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Valid here: {', '.join(valid)}."


def _valid_keys(path: list[str | int]) -> tuple[str, ...]:
    found: Any = RuleFile
    for key in path:
        if isinstance(key, str) and isinstance(found, type) and issubclass(found, msgspec.Struct):
            found = {field.name: _struct_in(field.type) for field in msgspec.structs.fields(found)}.get(key)
    return found.__struct_fields__ if found is not None else ()


def _struct_in(hint: Any) -> Any:
    """The struct a type is, or is a sequence of."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next((found for part in getattr(hint, "__args__", ()) if (found := _struct_in(part))), None)


def _line(tree: yaml.Node, path: list[str | int]) -> int:
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
