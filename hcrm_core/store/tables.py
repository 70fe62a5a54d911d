"""The tables of the store and of the inbox.

Instants are integers, microseconds since 1970 UTC. Ids of facts, sets, patients, customers and tasks are keyed tokens
of what they identify (`store/codec.py`), so they are equal wherever the same key file is used and reveal nothing.
`body` is JSON without direct identifiers; `sealed` and `key` hold those and pass the codec.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

# SQLite numbers rows by itself only in a column declared INTEGER.
Serial = BigInteger().with_variant(Integer, "sqlite")

inbox = MetaData()
"""The landing zone: on SQLite a file of its own, so that landing never waits for the fold."""

message = Table(
    "message",
    inbox,
    Column("id", Serial, primary_key=True),
    Column("source", String, nullable=False),
    Column("control_id", String, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),  # SHA-256 of the bytes as received
    Column("received_at", BigInteger, nullable=False),
    Column("form", String, nullable=False),  # message; refused: kept, never translated; records: a record file
    Column("remarks", Text),  # JSON list of Problems landing noted; of a refused message the first says why
    Column("place", Text),  # of a part of a file, for people: `患者.xlsx, sheet 患者, row 17`
    UniqueConstraint("source", "control_id", "content_hash", name="message_once"),
)

payload = Table(
    "payload",
    inbox,
    Column("message_id", Serial, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
"""Apart from the message, so that pruning frees whole pages and what arrived once is still known as a repetition."""

position = Table(
    "position",
    inbox,
    Column("source", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),  # the adapter's own text, sealed
    Column("updated_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),  # when a pull last came to its end; NULL: none has
    Column("unread", Text),  # what the last pull could not read, for people; NULL: nothing
)
"""Where the pull of a source has got to, committed with the messages it was reached by."""

store = MetaData()
"""Everything else."""

# On PostgreSQL these indexes have the same WHERE (see the migration). To say so here would load that dialect into every
# process, and it takes longer than the rest of this module.
_IS_DUE = text("due_at IS NOT NULL")
_IS_VOID = text("voided_at IS NOT NULL")

processing = Table(
    "processing",
    store,
    Column("message_id", Serial, primary_key=True, autoincrement=False),
    Column("state", String, nullable=False),  # see intake/claims.py; loading while a record file is folded
    Column("message_type", String, nullable=False),
    Column("translation", Integer, nullable=False),  # 1 for the first, counted up by every replay
    Column("adapter", String, nullable=False),  # name and version that translated it
    Column("records", Integer, nullable=False),
    Column("reason", Text),  # JSON of the Problem that quarantined it
    Column("problems", Text),  # JSON list of Problems
    Column("processed_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("worker", String),  # that has claimed it
    Column("due_at", BigInteger),  # when it may be taken again; NULL: never, it is done
    Column("shape_id", BigInteger),  # how its accepted translation is counted in the coverage; NULL: it is not
    Index("processing_state", "state", "message_id"),
    Index("processing_due", "due_at", sqlite_where=_IS_DUE),
)

intake_state = Table(
    "intake_state",
    store,
    Column("id", SmallInteger, primary_key=True),  # always 1
    Column("claimed_to", BigInteger, nullable=False),  # every message up to this number has been claimed once
)

statement = Table(
    "statement",
    store,
    Column("id", Serial, primary_key=True, autoincrement=False),
    Column("message_id", BigInteger, nullable=False),
    Column("stamp", LargeBinary, nullable=False),  # sorts bytewise in statement order
    Column("known_at", BigInteger, nullable=False),
    Column("voided_at", BigInteger),  # a newer translation of the message took its place
    Index("statement_message", "message_id"),
    Index("statement_voided", "voided_at", sqlite_where=_IS_VOID),
)
"""What one translation of a message said at once."""

content = Table(
    "content",
    store,
    Column("id", Serial, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),  # packed JSON of the fields; null: said empty
    Column("sealed", LargeBinary),
)
"""What a fact is or was said to be; said again, it is not kept again."""

version = Table(
    "version",
    store,
    Column("fact_number", BigInteger, primary_key=True, autoincrement=False),
    Column("statement_id", BigInteger, primary_key=True, autoincrement=False),
    Column("content_id", BigInteger, primary_key=True, autoincrement=False),
    Index("version_statement", "statement_id"),
    sqlite_with_rowid=False,
)
"""The log: which statement said what of which fact."""

set_statement = Table(
    "set_statement",
    store,
    Column("set_id", String, primary_key=True),
    Column("statement_id", BigInteger, primary_key=True, autoincrement=False),
    Index("set_statement_statement", "statement_id"),
    sqlite_with_rowid=False,
)
"""Which statement stated which complete set."""

fact = Table(
    "fact",
    store,
    Column("number", Serial, primary_key=True, autoincrement=False),  # in this store; the id holds everywhere
    Column("fact_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("source", String, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("patient_id", String),
    Column("set_id", String),
    Column("content_id", BigInteger, nullable=False),
    Column("merged", Boolean, nullable=False),  # the content is the fact's own, no single statement's
    Column("statement_id", BigInteger, nullable=False),  # the last folded in
    Column("known_at", BigInteger, nullable=False),
    Column("void", Boolean, nullable=False),  # left out of a complete set, or no statement is left
    Column("followed", Boolean, nullable=False),  # its stay has another number or patient than was stated
    Index("fact_id", "fact_id", unique=True),
    Index("fact_patient", "patient_id"),
    Index("fact_set", "set_id"),
    Index("fact_kind", "kind"),
)

patient_identifier = Table(
    "patient_identifier",
    store,
    Column("patient_id", String, primary_key=True),
    Column("token", String, primary_key=True),  # of namespace and value
    Column("link_token", String),  # equal tokens are one person; NULL: this number links nobody
    Index("patient_identifier_token", "token"),
    Index("patient_identifier_link", "link_token"),
    sqlite_with_rowid=False,
)

patient_link = Table(
    "patient_link",
    store,
    Column("fact_id", String, primary_key=True),  # the PatientLink that states it
    Column("patient_id", String, nullable=False),
    Column("other_id", String, nullable=False),
    Index("patient_link_patient", "patient_id"),
    Index("patient_link_other", "other_id"),
)

patient_distinct = Table(
    "patient_distinct",
    store,
    Column("fact_id", String, primary_key=True),  # the PatientLink that states it
    Column("low_id", String, nullable=False),
    Column("high_id", String, nullable=False),
    Index("patient_distinct_low", "low_id"),
    Index("patient_distinct_high", "high_id"),
)
"""Patients who were said to be different people: no number, score or statement of a source links the two directly."""

stay_move = Table(
    "stay_move",
    store,
    Column("fact_id", String, primary_key=True),  # the EncounterMove that states it
    Column("encounter_id", String, nullable=False),  # by the number, and of the patient, it no longer has
    Column("patient_id", String, nullable=False),
    Column("target_id", String, nullable=False),  # by the number, and of the patient, it has
    Column("owner_id", String, nullable=False),
    Column("stamp", LargeBinary, nullable=False),
    Column("known_at", BigInteger, nullable=False),  # microseconds UTC; since when it holds
    Index("stay_move_encounter", "encounter_id"),
    Index("stay_move_target", "target_id"),
    sqlite_with_rowid=False,
)
"""Stays whose number or patient was corrected; what was said of them follows (`intake/moves.py`)."""

past_stay_move = Table(
    "past_stay_move",
    store,
    Column("fact_id", String, primary_key=True),
    Column("until", BigInteger, primary_key=True, autoincrement=False),  # microseconds UTC
    Column("known_at", BigInteger, nullable=False),
    Column("encounter_id", String, nullable=False),
    Column("patient_id", String, nullable=False),
    Column("target_id", String, nullable=False),
    Column("owner_id", String, nullable=False),
    Column("stamp", LargeBinary, nullable=False),
    Index("past_stay_move_encounter", "encounter_id"),
    Index("past_stay_move_patient", "patient_id"),
    sqlite_with_rowid=False,
)
"""What `stay_move` held from an instant until another."""

patient_profile = Table(
    "patient_profile",
    store,
    Column("patient_id", String, primary_key=True),
    Column("profile", LargeBinary, nullable=False),  # sealed: what of a patient is compared (identity/profile.py)
    sqlite_with_rowid=False,
)

patient_block = Table(
    "patient_block",
    store,
    Column("token", BigInteger, primary_key=True, autoincrement=False),  # of a key that patients are looked up by
    Column("patient_id", String, primary_key=True),
    sqlite_with_rowid=False,
)

patient_pair = Table(
    "patient_pair",
    store,
    Column("low_id", String, primary_key=True),
    Column("high_id", String, primary_key=True),
    Column("verdict", String, nullable=False),  # link or review
    Column("score", Integer, nullable=False),  # thousandths of a bit
    Column("evidence", Text, nullable=False),  # JSON: field → level and thousandths of a bit
    Index("patient_pair_high", "high_id"),
    sqlite_with_rowid=False,
)
"""Patients who may be one person, by their score."""

linking = Table(
    "linking",
    store,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),  # always 1
    Column("version", String, nullable=False),  # of model, settings and rules that pairs are scored by
)

patient_customer = Table(
    "patient_customer",
    store,
    Column("patient_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Index("patient_customer_customer", "customer_id"),
    sqlite_with_rowid=False,
)

past_customer = Table(
    "past_customer",
    store,
    Column("patient_id", String, primary_key=True),
    Column("until", BigInteger, primary_key=True, autoincrement=False),
    Column("customer_id", String, nullable=False),
    Index("past_customer_until", "until"),
    sqlite_with_rowid=False,
)
"""Whose a patient was until an instant; since the last such instant it is `patient_customer`'s. A patient who lost a
fact to another stands here too: those who decide look at whoever stands here since they last looked."""

family_mark = Table(
    "family_mark",
    store,
    Column("patient_id", String, primary_key=True),
    Column("fact_id", String, primary_key=True),
    Column(
        "token", BigInteger, primary_key=True, autoincrement=False
    ),  # of a phone, address, policy, group contract or name
    Column("kind", String, nullable=False),
    Column("person", BigInteger, nullable=False),  # a token of the name's sound; 0: none
    Column("surname", BigInteger, nullable=False),
    Column("relation", String),  # of a related person to the patient; NULL: the mark is the patient's own
    Index("family_mark_token", "token"),
    sqlite_with_rowid=False,
)
"""What of a fact may tie its patient to somebody else (`identity/marks.py`)."""

patient_household = Table(
    "patient_household",
    store,
    Column("patient_id", String, primary_key=True),
    Column("household_id", String, nullable=False),  # the least customer id in it
    Index("patient_household_household", "household_id"),
    sqlite_with_rowid=False,
)

past_household = Table(
    "past_household",
    store,
    Column("patient_id", String, primary_key=True),
    Column("until", BigInteger, primary_key=True, autoincrement=False),
    Column("household_id", String),  # NULL: none
    Index("past_household_until", "until"),
    sqlite_with_rowid=False,
)
"""The household a patient was in until an instant; since the last such instant it is `patient_household`'s, or none."""

