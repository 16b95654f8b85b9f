"""The inventory against the published one."""

import json

import pytest
import torch

from finback.checkpoint.layout import official_tensors, total_bytes, weights
from finback.config import preset
from finback.model import Transformer, storage_dtype


@pytest.mark.parametrize("name, count, nbytes", [("flash", 69187, 159_609_485_896), ("pro", 145116, 864_704_792_696)])
def test_inventory_is_the_published_one_to_the_byte(name, count, nbytes):
    tensors = list(official_tensors(preset(name)))
    assert len(tensors) == len({n for n, _, _ in tensors}) == count
    assert total_bytes(tensors) == nbytes


def test_flash_dtype_counts_are_the_published_ones():
    counts = {}
    for _, dtype, _ in official_tensors(preset("flash")):
        counts[dtype] = counts.get(dtype, 0) + 1
    assert counts == {"BF16": 433, "F32": 417, "F8_E4M3": 375, "F8_E8M0": 34167, "I64": 3, "I8": 33792}


@pytest.mark.parametrize("name", ["flash", "pro"])
def test_names_dtypes_and_shapes_are_the_published_ones(shared, name):
    published = json.loads((shared / f"fixtures/configs/{name}_tensors_expert0_only.json").read_text())
    ours = {n: [d, list(s)] for n, d, s in official_tensors(preset(name)) if ".experts." not in n or ".experts.0." in n}
    assert ours == published
    assert list(ours) == list(published)


@pytest.mark.parametrize("name", ["nano", "mini"])
def test_layout_and_model_have_the_same_weights(name):
    with torch.device("meta"):
        state = Transformer(preset(name)).state_dict()
    shapes = {}
    for w in weights(preset(name)):
        prefix, _, leaf = w.name.partition(".experts.")
        if leaf:
            k, part, _ = leaf.split(".")
            shapes.setdefault(f"{prefix}.experts.{part}", [0, w.shape])[0] += 1
        else:
            shapes[w.name] = w.shape
    stacked = {n: (s[0], *s[1]) if isinstance(s, list) else s for n, s in shapes.items()}
    assert stacked == {n: tuple(t.shape) for n, t in state.items()}


def test_what_the_layout_calls_float_lives_in_float():
    for w in weights(preset("nano")):
        if w.kind == "float":
            assert storage_dtype(w.name, torch.bfloat16) == torch.float32


@pytest.mark.parametrize("expert", ["fp32", "bf16", "fp8", "fp4"])
@pytest.mark.parametrize("weight", ["fp32", "bf16", "fp8"])
def test_only_quantised_formats_bring_scales(expert, weight):
    tensors = list(official_tensors(preset("nano"), expert, weight))
    scales = [n for n, _, _ in tensors if n.endswith(".scale")]
    assert any(".ffn.experts." in n for n in scales) == (expert in ("fp8", "fp4"))
    assert any(".ffn.experts." not in n for n in scales) == (weight == "fp8")
