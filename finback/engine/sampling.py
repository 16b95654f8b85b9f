"""Which token comes next, given the logits?

Random numbers are a function of the request's seed and the token's place in the answer, so that an answer is the
same whenever and beside whatever it is computed, and goes on the same after an interruption.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from finback.engine.constrain import Constraint

FEW = 256  # so many of the likeliest are sorted first: sorting a vocabulary takes longer than a small model
COLDEST = 1e-6  # below this temperature the likeliest token is taken: logits divided by it leave the range of float32


@dataclass(frozen=True)
class SamplingParams:
    """How an answer is sampled, and when it ends.

    temperature 0 (or next to it) takes the likeliest token. top_k (0: all), top_p and min_p (relative to the likeliest) narrow the
    choice. presence and frequency penalties lower the logits of tokens already in the answer. logit_bias: added to
    logits, by token id. logprobs: of how many likeliest tokens log-probabilities are reported beside the chosen one's
    (None: none), before penalties, masks, temperature and narrowing; prompt_logprobs: the same for the prompt's tokens.

    n: how many answers; answer i is the one that a request alone gives with the seed `answer_seed(seed, i)`.
    stop, stop_token_ids: strings and tokens that end the answer (and are not part of its text); with ignore_eos the
    end token does not. None of the tokens is chosen before the answer has min_tokens. constraint: a form that the
    answer must have, once thoughts that the prompt opened are closed.
    thinking_budget: of how many tokens such thoughts may be; then they are closed (None: no limit).
    repetition_span: an answer ends when its last so many tokens are one cycle, eight times or more (None: it goes on).
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    logprobs: int | None = None
    seed: int = 0
    n: int = 1
    stop_token_ids: tuple[int, ...] = ()
    ignore_eos: bool = False
    min_tokens: int = 0
    prompt_logprobs: int | None = None
    constraint: Constraint | None = None
    thinking_budget: int | None = 131072
    repetition_span: int | None = 1024

    def __post_init__(self):
        for name, ok, rule in (
            ("temperature", self.temperature >= 0, "0 (greedy) or more"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("top_k", self.top_k >= 0, "0 (all tokens) or more"),
            ("min_p", 0 <= self.min_p <= 1, "between 0 and 1"),
            ("presence_penalty", -2 <= self.presence_penalty <= 2, "between -2 and 2"),
            ("frequency_penalty", -2 <= self.frequency_penalty <= 2, "between -2 and 2"),
            ("max_tokens", self.max_tokens >= 1, "at least 1"),
            ("stop", all(self.stop), "non-empty strings"),
            ("logprobs", self.logprobs is None or self.logprobs >= 0, "0 or more, or None"),
            ("n", self.n >= 1, "at least 1"),
            ("ignore_eos", not (self.ignore_eos and self.constraint), "off with a constraint, which ends with that token"),
            ("min_tokens", 0 <= self.min_tokens <= self.max_tokens, f"between 0 and max_tokens={self.max_tokens}"),
            ("prompt_logprobs", self.prompt_logprobs is None or self.prompt_logprobs >= 0, "0 or more, or None"),
            ("thinking_budget", self.thinking_budget is None or self.thinking_budget >= 0, "0 or more, or None"),
            ("repetition_span", self.repetition_span is None or self.repetition_span >= 16, "at least 16, or None"),
        ):
            if not ok:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be {rule}")


@dataclass(frozen=True)
class Choice:
    """A sampled token; with logprobs its own and the likeliest tokens' log-probabilities."""

    token: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


def answer_seed(seed: int, index: int) -> int:
    """The seed of answer `index` of a request for several: its own for the first, then far from any other request's."""
    if index == 0:
        return seed
    return int.from_bytes(hashlib.sha256(f"{seed} {index}".encode()).digest()[:8], "little")


def sample(logits: Tensor, params: SamplingParams, answer: Sequence[int] = (), allowed: Tensor | None = None) -> Choice:
    """The token after `answer`. logits: [V]; allowed: the tokens that may be chosen, bool [V] (None: all).

    Raises ValueError where the largest logit is no finite number."""
    scores = logits.detach().float().cpu()
    biased = _penalised(scores, params, answer)
    if allowed is not None:
        biased = biased.masked_fill(~allowed, -torch.inf)
    if not math.isfinite(largest := float(biased.max())):
        raise ValueError(f"the largest logit is {largest}: the model's weights are damaged, or the numbers in it leave the range of their type")
    token = _choose(biased, params, len(answer))
    return Choice(token) if params.logprobs is None else likelihood(scores, token, params.logprobs)


def likelihood(scores: Tensor, token: int, top: int) -> Choice:
    """A token and the `top` likeliest ones with their log-probabilities. scores: [V]."""
    logprob = scores.detach().float().cpu().log_softmax(0)
    values, ids = logprob.topk(min(top, len(logprob)))
    return Choice(token, float(logprob[token]), tuple(zip(ids.tolist(), values.tolist())))


def _penalised(scores: Tensor, params: SamplingParams, answer: Sequence[int]) -> Tensor:
    if params.logit_bias:
        scores = scores.index_add(0, torch.tensor(list(params.logit_bias)), torch.tensor(list(params.logit_bias.values()), dtype=scores.dtype))
    if answer and (params.presence_penalty or params.frequency_penalty):
        ids, counts = torch.tensor(answer).unique(return_counts=True)
        scores = scores.index_add(0, ids, -(params.presence_penalty + params.frequency_penalty * counts.float()))
    return scores


def _choose(scores: Tensor, params: SamplingParams, index: int) -> int:
    if params.temperature < COLDEST:
        return int(scores.argmax())
    p = torch.softmax(scores / params.temperature, dim=-1)
    if params.top_k or params.top_p < 1:
        ids = _likeliest(p, params.top_k or len(p), params.top_p)
        p = torch.zeros_like(p).index_copy(0, ids, p[ids])
    if params.min_p:
        p = p.masked_fill(p < params.min_p * p.max(), 0.0)
    cumulative = p.double().cumsum(0)
    draw = np.random.Generator(np.random.Philox(key=params.seed % (1 << 64), counter=index)).random()
    at = int(torch.searchsorted(cumulative, draw * cumulative[-1], right=True))
    return at if at < len(p) else int(p.nonzero()[-1])


def _likeliest(p: Tensor, most: int, top_p: float) -> Tensor:
    """The ids of at most so many of the likeliest tokens, as few as reach top_p; of equally likely ones the earlier. p: [V]."""
    most = min(most, len(p))
    for count in (min(most, FEW), most):
        ids = (p >= p.topk(count).values[-1]).nonzero()[:, 0] if count < len(p) else torch.arange(len(p))
        values, order = p[ids].sort(descending=True, stable=True)
        values, ids = values[:count], ids[order[:count]]
        enough = int((values.cumsum(0) - values < top_p).sum()) if top_p < 1 else count
        if enough < count:
            break
    return ids[: max(enough, 1)]  # a top_p may be too small for the comparison
