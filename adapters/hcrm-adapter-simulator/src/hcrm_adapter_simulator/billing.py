"""Bills: one for a visit, one every few days of a stay. Amounts are whole fen."""

from hcrm_adapter_simulator.catalogue import Code, Diagnosis, Item, Panel, catalogue
from hcrm_adapter_simulator.events import Charge, Visit
from hcrm_adapter_simulator.instants import DAY
from hcrm_adapter_simulator.life import Life

BILLED_EVERY = 4
"""Days of a stay on one bill."""


class _Bill:
    """Lines with numbers of their own."""

    def __init__(self, life: Life, visit: Visit, occurred: int) -> None:
        self.life = life
        self.visit = visit
        self.occurred = occurred
        self.lines: list[Charge] = []

    def add(self, code: Code, price: int, quantity: int = 1) -> None:
        number = self.life.number("F")
        where = self.visit.department
        self.lines.append(Charge(number, code, quantity, price * quantity, self.occurred, where))

    def send(self, mrn: str) -> None:
        chain = f"bill {self.visit.number}"
        self.life.tell("DFT^P03", mrn, chain, self.occurred, visit=self.visit, charges=tuple(self.lines))


def visit(life: Life, mrn: str, here: Visit, diagnosis: Diagnosis, panels: list[Panel], instant: int) -> None:
    """Bill a visit: consultation, tests, drugs."""
    rng = life.rng
    items = catalogue().items
    urgent = here.class_ == "E"
    bill = _Bill(life, here, instant)
    bill.add(items["C02" if urgent else "C01"].code, here.department.fee)
    for panel in panels:
        bill.add(panel.code, panel.price)
    if urgent and rng.random() < 0.5:
        bill.add(items["C03"].code, items["C03"].price)
    for drug in diagnosis.drugs:
        if rng.random() < 0.8:
            most = 8 if diagnosis.course == "chronic" else 3
            bill.add(drug.code, drug.price, max(1, min(most, round(rng.between(1, most) * life.person.wealth))))
    bill.send(mrn)


def stay(life: Life, mrn: str, here: Visit, diagnosis: Diagnosis, end: int, operation: Item | None) -> None:
    """Bill a stay: bed and care by day, tests, drugs, materials, the operation on the first bill."""
    rng = life.rng
    items = catalogue().items
    days = max(1, round((end - here.begun) / DAY))
    done = 0
    while done < days:
        span = min(BILLED_EVERY, days - done)
        first = done == 0
        done += span
        bill = _Bill(life, here, min(end, here.begun + done * DAY))
        for code in ("B01", "B02", "B03"):
            bill.add(items[code].code, items[code].price, span)
        bill.add(items["B04"].code, items["B04"].price, span * rng.between(1, 3))
        for drug in diagnosis.drugs:
            bill.add(drug.code, drug.price, max(1, round(span * rng.uniform(0.6, 1.8) * life.person.wealth)))
        if first:
            for panel in diagnosis.panels:
                bill.add(panel.code, panel.price)
            if operation is not None:
                bill.add(operation.code, operation.price)
        materials = max(1, round(span * rng.lognormvariate(0, 0.8) * life.person.wealth))
        bill.add(items["B05"].code, items["B05"].price, materials)
        bill.send(mrn)
