"""CSV, TSV and their kin: charset, separator and quotes are found, or told by the settings."""

import io
import re
from collections import Counter
from collections.abc import Iterator

from hcrm_adapter_tabular.reading import Grid, Line
from hcrm_adapter_tabular.reading.charset import charset_of
from hcrm_adapter_tabular.reading.records import Record, records, width_of
from hcrm_core.api import InputError

SEPARATORS = ",;\t|"
_SAMPLE = 64 * 1024
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def grid(data: bytes, charset: str | None, separator: str | None, quote: str | None) -> Grid:
    """A text file as one grid.

    Args:
        data: The file.
        charset: As Python names it; found out where not given.
        separator: One character; found out where not given.
        quote: One character, or empty for none; `"` where not given.

    Raises:
        InputError: It is no text.
    """
    codec, separator = dialect(data, charset, separator, quote)
    quote = '"' if quote is None else quote
    width = width_of(data[:_SAMPLE].decode(codec, "replace"), separator, quote)
    stream = io.TextIOWrapper(io.BytesIO(data), encoding=codec, errors=_escaping(codec), newline="")
    return Grid("", _lines(records(stream, separator, quote, width), codec, separator), ragged=True)


def dialect(data: bytes, charset: str | None, separator: str | None, quote: str | None) -> tuple[str, str]:
    """Codec and separator of a text file, those that are given included; raises as `grid` does."""
    codec = charset_of(data, charset)
    sample = data[:_SAMPLE].decode(codec, "replace")
    return codec, separator or separator_of(sample, '"' if quote is None else quote)


def separator_of(sample: str, quote: str) -> str:
    """The separator of which most lines have equally many; the comma where none has any."""
    text = _QUOTED.sub("", sample) if quote == '"' else sample
    lines = [line for line in re.split("[\r\n]+", text) if line.strip(" ")][:200]
    if len(lines) > 1 and not sample.endswith("\n"):
        lines.pop()  # the sample may have cut it
    best, found = (0, 0), ","
    for separator in SEPARATORS:
        counts = Counter(count for line in lines if (count := line.count(separator)))
        if counts:
            # The commonest count is how many columns there are less one; a title above them has none.
            columns, times = max(counts.items(), key=lambda item: (item[1], item[0]))
            if (times, columns) > best:
                best, found = (times, columns), separator
    return found


def _escaping(codec: str) -> str:
    """How bytes that are no text are kept: as lone surrogates, one a byte; in UTF-16 they cannot be told apart."""
    return "surrogateescape" if not codec.startswith("utf-16") else "strict"


def _lines(found: Iterator[Record], codec: str, separator: str) -> Iterator[Line]:
    number = 0
    while True:
        try:
            cells, unclosed = next(found)
        except StopIteration:
            return
        except UnicodeDecodeError:
            raise InputError(f"behind row {number} it is no {codec.upper()}; save it as UTF-8") from None
        number += 1
        if not unclosed and not any(one.strip() for one in cells):
            continue
        line = unclosed or separator.join(cells)
        if _is_no_text(line):
            yield Line(number, (), undecodable=line.encode(codec, "surrogateescape").hex())
        elif unclosed:
            yield Line(number, (), unclosed=unclosed)
        else:
            yield Line(number, tuple(one or None for one in cells))


def _is_no_text(text: str) -> bool:
    return "\0" in text or (not text.isascii() and any("\udc80" <= one <= "\udcff" for one in text))
