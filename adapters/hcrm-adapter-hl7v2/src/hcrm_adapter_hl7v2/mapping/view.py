"""A message as the mapping looks at it: raw fields by path, from the segment at hand outwards."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from hcrm_adapter_hl7v2.mapping.dates import offset_of
from hcrm_adapter_hl7v2.mapping.groups import Groups
from hcrm_adapter_hl7v2.mapping.tables import Codes
from hcrm_adapter_hl7v2.reader import Message, Path
from hcrm_core.api import Problem

NULL = '""'

REMEMBERED = 50_000
"""Values kept, of all senders together."""

LONGEST = 1_000
"""Characters of a field whose value is kept."""

Memo = dict[tuple[Callable[..., Any], str, str], Any]


class Memos:
    """What was read before: delimiters, charset, sender, facility and zone → what was read among them.

    The sender names them all, so what is kept is counted over all of them.
    """

    def __init__(self) -> None:
        self.by: dict[tuple[str, ...], Memo] = {}
        self._kept = 0

    def of(self, surroundings: tuple[str, ...]) -> Memo:
        """What was read among these."""
        found = self.by.get(surroundings)
        if found is None:
            self._count()
            found = self.by[surroundings] = {}
        return found

    def keep(self, memo: Memo, key: tuple[Callable[..., Any], str, str], value: Any) -> None:
        """Remember a value."""
        self._count()
        memo[key] = value

    def _count(self) -> None:
        self._kept += 1
        if self._kept > REMEMBERED:
            for memo in self.by.values():
                memo.clear()
            self.by.clear()
            self._kept = 1


class View:
    """One message, its delimiters and what the mapping noticed while reading it.

    Attributes:
        message: The message.
        zone: UTC offset or IANA zone of times without an offset: that of MSH-7, else the source's.
        sender: `source/MSH-3/MSH-4`, the namespace of numbers without an assigning authority.
        facility: MSH-4.1, else MSH-3.1, else the source: where departments, staff and bills belong.
        positions: Segment id → where its segments stand, ascending.
        currency: ISO 4217 code of amounts sent without one.
        problems: What a person should know, in the order met.
        left_out: The fields of which a value could not be read.
        passed_over: The fields in whose place another was read.
        noticed: How often something was reported, the same thing twice included.
        codes: The source's code tables.
        memo: Values read before from equal text in equal surroundings; see `remembered`.
    """

    def __init__(self, message: Message, source: str, timezone: str, currency: str, codes: Codes, memos: Memos) -> None:
        self.message = message
        self.currency = currency
        self.codes = codes
        marks = message.delimiters
        self.component, self.repetition = marks.component, marks.repetition
        self.escape, self.subcomponent = marks.escape, marks.subcomponent
        self.positions: dict[str, list[int]] = defaultdict(list)
        for index, start in enumerate(message.starts):
            if start:
                self.positions[start[:3]].append(index)
        self._groups = Groups(self.positions)
        self.problems: list[Problem] = []
        self.noticed = 0
        self.left_out: set[str] = set()
        self.passed_over: set[str] = set()
        head = message.fields_at(0)
        head = head + [""] * (13 - len(head))
        self.zone = offset_of(self.first(head[6])) or timezone
        application, facility = self.first(head[2]), self.first(head[3])
        self.sender = f"{source}/{application}/{facility}"
        self.facility = facility or application or source
        surroundings = (marks.encoding, marks.field, message.charset, self.sender, self.facility, self.zone)
        self._memos = memos
        self.memo = memos.of(surroundings)

    def remembered(self, read: Callable[["View", str, str], Any], raw: str, where: str) -> Any:
        """`read(self, raw, where)`, from memory where equal text was read before without a word to report.

        A patient's name, address and doctor come again in every message about them.
        """
        key = (read, raw, where)
        try:
            return self.memo[key]
        except KeyError:
            noticed = self.noticed
            value = read(self, raw, where)
            # A broken escape is reported by the message itself.
            if self.noticed == noticed and self.escape not in raw and len(raw) <= LONGEST:
                self._memos.keep(self.memo, key, value)
            return value

    def nearest(self, segment: str, index: int) -> int | None:
        """The segment with this id that the one at `index` means; see `groups.py`."""
        return self._groups.of(segment, self.message.starts[index][:3], index)

    def raw(self, path: Path, index: int) -> str:
        """The raw text a path has as seen from the segment at `index`, as deep as the path is written; else empty."""
        start = self.message.starts[index][:3]
        at = index if start == path.segment else self.nearest(path.segment, index)
        if at is None:
            return ""
        fields = self.message.fields_at(at)
        number = path.field - 1 if path.segment == "MSH" else path.field
        if number >= len(fields):
            return ""
        text = fields[number]
        if path.depth > 1 and text and text != NULL:
            text = self.part(text.split(self.repetition, 1)[0], path.component)
            if path.depth > 2:
                pieces = text.split(self.subcomponent)
                text = pieces[path.subcomponent - 1] if len(pieces) >= path.subcomponent else ""
        return text

    def part(self, text: str, component: int) -> str:
        """One component of a repetition, raw."""
        pieces = text.split(self.component, component)
        return pieces[component - 1] if len(pieces) >= component else ""

    def components(self, text: str) -> list[str]:
        """The components of a repetition as text, empty and `""` ones as empty."""
        return [self.clean(piece) for piece in text.split(self.component)]

    def repetitions(self, text: str) -> list[str]:
        """The repetitions of a field that say something, raw."""
        return [piece for piece in text.split(self.repetition) if piece and piece != NULL]

    def first(self, text: str) -> str:
        """The first subcomponent of the first component of the first repetition, as text."""
        for separator in (self.repetition, self.component, self.subcomponent):
            text = text.split(separator, 1)[0]
        return self.clean(text)

    def clean(self, text: str) -> str:
        """Text with escapes replaced and blanks around it removed; `""` is empty."""
        if text == NULL:
            return ""
        if self.escape in text:
            text = self.message.unescape(text, 0, 0)
        return text.strip()

    def leave_out(self, code: str, where: str, text: str) -> None:
        """Note that a value of a field could not be read; the text says what it is not."""
        self.left_out.add(where.partition(".")[0])
        self.report(code, where, text)

    def report(self, code: str, where: str, text: str) -> None:
        """Note a problem once."""
        self.noticed += 1
        problem = Problem(code, where, text)
        if problem not in self.problems:
            self.problems.append(problem)
