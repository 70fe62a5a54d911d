"""What a patient is called by: its record at its source, as QHYY|MR|1001, or its id."""

from collections.abc import Collection

from hcrm_core.cli.context import Opened
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import customers, facts
from hcrm_core.store.queries.facts import FactRow


def record_name(patient: FactRow, codec: Codec) -> str:
    """The key its source knows it by; what was corrected by hand has none that a person would know."""
    return "" if patient.source == MANUAL else codec.open(bytes(patient.key)).decode()


def patient_of(space: Opened, connection: Connection, wanted: str) -> str:
    """The id of the one patient meant by its id, its beginning, its record, or a number that nobody else has.

    Raises:
        NotFoundError: Nobody fits.
        UsageError: Several do.
    """
    return _only(_fitting(space, connection, wanted))


def patient_among(space: Opened, connection: Connection, members: Collection[str], wanted: str) -> str:
    """The same, among some patients.

    Raises:
        UsageError: None of them fits, or several do.
    """
    found = [row for row in _fitting(space, connection, wanted) if row.fact_id in members]
    if not found:
        raise UsageError(f"This is none of the customer's patients. They are: {', '.join(sorted(members))}")
    return _only(found)


def _fitting(space: Opened, connection: Connection, wanted: str) -> list[FactRow]:
    codec, parts = space.store.codec, wanted.split("|")
    ids = {codec.token("Patient", source, wanted) for source in space.configuration.settings.sources}
    ids |= customers.patients_named(connection, wanted, codec.token("identifier", *parts) if len(parts) == 3 else None)
    found = [row for _, row in sorted(facts.facts(connection, ids).items()) if row.kind == "Patient"]
    return [row for row in found if record_name(row, codec) == wanted] or found


def _only(found: list[FactRow]) -> str:
    if not found:
        raise NotFoundError(
            "No patient has this id or number. A customer's patients are shown by: hcrm customers show ID|NUMBER"
        )
    if len(found) > 1:
        several = ", ".join(f"{row.fact_id} ({row.source})" for row in found)
        raise UsageError(f"{len(found)} patients fit: {several}. Name one of them by its id.")
    return found[0].fact_id
