"""How intake is doing, in numbers: read from the databases, so that they hold for every process and across restarts."""

import re
from collections import Counter
from typing import NamedTuple

import msgspec

from hcrm_core.intake.claims import lives
from hcrm_core.model.translation import Problem
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import inbox, processing

UNFINISHED = ("received", "claimed", "translated")
"""States of which something is still to come."""

STATES = (*UNFINISHED, "folded", "quarantined", "rejected")
"""All states a message goes through."""

_Samples = list[tuple[str, float]]
"""Labels and value."""


class Held(NamedTuple):
    """Messages of a type that are held up for one reason."""

    message_type: str
    code: str
    text: str
    messages: int


class Figures(NamedTuple):
    """Intake at one moment.

    Attributes:
        landed: The number of the newest message.
        newest_at: When it arrived, microseconds UTC; `None`: nothing has landed.
        waiting: How many messages are not done.
        oldest_waiting_at: When the first of them arrived; `None`: none waits.
        states: How many messages are in each state.
        quarantined: By type and reason, most frequent first.
        stuck: Likewise those that could not be begun or stored yet.
        rejected: Likewise what was refused as no message.
        claimants: Workers that hold claims and live.
    """

    landed: int
    newest_at: int | None
    waiting: int
    oldest_waiting_at: int | None
    states: dict[str, int]
    quarantined: list[Held]
    stuck: list[Held]
    rejected: list[Held]
    claimants: list[str]


def figures(store: Store, now: int = 0) -> Figures:
    """The figures now; claims whose lease has ended by the instant `now` (microseconds UTC) do not count."""
    with store.read() as connection, store.read_inbox() as landed:
        states = processing.counts(connection)
        unclaimed, first = inbox.behind(landed, processing.claimed_to(connection))
        open_ = processing.first_in(connection, UNFINISHED)
        newest = next(inbox.headers(landed, limit=1), None)
        oldest = min(filter(None, (first, *(header[3] for header in inbox.headers(landed, among=open_)))), default=None)
        quarantined = processing.reasons(connection, ["quarantined"])
        stuck = processing.reasons(connection, ["received", "translated"])
        rejected = processing.reasons(connection, ["rejected"])
        claimants = [name for name in processing.claimants(connection, now) if lives(name)]
    states["received"] = states.get("received", 0) + unclaimed
    return Figures(
        landed=newest[0] if newest else 0,
        newest_at=newest[3] if newest else None,
        waiting=sum(states.get(state, 0) for state in UNFINISHED),
        oldest_waiting_at=oldest,
        states=states,
        quarantined=_held(quarantined),
        stuck=_held(stuck),
        rejected=_held(rejected),
        claimants=claimants,
    )


def _held(reasons: list[tuple[str, str, int]]) -> list[Held]:
    """Reasons with one sentence together, and those that are alike but for numbers (a byte, a row) with them."""
    found: dict[tuple[str, str, str], Held] = {}
    for message_type, reason, count in reasons:
        problem = msgspec.json.decode(reason, type=Problem)
        alike = (message_type, problem.code, re.sub(r"[0-9]+", "0", problem.text))
        before = found.get(alike, Held(message_type, problem.code, problem.text, 0))
        found[alike] = before._replace(messages=before.messages + count)
    return sorted(found.values(), key=lambda one: (-one.messages, one[:3]))


def exposition(now: int, seen: Figures, worked_off: int) -> str:
    """The figures as Prometheus reads them (text exposition format 0.0.4).

    Args:
        now: Microseconds UTC.
        seen: The figures.
        worked_off: How many messages this process has finished since it began.
    """
    states: _Samples = [(f'{{state="{state}"}}', seen.states.get(state, 0)) for state in STATES]
    by_code: Counter[tuple[str, str]] = Counter()
    for one in seen.quarantined:
        by_code[one.message_type, one.code] += one.messages
    quarantined: _Samples = [
        (f'{{type="{_escaped(message_type)}",reason="{_escaped(code)}"}}', count)
        for (message_type, code), count in by_code.items()
    ]
    metrics: tuple[tuple[str, str, str, _Samples], ...] = (
        ("messages_landed_total", "counter", "Messages landed; the number of the newest.", [("", seen.landed)]),
        ("newest_message_seconds", "gauge", "How long ago the newest arrived.", _age(now, seen.newest_at)),
        ("messages_waiting", "gauge", "Messages that are not done yet.", [("", seen.waiting)]),
        (
            "oldest_waiting_seconds",
            "gauge",
            "How long ago the first message that is not done arrived; 0: none waits.",
            _age(now, seen.oldest_waiting_at) or [("", 0)],
        ),
        ("messages", "gauge", "Messages by state.", states),
        ("messages_quarantined", "gauge", "Quarantined messages by type and reason.", quarantined),
        ("workers_claiming", "gauge", "Workers that hold claims.", [("", len(seen.claimants))]),
        ("worked_off_total", "counter", "Messages this process has finished.", [("", worked_off)]),
    )
    lines = []
    for name, kind, text, samples in metrics:
        lines += [f"# HELP hcrm_{name} {text}", f"# TYPE hcrm_{name} {kind}"]
        lines += [f"hcrm_{name}{labels} {value}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _age(now: int, at: int | None) -> _Samples:
    return [] if at is None else [("", round((now - at) / 1e6, 3))]


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
