"""The command as a user types it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from helpers import random_model, tiny_config
from typer.testing import CliRunner

from finback.checkpoint import Card, read_card, save
from finback.cli import DEFAULT_MODEL, app
from finback.text import train_tokenizer


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "model"
    tokenizer = train_tokenizer(["hello there, hello you"], 340)
    save(random_model(tiny_config(vocab_size=tokenizer.vocab_size)), folder, weight_format="fp32")
    tokenizer.save(folder)
    return folder


def run(*args: str, stdin: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "finback.cli", *args], input=stdin, capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.parametrize("verb", ["chat", "generate", "inspect", "convert", "train", "report", "eval", "doctor"])
def test_every_verb_explains_itself(verb):
    result = CliRunner().invoke(app, [verb, "--help"])
    assert result.exit_code == 0
    assert len(result.output) > 200


def test_generate_repeats_a_seed_and_starts_with_the_prompt(checkpoint):
    args = ["generate", "hello", "-m", str(checkpoint), "--seed", "5", "--max-tokens", "12"]
    first, second = run(*args), run(*args)
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert first.stdout.startswith("hello")
    assert len(first.stdout) > len("hello\n")


def test_what_the_checkpoint_recommends_is_the_default(checkpoint, tmp_path):
    checkpoint = shutil.copytree(checkpoint, tmp_path / "model")
    (checkpoint / "generation_config.json").write_text('{"temperature": 0.0, "thinking": false}')
    args = ["generate", "hello", "-m", str(checkpoint), "--max-tokens", "12"]
    assert run(*args, "--seed", "5").stdout == run(*args, "--seed", "6").stdout  # greedy
    assert read_card(checkpoint).thinking is False and read_card(checkpoint / "nothing") == Card(True, 1.0, 1.0)


def test_generate_reads_standard_input(checkpoint):
    result = run("generate", "-", "-m", str(checkpoint), "--max-tokens", "3", stdin="hello you")
    assert result.stdout.startswith("hello you")


def test_chat_answers_and_obeys_its_commands(checkpoint):
    lines = "hello\n/stats\nagain <｜User｜>\n/think\n/effort low\n/temp -1\n/nonsense\n/new\n/help\n/quit\n"
    result = run("chat", "-m", str(checkpoint), "--seed", "1", "--max-tokens", "8", stdin=lines)
    assert result.returncode == 0, result.stderr
    for expected in ("prompt tokens (0 from the cache)", "thinking first", "temperature is -1", "there is no command /nonsense",
                     "new conversation", "/effort high|max"):  # fmt: skip
        assert expected in result.stdout


def test_chat_starts_whatever_readme_a_checkpoint_has(checkpoint):
    (checkpoint / "README.md").write_text("one paragraph")
    assert run("chat", "-m", str(checkpoint), stdin="/quit\n").returncode == 0


def test_inspect_prints_json_of_a_checkpoint(checkpoint):
    result = run("inspect", str(checkpoint), "--json")
    assert json.loads(result.stdout)


def test_convert_writes_a_checkpoint_that_generates(checkpoint, tmp_path):
    result = run("convert", str(checkpoint), str(tmp_path / "out"), "--weights", "bf16")
    assert result.returncode == 0, result.stderr
    assert run("generate", "hello", "-m", str(tmp_path / "out"), "--max-tokens", "2").returncode == 0


@pytest.mark.parametrize(
    ("args", "cause"),
    [
        (["generate", "x", "-m", "nowhere"], "nowhere"),
        (["inspect", "nowhere"], "nowhere does not exist"),
        (["train", "nowhere.toml"], "nowhere.toml does not exist"),
        (["generate", "x", "--device", "abacus"], "there is no device 'abacus'"),
        (["chat", "--effort", "low"], "--effort is 'low'; choose high or max"),
    ],
)
def test_wrong_input_ends_in_one_sentence_and_exit_code_1(args, cause):
    result = run(*args)
    assert result.returncode == 1
    assert result.stderr.startswith("error:")
    assert cause in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("dtype", ["auto", "bf16", "stored"])
def test_weights_that_do_not_fit_are_refused_before_they_are_read(checkpoint, monkeypatch, dtype):
    from finback import cli, device

    assert cli._load(checkpoint, dtype, "cpu")
    monkeypatch.setattr(device, "memory", lambda _: 1000)
    if dtype == "stored":
        assert cli._load(checkpoint, dtype, "cpu")
    else:
        with pytest.raises(ValueError, match="take 0.0 GiB in .*--dtype stored"):
            cli._load(checkpoint, dtype, "cpu")


def test_doctor_finds_nothing_wrong():
    assert (DEFAULT_MODEL / "config.json").exists(), "the package has no model"
    result = run("doctor")
    assert result.returncode == 0, result.stdout
    assert "FAIL" not in result.stdout
    assert "self-test" in result.stdout
