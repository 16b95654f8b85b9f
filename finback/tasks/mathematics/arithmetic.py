"""Sums without a story: which are asked at each level, and how are they worked?

Level 1: one operation on small numbers. 2: up to three digits. 3: up to four digits, comparisons. 4: money, two-digit
factors and divisors. 5: chains with brackets. 6: longer chains, percentages and fractions of numbers.
Held out: shapes (an operation with its numbers of digits, the brackets of a chain) and wordings.
"""

from __future__ import annotations

import random
import re
from decimal import Decimal
from fractions import Fraction
from zlib import crc32

from finback.tasks.mathematics import scratch
from finback.tasks.mathematics.answers import last_number, verify_number
from finback.tasks.mathematics.grammar import say
from finback.tasks.mathematics.scratch import OPERATIONS, Number, show
from finback.tasks.mathematics.steps import check, step, thoughts, value_of
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

# Numbers of digits of the operands, by operation and level; those with a star are held out.
SHAPES = {
    1: {"+": "11 21 12 22", "-": "21 22 11", "*": "11", "/": "11 21"},
    2: {"+": "32 23 22 33 31*", "-": "32 33 22 31*", "*": "21 12 21", "/": "21 31"},
    3: {"+": "43 44 34 41 24*", "-": "43 44 41 42*", "*": "31 22 13 22", "/": "31 21 41*"},
    4: {"+": "44 43 55*", "-": "44 43 55*", "*": "32 41 22 42 23*", "/": "32 22 41 42*"},
}
NAMES = {"+": "sum", "-": "difference", "*": "product", "/": "quotient"}
WORDINGS = {
    "": """What is {e}?
[Calculate|Compute|Work out|Find|Evaluate|Solve][:|] {e}[.|]
{e}[ = ?|=|= |= ?|]
[How much is|What's|what is] {e}?
[Please calculate|Can you calculate|Can you work out|Tell me] {e}[.|?]
[What does {e} equal?|What is the value of {e}?|What is the result of {e}?|Find the value of {e}.]
Q: [What is |]{e}[?|]
Question: What is {e}?[|\\nAnswer:]""",
    "+": """[What is|Find|Calculate] the sum of {a} and {b}[?|.]
[What is|How much is|What's] {a} plus {b}?
Add {a} and {b}.
[What do you get|What is the result] when you add {b} to {a}?""",
    "-": """[What is|Find] the difference [between|of] {a} and {b}[?|.]
[What is|How much is|What's] {a} minus {b}?
[Subtract|Take] {b} from {a}.
[How much is left|What is left|What remains] when {b} is taken from {a}?""",
    "*": """[What is|Find|Calculate] the product of {a} and {b}[?|.]
[What is|How much is|What's] {a} times {b}?
Multiply {a} by {b}.
What do you get when you multiply {a} and {b}?""",
    "/": """[What is|How much is|What's] {a} divided by {b}?
Divide {a} by {b}.
[How many times does {b} go into {a}?|What is the quotient of {a} and {b}?]""",
}
HELD_OUT = {
    "": "I have to know what {e} comes to.\nGive me the answer to {e}, please.",
    "+": "If I put {a} and {b} together, what number do I have?",
    "-": "From {a}, {b} is removed. Which number stays?",
    "*": "Which number is {b} lots of {a}?",
    "/": "Split {a} into {b} equal parts. How large is a part?",
}
CHINESE = {
    "": "{e}等于多少？\n计算：{e}\n[请算一算|算一算|求]：{e}\n{e}=？\n{e}[的结果|]是多少？\n{e}[=|= ]",
    "+": "{a}加{b}[等于|是]多少？\n{a}与{b}的和是多少？",
    "-": "{a}减{b}[等于|是]多少？\n{a}比{b}多多少？",
    "*": "{a}乘{b}[等于|是]多少？\n{b}个{a}是多少？",
    "/": "{a}除以{b}[等于|是]多少？\n把{a}平均分成{b}份，每份是多少？",
}
COMPARE = """Which is [larger|bigger|greater], {a} or {b}?
Which number is [greater|larger]: {a} or {b}?
What is the [larger|greater] of {a} and {b}?"""
REMAINDER = """What is {a} divided by {b}, with remainder?
Divide {a} by {b} and give the quotient and the remainder.
{a} [divided by|÷] {b}: quotient and remainder?"""


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    if level >= 5:
        return chain_problem(rng, level, held_out)
    if level >= 3 and rng.random() < 0.1:
        return comparison(rng, level, held_out)
    if level == 4 and rng.random() < 0.4:
        sign, a, b = money(rng, held_out)
        new_shape = held_out
    else:
        sign, a, b = operands(rng, level, held_out)
        new_shape = held_out and f"{len(str(a))}{len(str(b))}*" in SHAPES[level][sign]
    value = OPERATIONS[sign](a, b)
    facts = {"chain": [show(a), sign, show(b)], "answer": show(value.value)}
    if value.rest:
        facts |= {"answer": f"{value.value} remainder {value.rest}", "rest": value.rest}
    # what is held out differs from training in its shape or in its wording, seldom in both
    return posed(rng, f"{sign} {len(str(a))}x{len(str(b))}", facts, held_out and not (new_shape and rng.random() < 0.7))


