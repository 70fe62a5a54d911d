"""Web servers as they are: slow, cut off, packed, moved, and never what was agreed."""

import gzip
import random
import socket
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.certificates import Authority
from support.pulling import StillClock, asked, fetcher
from support.web import Answer, Asked, WebServer

from hcrm_core.errors import ConfigurationError, FetchError, PluginError, UnavailableError
from hcrm_core.fetching.fetcher import Fetcher

Given = Callable[[Asked], Answer]


@pytest.fixture
def serve() -> Iterator[Callable[..., WebServer]]:
    """Starts a server that gives one answer, or what a function gives."""
    servers: list[WebServer] = []

    def start(answer: Answer | Given, **how: object) -> WebServer:
        given = answer if callable(answer) else lambda _: answer
        servers.append(WebServer(given, **how))  # type: ignore[arg-type]
        return servers[-1].__enter__()

    yield start
    for server in servers:
        server.__exit__()


def refused(through: Fetcher, url: str, kind: type[FetchError] = FetchError, **question: object) -> str:
    """The sentence with which a question ends."""
    with pytest.raises(kind) as error:
        asked(through, url, **question)
    through.close()
    return str(error.value)


# --- what is sent and what comes back ---------------------------------------------------------------------------------


def test_a_question_is_sent_as_it_is_and_the_answer_handed_over_whole(serve: Callable[..., WebServer]) -> None:
    server = serve(Answer(201, "张伟".encode(), {"X-One": "1", "x-one": "2"}))
    through = fetcher(Path(), server.url)
    (answer,) = asked(through, f"{server.url}/a|b?c=张", headers={"Accept": "text/x"}, method="POST", body=b"question")
    assert (answer.status, answer.body, answer.headers["x-one"], answer.last) == (201, "张伟".encode(), "1, 2", True)
    (question,) = server.asked
    assert (question.method, question.target, question.body) == ("POST", "/a|b?c=%E5%BC%A0", b"question")
    assert question.headers["accept"] == "text/x" and question.headers["host"] == f"localhost:{server.port}"
    assert "authorization" not in question.headers and "cookie" not in question.headers


def test_a_connection_is_used_again_and_opened_anew_when_the_server_has_closed_it(
    serve: Callable[..., WebServer],
) -> None:
    server = serve(lambda asked: Answer(body=b"x", headers={"Connection": "close"} if "last" in asked.target else {}))
    through = fetcher(Path(), server.url)
    for path in ("/1", "/2", "/last", "/3"):
        asked(through, server.url + path)
    assert server.connections == 2


def test_headers_that_are_the_cores_are_refused(serve: Callable[..., WebServer]) -> None:
    server = serve(Answer())
    through = fetcher(Path(), server.url)
    for headers in ({"Authorization": "Bearer x"}, {"HOST": "a"}, {"X": "a\r\nHost: b"}, {"Cookie": "a=b"}):
        with pytest.raises(PluginError):
            asked(through, server.url, headers=headers)
    assert not server.connections


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300])
def test_a_redirect_is_never_followed(serve: Callable[..., WebServer], status: int) -> None:
    other = serve(Answer())
    server = serve(Answer(status, headers={"Location": other.url}))
    assert "sends us elsewhere" in refused(fetcher(Path(), server.url, pull={"origins": [other.url]}), server.url)
    assert not other.connections


def test_no_proxy_of_the_environment_is_asked(serve: Callable[..., WebServer], monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = serve(Answer(body=b"proxy")), serve(Answer(body=b"server"))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy.url)
    assert asked(fetcher(Path(), server.url), server.url)[0].body == b"server"
    assert not proxy.connections


# --- what is worth asking again ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_busy_servers_are_worth_asking_again_and_not_before_they_say(
    serve: Callable[..., WebServer], status: int
) -> None:
    clock = StillClock()
    date = "Mon, 21 Sep 2026 14:14:10 GMT"  # 50 s after the still clock's beginning
    for text, seconds in {"7": 7.0, date: 50.0, "soon": None, "": None, "-3": None}.items():
        server = serve(Answer(status, headers={"Retry-After": text}))
        with pytest.raises(UnavailableError) as error:
            asked(fetcher(Path(), server.url, clock=clock), server.url)
        assert error.value.after == seconds, text


def test_patience_waits_with_jitter_never_shorter_than_the_server_wants_and_ends(tmp_path: Path) -> None:
    clock = StillClock()
    patience = fetcher(tmp_path, "http://localhost:1", clock=clock, pull={"tries": 6}).patience()
    for _ in range(5):
        patience.failed(UnavailableError("It is away."))
    assert len(clock.waits) == 5 and all(wait <= 0.5 * 2**n for n, wait in enumerate(clock.waits))
    with pytest.raises(FetchError, match=r"It is away\. Asked 6 times\."):
        patience.failed(UnavailableError("It is away."))
    patience.succeeded()
    patience.failed(UnavailableError("It is busy.", 120.0))
    assert clock.waits[-1] >= 120.0
    with pytest.raises(FetchError, match="left alone for 86400 seconds"):
        patience.failed(UnavailableError("It is closed.", 86_400.0))


