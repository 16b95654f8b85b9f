"""What is a worked step of a problem, and how are the steps of a whole problem written at each effort?

A step is a label and a chain of operations from left to right; its value may round: "up" (how many boxes are needed),
"down" (how many can be filled), "rest" (how many are left over). Steps are JSON values that a Problem can carry.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from finback.tasks.mathematics import scratch
from finback.tasks.mathematics.scratch import Number, show
from finback.tasks.protocol import Effort

Step = dict[str, str]  # label, chain ("52-17*2" from left to right, spaces between), round
SIGNS = {"+", "-", "*", "/"}


def step(label: str, *chain: Number | str, rounding: str = "") -> Step:
    return {"label": label, "chain": " ".join(c if isinstance(c, str) else show(c) for c in chain), "round": rounding}


def run(made: Step) -> tuple[list[str], Decimal]:
    """The equations of a step, each worked, and its value."""
    first, *others = made["chain"].split()
    value, lines = Decimal(first), []
    for sign, operand in zip(others[::2], others[1::2], strict=True):
        last = sign == "/" and made["round"]
        if sign == "/":
            worked = scratch.divide(value, Decimal(operand), 0 if last else 2)
        else:
            worked = scratch.OPERATIONS[sign](value, Decimal(operand))
        lines.append(worked.text + ("r0" if last == "rest" and not worked.rest else ""))
        value = worked.value
        if last == "rest":
            value = Decimal(worked.rest)
        elif last == "up" and worked.rest:
            more = scratch.add(value, 1)
            lines.append(more.text)
            value = more.value
        elif sign == "/" and worked.rest and not last:
            raise ValueError(f"{made['chain']} does not come out even: give the step a rounding or draw other numbers")
    return lines, value


def value_of(made: Step) -> Decimal:
    """The value of a step, without working it."""
    first, *others = made["chain"].split()
    value = Decimal(first)
    for sign, operand in zip(others[::2], others[1::2], strict=True):
        b = Decimal(operand)
        if sign == "/" and made["round"]:
            whole = (value / b).quantize(Decimal(1), ROUND_DOWN)
            rest = value - whole * b
            value = {"rest": rest, "down": whole, "up": whole + (rest > 0)}[made["round"]]
        else:
            value = {"+": value + b, "-": value - b, "*": value * b}[sign] if sign != "/" else _exact(value, b)
    return value


def _exact(a: Decimal, b: Decimal) -> Decimal:
    value = a / b
    return value.quantize(Decimal(1).scaleb(min(a.as_tuple().exponent, 0))) if value == value.to_integral() else value


def canonical(steps: list[Step]) -> str:
    """The steps without labels, the operands of sums and products sorted."""
    parts = []
    for made in steps:
        first, *others = made["chain"].split()
        signs = set(others[::2])
        operands = [first, *others[1::2]]
        if signs <= {"+"} or signs <= {"*"}:
            operands.sort()
        parts.append(",".join(operands) + "".join(others[::2]) + made["round"])
    return ";".join(parts)


REASONS = {"+": "both count", "-": "one is taken off", "*": "equal parts", "/": "split evenly"}
REASONS_ZH = {"+": "要合起来", "-": "要求差或剩余", "*": "有几个相同的份", "/": "要平均分"}
INSTEAD = {"+": "-", "-": "+", "*": "+", "/": "*"}


def thoughts(steps: list[Step], effort: Effort, chinese: bool = False) -> str:
    """high: one line per step. max: also what is asked, an operation tried and dropped, a check of the last step."""
    lines = []
    for made in steps:
        equations, _ = run(made)
        lines.append(f"{made['label']}: {', '.join(equations)}")
    if effort == "max":
        first = steps[0]["chain"].split()
        sign = first[1]
        asked, no, because = ("求", "不对", REASONS_ZH) if chinese else ("asked", "no", REASONS)
        goal = [f"{asked}: {steps[-1]['label']}"] if len(steps) > 1 else []
        lines = [
            *goal,
            f"{first[0]}{INSTEAD[sign]}{first[2]}? {no}: {because[sign]}",
            *lines,
            check(steps[-1], chinese),
        ]
    return "\n".join(lines)


def check(made: Step, chinese: bool = False) -> str:
    """The last operation of a step undone by the opposite one."""
    equations, value = run(made)
    chain = made["chain"].split()
    before = run(made | {"chain": " ".join(chain[:-2]), "round": ""})[1] if len(chain) > 3 else Decimal(chain[0])
    sign, operand = chain[-2], Decimal(chain[-1])
    word = "检验" if chinese else "check"
    if sign == "+":
        back = scratch.subtract(value, operand).text
    elif sign == "-":
        back = scratch.add(value, operand).text
    elif sign == "*" and min(before, operand) > 9:
        back = scratch.nines(before, operand, value)
    elif sign == "*":
        small, other = sorted((before, operand))
        back = scratch.divide(value, small).text if small else f"{show(small)}*{show(other)}=0"
    else:
        whole = scratch.divide(before, operand, 0 if made["round"] else 2)
        times = scratch.multiply(operand, whole.value)
        back = times.text
        if whole.rest:
            back += ", " + scratch.add(times.value, whole.rest).text
    return f"{word}: {back} ok, {show(value)}"
