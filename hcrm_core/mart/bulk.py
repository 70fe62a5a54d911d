"""Load record files into the mart without a store: histories too large to fold row by row.

The fold is that of `model/fold.py`, said in SQL: of each record's statements, in their order, the last mention of a
field counts, and a field said empty is gone. Ids are the store's own tokens (`store/codec.py`), so that a mart loaded
here equals one refreshed from a store that folded the same files.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from hcrm_core.mart.manifest import Manifest
from hcrm_core.mart.refresh import DEFAULT, KINDS, BuildLimits, build
from hcrm_core.model.mart import Position
from hcrm_core.model.people import REPLACED_BY
from hcrm_core.model.records import PATIENT_FIELD, REFERENCES

Fields = Mapping[str, Any]
Customers = Callable[[Iterable[tuple[str, Fields]], Iterable[Fields]], Mapping[str, str]]
"""(patient id, fields) of all patients, and the fields of all links → patient id → customer id."""
Households = Callable[[Iterable[tuple[str, str, str, Fields]], Mapping[str, str]], Mapping[str, str]]
"""(kind, fact id, patient id, fields) of what may tie families, and patient id → customer id → patient id → household
id."""


def _contact(system: str) -> str:
    listed = "list_transform(json_extract(body, '$.telecom[*]'), lambda c: [c->>'$.system', c->>'$.value'])"
    return f"list_filter({listed}, lambda c: c[1] = '{system}' AND c[2] <> '')[1][2]"


# The same as `store.queries.mart_rows` makes of them.
_TOKENS = {
    "Patient": {
        "phone_token": "keyed('phone' || chr(31) || "
        f"nullif(right(regexp_replace({_contact('phone')}, '[^0-9]', '', 'g'), 11), ''))",
        "device_token": f"keyed('device' || chr(31) || {_contact('other')})",
        "staff_number": "CASE WHEN list_contains(json_extract_string(body, '$.identifier[*].type'), 'EI') "
        "THEN true END",
        "source": "(SELECT said_by FROM loaded)",
        "replaced": "CASE WHEN key IN (SELECT body->>'$.patient' FROM folded WHERE kind = 'PatientLink' "
        f"AND body->>'$.type' = '{REPLACED_BY}' AND body->>'$.other' <> body->>'$.patient') THEN true END",
    },
    "Coverage": {"payer_token": "keyed('payer' || chr(31) || nullif(body->>'$.subscriber_id', ''))"},
}

_BLOCK = 64
_PLACE = "(said_at, sequence, rank, sha256(control_id))"


def load_records(
    mart: Path,
    files: Sequence[Path],
    *,
    source: str,
    key: bytes,
    customers: Customers,
    households: Households,
    as_of_us: int,
    today: date,
    limits: BuildLimits = DEFAULT,
) -> Manifest:
    """Fold record files and publish the mart that shows them.

    Args:
        mart: The mart's folder.
        files: Record files, in the columns of `mart/record_files.py`.
        source: The source the records belong to.
        key: The workspace's key, so that ids are those the store would give.
        customers: Makes customers of patients.
        households: Makes households of them: (kind, fact id, patient id, fields) of each fact, patient → customer.
        as_of_us: Arrival of all of it, microseconds since 1970 UTC.
        today: The day of that instant in the workspace's zone.
        limits: Memory and threads.
    """

    def load(connection: duckdb.DuckDBPyConnection) -> None:
        _define_tokens(connection, key, source)
        connection.execute("CREATE TEMP TABLE loaded AS SELECT ?::VARCHAR AS said_by", [source])
        _fold(connection, files)
        people = customers(_patients(connection), _links(connection))
        known = pa.table({"patient_id": list(people), "customer_id": list(people.values())})
        connection.register("known_customer", known)
        homes = households(_of_families(connection), people)
        housed = pa.table(
            {"fact_id": pa.array(list(homes), pa.string()), "household_id": pa.array(list(homes.values()), pa.string())}
        )
        connection.register("known_household", housed)
        connection.execute(
            "CREATE TEMP TABLE fact AS SELECT fact_id, kind, coalesce(customer_id, patient_id) AS customer_id, "
            "patient_id, CASE WHEN household_id IS NULL THEN body ELSE json_merge_patch(body, "
            "json_object('household_id', household_id))::VARCHAR END AS body, said_at, "
            f"{int(as_of_us)}::BIGINT AS known_at, known_at AS valid_from FROM ({_pseudonymous()}) "
            "LEFT JOIN known_customer USING (patient_id) LEFT JOIN known_household USING (fact_id)"
        )

    return build(mart, load, position=Position(known_at=as_of_us), as_of_us=as_of_us, today=today, limits=limits)


def _define_tokens(connection: duckdb.DuckDBPyConnection, key: bytes, source: str) -> None:
    """`keyed(text)` and, with it, `token(kind, key)`: HMAC-SHA-256 (RFC 2104), since DuckDB has the hash alone."""
    block = key.ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    connection.execute(
        f"CREATE TEMP MACRO keyed(said) AS left(sha256(unhex('{outer.hex()}') || "
        f"unhex(sha256(unhex('{inner.hex()}') || encode(said)))), 20)"
    )
    of = source.replace("'", "''")
    connection.execute(f"CREATE TEMP MACRO token(kind, k) AS keyed(kind || chr(31) || '{of}' || chr(31) || k)")


def _fold(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    wanted = ", ".join(f"'{kind}'" for kind in (*KINDS, "PatientLink"))
    connection.execute(
        f"CREATE TEMP TABLE said AS SELECT kind::VARCHAR AS kind, key, body, said_at, {_PLACE} AS place, "
        "count(*) OVER (PARTITION BY kind, key) AS statements FROM read_parquet($files) "
        f"WHERE kind::VARCHAR IN ({wanted})",
        {"files": [str(file) for file in files]},
    )
    # Most records are stated once; only the others need their fields taken apart.
    connection.execute(
        "CREATE TEMP TABLE folded AS "
        "SELECT kind, key, json_merge_patch('{}', body)::VARCHAR AS body, said_at FROM said WHERE statements = 1 "
        "UNION ALL "
        "SELECT kind, key, json_merge_patch('{}', json_group_object(field, value))::VARCHAR, max(said_at) FROM ("
        "  SELECT kind, key, field, arg_max(json_extract(body, '$.\"' || field || '\"'), place) AS value,"
        "    max(latest) AS said_at FROM ("
        "      SELECT kind, key, body, place, max(said_at) OVER (PARTITION BY kind, key) AS latest,"
        "        unnest(json_keys(body)) AS field FROM said WHERE statements > 1) GROUP BY kind, key, field) "
        "GROUP BY kind, key"
    )


def _pseudonymous() -> str:
    """The folded records with tokens for keys, as a query."""
    parts = []
    for kind in KINDS:
        fields = REFERENCES[kind]
        said = {name: f"body->>'$.{name}'" for name in fields}
        tokens = {name: f"token('{target}', {said[name]})" for name, target in fields.items()} | _TOKENS.get(kind, {})
        patch = ", ".join(f"'{name}', {token}" for name, token in tokens.items())
        body = f"json_merge_patch(body, json_object({patch}))::VARCHAR" if patch else "body"
        own = PATIENT_FIELD.get(kind)
        patient = "token(kind, key)" if kind == "Patient" else f"token('Patient', {said[own]})" if own else "NULL"
        parts.append(
            f"SELECT token(kind, key) AS fact_id, kind, {patient} AS patient_id, {body} AS body, said_at "
            f"FROM folded WHERE kind = '{kind}'"
        )
    return " UNION ALL ".join(parts)


def _patients(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Fields]]:
    rows = connection.execute("SELECT token(kind, key), body FROM folded WHERE kind = 'Patient' ORDER BY key")
    while batch := rows.fetchmany(10_000):
        for patient_id, body in batch:
            yield patient_id, msgspec.json.decode(body)


def _links(connection: duckdb.DuckDBPyConnection) -> Iterator[Fields]:
    ends = "token('Patient', body->>'$.patient'), token('Patient', body->>'$.other'), body->>'$.type'"
    rows = connection.execute(f"SELECT {ends} FROM folded WHERE kind = 'PatientLink' ORDER BY key")
    for row in rows.fetchall():
        yield dict(zip(("patient", "other", "type"), row, strict=True))


def _of_families(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, str, Fields]]:
    rows = connection.execute(
        "SELECT kind, token(kind, key), CASE kind WHEN 'Patient' THEN token(kind, key) "
        "WHEN 'RelatedPerson' THEN token('Patient', body->>'$.patient') "
        "ELSE token('Patient', body->>'$.beneficiary') END, body FROM folded "
        "WHERE kind IN ('Patient', 'RelatedPerson', 'Coverage') ORDER BY kind, key"
    )
    while batch := rows.fetchmany(10_000):
        for kind, fact_id, patient_id, body in batch:
            yield kind, fact_id, patient_id, msgspec.json.decode(body)
