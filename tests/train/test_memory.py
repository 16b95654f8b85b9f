"""What a run is said to hold at its peak is what it holds, and what does not fit is refused before it starts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import subprocess
import sys

import pytest
import torch
from rich.console import Console

from finback import device
from finback.model import new_model
from finback.train import RecipeError, read_recipe
from finback.train.loop import read_log, train
from finback.train.memory import Forecast, check, forecast

RECIPE = """
name = "held"
precision = "{precision}"
[model]
preset = "nano"
hidden_size = {width}
moe_intermediate_size = 64
num_hidden_layers = 4
compress_ratios = [0, 4, 128, 4]
num_nextn_predict_layers = 0
index_topk = 16
[tokenizer]
vocab_size = 340
[optimizer]
kind = "{kind}"
[schedule]
batch_tokens = {batch}
learning_rate = 1e-3
end_learning_rate = 1e-4
warmup_steps = 1
decay_start = 0.5
stages = [
    {{ tokens = {batch}, sequence = 256, attention = "dense" }},
    {{ tokens = {batch}, sequence = 256, attention = "warmup" }},
    {{ tokens = {batch}, sequence = 256, attention = "sparse" }},
]
[[source]]
name = "lines"
path = "lines.jsonl"
form = "text"
origin = "this test"
licence = "CC0"
sha256 = "{sha}"
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    rng = random.Random(0)
    lines = [json.dumps({"text": " ".join(rng.choices(["red", "fish", "blue", "bird", "sings"], k=300))}) for _ in range(60)]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines))
    monkeypatch.setenv("FINBACK_DATA", str(tmp_path))
    sha = hashlib.sha256((tmp_path / "lines.jsonl").read_bytes()).hexdigest()

    def make(width=96, batch=8192, kind="muon", precision="fp32"):
        text = RECIPE.format(width=width, batch=batch, kind=kind, precision=precision, sha=sha)
        (tmp_path / "held.toml").write_text(text)
        return tmp_path / "held.toml"

    return make


RUN = """
import sys
import torch
from rich.console import Console
from finback.train import read_recipe, train
torch.set_num_threads(1)
train(read_recipe(sys.argv[1]), sys.argv[2], Console(quiet=True))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "batch", "kind", "precision"),
    [(96, 8192, "muon", "fp32"), (96, 8192, "muon", "bf16"), (128, 16384, "adamw", "fp32"), (512, 2048, "muon", "fp32")],
)
def test_peak_of_a_run_is_within_fifteen_percent_of_the_forecast(recipe, tmp_path, width, batch, kind, precision):
    file = recipe(width, batch, kind, precision)
    subprocess.run([sys.executable, "-c", RUN, str(file), str(tmp_path / "run")], check=True)
    said = json.loads((tmp_path / "run" / "run.json").read_text())["memory"]
    held = read_log(tmp_path / "run" / "log.jsonl")[-1]["memory"]
    assert held == pytest.approx(said, rel=0.15)


def test_activations_grow_with_the_batch_and_the_rest_does_not(recipe):
    found = []
    for batch in (1024, 4096):
        read = read_recipe(recipe(batch=batch))
        found.append(forecast(new_model(read.model, 0).train(), read, torch.float32))
    small, large = found
    assert large.activations == pytest.approx(4 * small.activations, rel=0.02)
    assert (large.optimizer, large.gradients) == (small.optimizer, small.gradients)


def test_optimizer_states_are_those_of_the_kind(recipe):
    for kind in ("muon", "adamw"):
        read = read_recipe(recipe(kind=kind))
        model = new_model(read.model, 0).train()
        weights = sum(p.nbytes for p in model.parameters() if p.requires_grad)
        found = forecast(model, read, torch.float32).optimizer
        assert found == 2 * weights if kind == "adamw" else weights < found < 2 * weights


def test_run_that_does_not_fit_is_refused_with_what_would(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "memory", lambda where: 256 << 20)
    with pytest.raises(RecipeError, match=r"try batch_tokens = \d+"):
        train(read_recipe(recipe()), tmp_path / "run", Console(quiet=True))
    assert not (tmp_path / "run" / "log.jsonl").exists()
    read = read_recipe(recipe())
    found = forecast(new_model(read.model, 0).train(), read, torch.float32)
    with pytest.raises(RecipeError) as refused:
        check(found, read, torch.device("cpu"))
    advised = read_recipe(recipe(batch=int(str(refused.value).rsplit(" ", 1)[1])))
    assert 256 <= advised.schedule.batch_tokens < 8192
    less = forecast(new_model(advised.model, 0).train(), advised, torch.float32)
    check(dataclasses.replace(less, held=found.held), advised, torch.device("cpu"))  # this process has grown meanwhile


def test_what_no_batch_would_fit_is_said(recipe, monkeypatch):
    monkeypatch.setattr(device, "memory", lambda where: 0)
    with pytest.raises(RecipeError, match="smaller model"):
        check(Forecast(100, 100, 100, 100, 100), read_recipe(recipe()), torch.device("cpu"))