patient_replaced = Table(
    "patient_replaced",
    store,
    Column("fact_id", String, primary_key=True),  # the PatientLink that states it
    Column("patient_id", String, nullable=False),
    Index("patient_replaced_patient", "patient_id"),
    sqlite_with_rowid=False,
)
"""Patients whom their source merged into another: what is said of the other goes first."""

past_replaced = Table(
    "past_replaced",
    store,
    Column("patient_id", String, primary_key=True),
    Column("until", BigInteger, primary_key=True, autoincrement=False),
    Column("replaced", Boolean, nullable=False),
    Index("past_replaced_until", "until"),
    sqlite_with_rowid=False,
)
"""Whether a patient stood in `patient_replaced` until an instant."""

coverage = Table(
    "coverage",
    store,
    Column("source", String, primary_key=True),
    Column("day", String, primary_key=True),  # of arrival, in the workspace's zone: 2026-06-01
    Column("shape_id", BigInteger, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),  # of messages
    Column("last_message", BigInteger, nullable=False),  # the highest number of one, an example
    sqlite_with_rowid=False,
)
"""How many messages of each shape arrived on a day. It holds no values."""

coverage_shape = Table(
    "coverage_shape",
    store,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # a digest of the rest
    Column("message_type", String, nullable=False),
    Column("fields", LargeBinary, nullable=False),  # packed JSON: status → fields
    sqlite_with_rowid=False,
)
"""A message type with the fields that were filled and what became of each: most messages are alike in it."""

