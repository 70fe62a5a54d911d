"""The figures: true at every moment, and in the format that Prometheus reads."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy.exc import OperationalError
from support.bench import Bench, adt
from support.exposition import read, value

from hcrm_core.cli.metrics import CONTENT, Metrics
from hcrm_core.errors import ConfigurationError
from hcrm_core.intake.claims import LEASE, SECOND, Claims
from hcrm_core.intake.figures import STATES, exposition, figures
from hcrm_core.model.translation import Problem
from hcrm_core.store.queries import processing
from hcrm_core.store.queries.processing import ProcessingRow

ODD = 'ADT^"\\\n{}, 张'


def shown(bench: Bench) -> dict:
    return read(exposition(bench.now, figures(bench.store, bench.now), 7))


def test_an_empty_store_has_figures_too(bench: Bench) -> None:
    samples = shown(bench)
    assert value(samples, "hcrm_messages_landed_total") == value(samples, "hcrm_messages_waiting") == 0
    assert value(samples, "hcrm_oldest_waiting_seconds") == 0
    assert value(samples, "hcrm_worked_off_total") == 7
    assert {value(samples, "hcrm_messages", state=state) for state in STATES} == {0}
    assert not [name for name, _ in samples if name in ("hcrm_newest_message_seconds", "hcrm_messages_quarantined")]


def test_what_waits_is_counted_from_landing_to_folding(bench: Bench) -> None:
    bench.land(*map(adt, range(5)))
    bench.now += 90 * SECOND
    bench.land(adt(9))
    bench.now += SECOND // 2
    samples = shown(bench)
    assert value(samples, "hcrm_messages_waiting") == value(samples, "hcrm_messages", state="received") == 6
    assert value(samples, "hcrm_oldest_waiting_seconds") == 90.5
    assert value(samples, "hcrm_newest_message_seconds") == 0.5
    claims = Claims(bench.store)
    claims.take(bench.now, 2)
    samples = shown(bench)
    assert value(samples, "hcrm_messages", state="claimed") == 2
    assert value(samples, "hcrm_messages_waiting") == 6
    assert value(samples, "hcrm_oldest_waiting_seconds") == 90.5
    assert value(samples, "hcrm_workers_claiming") == 1
    bench.now += LEASE
    assert value(shown(bench), "hcrm_workers_claiming") == 0, "a claim that has run out is nobody's"
    assert bench.worker().run().translated == 6
    samples = shown(bench)
    assert value(samples, "hcrm_messages_waiting") == value(samples, "hcrm_oldest_waiting_seconds") == 0
    assert value(samples, "hcrm_messages", state="folded") == value(samples, "hcrm_messages_landed_total") == 6


def test_quarantined_messages_are_counted_by_type_and_code_whatever_these_hold(bench: Bench) -> None:
    numbers = bench.land(*map(adt, range(6)))

    def reason(code: str, text: str) -> str:
        return msgspec.json.encode(Problem(code, "", text)).decode()

    with bench.store.write() as connection:
        rows = [ProcessingRow(number, "quarantined", ODD, reason=reason("a", f"{number}")) for number in numbers[:3]]
        rows += [ProcessingRow(number, "quarantined", "", reason=reason("a", "")) for number in numbers[3:5]]
        rows += [ProcessingRow(numbers[5], "quarantined", ODD, reason=reason("b", ""))]
        processing.put(connection, rows)
        processing.set_claimed_to(connection, numbers[-1])
    samples = shown(bench)
    assert value(samples, "hcrm_messages_quarantined", type=ODD, reason="a") == 3
    assert value(samples, "hcrm_messages_quarantined", type="", reason="a") == 2
    assert value(samples, "hcrm_messages_quarantined", type=ODD, reason="b") == 1
    assert value(samples, "hcrm_messages", state="quarantined") == 6


@pytest.fixture
def served() -> Iterator[tuple[Metrics, list[Exception]]]:
    """A port, and what reading the figures raises."""
    errors: list[Exception] = []

    def text() -> str:
        if errors:
            raise errors[0]
        return "hcrm_x 1\n"

    metrics = Metrics("127.0.0.1:0", "hcrm.toml, line 9", text)
    yield metrics, errors
    metrics.close()


def test_the_port_answers_with_the_figures_and_nothing_else(served: tuple[Metrics, list[Exception]]) -> None:
    metrics, _ = served
    with urllib.request.urlopen(f"http://{metrics.name}/metrics?x=1", timeout=10) as answer:
        assert answer.read() == b"hcrm_x 1\n" and answer.headers["Content-Type"] == CONTENT
    for path in ("", "/", "/metrics/", "/../hcrm.key"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://{metrics.name}{path}", timeout=10)
    with pytest.raises(ConfigurationError, match=r"hcrm\.toml, line 9: .* cannot be listened on: Address already"):
        Metrics(metrics.name, "hcrm.toml, line 9", str)


def test_a_store_that_cannot_be_reached_is_service_unavailable(served: tuple[Metrics, list[Exception]]) -> None:
    metrics, errors = served
    errors.append(OperationalError("SELECT", None, Exception("13800138000")))
    with pytest.raises(urllib.error.HTTPError, match="503") as caught:
        urllib.request.urlopen(f"http://{metrics.name}/metrics", timeout=10)
    assert b"13800138000" not in caught.value.read()
    errors.clear()
    assert urllib.request.urlopen(f"http://{metrics.name}/metrics", timeout=10).status == 200
