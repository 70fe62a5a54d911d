"""Charts: a Vega-Lite specification of the package, rows and texts put in, drawn as inline SVG."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hcrm_plugin_reporting.markup import Html, element, markup
from hcrm_plugin_reporting.resources import read
from hcrm_plugin_reporting.wording import Wording

IDENTIFIER = re.compile(r'\bid="([^"]*)"')
OPENING = re.compile(r"<svg\b[^>]*>")
VIEW_BOX = re.compile(r'viewBox="([-\d. e]+)"')
BACKGROUND = re.compile(r'(<svg\b[^>]*>)<rect width="[\d.]+" height="[\d.]+" fill="(?:white|transparent|#fff)"/>')
ARIA = re.compile(r' (?:aria-[a-z]+|role)="[^"]*"')


def chart(name: str, rows: Sequence[Mapping[str, Any]], words: Wording, *, label: str, **texts: str | int) -> Html:
    """Draw `charts/NAME.vl.json`.

    Args:
        name: The specification, and the prefix of every id in the drawing.
        rows: Its data, put in as the data set `rows`.
        words: Fills in every string of the specification that is `@key`.
        label: What the drawing says, for those who do not see it.
        texts: Replace the strings of the specification that are `$name`.
    """
    # The converter takes long to import, and listing reports must not wait for it.
    import vl_convert

    specification = put_in(json.loads(read(f"charts/{name}.vl.json")), words, texts)
    specification["datasets"] = {"rows": [dict(row) for row in rows]}
    theme = json.loads(read("charts/theme.json"))
    drawing: str = vl_convert.vegalite_to_svg(specification, vl_version="5.20", config=theme, allowed_base_urls=[])
    return inline(drawing, name, label)


def put_in(value: Any, words: Wording, texts: Mapping[str, str | int]) -> Any:
    """`value` with `@key` and `$name` strings replaced, at any depth."""
    if isinstance(value, dict):
        return {key: put_in(member, words, texts) for key, member in value.items()}
    if isinstance(value, list):
        return [put_in(member, words, texts) for member in value]
    if isinstance(value, str) and value.startswith("@"):
        return words(value[1:])
    if isinstance(value, str) and value.startswith("$") and value[1:] in texts:
        return texts[value[1:]]
    return value


def inline(drawing: str, name: str, label: str) -> Html:
    """A drawing made fit to stand in a page: scalable, one image to a screen reader, ids its own and stable."""
    drawing = BACKGROUND.sub(r"\1", ARIA.sub("", drawing), count=1)
    # The converter counts ids over its lifetime; numbered anew, the same rows give the same bytes.
    for number, identifier in enumerate(dict.fromkeys(IDENTIFIER.findall(drawing))):
        fresh = f"{name}-{number}"
        drawing = drawing.replace(f'id="{identifier}"', f'id="{fresh}"').replace(
            f"url(#{identifier})", f"url(#{fresh})"
        )
    box = VIEW_BOX.search(drawing)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="{box[1] if box else "0 0 1 1"}" '
        f'role="img" aria-labelledby="{name}-title">{element("title", label, id=f"{name}-title")}'
    )
    return Html(markup(Html(OPENING.sub(lambda _: opening, drawing, count=1))))


def sparkline(values: Sequence[int]) -> Html | None:
    """A small line of `values` with its last point marked, for beside a number that says the same."""
    if len(values) < 3 or not any(values):
        return None
    width, height, margin = 96, 22, 3
    least, span = min(values), max(1, max(values) - min(values))
    points = [
        (
            margin + place * (width - 2 * margin) / (len(values) - 1),
            height - margin - (value - least) * (height - 2 * margin) / span,
        )
        for place, value in enumerate(values)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return element(
        "svg",
        element("polyline", points=path),
        element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="2.2"),
        class_="spark",
        viewBox=f"0 0 {width} {height}",
        aria_hidden="true",
    )
