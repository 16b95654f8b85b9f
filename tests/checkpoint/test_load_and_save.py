"""Saving and loading lose nothing; the golden models compute what they should."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from finback.checkpoint import CheckpointError, convert, load, open_checkpoint, save
from finback.checkpoint.formats import decode, encode
from finback.checkpoint.inspect import inventory
from finback.checkpoint.layout import official_tensors, total_bytes
from finback.checkpoint.reader import INDEX
from finback.config import ModelConfig
from finback.model import Transformer

FORMATS = [("fp32", "fp32"), ("bf16", "bf16"), ("fp8", "fp4"), ("fp8", "fp8"), ("bf16", "fp4")]


def contents(path):
    """Everything in a directory, by name."""
    return {p.name: p.read_bytes() for p in path.iterdir()}


def tensors(path):
    out = {}
    for file in path.glob("*.safetensors"):
        out |= load_file(file)
    return out


def same_state(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[n], b[n]) and a[n].dtype == b[n].dtype for n in a)


def test_save_then_load_is_the_identity_in_fp32(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "m", "fp32")
    loaded = load(tmp_path / "m")
    assert same_state(loaded, tiny_model) and loaded.config == tiny_model.config
    assert not loaded.training
    grads = {n: p.requires_grad for n, p in tiny_model.named_parameters()}
    assert {n: p.requires_grad for n, p in loaded.named_parameters()} == grads


@pytest.mark.parametrize(
    "weight, expert, dtype", [(w, e, d) for w, e in FORMATS for d in ("fp32", "bf16") if d == "fp32" or "fp32" not in (w, e)]
)
def test_saving_what_was_loaded_changes_no_value_and_unquantised_no_byte(tiny_model, tmp_path, weight, expert, dtype):
    save(tiny_model, tmp_path / "a", weight, expert, shard_bytes=100_000)
    save(load(tmp_path / "a", dtype), tmp_path / "b", weight, expert, shard_bytes=100_000)
    first, second = load(tmp_path / "a", "fp32").state_dict(), load(tmp_path / "b", "fp32").state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    if not {"fp8", "fp4"} & {weight, expert}:
        assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("weight, expert", FORMATS)
def test_files_are_those_of_the_layout(tiny_model, tmp_path, weight, expert):
    save(tiny_model, tmp_path / "m", weight, expert, shard_bytes=100_000)
    found, sizes = {}, []
    for file in sorted((tmp_path / "m").glob("*.safetensors")):
        with safe_open(file, "pt") as f:
            found |= {n: (f.get_slice(n).get_dtype(), tuple(f.get_slice(n).get_shape())) for n in f.keys()}
        sizes.append(file.stat().st_size)
    plan = list(official_tensors(tiny_model.config, expert, weight))
    assert found == {n: (d, s) for n, d, s in plan}
    index = json.loads((tmp_path / "m" / INDEX).read_text())
    assert index["metadata"]["total_size"] == total_bytes(plan)
    assert sorted(set(index["weight_map"].values())) == [f"model-{i + 1:05d}-of-{len(sizes):05d}.safetensors" for i in range(len(sizes))]
    assert len(sizes) > 2 and max(sizes) < 140_000  # with headers


def test_a_scale_lies_in_the_file_of_its_weight(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "m", "fp8", "fp4", shard_bytes=1000)
    weight_map = json.loads((tmp_path / "m" / INDEX).read_text())["weight_map"]
    scales = [n for n in weight_map if n.endswith(".scale")]
    assert scales and all(weight_map[n] == weight_map[n.removesuffix("scale") + "weight"] for n in scales)
    assert len(load(tmp_path / "m").mtp) == 1


def test_quantised_weights_are_the_encoded_ones(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "m", "fp8", "fp4")
    state = load(tmp_path / "m", "fp32").state_dict()
    w = tiny_model.state_dict()
    expected = decode(encode(w["layers.2.ffn.experts.w3"][1], "fp4"), torch.float32)
    assert torch.equal(state["layers.2.ffn.experts.w3"][1], expected)
    expected = decode(encode(w["layers.1.attn.indexer.wq_b.weight"], "fp8"), torch.float32)
    assert torch.equal(state["layers.1.attn.indexer.wq_b.weight"], expected)
    assert torch.equal(state["layers.1.attn.attn_sink"], w["layers.1.attn.attn_sink"])
    assert torch.equal(state["embed.weight"], w["embed.weight"].bfloat16().float())


def test_config_of_a_quantised_checkpoint_announces_it(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "m", "fp8", "fp4")
    raw = json.loads((tmp_path / "m/config.json").read_text())
    assert raw["expert_dtype"] == "fp4" and raw["torch_dtype"] == "bfloat16"
    assert raw["quantization_config"] == {
        "activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8", "scale_fmt": "ue8m0", "weight_block_size": [128, 128],
    }  # fmt: skip
    assert ModelConfig.from_file(tmp_path / "m") == tiny_model.config
    save(tiny_model, tmp_path / "plain")
    raw = json.loads((tmp_path / "plain/config.json").read_text())
    assert "quantization_config" not in raw and "expert_dtype" not in raw
    assert (tmp_path / "plain/generation_config.json").exists()


@pytest.mark.parametrize("fp4", [True, False])
@pytest.mark.parametrize("formats", FORMATS)
def test_how_the_indexer_computes_survives_every_format(tiny_model, tmp_path, formats, fp4):
    model = Transformer(tiny_model.config.replace(index_fp4=fp4))
    model.load_state_dict(tiny_model.state_dict())
    save(model, tmp_path / "a", *formats)
    convert(tmp_path / "a", tmp_path / "b", "bf16")
    for path in (tmp_path / "a", tmp_path / "b", tmp_path / "a/config.json"):
        assert inventory(path).config == model.config
    assert load(tmp_path / "a").config == load(tmp_path / "b").config == model.config


def test_converting_an_fp4_model_to_fp32_changes_no_logit(tiny_model, tmp_path):
    model = Transformer(tiny_model.config.replace(index_fp4=True))
    model.load_state_dict(tiny_model.state_dict())
    save(model, tmp_path / "a", "fp32", "fp4")
    convert(tmp_path / "a", tmp_path / "b", "fp32")
    ids = [list(range(90)) * 2]
    with torch.no_grad():
        a, b = load(tmp_path / "a"), load(tmp_path / "b")
        assert torch.equal(a.logits(ids)[0], b.logits(ids)[0])
        b.config = b.config.replace(index_fp4=False)
        assert not torch.equal(a.logits(ids)[0], b.logits(ids)[0])


@pytest.mark.parametrize("formats, runs_in_fp4", [(("fp8", "fp4"), True), (("fp8", "fp8"), False), (("bf16", "bf16"), False)])
@pytest.mark.parametrize("revision", ["first", "later"])
def test_deepseeks_indexers_run_in_fp4_where_its_experts_are(tiny_model, tmp_path, formats, runs_in_fp4, revision):
    """DeepSeek's config.json does not speak of it, and its first revision not even of the experts."""
    save(tiny_model, tmp_path / "m", *formats)
    raw = json.loads((tmp_path / "m/config.json").read_text())
    del raw["index_fp4"]
    if revision == "first":
        raw.pop("expert_dtype", None)
    (tmp_path / "m/config.json").write_text(json.dumps(raw))
    assert load(tmp_path / "m").config.index_fp4 == runs_in_fp4
    assert inventory(tmp_path / "m").config.index_fp4 == runs_in_fp4
    if revision == "later":  # without weights beside it, config.json is all there is
        assert inventory(tmp_path / "m/config.json").config.index_fp4 == runs_in_fp4


