"""One customer for people to look at: each field with what said it, what became of other words, and the roles."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import click

from hcrm_core import env
from hcrm_core.cli.context import Opened, show_table
from hcrm_core.cli.customer_history import history_of, told
from hcrm_core.cli.patient_named import record_name
from hcrm_core.cli.ties_told import as_members, lines
from hcrm_core.cli.trace import Trace
from hcrm_core.errors import HcrmError
from hcrm_core.identity.golden import Field, Word, display_name, fields_of, golden, last_mention
from hcrm_core.identity.roles import ADMINISTRATIVE, NOT_OF_CARE, OF_CARE, Role, roles_of, without_care
from hcrm_core.identity.why import why
from hcrm_core.model.fold import said_at
from hcrm_core.model.survivorship import criteria_of
from hcrm_core.store.codec import Codec
from hcrm_core.store.queries import customers as queries
from hcrm_core.store.queries.facts import FactRow
from hcrm_core.store.queries.log import VersionRow, versions

_SAID_BY = {"deceased": "deceased_date_time"}
"""Field → the field by which a source may say it without naming it."""

_SHOWN = {
    "RelatedPerson": ("relationship", "name", "telecom", "birth_date"),
    "AllergyIntolerance": ("code", "criticality", "reaction", "clinical_status"),
    "Condition": ("code", "recorded_date"),
}
"""Kinds of which the facts themselves are shown → their fields, in order."""

_HEREDITARY = re.compile(r"Z8[0-4](\.|$)")
"""ICD-10: family history of a disease. Of the diagnoses only these are shown."""


def row_of(customer_id: str, fields: Mapping[str, Field], patients: Sequence[FactRow], roles: Sequence[Role]) -> Any:
    """What a list shows of a customer."""
    value = {name: field.value for name, field in fields.items()}
    return {
        "id": customer_id,
        "name": display_name(value.get("name")),
        "birth_date": value.get("birth_date"),
        "sex": value.get("gender"),
        "kinds": list(dict.fromkeys(role.kind for role in roles)),
        "identifiers": value.get("identifier", []),
        "patients": [patient.fact_id for patient in patients],
    }


def shown(space: Opened, customer_id: str, *, staff_view: bool = False, losing: bool = False) -> dict[str, Any]:
    """All that is shown of a customer.

    Args:
        space: The workspace.
        customer_id: Whom.
        staff_view: Whether what is known of care is hidden where the customer is of the staff.
        losing: Whether words that do not stand are shown too.
    """
    codec = space.store.codec
    with space.store.read() as connection:
        patients = [patient for _, patient in queries.patients_of(connection, [customer_id])]
        facts = queries.facts_about(connection, [patient.fact_id for patient in patients])
        listed = [row for row in facts if row.kind in _SHOWN and _is_listed(row, codec)]
        log = versions(connection, [row.fact_id for row in (*patients, *listed)])
    fields = golden(patients, codec, space.store.golden)
    roles = roles_of(fields, patients, facts, codec)
    hidden = staff_view and "internal" in {role.kind for role in roles}
    if hidden:
        facts, listed = ([one for one in rows if one.kind in ADMINISTRATIVE] for rows in (facts, listed))
        roles = [role for role in roles if role.kind not in OF_CARE]
        fields = without_care(fields)
    row = row_of(customer_id, fields, patients, roles)
    cite = _Citing(space, {row.fact_id: row for row in (*patients, *facts)}, log)
    found = {}
    for name, field in sorted(fields.items()):
        first, *others = field.words
        found[name] = {"value": field.value} | cite.word(name, first) | {"why": _why(space, name, field)}
        if losing:
            found[name]["others"] = [{"value": word.value} | cite.word(name, word) for word in others]
    about: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in listed:
        about[one.kind].append(cite.fact(one))
    return row | {
        "roles": [{"kind": role.kind, "because": role.because, "facts": list(role.facts)} for role in roles],
        "fields": found,
        "related_persons": about["RelatedPerson"],
        "allergies": None if hidden else about["AllergyIntolerance"],
        "hereditary_history": None if hidden else about["Condition"],
        "patients": [_patient(one, codec, hidden) for one in patients],
        "ties": None if hidden else _ties(space, patients),
        "by_hand": None if hidden else [one for one in history_of(space, customer_id) if not one["fields"]],
        "facts": dict(sorted(Counter(fact.kind for fact in facts).items())),
        "hidden": "What is known of care: this customer is of the staff." if hidden else None,
    }


def _patient(row: FactRow, codec: Codec, hidden: bool) -> dict[str, Any]:
    record = record_name(row, codec)
    kept = not hidden or record.partition("|")[2].partition("|")[0] in NOT_OF_CARE
    name = display_name(fields_of(row, codec).get("name"))
    return {"id": row.fact_id, "source": row.source, "record": record if kept else "", "name": name}


def _ties(space: Opened, patients: Sequence[FactRow]) -> list[dict[str, Any]]:
    with space.store.read() as connection:
        found = why(space.store, connection, [patient.fact_id for patient in patients]) if patients else []
    texts = lines(space, found)
    return [as_members(space, tie) | {"line": line} for tie, line in zip(found, texts, strict=True)]


def _is_listed(row: FactRow, codec: Codec) -> bool:
    if row.kind != "Condition":
        return True
    fields = fields_of(row, codec)
    codes = [coding.get("code") or "" for coding in (fields.get("code") or {}).get("coding", ())]
    return fields.get("verification_status") != "entered-in-error" and any(map(_HEREDITARY.match, codes))


class _Citing:
    """Cites messages and their fields."""

    def __init__(self, space: Opened, rows: Mapping[str, FactRow], log: Mapping[str, list[VersionRow]]) -> None:
        self._space, self._rows, self._log = space, rows, log
        self._trace = Trace(space)

    def word(self, name: str, word: Word) -> dict[str, Any]:
        """Where a patient's word about a field was said last."""
        log, codec = self._log[word.patient_id], self._space.store.codec
        if word.value is None:
            said, field = last_mention(log, "cleared", codec), "cleared"
        else:
            named = {name, _SAID_BY.get(name, name)} & fields_of(self._rows[word.patient_id], codec).keys()
            field = name if name in named else _SAID_BY[name]
            said = last_mention(log, field, codec)
        return {"patient": word.patient_id} | self._cited(said, self._rows[word.patient_id], field)

    def fact(self, row: FactRow) -> dict[str, Any]:
        """A fact, and the message that spoke of it last."""
        fields = fields_of(row, self._space.store.codec)
        last = max(self._log[row.fact_id], key=lambda version: version.stamp)
        values = {name: fields.get(name) for name in _SHOWN[row.kind]}
        return {"id": row.fact_id} | values | self._cited(last, row, next(iter(_SHOWN[row.kind])))

    def _cited(self, said: VersionRow, row: FactRow, field: str) -> dict[str, Any]:
        landed = self._trace.message(said.message_id)
        return {
            "source": row.source,
            "said_at": env.shown(said_at(said.stamp), self._space.timezone),
            "message": said.message_id,
            "control_id": landed.control_id if landed else "",
            "from": self._places(said.message_id, row, field),
        }

    def _places(self, message_id: int, row: FactRow, field: str) -> list[str]:
        try:
            origins = self._trace.origins(message_id)
        except HcrmError:
            return []  # who cannot be asked now must not keep a person from seeing the rest
        key = self._space.store.codec.open(bytes(row.key)).decode()
        same = [one.path for one in origins if (one.kind, one.key, one.field) == (row.kind, key, field)]
        return list(dict.fromkeys(same))


