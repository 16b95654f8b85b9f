"""Hyper-connections (report 2.2) in one pass over each token's streams."""

from __future__ import annotations

import torch
from torch import Tensor

from finback.ops.cpu import lib, op, unfit

MAX_STREAMS = 8


def _refuses(h: Tensor, fn: Tensor, scale: Tensor, base: Tensor, *_: object) -> str | None:
    if h.shape[1] > MAX_STREAMS:
        return f"{h.shape[1]} streams; at most {MAX_STREAMS}"
    if torch.is_grad_enabled() and any(t.requires_grad for t in (h, fn, scale, base)):
        return "gradients are wanted"
    return unfit(h, fn, scale, base)


@op(_refuses)
def hc_pre(
    h: Tensor, fn: Tensor, scale: Tensor, base: Tensor, iters: int, eps: float, norm_eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    T, n, D = h.shape
    x, post, comb = h.new_empty(T, D), h.new_empty(n, T), h.new_empty(n, n, T)
    lib().hc_pre(
        h.data_ptr(), fn.data_ptr(), scale.data_ptr(), base.data_ptr(), T, n, D, iters, eps, norm_eps,
        x.data_ptr(), post.data_ptr(), comb.data_ptr(),
    )  # fmt: skip
    return x, post, comb
