"""From messages to tasks on the command line: decide, tasks, explain, report - and what later messages change."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from support.ward import NOW, PRIVATE, hcrm, hospital, message, pid, pv1, sentence, told, workspace, write

WANG = "1001"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ward three days after its discharges, ingested and decided once; every test works on a copy."""
    root = tmp_path_factory.mktemp("model") / "workspace"
    with workspace(root, hospital()):
        document = told("decide")
    assert document["run"] and not [row for row in document["strategies"] if "error" in row]
    return root


@pytest.fixture(autouse=True)
def decided(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the decided ward that is the current directory."""
    monkeypatch.setenv("HCRM_NOW", NOW)
    root = shutil.copytree(model, tmp_path / "workspace")
    monkeypatch.chdir(root)
    return root


def task_of(number: str, step: str = "day3", state: str | None = None) -> dict[str, object]:
    """The one task of a step for the customer with a hospital number."""
    customer = told("customers", "show", f"RMYY|MR|{number}")["id"]
    found = [
        row
        for each in ([state] if state else ["open", "suppressed", "withdrawn", "expired", "completed"])
        for row in told("tasks", "list", "--customer", customer, "--state", each)
        if row["step"] == step
    ]
    assert len(found) == 1
    return found[0]


def later(workspace: Path, **messages: bytes) -> dict[str, dict[str, int]]:
    """Ingest further messages and decide again; outcomes by strategy."""
    told("ingest", write(workspace / f"in-{'-'.join(messages)}", messages))
    return {row["name"]: row for row in told("decide")["strategies"]}


# --- decide -----------------------------------------------------------------------------------------------------------


def test_a_discharge_three_days_ago_gives_an_open_call_due_today() -> None:
    task = task_of(WANG)
    assert (task["state"], task["due_on"], task["topic"]) == ("open", "2026-03-13", "discharge")
    assert task["name"] == "王小明"
    assert task["phone"] == "13800138000"


def test_three_discharges_give_nine_tasks_and_the_clinic_visit_none() -> None:
    assert len(told("tasks", "list")) == 9
    zhao = told("customers", "show", "RMYY|MR|4004")["id"]
    assert told("tasks", "list", "--customer", zhao) == []


def test_deciding_again_changes_nothing() -> None:
    for row in told("decide")["strategies"]:
        assert (row["new"], row["changed"], row["withdrawn"], row["expired"]) == (0, 0, 0, 0), row


def test_a_dry_run_applies_nothing(decided: Path) -> None:
    before, wang = told("tasks", "list"), pid(WANG, "王^小明")
    told("ingest", write(decided / "more", {"X1": message("A13", "X1", "20260313080000", wang, pv1("V1"))}))
    outcome = {row["name"]: row for row in told("decide", "--dry-run")["strategies"]}
    assert outcome["followup.discharge"]["withdrawn"] == 3
    assert told("tasks", "list") == before


def test_a_past_instant_never_applies() -> None:
    result = hcrm("decide", "--as-of", "2026-03-11T00:00:00+08:00")
    assert result.exit_code in (1, 2)
    assert "--dry-run" in result.stderr and "Traceback" not in result.stderr


def test_a_cancelled_discharge_withdraws_its_calls(decided: Path) -> None:
    outcome = later(decided, X1=message("A13", "X1", "20260313080000", pid(WANG), pv1("V1", "20260305100000")))
    assert outcome["followup.discharge"]["withdrawn"] == 3
    assert task_of(WANG)["state"] == "withdrawn"


def test_a_readmission_suppresses_the_calls_of_the_stay_before(decided: Path) -> None:
    later(decided, X1=message("A01", "X1", "20260312200000", pid(WANG), pv1("V9", "20260312200000")))
    task = task_of(WANG)
    assert (task["state"], task["reason"]) == ("suppressed", "readmitted")
    assert task_of("3003")["state"] == "open"


def test_a_merge_gives_the_calls_to_the_one_customer_there_is_now(decided: Path) -> None:
    task = task_of("3003")
    later(decided, X1=message("A40", "X1", "20260313080000", pid("4004", "赵^敏", "20010101"), "MRG|3003^^^RMYY^MR"))
    customer = told("customers", "show", "RMYY|MR|4004")["id"]
    assert told("customers", "show", "RMYY|MR|3003")["id"] == customer
    moved = told("tasks", "show", task["id"])
    assert (moved["customer_id"], moved["state"], moved["id"]) == (customer, "open", task["id"])


def test_an_unknown_strategy_names_the_nearest() -> None:
    text = sentence(hcrm("decide", "followup.dischrge"), 2)
    assert "followup.discharge" in text


@pytest.mark.parametrize(
    "arguments",
    [("--as-of", "yesterday"), ("--as-of", "2026-03-01"), ("--basis", "felt"), ("--no-such-option",)],
)
def test_a_wrong_call_of_decide_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    sentence(hcrm("decide", *arguments), 2)


def test_a_wrong_parameter_of_a_strategy_names_line_and_key(decided: Path) -> None:
    with (decided / "hcrm.toml").open("a", encoding="utf-8") as file:
        file.write("\n[strategies.rfm]\nwindow_month = 3\n")
    text = sentence(hcrm("decide"), 1)
    assert "hcrm.toml, line " in text and "'window_month'. Did you mean 'window_months'?" in text


# --- explain ----------------------------------------------------------------------------------------------------------


def test_explaining_a_call_leads_to_the_message_and_the_field() -> None:
    text = hcrm("explain", "task", task_of(WANG)["id"]).stdout
    assert "W04" in text and "PV1-45" in text and "ADT^A03" in text
    assert not [word for word in PRIVATE if word in text]


def test_an_explanation_as_json_holds_the_same() -> None:
    document = told("explain", "task", str(task_of(WANG)["id"])[:10])
    sources = [item["source"] for item in document["evidence"] if item["source"]]
    assert any(source["control_id"] == "W04" and "PV1-45" in source["fields"] for source in sources)


def test_an_explanation_follows_the_message_that_changed_the_fact(decided: Path) -> None:
    later(decided, X1=message("A08", "X1", "20260312070000", pid(WANG), pv1("V1", "20260305100000", "20260310180000")))
    assert "X1" in hcrm("explain", "task", task_of(WANG)["id"]).stdout


def test_segments_are_listed_and_explained() -> None:
    rows = told("segments", "list")
    assert {row["strategy"] for row in rows} >= {"rfm"}
    customer = told("customers", "show", f"RMYY|MR|{WANG}")["id"]
    result = hcrm("explain", "segment", customer, "--strategy", "rfm")
    assert result.exit_code == 0, result.output
    assert "rfm" in result.stdout


@pytest.mark.parametrize("kind", ["task", "segment", "score"])
def test_explaining_what_is_not_there_says_how_to_find_it(kind: str) -> None:
    assert "hcrm " in sentence(hcrm("explain", kind, "ffffffff"), 1)


def test_why_not_names_the_step_the_predicate_and_the_values() -> None:
    zhao = "RMYY|MR|4004"
    text = hcrm("explain", "why-not", "followup.discharge", zhao).stdout
    assert "anchor has none: of 1 row of encounter" in text
    assert "none fulfils class = 'IMP': class = AMB in 1 row" in text
    assert not [word for word in PRIVATE if word in text]
    document = told("explain", "why-not", "followup.discharge", zhao)
    assert (document["verdict"], document["causes"][0]["step"]) == ("no_row", "anchor")
    assert "has decided" in hcrm("explain", "why-not", "followup.discharge", f"RMYY|MR|{WANG}").stdout


def test_why_not_of_an_unknown_strategy_or_customer_says_what_there_is() -> None:
    assert "'followup.discharge'" in sentence(hcrm("explain", "why-not", "followup.discharg", "ffff"), 1)
    assert "hcrm customers list" in sentence(hcrm("explain", "why-not", "rfm", "ffffffff"), 1)


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_a_task_is_completed_once() -> None:
    task = task_of(WANG)["id"]
    done = hcrm("tasks", "complete", task, "--by", "护士甲", "--note", "恢复良好")
    assert done.exit_code == 0 and done.stdout == ""
    shown = told("tasks", "show", task)
    assert (shown["state"], shown["note"]) == ("completed", "恢复良好")
    assert [(event["state"], event["by"]) for event in shown["history"]][-1] == ("completed", "护士甲")
    assert "is completed" in sentence(hcrm("tasks", "complete", task), 2)


def test_done_stays_done_when_its_basis_goes(decided: Path) -> None:
    task = task_of(WANG)["id"]
    hcrm("tasks", "complete", task)
    later(decided, X1=message("A13", "X1", "20260313080000", pid(WANG), pv1("V1", "20260305100000")))
    shown = told("tasks", "show", task)
    assert shown["state"] == "completed"
    assert shown["basis_gone_at"] is not None
    assert [row["id"] for row in told("tasks", "list", "--basis-gone")] == [shown["id"]]


@pytest.mark.parametrize("action", ["show", "complete"])
def test_an_unknown_task_says_how_to_list_them(action: str) -> None:
    assert sentence(hcrm("tasks", action, "ffff"), 1).endswith("List them with: hcrm tasks list")


@pytest.mark.parametrize("arguments", [("--state", "done"), ("--limit", "0"), ("--limit", "many")])
def test_a_wrong_call_of_tasks_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    sentence(hcrm("tasks", "list", *arguments), 2)


def test_tasks_are_chosen_by_queue_and_day() -> None:
    assert {row["step"] for row in told("tasks", "list", "--owner", "centre")} == {"day30"}
    assert {row["step"] for row in told("tasks", "list", "--due-before", "2026-03-14")} == {"day3"}
    assert len(told("tasks", "list", "--limit", "2")) == 2


def test_a_due_day_that_is_none_is_a_usage_error() -> None:
    sentence(hcrm("tasks", "list", "--due-before", "tomorrow"), 2)


@pytest.mark.parametrize(("encoding", "heading"), [("utf-8-sig", "姓名"), ("gb18030", "姓名")])
def test_the_worklist_opens_in_a_spreadsheet_and_holds_no_formula(decided: Path, encoding: str, heading: str) -> None:
    result = hcrm("tasks", "export", "-o", "list.csv", "--encoding", encoding)
    assert result.exit_code == 0 and "9 tasks" in result.stderr
    assert not [word for word in PRIVATE if word in result.stderr]
    with (decided / "list.csv").open(encoding=encoding, newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 9 and heading in rows[0]
    names = {row["姓名"] for row in rows}
    assert {"王小明", "李雷", "'=cmd'/C calc'!A0"} == names
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r＝＋－＠"))]
    raw = (decided / "list.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")


def test_english_headings_on_demand(decided: Path) -> None:
    hcrm("tasks", "export", "-o", "list.csv", "--lang", "en")
    assert (decided / "list.csv").read_text(encoding="utf-8-sig").startswith("id,due_on,")


def test_a_worklist_that_cannot_be_written_is_a_sentence(decided: Path) -> None:
    assert sentence(hcrm("tasks", "export", "-o", "no/such/folder.csv"), 1) == (
        "hcrm: no/such/folder.csv cannot be written: No such file or directory."
    )


# --- report -----------------------------------------------------------------------------------------------------------


def test_the_report_is_one_file_that_fetches_nothing_and_names_nobody(decided: Path) -> None:
    result = hcrm("report", "overview", "-o", "report.html")
    assert result.exit_code == 0, result.output
    page = (decided / "report.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html") and "人民医院" in page
    assert 'http-equiv="refresh"' not in page and "<script src" not in page and '<link rel="stylesheet"' not in page
    assert not [word for word in PRIVATE if word in page]


def test_a_report_speaks_english_on_demand(decided: Path) -> None:
    assert hcrm("report", "overview", "-o", "en.html", "--lang", "en").exit_code == 0
    assert 'lang="en"' in (decided / "en.html").read_text(encoding="utf-8")


def test_without_a_name_the_reports_are_listed() -> None:
    assert "overview" in hcrm("report").stdout


def test_an_unknown_report_names_the_nearest() -> None:
    assert "Did you mean 'overview'?" in sentence(hcrm("report", "overveiw"), 2)


def test_a_report_that_cannot_be_written_is_a_sentence() -> None:
    assert "cannot be written" in sentence(hcrm("report", "overview", "-o", "no/such/folder.html"), 1)


# --- what is on which stream ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("decide",), ("tasks", "list"), ("customers", "list"), ("messages", "list"), ("messages", "coverage"),
        ("segments", "list"), ("plugins", "list"), ("db", "status"), ("doctor",), ("plugins", "commands"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_with_json_standard_output_is_one_document_and_standard_error_names_nobody(arguments: tuple[str, ...]) -> None:
    result = hcrm(*arguments, "--json")
    assert result.exit_code == 0, result.output
    json.loads(result.stdout)
    assert not [word for word in PRIVATE if word in result.stderr]
    plain = hcrm(*arguments)
    assert plain.exit_code == 0
    assert plain.stdout
