"""Find the files behind the paths a person names: files, folders, archives and standard input.

Archive members are read one by one and never unpacked to disk, so a member's name can do no harm.
"""

import gzip
import io
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from hcrm_core.errors import InputError
from hcrm_core.intake.line_pieces import Readable, pieces

MEMBER_LIMIT = 512 * 1024**2
"""Bytes an archive member that is read whole may unpack to; a larger one is refused."""

RATIO = 200
"""How many times its length an archive, or a member of a zip, may unpack to; text comes to a tenth of that."""

FREE = 32 * 1024**2
"""Bytes that may be unpacked whatever the ratio."""

LOCKED = 0x1
UTF_8 = 0x800
"""Flags of a member of a zip: it is encrypted; its name is UTF-8."""

UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
)
"""What reading a damaged file or archive raises."""

_CHUNK = 1024**2
_ZIP = (".zip",)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


class Input(NamedTuple):
    """One file to read, or a piece of one that holds lines.

    Attributes:
        name: For messages to people: the path, or `archive!member`.
        data: Its bytes; `None` where the file was passed over or could not be read, or not to its end.
        problem: Why not; `None` for a file of another type, which is only counted.
        before: How many lines of the file stand before this piece.
        table: Whether it is a table's, whose further pieces need what stands above them.
    """

    name: str
    data: bytes | None
    problem: str | None = None
    before: int = 0
    table: bool = False

    @property
    def own_name(self) -> str:
        """The file's or the member's own name, without folders."""
        return self.name.rpartition("!")[2].rpartition("/")[2]

    @property
    def short_name(self) -> str:
        """The name by which people find it: without the folders before the file or the archive."""
        file, mark, member = self.name.partition("!")
        return file.rpartition("/")[2] + mark + member

    @property
    def place(self) -> str:
        """The short name, and for a piece after the first how far into the file it begins."""
        return f"{self.short_name}, after line {self.before:,}" if self.before else self.short_name


class Suffixes(NamedTuple):
    """Suffixes of files to read, and of those among them that hold a message a line, or a row a line below headings."""

    all: tuple[str, ...]
    lines: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()

    def pieces_of(self, lower: str) -> bool:
        """Whether a file of this name is read in pieces."""
        return lower.endswith((*self.lines, *self.tables))


def inputs(paths: tuple[str, ...], suffixes: Suffixes) -> Iterator[Input]:
    """The files behind `paths`, folders in the order of their names.

    A file that is named itself is read whatever its suffix; in folders and archives only files with one of `suffixes`
    are read, and the others are yielded without data so that they can be counted. A file of lines comes in pieces; what
    could be read before a damage stays, and the damage is told.

    Raises:
        InputError: A named path does not exist.
    """
    for path in paths:
        if path == "-":
            yield Input("standard input", sys.stdin.buffer.read())
            continue
        place = Path(path)
        if place.is_dir():
            for file in sorted(p for p in place.rglob("*") if p.is_file()):
                yield from _file(file, suffixes, named=False)
        elif place.is_file():
            yield from _file(place, suffixes, named=True)
        else:
            raise InputError(f"There is no file or folder {path}. Check the path.")


