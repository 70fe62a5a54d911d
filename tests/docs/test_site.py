"""The documentation as a site: every page is in it, every link leads somewhere, and reading it fetches nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with warnings as errors: a page that the navigation leaves out, a link to nowhere."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", "configs/mkdocs.yml", "-d", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_on_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert pages <= {path.relative_to(site) for path in site.rglob("*.html")}
    assert not list(site.rglob("*.py"))


def test_reading_it_fetches_nothing_from_elsewhere(site: Path) -> None:
    away = r"=.?(?:https?:)?//"
    fetched = re.compile(rf"<(?:script|img|iframe|source)[^>]*\ssrc{away}|<link(?![^>]*canonical)[^>]*href{away}")
    styled = re.compile(r"url\([\"']?(?:https?:)?//|@import")
    pages = [path for path in site.rglob("*.html") if fetched.search(path.read_text(encoding="utf-8"))]
    styles = [path for path in site.rglob("*.css") if styled.search(path.read_text(encoding="utf-8"))]
    assert not pages and not styles
