"""A hospital's own segments on the command line: previewed, decided, listed, shown."""

import shutil
from pathlib import Path

import pytest
from support.ward import NOW, PRIVATE, hcrm, hospital, sentence, told, workspace

FILE = """\
segments:
  - id: stayed
    title: {en: Stayed, zh: 住院}
    when: admissions_12m > 0
  - id: women
    title: {en: Women, zh: 女性}
    when: sex = 'female'
  - id: ancients
    title: {en: Ancients, zh: 古人}
    when: age > 150
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ward, ingested and decided once without segments of its own; every test works on a copy."""
    root = tmp_path_factory.mktemp("model") / "workspace"
    with workspace(root, hospital()):
        told("decide")
    (root / "own.yaml").write_text(FILE, encoding="utf-8")
    return root


@pytest.fixture(autouse=True)
def ward(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that is the current directory."""
    monkeypatch.setenv("HCRM_NOW", NOW)
    root = shutil.copytree(model, tmp_path / "workspace")
    monkeypatch.chdir(root)
    return root


def enable(ward: Path, text: str = FILE) -> None:
    (ward / "own.yaml").write_text(text, encoding="utf-8")
    settings = ward / "hcrm.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + '\n[segmentation]\nsegments = ["own.yaml"]\n', "utf-8")


def rows() -> dict[str, dict[str, object]]:
    return {row["strategy"]: row for row in told("segments", "list") if row["strategy"].startswith("segments.")}


def test_a_file_is_previewed_before_anything_knows_of_it(ward: Path) -> None:
    before = sorted(path.relative_to(ward) for path in (ward / "mart" / "decisions").rglob("*"))
    found = {one["strategy"]: one for one in told("segments", "preview", "own.yaml")}
    stayed, women, ancients = (found[f"segments.{name}"] for name in ("stayed", "women", "ancients"))
    assert stayed["title"] == {"en": "Stayed", "zh": "住院"} and stayed["frozen"] is None
    assert stayed["customers"] == sum(row["customers"] for row in stayed["people"]) > 0
    assert set(stayed["examples"]) <= {row["id"] for row in told("customers", "list")}
    assert {row["sex"] for row in women["people"]} == {"female"}
    both = [row["customers"] for row in stayed["overlaps"] if row["segment"] == "women"]
    assert both == [row["customers"] for row in women["overlaps"] if row["segment"] == "stayed"]
    assert any(row["strategy"] == "rfm" for row in stayed["overlaps"])
    assert (ancients["customers"], ancients["overlaps"], ancients["examples"]) == (0, [], [])
    text = hcrm("segments", "preview", "own.yaml").stdout
    assert "segments.stayed (Stayed · 住院), living" in text and "Nothing was applied." in text
    assert not [word for word in PRIVATE if word in text]
    assert sorted(path.relative_to(ward) for path in (ward / "mart" / "decisions").rglob("*")) == before
    assert rows() == {} and not list((ward / "mart").glob("preview*"))


def test_a_preview_looks_at_another_instant() -> None:
    (stayed,) = (
        one
        for one in told("segments", "preview", "own.yaml", "--as-of", "2026-01-01T00:00:00+08:00")
        if one["strategy"] == "segments.stayed"
    )
    assert stayed["customers"] == 0
    assert "future" in sentence(hcrm("segments", "preview", "own.yaml", "--as-of", "2036-01-01T00:00:00+08:00"), 2)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sex = 'female'", "sexx = 'female'", "own.yaml, line 7, column 11: it reads a column 'sexx' that none"),
        ("sex = 'female'", "sex = 'female", "own.yaml, line 7: a condition may not hold a text that is not closed"),
        ("age > 150", "age > pi()", "own.yaml, line 10, column 17: the function pi is not allowed"),
        ("when: age", "wenn: age", "own.yaml, line 10: wenn is not a key. Did you mean 'when'?"),
    ],
)
def test_mistakes_are_told_by_file_line_and_column(ward: Path, old: str, new: str, said: str) -> None:
    (ward / "own.yaml").write_text(FILE.replace(old, new), encoding="utf-8")
    assert said in sentence(hcrm("segments", "preview", "own.yaml"), 1)


def test_what_cannot_be_previewed(ward: Path, tmp_path: Path) -> None:
    assert "There is no file no.yaml" in sentence(hcrm("segments", "preview", "no.yaml"), 1)
    assert "There is no segment 'loyall'. Did you mean" in sentence(hcrm("segments", "preview", "loyall"), 1)
    outside = tmp_path / "outside.yaml"
    outside.write_text(FILE, encoding="utf-8")
    assert "Copy it into the workspace" in sentence(hcrm("segments", "preview", outside), 1)
    assert "is not enabled" in sentence(hcrm("segments", "preview", "own.yaml", "--plugin", "loyalty"), 2)


def test_from_the_file_to_members(ward: Path) -> None:
    enable(ward)
    assert {name: row["customers"] for name, row in rows().items()} == dict.fromkeys(
        ("segments.stayed", "segments.women", "segments.ancients")
    )
    told("decide")
    found = rows()
    assert (found["segments.stayed"]["segment"], found["segments.stayed"]["change"]) == ("stayed", None)
    assert (found["segments.ancients"]["segment"], found["segments.ancients"]["customers"]) == (None, 0)
    enable(ward, FILE.replace("sex = 'female'", "sex = 'female' and false"))
    (ward / "hcrm.toml").write_text((ward / "hcrm.toml").read_text("utf-8").replace("\n[segmentation]", "", 1).replace(
        '\nsegments = ["own.yaml"]', "", 1), "utf-8")  # fmt: skip
    told("decide")
    women = rows()["segments.women"]
    assert women["customers"] == 0 and women["change"] == -found["segments.women"]["customers"]
    assert f"{women['change']:+}" in hcrm("segments", "list").stdout


def test_members_are_shown_page_by_page(ward: Path) -> None:
    enable(ward)
    told("decide")
    size = rows()["segments.women"]["customers"]
    seen, after = [], ""
    while True:
        page = told("segments", "show", "women", "--limit", 1, "--after", after)
        seen += [row["customer_id"] for row in page["members"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert len(seen) == size and seen == sorted(set(seen))
    assert (page["strategy"], page["segment"]) == ("segments.women", "women")
    text = hcrm("segments", "show", "rfm", "--limit", 1).stdout
    assert "recency_days" in text and "hcrm segments show rfm --after" in text and "hcrm explain segment" in text
    assert "Nobody is in it" in hcrm("segments", "show", "ancients").stdout
    assert told("explain", "segment", seen[0], "--strategy", "segments.women")


def test_a_frozen_segment_is_previewed_as_of_its_day(ward: Path) -> None:
    enable(ward, FILE.replace("when: admissions_12m > 0", "when: admissions_12m > 0\n    frozen: 2026-01-01"))
    (stayed,) = told("segments", "preview", "stayed")
    assert (stayed["frozen"], stayed["customers"], stayed["as_of"][:10]) == ("2026-01-01", 0, "2026-01-01")
    assert "frozen 2026-01-01" in hcrm("segments", "list").stdout
