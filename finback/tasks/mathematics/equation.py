"""Which linear equations are posed at each level, and how are they solved step by step?

Level 1: one operation. 2: two. 3: brackets, or the unknown on both sides. 4: both, like terms, negative solutions.
5: two unknowns, by adding or putting in. 6: two unknowns in general. Held out: wordings, and forms of equations whose
single steps (sides exchanged, a difference moved over) other forms show.
"""

from __future__ import annotations

import random
import re
from decimal import Decimal

from finback.tasks.mathematics import scratch
from finback.tasks.mathematics.answers import verify_number
from finback.tasks.mathematics.grammar import say
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

# A side is a list of terms: (number, "x"), (number, ""), or (number, [terms]) for a bracket; "x/" divides the unknown.
# Letters stand for numbers drawn positive; each form: left side, right side. A star: held out.
FORMS = {
    1: ["x+a=r", "a+x=r", "x-a=r", "ax=r", "x/a=r", "a-x=r", "r=x+a", "r=a+x", "r=a-x", "r=ax", "r=x/a", "*r=x-a"],
    2: ["ax+b=r", "ax-b=r", "b+ax=r", "x/a+b=r", "b-ax=r", "r=ax+b", "r=b+ax", "r=b-ax", "r=x/a+b", "*x/a-b=r", "*r=ax-b"],
    3: ["a(x+b)=r", "ax+b=cx+r", "a(x-b)=r", "ax=cx+r", "r=a(x-b)", "cx+r=ax+b", "ax-b=r+cx", "cx+r=ax-b", "cx+r=ax",
        "*b+ax=cx+r", "*r=a(x+b)", "*r+cx=ax+b"],
    4: ["ax+cx+b=r", "a(x+b)=cx+r", "ax+b-cx=r", "a(x+b)+c=r", "ax+b+cx=r", "ax-b+cx=r", "r=ax+cx+b", "cx+r=a(x+b)",
        "a(x-b)+c=r", "cx+r=a(x-b)", "r=a(x+b)+c", "ax-cx+b=r",
        "*a(x+b)-c=r", "*ax-cx-b=r", "*b+ax+cx=r"],
}
SYSTEMS = {
    5: ["x+y=r;x-y=s", "y=ax+b;x+y=s", "y=ax;x+y=s", "x=y+b;x+y=s", "y=ax-b;y-x=s", "y=ax+b;y-x=s",
        "*y=ax-b;x+y=s", "*y=ax;y-x=s"],
    6: ["ax+by=r;cx+dy=s", "ax+by=r;cx-dy=s", "x+by=r;cx+dy=s", "ax-by=r;cx-dy=s", "ax+by=r;cx+y=s",
        "*ax-by=r;cx+dy=s", "*ax+y=r;cx-dy=s"],
}
WORDINGS = """Solve for {v}: {e}
Solve {e}[ for {v}|].
[Solve the equation|Find {v} in|Find the solution of] {e}[.|]
If {e}, what is {v}?
If {e}, [find {v}.|then what is the value of {v}?|how large is {v}?]
{e}. [What is|Find] {v}[?|.]
[What is the value of {v} if|For which {v} is] {e}?
{e}, {v} = ?
Given {e}, find {v}.
Find {v}: {e}
[Which|What] value of {v} [solves|satisfies|fits] {e}?
What number does {v} stand for in {e}?
{v} is a number with {e}. [Which one|What is it]?
Let {e}. [Say|Give|Name|Work out] {v}.
[I know that|It is true that|Suppose] {e}. How much is {v}?
[Say|Give] {v} where {e}.
Make {e} true: {v} = ?"""
PAIRS = """Solve: {e}
[Find|Solve for] {v}: {e}
If {e}, what are {v}?
Solve the system {e}.
Find {v} if {e}.
[Given|Let] {e}. Find {v}."""
HELD_OUT = """Which number must {v} be so that {e}?
Tell me {v} when {e} holds."""
CHINESE = """解方程：{e}
[求{v}的值|求{v}]：{e}
如果{e}，那么{v}等于多少？
方程{e}的解是多少？
{e}，{v}=？"""
WORDS = {
    "x+a=r": "[A number|Some number] plus {a} [is|equals|gives] {r}. [What is the number?|Find the number.]\nIf you add {a} to a number, you get {r}. What is the number?\nI think of a number and add {a}. The result is {r}. What is my number?\n{a} more than a number is {r}. What is the number?",
    "x-a=r": "[A number|Some number] minus {a} [is|equals|gives] {r}. [What is the number?|Find the number.]\nIf you take {a} from a number, {r} is left. What is the number?\n{a} less than a number is {r}. Find the number.",
    "ax=r": "{a} times a number is {r}. [What is the number?|Find the number.]\nIf a number is multiplied by {a}, the result is {r}. What is the number?\nI think of a number and multiply it by {a}. I get {r}. What is my number?",
    "x/a=r": "A number divided by {a} [is|equals] {r}. [What is the number?|Find the number.]\nWhen I divide a number by {a}, I get {r}. What is the number?",
    "ax+b=r": "{a} times a number plus {b} [is|equals] {r}. [What is the number?|Find the number.]\nI multiply a number by {a} and add {b}. The result is {r}. What is the number?\n{b} more than {a} times a number is {r}. What is the number?",
    "ax-b=r": "{a} times a number minus {b} [is|equals] {r}. [What is the number?|Find the number.]\n{b} less than {a} times a number is {r}. Find the number.\nI multiply a number by {a} and take away {b}. I get {r}. What is the number?",
    "x/a+b=r": "A number is divided by {a}, and {b} is added. The result is {r}. What is the number?",
    "a(x+b)=r": "I add {b} to a number and multiply the sum by {a}. The result is {r}. What is the number?",
    "x+y=r;x-y=s": "The sum of two numbers is {r} and their difference is {s}. What are the numbers?\nTwo numbers add up to {r}. The larger is {s} more than the smaller. Find both.",
    "y=ax;x+y=s": "One number is {a} times another. Together they make {s}. What are the two numbers, the smaller first?",
}
WORDS_ZH = {
    "x+a=r": "一个数加上{a}等于{r}，这个数是多少？\n什么数加{a}得{r}？",
    "x-a=r": "一个数减去{a}等于{r}，这个数是多少？",
    "ax=r": "一个数的{a}倍是{r}，这个数是多少？",
    "x/a=r": "一个数除以{a}等于{r}，这个数是多少？",
    "ax+b=r": "一个数的{a}倍加上{b}等于{r}，这个数是多少？\n比一个数的{a}倍多{b}的数是{r}，求这个数。",
    "ax-b=r": "一个数的{a}倍减去{b}等于{r}，这个数是多少？",
}
LETTERS = "xxxxxynmatkpz"


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    pool = FORMS.get(level) or SYSTEMS[level]
    form = rng.choice([f for f in pool if f.startswith("*") == held_out]).strip("*")
    while True:
        top = 9 if level in (2, 4) else 6
        values = {"a": rng.randint(2, top), "b": rng.randint(1, 20), "c": rng.randint(2, top), "d": rng.randint(2, top)}
        x, y = rng.randint(1, 12), rng.randint(1, 12)
        if level == 1:
            values["a"] = rng.randint(2, 9) if form in ("ax=r", "x/a=r", "r=ax") else rng.randint(2, 80)
            x = rng.randint(1, 60)
        elif level == 2:
            x = rng.randint(1, 30)
        elif level == 4 and rng.random() < 0.3:
            x = -x
        elif level == 6:
            values["b"] = rng.randint(2, 6)
        if "x/" in form:
            x = abs(x) * values["a"]
        made = fit(form, values, x, y)
        if made:
            break
    facts = {"form": form, "values": made, "x": x}
    if level >= 5:
        facts["y"] = y
    if held_out:
        text = pose(rng, HELD_OUT if rng.random() < 0.3 else WORDINGS, facts)
    elif form in WORDS and rng.random() < 0.35:
        facts["letter"] = "x"
        text = say(rng, rng.choice(WORDS[form].splitlines()))
        if form in WORDS_ZH and rng.random() < 0.25:
            facts["language"] = "zh"
            text = rng.choice(WORDS_ZH[form].splitlines())
        text = text.format(**made)
    elif level < 5 and rng.random() < 0.16:
        facts["language"] = "zh"
        text = pose(rng, CHINESE, facts)
    else:
        text = pose(rng, WORDINGS, facts)
    return Problem(form, f"{form} {made} {x} {facts.get('y', '')}", user(text), facts)


