"""The one door for payloads and identifiers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcrm_core.errors import WorkspaceError
from hcrm_core.store.codec import Codec, create_key, read_key

CODEC = Codec(b"\x07" * 32)


@given(st.binary(max_size=1_000))
def test_what_is_sealed_opens_to_the_same_bytes(plain: bytes) -> None:
    assert CODEC.open(CODEC.seal(plain)) == plain


@pytest.mark.parametrize("length", [0, 199, 200, 201, 100_000])
def test_short_and_long_payloads_open_alike(length: int) -> None:
    plain = b"\x00\x01MSH|^~\\&|" * (length // 10 + 1)
    assert CODEC.open(CODEC.seal(plain[:length])) == plain[:length]


def test_a_long_payload_is_compressed() -> None:
    assert len(CODEC.seal(b"OBX|1|NM|GLU||5.4\r" * 500)) < 1_000


@given(st.lists(st.text(max_size=8), min_size=1, max_size=4))
def test_a_token_is_twenty_hexadecimal_digits_and_the_same_every_time(parts: list[str]) -> None:
    token = CODEC.token(*parts)
    assert len(token) == 20 and int(token, 16) >= 0
    assert Codec(b"\x07" * 32).token(*parts) == token


def test_tokens_differ_by_part_by_place_and_by_key() -> None:
    tokens = {
        CODEC.token("Patient", "his", "1"),
        CODEC.token("Patient", "his", "2"),
        CODEC.token("Patient", "his1", ""),
        CODEC.token("Patienthis", "1"),
        CODEC.token("his", "Patient", "1"),
        Codec(b"\x08" * 32).token("Patient", "his", "1"),
    }
    assert len(tokens) == 6


def test_a_key_is_made_for_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "hcrm.key"
    create_key(path)
    assert path.stat().st_mode & 0o077 == 0
    key = read_key(path)
    assert len(key) == 32
    with pytest.raises(WorkspaceError, match=r"hcrm\.key exists already; a workspace's key is never replaced"):
        create_key(path)
    assert read_key(path) == key


def test_two_workspaces_have_two_keys(tmp_path: Path) -> None:
    create_key(tmp_path / "a")
    create_key(tmp_path / "b")
    assert read_key(tmp_path / "a") != read_key(tmp_path / "b")


def test_a_missing_key_says_to_restore_it(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="Restore it from your backup"):
        read_key(tmp_path / "hcrm.key")


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "07" * 31, "07" * 33, "０７" * 32])
def test_a_damaged_key_says_what_it_must_hold(tmp_path: Path, content: str) -> None:
    path = tmp_path / "hcrm.key"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(WorkspaceError, match="damaged: it must hold 64 hexadecimal digits"):
        read_key(path)
