"""The contract of an adapter: bytes of one source in, records out, nothing else touched."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Literal

from msgspec import Struct

from hcrm_core.errors import InputError
from hcrm_core.model.listening import Connection, ListenerSettings, Verdict
from hcrm_core.model.pulling import Authentication, HttpRequest, HttpResponse, Pulled, PullSettings, Rows, SqlQuery
from hcrm_core.model.toml_file import TextFile
from hcrm_core.model.translation import Origin, Problem, RawField, RawMessage, Translation

RECORD_FILES = "records"
"""What stands for the adapter of canonical record files (Parquet), which the core reads itself."""


class SourceSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings every source has; an adapter's own settings extend this class.

    Attributes:
        adapter: The adapter's name.
        timezone: IANA zone of times the source sends without an offset; the workspace's where not given.
        listen: Address and port on which `hcrm listen` waits for this source (`127.0.0.1:2575`).
        acknowledge: When a message is answered as accepted: `commit`, once it is stored durably, or `application`,
            once it is translated and folded too.
        listener: How the port is guarded.
        url: Where `hcrm pull` asks: a web server (`https://his.example.org/fhir`), or a database as SQLAlchemy writes
            it, without a password (`postgresql+psycopg://hcrm@his/views`).
        password_file: File of the database's password, relative to the workspace.
        authentication: How the core proves to a web server who asks.
        pull: How the source is asked.
        mapping: A TOML file of the workspace that says how this source departs from what the adapter expects; its
            `[source]` may hold settings of this table, and its `[[examples]]` are its tests.
    """

    adapter: str
    timezone: str = "Asia/Shanghai"
    listen: str | None = None
    acknowledge: Literal["commit", "application"] = "commit"
    listener: ListenerSettings = ListenerSettings()
    url: str | None = None
    password_file: str | None = None
    authentication: Authentication | None = None
    pull: PullSettings = PullSettings()
    mapping: TextFile | None = None


class Adapter(ABC):
    """Base class of adapters. An instance serves one source and holds nothing but its settings.

    Class attributes:
        name: The adapter's name, unique among installed plugins.
        version: Of the translation; a change makes stored messages worth replaying.
        settings_type: A frozen `SourceSettings` subclass that types `[sources.NAME]`.
        file_suffixes: Suffixes of files it reads (lower case, with the dot); empty: it reads no files.
        line_suffixes: Those of them whose files hold a message a line; such a file is split in pieces of whole lines,
            so that it may be of any length.
        table_suffixes: Those of them whose files hold a row a line below headings; such a file is split in pieces of
            whole rows, each behind what `beginning` makes of the first.
        listens: Whether it has a protocol to listen by: `connection` and `acknowledge`.
        pulls: Whether it knows what to ask a source for: `request` and `answer`.
        maps: Whether it reads the setting `mapping`: a TOML text whose notation is its own, but for the tables `source`
            and `examples`, which are the core's.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    settings_type: ClassVar[type[SourceSettings]] = SourceSettings
    file_suffixes: ClassVar[tuple[str, ...]] = ()
    line_suffixes: ClassVar[tuple[str, ...]] = ()
    table_suffixes: ClassVar[tuple[str, ...]] = ()
    listens: ClassVar[bool] = False
    pulls: ClassVar[bool] = False
    maps: ClassVar[bool] = False

    def __init__(self, source: str, settings: SourceSettings) -> None:
        """Check the settings.

        Args:
            source: The source's name in the workspace.
            settings: Its table, typed by `settings_type`.

        Raises:
            ConfigurationError: A setting is wrong, as `KEY: sentence`, to which the core adds file and line; or the
                mapping is, as `FILE, line N: sentence`.
        """
        self.source = source
        self.settings = settings

    def split(self, data: bytes, name: str) -> Iterator[RawMessage]:
        """Cut a file into messages, in order.

        Args:
            data: The file, or a piece of whole lines of it where its suffix is one of `line_suffixes`; of one of
                `table_suffixes` a further piece stands behind what `beginning` made.
            name: The file's own name, for formats that say by it what is inside.

        Raises:
            InputError: Nothing in it can be a message; its text is a sentence saying what the file seems to be.
        """
        raise InputError(f"The adapter {self.name} reads no files.")

    def beginning(self, data: bytes, name: str) -> bytes:
        """What the further pieces of a table begin with, so that each is understood without the first: its headings,
        and whatever else was found out. Pure; asked only for files of `table_suffixes`.

        Args:
            data: The file's first piece.
            name: The file's own name.

        Raises:
            InputError: As `split` does.
        """
        raise NotImplementedError

    def connection(self) -> Connection:
        """A new connection's framing; asked only of an adapter that listens."""
        raise NotImplementedError

    def acknowledge(self, payload: bytes, verdict: Verdict) -> bytes:
        """The bytes that answer a message, framed for the wire; none where the message asked for no such answer.

        Pure: the same payload and verdict give the same bytes. `payload` may be empty or cut short when the verdict
        is `refused`. With the setting `acknowledge = "application"` it is asked twice: when the message is stored, and
        when its translation is known.
        """
        raise NotImplementedError

    def request(self, position: str) -> HttpRequest | SqlQuery:
        """What to ask the source next; asked only of an adapter that pulls. Pure.

        Args:
            position: What `answer` gave last; empty before the first question ever.

        Raises:
            ConfigurationError: A setting is wrong, as `KEY: sentence`.
        """
        raise NotImplementedError

    def answer(self, position: str, response: HttpResponse | Rows) -> Pulled:
        """Read an answer, or the next piece of one, to `request(position)`. Pure.

        Args:
            position: For an answer's first piece the one it was asked from, then what the piece before gave.
            response: The answer, of any status.

        Raises:
            InputError: The answer is none to the question; its text is a sentence. The position stays where it was.
        """
        raise NotImplementedError

    @abstractmethod
    def translate(self, payload: bytes) -> Translation:
        """Turn one message into records. Pure: equal bytes give an equal translation, and nothing is raised for bad
        input, it is quarantined."""

    def encoded(self, message: str) -> bytes:
        """A message that is written as text, as the source would send it; for the examples of a mapping."""
        return message.encode()

    def field_name(self, field: str) -> str | None:
        """What the standard calls a field of the coverage (`PID-26`), for people; `None` where it has no name."""
        return None

    def fields(self, payload: bytes) -> list[RawField]:
        """The filled fields of a message in their order, for `hcrm messages show`; none where it cannot be read."""
        return []

    def conformance(self, payload: bytes, profile: str | None = None) -> list[Problem] | None:
        """Where a message departs from its standard, or from a message profile; for `hcrm messages conformance`.

        Pure, and nothing is raised for bad input: what could not be checked is a problem too, whose code ends in
        `not-checked`. The texts name fields, codes of the standard and counts, never what stands in the message.

        Args:
            payload: The message.
            profile: Text of the file that states what is agreed with this sender, in the standard's own notation.

        Returns:
            The findings, each once; `None`: the adapter knows no standard to check by, which is the default.

        Raises:
            ConfigurationError: The profile is none.
        """
        return None

    def origins(self, payload: bytes) -> list[Origin]:
        """Tell for each field of each record of `translate(payload)` where it came from; used by `hcrm explain`."""
        return []
