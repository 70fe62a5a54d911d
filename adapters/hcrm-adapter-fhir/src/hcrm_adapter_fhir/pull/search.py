"""FHIR search (https://hl7.org/fhir/R4/search.html): type after type, what changed since, page after page.

Beside each type stands the newest `meta.lastUpdated` seen; the next search asks for what is as new or newer, less an
overlap, and what comes twice lands once. It moves only when all pages were read, so it does not matter in which order
the server gives them. A type that the server cannot give is told and passed over, so that it holds back no other.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin

import msgspec
from msgspec import Struct

from hcrm_adapter_fhir.mapping import dates
from hcrm_adapter_fhir.pull.outcomes import json_of, problems_of, refused
from hcrm_adapter_fhir.reader import entries_of
from hcrm_adapter_fhir.settings import SearchSettings
from hcrm_adapter_fhir.splitting import messages
from hcrm_core.api import HttpRequest, HttpResponse, InputError, Problem, Pulled, RawMessage

REMEMBERED = 50
"""Pages by which one that comes again is known."""

FULL, UNSORTED, WHOLE = range(3)
"""What is asked of a server: everything; without `_sort`; without `_lastUpdated` too, which reads all every time."""

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
    """

    since: dict[str, str] = {}
    at: int = 0
    next: str = ""
    page: int = 0
    newest: str = ""
    seen: list[str] = []
    plain: dict[str, int] = {}


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
            raise InputError(
                f"The server answered the search for {kind} with something that is no Bundle. Check that the source's "
                "url is the base address of its FHIR interface."
            )
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
        newest = max((here.newest, *_changes(bundle, kind)), key=_order)
        progress = f"{kind}, page {here.page + 1}"
        # A bundle without entries is a message where it lies in a folder; as a page it says that there is nothing.
        nothing = mark in here.seen or next(iter(entries_of(bundle)), None) is None
        found = () if nothing else tuple(_messages(response.body, kind, here.page))
        if address and not again:
            here.next, here.page, here.newest = address, here.page + 1, newest
            here.seen = [*here.seen, mark, _mark(asked.encode())][-REMEMBERED:]
            return Pulled(
                position=_write(here), messages=found, problems=tuple(dict.fromkeys(problems)), progress=progress
            )
        if newest:
            here.since[kind] = max((here.since.get(kind, ""), newest), key=_order)
        return self._on(here, found, problems, progress)

    def _type(self, here: Position) -> str:
        return self._settings.types[here.at % len(self._settings.types)]

    def _first(self, here: Position) -> str:
        kind = self._type(here)
        plain = here.plain.get(kind, FULL)
        asked = [("_count", str(self._settings.count))]
        since = here.since.get(kind) or self._settings.since
        if since and plain < WHOLE:
            asked.append(("_lastUpdated", f"ge{_earlier(since, self._settings.overlap_seconds)}"))
        if plain == FULL:
            asked.append(("_sort", "_lastUpdated"))
        asked += parse_qsl(self._settings.parameters.get(kind, ""), keep_blank_values=True)
        return f"{self._base}/{kind}?{urlencode(asked, safe=':,|$')}"

    def _failed(self, here: Position, kind: str, response: HttpResponse) -> Pulled:
        """An answer that is no page: ask for less, begin the type again, or go on to the next."""
        if here.next:
            # A page's address does not last for ever. What was read is known already when it comes again.
            text = "The server no longer knows the next page; the type is read from its beginning at the next pull."
            return self._on(here, (), [Problem("page-lost", kind, text)], kind)
        plain = here.plain.get(kind, FULL)
        if response.status in (400, 422, 501) and plain < WHOLE:
            here.plain[kind] = plain + 1
            return Pulled(position=_write(here), progress=kind)
        here.plain.pop(kind, None)
        problem = Problem("search-refused", kind, f"{refused(response, f'the search for {kind}')}")
        return self._on(here, (), [problem], kind)

    def _on(self, here: Position, found: tuple[RawMessage, ...], problems: list[Problem], progress: str) -> Pulled:
        """To the next type; after the last one all is known for now."""
        at = (here.at + 1) % len(self._settings.types)
        ahead = Position(since=here.since, at=at, plain=here.plain)
        return Pulled(
            position=_write(ahead),
            messages=found,
            problems=tuple(dict.fromkeys(problems)),
            done=at == 0,
            progress=progress,
        )


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


def _changes(bundle: dict[str, Any], kind: str) -> Iterator[str]:
    """When the resources of a page changed; those of other types were included and have searches of their own."""
    for entry in entries_of(bundle):
        resource = entry.get("resource")
        meta = resource.get("meta") if isinstance(resource, dict) and resource.get("resourceType") == kind else None
        changed = meta.get("lastUpdated") if isinstance(meta, dict) else None
        if isinstance(changed, str) and dates.microseconds(changed, "UTC") is not None:
            yield changed


def _order(instant: str) -> int:
    found = dates.microseconds(instant, "UTC") if instant else None
    return found if found is not None else -(10**18)


def _earlier(instant: str, seconds: int) -> str:
    found = dates.moment(instant, "UTC")
    if found is None:
        return instant
    try:
        return (found - timedelta(seconds=seconds)).astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    except OverflowError:
        return instant


def _mark(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _read(position: str) -> Position:
    try:
        return msgspec.json.decode(position, type=Position)
    except (msgspec.DecodeError, ValueError):
        return Position()


def _write(position: Position) -> str:
    return msgspec.json.encode(position).decode()
