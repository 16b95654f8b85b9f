"""What did the model look at while it wrote an answer? One more forward over the conversation, traced.

`examine` is for the page's microscope. The row of an answer's token is the forward that chose it: it has read the
tokens before it and not the token itself. Rows come in chunks, with a state of their own, so the engine's steps go on
in between; what the engine has cached is neither used nor changed. Entries and experts are packed, because a long
answer has many: `reads` are bits, [rows, entries] with each row filled up to whole bytes (most significant bit first),
`experts` are uint16 [rows, k] in little-endian order, both in base64.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from fastapi import APIRouter, Request, Response
from torch import Tensor

from finback.engine import Engine
from finback.model import Batch, Trace, Transformer
from finback.model.state import Layout
from finback.server.ask import Ask, AskError, Message
from finback.server.chat_body import Conversation, conversation
from finback.server.http import as_json, body, refusals, service_of, speaks, takes, user_of
from finback.server.openai import error_body
from finback.server.prompt import render, restored
from finback.server.service import Service
from finback.text import encode_messages

LIMIT = 8192  # tokens of a conversation
ROWS = 1024  # at most so many rows are traced: the answer's last
CHUNK = 256  # tokens in one forward

router = APIRouter(dependencies=[speaks(error_body)], responses=refusals(), tags=["page"])
_one_at_a_time = threading.Lock()  # it is a luxury: it must not take all workers


@router.post("/microscope", openapi_extra=takes(Conversation))
async def look(request: Request) -> Response:
    """What the layers did while they wrote the last message, which is the assistant's."""
    wire, service = await body(request, Conversation), service_of(request)
    fields = conversation(wire, user_of(request, wire.user_id or wire.user))
    *before, answer = fields["messages"] or [None]
    if not before or answer["role"] != "assistant":
        raise AskError(422, "invalid_value", "the last message must be the assistant's, with a question before it", "messages")
    ask = Ask(**{**fields, "messages": tuple(before), "prefix": False})
    return as_json(await service.off_loop(_look, service, ask, answer))


def _look(service: Service, ask: Ask, answer: Message) -> dict[str, Any]:
    if not _one_at_a_time.acquire(blocking=False):
        raise AskError(429, "busy", "the microscope is looking at another answer: try again soon", retry_after=1)
    try:
        return examine(service.model(ask.model).engine, *_tokens(service, ask, answer))
    except (ValueError, RecursionError) as error:
        raise AskError(422, "invalid_value", str(error), "messages") from None
    finally:
        _one_at_a_time.release()


def _tokens(service: Service, ask: Ask, answer: Message) -> tuple[list[int], int]:
    """The conversation's tokens, as sampled where the server remembers, and where the answer begins."""
    model, asked = service.model(ask.model), {"role": "user", "content": ""}
    prompt = render(model, ask, service.memory, service.limits)
    mode = "thinking" if prompt.thinking else "chat"
    turn = {key: value for key, value in restored(ask.user, answer, service.memory, ask.messages[-1]).items() if key != "order"}
    said = encode_messages([asked, turn], mode).removeprefix(encode_messages([asked], mode))
    return service.memory.tokens(ask.user, model.name, model.tokenizer, prompt.text + said), len(prompt.ids)


def examine(engine: Engine, tokens: Sequence[int], answer: int) -> dict[str, Any]:
    """What the page shows of a conversation whose answer is tokens[answer:]. Raises ValueError for what it refuses."""
    if len(tokens) > LIMIT:
        raise ValueError(f"the conversation has {len(tokens)} tokens; the microscope takes at most {LIMIT}")
    if not 0 < answer < len(tokens):
        raise ValueError("there is no answer to look at: the last message must be one of the assistant, and not empty")
    first = max(answer, len(tokens) - ROWS)
    config, layout = engine.model.config, engine.pool.layout
    reads, experts, hashed = _trace(engine.model, tokens, first)
    layers = []
    for layer, (kind, ratio) in enumerate(zip(config.layer_kinds[: config.num_hidden_layers], config.compress_ratios)):
        found = {"kind": kind, "ratio": ratio, "hashed": hashed[layer], "experts": _base64(experts[layer].astype("<u2"))}
        if ratio:
            entries = (len(tokens) - 1) // ratio
            found |= {"entries": entries, "reads": _base64(np.packbits(reads[layer], axis=1))}
        layers.append(found)
    return {
        "pieces": _pieces(engine, tokens),
        "answer": answer,
        "first": first,
        "window": config.sliding_window,
        "topk": config.index_topk,
        "n_experts": config.n_routed_experts,
        "n_chosen": config.num_experts_per_tok,
        "layers": layers,
        "bytes": cache_bytes(layout, len(tokens)),
        "engine": _engine(engine),
    }


