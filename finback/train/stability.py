"""What happens when the loss spikes? The run goes back a short way and routes by older parameters for a while.

Report 4.2.3: spikes came with outliers in the MoE layers that routing amplified, and going back did not by itself
keep them from coming again. Anticipatory routing did: the experts of step t's tokens are those that the
parameters of step t - dt choose, while everything else, the weights of the chosen experts included, comes from
the parameters of step t. The batch of step t is fetched at step t - dt from a copy of the stream, a forward
without gradients is run, and the chosen ids wait in a queue. The report gives neither dt nor any threshold.

What a spike is and how a run answers it, all of it in the recipe's [stability]:

- A loss or gradient norm is a spike if its logarithm lies more than `factor` robust deviations above the median
  of the last `window` steps of the same stage; with fewer steps there is no verdict. What is not finite always is.
- A spike undoes its step and those before it, back to a state saved every `rollback` steps: at least `rollback`
  steps back and less than twice as many. Those states are ordinary checkpoints on disk. In memory they would
  cost the parameters and the optimizer's state twice over for the whole run, and be gone after a restart.
- Anticipatory routing is then on for `duration` steps, that is beyond the spike. At first no parameters dt steps
  old are at hand: the oldest since the return choose, dt = 0, 1, 2, ... until the queue is full.
- A spike while it is on is passed through, and what is usual is learnt anew: nothing in a step is random, so to go
  back once more would repeat the same numbers. One that is not finite ends the run. Since `duration` is at least
  twice `rollback`, every return is to a later step than the one before.

With dt = 0 a run goes back and then computes exactly what it did before: rollback alone, to compare with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from typing import Any

import torch
from torch import Tensor

from finback.model import Batch, Trace, Transformer, mtp_streams
from finback.train.recipe import StabilityOptions
from finback.train.schedule import Moment

NORMAL = 1.4826  # the standard deviation of normal noise is so many times its median absolute deviation
# A deviation counts as at least this much of the value: of what hardly varies, a hair's breadth is no spike. Gradient norms
# of quiet runs quadruple for a step now and then, and are clipped.
LEAST_LOSS, LEAST_NORM = 0.02, 0.2


class Spike(Exception):
    """A step that must be undone. The message says why, `to` is the step to go back to."""

    def __init__(self, why: str, to: int):
        super().__init__(why)
        self.to = to


def limit(past: list[float], factor: float, least: float) -> float:
    """Above which value the next is a spike: `factor` robust deviations, each at least `least`, above the median, in logarithms."""
    logs = [math.log(max(value, 1e-30)) for value in past]
    middle = median(logs)
    deviation = NORMAL * median(abs(x - middle) for x in logs)
    return math.exp(middle + factor * max(deviation, least))


@dataclass
class Guard:
    """The state: all of it but the options and the event, which the next row of the log takes, is in a checkpoint.

    stage: of the schedule, by number. losses, norms: of its last steps, oldest first. left: for how many steps
    anticipatory routing stays on. queue: for this step's batch and those after it, the step whose parameters
    chose, and the ids by layer, int16 [T, k].
    """

    options: StabilityOptions
    stage: int = -1
    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    left: int = 0
    queue: list[tuple[int, dict[int, Tensor]]] = field(default_factory=list)
    event: dict[str, Any] | None = None

    def state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _SAVED}

    def restore(self, state: dict[str, Any]) -> None:
        for name in _SAVED:
            setattr(self, name, state[name])

    def judge(self, stage: int, loss: float, norm: float) -> str | None:
        """Why a step is a spike; else None, and its numbers belong to what is usual."""
        if not self.options.enabled:
            return None
        if stage != self.stage:
            self.stage, self.losses, self.norms = stage, [], []
        for name, value, past, least in (("loss", loss, self.losses, LEAST_LOSS), ("gradient norm", norm, self.norms, LEAST_NORM)):
            if not math.isfinite(value):
                return f"{name} {value}"
            if len(past) == self.options.window and value > (most := limit(past, self.options.factor, least)):
                return f"{name} {value:.3f}, usually {median(past):.3f} and at most {most:.3f}"
        self.losses = [*self.losses, loss][-self.options.window :]
        self.norms = [*self.norms, norm][-self.options.window :]
        return None

    def check(self, stage: int, step: int, loss: float, norm: float) -> None:
        """Of the step after `step` steps. Raises Spike if it must be undone; one that must not gets its event."""
        every, on = self.options.rollback, self.left > 0
        self.left = max(self.left - 1, 0)
        why, to = self.judge(stage, loss, norm), (step - every) // every * every
        if why is not None and not on and to > 0:
            raise Spike(why, to)
        if why is not None:  # what is usual is learnt anew, so that a run whose loss stays high is not told so at every step
            self.losses, self.norms = [], []
            self.event = {"kind": "passed", "step": step + 1, "why": why}

    def told(self) -> dict[str, Any] | None:
        """The event, once."""
        event, self.event = self.event, None
        return event

    def keeps(self, step: int) -> bool:
        """Is the state after `step` steps one to go back to?"""
        return self.options.enabled and step % self.options.rollback == 0

    def turn_on(self, step: int, spike: Spike, undone: list[dict[str, Any]]) -> None:
        """After the return, and after `restore` of what was known there. step: of the spike; undone: rows of the log."""
        self.left = self.options.duration
        self.event = {
            "kind": "rollback", "step": step, "why": str(spike), "to": spike.to, "dt": self.options.dt, "duration": self.left,
            "undone": [row["loss"] for row in undone], "seconds": sum(row["seconds"] for row in undone),
        }  # fmt: skip

    def routing(
        self, model: Transformer, step: int, ahead: Iterator[tuple[Moment, Batch, Tensor]], dtype: torch.dtype | None = None
    ) -> tuple[dict[int, Tensor] | None, int | None]:
        """The experts of this step's tokens, [T, k] by layer, and how many steps old the parameters are that chose them;
        None where the routers choose now. ahead: this step's batch and those after it, with their moments and targets."""
        if not self.left:
            return None, None
        for moment, batch, targets in islice(ahead, len(self.queue), min(self.options.dt + 1, self.left)):
            self.queue.append((step, choices(model, batch, targets, moment, dtype)))
        made, chosen = self.queue.pop(0)
        return {layer: ids.long() for layer, ids in chosen.items()}, step - made


_SAVED = ("stage", "losses", "norms", "left", "queue")


@torch.no_grad()
def choices(
    model: Transformer, batch: Batch, targets: Tensor, moment: Moment, dtype: torch.dtype | None = None
) -> dict[int, Tensor]:
    """Which experts the learned routers choose now for a batch of the given moment: int16 [T, k] by layer."""
    trace = Trace(indexing=None)
    run = model.new_pass(batch, dense=moment.stage.attention != "sparse", fp4=moment.stage.fp4, trace=trace, dtype=dtype)
    h = model.streams(run)
    if model.mtp and moment.mtp_loss_weight and moment.stage.attention != "warmup":
        mtp_streams(model, h, targets, run)
    return {layer: r.ids.to(torch.int16) for layer, r in trace.routing.items() if not r.hashed}


def sentence(event: dict[str, Any]) -> str:
    """An event of the log for people."""
    if event["kind"] == "passed":
        return f"step {event['step']} is a spike ({event['why']}) that going back would only repeat: the run goes on through it"
    return (
        f"step {event['step']} is a spike ({event['why']}): back to step {event['to']}, then routing by parameters "
        f"{event['dt']} steps old for {event['duration']} steps"
    )
