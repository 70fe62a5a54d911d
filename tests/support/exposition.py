"""A strict reader of Prometheus' text exposition format 0.0.4: whatever is not in the format is an error."""

import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
_HELP = re.compile(rf"# HELP ({_NAME}) (.+)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_LABEL}(?:,{_LABEL})*)\}})? (-?\d+(?:\.\d+)?)")
_ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""(name, labels) → value."""


def read(text: str) -> Samples:
    """The samples of an exposition, each of a metric that has its help and its type before it and no sample twice."""
    assert text.endswith("\n") and "\r" not in text
    samples: Samples = {}
    kinds: dict[str, str] = {}
    helped: list[str] = []
    current = ""
    for line in text[:-1].split("\n"):
        if found := _HELP.fullmatch(line):
            assert found[1] not in helped, line
            helped.append(found[1])
        elif found := _TYPE.fullmatch(line):
            current = found[1]
            assert helped[-1] == current and current not in kinds, line
            kinds[current] = found[2]
            assert (found[2] == "counter") == current.endswith("_total"), line
        else:
            found = _SAMPLE.fullmatch(line)
            assert found and found[1] == current, line
            labels = [(name, _plain(value)) for name, value in re.findall(_LABEL, found[2] or "")]
            assert len(dict(labels)) == len(labels), line
            key = (current, frozenset(labels))
            assert key not in samples, line
            samples[key] = float(found[found.lastindex or 0])
    assert kinds.keys() == set(helped)
    return samples


def _plain(value: str) -> str:
    return re.sub(r"\\.", lambda found: _ESCAPED[found[0]], value)


def value(samples: Samples, name: str, **labels: str) -> float:
    """One sample's value."""
    return samples[name, frozenset(labels.items())]
