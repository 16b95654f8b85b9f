"""Running a model: sampling, and the engine that serves many requests from one cache."""

from finback.engine.engine import Engine, Piece, Request, Result
from finback.engine.generate import generate
from finback.engine.sampling import Choice, SamplingParams, sample
from finback.engine.scheduler import Limits
from finback.engine.session import Session

__all__ = ["Choice", "Engine", "Limits", "Piece", "Request", "Result", "SamplingParams", "Session", "generate", "sample"]
