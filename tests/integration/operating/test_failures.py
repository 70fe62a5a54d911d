"""What fails for a while is tried again, what fails for good is quarantined, and neither holds back others."""

from collections.abc import Callable
from typing import Any

import pytest
from support.bench import Bench, adt
from support.streams import SOURCE

from hcrm_core.errors import ConfigurationError, PluginError
from hcrm_core.intake import process
from hcrm_core.intake.claims import ATTEMPTS, DEFERRED, SECOND
from hcrm_core.registry.offers import Source


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the store refuse a message so many times."""

    def arrange(number: int, times: int) -> None:
        accept, left = process.accept, [times]

        def refuse(store: Any, folder: Any, by: str, messages: Any, translations: Any, now: int) -> Any:
            of_it = [one for one, said in zip(messages, translations, strict=True) if said.quarantine is None]
            if number in [message.id for message in of_it] and left[0] > 0:
                left[0] -= len(messages) == 1
                raise ValueError("13800138000 张三")
            return accept(store, folder, by, messages, translations, now)

        monkeypatch.setattr(process, "accept", refuse)

    return arrange


def test_a_fold_that_fails_is_tried_again_later_each_time_and_holds_back_nobody(
    bench: Bench, failing: Callable[..., None]
) -> None:
    numbers = bench.land(*map(adt, range(10)))
    failing(numbers[3], 10**6)
    worker = bench.worker()
    assert worker.run().translated == 9
    delays = []
    while (row := bench.rows()[numbers[3]]).state == "translated":
        assert row.worker is None and row.due_at is not None
        delays.append((row.due_at - bench.now) / SECOND)
        bench.now = row.due_at - 1
        assert worker.run() == (0, 0, 0)
        bench.land(adt(100 + row.attempts))
        assert worker.run().translated == 1
        bench.now = row.due_at
        worker.run()
    assert len(delays) == ATTEMPTS - 1
    for tries, delay in enumerate(delays, 1):
        assert 0.5 * 0.2 * 2**tries <= delay <= 1.5 * 0.2 * 2**tries
    assert bench.rows()[numbers[3]].state == "quarantined"
    reason = bench.reason(numbers[3])
    assert reason.code == "fold-failed" and "(ValueError)" in reason.text
    assert "13800138000" not in reason.text and "张" not in reason.text


def test_the_delay_is_not_the_same_for_all(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = bench.land(*map(adt, range(20)))

    def refuse(*_: Any) -> None:
        raise ValueError

    monkeypatch.setattr(process, "accept", refuse)
    bench.worker().run()
    assert len({bench.rows()[number].due_at for number in numbers}) > 15


@pytest.mark.parametrize("times", range(1, ATTEMPTS))
def test_a_failure_that_passes_heals_by_itself(bench: Bench, failing: Callable[..., None], times: int) -> None:
    numbers = bench.land(*map(adt, range(3)))
    failing(numbers[1], times)
    worker = bench.worker()
    for _ in range(times + 1):
        worker.run()
        bench.now += 10 * SECOND
    assert bench.states() == ["folded"] * 3
    row = bench.rows()[numbers[1]]
    assert (row.attempts, row.reason, row.due_at, row.worker, row.translation) == (times + 1, None, None, None, 1)


def missing(source: str) -> Source:
    if source == "lis":
        raise ConfigurationError("There is no enabled adapter 'lis'. Enable it.")
    return SOURCE


def test_a_source_whose_adapter_is_missing_waits_with_its_reason_and_holds_back_no_other(bench: Bench) -> None:
    bench.configured = missing
    waiting = bench.land(adt(1), adt(2), source="lis")
    bench.land(adt(3))
    worker = bench.worker()
    assert worker.run().translated == 1
    assert bench.states() == ["received", "received", "folded"]
    assert worker.stuck == {"lis": "There is no enabled adapter 'lis'. Enable it."}
    assert (bench.reason(waiting[0]).code, bench.reason(waiting[0]).text) == ("no-adapter", worker.stuck["lis"])
    for _ in range(ATTEMPTS + 3):
        bench.now += DEFERRED
        worker.run()
    assert {bench.rows()[number].attempts for number in waiting} == {0}
    bench.configured = lambda source: SOURCE
    assert worker.run().translated == 0
    bench.now += DEFERRED
    assert worker.run().translated == 2
    assert bench.states() == ["folded"] * 3
    assert {row.reason for row in bench.rows().values()} == {None}


def test_one_who_begins_anew_takes_them_up_at_once(bench: Bench) -> None:
    bench.configured = missing
    bench.land(adt(1), source="lis")
    bench.worker().run()
    bench.configured = lambda source: SOURCE
    assert bench.worker().run().translated == 1


def test_workers_that_cannot_have_the_adapter_quarantine_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    translate = bench.translate

    def refuse(source: Any, payloads: Any) -> Any:
        future = translate(source, payloads)
        if list(payloads) == [adt(1)]:
            future.__init__()  # type: ignore[misc]
            future.set_exception(PluginError("hcrm.toml, line 3: not valid TOML."))
        return future

    monkeypatch.setattr(bench, "translate", refuse)
    waiting = bench.land(adt(1), source="lis")
    bench.land(adt(2))
    worker = bench.worker()
    assert worker.run().translated == 1
    assert worker.stuck == {"lis": "hcrm.toml, line 3: not valid TOML."}
    assert (bench.rows()[waiting[0]].state, bench.rows()[waiting[0]].attempts) == ("received", 0)
