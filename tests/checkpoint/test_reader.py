"""What is wrong with a checkpoint is found, and named, before anything is loaded."""

import json
import shutil
import struct
import warnings

import pytest
import torch
from safetensors.torch import load_file, save_file

from finback.checkpoint import CheckpointError, load, open_checkpoint, save
from finback.checkpoint.formats import decode
from finback.checkpoint.layout import weights
from finback.checkpoint.reader import INDEX
from finback.config import ConfigError


@pytest.fixture(scope="module")
def whole(tiny_model, tmp_path_factory):
    """A checkpoint of several shards. Not to be changed."""
    path = tmp_path_factory.mktemp("whole") / "ckpt"
    save(tiny_model, path, "fp8", "fp4", shard_bytes=60_000)
    return path


@pytest.fixture
def broken(whole, tmp_path):
    """A copy to break."""
    return shutil.copytree(whole, tmp_path / "ckpt")


def as_one_file(path, edit):
    """Rewrites a checkpoint as a single file of edited tensors."""
    tensors = {}
    for file in sorted(path.glob("*.safetensors")):
        tensors |= load_file(file)
        file.unlink()
    (path / INDEX).unlink()
    edit(tensors)
    save_file(tensors, path / "model.safetensors")


def edit_config(path, **changes):
    raw = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(raw | changes))


def refusal(path):
    with pytest.raises(CheckpointError) as error:
        load(path)
    return str(error.value)


def test_stored_and_computed_weights_are_kept_apart(whole):
    checkpoint = open_checkpoint(whole)
    assert checkpoint.names() == [w.name for w in weights(checkpoint.config)]
    name = "layers.1.ffn.experts.3.w2.weight"
    assert checkpoint.dtype(name) == "I8" and checkpoint.shape(name) == (64, 16)
    stored = checkpoint.stored(name)
    assert stored.format == "fp4" and stored.data.shape == (64, 16) and stored.scale.shape == (64, 1)
    assert torch.equal(checkpoint.tensor(name, torch.bfloat16), decode(stored, torch.bfloat16))
    assert checkpoint.tensor(name, torch.float32).shape == (64, 32)
    assert checkpoint.stored("layers.1.attn.wq_a.weight").format == "fp8"
    assert checkpoint.stored("layers.1.attn.attn_sink").format == "fp32"


def test_changing_a_mapped_weight_never_changes_the_file(whole, tmp_path, tiny_model):
    save(tiny_model, tmp_path / "m", "fp32")
    before = (tmp_path / "m/model-00001-of-00001.safetensors").read_bytes()
    model = load(tmp_path / "m")
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
    assert (tmp_path / "m/model-00001-of-00001.safetensors").read_bytes() == before


def test_missing_shards_are_counted_and_named(broken):
    shards = sorted(broken.glob("*.safetensors"))
    shards[0].unlink()
    shards[2].unlink()
    assert f"2 of the {len(shards)} files" in refusal(broken) and shards[2].name in refusal(broken)


def test_shards_without_an_index_are_an_interrupted_download(broken):
    (broken / INDEX).unlink()
    assert f"no {INDEX}" in refusal(broken)


@pytest.mark.parametrize("cut", [3, 100, -1])
def test_truncated_files_are_refused(broken, cut):
    shard = sorted(broken.glob("*.safetensors"))[1]
    shard.write_bytes(shard.read_bytes()[:cut])
    assert "truncated" in refusal(broken) and shard.name in refusal(broken)


def test_trailing_bytes_are_refused(broken):
    shard = sorted(broken.glob("*.safetensors"))[1]
    shard.write_bytes(shard.read_bytes() + b"x")
    assert "longer than its header says" in refusal(broken)


def test_a_file_that_is_no_safetensors_is_refused(broken):
    shard = sorted(broken.glob("*.safetensors"))[1]
    shard.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    assert "git lfs pull" in refusal(broken)
    shard.write_bytes(struct.pack("<Q", 4) + b"[1]!" + b"\0" * 10)
    assert "does not begin with a safetensors header" in refusal(broken)


def test_missing_unexpected_and_misshapen_tensors_are_listed_together(broken):
    def edit(tensors):
        for k in range(4):
            del tensors[f"layers.0.ffn.experts.{k}.w1.weight"], tensors[f"layers.0.ffn.experts.{k}.w3.scale"]
        tensors["layers.0.attn.compressor.ape"] = torch.zeros(4, 64)
        tensors["norm.weight"] = torch.zeros(63)

    as_one_file(broken, edit)
    text = refusal(broken)
    # a scale whose weight is missing is not expected either
    assert "8 tensors are missing: layers.0.ffn.experts.0.w1.weight" in text and "and 3 more" in text
    assert "5 tensors are unexpected" in text and "layers.0.attn.compressor.ape" in text
    assert "1 tensors have the wrong shape or type: norm.weight is F32 [63], expected F32 [64]" in text


def test_names_stored_twice_are_refused(broken, tmp_path):
    shards = sorted(broken.glob("*.safetensors"))
    tensors = load_file(shards[1])
    tensors["embed.weight"] = torch.zeros(96, 64)
    save_file(tensors, shards[1])
    assert "stored twice: embed.weight in" in refusal(broken)


