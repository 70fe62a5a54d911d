"""Stays that go on under another number, or turned out to be another patient's."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection

from hcrm_core.model.moves import Move, follow
from hcrm_core.store.engine import driver_rows, driver_select, driver_sql

_COLUMNS = "m.fact_id, m.encounter_id, m.patient_id, m.target_id, m.owner_id, m.stamp"


def any_moves(connection: Connection) -> bool:
    """Whether there is any."""
    return bool(driver_rows(connection, "SELECT 1 FROM stay_move LIMIT 1", ()))


def moves_stated_by(connection: Connection, fact_ids: Iterable[str]) -> list[Move]:
    """The moves these facts state."""
    return _where(connection, "fact_id", fact_ids)


def moves_from(connection: Connection, encounter_ids: Iterable[str]) -> list[Move]:
    """Where these stays went."""
    return _where(connection, "encounter_id", encounter_ids)


def moves_to(connection: Connection, encounter_ids: Iterable[str]) -> list[Move]:
    """The moves that end at one of these stays."""
    return _where(connection, "target_id", encounter_ids)


def replace_moves(connection: Connection, fact_ids: Iterable[str], moves: Sequence[Move], now: int) -> None:
    """Make `moves` those these facts state from `now` on, microseconds since 1970 UTC."""
    gone = [(now, one) for one in sorted(fact_ids)]
    driver_sql(
        connection,
        "INSERT INTO past_stay_move (fact_id, until, known_at, encounter_id, patient_id, target_id, owner_id, stamp) "
        "SELECT fact_id, ?, known_at, encounter_id, patient_id, target_id, owner_id, stamp FROM stay_move "
        "WHERE fact_id = ?",
        gone,
    )
    driver_sql(connection, "DELETE FROM stay_move WHERE fact_id = ?", [one[1:] for one in gone])
    driver_sql(
        connection,
        "INSERT INTO stay_move (fact_id, encounter_id, patient_id, target_id, owner_id, stamp, known_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(*move, now) for move in sorted(moves)],
    )


def _where(connection: Connection, column: str, values: Iterable[str]) -> list[Move]:
    statement = f"SELECT {_COLUMNS} FROM {{wanted}} CROSS JOIN stay_move AS m WHERE m.{column} = w.value"
    return [Move._make(row) for row in driver_select(connection, statement, values)]


class PastMoves:
    """Where stays were at any instant, as far as it was known then."""

    def __init__(self, connection: Connection, encounter_ids: Iterable[str]) -> None:
        """Args: connection: a transaction on the store; encounter_ids: those that will be asked for."""
        self._from: dict[str, list[tuple[Move, int, int | None]]] = defaultdict(list)
        known: set[str] = set()
        while frontier := set(encounter_ids) - known:
            known |= frontier
            rows = driver_select(
                connection,
                f"SELECT {_COLUMNS}, m.known_at, NULL FROM {{wanted}} CROSS JOIN stay_move AS m "
                "WHERE m.encounter_id = w.value",
                frontier,
            )
            rows += driver_select(
                connection,
                f"SELECT {_COLUMNS}, m.known_at, m.until FROM {{wanted}} CROSS JOIN past_stay_move AS m "
                "WHERE m.encounter_id = w.value",
                frontier,
            )
            moves = [(Move._make(row[:6]), row[6], row[7]) for row in rows]
            for move, since, until in moves:
                self._from[move.encounter_id].append((move, since, until))
            encounter_ids = {move.target_id for move, *_ in moves}

    @property
    def any(self) -> bool:
        """Whether any of them ever went anywhere."""
        return bool(self._from)

    def pieces(
        self, encounter_id: str, patient_id: str, since: int, until: int | None
    ) -> Iterator[tuple[tuple[str, str], int, int | None]]:
        """The time from `since` to `until`, cut where a statement about a stay and a patient came to be about another.

        Args:
            encounter_id, patient_id: As stated.
            since, until: Microseconds since 1970 UTC; `until` is `None` where it lasts.

        Yields:
            The stay and the patient it was about, from when, and until when.
        """
        instants = [one for one in self._instants(encounter_id) if one > since and (until is None or one < until)]
        begin, where = since, self._at(encounter_id, patient_id, since)
        for instant in instants:
            if (then := self._at(encounter_id, patient_id, instant)) != where:
                yield where, begin, instant
                begin, where = instant, then
        yield where, begin, until

    def _at(self, encounter_id: str, patient_id: str, instant: int) -> tuple[str, str]:
        def onward(encounter_id: str, patient_id: str) -> Move | None:
            stated = [
                move
                for move, since, until in self._from.get(encounter_id, ())
                if move.patient_id == patient_id and since <= instant and (until is None or instant < until)
            ]
            return max(stated, key=lambda move: move.place, default=None)

        return follow(encounter_id, patient_id, onward)

    def _instants(self, encounter_id: str) -> list[int]:
        """When anything changed of where a stay of this number, or of one it went to, is."""
        found: set[int] = set()
        seen: set[str] = set()
        waiting = [encounter_id]
        while waiting:
            seen.add(one := waiting.pop())
            for move, since, until in self._from.get(one, ()):
                found |= {since} if until is None else {since, until}
                if move.target_id not in seen:
                    waiting.append(move.target_id)
        return sorted(found)
