"""The contract of a channel: a way by which a customer is reached."""

from typing import Literal

from msgspec import Struct


class Channel(Struct, frozen=True, kw_only=True):
    """What a task's `channel` names.

    Attributes:
        name: Unique among enabled channels: `call`.
        title: What people call it, by language: `{"en": …, "zh": …}`.
        contact: What must be known of a customer to reach them so; `None`: nothing, they are there.
        by_hand: Whether a person carries it out from a worklist, instead of the core sending it.
    """

    name: str
    title: dict[str, str]
    contact: Literal["phone", "email", "address", "account"] | None = None
    by_hand: bool = True
