"""FHIR Bulk Data export (https://hl7.org/fhir/uv/bulkdata/export.html).

Ask for it, wait for it, read its files, have it removed; the next one asks for what changed since the transaction time
of this one.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin

import msgspec
from msgspec import Struct

from hcrm_adapter_fhir.pull.outcomes import json_of, problems_of, refused
from hcrm_adapter_fhir.reader import Unreadable, decode
from hcrm_adapter_fhir.settings import ExportSettings
from hcrm_adapter_fhir.splitting import lines
from hcrm_core.api import HttpRequest, HttpResponse, InputError, Problem, Pulled, RawMessage

GONE = (404, 410)
SHORTEST = 0.1
"""Seconds to wait at least between two questions for an export."""

UNREAD = ("export",)
"""What a pull that could not read its export has not read."""


class File(Struct, array_like=True):
    """A file of an export: `output`, `deleted` or `error`."""

    kind: str
    type: str
    url: str


class Position(Struct, omit_defaults=True):
    """Where an export is.

    Attributes:
        since: Transaction time of the last one that was read whole.
        status: Address under which the server tells of the running one; empty: none runs.
        transaction: Its transaction time, once it is ready.
        files: What it gave, once it is ready.
        at: Which file is read.
        line: How many lines of it were read.
        token: Whether its files ask who reads them.
        again: Whether this pull asked for another already, since the one before expired.
        ready: Whether it is ready.
    """

    since: str = ""
    status: str = ""
    transaction: str = ""
    files: list[File] = []
    at: int = 0
    line: int = 0
    token: bool = True
    again: bool = False
    ready: bool = False


class Export:
    """What to ask, and how to read the answer."""

    def __init__(self, base: str, settings: ExportSettings) -> None:
        """Args: base: of the server, without a slash at its end; settings: what is exported."""
        self._base = base
        self._settings = settings

    def request(self, position: str) -> HttpRequest:
        """The export, how far it is, its next file, or its removal."""
        here = _read(position)
        if not here.status:
            headers = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
            return HttpRequest(url=self._kick_off(here), headers=headers)
        if not here.ready:
            return HttpRequest(url=here.status, headers={"Accept": "application/json"})
        if here.at < len(here.files):
            return HttpRequest(
                url=here.files[here.at].url,
                headers={"Accept": "application/fhir+ndjson"},
                lines=True,
                skip=here.line,
                authenticate=here.token,
            )
        return HttpRequest(url=here.status, method="DELETE")

    def answer(self, position: str, response: HttpResponse) -> Pulled:
        """What an answer, or a piece of a file, comes to.

        Raises:
            InputError: The server refuses, or does not answer as Bulk Data servers do.
        """
        here = _read(position)
        if not here.status:
            return self._accepted(here, response)
        if not here.ready:
            return self._waited(here, response)
        if here.at < len(here.files):
            return self._piece(here, response)
        return Pulled(position=_write(Position(since=here.transaction or here.since)), done=True, progress="export")

    def _kick_off(self, here: Position) -> str:
        settings = self._settings
        within = {"system": "", "patient": "/Patient", "group": f"/Group/{settings.group}"}[settings.level]
        asked = []
        if here.since:
            asked.append(("_since", here.since))
        if settings.types:
            asked.append(("_type", ",".join(settings.types)))
        asked += parse_qsl(settings.parameters, keep_blank_values=True)
        return f"{self._base}{within}/$export" + (f"?{urlencode(asked, safe=':,$')}" if asked else "")

    def _accepted(self, here: Position, response: HttpResponse) -> Pulled:
        address = response.headers.get("content-location")
        if response.status != 202 or not address:
            if response.status == 202:
                raise InputError("The server began an export and did not say where it tells of it (Content-Location).")
            raise refused(response, "the request for an export")
        here.status = urljoin(self._kick_off(here), address)
        return Pulled(position=_write(here), wait=self._wait(response), progress="export")

    def _waited(self, here: Position, response: HttpResponse) -> Pulled:
        if response.status == 202:
            told = response.headers.get("x-progress", "")
            shown = told[:60] if told.isascii() and told.isprintable() else ""
            progress = f"export: {shown}" if shown else "export"
            return Pulled(position=_write(here), wait=self._wait(response), progress=progress)
        if response.status in GONE:
            return self._expired(here, response, "the question for the export")
        if response.status != 200:
            # This export failed and will not get better; the next pull asks for another.
            problem = Problem("export-failed", "$export", str(refused(response, "the question for the export")))
            return _ended(here, problem)
        manifest = json_of(response)
        transaction = manifest.get("transactionTime")
        if not isinstance(transaction, str):
            raise InputError("The server's list of exported files has no transactionTime. Ask whoever runs it.")
        here.ready, here.transaction = True, transaction
        here.token = manifest.get("requiresAccessToken") is not False
        here.files = [*_files(manifest, "output"), *_files(manifest, "deleted"), *_files(manifest, "error")]
        return Pulled(position=_write(here), progress=f"export, {len(here.files)} files")

    def _piece(self, here: Position, response: HttpResponse) -> Pulled:
        file = here.files[here.at]
        asked = f"the request for file {here.at + 1} of the export"
        if 400 <= response.status < 500:
            # Links that are their own proof end with 400 or 403 as well, by whoever keeps the files.
            return self._expired(here, response, asked)
        if response.status != 200:
            raise refused(response, asked)
        where = f"file {here.at + 1} of the export"
        progress = f"{file.type or file.kind}, file {here.at + 1} of {len(here.files)}, line {response.line + 1}"
        found: tuple[RawMessage, ...] = ()
        problems: tuple[Problem, ...] = ()
        if file.kind == "error":
            problems = tuple(dict.fromkeys(_told(response.body, where)))
        else:
            timestamp = here.transaction
            found = tuple(lines(response.body, response.line, f"{where}, ", timestamp))
        if response.last:
            here.at, here.line = here.at + 1, 0
        else:
            here.line = response.line + _count(response.body)
        return Pulled(position=_write(here), messages=found, problems=problems, progress=progress)

    def _expired(self, here: Position, response: HttpResponse, asked: str) -> Pulled:
        """An export that can no longer be read: another one since the same time, once."""
        if here.again:
            return _ended(here, Problem("export-failed", "$export", str(refused(response, asked))))
        why = refused(response, asked, "The export may have expired before it was read; another is asked for.")
        ahead = Position(since=here.since, again=True)
        return Pulled(
            position=_write(ahead), problems=(Problem("export-expired", "$export", str(why)),), progress="export"
        )

    def _wait(self, response: HttpResponse) -> float:
        told = response.headers.get("retry-after", "")
        try:
            return min(max(float(told), SHORTEST), 3600.0)
        except ValueError:
            return self._settings.poll_seconds


def _ended(here: Position, problem: Problem) -> Pulled:
    """The end of a pull whose export could not be read; the next one asks for another since the same time."""
    nothing = here.at == 0 and here.line == 0
    position = _write(Position(since=here.since))
    return Pulled(position=position, problems=(problem,), done=True, unread=UNREAD, failed=nothing, progress="export")


def _files(manifest: dict[str, Any], kind: str) -> Iterator[File]:
    listed = manifest.get(kind)
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("url"), str):
            type_ = one.get("type")
            yield File(kind, type_ if isinstance(type_, str) else "", one["url"])


def _told(body: bytes, where: str) -> Iterator[Problem]:
    for line in body.split(b"\n"):
        try:
            outcome = decode(line) if line.strip() else None
        except Unreadable:
            continue
        yield from problems_of(outcome, where)


def _count(body: bytes) -> int:
    return body.count(b"\n") + (not body.endswith(b"\n") and bool(body))


def _read(position: str) -> Position:
    try:
        return msgspec.json.decode(position, type=Position)
    except (msgspec.DecodeError, ValueError):
        return Position()


def _write(position: Position) -> str:
    return msgspec.json.encode(position).decode()
