"""The host that loads plugins to find out what they offer, so that none can harm the core by being loaded."""

import socket
from typing import Any

import msgspec
from msgspec import Struct

from hcrm_core.hosting.serve import serve
from hcrm_core.model.adapters import SourceSettings
from hcrm_core.registry.loader import Loader
from hcrm_core.registry.offers import Opening, offers


class Asked(Struct, array_like=True):
    """What is asked about a plugin.

    Attributes:
        plugin: Its name.
        hook: What it offers by this hook.
        adapter, source: The settings of this source for that adapter of it.
    """

    plugin: str
    hook: str = ""
    adapter: str = ""
    source: str = ""


_decode_opening = msgspec.msgpack.Decoder(Opening).decode
_decode_asked = msgspec.msgpack.Decoder(Asked).decode


def main(line: socket.socket) -> None:
    """Answer until the core is gone."""
    loaders: list[Loader] = []

    def opened(body: msgspec.Raw) -> None:
        loaders[:] = [_decode_opening(body).loader()]

    def hooks(body: msgspec.Raw) -> list[str]:
        return loaders[0].hooks(_decode_asked(body).plugin)

    def warned(body: msgspec.Raw) -> list[str]:
        return loaders[0].warnings(_decode_asked(body).plugin)

    def offered(body: msgspec.Raw) -> list[Any]:
        asked = _decode_asked(body)
        return offers(loaders[0], asked.plugin, asked.hook)

    def settings(body: msgspec.Raw) -> SourceSettings:
        asked = _decode_asked(body)
        typed = loaders[0].adapter(asked.plugin, asked.adapter, asked.source).settings
        return SourceSettings(**{name: getattr(typed, name) for name in SourceSettings.__struct_fields__})

    serve(line, {"open": opened, "hooks": hooks, "warnings": warned, "offers": offered, "settings": settings})
