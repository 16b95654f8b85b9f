"""How do tokenised documents become pieces, in order? What evaluation reads; training has its `Stream`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def pack(documents: Iterable[np.ndarray], length: int) -> list[np.ndarray]:
    """Pieces of at most `length` inputs and one more token to predict. Consecutive pieces of a document
    share that token, so every token but the first is predicted once."""
    pieces = []
    for ids in documents:
        pieces += [ids[a : a + length + 1] for a in range(0, len(ids) - 1, length)]
    return pieces
