"""Pooling of windows into compressed entries (report 2.3), with gradients, without copies of the rows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from finback.ops.cpu import lib, op, unfit


def _refuses(u: Tensor, z: Tensor, ratio: int, overlap: bool) -> str | None:
    if u.shape != z.shape or u.shape[0] % ratio or u.shape[1] % (1 + overlap):
        return f"u {tuple(u.shape)} and z {tuple(z.shape)} are not rows of windows of {ratio}"
    if u.shape[0] < ratio * (1 + overlap):
        return "no window is complete"
    return unfit(u, z)


class _Pool(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u, z, ratio, overlap):
        out = u.new_empty(u.shape[0] // ratio - overlap, u.shape[1] // (1 + overlap))
        ctx.numbers = out.shape[0], ratio, out.shape[1], overlap
        ctx.save_for_backward(u, z, out)
        lib().pool_windows(u.data_ptr(), z.data_ptr(), *ctx.numbers, out.data_ptr())
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        u, z, out = ctx.saved_tensors
        grad, du, dz = grad.contiguous(), torch.empty_like(u), torch.empty_like(z)
        lib().pool_windows_backward(
            u.data_ptr(), z.data_ptr(), out.data_ptr(), grad.data_ptr(), *ctx.numbers, du.data_ptr(), dz.data_ptr()
        )
        return du, dz, None, None


@op(_refuses)
def pool_windows(u: Tensor, z: Tensor, ratio: int, overlap: bool) -> Tensor:
    return _Pool.apply(u, z, ratio, overlap)
