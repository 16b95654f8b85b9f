"""Which rule moves which weight? Muon the matrices, AdamW the rest, in one optimizer (report 2.4, 4.2.2).

`RULES` is the whole assignment: every trainable parameter matches exactly one line of it, or the
run does not start. Muon treats each logically independent matrix by itself: an expert, a group of
`wo_a`, a series of a CSA compressor, each of W_pre, W_post and W_res of a hyper-connection. Equal
shapes, over layers and experts, are orthogonalised in one batched call. The FP32 parameters are
their own master weights. This file knows nothing of losses, schedules or clipping.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import zip_longest
from typing import Any

import torch
from rich.table import Table
from torch import Tensor
from torch.optim.adamw import adamw

from finback.device import fast_bf16
from finback.model import Transformer

# HybridNS (report 2.4): eight steps bring every singular value from 4e-5 up into 0.68..1.21, two pin it at 1.
COEFFICIENTS = ((3.4445, -4.7750, 2.0315),) * 8 + ((2.0, -1.5, 0.5),) * 2
MOMENTUM = 0.95
UPDATE_RMS = 0.18  # gamma: the size of AdamW's usual updates, so that both share one learning rate
BETAS, EPS = (0.9, 0.95), 1e-20
FUSED_ADAMW = ("cpu", "cuda", "mps")


@dataclass(frozen=True)
class Rule:
    """The parameters whose names match one of the patterns are moved by `method`, for the reason `why`."""

    method: str
    decay: bool
    what: str
    patterns: tuple[str, ...]
    why: str


RULES = (
    Rule("Muon", True, "attention projections",
         ("*.attn.wq_a.weight", "*.attn.wq_b.weight", "*.attn.wkv.weight", "*.attn.wo_a.weight", "*.attn.wo_b.weight"),
         "the rest; wo_a by group, wq_b whole"),
    Rule("Muon", True, "compressor projections", ("*.compressor.wkv.weight", "*.compressor.wgate.weight"),
         "the rest; CSA's two series apart"),
    Rule("Muon", True, "indexer projections", ("*.indexer.wq_b.weight", "*.indexer.weights_proj.weight"), "the rest"),
    Rule("Muon", True, "routed experts", ("*.ffn.experts.w[123]",), "the rest; each expert by itself"),
    Rule("Muon", True, "shared experts", ("*.ffn.shared_experts.w[123].weight",), "the rest"),
    Rule("Muon", True, "router weights", ("*.ffn.gate.weight",), "the rest"),
    Rule("Muon", True, "hyper-connection matrices", ("*hc_attn_fn", "*hc_ffn_fn", "*hc_head_fn"),
         "the rest; W_pre, W_post, W_res apart"),
    Rule("Muon", True, "MTP projections", ("mtp.*.e_proj.weight", "mtp.*.h_proj.weight"), "the rest"),
    Rule("AdamW", True, "embedding and LM head", ("embed.weight", "head.weight"), "named by the report"),
    Rule("AdamW", True, "RMSNorm weights", ("*norm.weight",), "named by the report"),
    Rule("AdamW", True, "hyper-connection biases, gates", ("*hc_*_base", "*hc_*_scale"), "named by the report"),
    Rule("AdamW", False, "attention sinks", ("*.attn.attn_sink",), "report silent: no pull to 0"),
    Rule("AdamW", False, "positional biases", ("*.compressor.ape",), "report silent: no pull to 0"),
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A parameter, and the heights of the independent matrices that stand above each other in its rows."""

    name: str
    parameter: Tensor
    rule: Rule
    method: str
    rows: tuple[int, ...]

    @property
    def matrices(self) -> int:
        """How many matrices Muon orthogonalises here; stacked experts count each."""
        if self.method != "Muon":
            return 0
        return len(self.rows) * (len(self.parameter) if self.parameter.dim() == 3 else 1)


@dataclass(frozen=True)
class Group:
    """Parameters that share a method, a weight decay and `rate`, the factor on the learning rate."""

    method: str
    weight_decay: float
    rate: float
    members: tuple[Member, ...]


def newton_schulz(M: Tensor, dtype: torch.dtype) -> Tensor:
    """HybridNS (report 2.4): M [..., n, m] with its singular values moved to 1, computed in `dtype`.

    X_0 = M / ||M||_F;  X_k = a X + b (X X^T) X + c (X X^T)^2 X. A zero matrix stays zero. Every singular value
    above 4e-5 of the norm ends in 1..1.0021; smaller ones keep growing with them, up to 8e4 times their size.
    """
    shape = M.shape
    X = M.reshape(-1, *shape[-2:])
    # Divided by the largest entry first: the squares of gradients below 1e-19 are zero in FP32.
    X = X / X.abs().amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(M.dtype).tiny)
    X = X / torch.linalg.vector_norm(X, dim=(1, 2), keepdim=True).clamp_min(1.0)
    tall = shape[-2] > shape[-1]
    X = (X.mT if tall else X).to(dtype)  # the Gram matrix is of the smaller side
    for a, b, c in COEFFICIENTS:
        A = X @ X.mT
        X = torch.baddbmm(X, torch.baddbmm(A, A, A, beta=b, alpha=c), X, beta=a)
    return (X.mT if tall else X).to(M.dtype).reshape(shape)


