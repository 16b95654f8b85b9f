"""A function with some lines missing: which lines belong there?

The answer is the missing lines alone, indented as in the function; a whole function is accepted too.
"""

from __future__ import annotations

import random
import textwrap

from finback.tasks.code.frames import CHINESE, examples, purpose
from finback.tasks.code.functions import draw_function
from finback.tasks.code.verify import defined, extract_code, verify_program
from finback.tasks.code.wording import fill, say
from finback.tasks.code.writing import fenced, some, trial
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

GAPS = ["# ...", "...", "# missing", "# TODO", "<missing lines>", "____", "# your code here"]
FRAMES = (
    "(Fill in|Write|Give) the (missing|lost) (lines|code) of this function(.|:)\n$code\nIt should $what.$shown|"
    "This function should $what, but (some lines are|a part is) missing(| at $gap):\n$code$shown\n"
    "(Write|Give) (only |)the missing (lines|part).|"
    "(Complete|Fill) the gap( $gap|) in this (code|function), which should $what(.|:)\n$code$shown|"
    "$code\nWhat (has to|must|should) stand (in place of|instead of|at) $gap? The function should $what.$shown"
)
CHINESE_FRAMES = (
    "补全(这个|下面)函数中缺少的(代码|行)。它应该：$what。\n$code$shown|"
    "(这个|下面的)函数应该：$what。(写出|补上)缺少的(代码|部分)：\n$code$shown"
)


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    f = draw_function(rng, level, held_out)
    lines = f.code.split("\n")
    size = min(rng.choice([1, 1, 2, 2, 3]), len(lines) - 1)
    start = rng.randint(1, len(lines) - size)
    gap = rng.choice(GAPS)
    middle = lines[start : start + size]
    indent = middle[0][: len(middle[0]) - len(middle[0].lstrip())]
    before, after = lines[:start], lines[start + size :]
    shown = some(rng, f.cases[:3])
    chinese = rng.random() < CHINESE and not f.new_words
    text = fill(
        say(rng, CHINESE_FRAMES if chinese else FRAMES, f.new_words),
        what=purpose(rng, f.pipeline, f.new_words, chinese),
        code=fenced("\n".join([*before, indent + gap, *after])),
        gap=gap,
        shown=examples(rng, f.name, shown),
    )
    facts = {
        "name": f.name,
        "before": "\n".join(before),
        "middle": "\n".join(middle),
        "after": "\n".join(after),
        "plan": f.plan,
        "tried": f.tried,
        "shown": len(shown),
        "tests": f.tests,
    }
    return Problem(f"gap in {f.kind}", f"{f.key} | {start} {size}", user(text), facts)


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    facts = problem.facts
    ends = "comes the end" if not facts["after"] else f"comes: {facts['after'].split(chr(10))[0].strip()}"
    rows = [*facts["plan"], *trial(facts, effort), f"Before the gap: {facts['before'].split(chr(10))[-1].strip()}", f"After it {ends}"]
    rows += ["Missing:", facts["middle"]]
    return [assistant(fenced(facts["middle"]), "" if effort == "none" else "\n".join(rows))]


def verify(problem: Problem, replies: list[Message], box: object) -> Verdict:
    facts = problem.facts
    return verify_program(whole(facts, extract_code(answer_of(replies))), facts["tests"], box, facts["name"])


def whole(facts: dict[str, str], code: str) -> str:
    """The function with an answer put in: as it is indented, or moved to where the gap is."""
    if not code.strip() or facts["name"] in defined(code):
        return code
    first = facts["middle"].split("\n")[0]
    indent = first[: len(first) - len(first.lstrip())]
    parts = [facts["before"], code, facts["after"]]
    moved = textwrap.indent(textwrap.dedent(code), indent)
    bare = indent + code  # where only the first line has lost its indentation
    for middle in (code, moved, bare):
        filled = "\n".join(part for part in (parts[0], middle, parts[2]) if part)
        if facts["name"] in defined(filled):
            return filled
    return "\n".join(part for part in parts if part)


FILL_MIDDLE = Task("fill_middle", "code", 3, sample, solve, verify, needs_sandbox=True)
