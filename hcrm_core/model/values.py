"""Value types shared by all records, named and shaped as in FHIR R4 (https://hl7.org/fhir/R4/datatypes.html)."""

from typing import Annotated

from msgspec import Meta, Struct

Date = Annotated[str, Meta(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
"""A FHIR `date`: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, as precise as the source was."""

DateTime = Annotated[
    str,
    Meta(pattern=r"^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?)?)?$"),
]
"""A FHIR `dateTime`: as precise as the source was; with a time it always carries the source's UTC offset, so the
instant and the source's zone are both kept."""

Decimal = Annotated[str, Meta(pattern=r"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$")]
"""An exact decimal as text, digits as the source wrote them."""


class Value(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of the value types: immutable, compared by content, written without empty members."""


class Coding(Value, frozen=True):
    """One code of a code system, kept with its system and display as the source sent them."""

    code: str | None = None
    system: str | None = None
    display: str | None = None


class CodeableConcept(Value, frozen=True):
    """A concept by one or more codings and, where the source sent one, its own text."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Identifier(Value, frozen=True):
    """A number somebody gave a person.

    Its namespace is `system` and `type` together. `system` is the assigning authority; where the source names none,
    it is `source/application/facility` of the sender and `sender_scoped` is true: such a number links two patients
    only together with an agreeing name and birth date.
    """

    value: str
    system: str
    type: str | None = None
    """HL7 table 0203 code: `MR`, `NI`, `SS`, …"""
    sender_scoped: bool = False


class HumanName(Value, frozen=True):
    """A person's name; `text` is the whole name where the source gave it unparsed."""

    family: str | None = None
    given: tuple[str, ...] = ()
    prefix: str | None = None
    suffix: str | None = None
    text: str | None = None
    use: str | None = None
    """FHIR name-use: `official`, `nickname`, `maiden`, …"""


class ContactPoint(Value, frozen=True):
    """A phone number, e-mail address or account by which a person is reached."""

    value: str
    system: str
    """FHIR contact-point-system: `phone`, `email`, `fax`, `url`, `sms`, `other` (WeChat and the like)."""
    use: str | None = None


class Address(Value, frozen=True):
    """A postal address; `line` holds street and house, outermost last."""

    line: tuple[str, ...] = ()
    city: str | None = None
    district: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    use: str | None = None


class Period(Value, frozen=True):
    """A span of time; an absent bound is unknown or still open."""

    start: DateTime | None = None
    end: DateTime | None = None


class Quantity(Value, frozen=True):
    """A measured amount."""

    value: Decimal
    unit: str | None = None
    comparator: str | None = None
    """`<`, `<=`, `>=` or `>` where the true value is beyond what could be measured."""


class Money(Value, frozen=True):
    """An exact amount in minor units of its currency (fen, cents)."""

    amount: int
    currency: str
    """ISO 4217 code."""
