"""How do a few tokenised documents become pieces, in memory and in order?

What evaluation needs. `Loader` is for documents that fit in memory and have one shuffle; `Stream` is
the one for training on a prepared corpus.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


def pack(documents: Iterable[np.ndarray], length: int) -> list[np.ndarray]:
    """Pieces of at most `length` inputs and one more token to predict. Consecutive pieces of a document
    share that token, so every token but the first is predicted once."""
    pieces = []
    for ids in documents:
        pieces += [ids[a : a + length + 1] for a in range(0, len(ids) - 1, length)]
    return pieces


@dataclass
class Loader:
    """Batches of at most `batch_tokens` inputs (or one piece), for ever. `epoch` and `at` are its state."""

    pieces: Sequence[np.ndarray]
    batch_tokens: int
    seed: int
    epoch: int = 0
    at: int = 0

    def next(self) -> list[np.ndarray]:
        """The pieces of the next batch; a piece of n + 1 tokens is n inputs and their n targets."""
        order, batch, total = self._order(), [], 0
        while True:
            piece = self.pieces[order[self.at]]
            total += len(piece) - 1
            if batch and total > self.batch_tokens:
                return batch
            batch.append(piece)
            self.at += 1
            if self.at == len(self.pieces):
                self.epoch, self.at = self.epoch + 1, 0
                order = self._order()

    def _order(self) -> np.ndarray:
        return np.random.default_rng((self.seed, self.epoch)).permutation(len(self.pieces))
