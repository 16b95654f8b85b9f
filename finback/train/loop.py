"""How is a model trained? A plain loop: AdamW, warm-up and cosine, next-token loss, checkpoints.

The run's folder holds everything: `log.jsonl`, `loss.png`, `samples.md`, `state.pt` (all that a
killed run needs to go on with exactly the next batch) and at the end `model/`, a checkpoint in
DeepSeek's layout with its tokenizer. Everything random follows from the recipe's seed.
"""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from finback.checkpoint import save
from finback.data import Loader, data_root, documents, pack
from finback.engine import SamplingParams, generate
from finback.model import Batch, Transformer, new_model
from finback.text import Tokenizer, encode_messages, load_tokenizer, train_tokenizer
from finback.train.plot import plot_loss
from finback.train.recipe import Recipe

CHECKPOINT_SECONDS = 60.0
EVALUATIONS = 12  # over a run


@dataclass
class Corpus:
    """Tokenised pieces: to train on, and held out by source with the UTF-8 bytes their targets stand for."""

    train: list[np.ndarray]
    held_out: dict[str, tuple[list[np.ndarray], int]]


def train(recipe: Recipe, out: str | Path, console: Console) -> Path:
    """Runs a recipe to its end, or goes on where a killed run stopped. Returns the folder of the trained model."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer, corpus = _prepare(recipe, out, console)
    options = recipe.train
    model = new_model(recipe.model.replace(vocab_size=tokenizer.vocab_size), recipe.seed).train()
    optimizer = _optimizer(model, options.weight_decay)
    loader = Loader(corpus.train, options.batch_tokens, recipe.seed)
    # The batches are full but for a remainder, so this is the number of steps to within a percent.
    steps = math.ceil(options.tokens / options.batch_tokens)
    step, seen, log = _resume(out, recipe, model, optimizer, loader)
    if step:
        console.print(f"going on at step {step} of {steps}")
    _banner(console, recipe, model, corpus, steps)

    saved = time.monotonic()
    with _progress(console) as bar, (out / "log.jsonl").open("w") as log_file:
        for row in log:
            log_file.write(json.dumps(row) + "\n")
        task = bar.add_task("training", total=steps, completed=step, loss="", speed="")
        while step < steps:
            began = time.perf_counter()
            batch, targets = _batch(loader.next())
            rate = _learning_rate(step, steps, options.learning_rate, options.warmup_steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = F.cross_entropy(model(batch), targets)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            if not torch.isfinite(norm):
                raise FloatingPointError(f"step {step}: loss {loss.item()}, gradient norm {norm.item()}: lower learning_rate")
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step, seen = step + 1, seen + len(targets)
            speed = len(targets) / (time.perf_counter() - began)
            row = {"step": step, "tokens": seen, "loss": loss.item(), "grad_norm": norm.item(), "lr": rate, "speed": speed}
            if step % max(steps // EVALUATIONS, 1) == 0 or step == steps:
                row["bits_per_byte"] = evaluate(model, corpus)
            log.append(row)
            log_file.write(json.dumps(row) + "\n")
            log_file.flush()
            bar.update(task, completed=step, loss=f"loss {row['loss']:.3f}", speed=f"{speed:,.0f} tok/s")
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                _checkpoint(out, recipe, model, optimizer, loader, step, seen, log)
                saved = time.monotonic()
    _checkpoint(out, recipe, model, optimizer, loader, step, seen, log)
    model.eval()
    folder = out / "model"
    save(model, folder, weight_format="bf16")
    tokenizer.save(folder)
    plot_loss(log, out / "loss.png", f"{recipe.name}: {seen / 1e6:.1f}M tokens")
    _write_samples(out / "samples.md", model, tokenizer, options.samples, recipe.seed)
    console.print(f"validation bits per byte: {log[-1]['bits_per_byte']}")
    console.print(f"model: {folder}   curve: {out / 'loss.png'}   samples: {out / 'samples.md'}")
    return folder


@torch.no_grad()
def evaluate(model: Transformer, corpus: Corpus) -> dict[str, float]:
    """Validation bits per UTF-8 byte of each source."""
    model.eval()
    out = {}
    for name, (pieces, nbytes) in corpus.held_out.items():
        nats = 0.0
        for a in range(0, len(pieces), 8):
            batch, targets = _batch(pieces[a : a + 8])
            nats += F.cross_entropy(model(batch), targets, reduction="sum").item()
        out[name] = round(nats / math.log(2) / nbytes, 4)
    model.train()
    return out


def _prepare(recipe: Recipe, out: Path, console: Console) -> tuple[Tokenizer, Corpus]:
    root = data_root()
    texts = {source.name: documents(source, root) for source in recipe.sources}  # everything missing shows here
    rng = np.random.default_rng(recipe.seed)
    held, kept = {}, {}
    for name, found in texts.items():
        order = rng.permutation(len(found))
        cut = max(int(len(found) * recipe.train.held_out), 1)
        if len(found) <= cut:  # a few long books: hold out the end of the last one
            whole, share = found[-1], int(len(found[-1]) * (1 - recipe.train.held_out))
            held[name], kept[name] = [whole[share:]], [*found[:-1], whole[:share]]
        else:
            held[name], kept[name] = [found[i] for i in order[:cut]], [found[i] for i in order[cut:]]
    if (out / "tokenizer.json").exists():
        tokenizer = load_tokenizer(out)
    else:
        console.print("training the tokenizer")
        tokenizer = train_tokenizer((t for found in kept.values() for t in found), recipe.tokenizer.vocab_size, recipe.tokenizer.digits)
        tokenizer.save(out)

    def tokenise(found: list[str]) -> list[np.ndarray]:
        return [np.array(e.ids, dtype=np.uint32) for e in tokenizer.backend.encode_batch(found, add_special_tokens=False)]

    training: list[np.ndarray] = []
    for source in recipe.sources:
        training += pack(tokenise(kept[source.name]), recipe.train.sequence) * source.repeat
    held_out = {
        name: (pack(tokenise(found), recipe.train.sequence), sum(len(t.encode()) for t in found)) for name, found in held.items()
    }
    return tokenizer, Corpus(training, held_out)


def _batch(pieces: list[np.ndarray]) -> tuple[Batch, Tensor]:
    tokens = [torch.from_numpy(piece.astype(np.int64)) for piece in pieces]
    return Batch.of([t[:-1] for t in tokens]), torch.cat([t[1:] for t in tokens])


def _optimizer(model: Transformer, weight_decay: float) -> torch.optim.AdamW:
    """Decay on matrices; none on norms, biases, gates and sinks."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), eps=1e-8, fused=True)


