"""Everybody linked anew: after another model, other thresholds or other rules of comparing."""

from collections.abc import Iterable

from hcrm_core.identity import profile as profiles
from hcrm_core.identity.bulk import scored_pairs
from hcrm_core.identity.components import components_of
from hcrm_core.identity.golden import fields_of
from hcrm_core.identity.model import Scorer
from hcrm_core.identity.pairs import tokens
from hcrm_core.identity.profile import profile_of
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import facts, links
from hcrm_core.store.queries import pairs as store
from hcrm_core.store.queries.pairs import BlockRow


def everybody(connection: Connection, new: Iterable[str], scorer: Scorer, codec: Codec, now: int) -> set[str]:
    """Score all patients anew and bring all customers up to date; numbers and stated links are up to date already.

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
    if scorer.enabled:
        known = {
            row.fact_id: profile
            for row in facts.of_kind(connection, "Patient")
            if not row.void and (profile := profile_of(fields_of(row, codec)))
        }
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
