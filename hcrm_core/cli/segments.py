"""`hcrm segments`: who is in which segment, and who would be."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

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
from hcrm_core.decide import segments as looking
from hcrm_core.decide.segments import Previewed
from hcrm_core.env import parse_instant
from hcrm_core.errors import InputError, UsageError
from hcrm_core.model.strategies import Strategy
from hcrm_core.registry.enabled import Registry
from hcrm_core.store.queries.decisions import last_runs

SHOWN = 10
"""Overlaps of a segment that are shown; JSON has all."""


@click.group()
def segments() -> None:
    """See segments and who is in them."""


@segments.command("list")
@json_option
@workspace_option
def list_(as_json: bool, workspace: str | None) -> None:
    """List segments with their sizes, as of each strategy's last run, and the change since the run before."""
    with opened(workspace) as space:
        space.keep_going = True
        offered = _offered(space.registry)
        for sentence in space.registry.left_out.values():
            say(f"hcrm: {sentence}")
        rows = [_described(row, offered) for row in looking.segment_sizes(space.store, space.mart)]
        with space.store.read() as connection:
            ran = last_runs(connection, "segment")
    seen = {row["strategy"] for row in rows}
    for name in offered:
        if name not in seen:
            nobody = {"strategy": name, "segment": None, "customers": 0 if name in ran else None, "change": None}
            rows.append(_described(nobody, offered))
    if as_json:
        show_json(rows)
        return
    show_table(
        ("strategy", "segment", "customers", "change", "title", "membership"),
        [
            (row["strategy"], row["segment"], row["customers"], _signed(row["change"]), _title(row), _state(row))
            for row in rows
        ],
    )
    if not ran:
        click.echo("No strategy has made segments yet. Run them: hcrm decide")
    elif rows:
        click.echo("Members: hcrm segments show SEGMENT; what it shares with others: hcrm segments preview SEGMENT")


