"""`hcrm customers family` and `families`: members, evidence with its messages, guardians, group contracts."""

import json
from pathlib import Path

import pytest
from support.families import MOTHER, SON, kin, registration
from support.ward import hcrm

NAMES = "一二三四五六七八九十甲乙丙丁"


@pytest.fixture
def told(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HCRM_NOW", "2026-06-30T08:00:00+08:00")
    mother = kin(MOTHER, "MTH^母亲^HL70063", "13933334444")
    messages = [
        registration("P1", SON, born="20190520", kin=(mother,)),
        registration("P2", MOTHER, born="19870903", phone="13933334444"),
        registration("P3", "周^小安", born="20200101", kin=(kin("周^立", "GRD^监护人^HL70063", "13955556666"),)),
        *(registration(f"W{n}", f"吴^{NAMES[n]}强", policy="TIJIAN2026") for n in range(13)),
        *(registration(f"G{n}", f"郑^{NAMES[n]}华", group="TJ-88|青禾科技有限公司") for n in range(2)),
    ]
    (workspace / "in.hl7").write_bytes(
        b"\r\r".join(one.replace(b"|P|2.5", b"|P|2.5|||||CHN|UNICODE UTF-8") for one in messages)
    )
    said("ingest", "in.hl7")
    return workspace


def said(*arguments: str) -> str:
    result = hcrm(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.usefixtures("told")
def test_a_family_is_shown_with_its_evidence_messages_and_guardian() -> None:
    (home,) = json.loads(said("customers", "families", "--json"))
    assert sorted(one["name"] for one in home["members"]) == ["林静", "陈思远"]
    family = json.loads(said("customers", "family", "HOSP|MR|P1", "--json"))
    assert family["household"] == home["household"]
    assert {one["name"]: one["relation"] for one in family["members"]} == {"林静": "parent", "陈思远": "self"}
    (tie,) = family["ties"]
    (evidence,) = tie["evidence"]
    assert (tie["strength"], evidence["kind"], evidence["points"]) == ("strong", "named", 4)
    assert {(fact["kind"], fact["message"]) for fact in evidence["facts"]} == {("RelatedPerson", 1), ("Patient", 2)}
    (guardian,) = family["guardians"]
    assert (guardian["name"], guardian["relation"]) == ("林静", "parent")
    assert guardian["id"]
    text = said("customers", "family", "HOSP|MR|P1")
    assert "林静 is the parent of 陈思远: strong, 4 points" in text
    assert "RelatedPerson (message 1)" in text


@pytest.mark.usefixtures("told")
def test_a_guardian_who_is_no_customer_is_named_and_who_is_of_age_has_none() -> None:
    family = json.loads(said("customers", "family", "HOSP|MR|P3", "--json"))
    (guardian,) = family["guardians"]
    assert (guardian["id"], guardian["name"], guardian["relation"]) == (None, "周立", "guardian")
    assert (family["household"], family["members"]) == (None, [])
    assert json.loads(said("customers", "family", "HOSP|MR|P2", "--json"))["guardians"] == []


@pytest.mark.usefixtures("told")
def test_a_policy_of_many_is_a_group_contract_and_no_household() -> None:
    family = json.loads(said("customers", "family", "HOSP|MR|W3", "--json"))
    (contract,) = family["group_contracts"]
    assert (contract["payor"], contract["patients"], contract["fact"]["kind"]) == ("人保", 13, "Coverage")
    assert (family["household"], family["ties"]) == (None, [])


@pytest.mark.usefixtures("told")
def test_a_group_contract_that_is_stated_is_shown_however_few_come_by_it() -> None:
    family = json.loads(said("customers", "family", "HOSP|MR|G1", "--json"))
    (contract,) = family["group_contracts"]
    assert (contract["number"], contract["group"], contract["patients"]) == ("TJ-88", "青禾科技有限公司", 2)
    assert (family["household"], family["ties"]) == (None, [])
    assert "青禾科技有限公司, 2 people." in said("customers", "family", "HOSP|MR|G1")


@pytest.mark.usefixtures("told")
def test_who_is_tied_too_weakly_to_live_here_is_named_too(workspace: Path) -> None:
    neighbours = [
        registration(f"N{n}", who, born="19800101", phone="13966667777") for n, who in enumerate(("冯^远", "卫^青"))
    ]
    text = b"\r\r".join(one.replace(b"|P|2.5", b"|P|2.5|||||CHN|UNICODE UTF-8") for one in neighbours)
    (workspace / "more.hl7").write_bytes(text)
    said("ingest", "more.hl7")
    family = json.loads(said("customers", "family", "HOSP|MR|N0", "--json"))
    (tie,) = family["weak_ties"]
    assert tie["names"] == ["冯远", "卫青"] and family["household"] is None
    text_shown = said("customers", "family", "HOSP|MR|N0")
    assert f"冯远 and 卫青 (customer {tie['other']}): weak, 1 point" in text_shown
