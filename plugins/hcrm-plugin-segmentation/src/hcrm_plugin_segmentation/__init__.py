"""Customer segmentation for HCRM: the strategies `rfm` and `pareto`, and a hospital's own segments, `segments.<id>`."""

from collections.abc import Sequence
from importlib.resources import files

from hcrm_core.api import ConfigurationError, Strategy, WorkspaceView, hookimpl, rule_texts
from hcrm_plugin_segmentation.segments import read_segments


@hookimpl
def register_strategies(workspace: WorkspaceView) -> Sequence[Strategy]:
    """Offer RFM segments, the 80/20 analysis, and the segments of the files named by `segments` in `[segmentation]`.

    Raises:
        ConfigurationError: A file is wrong; the text has file and line.
    """
    return [
        Strategy(
            name="rfm",
            version="1",
            kind="segment",
            scope="all",
            tables=("encounter", "charge_item", "calendar"),
            sql=_sql("rfm"),
            parameters={"window_months": 24, "currency": "CNY"},
            title={"en": "RFM segments", "zh": "RFM 客户分群"},
        ),
        Strategy(
            name="pareto",
            version="1",
            kind="score",
            scope="all",
            tables=("charge_item",),
            sql=_sql("pareto"),
            parameters={"window_months": 12, "currency": "CNY", "share_percent": 80, "top_percent": 20},
            title={"en": "80/20 analysis of revenue", "zh": "收入二八分析"},
        ),
        *_own_segments(workspace),
    ]


def _own_segments(workspace: WorkspaceView) -> Sequence[Strategy]:
    found: dict[str, Strategy] = {}
    for file, text in rule_texts(workspace, "segmentation", "segments", __name__, ()):
        for strategy in read_segments(text, file):
            if strategy.name in found:
                segment = strategy.name.removeprefix("segments.")
                raise ConfigurationError(
                    f"{file}: the segment {segment!r} stands in another file too. Rename one of them."
                )
            found[strategy.name] = strategy
    return list(found.values())


def _sql(name: str) -> str:
    return files(__name__).joinpath("strategies", f"{name}.sql").read_text(encoding="utf-8")
