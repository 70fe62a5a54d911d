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
