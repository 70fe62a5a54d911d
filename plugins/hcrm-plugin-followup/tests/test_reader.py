"""What a rule file may say, and how its mistakes are told."""

from importlib.resources import files
from pathlib import Path

import pytest

from hcrm_core.api import ConfigurationError
from hcrm_plugin_followup import register_strategies
from hcrm_plugin_followup.compiler import compile_rule
from hcrm_plugin_followup.notation import days
from hcrm_plugin_followup.reader import read_rules

SHIPPED = files("hcrm_plugin_followup").joinpath("rules", "discharge.yaml").read_text(encoding="utf-8")

RULE = """\
rules:
  - id: abnormal
    topic: result
    priority: high
    trigger:
      table: observation
      when: list_contains(interpretation, 'HH')
      at: effective_on
    steps:
      - {id: call, at: 1d, owner: doctor}
      - {id: visit, at: 2w, window: [-1d, 3d], owner: clinic, form: koos}
    via: [call]
    suppress:
      - reason: deceased
        when: customer.deceased
"""


def test_the_shipped_rule() -> None:
    (rule,) = read_rules(SHIPPED, "discharge.yaml")
    assert [(step.id, days(step.at)) for step in rule.steps] == [("day3", 3), ("day7", 7), ("day30", 30)]
    assert [reason.reason for reason in rule.suppress] == ["deceased", "transferred", "readmitted"]
    assert rule.via == ("call", "wechat", "sms")


def test_the_copy_for_hospitals_is_the_shipped_rule() -> None:
    copy = Path(__file__).resolve().parents[3] / "configs" / "rules" / "discharge.yaml"
    assert copy.read_text(encoding="utf-8") == SHIPPED


def test_another_rule_becomes_a_strategy() -> None:
    (rule,) = read_rules(RULE, "r.yaml")
    strategy = compile_rule(rule)
    assert (strategy.name, strategy.kind, strategy.scope) == ("followup.abnormal", "task", "subject")
    assert strategy.tables == ("customer", "observation")
    assert strategy.parameters == {"lookback_days": 90}
    assert "greatest($lookback_days, 17)" in strategy.sql
    assert "('visit', 14, -1, 3, 'clinic', 'koos')" in strategy.sql


def test_the_version_tells_of_any_change() -> None:
    changed = RULE.replace("'HH'", "'LL'")
    versions = {compile_rule(read_rules(text, "r")[0]).version for text in (RULE, changed, RULE)}
    assert len(versions) == 2 and all(version.startswith("1+") for version in versions)


WRONG = [
    ("topic: result", "topik: result", "r.yaml, line 3: topik is not a key. Did you mean 'topic'?"),
    ("owner: doctor", "ownr: doctor", "r.yaml, line 10: ownr is not a key. Did you mean 'owner'?"),
    ("reason: deceased", "raison: deceased", "r.yaml, line 14: raison is not a key. Did you mean 'reason'?"),
    ("at: effective_on", "on: effective_on", "r.yaml, line 8: on is no name in YAML"),
    ("at: 1d", "at: tomorrow", "r.yaml, line 10: rules.0.steps.0.at: expected `str` matching"),
    ("priority: high", "priority: urgent", "r.yaml, line 4: rules.0.priority: invalid enum value 'urgent'"),
    ("via: [call]", "via: []", "r.yaml, line 12: rules.0.via: expected `array` of length >= 1"),
    ("id: visit", "id: call", "r.yaml, line 11: the step id 'call' stands here twice"),
    ("at: 2w", "at: 26w", "r.yaml, line 11: visit must lie between 0 and 180 days after its trigger"),
    ("[-1d, 3d]", "[1d, 3d]", "r.yaml, line 11: the window of visit must begin"),
    ("    topic: result", "    topic: result\n    topic: other", "r.yaml, line 4: the key 'topic' stands here twice"),
    ("when: customer.deceased", "when: customer.deceased) or (true", "r.yaml, line 15: a condition|parentheses"),
    ("when: customer.deceased", "when: (customer.deceased", "r.yaml, line 15: the parentheses"),
    ("when: customer.deceased", "when: customer.deceased -- x", "r.yaml, line 15: a condition may not hold `--`"),
    ("when: customer.deceased", "when: customer.deceased; select 1", "may not hold `;`"),
    ("when: customer.deceased", "when: customer.sex = $secret", "may not hold a parameter"),
    ("when: customer.deceased", 'when: "customer.sex = \'x"', "may not hold a text that is not closed"),
    ("when: customer.deceased", "when: " + "x" * 2100, "longer than 2 KiB"),
    ("via: [call]", "via: [call", "r.yaml, line 13: not valid YAML"),
    ("via: [call]", "via: &a [call]\n    title: *a", "r.yaml, line 13: write aliases"),
    ("via: [call]", "via: !!python/object/apply:os.getcwd []", "r.yaml, line 12: not valid YAML"),
    ("        when: customer.deceased", "        when: other.x\n        because: [other.x]", "which needs `exists`"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG, ids=[new.strip()[:30] for _, new, _ in WRONG])
def test_mistakes_are_told_with_their_line(old: str, new: str, said: str) -> None:
    assert old in RULE
    with pytest.raises(ConfigurationError) as caught:
        read_rules(RULE.replace(old, new), "r.yaml")
    assert any(part in str(caught.value) for part in said.split("|")), str(caught.value)


@pytest.mark.parametrize("text", ["", "rules: []", "- a", "x: 1", "\t", "a: b: c"])
def test_what_is_no_rule_file(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"r\.yaml"):
        read_rules(text, "r.yaml")


class Workspace:
    """A workspace with these settings and files."""

    def __init__(self, settings: dict[str, object], **texts: str) -> None:
        self._settings, self._texts = settings, texts

    def settings(self, table: str) -> dict[str, object]:
        assert table == "followup"
        return self._settings

    def read_text(self, path: str) -> str:
        return self._texts[path]


def test_without_a_setting_the_shipped_rules_apply() -> None:
    assert [strategy.name for strategy in register_strategies(Workspace({}))] == ["followup.discharge"]


def test_a_workspace_names_its_own_files() -> None:
    found = register_strategies(Workspace({"rules": ["a", "b"]}, a=RULE, b=SHIPPED))
    assert [strategy.name for strategy in found] == ["followup.abnormal", "followup.discharge"]
    assert [strategy.name for strategy in register_strategies(Workspace({"rules": "a"}, a=RULE))] == [
        "followup.abnormal"
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"rule": "a"}, "no key 'rule'"), ({"rules": 3}, "list of paths"), ({"rules": ["a", "a"]}, "Rename one")],
)
def test_wrong_settings(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        register_strategies(Workspace(settings, a=RULE))
