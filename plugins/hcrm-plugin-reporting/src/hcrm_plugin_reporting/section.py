"""One section of a report: a heading, one sentence to take away, a drawing, its data, a note."""

from collections.abc import Sequence
from typing import NamedTuple

from hcrm_plugin_reporting.markup import Html, element, table
from hcrm_plugin_reporting.wording import Wording


class Data(NamedTuple):
    """The table behind a drawing; the first `texts` columns are text."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1


class Section(NamedTuple):
    """What `framed` lays out; `key` names its catalogue group and its anchor in the page."""

    key: str
    takeaway: str
    drawing: Html | None = None
    data: Data | None = None
    note: str | None = None
    wide: bool = False
    open_data: bool = False
    """The table is the section's substance and stands open."""


def framed(section: Section, words: Wording) -> Html:
    """The section as markup."""
    data = None
    if section.data:
        data = table(section.data.heads, section.data.rows, texts=section.data.texts)
        if not section.open_data:
            data = element("details", element("summary", words("page.data_table")), data)
    empty = section.drawing is None and section.data is None
    return element(
        "section",
        element("h2", words(f"{section.key}.title")),
        element("p", section.takeaway, class_="empty" if empty else "takeaway"),
        section.drawing,
        data if section.open_data else None,
        element("p", section.note, class_="note") if section.note else None,
        None if section.open_data else data,
        id=section.key,
        class_="panel wide" if section.wide else "panel",
    )
