"""What the adapter remembers is bounded, whoever names the senders."""

from support.hl7v2 import PID, adapter, message

from hcrm_adapter_hl7v2.mapping import view


def test_what_is_remembered_is_counted_over_all_senders(monkeypatch) -> None:
    monkeypatch.setattr(view, "REMEMBERED", 200)
    mine = adapter()
    for number in range(300):
        text = message("ADT^A31", PID).replace("|RMYY|HCRM", f"|H{number}|HCRM")
        assert mine.translate(text.encode()).quarantine is None
    memos = mine._memos.by
    assert 0 < sum(map(len, memos.values())) + len(memos) <= 200


def test_a_long_field_is_read_and_not_remembered() -> None:
    mine = adapter()
    name = "X" * (view.LONGEST + 1)
    for _ in range(2):
        (patient,) = mine.translate(message("ADT^A31", PID.replace("王^芳", name)).encode()).records
        assert patient.name[0].family == name
    assert not any(name in key[1] for memo in mine._memos.by.values() for key in memo)
