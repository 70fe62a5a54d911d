"""Learning a linking model from people, without being told who is whom; and scoring an archive by Splink."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from hcrm_core.identity.compare import LEVEL_OF, LEVELS
from hcrm_core.identity.model import Model, Odds
from hcrm_core.identity.profile import Profile
from hcrm_core.mart.linkage import Learnt, People, learn
from hcrm_core.mart.linkage import score as splink_scores

LARGEST_BLOCK = 100
FEWEST = 2_000
"""Patients without whom training comes to nothing."""
RARELY = 3
"""A surname or syllable that fewer have does not get into the tables."""


def train(profiles: Sequence[Profile], trained_on: str, seed: int = 1) -> Model:
    """A model of what agreements weigh among these people.

    Args:
        profiles: Some ten thousand, duplicates among them.
        trained_on: In words, for the file.
        seed: Of what is drawn by chance.

    Raises:
        ConfigurationError: Splink is not installed.
    """
    learnt = learn(_people(profiles), seed)
    odds = {
        field: {level: Odds(_rounded(m), _rounded(u)) for level, (m, u) in levels.items()}
        for field, levels in learnt.odds.items()
    }
    return Model(1, trained_on, _rounded(learnt.prior), LARGEST_BLOCK, odds, _terms(profiles))


def scores(model: Model, profiles: Sequence[Profile], pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], float]:
    """The match weights Splink gives to pairs of an archive by a model, in bits; names weigh by the model's average.

    Args:
        model: Whose odds.
        profiles: Of the archive's patients.
        pairs: Places of two profiles, the lesser first.
    """
    odds = {field: {level: (one.m, one.u) for level, one in levels.items()} for field, levels in model.odds.items()}
    return splink_scores(_people(profiles), Learnt(model.prior, odds), pairs)


def _people(profiles: Sequence[Profile]) -> People:
    columns: Mapping[str, Callable[[Profile], str]] = {
        "name": lambda one: one.names[0].sounds[0] if one.names else "",
        "birth": lambda one: one.birth,
        "sex": lambda one: one.sex,
        "phone": lambda one: one.phones[0] if one.phones else "",
        "document": lambda one: one.resident or (one.documents[0] if one.documents else ""),
        "address": lambda one: one.address,
    }

    def agreement(field: str) -> Callable[[int, int], int]:
        places: dict[str | None, int] = {level: place for place, level in enumerate(LEVELS[field])}
        places[None] = -1
        level_of = LEVEL_OF[field]
        return lambda one, other: places[level_of(profiles[one], profiles[other])]

    values = {field: [of(one) or None for one in profiles] for field, of in columns.items()}
    return People(values, LEVELS, {field: agreement(field) for field in LEVELS})


def _terms(profiles: Iterable[Profile]) -> dict[str, dict[str, float]]:
    counts = {name: Counter[str]() for name in ("family", "given", "family sound", "given sound")}
    people = 0
    for profile in profiles:
        for name in profile.names[:1]:
            people += 1
            counts["family"].update([name.family] if name.family else [])
            counts["given"].update(set(name.given))
            counts["family sound"].update(name.families[:1])
            own = name.words if name.family else name.words[len(name.families) :]
            counts["given sound"].update(set(own))
    return {
        kind: {term: _rounded(count / people) for term, count in sorted(counted.items()) if count >= RARELY}
        for kind, counted in counts.items()
    }


def _rounded(share: float) -> float:
    return float(f"{share:.4g}")
