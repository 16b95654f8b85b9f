"""The plan's experts in every format in which they can be stored, and what must hold for them to the last bit."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from helpers import random_ids, random_model, tiny_config

from finback.checkpoint.formats import decode, e8m0_bytes, encode
from finback.model import Batch, native, storage_dtype
from finback.model.rope import frequencies
from finback.model.state import Layout
from finback.ops.cpu.plan import Plan, Stored

# two FP8 blocks of rows or columns, and three panels of which one is not full
CONFIG = tiny_config(hidden_size=160, moe_intermediate_size=96, n_routed_experts=7, num_experts_per_tok=3, swiglu_limit=0.7)
EXPERTS = tuple(f"{owner}.w{i}{end}" for owner, end in (("experts", ""), ("shared_experts", ".weight")) for i in (1, 2, 3))


def stored(format: str, w: torch.Tensor) -> tuple[Stored, torch.Tensor]:
    """Matrices w [..., N, K] in a format, and what they are then."""
    matrices = w.reshape(-1, *w.shape[-2:])
    if format == "int8":
        scale = matrices.abs().amax(dim=2) / 127
        data = (matrices / scale[..., None]).round().to(torch.int8)
        return Stored(format, tuple(w.shape), data, scale), (data.float() * scale[..., None]).view(w.shape)
    parts = [encode(m, format) for m in matrices]
    values = torch.stack([decode(p, torch.float32) for p in parts]).view(w.shape)
    if format in ("fp32", "bf16"):
        return Stored(format, tuple(w.shape), torch.stack([p.data for p in parts])), values
    data = torch.stack([p.data.view(torch.uint8) for p in parts])
    return Stored(format, tuple(w.shape), data, torch.stack([e8m0_bytes(p.scale) for p in parts])), values


@cache
def plans(format: str, rounding: str = "bf16") -> tuple[Plan, Plan]:
    """A model with its experts in a format, and the one with the same values as dense FP32 (INT8) or BF16."""
    model = random_model(CONFIG, seed=5).requires_grad_(False)
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    plain = torch.float32 if format in ("fp32", "int8") else torch.bfloat16
    tensors = {name: t.to(storage_dtype(name, plain)) if t.is_floating_point() else t for name, t in tensors.items()}
    dense = dict(tensors)
    for name in tensors:
        if name.endswith(EXPERTS):
            tensors[name], values = stored(format, model.get_parameter(name))
            dense[name] = values.to(plain)
    rope = frequencies(CONFIG, False), frequencies(CONFIG, True)
    return tuple(Plan(CONFIG, given, Layout(CONFIG, torch.float32), rope, rounding) for given in (tensors, dense))


def logits(plan: Plan, sequences: list[torch.Tensor]) -> torch.Tensor:
    return native.forward(plan, Batch.of(sequences), None, None)


FORMATS = ["fp32", "bf16", "fp8", "fp4", "int8"]


@pytest.mark.parametrize("format", ["fp8", "fp4"])
def test_decoded_weights_give_the_bits_of_the_same_values_in_bf16(level, format):
    found, dense = plans(format)
    for n in (1, 2, 70):
        ids = [random_ids(n, CONFIG.vocab_size, n)]
        assert torch.equal(logits(found, ids), logits(dense, ids))


def test_int8_is_near_the_same_values_in_fp32(level):
    found, dense = plans("int8")
    ids = [random_ids(90, CONFIG.vocab_size, 1)]
    a, b = logits(found, ids), logits(dense, ids)
    assert 0 < (a - b).norm() < 0.05 * b.norm()


STORED = pytest.mark.parametrize(("format", "rounding"), [*((f, "bf16") for f in FORMATS), ("fp8", "fp8"), ("fp4", "fp8")])


@STORED
def test_company_does_not_show_in_any_bit(level, format, rounding):
    plan, _ = plans(format, rounding)
    sequences = [random_ids(n, CONFIG.vocab_size, n) for n in (1, 270, 2, 5)]  # more rows than one task takes
    assert torch.equal(logits(plan, sequences), torch.cat([logits(plan, [ids]) for ids in sequences]))


@STORED
def test_threads_do_not_show_in_any_bit(threads, format, rounding):
    plan, _ = plans(format, rounding)
    sequences = [random_ids(n, CONFIG.vocab_size, n) for n in (1, 40)]
    found = logits(plan, sequences)
    torch.set_num_threads(1)
    assert torch.equal(found, logits(plan, sequences))


def test_fp4_that_ends_within_a_group_is_refused():
    config = tiny_config(moe_intermediate_size=40)
    model = random_model(config, seed=5).requires_grad_(False)
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    tensors["layers.0.ffn.experts.w2"], _ = stored("fp4", model.layers[0].ffn.experts.w2)
    rope = frequencies(config, False), frequencies(config, True)
    with pytest.raises(ValueError, match="layers.0.ffn.experts.w2 has 40 columns, and FP4 is read in groups of 32"):
        Plan(config, tensors, Layout(config, torch.float32), rope)
