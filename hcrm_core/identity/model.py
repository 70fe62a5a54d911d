"""The linking model: what each agreement weighs, as a file; and the score and verdict of two profiles by it.

The score is that of Fellegi and Sunter (1969, "A Theory for Record Linkage"): of each field the logarithm of how much
more often one person's two records agree so than two people's, in thousandths of a bit, and the logarithm of the prior
odds. A name that agrees weighs by how rare it is (Winkler 2000): in place of the model's average stands the name's own
frequency. Nothing but the two profiles and the model goes into it.
"""

import hashlib
from collections.abc import Iterable
from functools import cached_property, lru_cache
from importlib.resources import files
from math import log2
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from hcrm_core.config import IdentitySettings
from hcrm_core.errors import ConfigurationError
from hcrm_core.identity.compare import LEVELS, Levels, compare
from hcrm_core.identity.profile import Name, Profile

Verdict = Literal["link", "review", "separate"]

SHIPPED = "data/model.json"
RARE = {"family": 5e-5, "given": 2e-4}
"""The share of a surname, or of a syllable or character of a given name, that the model's tables do not have."""
UNKNOWN = 1e-6
"""The least share of a name with a part that the tables do not have."""
_LEAST = 1e-9


class Odds(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a level is found: among two records of one person (m), and of two people (u)."""

    m: float
    u: float


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """A model file.

    Attributes:
        format: 1.
        trained_on: In words.
        prior: How likely two records of a population are of one person.
        largest_block: Patients who share a key with more others than this are not compared by it.
        odds: Field → level → odds.
        terms: `family`, `given`: share of surnames and of characters of given names; `family sound`, `given sound`:
            of their sounds.
    """

    format: int
    trained_on: str
    prior: float
    largest_block: int
    odds: dict[str, dict[str, Odds]]
    terms: dict[str, dict[str, float]]


class Evidence(NamedTuple):
    """What one field says of a pair: its level, and thousandths of a bit for it, or against it where negative."""

    level: str
    weight: int


class Scored(NamedTuple):
    """A pair as the model sees it: the verdict, thousandths of a bit, and what each field adds to them."""

    verdict: Verdict
    score: int
    evidence: dict[str, Evidence]


class Scorer:
    """Scores pairs by one model and one configuration.

    Attributes:
        version: Of everything the verdict depends on beside the profiles.
        enabled: Whether pairs are compared at all.
        largest_block: Of the model.
        prior: Thousandths of a bit.
    """

    def __init__(self, model: Model, settings: IdentitySettings) -> None:
        self._model = model
        self._settings = settings
        self.enabled = settings.scores
        self.largest_block = model.largest_block
        self.prior = _bits(model.prior / (1 - model.prior))
        self._weights = {
            field: {level: _bits(odds.m / odds.u) for level, odds in levels.items()}
            for field, levels in model.odds.items()
        }
        self._link, self._review = round(settings.link * 1000), round(settings.review * 1000)

    @cached_property
    def version(self) -> str:
        """A digest of model and settings."""
        said = msgspec.json.encode((CODE, self._model, self._settings.scores, self._link, self._review))
        return hashlib.sha256(said).hexdigest()[:16] if self.enabled else f"off {CODE}"

    def score(self, one: Profile, other: Profile, by_rarity: bool = True) -> Scored:
        """The verdict on two patients.

        Args:
            one, other: Their profiles.
            by_rarity: Whether a name that agrees weighs by how rare it is, and not by the model's average.
        """
        levels = compare(one, other)
        evidence = {field: Evidence(level, self._weights[field][level]) for field, level in levels.items()}
        if by_rarity and (level := levels.get("name")) in ("same", "sound"):
            odds = self._model.odds["name"][level]
            evidence["name"] = Evidence(level, _bits(odds.m / self.frequency(one, other, level)))
        score = self.prior + sum(found.weight for found in evidence.values())
        verdict = self._verdict(levels, score)
        if one.birth_order and other.birth_order and one.birth_order != other.birth_order:
            evidence[BIRTH_ORDER] = Evidence("different", 0)
            verdict = "review" if verdict == "link" else verdict
        return Scored(verdict, score, evidence)

    def frequency(self, one: Profile, other: Profile, level: str) -> float:
        """How often the name that two profiles share is found: the greatest share of any of theirs."""
        names = [*one.names, *other.names]
        return max(self._frequency(name, level) for name in names)

    def _verdict(self, levels: Levels, score: int) -> Verdict:
        if score < self._review or not possible(levels):
            return "separate"
        return "link" if certain(levels, score - self._link) else "review"

    def _frequency(self, name: Name, level: str) -> float:
        key = (name, level)
        if (known := self._frequencies.get(key)) is None:
            if len(self._frequencies) > 100_000:
                self._frequencies.clear()
            known = self._frequencies[key] = max(frequency(name, level, self._model.terms), _LEAST)
        return known

    @cached_property
    def _frequencies(self) -> dict[tuple[Name, str], float]:
        return {}


ALONE = 8_000
"""How far beyond the threshold a name and a birth date must be that nothing else agrees with: only a rare name is."""
BIRTH_ORDER = "birth order"
"""What is noted beside the fields of a pair that both say which of twins they are, and not the same: it is never linked
by score, and weighs nothing, since a person born alone mostly has none."""
CODE = 2
"""Counted up when numbers that link, profiles, levels or the rules below change: stores then link anew."""


def possible(levels: Levels) -> bool:
    """Whether two patients may be one at all.

    Two valid identity numbers are two people. Where one has no name yet, as a newborn child, all else must agree.
    """
    if levels.get("document") == "conflict":
        return False
    return "name" in levels or all(levels.get(field) == "same" for field in ("birth", "sex", "phone", "address"))


def certain(levels: Levels, beyond: int) -> bool:
    """Whether two patients may be linked without anybody looking.

    Not enough are a name and a birth date that others may share; nor a name that merely resembles the other's where the
    birth date is the same and no document is, since there are twins; nor whatever stands against the sex.

    Args:
        levels: Of the pair.
        beyond: By how many thousandths of a bit its score is above the threshold.
    """
    if beyond < 0:
        return False
    name, birth = levels.get("name"), levels.get("birth")
    document = levels.get("document") in ("same", "near")
    phone = levels.get("phone") in ("same", "near")
    address = levels.get("address") == "same"
    if name not in ("same", "sound", "near", "given") or levels.get("sex") == "different":
        return False
    if birth in (None, "different"):
        return name in ("same", "sound") and document
    if name == "near":
        return document
    if name == "given":
        return document or (phone and address)
    return document or phone or address or (birth == "same" and beyond >= ALONE)


def frequency(name: Name, level: str, terms: dict[str, dict[str, float]]) -> float:
    """The share of people who have a name, or one that sounds so: that of its family name times those of its parts.

    How rare a name is of which a part is in no table nobody can say; it counts as no rarer than one in a million.
    """
    if level == "same" and name.given:
        return _product(name.family, name.given, terms["family"], terms["given"])
    families, givens = terms["family sound"], terms["given sound"]
    if name.sounded:
        own = name.words if name.family else name.words[len(name.families) :]
        return max(_product(one, own, families, givens) for one in name.families or ("",))
    # Letters that do not say which word is the family name: whichever makes the name the most common.
    return max(
        _product(one, (*name.words[:place], *name.words[place + 1 :]), families, givens)
        for place, one in enumerate(name.words)
    )


def _product(family: str, parts: Iterable[str], families: dict[str, float], givens: dict[str, float]) -> float:
    share = families.get(family, RARE["family"])
    known = family in families
    for part in parts:
        share *= givens.get(part, RARE["given"])
        known = known and part in givens
    return share if known else max(share, UNKNOWN)


def _bits(ratio: float) -> int:
    return round(1000 * log2(max(ratio, _LEAST)))


@lru_cache(maxsize=8)
def scorer_of(settings: IdentitySettings) -> Scorer:
    """The scorer of a configuration; its model file is read once.

    Raises:
        ConfigurationError: The model file cannot be read.
    """
    return Scorer(read_model(settings.model), settings)


def read_model(path: str | None) -> Model:
    """A model file; the shipped one where none is named.

    Raises:
        ConfigurationError: It cannot be read, or is no model.
    """
    where = path or "the model that is shipped"
    try:
        text = Path(path).read_bytes() if path else (files(__package__) / SHIPPED).read_bytes()
        model = msgspec.json.decode(text, type=Model)
    except OSError as error:
        raise ConfigurationError(f"identity.model: {where} cannot be read: {error.strerror}.") from None
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f"identity.model: {where} is no linking model: {error}. Write one with hcrm identity train."
        ) from None
    for field, levels in LEVELS.items():
        if missing := [level for level in levels if level not in model.odds.get(field, {})]:
            raise ConfigurationError(
                f"identity.model: {where} has no odds for {field}: {', '.join(missing)}. Write one with hcrm identity "
                "train."
            )
    if unknown := {"family", "given", "family sound", "given sound"} - model.terms.keys():
        raise ConfigurationError(f"identity.model: {where} has no terms for {', '.join(sorted(unknown))}.")
    return model
