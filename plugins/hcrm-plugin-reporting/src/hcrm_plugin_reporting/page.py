"""The page around the sections: one file, no script, nothing fetched."""

from base64 import b64encode
from hashlib import sha256

from hcrm_plugin_reporting.markup import Child, Html, element
from hcrm_plugin_reporting.resources import read
from hcrm_plugin_reporting.wording import Wording

TAGS = {"zh": "zh-CN", "en": "en"}


def page(title: str, words: Wording, *body: Child) -> bytes:
    """A whole HTML document in UTF-8, whose policy allows its own style sheet and nothing else."""
    style = read("style.css")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    document = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element(
                "meta",
                http_equiv="Content-Security-Policy",
                content=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
            ),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="referrer", content="no-referrer"),
            element("title", title),
            element("style", Html(style)),
        ),
        element("body", element("main", *body)),
        lang=TAGS[words.language],
    )
    return f"<!doctype html>\n{document}\n".encode()
