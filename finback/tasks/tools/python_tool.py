"""How does a model learn to let Python work things out? Questions that one expression answers.

Levels: 1 a text or a number, 2 a list (which elements, and what of them), 3 two questions at once or none that needs
Python, 4 the next turn, or code put right after an error. Held out: operations, and pairs of which and what.
"""

from __future__ import annotations

import ast
import random
import re
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, user
from finback.tasks.sandbox import Session
from finback.tasks.tools.calls import (
    Call,
    answering,
    asking,
    calls_before,
    has_word,
    judge,
    results,
    system,
    tool,
    words_of,
    wrong_numbers,
)
from finback.tasks.tools.direct import direct_question
from finback.tasks.tools.python_questions import PAIRS, PAIRS_HELD_OUT, SINGLE, SINGLE_HELD_OUT, WHAT, WHICH

TOOL = tool(
    "python", "Run Python code. Gives what it prints and the value of its last line.", {"code": {"type": "string"}}
)
LONGEST_RESULT = 2000
TWO = ("{} {}", "{} Then: {}", "I have two questions. {} {}", "First: {} Second: {}")


def value_of(code: str) -> str:
    """What a session shows for code of our own that ends in an expression."""
    tree = ast.parse(code)
    last = tree.body.pop()
    variables: dict[str, Any] = {}
    exec(compile(tree, "<own>", "exec"), variables)  # made from the tables above, not by a model
    return repr(eval(compile(ast.Expression(last.value), "<own>", "eval"), variables))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Question:
    """plan: the code with names in the place of its text, numbers or list, and what they stand for."""

    words: str
    code: str
    plan: str
    given: str
    kind: str


def _single(rng: random.Random, held_out: bool) -> Question:
    operation = rng.choice(SINGLE_HELD_OUT if held_out else SINGLE)
    values = operation.draw(rng)
    plan = operation.code.splitlines()[-1].replace("'{w}'", "w").format(**values | {"n": "n", "m": "m"})
    given = " ; ".join(f"{k} = {v}" for k, v in values.items() if f"{{{k}}}" in operation.code and k != "c")
    return Question(
        rng.choice(operation.ask).format(**values), operation.code.format(**values), plan, given, operation.code
    )


def _listed(rng: random.Random, held_out: bool) -> Question:
    which, what = rng.choice(sorted(PAIRS_HELD_OUT) if held_out else PAIRS)
    xs = [rng.randint(1, 99) for _ in range(rng.randint(4, 8))]
    words, test = WHICH[which]
    k, d = rng.randint(20, 70), rng.choice((3, 4, 5, 6))
    values = {"k": k, "d": d}
    test = test.format(**values)
    if value_of(f"[x for x in {xs}{test}]") == "[]":  # one that fits is put in
        fitting = {"even": 48, "odd": 37, "greater": 88, "less": 7, "multiples": 60, "not multiples": 71,
                   "at least": 88, "even above": 88, "odd below": 7, "ending": 20 + d}  # fmt: skip
        xs[rng.randrange(len(xs))] = fitting[which]
    ask, code = WHAT[what]
    asked = ask.format(which=words.format(**values), xs=xs)
    return Question(
        asked, code.format(xs=xs, test=test), code.format(xs="xs", test=test), f"xs = {xs}", f"{what} of {which}"
    )


def _question(rng: random.Random, held_out: bool) -> Question:
    return (_listed if rng.random() < 0.5 else _single)(rng, held_out)


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    messages: list[Message] = [system([TOOL])]
    if level <= 2:
        asked = (_single if level == 1 else _listed)(rng, held_out)
        return _problem([*messages, *user(asked.words)], [asked], asked.kind)
    if level == 3:
        if rng.random() < 0.2 and not held_out:
            words, answer, turn = direct_question(rng)
            return Problem("no tool", f"direct {words}", [*messages, *user(words)], {"direct": answer, "word": turn})
        both = [_question(rng, held_out) for _ in range(2)]
        return _problem([*messages, *user(rng.choice(TWO).format(*(q.words for q in both)))], both, "2 at once")
    asked = _question(rng, held_out)
    if rng.random() < 0.5:
        broken, error = _break(rng, asked.code)
        history = [*user(asked.words), asking([("python", {"code": broken})], 1), *results([error], 1)]
        return _problem([*messages, *history], [asked], f"after an error {asked.kind}")
    before = _question(rng, False)
    shown = value_of(before.code)
    history = [
        *user(before.words),
        asking([("python", {"code": before.code})], 1),
        *results([shown], 1),
        answering(_sentence([shown]), "none", ""),
    ]
    return _problem([*messages, *history, *user(asked.words)], [asked], f"next turn {asked.kind}")


