"""A workspace whose sources are pulled, and a hospital's server that gives its people page by page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from hcrm_core.cli.context import Opened
from hcrm_core.cli.pulling import fetcher_of, pulled_sources
from hcrm_core.fetching.clock import Clock
from hcrm_core.fetching.fetcher import Fetcher
from hcrm_core.intake.pull import Pull
from hcrm_core.model.adapters import SourceSettings
from hcrm_core.model.pulling import HttpRequest, HttpResponse
from support.plugins import distribution
from support.web import Answer, Asked, WebServer, shown

CODE = (Path(__file__).parent / "pages.py").read_text(encoding="utf-8")


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the plugin `pages`, which offers the adapters `pages` and `view`; gives the folder for the path."""
    site = distribution(folder, "pages", CODE)
    monkeypatch.syspath_prepend(str(site))
    return site


def configure(workspace: Path, sources: str) -> None:
    """Enable the plugin in a workspace, and give it sources."""
    file = workspace / "hcrm.toml"
    text = file.read_text(encoding="utf-8").replace("plugins = [", 'plugins = ["pages", ', 1)
    file.write_text(f"{text}\n{sources}\n", encoding="utf-8")


def person(number: int, at: int | None = None, name: str = "") -> dict[str, Any]:
    """One person, written down at an instant."""
    return {"number": f"P{number:04}", "name": name or f"病人{number}", "at": number if at is None else at}


class Hospital:
    """A server's people, in pages of a size; people may join while it is asked.

    Attributes:
        people: In the order they were written down.
        before: Called with each question; what it gives is answered instead.
    """

    def __init__(self, count: int, size: int = 10) -> None:
        """Args: count: of people; size: of a page."""
        self.people = [person(number) for number in range(1, count + 1)]
        self.size = size
        self.server: WebServer | None = None
        self.before: Callable[[Asked], Answer | None] = lambda asked: None

    def __call__(self, asked: Asked) -> Answer:
        if (instead := self.before(asked)) is not None:
            return instead
        place = urlsplit(asked.target)
        query = {key: int(values[0]) for key, values in parse_qs(place.query).items()}
        assert self.server is not None
        if place.path == "/files":
            return shown({"files": [f"{self.server.url}/file?number={n}" for n in range(2)]})
        if place.path == "/file":
            half = self.people[query["number"] :: 2]
            return Answer(body=b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in half))
        if place.path != "/people":
            return Answer(404)
        fresh = [one for one in self.people if one["at"] > query["since"]]
        here, rest = fresh[: self.size], fresh[self.size :]
        after = f"{self.server.url}/people?since={here[-1]['at']}" if rest else None
        return shown({"people": here, "next": after, "last": here[-1]["at"] if here else 0, "total": len(fresh)})

    def serve(self, **how: Any) -> WebServer:
        """A server for it; `how` as `WebServer` has it."""
        self.server = WebServer(self, **how)
        return self.server


class StillClock(Clock):
    """A clock that goes on only while it is waited for, and so at once.

    Attributes:
        waits: How long was waited, each time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []
        self.passed = 0.0

    def now(self) -> float:
        return 1_790_000_000.0 + self.passed

    def monotonic(self) -> float:
        return self.passed

    def wait(self, seconds: float) -> None:
        if seconds > 0:
            self.waits.append(seconds)
            self.passed += seconds


def fetcher(root: Path, url: str, *, clock: Clock | None = None, **settings: Any) -> Fetcher:
    """What a source is asked through; `settings` as its table has them."""
    table = {"adapter": "pages", "url": url, **settings}
    typed = msgspec.convert(table, SourceSettings)
    return Fetcher(typed, root, lambda *keys: ".".join(("hcrm.toml, source", *keys)), clock or StillClock())


def asked(through: Fetcher, url: str, **question: Any) -> list[HttpResponse]:
    """All pieces of the answer to one question."""
    pieces = list(through.ask(HttpRequest(url=url, **question)))
    assert all(isinstance(piece, HttpResponse) for piece in pieces)
    return [piece for piece in pieces if isinstance(piece, HttpResponse)]


class Pulling:
    """A hospital's server, a workspace that pulls from it, and pulls that never wait in earnest."""

    def __init__(self, hospital: Hospital, space: Opened) -> None:
        self.hospital, self.space = hospital, space
        self.clock = StillClock()
        (self.source,) = pulled_sources(space)

    def pull(self) -> Pull:
        """A pull that has not begun."""
        fetcher = fetcher_of(self.space, self.source, self.clock)
        return Pull(self.space.store, self.space.pool, self.source, fetcher, self.clock, lambda: 1)