@segments.command()
@click.argument("segment", metavar="SEGMENT")
@click.option("--after", default="", metavar="ID", help="Go on behind this customer.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000_000), help="How many.")
@json_option
@workspace_option
def show(segment: str, after: str, limit: int, as_json: bool, workspace: str | None) -> None:
    """List the members of a segment, as of its strategy's last run.

    SEGMENT is the name of a segment, or of a strategy for all of its segments.
    """
    with opened(workspace) as space:
        space.keep_going = True
        strategy, name = looking.named(space.store, space.mart, _offered(space.registry).values(), segment)
        rows = looking.members(space.store, space.mart, strategy, name, after=after, limit=limit)
    last = rows[-1]["customer_id"] if len(rows) == limit else None
    if as_json:
        show_json({"strategy": strategy, "segment": name, "members": [_plain(row) for row in rows], "next": last})
        return
    columns = [column for column in (rows[0] if rows else {"customer_id": ""}) if name is None or column != "segment"]
    show_table(columns, [[row[column] for column in columns] for row in rows])
    if last:
        click.echo(f"More: hcrm segments show {segment} --after {last}")
    if rows:
        click.echo("Why: hcrm explain segment ID; who it is: hcrm customers show ID")
    else:
        click.echo("Nobody is in it, as of its last run. Who would be: hcrm segments preview " + segment)


@segments.command()
@click.argument("what", metavar="FILE|SEGMENT")
@click.option("--as-of", metavar="INSTANT", help="Look at what was known then, as 2026-11-01T00:00:00+08:00.")
@click.option(
    "--plugin", default="segmentation", show_default=True, metavar="NAME", help="Reads FILE as [NAME] segments would."
)
@json_option
@workspace_option
def preview(what: str, as_of: str | None, plugin: str, as_json: bool, workspace: str | None) -> None:
    """Show who would be in the segments of a file, or in one that is there, and apply nothing.

    Its size, members by sex and by the age reached in the year, how many of them are in each other segment as of its
    last run, and some ids. A frozen segment is shown as of the end of its day.
    """
    with opened(workspace) as space:
        strategies, segment = _meant(space, what, plugin)
        progress = Progress("Looked at", "segments")
        found = looking.preview(
            space.store,
            space.mart,
            strategies,
            segment=segment,
            now_us=env.microseconds(env.now()),
            timezone=space.timezone,
            as_of_us=env.microseconds(parse_instant(as_of, "--as-of")) if as_of else None,
            compute=space.code.compute,
            engine=space.engine(),
            looked=progress.add,
        )
        progress.end()
    offered = {strategy.name: strategy for strategy in strategies}
    if as_json:
        instants = [{"as_of": env.shown(one.as_of, space.timezone)} for one in found]
        show_json([_described(one._asdict() | at, offered) for one, at in zip(found, instants, strict=True)])
        return
    for one in found:
        _tell(one, offered[one.strategy], space.timezone)
    click.echo("Nothing was applied. Next: name the file in hcrm.toml, then hcrm decide, or hcrm segments list")


def _meant(space: Opened, what: str, plugin: str) -> tuple[list[Strategy], str | None]:
    """The strategies of a file, or the one that makes a segment."""
    here, there = Path(what), space.root / what
    file = here if here.is_file() else there
    if not file.is_file():
        if file.suffix in (".yaml", ".yml"):
            raise InputError(f"There is no file {what}, here or in the workspace.")
        offered = _offered(space.registry)
        strategy, segment = looking.named(space.store, space.mart, offered.values(), what)
        if strategy not in offered:
            raise UsageError(f"{strategy} is not enabled any more, so that nobody can be in it.")
        return [offered[strategy]], segment
    if plugin not in space.registry.plugins:
        raise UsageError(f"The plugin {plugin} is not enabled. Run: hcrm plugins enable {plugin}")
    path, root = file.resolve(), space.root.resolve()
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    registry = Registry(space.configuration.with_key(plugin, "segments", [name]))
    try:
        offered = _offered(registry)
    finally:
        registry.close()
    found = [strategy for strategy in offered.values() if any(one.file == name for one in strategy.written)]
    if not found:
        raise UsageError(f"The plugin {plugin} makes no segment of {what}. Name the one that reads it: --plugin NAME")
    return found, None


def _offered(registry: Registry) -> dict[str, Strategy]:
    return {name: strategy for name, strategy in registry.strategies.items() if strategy.kind == "segment"}


def _described(row: dict[str, Any], offered: dict[str, Strategy]) -> dict[str, Any]:
    strategy = offered.get(row["strategy"])
    return row | {
        "title": dict(strategy.title) if strategy else {},
        "frozen": strategy.frozen_on if strategy else None,
    }


def _title(row: dict[str, Any]) -> str:
    return str(row["title"].get("en") or "")


def _state(row: dict[str, Any]) -> str:
    return f"frozen {row['frozen']}" if row["frozen"] else "living" if row["title"] else "not enabled"


def _signed(change: int | None) -> str:
    return "" if change is None else f"{change:+,}" if change else "0"


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | str | bool | None) else str(value) for name, value in row.items()}


def _tell(one: Previewed, strategy: Strategy, timezone: str) -> None:
    named = " · ".join(text for text in (strategy.title.get("en"), strategy.title.get("zh")) if text)
    segment = f": {one.segment}" if one.segment and strategy.name.rpartition(".")[2] != one.segment else ""
    state = f"frozen {strategy.frozen_on}" if strategy.frozen_on else "living"
    click.echo(f"{strategy.name}{segment} ({named}), {state}, as of {env.shown(one.as_of, timezone)}")
    click.echo(f"{counted(one.customers, 'customer')}" + (f", as {', '.join(one.examples)}" if one.examples else ""))
    if one.people:
        click.echo()
        _table(("sex", "age"), one.people, one.customers)
    if one.overlaps:
        click.echo()
        _table(("strategy", "segment"), one.overlaps[:SHOWN], one.customers)
        if (more := len(one.overlaps) - SHOWN) > 0:
            click.echo(f"… and {more} more. All of them: --json")
    click.echo()


def _table(names: tuple[str, str], rows: Sequence[dict[str, Any]], whole: int) -> None:
    cells = [
        [*(row[name] or "unknown" for name in names), row["customers"], f"{row['customers'] * 100 // whole} %"]
        for row in rows
    ]
    show_table((*names, "customers", "share"), cells)
