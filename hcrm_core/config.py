"""`hcrm.toml`: read, typed, and every mistake named with file, line, key and the nearest valid key."""

from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from hcrm_core.env import CONFIGURATION
from hcrm_core.errors import ConfigurationError
from hcrm_core.model.currencies import CURRENCIES, MEANT
from hcrm_core.model.toml_file import TextFile, line_at, parsed
from hcrm_core.model.toml_file import nearest as nearest
from hcrm_core.model.toml_lines import lines_of as lines_of
from hcrm_core.model.typing_errors import explained

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


class IdentitySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """When patients that no number links are one customer."""

    scores: bool = True
    """Whether patients are compared by name, birth date, phone, document and address; without, numbers and merges alone
    link."""
    link: Annotated[float, Meta(le=1_000)] = 12.0
    """From how many bits of evidence on two patients are linked."""
    review: Annotated[float, Meta(ge=0)] = 5.0
    """From how many bits on a pair is kept for review."""
    model: str | None = None
    """A linking model of your own, as `hcrm identity train` writes one; else the one that is shipped."""


USUAL_IDENTITY = IdentitySettings()
"""Where `hcrm.toml` says nothing of it."""

Criterion = Literal["trust", "completeness", "recency"]


class FieldSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One field of a customer, where it is decided otherwise than the rest."""

    trust: tuple[str, ...] | None = None
    rule: tuple[Criterion, ...] | None = None


class GoldenSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Which source's word stands where several patients are one customer."""

    trust: tuple[str, ...] = ("manual",)
    """Sources, the most trusted first; the others come after them and are alike. `manual`, what people correct by hand,
    comes first where it is not listed."""
    rule: tuple[Criterion, ...] = ("trust", "recency")
    """What decides, the first first: `trust`; `completeness`, a whole date before a year; `recency`, the source that
    spoke of the patient last."""
    fields: dict[str, FieldSettings] = {}
    """Field of the `Patient` → its own `trust` or `rule`. Birth date, sex and death go by trust, completeness and
    recency unless they stand here."""