@pytest.mark.parametrize("how", ["length", "chunked", "gzip", "lines"])
def test_a_cut_answer_is_noticed_and_worth_asking_again(serve: Callable[..., WebServer], how: str) -> None:
    body = b"\n".join(b"%d" % n for n in range(5_000))
    given = {
        "length": Answer(body=body, headers={"Content-Length": str(len(body))}, cut=1_000),
        "lines": Answer(body=body, headers={"Content-Length": str(len(body))}, cut=1_000),
        "chunked": Answer(body=b"400\r\n" + body[:1024] + b"\r\n", headers={"Transfer-Encoding": "chunked"}, cut=1_100),
        "gzip": Answer(body=gzip.compress(body)[:-20], headers={"Content-Encoding": "gzip"}),
    }[how]
    server = serve(given)
    text = refused(fetcher(Path(), server.url), server.url, UnavailableError, lines=how == "lines")
    assert "early" in text or "broke off" in text or "middle" in text


def test_a_server_that_is_away_is_worth_asking_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert "cannot be reached" in refused(fetcher(tmp_path, f"http://localhost:{port}"), f"http://localhost:{port}/",
                                          UnavailableError)  # fmt: skip
    assert "cannot be looked up" in refused(
        fetcher(tmp_path, "https://no.such.host.invalid"), "https://no.such.host.invalid/", UnavailableError
    )


@pytest.mark.parametrize("where", ["head", "body", "page"])
def test_a_server_that_drips_holds_nobody(serve: Callable[..., WebServer], where: str) -> None:
    """Each byte comes in time, and the answer as a whole would take hours."""
    clock = StillClock()
    pull = {"read_seconds": 0.2}
    if where == "head":
        with socket.create_server(("127.0.0.1", 0)) as listening:
            url = f"http://localhost:{listening.getsockname()[1]}"  # it accepts, and says nothing
            assert "did not answer within 0.2 s" in refused(fetcher(Path(), url, pull=pull), url, UnavailableError)
        return
    slow = Answer(body=b"x\n" * 2_000, drip=lambda: clock.wait(0.15))
    server = serve(slow)
    text = refused(fetcher(Path(), server.url, clock=clock, pull=pull), server.url, UnavailableError,
                   lines=where == "body")  # fmt: skip
    assert "too slowly" in text


# --- limits -----------------------------------------------------------------------------------------------------------


def test_a_bomb_is_refused_before_it_goes_off(serve: Callable[..., WebServer]) -> None:
    server = serve(Answer(body=gzip.compress(bytes(64 << 20)), headers={"Content-Encoding": "gzip"}))
    pull = {"page_bytes": 1 << 20, "line_bytes": 1 << 20}
    assert "longer than 1,048,576 bytes" in refused(fetcher(Path(), server.url, pull=pull), server.url)
    text = refused(fetcher(Path(), server.url, pull=pull), server.url, lines=True)
    assert text.startswith("Line 1 of the server's answer is longer than 1,048,576 bytes")


def test_an_answer_that_is_too_long_is_refused_and_one_that_just_fits_is_not(serve: Callable[..., WebServer]) -> None:
    server = serve(lambda asked: Answer(body=bytes(int(asked.target[1:]))))
    through = fetcher(Path(), server.url, pull={"page_bytes": 1_000})
    assert len(asked(through, f"{server.url}/1000")[0].body) == 1_000
    assert "pull.page_bytes" in refused(through, f"{server.url}/1001")


def test_what_is_packed_as_we_did_not_ask_is_refused(serve: Callable[..., WebServer]) -> None:
    server = serve(Answer(body=zlib.compress(b"x"), headers={"Content-Encoding": "deflate"}))
    assert "did not ask for" in refused(fetcher(Path(), server.url), server.url)
    assert server.asked[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("ended", [False, True])
def test_lines_come_in_pieces_that_join_to_the_body_from_any_line_on(
    serve: Callable[..., WebServer], packed: bool, ended: bool
) -> None:
    chance = random.Random(7)
    lines = [b'{"n": %d, "x": "%s"}' % (n, b"x" * chance.choice((0, 10, 5_000))) for n in range(2_300)]
    body = b"\n".join(lines) + (b"\n" if ended else b"")
    headers = {"Content-Encoding": "gzip"} if packed else {}
    server = serve(Answer(body=gzip.compress(body) if packed else body, headers=headers))
    through = fetcher(Path(), server.url)
    for skip in (0, 1, 499, 500, 2_299, 2_300, 5_000):
        pieces = asked(through, server.url, lines=True, skip=skip)
        assert b"".join(piece.body for piece in pieces) == b"".join(body.splitlines(keepends=True)[skip:])
        assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True]
        line = skip
        for piece in pieces:
            assert piece.line == line and len(piece.body) <= (1 << 20) + 5_100
            line += len(piece.body.splitlines())
    assert len(asked(through, server.url, lines=True)) >= 5


