"""Mistakes in conditions of rule files are told by file, line and column, however the condition is written."""

import pytest

from hcrm_core.errors import StrategyError
from hcrm_core.mart.contract import check_strategy
from hcrm_plugin_segmentation.segments import read_segments

FORMS = {
    "plain": ("    when: visits > 0 and {0}\n", 4, 26),
    "quoted": ('    when: "visits > 0 and {0}"\n', 4, 27),
    "single": ("    when: 'currency = ''CNY'' and {0}'\n", 4, 35),
    "folded": ("    when: >-\n      visits > 0\n      and {0}\n      and sex = 'male'\n", 6, 11),
    "as it is": ("    when: |\n      visits > 0\n      -2 < visits\n      and {0}\n".replace("-2 <", "and 2 <"), 7, 11),
    "over lines": ("    when: visits > 0\n      and {0}\n", 5, 11),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("vists_12m > 3", "it reads a column 'vists_12m' that none of its tables has. Did you mean 'visits_12m'?"),
        ("getenv(sex) = '1'", "the function getenv is not allowed."),
        ("last_visit_on > 3", "Cannot compare values of type DATE"),
    ],
)
def test_file_line_and_column(form: str, condition: str, said: str) -> None:
    text, line, column = FORMS[form]
    if "'" in condition and form == "single":
        condition = condition.replace("'", "''")
    head = "segments:\n  - id: s\n    title: {en: S, zh: 段}\n"
    (strategy,) = read_segments(head + text.replace("{0}", condition), "s.yaml")
    with pytest.raises(StrategyError) as caught:
        check_strategy(strategy)
    assert str(caught.value).startswith(f"s.yaml, line {line}, column {column}: ") and said in str(caught.value)


def test_what_ends_too_early_is_told_at_its_end() -> None:
    text = "segments:\n  - id: s\n    title: {en: S, zh: 段}\n    when: visits >\n"
    with pytest.raises(StrategyError, match=r"s\.yaml, line 4, column 18: this is not valid SQL near '\)'"):
        check_strategy(read_segments(text, "s.yaml")[0])


def test_what_is_not_of_the_condition_names_the_strategy() -> None:
    from msgspec.structs import replace

    (strategy,) = read_segments("segments: [{id: s, title: {en: S, zh: 段}, when: visits > 0}]", "s.yaml")
    with pytest.raises(StrategyError, match=r"^segments\.s, line 2: the function foo"):
        check_strategy(replace(strategy, sql=strategy.sql.replace("[coalesce(", "[foo(")))
