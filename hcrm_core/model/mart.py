"""What passes between the store and the mart."""

from typing import NamedTuple


class Position(NamedTuple):
    """How far a store has come, or a reader of it.

    Attributes:
        sequence: How often facts or links had changed.
        known_at: When the last batch came to be known, microseconds since 1970 UTC.
        statement: The last statement's number.
    """

    sequence: int = 0
    known_at: int = 0
    statement: int = 0


class MartRow(NamedTuple):
    """A fact as the mart takes it; instants in microseconds since 1970 UTC.

    Attributes:
        fact_id, kind: Of the fact.
        customer_id, patient_id: Whose it is; a patient without a link is a customer alone, under its own id.
        body: JSON of the fields that are no direct identifiers, tokens of some of those beside them.
        said_at: When the last statement was made.
        known_at: When HCRM heard it.
        valid_from: When the row came to be so: then, or when the patient came to the customer.
    """

    fact_id: str
    kind: str
    customer_id: str | None
    patient_id: str | None
    body: str
    said_at: int
    known_at: int
    valid_from: int


class PastRow(NamedTuple):
    """A fact as it was until an instant; the columns of `MartRow`, and that instant."""

    fact_id: str
    kind: str
    customer_id: str | None
    patient_id: str | None
    body: str
    said_at: int
    known_at: int
    valid_from: int
    superseded_at: int


class ChangedFact(NamedTuple):
    """A fact whose row in the mart does not hold any more.

    Attributes:
        fact_id, kind: Of the fact.
        until: Until when the row held, where that is all that happened; else `None`, and `PastRow`s tell.
    """

    fact_id: str
    kind: str
    until: int | None
