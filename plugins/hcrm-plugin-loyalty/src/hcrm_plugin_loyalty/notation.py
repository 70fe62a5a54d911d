"""The notation of loyalty programmes, typed. What it means is told in the README."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Months = Annotated[str, Meta(pattern=r"^[1-9]\d{0,2}m$")]
"""A number of months: `12m`."""
Whole = Annotated[int, Meta(ge=1, le=10**12)]


class Cap(Struct, frozen=True, forbid_unknown_fields=True):
    """The most a rule gives one customer: so many points each calendar month or year."""

    points: Whole
    each: Literal["month", "year"]


class Earn(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule by which points are earned.

    Attributes:
        id: Part of the points' key: a new id is a new rule.
        per: For each so many minor units of the programme's currency (1000: 10 yuan) …
        points: … so many points; what is left over gives none.
        when: A predicate over the columns of `charge_item`; every charge where not given.
        cap: The most it gives.
    """

    id: Name
    per: Whole
    points: Whole
    when: Annotated[str, Meta(min_length=1)] = "true"
    cap: Cap | None = None


class Level(Struct, frozen=True, forbid_unknown_fields=True, rename={"least": "from"}):
    """A tier: who has at least so many points in the window is in it, unless a higher one fits."""

    id: Name
    least: Whole
    title: dict[str, str] = {}


class Tiers(Struct, frozen=True, forbid_unknown_fields=True):
    """The tiers of a programme, lowest first, by the points booked within a window that ends today."""

    window: Months
    levels: Annotated[tuple[Level, ...], Meta(min_length=1)]


class Programme(Struct, frozen=True, forbid_unknown_fields=True):
    """One programme.

    Attributes:
        id: The strategies are `loyalty.<id>` and `loyalty.<id>.tier`; the points' account is the id.
        since: Charges from this day on count.
        currency: Only charges in it do.
        earn: Rules; each charge line may earn by each.
        tiers: None where not given.
        version: Raise it when the meaning changes.
        title: By language.
    """

    id: Name
    since: date
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
    earn: Annotated[tuple[Earn, ...], Meta(min_length=1)]
    tiers: Tiers | None = None
    version: str = "1"
    title: dict[str, str] = {}


class ProgrammeFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A programme file."""

    programmes: Annotated[tuple[Programme, ...], Meta(min_length=1)]


def months(text: str) -> int:
    """The number of months a `Months` names."""
    return int(text[:-1])
