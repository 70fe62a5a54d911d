"""TOML that is read typed: where everything stands, and what is said of a mistake."""

from typing import Literal

import pytest
from msgspec import Struct

from hcrm_core.errors import ConfigurationError
from hcrm_core.model.toml_file import TextFile, TomlFile
from hcrm_core.model.toml_lines import lines_of


class Inner(Struct, forbid_unknown_fields=True):
    """A table below."""

    size: int = 0
    colour: Literal["red", "blue"] | None = None


class Outer(Struct, forbid_unknown_fields=True):
    """A file."""

    name: str | tuple[str, ...] = ""
    one: Inner | None = None
    many: tuple[Inner, ...] = ()
    named: dict[str, dict[str, Inner]] = {}


TEXT = '''\
name = "x" # y = 1 [z]
"quoted key".dotted = { a = 1, "b.c" = [1, { d = 2 }] }
text = """
[no.header]
k = "v"
"""
raw = \'\'\'
q = \\
\'\'\'
[table.below]
list = [
  "x", # ]
  { y = 1 },
]
[[many]]
a = 1
[many.below]
b = 2
[[many]]
a = 2
day = 1979-05-27 07:32:00
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 1),
        (("quoted key", "dotted", "b.c", 1, "d"), 2),
        (("raw",), 7),
        (("table", "below"), 10),
        (("table", "below", "list", 0), 12),
        (("table", "below", "list", 1, "y"), 13),
        (("many", 0), 15),
        (("many", 0, "below", "b"), 18),
        (("many", 1, "a"), 20),
        (("many", 1, "day"), 21),
    ],
)
def test_everything_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert lines_of(TEXT)[path] == line


def test_what_is_text_is_no_key() -> None:
    assert not {path for path in lines_of(TEXT) if path[0] in ("no", "k", "q", "y")}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nam = 1", "f.toml, line 1: nam is not a key. Did you mean 'name'?"),
        ("name = 1", "f.toml, line 1: name: it must be a text in quotes or a list, not a whole number."),
        ("[one]\nsize = true", "f.toml, line 2: one.size: it must be a whole number, not true or false."),
        ('one = { colour = "green" }', "one.colour: invalid enum value 'green'. Write one of: 'red', 'blue'."),
        ("[[many]]\n[[many]]\nsiz = 1", "f.toml, line 3: many[2].siz is not a key. Did you mean 'size'?"),
        ("[named.a.b]\nsize = 1\n[named.a.'c d']\nsiz = 1", 'f.toml, line 4: named.a."c d".siz is not a key.'),
        ('x = "a\\qb"', "Between single quotes (' or ''') a backslash is only itself"),
        ("x = 1\nx = 2", "f.toml, line 2: not valid TOML: Cannot overwrite a value (at "),
    ],
)
def test_a_mistake_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        TomlFile(text, "f.toml", Outer)
    assert sentence in str(raised.value)


def test_a_fingerprint_differs_where_the_text_does() -> None:
    one, other = TextFile("a", "x"), TextFile("a", "y")
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint == TextFile("b", "x").fingerprint and len(one.fingerprint) == 8