def _why(space: Opened, name: str, field: Field) -> str:
    """Why a word stands before the next, in a few words; empty where nobody says otherwise."""
    if name == "identifier":
        return "the numbers of all patients"
    first = field.words[0]
    other = next((word for word in field.words if word.value != first.value), None)
    if other is None:
        return ""
    criteria = ("replaced", *criteria_of(space.store.golden, name), "recency")
    ahead = (criterion for criterion, one, two in zip(criteria, first.place, other.place, strict=False) if one != two)
    match next(ahead, ""):
        case "replaced":
            return f"{other.source} merged the other into another patient"
        case "trust":
            return f"{first.source} is trusted more than {other.source}"
        case "completeness":
            return f"more complete than what {other.source} says"
        case "recency":
            return f"{first.source} spoke later of this patient than {other.source} of the other"
    return "said at one instant: the patients' ids decide"


def tell(customer: dict[str, Any]) -> None:
    """Print a customer."""
    kinds = ", ".join(customer["kinds"])
    click.echo(f"Customer {customer['id']}: {customer['name'] or '(no name)'}" + (f" ({kinds})" if kinds else ""))
    rows = []
    for name, field in customer["fields"].items():
        rows.append(_line(name, field, field["why"]))
        rows += [_line("", other, _beside(field, other)) for other in field.get("others", ())]
    show_table(("field", "value", "source", "said at", "message", "from", "why"), rows)
    for title, key in (
        ("Family and contacts", "related_persons"),
        ("Allergies", "allergies"),
        ("Hereditary history", "hereditary_history"),
    ):
        if customer[key]:
            click.echo(f"\n{title}:")
            for one in customer[key]:
                values = [brief(value) for name, value in one.items() if name in _ALL_SHOWN and value]
                click.echo(f"  {', '.join(values)}  [{_message(one)}]")
    for role in customer["roles"]:
        click.echo(f"{role['kind'].capitalize()}: {role['because']}.")
    click.echo("\nPatients:")
    rows = [(one["id"], one["source"], one["record"], one["name"]) for one in customer["patients"]]
    show_table(("id", "source", "record", "name"), rows)
    for title, said in (
        ("One customer, since", [tie["line"] for tie in customer["ties"] or ()]),
        ("Said by hand", [told(one) for one in customer["by_hand"] or ()]),
    ):
        if said:
            click.echo(f"\n{title}:")
            click.echo("".join(f"  {line}\n" for line in said), nl=False)
    click.echo()
    click.echo("Facts: " + ", ".join(f"{count} {kind}" for kind, count in customer["facts"].items()))
    if customer["hidden"]:
        click.echo(f"Hidden: {customer['hidden'][0].lower()}{customer['hidden'][1:]}")


_ALL_SHOWN = frozenset(name for names in _SHOWN.values() for name in names)


def _beside(field: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if other["value"] == field["value"]:
        return "says the same"
    part = isinstance(field["value"], list) and other["value"] and all(one in field["value"] for one in other["value"])
    return "is in it" if part else "does not stand"


def _line(name: str, word: Mapping[str, Any], why: str) -> tuple[Any, ...]:
    value = "(nothing is known)" if word["value"] is None else brief(word["value"])
    return name, value, word["source"], word["said_at"], _message(word), ", ".join(word["from"]), why


def _message(cited: Mapping[str, Any]) -> str:
    return f"{cited['message']}" + (f" ({cited['control_id']})" if cited["control_id"] else "")


def brief(value: Any) -> str:
    """A value in a line."""
    if isinstance(value, list):
        return "; ".join(brief(one) for one in value)
    if isinstance(value, dict):
        if "family" in value or "given" in value:
            return display_name([value])
        return " ".join(brief(part) for part in value.values())
    return str(value)
