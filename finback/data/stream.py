"""Which tokens does the next training step see?

`Stream` mixes the sources of a corpus for ever. The next document comes from the source that is furthest
behind its share of the tokens, so shares hold to within a document at any time, not just on average.
Each source has its own epochs, each shuffled anew by a computed permutation. Documents are laid end to
end and cut only where `sequence` or the batch ends: a batch holds exactly `batch_tokens` inputs, no
padding, and its last document goes on in the next. Every choice follows from a few integers, which are
the state: batch size and sequence may differ from call to call, a resumed stream gives the very next
token, and a copy can run ahead. With R ranks, each calls `next` R times a step and keeps its own batch:
the state is then the same on all, and R may change.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finback.data.middle import fill_in_the_middle
from finback.data.shards import Corpus, Documents
from finback.data.shuffle import key, permuted
from finback.data.sources import DataError, Source


@dataclass(frozen=True)
class Lane:
    """One source of the mixture: `share` of all tokens, `fim_rate` of its documents."""

    name: str
    documents: Documents
    share: float
    fim_rate: float


@dataclass(frozen=True)
class Seen:
    """What was read of a source: tokens predicted, and epochs, where 2.5 is everything twice and half of it once more."""

    tokens: int
    epochs: float


def mixture(corpus: Corpus, sources: Sequence[Source], fim_rate: float) -> tuple[Lane, ...]:
    """The lanes of `sources`; shares are their weights, or size times `repeat`. Raises DataError."""
    weighted = [source.weight is not None for source in sources]
    if any(weighted) and not all(weighted):
        without = ", ".join(source.name for source in sources if source.weight is None)
        raise DataError(f"some sources have a weight, but {without} not: give every source one, or none")
    if not 0 <= fim_rate <= 1:
        raise DataError(f"the fill-in-the-middle rate is {fim_rate}; it is a share of the documents, for example 0.1")
    if fim_rate and corpus.fim is None and any(source.fim for source in sources):
        raise DataError("a source asks for fill in the middle, but the tokenizer has no fim tokens: set fim = false")
    opened = [(source, corpus.documents(source.name)) for source in sources]
    for source, documents in opened:
        if documents.tokens == len(documents):
            raise DataError(f"source {source.name} has no document of two tokens, so nothing to predict: remove it")
    # A document of n tokens has n - 1 to predict, and those are what a share counts.
    sizes = [source.weight or source.repeat * (documents.tokens - len(documents)) for source, documents in opened]
    return tuple(
        Lane(source.name, documents, size / sum(sizes), fim_rate if source.fim else 0.0)
        for (source, documents), size in zip(opened, sizes)
    )


class Stream:
    """Batches of a mixture, for ever. `state` and `restore` carry it over a restart; `copy` looks ahead."""

    def __init__(self, corpus: Corpus, sources: Sequence[Source], seed: int, fim_rate: float = 0.0) -> None:
        self.lanes = mixture(corpus, sources, fim_rate)
        self.seed = seed
        self._fim = corpus.fim
        lanes = [(lane.name, lane.share, lane.fim_rate) for lane in self.lanes]
        self._identity = key(corpus.identity, seed, lanes) >> 1  # fits a signed 64-bit integer
        self._begun = [0] * len(self.lanes)  # documents, over all epochs
        self._tokens = [0] * len(self.lanes)  # predicted
        self._at = -1  # the lane of the open document, or -1
        self._offset = 0  # the open document's tokens that were inputs
        self._document = np.zeros(0, np.uint16)  # follows from the integers above

    def next(self, batch_tokens: int, sequence: int) -> list[np.ndarray]:
        """Pieces with `batch_tokens` inputs together; one of n + 1 tokens is n <= sequence inputs and their n targets."""
        if batch_tokens < 1 or sequence < 1:
            raise ValueError(f"batch_tokens={batch_tokens} and sequence={sequence} must be at least 1")
        batch = []
        while batch_tokens:
            if self._at < 0:
                self._open_next()
            n = min(batch_tokens, sequence, len(self._document) - 1 - self._offset)
            batch.append(self._document[self._offset : self._offset + n + 1])
            self._tokens[self._at] += n
            self._offset += n
            batch_tokens -= n
            if self._offset == len(self._document) - 1:
                self._at, self._offset = -1, 0
        return batch

    def copy(self) -> Stream:
        """A stream that goes on from here by itself."""
        twin = copy.copy(self)
        twin._begun, twin._tokens = self._begun.copy(), self._tokens.copy()
        return twin

    def seen(self) -> dict[str, Seen]:
        """Per source, for reports; an opened document counts as read in `epochs`."""
        counts = zip(self.lanes, self._tokens, self._begun)
        return {lane.name: Seen(tokens, begun / len(lane.documents)) for lane, tokens, begun in counts}

    def state(self) -> dict[str, int]:
        """All that `restore` needs, as integers."""
        state = {"identity": self._identity, "at": self._at, "offset": self._offset}
        for lane, begun, tokens in zip(self.lanes, self._begun, self._tokens):
            state |= {f"begun/{lane.name}": begun, f"tokens/{lane.name}": tokens}
        return state

    def restore(self, state: dict[str, int]) -> None:
        """Goes on where the stream that gave `state` was. Raises DataError if that had other data, shares or seed."""
        if state.get("identity") != self._identity:
            raise DataError(
                "this state is of a stream over another corpus, mixture, fim rate or seed: go on with the recipe and the "
                "prepared data that it was saved with, or start anew"
            )
        self._begun = [state[f"begun/{lane.name}"] for lane in self.lanes]
        self._tokens = [state[f"tokens/{lane.name}"] for lane in self.lanes]
        self._at, self._offset = state["at"], state["offset"]
        if self._at >= 0:
            self._document = self._read(self._at)

    def _open_next(self) -> None:
        """Opens the next document that has something to predict, of the lane furthest behind its share."""
        at = min(range(len(self.lanes)), key=lambda i: self._tokens[i] / self.lanes[i].share)
        self._document = self._document[:0]
        while len(self._document) < 2:
            self._begun[at] += 1
            self._document = self._read(at)
        self._at, self._offset = at, 0

    def _read(self, at: int) -> np.ndarray:
        """The document that was begun last in a lane."""
        lane = self.lanes[at]
        epoch, place = divmod(self._begun[at] - 1, len(lane.documents))
        number = permuted(place, len(lane.documents), key(self.seed, lane.name, epoch))
        ids = lane.documents[number]
        if not lane.fim_rate:
            return ids
        return fill_in_the_middle(ids, self._fim, lane.fim_rate, key(self.seed, lane.name, epoch, number))