def test_dtype_is_the_one_asked_for_and_auto_is_float32_on_a_cpu(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "m", "bf16")
    linear, router = "layers.1.attn.wq_a.weight", "layers.1.ffn.gate.weight"
    for dtype, expected in (("auto", torch.float32), ("bf16", torch.bfloat16), (torch.bfloat16, torch.bfloat16)):
        state = load(tmp_path / "m", dtype).state_dict()
        assert state[linear].dtype == state["layers.1.ffn.experts.w2"].dtype == expected
        assert state[router].dtype == torch.float32


@pytest.mark.parametrize("named, expected", [("bfloat16", torch.bfloat16), (None, torch.float32)])
def test_auto_dtype_elsewhere_is_the_one_the_config_names(tiny_model, tmp_path, named, expected):
    save(tiny_model, tmp_path / "m", "bf16")
    raw = json.loads((tmp_path / "m/config.json").read_text())
    (tmp_path / "m/config.json").write_text(json.dumps({**raw, "torch_dtype": named}))
    state = load(tmp_path / "m", device="meta").state_dict()
    assert state["layers.1.attn.wq_a.weight"].dtype == expected


def test_weights_of_the_computed_type_stay_memory_mapped(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "m", "fp32")
    checkpoint = open_checkpoint(tmp_path / "m")
    a, b = checkpoint.tensor("embed.weight", torch.float32), checkpoint.tensor("embed.weight", torch.float32)
    assert a.data_ptr() == b.data_ptr()
    assert a.untyped_storage().nbytes() == a.nbytes


