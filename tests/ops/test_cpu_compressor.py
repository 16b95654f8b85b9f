"""Native pooling with gradients against its definition."""

from __future__ import annotations

import pytest
import torch

from finback.ops import cpu, reference

pool_windows = cpu.OPS["pool_windows"][1]
# entries, ratio, channels, overlap
SHAPES = [(1, 1, 1, False), (1, 1, 3, True), (3, 4, 26, True), (128, 4, 128, True), (2, 8, 17, False), (4, 128, 136, False), (37, 3, 16, True)]


def arguments(k: int, ratio: int, c: int, overlap: bool, scale: float = 2.0) -> list[torch.Tensor]:
    g = torch.Generator().manual_seed(k + c)
    shape = ((k + overlap) * ratio, c * (1 + overlap))
    return [torch.randn(shape, generator=g), scale * torch.randn(shape, generator=g)]


def with_gradients(function, args: list[torch.Tensor], ratio: int, overlap: bool) -> list[torch.Tensor]:
    leaves = [a.clone().requires_grad_() for a in args]
    out = function(*leaves, ratio, overlap)
    grad = torch.randn(out.shape, generator=torch.Generator().manual_seed(3))
    return [out.detach(), *torch.autograd.grad(out, leaves, grad)]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "-".join(map(str, s)))
@pytest.mark.parametrize("first_exists", [True, False])
@pytest.mark.parametrize("scale", [2.0, 200.0])
def test_values_and_gradients_agree_with_the_definition(monkeypatch, level, shape, first_exists, scale):
    _, ratio, _, overlap = shape
    args = arguments(*shape, scale)
    if overlap and not first_exists:
        args[0][:ratio], args[1][:ratio] = 0.0, -torch.inf
    wanted = with_gradients(reference.pool_windows, args, ratio, overlap)
    monkeypatch.setattr(torch, "empty_like", lambda t: torch.full_like(t, torch.nan))
    monkeypatch.setattr(torch.Tensor, "new_empty", lambda t, *s: t.new_full(s, torch.nan))
    for found, expected in zip(with_gradients(pool_windows, args, ratio, overlap), wanted):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=2e-6)


def test_an_entry_has_the_same_bits_in_any_company(level, threads):
    u, z = arguments(20, 4, 26, True)
    whole = pool_windows(u, z, 4, True)
    for i in range(20):
        rows = slice(4 * i, 4 * i + 8)
        assert torch.equal(pool_windows(u[rows], z[rows], 4, True)[0], whole[i])


@pytest.mark.parametrize("which", [0, 1])
def test_nan_stays_with_its_entry_and_channel(level, which):
    args = arguments(5, 4, 26, True)
    args[which][9, 3] = torch.nan  # the second row of window 2, in the half that entry 2 reads
    out, du, dz = with_gradients(pool_windows, args, 4, True)
    assert out.isnan().nonzero().tolist() == [[2, 3]]
    assert {tuple(x) for x in dz.isnan().nonzero().tolist()} == {(r, 3) for r in range(8, 12)} | {(r, 29) for r in range(12, 16)}
    assert du.isnan().any() == (which == 1)


def test_what_is_refused_says_why():
    u, z = arguments(3, 4, 8, True)
    refuses = cpu.OPS["pool_windows"][0]
    assert refuses(u.requires_grad_(), z, 4, True) is None
    assert "complete" in refuses(u[:4], z[:4], 4, True)
    assert "rows of windows" in refuses(u[:7], z[:7], 4, True) and "rows of windows" in refuses(u, z[:8], 4, True)
    assert "not contiguous" in refuses(u, z.t().contiguous().t(), 4, True)
