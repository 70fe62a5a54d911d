"""`[golden]` in hcrm.toml: every mistake is named with line, key and the nearest that is right."""

from pathlib import Path

import pytest

from hcrm_core.config import Configuration, FieldSettings, GoldenSettings
from hcrm_core.errors import ConfigurationError

HEAD = 'plugins = ["hl7v2"]\n[sources.his]\nadapter = "hl7v2"\n[sources.emr]\nadapter = "hl7v2"\n'


def read(root: Path, text: str) -> GoldenSettings:
    (root / "hcrm.toml").write_text(HEAD + text, encoding="utf-8")
    return Configuration(root).settings.golden


def test_trust_and_rule_are_set_for_all_fields_and_for_one(tmp_path: Path) -> None:
    text = (
        '[golden]\ntrust = ["emr", "his"]\nrule = ["trust", "completeness", "recency"]\n'
        '[golden.fields.telecom]\ntrust = ["his"]\nrule = ["recency"]\n'
    )
    assert read(tmp_path, text) == GoldenSettings(
        ("emr", "his"), ("trust", "completeness", "recency"), {"telecom": FieldSettings(("his",), ("recency",))}
    )
    assert read(tmp_path, "") == GoldenSettings()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('[golden]\ntrust = ["hsi"]', 7, "golden.trust: there is no source 'hsi'. Did you mean 'his'?"),
        ('[golden]\ntrust = ["his", "his"]', 7, "golden.trust names his twice."),
        ('[golden]\nrule = ["recency", "recency"]', 7, "golden.rule names recency twice."),
        ('[golden]\ntrsut = ["his"]', 7, "golden.trsut is not a key. Did you mean 'trust'?"),
        ('[golden]\nrule = ["recent"]', 7, "golden.rule[1]: invalid enum value 'recent'."),
        ('[golden.fields.birthdate]\nrule = ["recency"]', 6, "golden.fields.birthdate: there is no such field"),
        ('[golden.fields.identifier]\nrule = ["recency"]', 6, "golden.fields.identifier: there is no such field to be"),
        ('[golden.fields.name]\ntrust = ["lis"]', 7, "golden.fields.name.trust: there is no source 'lis'."),
        ('[sources.manual]\nadapter = "hl7v2"', 6, "sources.manual: what people correct by hand comes from a source"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path}/hcrm.toml, line {line}: ")
    assert says in str(refused.value)
