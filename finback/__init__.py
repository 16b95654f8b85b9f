"""Finback: the whole of DeepSeek-V4 as one Python package.

`finback.load(path)` gives a model, `finback.Engine(model)` runs it for many requests, `finback.text` speaks its
prompt format; the rooms are listed in docs/architecture.md. Submodules load when they are first used.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

__version__ = "0.1.0"

# Our kernels' threads and those of PyTorch's OpenMP loops take turns on the same cores. GNU OpenMP's spin for milliseconds
# after a loop, which made a training step half as long again; 3,000 turns (74 microseconds on an AMD EPYC) reach from one loop to the
# next. Read when PyTorch loads, so without effect where it is imported first.
if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "3000"

_ROOMS = ("checkpoint", "config", "data", "device", "engine", "lab", "model", "ops", "text", "train")


def __getattr__(name: str) -> Any:
    if name == "load":
        return importlib.import_module("finback.checkpoint").load
    if name == "Engine":
        return importlib.import_module("finback.engine").Engine
    if name in _ROOMS:
        return importlib.import_module(f"finback.{name}")
    raise AttributeError(f"module 'finback' has no attribute {name!r}")
