"""`hcrm mapping`: a source's mapping and its examples."""

from collections.abc import Sequence

import click

from hcrm_core.cli.context import Opened, counted, json_option, opened, show_json, workspace_option
from hcrm_core.cli.rehearsal import rehearsed
from hcrm_core.errors import UsageError
from hcrm_core.model.examples import Tried


@click.group()
def mapping() -> None:
    """Check what a mapping says of a source."""


@mapping.command()
@click.argument("file", required=False, metavar="[FILE]", type=click.Path(exists=True, dir_okay=False))
@click.option("--source", metavar="NAME", help="The source it is for; of several, the mapping of this one only.")
@json_option
@workspace_option
def check(file: str | None, source: str | None, as_json: bool, workspace: str | None) -> None:
    """Check a mapping and try its examples; without FILE those that hcrm.toml names."""
    with opened(workspace) as space:
        if file is not None:
            with rehearsed(space, file, source) as (pool, read):
                tried = {(read.source, file): pool.examples(read)}
        else:
            tried = {(name, path): space.pool.examples(space.source_of(name)) for name, path in _named(space, source)}
    if as_json:
        show_json(
            [
                {"source": name, "mapping": path, "example": one.name, "where": one.where, "failures": [*one.failures]}
                for (name, path), examples in tried.items()
                for one in examples
            ]
        )
    else:
        for (name, path), examples in tried.items():
            for level, text in told(name, path, examples):
                click.echo(f"{level:7} {text}")
    if any(one.failures for examples in tried.values() for one in examples):
        raise click.exceptions.Exit(1)


def told(source: str, path: str, examples: Sequence[Tried]) -> list[tuple[str, str]]:
    """(level, sentence) for what came of a mapping's examples, as `hcrm doctor` tells things."""
    wrong = [
        (
            "wrong",
            f"{one.where}: the example {one.name!r} of the source {source} does not hold: {' '.join(one.failures)}",
        )
        for one in examples
        if one.failures
    ]
    if not examples:
        return [("note", f"The mapping {path} of the source {source} holds no example, so nothing tests it.")]
    held = counted(len(examples) - len(wrong), "example")
    return [*wrong, *([] if wrong else [("good", f"The mapping {path} of the source {source} keeps to its {held}.")])]


def _named(space: Opened, source: str | None) -> list[tuple[str, str]]:
    """The sources that name a mapping, each with its path."""
    if source is not None:
        space.registry.source(source)  # a misspelt one is a sentence
    found = [
        (name, str(table["mapping"]))
        for name, table in space.configuration.settings.sources.items()
        if "mapping" in table and source in (None, name)
    ]
    if not found:
        which = f"The source {source} names no mapping" if source else "No source names a mapping"
        raise UsageError(f"{which} in hcrm.toml. Name a file: hcrm mapping check FILE")
    return found
