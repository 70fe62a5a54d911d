"""What a host that reads messages is asked, and what it answers about one of them."""

from typing import Any

from msgspec import Struct

from hcrm_core.model.pulling import HttpResponse, Rows
from hcrm_core.model.translation import Origin, RawField


class Reader(Struct, frozen=True, array_like=True):
    """How a source is read.

    Attributes:
        source: Its name.
        plugin, adapter: Of this plugin, this adapter.
        transformers: The plugins that change its records, in order.
    """

    source: str
    plugin: str
    adapter: str
    transformers: tuple[str, ...] = ()


class Work(Struct, frozen=True, array_like=True):
    """What a source is to read: messages to translate; one file to split, with its name; one message to inspect or, by
    a profile, to check; names of fields; from a position on, what to ask next or the answer to that."""

    reader: Reader
    payloads: tuple[bytes, ...] = ()
    fields: tuple[str, ...] = ()
    profile: str | None = None
    file: str = ""
    position: str = ""
    answer: HttpResponse | Rows | None = None


class Inspected(Struct, frozen=True):
    """One message for people to look at.

    Attributes:
        fields: As sent, each with what the standard calls it.
        origins: Where each field of its records came from.
        records: As JSON values.
    """

    fields: list[tuple[RawField, str | None]]
    origins: list[Origin]
    records: list[dict[str, Any]]
