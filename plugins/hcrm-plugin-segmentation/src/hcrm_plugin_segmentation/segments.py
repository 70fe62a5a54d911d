"""Segments as data: each segment of a YAML file becomes the strategy `segments.<id>`."""

import re
from datetime import date
from hashlib import sha256
from typing import Annotated

from msgspec import Meta, Struct

from hcrm_core.api import PERSON_COLUMNS, ConfigurationError, RuleFile, Strategy

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Text = Annotated[str, Meta(min_length=1)]


class Title(Struct, frozen=True, forbid_unknown_fields=True):
    """What people call it."""

    en: Text
    zh: Text


class Segment(Struct, frozen=True, forbid_unknown_fields=True):
    """One segment.

    Attributes:
        id: The strategy is named `segments.<id>`.
        title: What people call it.
        when: A SQL predicate over the columns of `customer_profile`.
        version: Raise it when the meaning changes.
        living: Customers come and go with every run; so it is where nothing is said.
        frozen: The last day that counts: who belonged at its end stays, and nobody else comes.
    """

    id: Name
    title: Title
    when: Text
    version: str = "1"
    living: bool | None = None
    frozen: date | None = None


class SegmentFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of segments."""

    segments: Annotated[tuple[Segment, ...], Meta(min_length=1)]


_VISIT, _STAY = ("encounter", "last_visit_id"), ("encounter", "last_admission_id")
_CITED: dict[str, tuple[str, str, str]] = {
    **dict.fromkeys(("visits", "visits_12m", "last_visit_on", "days_since_last_visit"), (*_VISIT, "started_on")),
    **dict.fromkeys(("emergencies_12m", "last_department_id", "last_department"), (*_VISIT, "started_on")),
    "payer_class": (*_VISIT, "started_on"),
    "first_visit_on": ("encounter", "first_visit_id", "started_on"),
    "admissions_12m": (*_STAY, "started_on"),
    "last_admission_on": (*_STAY, "started_on"),
    "last_discharge_on": (*_STAY, "ended_on"),
    "in_hospital": (*_STAY, "status"),
    "no_shows_12m": ("appointment", "last_no_show_id", "status"),
    "next_appointment_on": ("appointment", "next_appointment_id", "start_on"),
    **dict.fromkeys(("revenue_12m", "currency"), ("charge_item", "last_charge_id", "amount")),
    **dict.fromkeys(("hypertension", "diabetes", "chronic_conditions"), ("condition", "last_chronic_id", "code")),
    "age": ("customer", "customer_id", "birth_year"),
    **{column: ("customer", "customer_id", column) for column in PERSON_COLUMNS},
}
"""Column of the profile → table, the profile's column with the id, and column of the fact that shows it best."""

_QUERY = re.compile(r"\b(select|from|with|table|values)\b", re.IGNORECASE)
_TEXT = re.compile(r"'(?:[^']|'')*'")


def read_segments(text: str, file: str) -> list[Strategy]:
    """The strategies of one file.

    Args:
        text: Its content.
        file: Its name, for errors.

    Raises:
        ConfigurationError: With file, line, key and what to write.
    """
    read = RuleFile(text, file, SegmentFile)
    seen: set[str] = set()
    found = []
    for place, segment in enumerate(read.content.segments):
        path = ("segments", place)
        read.check_once(segment.id, seen, "the segment", *path, "id")
        _check(read, segment, path)
        found.append(_compile(read, segment, path))
    return found


def _check(read: RuleFile[SegmentFile], segment: Segment, path: tuple[str | int, ...]) -> None:
    if segment.living is not None and segment.living == (segment.frozen is not None):
        raise ConfigurationError(
            f"{read.where(*path, 'living')}: a segment is either `living: true` or `frozen: DAY`. Take one line out."
        )
    read.check_predicate(segment.when, *path, "when")
    if query := _QUERY.search(_TEXT.sub("''", segment.when)):
        raise ConfigurationError(
            f"{read.where(*path, 'when')}: a condition looks at one customer and may not hold a query "
            f"({query.group().upper()}). Compare columns of customer_profile."
        )


def _compile(read: RuleFile[SegmentFile], segment: Segment, path: tuple[str | int, ...]) -> Strategy:
    """The predicate is put in as it is, on lines and in parentheses of its own; the core checks the whole."""
    words = set(re.findall(r"\w+", _TEXT.sub("''", segment.when).lower()))
    head = (
        f"SELECT customer_id AS subject, '{segment.id}' AS segment,\n"
        f"  {_evidence(words)} AS evidence\nFROM customer_profile\nWHERE (\n"
    )
    sql = f"{head}{segment.when}\n)\n"
    frozen = segment.frozen.isoformat() if segment.frozen else None
    return Strategy(
        name=f"segments.{segment.id}",
        # The text decides who is in it, so a change nobody numbered shows too.
        version=f"{segment.version}+{sha256(f'{frozen} {sql}'.encode()).hexdigest()[:8]}",
        kind="segment",
        scope="subject",
        tables=("customer_profile",),
        sql=sql,
        title={"en": segment.title.en, "zh": segment.title.zh},
        person_columns=tuple(column for column in PERSON_COLUMNS if column in words),
        frozen_on=frozen,
        written=(read.written(sql, len(head), *path, "when"),),
    )


def _evidence(words: set[str]) -> str:
    """What a member cites: for each column of the predicate the fact that shows it, or the customer where none is."""
    cited = dict.fromkeys(fact for column, fact in _CITED.items() if column in words)
    itself = "'customer/' || customer_id || '#customer_id'"
    found = [
        f"'{table}/' || {key} || '#{column}'"
        if table == "customer"
        else f"coalesce('{table}/' || {key} || '#{column}', {itself})"
        for table, key, column in cited
    ]
    return f"[{', '.join(found or [itself])}]"
