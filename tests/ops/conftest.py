import pytest

from finback.ops import cpu

if cpu.MISSING:
    collect_ignore_glob = ["test_cpu_*.py"]
    LEVELS = []
else:
    LEVELS = cpu._native.levels()


@pytest.fixture(params=LEVELS)
def level(request):
    """Every level of instructions that this processor has, in turn."""
    before = cpu.level()
    cpu._native.choose(request.param)
    yield request.param
    cpu._native.choose(before)


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def poisoned():
    """Fresh memory is full of NaN, so that a result which an operation does not write is seen."""
    import torch

    torch.use_deterministic_algorithms(True)
    assert torch.empty(3).isnan().all()
    yield
    torch.use_deterministic_algorithms(False)
