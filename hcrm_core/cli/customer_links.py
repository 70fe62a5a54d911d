"""`hcrm customers merge`, `unmerge` and `split`: say who is whom, whatever the sources and the scores say."""

from collections.abc import Callable
from typing import Any

import click

from hcrm_core import env
from hcrm_core.cli.context import Opened, json_option, opened, show_json, workspace_option
from hcrm_core.cli.customer_named import resolve
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.intake import judgements
from hcrm_core.intake.judgements import Pair, Who
from hcrm_core.store.queries import links


def who_options(required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--reason` and `--by`."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        command = click.option("--by", metavar="NAME", help="Who says so; your login name by default.")(command)
        text = "Why; it stands in the audit trail, so name nobody."
        return click.option("--reason", required=required, default=None, metavar="TEXT", help=text)(command)

    return add


def who_says(reason: str | None, by: str | None) -> Who:
    """Who says so, and why.

    Raises:
        UsageError: The reason is blank.
    """
    if reason is not None and not reason.strip():
        raise UsageError("Say why with --reason.")
    return Who(by or env.user(), (reason or "").strip(), env.microseconds(env.now()))


@click.command()
@click.argument("one", metavar="ID|NUMBER")
@click.argument("other", metavar="ID|NUMBER")
@who_options(required=True)
@json_option
@workspace_option
def merge(one: str, other: str, reason: str, by: str | None, as_json: bool, workspace: str | None) -> None:
    """Say that two customers are one person.

    Facts stay with the patients they were said of, so the merge can be taken back at any time.
    """
    who = who_says(reason, by)
    with opened(workspace) as space:
        first, second = resolve(space, one), resolve(space, other)
        if first == second:
            raise UsageError(f"Both are customer {first} already.")
        message = judgements.judge(space.store, [(first, second)], "same", who)
        _tell(space, message, [first, second], as_json)


@click.command()
@click.argument("customer", metavar="ID|NUMBER")
@click.argument("pair", nargs=2, required=False, metavar="[PATIENT PATIENT]")
@who_options(required=True)
@json_option
@workspace_option
def unmerge(
    customer: str, pair: tuple[str, str] | None, reason: str, by: str | None, as_json: bool, workspace: str | None
) -> None:
    """Take back a merge that was made by hand.

    All is then as if it had not been made, what was learnt since included. Where a customer was merged by hand more
    than once, name the two patients. To part what a number, a source or a score links, use: hcrm customers split
    """
    who = who_says(reason, by)
    with opened(workspace) as space:
        customer_id = resolve(space, customer)
        made = judgements.merged_by_hand(space.store, customer_id)
        chosen = _chosen(made, pair) if pair else made
        if not chosen:
            raise NotFoundError(
                "No merge by hand fits. To part what a number, a source or a score links: hcrm customers split"
            )
        if len(chosen) > 1:
            pairs = "; ".join(" ".join(one) for one in chosen)
            raise UsageError(f"{len(chosen)} merges were made by hand. Name the two patients of one of them: {pairs}")
        message = judgements.judge(space.store, chosen, "nothing", who)
        _tell(space, message, list(chosen[0]), as_json)


@click.command()
@click.argument("customer", metavar="ID|NUMBER")
@click.argument("patients", nargs=-1, required=True, metavar="PATIENT...")
@who_options(required=True)
@json_option
@workspace_option
def split(
    customer: str, patients: tuple[str, ...], reason: str, by: str | None, as_json: bool, workspace: str | None
) -> None:
    """Say that patients of a customer are somebody else than the rest.

    Remembered: neither a shared number nor a score, nor the source's repeating itself, links them directly again. A
    merge by hand does.
    """
    who = who_says(reason, by)
    with opened(workspace) as space:
        customer_id = resolve(space, customer)
        with space.store.read() as connection:
            members = sorted(links.members_of(connection, {customer_id}))
        leaving = [_patient(members, one) for one in patients]
        parted = judgements.to_part(space.store, customer_id, leaving)
        message = judgements.judge(space.store, parted, "different", who)
        _tell(space, message, members, as_json)


@click.command()
@click.argument("one", metavar="ID|NUMBER")
@click.argument("other", metavar="ID|NUMBER")
@who_options(required=True)
@json_option
@workspace_option
def unsplit(one: str, other: str, reason: str, by: str | None, as_json: bool, workspace: str | None) -> None:
    """Take back that two customers are different people, as a split or a rejected pair said.

    Numbers, sources and scores decide again. To say that they are one person, use: hcrm customers merge
    """
    who = who_says(reason, by)
    with opened(workspace) as space:
        both = (resolve(space, one), resolve(space, other))
        parted = judgements.parted_by_hand(space.store, *both)
        if not parted:
            raise NotFoundError("Nobody has said that these are different people.")
        message = judgements.judge(space.store, parted, "nothing", who)
        _tell(space, message, sorted(both), as_json)


def _chosen(made: list[Pair], pair: tuple[str, str]) -> list[Pair]:
    return [
        (low, high)
        for low, high in made
        if any(low.startswith(one) and high.startswith(other) for one, other in (pair, pair[::-1]))
    ]


def _patient(members: list[str], wanted: str) -> str:
    found = [one for one in members if one.startswith(wanted)]
    if len(found) != 1:
        fit = "None" if not found else str(len(found))
        raise UsageError(f"{fit} of the customer's patients begins with {wanted!r}. They are: {', '.join(members)}")
    return found[0]


def _tell(space: Opened, message: int, patients: list[str], as_json: bool) -> None:
    with space.store.read() as connection:
        now = links.customers_of(connection, patients)
        sizes = dict.fromkeys(sorted(set(now.values())), 0)
        for customer in links.members_of(connection, sizes).values():
            sizes[customer] += 1
    if as_json:
        show_json({"message": message, "customers": sizes})
        return
    are = "is one customer" if len(sizes) == 1 else f"are {len(sizes)} customers"
    click.echo(f"Message {message}. Now there {are}:")
    for customer, size in sizes.items():
        click.echo(f"  {customer}: {size} patient{'s' if size != 1 else ''}")
