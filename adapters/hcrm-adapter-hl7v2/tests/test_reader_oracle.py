"""The reader against hl7apy, written by others: every leaf of a random message is the same."""

from hl7apy.parser import parse_message
from hypothesis import given, settings
from hypothesis import strategies as st

from hcrm_adapter_hl7v2.reader import Message, compile_paths

PUNCTUATION = "!$%&*+/:;<=>?@^`|~#"


PIECES = [*"FFFCCCRRSSaB1é张-", "", "\\T\\", "\\X41\\", "\\.br\\", "\\", '""', '""F', "a b"]

bodies = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
delimiters = st.lists(st.sampled_from(PUNCTUATION), min_size=4, max_size=4, unique=True)


def message_text(marks, *bodies):
    """Return a message with these delimiters; bodies are segments with F, C, R, S for delimiters."""
    table = str.maketrans(dict(zip("FCRS", marks, strict=True)))
    segments = [f"{name}F{body}Fend" for name, body in zip(("ZAA", "ZBB"), bodies, strict=True)]
    head = f"MSH{marks[0]}{marks[1]}{marks[2]}\\{marks[3]}" + "FAFBFCFDF2020FFADTCA01F1FPF2.5".translate(table)
    return "\r".join([head, *(segment[:3] + segment[3:].translate(table) for segment in segments)]) + "\r"


def leaves_of_hl7apy(text):
    """Return {(segment, field, repetition, component, subcomponent): raw text}, empty leaves left out."""
    found = {}
    for segment in parse_message(text, find_groups=False).children:
        if segment.name == "MSH":
            continue
        counts = {}
        for field in segment.children:
            number = int(field.name[4:])
            counts[number] = counts.get(number, 0) + 1
            for c, component in enumerate(field.children, start=1):
                for s, subcomponent in enumerate(component.children, start=1):
                    raw = subcomponent.value
                    if raw := getattr(raw, "value", raw):
                        found[segment.name, number, counts[number], c, s] = raw
    return found


def leaves_of_ours(read):
    found = {}
    for segment in read.segments():
        if segment.id == "MSH":
            continue
        for number in segment.filled():
            for r in range(1, len(segment.repetitions(number)) + 1):
                for c in range(1, len(segment.components(number, r)) + 1):
                    for s, raw in enumerate(segment.subcomponents(number, c, r), start=1):
                        if raw:
                            found[segment.id, number, r, c, s] = raw
    return found


@settings(max_examples=500, deadline=None, derandomize=True)
@given(delimiters, bodies, bodies)
def test_every_leaf_is_what_hl7apy_finds(marks, one, two):
    text = message_text(marks, one, two)
    assert leaves_of_ours(Message(text)) == leaves_of_hl7apy(text)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(delimiters, bodies, bodies)
def test_every_way_of_reading_agrees(marks, one, two):
    read = Message(message_text(marks, one, two))
    raw = leaves_of_ours(read)
    references = [f"{s}-{f}[{r}].{c}.{k}" for s, f, r, c, k in raw] + [
        f"{s}-{f}.{c}" for s in ("ZAA", "ZBB", "ZCC") for f in range(1, 8) for c in range(1, 5)
    ]
    values = [read.get(reference) for reference in references]
    assert compile_paths(references)(read) == tuple(values)
    ordinary = [reference for reference in references if "[" not in reference]
    assert compile_paths(ordinary)(read) == tuple(values[len(raw) :])
    assert None not in values[: len(raw)]
