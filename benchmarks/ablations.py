"""What does each part of V4 contribute at a size that trains in minutes? Runs that differ in one thing.

    FINBACK_DATA=PATH python benchmarks/ablations.py                # everything; hours on one core
    FINBACK_DATA=PATH python benchmarks/ablations.py --only base

The base is recipes/ablation.toml. First short pilots on a seed of their own choose a learning rate for each
optimizer; then every variant trains with every seed on the same tokens in the same order. A finished run is a
line of runs/ablations/results.jsonl and is not repeated; one that was killed starts over. What is finished is
written to docs/ablations.md and docs/ablations.png.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import resource
import shutil
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch
from matplotlib.figure import Figure
from rich.console import Console
from torch import Tensor, nn

from finback.config import ModelConfig
from finback.model import Transformer, transformer
from finback.model.attention import Attention
from finback.model.batch import Pass
from finback.model.layers import RMSNorm
from finback.model.moe import MoE
from finback.model.mtp import MTPBlock
from finback.train import Recipe, loop, read_recipe, train
from finback.train.loop import read_log
from finback.train.schedule import Stage

RECIPE = Path("recipes/ablation.toml")
FOLDER = Path("runs/ablations")
DOCS = Path("docs")
SEEDS = (1, 2, 3)
PILOT_SEED, PILOT_TOKENS = 0, 72_000
PILOT_RATES = (2e-3, 4e-3, 8e-3)
END_RATE = 0.1  # of the peak
EVALUATIONS = 8  # over a run, for the curves; a pilot's end is all that counts


class PlainBlock(nn.Module):
    """h -> h as x + F(norm(x)): the block of most transformers, in place of the hyper-connections."""

    def __init__(self, config: ModelConfig, layer: int):
        super().__init__()
        self.attn = Attention(config, layer)
        self.ffn = MoE(config, layer)
        self.attn_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.ffn_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, h: Tensor, run: Pass) -> Tensor:
        """h: [T, 1, D], a single stream -> the same shape."""
        x = h.squeeze(1)
        x = x + self.attn(self.attn_norm(x), run)
        return (x + self.ffn(self.ffn_norm(x), run)).unsqueeze(1)


@contextmanager
def plain_blocks() -> Iterator[None]:
    """Inside, models are built of plain blocks, their MTP blocks included, and not exported at the end of a run:
    DeepSeek's layout has no room for another architecture."""
    kept = transformer.Block, loop.save
    transformer.Block, MTPBlock.__bases__, loop.save = PlainBlock, (PlainBlock,), lambda *_, **__: None
    try:
        yield
    finally:
        (transformer.Block, loop.save), MTPBlock.__bases__ = kept, kept[:1]


@dataclass(frozen=True)
class Variant:
    """`change` makes it from the base; `matched`: its experts are widened until it has the base's parameters."""

    what: str
    change: Callable[[Recipe], Recipe]
    matched: bool = False
    blocks: Callable[[], AbstractContextManager[None]] = nullcontext


def _model(recipe: Recipe, **changes: Any) -> Recipe:
    return dataclasses.replace(recipe, model=recipe.model.replace(**changes))


def _adamw(recipe: Recipe) -> Recipe:
    return dataclasses.replace(recipe, optimizer=dataclasses.replace(recipe.optimizer, kind="adamw"))


def _uncompressed(recipe: Recipe, window: int) -> Recipe:
    """No layer compresses, so there is no indexer to warm up: one dense stage over the same tokens."""
    s = recipe.schedule
    schedule = dataclasses.replace(s, stages=(Stage(s.tokens, s.stages[0].sequence, "dense"),))
    ratios = (0,) * recipe.model.num_blocks
    return dataclasses.replace(_model(recipe, compress_ratios=ratios, sliding_window=window), schedule=schedule)


VARIANTS = {
    "base": Variant("Muon, mHC with 4 streams, window + CSA + HCA, MTP", lambda r: r),
    "adamw": Variant("AdamW for every parameter", _adamw),
    "plain": Variant(
        "plain residual instead of mHC", lambda r: _model(r, hc_mult=1), matched=True, blocks=plain_blocks
    ),
    "window": Variant(
        "sliding window only, in every layer", lambda r: _uncompressed(r, r.model.sliding_window), matched=True
    ),
    "full": Variant(
        "full attention in every layer", lambda r: _uncompressed(r, r.schedule.stages[0].sequence), matched=True
    ),
    "no-mtp": Variant(
        "no MTP block, no MTP loss",
        lambda r: _model(
            r, num_nextn_predict_layers=0, compress_ratios=r.model.compress_ratios[: r.model.num_hidden_layers]
        ),
    ),
}


