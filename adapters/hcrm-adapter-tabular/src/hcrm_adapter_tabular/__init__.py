"""Spreadsheets and SQL views for HCRM."""

from hcrm_adapter_tabular.adapter import TabularAdapter
from hcrm_core.api import hookimpl


@hookimpl
def register_adapters() -> list[type[TabularAdapter]]:
    """Offer the adapter `tabular`."""
    return [TabularAdapter]
