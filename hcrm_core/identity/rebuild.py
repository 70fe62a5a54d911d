"""Everybody linked anew: after another model, other thresholds or other rules of numbers and of comparing."""

from collections.abc import Iterable

from hcrm_core.identity import profile as profiles
from hcrm_core.identity.bulk import scored_pairs
from hcrm_core.identity.components import components_of
from hcrm_core.identity.evidence import identifier_rows
from hcrm_core.identity.golden import fields_of
from hcrm_core.identity.model import Scorer
from hcrm_core.identity.pairs import tokens
from hcrm_core.identity.profile import profile_of
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import facts, links
from hcrm_core.store.queries import pairs as store
from hcrm_core.store.queries.pairs import BlockRow


def everybody(connection: Connection, new: Iterable[str], scorer: Scorer, codec: Codec, now: int) -> set[str]:
    """Read all numbers anew, score all patients anew and bring all customers up to date; stated links are up to date.

    Args:
        connection: A write transaction on the store.
        new: Patients that may have no customer yet.
        scorer: By what from now on.
        codec: Of the store.
        now: When that came to be known, microseconds UTC.

    Returns:
        The patients whose customer changed.
    """
    store.clear(connection)
    patients = {row.fact_id: row for row in facts.of_kind(connection, "Patient")}
    said = {one: fields_of(row, codec) for one, row in patients.items() if not row.void}
    by_hand = {one for one, row in patients.items() if row.source == MANUAL}
    numbers = [row for one, fields in said.items() for row in identifier_rows(one, fields, codec.token, one in by_hand)]
    links.replace_identifiers(connection, patients, numbers)
    if scorer.enabled:
        known = {one: profile for one, fields in said.items() if one not in by_hand and (profile := profile_of(fields))}
        sealed = [(one, codec.seal_fields(profiles.encode(profile))) for one, profile in known.items()]
        store.put_profiles(connection, sealed)
        blocks = [BlockRow(token, one) for one, profile in known.items() for token in tokens(profile, codec.token)]
        store.change_blocks(connection, (), blocks)
        store.change_pairs(connection, (), scored_pairs(known, codec.token, scorer))
    before = links.everybody(connection)
    after = components_of(connection, before.keys() | set(new))
    moved = {patient: customer for patient, customer in after.items() if before.get(patient) != customer}
    links.assign_customers(connection, list(moved.items()), now)
    return set(moved)
