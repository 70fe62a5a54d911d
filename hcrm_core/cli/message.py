"""`hcrm messages show`: one message as it was sent and as it was read, side by side."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import click
import msgspec

from hcrm_core import env
from hcrm_core.cli.context import Opened, json_option, opened, show_json, show_table, workspace_option
from hcrm_core.cli.selection import Row, named
from hcrm_core.errors import HcrmError
from hcrm_core.intake.mask import MASK, PERSONAL
from hcrm_core.intake.work import Inspected
from hcrm_core.model.adapters import RECORD_FILES
from hcrm_core.model.records import REFERENCES
from hcrm_core.model.translation import Problem
from hcrm_core.store import audit
from hcrm_core.store.queries import inbox

_FREE = frozenset({("Observation", "value_string"), ("AllergyIntolerance", "reaction")})
"""Free text, in which anybody may be named."""
_CODE = re.compile(r"[!-~]{1,32}")
_BETWEEN = re.compile(r"[^\^~&\\|]+")
"""What stands between the delimiters of a field; where a sender has others, more is masked."""
_TELLING = {
    kind: fields | {name for name, target in REFERENCES[kind].items() if target != "Organization"}
    for kind, fields in PERSONAL.items()
}
"""Fields that tell who somebody is. References are among them: they name by keys made of the sender's numbers."""


@click.command()
@click.argument("wanted", metavar="ID|CONTROL_ID")
@click.option("--unmask", is_flag=True, help="Show who it is about too; that you did is written to the audit trail.")
@click.option("--by", metavar="NAME", help="Who looks; your login name by default.")
@json_option
@workspace_option
def show(wanted: str, unmask: bool, by: str | None, as_json: bool, workspace: str | None) -> None:
    """Show one message: its state, its problems, its fields as sent, and what they were read as.

    What may tell who somebody is is masked.
    """
    with opened(workspace) as space:
        row = named(space, wanted)
        if unmask:
            note(space, [row.id], by or env.user())
        shown = _shown(space, row, unmask)
    if as_json:
        show_json(shown)
    else:
        _tell(shown)


def note(space: Opened, message_ids: Sequence[int], by: str) -> None:
    """Write to the audit trail that somebody looks at what messages hold."""
    now = env.microseconds(env.now())
    with space.store.write() as connection:
        for message_id in message_ids:
            audit.record(
                connection,
                space.store.codec,
                at=now,
                by=by,
                action="messages.unmask",
                subject=f"message {message_id}",
                detail={},
            )


def _shown(space: Opened, row: Row, unmask: bool) -> dict[str, Any]:
    shown: dict[str, Any] = row.shown(space.timezone)
    outcome = row.outcome
    if outcome:
        shown |= {
            "adapter": outcome.adapter or None,
            "translation": outcome.translation,
            "attempts": outcome.attempts,
            "records": outcome.records,
            "problems": msgspec.json.decode(outcome.problems) if outcome.problems else [],
        }
    with space.store.read_inbox() as landed:
        message = inbox.read(landed, row.id)
    assert message is not None
    if not outcome and message.remarks:
        problems = msgspec.json.decode(message.remarks, type=list[Problem])
        shown["problems"] = [msgspec.to_builtins(problem) for problem in problems]
    shown["pruned"] = message.payload is None
    if message.payload is None or message.form == "records" or (outcome and outcome.adapter == RECORD_FILES):
        return shown
    try:
        payload = space.store.codec.open(message.payload)
        return shown | content(space.pool.inspect(space.source_of(row.source), payload), unmask)
    except HcrmError as error:
        return shown | {"unread": str(error)}


def content(read: Inspected, unmask: bool) -> dict[str, Any]:
    """`fields` as sent and as read, and what was `mapped`; masked unless `unmask`."""
    read_as: dict[str, list[str]] = {}
    telling: set[str] = set()
    values = {
        (record["kind"], record["key"], name): value
        for record in map(dict, read.records)
        for name, value in record.items()
    }
    # What a field with words in it may show all the same.
    codes: dict[str, set[str]] = {}
    where: dict[tuple[str, str, str], str] = {}
    for origin in read.origins:
        where[origin.kind, origin.key, origin.field] = origin.path
        for path in origin.path.split(", "):
            names = read_as.setdefault(path, [])
            name = f"{origin.kind}.{origin.field}"
            if name not in names:
                names.append(name)
            if origin.field in _TELLING[origin.kind]:
                telling.add(path)
            value = values.get((origin.kind, origin.key, origin.field))
            if (origin.kind, origin.field) in _FREE:
                codes.setdefault(path, set())
            elif _is_coded(value):
                codes.setdefault(path, set()).update(_codes(value))
    fields = []
    for field, called in read.fields:
        hidden = field.person and (field.field in telling or field.field not in read_as) and not unmask
        text = field.text
        if field.person and not unmask and field.field in codes:
            text = _only(codes[field.field], text)
        fields.append(
            {
                "path": field.path,
                "name": called,
                "sent": MASK if hidden else text,
                "read_as": read_as.get(field.field, []),
            }
        )
    mapped = []
    for record in read.records:
        members = dict(record)
        kind, key, _ = members.pop("kind"), members.pop("key"), members.pop("group", None)
        for name, value in members.items():
            # What comes from nowhere in the message cannot be told to be harmless.
            hidden = name in _TELLING[kind] or (kind, name) in _FREE or (kind, key, name) not in where
            mapped.append(
                {
                    "kind": kind,
                    "field": name,
                    "value": value if unmask else MASK if hidden else _without_words(value),
                    "from": where.get((kind, key, name)),
                }
            )
    return {"fields": fields, "mapped": mapped}


def _is_coded(value: Any) -> bool:
    """Whether a value is a coding or concept, or a list of them."""
    one = value[0] if isinstance(value, list) and value else value
    return isinstance(one, dict) and not one.keys().isdisjoint(("code", "coding", "display", "text"))


def _codes(value: Any) -> Iterator[str]:
    """The codes and code systems in a coding or concept."""
    for one in value if isinstance(value, list) else [value]:
        for coding in one.get("coding", [one]):
            yield from (text for text in (coding.get("code"),) if text and _CODE.fullmatch(text))
            yield from (text for text in (coding.get("system"),) if text and text.isascii())


def _only(codes: set[str], text: str) -> str:
    return _BETWEEN.sub(lambda found: found[0] if found[0].strip() in codes else MASK, text)


def _without_words(value: Any) -> Any:
    """A coding or concept with its codes only: beside them people write what they like."""
    if isinstance(value, list):
        return [_without_words(one) for one in value]
    if not _is_coded(value):
        return value
    codes = set(_codes(value))
    return {
        name: _without_words(part) if isinstance(part, list) else part if part in codes else MASK
        for name, part in value.items()
    }


def _tell(shown: dict[str, Any]) -> None:
    for name, value in shown.items():
        if name not in ("problems", "fields", "mapped") and value not in (None, False, ""):
            click.echo(f"{name}: {value}")
    for problem in shown.get("problems", ()):
        click.echo(f"- {' '.join(filter(None, (problem['code'], problem['where'])))}: {problem['text']}")
    if shown["pruned"]:
        click.echo("Its bytes have been pruned.")
    if shown.get("fields"):
        click.echo()
        show_table(
            ("field", "name", "as sent", "read as"),
            [(f["path"], f["name"], f["sent"], ", ".join(f["read_as"])) for f in shown["fields"]],
        )
    if shown.get("mapped"):
        click.echo()
        show_table(
            ("record", "value", "from"),
            [(f"{m['kind']}.{m['field']}", _text(m["value"]), m["from"]) for m in shown["mapped"]],
        )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
