"""An explanation as text for a terminal. Ids and codes only: names are merged where they may be shown."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hcrm_core.env import shown

if TYPE_CHECKING:
    # Who lists tasks needs `plain` and no analytical engine, which takes a quarter of a second to load.
    from hcrm_core.decide.evidence import Evidence
    from hcrm_core.decide.explain import Explanation


def render_explanation(explanation: "Explanation", timezone: str) -> str:
    """Lines of text that end without a newline; instants are shown in `timezone`."""
    return "\n".join(_lines(explanation, timezone))


def _lines(explanation: "Explanation", timezone: str) -> Iterator[str]:
    as_of = f", as of {shown(explanation.as_of, timezone)}" if explanation.as_of is not None else ""
    yield f"{explanation.kind} decided by {explanation.strategy} {explanation.version} (run {explanation.run}{as_of})"
    if explanation.parameters:
        yield "  with " + ", ".join(f"{name} = {value}" for name, value in sorted(explanation.parameters.items()))
    for name, value in explanation.decision.items():
        if value not in (None, "", {}):
            yield f"  {name}: {_shown(name, value, timezone)}"
    if explanation.history:
        yield "history"
        for event in explanation.history:
            reason = f" ({event['reason']})" if event["reason"] else ""
            yield f"  {shown(event['at'], timezone)}  {event['state']}{reason}, by {event['by']}"
    if explanation.evidence:
        yield "because"
        for item in explanation.evidence:
            yield from _evidence(item, timezone)


def _evidence(item: "Evidence", timezone: str) -> Iterator[str]:
    said = f"{item.member} = {plain(item.value)}" if item.value is not None else f"{item.member} was emptied"
    if item.source is None:
        said = "no live statement mentioned it"
    yield f"  {item.cited}: {said}"
    if source := item.source:
        fields = f", field {', '.join(source.fields)}" if source.fields else ""
        if source.pruned:
            fields = "; its bytes have been pruned, so the field is not known any more"
        yield (
            f"    said by {source.source} in message {source.control_id or source.message_id} "
            f"({source.message_type or 'unknown type'}){fields}"
        )
        yield f"    on {shown(source.said_at, timezone)}, received {shown(source.received_at, timezone)}"
    if item.outdated:
        now = f"{item.member} = {plain(item.now)}" if item.now is not None else f"{item.member} was emptied"
        yield f"    since then: {now}"


def _shown(name: str, value: Any, timezone: str) -> str:
    if name.endswith("_at") and isinstance(value, int):
        return shown(value, timezone)
    if isinstance(value, dict):
        return ", ".join(f"{key} = {plain(part)}" for key, part in value.items())
    return plain(value)


def plain(value: Any) -> str:
    """A value without Python's own notation."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return " ".join(plain(part) for part in value.values())
    if isinstance(value, list | tuple):
        return ", ".join(plain(part) for part in value)
    return str(value)
