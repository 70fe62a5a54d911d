"""`hcrm customers edit`: correct what is known of a customer, whatever the sources go on saying."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import click
import msgspec

from hcrm_core import env
from hcrm_core.cli.context import Opened, json_option, opened, show_json, workspace_option
from hcrm_core.cli.customer_named import named
from hcrm_core.cli.customer_shown import brief
from hcrm_core.config import nearest
from hcrm_core.errors import UsageError
from hcrm_core.identity.golden import Field, golden
from hcrm_core.intake.edits import Change, undo
from hcrm_core.intake.edits import edit as make
from hcrm_core.model.fitting import fields_of, fitting
from hcrm_core.model.survivorship import DECIDED
from hcrm_core.store.queries import customers as queries

_CONTACTS = {"phone": "phone", "email": "email", "wechat": "other"}
"""Name of an edit → FHIR contact-point-system; one of them leaves the others as they are."""

_LEAST_DIGITS = 5
"""Of a telephone number: China's shortest that anybody can be called by, as 12345."""

_PAST = ("birth_date", "deceased_date_time")
"""Dates that cannot be after today."""

_LISTS = ("interests", "interest_departments", "information_needs", "customer_kinds")
_LEFT_OUT = ("active", "general_practitioner", "telecom")
FIELDS = (*(name for name in DECIDED if name not in _LEFT_OUT), "identifier", *_CONTACTS)
"""What can be set."""


@click.command()
@click.argument("customer", metavar="ID|NUMBER")
@click.option("--set", "values", multiple=True, metavar="FIELD=VALUE", help="Give a field a value; may be repeated.")
@click.option("--clear", multiple=True, metavar="FIELD", help="Say that nothing is known of a field.")
@click.option("--release", multiple=True, metavar="FIELD", help="Leave a field to the other sources again.")
@click.option("--undo", "undone", metavar="MESSAGE", help="Take an edit back, by its message's number or control id.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the audit trail, so name nobody.")
@click.option("--by", metavar="NAME", help="Who edits; your login name by default.")
@json_option
@workspace_option
def edit(
    customer: str,
    values: tuple[str, ...],
    clear: tuple[str, ...],
    release: tuple[str, ...],
    undone: str | None,
    reason: str,
    by: str | None,
    as_json: bool,
    workspace: str | None,
) -> None:
    """Correct a customer.

    The edit is a message of the source `manual`. It is trusted before other sources unless hcrm.toml says otherwise, so
    their next message does not undo it.
    """
    if bool(undone) == bool(values or clear or release):
        raise UsageError(
            "Say what to correct with --set, --clear or --release; or which edit to take back with --undo."
        )
    if not reason.strip():
        raise UsageError("Say why with --reason.")
    with opened(workspace) as space:
        customer_id, patient_id = named(space, customer)
        before = _known(space, customer_id)
        who: dict[str, Any] = {"by": by or env.user(), "reason": reason.strip(), "now": env.microseconds(env.now())}
        if undone:
            message = undo(space.store, customer_id, undone, **who)
        else:
            message = make(space.store, patient_id, _change(values, clear, release, before, space.timezone), **who)
        result = _result(space, customer_id, message, before)
    if as_json:
        show_json(result)
    else:
        _tell(result)


def _change(
    values: tuple[str, ...], clear: tuple[str, ...], release: tuple[str, ...], before: Mapping[str, Field], zone: str
) -> Change:
    wanted: dict[str, Any] = {}
    for one in values:
        name, equals, text = one.partition("=")
        if not equals or not text.strip():
            raise UsageError(f"--set {name}: write FIELD=VALUE; to say that nothing is known use --clear {name}.")
        _require(name, FIELDS)
        field, value = _read(name, text.strip(), wanted, before, zone)
        wanted[field] = value
    others = [name for name in FIELDS if name not in _CONTACTS and name != "identifier"] + ["telecom"]
    for name in (*clear, *release):
        _require(name, others)
    twice = {name for name in wanted if name in (*clear, *release)} | (set(clear) & set(release))
    if twice:
        raise UsageError(f"{', '.join(sorted(twice))}: set, cleared or released at once. Say one of them.")
    return Change(wanted, clear, release)


def _require(name: str, known: "tuple[str, ...] | list[str]") -> None:
    if name not in known:
        raise UsageError(f"There is no field {name!r} to be edited. {nearest(name, list(known))}")


