"""The page of the conformance kits' checks; `generate.py` beside this writes it."""

from typing import Any

INTRODUCTION = """\
# Conformance kits

What a plugin's author promises, as checks that run in the plugin's own tests. How to use them: [check your
plugin](../how-to/check-your-plugin.md). An exemption names a check by its id and gives a reason:
`exempt={"A14": "The source never sends sets whole."}`.

*Since* is the version of HCRM that has the check first. A check that is new in a minor version only warns, until
the version it names.
"""


def kits() -> str:
    """The page."""
    from hcrm_core.testing.adapters import SUITE as adapters
    from hcrm_core.testing.strategies import SUITE as strategies

    parts = [INTRODUCTION]
    for title, function, suite in (("Adapters", "adapter_kit", adapters), ("Strategies", "strategy_kit", strategies)):
        parts.append(f"## {title}\n\n`hcrm_core.testing.{function}`: {len(suite.checks)} checks.\n")
        parts += [_check(check) for check in suite.checks]
    return "\n".join(parts)


def _check(check: Any) -> str:
    fails = f", fails from {check.fails_from}" if check.fails_from != check.since else ""
    return (
        f"### {check.id}\n\n**{check.title}.**\n\n- **Why**: {check.reason}\n- **Fix**: {check.fix}\n"
        f"- **Since**: {check.since}{fails}.\n"
    )