def compute_dtype(device: torch.device) -> torch.dtype:
    """In which dtype Muon multiplies on this device: BF16 as in the report where it is fast, FP32 elsewhere.

    BF16 has a price: rounding fills the directions in which a gradient is zero with full-size noise.
    """
    return torch.bfloat16 if fast_bf16(device) else torch.float32


def chunk_elements(device: torch.device) -> int:
    """How many elements of matrices go into one batched call, which needs room for about five FP32 arrays of them.

    A CPU is fastest where they stay in its caches and yet are worth a call to two threads (on preset mini 2^17 takes
    1.4 times as long, and 2^24 too); an accelerator wants them many.
    """
    return 2**19 if device.type == "cpu" else 2**24


def parameter_groups(model: Transformer, weight_decay: float, kind: str = "muon") -> tuple[Group, ...]:
    """Every trainable parameter in the group of its rule; router biases (requires_grad=False) are in none.

    kind "adamw" gives Muon's matrices to AdamW too, to compare the two.
    """
    members: dict[tuple[str, bool], list[Member]] = {(rule.method, rule.decay): [] for rule in RULES}
    for name, p in model.named_parameters():
        if p.requires_grad:
            rule = _rule(name, p)
            method = rule.method if kind == "muon" else "AdamW"
            members[method, rule.decay].append(Member(name, p, rule, method, _rows(model, name, p)))
    return tuple(
        Group(method, weight_decay if decay else 0.0, 1.0, tuple(found)) for (method, decay), found in members.items() if found
    )


def table(groups: Sequence[Group]) -> Table:
    """What a run will move by which rule, to print before it starts."""
    out = Table("method", "what", "tensors", "matrices", "parameters", "rate", "decay", "why")
    for column in out.columns[2:7]:
        column.justify = "right"
    for group in groups:
        for rule in sorted({m.rule for m in group.members}, key=RULES.index):
            counts = _counts([m for m in group.members if m.rule is rule])
            out.add_row(group.method, rule.what, *counts, f"x {group.rate:g}", f"{group.weight_decay:g}", rule.why)
    out.add_section()
    out.add_row("all", "", *_counts([m for group in groups for m in group.members]))
    return out


def build_optimizer(model: Transformer, weight_decay: float, kind: str = "muon") -> MuonAdamW:
    """The optimizer of all trainable parameters of a model, with learning rate 0 until it is set."""
    device = model.embed.weight.device
    return MuonAdamW(parameter_groups(model, weight_decay, kind), compute_dtype(device), chunk_elements(device))


