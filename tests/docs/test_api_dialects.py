"""Every row of the API's tables names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_row_names_tests_that_exist():
    written = "\n".join(file.read_text() for file in (ROOT / "tests" / "server").glob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)", written, re.M))
    rows = [line for line in (ROOT / "docs" / "api_dialects.md").read_text().splitlines() if line.count(" | ") >= 2]
    tables = [row for row in rows if not row.startswith(("| feature", "| client"))]
    named = [re.findall(r"`(test_\w+)`", row.rsplit(" | ", 1)[1]) for row in tables]
    assert len(tables) > 50
    for row, tests in zip(tables, named):
        assert set(tests) <= there, row
        assert tests or row.endswith("the same |") or len(row) < 120, row
