"""What the guide to PostgreSQL says, on a real one."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.console import Shell

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-postgresql.md"
BIN = Path(sys.executable).parent


@pytest.mark.postgresql
def test_how_to_use_postgresql(new_database: Callable[[], str], tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    with Shell(tmp_path, BIN) as shell:
        for command in (
            "hcrm init clinic",
            "cd clinic",
            "hcrm simulate -o messages --patients 20 --seed 1 --until 2026-06-29",
        ):
            assert shell.run(command)[1] == 0
        file = tmp_path / "clinic" / "hcrm.toml"
        text = file.read_text(encoding="utf-8")
        assert 'url = "postgresql+psycopg://' in page
        file.write_text(re.sub(r'url = ".*?"', f'url = "{new_database()}"', text), encoding="utf-8")
        assert shell.run("hcrm db upgrade")[1] == 0
        status, code = shell.run("hcrm db status")
        assert code == 0
        shown = [line.strip() for line in re.findall(r"(?m)^ +((?:schema|inbox|store)  .*)$", page)]
        assert len(shown) == 3
        assert [line for line in map(str.strip, status) if line in shown] == shown
        for command in ("rm store.db inbox.db", "hcrm ingest messages", "hcrm decide", "hcrm doctor"):
            output, code = shell.run(command)
            assert code == 0, "\n".join(output)
        assert not list((tmp_path / "clinic").glob("*.db"))
