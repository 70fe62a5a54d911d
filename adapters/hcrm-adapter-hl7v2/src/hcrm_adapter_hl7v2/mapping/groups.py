"""Which of several segments with one id another segment means: the one of its own group, else of the enclosing one.

The abstract messages of the standard nest three deep, as far as a mapping looks (HL7 v2.5.1 chapters 3 to 12): the
message; what begins with a PID or an MFE; in that what begins with an ORC (an order), a MRG (a visit) or an IN1 (an
insurance). Each segment belongs to one kind of the innermost groups by its id.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

OUTER = ("PID", "MFE")
"""What begins a patient, and an entry of a master file."""

DETAILS = ("OBR", "RXO", "RXE", "RXD", "RXA", "RXG", "ODS", "ODT", "RQD")
"""What an order is about, of each one; it begins an order where the ORC is left out."""

_KINDS = {
    "visit": "MRG PV1 PV2",
    "insurance": "IN1 IN2 IN3",
    "patient": (
        "MSH EVN PID PD1 NK1 ROL DB1 AL1 IAM GT1 ACC UB1 UB2 DG1 DRG PR1 FT1 PRB TXA PDA SCH RGS AIS AIG AIL AIP RF1 "
        "PRD CTD MFI MFE STF PRA ORG AFF LOC LCH LRL LDP LCC CDM PRC"
    ),
}
"""Kind of group → the segments that stand in it. What is not named, such as a Z segment, may belong to an order."""

_KIND = {segment: kind for kind, segments in _KINDS.items() for segment in segments.split()}


class Groups:
    """The groups of one message.

    Args (of the constructor):
        positions: Segment id → where its segments stand, ascending.
    """

    def __init__(self, positions: Mapping[str, list[int]]) -> None:
        self._positions = positions
        self._outer = sorted(place for opener in OUTER for place in positions.get(opener, ()))
        self._inner: dict[str, list[int]] = {"patient": self._outer}
        self._found: dict[tuple[str, int], int | None] = {}

    def of(self, segment: str, own: str, index: int) -> int | None:
        """Where the segment stands that the one at `index` means.

        Args:
            segment: The id looked for.
            own: The id of the segment at `index`.
            index: From where.

        Returns:
            In the own group the first after it (up to the next of its own id), else the nearest before; else the
            nearest in what the enclosing groups begin with. What stands before the first group sees that one.
        """
        key = (segment, index)
        if key not in self._found:
            places = self._positions.get(segment)
            self._found[key] = self._look(places, segment, own, index) if places else None
        return self._found[key]

    def _look(self, places: list[int], segment: str, own: str, index: int) -> int | None:
        bounds = self._bounds(segment)
        if len(places) == 1 and len(bounds) < 2:
            return places[0]
        at = bisect_right(bounds, index)
        low, high = bounds[at - 1] if at else 0, bounds[at] if at < len(bounds) else None
        after = bisect_right(places, index)
        if after < len(places) and (high is None or places[after] < high):
            following = self._positions[own]
            turn = bisect_right(following, index)
            if turn == len(following) or places[after] < following[turn]:
                return places[after]
        if after and places[after - 1] >= low:
            return places[after - 1]
        return self._around(places, bounds, low, index)

    def _around(self, places: list[int], bounds: list[int], low: int, index: int) -> int | None:
        """The segment that the own group has not."""
        outer = self._outer
        at = bisect_right(outer, index)
        begin, end = outer[at - 1] if at else 0, outer[at] if at < len(outer) else None
        if low in (0, begin):
            after = bisect_right(places, index)
            if after < len(places) and (end is None or places[after] < end or not at):
                return places[after]
        elif (found := _last(places, begin, bounds[bisect_right(bounds, begin)])) is not None:
            return found
        return _last(places, 0, outer[0]) if at else None

    def _bounds(self, segment: str) -> list[int]:
        """Where the groups begin that segments with this id stand in."""
        kind = _KIND.get(segment, "order")
        found = self._inner.get(kind)
        if found is None:
            openers = self._positions.get("MRG" if kind == "visit" else "IN1", ())
            found = self._orders() if kind == "order" else sorted([*self._outer, *openers])
            self._inner[kind] = found
        return found

    def _orders(self) -> list[int]:
        here = [(place, "") for place in self._outer]
        here += [(place, one) for one in ("ORC", *DETAILS) for place in self._positions.get(one, ())]
        found: list[int] = []
        open_for: set[str] | None = None
        for place, one in sorted(here):
            if not one:
                open_for = None
            elif open_for is None or one == "ORC" or one in open_for:
                open_for = {one}
            else:
                open_for.add(one)
                continue
            found.append(place)
        return found


def _last(places: list[int], low: int, high: int) -> int | None:
    at = bisect_left(places, high)
    return places[at - 1] if at and places[at - 1] >= low else None
