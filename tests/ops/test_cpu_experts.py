"""The native experts against their definition, forward and gradients, and what must hold for them to the last bit."""

from __future__ import annotations

import pytest
import torch

from finback.ops import cpu, reference

experts, swiglu = cpu.OPS["experts"][1], cpu.OPS["swiglu"][1]
FP32, BF16 = torch.float32, torch.bfloat16
LIMIT = 0.9  # low enough that both clamps act

# T, D, inner, E, k
SHAPES = [
    (1, 6, 5, 3, 2), (1, 1, 1, 1, 1), (2, 33, 17, 4, 1), (7, 40, 24, 3, 3), (65, 48, 20, 6, 2), (130, 37, 35, 5, 1),
    (200, 64, 32, 4, 2), (9, 16, 16, 64, 4),
]  # fmt: skip


@pytest.fixture
def poisoned():
    """Memory that nobody wrote holds NaN."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def arguments(T: int, D: int, inner: int, E: int, k: int, seed: int = 0) -> list[torch.Tensor]:
    """x, ids, weights, w1, w2, w3; the last expert of several is nobody's."""
    g = torch.Generator().manual_seed(seed + T)
    ids = torch.rand(T, max(E - 1, k), generator=g).argsort(dim=1)[:, :k]
    w1, w3 = (torch.randn(E, inner, D, generator=g) * D**-0.5 for _ in range(2))
    w2 = torch.randn(E, D, inner, generator=g) * inner**-0.5
    return [torch.randn(T, D, generator=g), ids, torch.rand(T, k, generator=g), w1, w2, w3]


def run(op, args: list, dy: torch.Tensor, *more) -> list[torch.Tensor]:
    """The result and the gradients of all floating arguments, for the result's gradient `dy`."""
    args = [a.detach().requires_grad_(a.is_floating_point()) if isinstance(a, torch.Tensor) else a for a in args]
    y = op(*args, *more)
    y.backward(dy.to(y.dtype))
    return [y.detach(), *(a.grad for a in args if isinstance(a, torch.Tensor) and a.requires_grad)]


def assert_close(found: list, wanted: list, tolerance: float) -> None:
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape
        torch.testing.assert_close(a.double(), b.double(), rtol=tolerance, atol=tolerance * (1 + float(b.abs().max())) if b.numel() else 0)


def assert_rounded_alike(found: list, exact: list) -> None:
    """BF16 throughout against FP32. A clamp that rounding decides differently has its gradient or has it not: the mean is judged."""
    for a, b in zip(found, exact, strict=True):
        if b.numel():
            assert (a.float() - b).abs().mean() <= 0.015 * b.abs().mean() + 0.02 * b.numel() ** -0.5


def rounded(args: list, x: torch.dtype, weights: torch.dtype) -> list:
    return [args[0].to(x), *args[1:-3], *(w.to(weights) for w in args[-3:])]


@pytest.mark.parametrize("shape", SHAPES)
def test_result_and_gradients_agree_with_the_definition(level, poisoned, shape):
    args = arguments(*shape)
    dy = torch.randn(args[0].shape, generator=torch.Generator().manual_seed(1))
    assert_close(run(experts, args, dy, LIMIT), run(reference.experts, args, dy, LIMIT), 2e-5)


@pytest.mark.parametrize("masters", [FP32, BF16])
@pytest.mark.parametrize("shape", SHAPES)
def test_in_bf16_they_agree_with_fp32_on_the_same_values(level, poisoned, shape, masters):
    args = rounded(arguments(*shape), BF16, BF16)
    dy = torch.randn(args[0].shape, generator=torch.Generator().manual_seed(1))
    exact = run(reference.experts, rounded(args, FP32, FP32), dy, LIMIT)
    found = run(experts, rounded(args, BF16, masters), dy, LIMIT)
    assert [t.dtype for t in found] == [FP32, BF16, FP32, masters, masters, masters]
    assert_rounded_alike(found, exact)


