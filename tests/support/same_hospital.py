"""One hospital through five doors: workspaces that have read it, and what they know of it, made comparable."""

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

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
        root = shutil.copytree(self._workspace, self.folder / door.replace(" ", "-"))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            patch.setenv("HCRM_NOW", f"{self.settings.until}T23:59:59+08:00")
            counts = self._read(door, new_database)
        assert counts["messages"] == counts["landed"] + counts["duplicates"]
        assert counts["quarantined"] == 0, counts
        return root

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
    """What a workspace knows.

    Attributes:
        facts: By kind and key.
        customers: Keys of patients that are one person.
    """

    def __init__(self, root: Path, name: Callable[[str, str], str]) -> None:
        """Args: root: the workspace; name: what a key of a kind is called here."""
        self.facts: Facts = {}
        lines = [json.loads(line) for line in dump(Opened(root).store)]
        called = {one["fact"]: name(one["kind"], one["key"]) for one in lines if "kind" in one}
        people = {one["patient"]: called[one["fact"]] for one in lines if one.get("kind") == "Patient"}
        for one in lines:
            if "kind" in one:
                kind = one["kind"]
                fields = {field: value for field, value in one["fields"].items() if value not in (None, [])}
                for field, value in fields.items():
                    if reference_of(kind, field) is not None:
                        fields[field] = called.get(value, value)
                if one["void"]:
                    fields["void"] = True
                self.facts[kind, called[one["fact"]]] = fields
        groups: dict[str, set[str]] = {}
        for one in lines:
            if "customer" in one:
                groups.setdefault(one["customer"], set()).add(people[one["patient"]])
        self.customers = {frozenset(group) for group in groups.values()}


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
