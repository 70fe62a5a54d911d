"""How far live deciding has come."""

from sqlalchemy import Connection, select

from hcrm_core.model.mart import Position
from hcrm_core.store.tables import live_state


def decided_to(connection: Connection) -> Position | None:
    """Everybody who changed up to here was looked at; `None` before the first time."""
    columns = (live_state.c.sequence, live_state.c.known_at, live_state.c.statement)
    row = connection.execute(select(*columns).where(live_state.c.id == 1)).first()
    return Position(*row) if row else None


def come_to(connection: Connection, position: Position) -> None:
    """Note that everybody who changed up to a position was looked at, unless others have come further."""
    before = decided_to(connection)
    if before is None:
        connection.execute(live_state.insert().values(id=1, **position._asdict()))
    elif position.statement >= before.statement and position.known_at >= before.known_at:
        connection.execute(live_state.update().where(live_state.c.id == 1).values(**position._asdict()))
