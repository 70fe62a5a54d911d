"""Which elements of a resource are read, known and not read, or unknown; and what stands in them, for people.

An element is named by its FHIR path, backbone elements laid open (`Encounter.participant.individual`). It stands for
all its parts, except those of which something else becomes, which have paths of their own (`Patient.name.period`).
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from hcrm_adapter_fhir.mapping.makers import READ
from hcrm_adapter_fhir.mapping.paths import steps
from hcrm_adapter_fhir.mapping.readers import TYPES
from hcrm_adapter_fhir.mapping.tables import ResourceRule, resources, types
from hcrm_adapter_fhir.reader import encode, is_name
from hcrm_core.api import FieldCoverage, RawField

MAPPED, IGNORED, UNKNOWN = range(3)
REMEMBERED = 5_000
"""Shapes of resources kept, and names of elements that no table mentions."""

_COMMON = {"meta": MAPPED, "implicitRules": IGNORED, "language": IGNORED, "text": IGNORED, "contained": MAPPED}
_IDENTITY = frozenset({"resourceType", "id"})
_LONGEST_URL = 200


class Node:
    """An element: what becomes of it, and its parts where they differ from it.

    Attributes:
        path: Its name.
        status: What becomes of it; `None`: it is only its parts.
        parts: Name → element; `None`: they are not looked at.
        rest: Whether what it has beside these parts is known too, and told by the element itself.
    """

    __slots__ = ("parts", "path", "rest", "status")

    def __init__(self, path: str, status: int | None, parts: dict[str, "Node | None"] | None = None) -> None:
        self.path, self.status, self.parts = path, status, parts
        self.rest = False


class Found(NamedTuple):
    """An element that is filled: its node, its path with occurrences, its value."""

    node: Node
    place: str
    value: Any


class Ledger:
    """What becomes of elements, for one source: extensions that its settings name are read."""

    def __init__(self, extensions: dict[str, str]) -> None:
        """Args: extensions: field of Patient → URL."""
        self._urls = frozenset(extensions.values())
        self._strange: dict[str, Node] = {}
        self._shapes: dict[frozenset[Node], FieldCoverage] = {}

    def coverage(self, resource: dict[str, Any], kind: str) -> FieldCoverage:
        """What becomes of the elements of a resource."""
        filled: set[Node] = set()
        top = tree(kind)
        assert top.parts is not None
        filled.add(top)
        self._collect(top, resource, filled)
        shape = frozenset(filled)
        known = self._shapes.get(shape)
        if known is None:
            if len(self._shapes) >= REMEMBERED:
                self._shapes.clear()
            known = self._shapes[shape] = _listed(shape)
        return known

    def fields(self, resource: dict[str, Any], kind: str) -> list[RawField]:
        """The filled elements with what stands in them; all but the type and meta may tell who somebody is."""
        found = [RawField(kind, kind, kind, False)]
        for node, place, value in self._places(tree(kind), resource, kind):
            text = value if isinstance(value, str) else encode(value).decode()
            found.append(RawField(place, node.path, text, not node.path.startswith(f"{kind}.meta")))
        return found

    def _collect(self, node: Node, value: dict[str, Any], filled: set[Node]) -> None:
        parts = node.parts
        assert parts is not None
        for name, inner in value.items():
            try:
                part = parts[name]
            except KeyError:
                if inner is not None:
                    filled.update(self._unnamed(node, name, inner))
                continue
            if part is None or inner is None or inner == [None]:
                continue
            if part.status is not None:
                filled.add(part)
            if part.parts is not None:
                if type(inner) is dict:
                    self._collect(part, inner, filled)
                elif type(inner) is list:
                    for one in inner:
                        if type(one) is dict:
                            self._collect(part, one, filled)

    def _places(self, node: Node, value: dict[str, Any], place: str) -> Iterator[Found]:
        assert node.parts is not None
        for name, inner in value.items():
            if inner is None:
                continue
            if name not in node.parts:
                for strange in self._unnamed(node, name, inner):
                    yield Found(strange, place + strange.path[len(node.path) :], inner)
                continue
            part = node.parts[name]
            if part is None or inner == [None]:
                continue
            items = inner if isinstance(inner, list) else [inner]
            for number, one in enumerate(items):
                there = f"{place}.{name}" + (f"[{number}]" if len(items) > 1 else "")
                if part.status is not None:
                    yield Found(part, there, one)
                if part.parts is not None and isinstance(one, dict):
                    yield from self._places(part, one, there)
            if part.status is not None and not items:
                yield Found(part, f"{place}.{name}", inner)

    def _unnamed(self, node: Node, name: str, value: Any) -> list[Node]:
        """The nodes of what no table mentions: extensions by their URL, all else by its name."""
        if node.rest and name not in ("extension", "modifierExtension"):
            return []
        if name in ("extension", "modifierExtension") and isinstance(value, list):
            found = []
            for one in value:
                url = one.get("url") if isinstance(one, dict) else None
                plain = isinstance(url, str) and url.isprintable() and url.isascii() and "'" not in url
                shown = url[:_LONGEST_URL] if plain and isinstance(url, str) else "?"
                read = node.path == "Patient" and url in self._urls
                found.append(self._named(f"{node.path}.{name}('{shown}')", MAPPED if read else UNKNOWN))
            return found or [self._named(f"{node.path}.{name}", UNKNOWN)]
        if name == "id":
            return [self._named(f"{node.path}.id", IGNORED)]
        if name == "fhir_comments":
            return [self._named(f"{node.path}.{name}", IGNORED)]
        if name.startswith("_") and is_name(name[1:]):
            return [self._named(f"{node.path}.{name[1:]}.extension", UNKNOWN)]
        return [self._named(f"{node.path}.{name if is_name(name) else '?'}", UNKNOWN)]

    def _named(self, path: str, status: int) -> Node:
        node = self._strange.get(path)
        if node is None:
            if len(self._strange) >= REMEMBERED:
                self._strange.clear()
                self._shapes.clear()
            node = self._strange[path] = Node(path, status)
        return node


def _listed(shape: frozenset[Node]) -> FieldCoverage:
    paths: tuple[dict[str, None], ...] = ({}, {}, {})
    for path, status in sorted({(node.path, node.status) for node in shape}, key=lambda one: one[0]):
        paths[UNKNOWN if status is None else status][path] = None
    return FieldCoverage(*map(tuple, paths))


@cache
def tree(kind: str) -> Node:
    """The elements of a resource type; of one that no table mentions nothing is known."""
    rule = resources().get(kind)
    if rule is None or rule.part_of:
        return Node(kind, UNKNOWN, dict.fromkeys(_IDENTITY))
    top = Node(kind, MAPPED, dict.fromkeys(_IDENTITY))
    for name, status in _COMMON.items():
        _grow(top, name, status)
    for read in READ.get(kind, ()):
        _grow(top, read, MAPPED)
    _read(top, rule, "")
    for name, part in resources().items():
        if part.part_of and part.part_of.partition(".")[0] == kind:
            _read(top, part, part.part_of.partition(".")[2])
            _grow_ignored(top, part, name)
    for ignored in rule.ignored:
        _grow(top, ignored, IGNORED)
    for read in (*rule.void, *([rule.written] if rule.written else ())):
        _grow(top, read, MAPPED)
    _close_periods(top)
    return top


def _close_periods(node: Node) -> None:
    """The end of a period whose start alone is read, or the other way round, is known."""
    for name, part in list((node.parts or {}).items()):
        if part is not None and part.parts is not None:
            _close_periods(part)
            if name.lower().endswith("period") and part.status is None:
                for end in ("start", "end"):
                    part.parts.setdefault(end, Node(f"{part.path}.{end}", IGNORED))


def _read(top: Node, rule: ResourceRule, within: str) -> None:
    prefix = f"{within}." if within else ""
    for one in rule.fields.values():
        for path in one.paths:
            at = ""
            for step in steps(path):
                at = f"{at}.{step.name}" if at else step.name
                if step.by:
                    _grow(top, f"{prefix}{at}.{step.by}", MAPPED)
            kind = "Reference" if one.datatype.startswith("reference ") else TYPES.get(one.datatype)
            _grow(top, prefix + at, MAPPED, kind)


def _grow_ignored(top: Node, rule: ResourceRule, name: str) -> None:
    assert rule.part_of is not None, name
    for ignored in rule.ignored:
        _grow(top, f"{rule.part_of.partition('.')[2]}.{ignored}", IGNORED)


def _grow(top: Node, path: str, status: int, datatype: str | None = None) -> None:
    """Add an element; one that is there keeps what becomes of it."""
    node = top
    *above, last = path.split(".")
    for name in above:
        assert node.parts is not None, path
        inner = node.parts.get(name)
        if inner is None:
            inner = node.parts[name] = Node(f"{node.path}.{name}", None, {})
        elif inner.parts is None:
            inner.parts = {}
        node = inner
    assert node.parts is not None, path
    found = node.parts.get(last)
    if found is None:
        node.parts[last] = Node(f"{node.path}.{last}", status, _parts(f"{node.path}.{last}", datatype))
    else:
        if found.status is None:
            found.status = status
            found.rest = status == IGNORED
        for name, part in (_parts(found.path, datatype) or {}).items():
            found.parts = found.parts or {}
            found.parts.setdefault(name, part)


@cache
def _type_parts(datatype: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    rule = types()[datatype]
    return rule.read, rule.ignored, tuple(rule.parts.items())


def _parts(path: str, datatype: str | None) -> dict[str, Node | None] | None:
    if datatype is None:
        return None
    read, ignored, inner = _type_parts(datatype)
    parts: dict[str, Node | None] = dict.fromkeys(read)
    for name in ignored:
        parts[name] = Node(f"{path}.{name}", IGNORED)
    for name, kind in inner:
        # A part that is read is told by the whole; only what stands out in it is named.
        parts[name] = Node(f"{path}.{name}", None, _parts(f"{path}.{name}", kind))
    return parts