def _read(name: str, text: str, wanted: Mapping[str, Any], before: Mapping[str, Field], zone: str) -> tuple[str, Any]:
    """The field of the record that is meant, and its value."""
    if name in _CONTACTS:
        if not _IS_CONTACT[name](text):
            raise UsageError(f"--set {name}: {_expected(name)}.")
        system = _CONTACTS[name]
        known = wanted.get("telecom") or (before["telecom"].value if "telecom" in before else None) or []
        return "telecom", [one for one in known if one["system"] != system] + [{"system": system, "value": text}]
    value: Any
    if name in _READ:
        value = _READ[name](text)
    elif name in _LISTS:
        value = [one.strip() for one in text.replace("，", ",").split(",") if one.strip()]
    elif name in ("deceased", "multiple_birth_order"):
        value = {"true": True, "false": False}.get(text.casefold()) if name == "deceased" else _number(text)
    else:
        code, bar, display = (part.strip() for part in text.partition("|"))
        value = {"code": code, "display": display} if bar else text
    try:
        fitted = fitting("Patient", name, value) if isinstance(value, str) else value
        fitted = msgspec.convert(msgspec.to_builtins(fitted), fields_of("Patient")[name])
    except (ValueError, msgspec.ValidationError):
        raise UsageError(f"--set {name}: {_expected(name)}.") from None
    if fitted is None or (name == "gender" and fitted not in ("male", "female", "other", "unknown")):
        raise UsageError(f"--set {name}: {_expected(name)}.")
    if name in _PAST:
        _require_past(name, str(fitted)[:10], env.local_day(env.now(), zone))
    return name, msgspec.to_builtins(fitted)


def _require_past(name: str, day: str, today: date) -> None:
    """Refuse what is no day of the calendar, and what is still to come; a month or a year alone will do."""
    try:
        first = date.fromisoformat(day + "-01-01"[len(day) - 4 :])
    except ValueError:
        raise UsageError(f"--set {name}: the calendar has no {day}.") from None
    if first > today:
        raise UsageError(f"--set {name}: {day} is still to come; today is {today}.")


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _identifier(text: str) -> Any:
    parts = [part.strip() for part in text.split("|")]
    return [dict(zip(("system", "type", "value"), parts, strict=True))] if len(parts) == 3 and all(parts) else None


_READ: dict[str, Callable[[str], Any]] = {
    "name": lambda text: [{"text": text}],
    "address": lambda text: [{"line": [text]}],
    "identifier": _identifier,
}

_IS_CONTACT: dict[str, Callable[[str], bool]] = {
    "phone": lambda text: sum(letter.isdecimal() for letter in text) >= _LEAST_DIGITS,
    "email": lambda text: all(text.partition("@")),
    "wechat": bool,
}

_EXPECTED = {
    "phone": f"a telephone number of at least {_LEAST_DIGITS} digits is expected",
    "email": "an address as name@example.org is expected",
    "birth_date": "a date as 1990-03-07, 1990-03 or 1990 is expected",
    "deceased_date_time": "a date as 2026-03-07 is expected",
    "gender": "male, female, other or unknown is expected",
    "deceased": "true or false is expected",
    "multiple_birth_order": "a number is expected",
    "identifier": "a number as AUTHORITY|TYPE|NUMBER is expected",
    "customer_kinds": "one or more of patient, family, healthy, partner, internal are expected, with commas between",
}


def _expected(name: str) -> str:
    return _EXPECTED.get(name, "this is no value of that field")


def _known(space: Opened, customer_id: str) -> dict[str, Field]:
    with space.store.read() as connection:
        patients = [patient for _, patient in queries.patients_of(connection, [customer_id])]
    return golden(patients, space.store.codec, space.store.golden)


def _result(space: Opened, customer_id: str, message: int, before: Mapping[str, Field]) -> dict[str, Any]:
    after = _known(space, customer_id)
    changed = []
    for name in sorted(after.keys() | before.keys()):
        old, new = (fields[name].value if name in fields else None for fields in (before, after))
        if old != new:
            source = after[name].words[0].source if name in after else None
            changed.append({"field": name, "before": old, "after": new, "source": source})
    return {"customer": customer_id, "message": message, "changed": changed}


def _tell(result: Mapping[str, Any]) -> None:
    click.echo(f"Message {result['message']} corrects customer {result['customer']}.")
    for one in result["changed"]:
        before, after = (brief(value) if value is not None else "nothing" for value in (one["before"], one["after"]))
        click.echo(f"  {one['field']}: {before} → {after}" + (f" ({one['source']})" if one["source"] else ""))
    if not result["changed"]:
        click.echo("  Nothing is otherwise than before: it was so already, or a source that is trusted more says else.")
