"""`hcrm init`: a workspace."""

from pathlib import Path

import click

from hcrm_core import env
from hcrm_core.cli.context import Opened, say
from hcrm_core.errors import ConfigurationError, WorkspaceError
from hcrm_core.registry.installed import installed
from hcrm_core.store import schema
from hcrm_core.store.codec import create_key

SHIPPED = ("hl7v2", "fhir", "tabular", "simulator", "segmentation", "followup", "reporting")
"""Enabled where they are installed; what is installed later enables nothing by itself."""

CONFIGURATION = """\
# An HCRM workspace. Paths are relative to this file.

plugins = [{plugins}]   # enabled, in order
title = "{title}"       # shown in reports
timezone = "{timezone}"

[store]
url = "sqlite:///store.db"      # or postgresql+psycopg://user@host/database
key_file = "hcrm.key"           # all ids depend on it: back it up, apart from the database

[mart]
path = "mart"

[sources.his]
adapter = "hl7v2"
charset = "GB18030"             # where MSH-18 is silent
"""


@click.command()
@click.argument("directory", metavar="DIR")
@click.option("--title", default="HCRM", help="The hospital's name, shown in reports.")
@click.option("--timezone", default="Asia/Shanghai", show_default=True, help="The hospital's IANA time zone.")
def init(directory: str, title: str, timezone: str) -> None:
    """Make a workspace in DIR: hcrm.toml, key file, store."""
    workspace = create(Path(directory), title, timezone)
    say(f"Made the workspace {workspace.root}. Enabled: {', '.join(workspace.configuration.settings.plugins)}.")
    say("Next: point [sources.his] in hcrm.toml at your hospital system, then")
    say(f"  hcrm --workspace {directory} ingest FOLDER_OF_HL7_FILES")
    say("Back up hcrm.key now, and keep it apart from the database.")


def create(directory: Path, title: str, timezone: str) -> Opened:
    """Make a workspace; an existing one is never touched.

    Raises:
        WorkspaceError: The folder holds a workspace already, or cannot be written.
        ConfigurationError: There is no such time zone; nothing is left behind.
    """
    file = directory / env.CONFIGURATION
    if file.exists():
        raise WorkspaceError(f"{directory} is a workspace already ({env.CONFIGURATION} is there); it was not touched.")
    known = installed()
    enabled = [name for name in SHIPPED if name in known]
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(
            CONFIGURATION.format(
                plugins=", ".join(f'"{name}"' for name in enabled),
                title=title.replace("\\", "\\\\").replace('"', '\\"'),
                timezone=timezone,
            ),
            encoding="utf-8",
        )
    except OSError as error:
        raise WorkspaceError(f"{directory} cannot be made a workspace: {error.strerror}.") from None
    try:
        workspace = Opened(directory.resolve())
    except ConfigurationError:
        file.unlink()
        raise
    create_key(workspace.configuration.path(workspace.configuration.settings.store.key_file))
    schema.upgrade(workspace.unchecked_store)
    schema.require_current(workspace.unchecked_store)
    return workspace
