"""Write the reference pages from the code they describe: `python docs/generate.py`.

The pages are made by the modules beside this one. `tests/docs/test_reference.py` fails when a committed page is not
what this writes.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by `python docs/generate.py`. Change the code it describes, not this page. -->\n\n"

PAGES = {
    "cli": "generate_contracts:cli",
    "hooks": "generate_contracts:hooks",
    "mart": "generate_data:mart",
    "records": "generate_data:records",
    "configuration": "generate_settings:configuration",
    "fhir": "generate_fhir:fhir",
    "hl7v2": "generate_hl7v2:hl7v2",
    "hl7v2-official": "generate_official:page",
    "mappings": "generate_mapping:mappings",
    "tabular": "generate_tabular:tabular",
    "kits": "generate_kits:kits",
    "quality": "generate_quality:page",
}
"""Page → the function that makes it."""


def pages() -> dict[str, str]:
    """Every reference page: file name → text."""
    if str(FOLDER.parent) not in sys.path:
        sys.path.insert(0, str(FOLDER.parent))
    return {f"{name}.md": NOTE + _made(place)().rstrip() + "\n" for name, place in PAGES.items()}


def _made(place: str) -> Callable[[], str]:
    module, _, name = place.partition(":")
    made: Callable[[], str] = getattr(import_module(module), name)
    return made


def write() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"Wrote docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(write())
