"""The pages of what can be called: the command line, hooks and contracts; `generate.py` beside this writes them."""

import inspect
from collections.abc import Iterator

import click
import generate_text as words
from msgspec import Struct


def cli() -> str:
    from hcrm_adapter_simulator.command import simulate
    from hcrm_adapter_simulator.people_command import simulate_people
    from hcrm_core.cli import COMMANDS, load, main

    parts = ["# Command line\n", _help(main, "hcrm"), _exit_codes()]
    for name in COMMANDS:
        parts += _commands(load(name), f"hcrm {name}", 2)
    parts.append("## Commands of plugins\n\nBoth are offered by the plugin `simulator`, where it is enabled.\n")
    parts += _commands(simulate, "hcrm simulate", 3)
    parts += _commands(simulate_people, "hcrm simulate-people", 3)
    return "\n".join(parts)


def _exit_codes() -> str:
    from hcrm_core import errors

    rows = []
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if name != "HcrmError":
            rows.append((f"`{name}`", str(error.exit_code), words.first(error)))
    return "## Exit codes\n\n0 done, 1 failed, 2 usage, 3 done with quarantined or rejected items.\n\n" + words.table(
        ("error", "exit code", "meaning"), rows
    )


def _commands(command: click.Command, path: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{path}`\n\n{_help(command, path)}"
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            if inner:
                yield from _commands(inner, f"{path} {name}", level + 1)


def _help(command: click.Command, path: str) -> str:
    context = click.Context(
        command, info_name=path, terminal_width=80, max_content_width=80, help_option_names=["-h", "--help"]
    )
    return f"```text\n{command.get_help(context)}\n```\n"


def hooks() -> str:
    from hcrm_core import hookspecs
    from hcrm_core.model import (
        adapters,
        channels,
        listening,
        observing,
        reports,
        reviews,
        rule_file,
        strategies,
        translation,
    )

    parts = ["# Hooks and contracts\n", "A plugin imports `hcrm_core.api` and nothing else of the core.\n"]
    parts.append("## Hooks\n\n" + words.doc(hookspecs) + "\n")
    for name, function in inspect.getmembers(hookspecs, inspect.isfunction):
        if hasattr(function, "hcrm_spec"):
            parts.append(words.function(name, function, 3) + f"- **Stage**: {hookspecs.STAGES[name]}.\n")
    parts.append("### `WorkspaceView`\n\n" + words.doc(hookspecs.WorkspaceView) + "\n")
    parts += [words.function(name, one, 4) for name, one in words.methods(hookspecs.WorkspaceView)]
    for title, contract in (
        ("Adapters", adapters.Adapter),
        ("Strategies", strategies.Strategy),
        ("Reports", reports.Report),
        ("Reviews", reviews.Review),
        ("Channels", channels.Channel),
        ("What `after_intake` is told", observing.IntakeDone),
        ("What `after_intake` is told of each type", observing.TypeCount),
        ("What `after_decide` is told", observing.DecideDone),
        ("What `after_decide` is told of each strategy", observing.StrategyDone),
        ("What `after_decide` is told of the workload", observing.Load),
        ("What they answer", observing.Finding),
        ("Rule files", rule_file.RuleFile),
    ):
        parts.append(f"## {title}: `{contract.__name__}`\n\n{words.doc(contract)}\n")
        if not issubclass(contract, Struct):
            parts += [words.function(name, one, 3) for name, one in words.methods(contract)]
        if contract is adapters.Adapter:
            parts.append("### What `translate` returns\n")
            parts += [
                f"#### `{one.__name__}`\n\n{words.doc(one)}\n"
                for one in (
                    translation.Translation,
                    translation.Statement,
                    translation.CompleteSet,
                    translation.Coverage,
                    translation.Problem,
                    translation.RawMessage,
                    translation.Origin,
                )
            ]
            parts.append("### What an adapter that listens is made of\n")
            for one in (listening.Connection, listening.Received, listening.Verdict):
                parts.append(f"#### `{one.__name__}`\n\n{words.doc(one)}\n")
                if not issubclass(one, Struct):
                    parts += [words.function(name, method, 5) for name, method in words.methods(one)]
        if contract is strategies.Strategy:
            parts.append("### Columns of a strategy's rows\n")
            for kind, columns in strategies.REQUIRED_COLUMNS.items():
                rows = [(f"`{name}`", f"`{sql_type}`") for name, sql_type in columns.items()]
                parts.append(f"A {kind}:\n\n" + words.table(("column", "type"), rows))
            parts.append(words.after(strategies, "REQUIRED_COLUMNS") + "\n")
        if contract is reports.Report:
            parts.append(f"### `ReportContext`\n\n{words.doc(reports.ReportContext)}\n")
    return "\n".join(parts)
