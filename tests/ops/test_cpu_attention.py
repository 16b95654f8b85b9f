"""Native attention with gradients against its definition, and what must hold for it to the last bit."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch

from finback.ops import cpu, reference

sparse_attention, entry_mass = cpu.OPS["sparse_attention"][1], cpu.OPS["entry_mass"][1]


class Case(NamedTuple):
    T: int
    H: int
    c: int
    before: int  # window rows of earlier tokens
    width: int
    E: int = 0
    ratio: int = 1
    K: int | None = None  # picks; None: all visible entries

    @property
    def start(self) -> int:
        """As early as the window lets it be; with a full window somewhere later."""
        return self.before if self.before < self.width - 1 else self.before + 77


CASES = [
    Case(1, 1, 8, 0, 1),
    Case(1, 3, 26, 4, 5, 1, 4),
    Case(1, 8, 128, 127, 128, 40, 4, 10),
    Case(2, 8, 136, 1, 5, 5, 1),
    Case(3, 1, 26, 0, 128, 5, 1, 2),
    Case(7, 3, 26, 3, 5, 5, 4),
    Case(33, 8, 128, 127, 128, 40, 4),
    Case(33, 3, 8, 126, 128, 0),
    Case(130, 8, 26, 60, 128, 40, 8),
    Case(130, 3, 136, 0, 128, 1, 128),
    Case(130, 1, 8, 4, 5, 40, 4, 1),
    Case(300, 8, 128, 0, 128, 40, 4, 10),
    Case(300, 3, 26, 100, 128, 40, 128, 3),
    Case(300, 1, 8, 0, 1),
    Case(300, 3, 26, 127, 128, 290, 1),
    Case(70, 11, 10, 139, 140, 200, 1, 190),
    Case(9, 3, 8, 0, 5, 4, 2, 0),
]
SOME = [CASES[i] for i in (2, 5, 8, 11, 14, 15)]  # every kind of entries, both sides of a block's and a chunk's edge


def ids(case: Case) -> str:
    return "-".join(str(x) for x in case)


def inputs(case: Case, dtype: torch.dtype = torch.float32, scale: float = 1.5) -> list:
    """q, window, entries, selected, sink, start, width, ratio. Some rows of `selected` are empty, most have a -1."""
    g = torch.Generator().manual_seed(sum(case[:6]))
    T, E = case.T, case.E
    q, window, entries = (scale * torch.randn(*shape, case.c, generator=g) for shape in ((T, case.H), (case.before + T,), (E,)))
    selected = None
    if case.K is not None:
        visible = ((case.start + torch.arange(T) + 1) // case.ratio).clamp(max=E)
        wanted = torch.minimum(visible, torch.randint(0, case.K + 1, (T,), generator=g))
        order = torch.rand(T, E, generator=g).masked_fill(torch.arange(E) >= visible[:, None], 2.0).argsort(1)[:, : case.K]
        selected = order.masked_fill(torch.arange(order.shape[1]) >= wanted[:, None], -1)
        selected = selected[:, torch.randperm(selected.shape[1], generator=g)].contiguous()
    return [*(t.to(dtype) for t in (q, window, entries)), selected, torch.randn(case.H, generator=g), case.start, case.width, case.ratio]


def with_gradients(function, args: list) -> list[torch.Tensor]:
    """The output and the gradients of q, window, entries and sink for one random gradient of the output."""
    leaves = [a.detach().clone().requires_grad_() if i in (0, 1, 2, 4) else a for i, a in enumerate(args)]
    out = function(*leaves)
    grad = torch.randn(out.shape, generator=torch.Generator().manual_seed(5)).to(out.dtype)
    grads = torch.autograd.grad(out, [leaves[i] for i in (0, 1, 2, 4)], grad, allow_unused=True)
    return [out.detach(), *(torch.zeros_like(leaves[i]) if g is None else g for i, g in zip((0, 1, 2, 4), grads))]


def assert_near(found: torch.Tensor, wanted: torch.Tensor, tolerance: float) -> None:
    """Equal to `tolerance` of the largest element: gradients are sums, in which much may cancel."""
    assert found.shape == wanted.shape
    wanted = wanted.float()
    atol = tolerance * max(float(wanted.abs().max()), 0.1) if wanted.numel() else 0.0
    torch.testing.assert_close(found.float(), wanted, rtol=tolerance, atol=atol)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_values_and_gradients_agree_with_the_definition(case):
    args = inputs(case)
    for found, wanted in zip(with_gradients(sparse_attention, args), with_gradients(reference.sparse_attention, args)):
        assert_near(found, wanted, 5e-6)


@pytest.mark.parametrize("case", SOME, ids=ids)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_level_agrees_with_the_definition(level, dtype, case):
    args = inputs(case, dtype)
    exact = [a.float() if i < 3 else a for i, a in enumerate(args)]
    tolerance = 5e-6 if dtype == torch.float32 else 2**-7
    for found, wanted in zip(with_gradients(sparse_attention, args), with_gradients(reference.sparse_attention, exact)):
        assert_near(found, wanted, tolerance)


@pytest.mark.parametrize("case", SOME, ids=ids)
@pytest.mark.parametrize("sink", [-torch.inf, -1e4, 1e4])
def test_large_logits_and_extreme_sinks_stay_finite_and_agree(case, sink):
    args = inputs(case, scale=12.0)
    args[4] = torch.full_like(args[4], sink)
    for found, wanted in zip(with_gradients(sparse_attention, args), with_gradients(reference.sparse_attention, args)):
        assert found.isfinite().all()
        assert_near(found, wanted, 1e-3)  # logits of about 2000, of which FP32 keeps three or four places behind the point


@pytest.mark.parametrize("case", SOME, ids=ids)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_chunks_do_not_show_in_any_bit(level, dtype, case):
    q, window, entries, selected, sink, start, width, ratio = inputs(case, dtype)
    T, whole = case.T, sparse_attention(*inputs(case, dtype))
    for edges in ([0, *sorted({1, 2, 31, 32, 33, 100} & set(range(T))), T], list(range(T + 1))):
        parts = []
        for a, b in zip(edges, edges[1:]):
            first = max(case.before + a - width + 1, 0)
            picked = None if selected is None else selected[a:b]
            parts.append(sparse_attention(q[a:b], window[first : case.before + b], entries, picked, sink, start + a, width, ratio))
        assert torch.equal(torch.cat(parts), whole)


@pytest.mark.parametrize("case", SOME, ids=ids)
def test_threads_gradients_and_earlier_calls_do_not_show_in_any_bit(case):
    args, before, found = inputs(case), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            with_gradients(sparse_attention, [a * torch.nan if i in (0, 1, 2, 4) else a for i, a in enumerate(inputs(CASES[11]))])
            found.append(with_gradients(sparse_attention, args))
            with torch.no_grad():
                assert torch.equal(sparse_attention(*args), found[-1][0])
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(x, y) for x, y in zip(found[0], other))


def test_the_order_of_picks_does_not_show_in_any_bit():
    args = inputs(CASES[11])
    turned = [*args[:3], args[3].flip(1).contiguous(), *args[4:]]
    assert all(torch.equal(x, y) for x, y in zip(with_gradients(sparse_attention, args), with_gradients(sparse_attention, turned)))


@pytest.mark.parametrize("case", SOME, ids=ids)
def test_every_element_of_the_results_is_written(monkeypatch, case):
    args = inputs(case)
    clean = with_gradients(sparse_attention, args)
    monkeypatch.setattr(torch, "empty_like", lambda t: torch.full_like(t, torch.nan))
    monkeypatch.setattr(torch.Tensor, "new_empty", lambda t, *s, dtype=None: t.new_full(s, torch.nan, dtype=dtype))
    assert all(torch.equal(x, y) for x, y in zip(clean, with_gradients(sparse_attention, args)))


def test_nan_reaches_exactly_those_who_read_it(level):
    args = inputs(Case(70, 3, 26, 7, 9, 20, 4))
    clean = sparse_attention(*args)

    def hit(index, where):
        poisoned = [a.clone() if isinstance(a, torch.Tensor) else a for a in args]
        poisoned[index][where] = torch.nan
        out = sparse_attention(*poisoned)
        rows = out.isnan().flatten(1)
        assert torch.equal(out[~rows.any(1)], clean[~rows.any(1)])
        return rows

    assert hit(0, (5, 1, 3)).any(1).nonzero().flatten().tolist() == [5]
    assert hit(1, (30, 25)).all(1).nonzero().flatten().tolist() == list(range(23, 32))  # the row is token 23's own
    assert hit(2, (8, 0)).all(1).nonzero().flatten().tolist() == list(range(28, 70))  # position 35, token 28, finishes entry 8


def test_nan_reaches_the_gradients():
    args = inputs(Case(40, 3, 26, 0, 8, 10, 4))
    args[0][20, 1, 0] = torch.nan
    _, dq, dwindow, dentries, dsink = with_gradients(sparse_attention, args)
    assert dq[20, 1].isnan().all() and dq[:20].isfinite().all()
    assert dwindow[13:21].isnan().all() and dentries[:5].isnan().all() and dsink.isnan().tolist() == [False, True, False]


def test_an_empty_segment_has_gradients():
    args = inputs(Case(2, 3, 8, 4, 5, 3, 2))
    args[0] = args[0][:0]
    args[1] = args[1][:4]
    out, *grads = with_gradients(sparse_attention, args)
    assert out.shape == (0, 3, 8) and all(g.eq(0).all() for g in grads)


def test_what_is_refused_says_why():
    args = inputs(CASES[11])
    refuses = cpu.OPS["sparse_attention"][0]
    assert refuses(*args) is None
    assert refuses(*(a.requires_grad_() if isinstance(a, torch.Tensor) and a.is_floating_point() else a for a in args)) is None
    assert "all FP32 or all BF16" in refuses(args[0].bfloat16(), *args[1:])
    assert "float64" in refuses(*(a.double() if i < 3 else a for i, a in enumerate(args)))
    assert "not contiguous" in refuses(args[0].transpose(0, 1).contiguous().transpose(0, 1), *args[1:])
    assert "int32" in refuses(*args[:3], args[3].int(), *args[4:])
    assert "bfloat16" in refuses(*args[:4], args[4].bfloat16(), *args[5:])
    assert "go together" in refuses(*args[:4], args[4][:-1], *args[5:]) and "go together" in refuses(args[0][..., :-1], *args[1:])
    assert "299 rows" in refuses(*args[:3], args[3][:-1], *args[4:])
    assert "go together" in cpu.OPS["index_scores"][0](torch.ones(2, 3, 4), torch.ones(2, 2), torch.ones(5, 4))


def test_a_pick_that_does_not_exist_is_an_error():
    args = inputs(CASES[11])
    args[3][7, 2] = 40
    with pytest.raises(IndexError, match="there are 40"):
        sparse_attention(*args)


# --- what the indexer learns from ---

DENSE = [c for c in CASES if c.K is None and c.E]


@pytest.mark.parametrize("case", DENSE, ids=ids)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_entry_mass_agrees_with_the_definition(monkeypatch, level, dtype, case):
    q, window, entries, _, *rest = inputs(case, dtype)
    wanted = reference.entry_mass(q, window, entries, *rest)
    monkeypatch.setattr(torch.Tensor, "new_empty", lambda t, *s, dtype=None: t.new_full(s, torch.nan, dtype=dtype))
    torch.testing.assert_close(entry_mass(q, window, entries, *rest), wanted, rtol=2e-5, atol=2e-6)


# T, index heads, channels, entries
SCORES = [(1, 1, 8, 1), (2, 3, 26, 5), (7, 8, 64, 40), (130, 8, 64, 128), (300, 5, 10, 290), (33, 64, 128, 17), (3, 300, 4, 5)]


@pytest.mark.parametrize("shape", SCORES, ids=lambda s: "-".join(map(str, s)))
def test_index_scores_and_their_gradients_agree_with_the_definition(monkeypatch, level, shape):
    T, H, c, E = shape
    g = torch.Generator().manual_seed(T)
    leaves = [torch.randn(*s, generator=g).requires_grad_() for s in ((T, H, c), (T, H), (E, c))]
    grad = torch.randn(T, E, generator=g)
    wanted = reference.index_scores(*leaves)
    wanted = [wanted.detach(), *torch.autograd.grad(wanted, leaves, grad)]
    monkeypatch.setattr(torch, "empty_like", lambda t: torch.full_like(t, torch.nan))
    monkeypatch.setattr(torch.Tensor, "new_empty", lambda t, *s, dtype=None: t.new_full(s, torch.nan, dtype=dtype))
    found = cpu.OPS["index_scores"][1](*leaves)
    for x, y in zip([found, *torch.autograd.grad(found, leaves, grad)], wanted):
        assert_near(x, y, 5e-6)


def test_a_dot_of_zero_gives_no_gradient_and_nan_gives_nan():
    q, gate, keys = torch.zeros(2, 1, 4), torch.ones(2, 1), torch.ones(3, 4)
    q[1] = torch.nan
    leaves = [x.requires_grad_() for x in (q, gate, keys)]
    scores = cpu.OPS["index_scores"][1](*leaves)
    assert scores[0].eq(0).all() and scores[1].isnan().all()
    dq, dgate, _ = torch.autograd.grad(scores, leaves, torch.ones(2, 3))
    assert dq[0].eq(0).all() and dgate[0].eq(0).all() and dgate[1].isnan().all()


def test_index_scores_have_the_same_bits_in_any_company_and_on_any_threads():
    g = torch.Generator().manual_seed(1)
    q, gate, keys = torch.randn(300, 5, 26, generator=g), torch.randn(300, 5, generator=g), torch.randn(140, 26, generator=g)
    leaves, grad = [x.requires_grad_() for x in (q, gate, keys)], torch.randn(300, 140, generator=g)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            scores = cpu.OPS["index_scores"][1](*leaves)
            found.append([scores, *torch.autograd.grad(scores, leaves, grad)])
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(x, y) for x, y in zip(found[0], other))
    parts = [cpu.OPS["index_scores"][1](q[a:b], gate[a:b], keys) for a, b in ((0, 1), (1, 52), (52, 300))]
    assert torch.equal(torch.cat(parts), found[0][0])
