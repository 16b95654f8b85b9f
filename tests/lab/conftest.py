"""Shared material for the lab tests."""

import os
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny tensors are fastest on one thread, above all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The directory of reference material, which is not part of the repository."""
    path = Path(os.environ.get("FINBACK_SHARED", Path(__file__).parents[3] / "shared"))
    if not (path / "fixtures").is_dir():
        pytest.skip(f"reference material not found at {path}: set FINBACK_SHARED")
    return path
