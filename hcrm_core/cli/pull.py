"""`hcrm pull`: ask servers and databases what is new, and work it off."""

import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

import click

from hcrm_core import env
from hcrm_core.cli.context import (
    PARTIAL,
    Opened,
    counted,
    json_option,
    keep_going_option,
    opened,
    say,
    show_json,
    workspace_option,
)
from hcrm_core.cli.findings import tell_left_out
from hcrm_core.cli.ingest import Counts, account, tell_counts, work_off
from hcrm_core.cli.pulling import Pulled, Puller, pulled_sources, warn_of_plaintext
from hcrm_core.errors import UsageError
from hcrm_core.intake.pull import PullCount
from hcrm_core.registry.offers import Source
from hcrm_core.store.queries import positions


@dataclass(kw_only=True)
class Summary(Counts):
    """What `hcrm pull` did, all sources together and each."""

    requests: int = 0
    sources: list[Pulled] = field(default_factory=list)

    @property
    def failures(self) -> list[Pulled]:
        """Those that ended early, or brought nothing of what was asked for."""
        return [one for one in self.sources if one.failure]

    @property
    def incomplete(self) -> bool:
        """Whether something was not read, or not understood."""
        return bool(self.failures) or self.partial or any(one.unread for one in self.sources)


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@click.option("--again", is_flag=True, help="Forget how far the sources named were pulled, and begin anew.")
@click.option("--attached", is_flag=True, hidden=True, help="Go on, each source in its time; end with standard input.")
@keep_going_option
@json_option
@workspace_option
def pull(
    sources: tuple[str, ...], again: bool, attached: bool, keep_going: bool, as_json: bool, workspace: str | None
) -> None:
    """Ask servers and databases what is new since the last pull, and translate and fold it.

    Without SOURCE: all sources that have `url` in hcrm.toml and an adapter that pulls. One that fails does not hold
    back the others; where its pull was is kept, and the next one goes on there.
    """
    if again and not sources:
        raise UsageError("Which sources are to be pulled from their beginning? Name them behind --again.")
    with opened(workspace) as space:
        space.keep_going = keep_going
        if attached:
            from hcrm_core.cli.keep_pulling import keep_pulling

            keep_pulling(space)
            return
        summary = run(space, sources, again)
        tell_left_out(space)
    if as_json:
        show_json(asdict(summary))
    else:
        tell(summary)
    if len(summary.failures) == len(summary.sources):
        raise click.exceptions.Exit(1)
    if summary.incomplete:
        raise click.exceptions.Exit(PARTIAL)


def run(space: Opened, names: Sequence[str], again: bool) -> Summary:
    """Pull sources beside each other, then work off what has landed."""
    began = time.perf_counter()
    chosen = pulled_sources(space, names)
    if not chosen:
        raise UsageError(
            "No source of hcrm.toml can be pulled. Add `url` to a table under [sources] whose adapter pulls."
        )
    if again:
        with space.store.write_inbox() as connection:
            for source in chosen:
                positions.forget(connection, source.source)
    warn_of_plaintext(space, chosen)
    summary = Summary()
    own = _pull(space, chosen, summary)
    for one in summary.failures:
        say(f"hcrm: {one.source}: {one.failure}")
    worked, summary.stuck = work_off(space)
    account(space, summary, own, worked)
    summary.seconds = round(time.perf_counter() - began, 3)
    return summary


def _pull(space: Opened, chosen: Sequence[Source], summary: Summary) -> list[int]:
    """Pull each source in a thread of its own; gives the numbers of what landed."""
    watched, ended = Watched(), threading.Event()
    pullers = [Puller(space, source, ended, watched.told) for source in chosen]
    with ThreadPoolExecutor(len(pullers), thread_name_prefix="pull") as threads:
        try:
            summary.sources = list(threads.map(lambda puller: puller.run(), pullers))
        except BaseException:
            ended.set()
            for puller in pullers:
                puller.abort()
            say("hcrm: interrupted. What has landed is kept; run the same command again to go on.")
            raise
    watched.end()
    for one in summary.sources:
        summary.requests += one.requests
        summary.messages += one.messages
        summary.landed += one.landed
        summary.duplicates += one.duplicates
    return [number for puller in pullers for number in puller.own]


class Watched:
    """One line on the terminal that says what is being done; silent where nobody is watching."""

    def __init__(self) -> None:
        self._watched = env.terminal()
        self._width = 0

    def told(self, source: str, doing: str, count: PullCount) -> None:
        """Show it in place of what was shown before."""
        if self._watched:
            line = f"{source}: {counted(count.messages, 'message')}{', ' if doing else ''}{doing}"[:100]
            sys.stderr.write(f"\r{line.ljust(self._width)}")
            sys.stderr.flush()
            self._width = len(line)

    def end(self) -> None:
        """End the line."""
        if self._width:
            sys.stderr.write("\n")


def tell(summary: Summary) -> None:
    """The summary in sentences, and what to do next."""
    for one in summary.sources:
        click.echo(
            f"Asked {one.source} {counted(one.requests, 'time')}: {counted(one.messages, 'message')}, {one.landed:,} "
            f"new, {one.duplicates:,} known already ({one.seconds:.1f} s)."
        )
        for problem in one.problems:
            where = f" at {problem['where']}" if problem["where"] else ""
            often = f" ({problem['count']:,} times)" if problem["count"] > 1 else ""
            click.echo(f"  {problem['code']}{where}: {problem['text']}{often}")
        if one.unread and not one.failure:
            click.echo(f"  Not read: {', '.join(one.unread)}. The next pull asks for it again.")
    if summary.failures:
        click.echo(f"Ended early: {', '.join(one.source for one in summary.failures)}; why stands above.")
    tell_counts(summary)
