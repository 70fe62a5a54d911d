"""Checks of what a strategy says of itself: its SQL, tables, parameters, titles."""

import re
from collections.abc import Iterator

from hcrm_core.testing.checks import NotGiven
from hcrm_core.testing.strategies.bench import Examined
from hcrm_core.testing.strategies.function import parameters_used
from hcrm_core.testing.strategies.person import person_columns
from hcrm_core.testing.strategies.suite import check

_DECISION = "decision_"


@check(
    "S01",
    "The SQL is one SELECT of allowed parts that returns the columns of its kind",
    reason="The core refuses any other before it runs, so the strategy would decide nothing in any hospital.",
    fix="Mend the line that is named; the reference of the mart lists every table, column and function.",
)
def sql_is_checked(examined: Examined) -> Iterator[str]:
    """What `check_strategy` says."""
    assert examined.checked
    yield from ()


@check(
    "S02",
    "The tables it declares are exactly those it reads",
    reason="Tables decide when a strategy runs and what a person is told it looks at. One that is declared in vain "
    "makes it run for nothing and claims knowledge it does not use.",
    fix="Take the table out of `tables`, or read it.",
)
def tables_are_read(examined: Examined) -> Iterator[str]:
    """Declared in vain, or twice; what is read and not declared S01 refuses."""
    declared = examined.strategy.tables
    for table in sorted(set(declared) - examined.checked.tables):
        yield f"It declares the table {table} and does not read it."
    for table in sorted({table for table in declared if declared.count(table) > 1}):
        yield f"It declares the table {table} twice."


@check(
    "S03",
    "It names the strategies whose decisions it reads",
    reason="`reads` puts the strategies in order. Without it, decisions of the run before are read, or none, and "
    "what is decided depends on history.",
    fix="Name in `reads` each strategy whose decisions it reads, filter the decision table by those names, and read "
    "the table of their kind. Strategies of another plugin are given to the kit by beside=(PLUGIN,).",
)
def reads_are_named(examined: Examined) -> Iterator[str]:
    """Decision tables and `reads` agree."""
    strategy, known = examined.strategy, examined.bench.strategies
    for name in strategy.reads:
        if name not in known:
            raise NotGiven(f"Pass the plugin that offers {name!r}, which {strategy.name} reads: beside=(PLUGIN,).")
    kinds = {known[name].kind for name in strategy.reads}
    tables = {table.removeprefix(_DECISION) for table in examined.checked.tables if table.startswith(_DECISION)}
    for kind in sorted(tables - kinds):
        yield f"It reads {_DECISION}{kind}, and `reads` names no strategy that decides a {kind}."
    for kind in sorted(kinds - tables):
        yield f"`reads` names a strategy that decides a {kind}, and it does not read {_DECISION}{kind}."


@check(
    "S04",
    "Every parameter is used",
    reason="A hospital that sets a parameter expects that something changes.",
    fix="Write $name in the SQL, use it in the function, or take the parameter away.",
)
def parameters_are_used(examined: Examined) -> Iterator[str]:
    """By the SQL or the function."""
    unused = examined.strategy.parameters.keys() - examined.checked.parameters
    if unused and examined.strategy.function:
        unused -= parameters_used(examined)
    for name in sorted(unused):
        yield f"The parameter {name} is declared and nothing uses it."


@check(
    "S05",
    "It has a title in Chinese and in English",
    reason="Reports, worklists and explanations name a strategy to people in their language.",
    fix='Give title={"en": "…", "zh": "…"}.',
)
def titles_are_there(examined: Examined) -> Iterator[str]:
    """Both, and the Chinese one in Chinese."""
    title = examined.strategy.title
    for language in ("en", "zh"):
        if not title.get(language, "").strip():
            yield f"It has no title in {language}."
    if title.get("zh", "").strip() and not re.search("[\u3400-\u9fff]", title["zh"]):
        yield f"Its Chinese title {title['zh']!r} has no Chinese character."


@check(
    "S06",
    "It declares exactly the columns about the person that its SQL reads",
    reason="What a strategy knows of a person beside what happened to them, sex or age or where somebody lives, is "
    "for a hospital to see and to weigh before it enables it.",
    fix="Put the columns into person_columns=(…), or do not read them; write names of columns in place of *.",
)
def person_columns_are_declared(examined: Examined) -> Iterator[str]:
    """Both ways."""
    read, declared = person_columns(examined.checked.sql), set(examined.strategy.person_columns)
    for column in sorted(read - declared):
        yield f"It reads customer.{column} and does not declare it."
    for column in sorted(declared - read):
        yield f"It declares customer.{column} and does not read it."
