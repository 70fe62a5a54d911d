"""From a fact back to the message that said it, and to the field of the message where the adapter can tell."""

from collections.abc import Sequence
from functools import lru_cache

from hcrm_core.cli.context import Opened
from hcrm_core.decide.evidence import Landed
from hcrm_core.model.adapters import RECORD_FILES
from hcrm_core.model.translation import Origin
from hcrm_core.store.queries import inbox, processing


class Trace:
    """Reads messages back, and asks the adapter where their fields came from."""

    def __init__(self, space: Opened) -> None:
        """Args: space: The workspace."""
        self._space = space
        self.message = lru_cache(maxsize=1_000)(self._message)
        """Message id → what the inbox knows of it."""
        self.origins = lru_cache(maxsize=1_000)(self._origins)
        """Message id → where the fields of its records came from."""

    def _message(self, message_id: int) -> Landed | None:
        with self._space.store.read_inbox() as connection:
            found = inbox.read(connection, message_id)
        return Landed(found.source, found.control_id, found.received_at, found.payload is None) if found else None

    def _origins(self, message_id: int) -> Sequence[Origin]:
        with self._space.store.read_inbox() as landed, self._space.store.read() as processed:
            found = inbox.read(landed, message_id)
            outcome = processing.outcomes(processed, [message_id]).get(message_id)
        if found is None or found.payload is None or outcome is None or outcome.adapter == RECORD_FILES:
            return ()
        source = self._space.registry.source(found.source, outcome.adapter.partition(" ")[0])
        return self._space.pool.inspect(source, self._space.store.codec.open(found.payload)).origins
