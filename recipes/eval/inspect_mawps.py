"""MAWPS for inspect-ai against an OpenAI-compatible endpoint: docs/evaluation.md has the command."""

import os
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import Sample, json_dataset
from inspect_ai.scorer import match
from inspect_ai.solver import generate

DATA = os.environ.get("FINBACK_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")


@task
def mawps() -> Task:
    def sample(row: dict) -> Sample:
        return Sample(input=row["input"], target=f"{row['target']:.10g}", id=row["idx"])

    dataset = json_dataset(str(Path(DATA, "math", "mawps_dev.jsonl")), sample)
    return Task(dataset, solver=generate(), scorer=match(location="end", numeric=True))