def _break(rng: random.Random, code: str) -> tuple[str, str]:
    """Code with a slip, and the error that a session gives for it."""
    if code.startswith("import math\n"):
        return code.removeprefix("import math\n"), "Error: line 1: NameError: name 'math' is not defined"
    if code.endswith(")") and rng.random() < 0.5:
        return code[:-1], "Error: line 1: SyntaxError: '(' was never closed"
    return f"answer = {code}\nprint(anser)", "Error: line 2: NameError: name 'anser' is not defined"


def _problem(messages: list[Message], asked: list[Question], kind: str) -> Problem:
    codes = [q.code for q in asked]
    facts = {
        "codes": codes,
        "answers": [value_of(c) for c in codes],
        "plans": [q.plan for q in asked],
        "given": [q.given for q in asked],
    }
    return Problem(kind, " ; ".join(codes), messages, facts)


def _plain(value: str) -> str:
    """A value as an answer says it: texts without quotes, yes and no."""
    return {"True": "yes", "False": "no"}.get(value, value.strip("'"))


def _sentence(values: list[str]) -> str:
    said = [_plain(v) for v in values]
    return f"The answer is {said[0]}." if len(said) == 1 else f"The answers are {' and '.join(said)}."


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    if "direct" in problem.facts:
        thoughts = "This needs no code." + (" No tool fits, so I answer." if effort == "max" else "")
        return [answering(problem.facts["direct"], effort, thoughts)]
    codes, values = problem.facts["codes"], problem.facts["answers"]
    first = calls_before(problem.messages) + 1
    thoughts = "Plan: " + " ; ".join(problem.facts["plans"])
    if problem.messages[-1]["role"] == "tool":
        thoughts = f"{problem.messages[-1]['content'].split(':')[2].strip()}: I correct the code. {thoughts}"
    thoughts += "\nWith " + " ; ".join(problem.facts["given"])
    after = f"Result: {' ; '.join(values)}."
    if effort == "max":
        after += "\nIt answers the question: " + " and ".join(map(_plain, values)) + "."
    return [
        asking([("python", {"code": c}) for c in codes], first, "" if effort == "none" else thoughts),
        *results(values, first),
        answering(_sentence(values), effort, after),
    ]


def act(problem: Problem, name: str, arguments: dict[str, Any], box: Any) -> str:
    """Runs the code in `box`: a session keeps its variables for the conversation's next call, a sandbox does not."""
    code = arguments.get("code")
    if name != "python" or not isinstance(code, str):
        return "Error: there is only python(code)"
    with nullcontext(box) if isinstance(box, Session) else box.session() as session:
        outcome = session.run(code)
    shown = outcome.output.strip()[:LONGEST_RESULT]
    if outcome.status != "ok":
        return "\n".join(filter(None, (shown, f"Error: {outcome.error}")))
    return shown or "(no output)"


def verify(problem: Problem, replies: list[Message], box: Any) -> Verdict:
    def find(content: str, calls: list[Call]) -> str:
        if "direct" in problem.facts:
            if calls:
                return "a tool was called where none fits"
            return (
                "" if has_word(content, problem.facts["word"]) else f"the answer does not say {problem.facts['word']}"
            )
        values = problem.facts["answers"]
        known = " ".join([words_of(problem), *problem.facts["codes"]])
        texts = [v.strip("'") for v in values if v.startswith("'") and not _digits(v)]  # "3b2" says no number
        without = re.sub("|".join(map(re.escape, texts)), " ", content) if texts else content
        if why := wrong_numbers(without, [n for v in values for n in _digits(v)], known):
            return why
        rest = content
        for value in values:
            said = _plain(value)
            if said in ("yes", "no"):
                if not has_word(rest, said) or has_word(content, "no" if said == "yes" else "yes") and len(values) == 1:
                    return f"the answer does not say {said}"
            elif value.startswith("'"):
                if not (found := re.search(_spoken(said), rest)):
                    return f"the answer does not say {said}"
                rest = rest[found.end() :]
        return ""

    return judge(problem, replies, find)


def _spoken(said: str) -> str:
    """The pattern of a text in an answer. A letter alone may also be a word ("a", "I"): it stands in quotes or ends what
    is said. A number in another base may have its sign ("0x1f4")."""
    if len(said) == 1:
        return rf"(?:[\"'`:,]|\b(?:is|are|and)) ?{re.escape(said)}(?=\s*[\"'`.,!*]|\s+and\b|\s*$)|^{re.escape(said)}(?!\s*\w)"
    return rf"(?<!\w)(?:0[xob])?{re.escape(said)}(?!\w)"


def _digits(value: str) -> list[str]:
    """The numbers of a value, in order: of a list its elements."""
    if value.startswith("["):
        return [n.strip() for n in value[1:-1].split(",") if n.strip()]
    return [value.strip("'")] if value.strip("'").isdigit() else []


PYTHON_TOOL = Task("python_tool", "tools", 4, sample, solve, verify, act, needs_sandbox=True)
