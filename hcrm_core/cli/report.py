"""`hcrm report`: run a report's queries and write the file it renders."""

from pathlib import Path

import click

from hcrm_core import env
from hcrm_core.cli.context import Opened, opened, say, workspace_option
from hcrm_core.config import nearest
from hcrm_core.decide.run import run_report_queries
from hcrm_core.errors import InputError, UsageError
from hcrm_core.model.reports import ReportContext


@click.command()
@click.argument("name", required=False)
@click.option("-o", "--output", "file", metavar="FILE", help="Where to write it.  [default: NAME and its suffix]")
@click.option("--as-of", metavar="INSTANT", help="Show what was known then, as 2026-11-01T00:00:00+08:00.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language.")
@workspace_option
def report(name: str | None, file: str | None, as_of: str | None, lang: str, workspace: str | None) -> None:
    """Write the report NAME; without a name, list the reports."""
    with opened(workspace) as space:
        if name is None:
            for known in space.registry.reports.values():
                click.echo(f"{known.name}  {known.title.get('zh', '')}  {known.title.get('en', '')}")
            return
        path = write(space, name, file, as_of, lang)
    say(f"Wrote {path}. Open it in a browser.")


def write(space: Opened, name: str, output: str | None, as_of: str | None, language: str) -> Path:
    """Render a report into a file.

    Raises:
        UsageError: There is no such report.
        InputError: The file cannot be written.
        PluginError: The report fails.
    """
    reports = space.registry.reports
    if name not in reports:
        raise UsageError(f"There is no enabled report {name!r}. {nearest(name, list(reports))}")
    made = reports[name]
    now = env.now()
    shown = env.parse_instant(as_of, "--as-of") if as_of else now
    tables = run_report_queries(
        space.store,
        space.mart,
        made,
        now_us=env.microseconds(now),
        timezone=space.timezone,
        as_of_us=env.microseconds(shown),
        engine=space.engine(),
    )
    context = ReportContext(
        language=language,
        as_of=shown.isoformat(),
        today=env.local_day(shown, space.timezone).isoformat(),
        title=space.configuration.settings.title,
    )
    path = Path(output or f"{name}{made.suffix}").resolve()
    file = space.code.render(name, tables, context)
    try:
        path.write_bytes(file)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from None
    return path
