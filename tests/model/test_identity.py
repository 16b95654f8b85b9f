"""Names of models: the same for the same weights, another for any change."""

from __future__ import annotations

import pytest
import torch
from helpers import random_model, tiny_config

from finback.checkpoint import load, save
from finback.model import identity as module
from finback.model.identity import arithmetic, identity


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 16)


def test_every_value_counts_and_so_does_its_place():
    model = random_model(tiny_config(num_hidden_layers=2, compress_ratios=(4, 128)), seed=1).requires_grad_(False)
    own, seen, changes = identity(model), set(), 0
    for p in model.parameters():
        flat = p.view(-1)
        for at in {0, len(flat) // 2, len(flat) - 1}:
            before = flat[at].clone()
            flat[at] += 1
            seen.add(identity(model))
            flat[at] = before
            changes += 1
        if p.nbytes >= 1024 and flat[0] != flat[-1]:  # in different chunks
            flat[[0, -1]] = flat[[-1, 0]]
            seen.add(identity(model))
            flat[[0, -1]] = flat[[-1, 0]]
            changes += 1
    assert len(seen - {own}) == changes > 50
    assert identity(model) == own


def test_shape_and_format_count_and_the_file_does_not(tmp_path):
    model = random_model(tiny_config(), seed=1)
    save(model, tmp_path / "m", "fp32")
    assert identity(load(tmp_path / "m")) == identity(model)
    assert identity(load(tmp_path / "m", "bf16")) != identity(model)
    assert identity(random_model(tiny_config(rms_norm_eps=1e-5), seed=1)) != identity(model)
    assert identity(random_model(tiny_config(), seed=1)) == identity(model) != identity(random_model(tiny_config(), seed=2))


@pytest.mark.parametrize("look_at", [1 << 12, 1 << 17])
def test_a_model_too_large_to_read_is_looked_at_in_every_tensor(monkeypatch, look_at):
    model = random_model(tiny_config(num_hidden_layers=2, compress_ratios=(4, 128)), seed=1).requires_grad_(False)
    whole = identity(model)
    monkeypatch.setattr(module, "LOOK_AT", look_at)
    sampled = identity(model)
    assert sampled != whole and sampled == identity(model)
    for p in model.parameters():
        p += 1e-3
        assert identity(model) != sampled
        sampled = identity(model)


def test_arithmetic_names_the_backend(monkeypatch):
    model = random_model(tiny_config(), seed=1).requires_grad_(False)
    native = arithmetic(model)
    monkeypatch.setattr("finback.ops.BACKEND", "reference")
    assert arithmetic(model).startswith("reference, torch " + torch.__version__) and arithmetic(model) != native or native.startswith("reference")
