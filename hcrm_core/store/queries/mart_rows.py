"""What the mart copies: facts that are not void, with their customers, as they are now."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, text

from hcrm_core.model.fold import said_at
from hcrm_core.model.mart import MartRow
from hcrm_core.model.records import ABOUT_A_PERSON, KINDS
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import driver_select
from hcrm_core.store.packing import unpack
from hcrm_core.store.queries.links import members_of

BATCH = 50_000

STAFF_NUMBER = "EI"
"""HL7 table 0203: an employee number. Who has one is of the staff."""

Fields = Mapping[str, Any]
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


_COLUMNS = """f.fact_id, f.kind, COALESCE(pc.customer_id, f.patient_id), f.patient_id, c.body, s.stamp, f.known_at,
  {until}, CASE WHEN f.kind IN ('Patient', 'Coverage') THEN c.sealed END, f.source,
  CASE WHEN f.kind = 'Patient' THEN (
    SELECT h.household_id FROM patient_household AS h WHERE h.patient_id = f.fact_id) END,
  CASE WHEN f.kind = 'Patient' THEN (
    SELECT MAX(p.until) FROM past_household AS p WHERE p.patient_id = f.fact_id) END,
  CASE WHEN f.kind = 'Patient' THEN (
    SELECT MAX(r.patient_id) FROM patient_replaced AS r WHERE r.patient_id = f.fact_id) END,
  CASE WHEN f.kind = 'Patient' THEN (
    SELECT MAX(p.until) FROM past_replaced AS p WHERE p.patient_id = f.fact_id) END"""
_JOINED = """JOIN content AS c ON c.id = f.content_id JOIN statement AS s ON s.id = f.statement_id
LEFT JOIN patient_customer AS pc ON pc.patient_id = f.patient_id"""
_MOVED = """
LEFT JOIN (SELECT patient_id, MAX(until) AS until FROM past_customer GROUP BY patient_id) AS pp
  ON pp.patient_id = f.patient_id"""

_ALL = f"SELECT {_COLUMNS.format(until='pp.until')} FROM fact AS f {_JOINED} {_MOVED}"
_LAST_MOVE = "(SELECT MAX(p.until) FROM past_customer AS p WHERE p.patient_id = f.patient_id)"
_SOME = f"SELECT {_COLUMNS.format(until=_LAST_MOVE)} FROM {{wanted}} CROSS JOIN fact AS f {_JOINED}"


def mart_rows(
    connection: Connection, codec: Codec, kinds: Sequence[str], batch: int = BATCH
) -> Iterator[Sequence[MartRow]]:
    """All facts of `kinds` that are not void, in batches."""
    statement = text(f"{_ALL} WHERE NOT f.void AND f.kind IN :kinds")
    options = {"stream_results": True, "max_row_buffer": batch}
    result = connection.execute(
        statement.bindparams(bindparam("kinds", expanding=True)), {"kinds": list(kinds)}, execution_options=options
    )
    while rows := result.fetchmany(batch):
        yield [_row(row, codec) for row in rows]


def numbered_mart_rows(connection: Connection, codec: Codec, numbers: Iterable[int]) -> list[MartRow]:
    """Those of these facts that are not void."""
    query = f"{_SOME} WHERE f.number = w.value AND NOT f.void"
    return [_row(row, codec) for row in driver_select(connection, query, numbers, "bigint")]


def mart_rows_of(
    connection: Connection, codec: Codec, customers: Collection[str], kinds: Sequence[str]
) -> list[MartRow]:
    """The facts about some customers that are not void, and those of the directory, of these kinds."""
    patients = {*customers, *members_of(connection, customers)}
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    about = f"{_SOME} WHERE f.patient_id = w.value AND NOT f.void AND f.kind IN ({listed})"
    found = [_row(row, codec) for row in driver_select(connection, about, patients)]
    # Some who are another customer now were asked for too.
    found = [row for row in found if row.customer_id in customers]
    if directory := [kind for kind in kinds if kind not in ABOUT_A_PERSON]:
        found += [row for batch in mart_rows(connection, codec, directory) for row in batch]
    return found


def body_of(
    kind: str, fields: Fields, codec: Codec, source: str, household: str | None = None, replaced: bool = False
) -> str:
    """The body of a fact with these fields, its direct identifiers left out; of a patient with the household, and
    whether it was merged into another."""
    plain = {name: value for name, value in fields.items() if name not in KINDS[kind].SEALED}
    return _encode(plain | _tokens(fields, codec) | _of_patient(kind, source, household, replaced)).decode()


def _row(row: Sequence[Any], codec: Codec) -> MartRow:
    fact_id, kind, customer_id, patient_id, body, stamp, known_at, until, sealed, source, *of_patient = row
    household, housed, merged, merged_at = of_patient
    text_ = unpack(body).decode()
    tokens = _of_patient(kind, source, household, merged is not None)
    if sealed is not None:
        tokens |= _tokens(_decode(codec.open(sealed)), codec)
    if tokens:
        head = text_[:-1] + ("," if len(text_) > 2 else "")
        text_ = head + _encode(tokens).decode()[1:]
    valid_from = max(known_at, until or known_at, housed or known_at, merged_at or known_at)
    return MartRow(fact_id, kind, customer_id, patient_id, text_, said_at(stamp), known_at, valid_from)


def _of_patient(kind: str, source: str, household: str | None, replaced: bool) -> dict[str, Any]:
    """What the mart has of a patient beside its fields: whose word it is, the household, whether it was merged away."""
    if kind != "Patient":
        return {}
    said: dict[str, Any] = {"source": source, "household_id": household} if household else {"source": source}
    return said | {"replaced": True} if replaced else said


def _tokens(fields: Fields, codec: Codec) -> dict[str, Any]:
    """Keyed tokens of a telephone, an account and a policy: equal where those are, and revealing nothing else; and
    whether a number is an employee's."""
    found: dict[str, Any] = {}
    if any(number.get("type") == STAFF_NUMBER for number in fields.get("identifier") or ()):
        found["staff_number"] = True
    for contact in fields.get("telecom") or ():
        value = contact.get("value") or ""
        if contact.get("system") == "phone" and (digits := "".join(filter(str.isdigit, value))):
            # Without the country code, which some write and some do not.
            found.setdefault("phone_token", codec.token("phone", digits[-11:]))
        elif contact.get("system") == "other" and value:
            found.setdefault("device_token", codec.token("device", value))
    if subscriber := fields.get("subscriber_id"):
        found["payer_token"] = codec.token("payer", subscriber)
    return found


def opened(body: bytes, sealed: bytes | None, codec: Codec) -> dict[str, Any]:
    """The fields of a content."""
    fields = _decode(unpack(body))
    return fields | _decode(codec.open(sealed)) if sealed is not None else fields
