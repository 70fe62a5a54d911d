"""The rules of the quality scale, each with why it is there and how to meet it."""

from collections.abc import Callable, Iterator
from typing import Literal, get_args

from msgspec import Struct

from hcrm_core.quality import checks
from hcrm_core.quality.seen import Seen

Level = Literal["bronze", "silver", "gold", "platinum"]

LEVELS: tuple[Level, ...] = get_args(Level)
"""From the lowest to the highest; each holds the rules of those below."""

MEANINGS: dict[Level, str] = {
    "bronze": "It can be installed, tried and understood.",
    "silver": "It can be relied upon: what it promises is tested, and what goes wrong is told.",
    "gold": "Those who use it and those who change it find all they need.",
    "platinum": "It is proved on more than its author thought of.",
}


class Rule(Struct, frozen=True, kw_only=True):
    """One rule.

    Attributes:
        id: What `quality.toml` calls it.
        level: The lowest level that asks for it.
        title: What holds where it is met, as a sentence without its full stop.
        why: Why that matters, as sentences.
        how: How to get there, as sentences.
        kinds: What a plugin must offer for the rule to apply; empty: it applies to all.
        check: Sees in the files what is not so, a sentence each; `None` where files cannot tell.
    """

    id: str
    level: Level
    title: str
    why: str
    how: str
    kinds: frozenset[str] = frozenset()
    check: Callable[[Seen], Iterator[str]] | None = None

    def applies(self, kinds: frozenset[str]) -> bool:
        """Whether it applies to a plugin that offers these."""
        return not self.kinds or bool(self.kinds & kinds)


