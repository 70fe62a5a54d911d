"""What `hcrm doctor` says of intake: one sentence a finding, and what to do."""

import json
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.bench import adt
from support.daemon import free_port
from support.ward import hcrm

from hcrm_core import env
from hcrm_core.cli.context import Opened
from hcrm_core.intake.claims import Claims
from hcrm_core.intake.land import Arrival, land
from hcrm_core.model.translation import Problem

MINUTE = 60 * 10**6


@pytest.fixture
def port(workspace: Path) -> int:
    """The port on which the source `his` is to listen."""
    number = free_port()
    file = workspace / "hcrm.toml"
    file.write_text(f'{file.read_text("utf-8")}listen = "127.0.0.1:{number}"\n', encoding="utf-8")
    return number


@pytest.fixture
def space(workspace: Path, port: int) -> Iterator[Opened]:
    opened = Opened(workspace)
    yield opened
    opened.store.close()


def found() -> list[tuple[str, str]]:
    return [(row["level"], row["finding"]) for row in json.loads(hcrm("doctor", "--json").stdout)]


def landed(space: Opened, ago: int, *arrivals: Arrival) -> int:
    now = env.microseconds(env.now())
    land(space.store, arrivals or [Arrival("his", adt(ago), f"C{ago}")], now - ago)
    return now


def test_a_port_on_which_nothing_listens_is_wrong(port: int) -> None:
    assert ("wrong", f"Nothing listens on 127.0.0.1:{port} for the source his. Start: hcrm run --watch") in found()
    with socket.create_server(("127.0.0.1", port)):
        assert ("good", f"Something listens on 127.0.0.1:{port} for the source his.") in found()


def test_a_source_that_says_nothing_is_noted(space: Opened, port: int) -> None:
    assert ("note", f"The source his has never sent a message. Point it at 127.0.0.1:{port}.") in found()
    landed(space, 5 * 60 * MINUTE)
    assert not [text for _, text in found() if "last heard" in text or "never sent" in text]


@pytest.mark.parametrize(("hours", "said"), [(7, "7 hours"), (24, "1 day"), (50, "2 days")])
def test_a_source_that_has_fallen_silent_is_noted(space: Opened, hours: int, said: str) -> None:
    landed(space, hours * 60 * MINUTE)
    assert ("note", f"The source his was last heard {said} ago.") in found()


