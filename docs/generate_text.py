"""How the reference pages are worded: docstrings as Markdown, tables, what stands below a variable in the code."""

import ast
import inspect
import re
from collections.abc import Iterable, Sequence
from textwrap import dedent
from types import ModuleType
from typing import Any

from msgspec import Struct

_DESIGN = re.compile(r",? \(design §[\d., ]+\)")
"""Citations of the design's sections, which the reader of a page does not have."""


def doc(thing: Any) -> str:
    """A docstring as Markdown: Google's sections become lists."""
    lines, out, section = inspect.getdoc(thing).splitlines(), [], False
    for line in lines:
        if line in ("Args:", "Attributes:", "Returns:", "Raises:", "Class attributes:"):
            out += [f"{line}", ""]
            section = True
        elif section and line.startswith("    ") and not line.startswith("     "):
            head, colon, rest = line.strip().partition(": ")
            out.append(f"- `{head}`: {rest}" if colon and " " not in head.replace(", ", "") else f"- {line.strip()}")
        elif section and line.startswith("     "):
            out.append(f"  {line.strip()}")
        elif line[:1].isalpha() and (head := line.partition(": ")[0]) in (
            "When",
            "Arguments",
            "Returns",
            "Order",
            "Since",
        ):
            section = False
            out.append(f"- **{head}**{line[len(head) :]}")
        else:
            section = section and not line
            out.append(line)
    return _DESIGN.sub("", "\n".join(out))


def first(thing: Any) -> str:
    return " ".join(inspect.getdoc(thing).split("\n\n")[0].split())


def attributes(struct: type[Struct]) -> dict[str, str]:
    """The `Attributes:` of a docstring: name → text."""
    found: dict[str, str] = {}
    name = ""
    for line in inspect.getdoc(struct).partition("Attributes:\n")[2].splitlines():
        if line.startswith("     "):
            found[name] += f" {line.strip()}"
        elif line.strip():
            name, _, found_text = line.strip().partition(": ")
            found[name] = found_text
    return found


def after(module: ModuleType, variable: str) -> str:
    """The text below a module's variable."""
    body = ast.parse(inspect.getsource(module)).body
    for index, node in enumerate(body):
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == variable:
            return inspect.cleandoc(text_at(body, index + 1, whole=True))
    raise LookupError(variable)


def text_at(body: Sequence[ast.stmt], index: int, whole: bool = False) -> str:
    node = body[index] if index < len(body) else None
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value if whole else " ".join(node.value.value.split())
    return ""


def codes(names: Iterable[str], sort: bool = True) -> str:
    return ", ".join(f"`{name}`" for name in (sorted(names) if sort else names))


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in lines) + "\n"


def fields(module: ModuleType) -> dict[str, list[tuple[str, str, str]]]:
    """Class → (field, type, the text below it), read from the source."""
    found = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        rows = []
        for index, statement in enumerate(node.body):
            if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
                continue
            name = statement.target.id.rstrip("_")
            hint = ast.unparse(statement.annotation).removesuffix(" | UnsetType").removesuffix(" | None")
            rows.append((name, hint, text_at(node.body, index + 1)))
        found[node.name] = rows
    return found


def methods(owner: type) -> list[tuple[str, Any]]:
    return [(name, one) for name, one in vars(owner).items() if inspect.isfunction(one) and name[0] != "_"]


def function(name: str, function: Any, level: int) -> str:
    node = next(
        node for node in ast.walk(ast.parse(dedent(inspect.getsource(function)))) if isinstance(node, ast.FunctionDef)
    )
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{'#' * level} `{name}`\n\n```python\n{name}({ast.unparse(node.args)}){returns}\n```\n\n{doc(function)}\n"
