"""Follow a page of the documentation literally: run its commands in one shell and look for the output it shows.

- A fenced `console` block: lines beginning with `$ ` are run in order, all of a page in one shell; every other line
  must occur among the output of the command above it. `…` stands for any text, alone on a line for any lines.
- Twenty hexadecimal digits are an id, which differs from workspace to workspace: the first place that shows it is where
  a reader would take it from, and so does the test.
- An HTML comment on the line before a block: `file: PATH` writes the block into a file, `append: PATH` at the end of
  one, `change: PATH` does in a file what a `diff` block shows, `exit: N` is the exit code of the block's commands (0
  where not said), `within: N` lets its one command be run again until it shows what it should, for so many seconds,
  `not run` passes over it.
- A `diff` block has lines that begin with a space, `-` or `+`, in hunks parted by `…`; what is to be replaced occurs
  once in the file.
"""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"(?m)^(?:<!-- ([^>]+?) -->\n+)?```(\w*)\n(.*?)^```$", re.DOTALL)
_ID = re.compile(r"\b[0-9a-f]{20}\b")
_END = "\x1e"
SECONDS = 120


class Block(NamedTuple):
    """A fenced block: what the comment before it says, its language, its lines, and where it begins in the page."""

    directive: str
    language: str
    lines: list[str]
    line: int


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        line = text[: found.start(3)].count("\n") + 1
        yield Block(found[1] or "", found[2], found[3].splitlines(), line)


def follow(page: Path, folder: Path, programs: Path | str) -> int:
    """Do what a page says, in `folder`, with the programs in `programs` first on the path.

    Returns:
        How many commands were run.
    """
    count = 0
    ids: dict[str, str] = {}
    with Shell(folder, programs) as shell:
        for block in blocks(page):
            what, _, value = block.directive.partition(": ")
            if what in ("file", "append", "change"):
                path = Path(shell.run("pwd")[0][0]) / value
                if what == "change":
                    _change(path, block, f"{page.name}, line {block.line}")
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                before = path.read_text(encoding="utf-8") if what == "append" else ""
                path.write_text(before + "\n".join(block.lines) + "\n", encoding="utf-8")
            elif block.language == "console" and what != "not run":
                exit_code = int(value) if what == "exit" else 0
                until = time.monotonic() + (float(value) if what == "within" else 0)
                for number, command, expected in _steps(block):
                    at = f"{page.name}, line {number}: $ {command}"
                    for documented, real in ids.items():
                        command = command.replace(documented, real)
                    output, code = shell.run(command)
                    while time.monotonic() < until and not all(_occurs(line, output, ids) for line in expected):
                        time.sleep(0.1)
                        output, code = shell.run(command)
                    shown = "\n".join(output)
                    assert code == exit_code, f"{at}\nexit code {code}\n{shown}"
                    for line in expected:
                        assert _occurs(line, output, ids), f"{at}\nshows the line\n{line}\nbut printed\n{shown}"
                    count += 1
    return count


def _change(path: Path, block: Block, at: str) -> None:
    text = "\n" + path.read_text(encoding="utf-8")
    for hunk in "\n".join(block.lines).split("\n…\n"):
        lines = hunk.split("\n")
        assert all(line[:1] in (" ", "-", "+", "") for line in lines), f"{at}\nhas a line that is none of a diff"
        old = "\n" + "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
        new = "\n" + "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
        assert text.count(old) == 1, f"{at}\nreplaces what occurs {text.count(old)} times in {path.name}:\n{old}"
        text = text.replace(old, new)
    path.write_text(text[1:], encoding="utf-8")


def _steps(block: Block) -> Iterator[tuple[int, str, list[str]]]:
    command, number, expected = "", 0, []
    for index, line in enumerate(block.lines):
        if line.startswith("$ "):
            if command:
                yield number, command, expected
            command, number, expected = line[2:], block.line + index, []
        elif command.endswith("\\") and not expected:
            command += "\n" + line
        elif line.strip() not in ("", "…"):
            expected.append(line.rstrip())
    if command:
        yield number, command, expected


def _occurs(line: str, output: list[str], ids: dict[str, str]) -> bool:
    pattern, new, at = "", [], 0
    for found in re.finditer(rf"…|{_ID.pattern}", line):
        pattern += re.escape(line[at : found.start()])
        at = found.end()
        if found[0] == "…":
            pattern += ".*"
        elif found[0] in ids:
            pattern += ids[found[0]]
        else:
            pattern += "([0-9a-f]{20})"
            new.append(found[0])
    pattern += re.escape(line[at:])
    for text in output:
        if fits := re.fullmatch(pattern, text.rstrip()):
            ids.update(zip(new, fits.groups(), strict=True))
            return True
    return False


class Shell:
    """One bash that runs command after command and tells what each printed and its exit code."""

    def __init__(self, folder: Path, programs: Path | str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("HCRM_", "PYTEST"))}
        environment |= {
            "HCRM_TEST_SPARK": "0",
            "PATH": f"{programs}{os.pathsep}{environment['PATH']}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PYTHONUTF8": "1",
            "COLUMNS": "80",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        """What was started in the background ends with the shell."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=10)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)

    def run(self, command: str) -> tuple[list[str], int]:
        """Run one command; its output as lines, and its exit code."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{{ {command}\n}} </dev/null 2>&1; printf '\\n{_END}%s\\n' $?\n")
        self._process.stdin.flush()
        watchdog = threading.Timer(SECONDS, self._process.kill)
        watchdog.start()
        lines = []
        try:
            for line in self._process.stdout:
                if line.startswith(_END):
                    return lines[:-1] if lines and not lines[-1] else lines, int(line[1:])
                lines.append(line.rstrip("\n"))
        finally:
            watchdog.cancel()
        raise AssertionError(f"$ {command}\nended the shell or took longer than {SECONDS} seconds\n" + "\n".join(lines))
