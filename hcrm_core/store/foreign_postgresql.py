"""Times of PostgreSQL that Python has none of (`infinity`, the year 10,000, 24:00): as the database writes them."""

from typing import Any

_TYPES = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")


def with_all_times(connection: Any) -> None:
    """Let a connection of psycopg give as text what is no value of Python's, so that it costs no other row.

    Args:
        connection: The driver's own.
    """
    from psycopg import DataError
    from psycopg.adapt import Buffer, Loader
    from psycopg.pq import Format

    def lenient(known: type[Any]) -> type[Loader]:
        class Lenient(Loader):
            """Reads as psycopg does, where it can."""

            def __init__(self, oid: int, context: Any = None) -> None:
                super().__init__(oid, context)
                self._known = known(oid, context)

            def load(self, data: Buffer) -> Any:
                """The value, else its text."""
                try:
                    return self._known.load(data)
                except (DataError, ValueError, OverflowError):
                    return bytes(data).decode()

        return Lenient

    for name in _TYPES:
        oid = connection.adapters.types[name].oid
        known = connection.adapters.get_loader(oid, Format.TEXT)
        if known is not None:
            connection.adapters.register_loader(oid, lenient(known))
