"""Which document comes at place i of a shuffled epoch?

A permutation that is computed, not stored: any place of any epoch of a corpus of any size in
microseconds. It is a Feistel network over a rectangle of just more than `n` cells (row and column take
turns in shifting each other by a keyed hash), walked on until the cell is one of the first `n`.
"""

from __future__ import annotations

import hashlib
from math import isqrt

ROUNDS = 4
_MASK = (1 << 64) - 1


def key(*parts: object) -> int:
    """64 bits that depend on every part, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "little")


def mix(value: int) -> int:
    """64 bits to 64 bits, each depending on all (the finalizer of splitmix64)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def permuted(place: int, n: int, key: int) -> int:
    """The item at `place` of n items shuffled by `key`: a bijection of range(n) for every key."""
    columns = isqrt(n - 1) + 1
    rows = -(-n // columns)
    while True:
        row, column = divmod(place, columns)
        for i in range(ROUNDS):
            column = (column + mix(key ^ mix(2 * i) ^ row)) % columns
            row = (row + mix(key ^ mix(2 * i + 1) ^ column)) % rows
        place = row * columns + column
        if place < n:
            return place
