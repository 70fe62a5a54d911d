"""Pairs in review as a spreadsheet: a registrar fills in what is so, without a terminal.

Every cell is text, so no value is run as a formula. Headings and decisions are read in Chinese and in English.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook
from xlsxwriter.exceptions import XlsxWriterException

from hcrm_core.errors import UsageError
from hcrm_core.identity.compare import LEVELS

Language = Literal["zh", "en"]
_AT = {"en": 0, "zh": 1}

_HEADINGS: Mapping[str, tuple[str, str]] = {
    "pair": ("pair", "配对"),
    "bits": ("bits", "得分"),
    "decision": ("decision", "决定"),
    "reason": ("reason", "理由"),
}
_RECORD = ("record", "来源与记录")
_FIELDS: Mapping[str, tuple[str, str]] = {
    "name": ("name", "姓名"),
    "birth": ("birth date", "出生日期"),
    "sex": ("sex", "性别"),
    "phone": ("phone", "电话"),
    "document": ("documents", "证件号码"),
    "address": ("address", "地址"),
    "numbers": ("numbers of the hospital", "院内号码"),
}
_LEVEL = ("agree", "一致程度")
_LEVELS: Mapping[str, str] = {
    "same": "一致",
    "same 1 January": "一致（1月1日）",
    "sound": "同音",
    "near": "相近",
    "given": "仅名相同",
    "family": "仅姓相同",
    "swapped": "日月颠倒",
    "year": "仅年份相同",
    "part": "部分一致",
    "conflict": "冲突",
    "different": "不同",
}
_SEXES: Mapping[str, str] = {"male": "男", "female": "女", "other": "其他", "unknown": "未知"}
_NO_NAMES = (
    "Write no names or numbers of persons here: it is kept for good.",
    "请勿填写人员姓名或号码：此处内容将永久保存。",
)
"""What the sheet says where a reason is written: it stands in the audit trail."""
_DECISIONS: Mapping[str, tuple[str, str]] = {
    "accept": ("accept", "同一人"),
    "reject": ("reject", "不同人"),
    "later": ("later", "以后"),
}


class Answer(NamedTuple):
    """A row that says something.

    Attributes:
        row: Its number in the sheet.
        pair: The pair's name.
        decision: `accept`, `reject`, or what is neither.
        reason: May be empty.
        column, pair_column: Of the decision and of the pair, as the sheet names them.
    """

    row: int
    pair: str
    decision: str
    reason: str
    column: str
    pair_column: str


def write(path: Path, pairs: Sequence[Mapping[str, Any]], language: Language) -> None:
    """Write pairs as `review_pairs.shown` gives them.

    Raises:
        UsageError: The file cannot be written.
    """
    try:
        _write(path, pairs, language)
    except (OSError, XlsxWriterException):
        raise UsageError(f"{path} cannot be written. Name a file in a folder of yours with -o.") from None


def _write(path: Path, pairs: Sequence[Mapping[str, Any]], language: Language) -> None:
    at = _AT[language]
    headings = [_HEADINGS[name][at] for name in ("pair", "decision", "reason", "bits")]
    headings += [f"{_RECORD[at]} {number}" for number in (1, 2)]
    for field, names in _FIELDS.items():
        headings += [f"{names[at]} 1", f"{names[at]} 2"]
        headings += [f"{names[at]}: {_LEVEL[at]}"] if field in LEVELS else []
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("review")
        text, head = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(headings) - 1, 18, text)
        for column, heading in enumerate(headings):
            sheet.write_string(0, column, heading, head)
        for row, pair in enumerate(pairs, 1):
            for column, cell in enumerate(_cells(pair, language)):
                sheet.write_string(row, column, cell, text)
        choices = [words[at] for words in _DECISIONS.values()]
        last = max(len(pairs), 1)
        sheet.data_validation(1, 1, last, 1, {"validate": "list", "source": choices})
        hint = {"validate": "any", "input_title": _HEADINGS["reason"][at], "input_message": _NO_NAMES[at]}
        sheet.data_validation(1, 2, last, 2, hint)
        sheet.write_comment(0, 2, _NO_NAMES[at], {"visible": False})


def _cells(pair: Mapping[str, Any], language: Language) -> Iterator[str]:
    yield from (pair["pair"], "", "", f"{pair['bits']:.1f}")
    for source, record in zip(pair["sources"], pair["records"], strict=True):
        yield f"{source or ''} {record}".strip()
    said = {field["field"]: field for field in pair["fields"]}
    for name in _FIELDS:
        field = said[name]
        in_words = _SEXES if name == "sex" and language == "zh" else {}
        yield from (in_words.get(value, value) for value in field["records"])
        if name in LEVELS:
            level = _LEVELS.get(field["level"], field["level"]) if language == "zh" else field["level"]
            yield f"{level} ({field['bits']:+.1f})" if level else ""


def read(path: Path) -> list[Answer]:
    """The rows in which a decision is filled in; what it says is `accept`, `reject`, `later`, or as it is written.

    Raises:
        UsageError: It is no workbook, or lacks a column.
    """
    try:
        rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError):
        raise UsageError(f"{path} cannot be read as XLSX. Make one with: hcrm customers review export") from None
    heads = [str(cell).strip().casefold() for cell in rows[0]] if rows else []
    at: dict[str, int] = {}
    for name, words in _HEADINGS.items():
        places = [number for number, head in enumerate(heads) if head in words]
        if places:
            at[name] = places[0]
        elif name in ("pair", "decision"):
            raise UsageError(f"{path}: the first row has no column {words[0]!r} ({words[1]}). Keep the headings.")
    meant = {word: decision for decision, words in _DECISIONS.items() for word in words}
    found = []
    for number, row in enumerate(rows[1:], 2):
        cells = {name: str(row[place]).strip() for name, place in at.items()}
        if decision := cells["decision"]:
            said = meant.get(decision.casefold(), decision)
            columns = (heads[at["decision"]], heads[at["pair"]])
            found.append(Answer(number, cells["pair"], said, cells.get("reason", ""), *columns))
    return found
