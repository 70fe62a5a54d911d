"""`hcrm customers`: one picture of a person, and the patients behind it."""

from collections import Counter, defaultdict
from typing import Any

import click

from hcrm_core import env
from hcrm_core.cli.context import Opened, json_option, opened, show_json, show_table, workspace_option
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.identity.golden import Field, display_name, golden, last_mention
from hcrm_core.model.fold import said_at
from hcrm_core.store.queries import customers as queries
from hcrm_core.store.queries.facts import FactRow
from hcrm_core.store.queries.log import versions


@click.group()
def customers() -> None:
    """See customers and the patients behind them."""


@customers.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000_000), help="How many, by id.")
@click.option("--linked", is_flag=True, help="Only customers that are several source patients.")
@json_option
@workspace_option
def list_(limit: int, linked: bool, as_json: bool, workspace: str | None) -> None:
    """List customers by id."""
    with opened(workspace) as space:
        rows = _list(space, limit, linked)
    if as_json:
        show_json(rows)
        return
    show_table(
        ("id", "name", "birth date", "sex", "patients"),
        [(r["id"], r["name"], r["birth_date"], r["sex"], len(r["patients"])) for r in rows],
    )


@customers.command()
@click.argument("customer", metavar="ID|NUMBER")
@json_option
@workspace_option
def show(customer: str, as_json: bool, workspace: str | None) -> None:
    """Show one customer by any member's id, its beginning, or a number such as HOSP|MR|00012345.

    Every field names the message that said it last.
    """
    with opened(workspace) as space:
        shown = _show(space, customer)
    if as_json:
        show_json(shown)
        return
    click.echo(f"Customer {shown['id']}: {shown['name'] or '(no name)'}")
    show_table(
        ("field", "value", "said at", "message"),
        [(name, _brief(f["value"]), f["said_at"], f["message"]) for name, f in shown["fields"].items()],
    )
    click.echo("Patients: " + ", ".join(f"{p['id']} ({p['source']})" for p in shown["patients"]))
    click.echo("Facts: " + ", ".join(f"{count} {kind}" for kind, count in shown["facts"].items()))


def _list(space: Opened, limit: int, linked: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after = ""
    with space.store.read() as connection:
        while len(rows) < limit and (ids := queries.page(connection, 1_000, after)):
            after = ids[-1]
            members: dict[str, list[FactRow]] = defaultdict(list)
            for customer_id, patient in queries.patients_of(connection, ids):
                members[customer_id].append(patient)
            for customer_id in ids:
                patients = members[customer_id]
                if len(patients) > 1 or not linked:
                    rows.append(_row(customer_id, golden(patients, space.store.codec), patients))
    return rows[:limit]


def _row(customer_id: str, fields: dict[str, Field], patients: list[FactRow]) -> dict[str, Any]:
    value = {name: field.value for name, field in fields.items()}
    return {
        "id": customer_id,
        "name": display_name(value.get("name")),
        "birth_date": value.get("birth_date"),
        "sex": value.get("gender"),
        "identifiers": value.get("identifier", []),
        "patients": [patient.fact_id for patient in patients],
    }


def _show(space: Opened, wanted: str) -> dict[str, Any]:
    codec = space.store.codec
    customer_id = resolve(space, wanted)
    with space.store.read() as connection:
        patients = [patient for _, patient in queries.patients_of(connection, [customer_id])]
        ids = [patient.fact_id for patient in patients]
        facts = queries.facts_about(connection, ids)
        log = versions(connection, ids)
    fields = golden(patients, codec)
    shown = {}
    for name, field in sorted(fields.items()):
        said = last_mention(log[field.patient_id], name, codec)
        shown[name] = {
            "value": field.value,
            "said_at": env.shown(said_at(said.stamp), space.timezone),
            "patient": field.patient_id,
            "message": said.message_id,
        }
    return _row(customer_id, fields, patients) | {
        "fields": shown,
        "patients": [{"id": patient.fact_id, "source": patient.source} for patient in patients],
        "facts": dict(sorted(Counter(fact.kind for fact in facts).items())),
    }


def resolve(space: Opened, wanted: str) -> str:
    """The one customer meant by any member's id, its beginning, or a number as `AUTHORITY|TYPE|NUMBER`.

    Raises:
        NotFoundError: Nobody fits.
        UsageError: Several do.
    """
    parts = wanted.split("|")
    tokens = [space.store.codec.token("identifier", *parts)] if len(parts) == 3 else []
    with space.store.read() as connection:
        found = queries.find(connection, wanted, tokens)
    if not found:
        raise NotFoundError("No customer has this id or number. List them with: hcrm customers list")
    if len(found) > 1:
        raise UsageError(f"{len(found)} customers fit. Give more of the id, or a number as AUTHORITY|TYPE|NUMBER.")
    return found[0]


def _brief(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_brief(one) for one in value)
    if isinstance(value, dict):
        if "family" in value or "given" in value:
            return display_name([value])
        return " ".join(_brief(part) for part in value.values())
    return str(value)
