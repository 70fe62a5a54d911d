"""The pure fold: one total order of statements, and what a fact is after the last of them."""

from hypothesis import given
from hypothesis import strategies as st

from hcrm_core.model.fold import Event, earliest_stamp, fold, leaves_as_it_is, said_at, stamp
from hcrm_core.model.translation import Statement

TEN = 1_767_232_800_000_000  # 2026-01-01T10:00:00+08:00 in microseconds

times = st.integers(-(10**17), 10**17)
control_ids = st.text(alphabet="M-ab0129", max_size=6)
statements = st.builds(
    Statement,
    said_at=times,
    sequence=st.integers(-1, 2**32 - 2),
    rising=control_ids,
    rank=st.integers(0, 1),
)
hashes = st.binary(min_size=32, max_size=32)


def place(said: int = TEN, *, sequence: int = -1, rising: str = "", rank: int = 0, content: bytes = b"\x55") -> bytes:
    return stamp(Statement(said, sequence, rising, rank), content * 32)


# --- the order of statements ---------------------------------------------------------------------------------------


def test_a_later_statement_time_wins_over_everything_else() -> None:
    early = place(TEN, sequence=99, rising="M99", rank=1, content=b"\xff")
    assert early < place(TEN + 1, content=b"\x00")


def test_at_equal_time_the_sequence_number_decides_and_none_comes_first() -> None:
    ordered = [place(sequence=number) for number in (-1, 0, 1, 9, 10, 2**31)]
    assert ordered == sorted(ordered)
    assert len(set(ordered)) == len(ordered)


def test_at_equal_sequence_a_rising_control_id_decides_in_natural_order() -> None:
    rising = ("", "M", "M1", "M9", "M10", "M100", "MA", "N1")
    ordered = [place(rising=one) for one in rising]
    assert ordered == sorted(ordered)


def test_leading_zeros_and_runs_of_digits_inside_a_control_id_are_numbers() -> None:
    assert place(rising="2026-9") < place(rising="2026-010") < place(rising="2026-11")
    assert place(rising="A2B10") > place(rising="A2B9")
    assert place(rising="A10B1") > place(rising="A9B99")


def test_a_control_id_outranks_a_cancel_and_a_cancel_outranks_the_hash() -> None:
    assert place(rising="M1", rank=1) < place(rising="M2", rank=0)
    assert place(rank=0, content=b"\xff") < place(rank=1, content=b"\x00")


def test_the_hash_settles_what_nothing_else_does() -> None:
    assert place(content=b"\x01") < place(content=b"\x02")
    assert place(content=b"\x01") == place(content=b"\x01")


def test_statements_before_1970_sort_before_those_after() -> None:
    assert place(-5) < place(0) < place(5)


@given(statements, statements, hashes, hashes)
def test_stamps_sort_as_time_then_sequence_do_and_keep_the_time(
    one: Statement, other: Statement, hash_one: bytes, hash_other: bytes
) -> None:
    first, second = stamp(one, hash_one), stamp(other, hash_other)
    if (one.said_at, one.sequence) != (other.said_at, other.sequence):
        assert (first < second) == ((one.said_at, one.sequence) < (other.said_at, other.sequence))
    assert said_at(first) == one.said_at
    assert earliest_stamp(one.said_at) <= first
    assert earliest_stamp(one.said_at + 1) > first


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from(("", "M", "HIS-", "订单")))
def test_numbered_control_ids_sort_as_their_numbers(one: int, other: int, prefix: str) -> None:
    assert (place(rising=f"{prefix}{one}") < place(rising=f"{prefix}{other}")) == (one < other)


# --- the fold -------------------------------------------------------------------------------------------------------

fields = st.dictionaries(st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 3)), max_size=3)


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    """Statements with few distinct stamps; at one stamp at most one mention and one complete set."""
    events = []
    for moment in draw(st.sets(st.integers(0, 6), max_size=7)):
        if draw(st.booleans()):
            events.append(Event(place(moment), None))
        if draw(st.booleans()):
            events.append(Event(place(moment), draw(fields)))
    return events