def fit(form: str, values: dict[str, int], x: int, y: int) -> dict[str, int] | None:
    """The numbers of a form with the solution x, y; None if one is not a whole number above zero."""
    found = dict(values)
    for name, equation in zip("rs", form.split(";"), strict=False):
        if name not in equation:
            name = next((n for n in "rs" if n in equation), "")
        left, right = (side_value(side, found, x, y, name) for side in equation.split("="))
        if not name:  # y=ax+b and the like: the numbers must already agree
            continue
        found[name] = right[0] - left[0] if left[1] else left[0] - right[0]
    if form.startswith("y=") or form.startswith("x="):
        return None if not solvable(form, found, x, y) else {k: v for k, v in found.items() if k in form}
    used = {k: v for k, v in found.items() if k in form}
    if any(v < 1 for v in used.values()) or ("cx" in form and "y" not in form and used["a"] <= used["c"]):
        return None
    if "y" in form and "cx" in form:
        a, b, d = (used.get(name, 1) for name in "abd")
        if a * d == b * used["c"]:
            return None
    return used


def side_value(side: str, values: dict[str, int], x: int, y: int, unknown: str) -> tuple[int, bool]:
    """What a side comes to without the number still to be found, and whether that number stands in it."""
    text = side.replace("x/a", f"({x}//{values.get('a')})")
    has = bool(unknown) and unknown in text
    text = text.replace(unknown, "0") if unknown else text
    text = re.sub(r"([abcd])(?=[xy(])", r"\1*", text)
    return eval(text, {"__builtins__": {}}, {**values, "x": x, "y": y}), has


