"""The quality scale: what a plugin's author says of it, rule by rule, and what can be seen of that without running it.

A plugin's package holds `quality.toml`: rule → `"done"`, `"todo"`, or `{ status = "exempt", reason = "…" }`. A plugin
has a level when every rule of it and of the levels below is done or exempt. `hcrm plugins list` shows the level as
stated; `findings` tells what is stated and not true, as far as files can tell.
"""

import tomllib

from hcrm_core.quality.declared import FILE, Stated, level, level_of, read
from hcrm_core.quality.rules import LEVELS, RULES, Level, Rule
from hcrm_core.quality.seen import KINDS, Seen

__all__ = [
    "FILE",
    "KINDS",
    "LEVELS",
    "RULES",
    "Level",
    "Rule",
    "Seen",
    "Stated",
    "findings",
    "level",
    "level_of",
    "read",
    "rules_for",
]


def rules_for(kinds: frozenset[str]) -> tuple[Rule, ...]:
    """The rules that apply to a plugin that offers such things."""
    return tuple(rule for rule in RULES if rule.applies(kinds))


def findings(seen: Seen) -> list[str]:
    """What is wrong with a plugin's `quality.toml`: a sentence for each rule it leaves out and each that is not so.

    Raises:
        ConfigurationError: There is none, or it cannot be read.
    """
    stated = read(seen.package)
    found = []
    for rule in rules_for(seen.kinds):
        if rule.id not in stated:
            found.append(f"{rule.id}: {FILE} does not mention it. Write done, todo, or exempt with a reason.")
        elif stated[rule.id].status == "done" and rule.check is not None:
            try:
                found += [f"{rule.id} is stated as done, but: {finding}" for finding in rule.check(seen)]
            except (SyntaxError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                found.append(f"{rule.id} cannot be checked: {type(error).__name__}: {error}. Mend that file.")
    return found