def operands(rng: random.Random, level: int, held_out: bool) -> tuple[str, int, int]:
    while True:
        sign = rng.choice("+-*/")
        every = SHAPES[level][sign]
        shapes = [shape for shape in every.split() if shape.endswith("*") == held_out] or every.split()
        m, n = map(int, rng.choice(shapes)[:2])
        a, b = number(rng, m), number(rng, n)
        if sign == "-" and a < b:
            a, b = b, a
        if sign == "/":
            b = max(2, b)
            if level == 1:
                a = b * rng.randint(1, 9)
            elif rng.random() < 0.6:
                a -= a % b
            if a < b:
                continue
        return sign, a, b


def number(rng: random.Random, digits: int) -> int:
    n = rng.randint(10 ** (digits - 1) if digits > 1 else 0, 10**digits - 1)
    return n - n % 10 if digits > 1 and rng.random() < 0.1 else n


def money(rng: random.Random, held_out: bool) -> tuple[str, Decimal, Number]:
    top = 20_000 if held_out else 10_000
    a = Decimal(rng.randint(10_000 if held_out else 5, top)).scaleb(-2)
    sign = rng.choice("+-*/")
    if sign == "*":
        return sign, a, rng.randint(2, 12)
    if sign == "/":
        b = rng.randint(2, 9)
        return sign, a * b, b
    b = Decimal(rng.randint(5, top)).scaleb(-2)
    return sign, *((max(a, b), min(a, b)) if sign == "-" else (a, b))  # type: ignore[return-value]


def posed(rng: random.Random, kind: str, facts: dict, new_wording: bool) -> Problem:
    """A chain of one operation in words or signs."""
    a, sign, b = facts["chain"]
    key = f"{sign} {' '.join(sorted((a, b)) if sign in '+*' else (a, b))}"
    if rng.random() < 0.15 and not new_wording and "rest" not in facts:
        facts["language"] = "zh"
        pool = CHINESE
    else:
        pool = HELD_OUT if new_wording else WORDINGS
    if facts.get("rest"):
        lines = REMAINDER.splitlines()
    else:
        lines = pool["" if rng.random() < 0.6 else sign].splitlines()
    text = say(rng, rng.choice(lines)).replace("\\n", "\n")
    return Problem(kind, key, user(text.format(e=expression(rng, facts["chain"]), a=a, b=b)), facts)


def expression(rng: random.Random, chain: list[str]) -> str:
    """A chain with one of the usual signs, with or without spaces."""
    signs = {"*": rng.choice("×*x×"), "/": rng.choice("÷/"), "-": "-", "+": "+"}
    spaced = signs["*"] == "x" or rng.random() < 0.7
    text = " ".join(signs.get(c, c) for c in chain) if spaced else "".join(signs.get(c, c) for c in chain)
    return text.replace("( ", "(").replace(" )", ")")


def comparison(rng: random.Random, level: int, held_out: bool) -> Problem:
    digits = rng.randint(2, 4) + held_out
    a = number(rng, digits)
    b = number(rng, digits + rng.choice((0, 0, -1)))
    if rng.random() < 0.6:  # the same but for one digit
        b = max(0, a + rng.choice((-1, 1)) * 10 ** rng.randint(0, digits - 1) * rng.randint(1, 4))
    if level == 4:
        a, b = Decimal(a).scaleb(-2), Decimal(b).scaleb(-rng.choice((1, 2)))
    if a == b:
        b = a + 1
    text = say(rng, rng.choice(COMPARE.splitlines())).format(a=show(a), b=show(b))
    facts = {"compare": [show(a), show(b)], "answer": show(max(a, b))}
    return Problem("compare", f"? {min(a, b)} {max(a, b)}", user(text), facts)


def chain_problem(rng: random.Random, level: int, held_out: bool) -> Problem:
    if level == 6 and rng.random() < 0.3:
        return part_of(rng, held_out)
    while True:
        size = rng.randint(2, 3) if level == 5 else rng.randint(3, 5)
        tree = grow(rng, size, 12 if level == 5 else 40)
        chain = flatten(tree)
        shape = "".join("n" if c.isdigit() else c for c in chain)
        if (crc32(shape.encode()) % 6 == 0) != held_out:
            continue
        states = reduce(chain)
        if states is None or any(len(c) > 4 for line, _ in states for c in line):
            continue
        answer = states[-1][0][0]
        zh = rng.random() < 0.15
        pool = CHINESE[""] if zh else WORDINGS[""]
        text = say(rng, rng.choice(pool.splitlines())).replace("\\n", "\n").replace("{e}", expression(rng, chain))
        facts = {"chain": chain, "answer": answer, "language": "zh" if zh else "en"}
        return Problem(f"chain {shape}", " ".join(chain), user(text), facts)


