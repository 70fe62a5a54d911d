"""The shared corpora, HL7 v2 messages of public projects: all accounted for, nearly all translated (issue 2, no. 2)."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from support.hl7v2 import ADAPTER
from support.ward import hcrm, told

from hcrm_adapter_hl7v2.reader import UnreadableMessage, read_message
from hcrm_core.api import InputError

CORPORA = Path(__file__).parents[3] / "shared" / "corpora" / "hl7v2"
MESSAGES = 845
"""At least so many are in them."""


@pytest.fixture(scope="module")
def corpora() -> Path:
    if not CORPORA.is_dir():
        if os.environ.get("CI") == "true" or os.environ.get("HCRM_TEST_MANDATORY"):
            pytest.fail("the corpora are not beside the clone, where CI puts them")
        pytest.skip("no shared corpora beside this clone")
    return CORPORA


@pytest.fixture(scope="module")
def runs(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, int], dict[str, int], Path]:
    """Two runs over everything, and the workspace."""
    root = tmp_path_factory.mktemp("corpora") / "workspace"
    hcrm("init", root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        found = []
        for _ in range(2):
            result = hcrm("ingest", corpora, "--adapter", "hl7v2", "--json")
            assert result.exit_code in (0, 3) and "Traceback" not in result.stderr
            found.append(json.loads(result.stdout))
    return found[0], found[1], root


def test_every_message_of_the_corpora_is_accounted_for(runs) -> None:
    first, _, _ = runs
    assert first["messages"] >= MESSAGES
    assert first["messages"] == first["landed"] + first["duplicates"]
    assert first["landed"] == first["translated"] + first["quarantined"]
    assert first["translated"] >= 0.96 * first["landed"]
    assert first["skipped"] > 0


def test_the_second_run_over_the_corpora_lands_nothing_new(runs) -> None:
    first, second, _ = runs
    assert second["messages"] == first["messages"] == second["duplicates"]
    assert (second["landed"], second["translated"], second["quarantined"]) == (0, 0, 0)
    for name in ("patients", "customers", "rejected"):
        assert second[name] == first[name]


def test_only_messages_without_their_person_or_their_type_are_quarantined(
    runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _, root = runs
    monkeypatch.chdir(root)
    reasons = Counter(
        ((row["type"] or "").partition("^")[0], row["reason"].partition(": ")[0].rpartition(", ")[2])
        for row in told("messages", "list", "--state", "quarantined", "--limit", "5000")
    )
    assert sum(reasons.values()) == first["quarantined"]
    assert {reason for kind, reason in reasons if kind} == {"PID-3"}
    assert {kind for kind, _ in reasons if kind} <= {"ADT", "SIU", "DFT", "PPR", "VXU"}
    assert {reason for kind, reason in reasons if not kind} <= {"MSH-9"}, "nobody can tell what it is"


def test_no_message_of_the_corpora_makes_the_adapter_fail(runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs[2])
    rows = told("messages", "list", "--limit", "5000")
    assert not [row for row in rows if row["state"] == "received"]
    assert not [row["control_id"] for row in rows if "author" in (row["reason"] or "")]


def test_the_customers_of_the_corpora_can_be_listed_and_shown(runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs[2])
    rows = told("customers", "list", "--limit", "10000")
    assert len(rows) == runs[0]["customers"]
    for row in rows[::25]:
        assert hcrm("customers", "show", row["id"]).exit_code == 0


def well_formed(payload: bytes) -> bool:
    """Whether a message can be read, says what it is and numbers its patient."""
    try:
        message = read_message(payload)
    except UnreadableMessage:
        return False
    numbers = [str(message.get(f"PID-{place}.1") or "").strip() for place in (2, 3, 4)]
    return bool(message.get("MSH-9.1")) and any(numbers)


def test_of_the_well_formed_messages_nearly_all_are_translated(corpora: Path) -> None:
    counted: Counter[tuple[bool, bool]] = Counter()
    for path in sorted(corpora.rglob("*")):
        if path.suffix not in (".hl7", ".txt"):
            continue
        try:
            messages = list(ADAPTER.split(path.read_bytes(), path.name))
        except InputError:
            continue
        for message in messages:
            translated = ADAPTER.translate(message.payload).quarantine is None
            counted[well_formed(message.payload), translated] += 1
    sound = counted[True, True] + counted[True, False]
    assert counted.total() >= MESSAGES and sound >= 570
    assert counted[True, True] >= 0.99 * sound
