"""Claims: whoever dies, hangs or is slow, another takes his messages up, and each is folded exactly once."""

import socket
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, select
from support.bench import Bench, adt
from support.plugins import distribution
from support.ward import hcrm, told

from hcrm_core.cli.context import Opened
from hcrm_core.intake.accept import Processed
from hcrm_core.intake.claims import ATTEMPTS, LEASE, LOOK, Claimed, Claims
from hcrm_core.intake.land import Arrival, land
from hcrm_core.intake.process import Intake
from hcrm_core.model.translation import Translation
from hcrm_core.store.tables import statement, version

DEAD = f"{socket.gethostname()}:{2**22 + 7}:1"
"""A worker of this machine whose process number no process can have."""


def claimed_by(bench: Bench, worker: str, limit: int = 100) -> Claims:
    claims = Claims(bench.store)
    claims.worker = worker
    claims.take(bench.now, limit)
    return claims


def folded_once(bench: Bench, count: int) -> None:
    assert Counter(row.state for row in bench.rows().values()) == {"folded": count}
    with bench.store.read() as connection:
        said = connection.execute(
            select(statement.c.message_id, func.count())
            .join(version, version.c.statement_id == statement.c.id)
            .group_by(statement.c.message_id)
        ).all()
    assert sorted(said) == [(number, 1) for number in sorted(bench.rows())]


def test_what_is_claimed_elsewhere_is_left_alone_until_the_lease_ends(bench: Bench) -> None:
    bench.land(*map(adt, range(5)))
    claimed_by(bench, "another-host:1:1")
    worker = bench.worker()
    bench.now += LEASE - 1
    assert worker.run().translated == 0 and set(bench.states()) == {"claimed"}
    bench.now += 1
    assert worker.run().translated == 5
    folded_once(bench, 5)
    assert {row.attempts for row in bench.rows().values()} == {2}


def test_the_claims_of_a_dead_neighbour_are_taken_over_when_a_worker_begins(bench: Bench) -> None:
    bench.land(*map(adt, range(5)))
    claimed_by(bench, DEAD)
    assert bench.worker().run().translated == 5
    folded_once(bench, 5)


def test_a_worker_that_has_nothing_to_do_notices_a_neighbour_that_has_died(bench: Bench) -> None:
    worker = bench.worker()
    bench.land(*map(adt, range(5)))
    claimed_by(bench, DEAD)
    assert worker.run().translated == 0
    bench.now += LOOK + 1
    worker.run()
    assert worker.run().translated == 5
    folded_once(bench, 5)


def test_two_that_work_on_the_same_messages_fold_each_once(bench: Bench) -> None:
    """A slow worker comes back after its lease: what the other has done meanwhile it leaves alone."""
    bench.land(*map(adt, range(5)))
    slow, fast = bench.worker(), bench.worker()
    slow._submit(slow._claims.take(bench.now, 100))
    bench.now += LEASE
    assert fast.run().translated == 5
    assert slow._finish(slow._jobs.popleft()).translated == 0
    folded_once(bench, 5)


def test_who_is_slow_and_lives_keeps_what_he_has_claimed(bench: Bench) -> None:
    bench.land(*map(adt, range(5)))
    claims = Claims(bench.store)
    claimed = claims.take(bench.now, 100)
    for _ in range(10):
        bench.now += LEASE // 2
        claims.keep(claimed, bench.now)
        assert bench.worker().run().translated == 0


def test_what_is_given_back_is_not_counted_as_tried(bench: Bench) -> None:
    bench.land(*map(adt, range(5)))
    for _ in range(ATTEMPTS + 2):
        worker = bench.worker()
        worker._submit(worker._claims.take(bench.now, 100))
        worker._abandon()
    assert {row.attempts for row in bench.rows().values()} == {0}
    assert bench.worker().run().translated == 5


def test_who_begins_again_after_the_database_was_away_takes_up_his_own_at_once(bench: Bench) -> None:
    bench.land(*map(adt, range(5)))
    worker = bench.worker()
    worker._submit(worker._claims.take(bench.now, 100))
    worker._jobs.clear()
    worker.begin()
    assert worker.run().translated == 5
    folded_once(bench, 5)


@pytest.mark.parametrize("place", [0, 77, 199])
def test_a_message_that_kills_its_worker_is_parked_and_no_other_is(bench: Bench, place: int) -> None:
    numbers = bench.land(*map(adt, range(200)))
    poison = numbers[place]
    deaths = 0
    for _ in range(100):
        worker = bench.worker()
        worker._claims.worker = DEAD
        while claimed := worker._claims.take(bench.now, 4_000):
            if poison in [one.message.id for one in claimed]:
                deaths += 1
                break
            worker._submit(claimed)
            worker._finish(worker._jobs.popleft())
        else:
            break
    assert deaths == ATTEMPTS
    assert {number for number, row in bench.rows().items() if row.state != "folded"} == {poison}
    assert bench.rows()[poison].state == "quarantined" and bench.reason(poison).code == "parked"
    assert "the worker died over it. Replay it alone" in bench.reason(poison).text


class Killed(BaseException):
    """Stands for a SIGKILL: nothing is given back."""


def test_a_core_that_dies_over_a_message_amid_a_backlog_parks_that_one_only(bench: Bench) -> None:
    """Tried in vain with all, then with ever fewer: before it is parked it has been claimed alone."""
    poison = bench.land(*map(adt, range(150)))[77]

    class Mortal(Intake):
        def _accept(self, claimed: Sequence[Claimed], by: str, translations: Sequence[Translation]) -> Processed:
            if poison in [one.message.id for one in claimed]:
                raise Killed
            return super()._accept(claimed, by, translations)

        def _abandon(self) -> None:
            return

    deaths = 0
    while deaths < 20:
        worker = Mortal(bench.store, bench.translate, bench.configured, lambda: bench.now)
        worker._claims.worker = f"{DEAD}{deaths}"
        worker.begin()
        try:
            worker.run()
        except Killed:
            deaths += 1
        else:
            break
    assert deaths == ATTEMPTS
    assert {number for number, row in bench.rows().items() if row.state != "folded"} == {poison}
    assert bench.reason(poison).code == "parked"


def test_an_adapter_that_kills_its_process_waits_and_holds_back_no_other(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose settings cannot be had without dying, as with a broken C library: it is dead, and the core is not."""
    code = (
        "import os, signal\nfrom hcrm_core.api import Adapter, hookimpl\n"
        "class Deadly(Adapter):\n    name = 'deadly'\n    version = '1'\n"
        "    def __init__(self, *given):\n        super().__init__(*given)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    def translate(self, payload):\n        raise NotImplementedError\n"
        "@hookimpl\ndef register_adapters():\n    return [Deadly]\n"
    )
    monkeypatch.syspath_prepend(str(distribution(tmp_path / "site", "deadly", code)))
    file = workspace / "hcrm.toml"
    text = file.read_text("utf-8").replace('plugins = ["', 'plugins = ["deadly", "')
    file.write_text(text + '[sources.deadly]\nadapter = "deadly"\n', encoding="utf-8")
    space = Opened(workspace)
    land(space.store, [Arrival("deadly", b"x", "X"), Arrival("his", adt(1), "C1")], 0)
    space.close()
    result = hcrm("run")
    assert result.exit_code == 3, result.output
    assert "The plugin 'deadly' of fake-plugin-deadly 1.2: its process was ended by signal 9 (SIGKILL)" in result.stderr
    assert [(row["control_id"], row["state"]) for row in told("messages", "list")] == [
        ("C1", "folded"),
        ("X", "received"),
    ]
