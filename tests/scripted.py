"""An engine that says what a test wrote, token by token; everything else about it is the real engine."""

from __future__ import annotations

from collections.abc import Callable

from helpers import random_model, tiny_config

from finback.cli import STORY_MODEL
from finback.engine import Engine, Request
from finback.text import Tokenizer, load_tokenizer
from finback.text.tokens import DSML


def in_turn(*answers: str) -> Callable[[str], str]:
    """The first answer to the first prompt, and so on."""
    left = iter(answers)
    return lambda prompt: next(left)


class ScriptedEngine(Engine):
    """answer(prompt text): what the model is to say, without the end mark, which follows unless `unending`. Constraints,
    budgets, stop strings, cache and cancellation work as ever; a text that a constraint forbids comes out garbled."""

    def __init__(self, answer: Callable[[str], str], tokenizer: Tokenizer | None = None, context: int = 4096, unending: bool = False):
        tokenizer = tokenizer or load_tokenizer(STORY_MODEL)
        super().__init__(random_model(tiny_config(vocab_size=tokenizer.vocab_size, max_position_embeddings=context)), tokenizer)
        self.prompts: list[str] = []
        self._answer, self._unending = answer, unending
        self._scripts: dict[int, list[int]] = {}

    def _queue(self, requests: list[Request]) -> None:
        for request in requests:
            prompt = self.tokenizer.decode(request.prompt)
            self.prompts.append(prompt)
            said = self.tokenizer.encode(self._answer(prompt))
            self._scripts[request.arrival] = said if self._unending else [*said, self.tokenizer.eos_id]
        super()._queue(requests)

    def _forward(self, batch, shares, rows):
        said = []
        for request, n in shares:
            script, start = self._scripts[request.arrival], request.state.length
            places = [start + i + 1 - len(request.prompt) for i in request.wanted(start, n)]
            said += [script[min(place, len(script) - 1)] for place in places]
        logits, streams = super()._forward(batch, shares, rows)
        logits.fill_(-30.0)[range(len(said)), said] = 60.0
        return logits, streams


def call(name: str, **arguments: str) -> str:
    """A tool call as V4 writes it."""
    lines = "\n".join(f'<{DSML}parameter name="{k}" string="true">{v}</{DSML}parameter>' for k, v in arguments.items())
    return f'\n\n<{DSML}tool_calls>\n<{DSML}invoke name="{name}">\n{lines}\n</{DSML}invoke>\n</{DSML}tool_calls>'
