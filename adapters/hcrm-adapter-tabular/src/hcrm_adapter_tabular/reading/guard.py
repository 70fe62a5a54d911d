"""What a workbook would unpack to, known before anything is unpacked in memory.

XLSX and ODS are zip archives of XML. A few kilobytes of zeros become gigabytes, and one cell in the last corner of a
sheet makes a dense grid of seventeen thousand million. Both are looked for in a stream, piece by piece.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from xml.parsers import expat

from hcrm_core.api import InputError

UNPACKED = 1 << 30
"""Bytes all members may unpack to."""

CELLS = 32 * 1024 * 1024
"""Cells the rectangle of a sheet may have: the longest sheet there can be (1,048,576 rows), 32 columns wide."""

MEMBERS = 10_000
_PIECE = 1 << 18
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_EPOCH = re.compile(rb"<workbookPr[^>]*\bdate1904=[\"'](?:1|true)[\"']")
_OVERLAP = 64


def guard(data: bytes) -> None:
    """Refuse a workbook that would take more memory than it may.

    Raises:
        InputError: It would; or it is a damaged archive.
    """
    if not data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MEMBERS:
                raise InputError(f"it has {len(members)} parts, which no workbook has")
            left = UNPACKED
            for member in members:
                left = _look(archive, member, left)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise InputError("it is a damaged workbook; open it and save it anew") from None


def counts_from_1904(data: bytes) -> bool:
    """Whether the days of an XLSX workbook count from 1904."""
    if not data.startswith(b"PK"):
        return False
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            return False
        return _EPOCH.search(archive.read("xl/workbook.xml")) is not None


def _look(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int) -> int:
    name = member.filename.lower()
    sheet = _Corner() if name.startswith("xl/worksheets/") and name.endswith(".xml") else None
    ods = _Repeated() if name == "content.xml" else None
    for piece in _unpacked(archive, member):
        left -= len(piece)
        if left < 0:
            raise InputError(f"it unpacks to more than {UNPACKED >> 20} MiB; save it as CSV")
        if sheet:
            sheet.look(piece)
        if ods:
            ods.look(piece)
    return left


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    # What an archive says of a member's length need not be true, and calamine does not ask: its bytes are counted.
    file = archive.fp
    assert file is not None
    file.seek(member.header_offset)
    header = file.read(30)
    if (
        len(header) < 30
        or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        or member.flag_bits & 1
    ):
        raise zipfile.BadZipFile
    file.seek(sum(struct.unpack("<HH", header[26:30])), io.SEEK_CUR)
    packed = file.read(member.compress_size)
    if member.compress_type == zipfile.ZIP_STORED:
        yield packed
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    while packed and not inflater.eof:
        yield inflater.decompress(packed, _PIECE)
        packed = inflater.unconsumed_tail


class _Corner:
    """The rectangle that the cells of an XLSX sheet span."""

    def __init__(self) -> None:
        self._tail = b""
        self._rows = (1 << 30, 0)
        self._columns = (1 << 30, 0)

    def look(self, piece: bytes) -> None:
        for letters, digits in _REFERENCE.findall(self._tail + piece):
            row, column = int(digits), 0
            for letter in letters:
                column = column * 26 + letter - 64
            self._rows = min(self._rows[0], row), max(self._rows[1], row)
            self._columns = min(self._columns[0], column), max(self._columns[1], column)
        self._tail = piece[-_OVERLAP:]
        if self._rows[1]:
            self._refuse()

    def _refuse(self) -> None:
        _refuse((self._rows[1] - self._rows[0] + 1) * (self._columns[1] - self._columns[0] + 1))


class _Repeated:
    """The cells of an ODS document, with those that it says are repeated."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = _no_doctype
        self._rows = self._width = self._filled = self._most = self._times = 0

    def look(self, piece: bytes) -> None:
        try:
            self._parser.Parse(piece)
        except expat.ExpatError:
            raise InputError("it is a damaged workbook; open it and save it anew") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self._rows = self._most = 0
        elif name == "table:table-row":
            self._times = _number(attributes.get("table:number-rows-repeated"))
            self._width = self._filled = 0
        elif name in ("table:table-cell", "table:covered-table-cell"):
            self._width += _number(attributes.get("table:number-columns-repeated"))
            if "office:value-type" in attributes or "table:formula" in attributes:
                self._filled = self._width

    def _end(self, name: str) -> None:
        if name == "table:table-row":
            self._rows += self._times if self._filled else min(self._times, 1)
            self._most = max(self._most, self._filled)
            _refuse(self._rows * self._most)


def _refuse(cells: int) -> None:
    if cells > CELLS:
        raise InputError(
            f"a sheet spans more than {CELLS:,} cells, most of them empty as a rule; delete what stands far out, or "
            "save it as CSV"
        )


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 1


def _no_doctype(*_: object) -> None:
    raise InputError("it declares a document type, which no workbook does")
