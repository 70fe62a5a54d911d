"""FHIR search (https://hl7.org/fhir/R4/search.html): type after type, what changed since, page after page.

Beside each type stands the newest `meta.lastUpdated` seen; the next search asks for what is as new or newer, less an
overlap, and what comes twice lands once. It moves only when all pages were read, so it does not matter in which order
the server gives them. A type that the server cannot give, or not to its end, is told and passed over, so that it holds
back no other; the next pull asks for it again.
"""

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin

import msgspec
from msgspec import Struct

from hcrm_adapter_fhir.pull.changes import earlier, newer, newest_of
from hcrm_adapter_fhir.pull.outcomes import breaks_off, json_of, problems_of, refused, seems
from hcrm_adapter_fhir.reader import entries_of
from hcrm_adapter_fhir.settings import SearchSettings
from hcrm_adapter_fhir.splitting import messages
from hcrm_core.api import HttpRequest, HttpResponse, InputError, Problem, Pulled, RawMessage

REMEMBERED = 50
"""Pages by which one that comes again is known."""

FULL, UNSORTED, WHOLE = range(3)
"""What is asked of a server: everything; without `_sort`; without `_lastUpdated` too, which reads all every time."""

PAUSES = (1.0, 3.0)
"""Seconds after which a page that the server failed at is asked for again, where it does not say them itself."""

_HEADERS = {"Accept": "application/fhir+json"}


class Position(Struct, omit_defaults=True):
    """Where a search is.

    Attributes:
        since: Resource type → newest change seen.
        at: Which type of the settings is asked for.
        next: Address of the next page.
        page: Its number, from 0.
        newest: Newest change seen of the type so far.
        seen: Marks of the last pages.
        plain: Resource type → how much less than everything its searches ask for.
        tries: How often the page was asked for in vain.
        unread: Resource types that this pull could not read, or not to their end.
        refused: How many of them gave nothing.
    """

    since: dict[str, str] = {}
    at: int = 0
    next: str = ""
    page: int = 0
    newest: str = ""
    seen: list[str] = []
    plain: dict[str, int] = {}
    tries: int = 0
    unread: list[str] = []
    refused: int = 0


