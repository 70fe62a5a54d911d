"""How heavy a plugin is to import: what it adds to a process that has the core's API already."""

import gc
import socket
import sys
import time

import msgspec
from msgspec import Struct

from hcrm_core import api as api
from hcrm_core.hosting.serve import serve
from hcrm_core.registry.loader import Loader
from hcrm_core.registry.offers import Opening

HEAVY = ("sqlalchemy", "duckdb", "pyarrow", "pandas", "numpy", "scipy", "altair", "fhir", "hl7apy", "requests", "httpx")
"""Libraries that a plugin imports where it needs them, and never when it is loaded."""


class Weight(Struct, frozen=True):
    """What importing one plugin takes.

    Attributes:
        milliseconds: Of processor time.
        modules: How many it adds.
        heavy: Those of `HEAVY` among them.
    """

    milliseconds: float
    modules: int
    heavy: tuple[str, ...]


_decode_opening = msgspec.msgpack.Decoder(Opening).decode
_decode_name = msgspec.msgpack.Decoder(str).decode


def main(line: socket.socket) -> None:
    """Answer until the core is gone."""
    loaders: list[Loader] = []

    def opened(body: msgspec.Raw) -> None:
        loaders[:] = [_decode_opening(body).loader()]

    def weighed(body: msgspec.Raw) -> Weight:
        return _weigh(loaders[0], _decode_name(body))

    serve(line, {"open": opened, "weigh": weighed})


def _weigh(loader: Loader, name: str) -> Weight:
    loader.known(name)  # reading metadata is not the plugin's cost
    before = set(sys.modules)
    gc.disable()
    began = time.process_time()
    loader.load(name)
    took = time.process_time() - began
    added = set(sys.modules) - before
    heavy = tuple(sorted({module.partition(".")[0] for module in added} & set(HEAVY)))
    return Weight(round(took * 1000, 1), len(added), heavy)
