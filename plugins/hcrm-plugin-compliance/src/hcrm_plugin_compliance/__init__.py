"""Rules of law and policy for HCRM: what strategies may not decide, each with its reason."""

from collections.abc import Sequence
from importlib.resources import files

from msgspec import Struct

from hcrm_core.api import ConfigurationError, Review, WorkspaceView, hookimpl


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[compliance]` of the workspace.

    Attributes:
        self_pay_plans: The plans (`coverage.plan`) that mean that patients pay by themselves.
        no_coverage_is_self_pay: Whether a patient without any coverage pays. True only where the hospital's system
            states the coverage of everybody who has one.
    """

    self_pay_plans: tuple[str, ...] = ("SELF",)
    no_coverage_is_self_pay: bool = False


@hookimpl
def review_decisions(workspace: WorkspaceView) -> Sequence[Review]:
    """Offer the review `insured-lines`: no points on what an insurer pays, or may pay.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    settings = _settings(workspace)
    text = files(__name__).joinpath("insured_lines.sql").read_text(encoding="utf-8")
    return [
        Review(
            name="insured-lines",
            version="1",
            kind="points",
            tables=("charge_item", "coverage"),
            sql=text.replace("{self_pay_plans}", _quoted(settings.self_pay_plans)),
            parameters={"no_coverage_is_self_pay": settings.no_coverage_is_self_pay},
            title={"en": "No points on insured lines", "zh": "医保项目不积分"},
        )
    ]


def _settings(workspace: WorkspaceView) -> Settings:
    given = workspace.settings("compliance")
    known = Settings.__struct_fields__
    for key in given:
        if key not in known:
            raise ConfigurationError(f"[compliance] has no key {key!r} in hcrm.toml. Valid here: {', '.join(known)}.")
    plans = given.get("self_pay_plans", ["SELF"])
    if not isinstance(plans, list) or not plans or not all(isinstance(plan, str) for plan in plans):
        raise ConfigurationError('self_pay_plans in [compliance] of hcrm.toml must be a list of texts: ["SELF"].')
    self_pay = given.get("no_coverage_is_self_pay", False)
    if not isinstance(self_pay, bool):
        raise ConfigurationError("no_coverage_is_self_pay in [compliance] of hcrm.toml must be true or false.")
    return Settings(tuple(plans), self_pay)


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
