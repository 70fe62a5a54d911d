"""The page: complete in both languages, self-contained, escaped, and the same bytes for the same rows."""

import re
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from hcrm_core.api import ReportContext, UsageError
from hcrm_plugin_reporting.catalogue import LANGUAGES, catalogue
from hcrm_plugin_reporting.overview import Overview

Context = Callable[..., ReportContext]
Rows = dict[str, list[Any]]

CHARTS = ("activity", "segments", "lorenz", "followup", "workload", "people")
VOID = {"meta", "br"}


class Outline(HTMLParser):
    """Tags in order, ids and attribute names; fails on elements that do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(page: bytes) -> Outline:
    read = Outline()
    read.feed(page.decode())
    assert not read.open
    return read


@pytest.fixture(scope="module")
def pages(hospital_rows: Rows, context: Context) -> dict[str, bytes]:
    """The page in each language."""
    return {language: Overview().render(hospital_rows, context(language)) for language in LANGUAGES}


@pytest.fixture(params=LANGUAGES)
def rendered(request: pytest.FixtureRequest, pages: dict[str, bytes]) -> bytes:
    return pages[request.param]


def test_every_section_is_drawn(rendered: bytes) -> None:
    read = outline(rendered)
    assert read.tags.count("title") == 1 + len(CHARTS)
    assert {f"{name}-title" for name in CHARTS} <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))
    assert rendered.count(b'class="figure') - rendered.count(b'class="figures"') == 12


def test_nothing_is_fetched_or_run(rendered: bytes) -> None:
    text = rendered.decode()
    read = outline(rendered)
    assert not {"script", "link", "img", "iframe", "object", "embed", "use", "image", "foreignobject"} & set(read.tags)
    assert not {"style", "src", "href", "xlink:href", "srcset", "action"} & read.attributes
    assert not [name for name in read.attributes if name.startswith("on")]
    assert set(re.findall(r'https?://[^"\s<]*', text)) == {"http://www.w3.org/2000/svg"}
    assert re.findall(r".{7}http://", text) == ['xmlns="http://'] * len(CHARTS)
    assert "@import" not in text and not re.search(r"url\((?!#)", text)
    assert "Content-Security-Policy" in text and "default-src &#x27;none&#x27;" in text


def test_no_text_was_left_unfilled(rendered: bytes) -> None:
    text = re.sub(r"<style>.*?</style>", "", rendered.decode(), flags=re.S)
    assert not re.findall(r">[^<]*(?:\{\w*\}|\$\w+|@\w+\.|None|NaN|undefined)[^<]*<", text)


def test_same_rows_same_bytes(pages: dict[str, bytes], hospital_rows: Rows, context: Context) -> None:
    """Whatever was rendered between."""
    for language in LANGUAGES:
        assert Overview().render(hospital_rows, context(language)) == pages[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_data_is_told_in_sentences(language: str, empty_rows: Rows, context: Context) -> None:
    page = Overview().render(empty_rows, context(language))
    text = page.decode()
    assert "svg" not in outline(page).tags
    for section in ("activity", "segments", "concentration", "followup", "workload", "departments", "people"):
        assert catalogue(language)(f"{section}.empty") in text
    assert catalogue(language)("summary.nothing") in text


def test_discharges_without_tasks_are_told(hospital_rows: Rows, context: Context) -> None:
    rows = {**hospital_rows, "followup_stages": [], "workload": []}
    assert catalogue("zh")("followup.no_tasks", discharges=hospital_rows["followup"][0]["discharges"]) in (
        Overview().render(rows, context("zh")).decode()
    )


def test_whatever_the_data_says_is_escaped(hospital_rows: Rows, context: Context) -> None:
    evil = '<script>alert("x")</script>&\'{0}{words}'

    def poison(name: str, row: dict[str, Any]) -> dict[str, Any]:
        kept = {"stage", "sex"} | ({"fact"} if name == "freshness" else set())
        return {key: evil if isinstance(value, str) and key not in kept else value for key, value in row.items()}

    rows = {name: [poison(name, row) for row in found] for name, found in hospital_rows.items()}
    page = Overview().render(rows, context("en", title=evil))
    assert b"<script" not in page
    assert page.count(b"&lt;script") > 8
    assert "script" not in outline(page).tags


def test_several_currencies_are_never_added(pages: dict[str, bytes], hospital_rows: Rows, context: Context) -> None:
    other = {"currency": "USD", "items": 3, "customers": 2, "revenue": 10**12}
    rows = {**hospital_rows, "revenue": [*hospital_rows["revenue"], other]}
    plain, mixed = pages["en"].decode(), Overview().render(rows, context("en")).decode()
    assert "leaves out USD (3 lines)" in mixed and "leaves out" not in plain
    assert re.findall(r"¥[\d.,]+\S?", mixed) == re.findall(r"¥[\d.,]+\S?", plain)


def test_old_data_is_pointed_out(hospital_rows: Rows, context: Context) -> None:
    page = Overview().render(hospital_rows, context("zh", today=date(2026, 5, 31))).decode()
    assert catalogue("zh")("quality.stale", day="2026年5月20日", days="11") in page


def test_an_unknown_language_is_an_error(hospital_rows: Rows, context: Context) -> None:
    with pytest.raises(UsageError, match="'fr'"):
        Overview().render(hospital_rows, context("fr"))
