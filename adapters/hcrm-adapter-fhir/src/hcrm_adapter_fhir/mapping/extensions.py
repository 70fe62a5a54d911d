"""Fields of Patient that an extension holds, as the settings say."""

from typing import Any

from hcrm_adapter_fhir.mapping.concepts import coding, concept
from hcrm_adapter_fhir.mapping.people import text_of
from hcrm_adapter_fhir.mapping.view import View
from hcrm_core.api import UNSET, Coding


def extended(view: View, resource: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """The fields that `extensions` of the settings names.

    Args:
        view: The patient.
        resource: It.
        whole: Whether what is not there is said to be empty.
    """
    made: dict[str, Any] = {}
    for field, url in view.source.extensions.items():
        values = values_of(resource, url)
        found: Any = None
        if field == "interests":
            found = tuple(text for one in values if (text := _text(view, one))) or None
        elif field == "district":
            found = _text(view, values[0]) if values else None
        elif values:
            made_of = coding(view, [values[0]], f"Patient.extension('{url}')")
            found = made_of if isinstance(made_of, Coding) else None
        if found is not None or (whole and field != "district"):
            made[field] = found
    return made


def values_of(resource: dict[str, Any], url: str) -> list[Any]:
    """The values of all extensions of a URL; of one made of others, the first value inside."""
    found = resource.get("extension")
    values = []
    for one in found if isinstance(found, list) else ():
        if not isinstance(one, dict) or one.get("url") != url:
            continue
        inner = one.get("extension")
        for part in (one, *(inner if isinstance(inner, list) else ())):
            value = next((part[k] for k in part if k.startswith("value")), None) if isinstance(part, dict) else None
            if value is not None:
                values.append(value)
                break
    return values


def _text(view: View, found: Any) -> str | None:
    if isinstance(found, str):
        return text_of(found)
    made = concept(view, [found], "Patient.extension")
    if made is None or made is UNSET:
        return None
    return made.text or next((one.display or one.code for one in made.coding), None)
