"""`quality.toml`: what the author of a plugin states, and the level that comes of it."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from msgspec import Struct

from hcrm_core.config import lines_of, nearest
from hcrm_core.errors import ConfigurationError
from hcrm_core.quality.rules import LEVELS, RULES, Level
from hcrm_core.quality.seen import Seen
from hcrm_core.registry.installed import Installed, folder

FILE = "quality.toml"

Status = Literal["done", "todo", "exempt"]
_KNOWN = get_args(Status)


class Stated(Struct, frozen=True):
    """What the author says of one rule.

    Attributes:
        status: Whether it holds; `exempt`: it need not.
        reason: Why it need not.
    """

    status: Status
    reason: str = ""


def read(package: Path) -> dict[str, Stated]:
    """What is stated of each rule.

    Args:
        package: The plugin's package.

    Raises:
        ConfigurationError: There is no such file, or something in it is wrong; the text has the line.
    """
    file = package / FILE
    try:
        text = file.read_text(encoding="utf-8-sig")
        tables = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigurationError(f"{file} is missing. State in it where the plugin stands, rule by rule.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}. Write it as TOML in UTF-8.") from None
    lines = lines_of(text)
    ids = [rule.id for rule in RULES]
    found = {}
    for id_, value in tables.items():
        where = f"{file}, line {lines.get((id_,), 1)}"
        if id_ not in ids:
            raise ConfigurationError(f"{where}: there is no rule {id_!r}. {nearest(id_, ids)}")
        found[id_] = _stated(value, f"{where}: {id_}")
    return found


def level_of(stated: Mapping[str, Stated], kinds: frozenset[str]) -> Level | None:
    """The highest level of which, and below which, every rule that applies is done or exempt; `None`: not even the
    lowest."""
    reached: Level | None = None
    for level_ in LEVELS:
        rules = [rule for rule in RULES if rule.level == level_ and rule.applies(kinds)]
        if not all(rule.id in stated and stated[rule.id].status != "todo" for rule in rules):
            return reached
        reached = level_
    return reached


def level(plugin: Installed) -> Level | None:
    """The level an installed plugin states; `None` where it states none, or nobody can tell. Nothing is imported and
    nothing raised."""
    try:
        place = folder(plugin)
        if place is None or not (place / FILE).is_file():
            return None
        return level_of(read(place), Seen(plugin.name, plugin.distribution, place).kinds)
    except Exception:
        # Whatever is wrong with a plugin, plugins are listed.
        return None


def _stated(value: Any, where: str) -> Stated:
    if isinstance(value, str):
        value = {"status": value}
    if not isinstance(value, dict) or not isinstance(value.get("status"), str) or value.keys() - {"status", "reason"}:
        raise ConfigurationError(f'{where} must be "done", "todo" or {{ status = "exempt", reason = "…" }}.')
    status, reason = value["status"], value.get("reason", "")
    if status not in _KNOWN:
        raise ConfigurationError(f"{where} cannot be {status!r}. {nearest(status, list(_KNOWN))}")
    if status == "exempt" and not (isinstance(reason, str) and reason.strip()):
        raise ConfigurationError(f"{where} is exempt without a reason. Say why it need not hold.")
    return Stated(status, str(reason))
