"""Does anticipatory routing keep a spike from coming again? Spikes made on purpose, with and without the defence.

    FINBACK_DATA=PATH python benchmarks/anticipatory.py --seed 1      # about ten minutes on one core; one process per seed
    python benchmarks/anticipatory.py --page                          # docs/anticipatory.md and .png from what is finished

A small V4 trains undisturbed up to step BEGIN, once for each seed. From its checkpoint every arm goes on: the same
weights, the same batches. At step HIT the MoE layers are disturbed, in every arm and again whenever a rollback comes
by. Finished arms are lines of runs/anticipatory/results-SEED.jsonl and are not repeated.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch
from matplotlib.figure import Figure
from rich.console import Console
from torch import Tensor

from finback.model import Transformer
from finback.train import Recipe, loop, read_recipe, train
from finback.train.loop import Run
from finback.train.recipe import StabilityOptions
from finback.train.schedule import Stage
from finback.train.stability import sentence

FOLDER, DOCS = Path("runs/anticipatory"), Path("docs")
SEEDS = (1, 2)
BEGIN, HIT, END = 192, 216, 280  # steps
BATCH, SEQUENCE = 1024, 128
BURST, BURST_STEPS = 400.0, 3
OUTLIER, OUTLIER_STEPS = 1000.0, 4
FACTOR = 6.0  # of the detector: more sensitive than the default, so that it answers both disturbances
AFTER = 16  # the loss at the end is the mean of so many steps

Step = Callable[[Run], dict[str, Any]]


def base(seed: int) -> Recipe:
    """The ablations' recipe, narrower, with more and weightier experts: at nano size the loss hardly depends on them."""
    recipe = read_recipe("recipes/ablation.toml")
    model = recipe.model.replace(
        vocab_size=512, hidden_size=64, n_routed_experts=8, num_hash_layers=0, routed_scaling_factor=4.0, initializer_range=0.125,
        num_nextn_predict_layers=0, compress_ratios=recipe.model.compress_ratios[:4],
    )  # fmt: skip
    schedule = dataclasses.replace(
        recipe.schedule, stages=(Stage(2 * END * BATCH, SEQUENCE, "dense"),), batch_tokens=BATCH, learning_rate=8e-3, decay_start=1.0
    )
    tokenizer = dataclasses.replace(recipe.tokenizer, vocab_size=512)
    return dataclasses.replace(
        recipe, name="anticipatory", seed=seed, sources=recipe.sources[:1], model=model, schedule=schedule, tokenizer=tokenizer
    )


# --- disturbances ---


def moe_parameters(model: Transformer) -> list[Tensor]:
    return [p for block in model.layers for p in (block.ffn.gate.weight, *block.ffn.experts.parameters())]


def burst(step: Step) -> Step:
    """Routers and experts move BURST times as far as they should, for BURST_STEPS steps. The damage lasts."""

    def disturbed(run: Run) -> dict[str, Any]:
        if not HIT <= run.step < HIT + BURST_STEPS:
            return step(run)
        plain = run.optimizer.step

        def far() -> None:
            moved = moe_parameters(run.model)
            before = [p.detach().clone() for p in moved]
            plain()
            with torch.no_grad():
                for p, old in zip(moved, before):
                    p.add_(p - old, alpha=BURST - 1)

        run.optimizer.step = far
        try:
            return step(run)
        finally:
            run.optimizer.step = plain

    return disturbed


def outlier(step: Step) -> Step:
    """For OUTLIER_STEPS steps expert 0 of every layer gives outputs OUTLIER times too large, and the router's affinities
    for it are scaled likewise; then both are scaled back. What was learnt meanwhile stays."""

    def disturbed(run: Run) -> dict[str, Any]:
        if not HIT <= run.step < HIT + OUTLIER_STEPS:
            return step(run)
        scaled = [t for block in run.model.layers for t in (block.ffn.gate.weight.data[0], block.ffn.experts.w2.data[0])]
        for t in scaled:
            t.mul_(OUTLIER)
        try:
            return step(run)
        finally:
            for t in scaled:
                t.div_(OUTLIER)

    return disturbed


def at_begin(change: Callable[[Run], None]) -> Callable[[Step], Step]:
    """Something done once, at step BEGIN."""

    def wrap(step: Step) -> Step:
        def changed(run: Run) -> dict[str, Any]:
            if run.step == BEGIN:
                change(run)
            return step(run)

        return changed

    return wrap


def turn_on(run: Run) -> None:
    run.guard.left = run.guard.options.duration


