"""A snapshot of the run before as what is decided now: its rows stand, about whoever their subjects are by now."""

from hcrm_core.mart.contract import KEYS, Decided
from hcrm_core.mart.engine import Mart
from hcrm_core.mart.relations import quoted
from hcrm_core.model.strategies import REQUIRED_COLUMNS, Strategy
from hcrm_core.store.engine import Store
from hcrm_core.store.queries.links import customers_of


def load_kept(store: Store, mart: Mart, strategy: Strategy, snapshot: str) -> Decided:
    """Make the rows of a snapshot the table `decided`.

    Args:
        store: Knows whom patients belong to.
        mart: Gets the table.
        strategy: Whose snapshot it is.
        snapshot: The file, relative to the mart.
    """
    source = f"read_parquet({quoted(mart.folder / snapshot)})"
    mart.execute(f"CREATE OR REPLACE TEMP TABLE decided AS SELECT * FROM {source}")
    subjects = [row[0] for row in mart.execute("SELECT DISTINCT subject FROM decided").fetchall()]
    with store.read() as connection:
        # A customer's id is that of one of its patients, so it is found again whoever it belongs to.
        now = customers_of(connection, subjects)
    moved = sorted((old, new) for old, new in now.items() if old != new)
    for old, new in moved:
        mart.execute("UPDATE decided SET subject = $new WHERE subject = $old", {"old": old, "new": new})
    if moved:
        key = ", ".join(KEYS[strategy.kind])
        mart.execute(
            "CREATE OR REPLACE TEMP TABLE decided AS SELECT * FROM decided "
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY evidence) = 1"
        )
    names = [row[0] for row in mart.execute("DESCRIBE decided").fetchall()]
    (rows,) = mart.execute("SELECT count(*) FROM decided").fetchall()[0]
    required = REQUIRED_COLUMNS[strategy.kind]
    return Decided(strategy, tuple(name for name in names if name not in required), rows)
