"""Texts made small with a vocabulary, and how a vocabulary is made."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from hcrm_core.store.packing import MESSAGES, RECORDS, pack, unpack
from hcrm_core.store.vocabulary import SIZE, train

RECORD = (
    '{"patient":"0f1e2d3c4b5a69788796","status":"final","code":{"coding":[{"code":"15074-8","display":"葡萄糖",'
    '"system":"LN"}]},"value_quantity":{"unit":"mmol/L","value":5.4}}'
).encode()
MESSAGE = (
    "MSH|^~\\&|HIS|HOSP|HCRM|CRM|20260314093015+0800||ADT^A01^ADT_A01|1|P|2.5.1|||AL|NE|CHN|UNICODE UTF-8\r"
    "EVN|A01|20260314093000+0800\rPID|1||000001^^^HOSP^MR||王^芳^^^^^L||19790412|F|||解放路 20 号^^上海^上海\r"
    "PV1|1|I|CARD^412^A|E|||D0101^李^建国|||MED||||A0|||INP|V1^^^HOSP^VN\r"
).encode()


@given(st.binary(max_size=3_000), st.sampled_from([RECORDS, MESSAGES]))
def test_what_is_packed_unpacks_to_the_same_bytes_and_is_a_byte_longer_at_most(plain: bytes, vocabulary: str) -> None:
    packed = pack(plain, vocabulary)
    assert unpack(packed) == plain
    assert len(packed) <= len(plain) + 1


@pytest.mark.parametrize(("plain", "vocabulary", "part"), [(RECORD, RECORDS, 0.6), (MESSAGE, MESSAGES, 0.6)])
def test_the_vocabulary_knows_what_records_and_messages_are_full_of(plain: bytes, vocabulary: str, part: float) -> None:
    packed = pack(plain, vocabulary)
    assert len(packed) < len(plain) * part
    assert len(packed) < len(zstandard.compress(plain)) * 0.8


def test_equal_texts_give_equal_bytes_in_every_thread() -> None:
    texts = [RECORD + str(number).encode() for number in range(200)]
    expected = [pack(text) for text in texts]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            assert list(threads.map(pack, texts)) == expected
            assert list(threads.map(unpack, expected)) == texts


def test_a_long_text_is_packed_too() -> None:
    plain = MESSAGE * 3_000
    assert len(pack(plain, MESSAGES)) < len(plain) / 100
    assert unpack(pack(plain, MESSAGES)) == plain


def test_the_same_texts_make_the_same_vocabulary() -> None:
    texts = [json.dumps({"status": "final", "number": number, "of": number * 7919}).encode() for number in range(3_000)]
    made = train(texts)
    assert made == train(texts)
    assert 0 < len(made) <= SIZE
