"""Checks that an adapter touches nothing and that equal bytes are equally read, whenever and wherever."""

import os
import tempfile
from collections.abc import Iterator
from functools import partial

from hcrm_core.testing.adapters.case import AdapterCase
from hcrm_core.testing.adapters.child import Answer, ChildFailed, ask
from hcrm_core.testing.adapters.serve import digest
from hcrm_core.testing.adapters.suite import SUITE

_HERE = {"PYTHONHASHSEED": "1", "TZ": "Asia/Shanghai"}
_ELSEWHERE = {
    "PYTHONHASHSEED": "1",
    "TZ": "America/St_Johns",
    "LC_ALL": "C",
    "LANG": "C",
    "PYTHONUTF8": "0",
    "USER": "somebody",
    "HOME": os.sep,
    "HCRM_NOW": "2001-02-03T04:05:06Z",
}
_PURE = "translate, split, fields, origins, acknowledge, request and answer"


def _asked(case: AdapterCase, what: str) -> Answer:
    known: dict[str, Answer] = case.__dict__.setdefault("_answers", {})
    if what not in known:
        if what == "here":
            known[what] = ask(case, _HERE)
        elif what == "elsewhere":
            with tempfile.TemporaryDirectory() as folder:
                known[what] = ask(case, _ELSEWHERE, folder=folder, watch=True)
        else:
            known[what] = ask(case, {**_HERE, "PYTHONHASHSEED": "2"}, reverse=True)
    return known[what]


def _differences(first: Answer, second: Answer, where: str) -> Iterator[str]:
    for name, output in first.outputs.items():
        if second.outputs.get(name) != output:
            yield f"{name} gives something else {where}."


@SUITE.check(
    "A05",
    "Reading a message touches nothing but the message",
    reason="Messages are translated again years later, on other machines and many at once. What depends on a file, the "
    "network, the clock, chance or the environment cannot be repeated.",
    fix=f"Let {_PURE} use only their arguments and the settings. What else is needed belongs into the settings.",
)
def touches_nothing(case: AdapterCase) -> Iterator[str]:
    try:
        yield from _asked(case, "elsewhere").effects
    except ChildFailed as failed:
        yield str(failed)


@SUITE.check(
    "A06",
    "Equal bytes are read equally at another time, in another folder, zone and environment",
    reason="The workers of one hospital need not be set up alike, and a replay must give what the first reading gave.",
    fix="Take zones from settings.timezone and never from the machine; name encodings; ask neither clock nor folder.",
)
def same_elsewhere(case: AdapterCase) -> Iterator[str]:
    try:
        yield from _differences(_asked(case, "here"), _asked(case, "elsewhere"), "in other surroundings")
    except ChildFailed as failed:
        yield str(failed)


@SUITE.check(
    "A07",
    "Equal bytes are read equally by every process, in every order, by a new adapter and a used one",
    reason="Messages are handed to any worker in any order. If one depends on another, state depends on chance.",
    fix="Keep nothing of a message in the adapter but caches that cannot be seen, and never go through a set, or by "
    "hash(), where order counts.",
)
def deterministic(case: AdapterCase) -> Iterator[str]:
    for name, payload in case.messages.items():
        case.used.translate(payload)
        used, new = (digest(partial(one.translate, payload)) for one in (case.used, case.make()))
        if used != new:
            yield f"translate({name}) gives something else by an adapter that has read other messages."
    try:
        yield from _differences(
            _asked(case, "here"), _asked(case, "another"), "in another process that read the messages backwards"
        )
    except ChildFailed as failed:
        yield str(failed)
