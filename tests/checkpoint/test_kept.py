"""Models whose matrices stay as the file has them: the same results, less memory, and clear words where they cannot go."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from helpers import random_ids, random_model, tiny_config
from safetensors.torch import load_file, save_file

from finback import ops
from finback.checkpoint import CheckpointError, load, save
from finback.engine import Engine, SamplingParams
from finback.model import Batch, Trace
from finback.model.identity import arithmetic, identity
from finback.model.layers import Linear
from finback.ops import cpu

pytestmark = pytest.mark.skipif(bool(cpu.MISSING), reason=f"the native kernels are needed: {cpu.MISSING}")

CONFIG = tiny_config(hidden_size=160, moe_intermediate_size=96, index_topk=4)
IDS = [random_ids(90, CONFIG.vocab_size, 1), random_ids(7, CONFIG.vocab_size, 2)]
FORMATS = [("bf16", "bf16"), ("fp8", "fp8"), ("fp8", "fp4"), ("bf16", "fp4")]


def stored(folder, *formats, **changes):
    save(random_model(CONFIG.replace(**changes), seed=3), folder, *formats)
    return folder


@torch.no_grad()
@pytest.mark.parametrize("formats", FORMATS)
def test_stored_matrices_compute_as_their_values_in_bf16_to_the_bit(tmp_path, formats):
    path = stored(tmp_path / "m", *formats)
    kept, dense = load(path, "stored"), load(path, "bf16")
    for ids in (IDS, IDS[1:], [IDS[0][:1]]):
        for a, b in zip(kept.logits(ids), dense.logits(ids), strict=True):
            assert torch.equal(a, b)


@torch.no_grad()
@pytest.mark.parametrize("formats", FORMATS)
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_decoded_matrices_are_taken_by_the_native_kernels(tmp_path, formats, dtype):
    """Also where blocks of 128 end beyond the matrix."""
    model = load(stored(tmp_path / "m", *formats), dtype)
    model.logits(IDS)
    assert model._planner.reason is None and all(p.is_contiguous() for p in model.parameters())


@torch.no_grad()
def test_a_file_in_fp32_computes_as_in_fp32(tmp_path):
    path = stored(tmp_path / "m", "fp32")
    assert torch.equal(load(path, "stored").logits(IDS)[0], load(path, "fp32").logits(IDS)[0])


@torch.no_grad()
def test_int8_is_near_the_values_and_not_them(tmp_path):
    path = stored(tmp_path / "m", "fp32")
    found, exact = torch.cat(load(path, "int8").logits(IDS)), torch.cat(load(path, "fp32").logits(IDS))
    assert 0 < (found - exact).norm() < 0.2 * exact.norm()


@torch.no_grad()
def test_activations_in_fp8_change_the_result_a_little(tmp_path):
    path = stored(tmp_path / "m", "fp8", "fp4")
    found, plain = (torch.cat(load(path, "stored", activations=a).logits(IDS)) for a in ("fp8", "bf16"))
    assert 0 < (found - plain).norm() < 0.3 * plain.norm()


def round_to_fp8(x):
    """Groups of 128 of x's last dim as E4M3 values times a power of two (spec 2.8)."""
    groups = F.pad(x, (0, -x.shape[-1] % 128)).unflatten(-1, (-1, 128))
    fraction, exponent = torch.frexp(groups.abs().amax(-1, keepdim=True).clamp_min(1e-4) * torch.tensor(1 / 448))
    scale = torch.ldexp(torch.ones_like(fraction), exponent - (fraction == 0.5).int())
    return ((groups / scale).to(torch.float8_e4m3fn).float() * scale).flatten(-2)[..., : x.shape[-1]]


def official_swiglu(x, w1, w2, w3, limit, weight=1.0):
    x = round_to_fp8(x)
    gate, up = (x @ w1.T).clamp(max=limit), (x @ w3.T).clamp(-limit, limit)
    return round_to_fp8(F.silu(gate) * up * weight) @ w2.T


