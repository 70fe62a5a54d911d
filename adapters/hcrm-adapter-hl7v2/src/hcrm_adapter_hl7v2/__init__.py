"""HL7 v2 adapter for HCRM."""
