"""The first tables of the store."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "statement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("stamp", sa.LargeBinary(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.Column("voided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.create_index("statement_message", ["message_id"], unique=False)
        batch_op.create_index(
            "statement_voided",
            ["voided_at"],
            unique=False,
            sqlite_where=sa.text("voided_at IS NOT NULL"),
            postgresql_where=sa.text("voided_at IS NOT NULL"),
        )

    op.create_table(
        "content",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "version",
        sa.Column("fact_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("statement_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("fact_number", "statement_id", "content_id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("version", schema=None) as batch_op:
        batch_op.create_index("version_statement", ["statement_id"], unique=False)

    op.create_table(
        "set_statement",
        sa.Column("set_id", sa.String(), nullable=False),
        sa.Column("statement_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("set_id", "statement_id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("set_statement", schema=None) as batch_op:
        batch_op.create_index("set_statement_statement", ["statement_id"], unique=False)

    op.create_table(
        "fact",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("fact_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("set_id", sa.String(), nullable=True),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("merged", sa.Boolean(), nullable=False),
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("followed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("fact", schema=None) as batch_op:
        batch_op.create_index("fact_id", ["fact_id"], unique=True)
        batch_op.create_index("fact_kind", ["kind"], unique=False)
        batch_op.create_index("fact_patient", ["patient_id"], unique=False)
        batch_op.create_index("fact_set", ["set_id"], unique=False)

    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("chain", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit_end",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "coverage",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("shape_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_message", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", "shape_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "coverage_shape",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_type", sa.String(), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "intake_state",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("claimed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "key_check",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "live_state",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "mart_state",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "past_customer",
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id", "until"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("past_customer", schema=None) as batch_op:
        batch_op.create_index("past_customer_until", ["until"], unique=False)

    op.create_table(
        "patient_customer",
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("patient_customer", schema=None) as batch_op:
        batch_op.create_index("patient_customer_customer", ["customer_id"], unique=False)

    op.create_table(
        "patient_identifier",
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("link_token", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("patient_id", "token"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("patient_identifier", schema=None) as batch_op:
        batch_op.create_index("patient_identifier_link", ["link_token"], unique=False)
        batch_op.create_index("patient_identifier_token", ["token"], unique=False)

    op.create_table(
        "patient_profile",
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("profile", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "patient_block",
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("token", "patient_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "patient_pair",
        sa.Column("low_id", sa.String(), nullable=False),
        sa.Column("high_id", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("low_id", "high_id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("patient_pair", schema=None) as batch_op:
        batch_op.create_index("patient_pair_high", ["high_id"], unique=False)

    op.create_table(
        "family_mark",
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("fact_id", sa.String(), nullable=False),
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("surname", sa.BigInteger(), nullable=False),
        sa.Column("relation", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("patient_id", "fact_id", "token"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("family_mark", schema=None) as batch_op:
        batch_op.create_index("family_mark_token", ["token"], unique=False)

    op.create_table(
        "patient_household",
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("patient_household", schema=None) as batch_op:
        batch_op.create_index("patient_household_household", ["household_id"], unique=False)

    op.create_table(
        "past_household",
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("household_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("patient_id", "until"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("past_household", schema=None) as batch_op:
        batch_op.create_index("past_household_until", ["until"], unique=False)

    op.create_table(
        "patient_replaced",
        sa.Column("fact_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("fact_id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("patient_replaced", schema=None) as batch_op:
        batch_op.create_index("patient_replaced_patient", ["patient_id"], unique=False)

    op.create_table(
        "past_replaced",
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id", "until"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("past_replaced", schema=None) as batch_op:
        batch_op.create_index("past_replaced_until", ["until"], unique=False)

    op.create_table(
        "linking",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "patient_distinct",
        sa.Column("fact_id", sa.String(), nullable=False),
        sa.Column("low_id", sa.String(), nullable=False),
        sa.Column("high_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("fact_id"),
    )
    with op.batch_alter_table("patient_distinct", schema=None) as batch_op:
        batch_op.create_index("patient_distinct_high", ["high_id"], unique=False)
        batch_op.create_index("patient_distinct_low", ["low_id"], unique=False)

    op.create_table(
        "patient_link",
        sa.Column("fact_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("other_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("fact_id"),
    )
    with op.batch_alter_table("patient_link", schema=None) as batch_op:
        batch_op.create_index("patient_link_other", ["other_id"], unique=False)
        batch_op.create_index("patient_link_patient", ["patient_id"], unique=False)

    op.create_table(
        "stay_move",
        sa.Column("fact_id", sa.String(), nullable=False),
        sa.Column("encounter_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("target_id", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("stamp", sa.LargeBinary(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fact_id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("stay_move", schema=None) as batch_op:
        batch_op.create_index("stay_move_encounter", ["encounter_id"], unique=False)
        batch_op.create_index("stay_move_target", ["target_id"], unique=False)

    op.create_table(
        "past_stay_move",
        sa.Column("fact_id", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.Column("encounter_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("target_id", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("stamp", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("fact_id", "until"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("past_stay_move", schema=None) as batch_op:
        batch_op.create_index("past_stay_move_encounter", ["encounter_id"], unique=False)
        batch_op.create_index("past_stay_move_patient", ["patient_id"], unique=False)

    op.create_table(
        "processing",
        sa.Column(
            "message_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("message_type", sa.String(), nullable=False),
        sa.Column("translation", sa.Integer(), nullable=False),
        sa.Column("adapter", sa.String(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("problems", sa.Text(), nullable=True),
        sa.Column("processed_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("shape_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("message_id"),
    )
    with op.batch_alter_table("processing", schema=None) as batch_op:
        batch_op.create_index("processing_state", ["state", "message_id"], unique=False)
        batch_op.create_index(
            "processing_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )

    op.create_table(
        "run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("mart_sequence", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=True),
        sa.Column("snapshot", sa.String(), nullable=True),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), nullable=False),
        sa.Column("expired", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index("run_strategy", ["strategy", "id"], unique=False)

    op.create_table(
        "task",
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("anchor", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("due_on", sa.String(), nullable=False),
        sa.Column("window_start", sa.String(), nullable=False),
        sa.Column("window_end", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("basis_gone_at", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("task_id"),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index("task_anchor", ["anchor"], unique=False)
        batch_op.create_index("task_customer", ["customer_id"], unique=False)
        batch_op.create_index("task_due", ["state", "due_on"], unique=False)
        batch_op.create_index("task_strategy", ["strategy", "window_end", "state"], unique=False)

    op.create_table(
        "task_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("task_event", schema=None) as batch_op:
        batch_op.create_index("task_event_task", ["task_id", "id"], unique=False)

    op.create_table(
        "points",
        sa.Column("points_id", sa.String(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("anchor", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("points_id"),
    )
    with op.batch_alter_table("points", schema=None) as batch_op:
        batch_op.create_index("points_anchor", ["anchor"], unique=False)
        batch_op.create_index("points_customer", ["customer_id", "account"], unique=False)
        batch_op.create_index("points_strategy", ["strategy", "state"], unique=False)

    op.create_table(
        "points_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("points_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("points_entry", schema=None) as batch_op:
        batch_op.create_index("points_entry_points", ["points_id", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("points_entry", schema=None) as batch_op:
        batch_op.drop_index("points_entry_points")

    op.drop_table("past_customer")
    op.drop_table("live_state")
    op.drop_table("points_entry")
    with op.batch_alter_table("points", schema=None) as batch_op:
        batch_op.drop_index("points_strategy")
        batch_op.drop_index("points_customer")
        batch_op.drop_index("points_anchor")

    op.drop_table("points")
    with op.batch_alter_table("version", schema=None) as batch_op:
        batch_op.drop_index("version_statement")

    op.drop_table("version")
    op.drop_table("content")
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_index("statement_message")

    op.drop_table("statement")
    with op.batch_alter_table("task_event", schema=None) as batch_op:
        batch_op.drop_index("task_event_task")

    op.drop_table("task_event")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index("task_strategy")
        batch_op.drop_index("task_due")
        batch_op.drop_index("task_customer")
        batch_op.drop_index("task_anchor")

    op.drop_table("task")
    with op.batch_alter_table("set_statement", schema=None) as batch_op:
        batch_op.drop_index("set_statement_statement")

    op.drop_table("set_statement")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index("run_strategy")

    op.drop_table("run")
    with op.batch_alter_table("processing", schema=None) as batch_op:
        batch_op.drop_index("processing_due")
        batch_op.drop_index("processing_state")

    op.drop_table("processing")
    with op.batch_alter_table("past_stay_move", schema=None) as batch_op:
        batch_op.drop_index("past_stay_move_patient")
        batch_op.drop_index("past_stay_move_encounter")

    op.drop_table("past_stay_move")
    with op.batch_alter_table("stay_move", schema=None) as batch_op:
        batch_op.drop_index("stay_move_target")
        batch_op.drop_index("stay_move_encounter")

    op.drop_table("stay_move")
    with op.batch_alter_table("patient_link", schema=None) as batch_op:
        batch_op.drop_index("patient_link_patient")
        batch_op.drop_index("patient_link_other")

    op.drop_table("patient_link")
    with op.batch_alter_table("patient_distinct", schema=None) as batch_op:
        batch_op.drop_index("patient_distinct_low")
        batch_op.drop_index("patient_distinct_high")

    op.drop_table("patient_distinct")
    op.drop_table("past_replaced")
    op.drop_table("patient_replaced")
    op.drop_table("linking")
    with op.batch_alter_table("patient_pair", schema=None) as batch_op:
        batch_op.drop_index("patient_pair_high")

    op.drop_table("patient_pair")
    op.drop_table("patient_block")
    op.drop_table("past_household")
    op.drop_table("patient_household")
    op.drop_table("family_mark")
    op.drop_table("patient_profile")
    with op.batch_alter_table("patient_identifier", schema=None) as batch_op:
        batch_op.drop_index("patient_identifier_token")
        batch_op.drop_index("patient_identifier_link")

    op.drop_table("patient_identifier")
    with op.batch_alter_table("patient_customer", schema=None) as batch_op:
        batch_op.drop_index("patient_customer_customer")

    op.drop_table("patient_customer")
    op.drop_table("mart_state")
    op.drop_table("key_check")
    op.drop_table("intake_state")
    with op.batch_alter_table("fact", schema=None) as batch_op:
        batch_op.drop_index("fact_set")
        batch_op.drop_index("fact_patient")
        batch_op.drop_index("fact_kind")
        batch_op.drop_index("fact_id")

    op.drop_table("fact")
    op.drop_table("coverage_shape")
    op.drop_table("coverage")
    op.drop_table("audit_end")
    op.drop_table("audit")