def test_several_groups_of_experts_and_threads_give_the_same(monkeypatch, threads):
    from finback.ops.cpu import experts as module

    args = arguments(150, 24, 12, 7, 3)
    dy = torch.randn(150, 24, generator=torch.Generator().manual_seed(1))
    whole = run(experts, args, dy, LIMIT)
    assert_close(whole, run(reference.experts, args, dy, LIMIT), 2e-5)
    for elements in (1, 24 * 70, 24 * 150):
        monkeypatch.setattr(module, "GROUP_ELEMENTS", elements)
        assert all(torch.equal(a, b) for a, b in zip(run(experts, args, dy, LIMIT), whole))


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shape", [(0, 5, 3), (1, 33, 17), (37, 16, 40)])
def test_one_expert_agrees_with_the_definition(level, poisoned, shape, weighted):
    T, D, inner = shape
    x, _, weights, w1, w2, w3 = arguments(T, D, inner, 1, 1)
    args, weight = [x, w1[0], w2[0], w3[0]], weights[:, 0] if weighted else None
    dy = torch.randn(T, D, generator=torch.Generator().manual_seed(1))
    found, wanted = (run(op, [*args, LIMIT, weight], dy) for op in (swiglu, reference.swiglu))
    assert_close(found, wanted, 2e-5)
    half = [a.to(BF16) for a in args]
    found = run(swiglu, [half[0], *(w.float() for w in half[1:]), LIMIT, weight], dy)
    wanted = run(reference.swiglu, [*(a.float() for a in half), LIMIT, weight], dy)
    assert [t.dtype for t in found[:5]] == [BF16, BF16, FP32, FP32, FP32]
    assert_rounded_alike(found, wanted)


def test_no_tokens_give_no_rows_and_zero_gradients():
    args = arguments(0, 6, 5, 3, 2)
    for found in run(experts, args, torch.zeros(0, 6), LIMIT)[2:]:
        assert not found.any()


@pytest.mark.parametrize("op", ["experts", "swiglu"])
@pytest.mark.parametrize("dtype", [FP32, BF16])
def test_gradients_do_not_show_in_any_bit_of_the_result(op, dtype):
    x, ids, weights, *w = rounded(arguments(150, 40, 24, 5, 2), dtype, dtype)
    args = (x, ids, weights, *w) if op == "experts" else (x, *(m[0] for m in w))
    with torch.no_grad():
        alone = cpu.OPS[op][1](*args, LIMIT)
    assert cpu.OPS[op][0](*(a.requires_grad_(a.is_floating_point()) for a in args), LIMIT) is None
    assert torch.equal(cpu.OPS[op][1](*args, LIMIT), alone)


@pytest.mark.parametrize("dtype", [FP32, BF16])
@pytest.mark.parametrize("D", [24, 64])
def test_routing_of_some_tokens_does_not_show_in_any_bit_of_others(dtype, D):
    x, ids, *rest = rounded(arguments(1200, D, 32, 9, 3), dtype, dtype)
    before = experts(x, ids, *rest, LIMIT)
    for first, seed in ((1, 1), (400, 2), (1100, 3)):
        g = torch.Generator().manual_seed(seed)
        moved = ids.clone()
        moved[first:] = torch.rand(1200 - first, 9, generator=g).argsort(dim=1)[:, :3].clamp(max=8 - first % 2)
        x2 = torch.cat((x[:first], x[first:] * 2))
        assert torch.equal(experts(x2, moved, *rest, LIMIT)[:first], before[:first])


def test_clamped_values_and_only_they_pass_no_gradient():
    x = torch.tensor([[0.5], [1.0], [2.0], [-1.0], [-2.0], [-0.5]])
    one = torch.ones(1, 1, 1)
    ids, weights = torch.zeros(6, 1, dtype=torch.int64), torch.full((6, 1), 0.5)
    args = [x, ids, weights, one, one, one]
    assert_close(run(experts, args, torch.ones(6, 1), 1.0), run(reference.experts, args, torch.ones(6, 1), 1.0), 1e-6)


def test_nan_stays_with_its_token():
    args = arguments(70, 20, 12, 5, 2)
    clean = experts(*args, LIMIT)
    args[0][33, 4] = torch.nan
    found = experts(*args, LIMIT)
    keep = [t for t in range(70) if t != 33]
    assert found[33].isnan().all() and torch.equal(found[keep], clean[keep])