def test_two_spellings_of_one_weight_are_refused(broken):
    as_one_file(broken, lambda t: t.update({"model.embed_tokens.weight": t["embed.weight"].clone()}))
    assert "named twice" in refusal(broken)


def test_foreign_names_are_refused(broken):
    as_one_file(broken, lambda t: t.update({"adapter.lora_a": torch.zeros(2)}))
    assert "adapter.lora_a" in refusal(broken)


def test_an_index_that_disagrees_with_its_files_is_refused(broken):
    index = json.loads((broken / INDEX).read_text())
    del index["weight_map"]["norm.weight"]
    index["weight_map"]["ghost"] = index["weight_map"]["embed.weight"]
    (broken / INDEX).write_text(json.dumps(index))
    assert "ghost" in refusal(broken) and "not in model.safetensors.index.json: norm.weight" in refusal(broken)
    index["weight_map"]["ghost"] = "../elsewhere.safetensors"
    (broken / INDEX).write_text(json.dumps(index))
    assert "no valid index" in refusal(broken)


def test_nan_scales_are_refused_by_the_weight_they_belong_to(broken):
    as_one_file(broken, lambda t: t["layers.2.attn.wkv.scale"].view(torch.uint8).fill_(255))
    assert "layers.2.attn.wkv.weight" in refusal(broken) and "byte 255" in refusal(broken)


def test_a_routing_table_outside_the_experts_is_refused(broken):
    as_one_file(broken, lambda t: t["layers.0.ffn.gate.tid2eid"].fill_(4))
    assert "names experts from 4 to 4, but the model has 4" in refusal(broken)


@pytest.mark.parametrize("scale_dtype", [torch.uint8, torch.float32])
def test_scales_are_read_in_any_of_their_types(broken, whole, scale_dtype):
    def edit(tensors):
        for name in [n for n in tensors if n.endswith(".scale")]:
            s = tensors[name]
            tensors[name] = s.view(torch.uint8) if scale_dtype == torch.uint8 else s.float()

    as_one_file(broken, edit)
    expected = load(whole, "fp32").state_dict()
    assert all(torch.equal(v, expected[n]) for n, v in load(broken, "fp32").state_dict().items())


def test_formats_are_told_by_the_headers_not_by_the_config(broken, whole):
    raw = json.loads((broken / "config.json").read_text())
    del raw["quantization_config"]
    (broken / "config.json").write_text(json.dumps(raw | {"expert_dtype": "fp8"}))
    expected = load(whole, "fp32").state_dict()
    assert all(torch.equal(v, expected[n]) for n, v in load(broken, "fp32").state_dict().items())


def test_stacked_experts_are_read_as_the_experts_they_hold(tiny_model, tiny_config, tmp_path):
    save_file(tiny_model.state_dict(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(tiny_config.to_dict()))
    state, loaded = tiny_model.state_dict(), load(tmp_path).state_dict()
    assert all(torch.equal(state[n], loaded[n]) for n in state)


def test_an_mtp_block_that_is_not_in_the_files_is_left_out_and_said(broken):
    def edit(tensors):
        for name in [n for n in tensors if n.startswith("mtp.")]:
            del tensors[name]

    as_one_file(broken, edit)
    with pytest.warns(UserWarning, match="announces 1 MTP block.*num_nextn_predict_layers=0"):
        model = load(broken)
    assert model.config.num_nextn_predict_layers == 0 and len(model.mtp) == 0


def test_an_mtp_block_with_a_hole_is_refused(broken):
    as_one_file(broken, lambda t: t.pop("mtp.0.e_proj.weight"))
    assert "1 tensors are missing: mtp.0.e_proj.weight" in refusal(broken)


def test_a_dspark_drafter_is_ignored_and_said(broken):
    edit_config(broken, dspark_block_size=5, dspark_target_layer_ids=[1, 2, 3])
    as_one_file(broken, lambda t: t.update({"mtp.2.markov_head.markov_w1.weight": torch.zeros(2, 2)}))
    with pytest.warns(UserWarning, match="DSpark drafter are ignored"):
        model = load(broken)
    assert len(model.mtp) == 0


def test_a_whole_checkpoint_loads_without_a_word(whole):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load(whole).mtp) == 1


def test_v41_is_refused_by_name(broken):
    edit_config(broken, model_type="deepseek_v41")
    with pytest.raises(ConfigError, match="V4.1"):
        load(broken)


@pytest.mark.parametrize("make, says", [
    (lambda p: p / "nowhere", "does not exist"),
    (lambda p: p, "holds no .safetensors"),
    (lambda p: (p / "x.bin").write_bytes(b"") or p / "x.bin", "is no .safetensors file"),
])  # fmt: skip
def test_paths_without_a_checkpoint_are_refused(tmp_path, make, says):
    assert says in refusal(make(tmp_path))


@pytest.mark.parametrize("dtype", ["float16", "fp4", torch.float16])
def test_unknown_dtypes_are_refused_before_the_files_are_read(tmp_path, dtype):
    with pytest.raises(CheckpointError, match="choose float32, bfloat16, stored, int8 or auto"):
        load(tmp_path / "nowhere", dtype)
