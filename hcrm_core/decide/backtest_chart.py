"""A back-test as a picture: what stands after each day, and the work of each day, as SVG."""

from collections.abc import Sequence
from datetime import date
from xml.sax.saxutils import escape

from hcrm_core.decide.backtest import Backtested

WIDTH, HEIGHT, LEFT, RIGHT, TOP, GAP = 960, 540, 64, 24, 76, 56
COLOURS = ("#2563a8", "#c2571a")
WORDS = {
    "zh": {"standing": "每日有效数", "due": "每日到期任务", "new": "每日新增", "title": "回测"},
    "en": {
        "standing": "standing after each day",
        "due": "tasks due on each day",
        "new": "new on each day",
        "title": "back-test",
    },
}
_FONT = "font-family='Noto Sans CJK SC, Noto Sans SC, Microsoft YaHei, PingFang SC, sans-serif'"


def draw(found: Sequence[Backtested], lang: str) -> str:
    """The picture of one back-test, or of two over the same days beside each other.

    Args:
        found: One, or two.
        lang: `zh` or `en`.
    """
    words = WORDS[lang]
    days = [one.day for one in found[0].days]
    half = (HEIGHT - TOP - 2 * GAP) / 2
    lower = [_loads(one, days) for one in found]
    what = words["due"] if any(one.workload for one in found) else words["new"]
    title = f"{found[0].strategy} · {words['title']} {days[0]} – {days[-1]}"
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' {_FONT} font-size='13'>",
        f"<title>{escape(title)}</title><rect width='{WIDTH}' height='{HEIGHT}' fill='white'/>",
        f"<text x='{LEFT}' y='24' font-size='16' font-weight='600'>{escape(title)}</text>",
        *_legend(found),
        *_panel(
            words["standing"], [[one.standing for one in run.days] for run in found], TOP + 12, half, days, bars=False
        ),
        *_panel(what, lower, TOP + half + GAP + 12, half, days, bars=True),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _loads(found: Backtested, days: Sequence[date]) -> list[int]:
    if not found.workload:
        return [one.counts.new for one in found.days]
    loads = dict.fromkeys(days, 0)
    for (day, _), count in found.workload.items():
        if day in loads:
            loads[day] += count
    return list(loads.values())


def _legend(found: Sequence[Backtested]) -> list[str]:
    parts = []
    for place, (one, colour) in enumerate(zip(found, COLOURS, strict=False)):
        x = LEFT + place * 320
        parts.append(f"<rect x='{x}' y='36' width='12' height='12' fill='{colour}'/>")
        parts.append(f"<text x='{x + 18}' y='47'>{escape(one.version)}</text>")
    return parts


def _panel(
    name: str, series: Sequence[Sequence[int]], top: float, height: float, days: Sequence[date], *, bars: bool
) -> list[str]:
    """One diagram: an axis of numbers, one of days, and a line or bars for each run."""
    step = _step(max([1, *(value for values in series for value in values)]))
    most = step * 4
    wide = (WIDTH - LEFT - RIGHT) / max(len(days), 1)

    def x(place: float) -> float:
        return LEFT + place * wide

    def y(value: float) -> float:
        return top + height - value / most * height

    parts = [f"<text x='{LEFT}' y='{top - 8}' fill='#444'>{escape(name)}</text>"]
    for tick in range(5):
        parts.append(
            f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{y(tick * step):.1f}' y2='{y(tick * step):.1f}' "
            "stroke='#ddd'/>"
            f"<text x='{LEFT - 8}' y='{y(tick * step) + 4:.1f}' text-anchor='end' fill='#666'>{tick * step:,}</text>"
        )
    every = max(len(days) // 8, 1)
    for place in range(0, len(days), every):
        parts.append(
            f"<text x='{x(place + 0.5):.1f}' y='{top + height + 18:.1f}' text-anchor='middle' fill='#666'>"
            f"{days[place]}</text>"
        )
    for number, (values, colour) in enumerate(zip(series, COLOURS, strict=False)):
        if bars:
            width = wide * 0.8 / len(series)
            for place, value in enumerate(values):
                left = x(place) + wide * 0.1 + number * width
                parts.append(
                    f"<rect x='{left:.1f}' y='{y(value):.1f}' width='{max(width, 0.5):.1f}' "
                    f"height='{top + height - y(value):.1f}' fill='{colour}'/>"
                )
        else:
            points = " ".join(f"{x(place + 0.5):.1f},{y(value):.1f}" for place, value in enumerate(values))
            parts.append(f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='2'/>")
    return parts


def _step(most: int) -> int:
    """The round number of which four reach at least `most`."""
    size = 1
    while True:
        for digit in (1, 2, 5):
            if digit * size * 4 >= most:
                return digit * size
        size *= 10
