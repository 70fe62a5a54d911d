"""Installed plugins, as their distributions' metadata describes them; nothing of them is imported."""

import re
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from hcrm_core.config import GROUP

CORE = "hcrm"
_CODE = (".py", ".so", ".pyd", ".pyc")


class Installed(NamedTuple):
    """A plugin that is installed.

    Attributes:
        name: Of its entry point.
        distribution: Whose it is, and `version`: of which version.
        entry_point: To load it by.
        problem: Why it cannot be used, in sentences with the command that mends it; `None` where it can be tried.
    """

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint
    problem: str | None = None

    @property
    def package(self) -> str:
        """The import package it lies in."""
        return self.entry_point.module.partition(".")[0]

    def __str__(self) -> str:
        return f"The plugin {self.name!r} of {self.distribution} {self.version}"


def installed(wanted: str | None = None) -> dict[str, Installed]:
    """All installed plugins by name; one that several distributions offer, or whose requirements are not met, has a
    problem.

    Args:
        wanted: The only one whose requirements matter; those of the others are not looked at.
    """
    found: dict[str, Installed] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        distribution = point.dist
        plugin = Installed(
            point.name,
            distribution.name if distribution else "unknown",
            distribution.version if distribution else "unknown",
            point,
        )
        other = found.get(point.name)
        if other and other.distribution != plugin.distribution:
            text = (
                f"The plugin name {point.name!r} is offered by {other.distribution} and by {plugin.distribution}. "
                f"Uninstall one of them: pip uninstall {plugin.distribution}"
            )
            found[point.name] = other._replace(problem=text)
        elif not other:
            problem = _unmet(plugin, distribution) if distribution and wanted in (None, point.name) else None
            found[point.name] = plugin._replace(problem=problem)
    return found


def _unmet(plugin: Installed, distribution: Distribution) -> str | None:
    """What of a distribution's requirements is not met here."""
    from packaging.requirements import InvalidRequirement, Requirement

    missing = []
    for text in distribution.requires or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            present = version(requirement.name)
        except PackageNotFoundError:
            missing.append(f"{requirement.name}{requirement.specifier}")
            continue
        if requirement.specifier.contains(present, prereleases=True):
            continue
        if _plain(requirement.name) == CORE:
            return (
                f"{plugin} needs {CORE} {requirement.specifier}, and this is {CORE} {present}. Install a version of it "
                f"for this one, or the {CORE} it needs: pip install '{CORE}{requirement.specifier}'"
            )
        missing.append(f"{requirement.name}{requirement.specifier}")
    if not missing:
        return None
    return f"{plugin} needs what is not installed. Install it: pip install {' '.join(map(repr, missing))}"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def folder(plugin: Installed) -> Path | None:
    """Where a plugin's package or module lies; `None` where nobody can tell. Nothing is imported."""
    try:
        spec = find_spec(plugin.package)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    place = Path(spec.origin)
    return place.parent if place.name == "__init__.py" else place


def mentions(plugin: Installed, word: str) -> bool:
    """Whether a plugin's code has a word in it, or cannot be read; for one that cannot be loaded."""
    place = folder(plugin)
    if place is None:
        return True
    try:
        files = sorted(file for file in place.rglob("*") if file.suffix in _CODE) if place.is_dir() else [place]
        return any(word.encode() in file.read_bytes() for file in files)
    except OSError:
        return True
