"""An interrupted save leaves the old checkpoint, the new one, or something plainly incomplete."""

import os
import shutil

import pytest
import torch

from finback.checkpoint import CheckpointError, load, open_checkpoint, save, writer
from finback.checkpoint.reader import INDEX


def same_state(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[n], b[n]) for n in a)


def test_a_tokenizer_beside_the_old_checkpoint_is_kept(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "m", "fp32", shard_bytes=100_000)
    (tmp_path / "m/tokenizer.json").write_text("{}")
    (tmp_path / "m/runs").mkdir()
    (tmp_path / "m/runs/log").write_text("line")
    save(tiny_model, tmp_path / "m", "bf16")
    assert (tmp_path / "m/tokenizer.json").read_text() == "{}" and (tmp_path / "m/runs/log").read_text() == "line"
    assert len(list((tmp_path / "m").glob("*.safetensors"))) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_a_directory_without_a_checkpoint_is_filled(tiny_model, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m/tokenizer.json").write_text("{}")
    save(tiny_model, tmp_path / "m", "fp32")
    assert same_state(load(tmp_path / "m"), tiny_model) and (tmp_path / "m/tokenizer.json").exists()


def test_a_model_is_saved_over_the_files_it_is_mapped_from(tiny_model, tmp_path):
    save(tiny_model, tmp_path / "m", "fp32")
    model = load(tmp_path / "m")
    save(model, tmp_path / "m", "fp32")
    assert same_state(load(tmp_path / "m"), tiny_model) and same_state(model, tiny_model)


def test_too_little_space_is_told_before_anything_is_written(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(writer.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    with pytest.raises(CheckpointError, match="free some space"):
        save(tiny_model, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_not_overwritten(tiny_model, tmp_path):
    (tmp_path / "m").write_text("precious")
    with pytest.raises(CheckpointError, match="is a file"):
        save(tiny_model, tmp_path / "m")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("before", ["nothing", "checkpoint", "other files"])
def test_a_killed_save_leaves_the_old_checkpoint_or_the_new_one(tiny_model, tmp_path, before):
    """The process dies at each flush and rename in turn; what is then there is all old, all new, or plainly incomplete."""
    target = tmp_path / "m"
    outcomes = set()
    for death in range(40):
        for leftover in list(tmp_path.iterdir()):
            _remove(leftover)
        if before == "checkpoint":
            save(tiny_model, target, "fp32", shard_bytes=200_000)
        elif before == "other files":
            target.mkdir()
            (target / "tokenizer.json").write_text("{}")
        status = _save_and_die(tiny_model, target, death)
        try:
            outcome = open_checkpoint(target).dtype("embed.weight")
        except CheckpointError as error:
            outcome = "refused"
            hint = "previous checkpoint is in" in str(error)
            assert not (target / INDEX).exists()
        outcomes.add(outcome)
        if before == "checkpoint" and outcome == "refused":
            assert hint and open_checkpoint(tmp_path / ".m.previous").dtype("embed.weight") == "F32"
        save(tiny_model, target, "fp32")  # whatever happened, the next save succeeds
        assert same_state(load(target), tiny_model)
        if status == 0:
            break
    assert status == 0 and outcome == "BF16" and death > 5
    assert outcomes == ({"F32", "refused", "BF16"} if before == "checkpoint" else {"refused", "BF16"})


def _save_and_die(model, target, calls):
    """Saves in a child process that dies, without any cleaning up, at its nth fsync or rename."""
    pid = os.fork()
    if pid == 0:
        torch.set_num_threads(1)
        left = [calls]

        def fatal(function):
            def call(*args):
                if left[0] == 0:
                    os._exit(9)
                left[0] -= 1
                return function(*args)

            return call

        os.fsync, os.rename, os.replace = fatal(os.fsync), fatal(os.rename), fatal(os.replace)
        try:
            save(model, target, "bf16", shard_bytes=100_000)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()