def official_experts(x, ids, weights, w1, w2, w3, limit):
    y = torch.zeros_like(x)
    for t, k in itertools.product(range(len(x)), range(ids.shape[1])):
        e = ids[t, k]
        y[t] += official_swiglu(x[t], w1[e], w2[e], w3[e], limit, weights[t, k])
    return y


@torch.no_grad()
@pytest.mark.parametrize(("mute", "share", "layers"), [("attn.wo_b.weight", 1e-3, 4), (("ffn.experts.w2", "shared_experts.w2.weight"), 0.4, 1)])
def test_fp8_activations_are_rounded_where_and_as_the_official_code_does(tmp_path, monkeypatch, mute, share, layers):
    """Against modules whose products round by a few lines of PyTorch: the experts without attention, attention without experts.
    What attention rounds to BF16 tips roundings to FP8, so one layer of it is compared, and less closely."""
    fewer = {"num_hidden_layers": layers, "compress_ratios": CONFIG.compress_ratios[:layers], "num_hash_layers": 1}
    source = random_model(CONFIG.replace(**fewer), seed=3)
    for name, p in source.named_parameters():
        if name.endswith(mute):
            p.zero_()
    save(source, tmp_path / "m", "fp8", "fp4")
    found, plain = (torch.cat(load(tmp_path / "m", "stored", activations=a).logits(IDS)) for a in ("fp8", "bf16"))
    model = load(tmp_path / "m", "fp32")
    for name, module in model.named_modules():
        if isinstance(module, Linear) and name.rpartition(".")[2] in ("wq_a", "wq_b", "wkv", "wo_b") and "compressor" not in name:
            module.register_forward_pre_hook(lambda _, x: (round_to_fp8(x[0]),))
    monkeypatch.setattr(ops, "swiglu", official_swiglu)
    monkeypatch.setattr(ops, "experts", official_experts)
    expected = torch.cat(model.logits(IDS))
    assert (found - expected).norm() < share * (found - plain).norm()


def test_the_matrices_take_no_memory_but_the_files(tmp_path):
    path = stored(tmp_path / "m", "fp8", "fp4")
    model = load(path, "stored")
    held = sum(p.nbytes for p in model.parameters() if not p.is_meta)
    assert held < 0.5 * sum(p.nbytes for p in load(path, "bf16").parameters())
    expert = model.kept["layers.1.ffn.experts.2.w1.weight"]
    assert expert.format == "fp4" and expert.data.nbytes == 96 * 160 // 2 and expert.scale.nbytes == 96 * 160 // 32
    assert model.kept["layers.1.attn.wq_a.weight"].format == "fp8" and model.kept["head.weight"].format == "bf16"


def test_an_engine_says_the_same_with_the_files_and_with_their_values(tmp_path):
    path = stored(tmp_path / "m", "fp8", "fp4")
    params = SamplingParams(max_tokens=12, temperature=0.0)
    said = []
    for dtype in ("stored", "bf16"):
        engine = Engine(load(path, dtype))
        said.append([r.tokens for r in engine.generate([ids.tolist() for ids in IDS], params)])
        engine.close()
    assert said[0] == said[1]


def test_what_may_be_kept_on_disk_carries_the_name_of_these_very_bytes(tmp_path):
    a, b = stored(tmp_path / "a", "fp8", "fp4"), stored(tmp_path / "b", "fp8", "fp4", swiglu_limit=5.0)
    names = {identity(load(a, "stored")), identity(load(a, "bf16")), identity(load(a, "int8")), identity(load(b, "stored"))}
    assert len(names) == 4 and identity(load(a, "stored")) in names
    data = load(a, "stored").kept["layers.0.ffn.experts.0.w1.weight"].data
    model = load(a, "stored")
    changed = model.kept["layers.0.ffn.experts.0.w1.weight"].data.clone()
    changed.view(-1)[5] ^= 1
    model.kept["layers.0.ffn.experts.0.w1.weight"] = model.kept["layers.0.ffn.experts.0.w1.weight"]._replace(data=changed)
    assert identity(model) not in names and not torch.equal(changed, data)
    assert arithmetic(load(a, "stored", activations="fp8")) != arithmetic(load(a, "stored"))


