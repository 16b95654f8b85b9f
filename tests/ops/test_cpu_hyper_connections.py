"""The native hyper-connections against their definition, forward and back."""

from __future__ import annotations

import pytest
import torch
from agreement import DTYPES, assert_agrees, native, random, run, wanting

from finback.ops import cpu, reference

pytestmark = pytest.mark.usefixtures("poisoned")


def reading(T: int, n: int, D: int, dtype: torch.dtype = torch.float32, iters: int = 20, eps: float = 1e-6, head: bool = False):
    rows = n if head else (2 + n) * n
    fn = random(rows, n * D, seed=1, scale=(n * D) ** -0.5)
    args = [random(T, n, D, seed=0, dtype=dtype), fn, random(1 if head else 3, seed=2), random(rows, seed=3)]
    return [*args, eps, 1e-3] if head else [*args, iters, eps, 1e-3]


def writing(T: int, n: int, D: int, dtype: torch.dtype = torch.float32):
    return [random(T, D, seed=0, dtype=dtype), random(T, n, D, seed=1, dtype=dtype), random(n, T, seed=2), random(n, n, T, seed=3)]


CASES = {"hc_pre": reading, "hc_head": lambda *a: reading(*a, head=True), "hc_post": writing}
SHAPES = [(1, 4, 512), (2, 3, 7), (15, 4, 33), (16, 2, 64), (17, 4, 48), (33, 5, 9), (130, 4, 67), (200, 1, 5), (3, 6, 31), (19, 7, 16),
          (18, 8, 17)]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_agree_with_the_definition(name, shape, dtype):
    assert_agrees(name, wanting(CASES[name](*shape, dtype)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_every_level_agrees_with_the_definition(level, threads, name, dtype):
    for shape in [(1, 4, 40), (37, 4, 45), (150, 3, 16), (9, 8, 6)]:
        assert_agrees(name, wanting(CASES[name](*shape, dtype)))


# a large eps and few iterations: at 1e-6 and 20 neither an eps nor the order of the last steps would show
@pytest.mark.parametrize(("n", "iters", "eps"), [(4, 1, 1e-2), (3, 2, 0.1), (4, 2, 1e-2), (8, 3, 0.1), (1, 1, 0.1)])
def test_few_iterations_agree_with_the_definition(level, n, iters, eps):
    assert_agrees("hc_pre", wanting(reading(21, n, 13, iters=iters, eps=eps)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_results_too_large_for_the_caches_are_those_of_their_halves(level, dtype):
    T = 1030
    x, residual, post, comb = wanting(writing(T, 4, 512, dtype))
    given = random(T, 4, 512, seed=5, dtype=dtype)
    out = native("hc_post")(x, residual, post, comb)
    whole = [out, *torch.autograd.grad(out, (x, residual), given)]
    for half in (slice(0, T // 2), slice(T // 2, T)):
        part = wanting([x[half], residual[half], post[:, half].contiguous(), comb[..., half].contiguous()])
        out = native("hc_post")(*part)
        assert all(torch.equal(a, b[half]) for a, b in zip([out, *torch.autograd.grad(out, part[:2], given[half])], whole))


@pytest.mark.parametrize("name", CASES)
def test_no_tokens_give_no_rows_and_no_gradient(level, name):
    args = wanting(CASES[name](0, 4, 8))
    outs, grads = run(native(name), args)
    assert all(out.numel() == 0 for out in outs)
    assert all(g.shape == a.shape and not g.any() for g, a in zip(grads, args))


@pytest.mark.parametrize("extreme", [-300.0, 300.0])
def test_saturated_gates_agree_with_the_definition(level, extreme):
    for name in ("hc_pre", "hc_head"):
        args = CASES[name](20, 4, 16)
        args[3][::3] = extreme
        found, wanted = run(native(name), wanting(args)), run(getattr(reference, name), wanting(args))
        for ours, theirs in zip(found[0] + found[1], wanted[0] + wanted[1]):
            torch.testing.assert_close(ours, theirs, rtol=2e-5, atol=2e-5)


def per_token(name: str, args: list, t: slice | int) -> list[torch.Tensor]:
    """Results and gradients that belong to a token, tokens first; of some tokens' arguments alone."""
    t = slice(t, t + 1) if isinstance(t, int) else t
    if name == "hc_post":
        some = [args[0][t], args[1][t], args[2][:, t].contiguous(), args[3][..., t].contiguous()]
        given = random(*args[1].shape, seed=9, dtype=args[1].dtype)[t]
        some = wanting(some)
        out = native(name)(*some)
        d = torch.autograd.grad(out, some, given)
        return [out, d[0], d[1], d[2].movedim(-1, 0), d[3].movedim(-1, 0)]
    h = args[0][t].clone().requires_grad_()
    outs = native(name)(h, *args[1:])
    outs = outs if isinstance(outs, tuple) else (outs,)
    whole = [(len(args[0]), args[0].shape[2]), (args[0].shape[1], len(args[0])), (args[0].shape[1],) * 2 + (len(args[0]),)]
    given = [random(*shape, seed=9 + i) for i, shape in enumerate(whole[: len(outs)])]
    given = [given[0][t].to(h.dtype), *(g[..., t] for g in given[1:])]
    (dh,) = torch.autograd.grad(outs, h, given)
    return [outs[0], dh, *(out.movedim(-1, 0) for out in outs[1:])]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_a_token_has_the_same_bits_in_any_company(level, name, dtype):
    args = CASES[name](77, 4, 45, dtype)
    whole = per_token(name, args, slice(None))
    for t in [0, 5, 15, 16, 63, 64, 76, slice(3, 20), slice(60, 77)]:
        for alone, company in zip(per_token(name, args, t), whole):
            assert torch.equal(alone, company[t : t + 1] if isinstance(t, int) else company[t])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_threads_and_gradients_do_not_show_in_any_bit(name, dtype):
    args = wanting(CASES[name](333, 4, 24, dtype))
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 3, 2):
            torch.set_num_threads(threads)
            outs, grads = run(native(name), args)
            found.append(outs + grads)
        with torch.no_grad():
            outs = native(name)(*args)
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for other in found[1:] for a, b in zip(found[0], other))
    assert all(torch.equal(a, b) for a, b in zip(found[0], outs if isinstance(outs, tuple) else (outs,)))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", CASES)
def test_nan_and_infinity_stay_with_their_token(level, name, value):
    args = CASES[name](37, 4, 40)
    clean = per_token(name, args, slice(None))
    args[0][(20, 1, 3)[: args[0].dim()]] = value
    keep = [t for t in range(37) if t != 20]
    for found, before in zip(per_token(name, args, slice(None)), clean):
        assert torch.equal(found[keep], before[keep])
    found, wanted = run(native(name), wanting(args)), run(getattr(reference, name), wanting(args))
    for ours, theirs in zip(found[0] + found[1], wanted[0] + wanted[1]):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4, equal_nan=True)


def test_streams_that_are_read_and_written_get_both_gradients():
    def block(hc_pre, hc_post):
        def f(h, fn, scale, base):
            x, post, comb = hc_pre(h, fn, scale, base, 20, 1e-6, 1e-6)
            h = hc_post(x.square(), h, post, comb)
            x, post, comb = hc_pre(h, fn, scale, base, 20, 1e-6, 1e-6)  # the same parameters once more
            return hc_post(x, h, post, comb)

        return f

    args = reading(40, 4, 24)[:4]
    found = run(block(native("hc_pre"), native("hc_post")), wanting(args))
    wanted = run(block(reference.hc_pre, reference.hc_post), wanting(args))
    for ours, theirs in zip(found[0] + found[1], wanted[0] + wanted[1]):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_results_that_nobody_reads_have_no_gradient():
    for used in range(3):
        ours, theirs = wanting(reading(20, 4, 10)), wanting(reading(20, 4, 10))
        found = torch.autograd.grad(native("hc_pre")(*ours)[used].sum(), ours[:4])
        wanted = torch.autograd.grad(reference.hc_pre(*theirs)[used].sum(), theirs[:4], allow_unused=True)
        for x, y in zip(found, wanted):
            torch.testing.assert_close(x, torch.zeros_like(x) if y is None else y, rtol=1e-4, atol=2e-5)


def test_what_is_refused_says_why():
    h, fn, *rest = reading(2, 4, 8)
    refuses = cpu.OPS["hc_pre"][0]
    assert refuses(h, fn, *rest) is None and refuses(h.bfloat16(), fn.requires_grad_(), *rest) is None
    assert "not contiguous" in refuses(h.transpose(0, 1).contiguous().transpose(0, 1), fn, *rest)
    assert "float64" in refuses(h.double(), fn, *rest)
    assert "bfloat16" in refuses(h, fn.bfloat16(), *rest)
    assert "9 streams" in refuses(torch.zeros(2, 9, 8), fn, *rest)
    assert "(24, 31)" in refuses(h, fn[:, 1:], *rest) and "(4, 32)" in refuses(h, fn[:4], *rest)
    x, residual, post, comb = writing(2, 4, 8)
    refuses = cpu.OPS["hc_post"][0]
    assert refuses(x, residual, post, comb) is None
    assert "bfloat16" in refuses(x.bfloat16(), residual, post, comb)
    assert "(3, 8)" in refuses(torch.zeros(3, 8), residual, post, comb)
    assert "not contiguous" in refuses(x, residual, post.t().contiguous().t(), comb)
