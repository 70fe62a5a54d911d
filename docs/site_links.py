"""A hook of MkDocs: links that leave `docs/`, to a plugin's README say, work where the repository is read and have no
page on the site; there their text is left."""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]*)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Called by MkDocs for each page.

    Args:
        markdown: The page.
        page: Whose place it is.
    """
    file = ROOT / "docs" / page.file.src_uri

    def kept_or_text(link: re.Match[str]) -> str:
        target = (file.parent / link[2]).resolve()
        inside = target.is_relative_to(ROOT / "docs") or not target.exists()
        return link[0] if inside else link[1]

    return _LINK.sub(kept_or_text, markdown)
