"""Every mistake in an overlay is a sentence with file, line and what to write, before any message is read."""

import pytest
from support.hl7v2 import adapter

from hcrm_core.api import ConfigurationError, TextFile

MISTAKES = r"""
[record.Patient]
=> 1: record is not a key. Did you mean 'records'?

[records.Patient]
field = 1
=> 2: records.Patient.field is not a key. Did you mean 'fields'?

[records.Patient.fields]
language = { paths = "PID-15" }
=> 2: records.Patient.fields.language.paths is not a key. Did you mean 'path'?

[records.Patient.fields]
language = 3
=> 2: records.Patient.fields.language: it must be a table, not a whole number.

[records.Mine]
kind = "Patient"
=> 1: records.Mine: segment is missing. It is a new table; to change one that is

[records.Patien]
leave_out = ["gender"]
=> Did you mean 'Patient'?

[records.Mine]
segment = "ZAL"
key = "patient"
kind = "Allergy"
=> 4: records.Mine.kind: there is no kind of record 'Allergy'.

[records.Mine]
segment = "ZAL"
key = "patient"
=> 1: records.Mine: there is no kind of record 'Mine'.

[records.Mine]
segment = "ZAL"
key = ["{patient}", "ZAL-2"]
kind = "AllergyIntolerance"
fields = { patient = { from = "patient" } }
=> 1: records.Mine: no event gives it, so nothing would be read by it. Say which: events = ["ADT^A01"]

[records.AllergyIntolerance]
leave_out = ["patient"]
=> 1: records.AllergyIntolerance: nothing says whose it is. Add patient = { from = "patient" } to its fields.

[records.Patient.fields]
language = { path = "PDI-16", as = "coding" }
=> 2: records.Patient.fields.language.path: there is no segment 'PDI'. Did you mean 'PID'?

[records.Patient.fields]
language = { path = "PID-99", as = "coding" }
=> 2: records.Patient.fields.language.path: PID ends with field 40 in every version of HL7.

[records.Patient]
segment = "pid"
=> 2: records.Patient.segment: 'pid' is no id of a segment, as ZPI is.

[records.Patient]
key = "patients"
=> 2: records.Patient.key: there is no named key 'patients'. Did you mean 'patient'?

[records.Patient]
key = ["{patients}"]
=> 2: records.Patient.key[1]: there is no record at hand 'patients'. Did you mean 'patient'?

[records.Patient]
key = [
"{patient}",
"ZPI"]
=> 4: records.Patient.key[2]: 'ZPI' is no path.

[records.Patient]
group = "{x}"
=> 2: records.Patient.group: there is no record at hand 'x'.

[records.Patient]
leave_out = ["langage"]
=> leave_out[1]: there is no field 'langage'. Did you mean 'language'?

[records.Patient]
events = ["ADT^A8"]
=> 2: records.Patient.events[1]: there is no event 'ADT^A8'. Did you mean

[records.Mine]
segment = "ZAL"
key = ["{patient}", "ZAL-1"]
kind = "AllergyIntolerance"
[records.Mine.fields]
code = { path = "ZAL-1", as = "concept" }
=> 1: records.Mine: nothing says whose it is. Add patient = { from = "patient" }

[records.Patient.fields]
ocupation = { path = "ZPI-3", as = "coding" }
=> 2: records.Patient.fields.ocupation: there is no field of Patient 'ocupation'. Did you mean 'occupation'?

[records.Patient.fields]
occupation = { path = "ZPI-3", as = "codin" }
=> 2: records.Patient.fields.occupation.as: there is no data type 'codin'. Did you mean 'coding'?

[records.Patient.fields]
occupation = { path = "ZPI-3", as = "text" }
=> as = 'text' does not fit Patient.occupation. Write one of: coding.

[records.Patient.fields]
birth_date = { path = "ZPI-3" }
=> as = 'text' does not fit Patient.birth_date. Write one of: date.

[records.Patient.fields]
general_practitioner = { path = "ZPI-3" }
=> Write one of: practitioner, provider.

[records.Patient.fields]
general_practitioner = { from = "patient" }
=> Patient.general_practitioner is no key of the patient.

[records.Patient.fields]
general_practitioner = { from = "doctor" }
=> from: there is no record at hand 'doctor'.

[records.Patient.fields]
occupation = { as = "coding" }
=> 2: records.Patient.fields.occupation: say where it is read: path = "ZPI-3"

[records.Patient.fields]
occupation = { path = "ZPI3", as = "coding" }
=> 2: records.Patient.fields.occupation.path: 'ZPI3' is no path. Write one as PID-5 or PID-5.1.

[records.Patient.fields]
occupation = { path = "ZPI-3[2]", as = "coding" }
=> never by its place. Write ZPI-3.

[records.Patient.fields]
gender = { path = "PID-8", as = "code" }
=> 2: records.Patient.fields.gender: say by which table: table = "administrative-gender".

[records.Patient.fields]
gender = { path = "PID-8", as = "code", table = "gender" }
=> table: there is no code table 'gender'. Valid here: address-use,

[records.Patient.fields]
district = { path = "ZPI-1", table = "name-use" }
=> as = 'text' has none. Use it with coding or concept or code.

[records.Patient.fields]
district = { path = "ZPI-1", system = "x" }
=> as = 'text' has none. Use it with coding or concept.

[records.Patient.fields]
district = { path = "ZPI-1", join = true }
=> Patient.district is no list, so nothing can be joined.

[records.Patient.fields]
district = { path = "ZPI-1", unit = ["ZPI-2"] }
=> only minutes, an amount and `plus` have one.

[records.Patient.fields]
district = { path = "ZPI-1", unit = ["ZPI-2", "ZPI-3"] }
=> there are 1 paths for 2 units.

[records.Patient.fields]
district = { path = "ZPI-1", only = ["ADT^A8"] }
=> only: there is no event 'ADT^A8'.

[records.Patient.fields]
district = { path = "ZPI-1", where = "ZPI" }
=> where: 'ZPI' is no path.

[records.Patient.fields]
birth_date = { path = "ZPI-1", as = "date", default = "soon" }
=> default: Patient.birth_date cannot be 'soon'.

[records.Patient.fields]
deceased_date_time = { as = "datetime", after = "birth_date", plus = "ZPI-1" }
=> after: there is no datetime of this table 'birth_date'.

[records.Encounter.fields]
expected_end = { as = "datetime", after = "period_start" }
=> `after` and `plus` go together

[records.Encounter.fields]
location = { after = "period_start", plus = "ZDU-1" }
=> what is reckoned is a datetime: as = "datetime".

[records.RelatedPerson.fields]
period = { path = "ZNK-1", as = "period" }
=> 2: records.RelatedPerson.fields.period.path: a period has two paths: its start and its end.

[records.Patient.says]
active = "perhaps"
=> 2: records.Patient.says.active: Patient.active cannot be 'perhaps'.

[records.Patient.when]
"PID=1" = { active = true }
=> 'PID' is no path.

[events."ADT^A99"]
about = "?"
=> 1: events."ADT^A99": there is no event 'ADT^A99'. Did you mean

[events."ADT^A01"]
like = "ADT^A0"
=> 2: events."ADT^A01".like: there is no event 'ADT^A0'.

[events."ADT^A01"]
like = "ADT^A02"
=> it is like itself in the end.

[events."ADTA01"]
like = "ADT^A01"
=> it is no type of a message. Write one as "ADT^A01".

[events."ADT^A01"]
records = ["Patients"]
=> there is no record table 'Patients'. Did you mean 'Patient'?

[events."ADT^A01"]
says.Encunter = { status = "x" }
=> there is no record table 'Encunter'. Did you mean 'Encounter'?

[events."ADT^A01"]
says.Encounter = { statsu = "x" }
=> there is no field of Encounter 'statsu'. Did you mean 'status'?

[events."ADT^A01"]
when.Encounter = { "PV1" = { status = "x" } }
=> 'PV1' is no path.

[events."ADT^A01"]
fallback.Encounter = { period_end = ["EVN"] }
=> 'EVN' is no path.

[events."ADT^A01"]
ignored = ["pv1"]
=> 'pv1' is neither a segment nor a field. Write ZPI or ZPI-3.

[codes.adminstrative-gender]
"3" = "other"
=> No field of a record reads by it.

[codes.administrative-gender]
"3" = "othr"
=> 2: codes.administrative-gender.3: there is no value 'othr'. Did you mean 'other'?

[codes.administrative-gender]
"3" = 3
=> 2: codes.administrative-gender.3: it must be true or false or a text in quotes, not a whole number.

[codes.contact-use]
"3" = true
=> 2: codes.contact-use.3: there is no value 'true'. Valid here: home,

[codes.encounter-class]
"住院" = "INPATIENT"
=> 2: codes.encounter-class.住院: there is no value 'INPATIENT'. Valid here: ACUTE, AMB, EMER, FLD, HH, IMP,

[records.Patient.fields]
gender = { path = "PID-8", as = "code", table = "sex" }
[codes.sex]
"女" = "femal"
=> 4: codes.sex.女: there is no value 'femal'. Did you mean 'female'? Patient.gender is read by the table sex,

[records.Patient.fields]
gender = { path = "PID-8", as = "code", table = "sex" }
[codes.sex]
"女" = true
=> 4: codes.sex.女: Patient.gender is read by the table sex, where '女' is true; it must be a text in quotes,

[records.Patient.fields]
deceased = { path = "ZPI-2", as = "code", table = "yn" }
[codes.yn]
"是" = "true"
=> 4: codes.yn.是: Patient.deceased is read by the table yn, where '是' is the text 'true'; it must be true or false,

[codes.still-there]
"X" = "false"
=> 2: codes.still-there.X: Practitioner.active is read by the table still-there, where 'X' is the text 'false';

[records.Patient.fields]
deceased = { path = "ZPI-2", as = "code", table = "administrative-gender" }
=> 2: records.Patient.fields.deceased.table: Patient.deceased is read by the table administrative-gender, where 'F' is

[records.Immunization.fields]
status = { path = "RXA-20", as = "code", table = "order-status" }
=> 2: records.Immunization.fields.status.table: there is no value 'active'. Valid here: completed,

[records.Patient.fields]
gender = { path = "PID-8", as = "code", table = "administrative-gender", default = "mann" }
=> 2: records.Patient.fields.gender.default: there is no value 'mann'. Valid here: female, male, other, unknown.

[records.Encounter.says]
class = "AMBU"
=> 2: records.Encounter.says.class: there is no value 'AMBU'. Did you mean 'AMB'?

[records.Encounter.when]
"ZPV-1=X" = { status = "finishd" }
=> 2: records.Encounter.when."ZPV-1=X".status: there is no value 'finishd'. Did you mean 'finished'?

[events."ADT^A01"]
says.Encounter = { status = "arived", class = "AMBU" }
=> 2: events."ADT^A01".says.Encounter.status: there is no value 'arived'. Did you mean 'arrived'?

[events."ADT^A01"]
when.Encounter = { "PV1-45" = { class = "AMBU" } }
=> class: there is no value 'AMBU'. Did you mean 'AMB'?

[events."DFT^*"]
says.ChargeItem = { status = "bilable" }
=> there is no value 'bilable'. Did you mean 'billable'?

[events."ADT^A24"]
says.PatientPair = { type = "see-also" }
=> there is no value 'see-also'. Did you mean 'seealso'?

[records.Condition]
key = ["{patient}", "DG1-3.1 or DG1-1?"]
=> 2: records.Condition.key[2]: DG1-1 is a set id: it counts the segments of one message

[records.AllergyIntolerance]
key = ["{patient}", "entity AL1-1"]
=> 2: records.AllergyIntolerance.key[2]: AL1-1 is a set id

ignored = ["ZPI", "ZPV-"]
=> 1: ignored[2]: 'ZPV-' is neither a segment nor a field.

x = 
=> not valid TOML: Invalid value (at

[[examples]]
message = "MSH|^~\&|"
=> Between single quotes (' or ''') a backslash is only itself
"""
"""An overlay and, behind the arrow, a piece of the sentence; a number is the line."""


