"""What does training minimise, and what does it correct without a gradient?

Next token, the MTP block's token after next, the sequence-wise balance loss of the routers, and the
indexer's divergence from the attention it should predict. The routers' selection bias moves by the
sign of the load alone (aux-loss-free balancing). Each loss is a mean over the tokens it speaks of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from finback.model import Batch, Trace, Transformer, mtp_final, mtp_streams
from finback.model.trace import Indexing
from finback.train.recipe import LossOptions
from finback.train.schedule import Moment

IGNORE = -100
HEAD_ROWS = 512  # whose logits exist at a time


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Of each loss; 0 leaves it out. Defaults: report section 4, and 1.0 for the indexer."""

    next_token: float = 1.0
    mtp: float = 0.3
    balance: float = 1e-4
    indexer: float = 1.0


def weights_at(moment: Moment, options: LossOptions) -> Weights:
    """The losses of a step at a moment of the schedule."""
    if moment.stage.attention == "warmup":  # the indexer alone learns; everything else has no gradient and stays
        return Weights(next_token=0.0, mtp=0.0, balance=0.0, indexer=1.0)
    indexer = options.indexer if moment.stage.attention == "sparse" else 0.0
    return Weights(mtp=moment.mtp_loss_weight, balance=options.balance, indexer=indexer)


@dataclass(frozen=True)
class Losses:
    """`total` is differentiable; the parts are numbers (None: left out). recall: share of the best top-k attention mass the indexer finds."""

    total: Tensor
    next_token: float
    mtp: float | None
    balance: float | None
    indexer: float | None
    recall: float | None
    loads: dict[int, Tensor]


def losses(
    model: Transformer,
    batch: Batch,
    targets: Tensor,
    weights: Weights,
    dense: bool = False,
    routing: dict[int, Tensor] | None = None,
    fp4: bool = False,
    dtype: torch.dtype | None = None,
) -> Losses:
    """All losses of one forward. targets: [T] int64, the next token of every row. dtype: as in `Pass`.

    loads: [E] float, the share of the choices that fell on each expert, by layer with a learned router.
    """
    trace = Trace(indexing=[] if weights.indexer else None)
    run = model.new_pass(batch, dense=dense, routing=routing, trace=trace, fp4=fp4, dtype=dtype)
    h = model.streams(run)
    # a weight of zero cuts the gradient off, so that what only this loss would move is left alone
    with torch.set_grad_enabled(torch.is_grad_enabled() and weights.next_token != 0):
        main = head_loss(model.final(h), model.head.weight, targets)
    total, mtp = weights.next_token * main if weights.next_token else 0.0, None
    if weights.mtp and model.mtp:
        after_next = second_targets(batch, targets)
        if (after_next != IGNORE).any():
            mtp = head_loss(mtp_final(model, mtp_streams(model, h, targets, run)), model.head.weight, after_next)
            total = total + weights.mtp * mtp
    learned = {layer: r for layer, r in trace.routing.items() if not r.hashed}
    balance = None
    if weights.balance and learned:
        balance = sum(balance_loss(r.affinities, r.ids, batch.spans) for r in learned.values())
        total = total + weights.balance * balance
    indexer = recall = None
    if trace.indexing:
        indexer = indexer_loss(trace.indexing)
        total = total + weights.indexer * indexer
        recall = indexer_recall(trace.indexing, model.config.index_topk)
    experts = model.config.n_routed_experts
    loads = {layer: torch.bincount(r.ids.flatten(), minlength=experts) / r.ids.numel() for layer, r in learned.items()}
    return Losses(total, main.item(), _number(mtp), _number(balance), _number(indexer), recall, loads)


