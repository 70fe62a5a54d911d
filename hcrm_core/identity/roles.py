"""What a customer is to the hospital: a patient, family, healthy, a partner or one of its staff; often several at once.

Each role is derived from facts and names those it rests on, so that it goes when they go.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hcrm_core.identity.documents import PERSONAL
from hcrm_core.identity.golden import Field, fields_of
from hcrm_core.store.codec import Codec
from hcrm_core.store.queries.facts import FactRow
from hcrm_core.store.queries.mart_rows import STAFF_NUMBER

KINDS = ("patient", "family", "healthy", "partner", "internal")
"""All roles, in the order in which they are shown."""

HEALTH_CHECK = frozenset({"PE", "CHECKUP", "HEALTHCHECK", "体检", "健康体检", "体检中心"})
"""Codes and names, in capitals, of visits of people who are not ill."""

ADMINISTRATIVE = frozenset({"Patient", "PatientLink", "RelatedPerson"})
"""Kinds of facts about a person that say nothing of care."""

OF_CARE = ("patient", "healthy")
"""Roles that tell of visits."""

NOT_OF_CARE = PERSONAL | {STAFF_NUMBER}
"""HL7 table 0203 types of numbers that are given to people who are no patients, too."""

_CANCELLED = ("cancelled", "entered-in-error", "planned")


class Role(NamedTuple):
    """One role of a customer, and the facts it rests on: their ids."""

    kind: str
    because: str
    facts: tuple[str, ...]


def roles_of(
    golden: Mapping[str, Field], patients: Sequence[FactRow], facts: Iterable[FactRow], codec: Codec
) -> list[Role]:
    """The roles of a customer, in the order of `KINDS`.

    Args:
        golden: Its fields.
        patients: Its source patients.
        facts: What is known of them; encounters are looked at.
        codec: Opens what is sealed.
    """
    found: list[Role] = []
    checks, care = _visits(facts, codec)
    if care:
        found.append(Role("patient", f"visits for care: {len(care)}", tuple(care)))
    elif checks:
        found.append(Role("healthy", "health checks and no other visit", tuple(checks)))
    staff = [row.fact_id for row in patients if not row.void and _has_staff_number(row, codec)]
    if staff:
        found.append(Role("internal", "a number of this person is an employee's", tuple(staff)))
    stated = golden.get("customer_kinds")
    for kind in (stated.value or ()) if stated else ():
        found.append(Role(kind, f"stated by {stated.words[0].source}", (stated.patient_id,)))  # type: ignore[union-attr]
    return sorted(found, key=lambda role: KINDS.index(role.kind))


def without_care(golden: Mapping[str, Field]) -> dict[str, Field]:
    """The fields of somebody of the staff as they would be, had the hospital never had them as a patient."""
    kept: dict[str, Callable[[Any], bool]] = {
        "identifier": lambda number: number.get("type") in NOT_OF_CARE,
        "customer_kinds": lambda kind: kind not in OF_CARE,
    }
    found = {name: field for name, field in golden.items() if name != "general_practitioner"}
    for name in kept.keys() & found.keys():
        field = found.pop(name)
        words = tuple(word._replace(value=[*filter(kept[name], word.value or ())]) for word in field.words)
        if value := [*filter(kept[name], field.value or ())]:
            found[name] = field._replace(value=value, words=tuple(word for word in words if word.value))
    return found


def is_internal(golden: Mapping[str, Field], patients: Sequence[FactRow], codec: Codec) -> bool:
    """Whether a customer is of the staff, so that the staff view hides what is known of care."""
    return any(role.kind == "internal" for role in roles_of(golden, patients, (), codec))


def _visits(facts: Iterable[FactRow], codec: Codec) -> tuple[list[str], list[str]]:
    """The visits that took place: health checks, and others."""
    checks: list[str] = []
    care: list[str] = []
    for row in facts:
        if row.kind == "Encounter" and not row.void:
            fields = fields_of(row, codec)
            if fields.get("status") not in _CANCELLED and not fields.get("replaced_by"):
                (checks if _is_check(fields) else care).append(row.fact_id)
    return checks, care


def _is_check(visit: Mapping[str, Any]) -> bool:
    said: set[str] = {visit.get("class") or ""}
    service, kind = visit.get("service_type") or {}, visit.get("type") or {}
    for coding in (service, *kind.get("coding", ()), {"display": kind.get("text")}):
        said |= {coding.get("code") or "", coding.get("display") or ""}
    return any(one.upper() in HEALTH_CHECK for one in said)


def _has_staff_number(row: FactRow, codec: Codec) -> bool:
    return any(number.get("type") == STAFF_NUMBER for number in fields_of(row, codec).get("identifier") or ())
