"""Read a file of follow-up rules and check what types cannot."""

from hcrm_core.api import ConfigurationError
from hcrm_core.api import RuleFile as TypedFile
from hcrm_plugin_followup.notation import Rule, RuleFile, days

MAX_AHEAD = 180
"""Days ahead a step may lie, its window included."""


def read_rules(text: str, file: str) -> tuple[Rule, ...]:
    """The rules of one file.

    Args:
        text: Its content.
        file: Its name, for errors.

    Raises:
        ConfigurationError: With file, line, key and what to write.
    """
    read = TypedFile(text, file, RuleFile)
    seen: set[str] = set()
    for place, rule in enumerate(read.content.rules):
        read.check_once(rule.id, seen, "the rule id", "rules", place, "id")
        _check(read, rule, ("rules", place))
    return read.content.rules


def _check(read: TypedFile[RuleFile], rule: Rule, path: tuple[str | int, ...]) -> None:
    read.check_predicate(rule.trigger.when, *path, "trigger", "when")
    ids: set[str] = set()
    for place, step in enumerate(rule.steps):
        at = (*path, "steps", place)
        read.check_once(step.id, ids, "the step id", *at)
        first, last = map(days, step.window)
        if not first <= 0 <= last:
            raise ConfigurationError(
                f"{read.where(*at)}: the window of {step.id} must begin at 0d or before and end at 0d or after."
            )
        if days(step.at) < 0 or days(step.at) + last > MAX_AHEAD:
            raise ConfigurationError(
                f"{read.where(*at)}: {step.id} must lie between 0 and {MAX_AHEAD} days after its trigger."
            )
    reasons: set[str] = set()
    for place, reason in enumerate(rule.suppress):
        at = (*path, "suppress", place)
        read.check_once(reason.reason, reasons, "the reason", *at)
        read.check_predicate(reason.when, *at, "when")
        if reason.exists is None and any(column.startswith("other.") for column in reason.because):
            raise ConfigurationError(
                f"{read.where(*at)}: `because` names other, which needs `exists`. Add the table's name there."
            )
