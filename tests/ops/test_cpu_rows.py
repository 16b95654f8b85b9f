"""The native RMSNorm and RoPE against their definitions, forward and back."""

from __future__ import annotations

import pytest
import torch
from agreement import DTYPES, assert_agrees, native, random, run, wanting

from finback.ops import cpu, reference

pytestmark = pytest.mark.usefixtures("poisoned")

SHAPES = [(1, 512), (2, 3, 7), (15, 33), (16, 2, 64), (17, 5), (33, 4, 48), (300, 16), (130, 1), (4, 2, 3, 20)]


def norming(shape: tuple[int, ...], dtype: torch.dtype = torch.float32, weighted: bool = True):
    return [random(*shape, seed=0, dtype=dtype), random(shape[-1], seed=1) if weighted else None, 1e-2]


def turning(shape: tuple[int, ...], dtype: torch.dtype = torch.float32, pairs: int | None = None):
    theta = random(shape[0], shape[-1] // 2 if pairs is None else pairs, seed=1, scale=3.0)
    return [random(*shape, seed=0, dtype=dtype), theta.cos(), theta.sin()]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_norm_agrees_with_the_definition(shape, weighted, dtype):
    assert_agrees("rms_norm", wanting(norming(shape, dtype, weighted)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_rotation_agrees_with_the_definition(shape, dtype):
    for pairs in {0, 1, shape[-1] // 4, shape[-1] // 2} - ({1} if shape[-1] < 2 else set()):
        assert_agrees("rotate", wanting(turning(shape, dtype, pairs), fixed=(1, 2)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_level_agrees_with_the_definition(level, threads, dtype):
    for shape in [(1, 40), (37, 3, 45), (90, 64)]:
        assert_agrees("rms_norm", wanting(norming(shape, dtype)))
        assert_agrees("rotate", wanting(turning(shape, dtype, 10), fixed=(1, 2)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_results_too_large_for_the_caches_are_those_of_their_halves(level, dtype):
    x, cos, sin = turning((2100, 8, 128), dtype, 16)
    weight, given = random(128, seed=5), random(2100, 8, 128, seed=6, dtype=dtype)

    def both(t):
        part = x[t].clone().requires_grad_()
        outs = native("rms_norm")(part, weight, 1e-6), native("rotate")(part, cos[t], sin[t])
        return [*outs, *(torch.autograd.grad(out, part, given[t])[0] for out in outs)]

    whole = both(slice(None))
    for half in (slice(0, 1000), slice(1000, 2100)):
        assert all(torch.equal(a, b[half]) for a, b in zip(both(half), whole))


@pytest.mark.parametrize("name", ["rms_norm", "rotate"])
def test_no_rows_give_no_rows_and_no_gradient(level, name):
    args = wanting(norming((0, 8)) if name == "rms_norm" else turning((0, 2, 8)), fixed=() if name == "rms_norm" else (1, 2))
    (out,), grads = run(native(name), args)
    assert out.shape == args[0].shape and all(not g.any() for g in grads)


def test_rotation_rounds_as_the_definition_does(level):
    args = turning((40, 3, 33), pairs=11)
    assert torch.equal(native("rotate")(*args), reference.rotate(*args))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_has_the_same_bits_in_any_company(level, dtype):
    x, weight, eps = norming((77, 3, 45), dtype)
    _, cos, sin = turning((77, 3, 45), dtype, 11)
    given = random(77, 3, 45, seed=5, dtype=dtype)

    def both(t):
        part = x[t].clone().requires_grad_()
        outs = native("rms_norm")(part, weight, eps), native("rotate")(part, cos[t], sin[t])
        return [*outs, *(torch.autograd.grad(out, part, given[t])[0] for out in outs)]

    whole = both(slice(None))
    for t in [slice(0, 1), slice(16, 17), slice(76, 77), slice(3, 20), slice(60, 77)]:
        assert all(torch.equal(alone, company[t]) for alone, company in zip(both(t), whole))


def test_threads_and_gradients_do_not_show_in_any_bit():
    args, before, found = wanting(norming((2000, 24))), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 3, 2):
            torch.set_num_threads(threads)
            outs, grads = run(native("rms_norm"), args)
            found.append(outs + grads)
        with torch.no_grad():
            found.append([native("rms_norm")(*args), *grads])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for other in found[1:] for a, b in zip(found[0], other))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_and_infinity_go_where_the_definition_lets_them(level, value, dtype):
    for name, args, fixed in (("rms_norm", norming((37, 20), dtype), ()), ("rotate", turning((37, 20), dtype, 6), (1, 2))):
        args[0][20, 17] = value
        args[0][3, 2] = value
        close = dict(rtol=1e-4, atol=1e-4) if dtype == torch.float32 else dict(rtol=2e-2, atol=2e-2)
        found, wanted = run(native(name), wanting(args, fixed)), run(getattr(reference, name), wanting(args, fixed))
        for ours, theirs in zip(found[0] + found[1], wanted[0] + wanted[1]):
            torch.testing.assert_close(ours, theirs, **close, equal_nan=True)


def test_rows_that_lie_apart_agree_with_the_definition():
    wide, weight, eps = norming((20, 4, 24))
    _, cos, sin = turning((20, 4, 12), pairs=5)
    for view in (lambda x: x[..., 3:15], lambda x: x.transpose(0, 1).contiguous().transpose(0, 1)[..., :12]):
        for op in ("rms_norm", "rotate"):
            rest = (weight[:12], eps) if op == "rms_norm" else (cos, sin)
            found = run(lambda x: native(op)(view(x), *rest), [wide.clone().requires_grad_()])  # noqa: B023
            wanted = run(lambda x: getattr(reference, op)(view(x), *rest), [wide.clone().requires_grad_()])  # noqa: B023
            for ours, theirs in zip(found[0] + found[1], wanted[0] + wanted[1]):
                torch.testing.assert_close(ours, theirs, rtol=2e-5, atol=2e-5)


def test_gradients_that_are_not_dense_and_inputs_used_twice_agree_with_the_definition():
    def both(norm, rotate):
        def f(x, weight, cos, sin):
            y = norm(x, weight, 1e-3) + rotate(x, cos, sin)
            return y.sum(dim=0) + norm(x, weight, 1e-3).transpose(0, 1)[:, 0]

        return f

    args = [random(6, 3, 10, seed=0), random(10, seed=1), *turning((6, 3, 10))[1:]]
    found = run(both(native("rms_norm"), native("rotate")), wanting(args, fixed=(2, 3)))
    wanted = run(both(reference.rms_norm, reference.rotate), wanting(args, fixed=(2, 3)))
    for ours, theirs in zip(found[0] + found[1], wanted[0] + wanted[1]):
        torch.testing.assert_close(ours, theirs, rtol=2e-5, atol=2e-5)


def test_what_is_refused_says_why():
    x, weight, eps = norming((2, 8))
    assert cpu.OPS["rms_norm"][0](x, weight, eps) is None and cpu.OPS["rms_norm"][0](x.bfloat16(), None, eps) is None
    assert "float64" in cpu.OPS["rms_norm"][0](x.double(), weight, eps)
    assert "bfloat16" in cpu.OPS["rms_norm"][0](x, weight.bfloat16(), eps)
    assert "(7,)" in cpu.OPS["rms_norm"][0](x, weight[:7], eps)
    x, cos, sin = turning((2, 8))
    assert cpu.OPS["rotate"][0](x, cos, sin) is None
    assert "gradients" in cpu.OPS["rotate"][0](x, cos.clone().requires_grad_(), sin)
    assert "(3, 4)" in cpu.OPS["rotate"][0](x, torch.zeros(3, 4), torch.zeros(3, 4))
    assert "(2, 5)" in cpu.OPS["rotate"][0](x, torch.zeros(2, 5), torch.zeros(2, 5))
    assert "not contiguous" in cpu.OPS["rotate"][0](x, sin.t().contiguous().t(), sin)
