"""Attention over window and compressed entries (report 2.3.3) and the indexer's scores, with gradients, in blocks of queries."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from finback.ops.cpu import ACTIVATIONS, lib, op, unfit


def _unfit_attention(q: Tensor, window: Tensor, entries: Tensor, sink: Tensor) -> str | None:
    """Why the kernels cannot take these, or None: all FP32 or all BF16, the sink always FP32."""
    if (window.shape[1], entries.shape[1], len(sink)) != (q.shape[2], q.shape[2], q.shape[1]) or len(window) < len(q):
        return f"the shapes of q, window, entries and sink do not go together: {[tuple(t.shape) for t in (q, window, entries, sink)]}"
    for t in (q, window, entries):
        if t.dtype not in (torch.float32, torch.bfloat16) or t.dtype != q.dtype:
            return f"q, window and entries are {q.dtype}, {window.dtype} and {entries.dtype}; all FP32 or all BF16"
        if reason := unfit(t, dtypes=ACTIVATIONS):
            return reason
    return unfit(sink)


def _refuses_attention(
    q: Tensor, window: Tensor, entries: Tensor, selected: Tensor | None, sink: Tensor, start: int, width: int, ratio: int
) -> str | None:
    if selected is not None:
        if len(selected) != len(q):
            return f"`selected` has {len(selected)} rows for {len(q)} tokens"
        if reason := unfit(selected, dtypes=(torch.int64,)):
            return reason
    return _unfit_attention(q, window, entries, sink)


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, window, entries, selected, sink, start, width, ratio):
        out, stats = torch.empty_like(q), q.new_empty(*q.shape[:2], 2, dtype=torch.float32)
        ctx.numbers = start, width, ratio
        ctx.save_for_backward(q, window, entries, selected, sink, out, stats)
        lib().sparse_attention(
            *_described(q, window, entries, selected, sink, start, width, ratio), out.data_ptr(), stats.data_ptr()
        )
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        q, window, entries, selected, sink, out, stats = ctx.saved_tensors
        grad = grad.contiguous()
        grads = [torch.empty_like(t) for t in (q, window, entries, sink)]
        lib().sparse_attention_backward(
            *_described(q, window, entries, selected, sink, *ctx.numbers),
            out.data_ptr(), stats.data_ptr(), grad.data_ptr(), *(g.data_ptr() for g in grads),
        )  # fmt: skip
        return *grads[:3], None, grads[3], None, None, None


def _described(
    q: Tensor, window: Tensor, entries: Tensor, selected: Tensor | None, sink: Tensor, start: int, width: int, ratio: int
) -> tuple:
    """The arguments that the kernels of both directions share."""
    T, H, c = q.shape
    picks, K = (0, -1) if selected is None else (selected.data_ptr(), selected.shape[1])
    return (
        q.data_ptr(), window.data_ptr(), entries.data_ptr(), picks, sink.data_ptr(), q.dtype == torch.bfloat16,
        T, H, c, window.shape[0] - T, entries.shape[0], K, start, width, ratio,
    )  # fmt: skip


@op(_refuses_attention)
def sparse_attention(
    q: Tensor, window: Tensor, entries: Tensor, selected: Tensor | None, sink: Tensor, start: int, width: int, ratio: int
) -> Tensor:
    return _Attention.apply(q, window, entries, selected, sink, start, width, ratio)


def _refuses_mass(q: Tensor, window: Tensor, entries: Tensor, sink: Tensor, *_: int) -> str | None:
    return _unfit_attention(q, window, entries, sink)


@op(_refuses_mass)
def entry_mass(q: Tensor, window: Tensor, entries: Tensor, sink: Tensor, start: int, width: int, ratio: int) -> Tensor:
    T, H, c = q.shape
    mass = q.new_empty(T, entries.shape[0], dtype=torch.float32)
    lib().entry_mass(
        q.data_ptr(), window.data_ptr(), entries.data_ptr(), sink.data_ptr(), q.dtype == torch.bfloat16,
        T, H, c, window.shape[0] - T, entries.shape[0], start, width, ratio, mass.data_ptr(),
    )  # fmt: skip
    return mass


class _Scores(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, gate, keys):
        ctx.save_for_backward(q, gate, keys)
        scores = q.new_empty(q.shape[0], keys.shape[0])
        lib().index_scores(
            q.data_ptr(), gate.data_ptr(), keys.data_ptr(), *q.shape, keys.shape[0], scores.data_ptr()
        )
        return scores

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        q, gate, keys = ctx.saved_tensors
        grad = grad.contiguous()
        grads = [torch.empty_like(t) for t in (q, gate, keys)]
        lib().index_scores_backward(
            q.data_ptr(), gate.data_ptr(), keys.data_ptr(), grad.data_ptr(), *q.shape, keys.shape[0],
            *(g.data_ptr() for g in grads),
        )  # fmt: skip
        return tuple(grads)


def _refuses_scores(q: Tensor, gate: Tensor, keys: Tensor) -> str | None:
    if q.shape[:2] != gate.shape or q.shape[2] != keys.shape[1]:
        return f"the shapes of q, gate and keys do not go together: {[tuple(t.shape) for t in (q, gate, keys)]}"
    return unfit(q, gate, keys)


@op(_refuses_scores)
def index_scores(q: Tensor, gate: Tensor, keys: Tensor) -> Tensor:
    return _Scores.apply(q, gate, keys)