@dataclass(frozen=True)
class Job:
    """One run. A pilot has its own seed and fewer tokens, all with dense attention."""

    variant: str
    seed: int
    rate: float
    pilot: bool = False

    @property
    def name(self) -> str:
        return f"pilot-{self.variant}-{self.rate:g}" if self.pilot else f"{self.variant}-{self.seed}"


def recipe_of(job: Job, base: Recipe) -> Recipe:
    s = dataclasses.replace(base.schedule, learning_rate=job.rate, end_learning_rate=END_RATE * job.rate)
    if job.pilot:
        s = dataclasses.replace(s, stages=(Stage(PILOT_TOKENS, s.stages[0].sequence, "dense"),))
    variant = VARIANTS[job.variant]
    recipe = variant.change(dataclasses.replace(base, name=job.name, seed=job.seed, schedule=s))
    if variant.matched:
        width, wanted = base.model.moe_intermediate_size, parameters(base.model)
        with variant.blocks():
            narrow, wider = parameters(recipe.model), parameters(recipe.model.replace(moe_intermediate_size=width + 1))
        recipe = _model(recipe, moe_intermediate_size=width + round((wanted - narrow) / (wider - narrow)))
    return recipe


def parameters(config: ModelConfig) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in Transformer(config).parameters() if p.requires_grad)


def run(job: Job, base: Recipe) -> dict[str, Any]:
    """Trains one model, in a process of its own, and returns its line of the results."""
    torch.set_num_threads(1)
    loop.EVALUATIONS = 1 if job.pilot else EVALUATIONS
    recipe, folder = recipe_of(job, base), FOLDER / job.name
    shutil.rmtree(folder, ignore_errors=True)  # what a kill left over: times are those of whole runs
    with VARIANTS[job.variant].blocks():
        count = parameters(recipe.model)
        train(recipe, folder, Console(width=120))
    log = read_log(folder / "log.jsonl")
    return {
        "name": job.name, **dataclasses.asdict(job), "parameters": count, "experts": recipe.model.moe_intermediate_size,
        "curve": [(row["tokens"], row["attention"], row["bits_per_byte"]) for row in log if "bits_per_byte" in row],
        "recall": next((row["recall"] for row in reversed(log) if row.get("recall")), None),
        "speed": median(row["speed"] for row in log if row["attention"] != "warmup"),
        "minutes": time.process_time() / 60,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,  # the whole process, Python and torch included
        "load": os.getloadavg()[2], "torch": torch.__version__,
    }  # fmt: skip


def best_rate(results: dict[str, dict], variant: str) -> Job | float:
    """The rate of the variant's best pilot, or the pilot still to be run: the best must not be the lowest or highest."""
    rates = list(PILOT_RATES)
    while True:
        pilots = [Job(variant, PILOT_SEED, rate, pilot=True) for rate in rates]
        missing = [job for job in pilots if job.name not in results]
        if missing:
            return missing[0]
        best = min(rates, key=lambda rate: score(results[Job(variant, PILOT_SEED, rate, pilot=True).name]))
        if rates[0] < best < rates[-1]:
            return best
        rates = [rates[0] / 2, *rates] if best == rates[0] else [*rates, rates[-1] * 2]


def score(result: dict[str, Any], evaluation: int = -1) -> float:
    """Validation bits per byte at an evaluation of the run, by default its end: the mean over the sources."""
    return mean(result["curve"][evaluation][2].values())


def next_job(results: dict[str, dict], wanted: str | None) -> Job | None:
    """What to run now: pilots first, then a seed of every variant after the other."""
    rates = {}
    for optimizer in ("base", "adamw"):
        found = best_rate(results, optimizer)
        if isinstance(found, Job):
            return found
        rates[optimizer] = found
    for seed in SEEDS:
        for variant in VARIANTS:
            job = Job(variant, seed, rates.get(variant, rates["base"]))
            if job.name not in results and wanted in (None, variant):
                return job
    return None


def read_results() -> dict[str, dict]:
    """The finished runs by name. Raises ValueError if they are of another recipe."""
    file, recipe = FOLDER / "results.jsonl", json.dumps(tomllib.loads(RECIPE.read_text(encoding="utf-8")))
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text(recipe + "\n", encoding="utf-8")
    first, *rows = file.read_text(encoding="utf-8").splitlines()
    if first != recipe:
        raise ValueError(f"{file} holds runs of another recipe: delete {FOLDER} to start over")
    return {row["name"]: row for row in map(json.loads, rows)}


# --- the page ---


def write_page(results: dict[str, dict], base: Recipe) -> None:
    """docs/ablations.md and its picture from what is finished; nothing in them is written by hand."""
    finished = {
        v: rows for v in VARIANTS if (rows := [results[n] for s in SEEDS if (n := Job(v, s, 0).name) in results])
    }
    if "base" not in finished:
        return
    plot(finished, DOCS / "ablations.png")
    (DOCS / "ablations.md").write_text(page(finished, results, base), encoding="utf-8")


