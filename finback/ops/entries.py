"""How does a cached vector look in the report's layout, byte by byte? (report 5.3; `cpu/src/entries.h` says the same in C++)

An entry of c channels, the last ones rotary: the others in FP8 (E4M3), the rotary ones in BF16, then a power-of-two
scale (E8M0) for each 64 of the FP8 channels, filled up to 8 bytes: 584 for V4's 512. An indexer's key: FP4 (E2M1), two to a byte, then a
scale for each 32: 68 for V4's 128. Both are rounded from BF16, as DeepSeek's code does, and exact in BF16.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from finback.ops.formats import GROUP, fp4_groups, power_of_two_scale

ENTRY_GROUP = 64
_E4M3_MAX, _E4M3_FLOOR = 448.0, 1e-4
E2M1 = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0)
E2M1_CODES = (0, 1, 2, 3, 4, 0, 5, 0, 6, 0, 0, 0, 7)  # of a value by its double


def entry_bytes(channels: int, rotary: int) -> int:
    plain = channels - rotary
    return plain + 2 * rotary + -(-plain // ENTRY_GROUP // 8) * 8


def key_bytes(channels: int) -> int:
    return channels // 2 + -(-channels // GROUP)


def pack_entries(x: Tensor, rotary: int) -> Tensor:
    """x [n, c] -> uint8 [n, entry_bytes]. A group with a NaN or an infinity becomes NaN."""
    x = x.to(torch.bfloat16)
    plain, turned = x.split((x.shape[1] - rotary, rotary), dim=1)
    groups = _groups(plain.float(), ENTRY_GROUP)
    top = groups.abs().amax(dim=2, keepdim=True)
    s = power_of_two_scale(top, _E4M3_MAX, _E4M3_FLOOR)
    codes = (groups / s).clamp(-_E4M3_MAX, _E4M3_MAX).to(torch.float8_e4m3fn).view(torch.uint8)
    broken = ~torch.isfinite(top)
    codes, scales = codes.masked_fill(broken, 0), _scale_bytes(s).masked_fill(broken, 255).squeeze(2)
    scales = F.pad(scales, (0, -scales.shape[1] % 8))
    return torch.cat((codes.flatten(1)[:, : plain.shape[1]], turned.contiguous().view(torch.uint8), scales), dim=1)


def unpack_entries(packed: Tensor, channels: int, rotary: int) -> Tensor:
    """What `pack_entries` kept, BF16 [n, c]."""
    plain = channels - rotary
    codes, turned, scales = packed.split((plain, 2 * rotary, packed.shape[1] - plain - 2 * rotary), dim=1)
    groups = _groups(codes, ENTRY_GROUP).view(torch.float8_e4m3fn).float()
    values = groups * _multipliers(scales[:, : groups.shape[1], None])
    return torch.cat((values.flatten(1)[:, :plain].to(torch.bfloat16), turned.contiguous().view(torch.bfloat16)), dim=1)


def round_entries(x: Tensor, rotary: int) -> Tensor:
    """x [n, c] as the cache keeps it, in x's dtype. Rounding again changes nothing."""
    return unpack_entries(pack_entries(x, rotary), x.shape[1], rotary).to(x.dtype)


def pack_keys(x: Tensor) -> Tensor:
    """x [n, c], rounded by `round_index` before -> uint8 [n, key_bytes]."""
    v, s = fp4_groups(x)
    broken = ~torch.isfinite(s) | ~torch.isfinite(v).all(dim=2, keepdim=True)
    v, scales = v.masked_fill(broken, 0.0), _scale_bytes(s).masked_fill(broken, 255).squeeze(2)
    code = torch.tensor(E2M1_CODES, dtype=torch.uint8, device=x.device)[(2 * v.abs()).long()] | (torch.signbit(v) * 8).to(torch.uint8)
    code = code.flatten(1)[:, : x.shape[1]]
    return torch.cat((code[:, 0::2] | code[:, 1::2] << 4, scales), dim=1)


def unpack_keys(packed: Tensor, channels: int) -> Tensor:
    """What `pack_keys` kept, BF16 [n, c]."""
    codes, scales = packed.split((channels // 2, packed.shape[1] - channels // 2), dim=1)
    v = torch.tensor(E2M1, device=packed.device)[torch.stack((codes & 15, codes >> 4), dim=2).flatten(1).long()]
    return (_groups(v, GROUP) * _multipliers(scales[:, :, None])).flatten(1)[:, :channels].to(torch.bfloat16)


def _groups(x: Tensor, size: int) -> Tensor:
    return F.pad(x, (0, -x.shape[1] % size)).unflatten(1, (-1, size))


def _scale_bytes(s: Tensor) -> Tensor:
    return (s.view(torch.int32) >> 23).to(torch.uint8)


def _multipliers(scales: Tensor) -> Tensor:
    b = scales.int()
    return torch.where(b == 0, 0x00400000, b << 23).view(torch.float32).masked_fill(b == 255, torch.nan)
