"""Running a model: sampling and generation for one sequence."""

from finback.engine.generate import generate
from finback.engine.sampling import SamplingParams, sample

__all__ = ["SamplingParams", "generate", "sample"]
