"""How is Python that a model wrote run without harm? `Sandbox` is the answer; `box.py` says how it is built."""

from finback.tasks.sandbox.box import Outcome, Sandbox, SandboxError, Session

__all__ = ["Outcome", "Sandbox", "SandboxError", "Session"]
