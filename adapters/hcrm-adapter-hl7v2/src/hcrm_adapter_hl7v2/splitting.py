"""From the bytes of a file or of a frame to the messages in it, which are the same bytes at both doors."""

from collections.abc import Iterator

from msgspec import structs

from hcrm_adapter_hl7v2.reader import FileRemark, Repair, split_messages
from hcrm_core.api import InputError, Problem, RawMessage


def raw_messages(data: bytes, thing: str = "file") -> Iterator[RawMessage]:
    """Cut bytes into messages; wrappers, framing and blank lines around them are reported as repairs.

    Args:
        data: A whole file or the inside of a frame.
        thing: What a sentence calls it.

    Raises:
        InputError: No message is in it; the text says what it seems to be.
    """
    before: list[Problem] = []
    held: RawMessage | None = None
    for item in split_messages(data, thing):
        if isinstance(item, FileRemark):
            if item.code == "not-hl7":
                raise InputError(item.text)
            remark = problem_of(item)
            if held is None:
                before.append(remark)
            else:
                held = structs.replace(held, repairs=(*held.repairs, remark))
            continue
        if held is not None:
            yield held
        # A message is held back until what stands behind it is known: it may be a missing trailer or stray bytes.
        held = RawMessage(item.raw, control_id(item.raw), (*before, *map(problem_of, item.repairs)))
        before = []
    if held is None:
        raise InputError("there is no MSH segment in it")
    yield held


def control_id(payload: bytes) -> str:
    """The sender's id of a message, MSH-10 (HL7 v2.5.1 §2.15.9.10), as it is shown and searched for."""
    # The header's own charset matters little here: a control id is ASCII, and what is not must only be stable.
    fields = header_line(payload).split(payload[3:4], 10)
    found = fields[9] if len(fields) > 9 else b""
    text = found.decode("ascii", "backslashreplace")
    return (text if text.isprintable() else "".join(filter(str.isprintable, text)))[:200]


def header_line(payload: bytes) -> bytes:
    """The first line of a message, without its end."""
    end = payload.find(b"\r")
    line = payload[:end] if end >= 0 else payload
    return line.partition(b"\n")[0] if b"\n" in line else line


def problem_of(found: Repair | FileRemark) -> Problem:
    """What the reader put right or set aside, as the core keeps it."""
    return Problem(found.code, str(found.where), sentence(found.text))


def sentence(clause: str) -> str:
    """A clause of the reader's, which stands behind a place and a colon, by itself."""
    return f"{clause[:1].upper()}{clause[1:]}."
