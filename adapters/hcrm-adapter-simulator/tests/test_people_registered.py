"""People who are registered several times: the mix that linking is measured by, and the truth beside it."""

import csv
import json
from collections import Counter, defaultdict
from datetime import date
from itertools import combinations
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from hcrm_adapter_simulator import mistakes, register_commands
from hcrm_adapter_simulator.chance import Chance
from hcrm_adapter_simulator.people_files import write_people
from hcrm_adapter_simulator.population import block
from hcrm_adapter_simulator.registrations import Registration, register_shard, shards

UNTIL = date(2026, 6, 30)
PEOPLE = 4_000
CLASSES = {
    "homophone", "surname homophone", "traditional", "romanised", "surname misread", "swapped name",
    "name in one field", "maiden name", "double-barrelled", "swapped birth date", "mistyped birth date", "1 January",
    "no document", "15 digits", "mistyped document", "placeholder document", "new phone", "mistyped phone",
    "placeholder phone", "phone in another column", "newborn without a name",
}  # fmt: skip


@pytest.fixture(scope="module")
def registered() -> list[Registration]:
    return [one for shard in range(shards(PEOPLE)) for one in register_shard(1, PEOPLE, UNTIL, shard)]


def pairs(registered: list[Registration]) -> list[tuple[Registration, Registration]]:
    by_person: dict[int, list[Registration]] = defaultdict(list)
    for one in registered:
        by_person[one.person].append(one)
    return [pair for those in by_person.values() for pair in combinations(those, 2)]


def number(one: Registration) -> str:
    """The document without what its two forms differ by."""
    text = one.who.identity
    return text[:6] + text[8:17] if len(text) == 18 else text


def test_every_class_of_mistake_is_there(registered: list[Registration]) -> None:
    found = Counter(name for one in registered for name in one.mistakes)
    assert found.keys() >= CLASSES


def test_most_pairs_have_several_wrong_fields_and_many_share_no_document(registered: list[Registration]) -> None:
    those = pairs(registered)
    several = alone = 0
    for one, other in those:
        mine, theirs = one.who, other.who
        wrong = ((mine.family, mine.given) != (theirs.family, theirs.given), mine.birth != theirs.birth,
                 mine.sex != theirs.sex, mine.identity != theirs.identity, mine.home != theirs.home,
                 {mine.phone, mine.work_phone} != {theirs.phone, theirs.work_phone})  # fmt: skip
        several += sum(wrong) > 1
        alone += not number(one) or number(one) != number(other)
    assert several >= 0.4 * len(those)
    assert alone >= 0.15 * len(those)


def test_one_in_twenty_is_a_twin_or_a_namesake(registered: list[Registration]) -> None:
    kinds = {one.person: one.kinds for one in registered}
    assert sum("twin" in those or "namesake" in those for those in kinds.values()) >= 0.05 * len(kinds)


def test_twins_share_all_but_name_and_number(registered: list[Registration]) -> None:
    twins = {one.person: one.who for one in registered if "twin" in one.kinds and not one.mistakes}
    beside = [(twins[person], twins[person + 1]) for person in twins if person + 1 in twins]
    alike = [(a, b) for a, b in beside if a.birth == b.birth and a.home == b.home]
    assert len(alike) > 2
    for one, other in alike:
        assert one.given != other.given and one.identity[:14] == other.identity[:14]
        assert one.identity != other.identity


def test_nobody_is_registered_twice_as_somebody_unknown(registered: list[Registration]) -> None:
    assert not [pair for pair in pairs(registered) if "placeholder" in pair[0].kinds]


def test_equal_options_give_equal_bytes_in_both_forms(tmp_path: Path) -> None:
    for form in ("hl7v2", "records"):
        for again in ("a", "b"):
            write_people(tmp_path / form / again, form, 120, 3, UNTIL)
        names = sorted(path.name for path in (tmp_path / form / "a").iterdir())
        assert len(names) == 2
        for name in names:
            assert (tmp_path / form / "a" / name).read_bytes() == (tmp_path / form / "b" / name).read_bytes()
    truths = {(tmp_path / form / "a" / "truth.csv").read_bytes() for form in ("hl7v2", "records")}
    assert len(truths) == 1


def test_the_truth_names_each_patient_once(tmp_path: Path) -> None:
    write_people(tmp_path, "records", 200, 1, UNTIL)
    with (tmp_path / "truth.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    keys = [key for file in tmp_path.glob("*.parquet") for key in pq.read_table(file)["key"].to_pylist()]
    assert sorted(row["key"] for row in rows) == sorted(set(keys)) == sorted(keys)
    assert len({row["person"] for row in rows}) == 200


def test_command(tmp_path: Path) -> None:
    command = next(one for one in register_commands() if one.name == "simulate-people")
    options = ["-o", str(tmp_path), "--people", "100", "--until", "2026-06-30", "--jobs", "1", "--json"]
    result = CliRunner().invoke(command, options)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["persons"] == 100
    assert document["registrations"] == document["truth"]["registrations"] > 100
    sent = b"".join(path.read_bytes() for path in tmp_path.glob("*.hl7"))
    assert sent.count(b"MSH|") == document["registrations"]
    again = CliRunner().invoke(command, options)
    assert "already holds" in str(again.exception)


def test_old_documents_lack_century_and_check_digit() -> None:
    who = next(one.first for one in block(1, 0, UNTIL) if one.first.birth.year < 1985 and one.first.identity)
    written = mistakes.old_document(Chance("any"), who).identity
    assert written == who.identity[:6] + who.identity[8:17]
