"""`hcrm backtest`: what a strategy would have decided over days gone by, alone or beside another form of it."""

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import click
import msgspec

from hcrm_core import env
from hcrm_core.cli.context import (
    Opened,
    Progress,
    counted,
    json_option,
    opened,
    say,
    show_json,
    show_table,
    workspace_option,
)
from hcrm_core.config import Configuration
from hcrm_core.decide import backtest as tests
from hcrm_core.decide.backtest import Backtested
from hcrm_core.decide.backtest_chart import draw
from hcrm_core.decide.code import PluginCode
from hcrm_core.decide.freshness import Basis
from hcrm_core.decide.steps import Means
from hcrm_core.errors import HcrmError, InputError, UsageError
from hcrm_core.model.strategies import Strategy
from hcrm_core.registry.enabled import Registry

SHOWN = 10


def _day(_ctx: click.Context, _option: click.Parameter, given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise click.BadParameter(f"{given!r} is no day such as 2026-11-21.") from None


def _time(_ctx: click.Context, _option: click.Parameter, given: str) -> time:
    try:
        return datetime.strptime(given, "%H:%M").time()
    except ValueError:
        raise click.BadParameter(f"{given!r} is no time of day such as 02:00.") from None


@click.command()
@click.argument("strategy")
@click.option("--from", "first", required=True, metavar="DAY", callback=_day, help="The first day (YYYY-MM-DD).")
@click.option("--to", "last", required=True, metavar="DAY", callback=_day, help="The last day.")
@click.option("--at", default="23:59", show_default=True, metavar="TIME", callback=_time, help="When on each day.")
@click.option(
    "--basis",
    type=click.Choice(["known", "said"]),
    default="known",
    show_default=True,
    help="By what had arrived on each day, or by what had been said: history that was imported was said then.",
)
@click.option(
    "--against",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Beside another form of it: a SELECT (.sql), or settings (.toml) read in place of hcrm.toml.",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="A chart (.svg).")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Of the chart.")
@json_option
@workspace_option
def backtest(
    strategy: str,
    first: date,
    last: date,
    at: time,
    basis: Basis,
    against: Path | None,
    output: Path | None,
    lang: str,
    as_json: bool,
    workspace: str | None,
) -> None:
    """Run a strategy over days gone by, each by what was known or said then, and keep nothing.

    Shows who enters and who leaves, and the work of each day. Decisions begin with none on the first day.
    """
    if output is not None and output.suffix != ".svg":
        raise UsageError("A chart is an SVG file. Give -o a name that ends with .svg.")
    if output is not None and not output.parent.is_dir():
        raise InputError(f"{output} cannot be written: there is no folder {output.parent}. Make it first.")
    with opened(workspace) as space:
        when = tests.instants(first, last, at, space.timezone)
        now = env.now()
        if last > env.local_day(now, space.timezone):
            raise UsageError("--to lies in the future. Name days up to today.")
        when = [min(instant, env.microseconds(now)) for instant in when]
        found = [
            _run(
                space,
                list(space.registry.strategies.values()),
                strategy,
                when,
                basis,
                _means(space.registry, space.code),
            )
        ]
        if against is not None:
            try:
                found.append(_against(space, against, strategy, when, basis))
            except HcrmError as error:
                raise InputError(f"With {against} in place of what is enabled: {error}") from None
    if output is not None:
        try:
            output.write_text(draw(found, lang), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{output} cannot be written: {error.strerror}.") from None
        say(f"The chart: {output}")
    if as_json:
        documents = [_document(one) for one in found]
        show_json(documents[0] if len(documents) == 1 else {"present": documents[0], "against": documents[1]})
    else:
        _tell(found)
        if basis == "known" and not any(any(day.counts) for one in found for day in one.days):
            click.echo("Had anything arrived by then? History that was imported was said then: add --basis said.")


def _means(registry: Registry, code: PluginCode) -> Means:
    return Means(code.compute, reviews=list(registry.reviews.values()), channels=registry.channels.keys())


def _run(
    space: Opened, strategies: Sequence[Strategy], name: str, when: Sequence[int], basis: Basis, means: Means
) -> Backtested:
    progress = Progress("Running over:", "days")
    try:
        return tests.backtest(
            space.store,
            space.mart,
            strategies,
            name,
            when,
            timezone=space.timezone,
            means=means,
            basis=basis,
            progress=lambda day: progress.add(1),
        )
    finally:
        progress.end()


def _against(space: Opened, file: Path, name: str, when: Sequence[int], basis: Basis) -> Backtested:
    """The same days with another form of the strategy."""
    if file.suffix == ".toml":
        registry = Registry(Configuration(space.root, file.resolve()))
        code = PluginCode(registry)
        strategies = [_called(one, file) if one.name == name else one for one in registry.strategies.values()]
        try:
            return _run(space, strategies, name, when, basis, _means(registry, code))
        finally:
            code.close()
            registry.close()
    if file.suffix != ".sql":
        raise UsageError(f"{file} is neither a SELECT (.sql) nor settings (.toml). Other rules are named in settings.")
    try:
        sql = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{file} cannot be read as UTF-8 text. Save it so.") from None
    strategies = [
        _called(msgspec.structs.replace(one, sql=sql), file) if one.name == name else one
        for one in space.registry.strategies.values()
    ]
    return _run(space, strategies, name, when, basis, _means(space.registry, space.code))


def _called(strategy: Strategy, file: Path) -> Strategy:
    """The strategy with a version that tells where it comes from."""
    return msgspec.structs.replace(strategy, version=f"{strategy.version} ({file.name})")


def _document(found: Backtested) -> dict[str, Any]:
    return {
        "strategy": found.strategy,
        "version": found.version,
        "days": [
            {
                "day": one.day,
                **one.counts._asdict(),
                "standing": one.standing,
                "entered": one.entered,
                "left": one.left,
                "differences": [difference._asdict() for difference in one.differences],
            }
            for one in found.days
        ],
        "workload": [{"day": day, "owner": owner, "tasks": count} for (day, owner), count in found.workload.items()],
        "standing": sorted(found.standing),
    }


def _tell(found: Sequence[Backtested]) -> None:
    due = [_due(one) for one in found]
    heads = ["new", "changed", "withdrawn", "expired", "standing", "entered", "left", "due"]
    columns = ["day", *heads] if len(found) == 1 else ["day", *heads, *(f"{head}*" for head in heads)]
    rows = []
    for days in zip(*(one.days for one in found), strict=True):
        row: list[object] = [days[0].day.isoformat()]
        for one, load in zip(days, due, strict=True):
            counts = one.counts
            row += [counts.new, counts.changed, counts.withdrawn, counts.expired, one.standing]
            row += [len(one.entered), len(one.left), load.get(one.day, 0)]
        rows.append(tuple(row))
    show_table(tuple(columns), rows)
    for one in found:
        days_ = len(one.days)
        made = sum(day.counts.new for day in one.days)
        click.echo(
            f"{one.strategy} {one.version}: {made:,} new in {counted(days_, 'day')}, {made / days_:.1f} a day; "
            f"{one.days[-1].standing:,} stand at the end, about {len(one.standing):,} customers."
        )
    if len(found) == 2:
        click.echo("* with the other form.")
        present, other = (one.standing for one in found)
        for what, customers in (("Only at present", present - other), ("Only with the other form", other - present)):
            others = sorted(customers)
            listed = ", ".join(others[:SHOWN]) + (", …" if len(others) > SHOWN else "")
            click.echo(f"{what}: {len(others):,} customers" + (f": {listed}" if others else "."))
    click.echo("Nothing was applied. Why one of them: hcrm explain, or hcrm decide --as-of … --dry-run")


def _due(found: Backtested) -> dict[date, int]:
    loads: dict[date, int] = {}
    for (day, _), count in found.workload.items():
        loads[day] = loads.get(day, 0) + count
    return loads
