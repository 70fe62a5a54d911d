"""`hcrm customers`: one picture of a person, and the patients behind it."""

from collections import defaultdict
from typing import Any

import click

from hcrm_core.cli.context import Opened, json_option, opened, show_json, show_table, workspace_option
from hcrm_core.cli.customer_edit import edit
from hcrm_core.cli.customer_history import history
from hcrm_core.cli.customer_links import merge, split, unmerge, unsplit
from hcrm_core.cli.customer_named import resolve
from hcrm_core.cli.customer_review import review
from hcrm_core.cli.customer_shown import row_of, shown, tell
from hcrm_core.cli.families import families, family
from hcrm_core.identity.golden import golden
from hcrm_core.identity.roles import KINDS, roles_of
from hcrm_core.store.queries import customers as queries
from hcrm_core.store.queries.facts import FactRow, facts_of_patients


@click.group()
def customers() -> None:
    """See customers and the patients behind them."""


@customers.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000_000), help="How many, by id.")
@click.option("--linked", is_flag=True, help="Only customers that are several source patients.")
@click.option("--kind", type=click.Choice(KINDS), help="Only customers who are that, whatever else they are.")
@json_option
@workspace_option
def list_(limit: int, linked: bool, kind: str | None, as_json: bool, workspace: str | None) -> None:
    """List customers by id."""
    with opened(workspace) as space:
        rows = _list(space, limit, linked, kind)
    if as_json:
        show_json(rows)
        return
    show_table(
        ("id", "name", "birth date", "sex", "kinds", "patients"),
        [(r["id"], r["name"], r["birth_date"], r["sex"], ", ".join(r["kinds"]), len(r["patients"])) for r in rows],
    )


@customers.command()
@click.argument("customer", metavar="ID|NUMBER")
@click.option("--all", "losing", is_flag=True, help="Show words that do not stand, too.")
@click.option("--staff-view", is_flag=True, help="Hide what is known of care where the customer is of the staff.")
@json_option
@workspace_option
def show(customer: str, losing: bool, staff_view: bool, as_json: bool, workspace: str | None) -> None:
    """Show one customer by any member's id, its beginning, or a number such as HOSP|MR|00012345.

    Every field names its source, the message that said it last, the place in that message, and why it stands before
    what other sources say. The patients are named as their sources know them, with what makes them one customer: a
    number, a source, their records' score, or a person, who, when and why.
    """
    with opened(workspace) as space:
        found = shown(space, resolve(space, customer), staff_view=staff_view, losing=losing)
    if as_json:
        show_json(found)
    else:
        tell(found)


for command in (edit, history, merge, unmerge, split, unsplit, review):
    customers.add_command(command)
customers.add_command(family)
customers.add_command(families)


def _list(space: Opened, limit: int, linked: bool, kind: str | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after, codec = "", space.store.codec
    with space.store.read() as connection:
        while len(rows) < limit and (ids := queries.page(connection, 1_000, after)):
            after = ids[-1]
            members: dict[str, list[FactRow]] = defaultdict(list)
            owner: dict[str, str] = {}
            for customer_id, patient in queries.patients_of(connection, ids):
                members[customer_id].append(patient)
                owner[patient.fact_id] = customer_id
            visits: dict[str, list[FactRow]] = defaultdict(list)
            for visit in facts_of_patients(connection, owner, "Encounter"):
                visits[owner[visit.patient_id or ""]].append(visit)
            for customer_id in ids:
                patients = members[customer_id]
                fields = golden(patients, codec, space.store.golden)
                roles = roles_of(fields, patients, visits[customer_id], codec)
                if (len(patients) > 1 or not linked) and (kind is None or kind in {role.kind for role in roles}):
                    rows.append(row_of(customer_id, fields, patients, roles))
    return rows[:limit]
