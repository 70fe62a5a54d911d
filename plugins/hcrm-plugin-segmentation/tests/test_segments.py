"""What a file of segments may say, and how its mistakes are told."""

from pathlib import Path

import pytest

from hcrm_core.api import PERSON_COLUMNS, ConfigurationError
from hcrm_plugin_segmentation import register_strategies
from hcrm_plugin_segmentation.segments import read_segments

CONFIGS = Path(__file__).resolve().parents[3] / "configs" / "segments"
FILE = """\
segments:
  - id: lapsed
    version: "2"
    title: {en: Lapsed, zh: 流失}
    when: days_since_last_visit > 180 and sex = 'today'
  - id: payers
    title: {en: Payers, zh: 付费}
    when: revenue_12m > 0
    frozen: 2026-11-01
"""


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_files(file: Path) -> None:
    for strategy in read_segments(file.read_text(encoding="utf-8"), file.name):
        assert (strategy.kind, strategy.scope, strategy.tables) == ("segment", "subject", ("customer_profile",))
        assert set(strategy.title) == {"en", "zh"} and strategy.frozen_on is None
        assert "deceased" in strategy.person_columns, "nobody calls the dead"


def test_a_segment_becomes_a_strategy() -> None:
    lapsed, payers = read_segments(FILE, "s.yaml")
    assert (lapsed.name, lapsed.title) == ("segments.lapsed", {"en": "Lapsed", "zh": "流失"})
    assert lapsed.version.startswith("2+") and lapsed.person_columns == ("sex",)
    assert "'encounter/' || last_visit_id || '#started_on'" in lapsed.sql
    assert (payers.frozen_on, payers.person_columns) == ("2026-11-01", ())
    (written,) = lapsed.written
    assert lapsed.sql[written.start : written.start + written.length] == "days_since_last_visit > 180 and sex = 'today'"


def test_the_version_tells_of_any_change() -> None:
    changed = (FILE, FILE.replace("180", "181"), FILE.replace("frozen: 2026-11-01", "living: true"))
    versions = [[one.version for one in read_segments(text, "s.yaml")] for text in changed]
    assert versions[0][0] != versions[1][0] and versions[0][1] == versions[1][1]
    assert versions[0][1] != versions[2][1]


def test_everything_a_condition_may_name_is_cited() -> None:
    own = ", ".join(PERSON_COLUMNS)
    (strategy,) = read_segments(f"segments: [{{id: a, title: {{en: A, zh: 甲}}, when: 'f({own})'}}]", "s.yaml")
    assert all(f"#{column}'" in strategy.sql for column in PERSON_COLUMNS)


WRONG = [
    ("id: lapsed", "id: Lapsed", "line 2: segments.0.id: expected `str` matching"),
    ("id: payers", "id: lapsed", "line 6: the segment 'lapsed' stands here twice"),
    ("zh: 流失", "cn: 流失", "line 4: cn is not a key. Valid here: en, zh."),
    (", zh: 流失", "", "line 4: segments.0.title: object missing required field `zh`"),
    ("frozen: 2026-11-01", "frozen: soon", "line 9: segments.1.frozen"),
    ("frozen: 2026-11-01", "living: false", "line 9: a segment is either"),
    ("frozen: 2026-11-01", "frozen: 2026-11-01\n    living: true", "line 10: a segment is either"),
    ("frozen: 2026-11-01", "frozn: 2026-11-01", "line 9: frozn is not a key. Did you mean 'frozen'?"),
    ("revenue_12m > 0", "revenue_12m > (SELECT 1)", "line 8: a condition looks at one customer and may not hold"),
    ("revenue_12m > 0", "revenue_12m in (from customer_profile)", r"line 8: .*\(FROM\)"),
    ("revenue_12m > 0", "revenue_12m > 0) or (true", "line 8: the parentheses|line 8: a condition"),
    ("revenue_12m > 0", "revenue_12m > $today", "line 8: a condition may not hold a parameter"),
    ("when: revenue_12m > 0", "when: ''", "line 8: segments.1.when"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG, ids=[new.strip()[:30] or old for old, new, _ in WRONG])
def test_mistakes_are_told_with_their_line(old: str, new: str, said: str) -> None:
    assert old in FILE
    with pytest.raises(ConfigurationError, match=rf"^s\.yaml, ({said})"):
        read_segments(FILE.replace(old, new), "s.yaml")


class Workspace:
    """A workspace with these settings and files."""

    def __init__(self, settings: dict[str, object], **texts: str) -> None:
        self._settings, self._texts = settings, texts

    def settings(self, table: str) -> dict[str, object]:
        assert table == "segmentation"
        return self._settings

    def read_text(self, path: str) -> str:
        return self._texts[path]


def names(workspace: Workspace) -> list[str]:
    return [strategy.name for strategy in register_strategies(workspace)]


def test_a_workspace_names_its_files() -> None:
    assert names(Workspace({})) == ["rfm", "pareto"]
    assert names(Workspace({"segments": ["a"]}, a=FILE)) == ["rfm", "pareto", "segments.lapsed", "segments.payers"]
    with pytest.raises(ConfigurationError, match=r"^b: the segment 'lapsed' stands in another file too"):
        names(Workspace({"segments": ["a", "b"]}, a=FILE, b=FILE))
    with pytest.raises(ConfigurationError, match="no key 'segment'"):
        names(Workspace({"segment": ["a"]}))
