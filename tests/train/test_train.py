"""The training loop on a made-up corpus: it learns, it resumes exactly, it refuses bad recipes."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch
from rich.console import Console

import finback
from finback import ops
from finback.checkpoint import open_checkpoint, save
from finback.model import Batch, new_model, storage_dtype
from finback.ops import formats
from finback.text import load_tokenizer
from finback.train import RecipeError, loop, read_recipe, train
from finback.train.losses import Weights
from finback.train.losses import losses as losses_of
from finback.train.optim import build_optimizer
from finback.train.recipe import OptimizerOptions

RECIPE = """
name = "toy"
seed = 3
samples = ["Hello"]
[model]
preset = "nano"
hidden_size = 32
num_hidden_layers = 2
compress_ratios = [4, 128, 0]
index_topk = 4
[tokenizer]
vocab_size = 340
[data]
held_out = 0.1
[schedule]
batch_tokens = 256
learning_rate = 1e-2
end_learning_rate = 1e-3
warmup_steps = 2
decay_start = 0.5
stages = [
    {{ tokens = {dense}, sequence = 64, attention = "dense" }},
    {{ tokens = 512, sequence = 64, attention = "warmup" }},
    {{ tokens = 1024, sequence = 96, attention = "sparse" }},
]
[[source]]
name = "lines"
path = "lines.jsonl"
form = "text"
origin = "this test"
licence = "CC0"
sha256 = "{sha}"
fim = true
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    rng = random.Random(0)
    lines = [json.dumps({"text": " ".join(rng.choices(["red", "fish", "blue", "bird", "sings"], k=60))}) for _ in range(40)]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines))
    monkeypatch.setenv("FINBACK_DATA", str(tmp_path))
    monkeypatch.setattr(loop, "SAMPLE_TOKENS", 3)  # these runs evaluate at every step
    sha = hashlib.sha256((tmp_path / "lines.jsonl").read_bytes()).hexdigest()

    def recipe(**changes):
        text = RECIPE.replace(*FP4) if changes.pop("fp4", False) else RECIPE
        (tmp_path / "toy.toml").write_text(text.format(**{"dense": 2048, "sha": sha, **changes}))
        return read_recipe(tmp_path / "toy.toml")

    return tmp_path, recipe


def quiet() -> Console:
    return Console(quiet=True)


FP4 = ('attention = "sparse" }}', 'attention = "sparse", fp4 = true }}')


def losses(run) -> list[float]:
    return [row["loss"] for row in loop.read_log(run / "log.jsonl")]


def said(run) -> list[dict]:
    return loop.read_log(run / "samples.jsonl")


def points(run) -> list[tuple[int, float]]:
    """Every point of TensorBoard's loss curve, read file by file, so that nothing is deduplicated on the way."""
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader").LegacyEventFileLoader
    events = [event for file in sorted((run / "tensorboard").iterdir()) for event in loader(str(file)).Load()]
    return [(e.step, v.simple_value) for e in events for v in e.summary.value if v.tag == "loss"]


def test_training_lowers_the_loss_and_leaves_a_model_that_loads(toy):
    folder, recipe = toy
    model_dir = train(recipe(dense=8192), folder / "run", quiet())
    curve = losses(folder / "run")
    assert len(curve) == 38
    assert curve[-1] < curve[0] - 2
    model, tokenizer = finback.load(model_dir), load_tokenizer(model_dir)
    assert model.config.vocab_size == tokenizer.vocab_size
    assert model.config.num_nextn_predict_layers == 1
    assert (folder / "run" / "loss.png").stat().st_size > 10_000
    assert "**Hello**" in (folder / "run" / "samples.md").read_text()


def test_each_stage_trains_what_it_should(toy):
    folder, recipe = toy
    train(recipe(), folder / "run", quiet())
    rows = loop.read_log(folder / "run" / "log.jsonl")
    assert [r["attention"] for r in rows] == ["dense"] * 8 + ["warmup"] * 2 + ["sparse"] * 4
    assert ["indexer" in r for r in rows] == [False] * 8 + [True] * 6
    assert ["mtp" in r for r in rows] == [True] * 8 + [False] * 2 + [True] * 4
    assert all(0 <= r["recall"] <= 1.001 for r in rows[8:])
    assert set(rows[-1]["bits_per_byte"]) == {"lines"}
    assert [(s["step"], set(s["samples"])) for s in said(folder / "run")] == [(i, {"Hello"}) for i in range(1, 15)]
    for row in rows:
        assert row["mfu"] == pytest.approx(row["flops"] / row["seconds"] / row["ceiling"])
        assert row["speed"] == pytest.approx(256 / row["seconds"])