def named_files(paths: tuple[str, ...], suffix: str) -> list[Path]:
    """The files of one type behind `paths`, for formats that are read in place.

    Raises:
        InputError: A path does not exist, or there is no such file behind any of them.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise InputError(f"There is no file or folder {path}. Check the path.")
        found += sorted(path.rglob(f"*{suffix}")) if path.is_dir() else [path]
    if not found:
        raise InputError(f"No file ends in {suffix} in {', '.join(paths)}. Check the path.")
    return found


def _file(file: Path, suffixes: Suffixes, *, named: bool) -> Iterator[Input]:
    lower = file.name.lower()
    try:
        if lower.endswith(_ZIP):
            yield from _zip(file, suffixes)
        elif lower.endswith(_TAR):
            yield from _tar(file, suffixes)
        elif lower.endswith(".gz"):
            if named or _wanted(lower[:-3], suffixes):
                with gzip.open(file) as stream:
                    yield from _read(str(file), lower[:-3], _Unpacked(stream, file.stat().st_size), suffixes)
            else:
                yield Input(str(file), None)
        elif suffixes.pieces_of(lower):
            with file.open("rb") as plain:
                yield from _in_pieces(str(file), plain, lower.endswith(suffixes.tables))
        elif named or _wanted(lower, suffixes):
            yield Input(str(file), file.read_bytes())
        else:
            yield Input(str(file), None)
    except UNREADABLE as error:
        yield Input(str(file), None, f"{file}: cannot be read ({_reason(error)}). Check or replace the file.")


def _zip(file: Path, suffixes: Suffixes) -> Iterator[Input]:
    with zipfile.ZipFile(file) as archive:
        members = [(_name(member), member) for member in archive.infolist() if not member.is_dir()]
        for own, member in sorted(members, key=lambda one: one[0]):
            name = f"{file}!{own}"
            if not _wanted(own.lower(), suffixes):
                yield Input(name, None)
            elif member.flag_bits & LOCKED:
                yield Input(name, None, f"{name}: cannot be read (it is locked by a password). Unpack it, and read it.")
            else:
                yield from _member(name, partial(archive.open, member), member.compress_size, suffixes)


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name; Windows writes it in the charset of the country without saying so, which is read as CP437."""
    if member.flag_bits & UTF_8 or member.filename.isascii():
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for charset in ("utf-8", "gb18030"):
        try:
            name = raw.decode(charset)
        except UnicodeDecodeError:
            continue
        beyond = [one for one in name if not one.isascii()]
        # Accents of CP437 are Chinese characters too, but none that people use.
        common = "".join(beyond).encode("gb2312", "ignore")
        if charset == "utf-8" or (name.isprintable() and len(common) >= len(beyond)):
            return name
    return member.filename


def _tar(file: Path, suffixes: Suffixes) -> Iterator[Input]:
    packed = file.stat().st_size
    with tarfile.open(file) as archive:
        # In their order: an archive that breaks off is read as far as it goes.
        for member in archive:
            if not member.isfile():
                continue
            name = f"{file}!{member.name}"
            if _wanted(member.name.lower(), suffixes):
                yield from _member(name, partial(archive.extractfile, member), packed, suffixes)
            else:
                yield Input(name, None)


def _member(name: str, open_member: Callable[[], IO[bytes] | None], packed: int, suffixes: Suffixes) -> Iterator[Input]:
    """One member; a damaged one costs no other."""
    try:
        stream = open_member()
        if stream is None:
            yield Input(name, None)
            return
        with stream:
            yield from _read(name, name.lower(), _Unpacked(stream, packed), suffixes)
    except UNREADABLE as error:
        yield Input(name, None, f"{name}: cannot be read ({_reason(error)}). Check or replace this member.")


class _Unpacked:
    """What is packed, as it is unpacked, until it is plain that it is a bomb."""

    def __init__(self, stream: Readable, packed: int) -> None:
        """Args: stream: read from its beginning; packed: bytes it takes in the archive."""
        self._stream = stream
        self._most = max(packed * RATIO, FREE)
        self._read = 0

    def read(self, size: int, /) -> bytes:
        """At most so many bytes.

        Raises:
            ValueError: There are too many for how few they were packed into.
        """
        data = self._stream.read(size)
        self._read += len(data)
        if self._read > self._most:
            raise ValueError(f"it unpacks to more than {RATIO} times its length, as no text does")
        return data


def _read(name: str, lower: str, stream: Readable, suffixes: Suffixes) -> Iterator[Input]:
    """What is packed: a file of lines in pieces, any other whole."""
    if suffixes.pieces_of(lower):
        yield from _in_pieces(name, stream, lower.endswith(suffixes.tables))
    else:
        yield Input(name, _capped(stream))


def _in_pieces(name: str, stream: Readable, table: bool) -> Iterator[Input]:
    read = 0
    try:
        for piece in pieces(stream, quoted=table):
            yield Input(name, piece.data, before=piece.before, table=table)
            read = piece.before + piece.data.count(b"\n")
    except UNREADABLE as error:
        if not read:
            raise
        yield Input(
            name,
            None,
            f"{name}: cannot be read beyond line {read:,} ({_reason(error)}). The lines before were read. Check "
            "or replace the file, and read it again.",
        )


def _wanted(name: str, suffixes: Suffixes) -> bool:
    return name.endswith(suffixes.all)


def _capped(stream: Readable) -> bytes:
    held = io.BytesIO()
    while chunk := stream.read(_CHUNK):
        held.write(chunk)
        if held.tell() > MEMBER_LIMIT:
            raise ValueError(f"it unpacks to more than {MEMBER_LIMIT // 1024**2} MiB; unpack it, and read the files")
    return held.getvalue()


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.partition("\n")[0]
