"""The training loop on a made-up corpus: it learns, it resumes exactly, it refuses bad recipes."""

from __future__ import annotations

import hashlib
import json
import random

import pytest
import torch
from rich.console import Console

import finback
from finback.text import load_tokenizer
from finback.train import RecipeError, read_recipe, train
from finback.train import loop

RECIPE = """
name = "toy"
seed = 3
[model]
preset = "nano"
hidden_size = 32
num_hidden_layers = 2
compress_ratios = [4, 128]
num_nextn_predict_layers = 0
[tokenizer]
vocab_size = 340
[train]
tokens = {tokens}
batch_tokens = 256
sequence = 64
learning_rate = 1e-2
warmup_steps = 2
weight_decay = 0.1
held_out = 0.1
samples = ["Hello"]
[[source]]
name = "lines"
path = "lines.jsonl"
form = "text"
origin = "this test"
licence = "CC0"
sha256 = "{sha}"
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    rng = random.Random(0)
    lines = [json.dumps({"text": " ".join(rng.choices(["red", "fish", "blue", "bird", "sings"], k=60))}) for _ in range(40)]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines))
    monkeypatch.setenv("FINBACK_DATA", str(tmp_path))
    sha = hashlib.sha256((tmp_path / "lines.jsonl").read_bytes()).hexdigest()

    def recipe(**changes):
        (tmp_path / "toy.toml").write_text(RECIPE.format(**{"tokens": 4096, "sha": sha, **changes}))
        return read_recipe(tmp_path / "toy.toml")

    return tmp_path, recipe


def quiet() -> Console:
    return Console(quiet=True)


def losses(run) -> list[float]:
    return [json.loads(line)["loss"] for line in (run / "log.jsonl").read_text().splitlines()]


def test_training_lowers_the_loss_and_leaves_a_model_that_loads(toy):
    folder, recipe = toy
    model_dir = train(recipe(tokens=8192), folder / "run", quiet())
    curve = losses(folder / "run")
    assert len(curve) == 32
    assert curve[-1] < curve[0] - 2
    model, tokenizer = finback.load(model_dir), load_tokenizer(model_dir)
    assert model.config.vocab_size == tokenizer.vocab_size
    assert (folder / "run" / "loss.png").stat().st_size > 10_000
    assert "**Hello**" in (folder / "run" / "samples.md").read_text()


def test_killed_run_resumes_with_the_same_losses(toy, monkeypatch):
    folder, recipe = toy
    train(recipe(), folder / "whole", quiet())

    class Killed(Exception):
        pass

    def kill_after(steps):
        real, count = loop._batch, iter(range(10_000))

        def batch(pieces):
            if next(count) == steps:
                raise Killed
            return real(pieces)

        return batch

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)  # a checkpoint after every step
    monkeypatch.setattr(loop, "_batch", kill_after(7))
    with pytest.raises(Killed):
        train(recipe(), folder / "killed", quiet())
    monkeypatch.undo()
    monkeypatch.setenv("FINBACK_DATA", str(folder))
    assert len(losses(folder / "killed")) < len(losses(folder / "whole"))
    train(recipe(), folder / "killed", quiet())
    assert losses(folder / "killed") == losses(folder / "whole")


def test_run_of_another_recipe_is_not_continued(toy):
    folder, recipe = toy
    train(recipe(tokens=512), folder / "run", quiet())
    with pytest.raises(ValueError, match="another recipe"):
        train(recipe(tokens=1024), folder / "run", quiet())


def test_loss_that_is_not_finite_stops_the_run(toy, monkeypatch):
    folder, recipe = toy
    monkeypatch.setattr(loop.F, "cross_entropy", lambda logits, targets: logits.sum() * torch.nan)
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        train(recipe(), folder / "run", quiet())


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("batch_tokens = 256", "batch_size = 256", "unknown key 'batch_size'"),
        ("warmup_steps = 2\n", "", "lacks warmup_steps"),
        ("held_out = 0.1", "held_out = 0", "held_out is 0"),
        ("[[source]]", "[source]", r"write \[\[source\]\]"),
        ('preset = "nano"', 'preset = "huge"', "no preset 'huge'"),
        ("hidden_size = 32", "hidden_sise = 32", "unknown key 'hidden_sise'"),
        ("sequence = 64", "sequence = 100000", "exceeds max_position_embeddings"),
        ("seed = 3", "seed = ", "not valid TOML"),
    ],
)
def test_bad_recipe_is_refused_with_its_cause(tmp_path, old, new, match):
    assert old in RECIPE
    (tmp_path / "r.toml").write_text(RECIPE.format(tokens=64, sha="0").replace(old, new))
    with pytest.raises(ValueError, match=match):
        read_recipe(tmp_path / "r.toml")


def test_missing_recipe_is_named(tmp_path):
    with pytest.raises(RecipeError, match="does not exist"):
        read_recipe(tmp_path / "gone.toml")