class _HeadLoss(torch.autograd.Function):
    """The gradients are made beside the loss, a few rows at a time: the logits of a batch, V numbers for each token,
    are never in memory together. Rows without a target cost nothing."""

    @staticmethod
    def forward(ctx, x: Tensor, head: Tensor, targets: Tensor, wanted: bool) -> Tensor:
        chosen = (targets != IGNORE).nonzero().squeeze(1)
        count = max(len(chosen), 1)
        total = torch.zeros((), dtype=torch.float64, device=x.device)
        dx, dhead = (torch.zeros_like(x), torch.zeros_like(head)) if wanted else (None, None)
        with torch.autocast(x.device.type, enabled=False):  # the dtypes below are meant
            for at in chosen.split(HEAD_ROWS):
                rows, target = x[at], targets[at, None]
                logits = rows.float() @ head.float().t()
                top = logits.logsumexp(dim=1, keepdim=True)
                total += (top - logits.gather(1, target)).sum(dtype=torch.float64)
                if wanted:
                    p = logits.sub_(top).exp_()
                    p.scatter_add_(1, target, p.new_full(target.shape, -1.0)).div_(count)
                    p = p.to(x.dtype)
                    dx[at] = p @ head.to(p.dtype)
                    dhead += p.t() @ rows
        ctx.save_for_backward(dx, dhead)
        return (total / count).to(torch.float32)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        dx, dhead = ctx.saved_tensors
        return dx * gradient.to(dx.dtype), dhead * gradient, None, None


def head_loss(x: Tensor, head: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of the targets [T] (IGNORE: none) under the logits x head^T, FP32. x: [T, D]; head: [V, D].

    With x in BF16 the two products of the backward pass are in BF16 too.
    """
    return _HeadLoss.apply(x, head, targets, torch.is_grad_enabled() and (x.requires_grad or head.requires_grad))


def second_targets(batch: Batch, targets: Tensor) -> Tensor:
    """The token after next of every row, [T]; IGNORE at the last row of each segment, which does not know it."""
    out = torch.cat((targets[1:], targets.new_full((1,), IGNORE)))
    out[[b - 1 for a, b in batch.spans if b > a]] = IGNORE
    return out


def balance_loss(affinities: Tensor, ids: Tensor, spans: Sequence[tuple[int, int]]) -> Tensor:
    """Report 2.5: sum_i f_i P_i per sequence, f_i = E/(kT) times the choices of expert i, P_i = mean_t a_ti / sum_j a_tj.

    affinities: [T, E]; ids: [T, k]. The mean over sequences is weighted by their lengths.
    """
    share = affinities / affinities.sum(dim=1, keepdim=True)
    E, k = affinities.shape[1], ids.shape[1]
    parts = []
    for a, b in spans:
        if b > a:
            f = torch.bincount(ids[a:b].flatten(), minlength=E) * (E / (k * (b - a)))
            parts.append((f * share[a:b].sum(dim=0)).sum())
    return torch.stack(parts).sum() / len(affinities)


def indexer_loss(records: Sequence[Indexing]) -> Tensor:
    """KL from the attention over compressed entries to the indexer's softmax, summed over layers, mean over the
    queries that see an entry."""
    total, rows = torch.zeros(()), {}
    for r in records:
        seen = r.mass.sum(dim=1) > 0
        rows[r.layer] = rows.get(r.layer, 0) + int(seen.sum())
    for r in records:
        seen = r.mass.sum(dim=1) > 0
        p = r.mass[seen] / r.mass[seen].sum(dim=1, keepdim=True)
        log_q = r.scores[seen].log_softmax(dim=1)
        # 0 log 0 = 0: hidden entries have p = 0 and log q = -inf
        terms = torch.where(p > 0, p * (p.clamp(min=1e-30).log() - log_q.masked_fill(p == 0, 0.0)), 0.0)
        total = total.to(terms) + terms.sum() / max(rows[r.layer], 1)
    return total


@torch.no_grad()
def indexer_recall(records: Sequence[Indexing], k: int) -> float | None:
    """The attention mass of the indexer's k picks over that of the k best, for queries that must choose."""
    found = best = 0.0
    for r in records:
        choosing = (r.mass > 0).sum(dim=1) > k
        if choosing.any():
            mass, scores = r.mass[choosing], r.scores[choosing]
            found += float(mass.gather(1, scores.topk(k, dim=1).indices).sum())
            best += float(mass.topk(k, dim=1).values.sum())
    return found / best if best else None


@torch.no_grad()
def update_biases(model: Transformer, loads: dict[int, Tensor], speed: float) -> None:
    """Aux-loss-free balancing (report 2.5): an expert chosen less than the average gains `speed`, else loses it."""
    blocks = [*model.layers, *model.mtp]
    for layer, load in loads.items():
        blocks[layer].ffn.gate.bias.add_(torch.sign(load.mean() - load), alpha=speed)


def _number(loss: Tensor | None) -> float | None:
    return None if loss is None else loss.item()
