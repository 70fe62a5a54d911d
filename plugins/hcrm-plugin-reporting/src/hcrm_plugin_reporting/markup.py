"""Building HTML: whatever is not `Html` already is escaped."""

from collections.abc import Iterable
from html import escape
from typing import TypeAlias


class Html(str):
    """Text that is markup already."""


Child: TypeAlias = "str | Html | None | Iterable[Child]"

VOID = frozenset({"meta", "br"})


def markup(child: Child) -> Html:
    """`child` as markup: text escaped, `Html` kept, `None` left out, the members of an iterable joined."""
    if child is None:
        return Html("")
    if isinstance(child, Html):
        return child
    if isinstance(child, str):
        return Html(escape(child))
    return Html("".join(markup(member) for member in child))


def element(tag: str, *children: Child, **attributes: str | None) -> Html:
    """An element. Attribute names lose a trailing `_` and get `-` for `_`; `None` leaves one out."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{markup(children)}</{tag}>")


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], *, texts: int = 1, class_: str | None = None) -> Html:
    """A table whose first `texts` columns hold text and whose others hold numbers, aligned right."""

    def cell(tag: str, place: int, value: str, scope: str | None = None) -> Html:
        return element(tag, value, class_=None if place < texts else "number", scope=scope)

    head = element("tr", [cell("th", place, value, "col") for place, value in enumerate(heads)])
    body = [
        element(
            "tr", [cell("td" if place else "th", place, v, None if place else "row") for place, v in enumerate(row)]
        )
        for row in rows
    ]
    return element("table", element("thead", head), element("tbody", body), class_=class_)
