"""Which acknowledgments a message is owed, and when (HL7 v2.5.1 §2.9.2, §2.9.3; tables 0008 and 0155)."""

from typing import Final

from hcrm_core.api import Verdict

_ACCEPT: Final = {"stored": "CA", "refused": "CR", "unavailable": "CE"}
_APPLICATION: Final = {"stored": "AA", "folded": "AA", "quarantined": "AE", "refused": "AR", "unavailable": "AE"}


def owed(verdict: Verdict, accept: str, application: str, at_commit: bool) -> tuple[str, ...]:
    """The codes (MSA-1) a message is answered with, in order.

    A message that fills neither MSH-15 nor MSH-16 speaks the original mode and gets one application acknowledgment.
    Any other speaks the enhanced mode: an accept acknowledgment when it is stored or not taken, and an application
    acknowledgment, each only if its condition says so. What was not taken is answered once.

    Args:
        verdict: What became of it.
        accept: MSH-15.
        application: MSH-16.
        at_commit: Whether a message counts as accepted by the application once it is stored; else once it is folded.
    """
    accept, application = _condition(accept), _condition(application)
    if not accept and not application:
        application = "AL"
    outcome = verdict.outcome
    good = outcome in ("stored", "folded")
    codes = []
    if outcome in _ACCEPT and _wanted(accept, good):
        codes.append(_ACCEPT[outcome])
    answered = outcome == "stored" and not at_commit
    if outcome in ("refused", "unavailable") and codes:
        answered = True
    if not answered and _wanted(application, good):
        codes.append(_APPLICATION[outcome])
    return tuple(codes)


def _condition(field: str) -> str:
    return field.strip(' "').upper()


def _wanted(condition: str, good: bool) -> bool:
    """Whether a condition of table 0155 holds; a value that is not in the table counts as always."""
    if condition == "SU":
        return good
    if condition == "ER":
        return not good
    return condition not in ("", "NE")
