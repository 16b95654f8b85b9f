"""Where the tests of this room find their data, and a small tokenizer they share."""

import json
import os
from pathlib import Path

import pytest
from chat_cases import REPOSITORY, load_cases

from finback.text import train_tokenizer


@pytest.fixture(scope="session")
def golden():
    """The four official input/output pairs: (messages, thinking_mode, prompt) by name."""
    shared = Path(os.environ.get("FINBACK_SHARED", REPOSITORY.parent / "shared"))
    folder = shared / "fixtures" / "chat" / "golden"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: set FINBACK_SHARED to the folder of shared material")
    pairs = {}
    for i in range(1, 5):
        given = json.loads((folder / f"test_input_{i}.json").read_text(encoding="utf-8"))
        messages = given
        if isinstance(given, dict):
            messages = given["messages"]
            messages[0]["tools"] = given["tools"]
        prompt = (folder / f"test_output_{i}.txt").read_text(encoding="utf-8")
        pairs[f"test_output_{i}"] = (messages, "chat" if i == 4 else "thinking", prompt)
    return pairs


@pytest.fixture(scope="session")
def corpus():
    """Text of several kinds, the same in every clone: the fixtures of this room."""
    return [case["output"] for case in load_cases("encode_cases") if "output" in case] + [
        "数字 12345 と かな、漢字。", "def f(x):\n    return x ** 2  # naïve\n", "Ünïcödé 🐋🐋 text, 3.14159!"
    ] * 5


@pytest.fixture(scope="session")
def small_tokenizer(corpus):
    return train_tokenizer(corpus, vocab_size=900)
