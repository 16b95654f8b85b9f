"""Is it DeepSeek-V4? The official code's golden logits, and transformers on random configs."""

from __future__ import annotations

import pytest
import torch
from helpers import random_ids, random_model, shared, tiny_config, transformers_twin
from safetensors.torch import load_file

from finback.config import Yarn
from finback.model import Batch

# Each varies what the others leave alone: heads, streams, ratios, windows, groups, top-k, experts, clamp, rope.
CONFIGS = {
    "base": {},
    "topk above the number of entries": dict(index_topk=300),
    "one head, one group": dict(num_attention_heads=1, o_groups=1, head_dim=32, qk_rope_head_dim=32, index_head_dim=40),
    "six heads in three groups": dict(num_attention_heads=6, o_groups=3, q_lora_rank=16),
    "two streams, five iterations": dict(hc_mult=2, hc_sinkhorn_iters=5),
    "five streams": dict(hc_mult=5, hidden_size=40),
    "a single stream": dict(hc_mult=1),
    "window 16, ratios 8 and 32": dict(
        sliding_window=16, csa_ratio=8, compress_ratios=(0, 8, 32, 8), index_topk=5
    ),
    "only HCA": dict(compress_ratios=(128, 128, 128, 128), num_hash_layers=0),
    "only CSA, a tight clamp": dict(compress_ratios=(4, 4, 4, 4), swiglu_limit=0.5, routed_scaling_factor=2.5),
    "no YaRN, other bases": dict(rope_scaling=None, rope_theta=500.0, compress_rope_theta=3000.0),
    "all experts, all layers hashed": dict(num_experts_per_tok=6, num_hash_layers=4),
    "short YaRN": dict(rope_scaling=Yarn(factor=4.0, original_max_position_embeddings=64, beta_fast=8, beta_slow=2)),
}  # fmt: skip
LENGTHS = (1, 2, 3, 4, 5, 7, 8, 31, 33, 127, 128, 129, 255, 256, 257, 700)


@pytest.fixture(scope="module", params=CONFIGS, ids=lambda name: name.replace(" ", "-"))
def twins(request, tmp_path_factory):
    model = random_model(tiny_config(**CONFIGS[request.param]), seed=list(CONFIGS).index(request.param))
    return model, transformers_twin(model, tmp_path_factory.mktemp("twin"))


def test_golden_logits_of_deepseeks_code_are_reproduced():
    from finback.checkpoint import load

    folder = shared("fixtures/tiny_v4")
    golden = load_file(folder / "golden_fp32.safetensors")
    with pytest.warns(UserWarning, match="mtp|MTP"), torch.no_grad():  # the fixture's MTP block is incomplete
        out = load(folder, dtype=torch.float32).logits(list(golden["ids"]))
    assert (torch.stack(out) - golden["logits"]).abs().max() < 1e-4


@torch.no_grad()
def test_ragged_batch_equals_transformers_on_each_sequence(twins):
    model, twin = twins
    sequences = [random_ids(n, model.config.vocab_size, n) for n in LENGTHS]
    for ids, ours in zip(sequences, model.logits(sequences)):
        theirs = twin(ids[None]).logits[0]
        assert theirs.std() > 0.1
        assert (ours - theirs).abs().max() < 1e-4, f"length {len(ids)}"


@torch.no_grad()
def test_cached_decode_equals_transformers_cached_decode(twins):
    model, twin = twins
    ids = random_ids(290, model.config.vocab_size, 5)
    state, cache = model.new_state(), None
    for a, b in [(0, 125)] + [(i, i + 1) for i in range(125, 135)] + [(135, 250)] + [(i, i + 1) for i in range(250, 290)]:
        ours = model(Batch.of([ids[a:b]], starts=[a]), [state])
        theirs = twin(ids[None, a:b], past_key_values=cache, use_cache=True)
        cache = theirs.past_key_values
        assert (ours - theirs.logits[0]).abs().max() < 1e-4, f"tokens {a} to {b}"


def test_gradients_equal_transformers_autograd(twins):
    from finback.checkpoint.names import canonical

    model, twin = twins
    ids = random_ids(270, model.config.vocab_size, 9)
    torch.nn.functional.cross_entropy(model.logits([ids])[0][:-1], ids[1:]).backward()
    torch.nn.functional.cross_entropy(twin(ids[None]).logits[0][:-1], ids[1:]).backward()
    theirs = {}
    for name, p in twin.named_parameters():
        if name.endswith("experts.gate_up_proj"):
            prefix = canonical(name.replace("gate_up_proj", "down_proj")).removesuffix("w2")
            theirs[prefix + "w1"], theirs[prefix + "w3"] = p.grad.chunk(2, dim=1)
        else:
            theirs[canonical(name)] = p.grad
    compared = 0
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if ".indexer." in name:  # picking has no gradient, in either
            assert p.grad is None and theirs[name] is None
            continue
        scale = theirs[name].abs().max()
        assert (p.grad - theirs[name]).abs().max() <= 2e-3 * scale + 1e-7, name
        compared += 1
    assert compared == sum(p.requires_grad and ".indexer." not in n for n, p in model.named_parameters())
    model.zero_grad(), twin.zero_grad()
