"""Workbooks: a sheet a table with Chinese names and headings, days and times as Excel has them, amounts as numbers."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from hcrm_adapter_simulator.mapping_file import write_mapping
from hcrm_adapter_simulator.output import Written, empty_of
from hcrm_adapter_simulator.settings import Settings
from hcrm_adapter_simulator.simulation import shards, simulate_shard
from hcrm_adapter_simulator.state import Knowledge, merged
from hcrm_adapter_simulator.tables import TABLES, Cell, Directory, Kind, rows
from hcrm_adapter_simulator.truth import count
from hcrm_adapter_simulator.workers import Progress, each_shard

_CREATED = datetime(2000, 1, 1, tzinfo=UTC)
"""What every workbook says of itself, so that equal settings give equal bytes."""
_FORMATS: dict[Kind, str] = {"day": "yyyy-mm-dd", "time": "yyyy-mm-dd hh:mm:ss", "amount": "0.00"}


class _Workbook:
    """One workbook, written row by row; what is written is not kept in memory."""

    def __init__(self, path: Path) -> None:
        from xlsxwriter import Workbook

        self._book = Workbook(str(path), {"constant_memory": True, "strings_to_urls": False})
        self._book.set_properties({"created": _CREATED.replace(tzinfo=None)})
        self._formats = {kind: self._book.add_format({"num_format": form}) for kind, form in _FORMATS.items()}
        bold = self._book.add_format({"bold": True})
        self._sheets: dict[str, Any] = {}
        self._filled: dict[str, int] = {}
        for kind, table in TABLES.items():
            sheet = self._sheets[kind] = self._book.add_worksheet(table.title)
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(table.columns):
                sheet.set_column(place, place, 20 if column.kind == "time" else 14)
                sheet.write_string(0, place, column.heading, bold)
            self._filled[kind] = 0

    def add(self, told: Iterable[tuple[str, tuple[Cell, ...]]]) -> int:
        """Add rows; how many there were."""
        added = 0
        for kind, row in told:
            self._filled[kind] += 1
            added += 1
            sheet, number = self._sheets[kind], self._filled[kind]
            for place, (column, cell) in enumerate(zip(TABLES[kind].columns, (number, *row), strict=True)):
                if cell is None:
                    continue
                if column.kind == "text":
                    sheet.write_string(number, place, cell)
                elif column.kind in ("day", "time"):
                    sheet.write_datetime(number, place, datetime.fromisoformat(str(cell)), self._formats[column.kind])
                else:
                    sheet.write_number(number, place, float(cell), self._formats.get(column.kind))
        return added

    def close(self) -> None:
        """End it."""
        self._book.close()


def _write_shard(settings: Settings, folder: Path, shard: int) -> tuple[int, Counter[str]]:
    knowledge = Knowledge()
    truth: Counter[str] = Counter()
    book = _Workbook(folder / f"hospital-{shard:03d}.xlsx")
    written = 0
    for events in simulate_shard(settings, shard):
        count(events, truth)
        facts = knowledge.of(events)
        written += book.add(rows(facts, Directory(knowledge.directory.values())))
    house = merged([knowledge.directory])
    written += book.add(rows(house, Directory(house)))
    book.close()
    return written, truth


def write_xlsx(settings: Settings, folder: Path, jobs: int = 1, progress: Progress | None = None) -> Written:
    """Write the hospital as workbooks, and the mapping that reads them.

    A workbook holds some hundred people with all that is theirs, and the departments and doctors they met.

    Args:
        settings: Which hospital.
        folder: Where; made if it is not there.
        jobs: How many processes; their number changes no byte.
        progress: Told of each shard done.

    Raises:
        UsageError: The folder holds workbooks already.
    """
    empty_of(folder, "*.xlsx")
    truth: Counter[str] = Counter()
    written = 0
    for items, counted in each_shard(partial(_write_shard, settings, folder), shards(settings), jobs, progress):
        written += items
        truth.update(counted)
    write_mapping(folder)
    return Written(folder, shards(settings) + 1, written, truth)
