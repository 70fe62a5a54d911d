"""FHIR R4 data types (https://hl7.org/fhir/R4/datatypes.html) as values of records.

Every reader takes the view, what was found at a path (at least one JSON value, none of them null) and the path for
messages to people. It gives the value; `None` where what was found says nothing; `UNSET` where it cannot be read, which
it reports.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hcrm_adapter_fhir.mapping import amounts, concepts, dates, people
from hcrm_adapter_fhir.mapping.people import text_of, wrong
from hcrm_adapter_fhir.mapping.view import View
from hcrm_core.api import UNSET, Period

Reader = Callable[[View, list[Any], str], Any]


def text(view: View, found: list[Any], where: str) -> Any:
    """The first string."""
    return text_of(found[0]) if isinstance(found[0], str) else wrong(view, where)


def boolean(view: View, found: list[Any], where: str) -> Any:
    """A boolean."""
    return found[0] if isinstance(found[0], bool) else wrong(view, where)


def integer(view: View, found: list[Any], where: str) -> Any:
    """A whole number of at most nine digits, as FHIR's are."""
    one = found[0]
    return one if type(one) is int and abs(one) < 2**31 else wrong(view, where)


def date(view: View, found: list[Any], where: str) -> Any:
    """A date; of a dateTime its day."""
    return _dated(view, dates.date(found[0]) if isinstance(found[0], str) else None, where)


def date_time(view: View, found: list[Any], where: str) -> Any:
    """A dateTime or instant."""
    one = found[0]
    return _dated(view, dates.date_time(one, view.source.zone) if isinstance(one, str) else None, where)


def _dated(view: View, found: str | None, where: str) -> Any:
    if found is None:
        view.report(
            "bad-date", where, "This is no date; it was left out. Have the sender write YYYY-MM-DDThh:mm:ss+zz:zz."
        )
        return UNSET
    return found


def period(view: View, found: list[Any], where: str) -> Any:
    """A Period."""
    if not isinstance(found[0], dict):
        return wrong(view, where)
    ends = []
    for name in ("start", "end"):
        value = found[0].get(name)
        made = date_time(view, [value], f"{where}.{name}") if value is not None else None
        ends.append(None if made is UNSET else made)
    return Period(*ends) if any(ends) else None


def minutes(view: View, found: list[Any], where: str) -> Any:
    """How long a Period lasts, where that is a whole number of minutes."""
    whole = period(view, found, where)
    if not isinstance(whole, Period) or not whole.start or not whole.end:
        return None
    if min(len(whole.start), len(whole.end)) <= 10:
        return None
    ends = [dates.moment(one, view.source.zone) for one in (whole.start, whole.end)]
    if ends[0] is None or ends[1] is None or ends[1] < ends[0]:
        return None
    lasted = ends[1] - ends[0]
    return None if lasted % timedelta(minutes=1) else lasted // timedelta(minutes=1)


def deceased(view: View, found: list[Any], where: str) -> Any:
    """A boolean, or that there is a time of death."""
    return found[0] if isinstance(found[0], bool) else True if isinstance(found[0], str) else wrong(view, where)


def is_active(view: View, found: list[Any], where: str) -> Any:
    """Whether a status is `active`."""
    return found[0] == "active" if isinstance(found[0], str) else wrong(view, where)


def organization_type(view: View, found: list[Any], where: str) -> Any:
    """`prov` or `dept` where the type says so; a part of another organization is a department."""
    codes = concepts.codes_of(found)
    named = next((code for code in codes if code in ("prov", "dept")), None)
    return named or ("dept" if isinstance(view.resource.get("partOf"), dict) else "prov")


READERS: dict[str, Reader] = {
    "text": text,
    "boolean": boolean,
    "integer": integer,
    "date": date,
    "datetime": date_time,
    "period": period,
    "minutes-of-period": minutes,
    "deceased": deceased,
    "coding": concepts.coding,
    "concept": concepts.concept,
    "code-of-coding": concepts.code_of_coding,
    "codes-of-concepts": concepts.codes_of_concepts,
    "displays": concepts.displays,
    "is active": is_active,
    "organization-type": organization_type,
    "coding-of-class": concepts.class_coding,
    "identifiers": people.numbers,
    "names": people.names,
    "addresses": people.addresses,
    "contacts": people.contacts,
    "quantity": amounts.quantity,
    "days": amounts.days,
    "money": amounts.money,
    "charge-or-credit": amounts.charge_or_credit,
    "range": amounts.reference_range,
    "written-value": amounts.written_value,
}
"""Data types a table may name under `as`, besides those that need a code list or follow a reference."""

TYPES = {
    "identifiers": "Identifier",
    "names": "HumanName",
    "addresses": "Address",
    "contacts": "ContactPoint",
    "period": "Period",
    "minutes-of-period": "Period",
    "coding": "CodeableConcept",
    "concept": "CodeableConcept",
    "codes-of-concepts": "CodeableConcept",
    "displays": "CodeableConcept",
    "organization-type": "CodeableConcept",
    "code-of-coding": "Coding",
    "coding-of-class": "CoverageClass",
    "quantity": "Quantity",
    "days": "Quantity",
    "money": "Money",
    "charge-or-credit": "Money",
    "range": "ReferenceRange",
    "name-of-reference": "Reference",
    "display-of-reference": "Reference",
    "coding-of-reference": "Reference",
    "place": "Reference",
}
"""The FHIR data type that a reader takes apart."""
