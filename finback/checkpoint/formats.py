"""How are weights stored in fewer bits than they are computed in?

DeepSeek-V4 has two formats. FP8: E4M3 values with one power-of-two scale (E8M0, a bare
exponent byte) per 128x128 block. FP4: E2M1 values, two to a byte (low nibble = even k), with
one E8M0 scale per 32 values along K. The scale is a multiplier: w = value * scale.

Decoding is exact. Encoding rounds as DeepSeek's kernels do (scale = 2^ceil(log2(amax/max)),
then round to nearest even; for FP4 `ops/formats.py` defines it). Encoding what was decoded changes
no value, but may change bytes: a block that was rounded down to half of its range fits the next
smaller scale as well. This file knows nothing of names, files or models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from finback.ops.entries import E2M1, E2M1_CODES
from finback.ops.formats import GROUP, fp4_groups, power_of_two_scale

Format = Literal["fp32", "bf16", "fp8", "fp4"]

BLOCK = 128  # an FP8 scale covers BLOCK x BLOCK values
_E4M3_MAX, _E4M3_FLOOR = 448.0, 1e-4
_PLAIN = {"fp32": torch.float32, "bf16": torch.bfloat16}


class FormatError(ValueError):
    """Bytes that are no valid weights, or weights that a format cannot hold."""


@dataclass(frozen=True)
class Stored:
    """Weights as stored: `data` as in the file, and its scales where the format has them.

    fp8: data float8_e4m3fn [o, i], scale [ceil(o/128), ceil(i/128)];
    fp4: data int8 [o, k/2], scale [o, ceil(k/32)]; scale is float8_e8m0fnu, uint8 or float32.
    """

    data: Tensor
    scale: Tensor | None = None

    @property
    def format(self) -> str:
        if self.data.dtype == torch.float8_e4m3fn:
            return "fp8"
        if self.data.dtype in (torch.int8, torch.uint8):
            return "fp4"
        return {torch.float32: "fp32", torch.bfloat16: "bf16"}.get(self.data.dtype, str(self.data.dtype))


def decode(stored: Stored, dtype: torch.dtype) -> Tensor:
    """The weights as computed. No value changes, unless `dtype` has fewer bits than plain `data`."""
    if stored.format == "fp8":
        return _decode_fp8(stored, dtype)
    if stored.format == "fp4":
        return _decode_fp4(stored, dtype)
    return stored.data.to(dtype)


def encode(x: Tensor, format: Format) -> Stored:
    """Weights [o, i] into a format, rounded as DeepSeek's kernels round. NaN and infinity are refused."""
    if format in _PLAIN:
        return Stored(x.to(_PLAIN[format]))
    if format not in ("fp8", "fp4"):
        raise FormatError(f"there is no weight format {format!r}: choose fp32, bf16, fp8 or fp4")
    if x.ndim != 2:
        raise FormatError(f"{format} stores matrices, but this tensor has shape {list(x.shape)}: store it in bf16 or fp32")
    x = x.float()
    bad = int((~(x.abs() <= 2.0**127)).sum())  # true for NaN too
    if bad:
        raise FormatError(
            f"{bad} of {x.numel()} weights are NaN, infinite or beyond 2^127, which {format} cannot hold: "
            "look for where training diverged"
        )
    return _encode_fp8(x) if format == "fp8" else _encode_fp4(x)


def recast_fp4_to_fp8(stored: Stored) -> Stored:
    """The same weights in FP8, no value changed: per 128x128 block the scale is max(block scales)/64.

    Works while the scales of a block lie within a factor of 2^14 of each other; beyond that E4M3
    runs out of exponents, and we refuse.
    """
    if stored.format != "fp4":
        raise FormatError(f"expected FP4 weights to recast, got {stored.format}")
    old = e8m0_bytes(stored.scale).int()  # [o, k/32]
    o, groups = old.shape
    per_block = BLOCK // GROUP
    top = _blocks(old, BLOCK, per_block).amax(dim=(1, 3))  # [ceil(o/128), ceil(k/128)]
    new = (top - 6).clamp(min=0)
    spread = new.repeat_interleave(BLOCK, 0)[:o].repeat_interleave(per_block, 1)[:, :groups]
    # v * 2^(old-new) for old-new <= 6 stays inside E4M3, or underflows and is caught below
    exact = _scale_groups(_nibbles(stored.data), torch.exp2((old - spread).float()))
    data = exact.to(torch.float8_e4m3fn)
    lost = int((data.float() != exact).sum())
    if lost:
        raise FormatError(
            f"FP8 cannot hold {lost} of these {exact.numel()} FP4 weights exactly (the scales of a 128x128 block differ "
            "by more than 2^14): dequantise to bf16 instead"
        )
    return Stored(data, _as_e8m0(new))


def e8m0_bytes(scale: Tensor) -> Tensor:
    """E8M0 scales as bytes b (2^(b-127)), from any of the types they are stored in."""
    if scale.dtype == torch.float8_e8m0fnu:
        scale = scale.view(torch.uint8)
    if scale.dtype == torch.uint8:
        nans = int((scale == 255).sum())
        if nans:
            raise FormatError(f"{nans} of {scale.numel()} scales are NaN (E8M0 byte 255): the file is damaged, fetch it again")
        return scale
    if scale.dtype != torch.float32:
        raise FormatError(f"scales have type {scale.dtype}; expected F8_E8M0, U8 or F32")
    _check_multipliers(scale)
    bits = scale.contiguous().view(torch.int32)
    smallest = scale == 2.0**-127  # a subnormal number in FP32
    if not (((bits & 0x7FFFFF) == 0) | smallest).all():
        raise FormatError("some F32 scales are not powers of two, which E8M0 cannot hold: dequantise to bf16 instead")
    return torch.where(smallest, 0, bits >> 23).to(torch.uint8)


