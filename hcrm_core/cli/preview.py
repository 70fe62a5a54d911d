"""How a replay that has only been rehearsed is told."""

from collections import Counter
from typing import Any

import click
import msgspec

from hcrm_core.cli.context import counted, say, show_json, show_table
from hcrm_core.intake import replay as intake
from hcrm_core.intake.replay import Preview

_SHOWN = 20
_TURNED = 5


def tell(preview: Preview, messages: int, then: str, as_json: bool) -> None:
    """Tell what a replay would come to.

    Args:
        preview: Of it.
        messages: How many were looked at.
        then: What is to be done where facts would change.
        as_json: As one JSON document.
    """
    if as_json:
        changes = [msgspec.to_builtins(change._asdict()) for change in preview.changes]
        turns = [
            {"message": one.message_id, "state": one.state, "code": one.reason.code, "reason": one.reason.text}
            for one in preview.turns
        ]
        show_json({"messages": messages} | preview.processed._asdict() | {"changes": changes, "turns": turns})
        return
    say(
        f"Replaying {counted(messages, 'message')} would translate {preview.processed.translated:,} and quarantine "
        f"{preview.processed.quarantined:,}."
    )
    for state, what in (("quarantined", "newly quarantined"), ("folded", "translated now")):
        turned = [one for one in preview.turns if one.state == state]
        for code, count in sorted(Counter(one.reason.code for one in turned).items()):
            numbers = ", ".join(
                f"#{one.message_id}" for one in [one for one in turned if one.reason.code == code][:_TURNED]
            )
            say(f"{counted(count, 'message')} {what} ({code}): {numbers}{' …' if count > _TURNED else ''}")
    if not preview.changes:
        say("No fact would change.")
        return
    facts = len({change.fact_id for change in preview.changes})
    say(f"{counted(facts, 'fact')} would change. {then}")
    show_table(
        ("kind", "field", "facts"),
        [(kind, field or "(as a whole)", count) for kind, field, count in intake.summary(preview.changes)],
    )
    click.echo()
    show_table(
        ("kind", "fact", "field", "now", "then"),
        [
            (one.kind, one.fact_id, one.field or "(as a whole)", _text(one.before), _text(one.after))
            for one in preview.changes[:_SHOWN]
        ],
    )
    if len(preview.changes) > _SHOWN:
        click.echo(f"… and {len(preview.changes) - _SHOWN:,} more; --json shows all.")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
