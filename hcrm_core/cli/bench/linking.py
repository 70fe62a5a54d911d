"""How well patients are linked: sides beside each other, against people of whom the truth is known."""

import csv
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hcrm_core.config import USUAL_IDENTITY, IdentitySettings
from hcrm_core.errors import InputError
from hcrm_core.identity.bulk import customers, meetings, scored_pairs
from hcrm_core.identity.documents import resident_number
from hcrm_core.identity.model import Scorer, read_model, scorer_of
from hcrm_core.identity.nobody import stands_for_nobody
from hcrm_core.identity.profile import Profile, profile_of
from hcrm_core.identity.training import scores as splink_scores
from hcrm_core.mart.record_files import SUFFIX, read_rows
from hcrm_core.mart.splink_alone import link_alone
from hcrm_core.store.codec import Codec

TRUTH = "truth.csv"
SPLINK_THRESHOLDS = (0.9999, 0.99)
"""Match probabilities at which Splink alone links."""

Fields = Mapping[str, Any]
Pair = tuple[str, str]
_FIELDS = {"name": "name", "birth_date": "birth", "gender": "sex", "telecom": "phone", "address": "address"}


class People(NamedTuple):
    """Patients and the truth of them.

    Attributes:
        fields: Patient key → fields.
        person: Patient key → whose registration it truly is.
        classes: Patient key → what makes it hard.
    """

    fields: dict[str, Fields]
    person: dict[str, str]
    classes: dict[str, frozenset[str]]


class Side(NamedTuple):
    """What one way of linking came to.

    Attributes:
        name: Of the way.
        precision, recall: Of pairs of patients in one customer.
        wrong: Pairs in one customer that are two people.
        review: Pairs of customers left for a person to look at, as a share of patients.
        seconds: For linking everybody, training included.
        classes: Class → recall among the pairs one of which has it, and how many those are.
        wrong_classes: Class → wrong pairs one of which has it.
    """

    name: str
    precision: float
    recall: float
    wrong: int
    review: float
    seconds: float
    classes: dict[str, tuple[float, int]]
    wrong_classes: dict[str, int]


def read_people(folder: Path) -> People:
    """People that `hcrm simulate-people --format records` wrote.

    Raises:
        InputError: There are none.
    """
    files = sorted(folder.glob(f"*{SUFFIX}"))
    truth = folder / TRUTH
    if not files or not truth.exists():
        raise InputError(
            f"{folder} holds no record files with a {TRUTH}. Make some: hcrm simulate-people --format records -o DIR"
        )
    fields = {
        row.key: msgspec.json.decode(row.body)
        for file in files
        for batch in read_rows(file)
        for row in batch
        if row.kind == "Patient"
    }
    with truth.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return People(
        fields,
        {row["key"]: row["person"] for row in rows},
        {row["key"]: frozenset(filter(None, (*row["kinds"].split(";"), *row["mistakes"].split(";")))) for row in rows},
    )


def mix(people: People) -> dict[str, float]:
    """What the people are made of: shares of persons and of true pairs."""
    pairs = true_pairs(people)
    persons = len(set(people.person.values()))
    shares: dict[str, float] = {"patients": len(people.fields), "persons": persons, "true pairs": len(pairs)}
    kinds = Counter(
        kind
        for person, kind in {(people.person[one], kind) for one, those in people.classes.items() for kind in those}
        if kind in ("twin", "namesake", "newborn", "foreign", "placeholder")
    )
    shares |= {f"persons: {kind}": count / persons for kind, count in sorted(kinds.items())}
    wrong = Counter(_wrong_fields(people.fields[one], people.fields[other]) for one, other in pairs)
    shares["pairs with two or more wrong fields"] = sum(n for fields, n in wrong.items() if fields > 1) / len(pairs)
    numbers = {key: {resident_number(one) or one for one in _documents(said)} for key, said in people.fields.items()}
    shares["pairs that share no document number"] = sum(
        numbers[one].isdisjoint(numbers[other]) for one, other in pairs
    ) / len(pairs)
    return shares


def race(people: People, splink: bool) -> list[Side]:
    """Ours, numbers alone, and Splink alone where it is wanted."""
    token = Codec(b"\0" * 32).token
    sides = []
    for name, settings in (("ours", USUAL_IDENTITY), ("numbers alone", IdentitySettings(scores=False))):
        scorer = scorer_of(settings)
        began = time.perf_counter()
        linked = customers(people.fields.items(), (), token, scorer)
        seconds = time.perf_counter() - began
        review = _queue(linked, _kept(people, scorer, token)) if scorer.enabled else set()
        sides.append(judge(name, people, linked, review, seconds))
    return sides + (_splink_alone(people) if splink else [])


