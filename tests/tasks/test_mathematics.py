"""Every mathematics task keeps the contract: its own traces are right at each effort, wrong answers are refused, splits are apart."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from fractions import Fraction

import pytest

from finback.tasks.mathematics import TASKS
from finback.tasks.mathematics.answers import last_number
from finback.tasks.mathematics.number_theory import KINDS, work_factors
from finback.tasks.protocol import EFFORTS, SPLITS, assistant, draw

NAMES = sorted(TASKS)
SEEDS = range(40)


def problems(name, split, seeds=SEEDS):
    task = TASKS[name]
    for level in range(1, task.levels + 1):
        for seed in seeds:
            problem, rng = draw(task, split, seed, level)
            yield task, level, problem, rng


def size(text: str) -> int:
    return len(re.findall(r"[A-Za-z]+|\S", text))


def value(text: str) -> Fraction:
    """An expression as it stands in a trace: digits, signs, brackets."""
    assert re.fullmatch(r"[\d.+\-*/() ]+", text), text
    return Fraction(eval(re.sub(r"(\d+(?:\.\d+)?)", r"Fraction('\1')", text), {"Fraction": Fraction}))


def equations(text: str):
    """Every `left=right` of a trace, scratchpads taken out: (left, right)."""
    while re.search(r"\[[^\[\]]*\]", text):
        for inner in re.findall(r"\[([^\[\]]*)\]", text):
            for part in inner.split(","):
                yield part
        text = re.sub(r"\[[^\[\]]*\]", "", text)
    for line in text.splitlines():
        for part in re.split(r"[,;:]", line):
            yield part.strip()


def true_equation(part: str) -> bool:
    """Whether a part is a chain of equals; parts that are no equations count as true."""
    part = re.sub(r"\b(ok)\b", "", part).strip()
    sides = part.split("=")
    if len(sides) < 2 or not re.fullmatch(r"[\d.+\-*/() ]+", sides[0]):
        return True
    for left, right in zip(sides, sides[1:], strict=False):
        if match := re.fullmatch(r"(\d+)r(\d+)", right.strip()):
            n, d = map(int, left.split("/"))
            if (int(match[1]), int(match[2])) != divmod(n, d):
                return False
        elif not re.fullmatch(r"[\d.+\-*/() ]+", right) or not re.fullmatch(r"[\d.+\-*/() ]+", left):
            continue
        elif value(left) != value(right) and not chained_carry(sides):
            return False
    return True


def chained_carry(sides: list[str]) -> bool:
    """`6*4=24+4=28`: the carried tens join after the product. `75=7+5=12`: a digit sum in a check."""
    product, *others = sides
    return all(value(others[i]) == value(others[i + 1]) for i in range(len(others) - 1)) and str(value(product)) == others[0].split("+")[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("split", SPLITS)
def test_its_own_traces_verify_at_every_effort_level_and_split(name, split):
    for task, level, problem, rng in problems(name, split):
        for effort in EFFORTS:
            replies = task.solve(problem, effort, rng)
            verdict = task.verify(problem, replies, None)
            assert verdict.right, (level, problem, replies, verdict)
            assert bool(replies[0].get("reasoning_content")) == (effort != "none")


@pytest.mark.parametrize("name", NAMES)
def test_every_equation_of_a_trace_is_true(name):
    for task, _, problem, rng in problems(name, "train"):
        for effort in ("high", "max"):
            thoughts = task.solve(problem, effort, rng)[0]["reasoning_content"]
            for part in equations(thoughts):
                assert "?" in part or true_equation(part), (part, thoughts)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_are_refused(name):
    for task, _, problem, rng in problems(name, "train", range(12)):
        right = task.solve(problem, "none", rng)[0]["content"]
        if not re.search(r"\d", right):
            opposite = {"yes": "no", "no": "yes", "odd": "even", "even": "odd"}
            wrong = re.sub(r"yes|no|odd|even", lambda m: opposite[m[0]], right)
            for content in (wrong, f"{right} {wrong}", "", "The answer is 7."):
                assert not task.verify(problem, [assistant(content)], None).right, (problem, content)
            continue
        number = re.findall(r"\d+(?:\.\d+)?", right)[-1]
        at = right.rindex(number)
        wrong = {
            right[:at] + other + right[at + len(number) :]
            for other in (str(Decimal(number) + 1), str(Decimal(number) * 10 + 1), number + "7", f"-{number}3", str(Decimal(number) + 100))
        }
        for content in [*wrong, "", "I do not know.", "The answer is", "\x00" * 50, f"{right} No, it is {Decimal(number) + 3}."]:
            assert not task.verify(problem, [assistant(content)], None).right, (problem, content)
        for replies in ([], [{}], [{"role": "user", "content": right}], [{"role": "assistant", "content": None}], [{"role": "assistant", "content": 7}]):
            assert not task.verify(problem, replies, None).right


@pytest.mark.parametrize("name", NAMES)
def test_huge_and_odd_replies_are_survived(name):
    task = TASKS[name]
    problem, _ = draw(task, "train", 1, 1)
    for content in ("9" * 100_000, "1/0", "\\boxed{" * 5000, "1e999999", "-" * 10_000, "½ ² ٣", "1,2,3," * 3000):
        verdict = task.verify(problem, [assistant(content)], None)
        assert not verdict.right and verdict.why


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_problem(name):
    task = TASKS[name]
    for level in range(1, task.levels + 1):
        first, rng_1 = draw(task, "train", 7, level)
        again, rng_2 = draw(task, "train", 7, level)
        assert first == again and task.solve(first, "max", rng_1) == task.solve(again, "max", rng_2)


@pytest.mark.parametrize("name", NAMES)
def test_lengths_stay_within_limits(name):
    for split in ("train", "held_out"):
        for task, level, problem, rng in problems(name, split):
            prompt = size(problem.messages[-1]["content"])
            assert 1 <= prompt <= 260, problem
            for effort in EFFORTS:
                made = task.solve(problem, effort, rng)[0]
                total = prompt + size(made.get("reasoning_content", "")) + size(made["content"])
                assert total <= 900, (level, effort, total, problem.messages, made)


@pytest.mark.parametrize("name", NAMES)
def test_prompts_are_filled_in(name):
    for split in ("train", "held_out"):
        for _, _, problem, _ in problems(name, split):
            text = problem.messages[-1]["content"]
            assert text.strip() and not re.search(r"[{}\[\]|]|##| \.(?!\.\.)|  ", text.replace(" . ", " ").removesuffix(" .")), text


def test_answers_are_numbers_that_the_prompt_does_not_give_away():
    """Of word problems few may be answered by a number that stands in them."""
    stated = total = 0
    for _, _, problem, _ in problems("word_problem", "train"):
        numbers = set(re.findall(r"\d+(?:\.\d+)?", problem.messages[-1]["content"]))
        stated += problem.facts["answer"] in numbers
        total += 1
    assert stated / total < 0.08


def test_last_number_is_what_solve_states():
    for task, _, problem, rng in problems("word_problem", "train"):
        assert last_number(task.solve(problem, "none", rng)[0]["content"]) == Fraction(problem.facts["answer"])


@pytest.mark.parametrize("name", NAMES)
def test_sampling_leaves_no_trace_in_global_state(name):
    state = random.getstate()
    draw(TASKS[name], "train", 3)
    assert random.getstate() == state


def test_number_theory_holds_out_numbers_or_a_wording():
    new = {
        "remainder": lambda n: n[1] == 7, "multiples": lambda n: n[1] == 7, "digit sum": lambda n: n[0] >= 10_000, "parity": lambda n: n[0] >= 1000,
        "largest": lambda n: len(n) == 6, "smallest": lambda n: len(n) == 6, "sort": lambda n: len(n) == 6, "prime": lambda n: n[0] >= 200,
        "factors": lambda n: len(work_factors(n)[1].split("*")) == 6, "to base": lambda n: n[1] in (5, 7), "from base": lambda n: n[1] in (5, 7),
    }  # fmt: skip
    kinds = set()
    for split in ("train", "held_out"):
        for _, _, problem, _ in problems("number_theory", split, range(60)):
            name = problem.facts["kind"]
            last = re.split(r"[\[{]", KINDS[name].wordings.splitlines()[-1])[0]  # how the wording that is held out begins
            in_new_words = problem.messages[-1]["content"].startswith(last) if last else None
            if name in new and split == "train":
                assert not new[name](problem.facts["numbers"]), problem
            elif name in new and last and not in_new_words:
                assert new[name](problem.facts["numbers"]), problem
                kinds.add(name)
    assert len(kinds) > 6
