"""Which linear equations are posed at each level, and how are they solved step by step?

Level 1: one operation. 2: two. 3: brackets, or the unknown on both sides. 4: both, like terms, negative solutions.
5: two unknowns, by adding or putting in. 6: two unknowns in general. Held out: wordings, and forms of equations whose
single steps (sides exchanged, a difference moved over) other forms show. The many trained forms are made of the same
few steps, so that a form has to be read and none can be told from a part of it.
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
# Letters stand for numbers drawn positive; each form: left side, right side. A star: held out. A form that is a
# held-out one with other letters for its numbers is not trained, and one with its sides exchanged only where the order
# is what is held out: x-a=r, ax-b=r, a(x+b)=r. It can be one sign or one exchange of terms away from trained ones
# (x/a+b=r, ax-b-cx=r): what is held out is a form that was never seen, made of steps that were.
FORMS = {
    1: ["x+a=r", "a+x=r", "x-a=r", "ax=r", "x/a=r", "a-x=r", "r=x+a", "r=a+x", "r=a-x", "r=ax", "r=x/a",
        "x*a=r", "a*x=r", "r=x*a", "r=a*x", "*r=x-a"],
    2: ["ax+b=r", "ax-b=r", "b+ax=r", "x/a+b=r", "b-ax=r", "r=ax+b", "r=b+ax", "r=b-ax", "r=x/a+b",
        "x+a+b=r", "x+a-b=r", "x-a+b=r", "x-a-b=r", "a+x+b=r", "a+x-b=r", "a-x+b=r", "a-x-b=r",
        "r=x+a+b", "r=x+a-b", "r=a+x-b", "r=a-x+b", "x+a=r+b", "x-a=r+b", "x+a=r-b", "r+b=x+a", "r-b=a-x",
        "b+x/a=r", "b-x/a=r", "r=b+x/a", "r=b-x/a", "x/a=r+b", "x/a=r-b", "r+b=x/a", "(x+b)/a=r", "(x-b)/a=r",
        "r=(x+b)/a", "r=(x-b)/a", "ax/c=r", "r=ax/c", "ax=r+b", "ax=r-b", "r-b=ax",
        "x*a+b=r", "x*a-b=r", "a*x+b=r", "a*x-b=r", "b+x*a=r", "b-a*x=r", "r=x*a+b", "r=b-x*a",
        "*x/a-b=r", "*r=ax-b"],
    3: ["a(x+b)=r", "ax+b=cx+r", "a(x-b)=r", "ax=cx+r", "r=a(x-b)", "cx+r=ax+b", "ax-b=r+cx", "cx+r=ax-b", "cx+r=ax",
        "a(b+x)=r", "a(b-x)=r", "r=a(b-x)", "(x+b)*a=r", "(x-b)*a=r", "r=(x-b)*a",
        "ax+b+c=r", "ax+b-c=r", "ax-b+c=r", "ax-b-c=r", "b+ax-c=r", "b-ax+c=r", "r=ax+b-c", "r=b+ax-c", "r=b-ax+c",
        "x/a+b+c=r", "x/a+b-c=r", "r=x/a+b-c", "b+x/a-c=r", "b-x/a+c=r", "(x+b)/a+c=r", "(x-b)/a+c=r",
        "(x+b)/a-c=r", "c+(x-b)/a=r", "c-(x+b)/a=r", "r=(x+b)/a+c", "r=(x-b)/a-c", "ax/c+b=r", "ax/c-b=r", "r=b+ax/c",
        "ax=r-cx", "ax=r+cx", "r-cx=ax", "r+cx=ax", "ax+b=r-cx", "ax-b=r-cx", "b+ax=r-cx", "r-cx=ax-b", "r-cx=b+ax",
        "ax-b=cx+r", "r+cx=ax-b", "b-cx=r-ax", "ax+b=r-c",
        "*b+ax=cx+r", "*r=a(x+b)", "*r+cx=ax+b"],
    4: ["ax+cx+b=r", "a(x+b)=cx+r", "ax+b-cx=r", "a(x+b)+c=r", "ax+b+cx=r", "ax-b+cx=r", "r=ax+cx+b", "cx+r=a(x+b)",
        "a(x-b)+c=r", "cx+r=a(x-b)", "r=a(x+b)+c", "ax-cx+b=r",
        "ax+cx-b=r", "ax-b-cx=r", "b+ax-cx=r", "r=ax-cx+b", "r=ax+b-cx", "r=ax-b+cx", "r=ax+cx-b", "r=b+ax-cx",
        "a(x-b)-c=r", "c+a(x+b)=r", "c+a(x-b)=r", "c-a(x+b)=r", "r=a(x-b)+c", "r=c+a(x+b)", "a(b-x)+c=r", "c+a(b-x)=r",
        "a(x+b)+cx=r", "a(x-b)+cx=r", "cx+a(x+b)=r", "cx+a(x-b)=r", "a(x+b)-cx=r", "a(x-b)-cx=r", "r=a(x+b)+cx",
        "r=cx+a(x-b)", "a(x-b)=cx+r", "a(x+b)=r-cx", "a(x-b)=r-cx", "r-cx=a(x+b)", "a(x+b)=r+cx", "r+cx=a(x-b)",
        "a(x+b)+c(x+d)=r", "a(x+b)+c(x-d)=r", "a(x-b)+c(x+d)=r", "r=a(x+b)+c(x+d)", "a(x+b)=c(x+d)+r",
        "(x+b)*a+c=r", "(x-b)*a-c=r", "ax+b=cx+d+r", "ax+b-d=cx+r",
        "*a(x+b)-c=r", "*ax-cx-b=r", "*b+ax+cx=r"],
}
SYSTEMS = {
    5: ["x+y=r;x-y=s", "y=ax+b;x+y=s", "y=ax;x+y=s", "x=y+b;x+y=s", "y=ax-b;y-x=s", "y=ax+b;y-x=s",
        "x-y=s;x+y=r", "x+y=r;y-x=s", "y-x=s;x+y=r", "y=x+b;x+y=s", "y=b+ax;x+y=s", "x=ay;x+y=s", "x=ay+b;x+y=s",
        "x=b+ay;x+y=s", "x=ay+b;x-y=s", "x=ay-b;x-y=s", "x+y=s;y=ax", "x+y=s;y=ax+b", "x+y=s;x=ay", "x+y=s;x=ay+b",
        "y-x=s;y=ax+b", "x-y=s;x=ay+b", "y-x=s;y=ax-b",
        "*y=ax-b;x+y=s", "*y=ax;y-x=s"],
    6: ["ax+by=r;cx+dy=s", "ax+by=r;cx-dy=s", "x+by=r;cx+dy=s", "ax-by=r;cx-dy=s", "ax+by=r;cx+y=s",
        "by+ax=r;cx+dy=s", "ax+by=r;dy+cx=s", "by+ax=r;dy+cx=s", "by+ax=r;cx-dy=s", "ax+by=r;x+dy=s", "ax+by=r;x-dy=s",
        "x+by=r;cx-dy=s", "ax+y=r;cx+dy=s", "ax+by=r;cx-y=s", "ax-y=r;cx-dy=s", "ax-by=r;cx-y=s", "x-by=r;cx-dy=s",
        "y+ax=r;cx+dy=s", "ax+y=r;cx-y=s", "ax+y=r;cx+y=s",
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
            values["a"] = rng.randint(2, 9) if form in ("ax=r", "x/a=r", "r=ax") or "*" in form else rng.randint(2, 80)
            x = rng.randint(1, 60)
        elif level == 2:
            x = rng.randint(1, 30)
        elif level == 4 and rng.random() < 0.3:
            x = -x
        elif level == 6:
            values["b"] = rng.randint(2, 6)
        if "x/" in form:
            x = abs(x) * values["c" if "x/c" in form else "a"]
        elif ")/" in form:  # what the bracket comes to is what divides
            x = abs(x) * values["a"] + values["b"] * (1 if "(x-b)" in form else -1)
        if form.startswith("c-a("):  # or x could only be negative
            x = abs(x)
            values["c"] = values["a"] * (x + values["b"]) + rng.randint(1, 30)
        made = fit(form, values, x, y)
        if made and not ("ax/c" in form and values["a"] == values["c"]):
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
    if ";" in form and isolated(form):
        return None if not solvable(form, found, x, y) else {k: v for k, v in found.items() if k in form}
    used = {k: v for k, v in found.items() if k in form}
    if any(v < 1 for v in used.values()) or ("/" in form and x < 1):
        return None
    if re.search(r"c\(?x", form) and "y" not in form and used["a"] <= used["c"]:
        return None
    if "y" in form and ("cx" in form or "dy" in form):
        a, b, c, d = (used.get(name, 1) for name in "abcd")
        if a * d == b * c:
            return None
    return used


def side_value(side: str, values: dict[str, int], x: int, y: int, unknown: str) -> tuple[int, bool]:
    """What a side comes to without the number still to be found, and whether that number stands in it."""
    text = side.replace("/", "//")  # that there is no rest, `sample` sees to
    has = bool(unknown) and unknown in text
    text = text.replace(unknown, "0") if unknown else text
    text = re.sub(r"([abcd])(?=[xy(])", r"\1*", text)
    return eval(text, {"__builtins__": {}}, {**values, "x": x, "y": y}), has


def solvable(form: str, found: dict[str, int], x: int, y: int) -> bool:
    left, right = (side_value(side, found, x, y, "")[0] for side in isolated(form).split("="))
    return left == right and found.get("s", 1) > 0


def isolated(form: str) -> str:
    """The equation of a system that has an unknown alone on its left, "" if none has."""
    return next((e for e in form.split(";") if e[1] == "="), "")


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
    if "/" in form:
        return [*made, *quotient(form, values, letter)]
    form = re.sub(r"(x|\(.*\))\*a|a\*x", lambda m: f"a{m[1] or 'x'}", form)
    sides, sums = [], []
    for text in form.split("="):
        pieces = re.findall(r"([+-]?)([a-dr]?)(x|\(x[+-][bd]\)|\(b[+-]x\)|)", text)
        xs, numbers = [], []
        for sign, number, what in pieces:
            if not number and not what:
                continue
            n = (values[number] if number else 1) * (-1 if sign == "-" else 1)
            if what.startswith("("):
                inner = values["d" if "d" in what else "b"]
                made.append(scratch.multiply(abs(n), inner).text)
                xs.append(-n if "-x" in what else n)
                numbers.append(n * inner * (-1 if re.search("-[bd]", what) else 1))
            elif what == "x":
                xs.append(n)
            else:
                numbers.append(n)
        if len(xs) > 1:
            made.append(f"{term(xs[0], letter)}{'+' if xs[1] > 0 else ''}{term(xs[1], letter)}={term(sum(xs), letter)}")
        sides.append((sum(xs), sum(numbers)))
        sums += together(numbers)
    made += sums
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


def together(numbers: list[int]) -> list[str]:
    """The numbers of one side put together, one line for each but the first."""
    made: list[str] = []
    total = numbers[0] if numbers else 0
    for n in numbers[1:]:
        if total >= 0:
            made.append((scratch.add(total, n) if n > 0 else scratch.subtract(total, -n)).text)
        elif n < 0:
            made.append(f"{total}{n}=-[{scratch.add(-total, -n).text}]{-total - n}")
        else:
            turned = f"{total}+{n}=-[{scratch.subtract(-total, n).text}]{-total - n}"
            made.append(turned if n < -total else scratch.subtract(n, -total).text)
        total += n
    return made


def quotient(form: str, values: dict[str, int], letter: str) -> list[str]:
    """The lines of a form with the unknown in a quotient on the left: the quotient alone, then what is divided."""
    (inside,) = re.findall(r"\([^)]*\)/a|a?x/[ac]", form)
    left, right = (
        [values[name] * (-1 if sign == "-" else 1) for sign, name in re.findall(r"([+-]?)([a-dr])", text)]
        for text in form.replace(inside, "").split("=")
    )
    negative = f"-{inside}" in form
    divided, by = inside.split("/")
    number = sum(right)
    made = together(right)
    shown = written({"form": inside, "values": values, "letter": letter})
    made += together(left)
    if other := sum(left):
        if negative:
            moved = scratch.subtract(other, number)
        else:
            moved = scratch.subtract(number, other) if other > 0 else scratch.add(number, -other)
        made.append(f"{shown}={moved.text}")
        number = int(moved.value)
    elif made:
        made.append(f"{shown}={number}")
    product = scratch.multiply(number, values[by])
    number = int(product.value)
    if divided == "x":
        return [*made, f"{letter}={product.text}"]
    if divided == "ax":
        a = values["a"]
        return [*made, f"{term(a, letter)}={product.text}", f"{letter}={scratch.divide(number, a).text}"]
    last = (scratch.subtract if "+" in divided else scratch.add)(number, values["b"])
    return [*made, f"{shown[1:].split(')')[0]}={product.text}", f"{letter}={last.text}"]


def system(facts: dict) -> list[str]:
    v, x, y = facts["values"], facts["x"], facts["y"]
    first, second = written(facts).split(";")
    made = [first, second]
    form = facts["form"]
    if re.fullmatch("[xy+=rs;-]*", form):  # the sum and the difference
        u, w = "xy" if "x-y" in form else "yx"
        total = scratch.add(v["r"], v["s"])
        half, rest = scratch.divide(total.value, 2), scratch.subtract(v["r"], facts[u])
        return [*made, f"add: 2{u}={total.text}", f"{u}={half.text}", f"{w}={rest.text}"]
    if form.startswith("x=y"):
        less = scratch.subtract(v["s"], v["b"])
        half, more = scratch.divide(less.value, 2), scratch.add(y, v["b"])
        return [*made, f"put in x: y+{v['b']}+y={v['s']}", f"2y={less.text}", f"y={half.text}", f"x={more.text}"]
    if alone := isolated(form):
        u = alone[0]
        w = "y" if u == "x" else "x"  # u is put in, and w found first
        a, b = v.get("a", 1), v.get("b", 0) * (-1 if "-b" in form else 1)
        plus = "x+y=s" in form
        n = a + 1 if plus else a - 1
        inner = term(a, w) + (f"{b:+d}" if b else "")
        made.append(f"put in {u}: {w + '+' + inner if plus else inner + '-' + w}={v['s']}")
        number = Decimal(v["s"])
        if b:
            moved = scratch.subtract(v["s"], b) if b > 0 else scratch.add(v["s"], -b)
            made.append(f"{term(n, w)}={moved.text}")
            number = moved.value
        else:
            made.append(f"{term(n, w)}={number}")
        if n > 1:
            made.append(f"{w}={scratch.divide(number, n).text}")
        product = scratch.multiply(a, facts[w])
        if not b:
            return [*made, f"{u}={product.text}"]
        other = scratch.add(product.value, b) if b > 0 else scratch.subtract(product.value, -b)
        return [*made, *([product.text] if a > 1 else []), f"{u}={other.text}"]
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
    """The solution put into the equation, of a system into the last one that the thoughts have not put it into: both
    sides as numbers."""
    equations, values = facts["form"].split(";"), facts["values"]
    form = [e for e in equations if len(equations) == 1 or e != isolated(facts["form"])][-1]
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
    answer = f"x = {facts['x']}, y = {facts['y']}" if "y" in facts else facts["x"]
    content = f"答案是{answer}。" if chinese else f"The answer is {answer}."
    if effort == "none":
        return [assistant(content)]
    made = lines(facts)
    if effort == "max":
        made.append(f"{'检验' if chinese else 'check'}: {checks(facts)} ok, {answer}")
    return [assistant(content, "\n".join(made))]


def verify(problem: Problem, replies: list[Message], box: object) -> Verdict:
    content, facts = answer_of(replies), problem.facts
    if "y" not in facts:
        return verify_number(content, facts["x"])
    text = content[-2000:].replace("−", "-")
    said = re.findall(r"\b([xy])\s*=\s*(-?\d{1,20})(?!\.?\d)", text)
    named = {name: int(n) for name, n in said}
    last = [int(n) for n in re.findall(r"(?<![\d.])-?\d{1,20}(?!\.?\d)", text)[-2:]]
    found = () if named else tuple(last)
    if len(named) == 2 and last[-1] == int(said[-1][1]):  # nothing else is said after them
        found = (named["x"], named["y"])
    if found == (facts["x"], facts["y"]):
        return Verdict(True)
    return Verdict(False, f"the solution is x = {facts['x']}, y = {facts['y']}")


EQUATION = Task("equation", "mathematics", 6, sample, solve, verify)
