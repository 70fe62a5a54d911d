"""The reference page of the quality scale; `generate.py` beside this writes it."""

from pathlib import Path

import generate_text as words

from hcrm_core.quality import LEVELS, RULES, Seen, level_of, read
from hcrm_core.quality.rules import MEANINGS, Rule

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = sorted(path.parent for kind in ("adapters", "plugins") for path in ROOT.glob(f"{kind}/*/pyproject.toml"))

INTRODUCTION = """\
# The quality scale

How far a plugin can be trusted, in four levels. `hcrm plugins list` shows the level of each that is installed.

The author of a plugin states in `quality.toml`, inside its package, where it stands, rule by rule:

```toml
names-agree = "done"
docs-page = "todo"
example = { status = "exempt", reason = "It has no settings." }
```

A plugin has a level when every rule of it, and of the levels below, is done or exempt. Rules that do not apply to what
it offers are left out. Most rules can be checked by reading a plugin's files, and nothing of it is imported for that; a
`done` that is not so is found by `hcrm_core.quality.findings`, which the tests of HCRM ask of every plugin that ships
with it. `hcrm new adapter|plugin NAME` makes a plugin that begins at silver.
"""


def page() -> str:
    """The page."""
    parts = [INTRODUCTION]
    for level in LEVELS:
        parts.append(f"## {level.capitalize()}\n\n{MEANINGS[level]}\n")
        parts += [_rule(rule) for rule in RULES if rule.level == level]
    rows = []
    for folder in SHIPPED:
        seen = Seen.at(folder)
        rows.append((f"`{seen.name}`", ", ".join(sorted(seen.kinds)), level_of(read(seen.package), seen.kinds) or "-"))
    parts.append("## What ships with HCRM\n\n" + words.table(("plugin", "offers", "level"), rows))
    return "\n".join(parts)


def _rule(rule: Rule) -> str:
    lines = [f"### `{rule.id}`", "", f"{rule.title}.", "", f"- **Why**: {rule.why}", f"- **How**: {rule.how}"]
    if rule.kinds:
        lines.append(f"- **Applies to**: plugins that offer {', '.join(sorted(rule.kinds))}.")
    if rule.check is None:
        lines.append("- No file can tell; the author's word stands.")
    return "\n".join(lines) + "\n"
