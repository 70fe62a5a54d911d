"""Every check of the kit for adapters passes a good one and catches the one that breaks its promise."""

import subprocess
import sys
import warnings
from typing import Any

import pytest
from support import broken_adapters as broken
from support import ward_pull
from support.adapter_that_reaches_into_the_core import ReachesIntoTheCore
from support.adapter_that_works_at_import import WorksAtImport
from support.adapter_with_a_database import BringsADatabase
from support.ward_list import END, WardList
from support.ward_pull import PullsTheWard, serves

from hcrm_core.api import Adapter
from hcrm_core.testing import adapter_kit
from hcrm_core.testing.adapters import SUITE, AdapterCase, check_adapter
from hcrm_core.testing.adapters.child import environment
from hcrm_core.testing.checks import KitWarning, NotGiven, Outcome, Suite

HEAD = "V~20260601093000~C1\nP~P0042~张伟明~M~1980-02-14~{phone}\nE~V0001~AMB~20260601090000\n"
DIAGNOSES = "D~I10~高血压\nD~E11~糖尿病\nD~J45~哮喘"
WHOLE = HEAD.format(phone="13800000001") + DIAGNOSES
OTHER = "V~20260601094500~C2\nP~P0043~王芳~F~1975-03-02~-\nE~V0002~IMP~\nD~I10~"
WITHOUT_PHONE = HEAD.format(phone="") + DIAGNOSES


def given(adapter: type[Adapter], **more: Any) -> dict[str, Any]:
    """What an author passes to the kit."""
    return {
        "samples": {"two.ward": f"{WHOLE}\n{OTHER}\n".encode(), "one.ward": WITHOUT_PHONE.encode()},
        "plugin": adapter.__module__,
        "says": ("Patient", "telecom", WHOLE.encode(), HEAD.format(phone="-").encode(), WITHOUT_PHONE.encode()),
        "shuffled": (WHOLE.encode(), "\n".join((*WHOLE.split("\n")[:3], *WHOLE.split("\n")[:2:-1])).encode()),
        "complete": (WHOLE.encode(), WHOLE.rpartition("\n")[0].encode()),
        "charsets": {"UTF-8": WHOLE.encode(), "GB18030": WHOLE.encode("gb18030")},
        "frame": lambda payload: payload + END,
        "serves": serves,
        "seconds": 30.0,
    } | more


def case(adapter: type[Adapter], **more: Any) -> AdapterCase:
    return AdapterCase(adapter=adapter, **given(adapter, **more))


TestTheKitOnAGoodAdapter = adapter_kit(WardList, **given(WardList))
TestTheKitOnOneThatPulls = adapter_kit(PullsTheWard, **given(PullsTheWard))

BROKEN: dict[type[Adapter], str] = {
    broken.HasASentenceForAVersion: "A01",
    broken.HasANameWithBlanks: "A01",
    broken.TakesUnknownSettings: "A02",
    broken.TakesSettingsByPosition: "A02",
    ReachesIntoTheCore: "A03",
    BringsADatabase: "A04",
    WorksAtImport: "A04",
    broken.ReadsAFile: "A05",
    broken.OpensASocket: "A05",
    broken.RunsAProgram: "A05",
    broken.AsksTheEnvironment: "A05",
    broken.AsksTheClock: "A05",
    broken.AsksForChance: "A05",
    broken.TrustsTheMachinesZone: "A06",
    broken.GoesThroughASet: "A07",
    broken.RemembersMessages: "A07",
    broken.WritesDatesItsOwnWay: "A08",
    broken.GivesListsForTuples: "A08",
    broken.StatesARecordTwice: "A08",
    broken.StatesSeconds: "A09",
    broken.RefersToNothing: "A10",
    broken.ForgetsAField: "A11",
    broken.ListsAFieldTwice: "A11",
    broken.ListsAFieldThatIsNotThere: "A11",
    broken.TakesEmptyForSilence: "A12",
    broken.TakesSilenceForEmpty: "A12",
    broken.CountsRepetitions: "A13",
    broken.SetsWithoutMembers: "A14",
    broken.ReadsOnlyTheFirstMember: "A14",
    broken.NamesAPlaceThatIsNotThere: "A15",
    broken.LeavesAnOriginOut: "A15",
    broken.TellsTheOriginOfNothing: "A15",
    broken.RaisesForBadInput: "A16",
    broken.RaisesInFields: "A16",
    broken.RaisesInConformance: "A16",
    broken.HangsOnLongInput: "A16",
    broken.DiesOfABadByte: "A16",
    broken.QuarantinesWithRecords: "A16",
    broken.RepeatsTheLine: "A17",
    broken.QuotesInConformance: "A17",
    broken.Shouts: "A18",
    broken.SaysTooLittle: "A18",
    broken.ReplacesWhatItCannotDecode: "A19",
    broken.MistakesOneCharsetForAnother: "A19",
    broken.NamesSuffixesAndReadsNoFiles: "A20",
    broken.ReadsFilesWithoutSuffixes: "A20",
    broken.NamesASuffixInCapitals: "A20",
    broken.LosesTheLastMessage: "A21",
    broken.TidiesMessagesUp: "A21",
    broken.TakesEveryPieceForAMessage: "A22",
    broken.LeavesTheFramingIn: "A22",
    broken.DeniesThatItListens: "A22",
    broken.AcceptsEverything: "A23",
    broken.AnswersNothing: "A23",
    broken.CountsItsAnswers: "A23",
    ward_pull.DeniesThatItPulls: "A24",
    ward_pull.NeverComesToAnEnd: "A24",
    ward_pull.StandsStill: "A24",
    ward_pull.RemembersItsPage: "A25",
    ward_pull.CountsItsQuestions: "A25",
    ward_pull.RunsAhead: "A26",
    ward_pull.FailsOnErrorPages: "A27",
    ward_pull.AsksTheClockBeforeItAsks: "A05",
}
"""A broken adapter → the check that catches it."""

