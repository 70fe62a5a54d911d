"""Bring the official v2-to-FHIR tables into the adapter's own form.

    python -m hcrm_adapter_hl7v2.official.bring FOLDER

`FOLDER` is the folder `mappings` of https://github.com/HL7/v2-to-fhir, which holds `messages/`, `segments/`,
`datatypes/` and `codesystems/`. Of a message map stays which segments make which resources, of a segment map which
element each field goes to, of a data type map the same of each component, of a concept map the pairs of codes;
conditions and constants stay behind. What `departures.toml` leaves out whole is not brought.
"""

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from hcrm_adapter_hl7v2.official.tables import departures, place

DATATYPES = (
    "CWE[CodeableConcept]", "CX[Identifier]", "PL[Location]", "SN[Quantity]", "XAD[Address]", "XCN[Practitioner]",
    "XON[Organization]", "XPN[HumanName]", "XTN[ContactPoint]",
)  # fmt: skip
"""The maps of data types whose parts HCRM reads; what is not among them is read whole."""

OFFICIAL = Path(__file__).parent / "data" / "official.toml"

HEADER = """\
# What the official v2-to-FHIR tables say of the segments and codes HCRM has a place for. Written by official/bring.py
# from HL7/v2-to-fhir, commit 8c9b414b of 2025-10-01 (Apache-2.0), © Health Level Seven International.
#
# tables       the segment maps and concept maps brought, and those left out (departures.toml says why)
# messages     message → the segment maps it uses, of those brought
# fields       field of a segment → FHIR elements
# components   component of a data type → FHIR elements
# codes        concept map → code → code; "" where the map names a code and gives it none
"""

_IDENTIFIER, _ATTRIBUTE, _SEGMENT_MAP, _ASSIGNED = 1, 9, 10, 16


def official(folder: Path) -> str:
    """The text of `official.toml`.

    Args:
        folder: Holds the folders `segments` and `codesystems`.
    """
    known = departures()
    segments = {_label(path): path for path in sorted((folder / "segments").glob("*.csv"))}
    types = {_label(path): path for path in sorted((folder / "datatypes").glob("*.csv"))}
    maps = {_label(path): path for path in sorted((folder / "codesystems").glob("*.csv"))}
    fields = _gathered(
        target for label, path in segments.items() if label not in known.tables for target in _targets(label, path)
    )
    components = _gathered(target for label in DATATYPES for target in _targets(label, types[label]))
    linked = sorted(known.linked.values())
    lines = [HEADER, "[tables]"]
    for name, labels in (
        ("segments", [label for label in segments if label not in known.tables]),
        ("segments_left_out", [label for label in segments if label in known.tables]),
        ("maps", linked),
        ("maps_left_out", [label for label in maps if label not in linked]),
    ):
        lines += [f"{name} = [", *(f"  {_quoted(label)}," for label in labels), "]"]
    lines += ["", "[messages]"]
    for path in sorted((folder / "messages").glob("*.csv")):
        used = sorted({row[_SEGMENT_MAP] for row in _rows(path)} & (segments.keys() - known.tables.keys()))
        lines.append(f"{_label(path)} = [{', '.join(map(_quoted, used))}]")
    lines += ["", "[fields]"]
    lines += [f"{name} = [{', '.join(map(_quoted, to))}]" for name, to in fields.items()]
    lines += ["", "[components]"]
    lines += [f"{_quoted(name)} = [{', '.join(map(_quoted, to))}]" for name, to in components.items()]
    for label in linked:
        lines += ["", f"[codes.{_quoted(label)}]"]
        lines += [f"{_quoted(code)} = {_quoted(to)}" for code, to in _pairs(maps[label]).items()]
    return "\n".join(lines) + "\n"


def _label(path: Path) -> str:
    return path.name.split("_ ", 1)[1].rsplit(" - ", 1)[0]


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [[cell.strip() for cell in row] + [""] * 20 for row in csv.reader(file)][2:]


def _gathered(targets: Iterable[tuple[str, str]]) -> dict[str, dict[str, None]]:
    found: dict[str, dict[str, None]] = {}
    for name, element in targets:
        found.setdefault(name, {})[element] = None
    return dict(sorted(found.items(), key=lambda item: place(item[0])))


def _targets(label: str, path: Path) -> Iterator[tuple[str, str]]:
    resource = label.partition("[")[2].rstrip("]").partition("-")[0]
    names: dict[tuple[str, str], str] = {}
    rows = [row for row in _rows(path) if re.fullmatch(r"[A-Z][A-Z0-9]{2}-\d+|[A-Z]+\.\d+", row[_IDENTIFIER])]
    for row in rows:
        if re.search(r"\.(url|uri)$", row[_ATTRIBUTE]):
            extended = (row[_IDENTIFIER], row[_ATTRIBUTE].rpartition(".")[0])
            names.setdefault(extended, row[_ASSIGNED].strip('" ').rpartition("/")[2])
    filled = {row[_IDENTIFIER] for row in rows if row[_ATTRIBUTE] and not _constant(row)}
    for row in rows:
        written = row[_ATTRIBUTE]
        if written and not re.search(r"\.(url|uri)$", written) and (not _constant(row) or row[1] not in filled):
            yield row[_IDENTIFIER], _element(resource, row[_IDENTIFIER], written, names)


def _constant(row: list[str]) -> bool:
    return row[_ASSIGNED].startswith('"')


def _element(resource: str, field: str, written: str, names: dict[tuple[str, str], str]) -> str:
    extended = re.match(r"(.*?extension\[\d+\])\.(value.*|extension.*)", written)
    if extended:
        name = names.get((field, extended[1])) or "local"
        written = f"{extended[1]}<{name}>"
    found = re.sub(r"\[[^\]]*\]|\(.*|=.*", "", written.replace(" ", "")).strip(".")
    return resource if found == "$this" else f"{resource}.{found}"


def _pairs(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        headed = list(csv.reader(file))
    at = headed[1].index("Code", 1)
    for row in headed[2:]:
        if row and row[0].strip():
            found.setdefault(row[0].strip(), row[at].strip() if len(row) > at else "")
    return found


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main(arguments: list[str]) -> int:
    """Write `official.toml`; the only argument is the folder."""
    if len(arguments) != 1 or not (Path(arguments[0]) / "segments").is_dir():
        print("Usage: python -m hcrm_adapter_hl7v2.official.bring FOLDER", file=sys.stderr)
        return 2
    OFFICIAL.write_text(official(Path(arguments[0])), encoding="utf-8")
    print(f"Wrote {OFFICIAL.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
