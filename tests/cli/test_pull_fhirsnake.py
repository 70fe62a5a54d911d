"""`hcrm pull` from a FHIR server that others wrote: fhirsnake, which knows neither pages, nor order, nor dates."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from support.fhir import observation, patient
from support.ward import NOW, told

from hcrm_core.cli.bench.servers import free_port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    found = find_spec("fhirsnake")
    assert found is not None and found.submodule_search_locations
    for kind, resources in (("Patient", [patient("p1"), patient("p2")]), ("Observation", [observation("o1", "p1")])):
        folder = tmp_path / "resources" / kind
        folder.mkdir(parents=True)
        for one in resources:
            (folder / f"{one['id']}.json").write_text(json.dumps(one))
    port = free_port()
    app = ["main:app", "--app-dir", found.submodule_search_locations[0], "--host", "127.0.0.1", "--port", str(port)]
    running = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", *app], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


def _wait(url: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            with urlopen(url, timeout=5) as answer:
                assert json.load(answer)["resourceType"] == "CapabilityStatement"
                return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_a_server_of_others_is_pulled(workspace: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCRM_NOW", NOW)
    with (workspace / "hcrm.toml").open("a") as file:
        file.write(f'\n[sources.ehr]\nadapter = "fhir"\nurl = "{server}"\nvalidate = true\n')
        file.write('[sources.ehr.search]\ntypes = ["Patient", "Observation", "Encounter"]\n')
    first = told("pull", "ehr")
    assert (first["landed"], first["translated"], first["quarantined"], first["patients"]) == (3, 3, 0, 2)
    new = json.dumps(patient("p3")).encode()
    with urlopen(Request(f"{server}/Patient", new, {"Content-Type": "application/json"}), timeout=10) as answer:
        assert answer.status == 200
    second = told("pull", "ehr")
    assert (second["landed"], second["duplicates"], second["patients"]) == (1, 3, 3)
