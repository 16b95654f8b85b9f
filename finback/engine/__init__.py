"""Running a model: sampling, and the engine that serves many requests from one cache."""

from finback.engine.constrain import Constraint
from finback.engine.engine import Engine
from finback.engine.generate import generate
from finback.engine.request import Piece, Request, Result
from finback.engine.sampling import Choice, SamplingParams, answer_seed, sample
from finback.engine.scheduler import Limits

__all__ = [
    "Choice",
    "Constraint",
    "Engine",
    "Limits",
    "Piece",
    "Request",
    "Result",
    "SamplingParams",
    "answer_seed",
    "generate",
    "sample",
]
