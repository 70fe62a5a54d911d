"""`hcrm identity`: how patients that no number links come to be one customer."""

from pathlib import Path

import click
import msgspec

from hcrm_core.cli.context import counted, opened, say, workspace_option
from hcrm_core.errors import InputError, UsageError
from hcrm_core.identity.golden import fields_of
from hcrm_core.identity.profile import Profile, profile_of
from hcrm_core.identity.training import FEWEST, train
from hcrm_core.mart.record_files import SUFFIX, read_rows
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.store.queries import facts


@click.group()
def identity() -> None:
    """See to how patients are linked by score."""


@identity.command("train")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE", help="The model."
)
@click.option(
    "--records",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Learn from record files in place of the workspace's patients.",
)
@click.option("--seed", default=1, show_default=True, metavar="S", help="Of what is drawn by chance.")
@workspace_option
def train_(output: Path, records: Path | None, seed: int, workspace: str | None) -> None:
    """Learn what agreements weigh, and how common names are, from the workspace's own patients.

    Nobody needs to say who is whom. The model holds shares of surnames and of characters of given names that several
    people have, and nothing else of anybody. Name it in hcrm.toml: [identity] model = "FILE". Everybody is linked anew
    by the next batch.
    """
    if output.exists():
        raise UsageError(f"{output} exists already. Name another file.")
    profiles = _of_records(records) if records else _of_workspace(workspace)
    if len(profiles) < FEWEST:
        raise InputError(
            f"There are {counted(len(profiles), 'patient')} to learn from, and it takes {FEWEST:,}. The model that is "
            "shipped does until there are more."
        )
    say(f"Learning from {counted(len(profiles), 'patient')} …")
    where = f"records in {records.name}" if records else "a workspace"
    model = train(profiles, f"{counted(len(profiles), 'patient')} of {where}, seed {seed}", seed)
    output.write_bytes(msgspec.json.format(msgspec.json.encode(model), indent=1) + b"\n")
    click.echo(f"Wrote {output}.")


def _of_records(folder: Path) -> list[Profile]:
    rows = (row for file in sorted(folder.glob(f"*{SUFFIX}")) for batch in read_rows(file) for row in batch)
    bodies = {row.key: row.body for row in rows if row.kind == "Patient"}
    return [profile for body in bodies.values() if (profile := profile_of(msgspec.json.decode(body)))]


def _of_workspace(workspace: str | None) -> list[Profile]:
    with opened(workspace) as space, space.store.read() as connection:
        # What was typed in by hand repeats fields of a record: it would be learned from twice.
        patients = (row for row in facts.of_kind(connection, "Patient") if not row.void and row.source != MANUAL)
        return [profile for row in patients if (profile := profile_of(fields_of(row, space.store.codec)))]
