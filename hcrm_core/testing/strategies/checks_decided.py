"""Checks of what a strategy decides: that it does, from what, for whom, and always the same."""

from collections.abc import Iterator, Sequence
from random import Random

from hcrm_core.mart.columns import is_personal
from hcrm_core.mart.tables import TABLES
from hcrm_core.testing.strategies import scene as scenes
from hcrm_core.testing.strategies.bench import Examined, Row, differences
from hcrm_core.testing.strategies.elsewhere import digest, digests_elsewhere
from hcrm_core.testing.strategies.function import impurities
from hcrm_core.testing.strategies.scene import Change
from hcrm_core.testing.strategies.suite import check

_IDS = {table.name: table.id for table in TABLES} | {"customer": "customer_id"}
_PERSONAL = frozenset(table.name for table in TABLES if is_personal(table)) | {"customer"}


@check(
    "S07",
    "It decides something on the world",
    reason="A strategy that decides nothing is not shown to work by anything else here.",
    fix="Pass a world that reaches it: world=CALLABLE, which returns a hcrm_core.testing.world.World, or another seed.",
)
def it_decides(examined: Examined) -> Iterator[str]:
    """At least one row."""
    if not examined.usual:
        yield "It decides nothing on the world."


@check(
    "S08",
    "A hospital without any facts gives no error and no decisions",
    reason="A workspace is empty on its first day.",
    fix="Begin from the facts and not from a list of values or the calendar alone.",
)
def nothing_comes_of_nothing(examined: Examined) -> Iterator[str]:
    """On the empty ward."""
    if rows := examined.on(examined.wards.empty):
        yield f"It decides {len(rows)} times in a hospital without any facts."


@check(
    "S09",
    "Every row cites facts that exist and are about its subject",
    reason="Who acts on a decision must be able to see what it rests on; what it cites of somebody else would be "
    "shown to the wrong eyes.",
    fix="Cite `table/id#column` with the id of a row that the decision rests on, of the same customer.",
)
def evidence_exists(examined: Examined) -> Iterator[str]:
    """Each citation is looked up."""
    facts = _Facts(examined)
    for row in examined.usual:
        for cited in row["evidence"]:
            table, _, rest = cited.partition("/")
            fact = rest.partition("#")[0]
            if table == "calendar" or table not in _IDS:
                continue
            if fact not in facts.of(table):
                yield f"{_named(examined, row)} cites {cited}, and there is no such row."
            elif table in _PERSONAL and facts.of(table)[fact] != row["subject"]:
                yield f"{_named(examined, row)} cites {cited}, which is about somebody else."


@check(
    "S10",
    "The order in which rows lie in the tables changes nothing",
    reason="It changes with every refresh and from engine to engine, and people would be told now this and now that.",
    fix="End every window's ORDER BY with an id, and give every LIMIT such an order.",
)
def order_is_nothing(examined: Examined) -> Iterator[str]:
    """The rows of all tables shuffled, three times."""
    for salt in ("a", "b", "c"):
        yield from _differs(examined, scenes.reordered(salt))


@check(
    "S11",
    "One thread or two, once or again, the rows are the same",
    reason="How a machine shares the work out must not show in whom a hospital calls.",
    fix="Order every window to the last row; a function must not depend on what it did before.",
)
def threads_are_nothing(examined: Examined) -> Iterator[str]:
    """Both counts, and a second run."""
    for threads in (1, 2):
        yield from differences(examined.key, examined.usual, examined.on(examined.wards.whole, threads))


@check(
    "S12",
    "Another process decides the same",
    reason="Hash seeds, random numbers and the environment differ from process to process; decisions must not.",
    fix="Use no hash(), no set order, no random numbers and no environment in the function.",
)
def processes_are_nothing(examined: Examined) -> Iterator[str]:
    """All strategies of the plugin are evaluated by a Python of its own, once."""
    found = digests_elsewhere(examined.bench).get(examined.strategy.name)
    if found != digest(examined.key, examined.usual):
        yield "A process of its own decides otherwise on the same mart."


