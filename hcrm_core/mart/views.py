"""The documented tables of facts over the files of one manifest, now or as they were known at an instant."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

from hcrm_core.mart.columns import columns_of
from hcrm_core.mart.manifest import Manifest
from hcrm_core.mart.people import calendar_on, customers_on, golden_of
from hcrm_core.mart.relations import past, present
from hcrm_core.mart.tables import TABLES


class View(NamedTuple):
    """A SELECT that gives a table, and whether it takes so much computing that it is done once and kept."""

    query: str
    computed: bool = False


def fact_views(mart: Path, manifest: Manifest, today: date, as_of_us: int | None) -> dict[str, View]:
    """Table → how it is read.

    Args:
        mart: Where the files of `manifest` lie.
        manifest: Held by the caller.
        today: The day from which `customer` and `calendar` count.
        as_of_us: An instant, microseconds since 1970 UTC; now where `None`.
    """

    def kept(name: str) -> str:
        files = manifest.tables[name]
        return present(mart, name, files) if as_of_us is None else past(mart, name, files, as_of_us)

    found = {table.name: View(f"SELECT {', '.join(columns_of(table))} FROM ({kept(table.name)})") for table in TABLES}
    golden = kept("customer") if as_of_us is None else golden_of(f"({kept('patient')})", manifest.golden)
    found["customer"] = View(customers_on(f"({golden})", today), computed=as_of_us is not None)
    found["calendar"] = View(calendar_on(today), computed=True)
    return found
