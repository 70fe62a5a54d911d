"""The kit for strategies: what is good passes every check, and for each check one strategy that it catches."""

import sys
from collections.abc import Callable, Iterator

import pytest
from support.broken_strategies import GOOD, REMEMBERING, STATELESS, install

from hcrm_core.errors import HcrmError
from hcrm_core.mart.made_tables import CUSTOMER
from hcrm_core.model.strategies import PERSON_COLUMNS
from hcrm_core.testing import strategy_kit
from hcrm_core.testing.checks import Check, Outcome
from hcrm_core.testing.strategies import SUITE, Bench, bench
from hcrm_core.testing.strategies.person import person_columns
from hcrm_core.testing.world import END, World, hospital

BROKEN = STATELESS | REMEMBERING
IDS = [check.id for check in SUITE.checks]
HERE = [id_ for id_ in IDS if id_ != "S28"]
"""What needs no Spark; tests/integration/spark has the other."""


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Bench]]:
    folder = tmp_path_factory.mktemp("plugins")
    install(folder)
    sys.path.insert(0, str(folder))
    made: dict[str, Bench] = {}

    def of(plugin: str) -> Bench:
        if plugin not in made:
            made[plugin] = bench(plugin)
        return made[plugin]

    yield of
    for one in made.values():
        one.close()
    sys.path.remove(str(folder))


@pytest.fixture
def outcome(benches: Callable[[str], Bench]) -> Callable[[str, str, str], Outcome]:
    return lambda plugin, name, id_: SUITE.outcome(id_, benches(plugin).examined(name))


@pytest.mark.parametrize("name", [strategy.name for strategy in GOOD])
def test_what_is_good_passes_every_check(outcome: Callable[[str, str, str], Outcome], name: str) -> None:
    found = [outcome("good", name, id_) for id_ in HERE]
    assert [one.text for one in found if one.state != "passed"] == []


@pytest.mark.parametrize("id_", HERE)
def test_each_check_catches_the_strategy_that_breaks_its_promise(
    outcome: Callable[[str, str, str], Outcome], id_: str
) -> None:
    plugin = "stateless" if id_ in STATELESS else "remembering"
    found = outcome(plugin, BROKEN[id_].name, id_)
    assert found.state == "failed", found.text
    assert not any(finding.startswith("The plugin raised") for finding in found.findings), found.text
    assert found.check.reason in found.text and found.fix in found.text


@pytest.mark.parametrize("check", SUITE.checks, ids=IDS)
def test_checks_are_told_in_sentences(check: Check) -> None:
    assert not check.title.endswith(".")
    assert check.reason.endswith(".") and check.fix.endswith(".")


def test_sql_that_is_refused_fails_one_check_and_the_others_are_passed_over(
    outcome: Callable[[str, str, str], Outcome],
) -> None:
    states = {id_: outcome("stateless", "rolls", id_).state for id_ in IDS}
    assert states == {id_: "failed" if id_ == "S01" else "passed over" for id_ in IDS}
    assert outcome("stateless", "rolls", "S09").text.endswith("S01 says what is wrong with the SQL. Mend that first.")


def test_an_error_in_the_sql_names_its_line(outcome: Callable[[str, str, str], Outcome]) -> None:
    (finding,) = outcome("stateless", "rolls", "S01").findings
    assert finding.startswith("rolls, line 10: the function random is not allowed.")


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT * FROM customer", set(PERSON_COLUMNS)),
        ("SELECT customer_id, patients FROM customer", set()),
        ("WITH c AS (SELECT * FROM customer) SELECT c.customer_id FROM c WHERE c.district = 'x'", {"district"}),
        ("SELECT e.status FROM encounter AS e LEFT JOIN customer ON deceased", {"deceased"}),
        ("SELECT 1 FROM encounter AS e WHERE EXISTS (SELECT 1 FROM customer AS p WHERE p.SEX = e.class)", {"sex"}),
        ("SELECT birth_year FROM customer UNION ALL SELECT year(next_birthday) FROM customer",
         {"birth_year", "next_birthday"}),
        ("WITH customer AS (SELECT class AS sex FROM encounter) SELECT sex FROM customer", set()),
    ],
)  # fmt: skip
def test_columns_about_the_person_are_resolved(sql: str, columns: set[str]) -> None:
    assert person_columns(sql) == columns


