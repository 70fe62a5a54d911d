"""What servers say of themselves: OperationOutcome as problems, of which no text goes further, only codes and paths."""

from typing import Any

import msgspec

from hcrm_adapter_fhir.reader import Unreadable, decode
from hcrm_core.api import HttpResponse, InputError, Problem

MOST = 20
_LONGEST = 80
_SPACE = b" \t\r\n"


def json_of(response: HttpResponse) -> dict[str, Any]:
    """The object an answer holds, empty where it holds none."""
    try:
        found = decode(response.body)
    except Unreadable:
        return {}
    return found if isinstance(found, dict) else {}


def problems_of(outcome: Any, where: str) -> list[Problem]:
    """The issues of an OperationOutcome; what only informs is left out."""
    issues = outcome.get("issue") if isinstance(outcome, dict) else None
    found = []
    for issue in issues[:MOST] if isinstance(issues, list) else ():
        if isinstance(issue, dict) and issue.get("severity") in ("fatal", "error", "warning"):
            severity = "error" if issue["severity"] != "warning" else "warning"
            text = f"The server says: {severity}, {_codes(issue)}. Ask whoever runs it."
            found.append(Problem("server-outcome", where, text))
    return list(dict.fromkeys(found))


def refused(response: HttpResponse, what: str, advice: str = "") -> InputError:
    """The sentence for an answer that is none: its status, and the codes of its OperationOutcome.

    Args:
        response: The answer.
        what: What it was asked.
        advice: What to do, where the status alone does not say it.
    """
    issues = json_of(response).get("issue")
    told = [_codes(one) for one in issues[:3] if isinstance(one, dict)] if isinstance(issues, list) else []
    more = f" ({'; '.join(dict.fromkeys(told))})" if told else ""
    usual = {
        401: "Check the source's authentication.",
        403: "Have the server allow this client to read it.",
        404: "Check the source's url.",
    }.get(response.status, "Ask whoever runs the server.")
    outcome = " and an OperationOutcome" if response.status == 200 else ""
    return InputError(f"The server answered {what} with the status {response.status}{outcome}{more}. {advice or usual}")


def breaks_off(body: bytes) -> bool:
    """Whether an answer is JSON that ends in the middle, or nothing at all."""
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)[:1]
    if start not in (b"{", b"[", b""):
        return False
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except (ValueError, RecursionError):
        return False
    return False


def seems(body: bytes) -> str:
    """What an answer that should be a resource in JSON seems to be, and what to do; the end of a sentence, and
    another."""
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)[:200].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return (
            "a web page for people, as servers show them to whoever should log in. Check the source's authentication, "
            "and that its url is the base address of the server's FHIR interface."
        )
    if start.startswith(b"<"):
        return "XML, though JSON was asked for. Check that the source's url is the base address of a FHIR interface."
    try:
        decode(body)
    except Unreadable as error:
        return f"something that cannot be read: {error}. Ask whoever runs the server."
    return "JSON that is no Bundle. Check that the source's url is the base address of the server's FHIR interface."


def _codes(issue: dict[str, Any]) -> str:
    """An issue's codes and paths. Its diagnostics are written for people and may quote what was sent."""
    details = issue.get("details")
    codings = details.get("coding") if isinstance(details, dict) else None
    codes: list[Any] = [issue.get("code"), *(one.get("code") for one in _listed(codings) if isinstance(one, dict))]
    paths = [one for name in ("expression", "location") for one in _listed(issue.get(name))]
    told = [str(one) for one in codes if _tellable(one)] or ["no code"]
    shown = [str(one) for one in paths if _tellable(one)][:3]
    return ", ".join(told) + (f" at {', '.join(shown)}" if shown else "")


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _tellable(found: Any) -> bool:
    """Whether a text can only be a code or a path: no spaces, no quotes, no digits beyond an index."""
    return (
        isinstance(found, str)
        and 0 < len(found) <= _LONGEST
        and found.isascii()
        and all(c.isalnum() or c in "._-[]" for c in found)
        and sum(c.isdigit() for c in found) <= 4
    )
