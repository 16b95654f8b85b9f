"""A small tokenizer for the whole room."""

from __future__ import annotations

import pytest
from data_helpers import stories

from finback.text import train_tokenizer


@pytest.fixture(scope="session")
def tokenizer():
    return train_tokenizer(stories(50, 0), 420)
