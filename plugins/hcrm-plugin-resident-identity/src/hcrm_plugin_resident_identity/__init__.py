"""Resident identity numbers (GB 11643-1999): what a source leaves out of a patient and the number says is filled in."""

from msgspec.structs import replace

from hcrm_core.api import UNSET, AnyRecord, Patient, Problem, Translation, hookimpl
from hcrm_plugin_resident_identity.number import Said, read

WRONG = Problem(
    "identity-number-wrong",
    "Patient.identifier",
    "A resident identity number is wrong: its check digit or its date cannot be. It is kept as sent; have it corrected "
    "where it was entered.",
)


@hookimpl
def transform_records(translation: Translation) -> Translation | None:
    """Fill in birth date and sex of patients where the message says nothing of them and an identity number does."""
    problems: list[Problem] = []
    records = tuple(_completed(record, problems) for record in translation.records)
    if records == translation.records and not problems:
        return None
    return replace(translation, records=records, problems=(*translation.problems, *problems))


def _completed(record: AnyRecord, problems: list[Problem]) -> AnyRecord:
    if not isinstance(record, Patient) or not isinstance(record.identifier, tuple):
        return record
    found: set[Said] = set()
    for identifier in record.identifier:
        said = read(identifier.value, declared=identifier.type == "NI")
        if isinstance(said, Said):
            found.add(said)
        elif said and WRONG not in problems:
            problems.append(WRONG)
    if len(found) != 1:
        return record
    (said,) = found
    filled = {}
    if record.birth_date in (UNSET, None):
        filled["birth_date"] = said.birth_date
    if record.gender in (UNSET, None, "unknown"):
        filled["gender"] = said.gender
    return replace(record, **filled) if filled else record