def solvable(form: str, found: dict[str, int], x: int, y: int) -> bool:
    first = form.split(";")[0]
    left, right = (side_value(side, found, x, y, "")[0] for side in first.split("="))
    return left == right and found.get("s", 1) > 0


def pose(rng: random.Random, wordings: str, facts: dict) -> str:
    letter = "x" if "y" in facts else rng.choice(LETTERS)
    facts["letter"] = letter
    spaced = rng.random() < 0.75
    e = written(facts, spaced)
    if ";" in e:
        e = e.replace(";", rng.choice((" and ", ", ", "; ")))
    v = "x and y" if "y" in facts else letter
    if "y" in facts:
        return say(rng, rng.choice(PAIRS.splitlines())).format(e=e, v=v)
    return say(rng, rng.choice(wordings.splitlines())).format(e=e, v=v)


def written(facts: dict, spaced: bool = False) -> str:
    """The equation with its numbers."""
    text = re.sub(r"[abcdrs]", lambda m: str(facts["values"].get(m[0], m[0])), facts["form"])
    text = re.sub(r"x(?!/)|x", facts["letter"], text)
    return re.sub(r"(?<=[\w)])([+\-=])", r" \1 ", text) if spaced else text


def term(number: int, letter: str) -> str:
    return f"{letter}" if number == 1 else f"-{letter}" if number == -1 else f"{number}{letter}"


def side(x: int, rest: int, letter: str) -> str:
    if not x:
        return str(rest)
    return term(x, letter) + (f"{rest:+d}" if rest else "")


