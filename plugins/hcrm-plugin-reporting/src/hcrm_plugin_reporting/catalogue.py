"""The texts of a report in one language."""

import tomllib
from functools import cache

from hcrm_core.api import UsageError
from hcrm_plugin_reporting.resources import read

LANGUAGES = ("zh", "en")


class Catalogue:
    """Texts by dotted key."""

    def __init__(self, language: str, texts: dict[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """The text at `key` with its `{fields}` filled in; a missing key is a `KeyError`."""
        return self._texts[key].format_map(values)

    def name(self, group: str, code: str) -> str:
        """What `code` is called, or the code itself where the catalogue does not know it."""
        return self._texts.get(f"{group}.{code.strip().lower().replace('-', '_').replace(' ', '_')}", code)

    def keys(self) -> frozenset[str]:
        """Every key, for comparison with another language."""
        return frozenset(self._texts)

    def fields(self, key: str) -> str:
        """The raw text at `key`, fields unfilled."""
        return self._texts[key]


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of `language`.

    Raises:
        UsageError: There is none.
    """
    if language not in LANGUAGES:
        raise UsageError(f"There are no report texts in '{language}'. Choose one of: {', '.join(LANGUAGES)}.")
    return Catalogue(language, flatten(tomllib.loads(read(f"catalogues/{language}.toml"))))


def flatten(table: dict[str, object], prefix: str = "") -> dict[str, str]:
    """Nested TOML tables as one level of dotted keys."""
    texts: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            texts |= flatten(value, f"{prefix}{key}.")
        else:
            texts[prefix + key] = str(value)
    return texts
