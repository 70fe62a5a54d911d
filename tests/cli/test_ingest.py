"""`hcrm ingest`: whatever is put before it, it says what it did, and no input harms another."""

import gzip
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from support.ward import NOW, PRIVATE, hcrm, hospital, sentence, told, write

MESSAGES = hospital()
SOME = dict(list(MESSAGES.items())[:3])
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    monkeypatch.setenv("HCRM_NOW", NOW)


def consistent(summary: dict[str, int]) -> bool:
    return (
        summary["messages"] == summary["landed"] + summary["duplicates"]
        and summary["landed"] == summary["translated"] + summary["quarantined"]
    )


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(members: dict[str, bytes], mode: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


# --- what it reads ----------------------------------------------------------------------------------------------------


def test_a_folder_is_read_with_all_below_it_and_everything_is_accounted_for(workspace: Path) -> None:
    write(workspace / "in" / "a" / "b", MESSAGES)
    (workspace / "in" / "readme.pdf").write_bytes(b"%PDF-1.7")
    summary = told("ingest", "in")
    assert consistent(summary)
    assert (summary["messages"], summary["files"], summary["skipped"]) == (15, 15, 1)
    assert (summary["translated"], summary["quarantined"]) == (15, 0)
    assert (summary["source"], summary["adapter"]) == ("his", "hl7v2")
    assert summary["patients"] == 6  # 1001, 2002, 3003, 4004, 5005 and 9009, known by its merge alone
    assert summary["customers"] == 4  # 1001, 2002 and 9009 are one person


def test_the_second_run_lands_nothing_new(workspace: Path) -> None:
    write(workspace / "in", MESSAGES)
    first = told("ingest", "in")
    second = told("ingest", "in", "in/W01.hl7")
    assert consistent(second)
    assert (second["landed"], second["duplicates"], second["translated"], second["records"]) == (0, 16, 0, 0)
    assert (second["patients"], second["customers"]) == (first["patients"], first["customers"])


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz"])
def test_archives_are_read_member_by_member(workspace: Path, name: str) -> None:
    members = {f"folder/{key}.hl7": payload for key, payload in SOME.items()} | {"notes.pdf": b"%PDF"}
    modes = {"a.tar": "w:", "a.tar.bz2": "w:bz2", "a.tar.xz": "w:xz"}
    data = zipped(members) if name == "a.zip" else tarred(members, modes.get(name, "w:gz"))
    (workspace / name).write_bytes(data)
    summary = told("ingest", name)
    assert consistent(summary)
    assert (summary["landed"], summary["files"], summary["skipped"]) == (3, 3, 1)


def test_a_compressed_file_is_read(workspace: Path) -> None:
    (workspace / "day.hl7.gz").write_bytes(gzip.compress(b"".join(SOME.values())))
    assert told("ingest", "day.hl7.gz")["landed"] == 3


def test_standard_input_is_read(workspace: Path) -> None:
    summary = told("ingest", "-", given=b"".join(SOME.values()))
    assert (summary["messages"], summary["landed"]) == (3, 3)


def test_a_file_that_is_named_is_read_whatever_its_suffix(workspace: Path) -> None:
    (workspace / "export.2026").write_bytes(MESSAGES["W01"])
    assert told("ingest", "export.2026")["landed"] == 1


def test_names_arrive_as_they_were_sent_in_gb18030(workspace: Path) -> None:
    told("ingest", write(workspace / "in", MESSAGES))
    names = {row["name"] for row in told("customers", "list")}
    assert {"王小明", "李雷", "赵敏"} <= names


def test_a_batch_file_with_wrappers_is_one_file_of_many_messages(workspace: Path) -> None:
    batch = b"FHS|^~\\&|HIS\rBHS|^~\\&|HIS\r" + b"".join(SOME.values()) + b"BTS|3\rFTS|1\r"
    (workspace / "day.hl7").write_bytes(batch)
    assert (told("ingest", "day.hl7")["messages"], told("ingest", "day.hl7")["duplicates"]) == (3, 3)


# --- bad input beside good --------------------------------------------------------------------------------------------


def test_corrupt_files_among_good_ones_are_named_and_the_good_ones_read(workspace: Path) -> None:
    folder = write(workspace / "in", SOME)
    (folder / "picture.hl7").write_bytes(PNG)
    (folder / "empty.hl7").write_bytes(b"")
    (folder / "cut.zip").write_bytes(zipped({"W04.hl7": MESSAGES["W04"]})[:-30])
    (folder / "no.zip").write_bytes(b"PK\x03\x04 but not a zip")
    (folder / "cut.hl7.gz").write_bytes(gzip.compress(MESSAGES["W05"])[:-12])
    (folder / "cut.tar.gz").write_bytes(tarred({"W06.hl7": MESSAGES["W06"]}, "w:gz")[:40])
    summary = told("ingest", "in", exit_code=3)
    assert consistent(summary)
    assert summary["landed"] == 3
    assert len(summary["rejected"]) == 6
    for name in ("picture.hl7", "empty.hl7", "cut.zip", "no.zip", "cut.hl7.gz", "cut.tar.gz"):
        assert any(name in text and text.endswith(".") for text in summary["rejected"]), name
    told_again = told("ingest", "in", exit_code=3)
    assert (told_again["landed"], told_again["duplicates"]) == (0, 3)


def test_a_picture_called_hl7_says_what_it_is(workspace: Path) -> None:
    (workspace / "a.hl7").write_bytes(PNG)
    result = hcrm("ingest", "a.hl7")
    assert result.exit_code == 3
    assert result.stderr == (
        "hcrm: a.hl7: no message: the file is a PNG image, not HL7 v2. "
        "The file was left out; check it or name another adapter.\n"
    )


def test_a_message_without_its_person_is_quarantined_with_a_reason_to_act_on(workspace: Path) -> None:
    nobody = MESSAGES["W01"].replace(b"1001", b"").replace(b"11010119900307002X", b"")
    write(workspace / "in", {"W01": nobody, "W02": MESSAGES["W02"]})
    summary = told("ingest", "in", exit_code=3)
    assert consistent(summary)
    assert (summary["translated"], summary["quarantined"]) == (1, 1)
    (row,) = told("messages", "list", "--state", "quarantined")
    assert row["type"] == "ADT^A28"
    assert row["reason"].startswith("W01.hl7, PID-3: ") and "send the message again" in row["reason"]


def test_a_member_that_would_climb_out_of_its_archive_only_lends_its_content(workspace: Path) -> None:
    members = {"../../evil.hl7": MESSAGES["W01"], "/tmp/evil.hl7": MESSAGES["W02"], "..\\evil.hl7": MESSAGES["W03"]}
    before = sorted(workspace.parent.rglob("*evil*"))
    for name, data in (("evil.zip", zipped(members)), ("evil.tar", tarred(members, "w:"))):
        (workspace / name).write_bytes(data)
    assert told("ingest", "evil.zip")["landed"] == 3
    assert told("ingest", "evil.tar")["duplicates"] == 3
    after = sorted(path for path in workspace.parent.rglob("*evil*") if path.parent != workspace)
    assert after == before == []


def test_links_devices_and_folders_inside_an_archive_are_passed_over(workspace: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for kind, name in ((tarfile.SYMTYPE, "link.hl7"), (tarfile.FIFOTYPE, "pipe.hl7"), (tarfile.DIRTYPE, "d.hl7")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("W01.hl7")
        info.size = len(MESSAGES["W01"])
        archive.addfile(info, io.BytesIO(MESSAGES["W01"]))
    (workspace / "a.tar").write_bytes(stream.getvalue())
    assert told("ingest", "a.tar")["messages"] == 1


def test_a_pipe_in_a_folder_is_passed_over(workspace: Path) -> None:
    import os

    folder = write(workspace / "in", SOME)
    os.mkfifo(folder / "pipe.hl7")
    assert told("ingest", "in")["landed"] == 3


def test_an_encrypted_zip_is_named(workspace: Path) -> None:
    data = bytearray(zipped({"W01.hl7": MESSAGES["W01"]}))
    data[6] |= 1  # the flag of the local header,
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1  # and that of the directory
    (workspace / "secret.zip").write_bytes(bytes(data))
    (text,) = told("ingest", "secret.zip", exit_code=3)["rejected"]
    assert "secret.zip" in text and "locked by a password" in text


# --- wrong calls ------------------------------------------------------------------------------------------------------


def test_an_empty_folder_says_what_would_be_read(workspace: Path) -> None:
    (workspace / "in").mkdir()
    text = sentence(hcrm("ingest", "in"), 1)
    assert "nothing to read for the adapter hl7v2 in in" in text
    assert ".hl7" in text and "Check the path" in text


def test_a_folder_of_other_files_counts_them(workspace: Path) -> None:
    (workspace / "in").mkdir()
    (workspace / "in" / "a.docx").write_bytes(b"PK")
    assert "(1 other files passed over)" in sentence(hcrm("ingest", "in"), 1)


def test_a_missing_path_is_named(workspace: Path) -> None:
    assert sentence(hcrm("ingest", "nowhere"), 1) == "hcrm: There is no file or folder nowhere. Check the path."


def test_a_wrong_adapter_names_the_nearest(workspace: Path) -> None:
    write(workspace / "in", SOME)
    text = sentence(hcrm("ingest", "in", "--adapter", "hl7v3"), 2)
    assert text.startswith("hcrm: There is no enabled adapter 'hl7v3'. Did you mean 'hl7v2'?")
    assert told("messages", "list") == []


def test_a_wrong_source_names_the_nearest_and_lands_nothing(workspace: Path) -> None:
    write(workspace / "in", SOME)
    for more in ((), ("--adapter", "hl7v2")):
        text = sentence(hcrm("ingest", "in", "--source", "hsi", *more), 2)
        assert "There is no source 'hsi' in hcrm.toml. Did you mean 'his'?" in text
        assert "[sources.hsi]" in text
    assert told("messages", "list") == []


def test_two_sources_that_fit_must_be_told_apart(workspace: Path) -> None:
    write(workspace / "in", SOME)
    with (workspace / "hcrm.toml").open("a", encoding="utf-8") as file:
        file.write('\n[sources.lis]\nadapter = "hl7v2"\ncharset = "GB18030"\n')
    assert "Several fit: his, lis. Name one with --source" in sentence(hcrm("ingest", "in"), 2)
    assert told("ingest", "in", "--source", "lis")["source"] == "lis"


def test_without_any_source_the_adapter_s_name_is_the_source(workspace: Path) -> None:
    write(workspace / "in", {"A": MESSAGES["W01"].decode("gb18030").replace("王", "W").encode("ascii", "replace")})
    (workspace / "hcrm.toml").write_text('plugins = ["hl7v2"]\n', encoding="utf-8")
    assert "name the adapter with --adapter" in sentence(hcrm("ingest", "in"), 2)
    assert told("ingest", "in", "--adapter", "hl7v2")["source"] == "hl7v2"
    assert told("ingest", "in", "--adapter", "hl7v2")["duplicates"] == 1


def test_no_path_at_all_is_a_usage_error(workspace: Path) -> None:
    assert "Missing argument" in sentence(hcrm("ingest"), 2)


def test_a_broken_configuration_names_file_and_line(workspace: Path) -> None:
    (workspace / "hcrm.toml").write_text('plugins = ["hl7v2"\ntitle = "x"\n', encoding="utf-8")
    text = sentence(hcrm("ingest", "."), 1)
    assert f"{workspace}/hcrm.toml, line 2: not valid TOML" in text


def test_a_charset_that_does_not_exist_is_refused_before_anything_lands(workspace: Path) -> None:
    file = workspace / "hcrm.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("GB18030", "GB18031"), encoding="utf-8")
    write(workspace / "in", SOME)
    line = file.read_text(encoding="utf-8").partition("GB18031")[0].count("\n") + 1
    assert f"{file}, line {line}: sources.his.charset: " in sentence(hcrm("ingest", "in"), 1)
    assert told("messages", "list") == []


def test_messages_of_a_source_that_was_taken_out_hold_back_no_other(workspace: Path) -> None:
    from hcrm_core.cli.context import Opened
    from hcrm_core.intake.land import land_all
    from hcrm_core.model.translation import RawMessage

    space = Opened(workspace)
    land_all(space.store, "lis", [RawMessage(MESSAGES["W01"], "W01")], now=1)
    space.store.close()
    write(workspace / "in", SOME)
    result = hcrm("ingest", "in")
    assert result.exit_code == 3
    assert "source 'lis'" in result.stderr and "[sources.lis]" in result.stderr
    assert "Translated 3 into" in result.stdout


# --- what it says and what it keeps to itself ----


def test_without_json_it_speaks_in_sentences_and_says_what_is_next(workspace: Path) -> None:
    result = hcrm("ingest", write(workspace / "in", MESSAGES))
    assert result.exit_code == 0
    assert "Read 15 files: 15 messages, 15 new, 0 known already" in result.stdout
    assert "Next: hcrm decide" in result.stdout
    assert result.stderr == ""


def test_nothing_personal_reaches_standard_error(workspace: Path) -> None:
    folder = write(workspace / "in", MESSAGES)
    (folder / "picture.hl7").write_bytes(PNG)
    (folder / "text.hl7").write_text("王芳 13800138000", encoding="gb18030")
    for arguments in (("ingest", "in"), ("messages", "list"), ("messages", "coverage"), ("doctor",)):
        result = hcrm(*arguments)
        assert not [word for word in PRIVATE if word in result.stderr]


def test_a_real_process_keeps_standard_output_for_the_document(workspace: Path) -> None:
    write(workspace / "in", SOME | {"bad": PNG})
    done = subprocess.run(
        [sys.executable, "-c", "from hcrm_core.cli import main; main()", "ingest", "in", "--json"],
        cwd=workspace, capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 3
    assert consistent(json.loads(done.stdout))
    assert done.stderr.decode().startswith("hcrm: in/bad.hl7: no message: the file is a PNG image")
    assert b"Traceback" not in done.stderr


# --- what restored or half-lost files would do ---


def test_a_foreign_key_file_is_refused_before_it_gives_anybody_a_second_id(workspace: Path) -> None:
    hcrm("ingest", write(workspace / "in", SOME))
    (workspace / "hcrm.key").write_text("ab" * 32 + "\n", encoding="ascii")
    assert "key file is not the one" in sentence(hcrm("ingest", "in"), 1)
    assert "key file is not the one" in sentence(hcrm("customers", "list"), 1)


def test_an_inbox_that_lost_messages_is_refused(workspace: Path) -> None:
    hcrm("ingest", write(workspace / "in", SOME))
    for file in workspace.glob("inbox.db*"):
        file.unlink()
    hcrm("db", "upgrade")
    assert "do not belong together" in sentence(hcrm("ingest", "in"), 1)


def test_a_damaged_member_costs_no_other(workspace: Path) -> None:
    import zipfile

    with zipfile.ZipFile(workspace / "some.zip", "w", zipfile.ZIP_STORED) as archive:
        for name, payload in SOME.items():
            archive.writestr(f"{name}.hl7", payload)
    data = bytearray((workspace / "some.zip").read_bytes())
    spoilt = sorted(SOME)[1]
    at = data.index(f"{spoilt}.hl7".encode()) + 60
    data[at] ^= 0xFF
    (workspace / "some.zip").write_bytes(data)
    result = hcrm("ingest", "some.zip")
    assert result.exit_code == 3
    assert f"some.zip!{spoilt}.hl7: cannot be read" in result.stderr
    assert f"{len(SOME) - 1} messages" in result.stdout


def test_what_stands_behind_the_last_message_of_a_file_is_reported(workspace: Path) -> None:
    one = next(iter(SOME.values())).rstrip(b"\r\n")
    (workspace / "batch.hl7").write_bytes(b"BHS|^~\\&|HIS\r" + one + b"\rBTS|5\r")
    told("ingest", "batch.hl7")
    shown = told("messages", "show", "#1")
    assert "count" in {problem["code"] for problem in shown["problems"]}
