"""Code tasks: every worked answer is right, wrong ones are refused, and held-out structures stay out of training."""

from __future__ import annotations

import ast
import random
import re

import pytest
from code_box import ForkBox

from finback.tasks import EFFORTS, SPLITS, draw, render
from finback.tasks.code import TASKS
from finback.tasks.code.fill_middle import whole
from finback.tasks.code.mutate import mutations
from finback.tasks.code.programs import BLOCKS, draw_program, held
from finback.tasks.code.trace import TooLong, limited, trace, unfold
from finback.tasks.protocol import assistant

NAMES = list(TASKS)
LONGEST = 2600  # characters of a whole document; tokens are about a third of it


@pytest.fixture(scope="module")
def box():
    box = ForkBox()
    yield box
    box.close()


def drawn(name, split="train", seeds=8):
    task = TASKS[name]
    for level in range(1, task.levels + 1):
        for seed in range(seeds):
            yield task, level, *draw(task, split, seed, level)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", NAMES)
def test_own_answers_are_right_and_of_bounded_length(name, split, box):
    for n, (task, _, problem, rng) in enumerate(drawn(name, split, {"train": 8, "held_out": 4, "seen": 1}[split])):
        assert "$" not in problem.messages[-1]["content"]
        for effort in EFFORTS if n % 4 == 0 else ("high",):
            replies = task.solve(problem, effort, rng)
            verdict = task.verify(problem, replies, box)
            assert verdict.right and not verdict.why, (verdict.why, problem.messages[-1]["content"], replies)
            assert bool(replies[0].get("reasoning_content")) == (effort != "none")
            assert len(render(problem.messages + replies, effort)) < LONGEST * (1.5 if effort == "max" else 1)


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", NAMES)
def test_hundreds_of_own_answers_are_right(name, split, box):
    for task, _, problem, rng in drawn(name, split, 70):  # of each level
        for effort in EFFORTS:
            assert task.verify(problem, task.solve(problem, effort, rng), box).right


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_problem_and_answer(name):
    for level in (1, 3):
        (a, r), (b, s) = (draw(TASKS[name], "train", "x", level) for _ in range(2))
        assert a == b and TASKS[name].solve(a, "max", r) == TASKS[name].solve(b, "max", s)
        assert draw(TASKS[name], "train", "y", level)[0] != a


@pytest.mark.parametrize("name", NAMES)
def test_any_answer_gets_a_verdict(name, box):
    task, _, problem, _ = next(drawn(name))
    garbage = ["", " ", "```", "```python\n```", "def", "\0", "x" * 100_000, "```python\nimport\n```", "🙂", "- a\n- b"]
    for content in garbage:
        verdict = task.verify(problem, [assistant(content)], box)
        assert not verdict.right and verdict.why
    empty = {"role": "assistant", "content": None}
    for replies in ([], [{"role": "tool", "content": "3"}], [{"role": "assistant"}], [empty]):
        assert not task.verify(problem, replies, box).right


@pytest.mark.parametrize("name", ["write_function", "fix_bug", "fill_middle"])
def test_mistaken_code_is_refused(name, box):
    """A change in one place that shows on a test is always found; hidden tests see through nearly all others too."""
    caught = tried = 0
    for n, (task, _, problem, _) in enumerate(drawn(name, seeds=3)):
        facts = problem.facts
        code = facts.get("code") or "\n".join(p for p in (facts["before"], facts["middle"], facts["after"]) if p)
        wrong = random.Random(n).sample(mutations(code), min(3, len(mutations(code))))
        tried += len(wrong)
        caught += sum(not task.verify(problem, [assistant(f"```python\n{m.code}\n```")], box).right for m in wrong)
    assert tried > 15 and caught > tried * 0.75


def test_the_wrong_code_of_a_bug_does_not_pass_as_its_repair(box):
    for task, _, problem, _ in drawn("fix_bug", seeds=4):
        wrong = re.search(r"```python\n(.*?)```", problem.messages[-1]["content"], re.DOTALL)
        assert wrong and not task.verify(problem, [assistant(wrong[0])], box).right
        facts = problem.facts
        lines = wrong[1].strip("\n").split("\n")
        assert lines[facts["line"] - 1].strip() == facts["was"] != facts["now"]
        assert facts["code"].split("\n")[facts["line"] - 1].strip() == facts["now"]


def test_missing_lines_are_taken_with_any_indentation_and_as_a_whole_function(box):
    for task, _, problem, _ in drawn("fill_middle", seeds=4):
        facts = problem.facts
        middle = facts["middle"]
        full = "\n".join(p for p in (facts["before"], middle, facts["after"]) if p)
        bare = "\n".join(line.strip() for line in middle.split("\n")) if "\n" not in middle else middle
        fences = (f"```python\n{middle}\n```", f"```\n{full}\n```", f"```python\n{bare}\n```")
        for content in (middle, middle.lstrip(), *fences):
            assert task.verify(problem, [assistant(content)], box).right, (content, problem.messages[-1]["content"])
        assert "pass" in whole(facts, "pass") and not task.verify(problem, [assistant("```\npass\n```")], box).right


