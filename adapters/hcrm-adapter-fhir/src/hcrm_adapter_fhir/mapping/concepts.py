"""Codes: CodeableConcept, Coding and code as values of records."""

from typing import Any

from hcrm_adapter_fhir.mapping.people import text_of, wrong
from hcrm_adapter_fhir.mapping.view import View
from hcrm_core.api import UNSET, CodeableConcept, Coding


def coding(view: View, found: list[Any], where: str) -> Any:
    """The first coding of a CodeableConcept, or a Coding."""
    made = concept(view, found, where)
    if made is UNSET or made is None:
        return made
    return made.coding[0] if made.coding else Coding(display=made.text)


def concept(view: View, found: list[Any], where: str) -> Any:
    """A CodeableConcept, a Coding, or a text."""
    one = found[0]
    if isinstance(one, str):
        return CodeableConcept(text=one.strip()) if one.strip() else None
    if not isinstance(one, dict):
        return wrong(view, where)
    parts = one.get("coding")
    if parts is None:
        parts = [one] if "code" in one or "display" in one else []
    if not isinstance(parts, list):
        return wrong(view, where)
    made = []
    for part in parts:
        if isinstance(part, dict):
            code, display = text_of(part.get("code")), text_of(part.get("display"))
            if code or display:
                made.append(Coding(code, text_of(part.get("system")), display))
    whole = text_of(one.get("text"))
    return CodeableConcept(tuple(made), whole) if made or whole else None


def codes_of(found: Any) -> list[str]:
    """The codes in a CodeableConcept, a Coding, a code or a boolean, or in a list of them."""
    made: list[str] = []
    for one in found if isinstance(found, list) else (found,):
        if isinstance(one, dict):
            inner = one.get("coding")
            codings = inner if isinstance(inner, list) else (one,)
            made += [c["code"] for c in codings if isinstance(c, dict) and isinstance(c.get("code"), str)]
        elif isinstance(one, bool):
            made.append("true" if one else "false")
        elif isinstance(one, str):
            made.append(one)
    return made


def code_of_coding(view: View, found: list[Any], where: str) -> Any:
    """The code of a Coding."""
    return next(iter(codes_of(found)), None)


def codes_of_concepts(view: View, found: list[Any], where: str) -> Any:
    """The codes of all CodeableConcepts; of one without, its text."""
    made = []
    for one in found:
        codes = codes_of(one)
        whole = text_of(one.get("text")) if isinstance(one, dict) and not codes else None
        made += codes[:1] or ([whole] if whole else [])
    return tuple(made) or None


def display(found: Any) -> str | None:
    """What a CodeableConcept is called: its text, else a display, else a code."""
    if not isinstance(found, dict):
        return None
    parts = found.get("coding")
    parts = [one for one in parts if isinstance(one, dict)] if isinstance(parts, list) else []
    choices = [found.get("text"), *(one.get("display") for one in parts), *(one.get("code") for one in parts)]
    return next(filter(None, map(text_of, choices)), None)


def displays(view: View, found: list[Any], where: str) -> Any:
    """What several CodeableConcepts are called."""
    return tuple(filter(None, map(display, found))) or None


def class_coding(view: View, found: list[Any], where: str) -> Any:
    """A class of a Coverage: its value and name."""
    one = found[0] if isinstance(found[0], dict) else {}
    code, name = text_of(one.get("value")), text_of(one.get("name"))
    return Coding(code, None, name) if code or name else None
