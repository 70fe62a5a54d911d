"""Reports for HCRM."""
