"""How is a native operation held against its definition? In values and gradients, on inputs of either dtype.

The definition runs in float64 on the same numbers, so that what is measured is the native side's rounding alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from finback.ops import cpu, reference

DTYPES = (torch.float32, torch.bfloat16)


def native(name: str) -> Callable:
    return cpu.OPS[name][1]


def random(*shape: int, seed: int, dtype: torch.dtype = torch.float32, scale: float = 1.0) -> Tensor:
    return (scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))).to(dtype)


def run(op: Callable, args: Sequence[Any], seed: int = 7) -> tuple[list[Tensor], list[Tensor]]:
    """The results, and the gradients of all tensors that want one, of a random weighing of all results."""
    outs = op(*args)
    outs = list(outs) if isinstance(outs, tuple) else [outs]
    given = [random(*out.shape, seed=seed + i, dtype=out.dtype) for i, out in enumerate(outs)]
    wanted = [a for a in args if isinstance(a, Tensor) and a.requires_grad]
    return [out.detach() for out in outs], list(torch.autograd.grad(outs, wanted, given)) if wanted else []


def wanting(args: Sequence[Any], fixed: Sequence[int] = ()) -> list[Any]:
    """Copies of the arguments, of which the floats want gradients except those at `fixed`."""
    return [a.detach().clone().requires_grad_(i not in fixed) if isinstance(a, Tensor) else a for i, a in enumerate(args)]


def exact(name: str, args: Sequence[Any]) -> tuple[list[Tensor], list[Tensor]]:
    """`run` of the definition in float64. What the gradients weigh is rounded as for the native side's dtypes."""
    dtypes = [out.dtype for out in _results(name, args)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "_fp32", lambda x: x)
        double = [a.detach().double().requires_grad_(a.requires_grad) if isinstance(a, Tensor) else a for a in args]
        outs = getattr(reference, name)(*double)
        outs = list(outs) if isinstance(outs, tuple) else [outs]
        given = [random(*out.shape, seed=7 + i, dtype=dtype).double() for i, (out, dtype) in enumerate(zip(outs, dtypes))]
        wanted = [a for a in double if isinstance(a, Tensor) and a.requires_grad]
        return [out.detach() for out in outs], list(torch.autograd.grad(outs, wanted, given)) if wanted else []


@torch.no_grad()
def _results(name: str, args: Sequence[Any]) -> list[Tensor]:
    outs = getattr(reference, name)(*args)
    return list(outs) if isinstance(outs, tuple) else [outs]


def assert_agrees(name: str, args: Sequence[Any], tolerance: float = 2e-5) -> None:
    """Values and gradients of the native operation, in the definition's dtypes and within FP32's noise of float64, but
    for the one rounding of what is BF16."""
    found, wanted = run(native(name), args), exact(name, args)
    dtypes = [out.dtype for out in _results(name, args)], [a.dtype for a in args if isinstance(a, Tensor) and a.requires_grad]
    for ours, theirs, kinds in zip(found, wanted, dtypes):
        assert len(ours) == len(theirs) == len(kinds)
        for x, y, dtype in zip(ours, theirs, kinds):
            assert x.dtype == dtype and x.shape == y.shape
            bound = tolerance * (1 + float(y.abs().max())) if y.numel() else 0.0
            torch.testing.assert_close(x.double(), y, rtol=tolerance + (2**-8 if dtype == torch.bfloat16 else 0), atol=bound)
