"""How does one sequence continue? Prefill in chunks, then one token at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from finback.engine.sampling import SamplingParams, sample
from finback.model import Batch, Transformer

PREFILL_CHUNK = 1024


def generate(
    model: Transformer,
    ids: Sequence[int],
    params: SamplingParams,
    stop_ids: set[int] = frozenset(),
) -> Iterator[int]:
    """Yields token ids after `ids`, up to max_tokens; a token of `stop_ids` is yielded and ends it.

    Generation also ends at the model's max_position_embeddings.
    """
    if not ids:
        raise ValueError("there is no token to continue: the prompt is empty")
    if params.n > 1 or params.constraint or params.prompt_logprobs is not None or params.min_tokens or params.stop_token_ids:
        raise ValueError("n, constraint, prompt_logprobs, min_tokens and stop_token_ids need an Engine; this is the plain loop for one sequence")
    state = model.new_state()
    answer: list[int] = []
    device = model.embed.weight.device
    last = torch.tensor([-1], device=device)

    @torch.inference_mode()
    def advance(chunk: Sequence[int]) -> torch.Tensor:
        return model(Batch.of([chunk], [state.length], device), [state], rows=last)[0]

    for a in range(0, len(ids), PREFILL_CHUNK):
        logits = advance(ids[a : a + PREFILL_CHUNK])
    for produced in range(1, params.max_tokens + 1):
        token = sample(logits, params, answer).token
        answer.append(token)
        yield token
        if token in stop_ids or produced == params.max_tokens or state.length >= model.config.max_position_embeddings:
            return
        logits = advance([token])
