import os
from pathlib import Path

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=20)
hypothesis.settings.load_profile("repeatable")
# The tests' tensors are tiny: a second thread has nothing to do but wait, and on a busy machine that is slow.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material, which is not part of the repository; without it the test is skipped."""
    path = Path(os.environ.get("FINBACK_SHARED", Path(__file__).parents[2] / "shared"))
    if not (path / "fixtures").is_dir():
        pytest.skip(f"reference material not found at {path}: set FINBACK_SHARED")
    return path