def cache_bytes(layout: Layout, length: int) -> dict[str, int]:
    """Bytes that a sequence of so many tokens keeps, by kind, and what they take in whole blocks (`allocated`).
    MTP blocks are included."""
    kinds = dict.fromkeys(("window", "tails", "csa", "hca", "index"), 0)
    for layer in layout.layers:
        kinds["window"] += layer.window.nbytes
        kinds["tails"] += sum(p.nbytes for p in (layer.u, layer.z, layer.index_u, layer.index_z) if p is not None)
        for kind, part in (("csa" if layer.keys is not None else "hca", layer.entries), ("index", layer.keys)):
            if part is not None:
                kinds[kind] += length // layer.ratio * part.width * part.dtype.itemsize
    blocks = -(-length // layout.block_tokens)
    return {**kinds, "allocated": layout.fixed_bytes + blocks * layout.block_bytes}


@torch.inference_mode()
def _trace(model: Transformer, tokens: Sequence[int], first: int) -> tuple[list[np.ndarray], list[np.ndarray], list[bool]]:
    """By layer, for the rows of tokens[first:]: the entries read, bool [rows, entries]; the experts' ids [rows, k]; and
    whether those follow from the token alone."""
    c, device, last = model.config, model.embed.weight.device, len(tokens) - 1
    state, none = model.new_state(), torch.zeros(0, dtype=torch.int64, device=device)
    for a in range(0, first - 1, CHUNK):
        model(Batch.of([tokens[a : min(a + CHUNK, first - 1)]], [a], device), [state], rows=none)
    reads: list[list[Tensor]] = [[] for _ in range(c.num_hidden_layers)]
    experts: list[list[Tensor]] = [[] for _ in range(c.num_hidden_layers)]
    for a in range(first - 1, last, CHUNK):
        rows, trace = tokens[a : min(a + CHUNK, last)], Trace(indexing=None, picks=[])
        model.streams(model.new_pass(Batch.of([rows], [a], device), [state], trace=trace))
        picked = {p.layer: p.entries for p in trace.picks}
        for layer in range(c.num_hidden_layers):
            experts[layer].append(trace.routing[layer].ids)
            if ratio := c.compress_ratios[layer]:
                reads[layer].append(_reads(picked.get(layer), a, len(rows), ratio, last // ratio, device))
    hashed = [trace.routing[layer].hashed for layer in range(c.num_hidden_layers)]
    together = [[torch.cat(x).cpu().numpy() if x else np.zeros((0, 0)) for x in kind] for kind in (reads, experts)]
    return together[0], together[1], hashed


def _reads(picked: Tensor | None, start: int, rows: int, ratio: int, entries: int, device: torch.device) -> Tensor:
    """bool [rows, entries] of what tokens start, start+1, ... read: what was picked, or all that is complete."""
    if picked is None:
        complete = torch.arange(start + 1, start + rows + 1, device=device) // ratio
        return torch.arange(entries, device=device) < complete[:, None]
    read = torch.zeros(rows, entries + 1, dtype=torch.bool, device=device)  # one more column for "none"
    return read.scatter_(1, picked.long().where(picked >= 0, entries), True)[:, :entries]


def _pieces(engine: Engine, tokens: Sequence[int]) -> list[str]:
    """The text of each token; of a character that is cut by tokens, all of it with the last."""
    decoder = engine.tokenizer.stream_decoder()
    pieces = [decoder.feed(token) for token in tokens]
    return [*pieces[:-1], pieces[-1] + decoder.flush()]


def _engine(engine: Engine) -> dict[str, Any]:
    """How drafts and the prefix store fared since the engine began."""
    s, store = engine.speculator, engine.prefixes.stats() if engine.prefixes is not None else None
    return {
        "drafts": None if s is None else {"checked": sum(s.checked), "accepted": sum(s.accepted)},
        "prefix": None if store is None else {"asked": store.asked, "found": store.found},
    }


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
