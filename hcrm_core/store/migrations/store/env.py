from alembic import context

from hcrm_core.store.schema import run_migrations

run_migrations(context)
