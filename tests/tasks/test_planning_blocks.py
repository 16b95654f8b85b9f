"""Blocksworld: traces say what is true, wrong plans are refused, PlanBench is read right and never trained on."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import pytest

from finback.tasks.planning import TASKS, planbench, planbench_keys, verify_planbench
from finback.tasks.planning.blocks_state import chains_of, init_facts, key_of, on_facts, random_towers, towers_of
from finback.tasks.planning.blocks_words import DOMAIN, ENDINGS, plan_of, says_stacks, statement
from finback.tasks.planning.planbench_set import excluded, facts_of, prefix
from finback.tasks.planning.strips import BLOCKS, judge, read_plan
from finback.tasks.protocol import EFFORTS, assistant, draw

TASK = TASKS["blocksworld"]
DATA = Path(os.environ.get("FINBACK_DATA", "../shared/data")) / "planning"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"PlanBench's files are not in {DATA}: set FINBACK_DATA")
FILES = ("planbench_blocksworld_dev.jsonl", "planbench_blocksworld_3_dev.jsonl", "planbench_logistics_dev.jsonl",
         "planbench_depots_dev.jsonl")


def answer(text: str) -> list[dict]:
    return [assistant(text)]


def right(problem, text: str) -> bool:
    return TASK.verify(problem, answer(text), None).right


@pytest.mark.parametrize("level", [1, 2, 3])
def test_states_in_a_trace_are_those_of_its_moves(level):
    for seed in range(100):
        problem, rng = draw(TASK, "train", seed, level)
        lines = TASK.solve(problem, "high", rng)[0]["reasoning_content"].splitlines()
        again = [pairs("Has", problem.facts["init"]), pairs("Wants", problem.facts["goal"])]
        again = again[says_stacks(problem.messages[-1]["content"]) :]
        assert lines[: len(again)] == again
        lines = lines[len(again) :]
        towers = [line.split() for line in lines[0].removeprefix("Now: ").split(" | ")]
        assert towers == towers_of(problem.facts["init"])
        assert [line.split()
                for line in lines[1].removeprefix("Goal: ").split(" | ")] == chains_of(problem.facts["goal"])
        moves = [re.fullmatch(r"Move (\w+) from (\w+) to (\w+): (.*)", line) for line in lines]
        for match in filter(None, moves):
            block, source, target, state = match.groups()
            tower = next(t for t in towers if t[-1] == block)
            assert (tower[-2] if len(tower) > 1 else "table") == source
            tower.pop()
            towers = [t for t in towers if t]
            if target == "table":
                towers.append([block])
            else:
                next(t for t in towers if t[-1] == target).append(block)
            assert towers == [t.replace(" /", "").split() for t in state.split(" | ")]


def pairs(word, facts):
    said = [(f.split() + ["table"])[1:3] for f in facts if f.split()[0] in ("on", "table")]
    return f"{word} " + ", ".join(f"{under} {block}" for block, under in said)


def test_check_lines_say_what_the_goal_wants():
    for seed in range(100):
        problem, rng = draw(TASK, "train", seed)
        wants = {f.split()[1]: (f.split() + ["table"])[2] for f in problem.facts["goal"]}
        for line in TASK.solve(problem, "high", rng)[0]["reasoning_content"].splitlines():
            if match := re.fullmatch(r"Check (\w+): (?:wants (\w+)|free(?:, (\w+) wants (\w+))?), (yes|no)", line):
                block, under, other, wanted, _ = match.groups()
                assert wants.get(block) == under
                assert other is None or wants[other] == wanted


def test_a_state_is_drawn_as_often_as_any_other():
    rng = random.Random(0)
    counts: dict[tuple, int] = {}
    for _ in range(13_000):
        state = tuple(sorted(map(tuple, random_towers(rng, list("abc")))))
        counts[state] = counts.get(state, 0) + 1
    assert len(counts) == 13 and max(counts.values()) < 1.2 * min(counts.values())


def test_key_does_not_know_names_and_orders_but_knows_the_rest():
    rng = random.Random(1)
    for _ in range(200):
        blocks = list("abcdef")
        towers, goal = random_towers(rng, blocks), on_facts(random_towers(rng, blocks))
        new = dict(zip(blocks, rng.sample("uvwxyz", 6), strict=True))
        renamed = [[new[b] for b in t] for t in rng.sample(towers, len(towers))]
        facts = [" ".join(new.get(w, w) for w in f.split()) for f in rng.sample(goal, len(goal))]
        assert key_of(towers, goal) == key_of(renamed, facts)
    assert key_of([["a", "b"]], ["on a b"]) != key_of([["a"], ["b"]], ["on a b"])
    assert key_of([["a", "b"], ["c"]], ["on a c"]) != key_of([["a", "b"], ["c"]], ["on b c"])
    assert key_of([["a"], ["b"]], ["on a b"]) != key_of([["a"], ["b"]], ["on a b", "table b"])


def test_training_never_draws_a_problem_of_planbench():
    assert len(excluded()) == len(set(excluded())) > 150
    for seed in range(400):
        problem, _ = draw(TASK, "train" if seed % 4 else "seen", seed, 1 + seed % 2)
        assert prefix(problem.key) not in excluded()


@pytest.mark.parametrize("wording, forms", [
    ("pddl", "{}"), ("english", "[PLAN]\n{}\n[PLAN END]"), ("compact", "Here is a plan:\n\n{}\n\nThe goal is reached."),
                                            ("english", "```\n{}\n```"),
])
def test_a_plan_may_have_odd_forms(wording, forms):
    for seed in range(60):
        problem, rng = draw(TASK, "train", seed)
        plan = read_plan(TASK.solve(problem, "none", rng)[0]["content"], BLOCKS,
                         {w: w for f in problem.facts["init"] for w in f.split()[1:]})
        text = plan_of(wording, plan)
        assert right(problem, forms.format(text))
        assert right(problem, forms.format("\n".join(f"{i}. {line}." for i, line in enumerate(text.splitlines(), 1))))
        assert right(problem, forms.format("\n".join(f"- **{line}**" for line in text.splitlines())))
        assert right(problem, forms.format(", then ".join(text.splitlines())))
        if wording == "english":
            assert right(problem, text.title()) and right(problem, text.replace(" the ", " ").replace(" block", ""))
        if wording == "pddl":
            assert right(problem, text.replace("\n", " ")) and right(problem, text.replace("-", " ").upper())


def test_wrong_plans_are_refused():
    for seed in range(150):
        problem, rng = draw(TASK, "train", seed)
        lines = TASK.solve(problem, "none", rng)[0]["content"].splitlines()
        assert right(problem, "\n".join(lines))
        for i in range(len(lines)):
            assert not right(problem, "\n".join(lines[:i] + lines[i + 1 :])), "an action is missing"
            assert not right(problem, "\n".join(lines[:i] + [lines[i]] + lines[i:])), "an action is twice there"
        swapped = [*lines[1:2], *lines[:1], *lines[2:]]
        assert not right(problem, "\n".join(swapped))
        assert not right(problem, "\n".join(lines[:-1])) and not right(problem, "\n".join(reversed(lines)))
        assert not right(problem, re.sub(r"(\w+)( block|\)|)$", r"nothing\2", "\n".join(lines)))


def test_a_plan_that_undoes_the_goal_again_is_refused():
    init, goal = ["clear a", "clear b", "empty", "table a", "table b"], ["on a b"]
    plan = [("pick-up", ("a",)), ("stack", ("a", "b"))]
    assert judge(BLOCKS, init, goal, plan).right
    assert "does not hold" in judge(BLOCKS, init, goal, [*plan, ("unstack", ("a", "b")), ("put-down", ("a",))]).why
    assert "needs 'clear" in judge(BLOCKS, ["on b a", "clear b", "empty", "table a"], goal, plan).why


@pytest.mark.parametrize("replies",
                         [[], [{"role": "assistant"}], [{"role": "assistant", "content": None}],
                          [{"role": "tool", "content": "x"}],
                                     answer(""), answer("stack"), answer("pick up " * 50_000),
                          answer("stack red on blue\n" * 5000),
                                     answer("(" * 1000), answer("\x00\ud800")])
def test_garbage_is_refused_with_a_reason(replies):
    problem, _ = draw(TASK, "train", 5)
    verdict = TASK.verify(problem, replies, None)
    assert not verdict.right and verdict.why


def test_planbench_sentences_become_facts():
    said = "the blue block is clear, the hand is empty, "
    said += "the blue block is on top of the red block and the red block is on the table"
    assert facts_of("blocksworld", said) == ["clear blue", "empty", "on blue red", "table red"]
    with pytest.raises(ValueError, match="no fact"):
        facts_of("blocksworld", "the red block is nice")


@needs_data
@pytest.mark.parametrize("file", FILES)
def test_planbench_plans_are_valid_and_cut_ones_are_not(file):
    problems = planbench(DATA / file)
    assert len(problems) > 40
    for problem in problems:
        plan = problem.facts["ground_truth"]
        verdict = verify_planbench(problem, answer(plan), None)
        assert verdict.right, (problem, verdict)
        assert not verify_planbench(problem, answer(plan.strip().rsplit("\n", 1)[0]), None).right
        prompt = problem.messages[-1]["content"]
        assert prompt.count("[STATEMENT]") == 1 and prompt.endswith("[PLAN]") and "[PLAN END]" not in prompt


@needs_data
def test_planbench_problems_are_solved_by_the_policy_in_their_own_words():
    for file in FILES[:2]:
        for problem in planbench(DATA / file):
            for effort in EFFORTS:
                assert TASK.verify(problem, TASK.solve(problem, effort, random.Random(0)), None).right


@needs_data
def test_excluded_prefixes_are_those_of_the_data():
    assert {prefix(key) for key in planbench_keys(DATA)} == excluded()


@needs_data
def test_the_english_prompt_with_the_whole_domain_text_is_planbench_s():
    for problem in planbench(DATA / FILES[0]):
        assert problem.messages[-1]["content"] == DOMAIN + statement(problem.facts["init"], problem.facts["goal"],
                                                                     ENDINGS[0])


def test_held_out_problems_have_seven_blocks_and_training_ones_fewer_or_more():
    for seed in range(100):
        assert len(towers_blocks(draw(TASK, "held_out", seed)[0])) == 7
        assert len(towers_blocks(draw(TASK, "train", seed)[0])) in (3, 4, 5, 6, 8)


def towers_blocks(problem) -> list[str]:
    return [block for tower in towers_of(problem.facts["init"]) for block in tower]


def test_facts_and_towers_agree():
    assert towers_of(init_facts([["a", "b"], ["c"]])) == [["a", "b"], ["c"]]
    assert chains_of(["on c b", "table d", "on b a"]) == [["table", "d"], ["a", "b", "c"]]
