"""Fold record files into the store: what a message says, already as records, many at a time.

A record file stands in the inbox as one message whose payload is a manifest (name, hash, rows), so that the same file
lands once and every fact can name where it came from. The rows themselves stay in the file.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec

from hcrm_core.config import USUAL_IDENTITY, IdentitySettings
from hcrm_core.errors import InputError
from hcrm_core.identity.bulk import customers
from hcrm_core.identity.households import of_everybody
from hcrm_core.identity.marks import Told
from hcrm_core.identity.model import scorer_of
from hcrm_core.intake.fold import Accepted, Folder
from hcrm_core.intake.land import Arrival, land
from hcrm_core.mart.bulk import load_records
from hcrm_core.mart.manifest import Manifest
from hcrm_core.mart.record_files import RecordRow, count_rows, read_rows
from hcrm_core.model.adapters import RECORD_FILES
from hcrm_core.model.fold import stamp
from hcrm_core.model.records import AnyRecord
from hcrm_core.model.translation import Statement
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import processing
from hcrm_core.store.queries.processing import ProcessingRow

MESSAGE_TYPE = "records"

_decode = msgspec.json.Decoder(AnyRecord).decode


class Loaded(NamedTuple):
    """What loading a record file came to."""

    landed: bool
    records: int


def load(
    store: Store, source: str, path: Path, now: int, progress: Callable[[int], None] = lambda count: None
) -> Loaded:
    """Fold one record file; a file that was loaded before is left alone.

    A load that was interrupted is taken back and begun anew.

    Args:
        store: The workspace's store.
        source: The source the records belong to.
        path: The file.
        now: Arrival, microseconds UTC.
        progress: Told the number of records after every batch.

    Raises:
        InputError: It is no record file, or a row of it breaks its kind's definition.
    """
    manifest = {"file": path.name, "rows": count_rows(path), "sha256": _sha256(path)}
    body = msgspec.json.encode(manifest, order="deterministic")
    message_id, _, repeated = land(store, [Arrival(source, body, path.name[:200], form="records")], now)[0]
    with store.read() as connection:
        before = processing.outcomes(connection, [message_id]).get(message_id)
    if before and before.adapter == RECORD_FILES and before.state == "folded":
        return Loaded(False, 0)
    folder = Folder(store.codec, store.identity)
    with store.write() as connection:
        processing.put(connection, [_outcome(message_id, "loading", 0, now)])
        folder.apply(connection, (), now, voided=[message_id])
    records = 0
    for rows in read_rows(path):
        with store.write() as connection:
            records += folder.apply(connection, _accepted(path, message_id, source, rows), now)
        progress(len(rows))
    with store.write() as connection:
        processing.put(connection, [_outcome(message_id, "folded", records, now)])
    return Loaded(not repeated, records)


def load_mart(
    mart: Path,
    source: str,
    paths: Sequence[Path],
    key: bytes,
    *,
    now: int,
    today: date,
    identity: IdentitySettings = USUAL_IDENTITY,
) -> Manifest:
    """Load record files straight into a mart that has no store behind it, with the ids a store would give.

    For measuring and for populations beyond one machine's store; decisions cannot be applied to it.

    Args:
        mart: The mart's folder.
        source: The source the records belong to.
        paths: Record files.
        key: The workspace's key.
        now: Arrival, microseconds UTC.
        today: The day of `now` in the workspace's zone.
        identity: When patients are one customer.
    """
    token = Codec(key).token
    return load_records(
        mart,
        paths,
        source=source,
        key=key,
        customers=lambda patients, links: customers(patients, links, token, scorer_of(identity)),
        households=lambda facts, people: of_everybody(
            ((fact_id, Told(kind, patient_id, None, fields)) for kind, fact_id, patient_id, fields in facts),
            people,
            token,
        ),
        as_of_us=now,
        today=today,
    )


def _outcome(message_id: int, state: str, records: int, now: int) -> ProcessingRow:
    return ProcessingRow(message_id, state, MESSAGE_TYPE, 1, RECORD_FILES, records, processed_at=now)


def _accepted(path: Path, message_id: int, source: str, rows: Iterable[RecordRow]) -> Iterator[Accepted]:
    for (said_at, sequence, rank, control_id), group in groupby(
        rows, key=lambda row: (row.said_at, row.sequence, row.rank, row.control_id)
    ):
        # The control id stands in for the bytes of the message the statement was made in.
        place = stamp(Statement(said_at, sequence, rank=rank), hashlib.sha256(control_id.encode()).digest())
        yield Accepted(message_id, source, place, [_record(path, row) for row in group], ())


def _record(path: Path, row: RecordRow) -> AnyRecord:
    head = {"kind": row.kind, "key": row.key} | ({"group": row.group} if row.group is not None else {})
    body = row.body if row.body != "{}" else "}"
    joined = msgspec.json.encode(head)[:-1] + (b"," if body != "}" else b"") + body.lstrip("{").encode()
    try:
        return _decode(joined)
    except msgspec.DecodeError as error:
        reason = str(error).partition(" - at ")[0]
        raise InputError(f"{path}, message {row.control_id}: a {row.kind} breaks its definition: {reason}.") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
