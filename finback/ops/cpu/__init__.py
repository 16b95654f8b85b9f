"""Which operations does the native CPU backend compute, and which does it refuse?

C++ kernels (src/) compiled at install, once for each level of instructions; the best one that the processor
has is used (FINBACK_CPU chooses another: portable, avx2, avx512, avx512bf16). Tensors pass as addresses, so
everything is checked here. Each operation is a function with the signature of its definition in
`ops.reference` and a `refuses` that says why given arguments are not its business, or None.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

try:
    from finback.ops.cpu import _native
except ImportError as error:
    _native, MISSING = None, f"the native module is not built ({error}): install a C++20 compiler and reinstall Finback"
else:
    MISSING = None
    _native.choose(os.environ.get("FINBACK_CPU", ""))

OPS: dict[str, tuple[Callable[..., str | None], Callable[..., Any]]] = {}


def op(refuses: Callable[..., str | None]) -> Callable:
    """Registers the function below as the native form of the reference operation of its name."""

    def register(function: Callable) -> Callable:
        OPS[function.__name__] = (refuses, function)
        return function

    return register


def level() -> str | None:
    """The instruction level in use, or None without the native module."""
    return _native.level() if _native is not None else None


def lib() -> Any:
    """The native module, on as many threads as PyTorch uses."""
    _native.set_threads(torch.get_num_threads())
    return _native


ACTIVATIONS = (torch.float32, torch.bfloat16)


def unfit(*tensors: Tensor, dtypes: tuple[torch.dtype, ...] = (torch.float32,), strided: bool = False) -> str | None:
    """Why kernels for dense CPU tensors of these dtypes cannot take these, or None. strided: those not dense are copied."""
    for t in tensors:
        if t.device.type != "cpu":
            return f"a tensor is on {t.device}"
        if t.dtype not in dtypes:
            return f"a tensor is {t.dtype}"
        if not strided and not t.is_contiguous():
            return "a tensor is not contiguous"
    return None


from finback.ops.cpu import attention, compressor, experts, hyper_connections, rows  # noqa: E402, F401  (registers their operations)
