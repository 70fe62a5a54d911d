"""The workspace's place and the clock."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcrm_core import env
from hcrm_core.errors import UsageError, WorkspaceError


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Three workspaces: one to be given, one for the variable, one as the current directory."""
    found = {name: tmp_path / name for name in ("given", "variable", "current", "empty")}
    for name, folder in found.items():
        folder.mkdir()
        if name != "empty":
            (folder / env.CONFIGURATION).write_text("", encoding="utf-8")
    monkeypatch.delenv("HCRM_WORKSPACE", raising=False)
    monkeypatch.chdir(found["current"])
    return found


def test_the_option_goes_before_the_variable_and_the_variable_before_the_directory(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert env.find_workspace(None) == places["current"].resolve()
    monkeypatch.setenv("HCRM_WORKSPACE", str(places["variable"]))
    assert env.find_workspace(None) == places["variable"].resolve()
    assert env.find_workspace(str(places["given"])) == places["given"].resolve()


def test_a_relative_workspace_becomes_absolute(places: dict[str, Path]) -> None:
    assert env.find_workspace("../given") == places["given"].resolve()


def test_an_option_that_names_no_workspace_is_an_error_and_not_passed_over(places: dict[str, Path]) -> None:
    with pytest.raises(WorkspaceError) as raised:
        env.find_workspace(str(places["empty"]))
    assert str(raised.value) == (
        f"--workspace names {places['empty']}, but there is no hcrm.toml in it. "
        f"Make a workspace with: hcrm init {places['empty']}"
    )


def test_a_variable_that_names_no_workspace_is_named_too(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HCRM_WORKSPACE", str(places["empty"]))
    with pytest.raises(WorkspaceError, match=r"HCRM_WORKSPACE names .*empty.* hcrm init"):
        env.find_workspace(None)


def test_without_any_workspace_every_place_searched_is_named(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(places["empty"])
    with pytest.raises(WorkspaceError) as raised:
        env.find_workspace(None)
    text = str(raised.value)
    for place in ("--workspace", "HCRM_WORKSPACE", str(places["empty"]), "hcrm.toml", "hcrm init DIR"):
        assert place in text


def test_an_empty_variable_is_not_set(places: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCRM_WORKSPACE", "")
    assert env.find_workspace(None) == places["current"].resolve()


def test_the_clock_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCRM_NOW", "2026-03-01T10:00:00+08:00")
    assert env.now() == datetime(2026, 3, 1, 2, tzinfo=UTC)
    monkeypatch.setenv("HCRM_NOW", "2026-03-01T10:00:00Z")
    assert env.now() == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_without_a_setting_the_clock_is_the_machine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HCRM_NOW", raising=False)
    assert abs((env.now() - datetime.now(UTC)).total_seconds()) < 5


@pytest.mark.parametrize("text", ["yesterday", "2026-03-01", "2026-03-01T10:00:00", "2026-13-01T00:00:00Z", "  "])
def test_a_clock_that_is_no_instant_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("HCRM_NOW", text)
    with pytest.raises(UsageError, match=r"HCRM_NOW is not an instant with an offset such as 2026-11-21T08"):
        env.now()


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_microseconds_and_back_give_the_same_instant(instant: datetime) -> None:
    assert env.from_microseconds(env.microseconds(instant)) == instant


def test_a_day_is_that_of_the_hospital_s_zone() -> None:
    instant = datetime(2026, 2, 28, 18, tzinfo=UTC)
    assert env.local_day(instant, "Asia/Shanghai") == date(2026, 3, 1)
    assert env.local_day(instant, "UTC") == date(2026, 2, 28)
