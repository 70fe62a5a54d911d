"""Headings and names of tables: written in many ways, compared in one."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from hcrm_adapter_tabular.rows import Cell, text

_BETWEEN = re.compile(r"[\s_\-./\\:*#'\"“”‘’、,;]+")
_BEHIND = re.compile(r"[(\[【<][^()\[\]【】<>]*[)\]】>]$")
_DATES = re.compile(r"(?:19|20)\d\d(?:年\d{1,2}月(?:\d{1,2}日)?|[-_.]?\d{1,2}(?:[-_.]?\d{1,2})?)(?:[-_T]?\d{4,6})?")


@lru_cache(maxsize=65_536)
def plain(heading: str) -> str:
    """A heading without what says nothing: case, width, blanks, underscores, colons and asterisks."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", heading).casefold())


@lru_cache(maxsize=65_536)
def spellings(heading: str) -> tuple[str, ...]:
    """The plain forms a heading may be known by: as a whole, then without brackets behind it (`金额(元)`)."""
    whole = plain(heading)
    short = _BEHIND.sub("", whole)
    return (whole,) if short == whole or not short else (whole, short)


def plain_name(name: str) -> str:
    """The name of a file or sheet without its suffix, its day and numbers behind it: `患者_20260601.csv` → `患者`."""
    stem = re.sub(r"\.[A-Za-z0-9]{1,8}$", "", unicodedata.normalize("NFKC", name))
    return re.sub(r"\d+$", "", plain(_DATES.sub("", stem)))


def day_of(name: str) -> str:
    """The day, or the day and time, that the name of a file says it is of, as ISO 8601; empty where it says none."""
    stem = unicodedata.normalize("NFKC", name)
    found = re.search(
        r"(?<!\d)((?:19|20)\d\d)[-_.年]?(0[1-9]|1[0-2])[-_.月]?(0[1-9]|[12]\d|3[01])日?"
        r"(?:[-_T ]?([01]\d|2[0-3])[-_.:时]?([0-5]\d)分?(?:[-_.:]?([0-5]\d)秒?)?)?(?!\d)",
        stem,
    )
    if found is None:
        return ""
    year, month, day, hour, minute, second = found.groups()
    return f"{year}-{month}-{day}" + (f"T{hour}:{minute}:{second or '00'}" if hour else "")


def unique(cells: Sequence[Cell]) -> list[str]:
    """Headings made of a row of cells: empty ones stay empty, and what stands twice is told apart by a number."""
    seen: dict[str, int] = {}
    headings = []
    for one in cells:
        heading = " ".join(text(one).split())
        if heading:
            seen[heading] = seen.get(heading, 0) + 1
            if seen[heading] > 1:
                heading = f"{heading} ({seen[heading]})"
        headings.append(heading)
    return headings
