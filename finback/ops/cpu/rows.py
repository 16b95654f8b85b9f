"""RMSNorm and RoPE, each in one pass over the rows of an activation, and one back."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from finback.ops.cpu import ACTIVATIONS, lib, op, unfit


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, eps: float) -> Tensor:
        n = x.shape[-1]
        rows = math.prod(x.shape[:-1])
        y, factors = torch.empty_like(x), x.new_empty(rows, dtype=torch.float32)
        lib().norm_rows(
            x.data_ptr(), x.dtype == torch.bfloat16, 0 if weight is None else weight.data_ptr(), rows, n, eps, y.data_ptr(),
            factors.data_ptr(),
        )  # fmt: skip
        ctx.save_for_backward(x, weight, factors)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, factors = ctx.saved_tensors
        g, dx = g.contiguous(), torch.empty_like(x)
        dweight = None if weight is None else torch.empty_like(weight)
        lib().norm_rows_back(
            x.data_ptr(), x.dtype == torch.bfloat16, 0 if weight is None else weight.data_ptr(), factors.data_ptr(),
            g.data_ptr(), len(factors), x.shape[-1], dx.data_ptr(), 0 if dweight is None else dweight.data_ptr(),
        )  # fmt: skip
        return dx, dweight, None


def _refuses_norm(x: Tensor, weight: Tensor | None, eps: float) -> str | None:
    if weight is not None and weight.shape != x.shape[-1:]:
        return f"a weight of shape {tuple(weight.shape)} for {tuple(x.shape)}"
    return unfit(x, dtypes=ACTIVATIONS, strided=True) or (None if weight is None else unfit(weight))


@op(_refuses_norm)
def rms_norm(x: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    return _Norm.apply(x.contiguous(), weight, eps)


class _Rotate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _turn(x, cos, sin, 1.0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        return _turn(g.contiguous(), *ctx.saved_tensors, -1.0), None, None


def _turn(x: Tensor, cos: Tensor, sin: Tensor, direction: float) -> Tensor:
    y, (T, r), c = torch.empty_like(x), cos.shape, x.shape[-1]
    lib().turn_rows(
        x.data_ptr(), x.dtype == torch.bfloat16, cos.data_ptr(), sin.data_ptr(), T, math.prod(x.shape[1:-1]), c, r, direction,
        y.data_ptr(),
    )  # fmt: skip
    return y


def _refuses_rotation(x: Tensor, cos: Tensor, sin: Tensor) -> str | None:
    if cos.requires_grad or sin.requires_grad:
        return "the angles want gradients"
    if cos.shape != sin.shape or len(cos) != len(x) or 2 * cos.shape[1] > x.shape[-1]:
        return f"angles of shapes {tuple(cos.shape)} and {tuple(sin.shape)} for {tuple(x.shape)}"
    return unfit(x, dtypes=ACTIVATIONS, strided=True) or unfit(cos, sin)


@op(_refuses_rotation)
def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    return _Rotate.apply(x.contiguous(), cos, sin)
