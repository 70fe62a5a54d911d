"""What of a patient is compared: a name in characters and sound, birth date, sex, phones, documents and address.

A profile is a pure function of one patient's facts. What stands for nobody (a newborn's "son of", 无名氏, 13800000000)
is left out of it.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from hcrm_core.identity.documents import MOBILE, PERSONAL, contradicted, may_be_a_document, plain, resident_number
from hcrm_core.identity.nobody import letters_name_nobody, names_nobody, stands_for_nobody
from hcrm_core.identity.sound import simplified, surname_sounds, surnames, syllables

NAMES = 3
"""Names of a patient that are looked at: the official one, a maiden name, an alias."""

_NO_ADDRESS = ("不详", "无", "未知", "unknown", "none")
_WORD = re.compile(r"[^\W\d_]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


class Name(Struct, array_like=True, frozen=True, gc=False):
    """One name.

    Attributes:
        family, given: In simplified characters; of a name in letters empty.
        families: How the family name may sound; the words of a name in letters that may be the family name.
        sounded: How the given name sounds, in one word; empty where letters do not tell it from the family name.
        sounds: The letters of the whole name, once for each way it may sound: family name and given name in whichever
            order comes first in the alphabet, so that neither their order nor where syllables are cut matters. The
            order within the given name does: 欣怡 and 怡欣 are twins.
        words: The syllables of the given name, or the words of a name in letters.
    """

    family: str
    given: str
    families: tuple[str, ...]
    sounded: str
    sounds: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def written(self) -> str:
        """The whole name in characters."""
        return self.family + self.given


class Profile(Struct, array_like=True, frozen=True, gc=False):
    """What is compared of a patient.

    Attributes:
        names: Names somebody can be known by.
        birth: `YYYYMMDD`, or `YYYY0101` where only the year is known; empty where nothing is.
        sex: `male`, `female` or empty.
        phones: Numbers that may be the person's, eleven digits at most.
        resident: The valid resident identity number, of eighteen digits; empty where there is not exactly one.
        documents: Other numbers of documents, invalid resident numbers among them.
        address: Letters, characters and digits of the home address.
        strange: Valid resident numbers that birth date and sex contradict; the patient is looked up by them, and they
            are no evidence.
        birth_order: Which of twins the person is; 0 where nothing is said.
    """

    names: tuple[Name, ...]
    birth: str
    sex: str
    phones: tuple[str, ...]
    resident: str
    documents: tuple[str, ...]
    address: str
    strange: tuple[str, ...]
    birth_order: int


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Profile).decode


def profile_of(fields: Mapping[str, Any]) -> Profile | None:
    """The profile of a patient; `None` where there is nobody to know.

    Args:
        fields: The folded fields of the `Patient`, sealed ones included.
    """
    if not fields or fields.get("active") is False:
        return None
    residents, documents, phones = _numbers(fields)
    strange = {one for one in residents if contradicted(one, fields.get("birth_date"), fields.get("gender"))}
    residents -= strange
    if len(residents) > 1:
        documents |= residents
        residents = set()
    return Profile(
        names_of(fields),
        _birth(fields.get("birth_date") or ""),
        sex if (sex := fields.get("gender") or "") in ("male", "female") else "",
        tuple(sorted(phones)),
        residents.pop() if residents else "",
        tuple(sorted(documents)),
        _address(fields.get("address") or ()),
        tuple(sorted(strange)),
        fields.get("multiple_birth_order") or 0,
    )


def names_of(fields: Mapping[str, Any]) -> tuple[Name, ...]:
    """The names of `profile_of` alone."""
    names = [found for name in (fields.get("name") or ())[:NAMES] if (found := _name(name))]
    return tuple(dict.fromkeys(names))


def phones_of(fields: Mapping[str, Any]) -> list[str]:
    """The phones of `profile_of` alone."""
    return sorted(_numbers(fields)[2])


def blocking_keys(profile: Profile) -> Iterator[tuple[str, ...]]:
    """What a patient is looked up by: whoever shares a key is compared."""
    birth, day = profile.birth, _either_way(profile.birth)
    for name in profile.names:
        if birth:
            for sound in name.sounds:
                yield "name and year", sound, birth[:4]
        if day:
            for part in {*name.families, name.sounded} - {""}:
                yield "part and day", part, day
    for phone in profile.phones:
        yield "phone", phone
    for number in (*profile.documents, *profile.strange, *((profile.resident,) if profile.resident else ())):
        yield "document", number[:14]
        if len(number) == 18:
            yield "document's end", number[10:]


def _either_way(birth: str) -> str:
    """A birth date with day and month in the order of size; none where only the year may be known."""
    if not birth or birth.endswith("0101"):
        return ""
    return birth[:4] + "".join(sorted((birth[4:6], birth[6:])))


# --- numbers ----------------------------------------------------------------------------------------------------------


def _numbers(fields: Mapping[str, Any]) -> tuple[set[str], set[str], set[str]]:
    """Resident numbers, other documents and phones, whichever column each was written in."""
    residents: set[str] = set()
    documents: set[str] = set()
    phones: set[str] = set()
    for identifier in fields.get("identifier") or ():
        if (identifier.get("type") or "") in PERSONAL:
            _sort_number(identifier["value"], residents, documents, phones)
    for contact in fields.get("telecom") or ():
        if contact.get("system") in ("phone", "sms"):
            _sort_phone(contact["value"], residents, phones)
    return residents, documents, phones


def _sort_number(value: str, residents: set[str], documents: set[str], phones: set[str]) -> None:
    """Where a number belongs, whichever column it was written in."""
    number = plain(value)
    if found := resident_number(number):
        residents.add(found)
    elif MOBILE.fullmatch(number):
        _sort_phone(number, residents, phones)
    elif may_be_a_document(number):
        documents.add(number)


def _sort_phone(value: str, residents: set[str], phones: set[str]) -> None:
    digits = "".join(digit for digit in unicodedata.normalize("NFKC", value) if digit.isdecimal())
    if len(digits) == 18 and (found := resident_number(digits)):
        residents.add(found)
    elif len(digits) >= 7 and not stands_for_nobody(digits[-11:]):
        phones.add(digits[-11:])


# --- names ------------------------------------------------------------------------------------------------------------


def _name(name: Mapping[str, Any]) -> Name | None:
    family, given = _clean(name.get("family") or ""), [_clean(one) for one in name.get("given") or ()]
    if not family and not any(given):
        family = _clean(name.get("text") or "")
    whole = (family + "".join(given)).replace(" ", "")
    if not whole:
        return None
    if _CHINESE.search(whole):
        return _chinese(family.replace(" ", ""), "".join(given).replace(" ", ""))
    return _in_letters(family, " ".join(given))


def _clean(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


@lru_cache(maxsize=65536)
def _chinese(family: str, given: str) -> Name | None:
    family, given = ("".join(_WORD.findall(simplified(part))) for part in (family, given))
    if not given:
        cut = 2 if family[:2] in surnames().compound and len(family) > 2 else 1
        family, given = family[:cut], family[cut:]
    if not given or names_nobody(family, given):
        return None
    words = tuple(syllables(character)[0] for character in given)
    sounded = "".join(words)
    families = surname_sounds(family)
    # Written into each other's field, the surname is the last: its readings count there too.
    last = surname_sounds(given) if len(given) == 1 or given in surnames().compound else (sounded,)
    first = "".join(syllables(character)[0] for character in family)
    sounds = dict.fromkeys(_either_order(one, sounded) for one in families)
    sounds |= dict.fromkeys(_either_order(first, one) for one in last)
    return Name(family, given, families, sounded, tuple(sounds), words)


@lru_cache(maxsize=65536)
def _in_letters(family: str, given: str) -> Name | None:
    if not given and "," in family:
        family, _, given = family.partition(",")
    family, given = family.strip(), given.strip()
    if letters_name_nobody(f"{family} {given}".strip()) or letters_name_nobody(given):
        return None
    families, givens = _words(family), _words(given)
    if len("".join((*families, *givens))) < 3 or len(families) + len(givens) < 2:
        return None
    if givens:
        sounded = "".join(givens)
        return Name("", "", families, sounded, (_either_order("".join(families), sounded),), (*families, *givens))
    # The family name may be the first word or the last.
    first, last = (families[:1], families[1:]), (families[-1:], families[:-1])
    sounds = dict.fromkeys(_either_order("".join(one), "".join(other)) for one, other in (first, last))
    return Name("", "", families, "", tuple(sounds), families)


def _words(text: str) -> tuple[str, ...]:
    ascii_only = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return tuple(_WORD.findall(ascii_only.replace("'", "").replace("’", "")))


def _either_order(one: str, other: str) -> str:
    one, other = _plain_u(one), _plain_u(other)
    return min(one + other, other + one)


def _plain_u(sound: str) -> str:
    """ü is written u, v or yu."""
    return sound.replace("lyu", "lu").replace("nyu", "nu").replace("lv", "lu").replace("nv", "nu")


# --- the rest ---------------------------------------------------------------------------------------------------------


def _birth(said: str) -> str:
    """Eight digits; what nobody is born on is nothing."""
    digits = said.replace("-", "")
    if not digits.isdecimal() or digits[:4] <= "1900":
        return ""
    return (digits + "0101"[len(digits) - 4 :])[:8] if len(digits) in (4, 6) else digits[:8]


def _address(addresses: Iterable[Mapping[str, Any]]) -> str:
    for address in addresses:
        text = unicodedata.normalize("NFKC", "".join(address.get("line") or ())).casefold()
        if text and not text.startswith(_NO_ADDRESS):
            letters = "".join(c if c.isalnum() else " " for c in simplified(text))
            return " ".join(re.findall(r"\d+|[^\W\d]+", letters))
    return ""
