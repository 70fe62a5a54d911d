"""`hcrm bench`: how fast it is here, each figure beside a floor or a peer measured in the same run."""

import click

from hcrm_core.cli.bench.command import intake
from hcrm_core.cli.bench.decide import decide
from hcrm_core.cli.bench.fhir import fhir
from hcrm_core.cli.bench.identity import identity
from hcrm_core.cli.bench.soak import soak


@click.group()
def bench() -> None:
    """Measure speed on this machine; every figure stands beside a floor or a peer of the same run."""


bench.add_command(intake)
bench.add_command(decide)
bench.add_command(identity)
bench.add_command(fhir)
bench.add_command(soak)
