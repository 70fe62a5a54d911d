"""Customer segmentation for HCRM: the strategies `rfm` and `pareto`, each one SQL file beside this one."""

from collections.abc import Sequence
from importlib.resources import files

from hcrm_core.api import Strategy, WorkspaceView, hookimpl


@hookimpl
def register_strategies(workspace: WorkspaceView) -> Sequence[Strategy]:
    """Offer RFM segments and the 80/20 analysis."""
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
    ]


def _sql(name: str) -> str:
    return files(__name__).joinpath("strategies", f"{name}.sql").read_text(encoding="utf-8")
