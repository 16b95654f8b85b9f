"""What holds for every planning task: traces are right, splits apart, documents short, drawing fast enough."""

from __future__ import annotations

import json
import re
import time

import pytest

from finback.tasks.planning import TASKS
from finback.tasks.protocol import EFFORTS, SPLITS, Problem, assistant, draw

every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)


def tokens(text: str) -> int:
    return len(re.findall(r"\d|[A-Za-z]+|[^\sA-Za-z\d]|\n", text))


@every_task
def test_own_answers_are_right_at_every_effort_level_and_split(task):
    for split in SPLITS:
        for level in range(1, task.levels + 1):
            for seed in range(30):
                problem, rng = draw(task, split, seed, level)
                for effort in EFFORTS:
                    replies = task.solve(problem, effort, rng)
                    verdict = task.verify(problem, replies, None)
                    assert verdict.right, (split, level, seed, effort, verdict.why)
                    assert bool(replies[0].get("reasoning_content")) == (effort != "none")


@every_task
def test_same_seed_same_problem_and_trace(task):
    for split in SPLITS:
        for seed in range(20):
            first, second = draw(task, split, seed), draw(task, split, seed)
            assert first[0] == second[0]
            assert task.solve(first[0], "max", first[1]) == task.solve(second[0], "max", second[1])


@every_task
def test_the_answer_is_the_same_at_every_effort_and_max_thinks_at_least_as_long(task):
    for seed in range(60):
        problem, rng = draw(task, "train", seed)
        none, high, most = (task.solve(problem, effort, rng)[0] for effort in EFFORTS)
        assert none["content"] == high["content"] == most["content"]
        assert len(most["reasoning_content"]) > len(high["reasoning_content"])


@every_task
def test_no_answer_of_another_problem_is_taken_for_this_one_s_by_luck(task):
    taken = 0
    for seed in range(100):
        problem, _ = draw(task, "train", seed, task.levels)
        other, rng = draw(task, "train", seed + 1000, task.levels)
        taken += task.verify(problem, task.solve(other, "none", rng), None).right
    assert taken <= 10


@every_task
@pytest.mark.parametrize("replies",
                         [[], [{"role": "assistant"}], [{"role": "assistant", "content": 3}], [assistant("")],
                          [assistant("42 or so")],
                                     [assistant("((((" * 9999)], [assistant("1 " * 99_999)],
                          [assistant("\x00\ud800\n")], [{"role": "tool", "content": "up"}]])
def test_garbage_is_refused_with_a_reason(task, replies):
    problem, _ = draw(task, "train", 5, task.levels)
    verdict = task.verify(problem, replies, None)
    assert not verdict.right and verdict.why


@every_task
def test_documents_stay_short(task):
    for split in SPLITS:
        lengths = []
        for seed in range(100):
            problem, rng = draw(task, split, seed)
            reply = task.solve(problem, EFFORTS[seed % 3], rng)[0]
            lengths.append(tokens(problem.messages[-1]["content"] + reply.get("reasoning_content", "")
                                  + reply["content"]))
        lengths.sort()
        # the recipes' sequences have 1,024 tokens: of what is longer the end is not trained on
        assert lengths[-4] < 1024 and lengths[-1] < 1400 and lengths[len(lengths) // 2] < 650, lengths[-5:]


@every_task
def test_drawing_and_working_are_fast_enough(task):
    start = time.process_time()
    for seed in range(100):
        problem, rng = draw(task, "train", seed)
        task.solve(problem, "max", rng)
    assert 100 / (time.process_time() - start) > 300


@every_task
def test_problems_are_json_values(task):
    for split in SPLITS:
        for seed in range(20):
            problem, rng = draw(task, split, seed)
            again = Problem(**json.loads(json.dumps(vars(problem))))
            assert again == problem
            assert task.verify(again, task.solve(again, "max", rng), None).right


@every_task
def test_held_out_kinds_and_sizes_are_never_drawn_for_training(task):
    def structures(split: str) -> set[str]:
        return {re.split(r", (?:drawn|english|pddl|compact)", draw(task, split, seed)[0].kind)[0]
                for seed in range(150)}

    def parts(split: str) -> set[str]:  # of a maze the number of rooms is what is held out; loops occur in both
        return {k.split(",")[0] if task.name == "maze" else k for k in structures(split)}

    assert not parts("train") & parts("held_out")
