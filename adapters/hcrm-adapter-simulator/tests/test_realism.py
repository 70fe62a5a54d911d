"""The hospital is believable where decisions will rest on it. Bands are wide: they hold for any seed."""

from collections import Counter, defaultdict
from itertools import pairwise
from statistics import mean

import pytest

from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.instants import DAY, day_of
from hcrm_adapter_simulator.settings import Settings
from hcrm_adapter_simulator.truth import count


@pytest.fixture(scope="module")
def truth(lives: list[list[Event]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for events in lives:
        count(events, total)
    return total


def visits(events: list[Event]) -> int:
    return sum(event.trigger in ("ADT^A01", "ADT^A04") for event in events)


def test_volume(truth: Counter[str]) -> None:
    assert 17 < truth["messages"] / truth["persons"] < 26


def test_readmissions_within_30_days(truth: Counter[str]) -> None:
    assert 0.05 < truth["readmissions_30_days"] / truth["discharges"] < 0.2


def test_no_shows(truth: Counter[str]) -> None:
    assert 0.03 < truth["no_shows"] / truth["appointments"] < 0.15


def test_rare_things_happen_but_rarely(truth: Counter[str]) -> None:
    assert 0 < truth["cancelled_discharges"] < truth["discharges"] * 0.05
    assert 0 < truth["cancelled_admissions"] < truth["stays"] * 0.06
    assert 0 < truth["deaths"] < truth["discharges"] * 0.06
    assert 0 < truth["merges"] < truth["persons"] * 0.03
    assert 0 < truth["late"] < truth["messages"] * 0.06
    assert 0 < truth["duplicates"] < truth["messages"] * 0.02
    assert 0 < truth["corrected_reports"] < truth["reports"] * 0.05


def test_the_best_fifth_brings_most_of_the_revenue(lives: list[list[Event]]) -> None:
    spent = sorted((sum(c.amount for e in events for c in e.charges) for events in lives), reverse=True)
    assert 0.6 < sum(spent[: len(spent) // 5]) / sum(spent) < 0.9


def test_the_chronically_ill_come_more_often(lives: list[list[Event]]) -> None:
    chronic = mean(visits(events) for events in lives if events and events[0].person.chronic)
    others = mean(visits(events) for events in lives if events and not events[0].person.chronic)
    assert chronic > 1.5 * others


def test_the_satisfied_come_back(lives: list[list[Event]]) -> None:
    known = [events for events in lives if events and not events[0].person.chronic]
    known.sort(key=lambda events: events[0].person.satisfaction)
    third = len(known) // 3
    assert mean(map(visits, known[-third:])) > 1.15 * mean(map(visits, known[:third]))


def test_colds_come_in_winter(lives: list[list[Event]], settings: Settings) -> None:
    whole_year = settings.end - 365 * DAY  # Before it, the first visits of many crowd the beginning.
    months: Counter[int] = Counter()
    for events in lives:
        told = {e.visit.number: e.visit for e in events if e.visit is not None and e.visit.begun >= whole_year}
        for visit in told.values():
            if visit.findings and visit.findings[0].code.code == "J06.9":
                months[day_of(visit.begun).month] += 1
    assert sum(months[m] for m in (12, 1, 2)) > 1.5 * sum(months[m] for m in (6, 7, 8))


def test_appointments_lie_ahead(lives: list[list[Event]], settings: Settings) -> None:
    ahead = {e.booking.number for events in lives for e in events if e.booking and e.booking.start >= settings.end}
    assert len(ahead) > 50


def test_the_dead_stay_away(lives: list[list[Event]]) -> None:
    dead = 0
    for events in lives:
        died = [event.occurred for event in events if event.change and "died" in event.change]
        if died:
            dead += 1
            assert all(e.trigger not in ("ADT^A01", "ADT^A04") for e in events if e.occurred > died[0])
    assert dead


def test_nobody_is_in_two_beds(lives: list[list[Event]]) -> None:
    for events in lives:
        stays: dict[str, tuple[int, int]] = {}
        cancelled = {e.visit.number for e in events if e.trigger == "ADT^A11" and e.visit}
        for event in events:
            visit = event.visit
            if visit and visit.class_ == "I" and event.trigger[:3] == "ADT" and visit.number not in cancelled:
                stays[visit.number] = (visit.begun, visit.ended)
        spans = sorted(stays.values())
        assert all(0 <= a[1] <= b[0] for a, b in pairwise(spans))


def test_lab_flags_agree_with_ranges(lives: list[list[Event]]) -> None:
    flags: dict[str, int] = defaultdict(int)
    for events in lives[:500]:
        for event in events:
            for result in event.report.results if event.report else ():
                flags[result.flag] += 1
                if result.value and result.analyte.high:
                    value = float(result.value)
                    if result.flag == "N":
                        step = 0.51 * 10**-result.analyte.digits
                        assert result.analyte.low - step <= value <= result.analyte.high + step
    assert flags["N"] > flags["H"] > flags["HH"] > 0
    assert flags["L"] > 0
