"""Alembic migrations of the two schemas, one folder each."""
