"""medication[x]: a concept of its own, or that of the Medication it refers to."""

from typing import Any

from hcrm_adapter_fhir.mapping.concepts import concept
from hcrm_adapter_fhir.mapping.people import text_of
from hcrm_adapter_fhir.mapping.view import View
from hcrm_core.api import UNSET, CodeableConcept, Coding


def medication(view: View, found: Any, where: str) -> Any:
    """The concept of a medicine.

    Of one that is contained or came in the same bundle it is Medication.code. Of any other, which the message does not
    hold, the key of the Medication stands as the code, with what the reference calls it.
    """
    if not isinstance(found, dict) or "coding" in found or "text" in found:
        return concept(view, [found], where)
    text = found.get("reference")
    inside = None
    if isinstance(text, str):
        if text.startswith("#"):
            inside = view.inside(text[1:])
            view.contained[text[1:]] = None
        else:
            inside = view.message.links.get(text)
    code = inside.get("code") if inside else None
    if code is not None:
        made = concept(view, [code], where)
        if made is not UNSET and made is not None:
            return made
    display = text_of(found.get("display"))
    key = view.target(found)[1]
    number = found.get("identifier")
    system = None
    if not key and isinstance(number, dict):
        key, system = text_of(number.get("value")) or "", text_of(number.get("system"))
    return (
        CodeableConcept((Coding(key, system, display),) if key else (), None if key else display)
        if (key or display)
        else None
    )
