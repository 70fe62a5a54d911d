"""Which customer is meant, and which of its patients was named."""

from typing import NamedTuple

from hcrm_core.cli.context import Opened
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.intake.edits import record_of
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.store.queries import customers as queries
from hcrm_core.store.queries import facts, links
from hcrm_core.store.queries.facts import FactRow


class Named(NamedTuple):
    """A customer, and the patient of it that was named."""

    customer_id: str
    patient_id: str


def resolve(space: Opened, wanted: str) -> str:
    """The one customer meant by any member's id, its beginning, or a number as `AUTHORITY|TYPE|NUMBER`.

    Raises:
        NotFoundError: Nobody fits.
        UsageError: Several do.
    """
    with space.store.read() as connection:
        found = queries.find(connection, wanted, _tokens(space, wanted))
    if not found:
        raise NotFoundError("No customer has this id or number. List them with: hcrm customers list")
    if len(found) > 1:
        raise UsageError(f"{len(found)} customers fit. Give more of the id, or a number as AUTHORITY|TYPE|NUMBER.")
    return found[0]


def named(space: Opened, wanted: str) -> Named:
    """The customer meant, and the patient that was named.

    A number names the patient whom its source knows by it; else, of those who carry it, the first by source and key,
    which no key of a workspace changes. An id names the patient whose it is; that of a customer is its least patient's.
    A patient that holds edits stands for the one they correct.

    Raises:
        NotFoundError: Nobody fits.
        UsageError: Several customers do.
    """
    customer_id = resolve(space, wanted)
    tokens = _tokens(space, wanted)
    codec = space.store.codec
    with space.store.read() as connection:
        members = links.members_of(connection, {customer_id})
        carrying = {row.patient_id for row in links.identifiers(connection, members) if row.token in tokens}
        fitting = carrying or {one for one in members if one.startswith(wanted)}
        rows = facts.facts(connection, fitting)

    def order(row: FactRow) -> tuple[bool, bool, bool, str, str]:
        key = codec.open(bytes(row.key)).decode()
        return row.source == MANUAL, key != wanted, not carrying and row.fact_id != customer_id, row.source, key

    if not rows:
        return Named(customer_id, min(fitting, default=customer_id))
    first = min(rows.values(), key=order)
    return Named(customer_id, record_of(first, codec) if first.source == MANUAL else first.fact_id)


def _tokens(space: Opened, wanted: str) -> list[str]:
    parts = wanted.split("|")
    return [space.store.codec.token("identifier", *parts)] if len(parts) == 3 else []
