"""Fine-tuning: the loss is on what the assistant says, the start is a trained model, and tasks become conversations."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import math
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from rich.console import Console

import finback
from finback.data import HELD_OUT, DataError, Source, read_documents
from finback.tasks import Problem, Task, Verdict, protocol
from finback.text import encode_messages, train_tokenizer
from finback.train import RecipeError, loop, problems, read_recipe, train
from finback.train import recipe as recipe_module
from finback.train.losses import IGNORE
from finback.train.schedule import at

PRETRAIN = """
name = "base"
precision = "fp32"
[model]
preset = "nano"
hidden_size = 32
num_hidden_layers = 2
compress_ratios = [4, 128]
num_nextn_predict_layers = 0
[tokenizer]
vocab_size = 360
digits = 1
[data]
held_out = 0.05
[schedule]
batch_tokens = 256
learning_rate = 1e-2
end_learning_rate = 1e-3
warmup_steps = 2
decay_start = 0.5
stages = [{ tokens = 1024, sequence = 64, attention = "dense" }]
[[task]]
name = "sums"
problems = 60
"""
SFT = """
name = "tuned"
init = "INIT"
[losses]
on = "assistant"
""" + PRETRAIN[PRETRAIN.index("[data]") :]


def sum_of(rng: random.Random, level: int, held_out: bool) -> Problem:
    a, b = rng.randrange(10**level), rng.randrange(10**level)
    return Problem("sum", f"{a}+{b}", protocol.user(f"What is {a} + {b}?"), {"sum": a + b})


def work(problem: Problem, effort: str, rng: random.Random) -> list[dict]:
    thoughts = "" if effort == "none" else "I add them." * (1 + (effort == "max"))
    return [protocol.assistant(f"It is {problem.facts['sum']}.", thoughts)]


def judge(problem: Problem, replies: list[dict], box: object) -> Verdict:
    right = protocol.answer_of(replies) == f"It is {problem.facts['sum']}."
    return Verdict(right, "" if right else "another number")


@pytest.fixture
def sums(monkeypatch):
    tasks = {"sums": Task("sums", "mathematics", 3, sum_of, work, judge)}
    for module in (recipe_module, problems):
        monkeypatch.setattr(module, "TASKS", tasks)
    return tasks


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(["What is 1 + 2? It is 3. I add them."] * 9, 330, 1)


def quiet() -> Console:
    return Console(file=io.StringIO())


def write(path, text: str):
    path.write_text(text)
    return read_recipe(path)


def trained(ids: np.ndarray, tokenizer) -> str:
    """The text of the tokens that a piece's loss is on."""
    return tokenizer.decode(ids[1:][loop.said(ids[:-1], tokenizer)].tolist())


def test_the_loss_is_on_thoughts_answers_and_their_ends_alone(tokenizer):
    asked = [{"role": "user", "content": "What is 1 + 2?"}]
    for effort, said in (("none", "It is 3.<｜end▁of▁sentence｜>"), ("high", "I add them.</think>It is 3.<｜end▁of▁sentence｜>")):
        text = protocol.render(asked + [protocol.assistant("It is 3.", "I add them." * (effort == "high"))], effort)
        ids = np.array(tokenizer.encode(text))
        assert trained(ids, tokenizer) == said


