"""How does a plain text go on? `/completions` with fill-in-the-middle, and the tokenizer over HTTP.

The prompt is the model's whole input behind BOS; no chat, no parsing. With a suffix it is DeepSeek's exercise in
filling the middle, and nothing in the two texts is read as a special token.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field, RootModel

from finback.engine import Choice, Piece, SamplingParams
from finback.server.ask import MAX_ANSWERS, Ask, AskError
from finback.server.chat_body import Conversation, StreamOptions, Wire, biases, conversation, stops
from finback.server.events import Usage
from finback.server.http import STREAMS, as_json, body, refusals, service_of, speaks, stream, takes, user_of, whole
from finback.server.openai import REASONS, error_body, event_of, head_of, usage_body
from finback.server.prompt import room
from finback.server.run import running, tokens_of, usage_of
from finback.server.service import Model, Service
from finback.text import Tokenizer
from finback.text.tokens import EOS, FIM_BEGIN, FIM_END, FIM_HOLE

router = APIRouter(dependencies=[speaks(error_body)], responses=refusals(), tags=["completions"])

TokenId = Annotated[int, Field(ge=0, lt=1 << 31)]


class CompletionBody(Wire):
    model: str
    prompt: str | list[str] | list[TokenId] | list[list[TokenId]]
    suffix: str | None = None
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    max_tokens: int | None = Field(16, ge=0)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=0)
    min_p: float | None = Field(None, ge=0, le=1)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = Field(None, max_length=1024)
    stop: str | list[str] | None = None
    seed: int | None = Field(None, ge=-(1 << 63), lt=1 << 64)
    n: int | None = Field(None, ge=1, le=MAX_ANSWERS)
    best_of: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    user_id: str | None = None


@router.post("/completions", openapi_extra=takes(CompletionBody), responses=STREAMS)
@router.post("/v1/completions", include_in_schema=False)
@router.post("/beta/completions", include_in_schema=False)
async def completions(request: Request) -> Response:
    wire, service = await body(request, CompletionBody), service_of(request)
    user, model = user_of(request, wire.user_id or wire.user), service.model(wire.model)
    if wire.best_of not in (None, wire.n or 1):
        raise AskError(422, "invalid_value", "best_of differs from n: all answers are given, choose among them yourself", "best_of")
    if not all(stops(wire.stop)) or len(stops(wire.stop)) > 16:
        raise AskError(422, "invalid_value", "stop must be at most 16 strings, none of them empty", "stop")
    jobs = await service.off_loop(_jobs, model, wire, service.limits.answer_tokens)
    if wire.stream:
        return await stream(request, _chunks(service, model, jobs, wire, user))
    return await whole(request, _completion(service, model, jobs, wire, user))


@dataclass(frozen=True)
class _Job:
    """One prompt. text: what echo says."""

    text: str
    ids: list[int]
    params: SamplingParams


def _jobs(model: Model, wire: CompletionBody, most: int) -> list[_Job]:
    prompt = wire.prompt
    several = isinstance(prompt, list) and (not prompt or not isinstance(prompt[0], int))
    prompts: list[str | list[int]] = prompt if several else [prompt]
    n = wire.n or 1
    if not 1 <= len(prompts) * n <= MAX_ANSWERS:
        raise AskError(422, "invalid_value", f"{len(prompts)} prompts with {n} answers each; 1 to {MAX_ANSWERS} answers can be had at once", "prompt")
    return [_job(model, p, wire, most) for p in prompts]


def _job(model: Model, prompt: str | list[int], wire: CompletionBody, most: int) -> _Job:
    tokenizer = model.tokenizer
    text = prompt if isinstance(prompt, str) else _decode(tokenizer, prompt)
    try:
        if wire.suffix is not None:
            begin, hole, end = map(tokenizer.token_id, (FIM_BEGIN, FIM_HOLE, FIM_END))
            before = tokenizer.encode(prompt, special=False) if isinstance(prompt, str) else prompt
            ids = [tokenizer.bos_id, begin, *before, hole, *tokenizer.encode(wire.suffix, special=False), end]
        elif isinstance(prompt, str):
            ids = tokenizer.encode(prompt)
            ids = ids if ids[:1] == [tokenizer.bos_id] else [tokenizer.bos_id, *ids]
        else:
            ids = prompt
    except KeyError as error:
        raise AskError(400, "not_supported", f"{model.name} cannot fill in the middle: {error.args[0]}", "suffix") from None
    except UnicodeError as error:
        raise AskError(400, "invalid_request", f"the prompt cannot be encoded: {error}", "prompt") from None
    if not ids:
        raise AskError(422, "invalid_value", "the prompt has no tokens", "prompt")
    tokens = min(max(most if wire.max_tokens is None else wire.max_tokens, 1), room(model, len(ids)))
    return _Job(text, ids, SamplingParams(
        temperature=model.card.temperature if wire.temperature is None else wire.temperature,
        top_p=model.card.top_p if wire.top_p is None else wire.top_p,
        top_k=wire.top_k or 0, min_p=wire.min_p or 0.0,
        presence_penalty=wire.presence_penalty or 0.0, frequency_penalty=wire.frequency_penalty or 0.0,
        logit_bias=biases(wire.logit_bias), max_tokens=tokens, stop=stops(wire.stop), n=wire.n or 1,
        seed=secrets.randbits(63) if wire.seed is None else wire.seed,
        logprobs=wire.logprobs, prompt_logprobs=wire.logprobs if wire.echo and len(ids) > 1 else None,
        stop_token_ids=model.foreign, thinking_budget=None,
    ))  # fmt: skip


class _Answer:
    """One answer as it grows. With max_tokens 0 only its echo is said: the engine samples one token in any case."""

    def __init__(self, index: int, job: _Job, wire: CompletionBody, tokenizer: Tokenizer):
        self.index, self.reason = index, None
        self._job, self._wire, self._tokenizer = job, wire, tokenizer
        self._echo = bool(wire.echo)
        self._noted: list[tuple[int, Choice | None]] = []
        self._offset, self._decoder = 0, tokenizer.stream_decoder()

    def take(self, piece: Piece, scores: Sequence[Choice]) -> str:
        """The text of a piece; with the first, the echo before it. scores: of the prompt's tokens from the second on."""
        text = ""
        if self._echo:
            self._echo, text = False, self._job.text
            if scores:
                first = self._job.ids[0]
                self._noted += [] if first == self._tokenizer.bos_id else [(first, None)]
                self._noted += [(choice.token, choice) for choice in scores]
        if piece.finish is not None:
            self.reason = REASONS.get(piece.finish, piece.finish)
        if self._wire.max_tokens == 0:
            self.reason = self.reason and "length"
            return text
        ended = piece.finish == "stop" and not isinstance(piece.matched, str)  # by a token that is no part of the answer
        if not ended:
            self._noted += [(choice.token, choice) for choice in piece.choices]
        return text + (piece.text.removesuffix(EOS) if ended else piece.text)

    def logprobs(self) -> dict[str, list] | None:
        """Of the tokens since it was asked last."""
        if self._wire.logprobs is None:
            return None
        out: dict[str, list] = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
        for token, choice in self._noted:
            out["tokens"].append(self._name(token))
            out["token_logprobs"].append(None if choice is None else choice.logprob)
            out["top_logprobs"].append(None if choice is None else {self._name(t): p for t, p in choice.top})
            out["text_offset"].append(self._offset)
            self._offset += len(self._decoder.feed(token))
        self._noted = []
        return out

    def choice(self, text: str) -> dict[str, Any]:
        return {"index": self.index, "text": text, "logprobs": self.logprobs(), "finish_reason": self.reason}

    def _name(self, token: int) -> str:
        """A token as OpenAI writes it where its bytes are no text by themselves."""
        raw = self._tokenizer.token_bytes(token)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)


