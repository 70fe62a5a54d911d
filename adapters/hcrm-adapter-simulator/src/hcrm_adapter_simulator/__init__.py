"""A synthetic Chinese hospital for HCRM: `hcrm simulate`, and for code `simulate` and `write_…`, one function a format.

Nothing is imported until it is used, so that loading the plugin costs nothing.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

from hcrm_core.api import hookimpl

if TYPE_CHECKING:
    from hcrm_adapter_simulator.fhir_files import write_fhir
    from hcrm_adapter_simulator.hl7v2_files import write_hl7v2
    from hcrm_adapter_simulator.output import Written
    from hcrm_adapter_simulator.record_files import write_records
    from hcrm_adapter_simulator.settings import Settings
    from hcrm_adapter_simulator.simulation import simulate
    from hcrm_adapter_simulator.sql_files import write_sql
    from hcrm_adapter_simulator.workbooks import write_xlsx

__all__ = [
    "Settings",
    "Written",
    "register_commands",
    "simulate",
    "write_fhir",
    "write_hl7v2",
    "write_records",
    "write_sql",
    "write_xlsx",
]

_HOMES = {
    "Settings": "settings",
    "Written": "output",
    "simulate": "simulation",
    "write_fhir": "fhir_files",
    "write_hl7v2": "hl7v2_files",
    "write_records": "record_files",
    "write_sql": "sql_files",
    "write_xlsx": "workbooks",
}


def __getattr__(name: str) -> object:
    """Import a public name at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


@hookimpl
def register_commands() -> Sequence[click.Command]:
    """Offer `hcrm simulate` and `hcrm simulate-people`."""
    from hcrm_adapter_simulator.command import simulate as command
    from hcrm_adapter_simulator.people_command import simulate_people

    return [command, simulate_people]
