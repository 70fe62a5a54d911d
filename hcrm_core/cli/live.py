"""`hcrm decide --live`: look at customers as they change, until signalled."""

import os
import signal
import threading
import time

from hcrm_core import env
from hcrm_core.cli.children import LONGEST_PAUSE, when_input_ends
from hcrm_core.cli.context import Opened, say
from hcrm_core.decide.live import Live
from hcrm_core.decide.steps import Means
from hcrm_core.errors import HcrmError
from hcrm_core.store.engine import UNAVAILABLE

IDLE_SECONDS = 0.05
NICENESS = 5
"""Where processors are short, messages are folded first: what is not folded cannot be decided upon."""

LONGEST_REST = 0.5
"""Under load it rests as long as it worked, but no longer: the fold needs the machine too."""


def live(space: Opened, attached: bool) -> None:
    """Decide about whoever changes; ends at once where an attached one has nothing to do."""
    wanted = not attached or space.configuration.settings.decide.live
    if not wanted or not any(strategy.scope == "subject" for strategy in space.registry.strategies.values()):
        return
    ended, reread = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    signal.signal(signal.SIGHUP, lambda *_: reread.set())
    if attached:
        os.nice(NICENESS)
        when_input_ends(ended.set)
    live = _live(space)
    live.begin()
    failures: dict[str, str] = {}
    pause = IDLE_SECONDS
    while not ended.is_set():
        if reread.is_set():
            reread.clear()
            live = _reloaded(space, live)
        started = time.monotonic()
        try:
            outcomes = live.run(env.microseconds(env.now()))
        except UNAVAILABLE:
            pause = min(pause * 2, LONGEST_PAUSE)
            ended.wait(pause)
            continue
        except HcrmError as error:
            say(f"hcrm: live deciding: {error}")
            ended.wait(LONGEST_PAUSE)
            continue
        for outcome in outcomes:
            if outcome.error and failures.get(outcome.name) != outcome.error:
                say(f"hcrm: {outcome.name} failed and decided nothing live: {outcome.error}")
            failures[outcome.name] = outcome.error or ""
        pause = IDLE_SECONDS
        ended.wait(min(max(time.monotonic() - started, IDLE_SECONDS), LONGEST_REST))


def _live(space: Opened) -> Live:
    means = Means(
        space.code.compute,
        reviews=list(space.registry.reviews.values()),
        channels=space.registry.channels.keys(),
    )
    strategies = list(space.registry.strategies.values())
    return Live(space.store, space.mart, strategies, timezone=space.timezone, means=means)


def _reloaded(space: Opened, before: Live) -> Live:
    try:
        space.reload()
        return _live(space)
    except HcrmError as error:
        say(f"hcrm: {error} Nothing was changed; live deciding goes on as before.")
        return before
