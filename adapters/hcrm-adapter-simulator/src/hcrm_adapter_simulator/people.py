"""What the world says of a person: the values a registration desk types in."""

from datetime import date

from msgspec import Struct

from hcrm_adapter_simulator.catalogue import Allergen, Code, Diagnosis, Payer

SPOUSE = Code("SPO", "配偶", "HL70063")
PARENT = Code("PAR", "父母", "HL70063")
CHILD = Code("CHD", "子女", "HL70063")
FRIEND = Code("FND", "朋友", "HL70063")
SELF = Code("SEL", "本人", "HL70063")
MARRIED = Code("M", "已婚", "HL70002")
SINGLE = Code("S", "未婚", "HL70002")
WIDOWED = Code("W", "丧偶", "HL70002")
HAN = Code("HA", "汉族", "GB3304")
OTHERS = (Code("HU", "回族", "GB3304"), Code("SH", "畲族", "GB3304"), Code("MA", "满族", "GB3304"))


class Home(Struct, frozen=True, gc=False):
    """A home address."""

    street: str
    district: str
    city: str
    province: str
    postal_code: str


class Demographics(Struct, frozen=True, gc=False):
    """All that a PID segment says beside the record number. `identity` and phones are empty where not known; `died` is
    an instant, or -1 of the living."""

    family: str
    given: str
    sex: str
    birth: date
    identity: str
    marital: Code
    ethnicity: Code
    home: Home
    phone: str
    work_phone: str
    died: int = -1


class Contact(Struct, frozen=True, gc=False):
    """Somebody to call."""

    family: str
    given: str
    relationship: Code
    phone: str


class Allergy(Struct, frozen=True, gc=False):
    """An allergy with its severity."""

    allergen: Allergen
    severity: Code


class Person:
    """One human being, as they are when the simulation begins.

    Attributes:
        index: Which of the persons.
        first: What their first registration says of them.
        mrn: Its record number.
        second: What a second registration under `second_mrn` says, where there will be one by mistake.
        second_mrn: Its record number, else empty.
        chronic: Diagnoses that stay.
        satisfaction: 0…1, never told: how likely they come back.
        wealth: Factor on what they spend.
        frailty: Factor on how often they fall ill.
    """

    __slots__ = (
        "allergies", "chronic", "contacts", "first", "frailty", "index", "mrn", "payer", "policy", "satisfaction",
        "second", "second_mrn", "wealth",
    )  # fmt: skip

    def __init__(self, index: int, first: Demographics) -> None:
        """Args: index: which of the persons; first: what their first registration says."""
        self.index = index
        self.first = first
        self.mrn = f"{index + 1:08d}"
        self.second: Demographics | None = None
        self.second_mrn = ""
        self.contacts: tuple[Contact, ...] = ()
        self.allergies: tuple[Allergy, ...] = ()
        self.chronic: tuple[Diagnosis, ...] = ()
        self.payer: Payer
        self.policy = ""
        self.satisfaction = 0.5
        self.wealth = 1.0
        self.frailty = 1.0
