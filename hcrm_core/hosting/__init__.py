"""Processes for code that is not the core's own: started in milliseconds, limited, watched, and ended without harm."""
