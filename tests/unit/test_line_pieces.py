"""Pieces of lines: together they are the file, each ends with a line, and no mark keeps a file from being read."""

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcrm_core.intake import line_pieces
from hcrm_core.intake.line_pieces import pieces

LINE = "1,张,男,1980-01-01,13900000000\n".encode()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_pieces, "PIECE", 40)
    monkeypatch.setattr(line_pieces, "_CHUNK", 7)
    monkeypatch.setattr(line_pieces, "QUOTED", 60)


@pytest.mark.usefixtures("small")
@given(st.lists(st.sampled_from([b'"', b"\n", b",", b"ab", b"cde" * 9]), max_size=60), st.booleans())
def test_the_pieces_are_the_file(parts: list[bytes], quoted: bool) -> None:
    data = b"".join(parts)
    found = list(pieces(io.BytesIO(data), quoted))
    assert b"".join(one.data for one in found) == data
    assert all(one.data.endswith(b"\n") for one in found[:-1])
    assert [one.before for one in found] == [
        data.count(b"\n", 0, sum(len(one.data) for one in found[:at])) for at in range(len(found))
    ]


@pytest.mark.usefixtures("small")
@given(st.lists(st.text('a,"\n', max_size=20), min_size=1, max_size=30))
def test_no_piece_ends_within_a_quoted_cell(texts: list[str]) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([one, "x"] for one in texts)
    found = pieces(io.BytesIO(stream.getvalue().encode()), quoted=True)
    read = [row for one in found for row in csv.reader(io.StringIO(one.data.decode(), newline=""))]
    assert read == [[one, "x"] for one in texts]


@pytest.mark.parametrize("marks", [1, 2, 3])
def test_a_mark_that_is_never_closed_costs_no_time_and_no_memory(marks: int) -> None:
    data = b'0,"x,1,2,3\n' + LINE * 1_000
    data = data * marks + LINE * (24 * 1024**2 // len(LINE))
    began = time.perf_counter()
    found = list(pieces(io.BytesIO(data), quoted=True))
    assert b"".join(one.data for one in found) == data
    assert max(len(one.data) for one in found) < 2 * line_pieces.PIECE + line_pieces.QUOTED
    assert all(one.data.endswith(b"\n") for one in found)
    assert time.perf_counter() - began < 5


def test_a_file_that_holds_no_line_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 64 MiB"):
        list(pieces(io.BytesIO(b"x" * (line_pieces.LONGEST + 100_000))))
    with pytest.raises(ValueError, match="longer than 64 MiB"):
        list(pieces(io.BytesIO(b'"' + b"x" * (line_pieces.LONGEST + 100_000)), quoted=True))
