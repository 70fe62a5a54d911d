"""The settings of a source: what `hcrm.toml` says of it, and what its mapping says beside that."""

from typing import Any

import msgspec
from msgspec import Struct

from hcrm_core.config import Configuration, check_currency, check_timezone, nearest
from hcrm_core.errors import ConfigurationError
from hcrm_core.model.adapters import Adapter, SourceSettings
from hcrm_core.model.toml_file import TomlFile


class _Mapping(Struct):
    """What the core reads of a mapping; the rest is the adapter's."""

    source: dict[str, Any] = {}


def source_settings(configuration: Configuration, adapter: type[Adapter], source: str) -> SourceSettings:
    """A source's settings, typed by its adapter.

    Raises:
        ConfigurationError: Its table is wrong, or its mapping's `[source]` is.
    """
    defaults: dict[str, Any] = {"adapter": adapter.name, "timezone": configuration.settings.timezone}
    mapping = configuration.mapping(source)
    if mapping is not None and not adapter.maps:
        where = configuration.where("sources", source, "mapping")
        raise ConfigurationError(
            f"{where}: sources.{source}.mapping: the adapter {adapter.name} reads no mapping. Take the line out."
        )
    if mapping is not None:
        file = TomlFile(mapping.text, mapping.path, _Mapping)
        _check(file, configuration, adapter, source)
        defaults |= file.content.source
    return configuration.typed(adapter.settings_type, "sources", source, **defaults)


def place_of(sentence: str, configuration: Configuration, settings: SourceSettings, source: str) -> str:
    """What an adapter objects to (`KEY: sentence`), with the file and line where the key stands."""
    path = sentence.partition(":")[0].split(".")
    if settings.mapping is not None:
        if sentence.startswith(settings.mapping.path):
            return sentence
        file = TomlFile(settings.mapping.text, settings.mapping.path, _Mapping)
        if path[0] in file.content.source:
            return f"{file.where('source', *path)}: source.{sentence}"
    at = path if path[0] in configuration.table("sources", source) else []
    return f"{configuration.where('sources', source, *at)}: sources.{source}.{sentence}"


def _check(file: TomlFile[_Mapping], configuration: Configuration, adapter: type[Adapter], source: str) -> None:
    """How a source is read may stand in its mapping, once; where it listens and who may connect may not."""
    said = file.content.source
    common = {one.encode_name for one in msgspec.structs.fields(SourceSettings)}
    valid = {one.encode_name for one in msgspec.structs.fields(adapter.settings_type)} - common | {"timezone"}
    for key in said:
        if key not in valid:
            advice = f"It belongs into [sources.{source}] of hcrm.toml." if key in common else nearest(key, [*valid])
            raise ConfigurationError(f"{file.where('source', key)}: source.{key} is not a key of a mapping. {advice}")
        if key in configuration.table("sources", source):
            raise ConfigurationError(
                f"{file.where('source', key)}: source.{key} is said at {configuration.where('sources', source, key)} "
                "too. Take one of them out."
            )
    file.typed({"adapter": adapter.name, **said}, adapter.settings_type, "source")
    if "timezone" in said:
        check_timezone(said["timezone"], f"{file.where('source', 'timezone')}: source.timezone")
    if "currency" in said:
        check_currency(said["currency"], f"{file.where('source', 'currency')}: source.currency")
