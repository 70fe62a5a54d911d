"""Decisions that follow their patients from customer to customer."""

from sqlalchemy import Connection, text

_CLOSED = {"task": ("completed", "expired", "withdrawn"), "points": ("granted", "refused", "countered")}
"""Table → states of what a run does not return any more, or not always."""

_ANCHOR = "FROM fact AS f JOIN patient_customer AS pc ON pc.patient_id = f.patient_id"


def follow_links(connection: Connection, now: int, since: int = 0, *, closed_only: bool = True) -> int:
    """Give tasks and points to the customer their anchor's patient belongs to now.

    Args:
        connection: Inside a write transaction.
        now: The clock, microseconds since 1970 UTC.
        since: Only for links that changed after this instant, likewise.
        closed_only: Leave what a run returns to the run, which says what it changes; after a run, everything that is
            left: of strategies that are disabled or failed.

    Returns:
        How many moved.
    """
    moved = 0
    values = {"now": now, "since": since}
    for table, closed in _CLOSED.items():
        states = f"AND state IN ({', '.join(map(repr, closed))})" if closed_only else ""
        theirs = f"{_ANCHOR} WHERE f.fact_id = {table}.anchor"
        # Only who lost a patient can have what belongs to somebody else.
        moving = (
            f"WHERE customer_id IN (SELECT customer_id FROM past_customer WHERE until > :since) {states} "
            f"AND EXISTS (SELECT 1 {theirs} AND pc.customer_id <> {table}.customer_id)"
        )
        if table == "task":
            note = "INSERT INTO task_event (task_id, at, \"by\", state, reason) SELECT task_id, :now, 'links', state, "
            connection.execute(text(f"{note} 'changed: customer_id' FROM task {moving} ORDER BY task_id"), values)
        change = f"UPDATE {table} SET fingerprint = NULL, customer_id = (SELECT pc.customer_id {theirs}) {moving}"
        moved += int(connection.execute(text(change), values).rowcount)
    return moved
