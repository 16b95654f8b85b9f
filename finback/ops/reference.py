"""What does each heavy step of V4 compute? Plain PyTorch that defines it.

Every faster backend must agree with these functions; they are differentiable and written to be
read beside the report. Letters are the report's: T tokens, n streams (n_hc), D hidden size,
H heads (n_h), c head dim, m compress ratio, E finished compressed entries, K picked entries.
Nothing here knows modules, caches or devices. A segment is one sequence's run of tokens in a
flat batch; the two attention functions take one segment at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

# A tile of queries is as large as keeps its biggest intermediate below this many elements (64 MiB in FP32).
TILE_ELEMENTS = 1 << 24
MAX_TILE = 128


def rms_norm(x: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    """RMSNorm over the last dim in FP32, cast back to x's dtype once. weight: [x.shape[-1]] or None."""
    v = _fp32(x)
    v = v * torch.rsqrt(v.square().mean(dim=-1, keepdim=True) + eps)  # F.rms_norm takes thrice the time for one token
    return (v if weight is None else v * weight).to(x.dtype)


def _fp32(x: Tensor) -> Tensor:
    """x.float(), without the call where there is nothing to do: one token passes here hundreds of times."""
    return x if x.dtype == torch.float32 else x.float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Interleaved RoPE on the last 2*r channels of x, in FP32 (report 2.3.3; spec 2.7).

    x: [T, ..., c]; cos, sin: [T, r] FP32. The inverse rotation is `rotate(x, cos, -sin)`.
    """
    r2 = 2 * cos.shape[-1]
    shape = (cos.shape[0],) + (1,) * (x.dim() - 2) + (cos.shape[-1],)
    cos, sin = cos.view(shape), sin.view(shape)
    plain, turned = x[..., : x.shape[-1] - r2], x[..., x.shape[-1] - r2 :].float()
    even, odd = turned[..., 0::2], turned[..., 1::2]
    turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)
    return torch.cat((plain, turned.to(x.dtype)), dim=-1)


# --- manifold-constrained hyper-connections (report 2.2) ---


def sinkhorn(logits: Tensor, iters: int, eps: float) -> Tensor:
    """A nearly doubly stochastic matrix for each token: report 2.2, M <- T_row(T_col(M)), in DeepSeek's order.

    logits: [n, n, T] FP32, indexed [j, k]: from old stream j to new stream k. (The report's B is its
    transpose, so "columns of B, then rows of B" is here: over k, then over j.)
    """
    eps = logits.new_tensor(eps)  # a Python number would be converted again in each of the 2 * iters sums
    comb = logits.softmax(dim=1) + eps
    comb = comb / (comb.sum(dim=0, keepdim=True) + eps)
    for _ in range(iters - 1):
        comb = comb / (comb.sum(dim=1, keepdim=True) + eps)
        comb = comb / (comb.sum(dim=0, keepdim=True) + eps)
    return comb


def _stream_logits(h: Tensor, fn: Tensor, norm_eps: float) -> Tensor:
    """x^ W for x^ = RMSNorm(vec(h)), tokens last: [rows of fn, T]. The norm divides after the product (spec 2.2)."""
    v = _fp32(h.flatten(1))
    return (fn @ v.t()) * torch.rsqrt(v.square().mean(dim=1) + norm_eps)


def hc_pre(
    h: Tensor, fn: Tensor, scale: Tensor, base: Tensor, iters: int, eps: float, norm_eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Collapses the streams into a sublayer's input and gives the weights that `hc_post` needs (report 2.2).

    h: [T, n, D]; fn: [(2+n)n, nD], scale: [3], base: [(2+n)n], FP32.
    Returns x [T, D] in h's dtype (the report's A X), post [n, T] (C) and comb [n, n, T] (B transposed), FP32.
    """
    n = h.shape[1]
    pre, post, comb = _stream_logits(h, fn, norm_eps).split((n, n, n * n))
    base_pre, base_post, base_comb = base[:, None].split((n, n, n * n))
    pre = torch.sigmoid(pre * scale[0] + base_pre) + eps
    post = 2 * torch.sigmoid(post * scale[1] + base_post)
    comb = sinkhorn((comb * scale[2] + base_comb).view(n, n, -1), iters, eps)
    return _collapse(h, pre), post, comb


def hc_post(x: Tensor, residual: Tensor, post: Tensor, comb: Tensor) -> Tensor:
    """X' = B X + C F(A X): writes a sublayer's output back to the streams (report 2.2).

    x: [T, D] the sublayer's output; residual: [T, n, D]; post, comb from `hc_pre`. Returns [T, n, D].
    New stream k is post_k x + sum_j comb[j, k] residual_j.
    """
    mixed = torch.bmm(comb.permute(2, 1, 0).contiguous(), _fp32(residual))  # strided batches of bmm are slow on CPUs
    return torch.baddbmm(mixed, post.t().contiguous().unsqueeze(-1), _fp32(x).unsqueeze(1)).to(residual.dtype)


