"""How is a value rounded to FP4, and what does training see of it? (report 5.2.1)

MXFP4: E2M1 values (0 .5 1 1.5 2 3 4 6 and their negatives) with one power-of-two scale per 32
neighbours. The rule is DeepSeek's: scale = 2^ceil(log2(amax/6)), then round to nearest even. In
the forward pass a weight is what its FP4 form decodes to; in the backward pass the rounding is not
there (straight-through), so that the full-precision weight receives the whole gradient. This file
knows nothing of bytes: `checkpoint/formats.py` packs what is rounded here.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

GROUP = 32  # neighbours of the last dim that share an FP4 scale
_E2M1_MAX, _E2M1_FLOOR = 6.0, 6.0 * 2.0**-126
_EXPONENT, _MANTISSA = 0x7F800000, 0x007FFFFF  # bits of an FP32 number
_PIECE = 1 << 18  # elements that are rounded at a time, so that the steps in between stay in a core's cache


def power_of_two_scale(amax: Tensor, limit: float, floor: float) -> Tensor:
    """2^ceil(log2(max(amax, floor) / limit)) in FP32, from the bits of the FP32 product as DeepSeek's kernels take it."""
    product = amax.clamp(min=floor) * torch.tensor(1.0 / limit, dtype=torch.float32)
    return ((product.view(torch.int32) + _MANTISSA) & _EXPONENT).view(torch.float32)


def fp4_groups(x: Tensor) -> tuple[Tensor, Tensor]:
    """x [..., k] as E2M1 values v [..., ceil(k/32), 32] and scales s [..., ceil(k/32), 1], FP32: x is about v * s.

    The last group is filled up with zeros. A group with a NaN or an infinity becomes NaN.
    """
    if x.shape[-1] % GROUP:
        x = F.pad(x, (0, -x.shape[-1] % GROUP))
    groups = x.float().unflatten(-1, (x.shape[-1] // GROUP, GROUP))
    s = power_of_two_scale(groups.abs().amax(dim=-1, keepdim=True), _E2M1_MAX, _E2M1_FLOOR)
    v = groups / s  # at most 6 and one unit in its last place, which rounds to 6
    a = v.abs()
    # Values lie 0.5 apart below 2, 1 below 4 and 2 above. A sum with 1.5 * 2^23 spacings keeps exactly that many bits.
    anchor = (a.clamp(min=1.0).view(torch.int32) & _EXPONENT).view(torch.float32).mul_(1.5 * 2.0**22)
    return a.add_(anchor).sub_(anchor).copysign_(v), s


class _RoundFP4(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        rows, k = x.reshape(-1, x.shape[-1]), x.shape[-1]
        step = max(_PIECE // k, 1)
        for piece, target in zip(rows.split(step), out.view(rows.shape).split(step)):
            v, s = fp4_groups(piece)
            target.copy_(v.mul_(s).flatten(-2)[:, :k])
        return out

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        return gradient


def round_fp4(x: Tensor) -> Tensor:
    """What x [..., k] becomes in FP4, groups of 32 along the last dim, in x's dtype (exactly, for FP32 and BF16).

    The gradient passes unchanged. Rounding again changes nothing.
    """
    return _RoundFP4.apply(x)


def hadamard(x: Tensor) -> Tensor:
    """x H over the last dim, H the Hadamard matrix in Sylvester's order over sqrt(c): orthogonal, and its own inverse.

    x: [..., c], c a power of two. FP32 sums in a fixed order, cast back to x's dtype once.
    """
    c = x.shape[-1]
    y, half = x.float(), 1
    while half < c:
        a, b = y.unflatten(-1, (-1, 2, half)).unbind(-2)
        y, half = torch.stack((a + b, a - b), dim=-2).flatten(-3), 2 * half
    return (y * c**-0.5).to(x.dtype)


def round_index(x: Tensor) -> Tensor:
    """What an indexer that runs in FP4 keeps of its queries or keys x [..., c]: turned by `hadamard`, then rounded.

    The rotation spreads an outlier over all channels, where it would cost its 31 neighbours their bits. On both
    sides of a dot product it cancels.
    """
    return round_fp4(hadamard(x))
