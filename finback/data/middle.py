"""How does a document become an exercise in filling in the middle?

DeepSeek's order is prefix, suffix, middle, on whole documents before packing:

    BOS <｜fim▁begin｜> prefix <｜fim▁hole｜> suffix <｜fim▁end｜> middle EOS

The two cuts fall anywhere between the document's tokens with equal chance. Whether and where follows
from a key alone, so the same document of the same epoch is always cut the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finback.data.shuffle import mix
from finback.text import Tokenizer
from finback.text.tokens import FIM_BEGIN, FIM_END, FIM_HOLE


@dataclass(frozen=True)
class FimTokens:
    begin: int
    hole: int
    end: int


def fim_tokens(tokenizer: Tokenizer) -> FimTokens:
    """Raises KeyError if the tokenizer was made without them."""
    return FimTokens(*(tokenizer.token_id(token) for token in (FIM_BEGIN, FIM_HOLE, FIM_END)))


def fill_in_the_middle(ids: np.ndarray, tokens: FimTokens, rate: float, key: int) -> np.ndarray:
    """`ids` (BOS, body, EOS) rearranged with probability `rate` over keys, else as they are."""
    chance = mix(key)
    if chance >= rate * 2**64 or len(ids) < 2:
        return ids
    places = len(ids) - 1  # cuts in front of ids[1] up to in front of EOS
    a, b = sorted(1 + mix(key ^ mix(i)) % places for i in (1, 2))
    begin, hole, end = (np.array([t], ids.dtype) for t in (tokens.begin, tokens.hole, tokens.end))
    return np.concatenate([ids[:1], begin, ids[1:a], hole, ids[b:-1], end, ids[a:b], ids[-1:]])
