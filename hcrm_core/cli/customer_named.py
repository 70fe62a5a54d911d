"""Which customer is meant."""

from hcrm_core.cli.context import Opened
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.store.queries import customers as queries


def resolve(space: Opened, wanted: str) -> str:
    """The one customer meant by any member's id, its beginning, or a number as `AUTHORITY|TYPE|NUMBER`.

    Raises:
        NotFoundError: Nobody fits.
        UsageError: Several do.
    """
    parts = wanted.split("|")
    tokens = [space.store.codec.token("identifier", *parts)] if len(parts) == 3 else []
    with space.store.read() as connection:
        found = queries.find(connection, wanted, tokens)
    if not found:
        raise NotFoundError("No customer has this id or number. List them with: hcrm customers list")
    if len(found) > 1:
        raise UsageError(f"{len(found)} customers fit. Give more of the id, or a number as AUTHORITY|TYPE|NUMBER.")
    return found[0]