def lines(facts: dict) -> list[str]:
    """The states of the equation, with the arithmetic between them."""
    values, letter = facts["values"], facts["letter"]
    if "y" in facts:
        return system(facts)
    form = facts["form"]
    made = [written(facts)]
    if "x" not in form.split("=")[0]:  # the unknown to the left, and on as any other
        form, turned_round = ("=".join(text.split("=")[::-1]) for text in (form, made[0]))
        made.append(turned_round)
    a, b, r = values.get("a", 1), values.get("b", 0), values["r"]
    if form.startswith("x/"):
        if b:
            other = scratch.subtract(r, b) if "+b" in form else scratch.add(r, b)
            made += [f"{letter}/{a}={other.text}"]
            r = int(other.value)
        return [*made, f"{letter}={scratch.multiply(r, a).text}"]
    sides = []
    for text in form.split("="):
        terms = [0, 0]
        pieces = re.findall(r"([+-]?)([a-dr]?)(x|\(x[+-]b\)|)", text)
        xs = []
        for sign, number, what in pieces:
            if not number and not what:
                continue
            n = (values[number] if number else 1) * (-1 if sign == "-" else 1)
            if what.startswith("("):
                inner = scratch.multiply(abs(n), b)
                made.append(inner.text)
                terms[0] += n
                terms[1] += n * b * (-1 if "-" in what else 1)
                xs.append(n)
            elif what == "x":
                terms[0] += n
                xs.append(n)
            else:
                terms[1] += n
        if len(xs) > 1:
            made.append(f"{term(xs[0], letter)}{'+' if xs[1] > 0 else ''}{term(xs[1], letter)}={term(sum(xs), letter)}")
        sides.append(terms)
    if "(" in form and form.endswith("+c=r") or form.endswith("-c=r"):
        c = values["c"]
        product = sides[0][1] - (c if form.endswith("+c=r") else -c)
        made.append((scratch.add(product, c) if form.endswith("+c=r") else scratch.subtract(product, c)).text)
    (p, q), (s, t) = sides
    turned = p < s  # the unknown goes to the side where it stays positive
    state = f"{side(p, q, letter)}={side(s, t, letter)}"
    if state not in made and not (turned and 0 in (p, s)):
        made.append(state)
    if turned:
        p, q, s, t = s, t, p, q
    if s and p:
        made.append(f"{term(p, letter)}{'-' if s > 0 else '+'}{term(abs(s), letter)}={term(p - s, letter)}")
    number = t
    if q:
        moved = scratch.subtract(t, q) if q > 0 and t >= 0 else scratch.add(t, -q) if t >= 0 else None
        number = t - q
        text = moved.text if moved else f"{t}{-q:+d}={number}"
        made.append(f"{term(p - s, letter)}={text}")
    elif s:
        made.append(f"{term(p - s, letter)}={number}")
    if p - s != 1:
        if number < 0:
            made.append(f"{letter}={number}/{p - s}=-[{scratch.divide(-number, p - s).text}]{-number // (p - s)}")
        else:
            made.append(f"{letter}={scratch.divide(number, p - s).text}")
    return made