@check(
    "S13",
    "A strategy of scope `subject` decides about somebody by that somebody's facts alone",
    reason="It is run for the few whose facts changed; what it would then decide must be what a run for everybody "
    "decides.",
    fix='Partition every window by customer_id and join only rows of one customer, or declare scope="all".',
)
def scope_is_honest(examined: Examined) -> Iterator[str]:
    """Random customers by themselves."""
    if examined.strategy.scope == "all":
        return
    random = Random(7)
    everybody = sorted({row["subject"] for row in examined.usual} | set(_Facts(examined).of("customer")))
    scene = examined.bench.changeable
    for size in (len(everybody) // 2, len(everybody) // 2, 3, 1, 1):
        some = set(random.sample(everybody, min(size, len(everybody))))
        scene.lay(examined.tables, scenes.only(some))
        found = examined.rows(scene, examined.wards.end, customers=some)
        yield from differences(examined.key, [row for row in examined.usual if row["subject"] in some], found)


@check(
    "S14",
    "Values that nobody said do not break it",
    reason="Sources leave out whatever they can: birth dates, departments, ends of stays, and now and then whose a "
    "fact is. One such row must not keep a whole hospital from being decided upon.",
    fix="Leave out rows whose customer_id or day is NULL, and write coalesce(…) where a value may be missing.",
)
def nothing_said_is_borne(examined: Examined) -> Iterator[str]:
    """Some values missing, all missing, and facts of nobody."""
    yield from _breaks(examined, {"some are missing": scenes.emptied(5), "all are missing": scenes.emptied(16)})
    yield from _breaks(examined, {"a fact is about nobody": scenes.nobodys})


@check(
    "S15",
    "Values at the edges do not break it",
    reason="Refunds are negative, lines of a bill are nothing, months have an end, and codes are written in Chinese.",
    fix="Divide by nullif(…, 0), use try_cast in place of cast, and cast sums to BIGINT.",
)
def edges_are_borne(examined: Examined) -> Iterator[str]:
    """Ends of months, zero, negative and large numbers, Chinese and quotes in codes."""
    yield from _breaks(examined, {"values are at the edges": scenes.extreme})


@check(
    "S16",
    "Its function is pure",
    reason="The core calls it whenever and wherever it likes, for all subjects or a few, and compares what it says.",
    fix="Make the rows from the table and the parameters alone: no clock, no state, no random numbers, no files.",
)
def function_is_pure(examined: Examined) -> Iterator[str]:
    """Called twice here and once in a host."""
    if examined.strategy.function:
        yield from impurities(examined)


class _Facts:
    """Ids of facts by table, each with its customer."""

    def __init__(self, examined: Examined) -> None:
        self._mart = examined.bench.scene(examined.wards.whole).mart
        self._known: dict[str, dict[str, str | None]] = {}

    def of(self, table: str) -> dict[str, str | None]:
        if table not in self._known:
            whose = "customer_id" if table in _PERSONAL else "NULL"
            self._known[table] = dict(self._mart.execute(f"SELECT {_IDS[table]}, {whose} FROM {table}").fetchall())
        return self._known[table]


def _differs(examined: Examined, change: Change) -> Iterator[str]:
    scene = examined.bench.changeable
    scene.lay(examined.tables, change)
    yield from differences(examined.key, examined.usual, examined.rows(scene, examined.wards.end))


def _breaks(examined: Examined, changes: dict[str, Change]) -> Iterator[str]:
    for name, change in changes.items():
        scene = examined.bench.changeable
        scene.lay(examined.tables, change)
        try:
            examined.rows(scene, examined.wards.end)
        except Exception as error:
            yield f"Where {name}: {error}"


def _named(examined: Examined, row: Row) -> str:
    key: Sequence[str] = examined.key
    return "The decision of " + ", ".join(f"{column} {row[column]}" for column in key)
