"""Running a model: sampling and generation for one sequence."""

from finback.engine.generate import generate
from finback.engine.sampling import SamplingParams, sample
from finback.engine.session import Session

__all__ = ["SamplingParams", "Session", "generate", "sample"]
