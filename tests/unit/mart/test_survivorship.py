"""The mart's customers are the store's: one order of words, said in Python and in SQL, by any settings."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hcrm_core.config import FieldSettings, GoldenSettings
from hcrm_core.identity.golden import golden, values_of
from hcrm_core.mart.live import open_live
from hcrm_core.model.fold import stamp
from hcrm_core.model.mart import MartRow, Position
from hcrm_core.model.records import KINDS
from hcrm_core.model.survivorship import completeness, place_of
from hcrm_core.model.translation import Statement
from hcrm_core.store.codec import Codec
from hcrm_core.store.packing import pack
from hcrm_core.store.queries.facts import Content, FactRow
from hcrm_core.store.queries.mart_rows import body_of

CODEC = Codec(b"\x07" * 32)
SOURCES = ("his", "emr", "lis", "manual")
FIELDS = (
    "gender", "birth_date", "district", "education", "occupation", "interests", "interest_departments",
    "information_needs", "customer_kinds", "telecom", "deceased", "deceased_date_time",
)  # fmt: skip

codings = st.sampled_from([{"code": "20"}, {"code": "30", "display": "本科"}, {"display": "不详"}])
texts = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3, unique=True)
values: dict[str, st.SearchStrategy[Any]] = {
    "gender": st.sampled_from(["male", "female", "unknown"]),
    "birth_date": st.sampled_from(["1990", "1991-03", "1992-03-07", "1993-03-07"]),
    "district": st.sampled_from(["西城", "朝阳"]),
    "education": codings,
    "occupation": codings,
    "interests": texts,
    "interest_departments": texts,
    "information_needs": texts,
    "customer_kinds": st.lists(st.sampled_from(["partner", "internal"]), min_size=1, unique=True),
    "telecom": st.sampled_from([[{"system": "phone", "value": "13800000001"}], [{"system": "phone", "value": "2"}]]),
    "deceased": st.booleans(),
    "deceased_date_time": st.sampled_from(["2026", "2026-02-03", "2026-02-04"]),
}
criteria = st.lists(st.sampled_from(["trust", "completeness", "recency"]), unique=True).map(tuple)
trusts = st.lists(st.sampled_from(SOURCES), unique=True).map(tuple)
golden_settings = st.builds(
    GoldenSettings,
    trust=trusts,
    rule=criteria,
    fields=st.dictionaries(
        st.sampled_from(FIELDS),
        st.builds(FieldSettings, trust=st.none() | trusts, rule=st.none() | criteria),
        max_size=3,
    ),
)
patients = st.lists(
    st.tuples(
        st.sampled_from(SOURCES),
        st.integers(1, 3),  # so few instants that they often agree
        st.fixed_dictionaries({}, optional=values),
        st.lists(st.sampled_from(FIELDS), max_size=2, unique=True),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)
Patient = tuple[str, int, dict[str, Any], list[str], bool]
"""Source, instant, fields, those that are cleared, and whether the source merged it into another."""


def said(patient: Patient) -> dict[str, Any]:
    _, _, fields, cleared, _ = patient
    left = [name for name in cleared if name not in fields]
    return fields | ({"cleared": left} if left else {})


def in_store(place: int, patient: Patient) -> FactRow:
    source, at, *_ = patient
    fields = said(patient)
    hidden = {name: fields.pop(name) for name in KINDS["Patient"].SEALED & fields.keys()}
    sealed = CODEC.seal_fields(msgspec.json.encode(hidden)) if hidden else None
    content = Content(pack(msgspec.json.encode(fields)), sealed)
    place_in_order, name = stamp(Statement(at), b"\0" * 12), f"p{place}"
    return FactRow(
        name, "Patient", source, CODEC.seal(b"k"), name, None, content, place_in_order, 0, False, place, place, False,
        place, replaced=patient[-1],
    )  # fmt: skip


def in_mart(place: int, patient: Patient) -> MartRow:
    source, at, *_ = patient
    body = body_of("Patient", said(patient), CODEC, source, replaced=patient[-1])
    return MartRow(f"p{place}", "Patient", "p0", f"p{place}", body, at, 5, 5)


def columns(known: dict[str, Any]) -> dict[str, Any]:
    """What the mart shows of the store's golden record."""
    phone = (known.get("telecom") or [{"value": None}])[0]["value"]
    died = known.get("deceased_date_time") or ""
    return {
        "sex": known.get("gender"),
        "birth_year": int(known["birth_date"][:4]) if "birth_date" in known else None,
        "district": known.get("district"),
        "education": known.get("education", {}).get("code"),
        "occupation": known.get("occupation", {}).get("code"),
        "interests": known.get("interests"),
        "interest_departments": known.get("interest_departments"),
        "information_needs": known.get("information_needs"),
        "kinds": sorted(known.get("customer_kinds", [])),
        "phone_token": CODEC.token("phone", phone) if phone else None,
        "deceased": known.get("deceased"),
        "deceased_on": date.fromisoformat(died) if len(died) == 10 else None,
    }


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=patients, order=st.randoms(use_true_random=False), by=golden_settings)
def test_the_mart_shows_the_customer_that_the_store_shows(
    tmp_path: Path, people: list[Patient], order: Any, by: GoldenSettings
) -> None:
    rows = [in_store(place, one) for place, one in enumerate(people)]
    expected = golden(rows, CODEC, by)
    order.shuffle(rows)
    assert golden(rows, CODEC, by) == expected, "whatever the order"
    mart_rows = [in_mart(place, one) for place, one in enumerate(people)]
    order.shuffle(mart_rows)
    with open_live(
        tmp_path, mart_rows, position=Position(1), today=date(2026, 3, 10), tables=("customer",), golden=by
    ) as mart:
        (row,) = mart.query("SELECT * FROM customer", {}, name="test").to_pylist()
    shown = columns(values_of(expected))
    assert {name: row[name] for name in shown} == shown


@given(people=patients, by=golden_settings, field=st.sampled_from(FIELDS))
def test_no_two_words_of_different_patients_have_one_place(
    people: list[Patient], by: GoldenSettings, field: str
) -> None:
    places = [
        place_of(by, field, one[2].get(field), source=one[0], said_at=one[1], patient_id=f"p{place}", replaced=one[4])
        for place, one in enumerate(people)
    ]
    assert len(set(places)) == len(places)


@given(people=patients, by=golden_settings, field=st.sampled_from(FIELDS))
def test_whom_a_source_merged_away_comes_after_everybody_else_whatever_the_settings(
    people: list[Patient], by: GoldenSettings, field: str
) -> None:
    places = {
        place_of(
            by, field, one[2].get(field), source=one[0], said_at=one[1], patient_id=f"p{place}", replaced=one[4]
        ): one
        for place, one in enumerate(people)
    }
    replaced = [places[place][4] for place in sorted(places)]
    assert replaced == sorted(replaced, reverse=True)


def test_how_complete_a_value_is() -> None:
    assert completeness("birth_date", "1990-03-07") > completeness("birth_date", "1990-03") > 0
    assert completeness("gender", "male") > completeness("gender", "unknown") == completeness("gender", None)
    assert completeness("deceased", True) > completeness("deceased", False)
    whole, half = {"line": ["a"], "city": "b", "postal_code": "c"}, {"city": "b"}
    assert completeness("address", [whole]) > completeness("address", [half])
    assert completeness("education", {"code": "1", "display": "x"}) == completeness("education", {"code": "1"}) == 1
