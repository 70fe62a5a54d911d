"""`hcrm pull` from FHIR servers: search and Bulk Data, and what it makes of servers that are wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fhir import PRIVATE, observation, patient
from support.fhir_server import FhirServer, outcome, page
from support.ward import NOW, hcrm, told
from support.web import Answer, Asked, shown

HOUR = [f"2026-03-10T{hour:02}:00:00Z" for hour in range(24)]


@pytest.fixture
def server(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FhirServer]:
    monkeypatch.setenv("HCRM_NOW", NOW)
    fhir = FhirServer()
    with fhir.serve():
        yield fhir


def configure(server: FhirServer, more: str = "", types: tuple[str, ...] = ("Patient",)) -> None:
    with Path("hcrm.toml").open("a") as file:
        file.write(
            f'\n[sources.ehr]\nadapter = "fhir"\nurl = "{server.url}"\n{more}\n'
            f"[sources.ehr.search]\ntypes = {json.dumps(list(types))}\ncount = 10\n"
        )
        file.write("[sources.ehr.export]\npoll_seconds = 0.1\n")
        file.write("[sources.ehr.pull]\nrequests_per_second = 1000\ntries = 2\n")


def pull(exit_code: int = 0) -> dict[str, Any]:
    summary: dict[str, Any] = told("pull", "ehr", exit_code=exit_code)
    assert summary["messages"] == summary["landed"] + summary["duplicates"]
    return summary


def asked(server: FhirServer) -> list[str]:
    assert server.server is not None
    return [one.target for one in server.server.asked]


# --- search -----------------------------------------------------------------------------------------------------------


def test_types_are_searched_page_by_page_and_the_next_pull_asks_for_what_changed(server: FhirServer) -> None:
    server.resources = [patient(f"p{n}", written=HOUR[n % 20]) for n in range(25)]
    server.resources += [observation(f"o{n}", "p1", written=HOUR[n]) for n in range(3)]
    configure(server, types=("Patient", "Observation"))
    first = pull()
    assert (first["requests"], first["landed"], first["translated"], first["patients"]) == (4, 28, 28, 25)
    server.resources.append(patient("p9", 2, "2026-03-11T07:00:00+08:00", gender="male"))
    second = pull()
    # Told again within the overlap of five minutes: the newest patient and the newest result.
    assert (second["requests"], second["landed"], second["duplicates"]) == (2, 1, 2)
    assert "_lastUpdated=ge2026-03-10T18:55:00.000Z" in asked(server)[-2]
    assert "_lastUpdated=ge2026-03-10T01:55:00.000Z" in asked(server)[-1]


def test_types_a_server_has_nothing_of_bring_no_message(server: FhirServer) -> None:
    server.resources = [patient("p1")]
    configure(server, types=("Location", "Procedure", "Immunization", "MedicationRequest", "Patient"))
    summary = pull()
    assert (summary["requests"], summary["messages"]) == (5, 1)


def test_a_server_that_knows_neither_sort_nor_dates_is_read_whole_every_time(server: FhirServer) -> None:
    server.resources = [patient(f"p{n}", written=HOUR[n]) for n in (5, 1, 3)]
    server.knows = {"_count", "_getpages"}
    configure(server)
    assert pull()["landed"] == 3
    again = pull()
    assert (again["landed"], again["duplicates"]) == (0, 3)
    assert asked(server)[-1].endswith("Patient?_count=10")


def test_pages_in_no_order_lose_nothing(server: FhirServer) -> None:
    server.resources = [patient(f"p{n}", written=HOUR[(n * 7) % 24]) for n in range(24)]
    server.before = lambda one: server._search("Patient", {"_getpages": one.target.partition("_getpages=")[2] or "0"})
    configure(server)
    assert pull()["landed"] == 24
    assert json.loads(position())["since"] == {"Patient": HOUR[23]}


def position() -> str:
    from hcrm_core.cli.context import opened
    from hcrm_core.intake.land import reached

    with opened(None) as space:
        return reached(space.store, "ehr")


def test_a_next_that_leads_in_a_circle_ends_and_is_told(server: FhirServer) -> None:
    pages = {"": ("p1", "2"), "2": ("p2", "3"), "3": ("p3", "2")}

    def circle(one: Asked) -> Answer:
        name, following = pages[one.target.partition("page=")[2]]
        link = [{"relation": "next", "url": f"Patient?page={following}"}]
        return shown(page(patient(name), link=link))

    server.before = circle
    configure(server)
    summary = pull(exit_code=3)
    assert (summary["landed"], summary["requests"]) == (3, 3)
    assert "page-repeated" in json.dumps(summary)
    assert "since" not in json.loads(position()), "the pages that were not read are asked for again"
    pages["3"] = ("p3", "4")
    pages["4"] = ("p4", "")
    assert pull(exit_code=3)["landed"] == 1, "the last page leads to the first"
    pages["4"] = ("p4", "4")
    server.resources, server.before = [patient(f"p{n}") for n in range(1, 6)], lambda one: None
    assert pull()["landed"] == 1


def test_a_change_in_the_future_hides_nothing_that_comes_later(server: FhirServer) -> None:
    server.resources = [patient("p1", written=HOUR[1]), patient("p2", written="2099-01-01T00:00:00Z")]
    configure(server)
    first = pull()
    assert first["landed"] == 2
    assert [one["code"] for one in first["sources"][0]["problems"]] == ["time-in-future"]
    assert json.loads(position())["since"] == {"Patient": HOUR[1]}
    server.resources.append(patient("p3", written=HOUR[2]))
    assert pull()["landed"] == 1


@pytest.mark.parametrize("date", ["Tue, 10 Mar 2026 12:00:00 GMT", "yesterday"])
def test_the_server_s_own_clock_says_what_is_in_the_future_and_ours_where_it_says_nothing(
    server: FhirServer, date: str
) -> None:
    found = shown(page(patient("p1", written=HOUR[1]), patient("p2", written=HOUR[20])))
    server.before = lambda one: found._replace(headers={**found.headers, "Date": date})
    configure(server)
    pull()
    assert json.loads(position())["since"] == {"Patient": HOUR[20 if date == "yesterday" else 1]}


def test_a_search_that_began_in_the_future_once_begins_anew(server: FhirServer) -> None:
    from hcrm_core.cli.context import opened
    from hcrm_core.intake.land import Step, land

    server.resources = [patient("p1", written=HOUR[1])]
    configure(server)
    with opened(None) as space:
        land(space.store, [], 1, Step("ehr", "", json.dumps({"since": {"Patient": "2099-01-01T00:00:00Z"}})))
    assert pull()["landed"] == 0
    assert pull()["landed"] == 1


def test_one_type_that_the_server_cannot_give_holds_back_no_other_and_codes_alone_are_told(server: FhirServer) -> None:
    server.resources = [patient("p1")]

    def partly(one: Asked) -> Answer | None:
        text = "no table for 王芳芳, 13812345678"
        return failing(500, diagnostics=text) if "/Observation" in one.target else None

    server.before = partly
    configure(server, types=("Observation", "Patient"))
    result = hcrm("pull", "ehr", "--json")
    assert result.exit_code == 3, result.output
    summary = json.loads(result.stdout)
    assert (summary["landed"], summary["requests"]) == (1, 4), "a server that fails is asked three times"
    assert "500 (exception)" in json.dumps(summary)
    assert summary["sources"][0]["unread"] == ["Observation"]
    assert not any(name in result.stdout + result.stderr for name in PRIVATE)
    assert "Not read: Observation." in hcrm("pull", "ehr").stdout
    doctor = hcrm("doctor").stdout
    assert "could be read: Observation. Why is told by: hcrm pull ehr" in doctor
    assert "never pulled to the end" in doctor
    server.before = lambda one: None
    pull()
    doctor = hcrm("doctor").stdout
    assert "The source ehr was pulled to the end" in doctor and "could be read" not in doctor


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_gives_nothing_of_what_was_asked_for_is_a_failure(server: FhirServer, status: int) -> None:
    server.before = lambda one: failing(status)
    configure(server, types=("Observation", "Patient"))
    result = hcrm("pull", "ehr")
    assert result.exit_code == 1
    assert (
        f"Nothing of what was asked for could be read. The server answered the search for Observation with the "
        f"status {status} (exception)." in result.stderr
    )
    doctor = hcrm("doctor").stdout
    assert "could be read: Observation, Patient." in doctor and "never pulled to the end" in doctor


def test_a_server_that_fails_once_is_asked_again(server: FhirServer) -> None:
    server.resources = [patient(f"p{n}", written=HOUR[n]) for n in range(15)]
    failures = iter([failing(500), None, failing(500)])
    server.before = lambda one: next(failures, None)
    configure(server)
    summary = pull()
    assert (summary["landed"], summary["requests"], summary["sources"][0]["problems"]) == (15, 4, [])


def failing(status: int, **more: Any) -> Answer:
    found = shown(outcome("exception", **more), status=status)
    return found._replace(headers={**found.headers, "Retry-After": "0"})


def test_an_outcome_in_a_page_is_a_problem_and_no_message(server: FhirServer) -> None:
    warning = {"resource": outcome("incomplete", "warning"), "search": {"mode": "outcome"}}
    found = page(patient("p1"))
    found["entry"].append(warning)
    server.before = lambda one: shown(found)
    configure(server)
    summary = pull()
    assert summary["landed"] == 1
    assert "incomplete" in json.dumps(summary)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(body=b"<html>Please log in</html>"), "a web page for people"),
        (Answer(body=b" <Bundle xmlns='http://hl7.org/fhir'/>"), "XML, though JSON was asked for"),
        (Answer(body='{"resourceType": "Bundle", "entry": "张"}'.encode("gb18030")), "byte 38 is no UTF-8"),
        (Answer(body=b'{"resourceType": "CapabilityStatement"}'), "JSON that is no Bundle"),
        (Answer(body=b"Welcome"), "it is no JSON"),
        (shown(outcome("security", diagnostics="王芳芳")), "200 and an OperationOutcome (security)"),
        (shown(outcome("login"), status=401), "authentication"),
    ],
)
def test_what_is_no_answer_is_a_sentence_and_the_next_pull_begins_there(
    server: FhirServer, answer: Answer, says: str
) -> None:
    server.before = lambda one: answer
    configure(server)
    result = hcrm("pull", "ehr")
    assert result.exit_code == 1
    assert says in result.stderr and "Traceback" not in result.stderr and "王芳芳" not in result.stderr
    server.resources, server.before = [patient("p1")], lambda one: None
    assert pull()["landed"] == 1


def test_a_page_that_was_cut_on_its_way_is_asked_for_again(server: FhirServer) -> None:
    server.resources = [patient("p1")]
    whole = server._search("Patient", {})
    cut = whole._replace(body=whole.body[:200], headers={**whole.headers, "Retry-After": "0"})
    answers = iter([cut, cut])
    server.before = lambda one: next(answers, None)
    configure(server)
    assert pull()["landed"] == 1
    server.before = lambda one: cut
    result = hcrm("pull", "ehr")
    assert result.exit_code == 1
    assert "ends in the middle, each of 3 times" in result.stderr


@pytest.mark.parametrize("status", [410, 500])
def test_a_page_that_cannot_be_had_is_told_with_its_status(server: FhirServer, status: int) -> None:
    server.resources = [patient(f"p{n}", written=HOUR[n]) for n in range(15)]
    server.before = lambda one: failing(status) if "_getpages" in one.target else None
    configure(server)
    summary = pull(exit_code=3)
    (problem,) = summary["sources"][0]["problems"]
    assert problem["code"] == "page-lost"
    assert f"the search for Patient, page 2, with the status {status} (exception)." in problem["text"]
    assert ("do not last" in problem["text"]) == (status == 410)
    assert "since" not in json.loads(position())


def test_a_page_that_expired_is_told_and_the_type_is_read_again(server: FhirServer) -> None:
    server.resources = [patient(f"p{n}", written=HOUR[n]) for n in range(15)]
    server.before = lambda one: shown(outcome("not-found"), status=410) if "_getpages" in one.target else None
    configure(server)
    assert "page-lost" in json.dumps(pull(exit_code=3))
    server.before = lambda one: None
    again = pull()
    assert (again["landed"], again["duplicates"]) == (5, 10)


# --- Bulk Data --------------------------------------------------------------------------------------------------------


def test_an_export_is_asked_for_read_and_removed_and_the_next_asks_for_what_changed(server: FhirServer) -> None:
    server.resources = [patient(f"p{n}") for n in range(5)] + [observation("o1", "p1")]
    server.polls = 3
    configure(server, 'method = "export"')
    summary = pull()
    assert (summary["landed"], summary["translated"]) == (6, 6)
    assert "Observation.value" in json.dumps(summary)
    assert server.server is not None
    assert [one.method for one in server.server.asked][-1] == "DELETE"
    server.resources, server.deleted = [], ["Observation/o1", "Patient/p4"]
    second = pull()
    assert "/$export?_since=2026-03-12T08:00:00Z" in "".join(asked(server))
    assert (second["landed"], second["quarantined"]) == (2, 0)


def test_a_download_that_breaks_off_goes_on_at_its_line(server: FhirServer) -> None:
    server.resources = [patient(f"p{n}") for n in range(50)]
    configure(server, 'method = "export"')
    broken = []

    def cut(one: Asked) -> Answer | None:
        if one.target.endswith("/Patient") and not broken:
            broken.append(one)
            whole = server._file("Patient")
            return whole._replace(cut=len(whole.body) // 2)
        return None

    server.before = cut
    summary = pull()
    assert summary["landed"] == 50
    assert broken


def test_an_export_that_expired_is_asked_for_again(server: FhirServer) -> None:
    server.resources = [patient("p1")]
    configure(server, 'method = "export"')
    server.before = lambda one: Answer(404) if one.target.endswith("export/1/Patient") else None
    summary = pull()
    assert (summary["landed"], server.exports) == (1, 2)
    assert "export-expired" in json.dumps(summary)


@pytest.mark.parametrize("status", [401, 403, 410])
def test_links_that_expired_bring_another_export_once_and_since_is_kept(server: FhirServer, status: int) -> None:
    server.resources = [patient("p1")]
    configure(server, 'method = "export"')
    pull()
    server.resources = [patient("p1"), observation("o1", "p1")]
    expired = ["export/2/Observation"]
    server.before = lambda one: Answer(status) if one.target.endswith(tuple(expired)) else None
    summary = pull()
    assert (summary["landed"], server.exports) == (1, 3)
    (problem, _) = summary["sources"][0]["problems"]
    assert problem["code"] == "export-expired" and f"status {status}" in problem["text"]
    assert sum("$export?_since=2026-03-12T08:00:00Z" in one for one in asked(server)) == 2
    server.transaction = "2026-03-12T09:00:00Z"
    expired[:] = ["Patient"]
    result = hcrm("pull", "ehr")
    assert (result.exit_code, server.exports) == (1, 5)
    assert "Nothing of what was asked for could be read." in result.stderr
    assert "could be read: export." in hcrm("doctor").stdout
    assert json.loads(position()) == {"since": "2026-03-12T08:00:00Z"}
    expired[:] = ["Observation"]
    assert hcrm("pull", "ehr").exit_code == 3, "the patients were read"
    server.before = lambda one: None
    pull()
    assert json.loads(position()) == {"since": "2026-03-12T09:00:00Z"}


def test_an_export_that_failed_at_the_server_is_a_failure(server: FhirServer) -> None:
    server.before = lambda one: shown(outcome("exception"), status=500) if "export/" in one.target else None
    configure(server, 'method = "export"')
    result = hcrm("pull", "ehr")
    assert result.exit_code == 1
    assert "the question for the export with the status 500 (exception)" in result.stderr


def test_a_server_that_exports_nothing_is_told_in_a_sentence(server: FhirServer) -> None:
    server.before = lambda one: shown(outcome("not-supported"), status=404)
    configure(server, 'method = "export"')
    result = hcrm("pull", "ehr")
    assert result.exit_code == 1
    assert "status 404 (not-supported)" in result.stderr
