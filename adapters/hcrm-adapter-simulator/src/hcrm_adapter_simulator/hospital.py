"""The hospital: its departments, their doctors and the days on which these hold clinic."""

from functools import lru_cache

from msgspec import Struct

from hcrm_adapter_simulator.catalogue import read
from hcrm_adapter_simulator.chance import Chance
from hcrm_adapter_simulator.names import Names


class Department(Struct, frozen=True, gc=False, cache_hash=True):
    """A clinical department; the fee is a consultation's, in fen."""

    code: str
    name: str
    fee: int


class Doctor(Struct, frozen=True, gc=False, cache_hash=True):
    """A doctor; `weekdays` are those of the clinic, 0 Monday, and `room` is where it is held."""

    number: str
    family: str
    given: str
    department: Department
    weekdays: tuple[int, ...]
    room: str


class Hospital:
    """One hospital, the same for the same seed.

    Attributes:
        code, name: Of itself.
        dispositions: Where patients go on discharge: the code of a name.
        departments: By code.
        doctors: By the code of their department.
        clinics: By the code of a department and the day of the week, who holds clinic.
    """

    def __init__(self, seed: int) -> None:
        """Args: seed: of the simulation."""
        data = read("hospital")
        rng = Chance(f"hospital:{seed}")
        names = Names()
        self.code: str = data["code"]
        self.name: str = data["name"]
        self.dispositions: dict[str, str] = data["dispositions"]
        self.departments: dict[str, Department] = {}
        self.doctors: dict[str, tuple[Doctor, ...]] = {}
        self.clinics: dict[str, list[list[Doctor]]] = {}
        for place, row in enumerate(data["departments"]):
            department = Department(row["code"], row["name"], row["fee"])
            self.departments[department.code] = department
            self.doctors[department.code] = tuple(
                _doctor(rng, names, department, f"{place + 1:02d}{number + 1:02d}", number)
                for number in range(row["doctors"])
            )
            self.clinics[department.code] = [
                [doctor for doctor in self.doctors[department.code] if day in doctor.weekdays] for day in range(7)
            ]


def _doctor(rng: Chance, names: Names, department: Department, number: str, nth: int) -> Doctor:
    sex = rng.pick("MF")
    family = names.family(rng)
    given = names.given(rng, sex, rng.between(1962, 1994))
    always = department.code == "EMER"
    weekdays = range(7) if always else sorted({nth % 5, *rng.sample(range(6), 2)})
    return Doctor(f"D{number}", family, given, department, tuple(weekdays), f"{nth % 4 + 1}诊室")


@lru_cache(maxsize=4)
def hospital(seed: int) -> Hospital:
    """The hospital of a seed."""
    return Hospital(seed)