def hc_head(h: Tensor, fn: Tensor, scale: Tensor, base: Tensor, eps: float, norm_eps: float) -> Tensor:
    """One vector from the streams at the end of the model: h [T, n, D] -> [T, D] (spec 2.2)."""
    return _collapse(h, torch.sigmoid(_stream_logits(h, fn, norm_eps) * scale + base[:, None]) + eps)


def _collapse(h: Tensor, weights: Tensor) -> Tensor:
    """sum_j weights[j] h_j in FP32, then h's dtype. h: [T, n, D], weights: [n, T]."""
    return torch.bmm(weights.t().contiguous().unsqueeze(1), _fp32(h)).squeeze(1).to(h.dtype)


# --- compressed entries and their selection (report 2.3) ---


def pool_windows(u: Tensor, z: Tensor, ratio: int, overlap: bool) -> Tensor:
    """Pools complete windows of m=ratio rows into one entry each, channel by channel, in FP32.

    HCA (report 2.3.2): u, z [k*m, c] give k entries: softmax of z over the m rows weighs u.
    CSA (report 2.3.1, overlap): u, z [(k+1)*m, 2c], where the first m rows are the window before.
    Entry i pools the first c channels of window i-1's rows and the last c channels of its own rows.
    A window that does not exist has z = -inf. Returns [k, c] FP32.
    """
    if overlap:
        c = u.shape[1] // 2
        u = torch.cat((u[:-ratio, :c].unflatten(0, (-1, ratio)), u[ratio:, c:].unflatten(0, (-1, ratio))), dim=1)
        z = torch.cat((z[:-ratio, :c].unflatten(0, (-1, ratio)), z[ratio:, c:].unflatten(0, (-1, ratio))), dim=1)
    else:
        u, z = u.unflatten(0, (-1, ratio)), z.unflatten(0, (-1, ratio))
    return (z.softmax(dim=1) * u).sum(dim=1)


def top_k(scores: Tensor, k: int) -> Tensor:
    """Indices of the min(k, N) largest of each row, unordered; of equal scores the lowest index wins. scores: [T, N]."""
    if k >= scores.shape[1]:
        return torch.arange(scores.shape[1], device=scores.device).expand(scores.shape)
    values, indices = scores.topk(k + 1, dim=1)  # sorted: the last two show whether the border is a tie
    tied = (values[:, k - 1] == values[:, k]) & (values[:, k] > -torch.inf)
    indices = indices[:, :k]
    if tied.any():
        exact = scores[tied].sort(dim=1, descending=True, stable=True).indices[:, :k]
        indices = indices.masked_scatter(tied[:, None], exact)
    return indices


def index_scores(q: Tensor, gate: Tensor, keys: Tensor) -> Tensor:
    """The lightning indexer's score, report 2.3.1: I_ts = sum_h w_th relu(q_th . k_s), in FP32.

    q: [T, Hi, ci]; gate: [T, Hi], already scaled; keys: [E, ci]. Returns [T, E].
    """
    dots = torch.relu(q.float().flatten(0, 1) @ keys.float().t()).unflatten(0, q.shape[:2])
    return (gate.float().unsqueeze(1) @ dots).squeeze(1)


def select_entries(q: Tensor, gate: Tensor, keys: Tensor, start: int, ratio: int, k: int) -> Tensor:
    """The k best visible entries of each query of one segment, -1 where fewer are visible.

    Query i is token t = start + i and sees entry w iff w < (t + 1) // ratio. Arguments as `index_scores`.
    Not differentiable; scores exist for one tile of queries at a time. Returns [T, k] int64.
    """
    T, E = q.shape[0], keys.shape[0]
    step = _tile(q.shape[1] * E)
    entry = torch.arange(E, device=keys.device)
    picks = []
    with torch.no_grad():
        for a in range(0, T, step):
            b = min(a + step, T)
            visible = _visible(start + a, start + b, ratio, keys.device)
            scores = index_scores(q[a:b], gate[a:b], keys).masked_fill(entry >= visible, -torch.inf)
            chosen = top_k(scores, k)
            picks.append(chosen.masked_fill(chosen >= visible, -1))
    return torch.cat(picks)