ALSO: dict[type[Adapter], set[str]] = {
    broken.TakesSilenceForEmpty: {"A15"},
    broken.ReadsOnlyTheFirstMember: {"A13"},
    ward_pull.RemembersItsPage: {"A26"},
}
"""What a broken adapter cannot but break besides."""

PERSONAL = ("张伟明", "王芳", "P0042", "13800000001", "1980")
"""Values of the samples that no finding may repeat."""

SLOW = {"A04", "A05", "A06", "A07", "A16", "A17"}
"""Checks that start processes; of a broken adapter only the one that catches it is run."""


@pytest.mark.parametrize(
    ("adapter", "check"), BROKEN.items(), ids=[f"{check}-{kind.__name__}" for kind, check in BROKEN.items()]
)
def test_a_broken_adapter_is_caught_by_its_check_and_by_no_other(adapter: type[Adapter], check: str) -> None:
    seconds = 2.0 if adapter is broken.HangsOnLongInput else 30.0
    exempt = dict.fromkeys(SLOW - {check}, "It starts processes.")
    failed = {one.check.id: one for one in check_adapter(case(adapter, seconds=seconds), exempt) if one.findings}
    failed = {id_: one for id_, one in failed.items() if one.state == "failed"}
    assert set(failed) - ALSO.get(adapter, set()) == {check}, "\n".join(one.text for one in failed.values())
    if adapter is broken.HangsOnLongInput:
        assert "the last begun was a megabyte" in failed[check].text
    assert failed[check].check.reason in failed[check].text
    assert failed[check].check.fix in failed[check].text
    assert not [value for value in PERSONAL for one in failed.values() if value in one.text]


def test_every_check_has_an_adapter_that_it_catches() -> None:
    assert {check.id for check in SUITE.checks} == set(BROKEN.values())


@pytest.mark.parametrize(
    ("check", "argument"),
    [
        ("A12", "says"),
        ("A13", "shuffled"),
        ("A14", "complete"),
        ("A19", "charsets"),
        ("A22", "frame"),
        ("A24", "serves"),
    ],
)
def test_what_is_not_passed_is_not_passed_silently(check: str, argument: str) -> None:
    without = {name: value for name, value in given(PullsTheWard).items() if name != argument}
    outcome = SUITE.outcome(check, AdapterCase(adapter=PullsTheWard, **without))
    assert outcome.state == "failed"
    assert f"Pass {argument}" in outcome.fix


def test_samples_without_a_suffix_of_the_adapter_prove_no_reading_of_files() -> None:
    outcome = SUITE.outcome("A20", case(WardList, samples={"one.txt": WHOLE.encode()}))
    assert (outcome.state, "Pass samples" in outcome.fix) == ("failed", True)


def test_an_adapter_within_a_function_cannot_be_imported_elsewhere() -> None:
    class Inner(WardList):
        pass

    outcome = SUITE.outcome("A05", case(Inner))
    assert (outcome.state, "at the top of a module" in outcome.fix) == ("failed", True)


