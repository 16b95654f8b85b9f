"""Do the native kernels write outside their memory, or their threads into each other's?

    python tests/sanitize.py address      # AddressSanitizer and UndefinedBehaviorSanitizer
    python tests/sanitize.py thread       # ThreadSanitizer

Builds the kernels with the sanitizer, in a copy of the package under build/, and runs the tests that use them there: at every level
of instructions that this processor has, in all stored formats, whole forwards and gradients. Ends with 0 if all tests pass and nothing is
reported. Needs g++ with its sanitizers, cmake, ninja, and what the tests need. The first run compiles for some minutes; the tests take as many.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ("tests/ops", "tests/model/test_laws.py", "tests/model/test_fp8_cache.py", "tests/checkpoint/test_kept.py")
FLAGS = {"address": "-fsanitize=address,undefined -fno-sanitize-recover=undefined", "thread": "-fsanitize=thread"}
LIBRARY = {"address": "libasan.so", "thread": "libtsan.so"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sanitizer", choices=FLAGS)
    parser.add_argument("tests", nargs="*", default=list(TESTS), help="what pytest runs (default: all that use the kernels)")
    options = parser.parse_intermixed_args()
    work = ROOT / "build" / f"sanitize-{options.sanitizer}"
    copy(work / "tree")
    build(work, FLAGS[options.sanitizer])
    reports = work / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    code = run(work / "tree", options.sanitizer, options.tests, reports)
    found = sorted(reports.iterdir())
    for report in found:
        print(report.read_text(errors="replace"))
    print(f"pytest ended with {code}; {options.sanitizer} sanitizer: {len(found)} reports" + (f" in {reports}" if found else ""))
    return 1 if code or found else 0


def copy(tree: Path) -> None:
    """The package and its tests, with their times, so that a second build compiles only what changed."""
    shutil.copytree(ROOT / "finback", tree / "finback", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    shutil.copytree(ROOT / "tests", tree / "tests", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", tree)


def build(work: Path, flags: str) -> None:
    flags = f"-O1 -g -fno-omit-frame-pointer -ffp-contract=off {flags}"
    configure = ["cmake", "-G", "Ninja", "-S", work / "tree/finback/ops/cpu", "-B", work / "cmake", f"-DPython_EXECUTABLE={sys.executable}"]
    # a build type without flags of its own: -O3 beside a sanitizer compiles several times as long
    subprocess.run([*configure, "-DCMAKE_BUILD_TYPE=Sanitize", f"-DCMAKE_CXX_FLAGS={flags}"], check=True)
    subprocess.run(["ninja", "-C", work / "cmake"], check=True)


def run(tree: Path, sanitizer: str, tests: list[str], reports: Path) -> int:
    """Python itself is not instrumented, so the sanitizer's library has to be there first, and C++'s own behind it, whose `throw` it wraps.
    What Python and PyTorch do is not looked at."""
    names = (LIBRARY[sanitizer], "libstdc++.so")
    libraries = [subprocess.run(["g++", f"-print-file-name={x}"], check=True, capture_output=True, text=True).stdout.strip() for x in names]
    common = f"log_path={reports}/report"
    environment = {
        **os.environ, "PYTHONPATH": str(tree), "LD_PRELOAD": " ".join(libraries), "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": f"{common}:detect_leaks=0:abort_on_error=0",
        "UBSAN_OPTIONS": f"{common}:print_stacktrace=1",
        "TSAN_OPTIONS": f"{common}:ignore_noninstrumented_modules=1:history_size=4",
    }  # fmt: skip
    # ThreadSanitizer lays its shadow memory out itself and cannot bear addresses chosen at random
    command = ["setarch", "-R", sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=tree, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
