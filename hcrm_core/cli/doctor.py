"""`hcrm doctor`: what is wrong with a workspace, one sentence a finding."""

from collections.abc import Iterator

import click
import msgspec

from hcrm_core.cli.context import Opened, counted, find, json_option, show_json, workspace_option
from hcrm_core.errors import HcrmError
from hcrm_core.mart.contract import check_strategy
from hcrm_core.model.translation import Problem
from hcrm_core.registry import installed
from hcrm_core.store import schema
from hcrm_core.store.queries import inbox, processing


@click.command()
@json_option
@workspace_option
def doctor(as_json: bool, workspace: str | None) -> None:
    """Find out what is wrong with a workspace; works with broken plugins too."""
    findings = list(examine(Opened(find(workspace))))
    if as_json:
        show_json([{"level": level, "finding": text} for level, text in findings])
    else:
        for level, text in findings:
            click.echo(f"{level:7} {text}")
    if any(level == "wrong" for level, _ in findings):
        raise click.exceptions.Exit(1)


def examine(space: Opened) -> Iterator[tuple[str, str]]:
    """(level, sentence) for each thing looked at; a level is `good`, `note` or `wrong`."""
    yield "good", f"The configuration {space.root / 'hcrm.toml'} is readable."
    yield from _plugins(space)
    yield from _strategies(space)
    try:
        schema.require_current(space.unchecked_store)
    except HcrmError as error:
        yield "wrong", str(error)
        return
    yield "good", "The databases are at this version's schema."
    yield from _sources(space)
    yield from _messages(space)
    space.unchecked_store.close()


def _plugins(space: Opened) -> Iterator[tuple[str, str]]:
    known = installed()
    for name in space.configuration.settings.plugins:
        try:
            space.registry.load(name)
        except HcrmError as error:
            yield "wrong", str(error)
        else:
            yield "good", f"The plugin {name} ({known[name].distribution} {known[name].version}) loads."


def _strategies(space: Opened) -> Iterator[tuple[str, str]]:
    try:
        strategies = space.registry.strategies
    except HcrmError as error:
        yield "wrong", str(error)
        return
    for strategy in strategies.values():
        try:
            check_strategy(strategy)
        except HcrmError as error:
            yield "wrong", str(error)
        else:
            yield "good", f"The strategy {strategy.name} {strategy.version} keeps to its contract."


def _sources(space: Opened) -> Iterator[tuple[str, str]]:
    for source in space.configuration.settings.sources:
        try:
            adapter = space.registry.adapter(source)
        except HcrmError as error:
            yield "wrong", str(error)
        else:
            yield "good", f"The source {source} is read by {adapter.name} {adapter.version}."


def _messages(space: Opened) -> Iterator[tuple[str, str]]:
    store = space.unchecked_store
    with store.read_inbox() as landed, store.read() as connection:
        waiting, _ = inbox.behind(landed, processing.claimed_to(connection))
        quarantined = processing.quarantine_reasons(connection)
        patients, customers = processing.people(connection)
    yield "good", f"The store knows {counted(patients, 'patient')}, as {counted(customers, 'customer')}."
    if waiting:
        yield "note", f"{waiting:,} messages wait to be translated. The next hcrm ingest works them off."
    for message_type, reason, count in quarantined[:10]:
        problem = msgspec.json.decode(reason, type=Problem)
        yield "note", f"{count:,} {message_type or 'unreadable'} messages are quarantined: {problem.text}"
