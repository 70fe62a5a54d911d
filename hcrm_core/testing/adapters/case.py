"""What the author of an adapter passed, ready for the checks."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from hcrm_core.api import Adapter, RawMessage, Translation
from hcrm_core.testing.adapters.walk import Serves, Step, walk
from hcrm_core.testing.checks import NotGiven

Says = tuple[str, str, bytes, bytes, bytes]
"""A kind, a field of it, and three messages: one gives a value, one says there is none, one does not mention it."""


@dataclass(frozen=True)
class AdapterCase:
    """An adapter and the samples it is judged by; the attributes are the arguments of `adapter_kit`."""

    adapter: type[Adapter]
    samples: Path | Mapping[str, bytes]
    settings: Mapping[str, Any] = field(default_factory=dict)
    source: str = "kit"
    plugin: str | None = None
    says: Says | Sequence[Says] = ()
    shuffled: tuple[bytes, bytes] | None = None
    complete: tuple[bytes, bytes] | None = None
    charsets: Mapping[str, bytes] = field(default_factory=dict)
    charset_settings: Callable[[str], Mapping[str, Any]] | None = None
    frame: Callable[[bytes], bytes] | None = None
    wrapping: bytes = b""
    made_of: Callable[[bytes], Sequence[bytes]] | None = None
    serves: Serves | None = None
    seconds: float = 60.0

    def make(self, **settings: Any) -> Adapter:
        """A new instance, with settings beside or instead of the author's."""
        return make(self.adapter, self.source, {**self.settings, **settings})

    @cached_property
    def used(self) -> Adapter:
        """An instance that all checks share, which therefore has translated much before."""
        return self.make()

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Name → bytes of each sample."""
        if isinstance(self.samples, Mapping):
            found = dict(self.samples)
        else:
            paths = sorted(path for path in self.samples.rglob("*") if path.is_file() and path.name[0] != ".")
            found = {path.relative_to(self.samples).as_posix(): path.read_bytes() for path in paths}
        if not found:
            raise NotGiven("Pass samples: a folder of files as the source sends them, or a mapping of names to bytes.")
        return found

    @cached_property
    def messages(self) -> dict[str, bytes]:
        """Name → bytes of each message; a file that the adapter does not split is taken as one."""
        found: dict[str, bytes] = {}
        for name, data in self.files.items():
            try:
                payloads = [raw.payload for raw in self.split(name, data)] if self.reads(name) else [data]
            except Exception:  # A20 tells
                payloads = [data]
            for number, payload in enumerate(payloads or [data], start=1):
                found[f"{name}, message {number}" if len(payloads) > 1 else name] = payload
        return found

    @cached_property
    def translations(self) -> dict[str, Translation]:
        """Name → translation of each message that is not quarantined."""
        found = {name: self.used.translate(payload) for name, payload in self.messages.items()}
        found = {name: translation for name, translation in found.items() if translation.quarantine is None}
        if not found:
            raise NotGiven("Pass samples of which at least one is translated; all of these are quarantined.")
        return found

    @cached_property
    def pull(self) -> list[Step]:
        """A pull by a new adapter to its end; nothing where it does not pull or fails, which A24 tells."""
        if not self.adapter.pulls or self.serves is None:
            return []
        try:
            return walk(self.make(), self.serves)
        except Exception:
            return []

    @property
    def module(self) -> str:
        """The plugin's module."""
        return self.plugin or self.adapter.__module__.partition(".")[0]

    @property
    def sources(self) -> list[Path]:
        """The Python files of the plugin.

        Raises:
            NotGiven: They cannot be found.
        """
        try:
            spec = find_spec(self.module)
        except (ImportError, ValueError):
            spec = None
        if spec is not None and spec.submodule_search_locations:
            return sorted(path for folder in spec.submodule_search_locations for path in Path(folder).rglob("*.py"))
        if spec is not None and spec.origin:
            return [Path(spec.origin)]
        file = getattr(sys.modules.get(self.adapter.__module__), "__file__", None)
        if file is None:
            raise NotGiven(f"Pass plugin: the plugin's module; {self.module!r} cannot be found.")
        return [Path(file)]

    def split(self, name: str, data: bytes) -> list[RawMessage]:
        """The messages of a sample."""
        return list(self.used.split(data, file_name(name)))

    def reads(self, name: str) -> bool:
        """Whether the adapter says that it reads files of this name."""
        return name.lower().endswith(tuple(self.adapter.file_suffixes)) if self.adapter.file_suffixes else False


def file_name(sample: str) -> str:
    """The name of the file a sample, or a message of one, comes from."""
    return sample.partition(", message ")[0].rpartition("/")[2]


def make(adapter: type[Adapter], source: str, settings: Mapping[str, Any]) -> Adapter:
    """An instance with settings typed as the core types them."""
    return adapter(source, msgspec.convert({"adapter": adapter.name, **settings}, adapter.settings_type))


def said(record: Any) -> dict[str, Any]:
    """Field → value of what a record says, empty included; without its key and group."""
    values = {one.encode_name: getattr(record, one.name) for one in msgspec.structs.fields(record)}
    return {
        name: value for name, value in values.items() if name not in ("key", "group") and value is not msgspec.UNSET
    }
