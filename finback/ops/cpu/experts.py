"""Mixture of experts with gradients (report 2.1): PyTorch's matrix products, everything between them native.

Rows are sorted by expert. Forward multiplies them in blocks of one length that follows from T, k and E alone, as the
reference does, so that one sequence's routing does not move another's last bits; but no row is padding: an expert's last
block runs on into the next expert's rows, whose products then overwrite what it left there. Backward takes one product
per expert and matrix, of the length of the expert's load: THERE the last bits of a token's gradient may depend on what
else is in the batch, as those of a weight's gradient do anyway. Saved for it are the inputs and the products gate and
up; rows and middle are made again. Experts go through the two passes in groups, whose buffers stay small.

Products are in BF16 where x is or autocast wants it, FP32 weights are then rounded when they are used and still get FP32
gradients. Not differentiable twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from finback.ops.cpu import lib, op
from finback.ops.reference import _power_of_two

GROUP_ELEMENTS = 1 << 20  # rows of consecutive experts are gathered together up to so many elements
MIN_BLOCK = 16  # a product of fewer rows takes hardly less time
# Experts' loads are filled up to a multiple of so many rows in BF16, whose products are compiled for each length that occurs.
MULTIPLE = 32


def _refuses(x: Tensor, *tensors: Tensor | float | None) -> str | None:
    given = [t for t in tensors if isinstance(t, Tensor)]
    for t in (x, *given):
        if t.device.type != "cpu" or t.layout != torch.strided:
            return f"a tensor is {t.layout} on {t.device}"
        if t.dtype not in (torch.float32, torch.bfloat16, torch.int64):
            return f"a tensor is {t.dtype}"
    if torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") != torch.bfloat16:
        return f"autocast to {torch.get_autocast_dtype('cpu')}"
    if _dtype(x) == torch.float32 and any(t.dtype == torch.bfloat16 for t in given):
        return "weights are bfloat16 and x is float32"
    return None


def _dtype(x: Tensor) -> torch.dtype:
    """In which the products are computed."""
    return torch.bfloat16 if torch.is_autocast_enabled("cpu") else x.dtype


@op(_refuses)
def experts(x: Tensor, ids: Tensor, weights: Tensor, w1: Tensor, w2: Tensor, w3: Tensor, limit: float) -> Tensor:
    return _Experts.apply(x, ids, weights, w1, w2, w3, limit)


@op(_refuses)
def swiglu(x: Tensor, w1: Tensor, w2: Tensor, w3: Tensor, limit: float, weight: Tensor | None = None) -> Tensor:
    return _SwiGLU.apply(x, w1, w2, w3, limit, weight)


class _Experts(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, ids: Tensor, weights: Tensor, w1: Tensor, w2: Tensor, w3: Tensor, limit: float
    ) -> Tensor:
        (T, k), (E, inner, D) = ids.shape, w1.shape
        dtype = _dtype(x)
        x, scale = x.contiguous(), weights.float().contiguous()
        source, starts = _sorted(ids, E, MULTIPLE if dtype == torch.bfloat16 and T * k >= MULTIPLE * E else 1)
        block = max(_power_of_two(T * k // (2 * E)), MIN_BLOCK)
        gate, up = (x.new_empty(len(source) + block, inner, dtype=dtype) for _ in range(2))
        y = x.new_zeros(T, D, dtype=torch.float32)
        groups = list(_groups(starts, D))
        room = max(starts[b] - starts[a] for a, b in groups) + block
        rows, out = (x.new_zeros(room, D, dtype=dtype) for _ in range(2))
        middle = x.new_zeros(room, inner, dtype=dtype)
        w1s, w2s, w3s = (_Matrices(w, dtype) for w in (w1, w2, w3))
        for a, b in groups:
            first, end = starts[a], starts[b]
            _gather(x, source[first:end], k, rows)
            for e in range(a, b):
                w, v = w1s.transposed(e), w3s.transposed(e)
                for i in range(starts[e], starts[e + 1], block):
                    part = rows[i - first : i - first + block]
                    torch.mm(part, w, out=gate[i : i + block])
                    torch.mm(part, v, out=up[i : i + block])
            _swiglu(gate[first:end], up[first:end], scale, source[first:end], limit, middle)
            for e in range(a, b):
                w = w2s.transposed(e)
                for i in range(starts[e] - first, starts[e + 1] - first, block):
                    torch.mm(middle[i : i + block], w, out=out[i : i + block])
            _add(out, source[first:end], k, y)
        ctx.save_for_backward(x, scale, w1, w2, w3, gate, up, source)
        ctx.starts, ctx.limit, ctx.weights = starts, limit, weights.dtype
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, scale, w1, w2, w3, gate, up, source = ctx.saved_tensors
        starts, inner, dtype = ctx.starts, gate.shape[1], gate.dtype
        (T, D), k = x.shape, scale.shape[1]
        dy = dy.contiguous()
        wants_x, _, _, *wants = ctx.needs_input_grad[:6]
        dw1, dw2, dw3 = (w.new_empty(w.shape) if wanted else None for w, wanted in zip((w1, w2, w3), wants))
        dx = x.new_zeros(T, D, dtype=torch.float32) if wants_x else None
        dscale = torch.empty_like(scale)
        groups = list(_groups(starts, D))
        room = max(starts[b] - starts[a] for a, b in groups)
        rows, dout = (x.new_empty(room, D, dtype=dtype) for _ in range(2))
        middle, dgate, dup = (x.new_empty(room, inner, dtype=dtype) for _ in range(3))
        w1s, w2s, w3s = (_Matrices(w, dtype) for w in (w1, w2, w3))
        dw1s, dw2s, dw3s = (_Gradients(dw, dtype) for dw in (dw1, dw2, dw3))
        for a, b in groups:
            first, end = starts[a], starts[b]
            spans = [(e, starts[e] - first, starts[e + 1] - first) for e in range(a, b)]
            _gather(dy, source[first:end], k, dout)
            for e, i, j in spans:
                torch.mm(dout[i:j], w2s[e], out=dgate[i:j])
            _swiglu_backward(
                gate[first:end], up[first:end], dgate, scale, source[first:end], ctx.limit, middle, dup, dscale
            )
            for e, i, j in spans:
                dw2s.product(e, dout[i:j], middle[i:j])
            if dw1 is not None or dw3 is not None:
                _gather(x, source[first:end], k, rows)
                for e, i, j in spans:
                    dw1s.product(e, dgate[i:j], rows[i:j])
                    dw3s.product(e, dup[i:j], rows[i:j])
            if dx is not None:
                for e, i, j in spans:
                    torch.mm(dgate[i:j], w1s[e], out=rows[i:j])
                    torch.addmm(rows[i:j], dup[i:j], w3s[e], out=rows[i:j])
                _add(rows, source[first:end], k, dx)
        return dx if dx is None else dx.to(x.dtype), None, dscale.to(ctx.weights), dw1, dw2, dw3, None


class _SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w1: Tensor, w2: Tensor, w3: Tensor, limit: float, weight: Tensor | None
    ) -> Tensor:
        dtype = _dtype(x)
        rows = x.to(dtype)
        scale = None if weight is None else weight.float().contiguous()
        gate, up = _product(rows, w1.to(dtype).t()), _product(rows, w3.to(dtype).t())
        middle = torch.empty_like(gate)
        _swiglu(gate, up, scale, None, limit, middle)
        ctx.save_for_backward(x, scale, w1, w2, w3, gate, up)
        ctx.limit, ctx.weight = limit, None if weight is None else weight.dtype
        return _product(middle, w2.to(dtype).t())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, scale, w1, w2, w3, gate, up = ctx.saved_tensors
        dtype = gate.dtype
        rows, dout = x.to(dtype), dy.to(dtype)
        dgate, middle, dup = _product(dout, w2.to(dtype)), torch.empty_like(gate), torch.empty_like(up)
        dscale = None if scale is None else torch.empty_like(scale)
        _swiglu_backward(gate, up, dgate, scale, None, ctx.limit, middle, dup, dscale)
        wants_x, *wants = ctx.needs_input_grad[:4]
        dx = None
        if wants_x:
            dx = _product(dgate, w1.to(dtype))
            dx = torch.addmm(dx, dup, w3.to(dtype), out=dx).to(x.dtype)
        pairs = (dgate, rows), (dout, middle), (dup, rows)
        dw1, dw2, dw3 = (
            _product(a.t(), b).to(w.dtype) if wanted else None for w, wanted, (a, b) in zip((w1, w2, w3), wants, pairs)
        )
        return dx, dw1, dw2, dw3, None, dscale if dscale is None else dscale.to(ctx.weight)


def _product(a: Tensor, b: Tensor) -> Tensor:
    """a b, in their own dtype whatever autocast is in force."""
    return torch.mm(a, b, out=a.new_empty(a.shape[0], b.shape[1]))


def _sorted(ids: Tensor, E: int, multiple: int) -> tuple[Tensor, list[int]]:
    """source int32: row i is pick source[i] of ids.flatten(), or zeros if that is -1. Expert e's rows are
    starts[e] .. starts[e + 1] - 1, a multiple of so many."""
    ids = ids.contiguous()
    source, starts = ids.new_empty(ids.numel() + E * (multiple - 1), dtype=torch.int32), ids.new_empty(E + 1)
    lib().expert_order(ids.data_ptr(), ids.numel(), E, multiple, source.data_ptr(), starts.data_ptr())
    found = starts.tolist()
    if found[0] < 0:
        raise IndexError(f"expert id {ids.flatten()[-1 - found[0]].item()} is outside 0..{E - 1}")
    return source[: found[-1]], found


def _groups(starts: list[int], width: int) -> Iterator[tuple[int, int]]:
    """All experts in runs a..b-1 of at most GROUP_ELEMENTS / width rows, or of one expert."""
    a, E = 0, len(starts) - 1
    for b in range(1, E + 1):
        if b == E or (starts[b + 1] - starts[a]) * width > GROUP_ELEMENTS:
            yield a, b
            a = b


class _Matrices:
    """The matrices of stacked weights one at a time, in the dtype of the products."""

    def __init__(self, w: Tensor, dtype: torch.dtype):
        self.parts = w.unbind()
        self.rounded = w.new_empty(w.shape[1:], dtype=dtype) if w.dtype != dtype else None

    def __getitem__(self, e: int) -> Tensor:
        return self.parts[e] if self.rounded is None else self.rounded.copy_(self.parts[e])

    def transposed(self, e: int) -> Tensor:
        return self[e].t()


class _Gradients:
    """Writes the gradients of stacked weights, one matrix at a time; none are wanted if there is no room for them."""

    def __init__(self, dw: Tensor | None, dtype: torch.dtype):
        self.parts = dw.unbind() if dw is not None else None
        self.rounded = dw.new_empty(dw.shape[1:], dtype=dtype) if dw is not None and dw.dtype != dtype else None

    def product(self, e: int, left: Tensor, right: Tensor) -> None:
        """dw[e] = left^T right."""
        if self.parts is None:
            return
        if self.rounded is None:
            torch.mm(left.t(), right, out=self.parts[e])
        else:
            self.parts[e].copy_(torch.mm(left.t(), right, out=self.rounded))


def _gather(x: Tensor, source: Tensor, k: int, rows: Tensor) -> None:
    lib().gather_rows(
        x.data_ptr(), x.dtype == torch.bfloat16, source.data_ptr(), k, len(source), x.shape[1], rows.data_ptr(),
        rows.dtype == torch.bfloat16,
    )  # fmt: skip


def _add(rows: Tensor, source: Tensor, k: int, y: Tensor) -> None:
    lib().add_rows(
        rows.data_ptr(), rows.dtype == torch.bfloat16, source.data_ptr(), k, len(source), y.shape[1], y.data_ptr()
    )


def _swiglu(gate: Tensor, up: Tensor, scale: Tensor | None, source: Tensor | None, limit: float, middle: Tensor) -> None:
    lib().swiglu_forward(
        gate.data_ptr(), up.data_ptr(), gate.dtype == torch.bfloat16, _address(scale), _address(source), *gate.shape, limit,
        middle.data_ptr(),
    )  # fmt: skip


def _swiglu_backward(
    gate: Tensor, up: Tensor, dgate: Tensor, scale: Tensor | None, source: Tensor | None, limit: float,
    middle: Tensor, dup: Tensor, dscale: Tensor | None,
) -> None:  # fmt: skip
    """dgate comes as the middle's gradient."""
    lib().swiglu_backward(
        gate.data_ptr(), up.data_ptr(), dgate.data_ptr(), gate.dtype == torch.bfloat16, _address(scale), _address(source),
        *gate.shape, limit, middle.data_ptr(), dgate.data_ptr(), dup.data_ptr(), _address(dscale),
    )  # fmt: skip


def _address(x: Tensor | None) -> int:
    return 0 if x is None else x.data_ptr()