class MuonAdamW(torch.optim.Optimizer):
    """Muon and AdamW behind one `step` and one state dict. A parameter without a gradient is left as it is.

    dtype: of Muon's products; chunk: how many elements of matrices go into one batched call at most.
    """

    def __init__(self, groups: Sequence[Group], dtype: torch.dtype, chunk: int):
        for member in (m for group in groups for m in group.members):
            if member.parameter.dtype != torch.float32:
                raise ValueError(
                    f"{member.name} is {member.parameter.dtype}: the parameters are their own master weights, keep the "
                    "model in torch.float32 and cast in the forward pass"
                )
        self.dtype, self.chunk = dtype, chunk
        super().__init__(
            [
                {
                    "params": [(m.name, m.parameter) for m in group.members],
                    "rows": [m.rows for m in group.members],
                    "method": group.method,
                    "rate": group.rate,
                    "weight_decay": group.weight_decay,
                    "fused": group.members[0].parameter.device.type in FUSED_ADAMW,
                }
                for group in groups
            ],
            {"lr": 0.0},
        )

    def set_learning_rate(self, learning_rate: float) -> None:
        """The learning rate of the next steps, before each group's factor."""
        for group in self.param_groups:
            group["lr"] = learning_rate * group["rate"]

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            (self._muon if group["method"] == "Muon" else self._adamw)(group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from a saved state; one of other parameters, or of another division into matrices, is refused."""
        saved, own = _layout(state_dict["param_groups"]), _layout(self.param_groups)
        if saved != own:
            before, now = next(pair for pair in zip_longest(saved, own) if pair[0] != pair[1])
            raise ValueError(
                f"the saved optimizer state has {before} where the model has {now} (name, group, heights of its matrices): "
                "resume with the model, and the trainable parameters, that the run began with"
            )
        super().load_state_dict(state_dict)

    def _muon(self, group: dict[str, Any]) -> None:
        # M_t = mu M_{t-1} + G_t;  O = HybridNS(mu M_t + G_t) sqrt(max(n, m)) gamma;  W_t = W_{t-1} (1 - eta lambda) - eta O
        lr, pieces = group["lr"], []
        for p, rows in zip(group["params"], group["rows"]):
            if p.grad is None:
                continue
            state = self.state[p]
            if not state:
                state["momentum"] = torch.zeros_like(p)
            state["momentum"].mul_(MOMENTUM).add_(p.grad)
            pieces += zip(*(_matrices(t, rows) for t in (p, p.grad, state["momentum"])))
        for chunk in _chunks(pieces, self.chunk):
            nesterov = torch.cat([torch.add(g, m, alpha=MOMENTUM) for _, g, m in chunk])
            orthogonal = newton_schulz(nesterov, self.dtype)
            size = UPDATE_RMS * math.sqrt(max(orthogonal.shape[1:]))
            for (w, _, _), o in zip(chunk, orthogonal.split([len(w) for w, _, _ in chunk])):
                w.mul_(1 - lr * group["weight_decay"]).add_(o, alpha=-lr * size)

    def _adamw(self, group: dict[str, Any]) -> None:
        params = [p for p in group["params"] if p.grad is not None]
        for p in params:
            state = self.state[p]
            if not state:
                state["step"] = torch.zeros((), device=p.device if group["fused"] else None)
                state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(p), torch.zeros_like(p)
        moments = ([self.state[p][key] for p in params] for key in ("exp_avg", "exp_avg_sq"))
        adamw(
            params, [p.grad for p in params], *moments, [], [self.state[p]["step"] for p in params],
            foreach=not group["fused"], fused=group["fused"], amsgrad=False, beta1=BETAS[0], beta2=BETAS[1],
            lr=group["lr"], weight_decay=group["weight_decay"], eps=EPS, maximize=False,
        )  # fmt: skip


def _counts(members: list[Member]) -> tuple[str, str, str]:
    """Tensors, matrices and parameters."""
    counts = (len(members), sum(m.matrices for m in members), sum(m.parameter.numel() for m in members))
    return tuple(f"{n:,}" if n else "" for n in counts)


def _rule(name: str, p: Tensor) -> Rule:
    found = [rule for rule in RULES if any(fnmatchcase(name, pattern) for pattern in rule.patterns)]
    if len(found) != 1:
        rules = " and ".join(f"{r.what!r}" for r in found) or "no rule"
        raise ValueError(f"{name} {tuple(p.shape)} matches {rules} of the optimizer: let exactly one line of RULES match it")
    return found[0]


def _rows(model: Transformer, name: str, p: Tensor) -> tuple[int, ...]:
    """Heights of the logically independent matrices in the rows of a parameter."""
    c = model.config
    if name.endswith(".wo_a.weight"):  # block diagonal: one matrix for each group of heads
        return (c.o_lora_rank,) * c.o_groups
    if name.endswith((".compressor.wkv.weight", ".compressor.wgate.weight")):
        series = 2 if model.get_submodule(name.rsplit(".", 2)[0]).overlap else 1
        return (p.shape[0] // series,) * series
    if name.endswith(("hc_attn_fn", "hc_ffn_fn")):
        return (c.hc_mult, c.hc_mult, c.hc_mult**2)  # W_pre, W_post, W_res
    return (p.shape[-2],) if p.dim() >= 2 else ()


def _matrices(tensor: Tensor, rows: tuple[int, ...]) -> list[Tensor]:
    """Views [b, n, m] of the independent matrices of a tensor [rows, m] or of stacked experts [E, rows, m]."""
    return [part if part.dim() == 3 else part.unsqueeze(0) for part in tensor.detach().split(rows, dim=-2)]


def _chunks(pieces: list[tuple[Tensor, ...]], elements: int) -> Iterator[list[tuple[Tensor, ...]]]:
    """Pieces (tuples of views [b, n, m]) of one shape at a time, cut so that each list holds at most `elements`.

    A single matrix that is larger makes a list by itself.
    """
    by_shape = defaultdict(list)
    for views in pieces:
        by_shape[views[0].shape[1:]].append(views)
    for (n, m), same in by_shape.items():
        limit = max(elements // (n * m), 1)
        chunk, room = [], limit
        for views in same:
            at = 0
            while at < len(views[0]):
                chunk.append(tuple(view[at : at + room] for view in views))
                taken = len(chunk[-1][0])
                at, room = at + taken, room - taken
                if not room:
                    yield chunk
                    chunk, room = [], limit
        if chunk:
            yield chunk


def _layout(param_groups: Sequence[dict[str, Any]]) -> list[tuple[str, int, tuple[int, ...]]]:
    """(name, group, rows) of every parameter, in order."""
    return [
        (name, i, tuple(rows))
        for i, group in enumerate(param_groups)
        for name, rows in zip(group.get("param_names", ()), group.get("rows", ()))
    ]
