"""`hcrm points`: what points strategies have granted, refused and taken back."""

from typing import Any

import click
import msgspec

from hcrm_core import env
from hcrm_core.cli.context import json_option, opened, show_json, show_table, workspace_option
from hcrm_core.cli.customer_named import resolve
from hcrm_core.store.queries import points as queries
from hcrm_core.store.queries.points import PointsRow

STATES = ("granted", "refused", "countered")


@click.group()
def points() -> None:
    """See points and what gave or took them."""


@points.command("list")
@click.option("--customer", metavar="ID", help="Only this customer's, by id or number.")
@click.option("--account", metavar="NAME", help="Only of this programme.")
@click.option("--strategy", metavar="NAME", help="Only of this strategy.")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000_000), help="How many.")
@json_option
@workspace_option
def list_(
    customer: str | None,
    account: str | None,
    strategy: str | None,
    state: str | None,
    limit: int,
    as_json: bool,
    workspace: str | None,
) -> None:
    """List points, the last booked first; refused and countered ones with their reason."""
    with opened(workspace) as space:
        who = resolve(space, customer) if customer else None
        with space.store.read() as connection:
            found = queries.list_points(
                connection, state=state, account=account, customer=who, strategy=strategy, limit=limit
            )
    rows = [_row(one, space.timezone) for one in found]
    if as_json:
        show_json(rows)
        return
    shown = ("id", "booked_on", "customer_id", "account", "step", "points", "state", "reason")
    show_table(shown, [[row[column] for column in shown] for row in rows])
    if rows:
        click.echo(f"Why: hcrm explain points {rows[0]['id']}")


@points.command()
@click.option("--account", metavar="NAME", help="Only of this programme.")
@click.option("--customer", metavar="ID", help="Only this customer's, by id or number.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000_000), help="How many.")
@json_option
@workspace_option
def balances(account: str | None, customer: str | None, limit: int, as_json: bool, workspace: str | None) -> None:
    """List what each customer has, the most first."""
    with opened(workspace) as space:
        who = resolve(space, customer) if customer else None
        with space.store.read() as connection:
            found = queries.balances(connection, account=account, customer=who, limit=limit)
    rows = [{"account": name, "customer_id": whose, "points": sum_} for name, whose, sum_ in found]
    if as_json:
        show_json(rows)
    else:
        show_table(("account", "customer_id", "points"), [tuple(row.values()) for row in rows])


def _row(row: PointsRow, timezone: str) -> dict[str, Any]:
    shown = row._asdict()
    del shown["fingerprint"]
    return {
        "id": shown.pop("points_id"),
        **shown,
        "detail": msgspec.json.decode(row.detail),
        "evidence": msgspec.json.decode(row.evidence),
        "created_at": env.shown(row.created_at, timezone),
        "changed_at": env.shown(row.changed_at, timezone),
    }