def system(facts: dict) -> list[str]:
    v, x, y = facts["values"], facts["x"], facts["y"]
    first, second = written(facts).split(";")
    made = [first, second]
    form = facts["form"]
    if form == "x+y=r;x-y=s":
        total = scratch.add(v["r"], v["s"])
        half, rest = scratch.divide(total.value, 2), scratch.subtract(v["r"], x)
        return [*made, f"add: 2x={total.text}", f"x={half.text}", f"y={rest.text}"]
    if form.startswith("x="):
        less = scratch.subtract(v["s"], v["b"])
        half, more = scratch.divide(less.value, 2), scratch.add(y, v["b"])
        return [*made, f"put in x: y+{v['b']}+y={v['s']}", f"2y={less.text}", f"y={half.text}", f"x={more.text}"]
    if form.startswith("y="):
        a, b = v["a"], v.get("b", 0) * (-1 if "-b" in form else 1)
        plus = form.endswith("x+y=s")
        n = a + 1 if plus else a - 1
        inner = f"{a}x{b:+d}" if b else f"{a}x"
        made.append(f"put in y: {'x+' + inner if plus else inner + '-x'}={v['s']}")
        number = Decimal(v["s"])
        if b:
            moved = scratch.subtract(v["s"], b) if b > 0 else scratch.add(v["s"], -b)
            made.append(f"{term(n, 'x')}={moved.text}")
            number = moved.value
        else:
            made.append(f"{term(n, 'x')}={number}")
        if n > 1:
            made.append(f"x={scratch.divide(number, n).text}")
        product = scratch.multiply(a, x)
        if not b:
            return [*made, f"y={product.text}"]
        other = scratch.add(product.value, b) if b > 0 else scratch.subtract(product.value, -b)
        return [*made, f"{product.text}", f"y={other.text}"]
    coefficients = []
    for equation, names in zip(form.split(";"), ("ab", "cd"), strict=True):
        p = v[names[0]] if names[0] in equation else 1
        q = (v[names[1]] if names[1] in equation else 1) * (-1 if "-" in equation else 1)
        coefficients.append((p, q))
    (a, b), (c, d) = coefficients
    r, s = v["r"], v["s"]
    m, n = abs(d), abs(b)
    steps = [("first", a, b, r, m), ("second", c, d, s, n)]
    scaled = []
    for name, p, q, right, by in steps:
        product = scratch.multiply(right, by)
        made.append(f"{name}*{by}: {term(p * by, 'x')}{'+' if q > 0 else '-'}{term(abs(q * by), 'y')}={product.text}")
        scaled.append((p * by, int(product.value)))
    (p, e), (q, f) = scaled
    if b * d > 0:
        swap = p < q
        (p, e), (q, f) = ((q, f), (p, e)) if swap else ((p, e), (q, f))
        right = scratch.subtract(e, f)
        made.append(f"{'second-first' if swap else 'first-second'}: {term(p - q, 'x')}={right.text}")
        k = p - q
    else:
        right = scratch.add(e, f)
        made.append(f"first+second: {term(p + q, 'x')}={right.text}")
        k = p + q
    if k != 1:
        negative = right.value < 0
        whole = scratch.divide(abs(right.value), k).text
        made.append(f"x={'-[' + whole + ']' + str(abs(x)) if negative else whole}")
    product = scratch.multiply(a, x)
    made.append(f"{term(a, 'x')}={product.text}" if a != 1 else f"x={x}")
    if b > 0:
        rest = scratch.subtract(r, product.value)
    else:
        rest = scratch.subtract(product.value, r)
    made.append(f"{term(abs(b), 'y')}={rest.text}")
    if abs(b) != 1:
        made.append(f"y={scratch.divide(rest.value, abs(b)).text}")
    return made


def checks(facts: dict) -> str:
    """The solution put into the (first) equation: both sides as numbers."""
    form, values = facts["form"].split(";")[-1], facts["values"]
    sides = []
    for text in form.split("="):
        shown = re.sub(r"([abcd])(?=[xy(])", r"\1*", text)
        x = f"({facts['x']})" if facts["x"] < 0 else str(facts["x"])
        shown = re.sub(r"[a-z]", lambda m: {"x": x, "y": str(facts.get("y"))}.get(m[0]) or str(values[m[0]]), shown)
        value = side_value(text, values, facts["x"], facts.get("y", 0), "")[0]
        if shown != str(value):
            sides.append(f"{shown}={value}")
    return "; ".join(sides)


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    facts = problem.facts
    chinese = facts.get("language") == "zh"
    if "y" in facts:
        content = f"The answer is x = {facts['x']}, y = {facts['y']}."
    else:
        content = f"答案是{facts['x']}。" if chinese else f"The answer is {facts['x']}."
    if effort == "none":
        return [assistant(content)]
    made = lines(facts)
    if effort == "max":
        made.append(f"{'检验' if chinese else 'check'}: {checks(facts)} ok")
    return [assistant(content, "\n".join(made))]


def verify(problem: Problem, replies: list[Message], box: object) -> Verdict:
    content, facts = answer_of(replies), problem.facts
    if "y" not in facts:
        return verify_number(content, facts["x"])
    text = content[-2000:].replace("−", "-")
    named = {name: int(n) for name, n in re.findall(r"\b([xy])\s*=\s*(-?\d{1,20})(?!\.?\d)", text)}
    last = [int(n) for n in re.findall(r"(?<![\d.])-?\d{1,20}(?!\.?\d)", text)[-2:]]
    found = () if named else tuple(last)
    if len(named) == 2 and last[-1] in named.values():
        found = (named["x"], named["y"])
    if found == (facts["x"], facts["y"]):
        return Verdict(True)
    return Verdict(False, f"the solution is x = {facts['x']}, y = {facts['y']}")


EQUATION = Task("equation", "mathematics", 6, sample, solve, verify)
