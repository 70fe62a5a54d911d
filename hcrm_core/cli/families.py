"""`hcrm customers family` and `families`: who belongs together, how, and what says so."""

from collections.abc import Iterable
from typing import Any

import click

from hcrm_core import env
from hcrm_core.cli.context import Opened, counted, json_option, opened, show_json, show_table, workspace_option
from hcrm_core.cli.customer_named import resolve
from hcrm_core.identity.family import Contract, Family, Guardian, Tied, family_of, guardians, members_of
from hcrm_core.identity.golden import Field, display_name, fields_of, golden
from hcrm_core.identity.kinship import UNKNOWN
from hcrm_core.identity.ties import POINTS
from hcrm_core.store.queries import customers as queries
from hcrm_core.store.queries import facts as fact_queries
from hcrm_core.store.queries import households as store
from hcrm_core.store.queries.log import versions


@click.command()
@click.argument("customer", metavar="ID|NUMBER")
@json_option
@workspace_option
def family(customer: str, as_json: bool, workspace: str | None) -> None:
    """Show a customer's household, the ties in it and beyond, and what each rests on.

    Every piece of evidence names its facts and the messages that said them last. Of a minor the guardians are shown.
    """
    with opened(workspace) as space:
        found = shown(space, resolve(space, customer))
    if as_json:
        show_json(found)
    else:
        tell(found)


@click.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000_000), help="How many, by id.")
@json_option
@workspace_option
def families(limit: int, as_json: bool, workspace: str | None) -> None:
    """List households by id."""
    with opened(workspace) as space, space.store.read() as connection:
        found: list[dict[str, Any]] = [
            {
                "household": one,
                "members": [_person(*who) for who in _people(space, members_of(connection, one)).items()],
            }
            for one in store.page(connection, limit)
        ]
    if as_json:
        show_json(found)
        return
    show_table(
        ("household", "members", "who"),
        [(one["household"], len(one["members"]), ", ".join(_called(who) for who in one["members"])) for one in found],
    )


def shown(space: Opened, customer_id: str) -> dict[str, Any]:
    """All that is shown of a customer's family."""
    today = env.local_day(env.now(), space.timezone)
    with space.store.read() as connection:
        found = family_of(connection, customer_id)
        everybody = {customer_id, *found.members, *(end for tied in found.ties for end in (tied.one, tied.other))}
        people = _people(space, everybody)
        births = {one: fields["birth_date"].value if "birth_date" in fields else None for one, fields in people.items()}
        answer = guardians(connection, space.store.codec, found, births, today)
    cite = _Citing(space, found, answer)
    relations = {tied.other: tied.tie.relation for tied in found.ties if tied.one == customer_id}
    members = [
        _person(one, people[one]) | {"relation": "self" if one == customer_id else relations.get(one, "unknown")}
        for one in found.members
    ]
    return _person(customer_id, people[customer_id]) | {
        "household": found.household,
        "members": members,
        "ties": [cite.tie(one, people) for one in found.ties if one.counts],
        "weak_ties": [cite.tie(one, people) for one in found.ties if not one.counts],
        "guardians": [cite.guardian(one, people) for one in answer],
        "group_contracts": [cite.contract(one) for one in found.contracts],
    }


