"""Checks of one translation at a time: its definition, its statement, its references, its coverage."""

from collections import Counter
from collections.abc import Iterator

from hcrm_core.api import KINDS
from hcrm_core.model.records import REFERENCES
from hcrm_core.testing.adapters.case import AdapterCase, said
from hcrm_core.testing.adapters.definition import faults
from hcrm_core.testing.adapters.suite import SUITE

_A_SEASON = 10_000_000_000_000
"""Microseconds: what a present time in seconds or milliseconds would be taken for."""


@SUITE.check(
    "A08",
    "Records keep their definition, and each kind and key stands once",
    reason="The store refuses what breaks the definition of its kind, and of two records of one key one would be lost.",
    fix="Write dates, instants and decimals as their types demand and lists as tuples; join records of the same key.",
)
def definition(case: AdapterCase) -> Iterator[str]:
    for name, payload in case.messages.items():
        for fault in faults(case.used.translate(payload)):
            yield f"Of {name}: {fault}."


@SUITE.check(
    "A09",
    "A translation states when it was said",
    reason="What is said about one fact is ordered by its statement alone, never by arrival.",
    fix="Give Statement(said_at=…) in microseconds since 1970 UTC, from when the source wrote the message.",
)
def statement(case: AdapterCase) -> Iterator[str]:
    for name, translation in case.translations.items():
        stated = translation.statement
        if stated is None:
            yield f"Of {name}: there is no statement."
        elif type(stated.said_at) is not int:
            yield f"Of {name}: said_at is a {type(stated.said_at).__name__} and no whole number."
        elif not -62_135_596_800_000_000 <= stated.said_at <= 253_402_300_799_999_999:
            yield f"Of {name}: said_at lies outside the years 1 to 9999."
        elif 0 < stated.said_at < _A_SEASON:
            yield f"Of {name}: said_at lies in the first days of 1970; it seems to be in seconds or milliseconds."
        elif stated.sequence < -1 or not 0 <= stated.rank <= 255:
            yield f"Of {name}: sequence or rank is out of range."


@SUITE.check(
    "A10",
    "References name records of the kind they refer to",
    reason="A reference that no record has as its key joins nothing, and nobody is told.",
    fix="Make the key of a record and the references to it by one function. Where a message refers to a record that "
    "only other messages state, add such a message to the samples.",
)
def references(case: AdapterCase) -> Iterator[str]:
    keys = {(type(one).__name__, one.key) for made in case.translations.values() for one in made.records}
    for name, translation in case.translations.items():
        for record in translation.records:
            kind = type(record).__name__
            for field, target in REFERENCES[kind].items():
                key = said(record).get(field)
                if key is not None and (target, key) not in keys:
                    yield f"Of {name}: {kind}.{field} refers to a {target} that no sample states."


@SUITE.check(
    "A11",
    "Coverage names every filled field once and nothing else",
    reason="Coverage is how a hospital sees what of its messages is used, left or not understood; what it does not "
    "list is dropped in silence.",
    fix="Let fields() list every filled field, and let the coverage put each under mapped, ignored, unknown or "
    "left_out, one of them, by the same name.",
)
def coverage(case: AdapterCase) -> Iterator[str]:
    if not any(case.used.fields(case.messages[name]) for name in case.translations):
        yield "fields() lists nothing for any sample."
        return
    for name, translation in case.translations.items():
        covered = translation.coverage
        listed = Counter((*covered.mapped, *covered.ignored, *covered.unknown, *covered.left_out))
        filled = {one.field for one in case.used.fields(case.messages[name])}
        twice = [field for field, count in listed.items() if count > 1]
        for fields, text in (
            (twice, "stand in it twice"),
            (filled - set(listed), "are filled and not in it"),
            (set(listed) - filled, "are in it and not filled"),
        ):
            if fields:
                yield f"Of {name}: {', '.join(sorted(fields)[:5])} {text}."


def known_kinds() -> str:
    """The kinds there are, for sentences."""
    return ", ".join(KINDS)
