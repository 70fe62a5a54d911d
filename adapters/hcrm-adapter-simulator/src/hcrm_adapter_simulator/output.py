"""What a writer is given and what it tells afterwards."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hcrm_core.api import UsageError


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        folder: Where.
        files: How many files.
        items: How many messages or rows of records.
        truth: What truly happened, counted (`truth.count`).
    """

    folder: Path
    files: int
    items: int
    truth: Counter[str]


def empty_of(folder: Path, pattern: str) -> None:
    """Make the folder, and see that nothing in it would be taken for part of this hospital.

    Raises:
        UsageError: It holds such files, or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"The folder {folder} cannot be made: {problem.strerror}.") from problem
    if next(folder.glob(pattern), None) is not None:
        raise UsageError(f"The folder {folder} already holds {pattern} files. Name an empty folder.")
