"""What one record says, in the parts the log is made of; built where the record was translated, which holds no key."""

from typing import Any

import msgspec
from msgspec import Struct

from hcrm_core.model.records import KINDS, REFERENCES, AnyRecord, Record
from hcrm_core.model.translation import Translation

_encode = msgspec.json.Encoder(order="deterministic").encode
_write = msgspec.json.Encoder().encode
_check = msgspec.json.Decoder(AnyRecord).decode
_SEALED = {kind: record.SEALED for kind, record in KINDS.items()}


class Said(Struct, frozen=True, array_like=True):
    """One record, checked and taken apart.

    Attributes:
        kind, key, group: Of the record.
        references: (field, key of the record it names), in the order of the kind's fields.
        body: JSON of all other fields that are no direct identifiers; what is said empty is `null`, references too.
        sealed: JSON of the direct identifiers, `None` where it mentions none.
        empties: Whether some field is said empty.
    """

    kind: str
    key: str
    group: str | None
    references: tuple[tuple[str, str], ...]
    body: bytes
    sealed: bytes | None
    empties: bool


class Told(Translation, frozen=True):
    """A translation whose records are taken apart."""

    records: tuple[Said, ...] = ()  # type: ignore[assignment]


def take_apart(record: Record) -> Said:
    """Take one record apart.

    Raises:
        msgspec.ValidationError: It breaks its kind's definition.
    """
    _check(_write(record))  # a third of what `msgspec.convert` takes
    fields: dict[str, Any] = msgspec.to_builtins(record)
    kind, key, group = fields.pop("kind"), fields.pop("key"), fields.pop("group", None)
    references = tuple([(name, fields.pop(name)) for name in REFERENCES[kind] if fields.get(name)])
    hidden = {name: fields.pop(name) for name in _SEALED[kind] if name in fields}
    empties = None in fields.values() or None in hidden.values()
    return Said(kind, key, group, references, _encode(fields), _encode(hidden) if hidden else None, empties)


class Teller:
    """Takes translations apart; a sender repeats itself, so records are remembered."""

    REMEMBERED = 10_000

    def __init__(self) -> None:
        self._known: dict[Record, Said] = {}

    def tell(self, translation: Translation) -> Told:
        """The translation with its records taken apart.

        Raises:
            msgspec.ValidationError: A record breaks its kind's definition.
        """
        return Told(
            translation.message_type,
            translation.statement,
            tuple([self._said(record) for record in translation.records]),
            translation.complete,
            translation.coverage,
            translation.problems,
            translation.quarantine,
        )

    def _said(self, record: Record) -> Said:
        try:
            known = self._known.get(record)
        except TypeError:  # a value that cannot be hashed is none a definition allows, unless it is a list
            return take_apart(record)
        if known is None:
            if len(self._known) >= self.REMEMBERED:
                self._known.clear()
            known = self._known[record] = take_apart(record)
        return known
