"""What plugins are told after the core has done something, and what they may say to it."""

from typing import Literal

from msgspec import Struct


class Finding(Struct, frozen=True):
    """Something people should know.

    Attributes:
        level: `note`, or `warning` for what somebody should look into now.
        text: One or more sentences without personal data: what was found, what to do.
    """

    level: Literal["note", "warning"]
    text: str


class TypeCount(Struct, frozen=True):
    """Messages of one type of one source that were worked off."""

    source: str
    message_type: str
    folded: int
    quarantined: int


class IntakeDone(Struct, frozen=True):
    """What was worked off.

    Attributes:
        types: By source and message type, in their order.
        seconds: How long it took.
    """

    types: tuple[TypeCount, ...]
    seconds: float


class StrategyDone(Struct, frozen=True):
    """What one strategy's run came to; `error`: why it failed."""

    name: str
    new: int
    changed: int
    unchanged: int
    withdrawn: int
    expired: int
    error: str | None = None


class Load(Struct, frozen=True):
    """How many open tasks are due.

    Attributes:
        due_on: The day, ISO 8601.
        owner: The queue they belong to.
        tasks: How many.
    """

    due_on: str
    owner: str
    tasks: int


class DecideDone(Struct, frozen=True):
    """What was decided and applied.

    Attributes:
        today: The day of the run in the workspace's zone, ISO 8601.
        strategies: In the order they ran.
        load: Open tasks that are due within seven days of it, by day and owner.
    """

    today: str
    strategies: tuple[StrategyDone, ...]
    load: tuple[Load, ...]
