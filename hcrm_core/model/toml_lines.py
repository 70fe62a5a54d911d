"""Where in a TOML text each table, key and list member stands; the standard library's reader does not tell."""

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]
"""Keys and places in lists, from the top: `("examples", 0, "message")`."""

_TOKEN = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"""+|\'\'\'[\s\S]*?\'\'\'+|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|\n|[\[\]{},=]'
    r"|[^\S\n]+|[^\s\[\]{},=#\"']+"
)
_END = ""


def lines_of(text: str) -> dict[Path, int]:
    """The line of a TOML text where each table, key and list member stands first; of what is none, something."""
    return _Scanner(text).found


class _Scanner:
    def __init__(self, text: str) -> None:
        self.found: dict[Path, int] = {}
        self._tokens = [*_tokens(text)]
        self._at = 0
        self._last: dict[Path, int] = {}
        """Array of tables → the place of its last member."""
        table: Path = ()
        while (token := self._skip("\n")) != _END:
            table = self._header() if token == "[" else self._assignment(table)

    @property
    def _token(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else _END

    @property
    def _line(self) -> int:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else 1

    def _header(self) -> Path:
        line = self._line
        self._at += 1
        many = self._token == "["
        self._at += many
        keys = self._keys("]")
        self._at += 2 if many else 1
        path: Path = ()
        for number, key in enumerate(keys, 1):
            path = (*path, key)
            self.found.setdefault(path, line)
            if many and number == len(keys):
                self._last[path] = self._last.get(path, -1) + 1
            if path in self._last:
                path = (*path, self._last[path])
                self.found.setdefault(path, line)
        return path

    def _assignment(self, table: Path) -> Path:
        line = self._line
        path = table
        for key in self._keys("="):
            path = (*path, key)
            self.found.setdefault(path, line)
        self._at += 1
        self._value(path)
        return table

    def _value(self, path: Path) -> None:
        token = self._skip()
        if token == "{":
            self._at += 1
            while self._skip("\n", ",") not in ("}", _END):
                self._assignment(path)
            self._at += 1
        elif token == "[":
            self._at += 1
            number = 0
            while self._skip("\n", ",") not in ("]", _END):
                self.found.setdefault((*path, number), self._line)
                self._value((*path, number))
                number += 1
            self._at += 1
        else:
            while self._token not in ("\n", ",", "}", "]", _END):
                self._at += 1

    def _keys(self, end: str) -> list[str]:
        keys = []
        while (token := self._token) not in (end, "\n", _END):
            self._at += 1
            if token[0] in "\"'":
                keys.append(token[1:-1])
            else:
                keys += [key for key in token.strip().split(".") if key]
        return keys

    def _skip(self, *also: str) -> str:
        """The next token that is neither blank nor a comment nor one of these."""
        while True:
            token = self._token
            if token == _END or not (token in also or token.startswith("#") or (token != "\n" and token.isspace())):
                return token
            self._at += 1


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    for token in _TOKEN.findall(text):
        yield token, line
        line += token.count("\n")