WATCHED = """
import datetime, os, random, secrets, socket, sys, threading, time, uuid
from hcrm_core.testing.adapters.watch import Watch

watch = Watch()
def chance_of_its_own(): random.Random(1).random()
def zone(): __import__("zoneinfo").ZoneInfo("America/Lima")
def imports(): __import__("colorsys")
def pure(): time.gmtime(0), datetime.datetime.strptime("2026", "%Y"), {}.get("x")
def own_data(): open(os.__file__).close()
def clock(): time.time()
def today(): datetime.date.today()
def now(): datetime.datetime.now(datetime.UTC)
def token(): secrets.token_bytes(2)
def unique(): uuid.uuid4()
def choice(): random.choice((1, 2))
def variable(): os.getenv("WARD")
def writes(): open(os.devnull, "w").close()
def lists(): os.listdir(os.sep)
def thread(): threading.Thread(target=int).start()
def connects(): socket.socket().close()
def prints(): print(end="")
for call in [value for name, value in globals().copy().items() if getattr(value, "__module__", "") == "__main__"]:
    before = len(watch.effects)
    with watch.of(call.__name__):
        call()
    print(call.__name__, len(watch.effects) > before, file=sys.stderr)
"""


def test_what_code_touches_is_seen_and_what_it_only_reckons_is_not() -> None:
    command = [sys.executable, "-c", WATCHED]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
    seen = dict(line.split() for line in done.stderr.splitlines())
    untouched = ["chance_of_its_own", "zone", "imports", "pure", "own_data"]
    assert [name for name, effect in seen.items() if effect == "False"] == untouched
    assert len(seen) == 17


# The suite


def suite(**more: str) -> Suite[list[str]]:
    made: Suite[list[str]] = Suite("things")

    @made.check("X01", "There is nothing", reason="It is so.", fix="Take it away.", **more)
    def nothing(subject: list[str]) -> list[str]:
        if "stop" in subject:
            raise RuntimeError("stopped")
        if "more" in subject:
            raise NotGiven("Pass more.")
        return subject

    return made


def test_a_new_check_warns_until_the_version_that_fails_it() -> None:
    states = [
        suite(fails_from="0.3.0").outcome("X01", ["This is wrong."], version=version).state
        for version in ("0.2.9", "0.3.0.dev1", "0.3.0", "0.10.0", "1.0")
    ]
    assert states == ["warned", "failed", "failed", "failed", "failed"]


def test_a_warning_says_when_it_will_fail() -> None:
    made = suite(fails_from="999.0").test_class("TestThings", lambda: ["This is wrong."])
    with pytest.warns(KitWarning, match=r"warning until HCRM 999\.0"):
        made().test_check(check=made.test_check.pytestmark[0].args[1][0])


def test_a_failure_shows_id_finding_reason_and_fix() -> None:
    made = suite().test_class("TestThings", lambda: ["This is wrong."])
    (mark,) = made.test_check.pytestmark
    assert mark.kwargs["ids"] == ["X01-there-is-nothing"]
    with pytest.raises(pytest.fail.Exception) as failed:
        made().test_check(check=mark.args[1][0])
    assert str(failed.value).split("\n") == [
        "X01: There is nothing",
        "  - This is wrong.",
        "  Why: It is so.",
        "  Fix: Take it away.",
    ]


def test_an_exemption_is_seen_with_its_reason() -> None:
    made = suite().test_class("TestThings", lambda: ["This is wrong."], {"X01": "It is an example."})
    with pytest.raises(pytest.skip.Exception, match=r"X01: There is nothing - exempt: It is an example\."):
        made().test_check(check=made.test_check.pytestmark[0].args[1][0])


@pytest.mark.parametrize("exempt", [{"X99": "It does not apply."}, {"X01": ""}, {"X01": "  "}])
def test_an_exemption_needs_a_known_id_and_a_reason(exempt: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exempt"):
        suite().test_class("TestThings", list, exempt)
    with pytest.raises(ValueError, match="exempt"):
        suite().run([], exempt)


def test_a_check_that_stops_or_lacks_something_fails() -> None:
    stopped, lacking = (suite().outcome("X01", [word]) for word in ("stop", "more"))
    assert (stopped.state, lacking.state, lacking.fix) == ("failed", "failed", "Pass more.")
    assert "RuntimeError: stopped" in stopped.text


def test_an_id_is_given_once() -> None:
    made = suite()
    with pytest.raises(ValueError, match="two checks X01"):
        made.check("X01", "Again", reason="So.", fix="So.")(list)


def test_every_check_is_described_by_sentences() -> None:
    for check in SUITE.checks:
        assert check.title[0].isupper() and not check.title.endswith(".")
        assert check.reason.endswith(".") and check.fix.endswith("."), check.id


def test_the_good_adapter_passes_without_pytest_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcomes = check_adapter(case(WardList), dict.fromkeys(SLOW, "The test class above runs it."))
    bad: list[Outcome] = [one for one in outcomes if one.state not in ("passed", "exempt")]
    assert not bad, "\n".join(one.text for one in bad)
