"""Installed plugins, as their distributions' metadata describes them; nothing of them is imported."""

import re
from collections.abc import Iterable
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
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
        value: Of its entry point, to load it by.
        problem: Why it cannot be used, in sentences with the command that mends it; `None` where it can be tried.
    """

    name: str
    distribution: str
    version: str
    value: str
    problem: str | None = None

    @property
    def entry_point(self) -> EntryPoint:
        """To load it by."""
        return EntryPoint(self.name, self.value, GROUP)

    @property
    def package(self) -> str:
        """The import package it lies in."""
        return self.entry_point.module.partition(".")[0]

    def __str__(self) -> str:
        return f"The plugin {self.name!r} of {self.distribution} {self.version}"


def installed() -> dict[str, Installed]:
    """All installed plugins by name; one that several distributions offer, or whose requirements are not met, has a
    problem."""
    found: dict[str, Installed] = {}
    versions: dict[str, str | None] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        # Each look at the metadata of a distribution parses it anew.
        metadata = point.dist.metadata if point.dist else {"Name": "unknown", "Version": "unknown"}
        plugin = Installed(point.name, metadata["Name"], metadata["Version"], point.value)
        other = found.get(point.name)
        if other and other.distribution != plugin.distribution:
            text = (
                f"The plugin name {point.name!r} is offered by {other.distribution} and by {plugin.distribution}. "
                f"Uninstall one of them: pip uninstall {plugin.distribution}"
            )
            found[point.name] = other._replace(problem=text)
        elif not other:
            problem = _unmet(plugin, point.dist.requires or (), versions) if point.dist else None
            found[point.name] = plugin._replace(problem=problem)
    return found


def _unmet(plugin: Installed, requirements: Iterable[str], versions: dict[str, str | None]) -> str | None:
    """What of a plugin's requirements is not met here; `versions` are those that have been looked up."""
    from packaging.requirements import InvalidRequirement, Requirement

    missing = []
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        if requirement.name not in versions:
            versions[requirement.name] = _version(requirement.name)
        present = versions[requirement.name]
        if present is None:
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


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


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
