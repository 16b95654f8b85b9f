"""How much memory will a run hold at its peak? Said before it starts, and refused where it does not fit.

What a process holds at the peak of a step: what it held before (libraries, FP32 weights), the optimizer's moments, what
the forward pass keeps for the backward pass, the gradients (which grow as that shrinks, but into memory of their own: what
is freed lies in pieces between what is still needed), and what single operations need for a moment. What the forward keeps is not modelled but weighed: a sequence of
each stage's length goes through the model itself, and every tensor that autograd holds on to is counted once.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from rich.filesize import decimal
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from finback import device
from finback.model import Batch, Transformer
from finback.train.losses import HEAD_ROWS, losses, weights_at
from finback.train.optim import parameter_groups
from finback.train.recipe import Recipe, RecipeError
from finback.train.schedule import Moment, Stage, at, batch_tokens_at

# Single operations and what the C library cannot use again of the memory they free, in the activations of a block.
BLOCKS = 2.25
SHORT = 8  # tokens of a pass that shows what does not grow with the batch, as the narrow copies of weights


@dataclass(frozen=True)
class Forecast:
    """Bytes. held: by the process before the first step; activations: kept for the backward pass; working: for single
    operations, an estimate from the activations of a block and the logits of a few rows."""

    held: int
    optimizer: int
    gradients: int
    activations: int
    working: int

    @property
    def total(self) -> int:
        return self.held + self.optimizer + self.gradients + self.activations + self.working

    def __str__(self) -> str:
        parts = {
            "before the first step": self.held, "optimizer": self.optimizer, "activations": self.activations,
            "gradients": self.gradients, "operations": self.working,
        }  # fmt: skip
        return f"{decimal(self.total)} of memory ({', '.join(f'{name} {decimal(n)}' for name, n in parts.items())})"


def forecast(model: Transformer, recipe: Recipe, dtype: torch.dtype) -> Forecast:
    """Of the stage that needs most. Takes a forward pass over one sequence for every stage."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    moments = 0
    for group in parameter_groups(model, recipe.optimizer.weight_decay, recipe.optimizer.kind):
        moments += sum(m.parameter.nbytes for m in group.members) * (1 if group.method == "Muon" else 2)
    activations = max(_activations(model, recipe, stage, seen, dtype) for stage, seen in _stages(recipe))
    logits = 3 * 4 * HEAD_ROWS * model.config.vocab_size
    working = int(BLOCKS * activations / len(model.layers)) + logits
    held = device.used(model.embed.weight.device)  # now that every kernel has run once
    return Forecast(held, moments, sum(p.nbytes for p in parameters), activations, working)


def check(found: Forecast, recipe: Recipe, where: torch.device) -> None:
    """Raises RecipeError where a run does not fit into the device's memory, with what would."""
    room = device.memory(where) + found.held
    if found.total <= room:
        return
    longest = max(stage.sequence for stage in recipe.schedule.stages)
    fixed = found.total - found.activations - found.working
    share = 0.95 * (room - fixed) / (found.activations + found.working)  # a part of these does not grow with the batch
    batch = int(recipe.schedule.batch_tokens * share) // longest * longest
    advice = f"batch_tokens = {batch}" if batch >= longest else "a smaller model, or shorter sequences"
    raise RecipeError(f"the run needs {found}, but there are {decimal(room)}: try {advice}")


def _stages(recipe: Recipe) -> list[tuple[Stage, int]]:
    """Each stage with the tokens before its last step, when its batch is largest."""
    seen, out = 0, []
    for stage in recipe.schedule.stages:
        seen += stage.tokens
        out.append((stage, seen - 1))
    return out


def _activations(model: Transformer, recipe: Recipe, stage: Stage, seen: int, dtype: torch.dtype) -> int:
    moment = at(recipe.schedule, 0, seen)
    fixed, once = (_kept(model, recipe, moment, min(n, stage.sequence), dtype) for n in (SHORT, stage.sequence))
    batch = batch_tokens_at(recipe.schedule, seen)
    return fixed + int((once - fixed) * batch / stage.sequence)


def _kept(model: Transformer, recipe: Recipe, moment: Moment, tokens: int, dtype: torch.dtype) -> int:
    """Bytes that autograd keeps of a forward pass over a sequence, weights left out."""
    own = {p.untyped_storage().data_ptr() for p in [*model.parameters(), *model.buffers()]}
    kept: dict[int, int] = {}

    def weigh(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.arange(tokens, device=model.embed.weight.device) % model.config.vocab_size
    stage = moment.stage
    with saved_tensors_hooks(weigh, lambda tensor: tensor):
        found = losses(
            model, Batch.of([ids]), ids, weights_at(moment, recipe.losses), dense=stage.attention != "sparse", fp4=stage.fp4, dtype=dtype
        )
        del found
    return sum(kept.values())
