"""What does the next forward compute, and for whom? This file only decides; the engine acts.

One forward has a budget of tokens. Requests that decode come first, one token each, so that a long prompt never
stops them. What is left goes to prompts, in equal shares (a prompt that needs less leaves the rest to the others),
higher priority first. New requests are admitted in order of priority, then of arrival, while the cache can hold
their prompts and a block of answer each. Nobody starves: the first in that order is always admitted, never preempted,
and has a share of every forward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

MIN_SHARE = 64  # tokens of a prompt that are worth a place in a forward


class Job(Protocol):
    """What the scheduler sees of a request."""

    priority: int  # lower goes first
    arrival: int

    @property
    def pending(self) -> int:
        """Tokens that are known but not yet in its state: 1 while it decodes."""

    @property
    def boundary(self) -> int | None:
        """How many more tokens may be computed before the engine wants to look at its state; None: any number."""


@dataclass(frozen=True)
class Limits:
    """tokens: of one forward; requests: that run at the same time."""

    tokens: int = 1024
    requests: int = 256


def order(jobs: Sequence[Job]) -> list[Job]:
    """First comes who must not wait: lowest priority number, then earliest arrival."""
    return sorted(jobs, key=lambda job: (job.priority, job.arrival))


def plan(running: Sequence[Job], limits: Limits) -> list[tuple[Job, int]]:
    """Who computes how many tokens in the next forward; at most limits.tokens in all, at least 1 each."""
    decoding = [job for job in order(running) if job.pending == 1][: limits.tokens]
    shares = [(job, 1) for job in decoding]
    left = limits.tokens - len(shares)
    prompts = [job for job in order(running) if job.pending > 1]
    prompts = prompts[: max(left // MIN_SHARE, 1)] if left else []
    # whoever needs least is served first, so that what it leaves is known when the others' shares are cut
    wants = sorted(prompts, key=_appetite)
    for i, job in enumerate(wants):
        share = min(_appetite(job), left // (len(wants) - i))
        if share:
            shares.append((job, share))
            left -= share
    return shares


def _appetite(job: Job) -> int:
    return job.pending if job.boundary is None else min(job.pending, job.boundary)


def admit(waiting: Sequence[Job], running: int, free_blocks: int, blocks_of: Callable[[Job], int], limits: Limits) -> list[Job]:
    """Who may start now. blocks_of: the blocks that a job's known tokens and a little more will take.

    When nothing runs, the first is admitted whatever it needs: if it does not fit, nobody else is in its way.
    """
    out: list[Job] = []
    for job in order(waiting):
        if running + len(out) >= limits.requests:
            break
        need = blocks_of(job)
        if need > free_blocks and (running or out):
            break  # no overtaking: a small late request would keep a large early one waiting for ever
        free_blocks -= need
        out.append(job)
    return out


def victim(running: Sequence[Job]) -> Job | None:
    """Whose memory is taken when the cache is full: the last in order, but never the only one."""
    return order(running)[-1] if len(running) > 1 else None
