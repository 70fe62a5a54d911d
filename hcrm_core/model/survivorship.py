"""Which of several patients' words about a field stands, where they are one customer.

Whom a source merged into another comes after all who were not: their source says that the other is right. What is said
is then compared by the criteria of the field, one after the other; what they leave open is settled by recency and then
by the patient's id. So there is one order of any two words, whoever asks and in whatever order they came. The
same order is put into SQL for the mart (`mart/people.py`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from hcrm_core.config import Criterion, GoldenSettings, Settings, nearest
from hcrm_core.errors import ConfigurationError
from hcrm_core.model.people import Patient

MANUAL = "manual"
"""The source of what people correct by hand; it is trusted before all others unless it is listed elsewhere."""

DECIDED = tuple(name for name in Patient.__struct_fields__ if name not in ("key", "group", "identifier", "cleared"))
"""The fields of a customer of which one patient's word stands; the numbers of all patients do."""

_USUAL_RULES: Mapping[str, tuple[Criterion, ...]] = dict.fromkeys(
    # A whole date is better than a later year, `unknown` is no better than nothing, and nobody calls the dead.
    ("birth_date", "gender", "deceased", "deceased_date_time"),
    ("trust", "completeness", "recency"),
)


def trust_of(settings: GoldenSettings, field: str) -> tuple[str, ...]:
    """The sources in the order in which they are trusted with a field; all others come after them and are alike."""
    own = settings.fields.get(field)
    listed = own.trust if own and own.trust is not None else settings.trust
    return listed if MANUAL in listed else (MANUAL, *listed)


def criteria_of(settings: GoldenSettings, field: str) -> tuple[Criterion, ...]:
    """What a field is compared by, the first criterion first."""
    own = settings.fields.get(field)
    if own and own.rule is not None:
        return own.rule
    return _USUAL_RULES.get(field, settings.rule)


def place_of(
    settings: GoldenSettings,
    field: str,
    value: Any,
    *,
    source: str,
    said_at: int,
    patient_id: str,
    replaced: bool = False,
) -> tuple[int | str, ...]:
    """The place of one patient's word about a field: of several, the greatest stands.

    Args:
        settings: `[golden]`.
        field: Of the `Patient`.
        value: What is said; `None` where it is said that nothing is known.
        source: Who says so.
        said_at: When the source last spoke of the patient, microseconds since 1970 UTC.
        patient_id: Of whom.
        replaced: Whether the source merged the patient into another.
    """
    trust = trust_of(settings, field)
    found: dict[Criterion, int] = {
        "trust": -trust.index(source) if source in trust else -len(trust),
        "completeness": completeness(field, value),
        "recency": said_at,
    }
    return (int(not replaced), *(found[one] for one in criteria_of(settings, field)), said_at, patient_id)


def completeness(field: str, value: Any) -> int:
    """How complete a value is, to be compared with another of the same field.

    A date by how exact it is, a sex by whether it is known, a death by whether it happened, names and addresses by
    their parts, codes of interests by how many there are. Anything else is complete once it is said.
    """
    if value is None:
        return 0
    if field in ("birth_date", "deceased_date_time"):
        return len(value)
    if field == "gender":
        return int(value != "unknown")
    if field in ("name", "address"):
        return sum(len(one) for one in value)
    if isinstance(value, list | tuple) and field != "telecom":
        return len(value)
    return int(value is not False)


def check(settings: Settings, where: Callable[..., str]) -> None:
    """Refuse settings that name what no customer has, or what nobody says.

    Args:
        settings: Of a workspace.
        where: Keys → file and line.

    Raises:
        ConfigurationError: `[golden]` names a field or a source there is not, or one twice; or a source of the file is
            called `manual`.
    """
    if MANUAL in settings.sources:
        raise ConfigurationError(
            f"{where('sources', MANUAL)}: sources.{MANUAL}: what people correct by hand comes from a source of that "
            "name. Give this one another."
        )
    golden = settings.golden
    lists: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("golden", "trust"), golden.trust),
        (("golden", "rule"), golden.rule),
    ]
    for name, own in golden.fields.items():
        path: tuple[str, ...] = ("golden", "fields", name)
        if name not in DECIDED:
            raise ConfigurationError(
                f"{where(*path)}: golden.fields.{name}: there is no such field to be decided. {nearest(name, DECIDED)}"
            )
        lists += [((*path, "trust"), own.trust or ()), ((*path, "rule"), own.rule or ())]
    sources = [MANUAL, *settings.sources, *settings.plugins]
    for path, listed in lists:
        for place, one in enumerate(listed):
            if one in listed[:place]:
                raise ConfigurationError(f"{where(*path)}: {'.'.join(path)} names {one} twice.")
            if path[-1] == "trust" and one not in sources:
                raise ConfigurationError(
                    f"{where(*path)}: {'.'.join(path)}: there is no source {one!r}. {nearest(one, sources)}"
                )
