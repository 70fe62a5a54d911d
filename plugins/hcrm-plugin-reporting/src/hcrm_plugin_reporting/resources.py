"""The package's data files: queries, catalogues, chart specifications, the style sheet."""

from importlib.resources import files


def read(path: str) -> str:
    """The text of the package's file at `path`, `/` between its parts."""
    return files(__package__).joinpath(path).read_text("utf-8")


def query(name: str) -> str:
    """The SELECT of `queries/NAME.sql`."""
    return read(f"queries/{name}.sql")
