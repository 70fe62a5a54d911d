"""What is counted as read was read."""

import pytest
from support.hl7v2 import PID, pv1, segment, translate


@pytest.mark.parametrize(
    ("number", "text"), [(7, "13.02.1980"), (8, "男性"), (25, "two"), (29, "gestern"), (30, "vielleicht")]
)
def test_a_value_that_could_not_be_read_is_counted_as_left_out(number: int, text: str) -> None:
    patient = segment("PID", {3: "1001^^^RMYY^MR", 5: "王^芳", number: text})
    coverage = translate("ADT^A31", patient).coverage
    assert coverage.left_out == (f"PID-{number}",)
    assert "PID-5" in coverage.mapped and f"PID-{number}" not in coverage.mapped


def test_what_is_read_is_not_left_out() -> None:
    assert translate("ADT^A01", PID, pv1(f44="20260310")).coverage.left_out == ()


def test_old_numbers_beside_the_list_are_passed_over() -> None:
    coverage = translate("ADT^A31", "PID||E1|1001^^^RMYY^MR|L9|王^芳").coverage
    assert {"PID-2", "PID-4"} <= set(coverage.ignored) and "PID-3" in coverage.mapped
    assert {"PID-2", "PID-4"} <= set(translate("ADT^A31", "PID||E1^^^RMYY^PI||L9|王^芳").coverage.mapped)
