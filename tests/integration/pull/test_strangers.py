"""Row 22 of the scorecard: whoever hands out an address, nobody off the list is connected to, and no token leaves."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from support.pulling import StillClock, asked, configure, fetcher, install
from support.web import Answer, Asked, WebServer, shown

from hcrm_core.cli.context import Opened
from hcrm_core.cli.pulling import fetcher_of, pulled_sources
from hcrm_core.errors import HcrmError
from hcrm_core.intake.pull import Pull

TOKEN = "the-hospitals-secret-token"


class Street(NamedTuple):
    """The hospital's server, and strangers on every door beside it."""

    own: WebServer
    strangers: list[WebServer]

    @property
    def port(self) -> int:
        return self.own.port

    @property
    def other(self) -> int:
        return self.strangers[0].port

    def clean(self) -> dict[str, int]:
        """Check that no stranger was visited or told anything; gives the counts of both."""
        visits = sum(stranger.connections for stranger in self.strangers)
        told = sum(TOKEN in repr(asked) for stranger in self.strangers for asked in stranger.asked)
        assert (visits, told) == (0, 0)
        return {"connections": visits, "tokens": told}


def addresses(port: int, other: int) -> list[str]:
    """Addresses that lead, or would lead somebody, away from `http://127.0.0.1:{port}`."""
    own, them = f"127.0.0.1:{port}", f"127.0.0.1:{other}"
    elsewhere = [
        # another door, another house, another language
        f"http://{them}/", f"https://{own}/", f"https://{them}/", f"http://127.0.0.2:{port}/", "http://127.0.0.1/",
        f"http://localhost:{other}/", f"http://localhost:{port}/", f"http://0.0.0.0:{port}/", f"http://0.0.0.0:{other}/",
        "http://169.254.169.254/latest/meta-data/", f"HTTP://{them}/", f"hTTpS://{own}/",
        # what begins like the hospital's address
        f"http://127.0.0.1:{port}0/", f"http://{own}.example.org/", f"http://127.0.0.1.example.org:{port}/",
        f"http://{own}:{other}/", f"http://{own},{them}/", f"http://127.0.0.1:{port + 65_536}/", "http://127.0.0.1:-1/",
        f"http://127.0.0.1:+{port}/", "http://127.0.0.1:0/", "http://127.0.0.1:/", f"http://127.0.0.1: {port}/",
        f"http://127.0.0.1:{port}%0d%0a/", f"http://127.0.0.1:０{port}/",
        # names before the host, and what hides them
        f"http://{own}@{them}/", f"http://a:b@{own}/", f"http://{them}@{own}/", f"http://@{own}/", f"http://:@{them}/",
        f"http://{own}%40{them}/", f"http://{own}\\@{them}/", f"http://{them}\\@{own}/", f"http://{own}&@{them}/",
        f"http://{own}#@{them}/", f"http://{them}#@{own}/", f"http://{them}?@{own}/", f"http://{them}/@{own}/",
        f"http://{own} @{them}/", f"http://{them} @{own}/", f"http://{own}\t@{them}/", f"http://{own};@{them}/",
        # numbers that are addresses to some
        f"http://127.1:{other}/", f"http://127.0.1:{other}/", f"http://2130706433:{other}/", f"http://0x7f000001:{other}/",
        f"http://0x7f.0.0.1:{other}/", f"http://0177.0.0.1:{other}/", f"http://017700000001:{other}/",
        f"http://127.0.0.1.:{other}/", f"http://127.0.0.01:{other}/", f"http://0:{other}/", f"http://127.1:{port}/",
        f"http://2130706433:{port}/", f"http://127.0.0.1.:{port}/", f"http://0177.0.0.1:{port}/",
        # IPv6 in all its forms
        f"http://[::1]:{port}/", f"http://[::1]:{other}/", f"http://[::ffff:127.0.0.1]:{port}/",
        f"http://[::ffff:127.0.0.1]:{other}/", f"http://[::ffff:7f00:1]:{port}/", f"http://[0:0:0:0:0:ffff:7f00:1]:{other}/",
        f"http://[::127.0.0.1]:{other}/", f"http://[::]:{other}/", f"http://[::1%25lo]:{other}/",
        f"http://[::1%lo]:{port}/", f"http://[64:ff9b::7f00:1]:{other}/", f"http://[::1]@{own}/", f"http://::1:{port}/",
        f"http://[127.0.0.1]:{other}/", "http://[::1/", f"http://[]:{port}/", f"http://[v1.a]:{port}/",
        # letters that look like others, or vanish
        f"http://①②⑦.⓪.⓪.①:{other}/", f"http://127。0。0。1:{other}/", f"http://１２７.0.0.1:{port}/",
        f"http://loc\u00adalhost:{other}/", f"http://localhoſt:{other}/", f"http://xn--lochost-cwa:{other}/",
        f"http://127.0.0.1\u200b:{port}/", f"http://127.0.0.1:{port}\u3000/", f"http://%6c%6f%63alhost:{other}/",
        f"http://127.0.0.1%00.example.org:{port}/", f"http://127.0.0.1\x00:{port}/", f"http://127%2e0%2e0%2e1:{other}/",
        # what is no address of the web, or none at all
        f"//{them}/", f"///{them}/", f"http:{them}/", f"http:/{them}/", f"http:///{them}/", f"http:\\\\{them}\\",
        f"http:/\\{them}/", f"https:{own}/", f"ftp://{them}/", f"ws://{them}/", "file:///etc/passwd", f"gopher://{them}/_x",
        f"dict://{them}/", "unix:///run/x.sock", "http+unix://%2Frun%2Fx.sock/", "data:application/json,{}",
        "javascript:alert(1)", f"jar:http://{them}!/", f"view-source:http://{them}/", "", "/", "people",
        "http://", "http:", f" http://{them}/", f"http://{them}/ ", f"\nhttp://{them}/",
        f"http://{them}/\r\nHost: {own}",
        f"http://{own}/\r\nHost: {them}\r\n\r\n", f"http://{own}/ HTTP/1.1\r\nHost: {them}\r\nX: ", f"http://?{them}/",
        f"http://#{own}", f"http://.:{other}/", f"http://..:{other}/", f"http://-a:{other}/",
        f"http://{'a' * 300}:{other}/",
    ]  # fmt: skip
    return list(dict.fromkeys(elsewhere))


