"""Patient follow-up rules for HCRM: each rule of a YAML file becomes the task strategy `followup.<rule id>`."""

from collections.abc import Iterator, Sequence
from importlib.resources import files

from hcrm_core.api import Channel, ConfigurationError, Strategy, WorkspaceView, hookimpl
from hcrm_plugin_followup.compiler import compile_rule
from hcrm_plugin_followup.reader import read_rules

SHIPPED = ("discharge.yaml",)


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
    for file, text in _rule_files(workspace):
        for rule in read_rules(text, file):
            strategy = compile_rule(rule)
            if strategy.name in found:
                raise ConfigurationError(
                    f"{file}: the rule {rule.id!r} stands in another file too. Rename one of them."
                )
            found[strategy.name] = strategy
    return list(found.values())


def _rule_files(workspace: WorkspaceView) -> Iterator[tuple[str, str]]:
    settings = workspace.settings("followup")
    for key in settings:
        if key != "rules":
            raise ConfigurationError(f"[followup] has no key {key!r} in hcrm.toml. Valid here: rules.")
    named = settings.get("rules")
    if named is None:
        for name in SHIPPED:
            yield f"the shipped rules {name}", files(__name__).joinpath("rules", name).read_text(encoding="utf-8")
        return
    paths = [named] if isinstance(named, str) else named
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ConfigurationError('rules in [followup] of hcrm.toml must be a list of paths: rules = ["rules/a.yaml"].')
    for path in paths:
        yield path, workspace.read_text(path)
