"""`hcrm doctor`: what is wrong with a workspace, one sentence a finding."""

import shutil
import socket
from collections.abc import Iterator

import click

from hcrm_core import env
from hcrm_core.cli.context import Opened, counted, json_option, opened, show_json, workspace_option
from hcrm_core.cli.doctor_messages import PATIENCE, messages, span
from hcrm_core.cli.mapping import told
from hcrm_core.cli.pulling import fetcher_of
from hcrm_core.errors import HcrmError
from hcrm_core.fetching.clock import Clock
from hcrm_core.intake.guard import parse_address
from hcrm_core.mart.contract import check_strategy
from hcrm_core.registry.installed import installed
from hcrm_core.registry.offers import Source
from hcrm_core.store import audit, durable, schema
from hcrm_core.store.queries import inbox, links, positions, processing

IMPORT_MILLISECONDS = 50
"""How long importing a plugin should take at most."""

CROWDS = 3
"""How many of the numbers are told that too many patients carry."""

SILENCE = 6 * 3_600
"""After how many seconds a source that sends nothing is mentioned."""


@click.command()
@click.option("--import-time", is_flag=True, help="Only tell what importing each enabled plugin takes.")
@json_option
@workspace_option
def doctor(import_time: bool, as_json: bool, workspace: str | None) -> None:
    """Find out what is wrong with a workspace; works with broken plugins too."""
    with opened(workspace) as space:
        findings = list(import_times(space) if import_time else examine(space))
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
    yield from _listening(space)
    yield from _pulling(space)
    yield from _people(space)
    yield from messages(space)
    yield from _disk(space)


def import_times(space: Opened) -> Iterator[tuple[str, str]]:
    """What importing each enabled plugin takes, as `examine` tells things."""
    for name in space.registry.plugins:
        try:
            weight = space.registry.weigh(name)
        except HcrmError as error:
            yield "wrong", str(error)
            continue
        text = f"Importing {name} takes {weight.milliseconds:g} ms and {counted(weight.modules, 'module')}"
        if weight.heavy:
            yield "wrong", f"{text}, {', '.join(weight.heavy)} among them. Import such a library where it is used."
        elif weight.milliseconds > IMPORT_MILLISECONDS:
            yield "note", f"{text}; more than {IMPORT_MILLISECONDS} ms. Import less when it is loaded."
        else:
            yield "good", f"{text}."


def _plugins(space: Opened) -> Iterator[tuple[str, str]]:
    known = installed()
    for name in space.configuration.settings.plugins:
        try:
            space.registry.hooks(name)
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
            read = space.registry.source(source)
        except HcrmError as error:
            yield "wrong", str(error)
        else:
            yield "good", f"The source {source} is read by {read.name} {read.version}."
            yield from _mapping(space, read)


def _mapping(space: Opened, read: Source) -> Iterator[tuple[str, str]]:
    mapping = read.settings.mapping
    if mapping is None:
        return
    try:
        yield from told(read.source, mapping.path, space.pool.examples(read))
    except HcrmError as error:
        yield "wrong", str(error)


def _people(space: Opened) -> Iterator[tuple[str, str]]:
    store = space.unchecked_store
    with store.read() as connection:
        patients, customers = processing.people(connection)
        broken = audit.first_broken(connection, store.codec)
        crowds = links.crowded(connection)
    yield "good", f"The store knows {counted(patients, 'patient')}, as {counted(customers, 'customer')}."
    yield from _crowded(crowds)
    if broken is not None:
        yield "wrong", f"The audit trail was tampered with: from row {broken} on it is not what was written."


def _crowded(crowds: list[links.Carriers]) -> Iterator[tuple[str, str]]:
    """The numbers that stand in so many records that they link none of them."""
    for crowd in crowds[:CROWDS]:
        yield (
            "note",
            f"A number that {counted(crowd.number, 'patient')} carry links none of them, since no more than "
            f"{links.LARGEST_GROUP} may. Is it written for whoever has none? Look which it is: hcrm customers show "
            f"{crowd.patient_id} --all. Have the source leave it empty. Those who are one person all the same: "
            "hcrm customers merge",
        )
    if len(crowds) > CROWDS:
        yield "note", f"{counted(len(crowds) - CROWDS, 'other number')} of too many patients link nobody, too."


def _listening(space: Opened) -> Iterator[tuple[str, str]]:
    now = env.microseconds(env.now())
    for source, table in space.configuration.settings.sources.items():
        address = table.get("listen")
        if not isinstance(address, str):
            continue
        host, port = parse_address(address, space.configuration.where("sources", source, "listen"))
        try:
            socket.create_connection((host, port), timeout=2).close()
        except OSError:
            yield "wrong", f"Nothing listens on {address} for the source {source}. Start: hcrm run --watch"
        else:
            yield "good", f"Something listens on {address} for the source {source}."
        with space.unchecked_store.read_inbox() as landed:
            last = next(inbox.headers(landed, source=source, limit=1), None)
        if last is None:
            yield "note", f"The source {source} has never sent a message. Point it at {address}."
        elif now - last[3] > SILENCE * 1_000_000:
            yield "note", f"The source {source} was last heard {span((now - last[3]) // 1_000_000)} ago."


def _pulling(space: Opened) -> Iterator[tuple[str, str]]:
    now = env.microseconds(env.now())
    for name in space.configuration.settings.sources:
        try:
            source = space.registry.source(name)
            if source.settings.url is None:
                continue
            if not source.adapter.pulls:
                yield "wrong", f"The source {name} has a url, but its adapter {source.name} pulls nothing. Take it out."
                continue
            fetcher_of(space, source, Clock()).close()
        except HcrmError as error:
            if space.configuration.table("sources", name).get("url"):
                yield "wrong", str(error)
            continue
        yield "good", f"The source {name} can be pulled: its url and the files it names are sound."
        with space.unchecked_store.read_inbox() as landed:
            reached = positions.read(landed, name)
        if reached and reached.unread:
            ago = (now - reached.updated_at) // 1_000_000
            yield (
                "wrong",
                f"The source {name} was last pulled {span(ago)} ago, and not all that was asked for could be read: "
                f"{reached.unread}. Why is told by: hcrm pull {name}",
            )
        finished = reached and reached.finished_at
        if finished is None:
            yield "note", f"The source {name} was never pulled to the end. Do it with: hcrm pull {name}"
            continue
        ago = (now - finished) // 1_000_000
        every = source.settings.pull.every_seconds
        text = f"The source {name} was pulled to the end {span(ago)} ago"
        if every is not None and ago > 3 * every + PATIENCE:
            yield (
                "wrong",
                f"{text}, and should be every {span(int(every))}. Is hcrm run --watch running, and what does it say? "
                f"Try: hcrm pull {name}",
            )
        else:
            yield "good", f"{text}."


def _disk(space: Opened) -> Iterator[tuple[str, str]]:
    usage = shutil.disk_usage(space.root)
    share = usage.free / usage.total
    text = f"{usage.free / 1e9:,.1f} GB ({share:.0%}) of the workspace's disk are free"
    if not durable.has_room(space.unchecked_store):
        yield "wrong", f"{text}: messages are refused. Make room: hcrm messages prune --older-than 90d"
    elif share < 0.15:
        yield "note", f"{text}. Prune old messages in time: hcrm messages prune --older-than 90d"
    else:
        yield "good", f"{text}."
