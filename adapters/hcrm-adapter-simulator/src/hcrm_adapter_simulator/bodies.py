"""Bodies of records: the JSON msgspec would write of each record class, made directly because a person has a hundred.

Members stand in the order of the class, absent ones are left out, and values hold no character JSON would escape (a
test keeps the data files so). A test reads every body back through its class.
"""

from functools import lru_cache

from hcrm_adapter_simulator import keys
from hcrm_adapter_simulator.catalogue import Analyte, Code
from hcrm_adapter_simulator.events import Booking, Charge, Finding, Report, Result, Visit
from hcrm_adapter_simulator.hospital import Department, Doctor
from hcrm_adapter_simulator.instants import iso
from hcrm_adapter_simulator.people import SELF, Allergy, Contact, Demographics, Person


@lru_cache(maxsize=4096)
def coding(code: Code) -> str:
    """A Coding."""
    return f'{{"code":"{code.code}","system":"{code.system}","display":"{code.name}"}}'


@lru_cache(maxsize=4096)
def concept(code: Code) -> str:
    """A CodeableConcept of one coding."""
    return f'{{"coding":[{coding(code)}]}}'


@lru_cache(maxsize=256)
def bare(code: str) -> str:
    """A Coding, where the message has the code alone."""
    return f'{{"code":"{code}"}}'


def _name(family: str, given: str, use: str = "") -> str:
    use = f',"use":"{use}"' if use else ""
    first = f',"given":["{given}"]' if given else ""
    return f'[{{"family":"{family}"{first}{use}}}]'


def patient(mrn: str, who: Demographics, *, added: bool = False) -> str:
    """Patient; whom the source adds is active from then on."""
    active = '"active":true,' if added else ""
    kind = keys.document(who.identity)
    identity = f',{{"value":"{who.identity}","system":"PRC","type":"{kind}"}}' if who.identity else ""
    home = who.home
    phones = [
        f'{{"value":"{number}","system":"phone","use":"{use}"}}'
        for number, use in ((who.phone, "mobile"), (who.work_phone, "work"))
        if number
    ]
    died = f',"deceased":true,"deceased_date_time":"{iso(who.died)}"' if who.died >= 0 else ""
    return (
        f'{{{active}"identifier":[{{"value":"{mrn}","system":"{keys.FACILITY}","type":"MR"}}{identity}],'
        f'"name":{_name(who.family, who.given, "official")},"telecom":[{",".join(phones)}],'
        f'"address":[{{"line":["{home.street}"],"city":"{home.city}","district":"{home.district}",'
        f'"state":"{home.province}","postal_code":"{home.postal_code}","country":"CHN","use":"home"}}],'
        f'"gender":"{keys.SEX[who.sex]}","birth_date":"{who.birth}"{died},"marital_status":{coding(who.marital)},'
        f'"ethnicity":{coding(who.ethnicity)},"district":"{home.district}"}}'
    )


def link(merged: str, into: str) -> str:
    """PatientLink."""
    return f'{{"patient":"{merged}","other":"{into}","type":"replaced-by"}}'


def related(subject: str, contact: Contact) -> str:
    """RelatedPerson."""
    return (
        f'{{"patient":"{subject}","name":{_name(contact.family, contact.given, "official")},'
        f'"telecom":[{{"value":"{contact.phone}","system":"phone","use":"mobile"}}],"relationship":{concept(contact.relationship)}}}'
    )


def allergy(subject: str, known: Allergy) -> str:
    """AllergyIntolerance."""
    allergen = known.allergen
    return (
        f'{{"patient":"{subject}","code":{concept(allergen.code)},"category":{coding(allergen.kind)},'
        f'"criticality":{coding(known.severity)},"reaction":["{allergen.reaction}"]}}'
    )


def coverage(subject: str, person: Person) -> str:
    """Coverage."""
    payer = person.payer
    return (
        f'{{"beneficiary":"{subject}","plan":{coding(payer.plan)},"payor":"{payer.insurer}",'
        f'"subscriber_id":"{person.policy}","relationship":{coding(SELF)}}}'
    )


@lru_cache(maxsize=1024)
def practitioner(doctor: Doctor) -> str:
    """Practitioner."""
    return f'{{"name":{_name(doctor.family, doctor.given)}}}'


@lru_cache(maxsize=256)
def organization(department: Department) -> str:
    """Organization."""
    return f'{{"code":"{department.code}","name":"{department.name}","type":"dept"}}'


def encounter_reference(subject: str, class_: str) -> str:
    """Encounter, as systems say it that know no more."""
    return f'{{"subject":"{subject}","class":"{keys.ENCOUNTER_CLASS[class_]}"}}'