async def _said(
    service: Service, model: Model, jobs: list[_Job], wire: CompletionBody, user: str, usages: list[list[Usage]]
) -> AsyncIterator[tuple[_Answer, str]]:
    """The jobs run side by side; their texts come one job after the other. usages gets an entry for each job."""
    async with AsyncExitStack() as stack:
        stack.enter_context(service.place(user))
        started = [await stack.enter_async_context(running(service, model, job.ids, job.params, user)) for job in jobs]
        for at, (job, (request, pieces)) in enumerate(zip(jobs, started)):
            said = [_Answer(at * job.params.n + i, job, wire, model.tokenizer) for i in range(job.params.n)]
            scores: Sequence[Choice] = ()
            async for piece in pieces:
                scores = piece.prompt or scores
                yield said[piece.index], said[piece.index].take(piece, scores)
            found = [usage_of(request, i) for i in range(job.params.n)]
            usages.append([replace(usage, completion_tokens=0) for usage in found] if wire.max_tokens == 0 else found)


async def _completion(service: Service, model: Model, jobs: list[_Job], wire: CompletionBody, user: str) -> dict[str, Any]:
    usages: list[list[Usage]] = []
    texts: dict[_Answer, list[str]] = {}
    async with aclosing(_said(service, model, jobs, wire, user, usages)) as said:
        async for answer, text in said:
            texts.setdefault(answer, []).append(text)
    choices = [answer.choice("".join(texts[answer])) for answer in sorted(texts, key=lambda answer: answer.index)]
    return {**head_of("cmpl", "text_completion", model.name), "choices": choices, "usage": usage_body(usages)}


