"""Two small adapters that pull, of made-up servers: pages and files of JSON over HTTP, and a view of a database.

The server answers `GET /people?since=5`: `{"people": [...], "next": "https://…" or null, "last": 7}`, and `GET /files`
by `{"files": ["https://…", …]}`, whose lines are people. A person is `{"number": "P1", "name": "张伟", "at": 5}`.
"""

import json

from hcrm_core.api import (
    Adapter,
    ConfigurationError,
    FieldCoverage,
    HttpRequest,
    HttpResponse,
    HumanName,
    Identifier,
    InputError,
    Patient,
    Problem,
    Pulled,
    RawMessage,
    Rows,
    SourceSettings,
    SqlQuery,
    Statement,
    Translation,
    hookimpl,
)


class PagesSettings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Attributes: files: Whether files of lines are asked for, and not pages. poll: How long a server at work waits."""

    files: bool = False
    poll: float = 0.0


class People(Adapter):
    """What both read: a person as JSON."""

    version = "1"
    pulls = True

    def translate(self, payload: bytes) -> Translation:
        try:
            person = json.loads(payload)
            number, at = str(person["number"]), int(person["at"])
            name = (HumanName(text=str(person["name"])),)
        except (ValueError, LookupError, TypeError):
            return Translation("", quarantine=Problem("unreadable", "", "It is no person; send it again."))
        record = Patient(key=number, identifier=(Identifier(value=number, system="WARD", type="MR"),), name=name)
        statement = Statement(said_at=at * 1_000_000)
        return Translation("person", statement, (record,), coverage=FieldCoverage(mapped=("name", "number")))


class Pages(People):
    """Pages and files over HTTP."""

    name = "pages"
    settings_type = PagesSettings

    def request(self, position: str) -> HttpRequest:
        state = self.state(position)
        if state.get("files"):
            return HttpRequest(url=state["files"][0], lines=True, skip=state["line"], authenticate=not state["open"])
        headers = {"Accept": "application/json"}
        assert isinstance(self.settings, PagesSettings)
        path = "/files" if self.settings.files else f"/people?since={state['since']}"
        return HttpRequest(url=state.get("next") or f"{self.settings.url}{path}", headers=headers)

    def answer(self, position: str, response: HttpResponse | Rows) -> Pulled:
        if not isinstance(response, HttpResponse):
            raise InputError("These are rows of a database.")
        state = self.state(position)
        if response.status == 202:
            wait = float(response.headers.get("retry-after", "0"))
            return Pulled(position=json.dumps(state), wait=wait or self.settings.poll, progress="waiting")
        if response.status != 200:
            raise InputError(f"The server answered with status {response.status}.")
        if state.get("files"):
            return self.lines(state, response)
        try:
            told = json.loads(response.body)
        except ValueError:
            raise InputError("The server's answer is no JSON.") from None
        if "files" in told:
            state |= {"files": told["files"], "line": 0, "open": told.get("open", False)}
            return Pulled(position=json.dumps(state), done=not told["files"])
        state |= {"next": told["next"], "since": max(state["since"], told.get("last", 0))}
        problems = (Problem("server-said", "page", "The server says something."),) if "said" in told else ()
        return Pulled(
            position=json.dumps(state),
            messages=tuple(map(self.message, told["people"])),
            problems=problems,
            done=told["next"] is None,
            progress=f"since {state['since']}",
        )

    def lines(self, state: dict, response: HttpResponse) -> Pulled:
        lines = response.body.splitlines()
        messages = tuple(RawMessage(line, place=f"line {response.line + n}") for n, line in enumerate(lines, 1) if line)
        state["line"] = response.line + len(lines)
        if response.last:
            state |= {"files": state["files"][1:], "line": 0}
        done = response.last and not state["files"]
        return Pulled(position=json.dumps(state), messages=messages, done=done)

    def message(self, person: dict) -> RawMessage:
        return RawMessage(json.dumps(person, ensure_ascii=False).encode())

    def state(self, position: str) -> dict:
        return json.loads(position) if position else {"since": 0}


class View(People):
    """A view of a database: `people(number, name, at)`, asked 1,200 rows at a time."""

    name = "view"

    def request(self, position: str) -> SqlQuery:
        at, number = json.loads(position) if position else (0, "")
        if not self.settings.url:
            raise ConfigurationError("url: it is missing.")
        return SqlQuery(
            statement="SELECT number, name, at FROM people WHERE at > :at OR at = :at AND number > :number "
            "ORDER BY at, number LIMIT 1200",
            parameters={"at": at, "number": number},
        )

    def answer(self, position: str, response: HttpResponse | Rows) -> Pulled:
        if not isinstance(response, Rows):
            raise InputError("This is an answer of a web server.")
        people = [dict(zip(response.columns, row, strict=True)) for row in response.rows]
        if not people:
            return Pulled(position=position, done=True)
        messages = tuple(RawMessage(json.dumps(person, ensure_ascii=False).encode()) for person in people)
        return Pulled(position=json.dumps([people[-1]["at"], people[-1]["number"]]), messages=messages)


@hookimpl
def register_adapters() -> list[type[Adapter]]:
    """Both."""
    return [Pages, View]
