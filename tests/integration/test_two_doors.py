"""One hospital as messages and as record files: equal facts in the store, equal tables in the mart."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import msgspec
import pytest
from support.streams import ADAPTER, work_off

from hcrm_adapter_simulator import Settings, write_hl7v2, write_records
from hcrm_core.decide.freshness import refresh_mart
from hcrm_core.intake import bulk
from hcrm_core.intake.bulk import load, load_mart
from hcrm_core.intake.land import land_all
from hcrm_core.mart.manifest import read_manifest
from hcrm_core.mart.record_files import read_rows
from hcrm_core.store import schema
from hcrm_core.store.codec import Codec
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store

KEY = b"\x07" * 32
NOW = 1_750_000_000_000_000
TODAY = date(2025, 6, 15)
PERSONS = 300


def new_store(folder: Path) -> Store:
    store = Store(f"sqlite:///{folder}/store.db", f"sqlite:///{folder}/inbox.db", Codec(KEY))
    schema.upgrade(store)
    return store


@pytest.fixture(scope="module")
def record_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("records")
    write_records(Settings(until=date(2025, 6, 14), patients=PERSONS, seed=5), folder)
    return sorted(folder.glob("*.parquet"))


@pytest.fixture(scope="module")
def from_records(record_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = new_store(tmp_path_factory.mktemp("store"))
    for path in record_files:
        assert load(store, "his", path, NOW).records
    yield store
    store.close()


def facts(store: Store) -> dict[str, object]:
    """Facts, links and customers without their statements' place: files need not repeat what did not change."""
    found = {}
    for line in dump(store):
        row = msgspec.json.decode(line)
        row.pop("stamp", None)
        row.pop("set", None)
        what = next(name for name in ("fact", "link", "pair", "customer", "household") if name in row)
        found[f"{what} {row['patient'] if what in ('customer', 'household') else row[what]}"] = row
    return found


def test_facts_links_and_customers_are_equal(from_records: Store, tmp_path: Path) -> None:
    write_hl7v2(Settings(until=date(2025, 6, 14), patients=PERSONS, seed=5), tmp_path / "messages")
    store = new_store(tmp_path)
    for path in sorted((tmp_path / "messages").glob("*.hl7")):
        land_all(store, "his", ADAPTER.split(path.read_bytes(), path.name), NOW)
    work_off(store, NOW)
    assert facts(store) == facts(from_records)
    store.close()


def test_a_record_file_lands_once(from_records: Store, record_files: list[Path]) -> None:
    before = list(dump(from_records))
    assert load(from_records, "his", record_files[0], NOW) == (False, 0)
    assert list(dump(from_records)) == before


def test_a_load_that_was_interrupted_is_begun_anew(
    from_records: Store, record_files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store(tmp_path)

    def fail_after_the_first(path: Path) -> Iterator[object]:
        yield next(read_rows(path))[:500]
        raise OSError("the disk is gone")

    monkeypatch.setattr(bulk, "read_rows", fail_after_the_first)
    with pytest.raises(OSError, match="disk"):
        load(store, "his", record_files[0], NOW)
    monkeypatch.undo()
    work_off(store, NOW)
    for path in record_files:
        assert load(store, "his", path, NOW).records
    assert facts(store) == facts(from_records)
    store.close()


def test_the_mart_loaded_from_files_equals_the_mart_refreshed_from_the_store(
    from_records: Store, record_files: list[Path], tmp_path: Path
) -> None:
    load_mart(tmp_path / "loaded", "his", record_files, KEY, now=NOW, today=TODAY)
    refresh_mart(from_records, tmp_path / "refreshed", now_us=NOW, timezone="Asia/Shanghai")
    loaded, refreshed = read_manifest(tmp_path / "loaded"), read_manifest(tmp_path / "refreshed")
    assert loaded and refreshed
    assert loaded.tables.keys() == refreshed.tables.keys()
    for name, table in refreshed.tables.items():
        ours = [str(tmp_path / "loaded" / file) for file in loaded.tables[name].files]
        theirs = [str(tmp_path / "refreshed" / file) for file in table.files]
        assert rows(ours) == rows(theirs), name
    assert refreshed.tables["encounter"].rows > 500


def rows(files: list[str]) -> list[tuple[object, ...]]:
    """All but when it was heard: the store takes a file in several batches, each with an instant of its own."""
    columns = [row[0] for row in duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet({files})").fetchall()]
    said = ", ".join(column for column in columns if column not in ("known_at", "valid_from"))
    return duckdb.sql(f"SELECT {said} FROM read_parquet({files}) ORDER BY ALL").fetchall()