def sparse_attention(
    q: Tensor, window: Tensor, entries: Tensor, selected: Tensor | None, sink: Tensor, start: int, width: int, ratio: int
) -> Tensor:
    """Shared-KV attention of one segment over its window and its compressed entries, with a sink (report 2.3.3).

    q: [T, H, c] of tokens start..start+T-1. window: [p+T, c], the last p <= width-1 window entries before
    the segment and then its own: token t sees the last `width`, itself included. entries: [E, c]; token t
    sees entry w iff w < (t+1) // ratio, and with selected [T, K] only those picked (-1: none); E = 0 without
    compression. sink: [H], joins the softmax's denominator and carries no value. Keys are the values.
    All in FP32; returns [T, H, c] in q's dtype.
    """
    T, H, c = q.shape
    before = window.shape[0] - T
    E = entries.shape[0]
    step = _tile(max(H * (width + MAX_TILE + E), 1) if selected is None else selected.shape[1] * c)
    outs = []
    for a, b, tile in _query_tiles(q, step):
        k_win, win = _window_logits(tile, window, before + a, width)
        logits = [_sink_logits(sink, b - a), win]
        if selected is not None:
            k_comp = entries[selected[a:b].clamp(min=0)].float()
            dots = tile @ k_comp.transpose(1, 2)
            logits.append(dots.masked_fill((selected[a:b] < 0)[:, None], -torch.inf))
        elif E:
            k_comp = entries[: (start + b) // ratio].float()
            dots = (tile.flatten(0, 1) @ k_comp.t()).unflatten(0, (b - a, H))
            if b - a > 1:
                hidden = hidden_entries(start + a, start + b, k_comp.shape[0], ratio, q.device)
                dots = dots.masked_fill(hidden[:, None], -torch.inf)
            logits.append(dots)
        p = torch.cat(logits, dim=-1).softmax(dim=-1).split([part.shape[-1] for part in logits], dim=-1)
        out = (p[1].flatten(0, 1) @ k_win).unflatten(0, (b - a, H))
        if selected is not None:
            out = out + p[2] @ k_comp
        elif E:
            out = out + (p[2].flatten(0, 1) @ k_comp).unflatten(0, (b - a, H))
        outs.append(out.to(q.dtype))
    return outs[0] if len(outs) == 1 else torch.cat(outs)


@torch.no_grad()
def entry_mass(q: Tensor, window: Tensor, entries: Tensor, sink: Tensor, start: int, width: int, ratio: int) -> Tensor:
    """The attention that each compressed entry gets from all heads together, [T, E] FP32: what the indexer should find.

    The softmax is the joint one over window, all visible entries and sink. Arguments as `sparse_attention`.
    """
    T, H, c = q.shape
    before, E, k_comp = window.shape[0] - T, entries.shape[0], entries.float()
    parts = []
    for a, b, tile in _query_tiles(q, _tile(H * (width + MAX_TILE + E))):
        _, win = _window_logits(tile, window, before + a, width)
        hidden = hidden_entries(start + a, start + b, E, ratio, q.device)
        comp = (tile @ k_comp.t()).masked_fill(hidden[:, None], -torch.inf)
        parts.append(torch.cat((_sink_logits(sink, b - a), win, comp), dim=-1).softmax(dim=-1)[..., -E:].sum(dim=1))
    return torch.cat(parts)


def _query_tiles(q: Tensor, step: int) -> Iterator[tuple[int, int, Tensor]]:
    """(a, b, q[a:b] / sqrt(c) in FP32) for the queries q [T, H, c], `step` at a time."""
    for a, tile in zip(range(0, q.shape[0], step), q.split(step)):
        yield a, a + tile.shape[0], tile.float() * q.shape[-1] ** -0.5


def _window_logits(tile: Tensor, window: Tensor, row: int, width: int) -> tuple[Tensor, Tensor]:
    """The keys [w, c] in reach of a tile of queries [t, H, c] whose own entries are window[row : row + t], and the
    logits [t, H, w], -inf where a key is in the query's future or further back than its last `width` tokens."""
    end, lo = row + tile.shape[0], max(row - width + 1, 0)
    keys = window[lo:end].float()
    logits = (tile.flatten(0, 1) @ keys.t()).unflatten(0, tile.shape[:2])
    if end - row > 1:
        distance = torch.arange(row, end, device=tile.device)[:, None] - torch.arange(lo, end, device=tile.device)
        logits = logits.masked_fill(((distance < 0) | (distance >= width))[:, None], -torch.inf)
    return keys, logits


def _sink_logits(sink: Tensor, t: int) -> Tensor:
    """The sinks [H] as one more key without a value, for t queries: [t, H, 1]."""
    return sink.float().view(1, -1, 1).expand(t, -1, 1)


def hidden_entries(first: int, end: int, entries: int, ratio: int, device: torch.device) -> Tensor:
    """True where entry w is not yet finished for token t, [end - first, entries]."""
    return torch.arange(entries, device=device) >= _visible(first, end, ratio, device)


def _visible(first: int, end: int, ratio: int, device: torch.device) -> Tensor:
    """How many compressed entries tokens first..end-1 see, [end - first, 1]: entry w iff w < (t + 1) // m (spec 2.4)."""
    return (torch.arange(first + 1, end + 1, device=device) // ratio)[:, None]


def _tile(elements_per_query: int) -> int:
    return max(1, min(MAX_TILE, TILE_ELEMENTS // max(elements_per_query, 1)))


# --- mixture of experts (report 2.1) ---


def affinities(x: Tensor, weight: Tensor) -> Tensor:
    """a = sqrt(softplus(x W_g^T)) in FP32. x: [T, D], weight: [E, D] -> [T, E]."""
    softplus = F.softplus(x.float() @ weight.float().t())
    # below a logit of about -103 softplus is 0 in FP32, where the square root has no gradient
    return softplus.clamp(min=torch.finfo(torch.float32).tiny).sqrt()


def swiglu(x: Tensor, w1: Tensor, w2: Tensor, w3: Tensor, limit: float, weight: Tensor | None = None) -> Tensor:
    """One expert: w2 (silu(min(w1 x, limit)) * clamp(w3 x, +-limit) * weight), the middle in FP32 (spec 2.6).

    x: [T, D]; w1 (gate), w3 (up): [I, D]; w2 (down): [D, I], multiplied in x's dtype; weight: [T] FP32 or None. Returns [T, D], x's dtype.
    """
    gate = _fp32(F.linear(x, w1.to(x.dtype))).clamp_max(limit)
    up = _fp32(F.linear(x, w3.to(x.dtype))).clamp(-limit, limit)
    middle = F.silu(gate) * up
    if weight is not None:
        middle = middle * weight.unsqueeze(-1)
    return F.linear(middle.to(x.dtype), w2.to(x.dtype))


def experts(x: Tensor, ids: Tensor, weights: Tensor, w1: Tensor, w2: Tensor, w3: Tensor, limit: float) -> Tensor:
    """Sum over each token's experts, in FP32. x: [T, D]; ids: [T, k] int64; weights: [T, k] FP32;
    w1, w3: [E, I, D]; w2: [E, D, I]. Returns [T, D] FP32.

    Rows are sorted by expert and multiplied in blocks of one size, the last block of an expert filled
    up with zeros. The size follows from T, k and E alone: a matrix product's rounding depends on its
    shape, so with blocks as long as an expert's load, one sequence's routing would move the last bits
    of another's.
    """
    T, k = ids.shape
    if T == 1:  # one token's experts have one row each: nothing to sort, and decoding has no time for it
        chosen = sorted(zip(ids[0].tolist(), weights[0].unbind()), key=lambda pick: pick[0])
        return torch.stack([_fp32(swiglu(x, w1[e], w2[e], w3[e], limit, weight[None])) for e, weight in chosen]).sum(dim=0)
    expert, order = ids.flatten().sort(stable=True)
    token = order // k
    load = torch.bincount(expert, minlength=w1.shape[0])
    block = _power_of_two(T * k // (2 * w1.shape[0]))
    blocks = (load + block - 1) // block
    # a row's place: where its expert's blocks start, plus its rank among the expert's rows
    first = (blocks.cumsum(0) - blocks) * block - (load.cumsum(0) - load)
    place = first[expert] + torch.arange(T * k, device=x.device)
    counts = blocks.tolist()
    rows = x.new_zeros((sum(counts) * block, x.shape[1])).index_copy(0, place, x[token])
    scale = weights.new_zeros(rows.shape[0]).index_copy(0, place, weights.flatten()[order])
    if torch.is_grad_enabled():  # w1[e] itself would give every expert a gradient of the size of all of them
        w1, w2, w3 = w1.unbind(), w2.unbind(), w3.unbind()
    owner = [e for e, count in enumerate(counts) for _ in range(count)]
    parts = zip(owner, rows.split(block), scale.split(block))
    outs = [swiglu(part, w1[e], w2[e], w3[e], limit, weight) for e, part, weight in parts]
    y = x.new_zeros(x.shape, dtype=torch.float32)
    return y.index_add(0, token, (torch.cat(outs) if outs else rows)[place].float())


def _power_of_two(n: int) -> int:
    """The smallest power of two that is at least n, between 1 and 512."""
    return min(1 << max(n - 1, 0).bit_length(), 512)
