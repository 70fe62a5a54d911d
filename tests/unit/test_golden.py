"""The golden record: of the patients that say a field, the one whose record was stated last wins."""

from collections.abc import Iterable
from itertools import permutations

import msgspec
import pytest

from hcrm_core.config import USUAL_GOLDEN, GoldenSettings
from hcrm_core.identity.golden import Field, display_name
from hcrm_core.identity.golden import golden as by_settings
from hcrm_core.model.fold import stamp as stamp_of
from hcrm_core.model.translation import Statement
from hcrm_core.store.codec import Codec
from hcrm_core.store.packing import pack
from hcrm_core.store.queries.facts import Content, FactRow

CODEC = Codec(b"\x07" * 32)


def golden(rows: Iterable[FactRow], codec: Codec, settings: GoldenSettings = USUAL_GOLDEN) -> dict[str, Field]:
    return by_settings(rows, codec, settings)


def patient(number: int, *, stamp: int, void: bool = False, **fields: object) -> FactRow:
    hidden = {name: fields.pop(name) for name in ("name", "identifier", "telecom") if name in fields}
    sealed = CODEC.seal_fields(msgspec.json.encode(hidden)) if hidden else None
    content = Content(pack(msgspec.json.encode(fields)), sealed)
    key = CODEC.seal(b"k")
    moment = stamp_of(Statement(stamp), b"\0" * 12)
    return FactRow(
        f"p{number}", "Patient", "his", key, f"p{number}", None, content, moment, 0, void, number, number, False, number
    )


def number(value: str, system: str = "HOSP", kind: str | None = "MR") -> dict[str, object]:
    return {"system": system, "value": value} | ({"type": kind} if kind else {})


def test_the_latest_statement_wins_field_by_field_and_is_named() -> None:
    rows = [
        patient(3, stamp=5, gender="female", birth_date="1990-03-07"),
        patient(2, stamp=9, gender="male"),
    ]
    for order in permutations(rows):
        fields = golden(order, CODEC)
        assert (fields["gender"].value, fields["gender"].patient_id) == ("male", "p2")
        assert (fields["birth_date"].value, fields["birth_date"].patient_id) == ("1990-03-07", "p3")


def test_statements_of_one_instant_are_settled_by_the_patient_s_id() -> None:
    rows = [patient(1, stamp=5, gender="female"), patient(2, stamp=5, gender="male")]
    assert {golden(order, CODEC)["gender"].value for order in permutations(rows)} == {"male"}


def test_the_numbers_of_all_patients_are_kept_each_once_and_in_order() -> None:
    rows = [
        patient(1, stamp=5, identifier=[number("2"), number("1")]),
        patient(2, stamp=9, identifier=[number("1"), number("1", "OTHER"), number("9", kind=None)]),
    ]
    expected = [number("9", kind=None), number("1"), number("2"), number("1", "OTHER")]
    for order in permutations(rows):
        assert golden(order, CODEC)["identifier"].value == expected


def test_a_void_patient_says_nothing() -> None:
    rows = [patient(1, stamp=5, gender="female"), patient(2, stamp=9, void=True, gender="male")]
    assert golden(rows, CODEC)["gender"].value == "female"


def test_nobody_has_no_fields() -> None:
    assert golden([], CODEC) == {}


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([{"family": "王", "given": ["芳"]}], "王芳"),
        ([{"family": "欧阳", "given": ["明", "月"]}], "欧阳明月"),
        ([{"family": "王芳"}], "王芳"),
        ([{"family": "Eve", "given": ["Adam", "B"]}], "Adam B Eve"),
        ([{"given": ["Cher"]}], "Cher"),
        ([{"text": "王 芳 (小)", "family": "王"}], "王 芳 (小)"),
        ([{"family": "王", "given": ["芳"]}, {"family": "Wang"}], "王芳"),
        ([], ""),
        (None, ""),
        ([{}], ""),
    ],
)
def test_a_name_is_shown_as_people_write_it(names: list[dict[str, object]] | None, shown: str) -> None:
    assert display_name(names) == shown
