"""`hcrm.toml`: read, typed, and every mistake named with file, line, key and the nearest valid key."""

import re
import tomllib
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from hcrm_core.env import CONFIGURATION
from hcrm_core.errors import ConfigurationError

T = TypeVar("T", bound=Struct)
GROUP = "hcrm.plugins"
"""The entry points of plugins."""


class StoreSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where facts and messages are kept."""

    url: str = "sqlite:///store.db"
    inbox: str | None = None
    """On SQLite a file of its own; on PostgreSQL the store's database."""
    key_file: str = "hcrm.key"


class SparkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where Spark runs, for `engine = "spark"`."""

    master: str = "local[*]"
    """This machine, or a cluster's address as `spark://host:7077` or `yarn`."""
    conf: dict[str, str] = {}
    """Settings of Spark by name; those that keep both engines equal cannot be changed."""


class MartSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the columnar copy lies and what computes on it."""

    path: str = "mart"
    engine: Literal["duckdb", "spark"] = "duckdb"
    spark: SparkSettings = SparkSettings()


class DecideSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """When strategies run."""

    live: bool = True
    """Whether `hcrm run --watch` looks at customers as they change, beside the runs over everybody."""


class MetricsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where `hcrm run --watch` tells Prometheus how intake is doing."""

    listen: str | None = None
    """Address and port, `127.0.0.1:9275`; the figures name nobody."""


class WorkerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the processes in which plugins run may use."""

    memory_mb: Annotated[int, Meta(ge=64)] = 2048
    """Memory of each."""
    start_seconds: Annotated[float, Meta(gt=0)] = 20.0
    """For loading a plugin."""
    message_seconds: Annotated[float, Meta(gt=0)] = 10.0
    """For translating one message, or for an observer."""
    batch_seconds: Annotated[float, Meta(gt=0)] = 60.0
    """For translating some hundred; where they take longer they are translated one by one."""
    result_seconds: Annotated[float, Meta(gt=0)] = 300.0
    """For a strategy's function, or for rendering a report."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The tables of `hcrm.toml`; those of sources, strategies and plugins are typed by their owners."""

    plugins: tuple[str, ...] = ()
    title: str = "HCRM"
    timezone: str = "Asia/Shanghai"
    store: StoreSettings = StoreSettings()
    mart: MartSettings = MartSettings()
    decide: DecideSettings = DecideSettings()
    metrics: MetricsSettings = MetricsSettings()
    workers: WorkerSettings = WorkerSettings()
    sources: dict[str, dict[str, Any]] = {}
    strategies: dict[str, dict[str, Any]] = {}
    reviews: dict[str, dict[str, Any]] = {}


class Handed(Struct, frozen=True):
    """A configuration as a host gets it: without the store, whose URL may hold a password.

    Attributes:
        root: The workspace folder.
        tables: The file's tables.
        lines: Where each key stands.
    """

    root: str
    tables: dict[str, Any]
    lines: list[tuple[tuple[str, ...], int]]


