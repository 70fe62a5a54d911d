"""Resources held against FHIR's definition: structure and types by `fhir.resources`, required codes by our own tables.

`fhir.resources` has R4B and no R4. For the resources that are mapped the two agree, which a test over HL7's own
examples shows; see `docs/reference/fhir.md`.
"""

from functools import cache
from importlib import import_module
from typing import Any

from hcrm_adapter_fhir.mapping.concepts import codes_of
from hcrm_adapter_fhir.mapping.paths import Getter, getter
from hcrm_adapter_fhir.mapping.tables import Binding, bindings, resources
from hcrm_core.api import Problem

MOST = 50
"""Findings told of one resource."""

R4_ALONE = frozenset(
    {
        "EffectEvidenceSynthesis",
        "RiskEvidenceSynthesis",
        "MedicinalProduct",
        "MedicinalProductAuthorization",
        "MedicinalProductContraindication",
        "MedicinalProductIndication",
        "MedicinalProductIngredient",
        "MedicinalProductInteraction",
        "MedicinalProductManufactured",
        "MedicinalProductPackaged",
        "MedicinalProductPharmaceutical",
        "MedicinalProductUndesirableEffect",
        "SubstanceNucleicAcid",
        "SubstancePolymer",
        "SubstanceProtein",
        "SubstanceReferenceInformation",
        "SubstanceSourceMaterial",
        "SubstanceSpecification",
    }
)
"""Resource types of R4 that R4B has no more; none of them is mapped."""


def findings(kind: str, raw: bytes, resource: dict[str, Any]) -> list[Problem]:
    """Where a resource breaks FHIR's definition, each once; no text tells what stands in it.

    Args:
        kind: Its type.
        raw: It as JSON.
        resource: The same as values.
    """
    model = model_of(kind)
    if kind in R4_ALONE:
        text = "The validator has R4B, which has no resource of this type; it was not checked."
        return [Problem("type-not-checked", "resourceType", text)]
    if model is None:
        return [Problem("unknown-resource", "resourceType", "FHIR R4 has no resource of this type. Have it corrected.")]
    found: dict[Problem, None] = {}
    from pydantic import ValidationError

    try:
        model.model_validate_json(raw)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_context=False, include_input=False)[:MOST]:
            found[_told(kind, one["loc"], one["type"])] = None
    except (RecursionError, ValueError):
        found[Problem("not-valid", kind, "It could not be held against FHIR's definition. Have it corrected.")] = None
    for problem in codes(kind, resource):
        found[problem] = None
    return list(found)[:MOST]


def codes(kind: str, resource: dict[str, Any]) -> list[Problem]:
    """Codes that are not in the value set FHIR requires for their element."""
    found: dict[Problem, None] = {}
    for where, get, binding in _bound(kind):
        for one in get(resource):
            stated = codes_of(one)
            # Of a CodeableConcept one coding must be of the set; a text alone states no code.
            if stated and binding.codes.isdisjoint(stated):
                text = f"The code is not in {binding.url}, which FHIR requires here. Have it corrected."
                found[Problem("unknown-code", where, text)] = None
    return list(found)


@cache
def model_of(kind: str) -> Any:
    try:
        return getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    except (ImportError, AttributeError):
        return None


@cache
def _bound(kind: str) -> tuple[tuple[str, Getter, Binding], ...]:
    found = []
    for binding in bindings().values():
        for element in binding.elements:
            of, _, path = element.partition(".")
            if of == kind:
                found.append((element, getter(path), binding))
            elif of in _PEOPLE and kind in resources():
                for name in _PEOPLE[of]:
                    found.append((f"{kind}.{name}.{path}", getter(f"{name}.{path}"), binding))
    return tuple(found)


_PEOPLE = {
    "HumanName": ("name", "contact.name"),
    "Address": ("address", "contact.address"),
    "ContactPoint": ("telecom", "contact.telecom"),
    "Identifier": ("identifier",),
    "Quantity": ("valueQuantity", "component.valueQuantity", "quantity", "doseQuantity", "dispenseRequest.quantity"),
    "Narrative": ("text",),
}
"""Data type with required codes → where mapped resources have it; a path that a resource has not finds nothing."""


def _told(kind: str, place: tuple[int | str, ...], fault: str) -> Problem:
    names = [str(part) for part in place if isinstance(part, str) and part.isascii() and part.isidentifier()]
    where = ".".join((kind, *names))[:200]
    text = _FAULTS.get(fault) or "It is not built as FHIR says"
    return Problem("not-valid", where, f"{text}. Have it corrected.")


_FAULTS = {
    "missing": "FHIR requires this element",
    "extra_forbidden": "FHIR has no such element here",
    "value_error": "The value is none that FHIR allows here",
    "string_type": "This must be a text",
    "string_pattern_mismatch": "The text is not written as FHIR says",
    "bool_type": "This must be true or false",
    "list_type": "This must be a list",
    "int_type": "This must be a whole number",
}
"""Kinds of faults as pydantic names them."""