def test_groups_that_cut_blocks_of_scales_are_decoded(tmp_path):
    path = stored(tmp_path / "m", "fp8", o_groups=2, o_lora_rank=24)
    assert load(path, "stored").kept["layers.0.attn.wo_a.weight"].format == "bf16"
    with torch.no_grad():
        assert torch.equal(load(path, "stored").logits(IDS)[0], load(path, "bf16").logits(IDS)[0])


def test_widths_that_end_within_a_group_of_scales_are_decoded(tmp_path):
    path = stored(tmp_path / "m", "fp8", "fp4", hidden_size=48, moe_intermediate_size=20)
    kept = load(path, "stored").kept
    assert {kept[f"layers.0.ffn.experts.0.w{i}.weight"].format for i in (1, 2, 3)} == {"bf16"}
    with torch.no_grad():
        assert torch.equal(load(path, "stored").logits(IDS)[0], load(path, "bf16").logits(IDS)[0])


def test_what_such_a_model_cannot_do_is_said(tmp_path):
    path = stored(tmp_path / "m", "fp8", "fp4")
    model = load(path, "stored")
    for use in (
        lambda: model.logits(IDS),  # with gradients
        lambda: model.streams(model.new_pass(Batch.of(IDS), trace=Trace())),
    ):
        with pytest.raises(ValueError, match='kept as they are stored.* Load it with dtype="float32"'):
            use()
    hook = model.layers[0].register_forward_hook(lambda *_: None)
    with torch.no_grad(), pytest.raises(ValueError, match="neither gradients nor hooks nor traces"):
        model.logits(IDS)
    hook.remove()
    with pytest.raises(CheckpointError, match="kept as they are stored: use `finback convert`"):
        save(model, tmp_path / "again")
    with pytest.raises(CheckpointError, match='activations=\'fp8\' is for weights that stay as they are stored: add dtype="stored"'):
        load(path, "fp32", activations="fp8")
    with pytest.raises(CheckpointError, match="activations is 'fp4': choose one of bf16, fp8"):
        load(path, "stored", activations="fp4")
    with pytest.raises(CheckpointError, match='"int8" is for the kernels of a CPU, not for cuda'):
        load(path, "int8", "cuda")
    with pytest.raises(CheckpointError, match="choose float32, bfloat16, stored, int8 or auto"):
        load(path, "fp4")


def test_experts_of_two_kinds_of_products_are_refused(tmp_path):
    path = stored(tmp_path / "m", "fp32", "fp4")
    with pytest.raises(ValueError, match="layers.0.ffn.shared_experts is multiplied with other activations.*store both in FP32, or neither"):
        load(path, "stored")


def test_without_the_kernels_it_is_refused_at_once(tmp_path):
    path = stored(tmp_path / "m", "fp8", "fp4")
    code = f"import finback; finback.load({str(path)!r}, 'stored')"
    reference = {**os.environ, "FINBACK_BACKEND": "reference"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=reference)
    assert done.returncode and "which cannot run here: FINBACK_BACKEND=reference" in done.stderr


def test_scales_that_the_kernels_do_not_hold_are_refused(tmp_path):
    path = stored(tmp_path / "m", "fp8", "fp4")
    file = next(path.glob("*.safetensors"))
    tensors = load_file(file)
    tensors["layers.0.attn.wq_a.scale"].view(torch.uint8)[0, 0] = 3
    save_file(tensors, file)
    with pytest.raises(CheckpointError, match=r"layers.0.attn.wq_a.weight has scales from 2\^-124 to .*load it in float32"):
        load(path, "stored")
