"""What the races send: an admission of two kilobytes and fourteen segments, a report of twenty results.

Synthetic; every message made is a new one, of one of `PATIENTS` patients.
"""

from collections.abc import Callable
from pathlib import Path

PATIENTS = 2_000

_DATA = Path(__file__).parent / "data"


def maker(kind: str, first: int = 0) -> Callable[[], bytes]:
    """A function that makes a new message at each call.

    Args:
        kind: `adt` or `oru`.
        first: The number before the first; numbers make control ids and choose patients.
    """
    template = (_DATA / f"{kind}.hl7.template").read_text(encoding="utf-8").replace("\n", "\r")
    number = first

    def make() -> bytes:
        nonlocal number
        number += 1
        patient = f"{number % PATIENTS:06d}"
        return template.format(
            control=f"{kind}{number}", patient=patient, visit=number, document=f"310101197904{patient}"
        ).encode()

    return make
