"""The command line. This module imports next to nothing; every command is loaded when it is called."""

import atexit
import importlib
import os
import sys
import threading
from typing import Any, NoReturn

import click

from hcrm_core.garbage import uncollected

VERSION = "0.1.0"

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("hcrm_core.cli.demo:demo", "A synthetic hospital, the whole road once, a report."),
    "init": ("hcrm_core.cli.init:init", "Make a workspace: hcrm.toml, key file, store."),
    "ingest": ("hcrm_core.cli.ingest:ingest", "Read files, folders, archives or standard input."),
    "pull": ("hcrm_core.cli.pull:pull", "Ask servers and databases for what is new."),
    "listen": ("hcrm_core.cli.listen:listen", "Take messages from the network and acknowledge them."),
    "run": ("hcrm_core.cli.run:run", "Work off what has landed; --watch: listen and go on."),
    "decide": ("hcrm_core.cli.decide:decide", "Run strategies and apply what they decide."),
    "backtest": ("hcrm_core.cli.backtest:backtest", "Run a strategy over days gone by."),
    "explain": ("hcrm_core.cli.explain:explain", "Trace a decision back to message and field."),
    "report": ("hcrm_core.cli.report:report", "Write a report."),
    "messages": ("hcrm_core.cli.messages:messages", "See, replay and account for messages."),
    "mapping": ("hcrm_core.cli.mapping:mapping", "Check how a source's messages are mapped."),
    "customers": ("hcrm_core.cli.customers:customers", "See customers and the patients behind them."),
    "identity": ("hcrm_core.cli.identity:identity", "Train the model that links patients by score."),
    "segments": ("hcrm_core.cli.segments:segments", "See segments and who is in them."),
    "tasks": ("hcrm_core.cli.tasks:tasks", "See, complete and export follow-up tasks."),
    "points": ("hcrm_core.cli.points:points", "See points and what gave or took them."),
    "plugins": ("hcrm_core.cli.plugins:plugins", "See, enable and disable plugins."),
    "new": ("hcrm_core.cli.new:new", "Make the skeleton of an adapter or a plugin."),
    "db": ("hcrm_core.cli.db:db", "Upgrade and inspect the database."),
    "bench": ("hcrm_core.cli.bench:bench", "Measure speed beside a floor or a peer."),
    "doctor": ("hcrm_core.cli.doctor:doctor", "Find out what is wrong with a workspace."),
}
"""Name → where the command is defined, and its line in the help."""


class Root(click.Group):
    """A group whose commands are loaded only when called, and whose errors are sentences."""

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run as the program that this process is, and end with the command.

        Python would take itself apart object by object, which takes a fifth of the time of a small command.
        """
        code: Any = 0
        try:
            self.main(*args, **kwargs)
        except SystemExit as ended:
            code = ended.code
        leave(code if isinstance(code, int) else 1)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The core's commands; those of plugins are listed by `hcrm plugins commands`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command of the core, else ask the enabled plugins."""
        if cmd_name in COMMANDS:
            return load(cmd_name)
        from hcrm_core.cli.context import plugin_command

        return plugin_command(ctx, cmd_name, list(COMMANDS))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table above alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run; an error made for people is printed as a sentence and gives its exit code."""
        from hcrm_core.errors import HcrmError

        try:
            return super().main(*args, **kwargs)
        except HcrmError as error:
            click.echo(f"hcrm: {error}", err=True)
            sys.exit(error.exit_code)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(1)
        except Exception as error:
            if os.environ.get("HCRM_TRACEBACK"):
                raise
            click.echo(
                f"hcrm: an error nobody foresaw ({type(error).__name__}). Nothing half done was kept. Run the command "
                "again with HCRM_TRACEBACK=1 to see where, and report it; mind that a traceback may show patient data.",
                err=True,
            )
            sys.exit(1)


def leave(code: int) -> NoReturn:
    """End this process as Python does, but for the memory, which the system takes back at once."""
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as at every end
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        code = code or 1
    os._exit(code)


def load(name: str) -> click.Command:
    """A command of the core."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    # What is being imported stays: looking through it for garbage takes a seventh of the time.
    with uncollected():
        command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="hcrm")
@click.option("--workspace", metavar="DIR", help="The workspace; else HCRM_WORKSPACE, else this directory.")
@click.pass_context
def main(ctx: click.Context, workspace: str | None) -> None:
    """Hospital customer relationship management: from a hospital's messages to what each customer is owed next.

    Exit codes: 0 done, 1 failed, 2 usage, 3 done with quarantined or rejected items, or with findings
    under --strict.
    """
    ctx.obj = workspace