def encounter(trigger: str, subject: str, visit: Visit) -> str:
    """Encounter."""
    status = keys.ENCOUNTER_STATUS[trigger]
    if trigger == "ADT^A08" and visit.ended >= 0:
        status = "finished"
    cancelled = trigger == "ADT^A13"
    department = visit.department.code
    begun = f',"period_start":"{iso(visit.begun)}"' if visit.begun >= 0 else ""
    ended = f',"period_end":"{iso(visit.ended)}"' if visit.ended >= 0 else ',"period_end":null' if cancelled else ""
    place = "/".join(filter(None, (department, visit.room, visit.bed)))
    attender = keys.practitioner(visit.doctor.number)
    source = ""
    if visit.source:
        source = f',"admitter":"{attender}","admit_source":{bare(visit.source)}'
    where = ',"discharge_disposition":null' if cancelled else ""
    if visit.disposition:
        where = f',"discharge_disposition":{bare(visit.disposition)}'
    return (
        f'{{"subject":"{subject}","status":"{status}","class":"{keys.ENCOUNTER_CLASS[visit.class_]}",'
        f'"service_type":{bare(department)}{begun}{ended},"location":"{place}",'
        f'"department":"{keys.organization(department)}","attender":"{attender}"{source}{where},'
        f'"payer_class":{bare(visit.payer)}}}'
    )


def condition(subject: str, encounter_key: str, finding: Finding) -> str:
    """Condition."""
    return (
        f'{{"subject":"{subject}","encounter":"{encounter_key}","code":{concept(finding.code)},'
        f'"category":{bare(finding.stage)},"rank":{finding.rank},"recorded_date":"{iso(finding.stated)}",'
        f'"asserter":"{keys.practitioner(finding.doctor.number)}"}}'
    )


def appointment(subject: str, booking: Booking) -> str:
    """Appointment."""
    doctor = booking.doctor
    why = f',"cancelation_reason":{concept(booking.cancelled_for)}' if booking.cancelled_for else ""
    visit = f',"encounter":"{keys.encounter(booking.visit.number)}"' if booking.visit else ""
    return (
        f'{{"subject":"{subject}","status":"{keys.APPOINTMENT_STATUS[booking.status]}",'
        f'"appointment_type":{concept(booking.service)},"reason":{concept(booking.reason)}{why},'
        f'"start":"{iso(booking.start)}","end":"{iso(booking.start + booking.minutes * 60)}",'
        f'"minutes_duration":{booking.minutes},"department":"{keys.organization(doctor.department.code)}",'
        f'"practitioner":"{keys.practitioner(doctor.number)}"{visit}}}'
    )


def report_times(stated: Report) -> str:
    """When it was collected and issued, as a report and each of its results say it."""
    return f'"effective":"{iso(stated.collected)}","issued":"{iso(stated.issued)}"'


def report(subject: str, encounter_key: str, stated: Report, times: str) -> str:
    """DiagnosticReport."""
    return (
        f'{{"subject":"{subject}","encounter":"{encounter_key}","status":"{keys.RESULT_STATUS[stated.status]}",'
        f'"code":{concept(stated.panel.code)},"category":{bare(stated.panel.section)},{times},'
        f'"orderer":"{keys.practitioner(stated.doctor.number)}"}}'
    )


@lru_cache(maxsize=4096)
def _measure(analyte: Analyte) -> tuple[str, str]:
    """What stands before and after a number of this analyte."""
    unit = f',"unit":"{analyte.unit}"' if analyte.unit else ""
    return (
        f'"code":{concept(analyte.code)},"value_quantity":{{"value":"',
        f'"{unit}}},"reference_range":"{analyte.low}-{analyte.high}","interpretation":["',
    )


def observation_frame(subject: str, encounter_key: str, report_key: str, times: str) -> tuple[str, str]:
    """How the bodies of all results of one report begin and end."""
    return (
        f'{{"subject":"{subject}","encounter":"{encounter_key}","report":"{report_key}","status":"',
        f'"],{times}}}',
    )


def observation(frame: tuple[str, str], result: Result) -> str:
    """Observation."""
    analyte = result.analyte
    if result.code is not None:
        value = f'"code":{concept(analyte.code)},"value_concept":{concept(result.code)},"interpretation":["'
    elif analyte.high:
        before, after = _measure(analyte)
        value = f"{before}{result.value}{after}"
    else:
        value = f'"code":{concept(analyte.code)},"value_string":"{result.value}","interpretation":["'
    return f'{frame[0]}{keys.RESULT_STATUS[result.status]}",{value}{result.flag}{frame[1]}'


def charge_frame(subject: str, encounter_key: str, line: Charge) -> tuple[str, str]:
    """How the bodies of all lines of one bill begin and end."""
    return (
        f'{{"subject":"{subject}","encounter":"{encounter_key}","status":"billable","type":"CG","code":',
        f',"occurrence":"{iso(line.occurred)}","department":"{keys.organization(line.department.code)}"}}',
    )


def charge(frame: tuple[str, str], line: Charge) -> str:
    """ChargeItem."""
    return (
        f'{frame[0]}{concept(line.code)},"quantity":{{"value":"{line.quantity}"}},'
        f'"price":{{"amount":{line.amount},"currency":"CNY"}}{frame[1]}'
    )
