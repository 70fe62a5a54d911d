"""Messages nobody can read hold back no other, and once the cause is mended a replay takes every one of them up."""

import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import poison
from support.balance import reference
from support.feed import messages
from support.poison import MISBEHAVED, SLOW, UNREADABLE, Poison
from support.ward import told

from hcrm_core.cli.context import Opened
from hcrm_core.cli.ingest import work_off
from hcrm_core.intake.land import Arrival, land
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import inbox, processing


def facts(store: Store) -> list[dict[str, Any]]:
    """The dump without what depends on the bytes a message came as."""
    lines = [msgspec.json.decode(line) for line in dump(store)]
    return [{name: value for name, value in line.items() if name != "stamp"} for line in lines]


@pytest.mark.parametrize(
    ("count", "kinds"),
    [
        (2_000, UNREADABLE + MISBEHAVED),
        pytest.param(10_000, 2 * (UNREADABLE + MISBEHAVED) + SLOW, marks=pytest.mark.prove),
    ],
    ids=["2000", "10000"],
)
def test_poison_is_quarantined_with_a_reason_and_replayed_once_it_is_mended_while_all_others_are_folded(
    count: int,
    kinds: Sequence[Poison],
    workspace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tally: Callable[..., None],
) -> None:
    assert len(set(kinds) - set(SLOW)) >= 50
    module = f"fake_plugin_poisoned_{os.getpid()}_{count}"
    site = poison.plugin(tmp_path / "site", module)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    file = workspace / "hcrm.toml"
    text = file.read_text(encoding="utf-8").replace('adapter = "hl7v2"', 'adapter = "poisoned"')
    text += "\n[workers]\nbatch_seconds = 20\nmessage_seconds = 5\n"
    file.write_text(text.replace('"hl7v2",', '"hl7v2", "poisoned",', 1), encoding="utf-8")

    sent = list(itertools.islice(messages(), count))
    # Each kind takes the place of an admission, which must name its patient.
    admissions = [number for number, payload in enumerate(sent) if b"ADT^A01" in payload]
    spoilt = dict(zip(admissions[:: len(admissions) // len(kinds)], kinds, strict=False))
    assert len(spoilt) == len(kinds)
    arrivals = [spoilt[number](payload) if number in spoilt else payload for number, payload in enumerate(sent)]
    space = Opened(workspace)
    for start in range(0, count, 500):
        batch = [Arrival("his", arrivals[number], f"F{number}") for number in range(start, start + 500)]
        land(space.store, batch, now=1)
    space.workers = 2
    work_off(space)

    with space.store.read_inbox() as landed:
        number_of = {int(one.control_id[1:]): one.id for one in inbox.after(landed, 0, count)}
    with space.store.read() as connection:
        outcomes = processing.outcomes(connection, number_of.values())
    states = [outcomes[number_of[number]].state for number in range(count)]
    good = [state for number, state in enumerate(states) if number not in spoilt]
    bad = [states[number] for number in spoilt]
    assert good == ["folded"] * (count - len(spoilt))
    assert bad == ["quarantined"] * len(spoilt)
    assert all(outcomes[number_of[number]].reason for number in spoilt)

    poison.mend(site, {arrivals[number]: sent[number] for number in spoilt})
    told("messages", "replay", "--state", "quarantined")
    with space.store.read() as connection:
        assert processing.counts(connection) == {"folded": count}
    once = reference(space, tmp_path / "reference", sent)
    assert facts(space.store) == facts(once)
    tally("poison", messages=count, folded=len(good), quarantined=len(bad), replayed=len(bad))
    space.close()
    once.close()
