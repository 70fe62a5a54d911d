"""The resident identity number of GB 11643: region (6 digits), birth (8), sequence (3), check digit."""

from datetime import date
from operator import mul

from hcrm_adapter_simulator.instants import ordered

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def identity_number(region: str, birth: date, sequence: int, sex: str) -> str:
    """A number with its check digit.

    Args:
        region: A GB/T 2260 code.
        birth: The birth date.
        sequence: 0…499; with the sex it makes the sequence code, odd for men and even for women.
        sex: `M` or `F`.
    """
    body = f"{region}{ordered(birth)}{sequence * 2 + (sex == 'M'):03d}"
    return body + _CHECKS[sum(map(mul, map(int, body), _WEIGHTS)) % 11]
