"""Monitoring: what it finds, and what it keeps quiet about."""

from typing import Any

import pytest

from hcrm_core.api import ConfigurationError, DecideDone, IntakeDone, Load, StrategyDone, TypeCount
from hcrm_plugin_monitoring import after_decide, after_intake


class View:
    """A workspace with these settings."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def settings(self, table: str) -> dict[str, Any]:
        assert table == "monitoring"
        return self._settings

    def read_text(self, path: str) -> str:
        raise AssertionError(path)


def intake(*types: TypeCount) -> IntakeDone:
    return IntakeDone(types, 1.0)


def decided(*load: Load) -> DecideDone:
    return DecideDone("2026-11-22", (StrategyDone("followup.discharge", 1, 0, 0, 0, 0),), load)


def test_too_many_quarantined_messages_are_told_by_source_and_type() -> None:
    (found,) = after_intake(
        intake(
            TypeCount("his", "ADT^A01", 94, 6), TypeCount("his", "ORU^R01", 95, 5), TypeCount("lis", "ORU^R01", 3, 3)
        ),
        View(),
    )
    assert found.level == "warning"
    assert found.text == (
        "6 of 100 messages ADT^A01 of the source his were quarantined (6%). See: hcrm messages list "
        "--state quarantined --source his"
    )


def test_the_thresholds_are_the_hospital_s() -> None:
    six = intake(TypeCount("his", "ADT^A01", 94, 6))
    assert after_intake(six, View(quarantined_percent=6)) == []
    assert after_intake(intake(TypeCount("his", "", 0, 3)), View(messages=3))[0].text.startswith(
        "3 of 3 messages of no known type"
    )


def test_a_day_on_which_too_much_is_due_is_told_by_owner() -> None:
    load = (Load("2026-11-23", "ward_nurse", 90), Load("2026-11-23", "centre", 200), Load("2026-11-24", "centre", 201))
    found = after_decide(decided(*load), View(owners={"ward_nurse": 80}))
    assert [one.text.partition(" are due")[0] for one in found] == ["90 tasks of ward_nurse", "201 tasks of centre"]
    assert "10 more than can be done in a day (80)" in found[0].text


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"percent": 3}, "no key 'percent'"), ({"messages": "3"}, "whole numbers"), ({"owners": {"a": -1}}, "whole")],
)
def test_a_mistake_in_the_settings_is_a_sentence(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        after_intake(intake(), View(**settings))
