"""The data files beside the code, read once and typed: what hospitals of this kind have, and what people come with."""

import tomllib
from bisect import bisect
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import accumulate
from typing import Any, Generic, TypeVar

from msgspec import Struct

from hcrm_adapter_simulator.chance import Chance

T = TypeVar("T")


class Code(Struct, frozen=True, gc=False, cache_hash=True):
    """A code with its name and the code system as messages name it."""

    code: str
    name: str
    system: str


class Weighted(Generic[T]):
    """Things with weights, to draw one of them."""

    def __init__(self, things: Sequence[T], weights: Iterable[float]) -> None:
        """Args: things: what to draw from; weights: one each."""
        self.things = things
        self._cumulative = list(accumulate(weights))

    def draw(self, rng: Chance) -> T:
        """One of the things."""
        return self.things[bisect(self._cumulative, rng.random() * self._cumulative[-1])]


class Analyte(Struct, frozen=True, gc=False, cache_hash=True):
    """One quantity a panel measures; `coded` ones are negative or positive."""

    code: Code
    unit: str
    low: float
    high: float
    digits: int
    coded: bool


class Panel(Struct, frozen=True, gc=False):
    """What a doctor orders as one: analytes, or an examination with one of some findings."""

    code: Code
    section: str
    price: int
    analytes: tuple[Analyte, ...]
    findings: tuple[str, ...]


class Diagnosis(Struct, frozen=True, gc=False):
    """What people come with and what becomes of it; the members are explained in `data/diagnoses.toml`."""

    code: Code
    department: str
    course: str
    weight: float
    ages: tuple[int, int]
    sex: str
    months: tuple[float, ...]
    prevalence: tuple[tuple[int, float], ...]
    every: tuple[int, int]
    panels: tuple[Panel, ...]
    order: float
    finding: float
    shifts: dict[str, float]
    admit: float
    days: int
    emergency: float
    again: float
    readmit: float
    die: float
    drugs: tuple["Item", ...]
    operation: "Item | None"


class Item(Struct, frozen=True, gc=False):
    """One line of the price list; the price in fen."""

    code: Code
    price: int


class Payer(Struct, frozen=True, gc=False):
    """Who pays."""

    financial_class: str
    plan: Code
    insurer: str


class Allergen(Struct, frozen=True, gc=False):
    """What people are allergic to."""

    code: Code
    kind: Code
    reaction: str


def read(name: str) -> dict[str, Any]:
    """One data file by its name without suffix."""
    return tomllib.loads((files(__package__) / "data" / f"{name}.toml").read_text("utf-8"))


class Catalogue:
    """All of it."""

    def __init__(self) -> None:
        """Read the data files."""
        self.items = {
            row["code"]: Item(Code(row["code"], row["name"], "99CHG"), row["price"]) for row in read("prices")["items"]
        }
        labs = read("labs")
        self.panels = {row["id"]: _panel(row) for row in labs["panel"]}
        self.coded_results = {code: Code(code, name, "99RES") for code, name in labs["coded_results"].items()}
        rows = read("diagnoses")
        diagnoses = [self._diagnosis(row, rows) for row in rows["diagnosis"]]
        self.acute = [d for d in diagnoses if d.course == "acute"]
        self.chronic = [d for d in diagnoses if d.course == "chronic"]
        self.oncology = [d for d in diagnoses if d.course == "oncology"]
        self.pregnancy = next(d for d in diagnoses if d.course == "pregnancy")
        self.delivery = next(d for d in diagnoses if d.course == "delivery")
        self.payers = [
            Payer(row["class"], Code(row["plan"], row["name"], "99PLAN"), row["insurer"])
            for row in read("payers")["payer"]
        ]
        allergens = read("allergens")
        kinds = {code: Code(code, name, "HL70127") for code, name in allergens["kinds"].items()}
        self.allergens = Weighted(
            [
                Allergen(Code(a["code"], a["name"], "99ALG"), kinds[a["kind"]], a["reaction"])
                for a in allergens["allergens"]
            ],
            [a["share"] for a in allergens["allergens"]],
        )
        self.severities = [Code(code, name, "HL70128") for code, name in allergens["severities"].items()]

    def _diagnosis(self, row: dict[str, Any], seasons: dict[str, Any]) -> Diagnosis:
        prevalence = tuple((age, share) for age, share in row.get("prevalence", ()))
        return Diagnosis(
            code=Code(row["code"], row["name"], "I10"),
            department=row["department"],
            course=row.get("course", "chronic" if prevalence else "acute"),
            weight=row.get("weight", 0.0),
            ages=tuple(row.get("ages", (0, 120))),
            sex=row.get("sex", ""),
            months=tuple(seasons[row["season"]]) if "season" in row else (1.0,) * 12,
            prevalence=prevalence,
            every=tuple(row.get("every", (0, 0))),
            panels=tuple(self.panels[name] for name in row.get("panels", ())),
            order=row.get("order", 0.5),
            finding=row.get("finding", 0.2),
            shifts=row.get("shifts", {}),
            admit=row.get("admit", 0.0),
            days=row.get("days", 5),
            emergency=row.get("emergency", 0.0),
            again=row.get("again", 0.2),
            readmit=row.get("readmit", 0.05),
            die=row.get("die", 0.0),
            drugs=tuple(self.items[code] for code in row.get("drugs", ())),
            operation=self.items[row["operation"]] if "operation" in row else None,
        )


def _panel(row: dict[str, Any]) -> Panel:
    measured = [
        Analyte(Code(code, name, "LN"), unit, low, high, digits, coded=False)
        for code, name, unit, low, high, digits in row.get("analytes", ())
    ]
    coded = [Analyte(Code(code, name, "LN"), "", 0, 0, 0, coded=True) for code, name in row.get("coded", ())]
    return Panel(
        code=Code(row["code"], row["name"], "LN"),
        section=row["section"],
        price=row["price"],
        analytes=tuple(measured + coded),
        findings=tuple(row.get("findings", ())),
    )


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue, read at the first call."""
    return Catalogue()