@pytest.mark.parametrize("mistake", MISTAKES.strip().split("\n\n"))
def test_a_mistake_is_named(mistake: str) -> None:
    text, _, sentence = mistake.partition("\n=> ")
    with pytest.raises(ConfigurationError) as raised:
        adapter(mapping=TextFile("his.toml", text))
    found = str(raised.value)
    assert found.startswith("his.toml") and sentence in found.replace("his.toml, line ", "")


@pytest.mark.parametrize(
    ("record", "key", "place"),
    [
        ("Patient", '["PID-18"]', "PID-3"),
        ("PriorPatient", '["MRG-3"]', "MRG-1"),
        ("Encounter", '["{patient}", "PV1-50"]', "PV1-19"),
        ("PriorEncounter", '["MRG-6"]', "MRG-5"),
        ("MedicationOrder", '["{patient}", "RXO-1"]', "ORC-2"),
        ("MedicationRequest", '"patient"', "ORC-2"),
        ("StaffMember", '["{facility}", "STF-10"]', "STF-2"),
        ("Ward", '["{facility}", "LOC-2"]', "LOC-1"),
    ],
)
def test_what_others_refer_to_by_a_built_in_key_keeps_it(record: str, key: str, place: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        adapter(mapping=TextFile("his.toml", f"[records.{record}]\nkey = {key}"))
    found = str(raised.value)
    assert found.startswith(f"his.toml, line 2: records.{record}.key: other records refer to those of ")
    assert found.endswith(f"have the sender fill {place}, of which the built-in one is made.")


ABOUT_THE_SAME = """
[records.More]
kind = "{kind}"
segment = "ZMO"
key = ["{{{origin}}}"]
events = ["*"]
fields = {{ {patient} }}
"""


@pytest.mark.parametrize(
    "text",
    [
        '[records.DiagnosticReport]\nkey = ["OBR-3 or OBR-2", "OBR-4.1?"]',
        '[records.HealthcareService]\nkey = ["{facility}", "PRC-1.1"]',
        '[records.Patient]\nkey = "patient"',
        ABOUT_THE_SAME.format(kind="Patient", origin="patient", patient='district = { path = "ZMO-1" }'),
        ABOUT_THE_SAME.format(kind="Encounter", origin="encounter", patient='subject = { from = "patient" }'),
        '[records.Patient.fields]\ndeceased = { path = "ZPI-2", as = "code", table = "yn" }\n[codes.yn]\nY = true',
        '[records.Encounter.says]\nclass = "IMP"\nstatus = ""',
    ],
)
def test_what_fits_is_accepted(text: str) -> None:
    adapter(mapping=TextFile("his.toml", text))
