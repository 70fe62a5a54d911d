"""The mapping by which the adapter for tables reads those of the simulated hospital."""

from importlib.resources import files
from pathlib import Path

MAPPING = "mapping.toml"


def write_mapping(folder: Path) -> None:
    """Put it beside them."""
    (folder / MAPPING).write_bytes((files(__package__) / "data" / MAPPING).read_bytes())
