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
from pydantic import BaseModel
from torch import Tensor

from finback.engine import Engine
from finback.model import Batch, Trace, Transformer
from finback.model.state import Layout
from finback.server.ask import EFFORTS, AskError
from finback.server.http import as_json, body, service_of, speaks, takes
from finback.text import encode_messages

LIMIT = 8192  # tokens of a conversation
ROWS = 1024  # at most so many rows are traced: the answer's last
CHUNK = 256  # tokens in one forward

_one_at_a_time = threading.Lock()


class Conversation(BaseModel):
    """Messages as in chat completions; the last one is the answer that is looked at."""

    model: str = ""
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] = []
    thinking: dict[str, Any] = {}
    reasoning_effort: str | None = None


def error_body(error: AskError) -> dict[str, Any]:
    return {"error": {"message": error.message, "type": error.code, "param": error.param, "code": error.code}}


router = APIRouter(dependencies=[speaks(error_body)])


@router.post("/microscope", openapi_extra=takes(Conversation))
async def look(request: Request) -> Response:
    """What the layers did while they wrote the last message."""
    wire, service = await body(request, Conversation), service_of(request)
    return as_json(await service.off_loop(_look, service.model(wire.model).engine, wire))


def _look(engine: Engine, wire: Conversation) -> dict[str, Any]:
    if not _one_at_a_time.acquire(blocking=False):
        raise AskError(429, "busy", "the microscope is looking at another answer: try again soon", retry_after=1)
    try:
        return examine(engine, *_tokens(engine, wire))
    except ValueError as error:
        raise AskError(422, "invalid_value", str(error), "messages") from None
    finally:
        _one_at_a_time.release()


def _tokens(engine: Engine, wire: Conversation) -> tuple[list[int], int]:
    """The conversation's tokens, and where the answer begins."""
    messages = wire.messages
    if wire.tools:
        head = messages[:1] if messages[0]["role"] == "system" else [{"role": "system", "content": ""}]
        messages = [{**head[0], "tools": wire.tools}, *messages[len(head) - (head != messages[:1]) :]]
    mode = "chat" if wire.thinking.get("type") == "disabled" else "thinking"
    effort = EFFORTS.get(wire.reasoning_effort or "")
    before = encode_messages(messages[:-1], mode, reasoning_effort=effort)
    after = encode_messages(messages, mode, reasoning_effort=effort).removeprefix(before)
    start = engine.tokenizer.encode(before)
    return start + engine.tokenizer.encode(after), len(start)


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
