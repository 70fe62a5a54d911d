"""Make the vocabularies of `packing.py` from what a workspace holds.

    python -m hcrm_core.store.vocabulary WORKSPACE FOLDER

Those in the project were made from synthetic hospitals, one told in HL7 v2 and one in FHIR: pieces of what a vocabulary
is made from stand in it, so it is never made from real people. A vocabulary that is in use is never made anew.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import zstandard

from hcrm_core.config import Configuration
from hcrm_core.store.codec import Codec, read_key
from hcrm_core.store.engine import Store, driver_rows
from hcrm_core.store.packing import MESSAGES, RECORDS, unpack, vocabulary_file

SIZE = 32 * 1024
_SAMPLES = 30_000
_LONGEST = 6_000
_TOKEN = re.compile(rb'"[0-9a-f]{20}"')


def samples(store: Store) -> dict[str, list[bytes]]:
    """What a store holds, for each vocabulary, ids taken out: they are of this workspace alone."""
    with store.read() as connection:
        rows = driver_rows(connection, "SELECT body, sealed FROM content ORDER BY id", ())
    records = [_TOKEN.sub(b'""', unpack(part)) for row in rows for part in row if part is not None]
    with store.read_inbox() as connection:
        rows = driver_rows(connection, "SELECT body FROM payload ORDER BY message_id", ())
    return {RECORDS: records, MESSAGES: [store.codec.open(body) for (body,) in rows]}


def train(texts: Sequence[bytes]) -> bytes:
    """A vocabulary for texts like these; the same texts give the same bytes.

    Raises:
        zstandard.ZstdError: They are too few.
    """
    short: list[bytes | bytearray | memoryview[int]] = [text for text in texts if len(text) <= _LONGEST]
    step = max(len(short) // _SAMPLES, 1)
    return zstandard.train_dictionary(SIZE, short[::step]).as_bytes()


def main(workspace: str, folder: str) -> None:
    """Write both vocabularies of a workspace into a folder."""
    configuration = Configuration(Path(workspace))
    key = read_key(configuration.path(configuration.settings.store.key_file))
    store = Store(configuration.store_url, configuration.inbox_url, Codec(key))
    for name, texts in samples(store).items():
        file = Path(folder) / vocabulary_file(name).name
        file.write_bytes(train(texts))
        print(f"{file}: made from {len(texts):,} texts.")
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