def test_every_assistant_turn_of_a_tool_conversation_is_trained_on_and_no_result(tokenizer):
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    messages = [
        {"role": "system", "content": "", "tools": [{"type": "function", "function": {"name": "add", "parameters": {}}}]},
        {"role": "user", "content": "What is 1 + 2?"},
        {"role": "assistant", "content": "", "reasoning_content": "I add them.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "33333"},
        {"role": "assistant", "content": "It is 3.", "reasoning_content": "them"},
    ]
    ids = np.array(tokenizer.encode(encode_messages(messages, "thinking")))
    text = trained(ids, tokenizer)
    assert text.startswith("I add them.</think>") and text.endswith("them</think>It is 3.<｜end▁of▁sentence｜>")
    assert "add" in text and "33333" not in text and "What" not in text


def test_a_piece_that_begins_within_a_turn_counts_from_the_next(tokenizer):
    turns = [{"role": r, "content": c} for r, c in (("user", "What is 1?"), ("assistant", "It is 1."), ("user", "I add them?"), ("assistant", "It is 2."))]
    ids = np.array(tokenizer.encode(encode_messages(turns, "chat")))
    cut = list(ids).index(tokenizer.token_id("<｜Assistant｜>")) + 3
    piece = ids[cut:]
    assert trained(piece, tokenizer) == "It is 2.<｜end▁of▁sentence｜>"


def test_fine_tuning_starts_from_the_trained_model_and_goes_on_after_a_kill(tmp_path, sums):
    base = train(write(tmp_path / "base.toml", PRETRAIN), tmp_path / "base", quiet())
    recipe = write(tmp_path / "sft.toml", SFT.replace("INIT", str(base)))
    run = loop._open(recipe, tmp_path / "opened", quiet())
    for name, weight in finback.load(base, "float32").state_dict().items():
        assert torch.equal(run.model.state_dict()[name], weight), name
    batch, targets = run.batch(at(recipe.schedule, 0, 0), run.stream)
    assert 0 < (targets != IGNORE).sum() < len(targets)
    tuned = train(recipe, tmp_path / "tuned", quiet())
    rows = loop.read_log(tmp_path / "tuned" / "log.jsonl")
    assert finback.load(tuned).config == finback.load(base).config
    for file in sorted((tmp_path / "tuned" / "checkpoints").glob("*.pt"))[1:]:
        file.unlink()
    train(recipe, tmp_path / "tuned", quiet())
    again = loop.read_log(tmp_path / "tuned" / "log.jsonl")
    assert [r["loss"] for r in again] == [r["loss"] for r in rows]


def test_validation_is_of_what_the_loss_is_on(tmp_path, sums):
    base = train(write(tmp_path / "base.toml", PRETRAIN), tmp_path / "base", quiet())
    whole = SFT.replace("INIT", str(base)).replace("sequence = 64", "sequence = 256")
    run = loop._open(write(tmp_path / "sft.toml", whole), tmp_path / "opened", quiet())
    nats = size = 0
    held_out = run.corpus.documents("sums", HELD_OUT)
    for ids in (held_out[i] for i in range(len(held_out))):
        with torch.no_grad():
            logits = run.model.logits([ids[:-1].astype("int64")])[0]
        mask = torch.from_numpy(loop.said(ids[:-1], run.tokenizer))
        targets = torch.from_numpy(ids[1:].astype("int64"))[mask]
        nats += F.cross_entropy(logits[mask], targets, reduction="sum").item()
        size += len(run.tokenizer.decode(targets.tolist()).replace("</think>", "").replace("<｜end▁of▁sentence｜>", ""))
    assert loop.evaluate(run)["sums"] == pytest.approx(nats / math.log(2) / size, abs=1e-3)


def test_drawn_problems_are_the_same_each_time_and_never_those_kept_for_measuring(tmp_path, sums):
    recipe = write(tmp_path / "r.toml", PRETRAIN)
    first, second = (problems.task_sources(recipe, tmp_path / name)[0] for name in "ab")
    assert first.sha256 == second.sha256 == hashlib.sha256((tmp_path / "a").glob("*").__next__().read_bytes()).hexdigest()
    records = [json.loads(line) for line in open(first.path)]
    assert {r["effort"] for r in records} == {"none", "high", "max"}
    for record in records:
        a, b = (int(n) for n in record["messages"][0]["content"].removeprefix("What is ").rstrip("?").split(" + "))
        assert not protocol.is_seen("sums", f"{a}+{b}")
    assert len(list(read_documents(first, tmp_path))) == 60


def test_a_task_that_refuses_its_own_answer_stops_the_run(tmp_path, sums):
    sums["sums"] = dataclasses.replace(sums["sums"], verify=lambda *_: Verdict(False, "never"))
    with pytest.raises(RuntimeError, match="refuses its own worked answer to problem 0.*never"):
        problems.task_sources(write(tmp_path / "r.toml", PRETRAIN), tmp_path / "x")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (PRETRAIN.replace('"sums"', '"music"'), "no task 'music'"),
        (PRETRAIN + "levels = [4]\n", r"levels is \[4\]; it has 1 to 3"),
        (PRETRAIN + "efforts = { low = 1 }\n", "give shares of none, high, max"),
        ('init = "nowhere"\n' + SFT.replace('init = "INIT"', ""), "holds no model"),
        ('init = "x"\n' + PRETRAIN, "init = 'x' and model"),
        (PRETRAIN.replace("[data]", '[losses]\non = "user"\n[data]'), 'choose "all" or "assistant"'),
    ],
)
def test_a_recipe_that_cannot_be_carried_out_is_refused(tmp_path, sums, text, match):
    with pytest.raises(RecipeError, match=match):
        write(tmp_path / "r.toml", text)


def test_worked_answers_become_thoughts_and_conversations_keep_their_effort(tmp_path):
    lines = [json.dumps({"question": "2 and 3?", "answer": "2+3=<<2+3=5>>5\n#### 5"})]
    (tmp_path / "w.jsonl").write_text("\n".join(lines))
    digest = hashlib.sha256((tmp_path / "w.jsonl").read_bytes()).hexdigest()
    (document,) = read_documents(Source("w", "w.jsonl", "worked", "here", "CC0", digest), tmp_path)
    assert document.endswith("<｜User｜>2 and 3?<｜Assistant｜><think>2+3=5</think>The answer is 5.<｜end▁of▁sentence｜>")
    (tmp_path / "c.jsonl").write_text(json.dumps({"messages": [{"role": "narrator"}], "effort": "high"}))
    with pytest.raises(DataError, match="record 1 .* no V4 conversation"):
        list(read_documents(Source("c", "c.jsonl", "chat", "here", "CC0", ""), tmp_path))
