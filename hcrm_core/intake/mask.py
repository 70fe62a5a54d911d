"""What may tell who somebody is, and what is shown in its place."""

from hcrm_core.model.records import KINDS

MASK = "•••"

PERSONAL = {kind: record.SEALED | {"birth_date"} for kind, record in KINDS.items()} | {
    "Practitioner": frozenset({"name"})
}
"""Kind → its fields that tell: direct identifiers, and the names of staff."""
