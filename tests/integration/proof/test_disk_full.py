"""A full disk costs senders patience and nobody a message, and when there is room it goes on by itself."""

import os
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.balance import audit, settled
from support.daemon import Daemon, wait_for
from support.disk import SmallDisk
from support.feed import Feed, Sender, messages
from support.ward import pid

MEGABYTE = 1 << 20
PATIENCE = 60


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    disk = SmallDisk(tmp_path / "disk", 64)
    yield disk
    disk.close()


def test_on_a_full_disk_nothing_is_acknowledged_that_is_not_kept_and_intake_resumes_by_itself(
    disk: SmallDisk, listening: Callable[..., tuple[Path, int]], tmp_path: Path, tally: Callable[..., None]
) -> None:
    model, port = listening("sqlite", deciding=True)
    shutil.copytree(model, disk.inside / "hospital")
    with Daemon(tmp_path / "disk" / "hospital", under=disk.enter) as daemon:
        daemon.listening()
        feed = Feed(port, messages())
        wait_for(lambda: len(feed.acknowledged) >= 100, "a hundred acknowledgments")

        # Room to spare for small messages, and too little for a great one: the disk refuses it amid its commit.
        disk.fill(leave=4 * MEGABYTE)
        great = b"MSH|^~\\&|HIS||||20260101||ADT^A28|GREAT|P|2.5\r" + pid("1").encode() + b"\rNTE|1||"
        sender = Sender(port, PATIENCE)
        assert sender.ask(great + b64encode(os.urandom(11 * MEGABYTE // 2))) == ("AE", 0)
        sender.close()

        disk.fill(leave=0)
        wait_for(lambda: feed.refused["AE"] >= 50, "fifty refusals", PATIENCE)
        assert "The inbox's disk is full: messages are refused until there is room." in daemon.log
        before = len(feed.acknowledged)
        disk.clear()
        wait_for(lambda: len(feed.acknowledged) >= before + 100, "a hundred acknowledgments more", PATIENCE)
        assert "The inbox can be written again." in daemon.log
        feed.finish()
        assert set(feed.refused) == {"AE"}
        daemon.stop()
    root = shutil.copytree(disk.inside / "hospital", tmp_path / "hospital")
    with Daemon(root) as daemon:
        daemon.listening()
        settled(root)
        daemon.stop()
    balance = audit(root, feed.acknowledged, feed.sent)
    told = len(feed.acknowledged)
    tally("disk full", acknowledgments=told, refusals=feed.refused["AE"], false=balance.lost, doubled=balance.doubled)
    assert (balance.lost, balance.doubled) == (0, 0)


def test_intake_stops_while_there_is_still_room_to_fold_what_has_landed(
    disk: SmallDisk, listening: Callable[..., tuple[Path, int]], tmp_path: Path
) -> None:
    model, port = listening("sqlite")
    shutil.copytree(model, disk.inside / "hospital")
    with Daemon(tmp_path / "disk" / "hospital", under=disk.enter, command="listen") as daemon:
        daemon.listening()
        sender = Sender(port)
        first, second, *_ = (message for message, _ in zip(messages(), range(2), strict=False))
        assert sender.ask(first)[0] == "AA"
        disk.fill(leave=3 * MEGABYTE)
        assert sender.ask(second) == ("AE", 0)
        disk.clear()
        assert sender.ask(second)[0] == "AA"
        sender.close()
        daemon.stop()