def test_sinkhorn_error_is_that_of_the_worst_row_or_column(toy):
    folder, recipe = toy
    run = loop._open(recipe(), folder / "run", quiet())
    nearly = loop.sinkhorn_error(run)
    assert 0 < nearly < 1e-3
    for block in run.model.layers:
        block.hc_ffn_scale.data[2] = 500.0  # logits so far apart that twenty iterations do not balance them
    assert 0.05 < loop.sinkhorn_error(run) < run.model.config.hc_mult


def test_indexer_warm_up_moves_the_indexer_alone(toy):
    folder, recipe = toy
    run = loop._open(recipe(dense=256), folder / "run", quiet())
    loop.training_step(run)
    before = {n: p.detach().clone() for n, p in run.model.named_parameters()}
    loop.training_step(run)
    moved = {n for n, p in run.model.named_parameters() if not torch.equal(p, before[n])}
    assert moved and all(".indexer." in n for n in moved)


def test_what_trained_for_fp4_is_exported_in_fp4_and_computes_the_same_bits(toy):
    folder, recipe = toy
    model_dir = train(recipe(fp4=True), folder / "run", quiet())
    last = sorted((folder / "run" / "checkpoints").glob("step-*.pt"))[-1]
    loaded = finback.load(model_dir)
    masters = new_model(loaded.config.replace(index_fp4=False), seed=0).train()
    masters.load_state_dict(torch.load(last)["model"])
    batch = Batch.of([torch.arange(96) * 7 % 340, torch.arange(61) * 5 % 340])

    def training(**options) -> torch.Tensor:
        return masters.read_out(masters.streams(masters.new_pass(batch, **options)))

    assert torch.equal(loaded(batch), training(fp4=True))
    assert not torch.equal(loaded(batch), training())
    assert open_checkpoint(model_dir).dtype("layers.0.ffn.experts.0.w1.weight") == "I8"
    state = loaded.state_dict()
    for name, weight in masters.state_dict().items():
        expert = ".ffn.experts." in name
        assert torch.equal(state[name], ops.round_fp4(weight) if expert else weight), name
        assert not expert or not torch.equal(state[name], weight)
    save(loaded, folder / "again", "fp32", "fp4")
    assert torch.equal(finback.load(folder / "again")(batch), loaded(batch))


@pytest.mark.parametrize("fp4", [False, True])
def test_bf16_training_computes_the_bits_of_the_model_in_bf16(toy, fp4):
    _, recipe = toy
    masters = new_model(recipe().model.replace(vocab_size=340), seed=5)
    narrow = copy.deepcopy(masters)
    for name, p in narrow.named_parameters():
        rounded = ops.round_fp4(p.data) if fp4 and ".ffn.experts." in name else p.data
        p.data = rounded.to(storage_dtype(name, torch.bfloat16))
    narrow.config = narrow.config.replace(index_fp4=fp4)
    batch = Batch.of([torch.arange(96) * 7 % 340, torch.arange(61) * 5 % 340])
    h = masters.streams(masters.new_pass(batch, fp4=fp4, dtype=torch.bfloat16))
    assert h.dtype == torch.bfloat16
    assert torch.equal(masters.read_out(h), narrow(batch))
    masters.read_out(h).logsumexp(1).sum().backward()
    assert all(p.grad.dtype == torch.float32 for p in masters.parameters() if p.grad is not None)


def test_precision_of_a_run_is_the_recipes_or_the_machines(toy, monkeypatch):
    _, recipe = toy
    cpu = torch.device("cpu")
    for fast in (False, True):
        monkeypatch.setattr(loop, "fast_bf16", lambda device, fast=fast: fast)
        kinds = [loop.compute_dtype(dataclasses.replace(recipe(), precision=p), cpu) for p in ("auto", "bf16", "fp32")]
        assert kinds == [torch.bfloat16 if fast else torch.float32, torch.bfloat16, torch.float32]