class Search:
    """What to ask, and how to read the answer."""

    def __init__(self, base: str, settings: SearchSettings) -> None:
        """Args: base: of the server, without a slash at its end; settings: what is searched for."""
        self._base = base
        self._settings = settings

    def request(self, position: str) -> HttpRequest:
        """The next page, or the first of the next type."""
        here = _read(position)
        return HttpRequest(url=here.next or self._first(here), headers=_HEADERS)

    def answer(self, position: str, response: HttpResponse) -> Pulled:
        """The messages of a page.

        Raises:
            InputError: The server does not know us, or is none.
        """
        here, kind = _read(position), self._type(_read(position))
        if response.status == 401:
            raise refused(response, f"the search for {kind}")
        if response.status != 200:
            return self._failed(here, kind, response)
        bundle = json_of(response)
        if bundle.get("resourceType") != "Bundle":
            if bundle.get("resourceType") == "OperationOutcome" or breaks_off(response.body):
                return self._failed(here, kind, response)
            raise InputError(f"The server answered the search for {kind} with {seems(response.body)}")
        problems = [
            problem
            for entry in entries_of(bundle)
            if _is_outcome(entry)
            for problem in problems_of(entry.get("resource"), kind)
        ]
        asked = here.next or self._first(here)
        address, mark = _next(bundle, asked), _mark(response.body)
        again = mark in here.seen or address in ("", asked) or _mark(address.encode()) in here.seen
        if address and again:
            text = "The server gave a page again; the rest of the type was not read. Ask whoever runs it."
            problems.append(Problem("page-repeated", kind, text))
        newest, told = newest_of(bundle, kind, here.newest, response)
        problems += told
        progress = f"{kind}, page {here.page + 1}"
        # A bundle without entries is a message where it lies in a folder; as a page it says that there is nothing.
        nothing = mark in here.seen or not bundle.get("entry")
        found = () if nothing else tuple(_messages(response.body, kind, here.page))
        if address and not again:
            here.next, here.page, here.newest, here.tries = address, here.page + 1, newest, 0
            here.seen = [*here.seen, mark, _mark(asked.encode())][-REMEMBERED:]
            return Pulled(
                position=_write(here), messages=found, problems=tuple(dict.fromkeys(problems)), progress=progress
            )
        if address:
            here.unread.append(kind)
        elif since := newer(here.since.pop(kind, ""), newest, response):
            here.since[kind] = since
        return self._on(here, found, problems, progress)

    def _type(self, here: Position) -> str:
        return self._settings.types[here.at % len(self._settings.types)]

    def _first(self, here: Position) -> str:
        kind = self._type(here)
        plain = here.plain.get(kind, FULL)
        asked = [("_count", str(self._settings.count))]
        since = here.since.get(kind) or self._settings.since
        if since and plain < WHOLE:
            asked.append(("_lastUpdated", f"ge{earlier(since, self._settings.overlap_seconds)}"))
        if plain == FULL:
            asked.append(("_sort", "_lastUpdated"))
        asked += parse_qsl(self._settings.parameters.get(kind, ""), keep_blank_values=True)
        return f"{self._base}/{kind}?{urlencode(asked, safe=':,|$')}"

    def _failed(self, here: Position, kind: str, response: HttpResponse) -> Pulled:
        """An answer that is no page: ask again, or for less, or go on to the next type."""
        status, cut = response.status, breaks_off(response.body)
        plain = here.plain.get(kind, FULL)
        if (cut if status == 200 else status >= 500 and status != 501) and here.tries < len(PAUSES):
            pause = _pause(response, here.tries)
            here.tries += 1
            return Pulled(position=_write(here), wait=pause, progress=kind)
        if not here.next and status in (400, 422, 501) and plain < WHOLE:
            here.plain[kind] = plain + 1
            return Pulled(position=_write(here), progress=kind)
        asked = f"the search for {kind}" + (f", page {here.page + 1}," if here.next else "")
        if status == 200 and cut:
            why = f"The server's answer to {asked} ends in the middle, each of {here.tries + 1} times. Ask who runs it."
        elif here.next:
            advice = "Its pages do not last so long. " if status in (404, 410) else "Ask whoever runs the server. "
            why = f"{refused(response, asked, f'{advice}The next pull reads the type from its beginning.')}"
        else:
            advice = f"If it has no {kind}, take it out of the source's search.types." if status in (400, 404) else ""
            why = f"{refused(response, asked, advice)}"
        here.unread.append(kind)
        if not here.next:
            here.refused += 1
            here.plain.pop(kind, None)
        return self._on(here, (), [Problem("page-lost" if here.next else "search-refused", kind, why)], kind)

    def _on(self, here: Position, found: tuple[RawMessage, ...], problems: list[Problem], progress: str) -> Pulled:
        """To the next type; after the last one all is known for now."""
        at = (here.at + 1) % len(self._settings.types)
        ahead = Position(since=here.since, at=at, plain=here.plain)
        if at:
            ahead.unread, ahead.refused = here.unread, here.refused
        return Pulled(
            position=_write(ahead),
            messages=found,
            problems=tuple(dict.fromkeys(problems)),
            done=at == 0,
            unread=() if at else tuple(dict.fromkeys(here.unread)),
            failed=at == 0 and here.refused >= len(self._settings.types),
            progress=progress,
        )


def _pause(response: HttpResponse, tries: int) -> float:
    """How long to wait before the next try, more than nothing, so that it counts as one."""
    told = response.headers.get("retry-after", "")
    return min(max(float(told), 0.1), 300.0) if told.isdecimal() else PAUSES[tries]


def _messages(body: bytes, kind: str, page: int) -> Iterator[RawMessage]:
    for message in messages(body, "page.json"):
        if not message.control_id.startswith("OperationOutcome") and b'"OperationOutcome"' not in message.payload[:60]:
            place = f"{kind}, page {page + 1}" + (f", {message.place}" if message.place else "")
            yield msgspec.structs.replace(message, place=place)


def _is_outcome(entry: dict[str, Any]) -> bool:
    resource = entry.get("resource")
    return isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome"


def _next(bundle: dict[str, Any], asked: str) -> str:
    links = bundle.get("link")
    for one in links if isinstance(links, list) else ():
        if isinstance(one, dict) and one.get("relation") == "next" and isinstance(one.get("url"), str):
            return urljoin(asked, one["url"])
    return ""


def _mark(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _read(position: str) -> Position:
    try:
        return msgspec.json.decode(position, type=Position)
    except (msgspec.DecodeError, ValueError):
        return Position()


def _write(position: Position) -> str:
    return msgspec.json.encode(position).decode()
