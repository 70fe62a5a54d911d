"""Patient follow-up rules for HCRM."""
