"""How two profiles agree: one level for each field, by names that a person can read.

Each function is symmetrical. `None` is no evidence: one side says nothing.
"""

from collections.abc import Callable

from hcrm_core.identity.profile import Name, Profile

LEVELS: dict[str, tuple[str, ...]] = {
    "name": ("same", "sound", "near", "given", "family", "different"),
    "birth": ("same", "same 1 January", "swapped", "near", "year", "different"),
    "sex": ("same", "different"),
    "phone": ("same", "near", "different"),
    "document": ("same", "near", "conflict", "different"),
    "address": ("same", "part", "different"),
}
"""Field → its levels, the strongest first."""

Levels = dict[str, str]


def compare(one: Profile, other: Profile) -> Levels:
    """Field → level, for fields that both say."""
    found = {}
    for field, level_of in LEVEL_OF.items():
        level = level_of(one, other)
        if level is not None:
            found[field] = level
    return found


def _name(one: Profile, other: Profile) -> str | None:
    best: int | None = None
    for mine in one.names:
        for theirs in other.names:
            level = _names(mine, theirs)
            if best is None or level < best:
                best = level
    return None if best is None else LEVELS["name"][best]


def _names(one: Name, other: Name) -> int:
    both_written = bool(one.given and other.given)
    if both_written and (one.written == other.written or one.given + one.family == other.written):
        return 0
    if not set(one.sounds).isdisjoint(other.sounds):
        return 1
    family = _same_family(one, other)
    if family and _near(one, other, both_written):
        return 2
    if _same_given(one, other, both_written):
        return 3
    return 4 if family else 5


def _same_family(one: Name, other: Name) -> bool:
    if one.family and one.family == other.family:
        return True
    return not set(one.families).isdisjoint(other.families)


def _same_given(one: Name, other: Name, both_written: bool) -> bool:
    if both_written:
        if one.given == other.given or one.sounded == other.sounded:
            return True
        # A husband's surname before one's own makes the given name longer or shorter by it.
        long, short = (one, other) if len(one.written) > len(other.written) else (other, one)
        return len(long.written) == len(short.written) + 1 and long.written[1:] == short.written
    return bool(one.sounded) and one.sounded == other.sounded


def _near(one: Name, other: Name, both_written: bool) -> bool:
    """One character of several, or one letter of a word, is another or missing."""
    if both_written:
        mine, theirs = one.given, other.given
        if len(mine) == len(theirs):
            return len(mine) > 1 and sum(a != b for a, b in zip(mine, theirs, strict=True)) == 1
        return abs(len(mine) - len(theirs)) == 1 and (mine in theirs or theirs in mine)
    return min(len(one.sounded), len(other.sounded)) > 3 and one_slip(one.sounded, other.sounded)


def _birth(one: Profile, other: Profile) -> str | None:
    mine, theirs = one.birth, other.birth
    if not mine or not theirs:
        return None
    if mine == theirs:
        return "same 1 January" if mine.endswith("0101") else "same"
    if mine[:4] == theirs[:4]:
        if mine[4:6] == theirs[6:] and mine[6:] == theirs[4:6]:
            return "swapped"
        if mine.endswith("0101") or theirs.endswith("0101"):
            return "year"
    if one_slip(mine, theirs) or (mine[4:] == theirs[4:] and abs(int(mine[:4]) - int(theirs[:4])) == 1):
        return "near"
    return "different"


def _sex(one: Profile, other: Profile) -> str | None:
    if not one.sex or not other.sex:
        return None
    return "same" if one.sex == other.sex else "different"


def _phone(one: Profile, other: Profile) -> str | None:
    if not one.phones or not other.phones:
        return None
    if not set(one.phones).isdisjoint(other.phones):
        return "same"
    near = any(one_slip(mine, theirs) for mine in one.phones for theirs in other.phones)
    return "near" if near else "different"


def _document(one: Profile, other: Profile) -> str | None:
    mine, theirs = _numbers(one), _numbers(other)
    if not mine or not theirs:
        return None
    if not set(mine).isdisjoint(theirs):
        return "same"
    if one.resident and other.resident:
        return "conflict"
    near = any(one_slip(a, b) or _one_slip_of_fifteen(a, b) for a in mine for b in theirs)
    return "near" if near else "different"


def _numbers(profile: Profile) -> tuple[str, ...]:
    return (*profile.documents, profile.resident) if profile.resident else profile.documents


def _one_slip_of_fifteen(one: str, other: str) -> bool:
    """A number of fifteen digits with a slip, beside the eighteen of the same person."""
    if {len(one), len(other)} != {15, 18}:
        return False
    long, short = (one, other) if len(one) == 18 else (other, one)
    return one_slip(long[:6] + long[8:17], short)


def _address(one: Profile, other: Profile) -> str | None:
    if not one.address or not other.address:
        return None
    mine, theirs = one.address, other.address
    if mine == theirs:
        return "same"
    if mine[0] == theirs[0] and _digits(mine) == _digits(theirs) != "":
        return "same"  # 24幢1单元1402室 and 24-1-1402, of one street
    return "part" if mine.split()[:2] == theirs.split()[:2] else "different"


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())


def one_slip(one: str, other: str) -> bool:
    """Whether two words differ by one letter that is another, missing or more, or by two neighbours swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    if len(one) > len(other):
        one, other = other, one
    for place, letter in enumerate(one):
        if letter != other[place]:
            if len(one) < len(other):
                return one[place:] == other[place + 1 :]
            if one[place + 1 :] == other[place + 1 :]:
                return True
            swapped = other[place + 1 : place + 2] + other[place]
            return one[place : place + 2] == swapped and one[place + 2 :] == other[place + 2 :]
    return True


LEVEL_OF: dict[str, Callable[[Profile, Profile], str | None]] = {
    "name": _name,
    "birth": _birth,
    "sex": _sex,
    "phone": _phone,
    "document": _document,
    "address": _address,
}
"""Field → how it agrees; `None`: one side says nothing."""
