"""The golden record: of the words of several patients about a field, one stands, and all are named."""

from collections.abc import Iterable
from itertools import permutations

import msgspec
import pytest

from hcrm_core.config import USUAL_GOLDEN, FieldSettings, GoldenSettings
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


def from_(source: str, row: FactRow) -> FactRow:
    return row._replace(source=source)


def test_trust_comes_before_recency_and_a_correction_by_hand_before_all() -> None:
    rows = [
        from_("emr", patient(1, stamp=1, district="西城")),
        from_("his", patient(2, stamp=9, district="朝阳")),
    ]
    assert golden(rows, CODEC)["district"].value == "朝阳", "no source is trusted more, so the later"
    trusting = GoldenSettings(trust=("emr", "his"))
    assert golden(rows, CODEC, trusting)["district"].value == "西城"
    rows.append(from_("manual", patient(3, stamp=0, district="海淀")))
    assert golden(rows, CODEC, trusting)["district"].value == "海淀"
    last = GoldenSettings(trust=("emr", "his", "manual"))
    assert golden(rows, CODEC, last)["district"].value == "西城", "where it is listed, it stands where it is listed"
    assert [word.source for word in golden(rows, CODEC, trusting)["district"].words] == ["manual", "emr", "his"]


def test_a_field_may_be_decided_otherwise_than_the_rest() -> None:
    rows = [
        from_("emr", patient(1, stamp=1, district="西城", language={"code": "zh"})),
        from_("his", patient(2, stamp=9, district="朝阳", language={"code": "en"})),
    ]
    own = GoldenSettings(trust=("emr",), fields={"language": FieldSettings(rule=("recency",))})
    fields = golden(rows, CODEC, own)
    assert (fields["district"].value, fields["language"].value) == ("西城", {"code": "en"})
    trusted = GoldenSettings(trust=("emr",), fields={"language": FieldSettings(trust=("his", "emr"))})
    assert golden(rows, CODEC, trusted)["language"].value == {"code": "en"}


def test_a_whole_birth_date_is_better_than_a_later_year() -> None:
    rows = [patient(1, stamp=1, birth_date="1990-03-07"), patient(2, stamp=9, birth_date="1990")]
    assert golden(rows, CODEC)["birth_date"].value == "1990-03-07"


def test_nobody_calls_the_dead_unless_the_death_is_corrected() -> None:
    rows = [
        from_("emr", patient(1, stamp=1, deceased_date_time="2026-02-01")),
        from_("his", patient(2, stamp=9, deceased=False)),
    ]
    fields = golden(rows, CODEC)
    assert (fields["deceased"].value, fields["deceased_date_time"].value) == (True, "2026-02-01")
    rows.append(from_("manual", patient(3, stamp=2, deceased=False)))
    fields = golden(rows, CODEC)
    assert fields["deceased"].value is False
    assert "deceased_date_time" not in fields


def test_what_is_cleared_is_not_known_until_somebody_who_is_trusted_more_says_it() -> None:
    rows = [
        from_("his", patient(1, stamp=9, occupation={"code": "24"})),
        from_("manual", patient(2, stamp=1, cleared=["occupation"])),
    ]
    fields = golden(rows, CODEC)
    assert fields["occupation"].value is None
    assert [word.source for word in fields["occupation"].words] == ["manual", "his"]
    assert "cleared" not in fields
    trusting = GoldenSettings(trust=("his", "manual"))
    assert golden(rows, CODEC, trusting)["occupation"].value == {"code": "24"}
