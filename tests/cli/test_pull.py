"""`hcrm pull`: it asks until there is nothing more for now, says what it did, and goes on where it was."""

from pathlib import Path

import pytest
from support.pulling import Hospital, configure, install
from support.ward import NOW, hcrm, told


@pytest.fixture(autouse=True)
def prepared(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCRM_NOW", NOW)
    install(tmp_path / "site", monkeypatch)


def test_pages_are_asked_for_until_there_is_none_and_the_next_pull_goes_on_there(workspace: Path) -> None:
    hospital = Hospital(25)
    with hospital.serve() as server:
        configure(workspace, f'[sources.city]\nadapter = "pages"\nurl = "{server.url}"\n')
        first = told("pull", "city")
        assert (first["requests"], first["messages"], first["landed"], first["duplicates"]) == (3, 25, 25, 0)
        assert (first["translated"], first["quarantined"], first["patients"]) == (25, 0, 25)
        hospital.people += [{"number": "P9", "name": "新来", "at": 99}]
        second = told("pull")
        assert (second["requests"], second["messages"], second["landed"], second["patients"]) == (1, 1, 1, 26)
        again = told("pull", "--again", "city")
        assert (again["messages"], again["landed"], again["duplicates"]) == (26, 0, 26)
    assert [asked.target for asked in server.asked[:4]] == [
        "/people?since=0", "/people?since=10", "/people?since=20", "/people?since=25",
    ]  # fmt: skip


def test_the_summary_is_told_in_sentences(workspace: Path) -> None:
    with Hospital(3).serve() as server:
        configure(workspace, f'[sources.city]\nadapter = "pages"\nurl = "{server.url}"\n')
        result = hcrm("pull")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Asked city 1 time: 3 messages, 3 new, 0 known already (")
    assert "Translated 3 into 3 records; quarantined 0." in result.stdout
