"""What may an answer's next token be, and is the answer over?

One `Guide` follows one answer. It masks what must not come (the end before min_tokens, what breaks the constraint),
closes thoughts whose budget is spent, counts them, and finds the token that ends the answer or the loop it fell into.
It sees the tokens in their order, each once, so nothing here depends on how they were computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from finback.engine.constrain import Matcher
from finback.engine.sampling import SamplingParams
from finback.text import Tokenizer
from finback.text.tokens import ASSISTANT, THINK_END, THINK_START

CYCLES = 8  # a loop counts as one when it has gone round so often
CHARACTER = 4  # bytes of the longest character: tokens that closed thoughts may wait for


@dataclass(frozen=True)
class Markers:
    """The token ids that open and close thoughts and an assistant's turn."""

    open: int
    close: int
    turn: int

    @classmethod
    def of(cls, tokenizer: Tokenizer | None) -> Markers | None:
        """None where the tokenizer is not of DeepSeek-V4's design."""
        if not isinstance(tokenizer, Tokenizer):
            return None
        try:
            return cls(*map(tokenizer.token_id, (THINK_START, THINK_END, ASSISTANT)))
        except KeyError:
            return None

    def opened(self, prompt: Sequence[int]) -> bool:
        """Whether a prompt ends within thoughts of the assistant's turn."""
        last = next((t for t in reversed(prompt) if t in (self.open, self.close, self.turn)), None)
        return last == self.open


class Guide:
    """The rules of one answer. thinking: whether it is in its thoughts; thoughts: how many tokens they had, the
    closing one included; stopped_by: the token that ended it."""

    def __init__(self, params: SamplingParams, prompt: Sequence[int], markers: Markers | None, eos: int | None, matcher: Matcher | None):
        self._params, self._markers, self._matcher = params, markers, matcher
        self._ends = set(params.stop_token_ids) | ({eos} if eos is not None and not params.ignore_eos else set())
        self._cycle = Cycle(params.repetition_span) if params.repetition_span and not params.ignore_eos else None
        self._allowed: tuple[Tensor | None, bool] | None = None
        self._length = 0
        self.thinking = markers is not None and markers.opened(prompt)
        self.thoughts = 0
        self.stopped_by: int | None = None

    def allowed(self, vocab_size: int, midway: bool = False) -> tuple[Tensor | None, bool]:
        """The tokens that may come next, bool [V] (None: any), and whether this is a token that the model did not
        choose. midway: the text ends within a character."""
        if self._allowed is None:
            self._allowed = self._mask(vocab_size, midway)
        return self._allowed

    def _mask(self, vocab_size: int, midway: bool) -> tuple[Tensor | None, bool]:
        budget = self._params.thinking_budget
        if self.thinking and budget is not None and self.thoughts >= budget + (CHARACTER - 1 if midway else 0):
            mask = torch.zeros(vocab_size, dtype=torch.bool)
            mask[self._markers.close] = True
            return mask, True
        mask = None
        if self._matcher is not None and not self.thinking:
            mask = self._matcher.allowed()
        if self._length < self._params.min_tokens and self._ends:
            early = torch.ones(vocab_size, dtype=torch.bool) if mask is None else mask.clone()
            early[list(self._ends)] = False
            mask = early if early.any() else mask  # a finished form has nothing but its end
        return mask, False

    def take(self, token: int) -> str | None:
        """Goes on by a token. Returns why the answer is over, or None."""
        self._allowed = None
        self._length += 1
        if token in self._ends:
            self.stopped_by = token
            return "stop"
        if self.thinking:
            self.thoughts += 1
            self.thinking = token != self._markers.close
        elif self._matcher is not None:
            self._matcher.take(token)
        return "repetition" if self._cycle is not None and self._cycle.take(token) else None


class Cycle:
    """Finds that the last `span` tokens are one cycle of at most span / CYCLES tokens."""

    def __init__(self, span: int):
        longest = span // CYCLES
        self._last = np.full(longest, -1)  # the tokens before, the latest first
        self._runs = np.zeros(longest, dtype=np.int64)  # how many tokens in a row equal the one p+1 tokens earlier
        self._enough = span - 1 - np.arange(longest)  # and the first cycle itself counts

    def take(self, token: int) -> bool:
        self._runs = np.where(self._last == token, self._runs + 1, 0)
        self._last[1:] = self._last[:-1].copy()
        self._last[0] = token
        return bool((self._runs >= self._enough).any())
