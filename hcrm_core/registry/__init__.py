"""Plugins: found without importing, enabled by configuration, loaded one at a time, and blamed by name."""
