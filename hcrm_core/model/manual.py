"""What people correct by hand, as messages of a source of its own: an adapter of the core itself.

An edit lands in the inbox, is translated, replayed and counted as any message is. It speaks of a patient of the source
`manual` that is linked to the customer it corrects, so that no other source's word is ever changed.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct

from hcrm_core.model.adapters import Adapter
from hcrm_core.model.people import DISTINCT, Patient, PatientLink
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.model.translation import Coverage, Origin, Problem, RawField, Statement, Translation

CORE = "hcrm"
"""Stands for the plugin that offers this adapter: the core."""

BY_ID = "id:"
"""Begins a key by which a statement of this source names another source's patient: its id follows."""

MESSAGE_TYPE = "EDIT"
JUDGEMENT_TYPE = "LINK"

Says = Literal["same", "different", "nothing"]
_TYPES: dict[Says, str | None] = {"same": "seealso", "different": DISTINCT, "nothing": None}
_PERSONAL = Patient.SEALED | {"birth_date"}


class Edit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="format", tag="hcrm edit 1"):
    """One edit of a customer.

    Attributes:
        id: The message's control id.
        said_at: When it was made, microseconds since 1970 UTC.
        by: Who made it.
        reason: Why.
        patient: The key of the patient of this source that it speaks of.
        customer: The id of the patient that it corrects; with it the edit goes to whichever customer that belongs to.
        set: Field of the `Patient` → value.
        clear: Fields of which nothing is known.
        release: Fields of which this source says nothing any more, so that the others' words stand.
        cleared: All fields that are cleared from now on, those of earlier edits among them.
        undoes: The control id of the edit it takes back.
    """

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


class Judgement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="format", tag="hcrm link 1"):
    """What a person says of who is whom. Of two patients the last judgement counts.

    Attributes:
        id: The message's control id.
        said_at: When it was said, microseconds since 1970 UTC.
        by: Who said it.
        reason: Why.
        says: `same`: one person; `different`: two; `nothing`: the last judgement of these patients is taken back.
        pairs: The ids of two patients each, the lesser first.
        restores: Of `nothing`: what was said before of a pair (`pair_key`) and counts again.
    """

    id: str
    said_at: int
    by: str
    reason: str
    says: Says
    pairs: tuple[tuple[str, str], ...]
    restores: dict[str, Says] = {}

    def payload(self) -> bytes:
        """The message."""
        return msgspec.json.encode(self, order="deterministic")

    def links(self) -> list[PatientLink]:
        """The statements it makes."""
        found = []
        for low, high in self.pairs:
            key = pair_key(low, high)
            says = self.restores.get(key, self.says)
            found.append(PatientLink(key=key, patient=BY_ID + low, other=BY_ID + high, type=_TYPES[says]))
        return found


def pair_key(low: str, high: str) -> str:
    """The key of what this source says of two patients, the lesser id first; all judgements of them meet there."""
    return f"{low}+{high}"


class Manual(Adapter):
    """Reads edits and judgements."""

    name = MANUAL
    version = "1"

    def translate(self, payload: bytes) -> Translation:
        """The patient of this source, and its link to the customer; or the links that a judgement makes."""
        try:
            edit = _read(payload)
            if isinstance(edit, Judgement):
                mapped = Coverage(mapped=("says", "pairs", *(["restores"] if edit.restores else ())))
                return Translation(JUDGEMENT_TYPE, Statement(edit.said_at), tuple(edit.links()), coverage=mapped)
            said = edit.set | dict.fromkeys((*edit.clear, *edit.release)) | {"cleared": edit.cleared or None}
            patient = msgspec.convert({"kind": "Patient", "key": edit.patient} | said, Patient)
            statement = Statement(edit.said_at)
        except (msgspec.DecodeError, ValueError):
            text = "This is no edit of a customer. Edits are made with: hcrm customers edit, merge, split, review"
            return Translation(MESSAGE_TYPE, quarantine=Problem("no-edit", "", text))
        link = PatientLink(key=edit.patient, patient=edit.patient, other=BY_ID + edit.customer, type="seealso")
        return Translation(MESSAGE_TYPE, statement, (patient, link), coverage=Coverage(mapped=tuple(_paths(edit))))

    def origins(self, payload: bytes) -> list[Origin]:
        """Each field, and which member of the edit it comes from."""
        edit = _read(payload)
        if isinstance(edit, Judgement):
            keys = [pair_key(*pair) for pair in edit.pairs]
            return [Origin("PatientLink", key, "type", "restores" if key in edit.restores else "says") for key in keys]
        found = [Origin("Patient", edit.patient, name, f"set.{name}") for name in edit.set]
        return [*found, Origin("Patient", edit.patient, "cleared", "clear")]

    def fields(self, payload: bytes) -> list[RawField]:
        """What the edit says, who made it and why."""
        edit = _read(payload)
        said: dict[str, Any]
        if isinstance(edit, Judgement):
            pairs = ", ".join(pair_key(*pair) for pair in edit.pairs)
            restored = ", ".join(f"{key} {says}" for key, says in sorted(edit.restores.items()))
            said = {"says": edit.says, "pairs": pairs, "restores": restored, "by": edit.by, "reason": edit.reason}
            return [RawField(path, path, value, _tells(path)) for path, value in said.items() if value]
        said = {f"set.{name}": value for name, value in edit.set.items()}
        said |= {"clear": ", ".join(edit.clear), "release": ", ".join(edit.release), "undoes": edit.undoes}
        said |= {"by": edit.by, "reason": edit.reason}
        return [
            RawField(path, path, value if isinstance(value, str) else msgspec.json.encode(value).decode(), _tells(path))
            for path, value in said.items()
            if value
        ]


def _read(payload: bytes) -> Edit | Judgement:
    return msgspec.json.decode(payload, type=Edit | Judgement)


def _paths(edit: Edit) -> list[str]:
    return [*(f"set.{name}" for name in edit.set), *(name for name in ("clear", "release") if getattr(edit, name))]


def _tells(path: str) -> bool:
    return path in ("by", "reason") or path.removeprefix("set.") in _PERSONAL