@pytest.mark.parametrize("frozen", [0, 3, 4, 5])
def test_what_is_frozen_gets_no_gradient_and_the_rest_the_same(frozen):
    args = arguments(60, 16, 12, 4, 2)
    every = [a.clone().requires_grad_(a.is_floating_point()) for a in args]
    some = [a.clone().requires_grad_(a.is_floating_point() and i != frozen) for i, a in enumerate(args)]
    for arguments_ in (every, some):
        experts(*arguments_, LIMIT).square().sum().backward()
    assert some[frozen].grad is None
    assert all(torch.equal(a.grad, b.grad) for i, (a, b) in enumerate(zip(every, some)) if i not in (1, frozen))


def test_autocast_computes_as_the_definition_under_autocast():
    args = arguments(90, 32, 16, 4, 2)
    dy = torch.randn(90, 32, generator=torch.Generator().manual_seed(1))
    shared = [args[0], *(w[0] for w in args[3:]), LIMIT]

    def cast(op):
        def call(*a):
            with torch.autocast("cpu", BF16):
                return op(*a)

        return call

    for ours, theirs, given in ((experts, reference.experts, [*args, LIMIT]), (swiglu, reference.swiglu, shared)):
        found, wanted = run(cast(ours), given, dy), run(cast(theirs), given, dy)
        exact = run(theirs, given, dy)
        assert [t.dtype for t in found] == [t.dtype for t in wanted]
        for a, b, c in zip(found, wanted, exact, strict=True):
            assert 0 < (a.float() - c).abs().mean() <= 1.5 * (b.float() - c).abs().mean() + 1e-4


@pytest.mark.parametrize("op", ["experts", "swiglu"])
def test_autocast_around_backward_alone_changes_nothing(op):
    x, ids, weights, *w = arguments(40, 32, 16, 4, 2)
    args = [x, ids, weights, *w, LIMIT] if op == "experts" else [x, *(m[0] for m in w), LIMIT]
    dy = torch.randn(40, 32, generator=torch.Generator().manual_seed(1))
    plain = run(cpu.OPS[op][1], args, dy)
    args = [a.detach().requires_grad_(a.is_floating_point()) if isinstance(a, torch.Tensor) else a for a in args]
    y = cpu.OPS[op][1](*args)
    with torch.autocast("cpu", BF16):
        y.backward(dy)
    found = [y, *(a.grad for a in args if isinstance(a, torch.Tensor) and a.requires_grad)]
    assert all(torch.equal(a, b) for a, b in zip(found, plain, strict=True))


def test_strided_arguments_and_gradients_are_taken():
    x, ids, weights, w1, w2, w3 = arguments(40, 16, 12, 4, 2)
    args = [x.t().contiguous().t(), ids.t().contiguous().t(), weights.t().contiguous().t(), w1.mT.contiguous().mT, w2, w3]
    dy = torch.tensor(0.5).expand(40, 16)
    assert_close(run(experts, args, dy, LIMIT), run(reference.experts, args, dy, LIMIT), 2e-5)


@pytest.mark.parametrize("wrong", [-1, 4])
def test_ids_of_no_expert_are_refused(wrong):
    args = arguments(5, 8, 4, 4, 2)
    args[1][3, 1] = wrong
    with pytest.raises(IndexError, match=rf"expert id {wrong} is outside 0\.\.3"):
        experts(*args, LIMIT)


def test_what_is_refused_says_why():
    args = arguments(5, 8, 4, 4, 2)
    refuses = cpu.OPS["experts"][0]
    assert refuses(*args, LIMIT) is None
    assert "float64" in refuses(*rounded(args, torch.float64, torch.float64), LIMIT)
    assert "weights are bfloat16 and x is float32" in refuses(*rounded(args, FP32, BF16), LIMIT)
    with torch.autocast("cpu", torch.float16):
        assert "autocast to torch.float16" in refuses(*args, LIMIT)
    assert "meta" in refuses(args[0].to("meta"), *args[1:], LIMIT)
