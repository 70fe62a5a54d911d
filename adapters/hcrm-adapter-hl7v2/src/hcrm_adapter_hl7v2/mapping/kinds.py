"""What a table may name: keys, records at hand, and data types with an example of what each gives."""

from typing import Any

SEGMENT = "[A-Z][A-Z0-9]{2}"

NAMED_KEYS = (
    "patient", "encounter", "prior", "link", "pair", "prior encounter", "encounter move", "prescription", "staff",
    "location",
)  # fmt: skip
"""Keys made by a rule of their own (`identities.py`)."""

REFERRED = {
    "patient": "PID-3",
    "prior": "MRG-1",
    "encounter": "PV1-19",
    "prior encounter": "MRG-5",
    "prescription": "ORC-2",
    "staff": "STF-2",
    "location": "LOC-1",
}
"""Named keys by which other records refer to the one that has it → where they are read first."""

ORIGINS: dict[str, str | None] = {
    "patient": "Patient",
    "first patient": "Patient",
    "prior": "Patient",
    "former patient": "Patient",
    "encounter": "Encounter",
    "former encounter": "Encounter",
    "prescription": "MedicationRequest",
    "report": "DiagnosticReport",
    "facility": None,
    "uncertain": None,
}
"""Records at hand → their kind."""

LINKS = {
    "practitioner": "Practitioner",
    "provider": "Practitioner",
    "department": "Organization",
    "unit": "Organization",
}
"""Data types that give the key of a record they make → its kind."""

GIVES: dict[str, Any] = {
    "text": "x",
    "texts": ["x"],
    "codes": ["x"],
    "number": "x",
    "date": "2026-01-01",
    "datetime": "2026-01-01T00:00:00+08:00",
    "boolean": True,
    "integer": 1,
    "coding": {"code": "x"},
    "concept": {"coding": [{"code": "x"}]},
    "identifiers": [{"value": "x", "system": "x", "sender_scoped": True}],
    "patient-identifiers": [{"value": "x", "system": "x", "sender_scoped": True}],
    "names": [{"family": "x"}],
    "addresses": [{"city": "x"}],
    "district": "x",
    "contacts": [{"value": "x", "system": "phone", "use": "home"}],
    "location": "x",
    "organization-name": "x",
    "quantity": {"value": "1"},
    "display": "x",
    "minutes": 1,
    "amount": {"value": "1"},
    "line-amount": {"amount": 1, "currency": "CNY"},
    "money": {"amount": 1, "currency": "CNY"},
    "period": {"start": "2026-01-01"},
    "code": "x",
}
"""Data type → what it gives, for those that give no key; `observation-value` fills several fields."""
