"""`hcrm pull`: it asks until there is nothing more for now, says what it did, and goes on where it was."""

import json
import sqlite3
from pathlib import Path

import pytest
from support.pulling import Hospital, configure, install
from support.ward import NOW, hcrm, sentence, told


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


def test_one_source_that_fails_does_not_hold_back_the_others(workspace: Path) -> None:
    with Hospital(3).serve() as server:
        good = f'[sources.good]\nadapter = "pages"\nurl = "{server.url}"\n'
        tries = "pull = { tries = 1 }"
        away = f'[sources.away]\nadapter = "pages"\nurl = "http://localhost:1"\n{tries}\n'
        wrong = '[sources.wrong]\nadapter = "pages"\nurl = "http://his.example.org"\n'
        configure(workspace, good + away + wrong)
        summary = told("pull", exit_code=3)
        assert (summary["messages"], summary["translated"]) == (3, 3)
        failures = {one["source"]: one["failure"] for one in summary["sources"]}
        assert failures["good"] is None
        assert "cannot be reached" in failures["away"] and "plain text" in failures["wrong"]
        assert "hcrm.toml, line " in failures["wrong"]
        result = hcrm("pull", "away")
    assert result.exit_code == 1
    assert result.stderr.startswith("hcrm: away: http://localhost:1 cannot be reached")
    assert "Ended early: away; why stands above." in result.stdout


def test_sources_that_cannot_be_pulled_are_refused(workspace: Path) -> None:
    assert "No source of hcrm.toml can be pulled" in sentence(hcrm("pull"), 2)
    configure(workspace, '[sources.city]\nadapter = "pages"\n')
    assert "it has no url" in sentence(hcrm("pull", "city"), 2)
    assert "which pulls nothing" in sentence(hcrm("pull", "his"), 2)
    assert "Did you mean 'city'?" in sentence(hcrm("pull", "cityy"), 2)
    assert "Name them behind --again" in sentence(hcrm("pull", "--again"), 2)


def test_what_is_quarantined_is_told_with_its_exit_code(workspace: Path) -> None:
    hospital = Hospital(2)
    hospital.people[0] = {"number": "P1", "at": 1}
    with hospital.serve() as server:
        configure(workspace, f'[sources.city]\nadapter = "pages"\nurl = "{server.url}"\n')
        summary = told("pull", exit_code=3)
    assert (summary["landed"], summary["translated"], summary["quarantined"]) == (2, 1, 1)


def test_the_doctor_looks_at_what_is_pulled(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def findings() -> list[str]:
        return [
            f"{one['level']}: {one['finding']}"
            for one in json.loads(hcrm("doctor", "--json").stdout)
            if "city" in one["finding"] or "sources.other" in one["finding"]
        ]

    with Hospital(2).serve() as server:
        configure(
            workspace,
            f'[sources.city]\nadapter = "pages"\nurl = "{server.url}"\npull = {{ every_seconds = 60 }}\n'
            '[sources.other]\nadapter = "pages"\nurl = "https://his.example.org"\n'
            'authentication = { method = "bearer", secret_file = "none" }\n',
        )
        before = findings()
        assert "note: The source city was never pulled to the end. Do it with: hcrm pull city" in before
        assert any(one.startswith("wrong: ") and "other.authentication.secret_file: " in one for one in before)
        told("pull", "city")
        assert "good: The source city was pulled to the end 0 seconds ago." in findings()
        monkeypatch.setenv("HCRM_NOW", "2026-03-13T10:00:00+08:00")
        assert any("pulled to the end 1 hour ago, and should be every 1 minute" in one for one in findings())


def test_plain_text_is_said_and_kept_for_the_record(workspace: Path) -> None:
    with Hospital(1).serve() as server:
        lines = f'url = "{server.url}"\npull = {{ plaintext = true }}\n'
        configure(workspace, f'[sources.city]\nadapter = "pages"\n{lines}')
        result = hcrm("pull")
    assert result.exit_code == 0 and "city is asked in plain text, as plaintext = true allows" in result.stderr
    with sqlite3.connect(workspace / "store.db") as store:
        assert store.execute("SELECT count(*) FROM audit WHERE action = 'pull.plaintext'").fetchone() == (1,)
    store.close()