def differences(rows: list[dict], base: list[dict], evaluation: int = -1) -> list[float]:
    """score(variant) - score(base) for each seed that both finished: same order of data, positive is worse."""
    of_base = {row["seed"]: score(row, evaluation) for row in base}
    return [score(row, evaluation) - of_base[row["seed"]] for row in rows if row["seed"] in of_base]


def dense_end(base: dict[str, Any]) -> int:
    """The number of the last evaluation while the base had dense attention."""
    return max(i for i, (_, attention, _) in enumerate(base["curve"]) if attention == "dense")


def spread(finished: dict[str, list[dict]]) -> float:
    """The largest distance between two seeds of one variant: what chance alone does to a score."""
    return max(max(map(score, rows)) - min(map(score, rows)) for rows in finished.values())


def verdict(found: list[float], chance: float) -> str:
    if len(found) < 2:
        return "one seed: nothing is established"
    if max(found) * min(found) <= 0 or min(map(abs, found)) <= chance:
        return "not established"
    return f"**{'worse' if found[0] > 0 else 'better'} than the base**"


def page(finished: dict[str, list[dict]], results: dict[str, dict], base: Recipe) -> str:
    s, c, of_base = base.schedule, base.model, finished["base"]
    first, warmup, last = s.stages
    return f"""# Ablations

What does each part of V4 contribute in a model of {of_base[0]["parameters"] / 1e6:.2f} million parameters that reads
{s.tokens:,} tokens? Every run differs from the base in one thing. This page is written by

```sh
FINBACK_DATA=PATH python benchmarks/ablations.py    # finished runs are kept
```

![Validation during the runs, and differences to the base at their end](ablations.png)

## Results

Validation bits per byte at the end of seeds {" / ".join(map(str, SEEDS))}; lower is better. The score is the mean over the
sources. A difference counts as established when every seed shows it with the same sign and by more than
{spread(finished):.4f}, the largest distance between two seeds of one variant. With so few seeds that is a rule of thumb,
not a test. The last column compares at {of_base[0]["curve"][dense_end(of_base[0])][0]:,} tokens, where the weights of all variants had learnt from the same tokens.

{score_table(finished, [source.name for source in base.sources])}

{reach(finished, c.sliding_window)}

## Cost

Minutes are processor time of a whole run, evaluations included. Tokens per second are the median of the training
steps by the wall clock. A run has one thread: where the load average, of the fifteen minutes to its end, is above 1, other
work shared the machine, slows the tokens per second and may lengthen the minutes. Peak memory is the whole process's, Python and PyTorch included.

{cost_table(finished)}

## Learning rates

Each optimizer uses the best rate of its own pilots: {PILOT_TOKENS:,} tokens of dense attention, on a seed of their own,
with the same warm-up and decay. The rates go on until the best is neither the lowest nor the highest. Score at the end:

{pilot_table(results)}

## What was held equal, and what was not

- The base ([recipe](../recipes/ablation.toml)) has layers of ratios {list(c.compress_ratios[: c.num_hidden_layers])} (0: window
  only, {c.csa_ratio}: CSA, other: HCA), a window of {c.sliding_window}, sequences of at most {first.sequence} tokens, of whose up to
  {first.sequence // c.csa_ratio} entries CSA reads the best {c.index_topk}, and one MTP block. It sees {first.tokens:,} tokens with dense attention,
  {warmup.tokens:,} from which only the indexer learns, and {last.tokens:,} with sparse attention. In its last steps the indexer
  found {" / ".join(f"{row['recall']:.0%}" for row in of_base)} of the attention mass on the {c.index_topk} best entries.
- A seed sets the initial weights and the order of the data. One seed gives every variant the same tokens in the same
  batches of {s.batch_tokens:,}. All are validated on the same {base.data.held_out:.0%} of the documents.
- `plain`, `window` and `full` lack some of the base's parameters: their experts are widened until the counts agree.
  `no-mtp` lacks the MTP block, which has no part in predicting the next token.
- `window` and `full` have no indexer, so all their weights also learn from the {warmup.tokens:,} tokens that the base spends on
  it: equal tokens favour them. Their layers rotate like the base's window layers, without YaRN.
- The rates were found with the base's architecture, and the other architectures use Muon's.

What pays only with depth, long contexts or long training cannot show at this size, and what does not help here is not
refuted. CSA and HCA are made for a million tokens, not for {first.sequence}.

Measured with torch {of_base[0]["torch"]} on a CPU, one thread for each run.
"""


