"""What a check of a conformance kit is, how checks are run, and how pytest shows them.

A kit is a `Suite`: functions registered by its decorator, each of which takes the subject (what the author passed,
ready for use) and yields a sentence for everything it finds wrong. A check that yields nothing has passed. A check that
lacks something of the author raises `NotGiven`, and fails.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

from hcrm_core import __version__

S = TypeVar("S")
Function = Callable[[S], Iterable[str]]
State = Literal["passed", "failed", "warned", "exempt", "passed over"]

SHOWN = 10
"""How many findings of one check are kept: who has ten has a hundred."""


class KitWarning(UserWarning):
    """A check that is new found something; from the version it names on, it fails."""


class NotGiven(Exception):
    """The author did not pass what a check needs; the text is the sentence that says what to pass."""


class PassedOver(Exception):
    """A check cannot be run here, and that is nobody's fault; the text is the sentence that says why."""


class Check(Struct, frozen=True, kw_only=True):
    """One promise of the contract.

    Attributes:
        id: Stable and short (`A01`); an exemption names it.
        title: What holds where the check passes, as a sentence without its full stop.
        reason: Why it matters, as sentences.
        fix: What to do where it does not hold, as sentences.
        since: The version of HCRM that has it first.
        fails_from: The version from which it fails; before, it only warns.
    """

    id: str
    title: str
    reason: str
    fix: str
    since: str = "0.1.0"
    fails_from: str = "0.1.0"


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of one check.

    Attributes:
        check: Which.
        state: `warned`: it would have failed, but is too new to; `exempt`: not run, on the author's word;
            `passed over`: not run, since it cannot be here.
        findings: What is wrong, a sentence each; the reason where it was not run.
        fix: What to do about it.
    """

    check: Check
    state: State
    findings: tuple[str, ...] = ()
    fix: str = ""

    @property
    def text(self) -> str:
        """All of it, for people: id and title, findings, reason and fix."""
        head = f"{self.check.id}: {self.check.title}"
        if self.state == "passed":
            return head
        if self.state == "exempt":
            return f"{head} - exempt: {' '.join(self.findings)}"
        if self.state == "passed over":
            return f"{head} - {' '.join(self.findings)}"
        lines = [head, *(f"  - {finding}" for finding in self.findings)]
        lines += [f"  Why: {self.check.reason}", f"  Fix: {self.fix}"]
        if self.state == "warned":
            lines.append(f"  This is a warning until HCRM {self.check.fails_from}, which fails it.")
        return "\n".join(lines)


class Suite(Generic[S]):
    """The checks of one kind of plugin, in the order of their ids."""

    def __init__(self, name: str) -> None:
        """Args: name: Of the plugins it checks, in the plural, for people (`adapters`)."""
        self.name = name
        self._checks: dict[str, tuple[Check, Function[S]]] = {}

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check."""
        return tuple(self._checks[id_][0] for id_ in sorted(self._checks))

    def check(
        self, id: str, title: str, *, reason: str, fix: str, since: str = "0.1.0", fails_from: str = "0.1.0"
    ) -> Callable[[Function[S]], Function[S]]:
        """Register the decorated function as a check; the arguments are those of `Check`."""
        described = Check(id=id, title=title, reason=reason, fix=fix, since=since, fails_from=fails_from)

        def register(function: Function[S]) -> Function[S]:
            if id in self._checks:
                raise ValueError(f"There are two checks {id}.")
            self._checks[id] = described, function
            return function

        return register

    def run(self, subject: S, exempt: Mapping[str, str] | None = None, *, version: str = __version__) -> list[Outcome]:
        """Run every check.

        Args:
            subject: What the checks are given.
            exempt: Id → the author's reason for not running a check.
            version: Of HCRM; tests pass others.

        Raises:
            ValueError: An exemption names no check or gives no reason.
        """
        exempt = self.exemptions(exempt)
        return [self.outcome(check.id, subject, exempt.get(check.id), version=version) for check in self.checks]

    def outcome(self, id: str, subject: S, exempt: str | None = None, *, version: str = __version__) -> Outcome:
        """Run one check; `exempt` is the author's reason for not running it."""
        check, function = self._checks[id]
        if exempt is not None:
            return Outcome(check=check, state="exempt", findings=(exempt,))
        fix = check.fix
        try:
            findings = tuple(islice(function(subject), SHOWN))
        except PassedOver as why:
            return Outcome(check=check, state="passed over", findings=(str(why),))
        except NotGiven as missing:
            findings, fix = ("It could not be checked.",), str(missing)
        except Exception as error:
            findings = (f"The plugin raised {_said(error)}",)
        if not findings:
            return Outcome(check=check, state="passed")
        state: State = "warned" if _release(version) < _release(check.fails_from) else "failed"
        return Outcome(check=check, state=state, findings=findings, fix=fix)

    def exemptions(self, given: Mapping[str, str] | None) -> dict[str, str]:
        """The exemptions, checked.

        Raises:
            ValueError: One names no check or gives no reason.
        """
        for id_, reason in (given or {}).items():
            if id_ not in self._checks:
                raise ValueError(f"exempt names {id_!r}; the checks of {self.name} are {', '.join(self._checks)}.")
            if not isinstance(reason, str) or not reason.strip():
                raise ValueError(f"exempt[{id_!r}] must be the reason why the check does not apply.")
        return dict(given or {})

    def test_class(self, name: str, subject: Callable[[], S], exempt: Mapping[str, str] | None = None) -> type:
        """Make a class that pytest collects, a test a check, each with the check's id and title.

        Args:
            name: Of the class.
            subject: Makes what the checks are given; it is called once, when the first test runs.
            exempt: Id → the author's reason for not running a check; pytest shows it as skipped.

        Raises:
            ValueError: An exemption names no check or gives no reason.
        """
        import pytest  # only who tests has it

        reasons = self.exemptions(exempt)
        made = cache(subject)

        def test_check(self_: Any, check: Check) -> None:
            shown = (
                self.outcome(check.id, made())
                if check.id not in reasons
                else Outcome(check=check, state="exempt", findings=(reasons[check.id],))
            )
            if shown.state == "failed":
                pytest.fail(shown.text, pytrace=False)
            elif shown.state in ("exempt", "passed over"):
                pytest.skip(shown.text)
            elif shown.state == "warned":
                warnings.warn(shown.text, KitWarning, stacklevel=1)

        checks = self.checks
        mark = pytest.mark.parametrize("check", checks, ids=[_slug(check) for check in checks])
        return type(name, (), {"__doc__": f"The conformance kit of {self.name}.", "test_check": mark(test_check)})


def _said(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}"
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f" ({last.tb_frame.f_code.co_filename}, line {last.tb_lineno})" if last is not None else ""
    return f"{text[:300].rstrip('.')}{where}."


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _slug(check: Check) -> str:
    words: Iterator[str] = (word.lower() for word in re.findall(r"[A-Za-z0-9]+", check.title))
    return f"{check.id}-{'-'.join(words)}"
