"""Messages are HL7 v2: structure, order, charset, ids."""

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from hcrm_adapter_simulator import Settings, write_hl7v2
from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.hl7v2 import Message, Writer


@pytest.fixture(scope="module")
def messages(lives: list[list[Event]]) -> list[Message]:
    writer = Writer("UTF-8")
    return [message for events in lives[:600] for message in writer.messages(events)]


def fields(message: Message, segment: str) -> list[str]:
    return next(line for line in message.text.split("\r") if line.startswith(segment)).split("|")


def test_every_trigger_occurs(lives: list[list[Event]]) -> None:
    said = {event.trigger[4:] for events in lives for event in events}
    adt = {"A01", "A02", "A03", "A04", "A05", "A08", "A11", "A13", "A28", "A31", "A40"}
    assert said == adt | {"S12", "S13", "S14", "S15", "S26", "R01", "P03"}


def test_control_ids_are_unique_but_for_exact_copies(messages: list[Message]) -> None:
    by_id: dict[str, set[str]] = {}
    for message in messages:
        by_id.setdefault(message.control_id, set()).add(message.text)
    assert all(len(texts) == 1 for texts in by_id.values())
    assert 0 < len(messages) - len(by_id) < len(messages) / 100


def test_segments_follow_each_other_as_the_standard_has_them(messages: list[Message]) -> None:
    orders = {
        "ADT": r"MSH EVN PID( NK1)*( PV1| MRG)( AL1)*( DG1)*( IN1)?",
        "SIU": r"MSH SCH PID( PV1)? RGS AIL AIP",
        "ORU": r"MSH PID PV1 OBR( OBX)+",
        "DFT": r"MSH EVN PID PV1( FT1)+",
    }
    for message in messages:
        assert message.text.endswith("\r")
        names = " ".join(line[:3] for line in message.text.split("\r")[:-1])
        assert re.fullmatch(orders[fields(message, "MSH")[8][:3]], names), names


def test_a_reader_of_others_makes_the_same_of_them(messages: list[Message]) -> None:
    parser = pytest.importorskip("hl7apy.parser")
    seen: Counter[str] = Counter()
    for message in messages:
        trigger = fields(message, "MSH")[8]
        seen[trigger] += 1
        if seen[trigger] > 3:
            continue
        parsed = parser.parse_message(message.text, find_groups=False)
        assert parsed.msh.msh_10.to_er7() == message.control_id
        read = [segment.to_er7().rstrip("|") for segment in parsed.children]
        assert read == [line.rstrip("|") for line in message.text.split("\r")[:-1]]
        assert parsed.pid.pid_3.pid_3_1.to_er7() == fields(message, "PID")[3].split("^")[0]


def test_a_discharge_says_when_it_ended_and_its_withdrawal_says_empty(lives: list[list[Event]]) -> None:
    writer = Writer("UTF-8")
    told = [event for events in lives for event in events if event.trigger in ("ADT^A03", "ADT^A13")]
    assert {event.trigger for event in told} == {"ADT^A03", "ADT^A13"}
    for event in told:
        pv1 = fields(next(writer.messages([event])), "PV1")
        if event.trigger == "ADT^A03":
            assert re.fullmatch(r"\d{14}\+0800", pv1[45])
        else:
            assert pv1[36] == pv1[45] == '""'


def test_statements_of_a_visit_keep_its_order(lives: list[list[Event]]) -> None:
    for events in lives:
        assert all(a.said < b.said for a, b in pairwise(events))
        chains: dict[str, int] = {}
        for event in events:
            assert event.said >= event.occurred
            assert event.occurred >= chains.get(event.chain, event.occurred)
            chains[event.chain] = event.occurred


@pytest.mark.parametrize(("charset", "declared"), [("UTF-8", "UNICODE UTF-8"), ("GB18030", "GB 18030-2000")])
def test_files(tmp_path: Path, settings: Settings, charset: str, declared: str) -> None:
    few = replace(settings, patients=120)
    written = write_hl7v2(few, tmp_path, charset)
    files = sorted(tmp_path.iterdir())
    assert [f.suffix for f in files] == [".hl7"] * written.files
    found = 0
    for file in files:
        said = []
        for message in file.read_bytes().decode(charset).split("\n")[:-1]:
            header = message.split("\r")[0].split("|")
            said.append(header[6])
            assert header[17] == declared
        assert said == sorted(said)
        assert all(time[:6] == file.stem.replace("-", "") for time in said)
        found += len(said)
    assert found == written.items == written.truth["messages"]
