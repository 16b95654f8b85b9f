"""Which token comes next, given the logits?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SamplingParams:
    """temperature 0 takes the likeliest token; top_p keeps the smallest set of tokens with that probability."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 512
    seed: int = 0

    def __post_init__(self):
        for name, ok, rule in (
            ("temperature", self.temperature >= 0, "0 (greedy) or more"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("max_tokens", self.max_tokens >= 1, "at least 1"),
        ):
            if not ok:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be {rule}")


def sample(logits: Tensor, params: SamplingParams, generator: torch.Generator) -> int:
    """One token id from logits [V]. The generator lives on the CPU, whatever the device, so seeds travel."""
    logits = logits.float().cpu()
    if params.temperature == 0:
        return int(logits.argmax())
    p = torch.softmax(logits / params.temperature, dim=-1)
    if params.top_p < 1:
        p, ids = p.sort(descending=True, stable=True)
        p = p.masked_fill(p.cumsum(0) - p >= params.top_p, 0.0)
        return int(ids[torch.multinomial(p, 1, generator=generator)])
    return int(torch.multinomial(p, 1, generator=generator))
