"""A FHIR server on a real socket that searches and exports, and can be as wrong as servers are."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.fhir import ndjson
from support.web import Answer, Asked, WebServer, shown


def outcome(code: str, severity: str = "error", **more: Any) -> dict[str, Any]:
    """An OperationOutcome of one issue."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, **more}]}


class FhirServer:
    """The resources of a hospital.

    Attributes:
        resources: In the order they were written.
        size: Of a page, whatever `_count` says.
        knows: Search parameters it takes; others are answered with 400.
        polls: How often a running export is answered with 202.
        before: Called with each question; what it gives is answered instead.
        deleted: References that an export tells of as deleted.
        transaction: Time of an export.
    """

    def __init__(self, *resources: dict[str, Any], size: int = 10) -> None:
        """Args: resources: there are; size: of a page."""
        self.resources = list(resources)
        self.size = size
        self.knows = {"_count", "_sort", "_lastUpdated", "_getpages", "_include", "category"}
        self.polls = 1
        self.deleted: list[str] = []
        self.transaction = "2026-03-12T08:00:00Z"
        self.before: Callable[[Asked], Answer | None] = lambda asked: None
        self.server: WebServer | None = None
        self._waited = 0
        self.exports = 0

    def serve(self) -> WebServer:
        """A server for it."""
        self.server = WebServer(self)
        return self.server

    @property
    def url(self) -> str:
        """Its base address."""
        assert self.server is not None
        return f"{self.server.url}/fhir"

    def __call__(self, asked: Asked) -> Answer:
        if (instead := self.before(asked)) is not None:
            return instead
        place = urlsplit(asked.target)
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        path = place.path.removeprefix("/fhir/")
        if path.endswith("$export"):
            return self._begin(asked)
        if path.startswith("export/"):
            return self._export(asked, path.split("/")[1:])
        return self._search(path, query)

    def _search(self, kind: str, query: dict[str, str]) -> Answer:
        if strange := query.keys() - self.knows:
            return shown(outcome("not-supported", diagnostics=f"unknown {sorted(strange)} 王芳芳"), status=400)
        found = [one for one in self.resources if one["resourceType"] == kind]
        if since := query.get("_lastUpdated", "").removeprefix("ge"):
            found = [one for one in found if _at(one["meta"]["lastUpdated"]) >= _at(since)]
        if "_sort" in query:
            found = sorted(found, key=lambda one: _at(one["meta"]["lastUpdated"]))
        start = int(query.get("_getpages", 0))
        links = [{"relation": "self", "url": "ignored"}]
        if start + self.size < len(found):
            rest = "&".join(f"{n}={v}" for n, v in query.items() if n != "_getpages")
            links.append(
                {
                    "relation": "next",
                    "url": f"{self.url}/{kind}?{rest}&_getpages={start + self.size}".replace("+", "%2B"),
                }
            )
        entries = [
            {"fullUrl": f"{self.url}/{kind}/{one['id']}", "resource": one, "search": {"mode": "match"}}
            for one in found[start : start + self.size]
        ]
        return shown({"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries})

    def _begin(self, asked: Asked) -> Answer:
        if asked.headers.get("prefer") != "respond-async":
            return shown(outcome("invalid"), status=400)
        self.exports += 1
        self._waited = 0
        return Answer(202, headers={"Content-Location": f"{self.url}/export/{self.exports}"})

    def _export(self, asked: Asked, path: list[str]) -> Answer:
        if asked.method == "DELETE":
            return Answer(202)
        if len(path) == 2:
            return self._file(path[1])
        if self._waited < self.polls:
            self._waited += 1
            return Answer(202, headers={"Retry-After": "0", "X-Progress": f"{self._waited} of {self.polls}"})
        kinds = dict.fromkeys(one["resourceType"] for one in self.resources)
        at = f"{self.url}/export/{path[0]}"
        manifest = {
            "transactionTime": self.transaction,
            "requiresAccessToken": False,
            "output": [{"type": kind, "url": f"{at}/{kind}"} for kind in kinds],
            "deleted": [{"type": "Bundle", "url": f"{at}/deleted"}] if self.deleted else [],
            "error": [{"type": "OperationOutcome", "url": f"{at}/error"}],
        }
        return shown(manifest)

    def _file(self, name: str) -> Answer:
        if name == "error":
            return Answer(body=ndjson(outcome("processing", expression=["Observation.value"])))
        if name == "deleted":
            entries = [{"request": {"method": "DELETE", "url": one}} for one in self.deleted]
            return Answer(body=ndjson({"resourceType": "Bundle", "type": "transaction", "entry": entries}))
        return Answer(body=ndjson(*(one for one in self.resources if one["resourceType"] == name)))


def _at(instant: str) -> datetime:
    return datetime.fromisoformat(instant)


def page(*resources: Any, **more: Any) -> dict[str, Any]:
    """A page of a search."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources], **more}


def as_json(value: Any) -> bytes:
    """JSON."""
    return json.dumps(value).encode()
