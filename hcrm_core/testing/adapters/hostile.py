"""Checks of bad input, of what is told about it, and of charsets."""

import re
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from hcrm_core.api import Problem
from hcrm_core.testing.adapters.case import AdapterCase
from hcrm_core.testing.adapters.child import Answer, ChildFailed, ask
from hcrm_core.testing.adapters.suite import SUITE
from hcrm_core.testing.checks import NotGiven

REPLACEMENT = "�"


def _fed(case: AdapterCase) -> Answer:
    """What came of all bad input; it is asked once and told by two checks."""
    known: Answer | None = case.__dict__.get("_fed")
    if known is None:
        known = case.__dict__["_fed"] = ask(case, hostile=True)
    return known


@SUITE.check(
    "A16",
    "Bad input is quarantined or translated and never raises, hangs or breaks a definition",
    reason="Senders cut messages, double them and change them on the way. An exception costs a worker its batch, and a "
    "record that breaks its definition stops the fold.",
    fix="Catch what reading raises and give Translation(..., quarantine=Problem(...)) without records. Let split raise "
    "nothing but InputError, let fields and origins give empty lists, and conformance a problem.",
)
def bad_input(case: AdapterCase) -> Iterator[str]:
    try:
        yield from _fed(case).broken
    except ChildFailed as failed:
        yield str(failed)


@SUITE.check(
    "A17",
    "No problem and no quarantine tells a personal value",
    reason="Problems are logged, counted and shown to people who may not see names and numbers of patients.",
    fix="Say which field is wrong and what to do, never what stands in it; put no exception's text in a problem.",
)
def nothing_personal(case: AdapterCase) -> Iterator[str]:
    try:
        yield from _fed(case).leaked
    except ChildFailed as failed:
        yield f"It could not be seen to its end. {failed}"


@SUITE.check(
    "A18",
    "Problems have a short code and a sentence",
    reason="Codes are counted and compared over time; sentences are all that a person at the hospital has to go by.",
    fix="Write codes lower case with hyphens (charset-fallback), and a sentence as text: what was found, what to do.",
)
def problems_are_readable(case: AdapterCase) -> Iterator[str]:
    told: dict[str, list[Problem]] = {}
    inputs = {**case.messages, "an empty message": b"", "a message of one byte": b"\0"}
    for name, payload in inputs.items():
        with suppress(Exception):  # A16 tells
            translation = case.used.translate(payload)
            told[name] = [*translation.problems, *filter(None, [translation.quarantine])]
            told[name] += case.used.conformance(payload) or ()
    for name, data in case.files.items():
        with suppress(Exception):  # A20 tells
            told[name] = [
                *told.get(name, []),
                *(repair for raw in case.split(name, data) for repair in raw.repairs),
            ]
    for name, problems in told.items():
        for problem in problems:
            if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", problem.code) or len(problem.code) > 40:
                yield f"Of {name}: the code {problem.code!r} is none."
            if " " not in problem.text.strip() or not problem.text.rstrip().endswith((".", "。", "!", "！")):
                yield f"Of {name}: the text of {problem.code!r} is no sentence."


@SUITE.check(
    "A19",
    "A message says the same in every charset",
    reason="Chinese hospitals send GB18030 and UTF-8, often without saying which. A wrong one makes names unreadable, "
    "and a name once stored wrongly finds nobody.",
    fix="Decode by the charset of the settings or of the message, strictly; report what does not fit instead of "
    "replacing it by U+FFFD.",
)
def charsets(case: AdapterCase) -> Iterator[str]:
    if len(case.charsets) < 2:
        raise NotGiven(
            'Pass charsets={"UTF-8": …, "GB18030": …}: the same message in at least two charsets. An adapter of a '
            "format that has only one charset is exempt from this check."
        )
    said: dict[str, bytes] = {}
    for charset, payload in case.charsets.items():
        translation = case.make(**_settings(case, charset)).translate(payload)
        if translation.quarantine is not None:
            yield f"In {charset} it is quarantined: {translation.quarantine.text}"
            continue
        said[charset] = msgspec.json.encode(translation.records)
        if REPLACEMENT in said[charset].decode():
            yield f"In {charset} its records hold U+FFFD, which stands for bytes that were lost."
        if said[charset].isascii():
            yield f"In {charset} its records hold only ASCII, which proves nothing. Pass a message with Chinese text."
    first = next(iter(said), "")
    for other in said:
        if said[other] != said[first]:
            yield f"In {other} its records differ from those in {first}."


def _settings(case: AdapterCase, charset: str) -> dict[str, object]:
    if case.charset_settings is not None:
        return dict(case.charset_settings(charset))
    if "charset" in case.adapter.settings_type.__struct_fields__:
        return {"charset": charset}
    return {}