@pytest.fixture
def street() -> Iterator[tuple[Street, dict[str, Callable[[Asked], Answer]]]]:
    """The servers; what the hospital's answers is set by the test."""
    says: dict[str, Callable[[Asked], Answer]] = {"": lambda asked: Answer(500)}
    with ExitStack() as stack:
        own = stack.enter_context(WebServer(lambda asked: says[""](asked)))
        caught = lambda asked: shown({"people": [], "next": None, "access_token": "x", "token_type": "bearer"})  # noqa: E731
        doors = [("127.0.0.1", 0), ("127.0.0.2", own.port)]
        strangers = [stack.enter_context(WebServer(caught, address=door)) for door in doors]
        yield Street(own, strangers), says


def secret(root: Path) -> dict[str, str]:
    """Settings of a bearer token."""
    file = root / "token"
    file.write_text(TOKEN, encoding="utf-8")
    file.chmod(0o600)
    return {"method": "bearer", "secret_file": "token"}


def test_no_address_that_an_adapter_asks_at_leads_off_the_list(
    street: tuple[Street, dict], tmp_path: Path, tally: Callable[..., None]
) -> None:
    places, says = street
    says[""] = lambda asked: Answer()
    through = fetcher(tmp_path, f"http://127.0.0.1:{places.port}", authentication=secret(tmp_path))
    tried = addresses(places.port, places.other)
    for url in tried:
        with pytest.raises(HcrmError) as error:
            asked(through, url)
        assert TOKEN not in str(error.value) and str(error.value).endswith("."), url
    assert len(tried) >= 120 and not places.own.connections
    asked(through, f"http://127.0.0.1:{places.port}/right")
    assert places.own.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    tally("hostile addresses", urls=len(tried), **places.clean())


@pytest.mark.parametrize("by", ["next", "files"])
def test_no_address_in_a_servers_answer_leads_off_the_list(
    by: str, street: tuple[Street, dict], workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    tally: Callable[..., None],
) -> None:  # fmt: skip
    """`next` of a page, and `output.url` of an export, through the adapter and the pull as `hcrm pull` runs it."""
    places, says = street
    install(tmp_path / "site", monkeypatch)
    secret(workspace)
    lines = f'files = {str(by == "files").lower()}\nauthentication = {{ method = "bearer", secret_file = "token" }}'
    configure(workspace, f'[sources.city]\nadapter = "pages"\nurl = "http://127.0.0.1:{places.port}"\n{lines}\n')
    space = Opened(workspace)
    tried = [url for url in addresses(places.port, places.other) if url]
    try:
        (source,) = pulled_sources(space)
        for number, url in enumerate(tried, 1):
            person = {"number": f"P{number}", "name": "张伟", "at": 0}
            says[""] = lambda _, url=url, person=person: shown(
                {"files": [url]} if by == "files" else {"people": [person], "next": url}
            )
            clock = StillClock()
            one = fetcher_of(space, source, clock)
            pull = Pull(space.store, space.pool, source, one, clock, lambda: 1)
            with pytest.raises(HcrmError) as error:
                pull.run()
            one.close()
            assert TOKEN not in str(error.value), url
            with space.store.write_inbox() as connection:
                connection.exec_driver_sql("DELETE FROM position")
            assert pull.count.landed == (1 if by == "next" else 0)  # what came before is kept
    finally:
        space.close()
    assert len(places.own.asked) == len(tried)
    tally("hostile addresses", urls=len(tried), **places.clean())


