"""Run an adapter in a process of its own: another one's surroundings, watched, or with input that may hang it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hcrm_core.api import HttpResponse, Rows
from hcrm_core.testing.adapters.case import AdapterCase
from hcrm_core.testing.checks import NotGiven


class Asked(msgspec.Struct, frozen=True):
    """What a child is asked.

    Attributes:
        module, file, name: Where the adapter's class is: its module, else its file; and its name there.
        source, settings: To make an instance with.
        files, messages: The samples by name.
        pulls: Of a pull, each position asked from, the one an answer is read from, and the answer.
        reverse: Whether to take them backwards, each by an instance of its own.
        watch: Whether to watch what the adapter touches.
        hostile: Whether to feed it bad input instead.
    """

    module: str
    file: str
    name: str
    source: str
    settings: dict[str, Any]
    files: dict[str, bytes]
    messages: dict[str, bytes]
    pulls: list[tuple[str, str, HttpResponse | Rows]] = []
    reverse: bool = False
    watch: bool = False
    hostile: bool = False


class Answer(msgspec.Struct):
    """What it says.

    Attributes:
        outputs: What was called with which sample → a digest of what came out.
        effects: What the adapter touched, a sentence each.
        broken: What it did wrong with bad input.
        leaked: Where it told personal values.
    """

    outputs: dict[str, str] = {}
    effects: list[str] = []
    broken: list[str] = []
    leaked: list[str] = []


class ChildFailed(Exception):
    """The child hung or died; the text is a sentence and says at what."""


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: this process's, with its path of modules."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **(given or {})}


def ask(
    case: AdapterCase, environ: Mapping[str, str] | None = None, *, folder: str | None = None, **how: bool
) -> Answer:
    """Ask a new child.

    Args:
        case: The adapter and its samples.
        environ: Variables of its environment beside this process's.
        folder: Where it runs.
        how: `reverse`, `watch` and `hostile` of `Asked`.

    Raises:
        ChildFailed: It hung or died.
        NotGiven: The adapter cannot be imported by another process.
    """
    adapter = case.adapter
    if "<" in adapter.__qualname__ or adapter.__module__ == "__main__":
        raise NotGiven("Define the adapter's class at the top of a module, so that another process can import it.")
    file = Path(getattr(sys.modules[adapter.__module__], "__file__", None) or "").resolve()
    asked = Asked(
        module=adapter.__module__,
        file=str(file),
        name=adapter.__qualname__,
        source=case.source,
        settings=dict(case.settings),
        files=case.files,
        messages=case.messages,
        pulls=[(step.asked_at, step.position, step.piece) for step in case.pull[:50]],
        **how,
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", "from hcrm_core.testing.adapters.serve import main; main()"],
            input=msgspec.msgpack.encode(asked),
            capture_output=True,
            cwd=folder,
            env=environment(environ),
            timeout=case.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise ChildFailed(f"It had not ended after {case.seconds:g} seconds{_doing(late.stderr)}.") from None
    if done.returncode or not done.stdout:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise ChildFailed(f"Its process died ({' '.join(last)[:200]}){_doing(done.stderr)}.")
    return msgspec.msgpack.decode(done.stdout, type=Answer)


def _doing(stderr: bytes | None) -> str:
    begun = [line for line in (stderr or b"").decode("utf-8", "replace").splitlines() if line.startswith("begun: ")]
    return f"; the last begun was {begun[-1].removeprefix('begun: ')}" if begun else ""
