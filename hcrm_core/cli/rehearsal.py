"""Reading a source by another mapping than the one it names, without changing anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hcrm_core.cli.context import Opened
from hcrm_core.errors import ConfigurationError, UsageError
from hcrm_core.intake.pool import WorkerPool
from hcrm_core.model.toml_file import TextFile, nearest
from hcrm_core.registry.enabled import Registry
from hcrm_core.registry.offers import Source


@contextmanager
def rehearsed(space: Opened, file: str, source: str | None) -> Iterator[tuple[WorkerPool, Source]]:
    """Hosts that read a source by a mapping.

    Args:
        space: The workspace.
        file: The mapping.
        source: Whose; the only one that could have it where not given.

    Raises:
        UsageError: There is no such source, or several could have it.
        ConfigurationError: The mapping is wrong.
    """
    try:
        mapping = TextFile(file, Path(file).read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} is not written in UTF-8. Save it in that charset.") from None
    except OSError:
        raise ConfigurationError(f"{file} cannot be read. Check the path.") from None
    name = _source(space, source)
    registry = Registry(space.configuration.with_mapping(name, mapping))
    try:
        read = registry.source(name)
        with WorkerPool(registry, space.workers) as pool:
            yield pool, read
    finally:
        registry.close()


def _source(space: Opened, source: str | None) -> str:
    sources = space.configuration.settings.sources
    adapters = space.registry.adapters
    fit = [name for name, table in sources.items() if (one := adapters.get(str(table.get("adapter")))) and one.maps]
    if source is not None:
        if source not in sources:
            raise UsageError(f"There is no source {source!r} in hcrm.toml. {nearest(source, list(sources))}")
        return source
    if len(fit) != 1:
        which = f"Several could have it: {', '.join(fit)}." if fit else "No source in hcrm.toml is read by a mapping."
        raise UsageError(f"Which source is the mapping for? {which} Say --source NAME.")
    return fit[0]