def judge(name: str, people: People, linked: Mapping[str, Any], review: set[Any], seconds: float) -> Side:
    """Compare customers with the truth."""
    true, found = true_pairs(people), _pairs_of(linked)
    right = true & found
    by_class: dict[str, list[bool]] = defaultdict(list)
    for pair in true:
        for one in people.classes[pair[0]] | people.classes[pair[1]]:
            by_class[one].append(pair in found)
    wrong = Counter(one for a, b in found - true for one in people.classes[a] | people.classes[b])
    return Side(
        name,
        len(right) / max(len(found), 1),
        len(right) / max(len(true), 1),
        len(found - true),
        len(review) / len(people.fields),
        seconds,
        {one: (sum(hits) / len(hits), len(hits)) for one, hits in sorted(by_class.items())},
        dict(sorted(wrong.items())),
    )


def agreement(people: People, most: int = 20_000) -> tuple[int, float]:
    """How far the scores of single pairs are from Splink's by the same model: how many pairs, and the most in bits.

    A name weighs by the model's average there, and by its own rarity here; the difference is taken out.
    """
    model, scorer = read_model(None), scorer_of(USUAL_IDENTITY)
    known = _profiles(people)
    keys = sorted(known)
    places = {key: place for place, key in enumerate(keys)}
    met = sorted(meetings(known, Codec(b"\0" * 32).token, scorer.largest_block))[:most]
    profiles = [known[key] for key in keys]
    theirs = splink_scores(model, profiles, [(places[low], places[high]) for low, high in met])
    furthest = 0.0
    for low, high in met:
        ours = scorer.score(known[low], known[high], by_rarity=False)
        furthest = max(furthest, abs(ours.score / 1000 - theirs[places[low], places[high]]))
    return len(met), furthest


def true_pairs(people: People) -> set[Pair]:
    """The pairs of patients that truly are one person."""
    return _pairs_of(people.person)


def _pairs_of(groups: Mapping[str, Any]) -> set[Pair]:
    members: dict[Any, list[str]] = defaultdict(list)
    for key, group in groups.items():
        members[group].append(key)
    return {(min(pair), max(pair)) for those in members.values() for pair in combinations(those, 2)}


def _kept(people: People, scorer: Scorer, token: Callable[..., str]) -> Iterable[Pair]:
    pairs = scored_pairs(_profiles(people), token, scorer)
    return [(pair.low_id, pair.high_id) for pair in pairs if pair.verdict == "review"]


def _queue(linked: Mapping[str, Any], pairs: Iterable[Pair]) -> set[Any]:
    """The pairs of customers between which there is something to look at."""
    between = {frozenset((linked[low], linked[high])) for low, high in pairs}
    return {pair for pair in between if len(pair) > 1}


def _profiles(people: People) -> dict[str, Profile]:
    return {key: profile for key, fields in people.fields.items() if (profile := profile_of(fields))}


def _splink_alone(people: People) -> list[Side]:
    keys = sorted(people.fields)
    columns: dict[str, Sequence[str | None]] = {
        name: [said(people.fields[key]) for key in keys] for name, said in _AS_WRITTEN.items()
    }
    began = time.perf_counter()
    clusters, pairs = link_alone(columns, 1, SPLINK_THRESHOLDS)
    seconds = time.perf_counter() - began
    sides = []
    for threshold, found in zip(SPLINK_THRESHOLDS, clusters, strict=True):
        linked = {keys[place]: cluster for place, cluster in found.items()}
        left = [(keys[one], keys[other]) for one, other, probability in pairs if probability < threshold]
        sides.append(judge(f"Splink alone, p ≥ {threshold}", people, linked, _queue(linked, left), seconds))
    return sides


def _name(fields: Fields) -> str | None:
    name = fields["name"][0]
    return (name.get("family", "") + " ".join(name.get("given", ()))) or None


def _first(values: Iterable[str]) -> str | None:
    return next((value for value in values if not stands_for_nobody(value)), None)


_AS_WRITTEN: dict[str, Callable[[Fields], str | None]] = {
    "name": _name,
    "birth": lambda fields: fields.get("birth_date"),
    "sex": lambda fields: fields.get("gender"),
    "phone": lambda fields: _first(one["value"] for one in fields.get("telecom", ())),
    "document": lambda fields: _first(sorted(_documents(fields))),
    "address": lambda fields: "".join(fields["address"][0].get("line", ())) if fields.get("address") else None,
}
"""What Splink alone is given; what stands for nobody is left out, as anybody would do."""


def _documents(fields: Fields) -> set[str]:
    return {one["value"] for one in fields["identifier"] if one.get("type") != "MR"}


def _wrong_fields(one: Fields, other: Fields) -> int:
    return sum(one.get(field) != other.get(field) for field in _FIELDS) + (_documents(one) != _documents(other))