def test_no_token_is_asked_for_off_the_list(
    street: tuple[Street, dict], tmp_path: Path, tally: Callable[..., None]
) -> None:
    """`token_endpoint` of a server's SMART configuration, and `token_url` of ours: a secret would be sent there."""
    places, says = street
    given = secret(tmp_path) | {"method": "client_secret", "client_id": "hcrm"}
    url = f"http://127.0.0.1:{places.port}"
    tried = addresses(places.port, places.other)
    for endpoint in tried:
        says[""] = lambda _, endpoint=endpoint: shown({"token_endpoint": endpoint})
        with pytest.raises(HcrmError) as error:
            asked(fetcher(tmp_path, url, authentication=given), f"{url}/people")
        assert TOKEN not in str(error.value), endpoint
        if endpoint:
            with pytest.raises(HcrmError):
                fetcher(tmp_path, url, authentication=given | {"token_url": endpoint})
    assert all("smart-configuration" in one.target and not one.body for one in places.own.asked)
    tally("hostile addresses", urls=2 * len(tried) - 1, **places.clean())


def test_no_redirect_leads_off_the_list(
    street: tuple[Street, dict], tmp_path: Path, tally: Callable[..., None]
) -> None:
    places, says = street
    url = f"http://127.0.0.1:{places.port}"
    through = fetcher(tmp_path, url, authentication=secret(tmp_path))
    tried = [one for one in addresses(places.port, places.other) if one.isascii() and one.isprintable()]
    for number, location in enumerate(tried):
        status = (301, 302, 303, 307, 308)[number % 5]
        says[""] = lambda _, status=status, location=location: Answer(
            status, headers={"Location": location, "Refresh": f"0; url={location}", "Content-Location": location}
        )
        with pytest.raises(HcrmError, match="sends us elsewhere"):
            asked(through, f"{url}/people")
    tally("hostile addresses", urls=len(tried), **places.clean())


def test_no_name_that_is_rebound_leads_off_the_list(
    street: tuple[Street, dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Callable[..., None]
) -> None:
    """The name leads to the hospital when it is looked up, and to a stranger's door ever after."""
    places, says = street
    says[""] = lambda asked: Answer(headers={"Connection": "close"})
    real, answers, looked_up = socket.getaddrinfo, ["127.0.0.1"], 0

    def rebound(host: str, port: int, *args: object, **kwargs: object) -> object:
        nonlocal looked_up
        if host != "his.example.org":
            return real(host, port, *args, **kwargs)  # type: ignore[arg-type]
        looked_up += 1
        address = answers.pop(0) if answers else "127.0.0.2"
        return real(address, port, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    url = f"http://his.example.org:{places.port}"
    for _ in range(20):
        answers[:] = ["127.0.0.1"]
        looked_up = 0
        through = fetcher(tmp_path, url, authentication=secret(tmp_path), pull={"plaintext": True})
        asked(through, f"{url}/people")
        assert looked_up == 1
        through.close()
    assert len(places.own.asked) == 20
    tally("hostile addresses", urls=20, **places.clean())


def test_an_origin_that_is_listed_is_asked_with_the_token_and_without_where_the_address_is_the_proof(
    street: tuple[Street, dict], tmp_path: Path
) -> None:
    places, says = street
    says[""] = lambda asked: Answer()
    files = f"http://127.0.0.1:{places.other}"
    url = f"http://127.0.0.1:{places.port}"
    through = fetcher(tmp_path, url, authentication=secret(tmp_path), pull={"origins": [files]})
    asked(through, f"{files}/a")
    asked(through, f"{files}/b?signature=x", authenticate=False)
    sent = [one.headers.get("authorization") for one in places.strangers[0].asked]
    assert sent == [f"Bearer {TOKEN}", None]
