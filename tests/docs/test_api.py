"""Every row of the API's tables names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["api.md", "api_dialects.md"])
def test_every_row_names_tests_that_exist(page):
    written = "\n".join(file.read_text() for file in (ROOT / "tests" / "server").glob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)", written, re.M))
    lines = (ROOT / "docs" / page).read_text().splitlines()
    headers = [at - 1 for at, line in enumerate(lines) if line.startswith("|---")]
    rows = [line for at, line in enumerate(lines) if line.startswith("|") and at not in headers and at - 1 not in headers]
    assert headers and all(lines[at].endswith("| test |") for at in headers) and len(rows) > 60
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row.rsplit(" | ", 1)[1])
        assert named, f"no test is named: {row}"
        assert set(named) <= there, f"{set(named) - there} do not exist: {row}"