def test_one_file_with_its_config_is_a_checkpoint(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "m", "fp32")
    assert same_state(load(tmp_path / "m/model-00001-of-00001.safetensors"), tiny_model)


def test_diverged_weights_are_refused_by_name_and_nothing_is_left(tiny_model, tiny_config, tmp_path):
    from finback.model import Transformer

    model = Transformer(tiny_config)
    model.load_state_dict(tiny_model.state_dict())
    with torch.no_grad():
        model.layers[1].ffn.experts.w1[2, 3, 4] = float("nan")
    with pytest.raises(CheckpointError, match=r"layers\.1\.ffn\.experts\.2\.w1\.weight cannot be saved: 1 of"):
        save(model, tmp_path / "m", "fp8", "fp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("weight, expert, says", [("fp4", None, "weight_format is 'fp4'"), ("bf16", "int8", "expert_format is 'int8'")])
def test_unknown_formats_are_refused(tiny_model, tmp_path, weight, expert, says):
    with pytest.raises(CheckpointError, match=says):
        save(tiny_model, tmp_path / "m", weight, expert)


# ---------------------------------------------------------------------------- convert


def test_converting_equals_loading_and_saving(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "a", "fp8", "fp4")
    for weight, expert in (("bf16", "bf16"), ("fp32", "fp32"), ("fp8", "fp4")):
        convert(tmp_path / "a", tmp_path / "b", weight, expert)
        save(load(tmp_path / "a", "fp32"), tmp_path / "c", weight, expert)
        converted, saved = load(tmp_path / "b", "fp32").state_dict(), load(tmp_path / "c", "fp32").state_dict()
        assert all(torch.equal(converted[name], saved[name]) for name in saved)


def test_converting_fp4_experts_to_fp8_changes_no_value(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "a", "fp8", "fp4")
    convert(tmp_path / "a", tmp_path / "b", "fp8", "fp8")
    assert open_checkpoint(tmp_path / "b").dtype("layers.0.ffn.experts.0.w1.weight") == "F8_E4M3"
    assert same_state(load(tmp_path / "a", "fp32"), load(tmp_path / "b", "fp32"))


def test_converting_onto_itself_is_refused(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "a")
    for source in (tmp_path / "a", tmp_path / "a/model-00001-of-00001.safetensors"):
        with pytest.raises(CheckpointError, match="another directory"):
            convert(source, tmp_path / "a", "fp8")


# ---------------------------------------------------------------------------- golden models


@pytest.mark.filterwarnings("ignore:.*announces 1 MTP")
def test_tiny_v4_computes_the_official_logits(shared):
    model = load(shared / "fixtures/tiny_v4")
    golden = load_file(shared / "fixtures/tiny_v4/golden_fp32.safetensors")
    with torch.no_grad():
        logits = torch.stack(model.logits(golden["ids"].tolist()))
    assert (logits - golden["logits"]).abs().max() < 1e-4


def test_quant_v4_computes_close_to_the_official_code(shared):
    """Dequantised weights without activation rounding against the official quantised run: correlated, not equal."""
    model = load(shared / "fixtures/quant_v4", "fp32")
    golden = load_file(shared / "fixtures/quant_v4/golden_quant.safetensors")
    with torch.no_grad():
        logits = torch.stack(model.logits(golden["ids"].tolist()))
    both = torch.stack([logits.flatten(), golden["logits"].float().flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.95
    assert (both[0].view(-1, 512).argmax(-1) == both[1].view(-1, 512).argmax(-1)).float().mean() > 0.55


def test_quant_v4_is_converted_to_the_same_format_byte_for_byte(shared, tmp_path):
    convert(shared / "fixtures/quant_v4", tmp_path / "m", "fp8", "fp4")
    ours, theirs = tensors(tmp_path / "m"), load_file(shared / "fixtures/quant_v4/model.safetensors")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[n].view(torch.uint8), theirs[n].view(torch.uint8)) for n in ours)


def test_quant_v4_survives_load_and_save_in_every_value(shared, tmp_path):
    source = load(shared / "fixtures/quant_v4", "fp32")
    save(source, tmp_path / "m", "fp8", "fp4")
    assert same_state(load(tmp_path / "m", "fp32"), source)