RULES: tuple[Rule, ...] = (
    Rule(
        id="names-agree",
        level="bronze",
        title="Distribution, package and entry point have one name",
        why="Who reads `followup` in hcrm.toml knows what to install, and where to look.",
        how="Call the distribution `hcrm-adapter-NAME` or `hcrm-plugin-NAME`, its package the same with underscores, "
        "and the entry point `NAME`.",
        check=checks.names_agree,
    ),
    Rule(
        id="core-capped",
        level="bronze",
        title="The versions of HCRM that it works with have a lower and an upper bound",
        why="A version of the core that it was never tested with is refused with a sentence, instead of failing later.",
        how="Write `hcrm>=0.1,<0.2` among the dependencies, and raise the bound when you have tested the next version.",
        check=checks.core_capped,
    ),
    Rule(
        id="licence",
        level="bronze",
        title="Its licence is stated",
        why="A hospital may not use what nobody has allowed it to.",
        how='State it in pyproject.toml by its SPDX name: `license = "Apache-2.0"`.',
        check=checks.licence,
    ),
    Rule(
        id="readme",
        level="bronze",
        title="The README says what it does and how it is enabled",
        why="It is the first that somebody reads, and often the last.",
        how="Say in README.md what it does, and show the command `hcrm plugins enable NAME`.",
        check=checks.readme,
    ),
    Rule(
        id="public-api",
        level="bronze",
        title="Only `hcrm_core.api` is imported from the core, and nothing from other plugins",
        why="Everything else may change in any version and would break it.",
        how="Import from `hcrm_core.api`; what is missing there, ask for. Tests may import `hcrm_core.testing` too.",
        check=checks.public_api,
    ),
    Rule(
        id="known-hooks",
        level="bronze",
        title="It implements hooks that exist, with arguments that exist",
        why="A misspelt hook is never called.",
        how="Compare names and arguments with the reference of hooks.",
        check=checks.known_hooks,
    ),
    Rule(
        id="tests",
        level="bronze",
        title="It has tests",
        why="Without them nobody dares to change it.",
        how="Put tests into the folder `tests` beside `src`; the conformance kits are a good beginning.",
        check=checks.has_tests,
    ),
    Rule(
        id="conformance-kit",
        level="silver",
        title="The conformance kit passes",
        why="The kit knows what goes wrong in hospitals: order, repetition, corrections, merges, poison.",
        how="Call `adapter_kit` for each adapter and `strategy_kit` for the plugin, in `tests`.",
        kinds=frozenset({"adapters", "strategies"}),
        check=checks.conformance_kit,
    ),
    Rule(
        id="errors-are-sentences",
        level="silver",
        title="What goes wrong is told in sentences, by errors made for people",
        why="The reader is somebody at a hospital, at night. A traceback helps nobody, and may show personal data.",
        how="Raise the errors of `hcrm_core.api` and say what happened, where, and what to do. Print nothing, and end "
        "no process.",
        check=checks.errors_are_sentences,
    ),
    Rule(
        id="titles",
        level="silver",
        title="What people get to see has a title in Chinese and in English",
        why="Reports, worklists and explanations name strategies, reviews, reports and channels to people.",
        how='Give `title={"en": "…", "zh": "…"}`.',
        kinds=frozenset({"strategies", "reports", "reviews", "channels"}),
        check=checks.titles,
    ),
    Rule(
        id="settings-documented",
        level="silver",
        title="The README names every setting and every parameter",
        why="A setting that only its author knows is none.",
        how="List them in README.md, written as code, with meaning and default.",
        check=checks.settings_documented,
    ),
    Rule(
        id="pure",
        level="silver",
        title="It reaches for no network, file, program, environment, clock or chance",
        why="What it says is computed again: in a replay, as of another day, on another machine. It must be the same.",
        how="Use arguments and settings only; data of the package is read by `importlib.resources`.",
        kinds=frozenset({"adapters", "strategies", "reports", "reviews", "transforms", "observers", "channels"}),
        check=checks.pure,
    ),
    Rule(
        id="cheap-import",
        level="silver",
        title="Importing it imports no heavy library",
        why="Every worker and many commands import it.",
        how="Import data frame libraries, database drivers and renderers inside the functions that need them.",
        check=checks.cheap_import,
    ),
    Rule(
        id="typed",
        level="gold",
        title="Every function is annotated, and the package says so",
        why="Who builds on it, and who changes it, is told of mistakes before a hospital is.",
        how="Annotate arguments and results, and put an empty file `py.typed` into the package.",
        check=checks.typed,
    ),
    Rule(
        id="example",
        level="gold",
        title="The README shows an example of its settings that can be copied",
        why="People copy before they read.",
        how="Show the lines of hcrm.toml in a block marked `toml`. What has no settings is exempt.",
        check=checks.example,
    ),
    Rule(
        id="chinese",
        level="gold",
        title="The README says in Chinese what it does",
        why="Most who decide whether to use it read Chinese first.",
        how="Write at least one line of README.md in Chinese.",
        check=checks.chinese,
    ),
    Rule(
        id="docs-page",
        level="gold",
        title="A guide leads through its use",
        why="A table of settings does not say what to do first.",
        how="Write a page under `docs`, link from README.md to one, or give a URL `Documentation` in pyproject.toml.",
        check=checks.docs_page,
    ),
    Rule(
        id="origins",
        level="gold",
        title="Every value is traced to its field, and every field has a name for people",
        why="`hcrm explain` and `hcrm messages show` tell from which field of which message something came.",
        how="Implement `fields`, `origins` and `field_name`.",
        kinds=frozenset({"adapters"}),
        check=checks.origins,
    ),
    Rule(
        id="property-tests",
        level="platinum",
        title="Its own tests try generated input",
        why="Examples hold what their author thought of; sources send the rest.",
        how="State what must hold of all input, and let `hypothesis` look for what breaks it.",
        kinds=frozenset({"adapters", "transforms"}),
        check=checks.property_tests,
    ),
    Rule(
        id="measured",
        level="platinum",
        title="The README says how fast it is, on what, and how that was measured",
        why="A hospital must know beforehand whether a night is long enough.",
        how="Measure a day of a large hospital, and write down figures, machine and command.",
    ),
    Rule(
        id="outside-data",
        level="platinum",
        title="It is proved on data that its author did not make",
        why="Who makes the data and the code makes the same mistake twice.",
        how="Test it on public collections, or in a hospital, and say in README.md on which.",
    ),
)
