"""The audit trail: whatever is done to it without the key is found, and stays found."""

import pytest
from sqlalchemy import text

from hcrm_core.store import audit
from hcrm_core.store.engine import Store

COLUMNS = "at, by, action, subject, detail, chain"
TAMPERING = {
    "another did it": ["UPDATE audit SET by = 'somebody' WHERE id = 2"],
    "at another time": ["UPDATE audit SET at = at + 1 WHERE id = 3"],
    "to another message": ["UPDATE audit SET subject = 'message 2' WHERE id = 1"],
    "with other detail": ["UPDATE audit SET detail = '[]' WHERE id = 2"],
    "the first is gone": ["DELETE FROM audit WHERE id = 1"],
    "one in the middle is gone": ["DELETE FROM audit WHERE id = 2"],
    "the last is gone": ["DELETE FROM audit WHERE id = 4"],
    "all are gone": ["DELETE FROM audit"],
    "all are gone and the end too": ["DELETE FROM audit", "DELETE FROM audit_end"],
    "the last is gone and the end points to the one before": [
        "DELETE FROM audit WHERE id = 4",
        "UPDATE audit_end SET token = (SELECT chain FROM audit WHERE id = 3)",
    ],
    "one comes before another": [
        "UPDATE audit SET id = 9 WHERE id = 2",
        "UPDATE audit SET id = 2 WHERE id = 3",
        "UPDATE audit SET id = 3 WHERE id = 9",
    ],
    "one was written twice": [f"INSERT INTO audit ({COLUMNS}) SELECT {COLUMNS} FROM audit WHERE id = 4"],
    "one was made up": [f"INSERT INTO audit ({COLUMNS}) VALUES (1, 'x', 'y', 'z', '{{}}', 'c')"],
}


def look(store: Store, by: str) -> None:
    with store.write() as connection:
        audit.record(connection, store.codec, at=5, by=by, action="messages.unmask", subject="message 1", detail={})


def broken(store: Store) -> int | None:
    with store.read() as connection:
        return audit.first_broken(connection, store.codec)


def test_a_trail_that_nobody_touched_is_whole(store: Store) -> None:
    assert broken(store) is None
    for number, by in enumerate(("夜班", "day", "day"), 1):
        look(store, by)
        assert broken(store) is None
        with store.read() as connection:
            assert [(row.id, row.by) for row in audit.trail(connection)][-1] == (number, by)


@pytest.mark.parametrize("what", TAMPERING)
def test_a_trail_that_was_tampered_with_is_found_and_stays_found(store: Store, what: str) -> None:
    for by in "abcd":
        look(store, by)
    with store.write() as connection:
        for statement in TAMPERING[what]:
            connection.execute(text(statement))
    assert broken(store) is not None
    look(store, "later")
    assert broken(store) is not None
