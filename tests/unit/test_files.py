"""Files behind paths: archives of every make are read, and none of them fills memory or disk."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from hcrm_core.intake import files
from hcrm_core.intake.files import Input, Suffixes, inputs

TABLES = Suffixes((".csv", ".xlsx"), tables=(".csv",))
ROWS = b"a,b\n1,2\n"


def read(path: Path) -> list[Input]:
    return list(inputs((str(path),), TABLES))


def zipped(path: Path, name: str, data: bytes, raw: bytes = b"") -> Path:
    """A zip of one member; its name is written as these bytes where they are given, without saying their charset."""
    stand_in = "N" * (len(raw) - 4) + ".csv" if raw else name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(stand_in, data)
    if raw:
        path.write_bytes(path.read_bytes().replace(stand_in.encode(), raw))
    return path


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        ("费用明细.csv", "gbk"),
        ("门诊/朱镕基.csv", "gb18030"),
        ("費用/明細表.csv", "gbk"),
        ("费用明细.csv", "utf-8"),
        ("Müller café.csv", "cp437"),
        ("résumé.csv", "cp437"),
    ],
)
def test_names_of_members_are_read_as_whoever_packed_them_wrote_them(name: str, charset: str, tmp_path: Path) -> None:
    (one,) = read(zipped(tmp_path / "a.zip", "", ROWS, name.encode(charset)))
    assert (one.name, one.data) == (f"{tmp_path}/a.zip!{name}", ROWS)
    (one,) = read(zipped(tmp_path / "b.zip", name, ROWS))
    assert one.name == f"{tmp_path}/b.zip!{name}"


def bomb(path: Path, name: str, unit: bytes) -> Path:
    """48 MiB of the same, in a few kilobytes."""
    data = io.BytesIO(unit * (48 * 1024**2 // len(unit)))
    if path.suffix == ".zip":
        return zipped(path, name, data.getvalue())
    if path.suffix == ".gz" and not path.name.endswith(".tar.gz"):
        path.write_bytes(gzip.compress(data.getvalue(), 9))
        return path
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data.getvalue())
        archive.addfile(member, data)
    return path


@pytest.mark.parametrize("archive", ["a.zip", "a.tar.gz", "a.csv.gz", "a.xlsx.gz"])
@pytest.mark.parametrize(("member", "unit"), [("书.xlsx", b"\0"), ("书.csv", b"\0"), ("书.csv", b"1,2\n")])
def test_a_bomb_is_refused_before_it_is_in_memory(archive: str, member: str, unit: bytes, tmp_path: Path) -> None:
    path = bomb(tmp_path / archive, member, unit)
    tracemalloc.start()
    held, problems = 0, []
    for one in inputs((str(path),), TABLES):
        held += len(one.data or b"")
        problems += [one.problem] if one.problem else []
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(problems) == 1 and "unpacks to more than 200 times its length" in problems[0]
    assert held <= files.FREE and most < 3 * files.FREE


def test_a_member_that_is_read_whole_may_not_be_longer_than_memory_bears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MEMBER_LIMIT", 3 * 1024**2)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.xlsx", b"x" * 5 * 1024**2)
        archive.writestr("b.xlsx", b"x" * 2 * 1024**2)
    long, short = read(path)
    assert "a.xlsx: cannot be read (it unpacks to more than 3 MiB; unpack it" in str(long.problem)
    assert short.data == b"x" * 2 * 1024**2


def test_a_locked_member_is_told_as_such_and_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", ROWS)
        archive.writestr("b.csv", ROWS)
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    locked, open_ = read(path)
    assert locked.problem == f"{path}!a.csv: cannot be read (it is locked by a password). Unpack it, and read it."
    assert open_.data == ROWS