async def _chunks(service: Service, model: Model, jobs: list[_Job], wire: CompletionBody, user: str) -> AsyncIterator[str]:
    head = head_of("cmpl", "text_completion", model.name)
    with_usage = wire.stream_options is not None and bool(wire.stream_options.include_usage)
    nothing = {"usage": None} if with_usage else {}
    usages: list[list[Usage]] = []
    began = False
    try:
        async with aclosing(_said(service, model, jobs, wire, user, usages)) as said:
            async for answer, text in said:
                began = True
                if text or answer.reason:
                    yield event_of({**head, "choices": [answer.choice(text)], **nothing})
    except AskError as error:
        if not began:
            raise
        yield event_of(error_body(error))
        return
    if with_usage:
        yield event_of({**head, "choices": [], "usage": usage_body(usages)})
    yield "data: [DONE]\n\n"


class TokenizeBody(Wire):
    """Either a prompt, as /completions takes it, or what a chat request would make one of."""

    model: str
    prompt: str


class ChatTokenizeBody(Conversation):
    prompt: None = None


class TokenizeRequest(RootModel[TokenizeBody | ChatTokenizeBody]):
    pass


@router.post("/tokenize", openapi_extra=takes(TokenizeRequest))
async def tokenize(request: Request) -> Response:
    wire, service = (await body(request, TokenizeRequest)).root, service_of(request)
    model = service.model(wire.model)
    if isinstance(wire, ChatTokenizeBody):
        ids = await tokens_of(service, Ask(**conversation(wire, user_of(request, wire.user_id or wire.user))))
    else:
        ids = await service.off_loop(model.tokenizer.encode, wire.prompt)
    return as_json({"count": len(ids), "max_model_len": model.context, "tokens": ids})


class DetokenizeBody(Wire):
    model: str
    tokens: list[TokenId]


@router.post("/detokenize", openapi_extra=takes(DetokenizeBody))
async def detokenize(request: Request) -> Response:
    wire, service = await body(request, DetokenizeBody), service_of(request)
    text = await service.off_loop(_decode, service.model(wire.model).tokenizer, wire.tokens)
    return as_json({"prompt": text})


def _decode(tokenizer: Tokenizer, ids: list[int]) -> str:
    unknown = next((i for i in ids if tokenizer.backend.id_to_token(i) is None), None)
    if unknown is not None:
        raise AskError(422, "invalid_value", f"there is no token {unknown}: ids run from 0 to {tokenizer.vocab_size - 1}", "tokens")
    return tokenizer.decode(ids)
