"""FHIR R4 for HCRM."""

from hcrm_adapter_fhir.adapter import FhirAdapter
from hcrm_core.api import hookimpl


@hookimpl
def register_adapters() -> list[type[FhirAdapter]]:
    """Offer the adapter `fhir`."""
    return [FhirAdapter]
