"""A report says what is in the files, and what follows from the config."""

import io
import json

import pytest
import torch
from rich.console import Console
from safetensors.torch import save_file

from finback import cost
from finback.checkpoint import CheckpointError, save
from finback.config import PRESETS
from finback.lab.inspect_report import inspect, render, weight_bytes
from finback.model import new_model


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    path = tmp_path_factory.mktemp("nano") / "ckpt"
    save(new_model(PRESETS["nano"], seed=0), path, "fp8", "fp4", shard_bytes=300_000)
    return path


def drawn(report):
    out = io.StringIO()
    render(report, Console(file=out, width=120, force_terminal=False))
    return out.getvalue()


def test_a_checkpoint_is_counted_as_it_lies_on_disk(nano):
    report = inspect(nano)
    found = report.inventory
    index = json.loads((nano / "model.safetensors.index.json").read_text())
    assert (found.tensors, found.bytes) == (len(index["weight_map"]), index["metadata"]["total_size"])
    assert found.files == len(set(index["weight_map"].values())) > 1 and not found.computed
    assert {s.dtype for s in found.by_dtype} == {"I8", "F8_E8M0", "F8_E4M3", "BF16", "F32", "I64"}
    assert (found.expert_dtype, found.linear_dtype) == ("I8", "F8_E4M3")
    assert not found.problems and not found.notes


def test_a_bare_config_is_computed_and_says_so(nano):
    ours, files = inspect(nano / "config.json").inventory, inspect(nano).inventory
    assert ours.computed and ours.files == 0 and "computed from DeepSeek's layout" in ours.notes[0]
    assert ours.by_dtype == files.by_dtype
    text = drawn(inspect(nano / "config.json"))
    assert "computed from DeepSeek's layout" in text and "indexer in FP4" not in text  # nano was not trained for it


@pytest.mark.parametrize("name, nbytes", [("flash_config", 159_609_485_896), ("flash_config_with_expert_dtype", 159_609_485_896), ("pro_config", 864_704_792_696)])  # fmt: skip
def test_published_configs_give_the_published_sizes(shared, name, nbytes):
    report = inspect(shared / f"fixtures/configs/{name}.json", memory=64 * 2**30)
    assert report.inventory.bytes == nbytes
    assert not any(fit.fits for fit in report.model.fits)
    if name == "flash_config":
        text = drawn(report)
        for expected in ("69,187 tensors", "159,609,485,896 bytes", "290.94B", "284.33B", "13.27B", "3,514 B", "6.72 GiB"):
            assert expected in text
        assert "SS" + "CH" * 20 + "C MTP S" in text and "indexer in FP4" in text


def test_json_is_complete_and_valid(nano):
    report = inspect(nano, memory=1)
    out = json.loads(json.dumps(report.to_dict()))
    assert out["bytes"] == report.inventory.bytes and out["model"]["layers"] == ["SWA", "CSA", "HCA", "CSA"]
    assert out["model"]["parameters"]["total"] == cost.parameters(PRESETS["nano"]).total
    assert out["model"]["cache"][0]["at"]["131072"] == cost.cache_bytes(PRESETS["nano"], 2**17, cost.cache_layouts(PRESETS["nano"])[0])
    assert out["model"]["fits"][0] == {"dtype": "float32", "needed": report.model.fits[0].needed, "memory": 1, "fits": False}
    assert [w["context"] for w in out["model"]["flops_per_token"]] == [4096, 32768, 131072, 1048576]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weight_bytes_are_those_of_the_loaded_model(nano, dtype):
    from finback.checkpoint import load

    state = load(nano, dtype).state_dict()
    assert weight_bytes(PRESETS["nano"], dtype) == sum(t.nbytes for t in state.values())


def test_fitting_is_judged_by_the_memory_there_is(nano):
    needed = weight_bytes(PRESETS["nano"], torch.bfloat16)
    fits = {fit.dtype: fit.fits for fit in inspect(nano, memory=needed).model.fits}
    assert fits == {"float32": False, "bfloat16": True, "stored": True}
    stored = sum(file.stat().st_size for file in nano.glob("*.safetensors"))
    assert not any(fit.fits for fit in inspect(nano, memory=min(needed, stored) * 9 // 10).model.fits)
    assert inspect(nano).model.fits[0].memory > 2**20


def test_one_shard_and_a_file_without_config_are_described(nano, tmp_path):
    shard = sorted(nano.glob("*.safetensors"))[0]
    report = inspect(shard)
    assert "one shard" in report.inventory.notes[0] and not report.inventory.problems
    assert 0 < report.inventory.tensors < inspect(nano).inventory.tensors
    save_file({"embed.weight": torch.zeros(4, 2)}, tmp_path / "x.safetensors")
    report = inspect(tmp_path / "x.safetensors")
    assert report.model is None and report.inventory.tensors == 1 and report.to_dict()["model"] is None
    assert "no config.json" in drawn(report)


def test_an_incomplete_checkpoint_is_described_with_its_problems(nano, tmp_path):
    (tmp_path / "config.json").write_text((nano / "config.json").read_text())
    save_file({"embed.weight": torch.zeros(2048, 128)}, tmp_path / "model.safetensors")
    report = inspect(tmp_path)
    assert "tensors are missing: head.weight" in report.inventory.problems[0]
    assert "problem: " in drawn(report)


def test_an_index_or_nothing_is_refused(nano, tmp_path):
    with pytest.raises(CheckpointError, match="is an index"):
        inspect(nano / "model.safetensors.index.json")
    with pytest.raises(CheckpointError, match="does not exist"):
        inspect(tmp_path / "nothing")
