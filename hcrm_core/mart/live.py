"""The tables of a few customers in memory, made of their facts as they come from the store."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from hcrm_core.config import USUAL_GOLDEN, GoldenSettings
from hcrm_core.mart.columns import columns_of, table_query
from hcrm_core.mart.engine import DEFAULT, Limits, Mart
from hcrm_core.mart.people import calendar_on, customers_on, golden_of
from hcrm_core.mart.profile import with_made_of
from hcrm_core.mart.refresh import FACTS, load_rows
from hcrm_core.mart.tables import PATIENT, TABLES
from hcrm_core.model.mart import MartRow, Position

KIND_OF = {table.name: table.kind for table in TABLES} | {"customer": PATIENT.kind}
"""Table of facts → the kind of fact it is made of."""


@contextmanager
def open_live(
    folder: Path,
    rows: Sequence[MartRow],
    *,
    position: Position,
    today: date,
    tables: Collection[str],
    golden: GoldenSettings = USUAL_GOLDEN,
    limits: Limits = DEFAULT,
) -> Iterator[Mart]:
    """Open a mart that holds what is given.

    Args:
        folder: The mart's folder, where snapshots lie.
        rows: All facts about some customers, of the kinds `tables` need, and what is about nobody.
        position: The store's, read in the transaction that read the facts.
        today: The day from which `customer` and `calendar` count.
        tables: Those that will be read.
        golden: How a customer is made of patients.
        limits: Memory, threads and seconds of a query.
    """

    shown = with_made_of(tables)

    def show(connection: duckdb.DuckDBPyConnection) -> None:
        load_rows(connection, "fact", FACTS, [rows])
        for table in TABLES:
            if table.name in shown:
                query = f"SELECT {', '.join(columns_of(table))} FROM ({table_query(table)})"
                connection.execute(f"CREATE TEMP TABLE {table.name} AS {query}")
        if "customer" in shown:
            made = golden_of(f"({table_query(PATIENT)})", golden)
            connection.execute(f"CREATE TEMP TABLE customer AS {customers_on(f'({made})', today)}")
        if "calendar" in tables:
            connection.execute(f"CREATE TEMP TABLE calendar AS {calendar_on(today)}")

    folder.mkdir(parents=True, exist_ok=True)
    mart = Mart(folder, position, today, limits, show, tables)
    try:
        yield mart
    finally:
        mart.close()
