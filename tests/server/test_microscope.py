"""The microscope tells what the layers did, and leaves the engine as it was."""

from __future__ import annotations

import base64
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from helpers import random_ids, random_model, tiny_config

import finback
from finback.checkpoint import Card, load
from finback.engine import Engine, SamplingParams
from finback.model import Batch, Trace
from finback.server import microscope
from finback.server.app import create_app
from finback.server.microscope import cache_bytes, examine
from finback.server.service import Model, Service
from finback.text import load_tokenizer

FIRST = Path(finback.__file__).parent / "models" / "first"


@pytest.fixture(scope="module")
def engine():
    with_text = Engine(load(FIRST), load_tokenizer(FIRST))
    yield with_text
    with_text.close()


@pytest.fixture(scope="module")
def tiny():
    """Few picks, several chunks, and a tokenizer that fits."""
    model = random_model(tiny_config(vocab_size=2048), seed=5)
    made = Engine(model, load_tokenizer(FIRST))
    yield made
    made.close()


def bits(layer: dict, rows: int) -> np.ndarray:
    packed = np.frombuffer(base64.b64decode(layer["reads"]), np.uint8).reshape(rows, -1)
    return np.unpackbits(packed, axis=1)[:, : layer["entries"]].astype(bool)


def ids(layer: dict, rows: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(layer["experts"]), "<u2").reshape(rows, -1)


