"""HL7 v2 for HCRM."""

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter
from hcrm_core.api import hookimpl


@hookimpl
def register_adapters() -> list[type[Hl7v2Adapter]]:
    """Offer the adapter `hl7v2`."""
    return [Hl7v2Adapter]
