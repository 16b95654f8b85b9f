"""Finback: the whole of DeepSeek-V4 as one Python package.

`finback.load(path)` gives a model, `finback.Engine(model)` runs it for many requests, `finback.text` speaks its
prompt format; the rooms are listed in docs/architecture.md. Submodules load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_ROOMS = ("checkpoint", "config", "data", "device", "engine", "lab", "model", "ops", "text", "train")


def __getattr__(name: str) -> Any:
    if name == "load":
        return importlib.import_module("finback.checkpoint").load
    if name == "Engine":
        return importlib.import_module("finback.engine").Engine
    if name in _ROOMS:
        return importlib.import_module(f"finback.{name}")
    raise AttributeError(f"module 'finback' has no attribute {name!r}")
