"""Which messages a command is about: the options, and how they are found in inbox and store."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import click
import msgspec

from hcrm_core import env
from hcrm_core.cli.context import Opened
from hcrm_core.cli.customer_named import resolve
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.intake.figures import STATES
from hcrm_core.model.translation import Problem
from hcrm_core.store.queries import inbox, processing
from hcrm_core.store.queries.processing import ProcessingRow

F = TypeVar("F", bound=Callable[..., Any])

_PAGE = 1_000
_MICROSECOND = timedelta(microseconds=1)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Selection(NamedTuple):
    """What the options say; instants are microseconds UTC, `patient` is a customer's id."""

    state: str | None = None
    source: str | None = None
    message_type: str | None = None
    control_id: str | None = None
    patient: str | None = None
    since: int | None = None
    until: int | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing was said."""
        return not any(value is not None for value in self)


class Row(NamedTuple):
    """A message and what is known of it; `received_at` is microseconds UTC, `place` where it stood in a file."""

    id: int
    source: str
    control_id: str
    received_at: int
    place: str | None
    outcome: ProcessingRow | None

    @property
    def state(self) -> str:
        """Where it stands."""
        return self.outcome.state if self.outcome else "received"

    def shown(self, timezone: str) -> dict[str, Any]:
        """As `hcrm messages list` shows it."""
        reason = None
        if self.outcome and self.outcome.reason:
            problem = msgspec.json.decode(self.outcome.reason, type=Problem)
            where = ", ".join(filter(None, (self.place, problem.where)))
            reason = f"{where}: {problem.text}".removeprefix(": ")
        return {
            "id": self.id,
            "source": self.source,
            "control_id": self.control_id,
            "type": (self.outcome.message_type or None) if self.outcome else None,
            "state": self.state,
            "received_at": env.shown(self.received_at, timezone),
            "place": self.place,
            "reason": reason,
        }


def typed(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """An HL7 type as messages have it: the name of its structure (`ADT_A08`) is taken for it."""
    return re.sub(r"^([A-Z]{3})_([A-Z0-9]{3}|\*)$", r"\1^\2", value) if value else value


def selection_options(command: F) -> F:
    """`--state`, `--source`, `--type`, `--control-id`, `--patient`, `--since`, `--until`; read with `selection`."""
    options = (
        click.option("--state", type=click.Choice(STATES), help="Only messages in this state."),
        click.option("--source", metavar="NAME", help="Only messages of this source."),
        click.option(
            "--type",
            "message_type",
            metavar="TYPE",
            callback=typed,
            help="Only of this type: ADT^A08, or ADT* for all ADT.",
        ),
        click.option("--control-id", metavar="ID", help="Only messages with this control id."),
        click.option("--patient", metavar="ID|NUMBER", help="Only about this person: an id or AUTHORITY|TYPE|NUMBER."),
        click.option("--since", metavar="TIME", help="Only received since: 30m, 2h, 3d, a day or an instant."),
        click.option("--until", metavar="TIME", help="Only received before."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def selection(space: Opened, options: dict[str, Any]) -> Selection:
    """The selection the options of `selection_options` make."""
    times = {name: instant(options[name], f"--{name}", space.timezone) for name in ("since", "until") if options[name]}
    about = {"patient": resolve(space, options["patient"])} if options["patient"] else {}
    return Selection(**(options | times | about))


def select(space: Opened, wanted: Selection) -> Iterator[Row]:
    """The messages selected, newest first."""
    by_outcome = wanted.message_type or wanted.patient or wanted.state not in (None, "received")
    before: int | None = None
    while True:
        with space.store.read_inbox() as landed, space.store.read() as connection:
            among = None
            if by_outcome:
                among = processing.find(
                    connection,
                    states=[wanted.state] if wanted.state else (),
                    message_type=wanted.message_type,
                    about=wanted.patient,
                    before=before,
                    limit=_PAGE,
                )
            headers = list(
                inbox.headers(
                    landed,
                    source=wanted.source,
                    control_id=wanted.control_id,
                    since=wanted.since,
                    until=wanted.until,
                    among=among,
                    limit=_PAGE,
                    before=before,
                )
            )
            outcomes = processing.outcomes(connection, [header[0] for header in headers])
        for header in headers:
            row = Row(*header, outcomes.get(header[0]))
            if wanted.state in (None, row.state):
                yield row
        page = among if among is not None else [header[0] for header in headers]
        if len(page) < _PAGE:
            return
        before = page[-1]


def named(space: Opened, wanted: str) -> Row:
    """One message by its number (`17`, `#17`), else by its control id.

    Raises:
        UsageError: Several messages fit.
        NotFoundError: None does.
    """
    with space.store.read_inbox() as landed, space.store.read() as connection:
        digits = wanted.removeprefix("#")
        numbers = [int(digits)] if digits.isdecimal() and len(digits) < 19 else []
        found = list(inbox.headers(landed, among=numbers)) if numbers else []
        if not (found and wanted.startswith("#")):
            found += [header for header in inbox.headers(landed, control_id=wanted, limit=10) if header not in found]
        outcomes = processing.outcomes(connection, [header[0] for header in found])
    if not found:
        raise NotFoundError(f"There is no message {wanted}. List them with: hcrm messages list")
    if len(found) > 1:
        said = ", ".join(f"#{header[0]}" for header in found)
        raise UsageError(f"Several messages are called {wanted}, by number or control id. Say which: {said}.")
    return Row(*found[0], outcomes.get(found[0][0]))


def instant(text: str, option: str, timezone: str) -> int:
    """What an option says of time (`30m`, `2h`, `3d` ago, a day of the zone, an instant) in microseconds UTC.

    Raises:
        UsageError: It is none of these.
    """
    if relative := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return env.microseconds(env.now()) - timedelta(**{_UNITS[relative[2]]: int(relative[1])}) // _MICROSECOND
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        try:
            return env.microseconds(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone)))
        except ValueError:
            raise UsageError(f"{option}: there is no day {text}.") from None
    try:
        return env.microseconds(env.parse_instant(text, option))
    except UsageError:
        raise UsageError(
            f"{option}: {text!r} is not a time. Say how long ago (30m, 2h, 3d), a day such as 2026-11-21, or "
            "an instant with an offset such as 2026-11-21T08:00:00+08:00."
        ) from None
