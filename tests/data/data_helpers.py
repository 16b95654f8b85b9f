"""Texts and sources made on the spot."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from finback.data import Source

WORDS = "the fox ran over a red hill and saw two old birds who sang of rain 月 光 ünïcode 🐋 42".split()


def stories(count: int, seed: int, longest: int = 40) -> list[str]:
    """Texts of 1 to `longest` words, no two the same."""
    rng = np.random.default_rng(seed)
    return [f"{seed} {i} " + " ".join(rng.choice(WORDS, rng.integers(1, longest))) for i in range(count)]


def write_source(folder: Path, name: str, texts: list[str], **changes) -> Source:
    raw = "\n".join(json.dumps({"text": text}) for text in texts).encode()
    (folder / f"{name}.jsonl").write_bytes(raw)
    return Source(name, f"{name}.jsonl", "text", "made here", "CC0", hashlib.sha256(raw).hexdigest(), **changes)