run = Table(
    "run",
    store,
    Column("id", Serial, primary_key=True),
    Column("strategy", String, nullable=False),
    Column("version", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("parameters", Text, nullable=False),  # JSON
    Column("as_of", BigInteger, nullable=False),
    Column("basis", String, nullable=False),  # known or said
    Column("mart_sequence", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("subjects", Integer),  # how many customers it was run for; NULL: for everybody
    Column("snapshot", String),  # Parquet file of a segment or score run, relative to the mart
    Column("new", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("withdrawn", Integer, nullable=False),
    Column("expired", Integer, nullable=False),
    Index("run_strategy", "strategy", "id"),
)

task = Table(
    "task",
    store,
    Column("task_id", String, primary_key=True),  # token of strategy, anchor, step, occurrence
    Column("strategy", String, nullable=False),
    Column("version", String, nullable=False),
    Column("anchor", String, nullable=False),
    Column("step", String, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("customer_id", String, nullable=False),
    Column("state", String, nullable=False),  # open, suppressed, withdrawn, superseded, expired, completed
    Column("reason", String),
    Column("topic", String, nullable=False),
    Column("due_on", String, nullable=False),  # ISO days
    Column("window_start", String, nullable=False),
    Column("window_end", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("form", String),
    Column("detail", Text, nullable=False),  # JSON of the strategy's further columns
    Column("evidence", Text, nullable=False),  # JSON list
    Column("run_id", BigInteger, nullable=False),  # that last new or changed it
    Column("created_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("basis_gone_at", BigInteger),  # completed, and its reason has since been taken back
    Column("note", Text),
    Column("fingerprint", String),  # of the row that, returned again, changes nothing
    Index("task_strategy", "strategy", "window_end", "state"),
    Index("task_due", "state", "due_on"),
    Index("task_customer", "customer_id"),
    Index("task_anchor", "anchor"),
)

task_event = Table(
    "task_event",
    store,
    Column("id", Serial, primary_key=True),
    Column("task_id", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),  # a person, or the strategy
    Column("state", String, nullable=False),
    Column("reason", String),
    Index("task_event_task", "task_id", "id"),
)

points = Table(
    "points",
    store,
    Column("points_id", String, primary_key=True),  # token of strategy, anchor, step, occurrence
    Column("strategy", String, nullable=False),
    Column("version", String, nullable=False),
    Column("anchor", String, nullable=False),
    Column("step", String, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("customer_id", String, nullable=False),
    Column("account", String, nullable=False),  # the programme they belong to
    Column("points", BigInteger, nullable=False),  # above 0, whatever the state
    Column("booked_on", String, nullable=False),  # ISO day
    Column("state", String, nullable=False),  # granted, refused, countered
    Column("reason", String),
    Column("detail", Text, nullable=False),  # JSON of the strategy's further columns
    Column("evidence", Text, nullable=False),  # JSON list
    Column("run_id", BigInteger, nullable=False),  # that last new or changed it
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("fingerprint", String),  # of the row that, returned again, changes nothing
    Index("points_strategy", "strategy", "state"),
    Index("points_customer", "customer_id", "account"),
    Index("points_anchor", "anchor"),
)

points_entry = Table(
    "points_entry",
    store,
    Column("id", Serial, primary_key=True),
    Column("points_id", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),  # a person, or the strategy
    Column("run_id", BigInteger, nullable=False),
    Column("account", String, nullable=False),
    Column("amount", BigInteger, nullable=False),  # below 0: taken back; the sum is what the points give now
    Column("reason", String),
    Index("points_entry_points", "points_id", "id"),
)

audit = Table(
    "audit",
    store,
    Column("id", Serial, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("detail", Text, nullable=False),  # JSON, without personal data
    Column("chain", String, nullable=False),  # HMAC of the row and of the row before it
)

audit_end = Table(
    "audit_end",
    store,
    Column("id", SmallInteger, primary_key=True),  # always 1
    Column("token", String, nullable=False),  # HMAC of the last row's chain
)

key_check = Table(
    "key_check",
    store,
    Column("id", SmallInteger, primary_key=True),  # always 1
    Column("token", String, nullable=False),  # of a fixed text under the workspace's key
)

live_state = Table(
    "live_state",
    store,
    Column("id", SmallInteger, primary_key=True),  # always 1
    Column("sequence", BigInteger, nullable=False),
    Column("known_at", BigInteger, nullable=False),
    Column("statement", BigInteger, nullable=False),
)
"""How far live deciding has come: everybody who changed later is still to be looked at."""

mart_state = Table(
    "mart_state",
    store,
    Column("id", SmallInteger, primary_key=True),  # always 1
    Column("sequence", BigInteger, nullable=False),  # counted up by every batch that changed a fact or a link
    Column("known_at", BigInteger, nullable=False),  # of the last batch; every batch has one of its own, rising
)