@torch.no_grad()
def perturb(run: Run) -> None:
    """Every parameter by about a thousandth: what does the smallest difference do to the course of a run?"""
    generator = torch.Generator().manual_seed(run.recipe.seed)
    for p in run.model.parameters():
        p.mul_(1 + 1e-3 * torch.randn(p.shape, generator=generator))


DISTURBANCES = {"burst": burst, "outlier": outlier, "none": lambda step: step}
OFF = StabilityOptions(enabled=False)


@dataclass(frozen=True)
class Arm:
    what: str
    options: StabilityOptions
    begin: Callable[[Run], None] | None = None


ARMS = {
    "off": Arm("no defence", OFF),
    "rollback": Arm("rollback alone (dt = 0)", StabilityOptions(factor=FACTOR, dt=0)),
    "dt4": Arm("rollback and anticipatory routing, dt = 4", StabilityOptions(factor=FACTOR, dt=4)),
    "dt16": Arm("rollback and anticipatory routing, dt = 16", StabilityOptions(factor=FACTOR, dt=16)),
    "control": Arm("no defence, weights changed by a thousandth at the start", OFF, perturb),
    "on4": Arm("anticipatory routing from the start, dt = 4", StabilityOptions(enabled=False, dt=4), turn_on),
}
PLAN = [("none", "off"), ("none", "control"), ("none", "on4")]
PLAN += [(disturbance, arm) for disturbance in ("burst", "outlier") for arm in ("off", "rollback", "dt4", "dt16", "control")]


class Stop(Exception):
    """The steps that were wanted are done."""


def go(recipe: Recipe, folder: Path, step: Step, last: int) -> list[dict[str, Any]]:
    def until(run: Run) -> dict[str, Any]:
        if run.step >= last:
            raise Stop
        return step(run)

    real, loop.training_step, loop.EVALUATIONS = loop.training_step, until, 1
    try:
        train(recipe, folder, Console(quiet=True))
    except Stop:
        pass
    finally:
        loop.training_step = real
    return loop.read_log(folder / "log.jsonl")


def prefix(seed: int) -> Path:
    folder = FOLDER / f"prefix-{seed}"
    if not (folder / "checkpoints" / f"step-{BEGIN:08d}.pt").exists():
        go(base(seed), folder, loop.training_step, BEGIN)
    return folder


def run_arm(seed: int, disturbance: str, name: str) -> dict[str, Any]:
    arm, folder = ARMS[name], FOLDER / f"{disturbance}-{name}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(prefix(seed), folder)
    (folder / "recipe.txt").unlink()  # only the options of [stability] differ
    step = DISTURBANCES[disturbance](loop.training_step)
    if arm.begin is not None:
        step = at_begin(arm.begin)(step)
    rows = go(dataclasses.replace(base(seed), stability=arm.options), folder, step, END)
    shutil.rmtree(folder)
    return {
        "disturbance": disturbance, "arm": name, "losses": [row["loss"] for row in rows],
        "events": [row["event"] for row in rows[BEGIN:] if "event" in row],
        "on": [row["step"] for row in rows if "routing_age" in row],
    }  # fmt: skip


def cost(seed: int, repeats: int = 8) -> dict[str, Any]:
    """Processor seconds of steps with anticipatory routing (dt = 4) and of ordinary ones, in turn."""
    folder = FOLDER / f"cost-{seed}"
    shutil.copytree(prefix(seed), folder, dirs_exist_ok=True)
    (folder / "recipe.txt").unlink()
    run = loop._open(dataclasses.replace(base(seed), stability=StabilityOptions(dt=4)), folder, Console(quiet=True))
    run.guard.left = 10**6
    loop.training_step(run)  # fills the queue
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for i in range(2 * repeats):
        on = i % 2 == 0
        run.guard.left = 10**6 if on else 0
        began = time.process_time()
        loop.training_step(run)
        seconds[on].append(time.process_time() - began)
    shutil.rmtree(folder)
    return {"disturbance": "cost", "arm": "cost", "on": seconds[True], "off": seconds[False]}


def read_results(seed: int) -> list[dict[str, Any]]:
    file = FOLDER / f"results-{seed}.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def work(seed: int) -> None:
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for disturbance, arm in [*PLAN, ("cost", "cost")]:
        if not any((row["disturbance"], row["arm"]) == (disturbance, arm) for row in read_results(seed)):
            print(f"== seed {seed}: {disturbance}, {arm}", flush=True)
            row = cost(seed) if arm == "cost" else run_arm(seed, disturbance, arm)
            with (FOLDER / f"results-{seed}.jsonl").open("a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")


# --- the page ---

