"""Cutting files into messages: one resource, one message."""

from hcrm_adapter_fhir.splitting.files import lines, messages

__all__ = ["lines", "messages"]
