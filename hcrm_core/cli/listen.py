"""`hcrm listen`: take messages from the network, store them, acknowledge them."""

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from ipaddress import ip_address

import click

from hcrm_core import env
from hcrm_core.cli.children import when_input_ends
from hcrm_core.cli.context import Opened, find, opened, say, workspace_option
from hcrm_core.config import Configuration, Settings, nearest
from hcrm_core.errors import HcrmError, UsageError
from hcrm_core.intake import guard
from hcrm_core.intake.guard import Address, L, Planned
from hcrm_core.intake.listen import Listener
from hcrm_core.model.adapters import Adapter
from hcrm_core.registry.enabled import Registry
from hcrm_core.registry.loader import Loader
from hcrm_core.registry.offers import Source
from hcrm_core.store import audit, durable
from hcrm_core.store.engine import UNAVAILABLE


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@click.option("--verbose", is_flag=True, help="Log every connection.")
@click.option("--attached", is_flag=True, hidden=True, help="Stop when standard input ends.")
@workspace_option
def listen(sources: tuple[str, ...], verbose: bool, attached: bool, workspace: str | None) -> None:
    """Listen for messages until signalled: each is acknowledged when it is stored durably.

    Without SOURCE: for all sources that have `listen` in hcrm.toml. SIGHUP reads hcrm.toml and the certificates anew
    and drops no connection; SIGTERM or Ctrl-C finishes what was accepted and ends. What has landed is translated by
    `hcrm run`.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s hcrm: %(message)s"
    )
    with opened(workspace) as space:
        if attached and not may_listen(space.configuration.settings):
            return
        durable.require(space.store)
        asyncio.run(_listen(space, sources, attached))


def may_listen(settings: Settings) -> bool:
    """Whether a source listens; no plugin is asked."""
    return any(table.get("listen") for table in settings.sources.values())


def listening(configuration: Configuration, registry: Registry, names: tuple[str, ...] = ()) -> list[Source]:
    """The sources to listen for: those named, else all that have `listen`.

    Raises:
        UsageError: A source named does not listen.
        ConfigurationError: A setting of one is wrong.
    """
    known = configuration.settings.sources
    able = [name for name, table in known.items() if table.get("listen")]
    for name in names:
        if name not in able:
            hint = f"Add `listen` to [sources.{name}]." if name in known else nearest(name, able)
            raise UsageError(f"The source {name!r} does not listen. {hint}")
    return [registry.source(name) for name in able if not names or name in names]


def ports(configuration: Configuration, sources: Sequence[L]) -> dict[Address, Planned[L]]:
    """The ports of sources; nothing is bound yet.

    Raises:
        ConfigurationError: A setting is wrong, or two contradict each other.
    """
    return guard.plan(sources, configuration.path, lambda source, key: configuration.where("sources", source, key))


def _planned(configuration: Configuration, names: tuple[str, ...]) -> dict[Address, Planned[Adapter]]:
    """The ports of the sources to listen for, with their adapters, which frame and answer in this process."""
    registry = Registry(configuration)
    try:
        sources = listening(configuration, registry, names)
        ports(configuration, sources)
    finally:
        registry.close()
    loader = Loader(configuration)
    return ports(configuration, [loader.adapter(one.plugin, one.name, one.source) for one in sources])


async def _listen(space: Opened, sources: tuple[str, ...], attached: bool) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if attached:
        when_input_ends(lambda: loop.call_soon_threadsafe(ended.set))
    listener = Listener(space.store, lambda: env.microseconds(env.now()))
    try:
        planned = _planned(space.configuration, sources)
        if not planned:
            raise UsageError(
                'No source of hcrm.toml listens. Add for example `listen = "127.0.0.1:2575"` to a table under '
                "[sources]."
            )
        await listener.serve(planned)
        _warn_of_plaintext(space, planned)
        say(f"Listening on {', '.join(listener.ports)}. Stop with Ctrl-C.")
        reloads: set[asyncio.Task[None]] = set()
        loop.add_signal_handler(signal.SIGHUP, lambda: reloads.add(loop.create_task(_reload(listener, space, sources))))
        await ended.wait()
    finally:
        await listener.stop()
    say("Stopped: everything acknowledged is stored.")


def _warn_of_plaintext(space: Opened, planned: dict[Address, Planned[Adapter]]) -> None:
    """Say, and keep for the record, that patient data crosses a network unencrypted."""
    for (host, port), plan in planned.items():
        if plan.context is None and not ip_address(host).is_loopback:
            say(f"hcrm: {host}:{port} speaks plain text beyond this machine, as plaintext = true allows. Prefer TLS.")
            try:
                _record_plaintext(space, f"{host}:{port}", plan)
            except UNAVAILABLE:
                say("hcrm: that could not be written to the audit trail: the store cannot be reached.")


def _record_plaintext(space: Opened, address: str, plan: Planned[Adapter]) -> None:
    with space.store.write() as connection:
        audit.record(
            connection,
            space.store.codec,
            at=env.microseconds(env.now()),
            by=env.user(),
            action="listen.plaintext",
            subject=address,
            detail={"sources": [adapter.source for adapter in plan.adapters]},
        )


async def _reload(listener: Listener, space: Opened, sources: tuple[str, ...]) -> None:
    try:
        configuration = Configuration(find(str(space.root)))
        planned = _planned(configuration, sources)
        await listener.serve(planned)
        _warn_of_plaintext(space, planned)
    except HcrmError as error:
        say(f"hcrm: {error} Nothing was changed; the listener goes on as before.")
        return
    say(f"Read hcrm.toml anew; listening on {', '.join(listener.ports) or 'no port: no source has `listen`'}.")
