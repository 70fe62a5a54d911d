"""`hcrm pull --attached`, the daemon's child: pull each source in its time, until the daemon wants it to end."""

from hcrm_core.cli.context import Opened


def keep_pulling(space: Opened) -> None:
    """Pull sources with `pull.every_seconds`; ends at once where there is none."""
