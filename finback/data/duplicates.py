"""Which documents have we seen before, word for word or nearly?

Both questions are put to a normalised text: NFKC, case folded, blanks collapsed, markers dropped. Exact
copies are found by a digest. Near copies are sets of five-word shingles (a CJK character is a word) with
a Jaccard similarity above a threshold: MinHash-LSH from `datasketch` proposes, the two signatures
decide. The first of two copies stays, so what is removed depends on nothing but the order of reading.
Memory grows with the number of kept documents: some 5 kB each with near copies, 100 bytes without.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Callable

from finback.data.sources import DataError
from finback.text.tokens import NAMED_TOKENS

SHINGLE = 5
SIGNATURE = 128  # one standard error of a similarity of 0.8 is 0.035
_MARKERS = re.compile("|".join(re.escape(token.content) for token in NAMED_TOKENS))
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


def normalise(document: str) -> str:
    """What two copies have in common: empty if nothing but markers and blanks is there."""
    return " ".join(unicodedata.normalize("NFKC", _MARKERS.sub(" ", document)).casefold().split())


def digest(normalised: str) -> bytes:
    return hashlib.sha256(normalised.encode()).digest()[:16]


def shingles(normalised: str) -> set[str]:
    """Every run of five words; a shorter text is one shingle."""
    words = _WORDS.findall(normalised)
    return {" ".join(words[i : i + SHINGLE]) for i in range(max(len(words) - SHINGLE + 1, 1))}


class Duplicates:
    """Remembers what it has seen. `threshold` is the similarity from which on a document is a near copy
    (0: exact copies only, and `datasketch` is not needed)."""

    def __init__(self, threshold: float) -> None:
        self._digests: set[bytes] = set()
        self._near = _near_copies(threshold) if threshold else None

    def seen(self, normalised: str) -> str:
        """"exact", "near" or "" for a new document, which is remembered."""
        key = digest(normalised)
        if key in self._digests:
            return "exact"
        self._digests.add(key)
        return "near" if self._near and self._near(normalised) else ""


def _near_copies(threshold: float) -> Callable[[str], bool]:
    """A function that says whether it was given a near copy before."""
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        raise DataError(
            "removing near duplicates needs datasketch: pip install 'finback[data]', or set near_duplicates = 0"
        ) from None
    empty = MinHash(SIGNATURE, hashfunc=zlib.crc32)
    # Candidates are cheap to check, so the index is tuned to miss few.
    index = MinHashLSH(threshold, SIGNATURE, weights=(0.1, 0.9))
    signatures = []

    def is_copy(normalised: str) -> bool:
        sketch = empty.copy()
        sketch.update_batch([s.encode() for s in shingles(normalised)])
        if any((sketch.hashvalues == signatures[i]).mean() >= threshold for i in index.query(sketch)):
            return True
        index.insert(len(signatures), sketch)
        signatures.append(sketch.hashvalues)
        return False

    return is_copy
