"""Following a page catches what is wrong in it."""

import sys
from pathlib import Path

import pytest
from support.console import follow

BIN = Path(sys.executable).parent
ID, OTHER = "0123456789abcdef0123", "fedcba98765432100000"


def walk(folder: Path, text: str) -> int:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return follow(page, folder, BIN)


def test_a_page_is_followed_in_one_shell(tmp_path: Path) -> None:
    text = f"""
<!-- file: deep/note.txt -->
```text
{OTHER} first
```

```console
$ cd deep
$ cat note.txt
{ID} f…
$ echo {ID} \\
    | cut -c 1-4
fedc
```

<!-- exit: 3 -->
```console
$ (exit 3)
```

<!-- within: 20 -->
```console
$ echo x >> grows; wc -l < grows
3
```

<!-- not run -->
```console
$ false
```

<!-- file: change.txt -->
```text
one
two
three
```

<!-- change: change.txt -->
```diff
 one
-two
+2
…
+between
 three
```

```console
$ paste -s -d / change.txt
one/2/between/three
```
"""
    assert walk(tmp_path, text) == 6


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```console\n$ echo one\ntwo\n```\n", "shows the line\ntwo"),
        ("```console\n$ echo one two\none\n```\n", "shows the line\none"),
        ("```console\n$ false\n```\n", "exit code 1"),
        ("<!-- exit: 3 -->\n```console\n$ true\n```\n", "exit code 0"),
        ("<!-- within: 0.3 -->\n```console\n$ echo one\ntwo\n```\n", "shows the line\ntwo"),
        ("<!-- change: page.md -->\n```diff\n-one\n+two\n```\n", "occurs 0 times"),
        ("<!-- change: page.md -->\n```diff\none\n```\n", "none of a diff"),
        ("```console\n$ exit 0\n$ true\n```\n", "ended the shell"),
    ],
)
def test_what_is_wrong_is_caught(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, BrokenPipeError), match=complaint):
        walk(tmp_path, text)
