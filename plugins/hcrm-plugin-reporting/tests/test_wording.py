"""Numbers and texts as a reader writes them."""

import json
import re
import string
from datetime import date
from importlib.resources import files
from typing import Any

import pytest

from hcrm_plugin_reporting.catalogue import catalogue
from hcrm_plugin_reporting.overview import Overview
from hcrm_plugin_reporting.wording import Wording


def test_both_catalogues_hold_the_same_keys_and_fields() -> None:
    zh, en = catalogue("zh"), catalogue("en")
    assert zh.keys() == en.keys()

    def fields(text: str) -> set[str | None]:
        return {field for _, field, _, _ in string.Formatter().parse(text)} - {None}

    for key in sorted(zh.keys()):
        assert fields(zh.fields(key)) <= fields(en.fields(key)) | {"month"}, key
        assert fields(en.fields(key)) <= fields(zh.fields(key)) | {"month"}, key
        assert re.search("[\u4e00-\u9fff]", zh.fields(key)) or len(zh.fields(key)) < 20, key
        assert not re.search("[\u4e00-\u9fff]", en.fields(key)), key


def test_the_report_is_called_as_its_page() -> None:
    assert Overview.title == {language: catalogue(language)("page.title") for language in ("zh", "en")}


def test_charts_use_known_texts() -> None:
    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for member in value.values() for text in texts(member)]
        if isinstance(value, list):
            return [text for member in value for text in texts(member)]
        return [value[1:]] if isinstance(value, str) and value.startswith("@") else []

    charts = [path for path in (files("hcrm_plugin_reporting") / "charts").iterdir() if path.name.endswith(".vl.json")]
    assert len(charts) == 6
    for path in charts:
        assert set(texts(json.loads(path.read_text("utf-8")))) <= catalogue("zh").keys()


@pytest.mark.parametrize(
    ("minor", "currency", "zh", "en"),
    [
        (0, "CNY", "¥0", "¥0"),
        (99_950, "CNY", "¥1,000", "¥1,000"),
        (123_456_700, "CNY", "¥123.5万", "¥1.2M"),
        (1_234_567_890_000, "CNY", "¥123.5亿", "¥12.3 bn"),
        (-5_000_000, "CNY", "−¥5.0万", "−¥50.0k"),
        (12_345, "JPY", "JP¥1.2万", "JP¥12.3k"),
        (12_300, "CHF", "CHF 123", "CHF 123"),
    ],
)
def test_money(minor: int, currency: str, zh: str, en: str) -> None:
    assert (Wording("zh").money(minor, currency), Wording("en").money(minor, currency)) == (zh, en)


def test_shares_round_halves_up_and_never_divide_by_zero() -> None:
    words = Wording("en")
    assert words.percent(1, 8) == "12.5%"
    assert words.percent(1, 16) == "6.3%"
    assert words.percent(1, 0) == words.mean(1, 0) == "–"
    assert words.mean(2_000, 1) == "2,000.0"


@pytest.mark.parametrize(
    ("now", "before", "zh", "en"),
    [
        (105, 100, "增长5.0%", "up 5.0%"),
        (95, 100, "下降5.0%", "down 5.0%"),
        (7, 7, "持平", "unchanged"),
        (9, 3, "增加6", "6 more"),
        (0, 4, "减少4", "4 fewer"),
    ],
)
def test_a_change_of_few_is_a_count(now: int, before: int, zh: str, en: str) -> None:
    assert (Wording("zh").change(now, before), Wording("en").change(now, before)) == (zh, en)


def test_days() -> None:
    day = date(2026, 5, 1)
    zh, en = Wording("zh"), Wording("en")
    assert (zh.day(day), zh.month(day), zh.short_day(day)) == ("2026年5月1日", "2026年5月", "5月1日")
    assert (en.day(day), en.month(day), en.short_day(day)) == ("1 May 2026", "May 2026", "1 May")


def test_a_name_the_catalogue_lacks_stays_as_it_is() -> None:
    assert Wording("zh").name("segment", "At Risk") == "流失风险"
    assert Wording("zh").name("segment", "糖尿病俱乐部") == "糖尿病俱乐部"