class Configuration:
    """One workspace's settings, and where each stands in the file.

    Attributes:
        root: The workspace folder.
        settings: Typed.
    """

    def __init__(self, place: Path | Handed, file: Path | None = None) -> None:
        """Read `hcrm.toml` of the workspace at `place`, or take over what another process handed to this one.

        Args:
            place: The workspace folder, or what was handed over.
            file: To be read in place of `hcrm.toml`.

        Raises:
            ConfigurationError: The file cannot be read or a key in it is wrong.
        """
        self.root = Path(place.root) if isinstance(place, Handed) else place
        self._file = file or self.root / CONFIGURATION
        if isinstance(place, Handed):
            self._tables, self._lines = place.tables, dict(place.lines)
        else:
            text = _read(self._file)
            self._tables, self._lines = _parsed(self._file, text), lines_of(text)
        enabled = self._tables.get("plugins", [])
        names = {name for name in enabled if isinstance(name, str)} if isinstance(enabled, list) else set()
        # A plugin's own table is named after the plugin and typed by it.
        own = {key: table for key, table in self._tables.items() if key not in names or key in _FIELDS}
        try:
            self.settings = self._typed(own, Settings, ())
        except ConfigurationError:
            # That of one that is installed and not enabled waits for it; looked for only now, since it takes a while.
            waiting = {point.name for point in entry_points(group=GROUP)} - set(_FIELDS)
            self.settings = self._typed({key: own[key] for key in own if key not in waiting}, Settings, ())
        self._check_timezone(self.settings.timezone, ("timezone",))
        twice = {name for name in self.settings.plugins if self.settings.plugins.count(name) > 1}
        if twice:
            raise ConfigurationError(f"{self.where('plugins')}: plugins names {', '.join(sorted(twice))} twice.")

    def handed(self) -> Handed:
        """What a host may know of it."""
        tables = {name: table for name, table in self._tables.items() if name != "store"}
        return Handed(str(self.root), tables, list(self._lines.items()))

    def with_key(self, table: str, key: str, value: Any) -> "Configuration":
        """The same settings with another value of a key of a plugin's table, for what hosts are told of it."""
        handed = self.handed()
        return Configuration(
            Handed(handed.root, handed.tables | {table: self.table(table) | {key: value}}, handed.lines)
        )

    def table(self, *path: str) -> dict[str, Any]:
        """A table as it stands in the file, empty where absent."""
        found: Any = self._tables
        for key in path:
            found = found.get(key, {}) if isinstance(found, dict) else {}
        return found if isinstance(found, dict) else {}

    def typed(self, table_type: type[T], *path: str, **defaults: Any) -> T:
        """The table at `path` as `table_type`; `defaults` fill keys the file leaves out.

        Raises:
            ConfigurationError: A key is unknown or has the wrong type.
        """
        typed = self._typed(defaults | self.table(*path), table_type, path)
        if isinstance(zone := getattr(typed, "timezone", None), str):
            self._check_timezone(zone, (*path, "timezone"))
        return typed

    def where(self, *path: str) -> str:
        """`FILE, line N`, for errors about the key at `path`."""
        found = (self._lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in self._lines)
        return f"{self._file}, line {next(found, 1)}"

    def path(self, relative: str) -> Path:
        """A path of the configuration, relative to the workspace."""
        return self.root / relative

    @property
    def store_url(self) -> str:
        """The store's database URL with an absolute path."""
        return self._absolute(self.settings.store.url)

    @property
    def inbox_url(self) -> str:
        """The inbox's database URL with an absolute path."""
        given = self.settings.store.inbox
        if given is None:
            given = "sqlite:///inbox.db" if self.settings.store.url.startswith("sqlite") else self.settings.store.url
        return self._absolute(given)

    def _absolute(self, url: str) -> str:
        head = "sqlite:///"
        return head + str((self.root / url[len(head) :]).resolve()) if url.startswith(head) else url

    def _check_timezone(self, zone: str, path: tuple[str, ...]) -> None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigurationError(
                f"{self.where(*path)}: {'.'.join(path)}: there is no time zone {zone!r}. "
                "Use an IANA name such as Asia/Shanghai."
            ) from None

    def _typed(self, table: dict[str, Any], table_type: type[T], path: tuple[str, ...]) -> T:
        try:
            return msgspec.convert(table, table_type)
        except msgspec.ValidationError as error:
            raise ConfigurationError(self._explain(str(error), table_type, path)) from None

    def _explain(self, text: str, table_type: type[Struct], path: tuple[str, ...]) -> str:
        message, _, at = text.partition(" - at `$")
        keys = (*path, *re.findall(r"\.([A-Za-z_][\w-]*)", at))
        unknown = re.match(r"Object contains unknown field `(.*)`", message)
        if not unknown:
            allowed = get_args(_type_at(table_type, keys[len(path) :])) if "enum value" in message else ()
            advice = f" Write one of: {', '.join(map(repr, allowed))}." if allowed else ""
            return f"{self.where(*keys)}: {'.'.join(keys)}: {_plain(message)}.{advice}"
        name = unknown.group(1)
        valid = _valid_keys(table_type, keys[len(path) :])
        return f"{self.where(*keys, name)}: {'.'.join((*keys, name))} is not a key. {nearest(name, valid)}"


_FIELDS = tuple(Settings.__struct_fields__)


def nearest(name: str, valid: tuple[str, ...] | list[str]) -> str:
    """A sentence that names the likeliest of the valid names, or all of them."""
    close = get_close_matches(name, valid, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Valid here: {', '.join(sorted(valid))}." if valid else "None is enabled; see: hcrm plugins list"


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{file}, line {line}: not UTF-8. Save the file as UTF-8.") from None


def _parsed(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: not valid TOML: {error}. Mend that line.") from None


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    """The line of a TOML text where each table and key stands; a key inside an inline table stands where that does."""
    table: tuple[str, ...] = ()
    found: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
            here = table = _keys(header.group(1))
        elif assignment := re.match(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*'|\s*\.\s*)+?)\s*=", line):
            here = (*table, *_keys(assignment.group(1)))
        else:
            continue
        found.setdefault(here, number)
    return found


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r'"[^"]*"|\'[^\']*\'|[^.\s]+', dotted))


def _valid_keys(table_type: type[Struct], keys: tuple[str, ...]) -> tuple[str, ...]:
    found = _type_at(table_type, keys)
    if not (isinstance(found, type) and issubclass(found, Struct)):
        return ()
    return tuple(field.encode_name for field in msgspec.structs.fields(found))


def _type_at(table_type: type[Struct], keys: tuple[str, ...]) -> Any:
    """The type of a key below a table; `None` where there is none."""
    current: Any = table_type
    for key in keys:
        if not (isinstance(current, type) and issubclass(current, Struct)):
            return None
        current = {field.encode_name: field.type for field in msgspec.structs.fields(current)}.get(key)
    return current


def _plain(message: str) -> str:
    """What msgspec objects to, with TOML's words for types."""
    if found := re.fullmatch(r"Expected `(.*)`, got `(.*)`", message):
        wanted, given = (word.removesuffix(" | null") for word in found.groups())
        return f"it must be {_WORDS.get(wanted, wanted)}, not {_WORDS.get(given, given)}"
    return message[:1].lower() + message[1:]


_WORDS = {
    "str": "a text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
