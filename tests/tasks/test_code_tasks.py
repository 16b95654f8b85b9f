"""Code tasks: every worked trace is right, wrong programs are refused, and held-out structures stay out of training."""

from __future__ import annotations

import pytest
from code_box import ForkBox

from finback.tasks import EFFORTS, SPLITS, draw
from finback.tasks.code import TASKS

NAMES = list(TASKS)


@pytest.fixture(scope="module")
def box():
    box = ForkBox()
    yield box
    box.close()


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", NAMES)
def test_own_answers_are_right(name, split, box):
    task = TASKS[name]
    for level in range(1, task.levels + 1):
        for seed in range(12):
            problem, rng = draw(task, split, seed, level)
            for effort in EFFORTS if seed % 4 == 0 else ("high",):
                replies = task.solve(problem, effort, rng)
                verdict = task.verify(problem, replies, box)
                assert verdict.right, (verdict.why, problem.messages[-1]["content"], replies)
                assert bool(replies[0].get("reasoning_content")) == (effort != "none")
