"""An acknowledgment is sent after the disk was told to keep the message, not only after the kernel was.

Killed processes cannot show this, since what they wrote survives them in the kernel. The system calls show it.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import create_engine
from support.daemon import Daemon
from support.feed import Sender

from hcrm_core.cli.context import Opened
from hcrm_core.errors import StoreError
from hcrm_core.store import durable

MESSAGES = 50
_CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?:\(\d+<([^>]*)>(.*)| resumed>(.*))$", re.DOTALL)
_BYTE = re.compile(r"\\x([0-9a-f]{2})")


class Call(NamedTuple):
    """A system call: `what` is `begun` or `done`, `file` what it was made on."""

    name: str
    what: str
    file: str
    text: str


def calls(trace: str) -> Iterator[Call]:
    """The system calls of a trace, each once when it begins and once when it has returned."""
    open_calls: dict[str, Call] = {}
    for line in trace.splitlines():
        if not (found := _CALL.match(_BYTE.sub(lambda byte: chr(int(byte[1], 16)), line))):
            continue
        thread, name, file, text, rest = found.groups()
        if file is not None:
            open_calls[thread] = Call(name, "begun", file, text)
            yield open_calls[thread]
        if not line.endswith("<unfinished ...>") and (begun := open_calls.pop(thread, None)):
            yield begun._replace(what="done", text=begun.text if file is not None else rest)


def acknowledged_after_sync(trace: str, wal: str, kept: Mapping[str, str]) -> list[bool]:
    """For each acknowledgment, whether the log that held its message had been synced since the log's last write.

    Args:
        trace: All bytes in hexadecimal.
        wal: How the log's name ends.
        kept: Control id → the message as it is kept, a character a byte.
    """
    written, synced = "", False
    found = []
    for call in calls(trace):
        if call.file.endswith(wal) and call.what == "begun" and call.name == "pwrite64":
            written += call.text
            synced = False
        elif call.file.endswith(wal) and call.what == "done" and call.name in ("fsync", "fdatasync"):
            synced = call.text.endswith("= 0")
        elif call.what == "begun" and (answer := re.search(r"MSA\|AA\|(SYNC\d+)\r", call.text)):
            found.append(synced and kept[answer[1]] in written)
    return found


def test_every_acknowledgment_follows_a_sync_of_its_message(
    listening: Callable[[str], tuple[Path, int]], tmp_path: Path, tally: Callable[..., None]
) -> None:
    if not shutil.which("strace") or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode:
        pytest.skip("Nothing can be traced here: strace is missing or not permitted.")
    root, port = listening("sqlite")
    space, kept = Opened(root), dict[str, str]()
    codec = space.store.codec
    space.close()
    trace = tmp_path / "trace"
    names = "trace=pwrite64,fsync,fdatasync,sendto,sendmsg,write,writev"
    with Daemon(
        root, command="listen", under=("strace", "-f", "-y", "-xx", "-s", "5000", "-e", names, "-o", trace)
    ) as daemon:
        sender = Sender(daemon.listening() and port)
        for number in range(MESSAGES):
            text = f"MSH|^~\\&|HIS||||20260101||ADT^A28|SYNC{number}|P|2.5\rNTE|1||of SYNC{number} itself\r"
            kept[f"SYNC{number}"] = codec.seal(text.encode()).decode("latin-1")
            assert sender.ask(text.encode())[0] == "AA"
        sender.close()
    found = acknowledged_after_sync(trace.read_text(encoding="utf-8"), "/inbox.db-wal", kept)
    tally("fsync before ACK", acknowledgments=len(found), synced=sum(found))
    assert found == [True] * MESSAGES


@pytest.mark.postgresql
def test_postgresql_syncs_before_it_says_committed(listening: Callable[[str], tuple[Path, int]]) -> None:
    space = Opened(listening("postgresql")[0])
    durable.require(space.store)
    with space.store.read_inbox() as connection:
        names = ("fsync", "full_page_writes", "synchronous_commit")
        assert {connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names} == {"on"}
    space.store.close()


@pytest.mark.postgresql
def test_a_postgresql_that_commits_without_syncing_is_refused(listening: Callable[[str], tuple[Path, int]]) -> None:
    root, _ = listening("postgresql")
    space = Opened(root)
    engine = create_engine(space.configuration.store_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    engine.dispose()
    with pytest.raises(StoreError, match="synchronous_commit = off"):
        durable.require(space.store)
    space.store.close()
    with Daemon(root, command="listen") as daemon:
        assert daemon.process.wait(30) == 1
        assert "synchronous_commit" in daemon.log
