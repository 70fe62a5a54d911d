"""Every HL7 v2 file of the shared corpora, collected from public projects, is found and read."""

import os
from pathlib import Path

import pytest

from hcrm_adapter_hl7v2.reader import FileRemark, UnreadableMessage, read_message, split_messages

CORPORA = Path(__file__).parents[4] / "shared" / "corpora" / "hl7v2"

# Files without a message, and what they are.
WITHOUT_MESSAGE = {
    "test-hl7-single-field-output.txt": "one field",
    "test-hl7-single-segment-output.txt": "one PID segment",
    "StreamHandlerTests_002.hl7": "an empty file wrapper",
    "samples_008.hl7": "a batch whose message lost its MSH",
    "samples_017.hl7": "a file whose message lost its MSH",
    "samples_020.hl7": "a file whose message lost its MSH",
}


def files():
    return sorted(path for path in CORPORA.rglob("*") if path.suffix in (".hl7", ".txt"))


@pytest.fixture(scope="module")
def corpora():
    if not CORPORA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("the corpora are not beside the clone, where CI puts them")
        pytest.skip("no shared corpora beside this clone")
    return {path: list(split_messages(path.read_bytes())) for path in files()}


def test_every_message_is_found_and_read(corpora):
    found, unreadable = 0, []
    for path, items in corpora.items():
        for item in items:
            if isinstance(item, FileRemark):
                continue
            found += 1
            try:
                message = read_message(item)
            except UnreadableMessage as error:
                unreadable.append((path.name, error.reason))
                continue
            assert message.get("MSH-2") is not None
            assert "malformed-segment" not in [repair.code for repair in message.repairs], path
    assert found >= 845
    assert unreadable == []


def test_files_without_message_are_the_known_ones(corpora):
    without = {path.name for path, items in corpora.items() for item in items if item[0] == "not-hl7"}
    assert without == set(WITHOUT_MESSAGE)


def test_nothing_is_lost_between_messages(corpora):
    """Every byte that is not a blank is in a message, in a remark, in a wrapper segment or is reported junk."""
    for path, items in corpora.items():
        rest = path.read_bytes()
        for item in items:
            rest = rest.replace(item.raw, b"", 1)
        lines = [line for line in rest.replace(b"\r", b"\n").split(b"\n") if line.strip()]
        assert all(line.startswith((b"FHS", b"BHS", b"BTS", b"FTS")) or line == b"[SOM]" for line in lines), path
