"""Customers of a whole population at once: the rule of `link.py` over rows instead of the store."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hcrm_core.identity.evidence import identifier_rows
from hcrm_core.identity.link import Components

Fields = Mapping[str, Any]


def customers(
    patients: Iterable[tuple[str, Fields]], links: Iterable[Fields], token: Callable[..., str]
) -> dict[str, str]:
    """Patient id → customer id.

    Args:
        patients: (patient id, folded fields) of everybody.
        links: The folded fields of every PatientLink, its ends as patient ids.
        token: `Codec.token`.
    """
    components = Components()
    carrier: dict[str, str] = {}
    for patient_id, fields in patients:
        components.add(patient_id)
        for row in identifier_rows(patient_id, fields, token):
            if row.link_token:
                components.join(patient_id, carrier.setdefault(row.link_token, patient_id))
    for link in links:
        if link.get("type") and link.get("patient") and link.get("other"):
            components.join(link["patient"], link["other"])
    return components.leaders()