def test_nothing_said_is_no_fact() -> None:
    assert fold([]) is None


def test_what_is_said_stays_until_it_is_said_otherwise_or_said_empty() -> None:
    events = [
        Event(place(1), {"name": "王芳", "phone": "138", "sex": "female"}),
        Event(place(2), {"phone": None}),  # said empty
        Event(place(3), {"name": "王方"}),  # said anew; sex is not mentioned
    ]
    folded = fold(events)
    assert folded is not None
    assert folded.fields == {"name": "王方", "sex": "female"}
    assert not folded.void
    assert folded.stamp == place(3)


def test_a_list_is_one_field_and_replaced_whole() -> None:
    folded = fold([Event(place(1), {"phones": ["1", "2"]}), Event(place(2), {"phones": ["3"]})])
    assert folded is not None and folded.fields == {"phones": ["3"]}


def test_a_complete_set_voids_the_member_it_leaves_out_and_empties_it() -> None:
    folded = fold([Event(place(1), {"code": "I10"}), Event(place(2), None)])
    assert folded is not None
    assert folded.void and folded.fields == {} and folded.stamp == place(2)


def test_the_member_a_complete_set_mentions_lives() -> None:
    """A set and its members carry one stamp, and the set comes first whichever is met first."""
    for events in (
        [Event(place(1), None), Event(place(1), {"a": 1})],
        [Event(place(1), {"a": 1}), Event(place(1), None)],
    ):
        folded = fold(events)
        assert folded is not None and not folded.void and folded.fields == {"a": 1}


def test_a_void_fact_that_is_mentioned_again_begins_anew() -> None:
    folded = fold([Event(place(1), {"a": 1, "b": 2}), Event(place(2), None), Event(place(3), {"b": 3})])
    assert folded is not None and not folded.void
    assert folded.fields == {"b": 3}


@given(event_lists(), st.randoms(use_true_random=False))
def test_the_order_in_which_statements_are_met_is_irrelevant(events: list[Event], random) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    assert fold(shuffled) == fold(events)


@given(event_lists())
def test_a_statement_told_twice_counts_once(events: list[Event]) -> None:
    assert fold([*events, *events]) == fold(events)


@given(event_lists(), st.integers(0, 6))
def test_folding_on_from_an_earlier_state_equals_folding_all_at_once(events: list[Event], cut: int) -> None:
    before = [event for event in events if event.stamp < place(cut)]
    after = [event for event in events if event.stamp >= place(cut)]
    assert fold(after, fold(before)) == fold(events)


@given(event_lists())
def test_no_field_of_a_fact_is_empty_and_a_void_fact_has_none(events: list[Event]) -> None:
    folded = fold(events)
    if folded is not None:
        assert all(value is not None for value in folded.fields.values())
        assert not (folded.void and folded.fields)


# --- late statements that change nothing ---------------------------------------------------------------------------

numbers = st.lists(
    st.builds(lambda system, value: {"system": system, "value": value}, st.sampled_from("AB"), st.sampled_from("12")),
    min_size=1, max_size=2, unique_by=lambda number: number["system"],
)  # fmt: skip
mentions = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(("x", "y", None)),
        "ward": st.sampled_from(("x", "y", None)),
        "identifier": st.none() | numbers,
    },
)


@given(log=st.lists(mentions, min_size=1, max_size=5), late=mentions, at=st.integers(0, 4))
def test_a_late_statement_said_to_change_nothing_changes_nothing(
    log: list[dict[str, object]], late: dict[str, object], at: int
) -> None:
    known = [Event(place(TEN + 2 * number), fields) for number, fields in enumerate(log)]
    before = fold(known, by_namespace=("identifier",))
    assert before is not None
    event = Event(place(TEN + 2 * min(at, len(log) - 1) - 1), late)
    if leaves_as_it_is(late, before.fields, log[-1], ("identifier",)):
        assert fold([*known, event], by_namespace=("identifier",)) == before
    if not late.keys() - log[-1].keys() - {"identifier"} and "identifier" not in late:
        assert leaves_as_it_is(late, before.fields, log[-1])