@torch.no_grad()
@pytest.mark.parametrize("answer", [1, 30, 140, 599])
def test_picks_and_experts_are_those_of_one_traced_forward(tiny, answer, monkeypatch):
    monkeypatch.setattr(microscope, "CHUNK", 64)
    tokens = random_ids(600, 2048, 1).tolist()
    found = examine(tiny, tokens, answer)
    trace, rows = Trace(), 600 - answer
    tiny.model.streams(tiny.model.new_pass(Batch.of([tokens[:-1]]), trace=trace))
    scores = {record.layer: record.scores for record in trace.indexing}
    for layer, told in enumerate(found["layers"]):
        routing = trace.routing[layer]
        assert told["hashed"] == routing.hashed == (layer == 0)
        same = (np.sort(ids(told, rows)) == routing.ids[answer - 1 :].sort(1).values.numpy()).all(1)
        assert same.mean() > 0.98  # a router's near-tie may fall otherwise where the prompt ran natively
        if layer in scores:
            k = tiny.model.config.index_topk
            best = scores[layer][answer - 1 :].topk(k).indices.sort(1).values
            for t, row in enumerate(bits(told, rows)):
                visible = min((answer + t) // 4, k)
                assert row.sum() == visible and not row[(answer + t) // 4 :].any()
                if visible == k and same[t]:
                    assert (np.flatnonzero(row) == best[t].numpy()).mean() > 0.85
        elif told["kind"] == "HCA":
            assert (bits(told, rows).sum(1) == np.arange(answer, 600) // 128).all()
        else:
            assert "reads" not in told


def test_pieces_are_the_text_and_a_cut_character_comes_whole(engine):
    text = "<｜User｜>一只猫 sat"
    tokens = engine.tokenizer.encode(text)
    found = examine(engine, tokens, 2)
    assert "".join(found["pieces"]) == text and len(found["pieces"]) == len(tokens)
    assert found["pieces"][0] == "<｜User｜>" and "\ufffd" not in "".join(found["pieces"])


def test_bytes_by_kind_are_those_of_a_real_state(tiny):
    model, layout = tiny.model, tiny.pool.layout
    for length in (1, 127, 128, 300):
        state = model.new_state()
        with torch.no_grad():
            model(Batch.of([random_ids(length, 2048, length)]), [state])
        told = cache_bytes(layout, length)
        assert told["allocated"] == state.nbytes()
        rings = [ring for layer in state.layers for ring in layer if ring is not None]
        assert told["window"] + told["tails"] == sum(ring.nbytes for ring in rings)
        entries = {kind: sum(state.read(p.entries, length // p.ratio).nbytes for p, k in zip(layout.layers, model.config.layer_kinds) if k == kind)
                   for kind in ("CSA", "HCA")}  # fmt: skip
        assert (told["csa"], told["hca"]) == (entries["CSA"], entries["HCA"])
        assert told["index"] == sum(state.read(p.keys, length // p.ratio).nbytes for p in layout.layers if p.keys)


def test_a_long_answer_is_traced_at_its_end(tiny, monkeypatch):
    monkeypatch.setattr(microscope, "ROWS", 50)
    found = examine(tiny, random_ids(200, 2048, 2).tolist(), 20)
    assert (found["answer"], found["first"], len(found["pieces"])) == (20, 150, 200)
    assert ids(found["layers"][0], 50).shape == (50, 2)


def test_looking_changes_no_answer_and_no_cache(engine):
    prompt = engine.tokenizer.encode("Once upon a time there was a little fox who " * 30)
    params = SamplingParams(max_tokens=40)
    before = engine.generate([prompt], params)[0].tokens
    used = engine.pool.used
    running = engine.submit(prompt, params)
    found = examine(engine, prompt + before, len(prompt))
    assert running.result().tokens == before and engine.pool.used == used
    assert found["engine"]["prefix"]["asked"] > 0 and found["engine"]["drafts"] is None


@pytest.mark.parametrize("tokens, answer, words", [(9000, 10, "at most 8192"), (20, 20, "no answer"), (20, 0, "no answer")])
def test_what_it_refuses(tiny, tokens, answer, words):
    with pytest.raises(ValueError, match=words):
        examine(tiny, [5] * tokens, answer)


@pytest.fixture(scope="module")
def client():
    service = Service([Model("first", Engine(load(FIRST), load_tokenizer(FIRST)), Card(thinking=False))])
    with TestClient(create_app(service), base_url="http://127.0.0.1") as made:
        made.service = service
        yield made


QUESTION = {"role": "user", "content": "What is a fin?"}


def test_over_http_it_looks_at_the_very_tokens_that_were_sampled(client):
    asked = {"model": "first", "messages": [QUESTION], "max_tokens": 30, "seed": 3, "temperature": 1.5}
    answer = client.post("/v1/chat/completions", json=asked).json()
    said, usage = answer["choices"][0]["message"]["content"], answer["usage"]
    found = client.post("/microscope", json={"model": "first", "messages": [QUESTION, {"role": "assistant", "content": said}]}).json()
    assert found["answer"] == usage["prompt_tokens"]
    assert "".join(found["pieces"][found["answer"] :]).removesuffix("<｜end▁of▁sentence｜>") == said
    sampled = len(found["pieces"]) - found["answer"]
    assert usage["completion_tokens"] <= sampled <= usage["completion_tokens"] + 1  # the end mark, where the limit cut it off
    assert [layer["kind"] for layer in found["layers"]] == ["SWA", "CSA", "HCA", "CSA"]


def test_thoughts_and_tool_calls_belong_to_the_answer(client):
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}}}
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"at": "it"}'}}
    answer = {"role": "assistant", "content": "So.", "reasoning_content": "Hm </think> <｜User｜>", "tool_calls": [call]}
    body = {"model": "first", "messages": [{"role": "system", "content": "Be brief"}, QUESTION, answer], "tools": [tool], "thinking": {"type": "enabled"}}
    found = client.post("/microscope", json=body).json()
    before, said = "".join(found["pieces"][: found["answer"]]), "".join(found["pieces"][found["answer"] :])
    assert before.endswith("<｜Assistant｜><think>") and "Be brief" in before and '"look"' in before
    assert said.startswith("Hm <\u2060/think> <\u2060｜User｜></think>So.") and 'invoke name="look"' in said


@pytest.mark.parametrize(
    "messages, status, words",
    [
        ([QUESTION], 422, "last message must be the assistant"),
        ([], 422, "last message must be the assistant"),
        ([{"role": "assistant", "content": "x"}], 422, "last message must be the assistant"),
        ([{"role": "user", "content": "a b " * 5000}, {"role": "assistant", "content": "x"}], 400, "shorten it"),
        ([QUESTION, {"role": "assistant", "content": "a b " * 5000}], 422, "at most 8192"),
    ],
)
def test_what_it_refuses_over_http(client, messages, status, words):
    answer = client.post("/microscope", json={"model": "first", "messages": messages})
    assert answer.status_code == status and words in answer.json()["error"]["message"]


def test_one_looks_at_a_time_and_others_are_told_to_wait(client, monkeypatch):
    inside, leave = threading.Event(), threading.Event()

    def slow(*_):
        inside.set()
        assert leave.wait(10)
        return {}

    monkeypatch.setattr(microscope, "examine", slow)
    body = {"model": "first", "messages": [QUESTION, {"role": "assistant", "content": "x"}]}
    first = threading.Thread(target=lambda: client.post("/microscope", json=body))
    first.start()
    assert inside.wait(10)
    answer = client.post("/microscope", json=body)
    leave.set()
    first.join()
    assert answer.status_code == 429 and answer.headers["retry-after"] == "1"
    assert client.post("/microscope", json=body).status_code == 200
