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