def test_messages_that_wait_are_noted_and_wrong_when_nobody_comes(space: Opened) -> None:
    assert ("good", "Every message that has landed is worked off.") in found()
    landed(space, MINUTE // 2)
    [waiting] = [row for row in found() if "not worked off" in row[1]]
    assert waiting[0] == "note" and waiting[1].endswith("; nobody is at work on them. Work them off with: hcrm run")
    landed(space, 3 * MINUTE)
    assert (
        "wrong",
        "2 messages not worked off yet, the oldest landed 3 minutes ago, and nobody is at work on them. Start: hcrm "
        "run --watch",
    ) in found()


def test_who_is_at_work_is_named_and_the_dead_are_not(space: Opened) -> None:
    now = landed(space, 3 * MINUTE)
    claims = Claims(space.store)
    claims.take(now, 10)
    [(level, text)] = [row for row in found() if "not worked off" in row[1]]
    assert level == "note" and text.endswith(f"; being worked on by {claims.worker} (host:process).")
    claims.release(now)
    claims.worker = f"{socket.gethostname()}:{2**22 + 7}:1"
    claims.take(now, 10)
    assert [row[0] for row in found() if "nobody is at work on them. Start: hcrm run --watch" in row[1]] == ["wrong"]


def test_what_was_noticed_of_folded_messages_is_counted(space: Opened) -> None:
    tomorrow = (env.now() + timedelta(days=2)).strftime("%Y%m%d%H%M%S+0000")
    early = [adt(number).replace(b"20260301100000+0800", tomorrow.encode()) for number in (1, 2)]
    landed(space, MINUTE, *(Arrival("his", text, f"C{at}") for at, text in enumerate((*early, adt(3)), 1)))
    assert hcrm("run").exit_code == 0
    [(level, text)] = [row for row in found() if "(time-in-future)" in row[1]]
    assert level == "note"
    assert text.startswith("2 messages of the last 30 days (of the newest 10,000 at most), read with a problem ")
    assert text.endswith("See: hcrm messages show 2") and "such as #2: It says that it was said more than a day" in text


def test_what_cannot_be_begun_quarantined_or_was_refused_is_named_with_its_reason(space: Opened) -> None:
    refusal = Problem("not-hl7", "", "It does not begin with MSH.")
    landed(space, MINUTE, Arrival("his", b"GET /", "", (refusal,), "refused"), Arrival("lis", adt(1), "C1"))
    landed(space, MINUTE, *(Arrival("his", adt(number, " "), f"C{number}") for number in (2, 3)))
    assert hcrm("run").exit_code == 3
    findings = found()
    assert (
        "wrong",
        "1 message cannot be worked off (no-adapter): Messages of the source 'lis' wait to be translated, but "
        "hcrm.toml has no table [sources.lis]. Put it back.",
    ) in findings
    [(level, text)] = [row for row in findings if "quarantined (" in row[1]]
    assert level == "note" and text.startswith("2 messages of type ADT^A28 quarantined (no-patient): ADT^A28 is about")
    assert text.endswith(" See: hcrm messages list --state quarantined")
    assert (
        "note",
        "1 arrival rejected (not-hl7): It does not begin with MSH. See: hcrm messages list --state rejected",
    ) in findings


def test_every_reason_has_its_own_sentence_and_rare_ones_are_counted(space: Opened) -> None:
    """One code says little: `unreadable` may be the charset, the delimiters, or several messages in one."""
    latin = adt(1).replace("张".encode(), b"\xd5\xc5")
    landed(
        space,
        MINUTE,
        *(Arrival("his", body, "") for body in (latin, latin.replace(b"HOSP", b"HOSPITAL"), b"MSH|^^^^|HIS\r")),
        *(Arrival("his", b"GET /", f"{text}", (Problem("not-hl7", "", text),), "refused") for text in "ABCDEFGHIJKL"),
    )
    hcrm("run")
    told = [text for level, text in found() if level == "note"]
    unreadable = [text for text in told if "quarantined (unreadable): " in text]
    assert len(unreadable) == 2, "that the byte is another is no other reason"
    assert unreadable[0].startswith("2 messages quarantined (unreadable): The bytes here are not text in UNICODE UTF-8")
    assert unreadable[1].startswith("1 message quarantined (unreadable): MSH-1 and MSH-2 use one character for two")
    assert "1 arrival rejected (not-hl7): J See: hcrm messages list --state rejected" in told
    assert "2 arrivals more rejected, for 2 rarer reasons. See: hcrm messages list --state rejected" in told


def test_fields_that_were_left_out_are_named_by_source(space: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = {1: "||1975年3月|不男", 2: "||1975年3月|F", 3: "||19750301|F"}
    landed(
        space,
        MINUTE,
        *(Arrival("his", adt(n).replace(b"\xe4\xb8\x89\r", f"三{more}\r".encode())) for n, more in odd.items()),
    )
    assert hcrm("run").exit_code == 0
    day = (env.now().astimezone(ZoneInfo(space.timezone)).date() - timedelta(days=30)).isoformat()
    [(level, text)] = [row for row in found() if "sent values that could not be read" in row[1]]
    assert level == "note" and "left out: PID-7 in 2 messages, PID-8 in 1 message. " in text
    command = re.search(r"hcrm (messages coverage .*)", text)
    assert command and f" --since {day} " in command[1]
    rows = json.loads(hcrm(*command[1].split(), "--json").stdout)
    assert [(row["field"], row["messages"]) for row in rows] == [("PID-7", 2), ("PID-8", 1)]
    monkeypatch.setenv("HCRM_NOW", (env.now() + timedelta(days=32)).isoformat())
    assert not [text for _, text in found() if "left out" in text], "what is long past is no news"


def test_messages_that_would_be_read_otherwise_now_are_told(workspace: Path, space: Opened) -> None:
    landed(space, MINUTE, *(Arrival("his", adt(number)) for number in range(3)))
    assert hcrm("run").exit_code == 0
    as_now = ("good", "What is stored was read by the adapters and mappings that would read it now (the newest 200,000 "
              "messages at most).")  # fmt: skip
    assert as_now in found()
    file = workspace / "hcrm.toml"
    file.write_text(f'{file.read_text("utf-8")}mapping = "his-mapping.toml"\n', encoding="utf-8")
    (workspace / "his-mapping.toml").write_text("# nothing yet\n", encoding="utf-8")
    landed(space, 0, Arrival("his", adt(9)))
    assert hcrm("run").exit_code == 0
    [(level, text)] = [row for row in found() if "and it is read by" in row[1]]
    version = Opened(workspace).registry.adapters["hl7v2"].version
    assert level == "note"
    assert text.startswith(
        f"3 messages of the source his were read by hl7v2 {version}, and it is read by hl7v2 {version} mapping "
    )
    command = text.partition("hcrm ")[2]
    assert hcrm(*command.split()).exit_code == 0
    assert as_now not in found(), "it was a rehearsal"
    assert hcrm(*command.removesuffix(" --dry-run").split()).exit_code == 0
    assert as_now in found()


def test_what_cannot_be_replayed_is_not_told(workspace: Path, space: Opened) -> None:
    """What was pruned, and what no adapter reads any more: the note would never go away."""
    landed(space, 2 * 24 * 60 * MINUTE, Arrival("his", adt(1)), Arrival("fhir", b"{}"))
    hcrm("run")
    file = workspace / "hcrm.toml"
    file.write_text(f'{file.read_text("utf-8")}mapping = "his-mapping.toml"\n', encoding="utf-8")
    (workspace / "his-mapping.toml").write_text("# nothing yet\n", encoding="utf-8")
    assert [text for _, text in found() if "and it is read by" in text]
    assert hcrm("messages", "prune", "--older-than", "1d").exit_code == 0
    assert not [text for _, text in found() if "and it is read by" in text]


def test_a_number_that_too_many_carry_is_told_with_somebody_who_does(workspace: Path) -> None:
    def told(value: str, patients: int) -> list[tuple[str, str]]:
        payloads = [
            f"MSH|^~\\&|HIS|HOSP|HCRM||20260301100000||ADT^A31|C{number}|P|2.5\rEVN|A31|20260301100000\r"
            f"PID|||{number}^^^HOSP^MR~{value}^^^BANK^PI"
            for number in range(patients)
        ]
        (workspace / "crowd.hl7").write_text("\r".join(payloads), encoding="utf-8", newline="")
        assert hcrm("ingest", "crowd.hl7").exit_code == 0
        return [one for one in found() if "carry links none" in one[1]]

    assert told("4711", 20) == []
    ((level, text),) = told("4711", 21)
    assert level == "note" and text.startswith("A number that 21 patients carry links none of them")
    assert "4711" not in text
    (patient,) = re.findall("hcrm customers show ([0-9a-f]+) --all", text)
    assert "BANK PI 4711" in hcrm("customers", "show", patient, "--all").stdout
