"""What the plugin offers with which settings, and which settings it refuses."""

import re
from collections.abc import Mapping

import pytest

from hcrm_core.api import ConfigurationError, Review
from hcrm_plugin_compliance import review_decisions


class Workspace:
    """A workspace whose `[compliance]` is given."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self.given = dict(given)

    def settings(self, table: str) -> dict[str, object]:
        return self.given if table == "compliance" else {}

    def read_text(self, path: str) -> str:
        raise ConfigurationError(f"There is no file {path}.")


def review(**given: object) -> Review:
    (found,) = review_decisions(Workspace(given))
    return found


def test_it_reviews_points_by_bill_and_coverage() -> None:
    found = review()
    assert (found.name, found.kind, found.tables) == ("insured-lines", "points", ("charge_item", "coverage"))
    assert found.parameters == {"no_coverage_is_self_pay": False}
    assert set(found.title) == {"en", "zh"}


def test_plans_of_the_settings_stand_in_the_sql_and_cannot_leave_their_quotes() -> None:
    sql = review(self_pay_plans=["SELF", "自费", "x') OR ('1' = '1"]).sql
    assert re.search(r"NOT IN \('SELF', '自费', 'x''\) OR \(''1'' = ''1'\)", sql)
    assert "{" not in sql


def test_who_has_no_coverage_pays_only_where_the_hospital_says_so() -> None:
    assert review(no_coverage_is_self_pay=True).parameters == {"no_coverage_is_self_pay": True}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"self_pay_plan": ["SELF"]}, "has no key 'self_pay_plan'"),
        ({"self_pay_plans": "SELF"}, "must be a list of texts"),
        ({"self_pay_plans": []}, "must be a list of texts"),
        ({"self_pay_plans": [1]}, "must be a list of texts"),
        ({"no_coverage_is_self_pay": 1}, "must be true or false"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_to_write(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        review(**given)
