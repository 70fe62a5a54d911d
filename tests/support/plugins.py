"""Small distributions for tests: a folder on the path with modules and the metadata that makes them plugins."""

from pathlib import Path


def distribution(
    folder: Path,
    name: str,
    code: str,
    *,
    module: str | None = None,
    dist: str | None = None,
    requires: tuple[str, ...] = (),
) -> Path:
    """Write a plugin `name` of the distribution `dist` into `folder`, as an installer would.

    Args:
        folder: To be put on the path.
        name: The entry point's name.
        code: The module's text.
        module: The module's name; made of the plugin's where not given.
        dist: The distribution's name; made of the plugin's where not given.
        requires: What it requires, as `numpy>=2`.
    """
    module = module or f"fake_plugin_{name}"
    dist = dist or f"fake-plugin-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(code, encoding="utf-8")
    info = folder / f"{dist.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    required = "".join(f"Requires-Dist: {text}\n" for text in requires)
    metadata = f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.2\n{required}"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[hcrm.plugins]\n{name} = {module}\n", encoding="utf-8")
    return folder
