"""The conformance kit for adapters.

    from pathlib import Path
    from hcrm_core.testing import adapter_kit
    from my_adapter import MyAdapter

    TestKit = adapter_kit(MyAdapter, samples=Path(__file__).parent / "samples", settings={"charset": "GB18030"})

What a check needs and was not passed makes it fail with a sentence that says what to pass; a check that does not apply
is exempted, with the reason: `exempt={"A14": "The source never sends sets whole."}`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hcrm_core.api import Adapter
from hcrm_core.testing.adapters import doors, hostile, meaning, origins, pulling, purity, shape, translation
from hcrm_core.testing.adapters.case import AdapterCase, Says
from hcrm_core.testing.adapters.suite import SUITE
from hcrm_core.testing.adapters.walk import Serves
from hcrm_core.testing.checks import Outcome

__all__ = ["SUITE", "AdapterCase", "adapter_kit", "check_adapter"]

# Imported for the checks they register.
_MODULES = (shape, purity, translation, meaning, origins, hostile, doors, pulling)


def adapter_kit(
    adapter: type[Adapter],
    *,
    samples: Path | Mapping[str, bytes],
    settings: Mapping[str, Any] | None = None,
    source: str = "kit",
    plugin: str | None = None,
    says: Says | Sequence[Says] = (),
    shuffled: tuple[bytes, bytes] | None = None,
    complete: tuple[bytes, bytes] | None = None,
    charsets: Mapping[str, bytes] | None = None,
    charset_settings: Callable[[str], Mapping[str, Any]] | None = None,
    frame: Callable[[bytes], bytes] | None = None,
    wrapping: bytes = b"",
    made_of: Callable[[bytes], Sequence[bytes]] | None = None,
    serves: Serves | None = None,
    seconds: float = 60.0,
    exempt: Mapping[str, str] | None = None,
) -> type:
    """Make the class of tests of an adapter; name it `Test…`, so that pytest collects it.

    Args:
        adapter: The adapter's class, at the top of a module.
        samples: A folder of files as the source sends them, or file name → bytes. A file with one of the adapter's
            suffixes is split; any other is one message.
        settings: Of the source, as they would stand in `hcrm.toml`, without `adapter`.
        source: The source's name.
        plugin: The module of the plugin's entry point; the top package of the adapter's class where not given.
        says: A kind, a field of it and three messages, one that gives the field a value, one that says there is none
            and one that does not mention it; or several such tuples.
        shuffled: A message and the same with its repeating parts in another order.
        complete: A message that states a set whole, and one that states the same set with fewer members.
        charsets: The same message in at least two charsets, with text beyond ASCII.
        charset_settings: From a charset of `charsets` to the settings a source that sends it has; the setting
            `charset`, where the adapter has it and this is not given.
        frame: From a message to the bytes that carry it over a connection, of an adapter that listens.
        wrapping: A regular expression of the bytes of a file that belong to no message (a line of headings).
        made_of: From a message to the bytes of its file that it is made of, in order, of an adapter that puts messages
            together because a part of a container is not understood without the rest; the message itself where not
            given.
        serves: From a question (`HttpRequest`, `SqlQuery`) to the pieces of its answer, of an adapter that pulls: it
            stands for the source, has the same to tell whenever it is asked, passes over the lines of `skip`, and
            gives at least one answer in several pieces where the adapter asks for lines or rows.
        seconds: How long reading all bad input may take.
        exempt: Id of a check → why it does not apply; pytest shows it as skipped.

    Raises:
        ValueError: An exemption names no check or gives no reason.
    """
    case = AdapterCase(
        adapter=adapter,
        samples=samples,
        settings=settings or {},
        source=source,
        plugin=plugin,
        says=says,
        shuffled=shuffled,
        complete=complete,
        charsets=charsets or {},
        charset_settings=charset_settings,
        frame=frame,
        wrapping=wrapping,
        made_of=made_of,
        serves=serves,
        seconds=seconds,
    )
    return SUITE.test_class(f"Test{adapter.__name__}", lambda: case, exempt)


def check_adapter(case: AdapterCase, exempt: Mapping[str, str] | None = None) -> list[Outcome]:
    """Run every check without pytest.

    Args:
        case: The adapter and its samples.
        exempt: Id of a check → why it does not apply.

    Raises:
        ValueError: An exemption names no check or gives no reason.
    """
    return SUITE.run(case, exempt)