def test_output_is_taken_in_any_form_and_nothing_else_is(box):
    for task, _, problem, _ in drawn("predict_output", seeds=10):
        lines = problem.facts["output"]
        out = "\n".join(lines)
        spaced = "\n".join(line.replace(", ", ",") + " " for line in lines)
        forms = [out, f"```\n{out}\n```", f"It prints:\n\n{out}", f"The output is:\n```text\n{spaced}\n```"]
        for content in (*forms, f"Output:\n{out}\n", f"输出是：\n{out}"):
            assert task.verify(problem, [assistant(content)], None).right, content
        if len(lines) == 1:
            for content in (f"It prints {out}.", f"The output is {out}", f"`{out}`", f"The result is: {out}"):
                assert task.verify(problem, [assistant(content)], None).right, content
        wrong = [f"{out}\n0", f"0 {out}", out + "1", f"```\n{out}x\n```", f"not\n{out}", out[:-1], "?" + out[1:]]
        for content in wrong:
            assert not task.verify(problem, [assistant(content)], None).right, content


def test_traces_end_in_what_is_asked(box):
    for task, _, problem, rng in drawn("write_function", seeds=6):
        thoughts = task.solve(problem, "max", rng)[0]["reasoning_content"]
        assert problem.facts["tried"][-1].startswith("return ")
        assert thoughts.count("Try ") == 1 and thoughts.count("as asked") == min(1, problem.facts["shown"])
        assert task.solve(problem, "high", rng)[0]["reasoning_content"] == "\n".join(problem.facts["plan"])
    for task, _, problem, rng in drawn("predict_output", seeds=6):
        rows = task.solve(problem, "high", rng)[0]["reasoning_content"].split("\n")
        printed = [row.removeprefix("print ").split(" = ")[-1] for row in rows if row.startswith("print ")]
        assert [p.strip("'") for p in printed] == [line.split(" = ")[-1] for line in problem.facts["output"]]


def test_a_function_without_a_given_name_may_have_any_but_must_be_right(box):
    unnamed = 0
    for task, _, problem, rng in drawn("write_function", seeds=60):
        if problem.facts["name"]:
            continue
        unnamed += 1
        code = problem.facts["code"]
        name = re.search(r"def (\w+)", code)[1]
        other = re.sub(rf"\b{name}\b", "quite_another", code)
        assert task.verify(problem, [assistant(f"```python\n{other}\n```")], box).right
        assert not task.verify(problem, [assistant("```python\ndef quite_another(x):\n    return [x]\n```")], box).right
        assert not task.verify(problem, [assistant("```python\nx = 1\n```")], box).right
    assert unnamed > 5


def test_held_out_programs_have_a_block_that_training_never_shows():
    """Blocks are drawn with every structure; a program is for training only if none of its blocks is held out."""
    rng = random.Random(2)
    for _, makers in BLOCKS.items():
        for maker, _ in makers:
            kinds = {held(maker(rng)) for _ in range(300)}
            assert kinds == {False, True}, maker
    train, measured = ({draw_program(rng, 2, h).structures for _ in range(150)} for h in (False, True))
    assert not train & measured


def test_trace_says_what_each_line_does():
    run = trace("a = 2\nb = [1]\nfor x in [3, 4]:\n    if x > 3:\n        a += x * 2\n    b.append(a)\nprint(a, b)")
    assert run.output == ["10 [1, 2, 10]"]
    assert run.lines == [
        "a = 2",
        "b = [1]",
        "for x = 3 then [4]",
        "if x > 3 -> 3 > 3 -> no",
        "append 2 -> b = [1, 2]",
        "for x = 4 then []",
        "if x > 3 -> 4 > 3 -> yes",
        "a = 2 + 4 * 2 = 2 + 8 = 10",
        "append 10 -> b = [1, 2, 10]",
        "for x -> done",
        "print 10 [1, 2, 10]",
    ]
    run = trace("for a in [1, 2]:\n    for c in 'xy':\n        break\n    while a:\n        break\nprint(a)")
    once = ["for c = 'x' then 'y'", "while a -> 1 -> yes"]
    assert run.lines == ["for a = 1 then [2]", *once, "for a = 2 then []", once[0], "while a -> 2 -> yes", "for a -> done", "print 2"], run.lines
    run = trace("def f(n):\n    if n < 2:\n        return n\n    return n + f(n - 1)", "f(2)")
    assert run.result == 3 and run.lines[0] == "call f: n = 2" and run.lines[-1] == "return 2 + 1 = 3"


def test_trace_and_limited_stop_what_does_not_end():
    def forever():
        exec(compile("while True:\n    pass", "<ours>", "exec"))

    with pytest.raises(TooLong):
        trace("while True:\n    a = 1")
    with pytest.raises(TooLong):
        limited(forever, [])


def test_unfolding_works_out_one_operation_at_a_time():
    node = ast.parse("a * 2 + len(s)", mode="eval").body
    assert unfold(node, {"a": 3, "s": "xy"}) == ["3 * 2 + len('xy')", "6 + len('xy')", "6 + 2", "8"]
