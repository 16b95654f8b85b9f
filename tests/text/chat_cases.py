"""The chat fixtures: cases with known answers, committed with the repository."""

import json
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CASES = REPOSITORY / "tests" / "fixtures" / "chat"


def load_cases(name):
    return json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))


def case_ids(cases):
    return [case["name"] for case in cases]
