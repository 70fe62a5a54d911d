"""HCRM and ReportStream's converter read the same messages: what both say, what one says, and why.

A message without a patient's number gives no records, for HCRM keeps nothing of a person whom no number identifies.
Most of the pairs try one data type and name nobody; so that their other fields can be compared, such a message is given
a number first, which is then left out of the comparison.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, convert

from hcrm_adapter_hl7v2.mapping.tables import shipped
from support import agreement_ours
from support.agreement_theirs import Bundle
from support.agreement_values import Fact
from support.hl7v2 import adapter

PAIRS = Path(__file__).parents[3] / "shared" / "corpora" / "hl7v2" / "CDCgov__prime-reportstream"
REASONS = Path(__file__).parents[1] / "integration" / "agreement.toml"
STAND_IN = "AGREEMENT"


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    """A class of differences and why they are none of understanding.

    `ours` and `theirs` are patterns of the whole value; absent, that side says nothing. `alike` names a relation of
    `ALIKE` that must hold between both.
    """

    name: str
    why: str
    kinds: tuple[str, ...]
    elements: tuple[str, ...]
    ours: str | None = None
    theirs: str | None = None
    alike: str | None = None


class Difference(NamedTuple):
    """What the sides say of one element of one record; one of them may say nothing."""

    ours: Fact | None
    theirs: Fact | None
    shift: timedelta | None
    """The header's offset from UTC."""

    @property
    def stated(self) -> int:
        """How many facts it is."""
        return (self.ours is not None) + (self.theirs is not None)


class Comparison(NamedTuple):
    """All messages compared."""

    messages: int
    equal: Counter[str]
    """Kind → facts both state."""
    differences: list[tuple[Difference, str | None]]
    """Each with the name of its class."""
    unmapped: Counter[str]
    """Kind → facts of theirs in messages of a type that gives HCRM no record of that kind."""

    @property
    def agreement(self) -> float:
        """Equal facts out of those stated by either."""
        return self._agreement(sum(found.stated for found, _ in self.differences))

    @property
    def agreement_but_for_explained(self) -> float:
        """The same without the facts of explained classes."""
        return self._agreement(sum(found.stated for found, name in self.differences if name is None))

    def _agreement(self, differing: int) -> float:
        return self.equal.total() / (self.equal.total() + differing)


@cache
def reasons() -> tuple[Reason, ...]:
    """The committed classes of differences."""
    return convert(tomllib.loads(REASONS.read_text(encoding="utf-8"))["class"], tuple[Reason, ...])


def compare(*, numbered: bool = True) -> Comparison:
    """Compare all pairs.

    Args:
        numbered: Whether messages without a patient's number are given one.
    """
    reader = adapter(timezone="UTC")
    messages, equal, unmapped = 0, Counter[str](), Counter[str]()
    differences = []
    for path in sorted(PAIRS.rglob("*.hl7")):
        if not path.with_suffix(".fhir").exists():
            continue
        messages += 1
        text = path.read_text(encoding="utf-8")
        translation = reader.translate((_numbered(text) if numbered else text).encode())
        ours = {fact for fact in agreement_ours.facts(translation) if not fact.value.startswith(STAND_IN)}
        theirs = Bundle(json.loads(path.with_suffix(".fhir").read_text(encoding="utf-8"))).facts()
        mapped = _kinds(translation.message_type)
        unmapped.update(fact.kind for fact in theirs if fact.kind not in mapped)
        theirs = {fact for fact in theirs if fact.kind in mapped}
        equal.update(fact.kind for fact in ours & theirs)
        differences += [(found, class_of(found)) for found in _paired(ours - theirs, theirs - ours, _shift(text))]
    return Comparison(messages, equal, differences, unmapped)


def _numbered(text: str) -> str:
    lines = [line for line in re.split(r"[\r\n]+", text) if line]
    at = next((place for place, line in enumerate(lines) if line.startswith("PID")), None)
    if at is None:
        lines.insert(1, f"PID|1||{STAND_IN}^^^HCRM^MR")
    else:
        fields = [*lines[at].split("|"), *[""] * 5]
        if not any(fields[2:5]):
            fields[3] = f"{STAND_IN}^^^HCRM^MR"
        lines[at] = "|".join(fields).rstrip("|")
    return "\r".join(lines)


def _kinds(message_type: str) -> set[str]:
    tables = shipped()
    return {tables.records[name].kind or name for name in tables.event(message_type).records}


def _shift(text: str) -> timedelta | None:
    found = re.search(r"([+-])(\d\d)(\d\d)$", text.split("|", 7)[6])
    if found is None:
        return None
    shift = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -shift if found[1] == "-" else shift


def _paired(ours: set[Fact], theirs: set[Fact], shift: timedelta | None) -> Iterator[Difference]:
    for place in sorted({fact[:3] for fact in ours | theirs}):
        mine, other = (sorted(fact for fact in facts if fact[:3] == place) for facts in (ours, theirs))
        for at in range(max(len(mine), len(other))):
            yield Difference(mine[at] if at < len(mine) else None, other[at] if at < len(other) else None, shift)


def class_of(found: Difference) -> str | None:
    """The name of the first class that explains a difference."""
    return next((reason.name for reason in reasons() if _explains(reason, found)), None)


def _explains(reason: Reason, found: Difference) -> bool:
    one = found.ours or found.theirs
    assert one is not None
    for pattern, fact in ((reason.ours, found.ours), (reason.theirs, found.theirs)):
        if (pattern is None) != (fact is None) or (fact and not re.fullmatch(pattern or "", fact.value, re.DOTALL)):
            return False
    return one.kind in reason.kinds and one.element in reason.elements and (not reason.alike or _alike(reason, found))


def _alike(reason: Reason, found: Difference) -> bool:
    assert found.ours and found.theirs and reason.alike
    ours, theirs = found.ours.value, found.theirs.value
    match reason.alike:
        case "but for the zone":
            moments = [datetime.fromisoformat(value.removeprefix("time|")) for value in (ours, theirs)]
            return found.shift is not None and moments[0] + found.shift == moments[1]
        case "but for the use":
            without = [re.sub(r"\|*(home|work|mobile|official)$", "", value) for value in (ours, theirs)]
            return without[0] == without[1]
        case "but for the system":
            return ours == f"phone{theirs}"
    raise ValueError(reason.alike)
