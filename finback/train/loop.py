"""How is a model pre-trained? The recipe's schedule, step by step, and a folder that survives being killed.

The run's folder holds everything: the tokenizer, the prepared corpus, `log.jsonl` (a line per step),
`samples.jsonl` (answers at each evaluation), `run.json` (what it is a run of), `tensorboard/`,
`checkpoints/` (all that is needed to go on with exactly the next token), and at the end `loss.png`,
`samples.md` and `model/` in DeepSeek's layout. Nothing in a step draws random numbers: the start
follows from the recipe's seed, the order of the data from the stream's integers.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from finback.checkpoint import load, save
from finback.cost import parameters, training_flops
from finback.data import HELD_OUT, Corpus, Source, Stream, check_file, data_root, is_held_out, pack, prepare, read_documents, text_widths
from finback.device import fast_bf16, forget_peak, keep_freed_memory, matmul_flops, peak
from finback.engine import SamplingParams, generate
from finback.model import Batch, Trace, Transformer, new_model
from finback.text import Tokenizer, encode_messages, load_tokenizer, train_tokenizer
from finback.text.tokens import ASSISTANT
from finback.train.losses import IGNORE, Losses, head_loss, losses, update_biases, weights_at
from finback.train.memory import Forecast, check, forecast
from finback.train.optim import MuonAdamW, build_optimizer, parameter_groups, table
from finback.train.plot import plot_run
from finback.train.problems import task_sources
from finback.train.recipe import Recipe
from finback.train.schedule import Moment, at, count_steps
from finback.train.sight import Board, LiveView
from finback.train.stability import Guard, Spike

CHECKPOINT_SECONDS = 60.0
KEEP = 2  # checkpoints
EVALUATIONS = 12  # over a run
EVALUATION_TOKENS = 4096  # in one forward
SAMPLE_TOKENS = 60  # of an answer at an evaluation


@dataclass
class Run:
    """The state of a run; `step` and `tokens` count what the weights have seen. dtype: what the model computes in;
    ceiling: FLOP/s of a bare matrix product in it on this machine."""

    recipe: Recipe
    folder: Path
    tokenizer: Tokenizer
    corpus: Corpus
    model: Transformer
    optimizer: MuonAdamW
    stream: Stream
    guard: Guard
    dtype: torch.dtype
    ceiling: float
    step: int = 0
    tokens: int = 0

    def batch(self, moment: Moment, stream: Stream) -> tuple[Batch, Tensor]:
        """The next batch of a stream and its targets, of which at least one counts."""
        pieces = stream.next(moment.batch_tokens, moment.stage.sequence)
        while self.recipe.losses.on == "assistant" and not any(said(piece[:-1], self.tokenizer).any() for piece in pieces):
            pieces = stream.next(moment.batch_tokens, moment.stage.sequence)
        return self.paired(pieces)

    def paired(self, pieces: list[np.ndarray]) -> tuple[Batch, Tensor]:
        """Pieces as a batch and its targets; those that the recipe's loss is not on are IGNORE."""
        batch, targets = _batch(pieces)
        if self.recipe.losses.on == "assistant":
            mask = np.concatenate([said(piece[:-1], self.tokenizer) for piece in pieces])
            targets[~torch.from_numpy(mask)] = IGNORE
        return batch, targets


def said(ids: np.ndarray, tokenizer: Tokenizer) -> np.ndarray:
    """For each token of a piece whether the assistant says the one after it: [n] bool.

    Its turns go from behind the token that opens or skips its thoughts to the end of the sentence, which it says itself. A
    piece that begins within a turn counts from the next one on, because what led to the turn is not there.
    """
    opens, ends = tokenizer.token_id(ASSISTANT), tokenizer.eos_id
    out, speaking = np.zeros(len(ids), dtype=bool), False
    for i in np.flatnonzero((ids == opens) | (ids == ends)):
        if speaking and ids[i] == ends:
            out[begin:i] = True
        speaking, begin = ids[i] == opens, i + 1
    if speaking:
        out[begin:] = True
    return out


