"""How does a conversation go on without computing its past again?

A session keeps the state of the tokens it has seen. A prompt that continues them costs only its new
tokens; one that does not (an edited or forgotten turn) starts over, because the compressed cache
cannot be rewound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from finback.engine.generate import generate
from finback.engine.sampling import SamplingParams
from finback.model import Transformer


class Session:
    """One sequence's past: the state and the ids it stands for."""

    def __init__(self, model: Transformer):
        self.model = model
        self.reused = 0
        self._forget()

    def _forget(self) -> None:
        self.state, self.seen = self.model.new_state(), []

    def generate(self, ids: Sequence[int], params: SamplingParams, stop_ids: set[int] = frozenset()) -> Iterator[int]:
        """As `engine.generate` of the whole prompt `ids`; `reused` counts the tokens that were not computed again."""
        # At least one token must be computed, because its logits are not kept.
        if not (len(self.seen) < len(ids) and list(ids[: len(self.seen)]) == self.seen):
            self._forget()
        self.reused = len(self.seen)
        pending = list(ids[self.reused :])
        for token in generate(self.model, pending, params, stop_ids, self.state):
            self.seen += pending
            pending = [token]
            yield token
