"""Who of the shared corpora is linked by score, listed for review: messages of strangers, so few and right."""

import os
from pathlib import Path

import msgspec
import pytest
from support.hl7v2 import ADAPTER

from hcrm_core.api import InputError, Patient
from hcrm_core.config import USUAL_IDENTITY
from hcrm_core.identity.bulk import scored_pairs
from hcrm_core.identity.model import scorer_of
from hcrm_core.identity.profile import Profile, profile_of
from hcrm_core.store.codec import Codec

CORPORA = Path(__file__).parents[3] / "shared" / "corpora" / "hl7v2"

LINKED = {
    # One patient of a registry under the numbers of two senders, with one document number.
    ("ID-XYZ|MR|MRN12345678", "Regional Health ID|MR|MRN12345678"): "name sound, birth same, sex same, document same",
    # One invented patient of a load test, with one phone and address.
    ("MRN||0a1f7838-4230-4752-b8f6-948b07c38b25", "MRN||0a8a1752-e336-43e1-bf7f-0c8f6f437ca3"):
        "name sound, birth same, sex same, phone same, address same",
    # One patient of an example in three variants, with one address.
    ("MR||000010017", "SY1|MR|000010016"): "name sound, birth same 1 January, sex same, address same",
    ("MR||000010017", "his/hl7Integration/hl7Integration||465 306 5961"):
        "name sound, birth same 1 January, sex same, address same",
    ("SY1|MR|000010016", "his/hl7Integration/hl7Integration||465 306 5961"):
        "name sound, birth same 1 January, sex same, address same",
    # One patient with one number, told by two applications of one hospital.
    ("his/MYEHR2.5/RI88140101|MR|432155", "his/SendingApplication/RI88140101|MR|432155"):
        "name sound, birth same, sex same, address same",
}  # fmt: skip
"""Keys of patients → how their fields agree. Each was looked at: the messages are of one invented person."""


@pytest.fixture(scope="module")
def known() -> dict[str, Profile]:
    """The patients of all messages, by key; what is said last of a field counts."""
    if not CORPORA.is_dir():
        if os.environ.get("CI") == "true" or os.environ.get("HCRM_TEST_MANDATORY"):
            pytest.fail("the corpora are not beside the clone, where CI puts them")
        pytest.skip("no shared corpora beside this clone")
    fields: dict[str, dict[str, object]] = {}
    for path in sorted(CORPORA.rglob("*")):
        if path.suffix not in (".hl7", ".txt"):
            continue
        try:
            messages = list(ADAPTER.split(path.read_bytes(), path.name))
        except InputError:
            continue
        for message in messages:
            for record in ADAPTER.translate(message.payload).records:
                if isinstance(record, Patient):
                    said = msgspec.to_builtins(record)
                    fields.setdefault(record.key, {}).update({k: v for k, v in said.items() if v is not None})
    return {key: profile for key, said in fields.items() if (profile := profile_of(said))}


def test_the_links_by_score_are_those_that_were_looked_at(known: dict[str, Profile]) -> None:
    assert len(known) >= 130
    pairs = scored_pairs(known, Codec(b"\7" * 32).token, scorer_of(USUAL_IDENTITY))
    found = {
        (pair.low_id, pair.high_id): ", ".join(
            f"{field} {level}" for field, (level, _) in msgspec.json.decode(pair.evidence).items()
        )
        for pair in pairs
        if pair.verdict == "link"
    }
    assert found == LINKED
    assert len(pairs) < 20
