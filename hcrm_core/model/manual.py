"""What people correct by hand, as messages of a source of its own: an adapter of the core itself.

An edit lands in the inbox, is translated, replayed and counted as any message is. It speaks of a patient of the source
`manual` that is linked to the customer it corrects, so that no other source's word is ever changed.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct

from hcrm_core.model.adapters import Adapter
from hcrm_core.model.people import Patient, PatientLink
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.model.translation import Coverage, Origin, Problem, RawField, Statement, Translation

CORE = "hcrm"
"""Stands for the plugin that offers this adapter: the core."""

BY_ID = "id:"
"""Begins a key by which a statement of this source names another source's patient: its id follows."""

MESSAGE_TYPE = "EDIT"
_PERSONAL = Patient.SEALED | {"birth_date"}


class Edit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One edit of a customer.

    Attributes:
        format: Of this text.
        id: The message's control id.
        said_at: When it was made, microseconds since 1970 UTC.
        by: Who made it.
        reason: Why.
        patient: The key of the patient of this source that it speaks of.
        customer: The id of a patient of the customer.
        set: Field of the `Patient` → value.
        clear: Fields of which nothing is known.
        release: Fields of which this source says nothing any more, so that the others' words stand.
        cleared: All fields that are cleared from now on, those of earlier edits among them.
        undoes: The control id of the edit it takes back.
    """

    format: Literal["hcrm edit 1"] = "hcrm edit 1"
    id: str
    said_at: int
    by: str
    reason: str
    patient: str
    customer: str
    set: dict[str, Any] = {}
    clear: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    undoes: str | None = None

    @property
    def touched(self) -> tuple[str, ...]:
        """The fields it speaks of."""
        return (*self.set, *self.clear, *self.release)

    def payload(self) -> bytes:
        """The message."""
        return msgspec.json.encode(self, order="deterministic")


class Manual(Adapter):
    """Reads edits."""

    name = MANUAL
    version = "1"

    def translate(self, payload: bytes) -> Translation:
        """The patient of this source, and its link to the customer."""
        try:
            edit = msgspec.json.decode(payload, type=Edit)
            said = edit.set | dict.fromkeys((*edit.clear, *edit.release)) | {"cleared": edit.cleared or None}
            patient = msgspec.convert({"kind": "Patient", "key": edit.patient} | said, Patient)
            statement = Statement(edit.said_at)
        except (msgspec.DecodeError, ValueError):
            text = "This is no edit of a customer. Edits are made with: hcrm customers edit"
            return Translation(MESSAGE_TYPE, quarantine=Problem("no-edit", "", text))
        link = PatientLink(key=edit.patient, patient=edit.patient, other=BY_ID + edit.customer, type="seealso")
        return Translation(MESSAGE_TYPE, statement, (patient, link), coverage=Coverage(mapped=tuple(_paths(edit))))

    def origins(self, payload: bytes) -> list[Origin]:
        """Each field, and which member of the edit it comes from."""
        edit = msgspec.json.decode(payload, type=Edit)
        found = [Origin("Patient", edit.patient, name, f"set.{name}") for name in edit.set]
        return [*found, Origin("Patient", edit.patient, "cleared", "clear")]

    def fields(self, payload: bytes) -> list[RawField]:
        """What the edit says, who made it and why."""
        edit = msgspec.json.decode(payload, type=Edit)
        said = {f"set.{name}": value for name, value in edit.set.items()}
        said |= {"clear": ", ".join(edit.clear), "release": ", ".join(edit.release), "undoes": edit.undoes}
        said |= {"by": edit.by, "reason": edit.reason}
        return [
            RawField(path, path, value if isinstance(value, str) else msgspec.json.encode(value).decode(), _tells(path))
            for path, value in said.items()
            if value
        ]


def _paths(edit: Edit) -> list[str]:
    return [*(f"set.{name}" for name in edit.set), *(name for name in ("clear", "release") if getattr(edit, name))]


def _tells(path: str) -> bool:
    return path in ("by", "reason") or path.removeprefix("set.") in _PERSONAL
