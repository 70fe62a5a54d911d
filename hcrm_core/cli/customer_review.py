"""`hcrm customers review`: who may be one person, for a person to say."""

from itertools import islice
from pathlib import Path
from typing import Any, get_args

import click

from hcrm_core import env
from hcrm_core.cli import review_pairs, review_sheet
from hcrm_core.cli.context import Opened, json_option, opened, say, show_json, show_table, workspace_option
from hcrm_core.cli.customer_links import who_options, who_says
from hcrm_core.cli.review_pairs import Verdict
from hcrm_core.cli.review_sheet import Language
from hcrm_core.errors import HcrmError
from hcrm_core.intake.judgements import Who
from hcrm_core.store import audit
from hcrm_core.store.queries import review as queries

_SHORT = 8
"""Digits of each patient's id by which a pair is shown."""


@click.group(invoke_without_command=True)
@click.pass_context
def review(context: click.Context) -> None:
    """Decide which pairs of customers are one person.

    Without a command: list them.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@review.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1_000_000), help="Pairs on a page.")
@click.option("--page", default=1, show_default=True, type=click.IntRange(1), help="Which page.")
@json_option
@workspace_option
def list_(limit: int, page: int, as_json: bool, workspace: str | None) -> None:
    """List pairs that are to be decided, the likeliest first."""
    with opened(workspace) as space:
        found = queue(space, limit, (page - 1) * limit)
    if as_json:
        show_json(found)
    else:
        tell_queue(found)


@review.command()
@click.argument("pair", metavar="PAIR")
@json_option
@workspace_option
def show(pair: str, as_json: bool, workspace: str | None) -> None:
    """Show both records of a pair side by side, and what each field weighs."""
    with opened(workspace) as space, space.store.read() as connection:
        (found,) = review_pairs.shown(connection, space, [review_pairs.find(connection, pair)])
    if as_json:
        show_json(found)
    else:
        tell(found)


@review.command()
@click.argument("pair", metavar="PAIR")
@who_options(required=False)
@workspace_option
def accept(pair: str, reason: str | None, by: str | None, workspace: str | None) -> None:
    """Say that both are one person: the two customers are merged."""
    _decide(pair, "accept", who_says(reason, by), workspace)


@review.command()
@click.argument("pair", metavar="PAIR")
@who_options(required=False)
@workspace_option
def reject(pair: str, reason: str | None, by: str | None, workspace: str | None) -> None:
    """Say that both are different people.

    It is remembered: the pair does not come back, under another model or other thresholds neither.
    """
    _decide(pair, "reject", who_says(reason, by), workspace)


@review.command()
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--limit", default=1_000, show_default=True, type=click.IntRange(1, 100_000), help="How many pairs.")
@click.option("--lang", type=click.Choice(get_args(Language)), default="zh", show_default=True, help="Of headings.")
@click.option("--by", metavar="NAME", help="Who takes it; your login name by default.")
@workspace_option
def export(output: Path, limit: int, lang: Language, by: str | None, workspace: str | None) -> None:
    """Write the queue as XLSX for a registrar to fill in.

    The file holds names; that it was written stands in the audit trail.
    """
    with opened(workspace) as space:
        found = queue(space, limit)
        with space.store.write() as connection:
            audit.record(
                connection,
                space.store.codec,
                at=env.microseconds(env.now()),
                by=by or env.user(),
                action="customers.review.export",
                subject=f"{len(found)} pairs",
                detail={"file": output.name},
            )
        review_sheet.write(output, found, lang)
    count = "1 pair is" if len(found) == 1 else f"{len(found)} pairs are"
    say(f"{count} in {output}. Fill the column of decisions, then: hcrm customers review import {output}")


@review.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", metavar="NAME", help="Who decided; your login name by default.")
@json_option
@workspace_option
def import_(file: Path, by: str | None, as_json: bool, workspace: str | None) -> None:
    """Take over what a registrar filled in. To import it again changes nothing.

    A row that cannot be understood is told and costs no other.
    """
    with opened(workspace) as space:
        counts, wrong = _take_over(space, file, who_says(None, by))
    if as_json:
        show_json({**counts, "wrong": wrong})
    else:
        click.echo(
            f"{counts['accept']} pairs accepted, {counts['reject']} rejected, {counts['later']} left for later, "
            f"{counts['said']} said already."
        )
    for sentence in wrong:
        say(sentence)
    if wrong:
        raise click.exceptions.Exit(1)


def queue(space: Opened, limit: int, skip: int = 0) -> list[dict[str, Any]]:
    """Pairs that are to be decided, the likeliest first, both records side by side."""
    with space.store.read() as connection:
        page = [one.pair for one in islice(queries.queue(connection), skip, skip + limit)]
        return review_pairs.shown(connection, space, page)


def tell_queue(found: list[dict[str, Any]]) -> None:
    """List pairs on the terminal."""
    show_table(
        ("pair", "bits", "name", "other name", "birth date", "other birth date"),
        [(_short(one), f"{one['bits']:.1f}", *_of(one, "name"), *_of(one, "birth")) for one in found],
    )


def tell(found: dict[str, Any]) -> None:
    """Show one pair on the terminal."""
    click.echo(f"{found['pair']}: {found['bits']:.1f} bits, {found['verdict']}")
    rows = [
        (one["field"], *one["records"], one["level"] or "", "" if one["bits"] is None else f"{one['bits']:+.1f}")
        for one in found["fields"]
    ]
    show_table(
        ("field", *(f"{source or 'unknown'} {end[:_SHORT]}" for source, end in _heads(found)), "level", "bits"), rows
    )


def _heads(found: dict[str, Any]) -> list[tuple[str | None, str]]:
    return list(zip(found["sources"], found["patients"], strict=True))


def _short(one: dict[str, Any]) -> str:
    return "-".join(patient[:_SHORT] for patient in one["patients"])


def _of(one: dict[str, Any], field: str) -> list[str]:
    return next(list(said["records"]) for said in one["fields"] if said["field"] == field)


def _decide(wanted: str, verdict: Verdict, who: Who, workspace: str | None) -> None:
    with opened(workspace) as space:
        with space.store.read() as connection:
            pair = review_pairs.find(connection, wanted)
        message = review_pairs.decide(space, pair, verdict, who)
    what = "one person" if verdict == "accept" else "different people"
    click.echo(f"They are {what} already." if message is None else f"Message {message}: they are {what}.")


def _take_over(space: Opened, file: Path, who: Who) -> tuple[dict[str, int], list[str]]:
    counts = {"accept": 0, "reject": 0, "later": 0, "said": 0}
    wrong = []
    for answer in review_sheet.read(file):
        at = f"{file}, row {answer.row}"
        if answer.decision == "later":
            counts["later"] += 1
            continue
        if answer.decision not in get_args(Verdict):
            choices = "accept, reject or later (同一人, 不同人, 以后)"
            wrong.append(f"{at}, column {answer.column!r}: {answer.decision!r} is no decision. Write {choices}.")
            continue
        try:
            with space.store.read() as connection:
                pair = review_pairs.find(connection, answer.pair)
            verdict: Verdict = "accept" if answer.decision == "accept" else "reject"
            message = review_pairs.decide(space, pair, verdict, who._replace(reason=answer.reason))
        except HcrmError as error:
            wrong.append(f"{at}, column {answer.pair_column!r}: {error}")
            continue
        counts["said" if message is None else verdict] += 1
    return counts, wrong
