"""Every convention the records share with the HL7 mapping: keys of records, and codes the mapping derives.

A difference between the facts of the two formats is mended here or in `bodies.py`, and nowhere else.
"""

from functools import lru_cache

from hcrm_adapter_simulator.catalogue import read

FACILITY: str = read("hospital")["code"]
"""MSH-4, the authority of record and visit numbers and the namespace of departments and doctors."""

SEX = {"M": "male", "F": "female"}
ENCOUNTER_CLASS = {"I": "IMP", "O": "AMB", "E": "EMER", "P": "PRENC"}
ENCOUNTER_STATUS = {
    "ADT^A01": "in-progress",
    "ADT^A02": "in-progress",
    "ADT^A03": "finished",
    "ADT^A04": "in-progress",
    "ADT^A05": "planned",
    "ADT^A08": "in-progress",
    "ADT^A11": "entered-in-error",
    "ADT^A13": "in-progress",
}
"""By trigger; an A08 that states an end finishes the visit."""
APPOINTMENT_STATUS = {"Booked": "booked", "Cancelled": "cancelled", "Noshow": "noshow", "Complete": "fulfilled"}
RESULT_STATUS = {"F": "final", "C": "corrected"}
CANCELS = frozenset({"ADT^A11", "ADT^A13", "SIU^S15"})
"""Triggers whose statement has rank 1."""


@lru_cache(maxsize=4096)
def patient(mrn: str) -> str:
    """Patient, by record number."""
    return f"{FACILITY}|MR|{mrn}"


def document(number: str) -> str:
    """The type of a document's number (HL7 table 0203): a passport's begins with a letter."""
    return "PPN" if number[:1].isalpha() else "NI"


def link(merged: str, into: str) -> str:
    """PatientLink, by the keys of the patients."""
    return f"{merged}>{into}"


def encounter(number: str) -> str:
    """Encounter, by visit number."""
    return f"{FACILITY}|VN|{number}"


def condition(encounter_key: str, code: str, stage: str) -> str:
    """Condition: within its encounter, of one stage."""
    return f"{encounter_key}|{code}|{stage}"


def organization(department: str) -> str:
    """Organization, by the department's code."""
    return f"{FACILITY}|{department}"


def practitioner(number: str) -> str:
    """Practitioner, by number."""
    return f"{FACILITY}|{number}"


def appointment(number: str) -> str:
    """Appointment, by the filler's number."""
    return f"{FACILITY}|{number}"


def report(number: str, code: str) -> str:
    """DiagnosticReport, by the filler's number and what was ordered."""
    return f"{FACILITY}|{number}|{code}"


def observation(report_key: str, code: str) -> str:
    """Observation: within its report."""
    return f"{report_key}|{code}"


def charge(number: str, code: str, occurred: str) -> str:
    """ChargeItem, by transaction, its type, what was charged and when (as FT1-4 has it)."""
    return f"{FACILITY}|{number}|CG|{code}|{occurred}"


def allergy(patient_key: str, code: str) -> str:
    """AllergyIntolerance: of its patient."""
    return f"{patient_key}|{code}"


def coverage(patient_key: str, plan: str) -> str:
    """Coverage: of its patient."""
    return f"{patient_key}|{plan}"


def related(patient_key: str, relationship: str, family: str, given: str) -> str:
    """RelatedPerson: of its patient."""
    return f"{patient_key}|{relationship}|{family}|{given}"
