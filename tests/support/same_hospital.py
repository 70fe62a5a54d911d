"""One hospital through five doors: workspaces that have read it, and what they know of it, made comparable."""

import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine

from hcrm_adapter_simulator import Settings, write_fhir, write_hl7v2, write_sql, write_xlsx
from hcrm_adapter_simulator.fhir import ETHNICITY
from hcrm_adapter_simulator.fhir_types import resource_id
from hcrm_adapter_simulator.tables import TABLES
from hcrm_core.api import reference_of
from hcrm_core.cli.context import Opened
from hcrm_core.store.dump import dump
from support.simulated_fhir import SimulatedFhir
from support.ward import told

DOORS = ("HL7 v2", "FHIR search", "FHIR export", "SQLite", "PostgreSQL", "XLSX")
FHIR = ("FHIR search", "FHIR export")
TABLE = ("SQLite", "PostgreSQL", "XLSX")
TOKEN = re.compile(r"[0-9a-f]{20}")
"""An id of a fact or a customer."""
DECIDED = ("anchor", "step", "occurrence", "customer_id", "state", "topic", "due_on", "window_start", "window_end",
           "owner", "channel", "form", "detail", "evidence")  # fmt: skip
"""What a task says of its decision."""
Fact = tuple[str, str]
"""Kind and key."""
Facts = dict[Fact, dict[str, Any]]


class Hospital:
    """The files of one hospital in all formats, and the workspaces that read them."""

    def __init__(self, settings: Settings, folder: Path, workspace: Path) -> None:
        """Args: settings: which hospital; folder: for files; workspace: a new one, to be copied."""
        self.folder, self._workspace, self.settings = folder, workspace, settings
        write_hl7v2(settings, folder / "messages")
        write_fhir(settings, folder / "resources")
        write_sql(settings, folder / "database")
        write_xlsx(settings, folder / "workbooks")

    def through(self, door: str, new_database: Callable[..., str]) -> Path:
        """A workspace that has read the hospital through a door."""
        root = shutil.copytree(self._workspace, self.root(door))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            patch.setenv("HCRM_NOW", f"{self.settings.until}T23:59:59+08:00")
            counts = self._read(door, new_database)
            told("decide")
        assert counts["messages"] == counts["landed"] + counts["duplicates"]
        assert counts["quarantined"] == 0, counts
        return root

    def root(self, door: str) -> Path:
        """The workspace of a door."""
        return self.folder / door.replace(" ", "-")

    def _read(self, door: str, new_database: Callable[..., str]) -> Any:
        if door == "HL7 v2":
            _source('adapter = "hl7v2"')
            return told("ingest", self.folder / "messages", "--source", "hospital")
        if door in FHIR:
            server = SimulatedFhir(self.folder / "resources")
            method = door.split()[1]
            _source(
                f'adapter = "fhir"\nmethod = "{method}"\nurl = "{server.url}"\n'
                f'extensions = {{ethnicity = "{ETHNICITY}"}}\n'
                "export = {poll_seconds = 0.05}\npull = {tries = 2, requests_per_second = 10000}"
            )
            with server.server:
                return told("pull", "hospital")
        shutil.copy(self.folder / "database" / "mapping.toml", "mapping.toml")
        if door == "XLSX":
            _source('adapter = "tabular"\nmapping = "mapping.toml"')
            return told("ingest", self.folder / "workbooks", "--source", "hospital")
        url = f"sqlite:///{self.folder}/database/hospital.db"
        if door == "PostgreSQL":
            url = new_database()
            fill(url, self.folder / "database" / "hospital.sql")
        views = "\n".join(
            f'[sources.hospital.views.{table.name}]\nview = "{table.title}"\nwatermark = "更新时间"\nkey = "序号"'
            for table in TABLES.values()
        )
        _source(f'adapter = "tabular"\nurl = "{url}"\nmapping = "mapping.toml"\n{views}')
        return told("pull", "hospital")


