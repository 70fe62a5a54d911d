"""An environment for a test that installs something: it sees all that this one has, and takes what is new."""

import site
import sys
import sysconfig
import venv
from pathlib import Path


def own_environment(folder: Path) -> Path:
    """Make one without a download; `pip install` in it leaves this environment as it is.

    Returns:
        The folder of its programs, `python`, `pip` and `hcrm` among them.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    packages = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    # addsitedir and not a plain path: editable installs of this environment are .pth files too.
    paths = [sysconfig.get_path("purelib"), *site.getsitepackages()]
    lines = [f"import site; site.addsitedir({path!r})" for path in dict.fromkeys(paths)]
    (Path(packages) / "_parent.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, start in {
        "hcrm": "from hcrm_core.cli import main",
        "pip": "from pip._internal.cli.main import main",
    }.items():
        program = programs / name
        program.write_text(f"#!{programs / 'python'}\nimport sys\n{start}\nsys.exit(main())\n", encoding="utf-8")
        program.chmod(0o755)
    assert sys.prefix == sysconfig.get_path("data")
    return programs