def score_table(finished: dict[str, list[dict]], sources: list[str]) -> str:
    chance = spread(finished)
    rows = [["variant", *sources, "score", "mean", "spread", "minus base", "verdict", "minus base, dense stage"]]
    for variant, runs in finished.items():
        scores = [score(row) for row in runs]
        row = [f"`{variant}`: {VARIANTS[variant].what}"]
        row += [" / ".join(f"{run['curve'][-1][2][name]:.3f}" for run in runs) for name in sources]
        row += [" / ".join(f"{x:.4f}" for x in scores), f"{mean(scores):.4f}", f"{max(scores) - min(scores):.4f}"]
        if variant == "base":
            row += [""] * 3
        else:
            found, early = (differences(runs, finished["base"], i) for i in (-1, dense_end(finished["base"][0])))
            row += [_signed(found), verdict(found, chance), _signed(early)]
        rows.append(row)
    return _table(rows)


def reach(finished: dict[str, list[dict]], window: int) -> str:
    """What there was to win for CSA and HCA: the gain of full attention over the window."""
    if not {"window", "full"} <= set(finished):
        return ""
    found = differences(finished["full"], finished["window"])
    return (
        f"`full` minus `window`, by seed: {_signed(found)}. That is what direct sight of tokens further back than {window} is "
        "worth here; where it is no gain, this comparison cannot tell one way of seeing them from another."
    )


def cost_table(finished: dict[str, list[dict]]) -> str:
    columns = (("minutes", ".1f"), ("speed", ",.0f"), ("load", ".1f"), ("peak_mb", ",.0f"))
    rows = [["variant", "parameters", "width of an expert", "minutes", "tokens/s", "load average", "peak MB"]]
    for variant, runs in finished.items():
        cells = [" / ".join(format(run[key], spec) for run in runs) for key, spec in columns]
        rows.append([f"`{variant}`", f"{runs[0]['parameters']:,}", str(runs[0]["experts"]), *cells])
    return _table(rows)


def pilot_table(results: dict[str, dict]) -> str:
    found = {(row["variant"], row["rate"]): score(row) for row in results.values() if row["pilot"]}
    rates = sorted({rate for _, rate in found})
    rows = [["", *(f"{rate:g}" for rate in rates)]]
    for variant, name in (("base", "Muon"), ("adamw", "AdamW")):
        best = min(x for (of, _), x in found.items() if of == variant)
        scores = [found.get((variant, rate)) for rate in rates]
        rows.append([name, *("" if x is None else f"**{x:.4f}**" if x == best else f"{x:.4f}" for x in scores)])
    return _table(rows)


def _signed(numbers: list[float]) -> str:
    return " / ".join(f"{x:+.4f}" for x in numbers)


def _table(rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def plot(finished: dict[str, list[dict]], file: Path) -> None:
    """Left: scores during the runs (each seed; thick: their mean). Right: differences to the base at the end."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = list(finished)
    for i, (variant, rows) in enumerate(finished.items()):
        curves = [[(tokens / 1e3, mean(found.values())) for tokens, _, found in row["curve"]] for row in rows]
        for curve in curves:
            left.plot(*zip(*curve), color=f"C{i}", linewidth=0.6, alpha=0.6)
        thick = [(points[0][0], mean(y for _, y in points)) for points in zip(*curves)]
        left.plot(*zip(*thick), color=f"C{i}", linewidth=1.8, label=variant)
        if variant != "base":
            found = differences(rows, finished["base"])
            right.plot(found, [i] * len(found), "o", color=f"C{i}")
    learning = [tokens / 1e3 for tokens, attention, _ in finished["base"][0]["curve"] if attention != "warmup"]
    left.set(xlabel="thousand tokens", ylabel="validation bits per byte", xlim=(learning[1], None))
    low = min(score(row) for rows in finished.values() for row in rows)
    high = max(mean(row["curve"][1][2].values()) for rows in finished.values() for row in rows)
    left.set_ylim(low - 0.02, high + 0.02)
    left.legend()
    chance = spread(finished)
    right.axvspan(-chance, chance, color="#dddddd", label="distance between seeds")
    right.axvline(0, color="C0", linewidth=1)
    right.set_yticks(range(1, len(names)), names[1:])
    right.invert_yaxis()
    right.set(xlabel="bits per byte minus the base's (left: better), each seed", ylim=(len(names) - 0.4, 0.4))
    right.legend(loc="lower right")
    for axis in (left, right):
        axis.grid(alpha=0.3)
    figure.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=VARIANTS, help="run this variant only, after the pilots")
    options = parser.parse_args()
    base = read_recipe(RECIPE)
    while job := next_job(results := read_results(), options.only):
        print(f"== {job}", flush=True)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            row = process.submit(run, job, base).result()
        with (FOLDER / "results.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")
    write_page(results, base)


if __name__ == "__main__":
    main()
