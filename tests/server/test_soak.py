"""Half a minute of what `benchmarks/soak.py` does for an hour."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_clients_that_come_and_leave_leave_nothing_behind():
    command = [sys.executable, ROOT / "benchmarks" / "soak.py", "--minutes", "0.5", "--clients", "6", "--model", ROOT / "finback/models/first"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
