"""`hcrm customers merge`, `unmerge` and `split`: say who is whom, whatever the sources and the scores say."""

from collections.abc import Callable, Iterable
from typing import Any

import click

from hcrm_core import env
from hcrm_core.cli.context import Opened, json_option, opened, show_json, workspace_option
from hcrm_core.cli.customer_named import Named, named, resolve
from hcrm_core.cli.patient_named import patient_among
from hcrm_core.cli.ties_told import as_members, lines, names
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.identity.judged import Pair
from hcrm_core.identity.why import why
from hcrm_core.intake import judgements
from hcrm_core.intake.judgements import Who
from hcrm_core.store.queries import links

_MERGED = "says that {} are one person"
_UNMERGED = "takes back that {} are one person"
_SPLIT = "says that {} are different people"


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

    The two patients that are named are tied: by a number its patient, by the id of a customer the patient whose id that
    is. Facts stay with the patients they were said of, so the merge can be taken back at any time.
    """
    who = who_says(reason, by)
    with opened(workspace) as space:
        first, second = named(space, one), named(space, other)
        if first.customer_id == second.customer_id:
            raise UsageError(_already(space, first, second))
        pair = (first.patient_id, second.patient_id)
        message = judgements.judge(space.store, [pair], "same", who)
        _tell(space, message, _MERGED, pair, as_json)


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

    All is then as if it had not been made, what was learnt since included: what was said of the two before, that they
    are different people say, counts again. Where a customer was merged by hand more than once, name the two patients,
    by ids or numbers. To part what a number, a source or a score links, use: hcrm customers split
    """
    who = who_says(reason, by)
    with opened(workspace) as space:
        customer_id = resolve(space, customer)
        made = judgements.merged_by_hand(space.store, customer_id)
        if not made:
            raise NotFoundError(
                "Nobody has merged this customer by hand. To part what a number, a source or a score links: "
                "hcrm customers split"
            )
        chosen = _chosen(space, customer_id, made, pair) if pair else made
        if len(chosen) > 1:
            raise UsageError(
                f"{len(chosen)} merges were made by hand. Name the two patients of one of them:\n{_listed(space, made)}"
            )
        message = judgements.judge(space.store, chosen, "nothing", who)
        _tell(space, message, _UNMERGED, chosen[0], as_json)


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
            members = links.members_of(connection, {customer_id})
            leaving = sorted({patient_among(space, connection, members, one) for one in patients})
        parted = judgements.to_part(space.store, customer_id, leaving)
        message = judgements.judge(space.store, parted, "different", who)
        _tell(space, message, _SPLIT, parted[0], as_json, members)


@click.command()
@click.argument("one", metavar="ID|NUMBER")
@click.argument("other", metavar="ID|NUMBER")
@who_options(required=True)
@json_option
@workspace_option
def unsplit(one: str, other: str, reason: str, by: str | None, as_json: bool, workspace: str | None) -> None:
    """Take back that two customers are different people, as a split or a rejected pair said.

    What was said of them before counts again; else numbers, sources and scores decide. To say that they are one person,
    use: hcrm customers merge
    """
    who = who_says(reason, by)
    with opened(workspace) as space:
        both = (resolve(space, one), resolve(space, other))
        parted = judgements.parted_by_hand(space.store, *both)
        if not parted:
            raise NotFoundError("Nobody has said that these are different people.")
        message = judgements.judge(space.store, parted, "nothing", who)
        _tell(space, message, "takes back that {} are different people", parted[0], as_json, both)


def _already(space: Opened, one: Named, other: Named) -> str:
    """That two are one customer, and why."""
    with space.store.read() as connection:
        ties = why(space.store, connection, (one.patient_id, other.patient_id))
    return "\n  ".join(
        (f"Both are customer {one.customer_id} already{', since:' if ties else '.'}", *lines(space, ties))
    )


def _chosen(space: Opened, customer_id: str, made: list[Pair], pair: tuple[str, str]) -> list[Pair]:
    """The merge of two patients that are named."""
    with space.store.read() as connection:
        members = links.members_of(connection, {customer_id})
        low, high = sorted(patient_among(space, connection, members, one) for one in pair)
    if (low, high) not in made:
        raise NotFoundError(f"Nobody has merged these two by hand. What was merged by hand:\n{_listed(space, made)}")
    return [(low, high)]


def _listed(space: Opened, made: list[Pair]) -> str:
    """The merges of a customer for somebody to choose from."""
    with space.store.read() as connection:
        ties = [tie for pair in made for tie in why(space.store, connection, pair) if tie.kind == "judgement"]
    return "\n".join(f"  {line}" for line in lines(space, dict.fromkeys(ties)))


def _tell(space: Opened, message: int, said: str, pair: Pair, as_json: bool, others: Iterable[str] = ()) -> None:
    """What was said of which patients, what customers there are now, and why two that were parted are still one."""
    with space.store.read() as connection:
        now = links.customers_of(connection, [*pair, *others])
        sizes = dict.fromkeys(sorted(set(now.values())), 0)
        for customer in links.members_of(connection, sizes).values():
            sizes[customer] += 1
        still = said in (_UNMERGED, _SPLIT) and now.get(pair[0]) == now.get(pair[1])
        ties = why(space.store, connection, pair) if still else []
    if as_json:
        shown = {"message": message, "patients": list(pair), "customers": sizes}
        show_json(shown | ({"ties": [as_members(space, tie) for tie in ties]} if still else {}))
        return
    one, other = (names(space, [end])[end] for end in pair)
    click.echo(f"Message {message} {said.format(f'{one} and {other}')}.")
    are = "is one customer" if len(sizes) == 1 else f"are {len(sizes)} customers"
    click.echo(f"Now there {are}:")
    for customer, size in sizes.items():
        click.echo(f"  {customer}: {size} patient{'s' if size != 1 else ''}")
    if still:
        click.echo("They are still one, since:")
        for line in lines(space, ties):
            click.echo(f"  {line}")
        leaving = max(pair)
        click.echo(f"If they are two people: hcrm customers split {now[leaving]} {leaving} --reason TEXT")