def test_columns_about_the_person_are_those_of_the_mart() -> None:
    assert {name for name, _, _ in CUSTOMER} == {*PERSON_COLUMNS, "customer_id", "patients", "said_at", "known_at"}


def test_a_world_is_a_pure_function_of_its_seed() -> None:
    assert hospital(3) == hospital(3)
    assert hospital(3) != hospital(4)
    assert all(one.said_at <= two.said_at for one, two in zip(hospital(3).told, hospital(3).told[1:], strict=False))


def test_the_class_has_a_test_for_each_strategy_and_check(benches: Callable[[str], Bench]) -> None:
    benches("good")
    kit = strategy_kit("stateless", world=lambda: World((), END), exempt={"S07": "The world is empty."})
    classes = [name for name in vars(kit) if name.startswith("Test_")]
    assert classes == [f"Test_{strategy.name.replace('-', '_')}" for strategy in STATELESS.values()]
    (mark,) = kit.Test_mute.test_check.pytestmark
    assert [check.id for check in mark.args[1]] == IDS
    checks = {check.id: check for check in SUITE.checks}
    run = kit.Test_mute().test_check
    run(checks["S01"])
    with pytest.raises(pytest.fail.Exception, match=r"(?s)S05: It has a title.*Why: .*Fix: Give title="):
        run(checks["S05"])
    with pytest.raises(pytest.skip.Exception, match="The world is empty"):
        run(checks["S07"])


def test_a_world_without_pairs_is_said_to_lack_them(benches: Callable[[str], Bench]) -> None:
    benches("good")
    made = bench("good", world=lambda: World((), END))
    found = SUITE.outcome("S25", made.examined("seen"))
    assert found.state == "failed" and "`pairs`" in found.fix
    made.close()


def test_decisions_of_another_plugin_are_read_where_it_is_beside(benches: Callable[[str], Bench]) -> None:
    alone = SUITE.outcome("S03", benches("neighbour").examined("neighbour"))
    assert alone.state == "failed" and "beside=(PLUGIN,)" in alone.fix
    made = bench("neighbour", beside=("good",))
    assert made.own == ("neighbour",)
    examined = made.examined("neighbour")
    assert [one.name for one in examined.before] == ["seen"]
    for id_ in ("S03", "S07", "S13"):
        assert SUITE.outcome(id_, examined).state == "passed"
    made.close()


def test_settings_and_files_of_a_workspace() -> None:
    rule = """\
rules:
  - id: short
    topic: discharge
    title: {en: Short, zh: 短}
    trigger: {table: encounter, when: class = 'IMP', at: ended_on}
    steps: [{id: call, at: 1d, owner: ward}]
    via: [call]
"""
    made = bench(
        "followup",
        settings='[followup]\nrules = ["rules/short.yaml"]\n[strategies."followup.short"]\nlookback_days = 40\n',
        files={"rules/short.yaml": rule},
    )
    assert made.own == ("followup.short",)
    examined = made.examined("followup.short")
    assert examined.strategy.parameters == {"lookback_days": 40}
    assert [SUITE.outcome(id_, examined).state for id_ in ("S01", "S06", "S07")] == ["passed"] * 3
    made.close()


def test_wrong_arguments_are_told_at_once(benches: Callable[[str], Bench]) -> None:
    benches("good")
    with pytest.raises(HcrmError, match="not installed"):
        strategy_kit("no-such-plugin")
    with pytest.raises(HcrmError, match="no parameter 'dais'"):
        strategy_kit("good", settings="[strategies.call]\ndais = 3\n")
    with pytest.raises(HcrmError, match="offers no strategies"):
        strategy_kit("hl7v2")
    with pytest.raises(ValueError, match="S99"):
        strategy_kit("good", exempt={"S99": "no reason"})
