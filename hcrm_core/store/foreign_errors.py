"""What the databases of others say of a question that failed: without values, since they may be a patient's."""

from sqlalchemy.exc import DBAPIError

from hcrm_core.errors import FetchError, UnavailableError
from hcrm_core.store.engine import UNAVAILABLE

_AWAY = ("08", "57", "53", "40")
"""Classes of SQLSTATE: the connection, an operator, resources, a rollback."""

_NAMES = ("42", "SQLITE_ERROR", "SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_NOTADB")
"""Beginnings of states that tell of a statement or a file, and of no value."""


def told(error: DBAPIError, name: str) -> FetchError:
    """An error as a sentence.

    Args:
        error: As the driver raised it.
        name: Of the database, for people.
    """
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None) or ""
    first = str(error.orig).partition("\n")[0].strip().rstrip(".")
    if state.startswith("28"):
        return FetchError(f"{name} does not let us in ({state}). Check the user and password_file.")
    away = error.connection_invalidated or state[:2] in _AWAY or state.startswith("SQLITE_BUSY")
    if not state:
        away = away or isinstance(error, UNAVAILABLE)
        # psycopg has no state where there was no connection yet; what other drivers write may hold values.
        known = away and type(error.orig).__module__.startswith("psycopg")
        said = f": {first}" if known else f" ({_kind(error.orig)})"
    else:
        said = f": {first}" if state.startswith(_NAMES) or away else f" ({state})"
    if away:
        return UnavailableError(f"{name} cannot be asked now{said}.")
    return FetchError(f"{name} refuses the adapter's question{said}.")


def _kind(error: object) -> str:
    """The class of an error of a driver that gives no state, and its number or state where that is its first part."""
    first = next(iter(getattr(error, "args", ())), None)
    code = getattr(first, "full_code", first)
    short = isinstance(code, int) or (isinstance(code, str) and code.isascii() and code.replace("-", "").isalnum())
    return f"{type(error).__name__} {code}" if short and len(str(code)) <= 10 else type(error).__name__
