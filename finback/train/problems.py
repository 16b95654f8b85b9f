"""How do tasks become text to train on? Worked problems are drawn, checked by their own verifiers where that needs no
sandbox, and written as conversations to a file that is a source like any other.

A file's name says what it holds, so that what was written is not drawn again; it is renamed when it is complete.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

from finback.data import Source
from finback.tasks import TASKS, draw
from finback.train.recipe import Problems, Recipe


def task_sources(recipe: Recipe, folder: Path, say: Callable[[str], None] = lambda line: None) -> tuple[Source, ...]:
    """The recipe's tasks as sources of form "chat", their problems drawn into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = []
    for wanted in recipe.tasks:
        what = repr(dataclasses.replace(wanted, weight=None, repeat=1)) + f" {recipe.seed}"
        file = folder / f"{wanted.name}-{hashlib.sha256(what.encode()).hexdigest()[:12]}.jsonl"
        if not file.exists():
            _write(wanted, recipe.seed, file)
            say(f"{wanted.name}: {wanted.problems:,} problems drawn")
        sources.append(
            Source(
                wanted.name, str(file.resolve()), "chat", origin=f"drawn by finback.tasks, task {wanted.name}", licence="MIT",
                sha256=hashlib.sha256(file.read_bytes()).hexdigest(), repeat=wanted.repeat, weight=wanted.weight,
            )
        )  # fmt: skip
    return tuple(sources)


def conversation(wanted: Problems, seed: int, number: int) -> dict:
    """One worked problem as a record of form "chat"; the same seed and number always give the same. Raises
    RuntimeError if the task's own verifier refuses it."""
    task, chooser = TASKS[wanted.name], random.Random(f"{seed} {wanted.name} {number}")
    effort = chooser.choices(list(wanted.efforts), list(wanted.efforts.values()))[0]
    level = chooser.choice(wanted.levels) if wanted.levels else None
    problem, rng = draw(task, "train", f"{seed} {number}", level)
    replies = task.solve(problem, effort, rng)
    if not task.needs_sandbox and not (verdict := task.verify(problem, replies, None)).right:
        raise RuntimeError(f"task {task.name} refuses its own worked answer to problem {number} of seed {seed}: {verdict.why}")
    return {"messages": problem.messages + replies, "effort": effort}


def _write(wanted: Problems, seed: int, file: Path) -> None:
    fresh = file.with_name(file.name + ".new")
    with fresh.open("w", encoding="utf-8") as out:
        for number in range(wanted.problems):
            out.write(json.dumps(conversation(wanted, seed, number), ensure_ascii=False) + "\n")
        out.flush()
        os.fsync(out.fileno())
    os.replace(fresh, file)
