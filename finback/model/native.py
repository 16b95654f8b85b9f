"""When does a forward run as one native call? Without gradients, on a CPU, where every weight is taken.

A plan reads the weights where they lie, so it sees whatever is written to them. What it cannot see is a weight that
moved: `load_state_dict(assign=True)`, `.to()`, `p.data = ...`, another module in a module's place. So every forward
compares the addresses of all parameters with those of the plan. The loops over them run in C, and still it is 0.2 ms for the 240 of a
small model, because after a forward none of them is in a cache any more; so whoever decodes may leave it out (`Transformer.settled`).
"""

from __future__ import annotations

import threading
from itertools import chain
from operator import is_
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from finback import ops
from finback.config import ModelConfig
from finback.model.batch import Batch
from finback.model.rope import frequencies
from finback.model.state import Pool, SequenceState
from finback.ops.cpu.plan import Plan

if TYPE_CHECKING:
    from finback.model.transformer import Transformer


class Planner:
    """The plan of a model as it is now. `reason`: why there is none, or None."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.reason: str | None = None
        self._switches: tuple[ModelConfig, bool] | None = None
        self._owners: list[dict[str, Any]] = []  # of parameters, buffers and modules, with what they held in that order
        self._members: list[Any] = []
        self._tensors: list[Tensor] = []
        self._addresses: list[int] = []
        self._hooks: list[dict] = []
        self.settled = threading.local()  # .on: this thread's forwards leave the comparison out

    def __deepcopy__(self, memo: dict) -> Planner:
        return Planner()  # addresses belong to one model

    def __reduce__(self) -> tuple:
        return Planner, ()

    def current(self, model: Transformer) -> Plan | None:
        """The plan for the model's present weights, built anew if any moved; None where the reference must run."""
        if ops.BACKEND == "reference" or torch.is_grad_enabled():
            return None
        settled = getattr(self.settled, "on", False) and self._addresses
        if not (settled or self._fresh()) or self._switches != (model.config, model.fp8_cache):
            self._build(model)
        if self.plan is None and ops.BACKEND == "cpu":
            raise RuntimeError(f"FINBACK_BACKEND=cpu, but its plan refuses the model: {self.reason}")
        return None if any(self._hooks) else self.plan  # a hook wants to see modules run

    def _fresh(self) -> bool:
        if not self._addresses:
            return False
        held = chain.from_iterable(map(dict.values, self._owners))
        alike = sum(map(len, self._owners)) == len(self._members) and all(map(is_, held, self._members))
        return alike and [*map(Tensor.data_ptr, self._tensors)] == self._addresses

    def _build(self, model: Transformer) -> None:
        self._switches, self._owners, self._hooks = (model.config, model.fp8_cache), [], []
        for module in model.modules():
            self._owners += [owner for owner in (module._parameters, module._buffers, module._modules) if owner]
            self._hooks += [module._forward_hooks, module._forward_pre_hooks]
        self._members = [*chain.from_iterable(map(dict.values, self._owners))]
        tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        self._tensors = [*tensors.values()]
        self._addresses = [*map(Tensor.data_ptr, self._tensors)]
        tensors = {name: tensor for name, tensor in tensors.items() if not tensor.is_meta} | model.kept
        self.plan = self.reason = None
        try:
            rope = frequencies(model.config, False), frequencies(model.config, True)
            self.plan = Plan(model.config, tensors, model.layout, rope, model.activations)
        except ValueError as error:
            self.reason = str(error)


def forward(
    plan: Plan, batch: Batch, states: list[SequenceState] | None, rows: Tensor | None, streams: Tensor | None = None
) -> Tensor:
    """As `Transformer.forward` for a batch that it has checked. streams: [T, n, D] FP32 for the last streams."""
    layers = plan.config.num_hidden_layers
    if states is None:
        pool = Pool(plan.layout)
        states = [SequenceState.empty(pool) for _ in batch.spans]
    lengths = [b - a for a, b in batch.spans]
    for state, n in zip(states, lengths):
        state.reserve(state.length + n)
        for layer in range(layers if n else 0):
            state.advance(layer, state.length, n)
    T = len(batch.tokens)
    if rows is None:
        rows = torch.arange(T)
    else:
        rows = torch.arange(T)[rows]  # negative rows, masks and errors as in any tensor
    logits = plan.forward(batch.tokens.contiguous(), states, lengths, rows, streams)
    for state, n in zip(states, lengths):
        state.length += n
    return logits



def mtp_forward(
    plan: Plan, batch: Batch, given: Tensor, states: list[SequenceState], rows: Tensor, depth: int
) -> tuple[Tensor, Tensor]:
    """As `mtp.mtp_forward` for states that stand where the batch starts."""
    lengths = [b - a for a, b in batch.spans]
    for state, n in zip(states, lengths):
        state.advance(plan.config.num_hidden_layers + depth, state.length, n)
    streams = torch.empty_like(given)
    return plan.forward(batch.tokens, states, lengths, rows, streams, depth, given.contiguous()), streams
