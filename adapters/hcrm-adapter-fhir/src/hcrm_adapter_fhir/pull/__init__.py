"""Pulling from FHIR servers by search or Bulk Data export: what to ask and how to read the answer, no connection."""

from hcrm_adapter_fhir.pull.puller import Puller

__all__ = ["Puller"]
