"""The host that runs what strategies and reports have beside their SQL, without keys or connections."""

import importlib
import socket
from typing import Any

import msgspec
from msgspec import Struct

from hcrm_core.errors import HcrmError, PluginError
from hcrm_core.hosting.serve import serve
from hcrm_core.model.observing import DecideDone, Finding, IntakeDone
from hcrm_core.model.reports import ReportContext
from hcrm_core.registry.loader import Loader, Workspace
from hcrm_core.registry.offers import Opening


class Rendering(Struct, frozen=True, array_like=True):
    """A report to render.

    Attributes:
        plugin, report: Of this plugin, this report.
        tables: Query name → its rows (`mart.arrow.packed`).
        context: As `Report.render` takes it.
    """

    plugin: str
    report: str
    tables: dict[str, bytes]
    context: ReportContext


class Computing(Struct, frozen=True, array_like=True):
    """A strategy's function to call.

    Attributes:
        plugin, function: Of this plugin, this function (`module:name`).
        table: The rows of its SELECT (`mart.arrow.packed`).
        parameters: Those of the strategy.
    """

    plugin: str
    function: str
    table: bytes
    parameters: dict[str, Any]


class Observing(Struct, frozen=True, array_like=True):
    """A plugin to be told of what was done.

    Attributes:
        plugin, hook: Of this plugin, this hook.
        done: What the hook is told, encoded.
    """

    plugin: str
    hook: str
    done: msgspec.Raw


_TOLD = {"after_intake": IntakeDone, "after_decide": DecideDone}
"""Hook → what it is told."""

_decode_opening = msgspec.msgpack.Decoder(Opening).decode
_decode_rendering = msgspec.msgpack.Decoder(Rendering).decode
_decode_computing = msgspec.msgpack.Decoder(Computing).decode
_decode_observing = msgspec.msgpack.Decoder(Observing).decode


def main(line: socket.socket) -> None:
    """Answer until the core is gone."""
    loaders: list[Loader] = []

    def opened(body: msgspec.Raw) -> None:
        loaders[:] = [_decode_opening(body).loader()]

    def rendered(body: msgspec.Raw) -> bytes:
        return _render(loaders[0], _decode_rendering(body))

    def computed(body: msgspec.Raw) -> bytes:
        return _compute(loaders[0], _decode_computing(body))

    def observed(body: msgspec.Raw) -> list[Finding]:
        return _observe(loaders[0], _decode_observing(body))

    serve(line, {"open": opened, "render": rendered, "compute": computed, "observe": observed})


def _render(loader: Loader, asked: Rendering) -> bytes:
    # Not before it is needed: Arrow starts threads, and hosts are forked from a process that must have none.
    from hcrm_core.mart.arrow import unpacked

    report = next(one for one in loader.call(asked.plugin, "register_reports") if one.name == asked.report)
    rows = {name: unpacked(table).to_pylist() for name, table in asked.tables.items()}
    try:
        file = report().render(rows, asked.context)
        if not isinstance(file, bytes):
            raise TypeError("bytes were expected")
    except HcrmError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{loader.known(asked.plugin)} failed to render the report {asked.report} ({type(error).__name__}). Report "
            "it to its author."
        ) from None
    return file


def _compute(loader: Loader, asked: Computing) -> bytes:
    from hcrm_core.mart.arrow import packed, unpacked

    loader.load(asked.plugin)
    module, _, name = asked.function.partition(":")
    try:
        return packed(getattr(importlib.import_module(module), name)(unpacked(asked.table), asked.parameters))
    except HcrmError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{loader.known(asked.plugin)} failed in {asked.function} ({type(error).__name__}). Report it to its "
            "author."
        ) from None


def _observe(loader: Loader, asked: Observing) -> list[Finding]:
    done = msgspec.msgpack.decode(asked.done, type=_TOLD[asked.hook])
    found = loader.call(asked.plugin, asked.hook, done=done, workspace=Workspace(loader.configuration))
    try:
        return msgspec.convert(msgspec.to_builtins(found), list[Finding])
    except (msgspec.ValidationError, TypeError):
        raise PluginError(
            f"{loader.known(asked.plugin)} answered {asked.hook} with what are no findings. Report it to its author."
        ) from None