USUAL_GOLDEN = GoldenSettings()
"""Where `hcrm.toml` says nothing of it."""


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
    identity: IdentitySettings = IdentitySettings()
    golden: GoldenSettings = GoldenSettings()
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
        texts: Path → text of the mappings that sources name, so that all hosts read the same.
    """

    root: str
    tables: dict[str, Any]
    lines: list[tuple[tuple[str | int, ...], int]]
    texts: dict[str, str] = {}


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
            self._texts = dict(place.texts)
        else:
            text = _read(self._file)
            self._tables, self._lines = parsed(text, str(self._file)), lines_of(text)
            self._texts = {}
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
        check_timezone(self.settings.timezone, f"{self.where('timezone')}: timezone")
        twice = {name for name in self.settings.plugins if self.settings.plugins.count(name) > 1}
        if twice:
            raise ConfigurationError(f"{self.where('plugins')}: plugins names {', '.join(sorted(twice))} twice.")
        self._check_thresholds()
        if "golden" in self._tables or "manual" in self.settings.sources:
            from hcrm_core.model.survivorship import check

            check(self.settings, self.where)

    def handed(self) -> Handed:
        """What a host may know of it."""
        tables = {name: table for name, table in self._tables.items() if name != "store"}
        for source in tables.get("sources", {}):
            with suppress(ConfigurationError):  # who asks for the source is told
                self.mapping(source)
        return Handed(str(self.root), tables, list(self._lines.items()), self._texts)

    def with_key(self, table: str, key: str, value: Any) -> "Configuration":
        """The same settings with another value of a key of a plugin's table, for what hosts are told of it."""
        handed = self.handed()
        tables = handed.tables | {table: self.table(table) | {key: value}}
        return Configuration(msgspec.structs.replace(handed, tables=tables))

    def with_mapping(self, source: str, mapping: TextFile) -> "Configuration":
        """The same settings with another mapping of a source, for what hosts are told of it."""
        handed = self.handed()
        tables = handed.tables | {
            "sources": self.table("sources") | {source: self.table("sources", source) | {"mapping": mapping.path}}
        }
        texts = handed.texts | {mapping.path: mapping.text}
        return Configuration(msgspec.structs.replace(handed, tables=tables, texts=texts))

    def mapping(self, source: str) -> TextFile | None:
        """The mapping a source names, read once.

        Raises:
            ConfigurationError: It cannot be read, or is not named by a path.
        """
        path = self.table("sources", source).get("mapping")
        if path is None:
            return None
        where = f"{self.where('sources', source, 'mapping')}: sources.{source}.mapping"
        if not isinstance(path, str):
            raise ConfigurationError(f'{where}: it must be the path of a file, as "mappings/{source}.toml".')
        if path not in self._texts:
            self._texts[path] = read_text(self.root, path, where)
        return TextFile(path, self._texts[path])

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
        table = defaults | self.table(*path)
        if len(path) == 2 and path[0] == "sources":
            table["mapping"] = self.mapping(path[1])
        typed = self._typed(table, table_type, path)
        if isinstance(zone := getattr(typed, "timezone", None), str):
            keys = (*path, "timezone")
            check_timezone(zone, f"{self.where(*keys)}: {'.'.join(keys)}")
        if isinstance(currency := getattr(typed, "currency", None), str):
            keys = (*path, "currency")
            check_currency(currency, f"{self.where(*keys)}: {'.'.join(keys)}")
        return typed

    def where(self, *path: str | int) -> str:
        """`FILE, line N`, for errors about the key at `path`."""
        return f"{self._file}, line {line_at(self._lines, path)}"

    def path(self, relative: str) -> Path:
        """A path of the configuration, relative to the workspace."""
        return self.root / relative

    @property
    def identity(self) -> IdentitySettings:
        """When patients are one customer; the model's path is absolute."""
        settings = self.settings.identity
        if settings.model is None:
            return settings
        return msgspec.structs.replace(settings, model=str(self.path(settings.model).resolve()))

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

    def _check_thresholds(self) -> None:
        identity = self.settings.identity
        if not identity.review <= identity.link:
            said = "link" if "link" in self.table("identity") else "review"
            raise ConfigurationError(
                f"{self.where('identity', said)}: identity.link = {identity.link:g} is below identity.review = "
                f"{identity.review:g}, so pairs would be linked that are too unlikely to be reviewed. Raise link or "
                "lower review."
            )

    def _typed(self, table: dict[str, Any], table_type: type[T], path: tuple[str, ...]) -> T:
        try:
            return msgspec.convert(table, table_type)
        except msgspec.ValidationError as error:
            raise ConfigurationError(explained(str(error), table, table_type, path, self.where, nearest)) from None


_FIELDS = tuple(Settings.__struct_fields__)


def check_timezone(zone: str, where: str) -> None:
    """Refuse a time zone that there is not.

    Args:
        zone: An IANA name.
        where: What names it, for the error.

    Raises:
        ConfigurationError: There is none of that name.
    """
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            f"{where}: there is no time zone {zone!r}. Use an IANA name such as Asia/Shanghai."
        ) from None


def check_currency(code: str, where: str) -> None:
    """Refuse a currency that there is not.

    Args:
        code: As ISO 4217 names it.
        where: What names it, for the error.

    Raises:
        ConfigurationError: There is none of that code.
    """
    if code in CURRENCIES:
        return
    meant = MEANT.get(code.upper(), code.upper())
    advice = f"Write {meant}, its ISO 4217 code." if meant in CURRENCIES else "Use an ISO 4217 code such as CNY."
    raise ConfigurationError(f"{where}: there is no currency {code!r}. {advice}")


def read_text(root: Path, path: str, where: str = "") -> str:
    """A UTF-8 text file inside a workspace.

    Args:
        root: The workspace.
        path: Of the file, relative to it.
        where: What names the file, for errors.

    Raises:
        ConfigurationError: There is no such file, or it lies outside the workspace.
    """
    root, where = root.resolve(), where and f"{where}: "
    file = (root / path).resolve()
    if not file.is_relative_to(root):
        raise ConfigurationError(f"{where}{path} lies outside the workspace {root}. Copy it into the workspace.")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{where}{file} is not written in UTF-8. Save it in that charset.") from None
    except OSError:
        raise ConfigurationError(f"{where}{file} cannot be read. Check the path in hcrm.toml.") from None


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{file}, line {line}: not UTF-8. Save the file as UTF-8.") from None