def test_fp4_begins_with_its_stage(toy, monkeypatch):
    folder, recipe = toy
    run = loop._open(recipe(dense=256, fp4=True), folder / "run", quiet())
    seen = []
    real = loop.losses
    monkeypatch.setattr(loop, "losses", lambda *args, **kwargs: seen.append(kwargs["fp4"]) or real(*args, **kwargs))
    for step in range(5):
        fp4 = step >= 3  # one dense step, two of warm-up
        rounds = []
        with monkeypatch.context() as patch:
            patch.setattr(ops, "round_fp4", lambda x, rounds=rounds: rounds.append(x.shape) or formats.round_fp4(x))
            loop.evaluate(run)
            assert bool(rounds) == fp4
            rounds.clear()
            loop.training_step(run)
            blocks = 3  # two layers and an MTP block, each once and not once for every part of the batch
            assert len(rounds) == (3 * blocks if fp4 else 0)
    assert seen == [False] * 3 + [True] * 2


def test_masters_move_below_the_steps_of_fp4(toy):
    folder, recipe = toy
    run = loop._open(recipe(dense=256, fp4=True), folder / "run", quiet())
    for _ in range(3):
        loop.training_step(run)
    weight = run.model.layers[0].ffn.experts.w1
    before, stored = weight.detach().clone(), ops.round_fp4(weight.detach())
    loop.training_step(run)
    moved, kept = weight != before, ops.round_fp4(weight.detach()) == stored
    assert moved.float().mean() > 0.9 and (moved & kept).any() and not kept.all()


@pytest.mark.parametrize("kind", ["muon", "adamw"])
def test_same_recipe_gives_the_same_bits(toy, kind):
    folder, recipe = toy
    chosen = dataclasses.replace(recipe(), optimizer=OptimizerOptions(kind=kind))
    train(chosen, folder / "a", quiet())
    train(chosen, folder / "b", quiet())
    assert losses(folder / "a") == losses(folder / "b")
    a, b = (finback.load(folder / x / "model").state_dict() for x in "ab")
    assert all(torch.equal(a[n], b[n]) for n in a)


def test_run_killed_at_any_step_resumes_with_the_same_losses(toy, monkeypatch):
    folder, recipe = toy
    train(recipe(), folder / "whole", quiet())
    whole = losses(folder / "whole")

    class Killed(Exception):
        pass

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)  # a checkpoint after every step
    for after in (1, 7, 9, 12):  # in each stage
        real, count = loop.training_step, iter(range(1000))

        def step(run):
            if next(count) == after:
                raise Killed
            return real(run)

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(loop, "training_step", step)
            train(recipe(), folder / f"killed-{after}", quiet())
        assert losses(folder / f"killed-{after}") == whole[:after]
        train(recipe(), folder / f"killed-{after}", quiet())
        assert losses(folder / f"killed-{after}") == whole
        assert said(folder / f"killed-{after}") == said(folder / "whole")
        assert points(folder / f"killed-{after}") == [(i + 1, loss) for i, loss in enumerate(torch.tensor(whole).tolist())]
    assert len(list((folder / "killed-12" / "checkpoints").iterdir())) == loop.KEEP


# Trains sys.argv[1] in sys.argv[2], with a checkpoint after every step; the learning rate is sys.argv[3] times as high at step 100.
TRAIN = """
import dataclasses, sys
from rich.console import Console
from finback.train import loop, read_recipe

def at(schedule, step, tokens, real=loop.at):
    moment = real(schedule, step, tokens)
    return dataclasses.replace(moment, learning_rate=moment.learning_rate * (float(sys.argv[3]) if step == 100 else 1.0))

loop.at, loop.CHECKPOINT_SECONDS = at, 0.0
loop.train(read_recipe(sys.argv[1]), sys.argv[2], Console(quiet=True))
"""


@pytest.mark.slow
@pytest.mark.parametrize("burst", [1, 1000])
def test_run_killed_by_the_system_at_random_moments_gives_the_same_losses(toy, burst):
    folder, recipe = toy
    recipe(dense=65536)

    def start(name: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(folder / "toy.toml"), str(folder / name), str(burst)],
            env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},  # another number rounds differently
        )

    assert start("whole").wait() == 0
    rng, log = random.Random(1), folder / "killed" / "log.jsonl"
    # before the spike; on the way to it, and once more after the return; while routing is anticipatory; after that
    for rows in sorted(rng.randint(*r) for r in ((2, 40), (41, 79), (82, 100), (103, 120), (121, 140), (150, 250))):
        process = start("killed")
        while process.poll() is None and not (log.exists() and log.read_bytes().count(b"\n") >= rows):
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, f"the run ended before {rows} steps"
    assert start("killed").wait() == 0
    assert losses(folder / "killed") == losses(folder / "whole")
    spikes = [row["step"] for row in loop.read_log(folder / "whole" / "log.jsonl") if "event" in row]
    assert bool(spikes) == (burst > 1) and (not spikes or spikes[0] == 81)  # back from step 101 or 102