def e8m0_multipliers(scale: Tensor) -> Tensor:
    """Scales as FP32 multipliers, from any of the types they are stored in."""
    if scale.dtype == torch.float32:
        _check_multipliers(scale)
        return scale
    b = e8m0_bytes(scale).to(torch.int32)
    return torch.where(b == 0, 0x400000, b << 23).view(torch.float32)  # 2^-127 is subnormal


def _check_multipliers(scale: Tensor) -> None:
    if not (torch.isfinite(scale) & (scale > 0)).all():
        raise FormatError("some F32 scales are zero, negative, NaN or infinite: the file is damaged, fetch it again")


def _as_e8m0(exponent_bytes: Tensor) -> Tensor:
    return exponent_bytes.to(torch.uint8).view(torch.float8_e8m0fnu)


# ---------------------------------------------------------------------------- FP8


def _decode_fp8(stored: Stored, dtype: torch.dtype) -> Tensor:
    o, i = stored.data.shape
    s = e8m0_multipliers(stored.scale)
    if s.shape != (-(-o // BLOCK), -(-i // BLOCK)):
        raise FormatError(f"FP8 weights [{o}, {i}] have scales {list(s.shape)}; expected one for each 128x128 block")
    blocks = _blocks(stored.data.float(), BLOCK, BLOCK)
    return _exact((blocks * s[:, None, :, None]).flatten(2).flatten(0, 1)[:o, :i].contiguous(), s, dtype)


def _encode_fp8(x: Tensor) -> Stored:
    o, i = x.shape
    blocks = _blocks(x, BLOCK, BLOCK)  # [O, 128, I, 128]
    s = power_of_two_scale(blocks.abs().amax(dim=(1, 3)), _E4M3_MAX, _E4M3_FLOOR)
    q = (blocks / s[:, None, :, None]).clamp(-_E4M3_MAX, _E4M3_MAX).to(torch.float8_e4m3fn)
    data = q.view(torch.uint8).flatten(2).flatten(0, 1)[:o, :i]
    return Stored(data.contiguous().view(torch.float8_e4m3fn), _as_e8m0(s.view(torch.int32) >> 23))


# ---------------------------------------------------------------------------- FP4


def _nibbles(data: Tensor) -> Tensor:
    """data: [o, k/2] bytes -> E2M1 values [o, k] in FP32."""
    b = data.view(torch.uint8).int()
    codes = torch.stack([b & 15, b >> 4], dim=-1).flatten(1)
    return torch.tensor(E2M1, device=data.device)[codes]


def _scale_groups(v: Tensor, s: Tensor) -> Tensor:
    """v: [o, k] times s: [o, ceil(k/32)], each s for 32 neighbours."""
    return (_blocks(v, 1, GROUP) * s[:, None, :, None]).flatten(2).flatten(0, 1)[:, : v.shape[1]]


def _decode_fp4(stored: Stored, dtype: torch.dtype) -> Tensor:
    o, k = stored.data.shape[0], 2 * stored.data.shape[1]
    s = e8m0_multipliers(stored.scale)
    if s.shape != (o, -(-k // GROUP)):
        raise FormatError(f"FP4 weights [{o}, {k}] have scales {list(s.shape)}; expected one for each 32 values of a row")
    return _exact(_scale_groups(_nibbles(stored.data), s), s, dtype)


def _encode_fp4(x: Tensor) -> Stored:
    k = x.shape[1]
    if k % 2:
        raise FormatError(f"FP4 packs two values to a byte, but rows have {k} values: use an even width, or fp8")
    v, s = fp4_groups(x)  # [o, G, 32], [o, G, 1]
    code = torch.tensor(E2M1_CODES, device=x.device)[(2 * v.abs()).int()]
    codes = (code | (torch.signbit(v).int() << 3)).flatten(1)[:, :k]
    packed = codes[:, 0::2] | (codes[:, 1::2] << 4)
    return Stored(packed.to(torch.uint8).view(torch.int8), _as_e8m0(s.squeeze(-1).view(torch.int32) >> 23))


# ---------------------------------------------------------------------------- shared


def _blocks(x: Tensor, rows: int, cols: int) -> Tensor:
    """x: [o, i] -> [ceil(o/rows), rows, ceil(i/cols), cols], the ragged ends filled with zeros."""
    o, i = x.shape
    if o % rows or i % cols:
        x = F.pad(x, (0, -i % cols, 0, -o % rows))
    return x.reshape(x.shape[0] // rows, rows, x.shape[1] // cols, cols)


def _exact(x: Tensor, s: Tensor, dtype: torch.dtype) -> Tensor:
    """Casts decoded FP32 weights, refusing the few scales with which the result would not be exact."""
    if s.numel() and float(s.max()) > 2.0**118 and torch.isinf(x).any():
        raise FormatError("some weights overflow FP32 when multiplied by their scale: the file is damaged, fetch it again")
    out = x.to(dtype)
    if dtype != torch.float32 and s.numel() and not 2.0**-124 <= float(s.min()) <= float(s.max()) <= 2.0**118:
        if not ((out.float() == x) | torch.isnan(x)).all():
            raise FormatError(f"some scales are too extreme for {dtype}: load in float32")
    return out
