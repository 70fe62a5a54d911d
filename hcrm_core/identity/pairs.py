"""Scored pairs, kept up to date for patients that changed; a pure function of all profiles, the model and the key.

Two patients are compared where they share a key that no more than `largest_block` patients have. So when a key comes to
be shared by more, or by no more any longer, all who share it are looked at again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from hcrm_core.identity import profile as profiles
from hcrm_core.identity.model import Scored, Scorer
from hcrm_core.identity.profile import Profile, blocking_keys, profile_of
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import pairs as store
from hcrm_core.store.queries.pairs import BlockRow, PairRow

Token = Callable[..., str]

_TOKEN_DIGITS = 15
"""Sixty bits, which both databases hold as a number; two keys that meet by chance cost a comparison, nothing else."""


class Moves(NamedTuple):
    """Pairs of patients that are linked by their score since, and that are no longer."""

    made: set[tuple[str, str]]
    cut: set[tuple[str, str]]


def update(connection: Connection, patients: Mapping[str, Mapping[str, Any]], scorer: Scorer, codec: Codec) -> Moves:
    """Score changed patients against those they share a key with.

    Args:
        connection: A write transaction on the store.
        patients: Patient id → folded fields, empty where the fact became void.
        scorer: By what.
        codec: Of the store.
    """
    known = {one: codec.open(sealed) for one, sealed in store.profiles(connection, patients).items()}
    now = {one: profile_of(fields) for one, fields in patients.items()}
    said = {one: profiles.encode(profile) if profile else None for one, profile in now.items()}
    changed = [one for one in patients if said[one] != known.get(one)]
    if not changed:
        return Moves(set(), set())
    work = _Comparing(connection, scorer, codec)
    gone, come = set[BlockRow](), set[BlockRow]()
    for one in changed:
        then = (
            {BlockRow(token, one) for token in tokens(profiles.decode(known[one]), codec.token)}
            if one in known
            else set()
        )
        work.know(one, now[one])
        since = {BlockRow(token, one) for token in work.tokens[one]}
        gone |= then - since
        come |= since - then
    store.drop_profiles(connection, [one for one in changed if one in known and said[one] is None])
    store.put_profiles(connection, [(one, codec.seal_fields(text)) for one in changed if (text := said[one])])
    store.change_blocks(connection, gone, come)
    work.measure(gone, come, len(changed))
    found = work.pairs()
    # Those who are new have no pairs yet; asking for them would be much of the work.
    stood = store.pairs_of(connection, [one for one in work.tokens if one in known or one not in now])
    store.change_pairs(connection, stood - found, found - stood)
    former, linked = ({(pair.low_id, pair.high_id) for pair in of if pair.verdict == "link"} for of in (stood, found))
    return Moves(linked - former, former - linked)


class _Comparing:
    """Those to be compared anew, by the keys of each."""

    def __init__(self, connection: Connection, scorer: Scorer, codec: Codec) -> None:
        self.tokens: dict[str, set[int]] = {}
        self._profiles: dict[str, Profile | None] = {}
        self._sizes: dict[int, int] = {}
        self._connection = connection
        self._scorer = scorer
        self._codec = codec

    def know(self, patient_id: str, profile: Profile | None) -> None:
        """Compare a patient anew."""
        self._profiles[patient_id] = profile
        self.tokens[patient_id] = tokens(profile, self._codec.token) if profile else set()

    def measure(self, gone: Iterable[BlockRow], come: Iterable[BlockRow], changed: int) -> None:
        """Count who shares the keys; compare those anew whose key came to be shared by too many, or no longer is."""
        most = self._scorer.largest_block
        lost, won = Counter(row.token for row in gone), Counter(row.token for row in come)
        counted = most + changed + 1
        self._sizes = store.sizes(self._connection, set(lost).union(won, *self.tokens.values()), counted)
        sizes = self._sizes
        crossed = {
            one for one in lost.keys() | won.keys() if (sizes[one] > most) != (sizes[one] - won[one] + lost[one] > most)
        }
        others = {one for those in store.members(self._connection, crossed).values() for one in those}
        self._read(others)
        anew = others - self.tokens.keys()
        for one in anew:
            self.know(one, self._profiles[one])
        more = set[int]().union(*(self.tokens[one] for one in anew)) - sizes.keys()
        sizes.update(store.sizes(self._connection, more, counted))

    def pairs(self) -> set[PairRow]:
        """The pairs those compared anew belong to."""
        most = self._scorer.largest_block
        wanted = {one for those in self.tokens.values() for one in those if 1 < self._sizes[one] <= most}
        members = store.members(self._connection, wanted)
        meetings = {
            (one, other) if one < other else (other, one)
            for one, those in self.tokens.items()
            for token in those & wanted
            for other in members[token]
            if other != one
        }
        self._read({end for meeting in meetings for end in meeting})
        return scored(meetings, self._profiles, self._scorer)

    def _read(self, patient_ids: set[str]) -> None:
        sealed = store.profiles(self._connection, patient_ids - self._profiles.keys())
        self._profiles |= {one: profiles.decode(self._codec.open(text)) for one, text in sealed.items()}


def tokens(profile: Profile, token: Token) -> set[int]:
    """The keys of a profile as keyed tokens."""
    return {int(token("block", *key)[:_TOKEN_DIGITS], 16) for key in blocking_keys(profile)}


def scored(meetings: Iterable[tuple[str, str]], known: Mapping[str, Profile | None], scorer: Scorer) -> set[PairRow]:
    """The pairs of those that meet whose score is worth keeping; the lesser id comes first."""
    found = set()
    for low, high in meetings:
        one, other = known[low], known[high]
        if one is not None and other is not None:
            result = scorer.score(one, other)
            if result.verdict != "separate":
                found.add(PairRow(low, high, result.verdict, result.score, _evidence(result)))
    return found


def _evidence(result: Scored) -> str:
    return msgspec.json.encode(result.evidence).decode()