def fill(url: str, script: Path) -> None:
    """Run a file of statements in a database."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.connection.cursor().execute(
            script.read_text(encoding="utf-8").replace("BEGIN;", "").replace("COMMIT;", "")
        )
    engine.dispose()


def _source(settings: str) -> None:
    file = Path("hcrm.toml")
    kept = file.read_text(encoding="utf-8").partition("[sources.his]")[0]
    file.write_text(f"{kept}[sources.hospital]\n{settings}\n", encoding="utf-8")


class Picture:
    """What a workspace knows and has decided.

    Attributes:
        facts: By kind and key; the numbers of a person in the order of their values.
        customers: Keys of patients that are one person.
        decisions: Strategy → what it decided, of whom and about what.
    """

    def __init__(self, root: Path, name: Callable[[str, str], str]) -> None:
        """Args: root: the workspace; name: what a key of a kind is called here."""
        lines = [json.loads(line) for line in dump(Opened(root).store)]
        called = {one["fact"]: name(one["kind"], one["key"]) for one in lines if "kind" in one}
        self.facts: Facts = {}
        for one in lines:
            if "kind" in one:
                self.facts[one["kind"], called[one["fact"]]] = _comparable(one, called)
        groups: dict[str, set[str]] = {}
        for one in lines:
            if "customer" in one:
                groups.setdefault(one["customer"], set()).add(called[one["patient"]])
        self.customers = {frozenset(group) for group in groups.values()}
        called |= {customer: "+".join(sorted(group)) for customer, group in groups.items()}
        self.decisions = _decisions(root, called)


def _comparable(one: dict[str, Any], called: dict[str, str]) -> dict[str, Any]:
    fields = dict(one["fields"])
    for field, value in fields.items():
        if reference_of(one["kind"], field) is not None:
            fields[field] = called.get(value, value)
        elif field == "identifier":
            fields[field] = sorted(value, key=lambda number: number["value"])
    return fields | ({"void": True} if one["void"] else {})


def _decisions(root: Path, called: dict[str, str]) -> dict[str, list[Any]]:
    """Scores and tasks, with the names of whom and what they are about."""
    made: dict[str, list[Any]] = {}
    for file in sorted(root.glob("mart/decisions/*/*.parquet")):
        made[file.parent.name] = [_named(row, called) for row in pq.read_table(file).to_pylist()]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for task in told("tasks", "list", "--limit", 1_000_000):
            what = {name: task[name] for name in DECIDED}
            made.setdefault(task["strategy"], []).append(_named(what, called))
    return {strategy: sorted(rows, key=json.dumps) for strategy, rows in made.items()}


def _named(value: Any, called: dict[str, str]) -> Any:
    """A value with what stands for a fact or customer in it named, and in an order of its own."""
    if isinstance(value, dict):
        return {name: _named(one, called) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return sorted((_named(one, called) for one in value), key=json.dumps)
    if isinstance(value, str):
        return TOKEN.sub(lambda found: called.get(found[0], found[0]), value)
    return value if isinstance(value, int | float | None) else str(value)


def names(door: str, known: Iterable[Fact]) -> Callable[[str, str], str]:
    """How keys are called, so that the same thing is called the same behind every door: as its HL7 v2 key, without the
    parts that only tell apart what cannot be two things in this hospital.

    Args:
        door: Whose keys.
        known: Kinds and keys as HL7 v2 has them; a FHIR id is found among them.
    """
    ids: dict[Fact, str] = {}
    for kind, key in known:
        assert ids.setdefault((kind, resource_id(key)), key) == key, f"two {kind} have one FHIR id"

    def name(kind: str, key: str) -> str:
        if door in FHIR:
            if kind == "PatientLink":
                one, other = key.split(">")
                return f"{name('Patient', one)}|{name('Patient', other)}"
            type_, _, id_ = key.partition("/")
            if type_ != kind:
                return key
            key = ids.get((kind, id_), key)
        return _short(kind, key.replace(">", "|"))

    return name


def _short(kind: str, key: str) -> str:
    parts = key.split("|")
    if kind == "RelatedPerson":
        return "|".join((*parts[:4], "".join(parts[4:])))
    if kind == "ChargeItem" or kind == "DiagnosticReport":
        return "|".join(parts[:2])
    if kind == "Observation":
        return "|".join((*parts[:2], parts[-1]))
    return key
