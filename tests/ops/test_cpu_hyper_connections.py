"""The native hyper-connections against their definition."""

from __future__ import annotations

import pytest
import torch

from finback.ops import cpu, reference


def arguments(T: int, n: int, D: int, seed: int = 0):
    g = torch.Generator().manual_seed(seed)
    h = torch.randn(T, n, D, generator=g)
    fn = torch.randn((2 + n) * n, n * D, generator=g) / (n * D) ** 0.5
    return h, fn, torch.randn(3, generator=g), torch.randn((2 + n) * n, generator=g), 20, 1e-6, 1e-6


@pytest.mark.parametrize("shape", [(1, 4, 512), (7, 4, 33), (130, 4, 64), (3, 1, 5), (2, 8, 17), (0, 4, 8)])
def test_reading_agrees_with_the_definition(level, threads, shape):
    args = arguments(*shape)
    for found, wanted in zip(cpu.OPS["hc_pre"][1](*args), reference.hc_pre(*args)):
        torch.testing.assert_close(found, wanted, rtol=2e-5, atol=2e-6)


def test_a_token_has_the_same_bits_in_any_company(level):
    h, *rest = arguments(37, 4, 96)
    whole = cpu.OPS["hc_pre"][1](h, *rest)
    for t in range(len(h)):
        x, post, comb = cpu.OPS["hc_pre"][1](h[t : t + 1], *rest)
        assert torch.equal(x[0], whole[0][t]) and torch.equal(post[:, 0], whole[1][:, t]) and torch.equal(comb[..., 0], whole[2][..., t])


def test_nan_stays_with_its_token(level):
    h, *rest = arguments(5, 4, 40)
    clean = cpu.OPS["hc_pre"][1](h, *rest)
    h[2, 1, 3] = float("nan")
    x, post, comb = cpu.OPS["hc_pre"][1](h, *rest)
    assert x[2].isnan().all() and post[:, 2].isnan().all() and comb[..., 2].isnan().all()
    keep = [0, 1, 3, 4]
    assert torch.equal(x[keep], clean[0][keep]) and torch.equal(comb[..., keep], clean[2][..., keep])


def test_what_is_refused_says_why():
    h, fn, *rest = arguments(2, 4, 8)
    refuses = cpu.OPS["hc_pre"][0]
    assert refuses(h, fn, *rest) is None
    assert "not contiguous" in refuses(h.transpose(0, 1).contiguous().transpose(0, 1), fn, *rest)
    assert "float64" in refuses(h.double(), fn, *rest)
