"""The tables of docs/explanation/agreement.md: `PYTHONPATH=tests .venv/bin/python -m support.agreement_page`."""

import re
import sys
from collections import Counter
from pathlib import Path

from support.agreement import Comparison, compare, reasons

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "agreement.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def figures(compared: Comparison, as_sent: Comparison) -> str:
    """Both tables and the figures above them.

    Args:
        compared: Of the messages as they are compared.
        as_sent: Of the messages as they were sent.
    """
    by_kind: dict[str, Counter[str]] = {}
    by_class: Counter[str | None] = Counter()
    for found, name in compared.differences:
        one = found.ours or found.theirs
        assert one is not None
        column = "differing" if found.stated == 2 else "only HCRM" if found.ours else "only theirs"
        by_kind.setdefault(one.kind, Counter())[column] += 1
        by_class[name] += found.stated
    lines = [
        f"**{_percent(compared.agreement)}** of all facts stated by either side over {compared.messages} messages are "
        f"equal; of the messages as they were sent **{_percent(as_sent.agreement)}**, for most of them name no "
        f"patient. Outside the classes of differences below it is {_percent(compared.agreement_but_for_explained)}.",
        "",
        "| record | equal | only HCRM | only theirs | differing |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for kind in sorted({*compared.equal, *by_kind}):
        row = by_kind.get(kind, Counter())
        lines.append(
            f"| {kind} | {compared.equal[kind]} | {row['only HCRM']} | {row['only theirs']} | {row['differing']} |"
        )
    lines += ["", "A difference counts as two facts, one of each side.", ""]
    lines += ["| class of differences | facts | why |", "| --- | ---: | --- |"]
    lines += [f"| {reason.name} | {by_class[reason.name]} | {reason.why} |" for reason in reasons()]
    lines += ["", f"Unexplained: {by_class[None]}. Not compared, since messages of the type give HCRM no such record: "]
    lines[-1] += ", ".join(f"{number} facts of {kind}" for kind, number in sorted(compared.unmapped.items())) or "none"
    return "\n".join(lines) + "."


def _percent(share: float) -> str:
    return f"{share:.1%}"


def written(page: str, block: str) -> str:
    """The page with its figures replaced."""
    return re.sub(f"(?s){BEGIN}.*{END}", lambda _: f"{BEGIN}\n\n{block}\n\n{END}", page)


def main() -> int:
    """Write the figures into the page."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(written(page, figures(compare(), compare(numbered=False))), encoding="utf-8")
    print(f"Wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
