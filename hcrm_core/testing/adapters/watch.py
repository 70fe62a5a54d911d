"""Watch what code touches beyond its arguments: files, network, processes, environment, clock, chance."""

import os
import random
import sys
import sysconfig
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

_EVENTS = (
    "socket.", "subprocess.", "os.", "shutil.", "sqlite3.", "urllib.", "http.", "ftplib.", "smtplib.", "ctypes.dlopen",
    "tempfile.", "glob.", "pathlib.", "syslog.", "webbrowser.",
)  # fmt: skip
_CLOCK = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime", "sleep"}
_INSTANTS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
_ENVIRONMENT = os.environ.__class__.__getitem__.__code__


class Watch:
    """Notes effects while its context is entered; watching cannot be undone, so it is for a process of its own.

    What an import does is let pass: a module may be loaded at its first use, with the files and variables that takes.
    """

    def __init__(self) -> None:
        self.effects: list[str] = []
        self._doing = ""
        readable = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
        # Data beside the code of an installed or developed plugin is part of it.
        readable |= {path for path in sys.path if path and Path(path).is_dir() and Path(path) != Path.cwd()}
        self._readable = tuple(os.path.realpath(path) + os.sep for path in readable | set(zoneinfo.TZPATH))
        self._hooked = False

    @contextmanager
    def of(self, doing: str) -> Iterator[None]:
        """Watch what is done within, named `doing`."""
        if not self._hooked:
            sys.addaudithook(self._event)
            self._hooked = True
        self._doing = doing
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            self._doing = ""

    def _event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._doing:
            return
        if event == "open":
            path, mode, flags = arguments
            if not self._part_of_the_code(path, mode, flags):
                self._note(f"opens the file {path!r}")
        elif event in ("os.listdir", "os.scandir") and self._part_of_the_code(arguments[0], None, 0):
            return
        elif event.startswith(_EVENTS):
            self._note(f"does {event}")

    def _part_of_the_code(self, path: Any, mode: str | None, flags: int) -> bool:
        if not isinstance(path, str | bytes) or (mode and set(mode) & set("wax+")):
            return False
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return False
        return os.path.realpath(os.fsdecode(path)).startswith(self._readable)

    def _profile(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "call":
            if frame.f_code is _ENVIRONMENT:
                self._note("reads the environment")
        elif event == "c_call":
            what = _effect(called)
            if what:
                self._note(what)

    def _note(self, what: str) -> None:
        sentence = f"{self._doing} {what}."
        if sentence not in self.effects and not _importing():
            self.effects.append(sentence)


def _effect(called: Any) -> str:
    name, module = getattr(called, "__name__", ""), getattr(called, "__module__", None)
    if module == "time" and name in _CLOCK:
        return f"asks the clock (time.{name})"
    if module == "posix" and name in ("urandom", "getrandom"):
        return "asks for chance (os.urandom)"
    if module == "posix" and name in ("getcwd", "getpid", "uname", "getuid"):
        return f"asks the system (os.{name})"
    if module == "_thread" and name in ("start_new_thread", "start_joinable_thread"):
        return "starts a thread"
    if module == "builtins" and name in ("print", "input"):
        return f"talks to the terminal ({name})"
    qualified = getattr(called, "__qualname__", "")
    if qualified in _INSTANTS:
        return f"asks the clock ({qualified})"
    if getattr(called, "__self__", None) is random._inst:
        return f"asks for chance (random.{name})"
    return ""


def _importing() -> bool:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
