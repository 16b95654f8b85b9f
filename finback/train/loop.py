"""How is a model pre-trained? The recipe's schedule, step by step, and a folder that survives being killed.

The run's folder holds everything: the tokenizer, the prepared corpus, `log.jsonl` (a line per step),
`checkpoints/` (all that is needed to go on with exactly the next token), and at the end `loss.png`,
`samples.md` and `model/` in DeepSeek's layout. Nothing in a step draws random numbers: the start
follows from the recipe's seed, the order of the data from the stream's integers.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from rich.console import Console
from torch import Tensor

from finback.checkpoint import save
from finback.data import HELD_OUT, Corpus, Stream, check_file, data_root, is_held_out, pack, prepare, read_documents
from finback.engine import SamplingParams, generate
from finback.model import Batch, Transformer, new_model
from finback.text import Tokenizer, encode_messages, load_tokenizer, train_tokenizer
from finback.train.losses import Losses, Weights, losses, update_biases
from finback.train.optim import MuonAdamW, build_optimizer, parameter_groups, table
from finback.train.plot import plot_run
from finback.train.recipe import Recipe
from finback.train.schedule import Moment, at, count_steps
from finback.train.sight import LiveView

CHECKPOINT_SECONDS = 60.0
KEEP = 2  # checkpoints
EVALUATIONS = 12  # over a run
EVALUATION_TOKENS = 4096  # in one forward


@dataclass
class Run:
    """The state of a run; `step` and `tokens` count what the weights have seen."""

    recipe: Recipe
    folder: Path
    tokenizer: Tokenizer
    corpus: Corpus
    model: Transformer
    optimizer: MuonAdamW
    stream: Stream
    step: int = 0
    tokens: int = 0


def train(recipe: Recipe, folder: str | Path, console: Console) -> Path:
    """Runs a recipe to its end, or goes on where a killed run stopped. Returns the folder of the trained model."""
    run = _open(recipe, Path(folder), console)
    steps = count_steps(recipe.schedule)
    every = max(steps // EVALUATIONS, 1)
    saved = time.monotonic()
    with LiveView(console, recipe, steps) as view, (run.folder / "log.jsonl").open("a") as log:
        while run.tokens < recipe.schedule.tokens:
            row = training_step(run)
            if run.step % every == 0 or run.tokens >= recipe.schedule.tokens:
                row["bits_per_byte"] = evaluate(run)
            log.write(json.dumps(row) + "\n")
            log.flush()
            view.show(row)
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                _save_checkpoint(run)
                saved = time.monotonic()
    _save_checkpoint(run)
    return _finish(run, console)


def training_step(run: Run) -> dict[str, Any]:
    """One optimizer step; returns its line of the log."""
    began = time.perf_counter()
    moment = at(run.recipe.schedule, run.step, run.tokens)
    batch, targets = _batch(run.stream.next(moment.batch_tokens, moment.stage.sequence))
    found = losses(run.model, batch, targets, _weights(run.recipe, moment), dense=moment.stage.attention != "sparse")
    found.total.backward()
    moved = [p for p in run.model.parameters() if p.grad is not None]
    norm = float(torch.nn.utils.clip_grad_norm_(moved, run.recipe.optimizer.clip))
    if not math.isfinite(norm):
        raise FloatingPointError(
            f"step {run.step}: loss {found.total.item()}, gradient norm {norm}: lower learning_rate; the last checkpoint is good"
        )
    run.optimizer.set_learning_rate(moment.learning_rate)
    run.optimizer.step()
    run.optimizer.zero_grad(set_to_none=True)
    if moment.stage.attention != "warmup":
        update_biases(run.model, found.loads, run.recipe.losses.bias_speed)
    run.step, run.tokens = run.step + 1, run.tokens + len(targets)
    return _row(run, moment, found, norm, len(targets) / (time.perf_counter() - began))


@torch.no_grad()
def evaluate(run: Run) -> dict[str, float]:
    """Validation bits per UTF-8 byte of each source, with the attention of the current stage."""
    moment = at(run.recipe.schedule, run.step, run.tokens)
    out = {}
    for name in run.corpus.names:
        documents = run.corpus.documents(name, HELD_OUT)
        if not len(documents):
            continue
        pieces = pack((documents[i] for i in range(len(documents))), moment.stage.sequence)
        nats = 0.0
        for group in _groups(pieces, EVALUATION_TOKENS):
            batch, targets = _batch(group)
            h = run.model.streams(run.model.new_pass(batch, dense=moment.stage.attention != "sparse"))
            nats += F.cross_entropy(run.model.read_out(h), targets, reduction="sum").item()
        out[name] = round(nats / math.log(2) / documents.text_bytes, 4)
    return out


def _weights(recipe: Recipe, moment: Moment) -> Weights:
    if moment.stage.attention == "warmup":  # the indexer alone learns; everything else has no gradient and stays
        return Weights(next_token=0.0, mtp=0.0, balance=0.0, indexer=1.0)
    indexer = recipe.losses.indexer if moment.stage.attention == "sparse" else 0.0
    return Weights(mtp=moment.mtp_loss_weight, balance=recipe.losses.balance, indexer=indexer)


def _row(run: Run, moment: Moment, found: Losses, norm: float, speed: float) -> dict[str, Any]:
    idle = sum(int((load == 0).sum()) for load in found.loads.values())
    peak = max((float(load.max() * len(load)) for load in found.loads.values()), default=None)
    row = {
        "step": run.step, "tokens": run.tokens, "attention": moment.stage.attention, "loss": found.next_token, "mtp": found.mtp,
        "balance": found.balance, "indexer": found.indexer, "recall": found.recall, "grad_norm": norm,
        "lr": moment.learning_rate, "busiest_expert": peak, "idle_experts": idle, "speed": speed,
    }  # fmt: skip
    return {key: value for key, value in row.items() if value is not None}


def _batch(pieces: list) -> tuple[Batch, Tensor]:
    tokens = [torch.from_numpy(piece.astype("int64")) for piece in pieces]
    return Batch.of([t[:-1] for t in tokens]), torch.cat([t[1:] for t in tokens])


def _groups(pieces: list, tokens: int):
    group, total = [], 0
    for piece in pieces:
        if group and total + len(piece) - 1 > tokens:
            yield group
            group, total = [], 0
        group.append(piece)
        total += len(piece) - 1
    if group:
        yield group


# --- the folder ---


def _open(recipe: Recipe, folder: Path, console: Console) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, recipe)
    tokenizer = _tokenizer(recipe, folder, console)
    corpus = prepare(
        recipe.sources, tokenizer, folder / "corpus", data_root(), recipe.data.held_out, recipe.data.near_duplicates,
        say=lambda line: console.print(line, style="dim", highlight=False),
    )  # fmt: skip
    model = new_model(recipe.model.replace(vocab_size=tokenizer.vocab_size), recipe.seed).train()
    optimizer = build_optimizer(model, recipe.optimizer.weight_decay, recipe.optimizer.kind)
    run = Run(recipe, folder, tokenizer, corpus, model, optimizer, Stream(corpus, recipe.sources, recipe.seed, recipe.data.fim_rate))
    console.print(table(parameter_groups(model, recipe.optimizer.weight_decay, recipe.optimizer.kind)))
    if _restore(run):
        console.print(f"going on at step {run.step}, {run.tokens:,} tokens")
    return run


def _claim(folder: Path, recipe: Recipe) -> None:
    """A folder belongs to one recipe, word for word."""
    file, text = folder / "recipe.txt", repr(recipe)
    if file.exists() and file.read_text(encoding="utf-8") != text:
        raise ValueError(f"{folder} holds a run of another recipe: choose another --out, or delete it to start over")
    _write(file, lambda out: out.write(text.encode()))


def _tokenizer(recipe: Recipe, folder: Path, console: Console) -> Tokenizer:
    if (folder / "tokenizer.json").exists():
        return load_tokenizer(folder)
    console.print("training the tokenizer")
    for source in recipe.sources:
        check_file(source, data_root())
    texts = (
        text for source in recipe.sources for text in read_documents(source, data_root())
        if not is_held_out(text, recipe.data.held_out)
    )  # fmt: skip
    tokenizer = train_tokenizer(texts, recipe.tokenizer.vocab_size, recipe.tokenizer.digits)
    tokenizer.save(folder)
    return tokenizer


def _save_checkpoint(run: Run) -> None:
    """Written beside the good ones and renamed when complete; only then the oldest goes."""
    folder = run.folder / "checkpoints"
    folder.mkdir(exist_ok=True)
    state = {
        "model": run.model.state_dict(), "optimizer": run.optimizer.state_dict(), "stream": run.stream.state(),
        "step": run.step, "tokens": run.tokens,
    }  # fmt: skip
    _write(folder / f"step-{run.step:08d}.pt", lambda out: torch.save(state, out))
    for old in sorted(folder.glob("step-*.pt"))[:-KEEP]:
        old.unlink()


def _restore(run: Run) -> bool:
    found = sorted((run.folder / "checkpoints").glob("step-*.pt"))
    if found:
        state = torch.load(found[-1], weights_only=True)
        run.model.load_state_dict(state["model"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.stream.restore(state["stream"])
        run.step, run.tokens = state["step"], state["tokens"]
    log = run.folder / "log.jsonl"
    if log.exists():  # what was logged after the checkpoint will happen again
        rows = read_log(log)
        _write(log, lambda out: out.writelines(json.dumps(r).encode() + b"\n" for r in rows if r["step"] <= run.step))
    return bool(found)


def read_log(file: Path) -> list[dict[str, Any]]:
    """The rows of a log; a last line that a kill cut short is left out."""
    lines = file.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def _write(file: Path, produce: Callable[[Any], object]) -> None:
    fresh = file.with_name(file.name + ".new")
    with fresh.open("wb") as out:
        produce(out)
        out.flush()
        os.fsync(out.fileno())
    os.replace(fresh, file)


def _finish(run: Run, console: Console) -> Path:
    model, folder = run.model.eval(), run.folder / "model"
    save(model, folder, weight_format="bf16")
    run.tokenizer.save(folder)
    plot_run(read_log(run.folder / "log.jsonl"), run.folder / "loss.png", f"{run.recipe.name}: {run.tokens / 1e6:.1f}M tokens")
    parts = []
    for prompt in run.recipe.samples:
        ids = run.tokenizer.encode(encode_messages([{"role": "user", "content": prompt}], thinking_mode="chat"))
        params = SamplingParams(temperature=0.7, top_p=0.9, max_tokens=200, seed=run.recipe.seed)
        answer = [t for t in generate(model, ids, params, {run.tokenizer.eos_id}) if t != run.tokenizer.eos_id]
        parts.append(f"**{prompt}**\n\n{run.tokenizer.decode(answer)}\n")
    (run.folder / "samples.md").write_text("\n".join(parts), encoding="utf-8")
    console.print(f"model: {folder}   curve: {run.folder / 'loss.png'}   samples: {run.folder / 'samples.md'}")
    return folder
