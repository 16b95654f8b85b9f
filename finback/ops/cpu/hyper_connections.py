"""Hyper-connections (report 2.2) in one pass over each token's streams, and one back.

Gradients of parameters are sums over tokens in an order that does not depend on the number of threads; everything
else of a token has the same bits in any company.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from finback.ops.cpu import ACTIVATIONS, lib, op, unfit

MAX_STREAMS = 8


def _refuses_streams(h: Tensor, rows: int, scales: int, fn: Tensor, scale: Tensor, base: Tensor) -> str | None:
    if h.shape[1] > MAX_STREAMS:
        return f"{h.shape[1]} streams; at most {MAX_STREAMS}"
    if fn.shape != (rows, h.shape[1] * h.shape[2]) or scale.shape != (scales,) or base.shape != (rows,):
        return f"parameters of shapes {tuple(fn.shape)}, {tuple(scale.shape)}, {tuple(base.shape)} for streams {tuple(h.shape)}"
    return unfit(h, dtypes=ACTIVATIONS) or unfit(fn, scale, base)


def _refuses_pre(h: Tensor, fn: Tensor, scale: Tensor, base: Tensor, *_: object) -> str | None:
    return _refuses_streams(h, (2 + h.shape[1]) * h.shape[1], 3, fn, scale, base)


def _refuses_head(h: Tensor, fn: Tensor, scale: Tensor, base: Tensor, *_: object) -> str | None:
    return _refuses_streams(h, h.shape[1], 1, fn, scale, base)


def _refuses_post(x: Tensor, residual: Tensor, post: Tensor, comb: Tensor) -> str | None:
    T, n, D = residual.shape
    if n > MAX_STREAMS:
        return f"{n} streams; at most {MAX_STREAMS}"
    if x.shape != (T, D) or post.shape != (n, T) or comb.shape != (n, n, T):
        return f"shapes {tuple(x.shape)}, {tuple(post.shape)}, {tuple(comb.shape)} for streams {tuple(residual.shape)}"
    if x.dtype != residual.dtype:
        return f"the sublayer's output is {x.dtype} and the streams are {residual.dtype}"
    return unfit(x, residual, dtypes=ACTIVATIONS) or unfit(post, comb)


class _Pre(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, fn: Tensor, scale: Tensor, base: Tensor, iters: int, eps: float, norm_eps: float) -> tuple:
        T, n, D = h.shape
        x, post, comb, kept = h.new_empty(T, D), fn.new_empty(n, T), fn.new_empty(n, n, T), fn.new_empty(len(fn) + 1, T)
        lib().hc_pre(
            h.data_ptr(), h.dtype == torch.bfloat16, fn.data_ptr(), scale.data_ptr(), base.data_ptr(), T, n, D, iters, eps,
            norm_eps, x.data_ptr(), post.data_ptr(), comb.data_ptr(), kept.data_ptr(),
        )  # fmt: skip
        ctx.save_for_backward(h, fn, scale, base, kept)
        ctx.numbers = iters, eps
        return x, post, comb

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gx: Tensor, gpost: Tensor, gcomb: Tensor) -> tuple[Tensor | None, ...]:
        h, fn, scale, base, kept = ctx.saved_tensors
        gx, gpost, gcomb = gx.contiguous(), gpost.contiguous(), gcomb.contiguous()
        dh, dfn, dscale, dbase = (torch.empty_like(t) for t in (h, fn, scale, base))
        lib().hc_pre_back(
            h.data_ptr(), h.dtype == torch.bfloat16, fn.data_ptr(), scale.data_ptr(), base.data_ptr(), kept.data_ptr(),
            gx.data_ptr(), gpost.data_ptr(), gcomb.data_ptr(), *h.shape, *ctx.numbers,
            dh.data_ptr(), dfn.data_ptr(), dscale.data_ptr(), dbase.data_ptr(),
        )  # fmt: skip
        return dh, dfn, dscale, dbase, None, None, None


@op(_refuses_pre)
def hc_pre(
    h: Tensor, fn: Tensor, scale: Tensor, base: Tensor, iters: int, eps: float, norm_eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    return _Pre.apply(h, fn, scale, base, iters, eps, norm_eps)


class _Head(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, fn: Tensor, scale: Tensor, base: Tensor, eps: float, norm_eps: float) -> Tensor:
        T, n, D = h.shape
        x, kept = h.new_empty(T, D), fn.new_empty(n + 1, T)
        lib().hc_head(
            h.data_ptr(), h.dtype == torch.bfloat16, fn.data_ptr(), scale.data_ptr(), base.data_ptr(), T, n, D, eps, norm_eps,
            x.data_ptr(), kept.data_ptr(),
        )  # fmt: skip
        ctx.save_for_backward(h, fn, scale, base, kept)
        ctx.eps = eps
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gx: Tensor) -> tuple[Tensor | None, ...]:
        h, fn, scale, base, kept = ctx.saved_tensors
        gx = gx.contiguous()
        dh, dfn, dscale, dbase = (torch.empty_like(t) for t in (h, fn, scale, base))
        lib().hc_head_back(
            h.data_ptr(), h.dtype == torch.bfloat16, fn.data_ptr(), scale.data_ptr(), base.data_ptr(), kept.data_ptr(),
            gx.data_ptr(), *h.shape, ctx.eps, dh.data_ptr(), dfn.data_ptr(), dscale.data_ptr(), dbase.data_ptr(),
        )  # fmt: skip
        return dh, dfn, dscale, dbase, None, None


@op(_refuses_head)
def hc_head(h: Tensor, fn: Tensor, scale: Tensor, base: Tensor, eps: float, norm_eps: float) -> Tensor:
    return _Head.apply(h, fn, scale, base, eps, norm_eps)


class _Post(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, residual: Tensor, post: Tensor, comb: Tensor) -> Tensor:
        out = torch.empty_like(residual)
        lib().hc_post(
            x.data_ptr(), residual.data_ptr(), x.dtype == torch.bfloat16, post.data_ptr(), comb.data_ptr(), *residual.shape,
            out.data_ptr(),
        )  # fmt: skip
        ctx.save_for_backward(x, residual, post, comb)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        x, residual, post, comb = ctx.saved_tensors
        g = g.contiguous()
        dx, dresidual, dpost, dcomb = (torch.empty_like(t) for t in (x, residual, post, comb))
        lib().hc_post_back(
            x.data_ptr(), residual.data_ptr(), x.dtype == torch.bfloat16, post.data_ptr(), comb.data_ptr(), g.data_ptr(),
            *residual.shape, dx.data_ptr(), dresidual.data_ptr(), dpost.data_ptr(), dcomb.data_ptr(),
        )  # fmt: skip
        return dx, dresidual, dpost, dcomb


@op(_refuses_post)
def hc_post(x: Tensor, residual: Tensor, post: Tensor, comb: Tensor) -> Tensor:
    return _Post.apply(x, residual, post, comb)
