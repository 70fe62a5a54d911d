"""`hcrm identity train` and `hcrm bench identity` as a person meets them; Splink agrees with the scorer of pairs."""

import json
from pathlib import Path

import pytest
from support.ward import hcrm, message, pid, sentence, told

from hcrm_adapter_simulator.people_files import write_people
from hcrm_core.cli.bench import linking
from hcrm_core.identity.model import read_model
from hcrm_core.mart import linkage

UNTIL = "2026-06-30"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from datetime import date

    folder = tmp_path_factory.mktemp("people")
    write_people(folder, "records", 1_500, 5, date.fromisoformat(UNTIL))
    return folder


def test_links_are_right_and_most_are_found(people: Path) -> None:
    result = hcrm("bench", "identity", people, "--no-splink", "--new", "20", "--json")
    assert result.exit_code == 0, result.stderr
    shown = json.loads(result.stdout)
    ours, numbers = shown["sides"]
    assert ours["precision"] >= 0.999 and ours["wrong"] == 0
    assert ours["recall"] >= 0.95 > numbers["recall"]
    assert ours["review"] <= 0.02
    assert shown["mix"]["pairs with two or more wrong fields"] >= 0.4
    assert shown["mix"]["pairs that share no document number"] >= 0.15
    assert ours["classes"]["twin"][1] and "newborn without a name" in ours["classes"]
    assert {figure["race"] for figure in shown["figures"]} == {"T15"}


def test_the_table_names_every_class(people: Path) -> None:
    result = hcrm("bench", "identity", people, "--no-splink", "--new", "0")
    assert result.exit_code == 0
    for word in ("precision", "numbers alone", "homophone", "15 digits", "review queue"):
        assert word in result.stdout


def test_a_folder_without_people_is_a_sentence(tmp_path: Path) -> None:
    result = hcrm("bench", "identity", tmp_path)
    assert result.exit_code == 1
    assert "hcrm simulate-people" in result.stderr


def test_splink_and_the_scorer_agree_to_some_thousandths_of_a_bit(people: Path) -> None:
    pytest.importorskip("splink")
    pairs, furthest = linking.agreement(linking.read_people(people), most=600)
    assert pairs == 600
    assert furthest <= 0.005  # each of seven summands is rounded to a thousandth


def test_a_model_is_trained_without_being_told_who_is_whom(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("splink")
    monkeypatch.setattr(linkage, "SAMPLED", 50_000)
    path = tmp_path / "model.json"
    result = hcrm("identity", "train", "-o", path, "--records", people)
    assert result.exit_code == 0, result.stderr
    model, shipped = read_model(str(path)), read_model(None)
    for field in ("name", "birth", "phone", "address"):
        same, theirs = model.odds[field]["same"], shipped.odds[field]["same"]
        assert same.m == pytest.approx(theirs.m, abs=0.15)
        assert same.m > 100 * same.u
    assert model.odds["document"]["conflict"].m < 0.01
    assert 0.02 < model.terms["family"]["王"] < 0.15
    again = hcrm("identity", "train", "-o", path, "--records", people)
    assert again.exit_code == 2 and "exists already" in again.stderr


def test_too_few_patients_teach_nothing(workspace: Path) -> None:
    result = hcrm("identity", "train", "-o", workspace / "model.json")
    assert result.exit_code == 1
    assert "it takes 2,000" in result.stderr


@pytest.mark.parametrize(
    ("content", "says"), [(None, "cannot be read"), ("no model", "is no linking model"), ("{}", "is no linking model")]
)
def test_a_model_of_the_configuration_that_is_none_is_a_sentence_and_nothing_is_landed(
    workspace: Path, content: str | None, says: str
) -> None:
    if content is not None:
        (workspace / "linking.json").write_text(content, encoding="utf-8")
    (workspace / "in.hl7").write_bytes(message("A31", "W1", "20260301090000", pid("1001")))
    configuration = workspace / "hcrm.toml"
    before = configuration.read_text(encoding="utf-8")
    configuration.write_text(f'{before}\n[identity]\nmodel = "linking.json"\n', encoding="utf-8")
    line = before.count("\n") + 3
    for command in (("doctor",), ("ingest", "in.hl7"), ("run",)):
        said = sentence(hcrm(*command), 1)
        assert f"hcrm.toml, line {line}: identity.model: " in said and "linking.json" in said
        assert says in said and "take the line out" in said
    configuration.write_text(before, encoding="utf-8")
    assert told("messages", "list") == []


@pytest.mark.parametrize(("wrong", "at"), [("link = 3.0", 1), ("scores = true\nreview = 12.5", 2)])
def test_a_threshold_of_review_above_that_of_links_is_a_sentence(workspace: Path, wrong: str, at: int) -> None:
    configuration = workspace / "hcrm.toml"
    before = configuration.read_text(encoding="utf-8")
    configuration.write_text(f"{before}\n[identity]\n{wrong}\n", encoding="utf-8")
    for command in (("doctor",), ("ingest", ".")):
        said = sentence(hcrm(*command), 1)
        assert f"hcrm.toml, line {before.count(chr(10)) + 2 + at}: identity.link = " in said
        assert "Raise link or lower review." in said
    configuration.write_text(f"{before}\n[identity]\nlink = inf\nreview = 5.0\n", encoding="utf-8")
    assert "identity.link" in sentence(hcrm("doctor"), 1)
    configuration.write_text(f"{before}\n[identity]\nlink = 5.0\n", encoding="utf-8")
    assert hcrm("doctor").exit_code == 0
