"""A function with one mistake, and a call on which it shows: how is the right function found?

The thoughts say what the function should do, name the line and what is wrong with it, and how it has to be. At effort max
they run the wrong code on the failing call before that, and try the repaired code on it.
"""

from __future__ import annotations

import random
from typing import Any

from finback.tasks.code.frames import CHINESE, call_text, purpose
from finback.tasks.code.functions import Function, afresh, draw_function, short_run
from finback.tasks.code.mutate import Mutation, draw_mutation
from finback.tasks.code.trace import TooLong, define, limited
from finback.tasks.code.verify import extract_code, verify_program
from finback.tasks.code.wording import fill, say
from finback.tasks.code.writing import fenced, values
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

TRIES = 8
FRAMES = (
    "This function (should|is meant to|is supposed to) $what(.|, but it is wrong.|, but it has a bug.)\n"
    "$code\n$fails (Fix it.|Find and fix the bug.|Correct it.|Write the right function.)|"
    "(Find|Fix|Correct|Repair) the (bug|mistake|error) in this (function|code)(.|:)\n$code\nIt should $what. $fails|"
    "$code\n(What is wrong here?|There is a bug in this.|My function does not work.) It should $what. $fails|"
    "(Debug this|Please fix this): $what.\n$code\n$fails"
)
CHINESE_FRAMES = (
    "(找出并修复|修复|改正)(这个|下面)函数的错误。它应该：$what。\n$code\n$fails|"
    "(这个|下面的)函数有错：\n$code\n它应该：$what。$fails"
)
FAILS = (
    "$call (gives|returns) $got( instead of| but should give|, not) $want.|"
    "(For example, |For instance, |)$call should (be|give|return) $want, but (is|it gives|it returns) $got.|"
    "(Expected|Right): $call == $want. (Got|Actual): $got."
)


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    while True:
        f = draw_function(rng, level, held_out)
        for bug in draw_mutation(rng, f.code)[:TRIES]:
            failing = failing_case(f, bug)
            if failing:
                return posed(rng, f, bug, *failing)


def failing_case(f: Function, bug: Mutation) -> tuple[list[Any], Any, str] | None:
    """Arguments on which the mistake shows, the right result, and what comes instead; None if none or it never ends."""
    try:
        wrong = define(bug.code, f.name)
    except (SyntaxError, KeyError):
        return None
    for args, result in f.cases:
        try:
            got = repr(limited(wrong, afresh(args), 400))
        except TooLong:
            return None
        except RecursionError:
            return None
        except Exception as error:
            got = f"an error ({type(error).__name__})"
        if got != repr(result) and len(got) < 80:
            return args, result, got
    return None


def posed(rng: random.Random, f: Function, bug: Mutation, args: list[Any], result: Any, got: str) -> Problem:
    lines = bug.code.split("\n")
    right = f.code.split("\n")
    parts = {"call": call_text(f.name, args), "want": repr(result), "got": got}
    chinese = rng.random() < CHINESE and not f.new_words
    what = purpose(rng, f.pipeline, f.new_words, chinese)
    fails = fill(say(rng, FAILS), **parts)
    text = fill(say(rng, CHINESE_FRAMES if chinese else FRAMES, f.new_words), what=what, code=fenced(bug.code),
        fails=fails)
    after = short_run(f.code, f.name, args)
    failing = values(f.pipeline.args, args)
    was, now = lines[bug.line - 1], right[bug.line - 1]
    if was.strip() != now.strip():  # or the mistake is the indentation
        was, now = was.strip(), now.strip()
    facts = {
        "name": f.name,
        "code": f.code,
        "steps": f.steps,
        "given": failing,
        "wrong_run": short_run(bug.code, f.name, args) or [],
        "got": got,
        "want": repr(result),
        "line": bug.line,
        "why": bug.why,
        "was": was,
        "now": now,
        "run": after or [f"return {result!r}"],
        "tests": f.tests,
    }
    key = f"{f.key} | {bug.line} {bug.why}"
    return Problem(f"{bug.why} in {f.kind}", key, user(text), facts)


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    facts = problem.facts
    rows = [f"It should: {', then '.join(facts['steps'])}."]
    if effort == "max":
        rows += [f"As it is, {facts['given']}:", *(facts["wrong_run"] or [f"gives {facts['got']}"]), f"but {facts['want']} is asked for."]
    rows += [f"Line {facts['line']}, {facts['why']}:", facts["was"], "has to be:", facts["now"]]
    if effort == "max":
        rows += [f"Try {facts['given']}:", *facts["run"], "as asked", f"So line {facts['line']} has to be:", facts["now"]]
    return [assistant(fenced(facts["code"]), "" if effort == "none" else "\n".join(rows))]


def verify(problem: Problem, replies: list[Message], box: object) -> Verdict:
    return verify_program(extract_code(answer_of(replies)), problem.facts["tests"], box, problem.facts["name"])


FIX_BUG = Task("fix_bug", "code", 3, sample, solve, verify, needs_sandbox=True)
