"""How are three or four numbers combined to make a target?

With three: leave one number out, write what the other two can make, then what the target would need of them for each
way to bring the third in; where the two meet is the answer. The operations that led there are said once more before the
formula that puts them together. With four: combine two first and go on with three; if that
fails, try another two. Results above 100, fractions and negative numbers are not used.
"""

from __future__ import annotations

import ast
import operator
import random
import re
from fractions import Fraction

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

MOST = 100
LARGEST = {1: 9, 2: 20, 3: 10}
HOW_MANY = {1: 3, 2: 3, 3: 4}
# Shapes of the last three numbers' formula that only measuring shows: x - y * z, and (y + z) * x of four numbers (of three
# alone training shows it).
HELD_OUT = {3: {("*", "from")}, 4: {("+", "*"), ("*", "from")}}
Item = tuple[int, str]  # a value and the formula that makes it, in brackets if it is one


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    while True:
        numbers = [rng.randint(1, LARGEST[level]) for _ in range(HOW_MANY[level])]
        target = _result(rng, numbers)
        if target is None or target <= max(3, LARGEST[level] // 2):
            continue
        start = firsts(rng, numbers, target) if len(numbers) == 4 else []
        found = three(start[-1][1] if start else [(n, str(n)) for n in numbers], target)
        if len(numbers) == 4 and not start or found.shape is None or (found.shape in HELD_OUT[len(numbers)]) != held_out:
            continue
        # with four, which pair comes first is a guess: the problem carries what was tried, the last being right
        facts = {"numbers": numbers, "target": target, "tried": [said for said, _ in start],
                 "left": [[list(i) for i in items] for _, items in start]}
        kind = f"{len(numbers)} numbers, {' '.join(found.shape)}"
        return Problem(kind, f"{' '.join(map(str, sorted(numbers)))}: {target}", user(_prompt(rng, numbers, target)),
                       facts)


def _result(rng: random.Random, numbers: list[int]) -> int | None:
    """What a random formula over all the numbers makes."""
    values = [(n, "") for n in numbers]
    while len(values) > 1:
        a, b, *rest = rng.sample(values, len(values))
        options = pairs(a, b)
        values = [rng.choice(options)[0], *rest] if options else []
    return values[0][0] if values else None


def pairs(a: Item, b: Item) -> list[tuple[Item, str, str]]:
    """What two numbers make: value and formula, the operation, and the line that says so."""
    big, small = (a, b) if a[0] >= b[0] else (b, a)
    made = [(big[0] + small[0], "+"), (big[0] - small[0], "-"), (big[0] * small[0], "*")]
    if small[0] and big[0] % small[0] == 0:
        made.append((big[0] // small[0], "/"))
    return [((value, f"({big[1]}{sign}{small[1]})"), sign, f"{big[0]}{sign}{small[0]}={value}")
            for value, sign in made if 0 < value <= MOST]


class Found:
    """The lines of a search with three numbers; formula, shape and operations of what it found, None if nothing."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.formula: str | None = None
        self.operations = ""
        self.shape: tuple[str, str] | None = None


def three(items: list[Item], target: int) -> Found:
    found = Found()
    for i, (x, said) in enumerate(items):
        made = pairs(*(item for j, item in enumerate(items) if j != i))
        found.lines.append(f"without {x}:{','.join(line for *_, line in made)}")
        wants = [(target - x, "+", f"{target}-{x}", "{}+{}"), (target + x, "-", f"{target}+{x}", "{}-{}"),
                 (x - target, "from", f"{x}-{target}", "{1}-{0}")]
        if target % x == 0:
            wants.append((target // x, "*", f"{target}/{x}", "{}*{}"))
        if x * target <= MOST:
            wants.append((x * target, "/", f"{target}*{x}", "{}/{}"))
        if x % target == 0:
            wants.append((x // target, "into", f"{x}/{target}", "{1}/{0}"))
        said_wants = []
        for value, shape, line, form in wants:
            if not 0 < value <= MOST:
                continue
            match = next(((formula, sign, said_so) for (result, formula), sign, said_so in made if result == value), None)
            said_wants.append(f"{line}={value} {'yes' if match else 'no'}")
            if match:
                found.formula, found.shape = form.format(match[0], said), (match[1], shape)
                found.operations = f"{match[2]}, {form.format(value, x)}={target}"
                break
        found.lines.append(",".join(said_wants))
        if found.formula:
            break
    return found


def firsts(rng: random.Random, numbers: list[int], target: int) -> list[tuple[str, list[Item]]]:
    """Ways to combine two of four numbers, tried in a random order until one leaves three that make the target: the
    last is right. At most four wrong ones are kept, as a trace must stay short; [] if none is right."""
    items = [(n, str(n)) for n in numbers]
    ways = [(line, [made, *(items[k] for k in range(4) if k not in (i, j))])
            for i in range(4) for j in range(i) for made, _, line in pairs(items[i], items[j])]
    tried = []
    for way in rng.sample(ways, len(ways)):
        tried.append(way)
        if three(way[1], target).formula:
            return tried[-1 - rng.randint(0, 4) :]
    return []


def _prompt(rng: random.Random, numbers: list[int], target: int) -> str:
    listed = rng.choice((", ", " ")).join(map(str, numbers))
    return rng.choice((f"Make {target} from {listed}, each used once, with + - * /.",
                       f"Use the numbers {listed} and + - * / to get {target}. Use each number exactly once.",
                       f"Countdown: numbers {listed}, target {target}.",
                       f"How can {listed} make {target}? Every number must be used once.",
                       f"Numbers: {listed}\nTarget: {target}\nWrite a formula that uses every number once.",
                       f"Find an expression over {listed} that equals {target}."))


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    f = problem.facts
    target, numbers = f["target"], f["numbers"]
    lines: list[str] = []
    branches = [[(v, said) for v, said in items] for items in f["left"]] or [[(n, str(n)) for n in numbers]]
    if effort == "high":  # two wrong branches at most; max shows up to four
        branches = branches[-3:]
    tried = f["tried"][-len(branches) :] if f["tried"] else [""]
    for said, items in zip(tried, branches, strict=True):
        found = three(items, target)
        if said:
            lines.append(f"Try {said} left {' '.join(str(v) for v, _ in items)}")
        lines += found.lines
        if said and not found.formula:
            lines.append("no")
    whole = formula = found.formula or ""
    if effort == "max":
        while step := re.search(r"\((\d+)(\D)(\d+)\)", formula) or re.search(r"(\d+)(\D)(\d+)", formula):
            lines.append(f"Check {step[0].strip('()')}={(value := _SIGN[step[2]](int(step[1]), int(step[3])))}")
            formula = f"{formula[: step.start()]}{value}{formula[step.end() :]}"
    first = f"{tried[-1]}, " if tried[-1] else ""
    lines.append(f"So {first}{found.operations}: {whole}={target}")
    return [assistant(f"{whole}={target}", "" if effort == "none" else "\n".join(lines))]


_SIGN = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv}
_NODES = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def verify(problem: Problem, replies: list[Message], box: None) -> Verdict:
    target, numbers = problem.facts["target"], problem.facts["numbers"]
    text = answer_of(replies)[:5000].replace("\\times", "*").replace("\\cdot", "*").replace("\\div", "/")
    text = text.translate(str.maketrans("×·÷−–[]{}", "**/--()()"))
    formulas = [part for part in re.findall(r"[\d()\s+*/-]+", re.sub(r"\n", " , ", text))
                if len(re.findall(r"\d+", part)) >= 2]
    if not formulas:
        return Verdict(False, "there is no formula")
    said = formulas[-1].strip()
    if len(said) > 200:
        return Verdict(False, "the formula is too long")
    said = re.sub(r"^[*\s)/+]+|[*\s(/+]+$", "", said)  # what is left of a list's or bold's marks
    try:
        used: list[int] = []
        value = _value(ast.parse(said, mode="eval").body, used)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, MemoryError, OverflowError):
        return Verdict(False, f"{said[:60]!r} is no formula over numbers with + - * /")
    if sorted(used) != sorted(numbers):
        return Verdict(False, f"it uses {sorted(used)} and should use {sorted(numbers)}")
    return Verdict(True) if value == target else Verdict(False, f"it makes {value}, not {target}")


def _value(node: ast.expr, used: list[int]) -> Fraction:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        used.append(node.value)
        return Fraction(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _NODES:
        return _NODES[type(node.op)](_value(node.left, used), _value(node.right, used))
    raise ValueError("not a formula")


TASK = Task("countdown", "planning", len(LARGEST), sample, solve, verify)
