"""Reports for HCRM."""

from collections.abc import Sequence

from hcrm_core.api import Report, hookimpl
from hcrm_plugin_reporting.overview import Overview


@hookimpl
def register_reports() -> Sequence[type[Report]]:
    """Offer the reports of this plugin."""
    return [Overview]
