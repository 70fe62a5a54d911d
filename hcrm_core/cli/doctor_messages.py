"""What `hcrm doctor` says of messages: which wait, were not read, were read with a problem, lack a field, or would be
read otherwise now."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec

from hcrm_core import env
from hcrm_core.cli.context import Opened, counted
from hcrm_core.errors import HcrmError
from hcrm_core.intake.figures import Figures, Held, figures
from hcrm_core.intake.outdated import LOOKED_AT, outdated
from hcrm_core.model.translation import Problem
from hcrm_core.store.queries import coverage, processing

_decode = msgspec.json.Decoder(list[Problem]).decode

PATIENCE = 60
"""How many seconds a message may wait before somebody should look."""

LATELY = 30
"""Of how many days' messages it is told what was left out and noticed."""

NEWEST = 10_000
"""Of how many messages it is told what was noticed."""

REASONS = 10
"""How many reasons are told one by one."""

FIELDS = 5
"""How many fields are named."""


def messages(space: Opened) -> Iterator[tuple[str, str]]:
    """(level, sentence) for each thing looked at, as `hcrm doctor` tells things."""
    now = env.microseconds(env.now())
    seen = figures(space.unchecked_store, now)
    yield from _waiting(seen, now)
    for one in seen.stuck:
        yield "wrong", f"{counted(one.messages, 'message')} cannot be worked off ({one.code}): {one.text}"
    yield from _reasons(seen.quarantined, "message", "quarantined")
    yield from _reasons(seen.rejected, "arrival", "rejected")
    yield from _problems(space)
    yield from _left_out(space)
    yield from _outdated(space)


def span(seconds: int) -> str:
    """A length of time in the largest unit that fits."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(seconds // size, unit)
    return counted(seconds, "second")


def _waiting(seen: Figures, now: int) -> Iterator[tuple[str, str]]:
    if seen.oldest_waiting_at is None:
        yield "good", "Every message that has landed is worked off."
        return
    waited = (now - seen.oldest_waiting_at) // 1_000_000
    what = f"{counted(seen.waiting, 'message')} not worked off yet, the oldest landed {span(waited)} ago"
    if seen.claimants:
        yield "note", f"{what}; being worked on by {', '.join(seen.claimants)} (host:process)."
    elif waited < PATIENCE:
        yield "note", f"{what}; nobody is at work on them. Work them off with: hcrm run"
    else:
        yield "wrong", f"{what}, and nobody is at work on them. Start: hcrm run --watch"


def _reasons(held: Sequence[Held], thing: str, state: str) -> Iterator[tuple[str, str]]:
    """A sentence for each reason; the rare ones beyond `REASONS` are counted together."""
    see = f"See: hcrm messages list --state {state}"
    for one in held[:REASONS]:
        what = f"of type {one.message_type} " if one.message_type else ""
        yield "note", f"{counted(one.messages, thing)} {what}{state} ({one.code}): {one.text} {see}"
    if more := held[REASONS:]:
        count = counted(sum(one.messages for one in more), thing)
        yield "note", f"{count} more {state}, for {counted(len(more), 'rarer reason')}. {see}"


def _problems(space: Opened) -> Iterator[tuple[str, str]]:
    """What was noticed of messages that were folded all the same, a sentence for each kind of problem."""
    since = env.microseconds(env.now() - timedelta(days=LATELY))
    with space.unchecked_store.read() as connection:
        rows = processing.with_problems(connection, NEWEST, since)
    met: Counter[str] = Counter()
    newest: dict[str, tuple[int, Problem]] = {}
    for number, text in rows:
        for code, problem in {one.code: one for one in _decode(text)}.items():
            met[code] += 1
            newest.setdefault(code, (number, problem))
    for code, count in sorted(met.items(), key=lambda one: (-one[1], one[0]))[:REASONS]:
        number, problem = newest[code]
        yield (
            "note",
            f"{counted(count, 'message')} of the last {LATELY} days (of the newest {NEWEST:,} at most), read with a "
            f"problem ({code}), such as #{number}: {problem.text} See: hcrm messages show {number}",
        )


def _left_out(space: Opened) -> Iterator[tuple[str, str]]:
    """Fields that are to be read and could not be, by source."""
    since = (env.now().astimezone(ZoneInfo(space.timezone)).date() - timedelta(days=LATELY)).isoformat()
    with space.unchecked_store.read() as connection:
        rows = coverage.read(connection, since=since)
    fields: dict[str, Counter[str]] = {}
    for row in rows:
        if row.status == "left_out":
            fields.setdefault(row.source, Counter())[row.field] += row.messages
    for source, found in sorted(fields.items()):
        named = ", ".join(f"{field} in {counted(count, 'message')}" for field, count in found.most_common(FIELDS))
        more = f" and {counted(len(found) - FIELDS, 'more field')}" if len(found) > FIELDS else ""
        yield (
            "note",
            f"The source {source} has sent values that could not be read in the last {LATELY} days, and they were "
            f"left out: {named}{more}. Name the codes in the mapping and replay, or have the sender mend them. See: "
            f"hcrm messages coverage --source {source} --status left_out --since {since} --examples",
        )


def _outdated(space: Opened) -> Iterator[tuple[str, str]]:
    """Messages that a replay would read otherwise: since then the mapping or the adapter has changed."""

    def now(source: str) -> str | None:
        try:
            return space.source_of(source).by
        except HcrmError:
            return None  # that it cannot be read is told already

    found = outdated(space.unchecked_store, now)
    for one in found:
        yield (
            "note",
            f"{counted(one.messages, 'message')} of the source {one.source} were read by {one.by}, and it is read by "
            f"{now(one.source)} now. Where that fits them too, replay them; first see what would change: "
            f"hcrm messages replay --source {one.source} --dry-run",
        )
    if not found:
        text = "What is stored was read by the adapters and mappings that would read it now"
        yield "good", f"{text} (the newest {LOOKED_AT:,} messages at most)."
