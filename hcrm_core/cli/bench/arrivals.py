"""T15: identify one new patient among all that are there."""

import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from hcrm_core.cli.bench.processes import resident
from hcrm_core.cli.bench.races import Figure
from hcrm_core.config import USUAL_IDENTITY
from hcrm_core.identity.link import Changed, relink
from hcrm_core.identity.model import scorer_of
from hcrm_core.store import schema
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store

BATCH = 5_000

Patients = Sequence[tuple[str, Mapping[str, Any]]]


def identified(folder: Path, patients: Patients, new: int) -> list[Figure]:
    """Let everybody but some be identified in batches, and those one by one, each in a transaction of its own.

    Args:
        folder: For a store, SQLite.
        patients: (key, fields) of everybody.
        new: How many of them come last.
    """
    store = Store(f"sqlite:///{folder}/store.db", f"sqlite:///{folder}/inbox.db", Codec(os.urandom(32)))
    schema.upgrade(store)
    scorer = scorer_of(USUAL_IDENTITY)
    # Spread over all of them: neighbours were written by one desk.
    step = max(len(patients) // new, 1)
    last = patients[::step][:new]
    late = {key for key, _ in last}
    known = [one for one in patients if one[0] not in late]
    began = time.perf_counter()
    now = 0
    for now, batch in enumerate(_batches(known), 1):
        with store.write() as connection:
            relink(connection, _changed(store, batch), store.codec, scorer, now)
    loading = time.perf_counter() - began
    times = []
    for one in last:
        now += 1
        with store.write() as connection:
            began = time.perf_counter()
            relink(connection, _changed(store, [one]), store.codec, scorer, now)
            times.append((time.perf_counter() - began) * 1000)
    store.close()
    p99 = quantiles(times, n=100)[98]
    gib = resident(os.getpid()) / 1024
    size = sum(file.stat().st_size for file in folder.iterdir()) / len(patients)
    note = f"median {median(times):.1f} ms, worst {max(times):.1f} ms"
    return [
        Figure("T15", f"one new patient among {len(known):,}, p99", [p99], [], "ms", p99, 20, 5, True, note),
        _measured("identifying them in batches", loading / len(known) * 1e6, "µs a patient"),
        _measured("numbers, profiles, keys and pairs on disk", size, "bytes a patient"),
        _measured("memory, the people read from files included", gib, "GiB"),
    ]


def _measured(what: str, value: float, unit: str) -> Figure:
    return Figure("T15", what, [value], [], unit, math.nan, 0, 0)


def _changed(store: Store, patients: Patients) -> Changed:
    return Changed({store.codec.token("Patient", "his", key): fields for key, fields in patients}, {}, set())


def _batches(patients: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterable[Patients]:
    rest = iter(patients)
    while batch := list(islice(rest, BATCH)):
        yield batch
