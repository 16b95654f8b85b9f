"""How long from nothing to a first token, and what does a wheel cost?

    python benchmarks/start.py             # the shipped model
    python benchmarks/start.py --model PATH --wheel

Each line but the last is a process of its own, started five times after one that warms the disk's cache; the median and
the slowest are printed. `--wheel` also builds one from the sources here and prints its seconds and size.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from finback.cli import DEFAULT_MODEL

ROOT = Path(__file__).parents[1]
TIMES = 5

FIRST_TOKEN = """
import finback
from finback.engine import SamplingParams
from finback.text import encode_messages
prompt = encode_messages([{{"role": "user", "content": "Hello"}}], thinking_mode="chat")
assert finback.Engine({model!r}).generate([prompt], SamplingParams(max_tokens=1))[0].tokens
"""


def seconds(command: list[str]) -> list[float]:
    """Of TIMES runs, after one that does not count."""
    found = []
    for _ in range(TIMES + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        found.append(time.perf_counter() - began)
    return found[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(DEFAULT_MODEL))
    parser.add_argument("--wheel", action="store_true")
    args = parser.parse_args()
    for what, command in (
        ("python, doing nothing", ["-c", ""]),
        ("import finback", ["-c", "import finback"]),
        ("finback --help", ["-m", "finback.cli", "--help"]),
        ("import torch", ["-c", "import torch"]),
        ("import, load, first token", ["-c", FIRST_TOKEN.format(model=args.model)]),
    ):
        found = seconds([sys.executable, *command])
        print(f"{what:28} {statistics.median(found):6.2f} s, at most {max(found):.2f}", flush=True)
    if args.wheel:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, "-Cbuild-dir=" + folder + "/build", str(ROOT)]
            subprocess.run(build, check=True)
            spent = time.perf_counter() - began
            size = next(Path(folder).glob("*.whl")).stat().st_size
        print(f"{'wheel':28} {spent:6.0f} s, {size / 2**20:.1f} MiB, models included")


if __name__ == "__main__":
    main()
