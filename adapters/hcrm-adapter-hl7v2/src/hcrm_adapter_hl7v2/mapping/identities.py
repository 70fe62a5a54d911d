"""What the segments of one message are about: the keys of their records and of those they refer to."""

from hcrm_adapter_hl7v2.mapping.compiled import Event, KeyPart, Plan
from hcrm_adapter_hl7v2.mapping.keys import (
    Stay,
    encounter_key,
    entity_key,
    identifiers_at,
    patient_key,
    prior_encounter_key,
    staff_key,
)
from hcrm_adapter_hl7v2.mapping.linked import department
from hcrm_adapter_hl7v2.mapping.view import View
from hcrm_adapter_hl7v2.reader import parse_path

_LOC_1, _LOC_3 = parse_path("LOC-1"), parse_path("LOC-3")
_PARTS_OF_A_WARD = frozenset({"B", "E", "R"})
"""Bed, exam room and room (HL7 table 0260)."""
_ORDER = tuple(parse_path(path) for path in ("ORC-2", "ORC-3"))
_NUMBER = {"RXE": parse_path("RXE-15"), "RXD": parse_path("RXD-7")}


class Identities:
    """The keys in one message; patients are looked up once, stays when first asked for."""

    def __init__(self, view: View, event: Event) -> None:
        self._view = view
        self._event = event
        self._patients = self._keys_of("PID", 3)
        self._priors = self._keys_of("MRG", 1)
        self._stays: dict[int, Stay | None] = {}
        self.reports: dict[int, str] = {}
        """Place of an OBR → its record's key, once it is made."""

    @property
    def about_somebody(self) -> bool:
        """Whether the message has a usable patient."""
        return any(self._patients.values())

    def key(self, plan: Plan, index: int) -> str | None:
        """The key of the record that a plan makes of the segment at `index`; `None` where it makes none."""
        if isinstance(plan.key, str):
            return self._named_key(plan.key, index)
        if plan.personal and self.reference("patient", index) is None:
            return None
        parts = []
        for part in plan.key:
            found = self.part(part, index)
            if found is None and not part.optional:
                return None
            parts.append(found or "")
        return "|".join(parts).rstrip("|")

    def part(self, part: KeyPart, index: int) -> str | None:
        """The first choice of a part of a key that is filled."""
        for name, path in part.choices:
            if path is None:
                found = self.reference(name, index)
            elif name == "entity":
                found = entity_key(self._view, self._view.raw(path, index))
            else:
                found = self._view.first(self._view.raw(path, index))
            if found:
                return found
        return None

    def reference(self, name: str, index: int) -> str | None:
        """The key of another record at hand, as seen from the segment at `index`."""
        view = self._view
        if name == "patient":
            at = view.nearest("PID", index)
            return self._patients.get(at) if at is not None else None
        if name == "first patient":
            return self._patients.get(view.positions["PID"][0])
        if name == "prior":
            return self._priors.get(index)
        if name == "former patient":
            return self._priors.get(index) or self.reference("patient", index)
        if name == "former encounter":
            return prior_encounter_key(view, index) or self.reference("encounter", index)
        if name == "encounter":
            at = view.nearest("PV1", index)
            if at is None or "Encounter" not in self._event.rule.records:
                return None
            # A booking stands before its patients: the first stay need not be the first patient's.
            if len(view.positions["PID"]) > 1 and view.nearest("PID", at) != view.nearest("PID", index):
                return None
            stay = self.stay(at)
            return stay.key if stay else None
        if name == "report":
            at = view.nearest("OBR", index)
            return self.reports.get(at) if at is not None and at <= index else None
        if name == "prescription":
            return self._prescription(index)
        return view.facility

    def stay(self, index: int) -> Stay | None:
        """The stay that the PV1 at `index` speaks of."""
        if index not in self._stays:
            is_event = "EVN" in self._view.positions
            patient = self.reference("patient", index)
            self._stays[index] = encounter_key(self._view, index, patient, event_day=is_event)
        return self._stays[index]

    def _numbered_stay(self, index: int) -> str | None:
        """The stay beside an MRG; told and left out where it has no number: nothing can be moved to a guess."""
        at = self._view.nearest("PV1", index)
        stay = self.stay(at) if at is not None and self.reference("encounter", index) else None
        if stay is None or not stay.uncertain:
            return stay.key if stay else None
        self._view.report(
            "stay-not-named", "PV1-19",
            "The message gives a stay another number or patient, but does not say its number; nothing was moved. Have "
            "the sender fill PV1-19.",
        )  # fmt: skip
        return None

    def _named_key(self, name: str, index: int) -> str | None:
        patient = self.reference("patient", index)
        match name:
            case "patient":
                return self._patients.get(index)
            case "prior":
                return self._priors.get(index)
            case "encounter":
                stay = self.stay(index)
                return stay.key if stay and patient else None
            case "prior encounter":
                prior = prior_encounter_key(self._view, index)
                now = self._numbered_stay(index)
                return prior if prior and now and prior != now else None
            case "encounter move":
                former = [self.reference(f"former {one}", index) for one in ("encounter", "patient")]
                now = self._numbered_stay(index)
                return "|".join(filter(None, former)) if now and all(former) and former != [now, patient] else None
            case "link":
                prior = self._priors.get(index)
                return f"{prior}>{patient}" if prior and patient and prior != patient else None
            case "pair":
                first = self.reference("first patient", index)
                return "=".join(sorted((first, patient))) if first and patient and first != patient else None
            case "prescription":
                return self._prescription(index) if patient else None
            case "staff":
                return staff_key(self._view, index)
            case _:
                return self._ward(index)

    def _ward(self, index: int) -> str | None:
        """The ward or department that a LOC is about; a room or a bed of one is none."""
        view, raw = self._view, self._view.raw(_LOC_1, index)
        pieces = raw.split(view.repetition, 1)[0].split(view.component)
        kinds = map(view.first, view.repetitions(view.raw(_LOC_3, index)))
        if any(map(view.first, pieces[1:3])) or _PARTS_OF_A_WARD.intersection(kinds):
            return None
        found = department(view, raw, "LOC-1")
        return found.key if found else None

    def _prescription(self, index: int) -> str | None:
        """The order's number (ORC-2, else ORC-3), else the prescription's: order and dispensing name it alike."""
        view, patient = self._view, self.reference("patient", index)
        if patient is None:
            return None
        for path in _ORDER:
            if number := entity_key(view, view.raw(path, index)):
                return f"{patient}|{number}"
        stands = _NUMBER.get(view.message.starts[index][:3])
        written = view.first(view.raw(stands, index)) if stands else ""
        return f"{patient}|{written}" if written else None

    def _keys_of(self, segment: str, number: int) -> dict[int, str]:
        found = {}
        for index in self._view.positions.get(segment, ()):
            key = patient_key(identifiers_at(self._view, index, number))
            if key:
                found[index] = key
        return found
