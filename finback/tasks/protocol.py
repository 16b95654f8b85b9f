"""What is a task, and how does a problem get from a seed to a prompt, a worked trace and a verdict?

A task draws problems, works them at each effort, and judges answers. Which problems may be trained on
is decided here, for all tasks alike: a held-out structure (template, size, composition) is never
drawn for training, and of the structures that are, one problem in `SEEN_ONE_IN` by the hash of its
canonical form is kept for measuring, so that equal problems in other words land on the same side.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from finback.text import encode_messages, mode_of

Message = dict[str, Any]
Effort = Literal["none", "high", "max"]
Split = Literal["train", "seen", "held_out"]
EFFORTS: tuple[Effort, ...] = ("none", "high", "max")
SPLITS: tuple[Split, ...] = ("train", "seen", "held_out")
ABILITIES = ("mathematics", "code", "planning", "tools", "talk")
SEEN_ONE_IN = 32
TRIES = 10_000


@dataclass(frozen=True)
class Problem:
    """`messages` lead up to the assistant's turn (a system turn may carry tools). kind: its structure in a few words, by
    which errors are grouped. key: its canonical form: equal for problems that differ in names, order or wording only.
    facts: what solver and verifier need beside the messages, JSON values."""

    kind: str
    key: str
    messages: list[Message]
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """why: one sentence, for error analysis; "" where it is right."""

    right: bool
    why: str = ""


@dataclass(frozen=True)
class Task:
    """One family of problems. Every callable is a pure function of its arguments.

    sample(rng, level, held_out): a problem of a level from 1 to `levels` (harder upwards), of a structure kept for
    measuring if held_out, else of one that may be trained on.
    solve(problem, effort, rng): the messages of a worked answer: one assistant message (`reasoning_content` unless
    effort is "none", and `content`), or with tools assistant and tool messages in turn.
    verify(problem, replies, box): judges what followed the problem, those same kinds of messages, however malformed. `box`
    is a sandbox for tasks that run code, and None for others.
    act(problem, name, arguments, box): with tools, the result of a call as text.
    """

    name: str
    ability: str
    levels: int
    sample: Callable[[random.Random, int, bool], Problem]
    solve: Callable[[Problem, Effort, random.Random], list[Message]]
    verify: Callable[[Problem, list[Message], Any], Verdict]
    act: Callable[[Problem, str, dict[str, Any], Any], str] | None = None
    needs_sandbox: bool = False


def draw(task: Task, split: Split, seed: int | str, level: int | None = None) -> tuple[Problem, random.Random]:
    """A problem of a split, the same for the same seed, and the generator that its trace is worked with. level: None
    draws one. Raises RuntimeError if the task has none."""
    if split not in SPLITS:
        raise ValueError(f"there is no split {split!r}: choose one of {', '.join(SPLITS)}")
    rng = random.Random(f"{task.name} {split} {seed}")
    for _ in range(TRIES):
        problem = task.sample(rng, level or rng.randint(1, task.levels), split == "held_out")
        if split == "held_out" or is_seen(task.name, problem.key) == (split == "seen"):
            return problem, rng
    raise RuntimeError(f"task {task.name} has no problem for split {split} and level {level} in {TRIES} tries: its keys are too few")


def is_seen(name: str, key: str) -> bool:
    """Whether a problem of a structure that is trained on is itself kept for measuring."""
    return int.from_bytes(sha256(f"{name} {key}".encode()).digest()[:8], "big") % SEEN_ONE_IN == 0


def render(messages: list[Message], effort: Effort) -> str:
    """Messages as V4's prompt text at an effort; where the last one is not the assistant's, up to where it begins."""
    mode, reasoning_effort = mode_of(effort)
    return encode_messages(messages, mode, reasoning_effort=reasoning_effort)


def answer_of(replies: list[Message]) -> str:
    """The content of the last reply, "" if there is none."""
    last = replies[-1] if replies else None
    content = last.get("content") if isinstance(last, dict) and last.get("role") == "assistant" else None
    return content if isinstance(content, str) else ""


def assistant(content: str, thoughts: str = "") -> Message:
    message: Message = {"role": "assistant", "content": content}
    return message | {"reasoning_content": thoughts} if thoughts else message


def user(content: str) -> list[Message]:
    return [{"role": "user", "content": content}]
