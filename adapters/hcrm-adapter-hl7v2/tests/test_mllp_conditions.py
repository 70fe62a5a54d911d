"""Who is answered what, and when: every combination, with its answer written out (HL7 v2.5.1 §2.9.2, §2.9.3)."""

from itertools import product

import pytest

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter, Hl7v2Settings
from hcrm_core.api import Verdict

# MSH-15, MSH-16: what is answered when a source acknowledges on commit and a message is stored; when it acknowledges
# on application and a message is stored; folded; quarantined; refused; unavailable. "-" is no answer.
TABLE = """
    15   16   | commit   | application  folded  quarantined  refused  unavailable
    .    .    | AA       | -            AA      AE           AR       AE

    AL   .    | CA       | CA           -       -            CR       CE
    NE   .    | -        | -            -       -            -        -
    ER   .    | -        | -            -       -            CR       CE
    SU   .    | CA       | CA           -       -            -        -

    .    AL   | AA       | -            AA      AE           AR       AE
    AL   AL   | CA,AA    | CA           AA      AE           CR       CE
    NE   AL   | AA       | -            AA      AE           AR       AE
    ER   AL   | AA       | -            AA      AE           CR       CE
    SU   AL   | CA,AA    | CA           AA      AE           AR       AE

    .    NE   | -        | -            -       -            -        -
    AL   NE   | CA       | CA           -       -            CR       CE
    NE   NE   | -        | -            -       -            -        -
    ER   NE   | -        | -            -       -            CR       CE
    SU   NE   | CA       | CA           -       -            -        -

    .    ER   | -        | -            -       AE           AR       AE
    AL   ER   | CA       | CA           -       AE           CR       CE
    NE   ER   | -        | -            -       AE           AR       AE
    ER   ER   | -        | -            -       AE           CR       CE
    SU   ER   | CA       | CA           -       AE           AR       AE

    .    SU   | AA       | -            AA      -            -        -
    AL   SU   | CA,AA    | CA           AA      -            CR       CE
    NE   SU   | AA       | -            AA      -            -        -
    ER   SU   | AA       | -            AA      -            CR       CE
    SU   SU   | CA,AA    | CA           AA      -            -        -
"""
ROWS = [line.replace("|", " ").split() for line in TABLE.splitlines() if line.strip()][1:]
CASES = [
    (accept.strip("."), application.strip("."), policy, outcome, answer.strip("-"))
    for accept, application, at_commit, at_application, *others in ROWS
    for policy, outcome, answer in (
        ("commit", "stored", at_commit),
        ("application", "stored", at_application),
        *(
            (policy, outcome, answer)
            for policy in ("commit", "application")
            for outcome, answer in zip(("folded", "quarantined", "refused", "unavailable"), others, strict=True)
        ),
    )
]


def answers(accept, application, policy, outcome):
    """The codes of the acknowledgments, each a frame of its own."""
    adapter = Hl7v2Adapter("his", Hl7v2Settings(adapter="hl7v2", acknowledge=policy))
    message = f"MSH|^~\\&|A|B|C|D|20250102||ADT^A01|M1|P|2.5.1|||{accept}|{application}\r".encode()
    found = adapter.acknowledge(message, Verdict(outcome, 7, 1_700_000_000_000_000))
    frames = found.split(b"\x1c\r")
    assert frames.pop() == b""
    assert all(frame.startswith(b"\x0bMSH|") for frame in frames)
    return ",".join(frame.split(b"\rMSA|")[1][:2].decode() for frame in frames)


def test_the_table_is_whole():
    values = ("", "AL", "NE", "ER", "SU")
    outcomes = ("stored", "folded", "quarantined", "refused", "unavailable")
    assert {case[:4] for case in CASES} == set(product(values, values, ("commit", "application"), outcomes))


@pytest.mark.parametrize(("accept", "application", "policy", "outcome", "expected"), CASES)
def test_a_message_is_answered_as_it_asks(accept, application, policy, outcome, expected):
    assert answers(accept, application, policy, outcome) == expected


@pytest.mark.parametrize(
    ("accept", "application", "like"),
    [
        (" al ", "", ("AL", "")),
        ("ne", "Al", ("NE", "AL")),
        ("XX", "", ("AL", "")),
        ("", "always", ("", "AL")),
        ('""', '""', ("", "")),
        (" ", " ", ("", "")),
    ],
)
@pytest.mark.parametrize("outcome", ["stored", "folded", "quarantined", "refused", "unavailable"])
def test_conditions_are_read_leniently(accept, application, like, outcome):
    assert answers(accept, application, "commit", outcome) == answers(*like, "commit", outcome)
