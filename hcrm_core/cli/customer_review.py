"""`hcrm customers review`: who may be one person, for a person to say."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import click

from hcrm_core import env
from hcrm_core.cli import review_pairs, review_sheet
from hcrm_core.cli.context import (
    PARTIAL,
    Opened,
    counted,
    json_option,
    opened,
    say,
    show_json,
    show_table,
    workspace_option,
)
from hcrm_core.cli.customer_links import who_options, who_says
from hcrm_core.cli.review_pairs import Verdict
from hcrm_core.cli.review_sheet import Language
from hcrm_core.errors import HcrmError, UsageError
from hcrm_core.intake.judgements import Who
from hcrm_core.store import audit
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import review as queries
from hcrm_core.store.queries.pairs import PairRow

_SHORT = 8
"""Digits of each patient's id by which a pair is shown."""

_PAIR = click.argument("pair", nargs=-1, required=True, metavar="PAIR|RECORD RECORD")


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
        found, total = queue(space, limit, (page - 1) * limit)
    if as_json:
        show_json(found)
        return
    if not found:
        click.echo("No pair is to be decided." if not total else f"There are {total:,} pairs, so this page is empty.")
        return
    tell_queue(found)
    if len(found) < total:
        first = (page - 1) * limit + 1
        text = f"Pairs {first:,} to {first + len(found) - 1:,} of {total:,}, the likeliest first."
        more = f" More: hcrm customers review list --limit {limit} --page {page + 1}" if page * limit < total else ""
        click.echo(text + more)


@review.command()
@_PAIR
@json_option
@workspace_option
def show(pair: tuple[str, ...], as_json: bool, workspace: str | None) -> None:
    """Show both records of a pair side by side, and what each field weighs.

    Any two records can be shown, by their ids or as "HOSP|MR|0001" "HOSP|MR|0002": linked, in review or apart.
    """
    with opened(workspace) as space, space.store.read() as connection:
        (found,) = review_pairs.shown(connection, space, [_meant(space, connection, pair)])
    if as_json:
        show_json(found)
    else:
        tell(found)


@review.command()
@_PAIR
@who_options(required=False)
@workspace_option
def accept(pair: tuple[str, ...], reason: str | None, by: str | None, workspace: str | None) -> None:
    """Say that both are one person: the two customers are merged."""
    _decide(pair, "accept", who_says(reason, by), workspace)


@review.command()
@_PAIR
@who_options(required=False)
@workspace_option
def reject(pair: tuple[str, ...], reason: str | None, by: str | None, workspace: str | None) -> None:
    """Say that both are different people.

    It is remembered: the pair does not come back, under another model or other thresholds neither.
    """
    _decide(pair, "reject", who_says(reason, by), workspace)


@review.command()
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--limit", default=1_000, show_default=True, type=click.IntRange(1, 100_000), help="How many pairs.")
@click.option("--lang", type=click.Choice(get_args(Language)), default="zh", show_default=True, help="Of the sheet.")
@click.option("--force", is_flag=True, help="Replace FILE where it exists, with all that was filled in.")
@click.option("--by", metavar="NAME", help="Who takes it; your login name by default.")
@workspace_option
def export(output: Path, limit: int, lang: Language, force: bool, by: str | None, workspace: str | None) -> None:
    """Write the queue as XLSX for a registrar to fill in.

    The file holds names; that it was written stands in the audit trail.
    """
    if output.exists() and not force:
        raise UsageError(
            f"{output} exists already, and somebody may have filled it in. Name another file, or replace it with "
            "--force."
        )
    with opened(workspace) as space:
        found, total = queue(space, limit)
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
    count = "1 pair is" if len(found) == 1 else f"{len(found):,} pairs are"
    say(f"{count} in {output}. Fill the column of decisions, then: hcrm customers review import {output}")
    if total > len(found):
        say(
            f"Left out: {counted(total - len(found), 'pair')}; the likeliest are in the file. Export again when they "
            f"are decided, or all at once: --limit {total}"
        )


@review.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", metavar="NAME", help="Who decided; your login name by default.")
@json_option
@workspace_option
def import_(file: Path, by: str | None, as_json: bool, workspace: str | None) -> None:
    """Take over what a registrar filled in. To import it again changes nothing.

    A row that cannot be understood is told and costs no other; the exit code is 3 then.
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
        raise click.exceptions.Exit(PARTIAL)


def queue(space: Opened, limit: int, skip: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Pairs that are to be decided, the likeliest first, both records side by side; and how many there are in all."""
    with space.store.read() as connection:
        pairs = [one.pair for one in queries.queue(connection)]
        return review_pairs.shown(connection, space, pairs[skip : skip + limit]), len(pairs)


def tell_queue(found: list[dict[str, Any]]) -> None:
    """List pairs on the terminal."""
    show_table(
        ("pair", "bits", "name", "other name", "birth date", "other birth date", "spoken for by"),
        [
            (short_name(one), f"{one['bits']:.1f}", *_of(one, "name"), *_of(one, "birth"), ", ".join(_spoken_by(one)))
            for one in found
        ],
    )


def tell(found: dict[str, Any]) -> None:
    """Show one pair on the terminal."""
    one, other = found["customers"]
    now = f"they are one customer, {one}" if one == other else "they are two customers"
    click.echo(f"{found['pair']}: {found['bits']:.1f} bits, {_VERDICTS[found['verdict']]}; {now}")
    rows = [
        (one["field"], *one["records"], one["level"] or "", "" if one["bits"] is None else f"{one['bits']:+.1f}")
        for one in found["fields"]
    ]
    rows.append(("prior odds", "", "", "any two records", f"{found['prior_bits']:+.1f}"))
    show_table(("field", *(_called(found, end) for end in (0, 1)), "level", "bits"), rows)


_VERDICTS = {
    "link": "linked by score",
    "review": "to be decided by a person",
    "separate": "too few to link or to review, or never compared",
}
"""Verdict → what is said of it."""


def _called(found: dict[str, Any], end: int) -> str:
    source, record = found["sources"][end] or "unknown", found["records"][end] or found["patients"][end][:_SHORT]
    return f"{source} {record}"


def _meant(space: Opened, connection: Connection, pair: Sequence[str], *, scored: bool = False) -> PairRow:
    """The pair named by one word or by two records; `scored`: it must be one whose score is kept."""
    if len(pair) > 2:
        raise UsageError("Name one pair, or two records.")
    if len(pair) == 1:
        return review_pairs.find(connection, pair[0])
    found = review_pairs.of_two(space, connection, *pair)
    if scored and found.verdict == "separate":
        raise UsageError("These two are in no queue. To say that they are one person: hcrm customers merge")
    return found


def short_name(one: dict[str, Any]) -> str:
    """What a pair is called by on the terminal."""
    return "-".join(patient[:_SHORT] for patient in one["patients"])


def _spoken_by(one: dict[str, Any]) -> list[str]:
    return [f"{field['field']} {field['level']}" for field in one["fields"] if (field["bits"] or 0) > 0]


def _of(one: dict[str, Any], field: str) -> list[str]:
    return next(list(said["records"]) for said in one["fields"] if said["field"] == field)


def _decide(wanted: Sequence[str], verdict: Verdict, who: Who, workspace: str | None) -> None:
    with opened(workspace) as space:
        with space.store.read() as connection:
            pair = _meant(space, connection, wanted, scored=True)
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
