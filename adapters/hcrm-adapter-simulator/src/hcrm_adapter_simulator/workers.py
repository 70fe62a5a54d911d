"""Shards in processes. Results come in the order of shards, whatever the number of processes."""

import gc
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Called with how many shards are done, and of how many."""


def processors() -> int:
    """How many processes this one may keep busy."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each_shard(work: Callable[[int], T], shards: int, jobs: int, progress: Progress | None) -> Iterator[T]:
    """The results of the work on each shard, in their order.

    Args:
        work: Of one shard, by its number; with more than one process it must be importable.
        shards: How many there are.
        jobs: How many processes; 1 works in this one.
        progress: Told of each shard done.
    """
    jobs = min(jobs, shards)
    quiet = partial(_without_collector, work)
    if jobs <= 1:
        results = map(quiet, range(shards))
        yield from _told(results, shards, progress)
        return
    # Started fresh: a fork would copy the threads of whatever library the caller has loaded.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from _told(pool.map(quiet, range(shards)), shards, progress)


def _told(results: Iterator[T], shards: int, progress: Progress | None) -> Iterator[T]:
    for done, result in enumerate(results, 1):
        if progress is not None:
            progress(done, shards)
        yield result


def _without_collector(work: Callable[[int], T], shard: int) -> T:
    """Lives leave no cycles behind, so that looking for them is a quarter of the time for nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return work(shard)
    finally:
        if enabled:
            gc.enable()
