"""`hcrm customers history`: what people said and corrected of a customer, who, when and why; from the audit trail."""

from typing import Any

import click
import msgspec

from hcrm_core import env
from hcrm_core.cli.context import Opened, json_option, opened, show_json, show_table, workspace_option
from hcrm_core.cli.customer_named import resolve
from hcrm_core.cli.ties_told import names
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.store import audit
from hcrm_core.store.audit import AuditRow
from hcrm_core.store.queries import inbox, links

EDIT = "customers.edit"

_WORDS = {
    "customers.merge": "one person",
    "customers.split": "two people",
    "customers.unmerge": "taken back",
    EDIT: "corrected",
}
"""Action of the audit trail → what was said, in a word."""


@click.command()
@click.argument("customer", metavar="ID|NUMBER")
@json_option
@workspace_option
def history(customer: str, as_json: bool, workspace: str | None) -> None:
    """Show what people said and corrected of a customer: who, when and why, the oldest first.

    Merges, splits, decided pairs and edits; those that were taken back since, too.
    """
    with opened(workspace) as space:
        found = history_of(space, resolve(space, customer))
    if as_json:
        show_json(found)
        return
    show_table(
        ("at", "by", "said", "of", "why", "message"),
        [(one["at"], one["by"], one["says"], _whom(one), one["reason"], one["message"]) for one in found],
    )
    if not found:
        click.echo("Nobody has said or corrected anything of this customer by hand.")


def history_of(space: Opened, customer_id: str) -> list[dict[str, Any]]:
    """What people said of a customer's patients, the oldest first."""
    with space.store.read() as connection:
        members = set(links.members_of(connection, {customer_id}))
        rows = audit.of_actions(connection, _WORDS)
    found = [(row, detail, about) for row in rows if (about := _about(row, detail := _detail(row), members))]
    called = names(space, {one for _, _, about in found for pair in about for one in pair})
    return [
        {
            "at": env.shown(row.at, space.timezone),
            "by": row.by,
            "says": _WORDS[row.action],
            "patients": about,
            "called": [[called[one] for one in pair] for pair in about],
            "fields": sorted({*detail.get("set", ()), *detail.get("clear", ()), *detail.get("release", ())}),
            "reason": detail.get("reason") or "",
            "message": _message(space, detail.get("message")),
        }
        for row, detail, about in found
    ]


def told(one: dict[str, Any]) -> str:
    """One entry in a line."""
    why = f": {one['reason']}" if one["reason"] else ""
    return f"{one['at']} {one['by']}: {one['says']}: {_whom(one)}{why} [message {one['message']}]"


def _detail(row: AuditRow) -> dict[str, Any]:
    detail: dict[str, Any] = msgspec.json.decode(row.detail)
    return detail


def _about(row: AuditRow, detail: dict[str, Any], members: set[str]) -> list[list[str]]:
    """The patients spoken of: alone, or in pairs of which one is of the customer."""
    if row.action == EDIT:
        patient = row.subject.rpartition(" ")[2]
        return [[patient]] if patient in members else []
    pairs = [pair.split("+") for pair in detail["pairs"]]
    return [pair for pair in pairs if not members.isdisjoint(pair)]


def _message(space: Opened, control_id: str | None) -> int | None:
    with space.store.read_inbox() as landed:
        found = [row[0] for row in inbox.headers(landed, source=MANUAL, control_id=control_id)]
    return min(found, default=None)


def _whom(one: dict[str, Any]) -> str:
    first, *others = one["called"]
    more = f" and {len(others)} more pairs" if others else ""
    return " and ".join(first) + more + (f" ({', '.join(one['fields'])})" if one["fields"] else "")