def test_an_answer_of_another_status_is_handed_over_whole_though_lines_were_asked_for(
    serve: Callable[..., WebServer],
) -> None:
    server = serve(Answer(404, b"a\n" * 2_000))
    (answer,) = asked(fetcher(Path(), server.url), server.url, lines=True)
    assert (answer.status, len(answer.body)) == (404, 4_000)


def test_no_more_is_sent_in_a_second_than_the_source_bears(serve: Callable[..., WebServer]) -> None:
    server, clock = serve(Answer()), StillClock()
    through = fetcher(Path(), server.url, clock=clock, pull={"requests_per_second": 4.0})
    for _ in range(9):
        asked(through, server.url)
    assert clock.passed == pytest.approx(2.0)


# --- TLS and names ----------------------------------------------------------------------------------------------------


def test_a_server_is_known_by_its_certificate(serve: Callable[..., WebServer], tmp_path: Path) -> None:
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    server = serve(Answer(body=b"x"), certificate=ours.server())
    trusting = fetcher(tmp_path, server.url, pull={"ca": "ours.pem"})
    for _ in range(3):
        assert asked(trusting, server.url)[0].body == b"x"
    assert server.connections == 1
    for pull in ({"ca": "theirs.pem"}, {}):
        assert "certificate" in refused(fetcher(tmp_path, server.url, pull=pull), server.url)
    assert len(server.asked) == 3 and theirs.file.exists()


def test_a_scheme_that_is_the_other_one_is_named(serve: Callable[..., WebServer], tmp_path: Path) -> None:
    tls, plain = serve(Answer(), certificate=Authority(tmp_path, "ours").server()), serve(Answer())
    swapped = [tls.url.replace("https:", "http:"), plain.url.replace("http:", "https:")]
    assert "If its port speaks TLS, write https://" in refused(fetcher(tmp_path, swapped[0]), swapped[0])
    assert "does not speak TLS at this port" in refused(fetcher(tmp_path, swapped[1]), swapped[1])


def test_a_name_that_leads_elsewhere_meets_a_certificate_that_is_not_its_own(
    serve: Callable[..., WebServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Authority(tmp_path, "ours")
    server = serve(Answer(body=b"x"), certificate=ours.server())
    lead(monkeypatch, {"his.example.org": ["127.0.0.1"]})
    url = f"https://his.example.org:{server.port}"
    assert "not its own" in refused(fetcher(tmp_path, url, pull={"ca": "ours.pem"}), url)
    assert not server.asked


def lead(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]]) -> list[str]:
    """Answer names in place of the resolver, another address each time and the last one from then on; the names asked
    for."""
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def answer(host: str, port: int, *args: object, **kwargs: object) -> object:
        if host not in names:
            return real(host, port, *args, **kwargs)  # type: ignore[arg-type]
        looked_up.append(host)
        address = names[host][0] if len(names[host]) == 1 else names[host].pop(0)
        return real(address, port, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return looked_up


def test_a_name_is_looked_up_once_and_that_very_address_is_connected_to(
    serve: Callable[..., WebServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: between the look that is checked and the connection no second look can lead elsewhere."""
    server = serve(Answer(body=b"x"))
    looked_up = lead(monkeypatch, {"localhost": ["127.0.0.1", "10.255.255.1"]})
    assert asked(fetcher(Path(), server.url), server.url)[0].body == b"x"
    assert looked_up == ["localhost"]
    assert "beyond this machine" in refused(fetcher(Path(), server.url), server.url)


def test_a_server_of_several_addresses_is_reached_by_the_one_that_answers(
    serve: Callable[..., WebServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(Answer(body=b"x"))
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, server.port)) for a in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    assert asked(fetcher(Path(), server.url), server.url)[0].body == b"x"


def test_plain_text_beyond_this_machine_needs_to_be_allowed(tmp_path: Path) -> None:
    for url in ("http://his.example.org", "http://10.1.2.3:8080/fhir", "http://[fe80::1]"):
        with pytest.raises(ConfigurationError, match="plain text"):
            fetcher(tmp_path, url)
        fetcher(tmp_path, url, pull={"plaintext": True})
    for url in ("http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "https://his.example.org"):
        fetcher(tmp_path, url)
