"""Nobody's name, telephone, address or number is anywhere in the mart."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from support.streams import ADAPTER, work_off

from hcrm_adapter_simulator import Settings, write_hl7v2
from hcrm_core.decide.freshness import complete_history, refresh_mart
from hcrm_core.decide.run import decide
from hcrm_core.intake.land import land_all
from hcrm_core.mart.manifest import read_manifest
from hcrm_core.store import schema
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store
from hcrm_core.store.queries.facts import all_facts
from hcrm_plugin_followup import register_strategies as followup
from hcrm_plugin_segmentation import register_strategies as segmentation

NOW = 1_781_500_000_000_000


class Workspace:
    """A workspace without settings of its own."""

    def settings(self, table: str) -> dict[str, object]:
        return {}

    def read_text(self, path: str) -> str:
        raise AssertionError(path)


def texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in ("system", "use", "type", "country", "city", "state", "district", "postal_code"):
                yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def canaries(store: Store) -> set[str]:
    """What the store keeps sealed."""
    found: set[str] = set()
    with store.read() as connection:
        for row in all_facts(connection):
            if row.sealed is not None:
                found |= set(texts(msgspec.json.decode(store.codec.open(row.sealed))))
    # A single character is a name's part and any word's.
    return {text for text in found if len(text) > 1}


def test_no_canary_is_in_the_mart(tmp_path: Path) -> None:
    write_hl7v2(Settings(until=date(2026, 6, 14), patients=150, seed=11), tmp_path / "messages")
    store = Store(f"sqlite:///{tmp_path}/store.db", f"sqlite:///{tmp_path}/inbox.db", Codec(b"\x05" * 32))
    schema.upgrade(store)
    files = sorted((tmp_path / "messages").glob("*.hl7"))
    mart = tmp_path / "mart"
    for part in (files[: len(files) // 2], files[len(files) // 2 :]):
        for path in part:
            land_all(store, "his", ADAPTER.split(path.read_bytes(), path.name), NOW)
        work_off(store, NOW)
        refresh_mart(store, mart, now_us=NOW, timezone="Asia/Shanghai")
    manifest = read_manifest(mart)
    assert manifest is not None
    complete_history(store, mart, manifest)
    strategies = [*segmentation(Workspace()), *followup(Workspace())]
    assert not [one.error for one in decide(store, mart, strategies, now_us=NOW, timezone="Asia/Shanghai") if one.error]

    wanted = canaries(store)
    assert len(wanted) > 500
    store.close()
    seen: set[str] = set()
    kept = sorted(mart.rglob("*.parquet"))
    assert any("history" in file.name for file in kept) and any("decisions" in str(file) for file in kept)
    for file in kept:
        columns = duckdb.sql(f"DESCRIBE SELECT * FROM '{file}'").fetchall()
        for name, kind, *_ in columns:
            if "VARCHAR" in kind:
                rows = duckdb.sql(f"SELECT DISTINCT CAST(\"{name}\" AS VARCHAR) FROM '{file}'").fetchall()
                seen |= {row[0] for row in rows if row[0]}
    everything = "\n".join(sorted(seen))
    assert not [canary for canary in sorted(wanted) if canary in everything]
