"""Do the reference ops compute their equations? Against loops in float64 that are too plain to be wrong."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from finback.model.rope import angles
from finback.ops import reference
from finback.ops import reference as ops


def rand(*shape: int, seed: int, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def assert_same_forward_and_gradient(op, loop, inputs: list[torch.Tensor], tolerance: float = 2e-5) -> None:
    """op on FP32 inputs and loop on their float64 copies: equal values, and equal gradients of every input."""
    single = [x.clone().requires_grad_() for x in inputs]
    double = [x.double().requires_grad_() for x in inputs]
    ours, naive = op(*single), loop(*double)
    assert ours.shape == naive.shape
    torch.testing.assert_close(ours.double(), naive, rtol=tolerance, atol=tolerance)
    weights = rand(*ours.shape, seed=99)
    (ours * weights).sum().backward()
    (naive * weights.double()).sum().backward()
    for x, y in zip(single, double):
        if y.grad is not None and y.numel():
            assert x.grad is not None
            bound = tolerance * (1 + float(y.grad.abs().max()))
            torch.testing.assert_close(x.grad.double(), y.grad, rtol=tolerance, atol=bound)


# --- selection ---


def best_indices(row: list[float], k: int) -> set[int]:
    """The k largest finite scores, the lowest index first where they are equal."""
    finite = [i for i, v in enumerate(row) if v != -math.inf]
    return set(sorted(finite, key=lambda i: (-row[i], i))[:k])


SCORES = st.sampled_from([0.0, -0.0, 1.0, 2.0, -1.0, -math.inf])
TABLES = st.integers(1, 9).flatmap(lambda n: st.lists(st.lists(SCORES, min_size=n, max_size=n), min_size=1))


@given(TABLES, st.integers(1, 10))
def test_top_k_takes_the_lowest_index_of_equal_scores(rows, k):
    picked = ops.top_k(torch.tensor(rows), k)
    assert picked.shape == (len(rows), min(k, len(rows[0])))
    for row, chosen in zip(rows, picked.tolist()):
        assert len(set(chosen)) == len(chosen)
        assert {i for i in chosen if row[i] != -math.inf} == best_indices(row, k)


def test_top_k_ties_in_long_rows_go_to_the_lowest_indices():
    rows = torch.zeros(3, 1000)
    rows[1, 500] = 1.0
    rows[2] = -torch.inf
    picked = ops.top_k(rows, 10)
    assert set(picked[0].tolist()) == set(range(10))
    assert set(picked[1].tolist()) == {500, *range(9)}
    assert len(set(picked[2].tolist())) == 10


@pytest.mark.parametrize(
    ("T", "E", "start", "ratio", "k"), [(1, 1, 3, 4, 1), (9, 12, 40, 4, 3), (40, 10, 0, 4, 4), (5, 3, 0, 8, 2)]
)
@pytest.mark.parametrize("tile", [1 << 24, 40])
def test_selected_entries_are_the_best_visible_ones(monkeypatch, T, E, start, ratio, k, tile):
    monkeypatch.setattr(reference, "TILE_ELEMENTS", tile)
    q, gate, keys = rand(T, 2, 6, seed=1), rand(T, 2, seed=2), rand(E, 6, seed=3)
    picked = ops.select_entries(q, gate, keys, start, ratio, k)
    scores = index_scores_loop(q.double(), gate.double(), keys.double()).float().tolist()
    for i, chosen in enumerate(picked.tolist()):
        visible = (start + i + 1) // ratio
        row = [v if w < visible else -math.inf for w, v in enumerate(scores[i])]
        real = [w for w in chosen if w >= 0]
        assert len(set(real)) == len(real) == min(k, visible, E)
        # two heads leave many scores at exactly zero, so that the tie rule decides here too
        assert set(real) == best_indices(row, k)


def index_scores_loop(q, gate, keys):
    def score(t, key):
        return sum(gate[t, h] * (q[t, h] @ key).clamp(min=0) for h in range(q.shape[1]))

    return torch.stack([torch.stack([score(t, key) for key in keys]) for t in range(len(q))])


def test_index_scores_are_gated_sums_of_relu():
    assert_same_forward_and_gradient(
        ops.index_scores, index_scores_loop, [rand(5, 3, 4, seed=1), rand(5, 3, seed=2), rand(7, 4, seed=3)]
    )


# --- compression and attention ---


def pool_loop(u, z, ratio, overlap):
    c = u.shape[1] // 2 if overlap else u.shape[1]
    entries = []
    for i in range(u.shape[0] // ratio - overlap):
        own = slice((i + overlap) * ratio, (i + overlap + 1) * ratio)
        rows_u, rows_z = u[own, -c:], z[own, -c:]
        if overlap:
            before = slice(i * ratio, (i + 1) * ratio)
            rows_u, rows_z = torch.cat((u[before, :c], rows_u)), torch.cat((z[before, :c], rows_z))
        weights = torch.stack([rows_z[:, channel].softmax(0) for channel in range(c)], dim=1)
        entries.append((weights * rows_u).sum(0))
    return torch.stack(entries)


@pytest.mark.parametrize(
    ("windows", "ratio", "overlap"), [(1, 4, True), (3, 4, True), (2, 3, True), (1, 2, False), (3, 128, False)]
)
def test_pooled_windows_equal_a_loop_over_windows_and_channels(windows, ratio, overlap):
    rows, channels = (windows + overlap) * ratio, 10 if overlap else 5
    u, z = rand(rows, channels, seed=4), rand(rows, channels, seed=5, scale=2.0)
    assert_same_forward_and_gradient(
        lambda u, z: ops.pool_windows(u, z, ratio, overlap), lambda u, z: pool_loop(u, z, ratio, overlap), [u, z]
    )


def test_the_missing_window_before_the_first_weighs_nothing_and_has_finite_gradients():
    u, z = rand(8, 6, seed=6).requires_grad_(), rand(8, 6, seed=7)
    z[:4] = -torch.inf
    z.requires_grad_()
    pooled = ops.pool_windows(u, z, 4, True)
    torch.testing.assert_close(pooled[0], (z[4:, 3:].softmax(0) * u[4:, 3:]).sum(0))
    pooled.sum().backward()
    assert z.grad.isfinite().all() and u.grad[:4].abs().max() == 0


def attention_loop(q, window, entries, selected, sink, start, width, ratio):
    T, H, c = q.shape
    before = window.shape[0] - T
    outs = []
    for i in range(T):
        t = start + i
        rows = [before + i - back for back in range(width) if before + i - back >= 0]
        seen = list(range(min((t + 1) // ratio, len(entries))))
        if selected is not None:
            seen = [w for w in selected[i].tolist() if w >= 0]
        values = torch.cat((window[rows], entries[seen]))
        for h in range(H):
            logits = torch.cat((sink[h : h + 1], values @ q[i, h] / math.sqrt(c)))
            outs.append(logits.softmax(0)[1:] @ values)
    return torch.stack(outs).view(T, H, c)


# T, entries, start, width, ratio, picks (None: dense)
ATTENTION = {
    "one token alone": (1, 0, 0, 4, 1, None),
    "window only": (23, 0, 0, 5, 1, None),
    "window of one": (6, 0, 3, 1, 1, None),
    "window only, continued": (9, 0, 30, 5, 1, None),
    "dense entries": (25, 6, 0, 5, 4, None),
    "dense entries, one decode token": (1, 4, 15, 5, 4, None),
    "dense entries, continued": (11, 8, 21, 7, 4, None),
    "picked entries": (25, 6, 0, 5, 4, 2),
    "picked entries, continued": (11, 8, 21, 7, 4, 3),
    "picked entries, one decode token": (1, 4, 15, 5, 4, 2),
}


@pytest.mark.parametrize("case", ATTENTION, ids=lambda name: name.replace(" ", "-"))
@pytest.mark.parametrize(("tile", "elements"), [(128, 1 << 24), (7, 1 << 24), (128, 64), (1, 1)])
def test_sparse_attention_equals_a_dense_loop_in_any_tiling(monkeypatch, case, tile, elements):
    monkeypatch.setattr(reference, "MAX_TILE", tile)
    monkeypatch.setattr(reference, "TILE_ELEMENTS", elements)
    T, E, start, width, ratio, picks = ATTENTION[case]
    selected = None
    if picks is not None:
        visible = [(start + i + 1) // ratio for i in range(T)]
        order = torch.rand(T, E, generator=torch.Generator().manual_seed(8)).argsort(1)
        rows = zip(order.tolist(), visible)
        selected = torch.tensor([([w for w in row if w < seen] + [-1] * picks)[:picks] for row, seen in rows])
    past = min(start, width - 1)
    inputs = [rand(T, 3, 8, seed=10, scale=2.0), rand(past + T, 8, seed=11), rand(E, 8, seed=12), rand(3, seed=13)]

    def run(function):
        return lambda q, window, entries, sink: function(q, window, entries, selected, sink, start, width, ratio)

    assert_same_forward_and_gradient(run(ops.sparse_attention), run(attention_loop), inputs)


@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 6))
def test_rotation_is_undone_by_the_negative_sine_and_keeps_lengths(first, T, pairs):
    x = rand(T, 2, 2 * pairs + 3, seed=T)
    cos, sin = angles(torch.arange(first, first + T), torch.rand(pairs, generator=torch.Generator().manual_seed(pairs)))
    turned = ops.rotate(x, cos, sin)
    assert torch.equal(turned[..., :3], x[..., :3])
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(ops.rotate(turned, cos, -sin), x, rtol=1e-5, atol=1e-6)


def test_rotation_multiplies_neighbouring_channels_as_a_complex_number():
    x, theta = rand(6, 2, 7, seed=1), rand(6, 2, seed=2)

    def loop(x):
        turned = torch.view_as_complex(x[..., 3:].unflatten(-1, (2, 2)).contiguous()) * torch.polar(
            torch.ones(6, 1, 2, dtype=torch.float64), theta.double()[:, None]
        )
        return torch.cat((x[..., :3], torch.view_as_real(turned).flatten(-2)), dim=-1)

    assert_same_forward_and_gradient(lambda x: ops.rotate(x, theta.cos(), theta.sin()), loop, [x])


def test_rotated_dot_products_depend_on_the_distance_only():
    q, k, freqs = rand(1, 8, seed=3), rand(1, 8, seed=4), torch.tensor([1.0, 0.3, 0.1, 0.01])

    def turned(x, position):
        return ops.rotate(x, *angles(torch.tensor([position]), freqs))

    dots = [float((turned(q, t) * turned(k, s)).sum()) for t, s in [(7, 2), (105, 100), (1005, 1000)]]
    assert max(dots) - min(dots) < 1e-4


# --- hyper-connections ---


@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_sinkhorn_is_nearly_doubly_stochastic(n):
    comb = reference.sinkhorn(rand(n, n, 50, seed=n), 20, 1e-6)
    assert comb.min() > 0
    torch.testing.assert_close(comb.sum(dim=0), torch.ones(n, 50), rtol=0, atol=1e-5)
    torch.testing.assert_close(comb.sum(dim=1), torch.ones(n, 50), rtol=0, atol=1e-3)


def hc_pre_loop(h, fn, scale, base, iters, eps, norm_eps):
    """Token by token; x, post and comb side by side in one [T, D + n + n*n], so that one gradient covers all three."""
    outs = []
    for X in h:
        n = len(X)
        logits = fn @ (X.flatten() / (X.flatten().square().mean() + norm_eps).sqrt())
        pre = torch.sigmoid(logits[:n] * scale[0] + base[:n]) + eps
        post = 2 * torch.sigmoid(logits[n : 2 * n] * scale[1] + base[n : 2 * n])
        comb = (logits[2 * n :] * scale[2] + base[2 * n :]).view(n, n).softmax(dim=1) + eps
        for i in range(iters):
            if i:
                comb = comb / (comb.sum(dim=1, keepdim=True) + eps)
            comb = comb / (comb.sum(dim=0, keepdim=True) + eps)
        outs.append(torch.cat((pre @ X, post, comb.flatten())))
    return torch.stack(outs)


# a large eps and few iterations: at 1e-6 and 20 neither an eps nor the order of the last steps would show
@pytest.mark.parametrize(("n", "iters", "eps"), [(1, 1, 1e-2), (2, 1, 1e-2), (4, 2, 1e-2), (4, 20, 1e-6), (3, 3, 0.1)])
def test_reading_the_streams_equals_a_loop_over_tokens(n, iters, eps):
    T, D = 5, 6
    rows = (2 + n) * n

    def op(*inputs):
        x, post, comb = ops.hc_pre(*inputs, iters, eps, 1e-3)
        return torch.cat((x, post.t(), comb.flatten(0, 1).t()), dim=1)

    inputs = [rand(T, n, D, seed=1), rand(rows, n * D, seed=2, scale=0.3), rand(3, seed=3), rand(rows, seed=4)]
    assert_same_forward_and_gradient(op, lambda *inputs: hc_pre_loop(*inputs, iters, eps, 1e-3), inputs)


def test_writing_the_streams_sums_over_the_old_stream():
    def loop(x, residual, post, comb):
        T, n, _ = residual.shape
        rows = [
            torch.stack([post[k, t] * x[t] + sum(comb[j, k, t] * residual[t, j] for j in range(n)) for k in range(n)])
            for t in range(T)
        ]
        return torch.stack(rows)

    inputs = [rand(5, 6, seed=1), rand(5, 3, 6, seed=2), rand(3, 5, seed=3), rand(3, 3, 5, seed=4)]
    assert_same_forward_and_gradient(ops.hc_post, loop, inputs)


def test_the_head_weighs_the_streams_by_sigmoid_plus_eps():
    def loop(h, fn, scale, base):
        v = h.flatten(1)
        v = v / (v.square().mean(dim=1, keepdim=True) + 1e-3).sqrt()
        return torch.einsum("tn,tnd->td", torch.sigmoid(v @ fn.t() * scale + base) + 0.05, h)

    inputs = [rand(4, 3, 5, seed=1), rand(3, 15, seed=2, scale=0.3), rand(1, seed=3), rand(3, seed=4)]
    assert_same_forward_and_gradient(lambda *inputs: ops.hc_head(*inputs, 0.05, 1e-3), loop, inputs)


# --- experts ---


def swiglu_loop(x, w1, w2, w3, limit):
    gate, up = (w1 @ x).clamp(max=limit), (w3 @ x).clamp(-limit, limit)
    return w2 @ (gate / (1 + (-gate).exp()) * up)


@pytest.mark.parametrize(("T", "E", "k"), [(1, 1, 1), (1, 6, 2), (7, 3, 3), (65, 4, 2), (130, 5, 1)])
def test_experts_equal_a_loop_over_tokens(T, E, k):
    D, inner, limit = 6, 5, 0.8
    generator = torch.Generator().manual_seed(T)
    ids = torch.rand(T, E, generator=generator).argsort(dim=1)[:, :k]
    ids = torch.where(ids == E - 1, 0, ids) if k == 1 else ids  # an expert that nobody chose

    def loop(x, weights, w1, w2, w3):
        def token(t):
            return sum(weights[t, i] * swiglu_loop(x[t], w1[e], w2[e], w3[e], limit) for i, e in enumerate(ids[t]))

        return torch.stack([token(t) for t in range(T)])

    inputs = [rand(T, D, seed=1), rand(T, k, seed=2)]
    inputs += [rand(E, inner, D, seed=3), rand(E, D, inner, seed=4), rand(E, inner, D, seed=5)]
    assert_same_forward_and_gradient(
        lambda x, weights, w1, w2, w3: ops.experts(x, ids, weights, w1, w2, w3, limit), loop, inputs
    )


def test_experts_of_no_tokens_give_no_rows():
    w1, w2 = rand(3, 5, 6, seed=1), rand(3, 6, 5, seed=2)
    y = ops.experts(torch.zeros(0, 6), torch.zeros(0, 1, dtype=torch.int64), torch.zeros(0, 1), w1, w2, w1, 1.0)
    assert y.shape == (0, 6)


def test_swiglu_clamps_the_gate_above_only_and_the_product_on_both_sides():
    one = torch.ones(1, 1)
    clamped = {(-9.0, 1.0): (-9.0, 1.0), (9.0, 1.0): (2.0, 1.0), (1.0, 9.0): (1.0, 2.0), (1.0, -9.0): (1.0, -2.0)}
    for (gate, up), (g, u) in clamped.items():
        ours = ops.swiglu(one, gate * one, one, up * one, 2.0)
        assert math.isclose(float(ours), g / (1 + math.exp(-g)) * u, rel_tol=1e-6)


def test_affinities_are_the_root_of_softplus():
    x, w = rand(9, 4, seed=1, scale=3.0), rand(5, 4, seed=2, scale=3.0)
    assert_same_forward_and_gradient(ops.affinities, lambda x, w: (x @ w.t()).exp().log1p().sqrt(), [x, w])


@pytest.mark.parametrize("weighted", [True, False])
def test_rms_norm_divides_by_the_root_mean_square(weighted):
    def loop(x, w):
        return x / (x.square().mean(dim=-1, keepdim=True) + 0.1).sqrt() * (w if weighted else 1)

    inputs = [rand(4, 3, 8, seed=1), rand(8, seed=2)]
    assert_same_forward_and_gradient(lambda x, w: ops.rms_norm(x, w if weighted else None, 0.1), loop, inputs)
