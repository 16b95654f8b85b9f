"""What we save, transformers loads unchanged; what transformers saves, we load."""

import warnings

import pytest
import torch

from finback.checkpoint import convert, load, save
from finback.config import ModelConfig

transformers = pytest.importorskip("transformers")


def random_model(config):
    from finback.model import new_model

    model = new_model(config, seed=3)
    g = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for value in model.parameters():  # away from the initial values, which hide errors
            value.add_(torch.randn(value.shape, generator=g) * 0.1)
    return model.eval()


@pytest.fixture(scope="module", params=["4/128", "8/32", "no mtp, window only"])
def model(request, tiny_config):
    changes = {
        "4/128": {},
        "8/32": {"compress_ratios": (0, 8, 32, 8, 0), "csa_ratio": 8},
        "no mtp, window only": {"compress_ratios": (0, 0), "num_hidden_layers": 2, "num_nextn_predict_layers": 0},
    }
    return random_model(tiny_config.replace(**changes[request.param]))


def logits(model, ids):
    with torch.no_grad():
        return torch.stack(model.logits(ids.tolist()))


def theirs(path):
    return transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()


def test_transformers_loads_what_we_save_and_computes_the_same(model, tmp_path):
    save(model, tmp_path / "ours", "fp32", shard_bytes=150_000)
    peer, info = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path / "ours", dtype=torch.float32, output_loading_info=True
    )
    assert not info["missing_keys"] and not info["mismatched_keys"]
    assert all(k.startswith("mtp.") for k in info["unexpected_keys"])
    ids = torch.randint(0, 96, (2, 150), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        difference = (peer.eval()(ids).logits - logits(model, ids)).abs().max()
    assert difference < 2e-5


def test_we_load_what_transformers_saves_and_convert_it_back(model, tmp_path):
    save(model, tmp_path / "ours", "fp32")
    theirs(tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back = load(tmp_path / "theirs", "fp32")
        convert(tmp_path / "theirs", tmp_path / "converted", "fp32")
    ids = torch.randint(0, 96, (1, 140), generator=torch.Generator().manual_seed(2))
    assert torch.equal(logits(back, ids), logits(model, ids))
    state = model.state_dict()
    assert all(torch.equal(v, state[n]) for n, v in back.state_dict().items())
    converted = load(tmp_path / "converted").state_dict()
    assert converted.keys() == back.state_dict().keys()
    assert all(torch.equal(v, state[n]) for n, v in converted.items())
    assert ModelConfig.from_file(tmp_path / "theirs").layer_kinds == model.config.layer_kinds
