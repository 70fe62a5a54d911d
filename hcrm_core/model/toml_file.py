"""TOML as data: a text read, typed, and every mistake named with file, line, key and the nearest valid key."""

import re
import tomllib
from difflib import get_close_matches
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from hcrm_core.errors import ConfigurationError
from hcrm_core.model.toml_lines import Path, lines_of
from hcrm_core.model.typing_errors import dotted, explained

T = TypeVar("T", bound=Struct)
K = TypeVar("K", bound=Struct)


class TextFile(Struct, frozen=True):
    """A text file that a setting names, read by the core: the setting is its path, who has the setting gets the text.

    Attributes:
        path: As it was named.
        text: What it holds.
    """

    path: str
    text: str

    @property
    def fingerprint(self) -> str:
        """Eight digits that differ where the text does."""
        return blake2b(self.text.encode(), digest_size=4).hexdigest()


class TomlFile(Generic[T]):
    """A TOML file that was read.

    Attributes:
        file: Its name, for errors.
        tables: As they stand in the file.
        content: Typed.
    """

    def __init__(self, text: str, file: str, kind: type[T]) -> None:
        """Read a TOML file.

        Args:
            text: Its content.
            file: Its name, for errors.
            kind: What it must hold; a struct that forbids unknown fields makes a misspelt key an error.

        Raises:
            ConfigurationError: With file, line, key and what to write.
        """
        self.file = file
        self.tables = parsed(text, file)
        self._lines = lines_of(text)
        self.content: T = self.typed(self.tables, kind)

    def where(self, *path: str | int) -> str:
        """`FILE, line N`, for errors about what stands at a path, else about the nearest thing above it."""
        return f"{self.file}, line {line_at(self._lines, path)}"

    def refusal(self, sentence: str, *path: str | int) -> ConfigurationError:
        """An error about what stands at a path: `FILE, line N: KEY: sentence`."""
        return ConfigurationError(f"{self.where(*path)}: {dotted(path)}: {sentence}")

    def unknown(
        self, what: str, name: object, valid: list[str], *path: str | int, more: str = ""
    ) -> ConfigurationError:
        """An error about a name at a path that is none of the valid ones, with the nearest."""
        hint = nearest(str(name), valid) if valid else ""
        return self.refusal(" ".join(filter(None, (f"there is no {what} {name!r}.", hint, more))), *path)

    def typed(self, table: Any, kind: type[K], *path: str | int) -> K:
        """What stands at a path, as `kind`.

        Raises:
            ConfigurationError: A key in it is unknown or has the wrong type.
        """
        try:
            return msgspec.convert(table, kind)
        except msgspec.ValidationError as error:
            raise ConfigurationError(explained(str(error), table, kind, path, self.where, nearest)) from None


def parsed(text: str, file: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        ConfigurationError: It is none.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        advice = "Mend that line."
        if "Unescaped" in str(error):
            advice = "Between single quotes (' or ''') a backslash is only itself: write a text that holds one so."
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else text.rstrip().count("\n") + 1
        raise ConfigurationError(f"{file}, line {line}: not valid TOML: {error}. {advice}") from None


def line_at(lines: dict[Path, int], path: Path) -> int:
    """The line of what stands at a path, or of the nearest thing above it."""
    found = (lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines)
    return next(found, 1)


def nearest(name: str, valid: tuple[str, ...] | list[str]) -> str:
    """A sentence that names the likeliest of the valid names, or all of them."""
    close = get_close_matches(name, valid, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Valid here: {', '.join(sorted(valid))}." if valid else "None is enabled; see: hcrm plugins list"