def _learning_rate(step: int, steps: int, peak: float, warmup: int) -> float:
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(steps - warmup, 1)
    return peak * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


def _checkpoint(
    out: Path, recipe: Recipe, model: Transformer, optimizer: torch.optim.AdamW, loader: Loader, step: int, seen: int, log: list
) -> None:
    state = {
        "recipe": repr(recipe), "model": model.state_dict(), "optimizer": optimizer.state_dict(),
        "loader": (loader.epoch, loader.at), "step": step, "seen": seen, "log": log,
    }  # fmt: skip
    fresh = out / "state.pt.new"
    with fresh.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, out / "state.pt")


def _resume(
    out: Path, recipe: Recipe, model: Transformer, optimizer: torch.optim.AdamW, loader: Loader
) -> tuple[int, int, list[dict]]:
    """Step, tokens seen and log of a run to go on with; zeros where there is none."""
    if not (out / "state.pt").exists():
        return 0, 0, []
    state = torch.load(out / "state.pt", weights_only=True)
    if state["recipe"] != repr(recipe):
        raise ValueError(f"{out} holds a run of another recipe: choose another --out, or delete it to start over")
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    loader.epoch, loader.at = state["loader"]
    return state["step"], state["seen"], state["log"]


def _write_samples(file: Path, model: Transformer, tokenizer: Tokenizer, prompts: tuple[str, ...], seed: int) -> None:
    parts = []
    for prompt in prompts:
        ids = tokenizer.encode(encode_messages([{"role": "user", "content": prompt}], thinking_mode="chat"))
        params = SamplingParams(temperature=0.7, top_p=0.9, max_tokens=200, seed=seed)
        answer = list(generate(model, ids, params, stop_ids={tokenizer.eos_id}))
        parts.append(f"**{prompt}**\n\n{tokenizer.decode([i for i in answer if i != tokenizer.eos_id])}\n")
    file.write_text("\n".join(parts), encoding="utf-8")


def _banner(console: Console, recipe: Recipe, model: Transformer, corpus: Corpus, steps: int) -> None:
    total = sum(p.numel() for p in model.parameters())
    tokens = sum(len(piece) - 1 for piece in corpus.train)
    console.print(
        f"{recipe.name}: {total / 1e6:.2f}M parameters, {tokens / 1e6:.2f}M tokens of text (repeats included), "
        f"{steps} steps of {recipe.train.batch_tokens} tokens"
    )


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[loss]}"),
        TextColumn("{task.fields[speed]}"), TimeRemainingColumn(), console=console,
    )  # fmt: skip
