"""The decision views of a mart: what strategies decided, for others to read."""

from collections.abc import Collection
from typing import Any

from hcrm_core.mart.engine import Mart
from hcrm_core.store.engine import Store
from hcrm_core.store.queries.decisions import decision_tasks, last_runs
from hcrm_core.store.queries.points import decision_points


def show_decisions(
    mart: Mart,
    store: Store,
    tables: Collection[str],
    previews: dict[str, tuple[str, str]] | None = None,
    subjects: Collection[str] | None = None,
) -> None:
    """Fill those decision views that are among `tables` with what strategies decided last.

    Args:
        mart: Whose views.
        store: Holds tasks and run rows.
        tables: Names of tables somebody is about to read.
        previews: Strategy → (kind, snapshot) of a dry run in progress; they stand for the applied ones.
        subjects: Only what was decided about these customers; about everybody where `None`.
    """
    with store.read() as connection:
        if "decision_task" in tables:
            batches: Any = decision_tasks(connection, subjects)
            mart.show_rows("decision_task", batches)
        if "decision_points" in tables:
            points: Any = decision_points(connection, subjects)
            mart.show_rows("decision_points", points)
        for kind in ("segment", "score"):
            if f"decision_{kind}" in tables:
                runs = last_runs(connection, kind)
                files = {name: run.snapshot for name, run in runs.items() if run.snapshot}
                files |= {name: file for name, (of, file) in (previews or {}).items() if of == kind}
                there = {name: file for name, file in files.items() if (mart.folder / file).exists()}
                mart.show_snapshots(kind, there, subjects)
