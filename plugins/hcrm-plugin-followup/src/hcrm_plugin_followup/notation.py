"""The notation of follow-up rules, typed. What it means is told in `configs/rules/discharge.yaml` and the README."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Days = Annotated[str, Meta(pattern=r"^[+-]?\d{1,4}[dw]$")]
"""A number of days or weeks: `3d`, `-1d`, `2w`."""
Predicate = Annotated[str, Meta(min_length=1)]
Column = Annotated[str, Meta(pattern=r"^(anchor|customer|other)\.[a-z_][a-z0-9_]*$")]


class Trigger(Struct, frozen=True, forbid_unknown_fields=True):
    """What a rule hangs on.

    Attributes:
        table: The mart table whose rows trigger it; about a person, with `<table>_id` as its id.
        at: The DATE column days are counted from.
        when: A predicate over the table's columns.
    """

    table: Name
    at: Name
    when: Predicate


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One task of each trigger.

    Attributes:
        id: Part of the task's key: a new id makes a new task.
        at: Days after the trigger.
        owner: The queue that owns it.
        form: The questionnaire to fill in.
        window: First and last day it may be done, counted from the day it is due.
    """

    id: Name
    at: Days
    owner: Name
    form: Name | None = None
    window: tuple[Days, Days] = ("0d", "0d")


class Suppress(Struct, frozen=True, forbid_unknown_fields=True):
    """A reason not to do a step.

    Attributes:
        reason: Kept with the task.
        when: A predicate over `anchor`, `customer` and `step`, and `other` where `exists` is given.
        exists: A table; the predicate must hold for one of the same customer's rows in it.
        because: The columns a task so suppressed cites as evidence.
    """

    reason: Name
    when: Predicate
    exists: Name | None = None
    because: tuple[Column, ...] = ()


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One rule.

    Attributes:
        id: The strategy is named `followup.<id>`.
        topic: What the tasks are about.
        trigger: What it hangs on.
        steps: Its tasks, in order.
        via: Channels in the order they are tried.
        priority: Kept with the task.
        lookback: How long after the trigger its tasks are looked at; never shorter than to the end of the last window.
        suppress: Reasons, the first that holds counts.
        version: Raise it when the meaning changes.
        title: By language.
    """

    id: Name
    topic: Name
    trigger: Trigger
    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]
    via: Annotated[tuple[Name, ...], Meta(min_length=1)]
    priority: Literal["critical", "high", "normal", "low"] = "normal"
    lookback: Days = "90d"
    suppress: tuple[Suppress, ...] = ()
    version: str = "1"
    title: dict[str, str] = {}


class RuleFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule file."""

    rules: Annotated[tuple[Rule, ...], Meta(min_length=1)]


def days(text: str) -> int:
    """The number of days a `Days` names."""
    return int(text[:-1]) * (7 if text.endswith("w") else 1)
