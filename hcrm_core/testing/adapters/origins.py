"""The check of where an adapter says that fields came from."""

import re
from collections.abc import Iterator

from hcrm_core.api import Origin, RawField
from hcrm_core.testing.adapters.case import AdapterCase, said
from hcrm_core.testing.adapters.suite import SUITE


@SUITE.check(
    "A15",
    "Origins name, for every field that is set, a field of the message",
    reason="hcrm explain shows a doctor or an auditor the field that a value came from. One that is wrong or missing "
    "sends them looking in vain.",
    fix="Let origins() give, for each field of each record, a path that fields() lists, with a component behind it if "
    "need be (PID-3.1), several with commas between them, or 'key of …' for a field that holds another record's key.",
)
def origins(case: AdapterCase) -> Iterator[str]:
    if not any(case.used.origins(case.messages[name]) for name in case.translations):
        yield "origins() gives nothing for any sample."
        return
    for name, translation in case.translations.items():
        payload = case.messages[name]
        told = case.used.origins(payload)
        fields = {(type(record).__name__, record.key): said(record) for record in translation.records}
        wanted = {(*known, field) for known, values in fields.items() for field in values}
        given = {(one.kind, one.key, _spelt(one)) for one in told}
        for kind, _, field in sorted(wanted - given):
            yield f"Of {name}: {kind}.{field} is set and has no origin."
        for kind, _, field in sorted(given - wanted):
            yield f"Of {name}: {kind}.{field} has an origin and is not set."
        listed = case.used.fields(payload)
        for path in dict.fromkeys(one.path for one in told):
            if not all(_is_listed(part, listed) for part in path.split(", ")):
                yield f"Of {name}: {path!r} is no path that fields() lists."


def _spelt(origin: Origin) -> str:
    # Python spells `class` with an underscore, and an origin may.
    return origin.field.removesuffix("_")


def _is_listed(path: str, fields: list[RawField]) -> bool:
    if path.startswith("key of "):
        return True
    return any(re.match(rf"{re.escape(known)}(?![\w-])", path) for one in fields for known in (one.path, one.field))
