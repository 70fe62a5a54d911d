"""Tables in pieces: what stands above the rows of the first piece goes before every other one."""

from hcrm_core.intake.files import Input
from hcrm_core.intake.pool import WorkerPool
from hcrm_core.registry.offers import Source


class Beginnings:
    """Completes the pieces of files as they come, one file after the other."""

    def __init__(self, pool: WorkerPool, source: Source) -> None:
        """Args: pool: where the adapter is asked; source: whose files they are."""
        self._pool = pool
        self._source = source
        self._first = b""
        self._beginning: bytes | None = None

    def completed(self, item: Input) -> bytes:
        """The bytes to split.

        Raises:
            InputError: The first piece of the file is no table.
            PluginError: The adapter's process dies over it.
        """
        assert item.data is not None
        if not item.table:
            return item.data
        if not item.before:
            self._first, self._beginning = item.data, None
            return item.data
        if self._beginning is None:
            self._beginning = self._pool.beginning(self._source, self._first, item.own_name)
            self._first = b""
        return self._beginning + item.data
