"""The commands around a workspace: init, messages, customers, plugins, db, doctor - each with its bad input."""

import json
import shutil
from pathlib import Path

import pytest
from support.ward import NOW, WANG_CARD, hcrm, hospital, sentence, told, write

from hcrm_core.config import Configuration
from hcrm_core.registry.installed import installed


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that has read the ward's messages, one of them without its person; every test works on a copy."""
    root = tmp_path_factory.mktemp("model") / "workspace"
    nobody = hospital()["W01"].replace(b"1001", b"").replace(WANG_CARD.encode(), b"").replace(b"|W01|", b"|W00|")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HCRM_NOW", NOW)
        patch.setenv("HCRM_WORKSPACE", str(root))
        assert hcrm("init", root, "--title", "人民医院").exit_code == 0
        told("ingest", write(root / "in", {"W00": nobody} | hospital()), exit_code=3)
    return root


@pytest.fixture
def full(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the full workspace that is the current directory."""
    monkeypatch.setenv("HCRM_NOW", NOW)
    root = shutil.copytree(model, tmp_path / "full")
    monkeypatch.chdir(root)
    return root


# --- init -------------------------------------------------------------------------------------------------------------


def test_a_new_workspace_is_its_owners_alone(workspace: Path) -> None:
    assert workspace.stat().st_mode & 0o077 == 0


def test_init_makes_a_workspace_that_works_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = hcrm("init", "here", "--title", 'Hospital "北京" \\ East')
    assert made.exit_code == 0 and made.stdout == ""
    assert "Back up hcrm.key now" in made.stderr
    assert Configuration(tmp_path / "here").settings.title == 'Hospital "北京" \\ East'
    assert (tmp_path / "here" / "hcrm.key").stat().st_mode & 0o077 == 0
    assert hcrm("--workspace", "here", "doctor").exit_code == 0
    assert hcrm("doctor", "--workspace", "here").exit_code == 0


def test_init_touches_no_workspace_that_is_there(full: Path) -> None:
    before = {file.name: file.read_bytes() for file in (full / "hcrm.toml", full / "hcrm.key")}
    assert "is a workspace already" in sentence(hcrm("init", "."), 1)
    assert {name: (full / name).read_bytes() for name in before} == before


def test_init_where_nothing_can_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "cannot be made a workspace" in sentence(hcrm("init", tmp_path / "file"), 1)


def test_init_refuses_an_unknown_time_zone_and_leaves_nothing_behind(tmp_path: Path) -> None:
    assert "no time zone 'Mars/Base'" in sentence(hcrm("init", tmp_path / "w", "--timezone", "Mars/Base"), 1)
    assert not (tmp_path / "w" / "hcrm.toml").exists()


def test_a_workspace_without_its_key_says_to_restore_it(full: Path) -> None:
    (full / "hcrm.key").unlink()
    assert "hcrm.key is missing. Restore it" in sentence(hcrm("customers", "list"), 1)


# --- messages ---------------------------------------------------------------------------------------------------------


def test_messages_are_listed_newest_first_with_what_became_of_them(full: Path) -> None:
    rows = told("messages", "list")
    assert [row["control_id"] for row in rows] == [f"W{number:02d}" for number in range(15, -1, -1)]
    assert set(rows[0]) >= {"id", "source", "control_id", "type", "state", "received_at", "reason"}
    assert {row["state"] for row in rows} == {"folded", "quarantined"}
    assert rows[0]["received_at"] == "2026-03-13T09:00:00+08:00"
    assert [row["control_id"] for row in told("messages", "list", "--limit", "2")] == ["W15", "W14"]
    assert [row["type"] for row in told("messages", "list", "--control-id", "W04")] == ["ADT^A03"]
    assert told("messages", "list", "--source", "nobody") == []
    assert [row["control_id"] for row in told("messages", "list", "--state", "quarantined")] == ["W00"]


def test_a_message_is_shown_with_its_problems(full: Path) -> None:
    number = told("messages", "list", "--control-id", "W04")[0]["id"]
    shown = told("messages", "show", number)
    assert (shown["state"], shown["translation"]) == ("folded", 1)
    assert shown["records"] >= 2
    text = hcrm("messages", "show", number).stdout
    assert "state: folded" in text and "王" not in text


def test_an_unknown_message_says_how_to_list_them(full: Path) -> None:
    for action in ("show", "replay"):
        text = sentence(hcrm("messages", action, "9999"), 1)
        assert text == "hcrm: There is no message 9999. List them with: hcrm messages list"


def test_a_message_is_found_by_its_control_id_too(full: Path) -> None:
    by_control_id = told("messages", "show", "W04")
    assert by_control_id["control_id"] == "W04"
    assert told("messages", "show", str(by_control_id["id"])) == by_control_id


@pytest.mark.parametrize("arguments", [("show",), ("replay",), ("list", "--state", "lost"), ("list", "--limit", "0")])
def test_a_wrong_call_of_messages_is_a_usage_error(full: Path, arguments: tuple[str, ...]) -> None:
    sentence(hcrm("messages", *arguments), 2)


def test_messages_are_replayed(full: Path) -> None:
    before = told("customers", "list")
    result = hcrm("messages", "replay", "--state", "folded")
    assert result.exit_code == 0
    assert result.stderr.strip() == "Replayed 15 messages: 15 translated, 0 quarantined."
    assert told("customers", "list") == before
    number = told("messages", "list", "--control-id", "W04")[0]["id"]
    assert told("messages", "show", number)["translation"] == 2


def test_a_replay_that_quarantines_ends_with_three(full: Path) -> None:
    result = hcrm("messages", "replay", "--state", "quarantined")
    assert result.exit_code == 3
    assert "0 translated, 1 quarantined" in result.stderr


def test_coverage_accounts_for_fields_by_type(full: Path) -> None:
    rows = {(row["type"], row["field"]): row for row in told("messages", "coverage")}
    assert rows["ADT^A03", "PV1-45"]["status"] == "mapped"
    assert rows["ADT^A03", "PV1-45"]["messages"] == 3
    assert rows["ADT^A03", "PV1-1"]["status"] == "ignored"
    assert "nobody" in sentence(hcrm("messages", "coverage", "--source", "nobody"), 1)


# --- customers --------------------------------------------------------------------------------------------------------


def test_customers_are_listed_with_what_the_design_promises(full: Path) -> None:
    rows = told("customers", "list")
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    wang = next(row for row in rows if row["name"] == "王小明")
    assert (wang["birth_date"], wang["sex"]) == ("1990-03-07", "female")
    numbers = {(one["system"], one["type"], one["value"]) for one in wang["identifiers"]}
    assert {("RMYY", "MR", "1001"), ("RMYY", "MR", "2002"), ("PRC", "NI", WANG_CARD)} <= numbers
    assert [row["id"] for row in told("customers", "list", "--linked")] == [wang["id"]]
    assert len(told("customers", "list", "--limit", "1")) == 1


def test_a_customer_is_found_by_any_member_s_id_by_its_beginning_and_by_number(full: Path) -> None:
    wang = told("customers", "show", "RMYY|MR|1001")
    for wanted in ("RMYY|MR|2002", f"PRC|NI|{WANG_CARD}", wang["id"], *(one["id"] for one in wang["patients"])):
        assert told("customers", "show", wanted)["id"] == wang["id"]
    assert told("customers", "show", wang["id"][:12])["id"] == wang["id"]
    assert len(wang["patients"]) == 3
    assert wang["facts"]["Encounter"] == 1


def test_every_field_of_a_customer_names_its_message(full: Path) -> None:
    wang = told("customers", "show", "RMYY|MR|1001")
    control_ids = {row["id"]: row["control_id"] for row in told("messages", "list")}
    assert control_ids[wang["fields"]["name"]["message"]] == "W15"


def test_a_beginning_that_several_have_asks_for_more(full: Path) -> None:
    text = sentence(hcrm("customers", "show", ""), 2)
    assert text == "hcrm: 4 customers fit. Give more of the id, or a number as AUTHORITY|TYPE|NUMBER."


@pytest.mark.parametrize("wanted", ["ffffffffffff", "RMYY|MR|0815", "%", "_", "a|b", "|||", "'; DROP TABLE fact; --"])
def test_who_is_unknown_is_said_with_the_command_that_lists(full: Path, wanted: str) -> None:
    text = sentence(hcrm("customers", "show", wanted), 1)
    assert text == "hcrm: No customer has this id or number. List them with: hcrm customers list"


def test_a_table_lines_up_under_chinese_names(full: Path) -> None:
    lines = hcrm("customers", "list").stdout.splitlines()
    assert lines[0].split() == ["id", "name", "birth", "date", "sex", "kinds", "patients"]
    row = next(line for line in lines if "王小明" in line)
    # Three Chinese characters take six columns, so the date begins three characters further left than the heading.
    assert lines[0].index("birth date") - row.index("1990-03-07") == 3


# --- plugins ----------------------------------------------------------------------------------------------------------


def test_plugins_are_enabled_and_disabled_by_name(workspace: Path) -> None:
    assert hcrm("plugins", "disable", "followup").exit_code == 0
    assert [row["enabled"] for row in told("plugins", "list") if row["name"] == "followup"] == [False]
    enabled = hcrm("plugins", "enable", "followup")
    assert enabled.exit_code == 0 and "hcrm-plugin-followup" in enabled.stderr
    assert Configuration(workspace).settings.plugins[-1] == "followup"
    assert "enabled already" in hcrm("plugins", "enable", "followup").stderr


def test_plugins_that_are_unknown_name_the_nearest(workspace: Path) -> None:
    assert sentence(hcrm("plugins", "enable", "folowup"), 2) == (
        "hcrm: There is no installed plugin 'folowup'. Did you mean 'followup'?"
    )
    assert "Did you mean 'reporting'?" in sentence(hcrm("plugins", "disable", "reprting"), 2)


@pytest.mark.parametrize(
    ("before", "works"),
    [
        ('plugins = ["hl7v2", "reporting"]\n', True),
        ('plugins = [\n  "hl7v2",\n  "reporting",   # charts\n]\n', True),
        ("plugins=['hl7v2','reporting']  # x\n[store]\n", True),
        ('# no plugins yet\n[plugins_of_mine]\n', False),
        ('"plugins" = ["hl7v2", "reporting"]\n', False),
        ('plugins = [\n  "hl7v2", # [old]\n  "reporting",\n]\n', False),
    ],
)  # fmt: skip
def test_changing_the_list_keeps_the_rest_of_the_file_or_leaves_it_alone(
    workspace: Path, before: str, works: bool
) -> None:
    file = workspace / "hcrm.toml"
    more = 'title = "医院"   # kept\n' if "[" not in before.replace("plugins = [", "").replace("plugins=[", "") else ""
    file.write_text(before + more, encoding="utf-8")
    text = file.read_text(encoding="utf-8")
    result = hcrm("plugins", "enable", "followup")
    if works:
        assert result.exit_code == 0, result.output
        assert Configuration(workspace).settings.plugins == ("hl7v2", "reporting", "followup")
        assert more in file.read_text(encoding="utf-8")
    else:
        assert result.exit_code == 1 and "Traceback" not in result.stderr
        assert file.read_text(encoding="utf-8") == text


def test_a_file_with_a_byte_order_mark_can_be_changed(workspace: Path) -> None:
    (workspace / "hcrm.toml").write_bytes(b'\xef\xbb\xbfplugins = ["hl7v2"]\n')
    assert hcrm("plugins", "enable", "followup").exit_code == 0
    assert Configuration(workspace).settings.plugins == ("hl7v2", "followup")


def test_a_plugin_s_command_runs_only_while_it_is_enabled(workspace: Path) -> None:
    assert "simulate" in [row["name"] for row in told("plugins", "commands")]
    assert hcrm("simulate", "--help").exit_code == 0
    hcrm("plugins", "disable", "simulator")
    assert "There is no command 'simulate'" in sentence(hcrm("simulate", "--help"), 2)


def test_init_enables_what_ships_and_nothing_else(workspace: Path) -> None:
    assert set(Configuration(workspace).settings.plugins) <= set(installed())
    assert {"hl7v2", "segmentation", "followup", "reporting"} <= set(Configuration(workspace).settings.plugins)


# --- db and doctor ----------------------------------------------------------------------------------------------------


def test_the_database_says_where_it_is(workspace: Path) -> None:
    assert {row["schema"] for row in told("db", "status")} == {"inbox", "store"}
    assert all(row["revision"] == row["wanted"] for row in told("db", "status"))
    again = hcrm("db", "upgrade")
    assert again.exit_code == 0 and "already at revision" in again.stderr


def test_a_store_that_is_gone_says_how_to_make_it(workspace: Path) -> None:
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (workspace / name).unlink(missing_ok=True)
    assert sentence(hcrm("customers", "list"), 1) == (
        "hcrm: The store has no tables yet. Create them with: hcrm db upgrade"
    )
    assert hcrm("doctor").exit_code == 1
    assert hcrm("db", "upgrade").exit_code == 0
    assert told("customers", "list") == []


def test_a_store_that_is_no_database_is_a_sentence(workspace: Path) -> None:
    (workspace / "store.db").write_bytes(b"this is not a database, " * 400)
    assert sentence(hcrm("customers", "list"), 1) == (
        "hcrm: The store cannot be opened: file is not a database. Check [store] in hcrm.toml, and that the database "
        "is there, running, and its folder writable."
    )


@pytest.mark.parametrize("url", ["nonsense", "oracle://x", "sqlite", "mysql+nodriver://x/y"])
def test_a_database_url_that_cannot_be_read_shows_examples(workspace: Path, url: str) -> None:
    (workspace / "hcrm.toml").write_text(f'[store]\nurl = "{url}"\ninbox = "{url}"\n', encoding="utf-8")
    assert "Use sqlite:///store.db or" in sentence(hcrm("db", "status"), 1)


def test_a_database_server_that_is_down_is_a_sentence_without_its_password(workspace: Path) -> None:
    url = "postgresql+psycopg://hcrm:hunter2@127.0.0.1:9/hcrm"
    (workspace / "hcrm.toml").write_text(f'[store]\nurl = "{url}"\n', encoding="utf-8")
    text = sentence(hcrm("db", "status"), 1)
    assert text.startswith("hcrm: The inbox cannot be opened: ") and text.endswith(
        "there, running, and its folder writable."
    )
    assert "hunter2" not in text


def test_doctor_names_each_thing_that_is_wrong_and_goes_on(full: Path) -> None:
    good = told("doctor")
    assert {row["level"] for row in good} == {"good", "note"}
    assert any("1 message of type ADT^A28 quarantined (no-patient)" in row["finding"] for row in good)
    text = (full / "hcrm.toml").read_text(encoding="utf-8")
    (full / "hcrm.toml").write_text(
        text.replace('charset = "GB18030"', 'charst = "GB18030"') + '[sources.lis]\nadapter = "hl7v3"\n',
        encoding="utf-8",
    )
    result = hcrm("doctor", "--json")
    assert result.exit_code == 1
    wrong = [row["finding"] for row in json.loads(result.stdout) if row["level"] == "wrong"]
    assert len(wrong) == 2
    assert "sources.his.charst is not a key. Did you mean 'charset'?" in wrong[0]
    assert "no enabled adapter 'hl7v3'" in wrong[1]


def test_the_clock_that_is_set_wrongly_is_a_usage_error(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCRM_NOW", "now")
    assert "HCRM_NOW is not an instant" in sentence(hcrm("decide"), 2)
