"""A pull: what goes wrong on the way is mended from the last position, and one that gets nowhere ends."""

import json
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import select
from support.pulling import Pulling, person
from support.web import Answer, Asked, shown

from hcrm_core.errors import FetchError, HcrmError, InputError
from hcrm_core.store.queries import positions
from hcrm_core.store.tables import message


def first(answers: Iterator[Answer | None]) -> Callable[[Asked], Answer | None]:
    """These answers first, then the hospital's own."""
    return lambda asked: next(answers, None)


def test_what_goes_wrong_on_the_way_loses_nothing_and_doubles_nothing(pulling: Callable[..., Pulling]) -> None:
    one = pulling(95)
    whole = json.dumps({"people": [person(n) for n in range(1, 11)], "next": None}).encode()
    cut = Answer(body=whole, headers={"Content-Length": str(len(whole))}, cut=300)
    busy, closed = Answer(503), Answer(429, headers={"Retry-After": "20"})
    one.hospital.before = first(iter([busy, None, cut, closed, None, None, cut, cut, cut, None, Answer(502)]))
    done = one.pull().run()
    assert (done.messages, done.landed, done.duplicates, done.requests) == (95, 95, 0, 17)
    assert 20 <= max(one.clock.waits) < 21 or max(one.clock.waits) == 20


def test_a_server_that_stays_away_ends_the_pull_and_the_next_goes_on_there(pulling: Callable[..., Pulling]) -> None:
    one = pulling(30)
    one.hospital.before = first(iter([None, *[Answer(503)] * 6]))
    with pytest.raises(FetchError, match=r"status 503\. Asked 6 times\. Where the pull was is kept"):
        one.pull().run()
    done = one.pull().run()
    assert (done.messages, done.landed, done.requests) == (20, 20, 2)


@pytest.mark.parametrize("cuts", [0, 3])
def test_a_file_of_lines_goes_on_at_its_line(pulling: Callable[..., Pulling], cuts: int) -> None:
    one = pulling(4_001, lines="files = true")
    left = count(cuts, -1)

    def sometimes_cut(asked: Asked) -> Answer | None:
        if not asked.target.startswith("/file?") or next(left) <= 0:
            return None
        half = one.hospital.people[int(asked.target[-1]) :: 2]
        body = b"".join(json.dumps(one_of, ensure_ascii=False).encode() + b"\n" for one_of in half)
        return Answer(body=body, headers={"Content-Length": str(len(body))}, cut=len(body) * 2 // 3)

    one.hospital.before = sometimes_cut
    done = one.pull().run()
    assert (done.messages, done.landed, done.duplicates, done.requests) == (4_001, 4_001, 0, 3 + cuts)
    with one.space.store.read_inbox() as connection:
        places = set(connection.scalars(select(message.c.place)))
    assert "/file, line 1" in places and "/file, line 2001" in places


def test_people_who_join_or_go_while_pages_are_asked_for_are_not_lost(pulling: Callable[..., Pulling]) -> None:
    """`total` and the pages change from question to question."""
    one = pulling(50)
    people = one.hospital.people

    def changing(asked: Asked) -> None:
        people.append(person(len(people) + 1_000))
        if len(people) % 2:
            people.pop(3)
        if len(people) > 55:
            one.hospital.before = lambda asked: None

    one.hospital.before = changing  # type: ignore[assignment]
    landed = one.pull().run().landed
    with one.space.store.read_inbox() as connection:
        assert landed == len(connection.execute(select(message.c.id)).all())
    assert landed >= len(one.hospital.people)


def test_a_server_at_work_is_waited_for(pulling: Callable[..., Pulling]) -> None:
    one = pulling(5)
    at_work = Answer(202, headers={"Retry-After": "120"})
    one.hospital.before = first(iter([at_work] * 40))
    assert one.pull().run().landed == 5
    assert one.clock.waits.count(120.0) == 40


@pytest.mark.parametrize(
    ("circle", "why", "most"),
    [
        ("itself", "the same question for the third time", 3),
        ("two", "the same question for the third time", 6),
        ("fresh", "the same messages three times running", 4),
        ("empty", "no message 50 times running", 51),
    ],
)
def test_pages_that_lead_in_a_circle_end(
    pulling: Callable[..., Pulling], monkeypatch: pytest.MonkeyPatch, circle: str, why: str, most: int
) -> None:
    monkeypatch.setattr("hcrm_core.intake.pull.EMPTY", 50)
    one = pulling(1, lines="pull = { requests_per_second = 1e6 }")
    numbers = count()

    def round_and_round(asked: Asked) -> Answer:
        assert one.hospital.server
        number = next(numbers)
        people = [] if circle in ("empty", "itself") else [person(number % 2 if circle == "two" else 1, at=1)]
        after = {"itself": "/same", "two": f"/{number % 2}", "fresh": f"/{number}", "empty": f"/{number}"}[circle]
        return shown({"people": people, "next": one.hospital.server.url + after})

    one.hospital.before = round_and_round
    pull = one.pull()
    with pytest.raises(FetchError, match=f"gets nowhere: it .*{why}"):
        pull.run()
    assert pull.count.requests <= most
    assert pull.count.landed == {"two": 2, "fresh": 1}.get(circle, 0)


def test_two_who_pull_one_source_do_not_mix(pulling: Callable[..., Pulling]) -> None:
    one = pulling(40)
    late = one.pull()

    def overtaken(asked: Asked) -> None:
        one.hospital.before = lambda asked: None
        one.pull().run()

    one.hospital.before = overtaken  # type: ignore[assignment]
    with pytest.raises(FetchError, match="being pulled by somebody else"):
        late.run()
    with one.space.store.read_inbox() as connection:
        assert len(connection.execute(select(message.c.id)).all()) == 40
        reached = positions.read(connection, "city")
    assert reached and json.loads(one.space.store.codec.open(reached.body))["since"] == 40 and reached.finished_at == 1


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[1]", b"\xff\xfe", b""])
def test_an_answer_that_is_none_ends_the_pull_and_the_position_stays(
    pulling: Callable[..., Pulling], body: bytes
) -> None:
    one = pulling(20)
    one.hospital.before = first(iter([None, Answer(body=body)]))
    with pytest.raises(HcrmError) as error:
        one.pull().run()
    assert "Report it" in str(error.value) or isinstance(error.value, InputError)
    assert one.pull().run().landed == 10


def test_what_the_adapter_says_of_an_answer_is_counted(pulling: Callable[..., Pulling]) -> None:
    one = pulling(2)
    one.hospital.before = lambda asked: shown({"people": [], "next": None, "said": "x"})
    done = one.pull().run()
    assert [(problem.code, times) for problem, times in done.problems.items()] == [("server-said", 1)]
