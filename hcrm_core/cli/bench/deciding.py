"""The races of deciding: each shipped strategy beside the same query by hand, a night over everybody, and growth."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec

from hcrm_core import env
from hcrm_core.cli.bench.processes import family, resident
from hcrm_core.cli.bench.races import Figure
from hcrm_core.cli.context import Opened
from hcrm_core.cli.init import create
from hcrm_core.config import CONFIGURATION
from hcrm_core.decide.freshness import day_of
from hcrm_core.decide.shown import show_decisions
from hcrm_core.errors import HcrmError
from hcrm_core.intake.bulk import load_mart
from hcrm_core.mart.contract import bound, check_strategy, evaluate
from hcrm_core.mart.copies import multiply
from hcrm_core.mart.engine import open_mart
from hcrm_core.mart.manifest import Manifest
from hcrm_core.store.codec import read_key

SETTINGS = """
[loyalty]
programmes = ["programmes/card.yaml"]
"""
PROGRAMME = """
programmes:
  - id: card
    title: {{en: Card, zh: 会员卡}}
    since: {since}
    currency: CNY
    earn:
      - {{id: spend, per: 1000, points: 1, cap: {{points: 5000, each: year}}}}
    tiers:
      window: 12m
      levels: [{{id: silver, from: 100}}, {{id: gold, from: 400}}]
"""


PROGRAMME_DAYS = 30
"""How old the programme is: every bill line since then is a row of points."""


class Night(NamedTuple):
    """What one `hcrm decide` over everybody took: seconds, by strategy, and the most memory of all its
    processes at once, in GiB."""

    seconds: float
    strategies: dict[str, float]
    gib: float


def workspace(folder: Path) -> Opened:
    """A workspace with the shipped strategies, and nobody in it."""
    create(folder, "bench", "Asia/Shanghai")
    text = (folder / CONFIGURATION).read_text(encoding="utf-8")
    enabled = text.index("plugins = [") + len("plugins = [")
    text = text[:enabled] + '"loyalty", ' + text[enabled:] + SETTINGS
    (folder / CONFIGURATION).write_text(text, encoding="utf-8")
    (folder / "programmes").mkdir()
    since = env.local_day(env.now(), "Asia/Shanghai") - timedelta(days=PROGRAMME_DAYS)
    (folder / "programmes" / "card.yaml").write_text(PROGRAMME.format(since=since), encoding="utf-8")
    return Opened(folder)


def populate(space: Opened, files: Sequence[Path]) -> tuple[Manifest, float]:
    """Load record files into the mart; the manifest, and how many seconds that took."""
    now = env.microseconds(env.now())
    key = read_key(space.configuration.path(space.configuration.settings.store.key_file))
    began = time.perf_counter()
    manifest = load_mart(space.mart, "his", files, key, now=now, today=day_of(now, space.timezone))
    return manifest, time.perf_counter() - began


def populate_by(space: Opened, other: Opened, manifest: Manifest, copies: int) -> Manifest:
    """Take over the mart of another workspace, each person so many times."""
    shutil.copytree(other.mart, space.mart)
    return multiply(space.mart, manifest, copies)


def by_hand(space: Opened, rounds: int) -> list[Figure]:
    """T12: each enabled strategy as the core evaluates it, beside DuckDB running the same SELECT into a table."""
    now = env.microseconds(env.now())
    today = day_of(now, space.timezone)
    figures = []
    for strategy in space.registry.strategies.values():
        checked = check_strategy(strategy)
        values = bound(checked, strategy.parameters, as_of_us=now, today=today)
        own, hand = [], []
        for _ in range(rounds):
            with open_mart(space.mart, today=today, tables=checked.tables) as mart:
                show_decisions(mart, space.store, checked.tables)
                began = time.perf_counter()
                evaluate(mart, strategy, checked, as_of_us=now, today=today, compute=space.code.compute)
                own.append(time.perf_counter() - began)
            with open_mart(space.mart, today=today, tables=checked.tables) as mart:
                show_decisions(mart, space.store, checked.tables)
                began = time.perf_counter()
                mart.execute(f"CREATE TEMP TABLE hand AS {checked.sql}", values)
                hand.append(time.perf_counter() - began)
        ratio = median(own) / median(hand)
        what = f"{strategy.name} ÷ its SELECT by hand"
        figures.append(Figure("T12", what, own, hand, "seconds", ratio, 1.5, 1.1, lower=True))
    return figures


def night(space: Opened) -> Night:
    """One `hcrm decide` over everybody, in a process of its own."""
    command = [sys.executable, "-m", "hcrm_core", "--workspace", str(space.root), "decide", "--json"]
    began = time.perf_counter()
    most = 0.0
    with tempfile.TemporaryFile() as output, subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL) as run:
        while run.poll() is None:
            most = max(most, sum(map(resident, family(run.pid))))
            time.sleep(0.05)
        seconds = time.perf_counter() - began
        if run.returncode:
            raise HcrmError(
                f"`{' '.join(command[1:])}` failed. Run `hcrm decide` in a workspace of your own to see why."
            )
        output.seek(0)
        said: dict[str, Any] = msgspec.json.decode(output.read())
    by_strategy = {one["name"]: one["seconds"] for one in said["strategies"]}
    return Night(seconds, by_strategy, most / 1024)


def nights(first: Night, later: Sequence[Night]) -> list[Figure]:
    """T13: the first night, which decides about everybody, and those after it, which mostly find what stands."""
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in first.strategies.items())
    gib = max(one.gib for one in (first, *later))
    times = [one.seconds for one in later]
    return [
        Figure(
            "T13", "the first night over everybody", [first.seconds], [], "seconds", first.seconds, 60, 30, True, parts
        ),
        Figure("T13", "a later night", times, [], "seconds", median(times), 60, 30, lower=True),
        Figure("T13", "most memory of a night", [gib], [], "GiB", gib, 4, 4, lower=True),
    ]


def growth(many: Sequence[float], few: Sequence[float], copies: int) -> Figure:
    """T16: the time for so many times the people ÷ the time for them, as if it were ten times."""
    ratio = median(many) / median(few) / copies * 10
    what = f"a night with {copies} times the people ÷ without, for ten times"
    return Figure("T16", what, list(many), list(few), "seconds", ratio, 11, 10, lower=True)
