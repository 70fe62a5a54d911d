"""A FHIR server on a real socket that gives the simulated hospital's resources as they were written, byte for byte."""

import json
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from support.web import Answer, Asked, WebServer, shown

PAGE = 500
TRANSACTION = "2030-01-01T00:00:00Z"


class _Line(NamedTuple):
    written: str
    id: str
    body: bytes


class SimulatedFhir:
    """Search with `_lastUpdated`, `_sort`, `_count` and pages, and `$export`; what it does not know it refuses."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: with the NDJSON files of `hcrm simulate --format fhir`."""
        self._files = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.ndjson"))}
        self._lines: dict[str, list[_Line]] = {}
        for kind, data in self._files.items():
            read = [(json.loads(line), line) for line in data.splitlines()]
            # All were written at one offset, so that texts of instants are in their order.
            lines = [_Line(one["meta"]["lastUpdated"], one["id"], line) for one, line in read]
            self._lines[kind] = sorted(lines)
        self.server = WebServer(self)
        self._polls = 0

    @property
    def url(self) -> str:
        """Its base address."""
        return f"{self.server.url}/fhir"

    def __call__(self, asked: Asked) -> Answer:
        place = urlsplit(asked.target)
        path = place.path.removeprefix("/fhir/")
        if path == "$export":
            self._polls = 0
            return Answer(202, headers={"Content-Location": f"{self.url}/jobs/1"})
        if path == "jobs/1":
            return Answer(202) if asked.method == "DELETE" else self._job()
        if path.startswith("files/"):
            return Answer(body=self._files[path.removeprefix("files/")])
        return self._search(path, {name: values[0] for name, values in parse_qs(place.query).items()})

    def _job(self) -> Answer:
        self._polls += 1
        if self._polls == 1:
            return Answer(202, headers={"Retry-After": "0"})
        output = [{"type": kind, "url": f"{self.url}/files/{kind}"} for kind, data in self._files.items() if data]
        return shown({"transactionTime": TRANSACTION, "requiresAccessToken": False, "output": output, "error": []})

    def _search(self, kind: str, query: dict[str, str]) -> Answer:
        assert query.keys() <= {"_count", "_sort", "_lastUpdated", "_start"}, query
        assert query.get("_sort", "_lastUpdated") == "_lastUpdated"
        since = query.get("_lastUpdated", "").removeprefix("ge")
        found = [line for line in self._lines.get(kind, []) if line.written >= since]
        size, start = min(PAGE, int(query.get("_count", PAGE))), int(query.get("_start", 0))
        links = []
        if start + size < len(found):
            rest = "&".join(f"{name}={quote(value)}" for name, value in query.items() if name != "_start")
            links.append({"relation": "next", "url": f"{self.url}/{kind}?{rest}&_start={start + size}"})
        entries = b",".join(
            f'{{"fullUrl":"{self.url}/{kind}/{line.id}","search":{{"mode":"match"}},"resource":'.encode()
            + line.body
            + b"}"
            for line in found[start : start + size]
        )
        head = f'{{"resourceType":"Bundle","type":"searchset","total":{len(found)},"link":{json.dumps(links)},"entry":['
        return Answer(body=head.encode() + entries + b"]}")