DISTURBED = {
    "burst": f"Burst: for {BURST_STEPS} steps the routers and routed experts move {BURST:g} times as far as they should",
    "outlier": f"Outlier: for {OUTLIER_STEPS} steps expert 0 of every layer, and its row of the router, are {OUTLIER:g} times too large",
}
Results = dict[tuple[int, str, str], dict[str, Any]]


def excess(results: Results, seed: int, disturbance: str, arm: str) -> list[float]:
    """By how much the loss of each step from HIT on lies above that of the undisturbed run."""
    calm = results[seed, "none", "off"]["losses"]
    return [a - b for a, b in zip(results[seed, disturbance, arm]["losses"][HIT:], calm[HIT:])]


def verdict(results: Results, seeds: list[int], disturbance: str, arm: str) -> str:
    """Of the mean excess against no defence: what every seed shows, by more than the control."""
    found = [mean(excess(results, s, disturbance, arm)) - mean(excess(results, s, disturbance, "off")) for s in seeds]
    chance = max(abs(mean(excess(results, s, disturbance, "control")) - mean(excess(results, s, disturbance, "off"))) for s in seeds)
    if not any(found):
        return "the same bits"
    if max(found) * min(found) <= 0 or min(map(abs, found)) <= chance:
        return "not established"
    return "**worse**" if found[0] > 0 else "**better**"


def table(results: Results, seeds: list[int], disturbance: str) -> str:
    rows = [["arm", "spike: highest loss", "mean excess", f"excess of the last {AFTER} steps", "against no defence"]]
    for arm in ("off", "rollback", "dt4", "dt16", "control"):
        found = [excess(results, seed, disturbance, arm) for seed in seeds]
        peaks = [max(results[seed, disturbance, arm]["losses"][HIT:]) for seed in seeds]
        columns = (peaks, [mean(x) for x in found], [mean(x[-AFTER:]) for x in found])
        last = "" if arm == "off" else verdict(results, seeds, disturbance, arm)
        rows.append([ARMS[arm].what, *(" / ".join(f"{x:.3f}" for x in column) for column in columns), last])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def write_page() -> None:
    """docs/anticipatory.md and its picture, once every arm of two seeds is there; the numbers are not written by hand."""
    results = {(seed, row["disturbance"], row["arm"]): row for seed in SEEDS for row in read_results(seed)}
    seeds = [s for s in SEEDS if all((s, d, a) in results for d, a in [*PLAN, ("cost", "cost")])]
    if len(seeds) < 2:
        return
    plot(results, seeds, DOCS / "anticipatory.png")
    (DOCS / "anticipatory.md").write_text(page(results, seeds), encoding="utf-8")


