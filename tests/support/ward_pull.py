"""The ward's small adapter with a server to pull from, and one that gets each promise of a pull wrong."""

import json
import time
from collections.abc import Sequence

from hcrm_core.api import HttpRequest, HttpResponse, InputError, Pulled, RawMessage, Rows, SqlQuery
from support.ward_list import WardList, control_id

LISTS = [
    f"V~2026060109{minute:02}00~C{minute}\nP~P00{minute:02}~张伟~M~1980-02-14~-\nE~V{minute}~AMB~20260601090000".encode()
    for minute in range(10, 22)
]
URL = "https://ward.example.org"


def serves(question: HttpRequest | SqlQuery) -> Sequence[HttpResponse | Rows]:
    """Four pages of two lists, then a file of four lists in pieces of one."""
    assert isinstance(question, HttpRequest)
    if question.url.startswith(f"{URL}/file"):
        lines = [one.replace(b"\n", b"|") + b"\n" for one in LISTS[8:]][question.skip :]
        return [
            HttpResponse(status=200, body=line, line=question.skip + n, last=n == len(lines) - 1)
            for n, line in enumerate(lines)
        ]
    page = int(question.url.rpartition("=")[2])
    here = [one.decode() for one in LISTS[2 * page : 2 * page + 2]] if page < 4 else []
    return [HttpResponse(status=200, body=json.dumps({"lists": here, "more": page < 3}).encode())]


class PullsTheWard(WardList):
    """Keeps every promise."""

    pulls = True

    def request(self, position: str) -> HttpRequest | SqlQuery:
        state = self.state(position)
        if state["page"] > 3:
            return HttpRequest(url=f"{URL}/file", lines=True, skip=state["line"])
        return HttpRequest(url=f"{URL}/lists?page={state['page']}")

    def answer(self, position: str, response: HttpResponse | Rows) -> Pulled:
        if not isinstance(response, HttpResponse) or response.status != 200:
            raise InputError("The ward's server gives no lists.")
        state = self.state(position)
        if state["page"] > 3:
            return self.line(state, response)
        try:
            told = json.loads(response.body)
            lists, more = list(told["lists"]), bool(told["more"])
            messages = tuple(self.raw(one.encode()) for one in lists)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise InputError("The ward's server gives a page that is none.") from None
        return Pulled(position=self.text(page=state["page"] + 1 if more else 4, line=0), messages=messages)

    def line(self, state: dict, response: HttpResponse) -> Pulled:
        lines = response.body.splitlines()
        messages = tuple(self.raw(one.replace(b"|", b"\n")) for one in lines)
        after = self.text(page=0, line=0) if response.last else self.text(page=4, line=response.line + len(lines))
        return Pulled(position=after, messages=messages, done=response.last)

    def raw(self, payload: bytes) -> RawMessage:
        return RawMessage(payload, control_id(payload))

    def state(self, position: str) -> dict:
        return json.loads(position) if position else {"page": 0, "line": 0}

    def text(self, **state: int) -> str:
        return json.dumps(state)


class DeniesThatItPulls(PullsTheWard):
    pulls = False


class NeverComesToAnEnd(PullsTheWard):
    def line(self, state: dict, response: HttpResponse) -> Pulled:
        pulled = super().line(state, response)
        return Pulled(position=pulled.position, messages=pulled.messages)


class StandsStill(PullsTheWard):
    """After the file it asks the same once more, and only then is done."""

    def line(self, state: dict, response: HttpResponse) -> Pulled:
        if response.body or not response.last:
            lines = response.body.splitlines()
            messages = tuple(self.raw(one.replace(b"|", b"\n")) for one in lines)
            here = self.text(page=4, line=response.line + len(lines))
            return Pulled(position=here, messages=messages, done=here == self.text(page=4, line=4))
        return super().line(state, response)

    def request(self, position: str) -> HttpRequest | SqlQuery:
        if position == self.text(page=4, line=4):
            return None  # type: ignore[return-value]
        return super().request(position)


class RemembersItsPage(PullsTheWard):
    page = 0

    def request(self, position: str) -> HttpRequest | SqlQuery:
        question = super().request(position)
        if isinstance(question, HttpRequest) and not question.lines:
            question = HttpRequest(url=f"{URL}/lists?page={self.page}")
            self.page += 1
        return question


class CountsItsQuestions(PullsTheWard):
    asked = 0

    def request(self, position: str) -> HttpRequest | SqlQuery:
        question = super().request(position)
        assert isinstance(question, HttpRequest)
        self.asked += 1
        return HttpRequest(url=question.url, lines=question.lines, skip=question.skip, headers={"X": str(self.asked)})


class RunsAhead(PullsTheWard):
    """The position is past the file as soon as its first line has come."""

    def line(self, state: dict, response: HttpResponse) -> Pulled:
        pulled = super().line(state, response)
        here = pulled.position if pulled.done else self.text(page=4, line=response.line + 3)
        return Pulled(position=here, messages=pulled.messages, done=pulled.done)


class FailsOnErrorPages(PullsTheWard):
    def answer(self, position: str, response: HttpResponse | Rows) -> Pulled:
        if isinstance(response, HttpResponse) and response.body == b"{":
            json.loads(response.body)
        return super().answer(position, response)


class AsksTheClockBeforeItAsks(PullsTheWard):
    def request(self, position: str) -> HttpRequest | SqlQuery:
        time.time()
        return super().request(position)
