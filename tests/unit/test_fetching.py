"""What fetching reads strictly, and how it cuts what it was given."""

import gzip
from email.utils import formatdate
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcrm_core.errors import FetchError
from hcrm_core.fetching.body import Piece, pieces, unpacked, whole
from hcrm_core.fetching.origin import Allowed, Origin, parse
from hcrm_core.fetching.patience import retry_after


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("https://his.example.org", "https://his.example.org", "/"),
        ("HTTPS://His.Example.ORG:443/Fhir", "https://his.example.org", "/Fhir"),
        ("http://10.1.2.3:8080?a=1", "http://10.1.2.3:8080", "/?a=1"),
        ("https://[2001:DB8:0:0::1]:8443/a", "https://[2001:db8::1]:8443", "/a"),
        ("https://his/a%20b?x=%E5%BC%A0|y&z=张", "https://his", "/a%20b?x=%E5%BC%A0|y&z=%E5%BC%A0"),
        ("http://his_1.local:80/@me:1", "http://his_1.local", "/@me:1"),
    ],
)
def test_addresses_are_read_into_origin_and_target(url: str, origin: str, target: str) -> None:
    found = parse(url)
    assert (str(found.origin), found.target) == (origin, target)
    assert parse(f"{found.origin}{found.target}") == found


@given(st.text(alphabet="htps:/.@[]%#?\\0127ax\u3002\u00ad \t\n", max_size=40))
def test_whatever_is_read_is_one_of_an_origin_and_is_read_the_same_again(text: str) -> None:
    for url in (text, f"http://{text}", f"https://127.0.0.1{text}", f"http://{text}@127.0.0.1/"):
        try:
            found = parse(url)
        except ValueError as error:
            assert str(error)
            continue
        assert parse(f"{found.origin}{found.target}") == found
        assert found.target.isascii() and found.target.startswith("/") and "@" not in str(found.origin)
        with pytest.raises(FetchError):
            Allowed(frozenset({Origin("https", "his.example.org", 443)})).require(url)


@given(st.lists(st.binary(max_size=40), max_size=60), st.lists(st.integers(0, 2_000), max_size=20), st.integers(0, 80))
def test_lines_do_not_depend_on_how_they_arrive(lines: list[bytes], cuts: list[int], skip: int) -> None:
    body = b"\n".join(lines)
    places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    chunks = [body[begin:end] for begin, end in pairwise(places)]
    # A line ends with a line feed and nothing else.
    whole_lines = [line + b"\n" for line in body.split(b"\n")[:-1]] + [body.rpartition(b"\n")[2]]
    assert list(pieces(iter(chunks), skip, 5_000)) == [Piece(skip, b"".join(whole_lines[skip:]), True)]
    assert b"".join(piece.body for piece in pieces(iter(chunks), 0, 5_000)) == body


@given(st.lists(st.binary(max_size=3_000), max_size=5), st.integers(1, 50))
def test_what_was_packed_in_any_pieces_is_unpacked_whole(parts: list[bytes], size: int) -> None:
    packed = b"".join(map(gzip.compress, parts)) or gzip.compress(b"")
    chunks = [packed[begin : begin + size] for begin in range(0, len(packed), size)]
    assert whole(unpacked(iter(chunks), "gzip"), 20_000) == b"".join(parts)


def test_a_wish_to_be_left_alone_is_read_in_both_forms() -> None:
    now = 1_790_000_000.0
    assert retry_after("120", now) == 120.0
    assert retry_after(formatdate(now + 90, usegmt=True), now) == 90.0
    assert retry_after(formatdate(now - 90, usegmt=True), now) == 0.0
    assert [retry_after(text, now) for text in ("", None, "soon", "-1", "1.5", "9" * 400)][:5] == [None] * 5