def test_full_disk_does_not_cost_the_last_good_checkpoint(toy, monkeypatch):
    folder, recipe = toy
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    real, count = torch.save, iter(range(1000))

    def save(state, out):
        if next(count) == 5:
            out.write(b"half")
            raise OSError(28, "No space left on device")
        real(state, out)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(torch, "save", save)
        train(recipe(), folder / "run", quiet())
    train(recipe(), folder / "run", quiet())
    train(recipe(), folder / "whole", quiet())
    assert losses(folder / "run") == losses(folder / "whole")


def test_run_of_another_recipe_is_not_continued(toy):
    folder, recipe = toy
    train(recipe(dense=512), folder / "run", quiet())
    with pytest.raises(ValueError, match="another recipe"):
        train(recipe(dense=1024), folder / "run", quiet())


def test_loss_that_is_not_finite_stops_the_run(toy, monkeypatch):
    folder, recipe = toy
    monkeypatch.setattr("finback.train.losses.head_loss", lambda x, *_: x.sum() * torch.nan)
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        train(recipe(), folder / "run", quiet())


def test_a_tiny_model_overfits_two_sentences(toy):
    _, recipe = toy
    model = new_model(recipe().model.replace(vocab_size=340), 0)
    optimizer = build_optimizer(model, 0.0)
    tokens = torch.randint(0, 340, (2, 40), generator=torch.Generator().manual_seed(0))
    batch, targets = Batch.of([t[:-1] for t in tokens]), torch.cat([t[1:] for t in tokens])
    for _ in range(60):
        optimizer.set_learning_rate(1e-2)
        losses_of(model, batch, targets, Weights()).total.backward()
        optimizer.step()
        optimizer.zero_grad()
    final = losses_of(model, batch, targets, Weights())
    assert final.next_token < 0.1
    assert final.mtp < 0.1


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("batch_tokens = 256", "batch_size = 256", "unknown key 'batch_size'"),
        ("warmup_steps = 2\n", "", "lacks warmup_steps"),
        ("held_out = 0.1", "held_out = 0", "held_out is 0"),
        ("compress_ratios = [4, 128, 0]", "compress_ratios = [0, 128, 0]", "no CSA layer"),
        ("[tokenizer]", "[optimizer]\nkind = 'sgd'\n[tokenizer]", "kind is 'sgd'"),
        ("[[source]]", "[source]", r"write \[\[source\]\]"),
        ('preset = "nano"', 'preset = "huge"', "no preset 'huge'"),
        ("hidden_size = 32", "hidden_sise = 32", "unknown key 'hidden_sise'"),
        ("sequence = 96", "sequence = 100000", "shorten the sequences"),
        ("index_topk = 4", "max_position_embeddings = 90", "above max_position_embeddings"),
        ("seed = 3", "seed = ", "not valid TOML"),
    ],
)
def test_bad_recipe_is_refused_with_its_cause(tmp_path, old, new, match):
    assert old in RECIPE
    (tmp_path / "r.toml").write_text(RECIPE.format(dense=64, sha="0").replace(old, new))
    with pytest.raises(ValueError, match=match):
        read_recipe(tmp_path / "r.toml")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("hidden_size = 32", "hidden_size = 33", "hidden_size=33 is odd"),
        ("hidden_size = 32", "hidden_size = 32\nindex_head_dim = 24", "index_head_dim is 24"),
        ("fp4 = true", "fp4 = 1", "fp4 of stage 3 is 1; it must be true or false"),
    ],
)
def test_recipe_that_could_not_be_exported_in_fp4_is_refused_at_once(tmp_path, old, new, match):
    (tmp_path / "r.toml").write_text(RECIPE.replace(*FP4).format(dense=64, sha="0").replace(old, new))
    with pytest.raises(ValueError, match=match):
        read_recipe(tmp_path / "r.toml")


def test_missing_recipe_is_named(tmp_path):
    with pytest.raises(RecipeError, match="does not exist"):
        read_recipe(tmp_path / "gone.toml")
