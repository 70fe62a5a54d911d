"""Whether a translation is what its type says it is."""

from collections.abc import Iterator
from typing import Any

import msgspec

from hcrm_core.api import Translation


def faults(translation: Any) -> Iterator[str]:
    """What is wrong with a translation, whatever it was made from, as sentences without a subject's data."""
    if not isinstance(translation, Translation):
        yield f"translate gives a {type(translation).__name__} and no Translation"
        return
    try:
        # Decoding checks what a constructor does not: types, patterns, ranges.
        back = msgspec.json.decode(msgspec.json.encode(translation), type=Translation)
    except (msgspec.ValidationError, msgspec.EncodeError, TypeError, ValueError) as error:
        yield f"the translation breaks its definition: {type(error).__name__}, {_place(error)}"
        return
    if back != translation:
        yield "the translation is not the same after it was written and read, as where a list stands for a tuple"
    keys = [(type(record).__name__, record.key) for record in translation.records]
    for kind in sorted({kind for kind, key in keys if keys.count((kind, key)) > 1}):
        yield f"two records of the kind {kind} have the same key"
    if translation.quarantine is not None and translation.records:
        yield "it is quarantined and has records"
    if translation.quarantine is None and translation.statement is None:
        yield "it is not quarantined and has no statement"


def _place(error: Exception) -> str:
    # The value may be somebody's; the path to it is nobody's.
    text = str(error)
    return text[text.rindex("`$") :] if "`$" in text else "of a value that cannot be written"
