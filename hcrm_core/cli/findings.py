"""What plugins have to say after intake and after deciding."""

from hcrm_core.cli.context import Opened, say
from hcrm_core.errors import HcrmError
from hcrm_core.model.observing import DecideDone, IntakeDone


def tell_findings(space: Opened, hook: str, done: IntakeDone | DecideDone) -> None:
    """Ask every plugin that observes, and tell people what it found. One that fails is named and harms nothing."""
    for plugin in space.registry.plugins:
        try:
            if plugin in space.registry.left_out or hook not in space.registry.hooks(plugin):
                continue
            findings = space.code.observe(plugin, hook, done)
        except HcrmError as error:
            say(f"hcrm: {error}")
            continue
        for finding in findings:
            say(f"{plugin}: {'WARNING: ' if finding.level == 'warning' else ''}{finding.text}")


def tell_left_out(space: Opened) -> None:
    """Say which plugins a run goes on without."""
    for sentence in space.registry.left_out.values():
        say(f"hcrm: left out, since --keep-going says so: {sentence}")