def page(results: Results, seeds: list[int]) -> str:
    costs = [results[seed, "cost", "cost"] for seed in seeds]
    extra = [median(c["on"]) / median(c["off"]) - 1 for c in costs]
    fastest = [min(c["on"]) / min(c["off"]) - 1 for c in costs]
    price = [mean(excess(results, seed, "none", "on4")) for seed in seeds]
    control = [mean(excess(results, seed, "none", "control")) for seed in seeds]
    verdicts = {(d, a): verdict(results, seeds, d, a) for d in DISTURBED for a in ("rollback", "dt4", "dt16")}
    happened = [
        f"- {d}, {ARMS[a].what}: {sentence(event)}."
        for d in DISTURBED for a in ("rollback", "dt4", "dt16") for event in results[seeds[0], d, a]["events"]
    ]  # fmt: skip

    def shares(arm: str) -> str:
        first, others = (
            [mean(excess(results, seed, "outlier", a)[:OUTLIER_STEPS]) for seed in seeds] for a in ("off", arm)
        )
        return " / ".join(f"{b / a:.0%}" for a, b in zip(first, others))

    sections = "\n\n".join(f"### {DISTURBED[d]}\n\n{table(results, seeds, d)}" for d in DISTURBED)
    return f"""# Anticipatory routing

DeepSeek-V4's training met loss spikes that came with outliers in the MoE layers; going back alone did not keep them from
coming again, and anticipatory routing did (report 4.2.3). Does it here? Spikes made on purpose in a small V4, with and
without the defence of [stability.py](../finback/train/stability.py). This page is written by

```sh
FINBACK_DATA=PATH python benchmarks/anticipatory.py    # finished runs are kept
```

![Loss around the disturbances](anticipatory.png)

## What was done

{parameters(base(seeds[0])):,} parameters, four layers of 8 experts with learned routers, Muon, batches of {BATCH:,} tokens, constant learning rate.
At nano size the loss hardly depends on which experts work, so their outputs weigh {base(1).model.routed_scaling_factor:g} instead of
1.5 and their weights start larger. Each seed trains undisturbed to step {BEGIN}; from there every arm sees the same batches up to
step {END}. The disturbance begins at step {HIT} and comes again when a rollback comes by, at the same steps. It is in the
weights of routers and experts; the loss is the model's own. The detector's `factor` is {FACTOR:g} instead of the default
{StabilityOptions().factor:g}; everything else is the default: a window of {StabilityOptions().window} steps, {StabilityOptions().rollback} or more steps back, on for {StabilityOptions().duration}.

## Results

Loss in nats per token, seeds {" / ".join(map(str, seeds))}. Excess: above the run without a disturbance, at the same steps. *Better* and
*worse* are said of the mean excess where every seed agrees and differs by more than the control, whose weights were changed
by a thousandth at step {BEGIN}. With {len(seeds)} seeds that is a rule of thumb.

{sections}

## What that says

- Rollback alone: {verdicts["burst", "rollback"]} (burst), {verdicts["outlier", "rollback"]} (outlier) as without any defence. That is no accident: nothing in
  a step is random, so the same state, data and disturbance give the same spike, to the bit. It can only help against what
  does not come again, such as an error of the machine.
- Outlier: anticipatory routing is {verdicts["outlier", "dt4"]} with dt = 4 and {verdicts["outlier", "dt16"]} with dt = 16. The spike came again and the detector saw it again,
  but smaller: of the excess of the disturbed steps, {shares("dt4")} was left with dt = 4 and {shares("dt16")} with dt = 16. Our
  reading: the routers could not send every token to the outlier at once, and when their choice of those steps is used, dt
  steps later, the outlier is gone.
- Burst: it is {verdicts["burst", "dt4"]} with dt = 4 and {verdicts["burst", "dt16"]} with dt = 16. Our reading: the experts themselves are damaged, whoever is sent
  to them, and the routers recover together with the experts, but dt steps later the choice of the damaged routers arrives; the picture shows the loss
  rise a second time, exactly then.
- So in this model the defence dampens a passing outlier that routing amplifies (here of {OUTLIER_STEPS} steps, no longer than dt). It neither
  prevents that spike nor repairs weights, and damage to the routers it prolongs.
- What this does not show: what it does where outliers grow by themselves, in a model of hundreds of billions of parameters.
  Here they were put in. In two trials of 200 steps beside this script (preset nano with 16 experts, without SwiGLU's clamp and
  without clipping, Muon at a rate of 0.03 and AdamW at 0.01) no spike came by itself.

## What it costs

- While it is on, a step takes {" / ".join(f"{x:+.0%}" for x in extra)} of processor time by the median ({" / ".join(f"{x:+.0%}" for x in fastest)} by the fastest), steps
  with and without in turn: the forward that chooses. The report says about 20 %. Measured on one thread of a shared machine.
- In loss, on for {StabilityOptions().duration} steps of the undisturbed run with dt = 4: {" / ".join(f"{x:+.4f}" for x in price)} per step from step {HIT} on (the control: {" / ".join(f"{x:+.4f}" for x in control)}).
- The rollback: the undone steps once more.

## What the runs said (seed {seeds[0]})

{chr(10).join(happened)}
"""


def parameters(recipe: Recipe) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in Transformer(recipe.model).parameters() if p.requires_grad)


def plot(results: Results, seeds: list[int], file: Path) -> None:
    figure = Figure(figsize=(11, 3.4 * len(seeds)), layout="constrained")
    axes = figure.subplots(len(seeds), len(DISTURBED), squeeze=False)
    for row, seed in zip(axes, seeds):
        for axis, disturbance in zip(row, DISTURBED):
            steps = range(HIT - 15, END + 1)
            axis.plot(steps, results[seed, "none", "off"]["losses"][HIT - 16 :], color="#999999", linewidth=1, label="undisturbed")
            for i, (arm, style) in enumerate((("off", "-"), ("rollback", "--"), ("dt4", "-"), ("dt16", "-"))):
                losses = results[seed, disturbance, arm]["losses"][HIT - 16 :]
                axis.plot(steps, losses, color=f"C{i}", linestyle=style, linewidth=2.4 if arm == "off" else 1.4, label=ARMS[arm].what)
            axis.set(title=f"{disturbance}, seed {seed}", xlabel="step", ylabel="training loss (nats per token)")
            axis.grid(alpha=0.3)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    figure.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, choices=SEEDS)
    parser.add_argument("--page", action="store_true", help="only write the page")
    options = parser.parse_args()
    if not options.page:
        for seed in [options.seed] if options.seed else SEEDS:
            work(seed)
    write_page()


if __name__ == "__main__":
    main()
