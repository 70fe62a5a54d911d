"""FHIR files through `hcrm ingest`: lines in pieces, archives, damage, and a broken resource beside good ones."""

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support.fhir import PRIVATE, bundle, ndjson, observation, patient, resource
from support.ward import NOW, hcrm, told

from hcrm_core.cli.context import opened
from hcrm_core.intake import line_pieces
from hcrm_core.store.dump import dump

SOURCE = '\n[sources.ehr]\nadapter = "fhir"\n'


@pytest.fixture(autouse=True)
def source(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    monkeypatch.setenv("HCRM_NOW", NOW)
    with (workspace / "hcrm.toml").open("a") as file:
        file.write(SOURCE)


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_pieces, "PIECE", 2_000)
    monkeypatch.setattr(line_pieces, "_CHUNK", 700)


def ingest(*paths: str, exit_code: int = 0) -> dict[str, int]:
    summary: dict[str, int] = told("ingest", "--source", "ehr", *paths, exit_code=exit_code)
    assert summary["messages"] == summary["landed"] + summary["duplicates"]
    assert summary["landed"] == summary["translated"] + summary["quarantined"]
    return summary


def listed(**wanted: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = told("messages", "list", "--limit", "100")
    return [one for one in found if all(one[name] == value for name, value in wanted.items())]


def remarks() -> str:
    return json.dumps([told("messages", "show", one["id"])["problems"] for one in listed()])


def facts(workspace: Path) -> list[dict[str, Any]]:
    with opened(str(workspace)) as space:
        return [one for line in dump(space.store) if "kind" in (one := json.loads(line))]


def test_a_bundle_is_as_many_messages_as_it_has_entries_and_a_broken_one_costs_no_other(workspace: Path) -> None:
    broken = {"resourceType": "Patient", "id": "p2", "birthDate": 1990}
    entries = [{"resource": one} for one in (patient("p1"), broken, observation("o1", "p1"))]
    no_resource = {"fullUrl": "urn:uuid:1"}
    Path("all.json").write_text(json.dumps(bundle("collection", *entries, no_resource)))
    summary = ingest("all.json", exit_code=3)
    assert (summary["messages"], summary["translated"], summary["quarantined"]) == (4, 3, 1)
    assert summary["patients"] == 2
    (quarantined,) = listed(state="quarantined")
    assert "entry 4" in json.dumps(quarantined)
    assert {one["control_id"] for one in listed(type="Observation")} == {"Observation/o1/_history/1"}
    (customer,) = [one for one in told("customers", "list") if one["name"]]
    assert (customer["name"], customer["birth_date"], customer["sex"]) == ("王芳芳", "1990-03-07", "female")


def test_a_new_version_changes_the_fact_and_an_old_one_that_comes_late_does_not(workspace: Path) -> None:
    newer = patient("p1", 2, "2026-03-11T08:00:00Z", birthDate="1991-01-01")
    Path("b.ndjson").write_bytes(ndjson(newer))
    Path("a.ndjson").write_bytes(ndjson(patient("p1")))
    ingest("b.ndjson")
    ingest("a.ndjson")
    (customer,) = told("customers", "list")
    assert customer["birth_date"] == "1991-01-01"
    assert "control-id-reused" not in remarks()
    Path("c.ndjson").write_bytes(ndjson({**newer, "active": True}))
    ingest("c.ndjson")
    assert "control-id-reused" in remarks()


def test_what_a_new_version_no_longer_has_is_gone(workspace: Path) -> None:
    later = {k: v for k, v in patient("p1", 2, "2026-03-11T08:00:00Z").items() if k != "birthDate"}
    Path("a.ndjson").write_bytes(ndjson(later, patient("p1")))
    ingest("a.ndjson")
    (customer,) = told("customers", "list")
    assert customer["birth_date"] is None


def test_a_deleted_result_is_entered_in_error_even_where_the_deletion_comes_first(workspace: Path) -> None:
    gone = {
        "request": {"method": "DELETE", "url": "Observation/o1"},
        "response": {"status": "204", "lastModified": "2026-03-12T08:00:00Z"},
    }
    Path("a.json").write_text(json.dumps(bundle("history", gone)))
    Path("b.ndjson").write_bytes(ndjson(patient("p1"), observation("o1", "p1")))
    ingest("a.json")
    ingest("b.ndjson")
    (result,) = [one for one in facts(workspace) if one["kind"] == "Observation"]
    assert result["fields"]["status"] == "entered-in-error" and not result["void"]
    (deletion,) = [one for one in listed() if "deleted" in one["control_id"]]
    assert (deletion["control_id"], deletion["type"]) == ("Observation/o1 deleted 2026-03-12T08:00:00Z", "Observation")


def test_a_link_that_a_new_version_no_longer_has_is_taken_back(workspace: Path) -> None:
    linked = patient("p1", link=[{"other": {"reference": "Patient/p2"}, "type": "seealso"}])
    Path("a.ndjson").write_bytes(ndjson(linked, patient("p2")))
    ingest("a.ndjson")
    assert len(told("customers", "list")) == 1
    Path("b.ndjson").write_bytes(ndjson(patient("p1", 2, "2026-03-11T08:00:00Z")))
    ingest("b.ndjson")
    assert len(told("customers", "list")) == 2


def test_lines_are_read_in_pieces_and_each_is_found_by_its_place(workspace: Path, short_pieces: None) -> None:
    lines = [patient(f"p{n}") for n in range(40)]
    data = ndjson(*lines[:25]) + b'{"resourceType": "Patient", "id": \n\n' + ndjson(*lines[25:])
    Path("many.ndjson").write_bytes(data)
    Path("many.ndjson.gz").write_bytes(gzip.compress(data))
    summary = ingest("many.ndjson", exit_code=3)
    assert (summary["messages"], summary["translated"], summary["quarantined"], summary["files"]) == (41, 40, 1, 1)
    (quarantined,) = listed(state="quarantined")
    assert "many.ndjson, after line" in json.dumps(quarantined)
    again = ingest("many.ndjson.gz")
    assert (again["messages"], again["duplicates"], again["files"]) == (41, 41, 1)


def test_a_file_of_one_resource_is_named_as_the_place_in_archives_too(workspace: Path) -> None:
    lost = json.dumps({"resourceType": "Patient", "name": [{"text": "王芳芳"}]}).encode()
    Path("lost.json").write_bytes(lost)
    with zipfile.ZipFile("ward.zip", "w") as archive:
        archive.writestr("east/lost.json", lost.replace(b"text", b"family"))
    for name in ("lost.json", "ward.zip"):
        ingest(name, exit_code=3)
    rows = listed(state="quarantined")
    assert {row["place"] for row in rows} == {"lost.json", "ward.zip!east/lost.json"}
    for row in rows:
        assert row["reason"].startswith(f"{row['place']}, Patient.id: ")
        assert row["place"] in hcrm("messages", "show", str(row["id"])).stdout


@pytest.mark.parametrize("form", ["gz", "zip", "tgz"])
def test_an_archive_that_breaks_off_keeps_what_was_before_and_says_so(
    workspace: Path, short_pieces: None, form: str
) -> None:
    # Incompressible text, so that half the archive is about half the lines.
    lines = [patient(f"p{n}", text={"div": hashlib.sha256(b"%d" % n).hexdigest()}) for n in range(60)]
    data = ndjson(*lines)
    path = Path(f"export.{form}" if form != "gz" else "export.ndjson.gz")
    if form == "gz":
        packed = gzip.compress(data)
    elif form == "zip":
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("../../Patient.ndjson", data)
        packed = stream.getvalue()
    else:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            info = tarfile.TarInfo("/etc/Patient.ndjson")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        packed = stream.getvalue()
    middle = len(packed) // 2
    path.write_bytes(packed[:middle] if form != "zip" else packed[:middle] + b"\0" * 40 + packed[middle + 40 :])
    result = hcrm("ingest", "--source", "ehr", "--json", path)
    assert result.exit_code == 3, result.output
    summary = json.loads(result.stdout)
    assert "cannot be read" in summary["rejected"][0]
    assert 0 < summary["translated"] < 60
    assert any("beyond line" in one for one in summary["rejected"])
    assert not Path("/etc/Patient.ndjson").exists()
    assert not any(name in result.stderr for name in PRIVATE)


def test_the_memory_of_landing_does_not_grow_with_the_file() -> None:
    line = json.dumps(resource("Patient", "p1", text={"div": "x" * 900})).encode() + b"\n"

    class Long:
        left = 60_000

        def read(self, size: int, /) -> bytes:
            count = min(self.left, size // len(line))
            self.left -= count
            return line * count

    longest = max(len(piece.data) for piece in line_pieces.pieces(Long()))
    assert longest < line_pieces.PIECE + 2 * line_pieces._CHUNK


def test_a_line_without_end_is_refused_with_a_sentence(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_pieces, "PIECE", 1_000)
    monkeypatch.setattr(line_pieces, "LONGEST", 5_000)
    monkeypatch.setattr(line_pieces, "_CHUNK", 500)
    Path("a.ndjson").write_bytes(ndjson(patient("p1")) + b"x" * 20_000)
    summary = ingest("a.ndjson", exit_code=3)
    assert summary["translated"] == 1
    assert "line 2 is longer than" in json.dumps(summary)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.json", b"<Patient xmlns='http://hl7.org/fhir'/>", "XML"),
        ("a.json", "{}".encode("utf-16"), "UTF-16"),
        ("a.json", b"", "empty"),
        ("a.json", b"MSH|^~\\&|", "HL7 v2"),
    ],
)
def test_what_is_no_fhir_is_refused_with_a_sentence(workspace: Path, name: str, data: bytes, says: str) -> None:
    Path(name).write_bytes(data)
    summary = ingest(name, exit_code=3)
    assert says in json.dumps(summary) and summary["messages"] == 0