def grow(rng: random.Random, size: int, top: int):
    """A random tree of `size` operations."""
    if size == 0:
        return str(rng.randint(2, top))
    left = rng.randint(0, size - 1)
    return (rng.choice("++---**/"), grow(rng, left, top), grow(rng, size - 1 - left, top))


def flatten(tree, parent: str = "", right: bool = False) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    sign, a, b = tree
    inner = [*flatten(a, sign), sign, *flatten(b, sign, True)]
    loose = sign in "+-"
    if (parent in ("*", "/") and loose) or (right and parent in ("-", "/", "*")) or (right and parent == "+" and sign == "-"):
        return ["(", *inner, ")"]
    return inner


def reduce(chain: list[str]) -> list[tuple[list[str], str]] | None:
    """The states of a chain, each with the equation that led to it; None if one is negative or comes out uneven."""
    states = [(chain, "")]
    while len(chain) > 1:
        low, high = 0, len(chain)
        if ")" in chain:
            high = chain.index(")")
            low = max(i for i in range(high) if chain[i] == "(") + 1
        at = next((i for i in range(low, high) if chain[i] in "*/"), low + 1)
        a, sign, b = chain[at - 1], chain[at], chain[at + 1]
        if (sign == "-" and int(a) < int(b)) or (sign == "/" and (b == "0" or int(a) % int(b))):
            return None
        done = OPERATIONS[sign](int(a), int(b))
        chain = [*chain[: at - 1], show(done.value), *chain[at + 2 :]]
        if high - low == 3 and low:
            chain = [*chain[: low - 1], show(done.value), *chain[low + 2 :]]
        states.append((chain, done.text))
    return states


def part_of(rng: random.Random, held_out: bool) -> Problem:
    """A percentage or a fraction of a number."""
    if rng.random() < 0.5:
        p = rng.choice((15, 35, 45, 60, 85)) if held_out else rng.choice((5, 10, 20, 25, 30, 40, 50, 70, 75, 80, 90))
        a = rng.randint(1, 60) * 20
        text = say(rng, "[What is|Find|Calculate|How much is] {p}% of {a}[?|.]").format(p=p, a=a)
        steps = [step(f"{p}% of {a}", a, "*", p, "/", 100)]
        key = f"% {p} {a}"
    else:
        k = rng.choice((7, 9)) if held_out else rng.choice((2, 3, 4, 5, 6, 8, 10))
        m = rng.randint(1, k - 1)
        a = k * rng.randint(2, 60)
        text = say(rng, "[What is|Find|Calculate|How much is] {m}/{k} of {a}[?|.]").format(m=m, k=k, a=a)
        steps = [step(f"{m}/{k} of {a}", a, "/", k, "*", m)]
        key = f"/ {m} {k} {a}"
    return Problem("part of", key, user(text), {"steps": steps, "answer": show(value_of(steps[0]))})


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    facts = problem.facts
    content = f"答案是{facts['answer']}。" if facts.get("language") == "zh" else f"The answer is {facts['answer']}."
    if effort == "none":
        return [assistant(content)]
    return [assistant(content, "\n".join(lines(facts, effort)))]


def lines(facts: dict, effort: Effort) -> list[str]:
    if "compare" in facts:
        a, b = facts["compare"]
        steps, sign = scratch.compare(Decimal(a), Decimal(b))
        made = [steps, f"{a}{sign}{b}"]
        less = scratch.subtract(Decimal(facts["answer"]), min(Decimal(a), Decimal(b)))
        return [*made, f"check: {less.text} ok, {facts['answer']}"] if effort == "max" else made
    if "steps" in facts:
        return thoughts(facts["steps"], effort).splitlines()
    chain, chinese = facts["chain"], facts.get("language") == "zh"
    if len(chain) == 3:
        a, sign, b = chain
        made = [OPERATIONS[sign](Decimal(a), Decimal(b)).text]
        last = step("", a, sign, b, rounding="down" if facts.get("rest") else "")
        return [*made, check(last, chinese)] if effort == "max" else made
    states = reduce(chain)
    assert states is not None
    made = ["".join(chain)]
    for state, equation in states[1:]:
        made.append(equation)
        if len(state) > 3:  # a state of one operation is the next equation
            made.append("".join(state))
    if effort == "max":
        last = states[-2][0]
        made.append(check(step("", *last), chinese))
    return made


def verify(problem: Problem, replies: list[Message], box: object) -> Verdict:
    content = answer_of(replies)
    facts = problem.facts
    if not facts.get("rest"):
        return verify_number(content, facts["answer"])
    a, _, b = facts["chain"]
    whole, rest = divmod(int(a), int(b))
    found = [int(n) for n in re.findall(r"\d{1,30}", content[-2000:].replace(",", ""))]
    if found[-2:] == [whole, rest] or last_number(content) == Fraction(int(a), int(b)):
        return Verdict(True)
    return Verdict(False, f"the answer is {whole} remainder {rest}")


ARITHMETIC = Task("arithmetic", "mathematics", 6, sample, solve, verify)
