"""The page of what can be set; `generate.py` beside this writes it."""

import importlib
import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import generate_text as words
import msgspec
from msgspec import Struct

SETTINGS = {
    "plugins": "The enabled plugins, in order. Installed is not enabled.",
    "title": "The hospital's name, shown in reports.",
    "timezone": "IANA zone: what `today` is, and the zone of times a source sends without an offset.",
    "store.url": "The store's database: `sqlite:///FILE` or `postgresql+psycopg://USER@HOST/DATABASE`.",
    "store.inbox": "The inbox's database. Where absent: `sqlite:///inbox.db`, or on PostgreSQL the store's database.",
    "store.key_file": "The secret that all ids are computed with.",
    "mart.path": "The folder of the columnar copy.",
    "mart.engine": "What computes on it.",
    "metrics.listen": "Address and port where `hcrm run --watch` gives its figures to Prometheus (`127.0.0.1:9275`).",
    "sources": "One table a source: `[sources.NAME]`, typed by its adapter.",
    "reviews": "One table a review: `[reviews.NAME]` sets its parameters.",
    "strategies": "One table a strategy: `[strategies.NAME]` sets its parameters.",
}
ENVIRONMENT = (
    ("HCRM_WORKSPACE", "The workspace, where `--workspace` is not given; else the current directory."),
    ("HCRM_NOW", "An instant with an offset that commands take for now, for rehearsals and tests."),
    ("HCRM_TRACEBACK", "Where set, an unforeseen error shows its traceback, which may hold patient data."),
)

_SEE_LISTEN = "See [listen for messages](../how-to/listen-for-messages.md)."
_SEE_PULL = "See [pull from a server](../how-to/pull-from-a-server.md)."
_OPTIONAL = re.compile(r"Optional\[Annotated\[(\w+), [^]]*\]\]")


def configuration() -> str:
    from hcrm_adapter_hl7v2.adapter import Hl7v2Settings
    from hcrm_core import config
    from hcrm_core.config import (
        GoldenSettings,
        IdentitySettings,
        MartSettings,
        MetricsSettings,
        Settings,
        SparkSettings,
        StoreSettings,
        WorkerSettings,
    )
    from hcrm_core.model.adapters import SourceSettings
    from hcrm_core.model.listening import ListenerSettings
    from hcrm_core.model.pulling import Authentication, PullSettings

    parts = [
        "# Configuration\n",
        "`hcrm.toml` in the workspace. Paths are relative to the workspace. An unknown key is an error that names "
        "file, line and the nearest valid key.\n",
    ]
    headers = ("key", "type", "default", "meaning")
    for title, struct, prefix in (
        ("The file itself", Settings, ""),
        ("`[store]`", StoreSettings, "store."),
        ("`[mart]`", MartSettings, "mart."),
        ("`[mart.spark]`", SparkSettings, "mart.spark."),
        ("`[identity]`", IdentitySettings, "identity."),
        ("`[golden]`", GoldenSettings, "golden."),
        ("`[metrics]`", MetricsSettings, "metrics."),
        ("`[workers]`", WorkerSettings, "workers."),
    ):
        below = {name: text for name, _, text in words.fields(config)[struct.__name__]}
        rows = [
            (f"`{name}`", kind, default, SETTINGS.get(prefix + name) or below[name])
            for name, kind, default in _keys(struct)
            if name not in ("store", "mart", "spark", "metrics", "workers")
        ]
        parts.append(f"## {title}\n\n" + words.table(headers, rows))
    meanings = words.attributes(SourceSettings) | words.attributes(Hl7v2Settings)
    rows = [
        (f"`{name}`", kind, default, meanings[name])
        for name, kind, default in _keys(Hl7v2Settings)
        if name not in ("listener", "authentication", "pull")
    ]
    parts.append(
        "## `[sources.NAME]` of the adapter `hl7v2`\n\n`adapter`, `timezone`, `listen` and `acknowledge` are keys of "
        "every source.\n\n" + words.table(headers, rows)
    )
    for name, struct, text in (
        ("listener", ListenerSettings, f"How the port of a source that has `listen` is guarded. {_SEE_LISTEN}"),
        ("pull", PullSettings, f"How a source that has `url` is asked. {_SEE_PULL}"),
        ("authentication", Authentication, "How the core proves who asks. Secrets are read from files."),
    ):
        meanings = words.attributes(struct)
        rows = [(f"`{key}`", kind, default, meanings[key]) for key, kind, default in _keys(struct)]
        parts.append(f"## `[sources.NAME.{name}]`\n\n{text}\n\n" + words.table(headers, rows))
    parts.append(
        '## `[followup]` of the plugin `followup`\n\n`rules`: a list of rule files, `["rules/discharge.yaml"]`. Where '
        "absent, the shipped rule `discharge` applies. See [follow-up rules](../how-to/follow-up-rules.md).\n"
    )
    parts.append(
        "## `[strategies.NAME]`\n\nParameters of the shipped strategies; a value must have the default's type.\n"
    )
    rows = [
        (f"`{_table_name(strategy.name)}`", f"`{name}`", f"`{value!r}`")
        for strategy in _strategies()
        for name, value in strategy.parameters.items()
    ]
    parts.append(words.table(("table", "key", "default"), rows))
    parts.append(
        "## Environment\n\n" + words.table(("variable", "meaning"), [(f"`{n}`", text) for n, text in ENVIRONMENT])
    )
    return "\n".join(parts)


def _keys(struct: type[Struct]) -> Iterator[tuple[str, str, str]]:
    for field in msgspec.structs.fields(struct):
        kind = field.type.__name__ if isinstance(field.type, type) and not str(field.type).startswith("tuple") else (
            str(field.type).replace("typing.", "").replace("hcrm_core.model.toml_file.TextFile", "str")
        )  # fmt: skip
        kind = _OPTIONAL.sub(r"\1 | None", kind)
        if get_origin(field.type) is Annotated:
            kind = get_args(field.type)[0].__name__
        default = field.default
        if default is msgspec.NODEFAULT:
            default = "required" if field.default_factory is msgspec.NODEFAULT else "empty"
        else:
            default = f"`{default!r}`"
        yield field.encode_name, f"`{kind}`", default


class _NoSettings:
    def settings(self, table: str) -> dict[str, object]:
        return {}

    def read_text(self, path: str) -> str:
        raise FileNotFoundError(path)


def _strategies() -> Iterator[Any]:
    for plugin in ("hcrm_plugin_segmentation", "hcrm_plugin_followup"):
        yield from importlib.import_module(plugin).register_strategies(_NoSettings())


def _table_name(strategy: str) -> str:
    return f'[strategies."{strategy}"]' if "." in strategy else f"[strategies.{strategy}]"