class _Citing:
    """Facts with the messages that spoke of them last."""

    def __init__(self, space: Opened, family: Family, guardians: Iterable[Guardian]) -> None:
        wanted = {fact for tied in family.ties for one in tied.tie.evidence for fact in one.facts}
        wanted |= {fact for one in guardians for fact in one.facts} | {one.fact_id for one in family.contracts}
        with space.store.read() as connection:
            self._rows = fact_queries.facts(connection, wanted)
            log = versions(connection, wanted)
        self._messages = {
            fact: max(said, key=lambda row: (row.stamp, row.message_id)).message_id
            for fact, said in log.items()
            if said
        }
        self._codec = space.store.codec

    def fact(self, fact_id: str) -> dict[str, Any]:
        row = self._rows[fact_id]
        return {
            "id": fact_id,
            "kind": row.kind,
            "patient": row.patient_id,
            "source": row.source,
            "message": self._messages.get(fact_id),
        }

    def tie(self, tied: Tied, people: dict[str, dict[str, Field]]) -> dict[str, Any]:
        return {
            "one": tied.one,
            "other": tied.other,
            "names": [_person(end, people[end])["name"] for end in (tied.one, tied.other)],
            "relation": tied.tie.relation,
            "strength": tied.tie.strength,
            "points": tied.tie.points,
            "evidence": [
                {
                    "kind": one.kind,
                    "says": POINTS[one.kind][1],
                    "points": one.points,
                    "facts": [self.fact(fact) for fact in one.facts],
                }
                for one in tied.tie.evidence
            ],
        }

    def guardian(self, one: Guardian, people: dict[str, dict[str, Field]]) -> dict[str, Any]:
        fields = people.get(one.customer_id or "")
        if fields is None:
            said = fields_of(self._rows[one.facts[0]], self._codec)
            name = display_name(said.get("name"))
        else:
            name = display_name(fields["name"].value) if "name" in fields else ""
        return {
            "id": one.customer_id,
            "name": name,
            "relation": one.relation,
            "facts": [self.fact(fact) for fact in one.facts],
        }

    def contract(self, one: Contract) -> dict[str, Any]:
        said = fields_of(self._rows[one.fact_id], self._codec)
        plan = (said.get("plan") or {}).get("display")
        return {
            "number": said.get("group_number"),
            "group": said.get("group_name"),
            "payor": said.get("payor"),
            "plan": plan,
            "patients": one.patients,
            "fact": self.fact(one.fact_id),
        }


def tell(family: dict[str, Any]) -> None:
    """Print a family."""
    click.echo(f"{_called(family)}, customer {family['id']}")
    at_home = {family["id"], *(one["id"] for one in family["members"])}
    if family["household"]:
        click.echo(f"Household {family['household']}:")
        show_table(
            ("id", "name", "birth date", "sex", "relation"),
            [(m["id"], m["name"], m["birth_date"], m["sex"], m["relation"]) for m in family["members"]],
        )
    else:
        click.echo("In no household.")
    for title, key in (("Because", "ties"), ("Too little to make a household", "weak_ties")):
        if family[key]:
            click.echo(f"\n{title}:")
        for tie in family[key]:
            one, other = (name or "(no name)" for name in tie["names"])
            strangers = [end for end in (tie["one"], tie["other"]) if end not in at_home]
            said = f"{other} is the {tie['relation']} of {one}" if tie["relation"] != UNKNOWN else f"{one} and {other}"
            outside = f" (customer {', '.join(strangers)})" if strangers else ""
            click.echo(f"  {said}{outside}: {tie['strength']}, {counted(tie['points'], 'point')}")
            for found in tie["evidence"]:
                cited = ", ".join(f"{fact['kind']} (message {fact['message']})" for fact in found["facts"])
                click.echo(f"    {found['points']:+d} {found['says']}: {cited}")
    for who in family["guardians"]:
        where = f"customer {who['id']}" if who["id"] else "no customer"
        click.echo(f"Guardian: {_called(who)}, {who['relation']}, {where}.")
    for contract in family["group_contracts"]:
        name = contract["group"] or contract["number"] or contract["payor"] or contract["plan"] or "(no name)"
        people = "1 person" if contract["patients"] == 1 else f"{contract['patients']} people"
        click.echo(f"Group contract, no household: {name}, {people}.")


def _people(space: Opened, customers: Iterable[str]) -> dict[str, dict[str, Field]]:
    """Customer → golden fields."""
    wanted = sorted(customers)
    found: dict[str, list[Any]] = {one: [] for one in wanted}
    with space.store.read() as connection:
        for customer, patient in queries.patients_of(connection, wanted):
            found[customer].append(patient)
    return {one: dict(golden(patients, space.store.codec, space.store.golden)) for one, patients in found.items()}


def _person(customer_id: str, fields: dict[str, Field]) -> dict[str, Any]:
    value = {name: field.value for name, field in fields.items()}
    return {
        "id": customer_id,
        "name": display_name(value.get("name")),
        "birth_date": value.get("birth_date"),
        "sex": value.get("gender"),
    }


def _called(person: dict[str, Any]) -> str:
    return person["name"] or "(no name)"
