"""Conformance: where a message departs from the standard of its version, or from a message profile.

hl7apy gives the standard's dictionaries, groups the segments and reads dates and numbers. The checks are those of its
validator; the sentences are our own, because its own quote what stands in the message.
"""

from hcrm_adapter_hl7v2.conformance.check import conformance
from hcrm_adapter_hl7v2.conformance.profile import read_profile

__all__ = ["conformance", "read_profile"]
