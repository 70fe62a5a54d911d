"""Tests and examinations: ordered, reported, now and then corrected."""

from functools import lru_cache

from msgspec.structs import replace

from hcrm_adapter_simulator.catalogue import Analyte, Diagnosis, Panel, catalogue
from hcrm_adapter_simulator.events import Report, Result, Visit
from hcrm_adapter_simulator.instants import HOUR, MINUTE
from hcrm_adapter_simulator.life import Life

CORRECTED = 0.015
CODED_POSITIVE = 0.15


def order(
    life: Life,
    mrn: str,
    visit: Visit,
    diagnosis: Diagnosis,
    instant: int,
    *,
    urgent: bool = False,
    always: bool = False,
) -> list[Panel]:
    """Order what the diagnosis calls for, and report it; returns the panels ordered."""
    rng = life.rng
    if not diagnosis.panels or not (always or rng.random() < diagnosis.order):
        return []
    panels = [panel for panel in diagnosis.panels if always or rng.random() < 0.75]
    for panel in panels:
        collected = instant + rng.between(5, 30) * MINUTE
        issued = collected + (rng.between(20, 60) if urgent or panel.findings else rng.between(45, 300)) * MINUTE
        number = life.number("R")
        values = _values(life, panel, diagnosis)
        report = Report(number, panel, "F", collected, issued, visit.doctor, visit, values)
        life.tell("ORU^R01", mrn, number, issued, report=report)
        if rng.random() < CORRECTED and panel.analytes:
            at = issued + rng.between(1, 20) * HOUR
            again = (replace(_measure(life, panel.analytes[0], diagnosis), status="C"), *values[1:])
            life.tell("ORU^R01", mrn, number, at, report=replace(report, status="C", issued=at, results=again))
    return panels


def _values(life: Life, panel: Panel, diagnosis: Diagnosis) -> tuple[Result, ...]:
    if panel.findings:
        normal = life.rng.random() >= diagnosis.finding
        text = panel.findings[0] if normal else life.rng.pick(panel.findings[1:])
        return (Result(Analyte(panel.code, "", 0, 0, 0, False), text, None, "N" if normal else "A", "F"),)
    return tuple([_measure(life, analyte, diagnosis) for analyte in panel.analytes])


@lru_cache(maxsize=1024)
def _scale(analyte: Analyte) -> tuple[float, float, float, str]:
    """The middle of an analyte's range, a quarter of it, the least that is measured, and how it is written."""
    quarter = (analyte.high - analyte.low) / 4
    return analyte.low + 2 * quarter, quarter, max(analyte.low * 0.4, quarter * 0.1), f".{analyte.digits}f"


def _measure(life: Life, analyte: Analyte, diagnosis: Diagnosis) -> Result:
    rng = life.rng
    if analyte.coded:
        positive = rng.random() < CODED_POSITIVE
        code = catalogue().coded_results["POS" if positive else "NEG"]
        return Result(analyte, "", code, "A" if positive else "N", "F")
    low, high = analyte.low, analyte.high
    middle, quarter, least, form = _scale(analyte)
    value = max(least, middle + quarter * (rng.gauss(0, 0.85) + diagnosis.shifts.get(analyte.code.code, 0.0)))
    if value > high:
        flag = "HH" if value > high + 4 * quarter else "H"
    elif value < low:
        flag = "LL" if value < low - 2 * quarter else "L"
    else:
        flag = "N"
    return Result(analyte, format(value, form), None, flag, "F")