def train(recipe: Recipe, folder: str | Path, console: Console) -> Path:
    """Runs a recipe to its end, or goes on where a killed run stopped. Returns the folder of the trained model."""
    keep_freed_memory()
    run = _open(recipe, Path(folder), console)
    steps = count_steps(recipe.schedule)
    every = max(steps // EVALUATIONS, 1)
    saved = time.monotonic()
    log_file = run.folder / "log.jsonl"
    past = read_log(log_file) if log_file.exists() else []
    with LiveView(console, recipe, steps) as view, Board(run.folder / "tensorboard", past) as board:
        while run.tokens < recipe.schedule.tokens:
            try:
                row = training_step(run)
            except Spike as spike:
                past = _go_back(run, spike)
                view.restart(past)
                board.restart(past)
                continue
            if run.step % every == 0 or run.tokens >= recipe.schedule.tokens:
                row |= assess(run)
            with log_file.open("a", encoding="utf-8") as log:
                log.write(json.dumps(row) + "\n")
            view.show(row)
            board.show(row)
            if run.guard.keeps(run.step) or time.monotonic() - saved > CHECKPOINT_SECONDS:
                _save_checkpoint(run)
                saved = time.monotonic()
    _save_checkpoint(run)
    return _finish(run, console)


def training_step(run: Run) -> dict[str, Any]:
    """One optimizer step; returns its line of the log. Raises Spike, and the run must go back."""
    began = time.perf_counter()
    routing, age = run.guard.routing(run.model, run.step, _ahead(run), run.dtype)
    moment = at(run.recipe.schedule, run.step, run.tokens)
    batch, targets = run.batch(moment, run.stream)
    found = losses(
        run.model, batch, targets, weights_at(moment, run.recipe.losses), dense=moment.stage.attention != "sparse",
        routing=routing, fp4=moment.stage.fp4, dtype=run.dtype,
    )  # fmt: skip
    found.total.backward()
    moved = [p for p in run.model.parameters() if p.grad is not None]
    norm = float(torch.nn.utils.clip_grad_norm_(moved, run.recipe.optimizer.clip))
    run.guard.check(run.recipe.schedule.stages.index(moment.stage), run.step, found.next_token, norm)
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
    row = _row(run, moment, found, norm, [b - a for a, b in batch.spans], time.perf_counter() - began)
    return row | {key: value for key, value in (("routing_age", age), ("event", run.guard.told())) if value is not None}


def assess(run: Run) -> dict[str, Any]:
    """What an evaluation adds to its step's row; answers to the recipe's prompts go to samples.jsonl."""
    began = time.perf_counter()
    found = {"bits_per_byte": evaluate(run), "sinkhorn_error": sinkhorn_error(run), "memory": peak(run.model.embed.weight.device)}
    samples = {prompt: answer(run, prompt, SAMPLE_TOKENS) for prompt in run.recipe.samples}
    with (run.folder / "samples.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps({"step": run.step, "tokens": run.tokens, "samples": samples}) + "\n")
    found["evaluation_seconds"] = round(time.perf_counter() - began, 3)
    return {name: value for name, value in found.items() if value is not None}


@torch.no_grad()
def evaluate(run: Run) -> dict[str, float]:
    """Validation bits per UTF-8 byte of each source, of what the loss is on, with the attention and weights of the current
    stage."""
    moment = at(run.recipe.schedule, run.step, run.tokens)
    widths, out = torch.from_numpy(text_widths(run.tokenizer)), {}
    for name in run.corpus.names:
        documents = run.corpus.documents(name, HELD_OUT)
        pieces = pack((documents[i] for i in range(len(documents))), moment.stage.sequence)
        nats, size = 0.0, 0
        for group in _groups(pieces, EVALUATION_TOKENS):
            batch, targets = run.paired(group)
            counted = targets[targets != IGNORE]
            if not len(counted):
                continue
            dense = moment.stage.attention != "sparse"
            h = run.model.streams(run.model.new_pass(batch, dense=dense, fp4=moment.stage.fp4, dtype=run.dtype))
            nats += head_loss(run.model.final(h), run.model.head.weight, targets).item() * len(counted)
            size += int(widths[counted].sum())
        if size:
            out[name] = round(nats / math.log(2) / size, 4)
    return out


@torch.no_grad()
def sinkhorn_error(run: Run) -> float | None:
    """How far the worst row or column sum of any stream-mixing matrix is from 1, over all sublayers, on one held-out
    piece of each source (report 2.2: they should be doubly stochastic). None where nothing is held out."""
    moment = at(run.recipe.schedule, run.step, run.tokens)
    held_out = [run.corpus.documents(name, HELD_OUT) for name in run.corpus.names]
    pieces = [piece for documents in held_out if len(documents) for piece in pack([documents[0]], moment.stage.sequence)[:1]]
    if not pieces:
        return None
    trace = Trace(indexing=None, mixing=[])
    dense = moment.stage.attention != "sparse"
    run.model.streams(run.model.new_pass(_batch(pieces)[0], dense=dense, trace=trace, dtype=run.dtype))
    errors = (float((comb.sum(dim=dim) - 1).abs().max()) for comb in trace.mixing for dim in (0, 1))
    return max(errors, default=None)


def answer(run: Run, prompt: str, tokens: int) -> str:
    """What the model says to a prompt now, in at most so many tokens; the same weights always say the same."""
    ids = run.tokenizer.encode(encode_messages([{"role": "user", "content": prompt}], thinking_mode="chat"))
    params = SamplingParams(temperature=0.7, top_p=0.9, max_tokens=tokens, seed=run.recipe.seed)
    said = generate(run.model, ids, params, {run.tokenizer.eos_id})
    return run.tokenizer.decode([token for token in said if token != run.tokenizer.eos_id])


def _row(run: Run, moment: Moment, found: Losses, norm: float, lengths: list[int], seconds: float) -> dict[str, Any]:
    idle = sum(int((load == 0).sum()) for load in found.loads.values())
    peak = max((float(load.max() * len(load)) for load in found.loads.values()), default=None)
    flops = training_flops(run.model.config, lengths, moment.stage.attention, found.mtp is not None)
    row = {
        "step": run.step, "tokens": run.tokens, "attention": moment.stage.attention, "loss": found.next_token, "mtp": found.mtp,
        "balance": found.balance, "indexer": found.indexer, "recall": found.recall, "grad_norm": norm,
        "lr": moment.learning_rate, "busiest_expert": peak, "idle_experts": idle, "speed": sum(lengths) / seconds,
        "seconds": seconds, "flops": flops, "ceiling": run.ceiling, "mfu": flops / seconds / run.ceiling,
    }  # fmt: skip
    return {key: value for key, value in row.items() if value is not None}


def _ahead(run: Run) -> Iterator[tuple[Moment, Batch, Tensor]]:
    """The next step's moment, batch and targets, then those of the steps after it; the run's own stream does not move."""
    stream, step, tokens = run.stream.copy(), run.step, run.tokens
    while tokens < run.recipe.schedule.tokens:
        moment = at(run.recipe.schedule, step, tokens)
        yield moment, *run.batch(moment, stream)
        step, tokens = step + 1, tokens + moment.batch_tokens


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
    say = lambda line: console.print(line, style="dim", highlight=False)  # noqa: E731
    sources = recipe.sources + task_sources(recipe, folder / "problems", say)
    tokenizer = _tokenizer(recipe, sources, folder, console)
    corpus = prepare(
        sources, tokenizer, folder / "corpus", data_root(), recipe.data.held_out, recipe.data.near_duplicates,
        say=say,
    )  # fmt: skip
    _tell_long_documents(recipe, corpus, say)
    model = _model(recipe, tokenizer).train()
    optimizer = build_optimizer(model, recipe.optimizer.weight_decay, recipe.optimizer.kind)
    stream = Stream(corpus, sources, recipe.seed, recipe.data.fim_rate)
    where, guard = model.embed.weight.device, Guard(recipe.stability)
    dtype = compute_dtype(recipe, where)
    run = Run(recipe, folder, tokenizer, corpus, model, optimizer, stream, guard, dtype, matmul_flops(where, dtype))
    memory = forecast(model, recipe, dtype)
    check(memory, recipe, where)
    console.print(f"needs at most {memory}", style="dim", highlight=False)
    forget_peak(where)
    _write_about(run, sources, memory)
    console.print(table(parameter_groups(model, recipe.optimizer.weight_decay, recipe.optimizer.kind)))
    if _restore(run):
        console.print(f"going on at step {run.step}, {run.tokens:,} tokens")
    return run


def compute_dtype(recipe: Recipe, device: torch.device) -> torch.dtype:
    """What a recipe's model computes in on a device. The weights are FP32 in either case."""
    bf16 = fast_bf16(device) if recipe.precision == "auto" else recipe.precision == "bf16"
    return torch.bfloat16 if bf16 else torch.float32


def _claim(folder: Path, recipe: Recipe) -> None:
    """A folder belongs to one recipe, word for word."""
    file, text = folder / "recipe.txt", repr(recipe)
    if file.exists() and file.read_text(encoding="utf-8") != text:
        raise ValueError(f"{folder} holds a run of another recipe: choose another --out, or delete it to start over")
    _write(file, lambda out: out.write(text.encode()))


def _model(recipe: Recipe, tokenizer: Tokenizer) -> Transformer:
    if recipe.init is None:
        return new_model(recipe.model.replace(vocab_size=tokenizer.vocab_size), recipe.seed)
    model = new_model(recipe.model, recipe.seed)
    model.load_state_dict(load(recipe.init, "float32").state_dict())
    return model


def _tell_long_documents(recipe: Recipe, corpus: Corpus, say: Callable[[str], None]) -> None:
    """Where the loss is on the assistant alone, what a piece does not reach of a document is not learnt: says of how many."""
    longest = max(stage.sequence for stage in recipe.schedule.stages)
    if recipe.losses.on == "assistant":
        for name in corpus.names:
            documents = corpus.documents(name)
            long = sum(len(documents[i]) > longest + 1 for i in range(len(documents)))
            if long:
                say(f"{name}: {long} of {len(documents)} documents are longer than {longest} tokens: their ends are not trained on")


def _tokenizer(recipe: Recipe, sources: tuple[Source, ...], folder: Path, console: Console) -> Tokenizer:
    if (folder / "tokenizer.json").exists():
        return load_tokenizer(folder)
    for source in sources:
        check_file(source, data_root())
    if recipe.init is not None:
        tokenizer = load_tokenizer(recipe.init)
        tokenizer.save(folder)
        return tokenizer
    console.print("training the tokenizer")
    texts = (
        text for source in sources for text in read_documents(source, data_root())
        if not is_held_out(text, recipe.data.held_out)
    )  # fmt: skip
    tokenizer = train_tokenizer(texts, recipe.tokenizer.vocab_size, recipe.tokenizer.digits)
    tokenizer.save(folder)
    return tokenizer


def _save_checkpoint(run: Run) -> None:
    """Written beside the good ones and renamed when complete; only then the oldest go, but two that a spike may go back to."""
    folder = run.folder / "checkpoints"
    folder.mkdir(exist_ok=True)
    state = {
        "model": run.model.state_dict(), "optimizer": run.optimizer.state_dict(), "stream": run.stream.state(),
        "guard": run.guard.state(), "step": run.step, "tokens": run.tokens,
    }  # fmt: skip
    _write(folder / f"step-{run.step:08d}.pt", lambda out: torch.save(state, out))
    found = _checkpoints(run)
    for step in set(found) - set(sorted(found)[-KEEP:]) - set(sorted(filter(run.guard.keeps, found))[-2:]):
        found[step].unlink()


def _checkpoints(run: Run) -> dict[int, Path]:
    return {int(file.stem.removeprefix("step-")): file for file in (run.folder / "checkpoints").glob("step-*.pt")}


def _go_back(run: Run, spike: Spike) -> list[dict[str, Any]]:
    """Undoes a step that spiked and those before it; returns the rows of the log that stand. A kill on the way does not
    matter: whichever checkpoint is then the last leads to the same spike."""
    undone, step, found = read_log(run.folder / "log.jsonl")[spike.to :], run.step + 1, _checkpoints(run)
    if spike.to not in found:
        raise FileNotFoundError(f"step {step} is a spike ({spike}), but the checkpoint of step {spike.to} is gone: start the run again")
    for later in sorted(filter(lambda saved: saved > spike.to, found), reverse=True):
        found[later].unlink()
    run.optimizer.zero_grad(set_to_none=True)
    _restore(run)
    run.guard.turn_on(step, spike, undone)
    return read_log(run.folder / "log.jsonl")


def _restore(run: Run) -> bool:
    found = _checkpoints(run)
    if found:
        state = torch.load(found[max(found)], weights_only=True)
        run.model.load_state_dict(state["model"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.stream.restore(state["stream"])
        run.guard.restore(state["guard"])
        run.step, run.tokens = state["step"], state["tokens"]
    for file in (run.folder / "log.jsonl", run.folder / "samples.jsonl"):
        if file.exists():  # what was logged after the checkpoint will happen again
            kept = [json.dumps(row) + "\n" for row in read_log(file) if row["step"] <= run.step]
            _write(file, lambda out: out.write("".join(kept).encode()))
    return bool(found)


def _write_about(run: Run, sources: tuple[Source, ...], memory: Forecast) -> None:
    """run.json: what a report says of a run beside its curves."""
    count, config = parameters(run.model.config), run.model.config
    about = {
        "name": run.recipe.name, "seed": run.recipe.seed, "parameters": count.total, "active": count.active,
        "memory": memory.total, "tokens": run.recipe.schedule.tokens, "steps": count_steps(run.recipe.schedule), "model": config.to_dict(),
        "schedule": dataclasses.asdict(run.recipe.schedule), "optimizer": dataclasses.asdict(run.recipe.optimizer),
        "sources": [
            {"name": lane.name, "share": lane.share, "tokens": lane.documents.tokens, "origin": s.origin, "licence": s.licence}
            for lane, s in zip(run.stream.lanes, sources)
        ],
        "precision": str(run.dtype).removeprefix("torch."), "threads": torch.get_num_threads(), "device": run.model.embed.weight.device.type,
    }  # fmt: skip
    _write(run.folder / "run.json", lambda out: out.write((json.dumps(about, indent=1) + "\n").encode()))


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
    folder = run.folder / "model"
    if run.recipe.schedule.stages[-1].fp4:  # in FP32 beside the experts, so that the files compute what training did, to the bit
        run.model.config = run.model.config.replace(index_fp4=True)
        save(run.model, folder, weight_format="fp32", expert_format="fp4")
    else:
        save(run.model, folder, weight_format="bf16")
    run.model = load(folder)  # what is shown is what was written
    run.tokenizer.save(folder)
    plot_run(read_log(run.folder / "log.jsonl"), run.folder / "loss.png", f"{run.recipe.name}: {run.tokens / 1e6:.1f}M tokens")
    parts = [f"**{prompt}**\n\n{answer(run, prompt, 200)}\n" for prompt in run.recipe.samples]
    (run.folder / "samples.md").write_text("\n".join(parts), encoding="utf-8")
    console.print(
        f"model: {folder}   curve: {run.folder / 'loss.png'}   samples: {run.folder / 'samples.md'}\n"
        f"the whole run as a page: finback report {run.folder}"
    )
    return folder
