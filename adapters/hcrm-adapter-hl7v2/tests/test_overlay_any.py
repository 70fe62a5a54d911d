"""Whatever an accepted overlay reads, and whatever stands there, records keep to their definition and have origins."""

import msgspec
import pytest
from support.hl7v2 import PID, adapter, message, pv1

from hcrm_adapter_hl7v2.mapping.kinds import GIVES, LINKS
from hcrm_adapter_hl7v2.mapping.tables import shipped
from hcrm_core.api import KINDS, TextFile, fields_of, fits, reference_of

NASTY = (
    "", '""', "2", "王^芳", "20260310", "202603101030", "F", "a&b^c~d^e&f", "\\F\\^\\X0D\\", "-1", "9" * 30, "1.5&CNY",
    "Y", "^^^", "~", "1^^^A^MR~2", "^PRN^CP^a@b.c", "天", "0", "1e5", "1^x^HL7^2^y^L", "\\", "&",
)  # fmt: skip
SEGMENTS = (
    "NK1", "AL1", "DG1", "PR1", "IN1", "OBR", "OBX", "SCH", "FT1", "MRG", "IAM", "ORC", "RXO", "RXE", "RXD", "RXA",
    "PRB", "PRD", "RF1", "STF", "LOC", "CDM", "PRC",
)  # fmt: skip


def readable(kind: str, field: str) -> list[str]:
    """The data types a field may be read as."""
    reference = reference_of(kind, field)
    if reference:
        return [name for name, made in LINKS.items() if made == reference]
    return [name for name, example in GIVES.items() if fits(kind, field, example)]


def rule(kind: str, field: str, turn: int, place: int) -> str | None:
    """A line that reads a field; as something else each turn."""
    types = readable(kind, field)
    if not types:
        return None
    datatype = types[turn % len(types)]
    second = f"ZZZ-{place % len(NASTY) + 1}"
    said = f'path = ["ZZZ-{(place + turn) % len(NASTY) + 1}", "{second}"], as = "{datatype}"'
    more = {
        "code": ', table = "any"',
        "coding": ', table = "any", system = "S"',
        "concept": ', system = "S"',
        "minutes": f', unit = ["{second}", "ZZZ-3"]',
        "amount": f', unit = ["ZZZ-4", "{second}"]',
    }
    joined = ", join = true" if isinstance(GIVES.get(datatype), list) and turn % 2 else ""
    return f"{field} = {{ {said}{more.get(datatype, '')}{joined} }}"


@pytest.mark.parametrize("name", sorted(shipped().records))
def test_no_text_makes_an_accepted_overlay_break_a_record(name: str) -> None:
    kind = shipped().records[name].kind or name
    kept = {field for field, how in shipped().records[name].fields.items() if how.origin}
    fields = [field for field in fields_of(kind) if field not in kept]
    texts = "|".join(NASTY)
    payload = message("ADT^A01", PID, pv1(), "ZZZ|" + texts, *(f"{one}|{texts}" for one in SEGMENTS)).encode()
    for turn in range(8):
        lines = filter(None, (rule(kind, field, turn, place) for place, field in enumerate(fields)))
        text = "\n".join((f'[records.{name}]\nevents = ["*"]\n[records.{name}.fields]', *lines))
        codes = '\n[codes.any]\n"2" = "x"\n' if '"any"' in text else ""
        reading = adapter(mapping=TextFile("any.toml", text + codes))
        translation = reading.translate(payload)
        assert translation.quarantine is None
        known = {(origin.kind, origin.key, origin.field) for origin in reading.origins(payload)}
        for record in translation.records:
            said = msgspec.json.decode(msgspec.json.encode(record))
            assert msgspec.convert(said, KINDS[said["kind"]]) == record
            for field in said.keys() - {"kind", "key", "group"}:
                assert (said["kind"], said["key"], field) in known
