"""Patient follow-up rules for HCRM: each rule of a YAML file becomes the task strategy `followup.<rule id>`."""

from collections.abc import Sequence

from hcrm_core.api import Channel, ConfigurationError, Strategy, WorkspaceView, hookimpl, rule_texts
from hcrm_plugin_followup.compiler import compile_rule
from hcrm_plugin_followup.reader import read_rules

SHIPPED = ("rules/discharge.yaml",)


CHANNELS = (
    Channel(name="call", title={"zh": "电话", "en": "call"}, contact="phone"),
    Channel(name="wechat", title={"zh": "微信", "en": "WeChat"}, contact="account"),
    Channel(name="sms", title={"zh": "短信", "en": "text message"}, contact="phone"),
    Channel(name="email", title={"zh": "电子邮件", "en": "e-mail"}, contact="email"),
    Channel(name="letter", title={"zh": "信函", "en": "letter"}, contact="address"),
    Channel(name="visit", title={"zh": "上门", "en": "home visit"}, contact="address"),
    Channel(name="desk", title={"zh": "现场", "en": "in person"}),
)
"""What `via` of a rule may name."""


@hookimpl
def register_channels() -> Sequence[Channel]:
    """Offer the ways by which a follow-up is carried out."""
    return CHANNELS


@hookimpl
def register_strategies(workspace: WorkspaceView) -> Sequence[Strategy]:
    """Compile the rule files named by `rules` in `[followup]`, or the shipped ones where it is absent.

    Raises:
        ConfigurationError: A rule file is wrong; the text has file and line.
    """
    found: dict[str, Strategy] = {}
    for file, text in rule_texts(workspace, "followup", "rules", __name__, SHIPPED):
        for rule in read_rules(text, file):
            strategy = compile_rule(rule)
            if strategy.name in found:
                raise ConfigurationError(
                    f"{file}: the rule {rule.id!r} stands in another file too. Rename one of them."
                )
            found[strategy.name] = strategy
    return list(found.values())
