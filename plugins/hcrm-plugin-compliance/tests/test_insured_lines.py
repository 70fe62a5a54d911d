"""No points on insured lines: who pays, and what is refused where nobody knows."""

from typing import Any

import duckdb
import pytest

from hcrm_core.api import ConfigurationError
from hcrm_plugin_compliance import review_decisions


class View:
    """A workspace with these settings."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def settings(self, table: str) -> dict[str, Any]:
        assert table == "compliance"
        return self._settings

    def read_text(self, path: str) -> str:
        raise AssertionError(path)


def refused(*coverages: tuple[Any, ...], **settings: Any) -> dict[str, str]:
    """Line → why, of one line of c1's visit v1 on 10 March; coverages are (customer, visit, plan, from, to)."""
    (review,) = review_decisions(View(**settings))
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE TABLE decided AS SELECT 'l1' AS anchor, 'spend' AS step, 1 AS occurrence")
    connection.execute(
        "CREATE TABLE charge_item AS SELECT 'l1' AS charge_item_id, 'c1' AS customer_id, 'v1' AS encounter_id, "
        "DATE '2026-03-10' AS occurred_on"
    )
    connection.execute(
        "CREATE TABLE coverage (coverage_id VARCHAR, customer_id VARCHAR, encounter_id VARCHAR, plan VARCHAR, "
        "period_start_on DATE, period_end_on DATE)"
    )
    for number, coverage in enumerate(coverages):
        connection.execute("INSERT INTO coverage VALUES (?, ?, ?, ?, ?, ?)", [f"k{number}", *coverage])
    rows = connection.sql(review.sql, params=dict(review.parameters)).fetchall()
    assert {row[3] for row in rows} <= {"refuse"}
    return {row[0]: row[4] for row in rows}


INSURED = ("c1", None, "UEBMI", None, None)
SELF = ("c1", None, "SELF", None, None)


@pytest.mark.parametrize(
    ("coverages", "why"),
    [
        ([], "payer unknown"),
        ([INSURED], "insured line"),
        ([SELF], None),
        ([SELF, INSURED], "insured line"),
        ([("c1", None, None, None, None)], "insured line"),
        ([("c2", None, "UEBMI", None, None)], "payer unknown"),
        ([("c1", "v1", "UEBMI", None, None), SELF], "insured line"),
        ([("c1", "v2", "UEBMI", None, None), SELF], None),
        ([("c1", "v2", "UEBMI", None, None)], "payer unknown"),
        ([("c1", None, "UEBMI", "2026-03-11", None), SELF], None),
        ([("c1", None, "UEBMI", None, "2026-03-09"), SELF], None),
        ([("c1", None, "UEBMI", "2026-03-10", "2026-03-10"), SELF], "insured line"),
    ],
)
def test_a_line_is_refused_unless_it_is_certain_that_the_patient_pays(coverages: list[Any], why: str | None) -> None:
    assert refused(*coverages) == ({"l1": why} if why else {})


def test_a_hospital_that_states_every_coverage_says_so() -> None:
    assert refused(no_coverage_is_self_pay=True) == {}
    assert refused(INSURED, no_coverage_is_self_pay=True) == {"l1": "insured line"}


def test_the_plans_of_those_who_pay_themselves_are_the_hospital_s() -> None:
    own = ("c1", None, "自费's", None, None)
    assert refused(own, self_pay_plans=["自费's"]) == {}
    assert refused(SELF, self_pay_plans=["自费's"]) == {"l1": "insured line"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"plans": []}, "no key 'plans'"),
        ({"self_pay_plans": "SELF"}, "list of texts"),
        ({"self_pay_plans": []}, "list of texts"),
        ({"no_coverage_is_self_pay": 1}, "true or false"),
    ],
)
def test_a_mistake_in_the_settings_is_a_sentence(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        review_decisions(View(**settings))
