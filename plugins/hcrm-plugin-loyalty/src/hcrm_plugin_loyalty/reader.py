"""Read a file of loyalty programmes and check what types cannot."""

from itertools import pairwise

from hcrm_core.api import ConfigurationError, RuleFile
from hcrm_plugin_loyalty.notation import Programme, ProgrammeFile


def read_programmes(text: str, file: str) -> tuple[Programme, ...]:
    """The programmes of one file.

    Args:
        text: Its content.
        file: Its name, for errors.

    Raises:
        ConfigurationError: With file, line, key and what to write.
    """
    read = RuleFile(text, file, ProgrammeFile)
    seen: set[str] = set()
    for place, programme in enumerate(read.content.programmes):
        path = ("programmes", place)
        read.check_once(programme.id, seen, "the programme id", *path, "id")
        rules: set[str] = set()
        for number, rule in enumerate(programme.earn):
            read.check_once(rule.id, rules, "the rule id", *path, "earn", number, "id")
            read.check_predicate(rule.when, *path, "earn", number, "when")
        _check_levels(read, programme, path)
    return read.content.programmes


def _check_levels(read: RuleFile[ProgrammeFile], programme: Programme, path: tuple[str | int, ...]) -> None:
    if programme.tiers is None:
        return
    seen: set[str] = set()
    levels = programme.tiers.levels
    for number, level in enumerate(levels):
        read.check_once(level.id, seen, "the level id", *path, "tiers", "levels", number, "id")
    for number, (lower, higher) in enumerate(pairwise(levels), 1):
        if higher.least <= lower.least:
            raise ConfigurationError(
                f"{read.where(*path, 'tiers', 'levels', number)}: {higher.id} must begin at more points than "
                f"{lower.id} ({lower.least}). Write the lowest level first."
            )
