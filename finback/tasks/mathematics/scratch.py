"""How is one operation written out so that every step is a small local fact? The scratchpad that all mathematics shares.

An equation is `left=result`, and where the result is no basic fact, `left=[steps]result` with the steps between commas:

    347+85=[7+5=12,4+8+1=13,3+1=4]432         columns from the right; a carry or borrow is the 1 at the end of the next one
    52-17=[12-7=5,5-1-1=3]35                  a column that borrows begins with 1 more digit
    47*6=[6*7=42,6*4=24+4=28]282              digit products from the right, plus the carried tens
    47*26=[47*6=[...]282,47*20=[...]940,282+940=[...]1222]1222
    347/6=[34/6=5r4,47/6=7r5]57r5             long division; a remainder leads the next dividend

Columns stop where one number has no more digits and nothing is carried: the rest is copied. Numbers are Decimals, whose
places money keeps (12.50*8 is 100.00).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

Number = Decimal | int


@dataclass(frozen=True)
class Worked:
    """text: the equation with its scratchpad. rest: the remainder of a division."""

    text: str
    value: Decimal
    rest: int = 0


def show(value: Number) -> str:
    return f"{Decimal(value):f}"


def places(value: Number) -> int:
    return max(0, -Decimal(value).as_tuple().exponent)  # type: ignore[operator]


def units(value: Number, at: int) -> int:
    """The number in its last of `at` places: 1.5 at 2 places is 150."""
    return int(Decimal(value).scaleb(at))


def number(whole: int, at: int = 0) -> Decimal:
    return Decimal(whole).scaleb(-at)


def work(left: str, steps: list[str], value: Number, tail: str = "", rest: int = 0) -> Worked:
    pad = f"[{','.join(steps)}]" if steps else ""
    return Worked(f"{left}={pad}{show(value)}{tail}", Decimal(value), rest)


def add(a: Number, b: Number) -> Worked:
    at = max(places(a), places(b))
    m, n = units(a, at), units(b, at)
    left = f"{show(number(m, at))}+{show(number(n, at))}"
    value = number(m + n, at)
    if at == 0 and (m < 10 and n < 10 or m == 0 or n == 0):
        return work(left, [], value)
    steps, carry = [], 0
    x, y = str(m)[::-1], str(n)[::-1]
    for i in range(max(len(x), len(y))):
        digits = [s[i] for s in (x, y) if i < len(s)] + ["1"] * carry
        if len(digits) == 1:
            break
        total = sum(map(int, digits))
        steps.append(f"{'+'.join(digits)}={total}")
        carry = total // 10
    return work(left, steps, value)


def subtract(a: Number, b: Number) -> Worked:
    """a-b for a >= b; for a < b the other way round behind a minus."""
    at = max(places(a), places(b))
    m, n = units(a, at), units(b, at)
    left = f"{show(number(m, at))}-{show(number(n, at))}"
    if m < n:
        other = subtract(number(n, at), number(m, at))
        return Worked(f"{left}=-[{other.text}]{show(other.value)}", -other.value)
    value = number(m - n, at)
    if at == 0 and (n < 10 and m < 19 and m - n < 10 or n == 0) or m == n:
        return work(left, [], value)
    steps, borrow = [], 0
    x, y = str(m)[::-1], str(n)[::-1]
    for i, digit in enumerate(x):
        if i >= len(y) and not borrow:
            break
        taken = [*y[i : i + 1], *["1"] * borrow]
        top = int(digit)
        borrow = int(top < sum(map(int, taken)))
        top += 10 * borrow
        steps.append(f"{'-'.join([str(top), *taken])}={top - sum(map(int, taken))}")
    return work(left, steps, value)


def multiply(a: Number, b: Number) -> Worked:
    at = places(a) + places(b)
    m, n = units(a, places(a)), units(b, places(b))
    left, value = f"{show(a)}*{show(b)}", number(m * n, at)
    if at == 0 and (max(m, n) < 10 or any(x in (0, 1, 10, 100, 1000) for x in (m, n))):
        return work(left, [], value)
    core_m, core_n = (m, n) if at else (strip(m), strip(n))
    if core_m < 10 and core_n < 10:
        return work(left, [f"{core_m}*{core_n}={core_m * core_n}"], value)
    if min(core_m, core_n) < 10:
        return work(left, digit_products(max(core_m, core_n), min(core_m, core_n)), value)
    wide, narrow = (m, n) if len(str(core_m)) >= len(str(core_n)) else (n, m)
    parts = [multiply(wide, int(d) * 10**i) for i, d in enumerate(reversed(str(narrow))) if d != "0"]
    steps, total = [parts[0].text], parts[0].value
    for part in parts[1:]:
        both = add(total, part.value)
        steps += [part.text, both.text]
        total = both.value
    return work(left, steps, value)


def digit_products(wide: int, digit: int) -> list[str]:
    steps, carry = [], 0
    for d in map(int, reversed(str(wide))):
        product = digit * d
        steps.append(f"{digit}*{d}={product}" + (f"+{carry}={product + carry}" if carry else ""))
        carry = (product + carry) // 10
    return steps


def divide(a: Number, b: Number, decimals: int = 0) -> Worked:
    """a/b with a remainder, or with up to `decimals` places where that leaves none."""
    at = places(a)
    d = units(b, places(b))
    if places(b):
        whole = divide(number(units(a, max(at, places(b))), max(0, at - places(b))), d, decimals)
        return Worked(f"{show(a)}/{show(b)}={whole.text}", whole.value, whole.rest)
    n = units(a, at)
    extra = next((k for k in range(decimals + 1) if n * 10**k % d == 0), 0) if decimals else 0
    n, at = n * 10**extra, at + extra
    q, r = divmod(n, d)
    left, value = f"{show(a)}/{show(d)}", number(q, at)
    tail = f"r{r}" if r else ""
    if d == 1 or (at == 0 and d < 10 and n < 10 * d) or (d in (10, 100, 1000) and (r == 0 or not at)) or n == d:
        return work(left, [], value, tail, r)
    zeros = min(len(str(n)) - len(str(strip(n))), len(str(d)) - len(str(strip(d))))
    if zeros and not at:
        inner = divide(n // 10**zeros, d // 10**zeros)
        return work(left, [inner.text], value, tail, r)
    steps, part, started = [], 0, False
    for digit in str(n):
        part = part * 10 + int(digit)
        if not started and part < d:
            continue
        started = True
        steps.append(short_division(part, d))
        part %= d
    if len(steps) == 1 and steps[0].startswith(f"{left}=["):  # its own one step: no bracket around a bracket
        return Worked(steps[0].removesuffix("r0") if r == 0 else steps[0], value, r)
    return work(left, steps, value, tail, r)


def short_division(part: int, d: int) -> str:
    """part/d with one digit of quotient."""
    q, r = divmod(part, d)
    if d < 10 or q == 0:
        return f"{part}/{d}={q}r{r}"
    product = multiply(d, q)
    return f"{part}/{d}=[{product.text},{subtract(part, product.value).text}]{q}r{r}"


def strip(n: int) -> int:
    while n and n % 10 == 0:
        n //= 10
    return n


def nines(a: Number, b: Number, product: Number) -> str:
    """A product checked by casting out nines: digit sums multiply as the numbers do."""
    lines, ends = [], []
    for value in (a, b, product):
        n, steps = int(show(value).replace(".", "")), []
        while n > 9:
            digits = str(n)
            n = sum(map(int, digits))
            steps.append(f"{'+'.join(digits)}={n}")
        lines.append(",".join(steps) or str(n))
        ends.append(n)
    times, end = ends[0] * ends[1], ends[2]
    root = times
    while root > 9:
        root = sum(map(int, str(root)))
    down = f",{'+'.join(str(times))}={sum(map(int, str(times)))}" if times > 9 else ""
    if times > 9 and root != sum(map(int, str(times))):
        down += f",{'+'.join(str(sum(map(int, str(times)))))}={root}"
    return f"{'; '.join(lines)}; {ends[0]}*{ends[1]}={times}{down}, {end}"


OPERATIONS = {"+": add, "-": subtract, "*": multiply, "/": divide}


def compare(a: Number, b: Number) -> tuple[str, str]:
    """The steps that compare two numbers, and the sign between them."""
    at = max(places(a), places(b))
    m, n = units(a, at), units(b, at)
    x, y = show(number(m, at)), show(number(n, at))
    sign = "<" if m < n else ">" if m > n else "="
    if len(x) != len(y):
        return f"{x} ? {y}: {len(x)}{sign}{len(y)} long", sign
    steps = []
    for c, d in zip(x, y, strict=True):
        if c != ".":
            steps.append(f"{c}{'<' if c < d else '>' if c > d else '='}{d}")
        if c != d:
            break
    return f"{x} ? {y}: {','.join(steps)}", sign
