"""The people and departments of the invented hospital."""

from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from hcrm_core.model.records import AnyRecord, Coverage, Organization, Patient, PatientLink, Practitioner, RelatedPerson
from hcrm_core.model.values import Address, CodeableConcept, Coding, ContactPoint, HumanName, Identifier

HOUSE = "kit-hospital"
DEPARTMENTS = {"D01": "心内科", "D02": "骨科", "D03": "产科", "D04": "儿科", "D05": "急诊科", "D06": "体检中心"}
DOCTORS = {"P1": ("陈", "明"), "P2": ("林", "静"), "P3": ("Okafor", "Grace"), "P4": ("周", "建国")}
SELF_PAY, INSURED = "07", "01"

_FAMILIES = ("王", "李", "张", "刘", "欧阳", "赵", "司马", "孙")
_GIVEN = ("芳", "小明", "雷", "敏", "秀英", "志强", "丽", "建华", "子涵")
_ENGLISH = (("Smith", "Anna"), ("O'Neil", "Liam"), ("Müller", "Jonas"))
_DISTRICTS = ("朝阳区", "海淀区", "浦东新区", "Minhang", None)


class Resident(NamedTuple):
    """One source patient.

    Attributes:
        key: In the source.
        registered: When the hospital first heard of the person.
        gender, birth_date, district: As the source says them; `None` where it does not.
        names: The first is the one used.
        card: The identity card's number, shared by the two keys of one person.
        payer: `SELF_PAY` or `INSURED`.
        recent: Whether a stay of theirs ended within the last weeks.
        twin: Whether another key is the same person.
    """

    key: str
    registered: datetime
    gender: str | None
    birth_date: str | None
    district: str | None
    names: tuple[HumanName, ...]
    card: str | None
    payer: str
    recent: bool
    twin: bool

    def records(self) -> tuple[AnyRecord, ...]:
        """What the source says of the person at registration."""
        numbers = [Identifier(self.key, HOUSE, "MR")]
        if self.card:
            numbers.append(Identifier(self.card, "kit-registry", "NI"))
        patient = Patient(
            key=self.key,
            identifier=tuple(numbers),
            name=self.names,
            telecom=(ContactPoint(f"555-{self.key}", "phone"),),
            address=(Address(("某路 1 号",), district=self.district),),
            gender=self.gender,
            birth_date=self.birth_date,
            district=self.district,
        )
        mother = RelatedPerson(
            key=f"{self.key}-MTH",
            patient=self.key,
            name=(HumanName(text="家属"),),
            relationship=CodeableConcept((Coding("MTH", display="母亲"),)),
            contact_role=CodeableConcept((Coding("C"),)),
        )
        insurance = Coverage(
            key=f"{self.key}-INS",
            beneficiary=self.key,
            type=Coding("URBAN", display="城镇职工医保"),
            plan=Coding("A"),
            period_start=self.registered.isoformat(),
        )
        return (patient, *((mother,) if self.district else ()), *((insurance,) if self.payer == INSURED else ()))

    def replaced_by(self, other: "Resident") -> PatientLink:
        """The statement that this patient is another."""
        return link(self.key, other.key)


def link(patient: str, other: str, type: str | None = "replaced-by") -> PatientLink:
    """The statement that a patient is another; without a type, that it is not so after all."""
    return PatientLink(key=f"{patient}>{other}", patient=patient, other=other, type=type)


def directory() -> tuple[AnyRecord, ...]:
    """The hospital, its departments and its doctors."""
    return (
        Organization(key=HOUSE, code="RMYY", name="人民医院", type="prov"),
        *(Organization(key=key, code=key, name=name, type="dept", part_of=HOUSE) for key, name in DEPARTMENTS.items()),
        *(Practitioner(key=key, name=(HumanName(family, (given,)),)) for key, (family, given) in DOCTORS.items()),
    )


def residents(random: Random, count: int, start: datetime, end: datetime) -> list[Resident]:
    """So many source patients; every twelfth is a second key of the one before."""
    people: list[Resident] = []
    for place in range(count):
        # Nobody comes new in the last weeks: links are today's, whatever instant is looked at.
        registered = start + timedelta(hours=random.randrange(24, int((end - start).total_seconds() // 3600) - 90 * 24))
        born = f"{random.randrange(1932, 2022)}-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}"
        person = Resident(
            key=f"{place + 1:04d}",
            registered=registered,
            gender=random.choice(("male", "female", "female", "unknown", None)),
            birth_date=random.choice((born, born, born, born[:4], "1988-02-29", None)),
            district=random.choice(_DISTRICTS),
            names=_names(random, place),
            card=f"KIT{place:05d}" if random.random() < 0.7 else None,
            payer=random.choice((SELF_PAY, INSURED)),
            recent=place % 3 == 0,
            twin=False,
        )
        if place % 12 == 11:
            before = people[-1] = people[-1]._replace(card=f"KIT{place:05d}", twin=True)
            person = before._replace(key=person.key, registered=person.registered, recent=False)
        people.append(person)
    return people


def _names(random: Random, place: int) -> tuple[HumanName, ...]:
    family, given = random.choice(_FAMILIES), random.choice(_GIVEN)
    chinese = HumanName(family, (given,), text=family + given, use="official")
    if place % 5 == 0:
        foreign, first = random.choice(_ENGLISH)
        return (HumanName(foreign, (first,), text=f"{first} {foreign}", use="official"),)
    return (chinese, HumanName("Wang", ("Fang",), use="nickname")) if place % 5 == 1 else (chinese,)
