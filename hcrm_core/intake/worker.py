"""The host that reads messages: an adapter and the plugins that mend its records, without keys or connections."""

import gc
import socket
from collections.abc import Iterator

import msgspec

from hcrm_core.hosting.serve import serve
from hcrm_core.intake.readers import Readers
from hcrm_core.intake.work import Inspected, Work
from hcrm_core.model.examples import Tried
from hcrm_core.model.pulling import HttpRequest, Pulled, SqlQuery
from hcrm_core.model.translation import Problem, RawMessage
from hcrm_core.registry.offers import Opening

_decode_opening = msgspec.msgpack.Decoder(Opening).decode
_decode_work = msgspec.msgpack.Decoder(Work).decode


def main(line: socket.socket) -> None:
    """Answer until the core is gone."""
    readers: list[Readers] = []
    # What is loaded by now stays; looking through it again and again would take a tenth of the time.
    gc.set_threshold(50_000, 20, 100)

    def opened(body: msgspec.Raw) -> None:
        readers[:] = [Readers(_decode_opening(body))]

    def translated(body: msgspec.Raw) -> list[msgspec.Raw]:
        return readers[0].translate(_decode_work(body))

    def begun(body: msgspec.Raw) -> bytes:
        return readers[0].beginning(_decode_work(body))

    def split(body: msgspec.Raw) -> Iterator[list[RawMessage]]:
        return readers[0].split(_decode_work(body))

    def inspected(body: msgspec.Raw) -> Inspected:
        return readers[0].inspect(_decode_work(body))

    def named(body: msgspec.Raw) -> list[str | None]:
        work = _decode_work(body)
        return [readers[0].adapter(work.reader).field_name(field) for field in work.fields]

    def tried(body: msgspec.Raw) -> list[Tried]:
        return readers[0].examples(_decode_work(body))

    def checked(body: msgspec.Raw) -> list[Problem] | None:
        return readers[0].conformance(_decode_work(body))

    def requested(body: msgspec.Raw) -> HttpRequest | SqlQuery:
        return readers[0].request(_decode_work(body))

    def answered(body: msgspec.Raw) -> Pulled:
        return readers[0].answer(_decode_work(body))

    serve(
        line,
        {
            "open": opened,
            "translate": translated,
            "beginning": begun,
            "split": split,
            "inspect": inspected,
            "names": named,
            "examples": tried,
            "conformance": checked,
            "request": requested,
            "answer": answered,
        },
    )
