"""Which questions about whole numbers are asked, how are they worked, and when is an answer right?

Remainders, digit sums, parity, largest and smallest, sorting, next terms, greatest common divisors by Euclid, least common
multiples, primality and factors by trial division, bases, multiples up to a bound. Each kind has a function that draws the
numbers of a level (held out: divisors, lengths and sizes that training has not), one that writes the steps, and wordings of which
the last is held out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

from finback.tasks.mathematics import scratch
from finback.tasks.mathematics.answers import verify_number
from finback.tasks.mathematics.grammar import say
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

Numbers = list[int]


@dataclass(frozen=True)
class Kind:
    """draw(rng, level, held_out): the numbers. work(numbers): the steps and the answer. check(numbers): another route.
    shape: how the answer reads: "number", "list", "word" or "product"."""

    levels: tuple[int, ...]
    draw: Callable[[random.Random, int, bool], Numbers]
    work: Callable[[Numbers], tuple[list[str], str]]
    check: Callable[[Numbers], str]
    wordings: str
    chinese: str = ""
    shape: str = "number"


# Remainders, digit sums, parity


def draw_remainder(rng: random.Random, level: int, held_out: bool) -> Numbers:
    divisors = (7,) if held_out else (2, 3, 4, 5, 6, 8, 9, 10) if level < 4 else (3, 4, 6, 8, 9, 11, 12, 15)
    return [rng.randint(5, (40, 99, 500, 999, 5000)[level - 1]), rng.choice(divisors)]


def work_remainder(n: Numbers) -> tuple[list[str], str]:
    worked = scratch.divide(*n)
    return [worked.text + ("" if worked.rest else "r0")], str(worked.rest)


def check_remainder(n: Numbers) -> str:
    q, r = divmod(*n)
    product = scratch.multiply(n[1], q)
    return f"{product.text}, {scratch.add(product.value, r).text}"


def work_digits(n: Numbers) -> tuple[list[str], str]:
    digits = list(map(int, str(n[0])))
    total, steps = digits[0], []
    for d in digits[1:]:
        steps.append(scratch.add(total, d).text)
        total += d
    return [f"digits {' '.join(map(str, digits))}", *steps], str(total)


def check_digits(n: Numbers) -> str:
    digits = list(map(int, str(n[0])))[::-1]
    total, steps = digits[0], []
    for d in digits[1:]:
        steps.append(scratch.add(total, d).text)
        total += d
    return ", ".join(steps)


def work_parity(n: Numbers) -> tuple[list[str], str]:
    last = n[0] % 10
    return [f"last digit {last}: {'odd' if last % 2 else 'even'}"], "odd" if last % 2 else "even"


# Largest, smallest, sorting


def draw_list(rng: random.Random, level: int, held_out: bool) -> Numbers:
    count = 6 if held_out else min(3 + level // 2, 5) if level < 4 else rng.choice((5, 5, 7))
    top = (30, 99, 300, 999, 2000)[level - 1]
    return rng.sample(range(1, top), count)


def best_of(n: Numbers, sign: str) -> tuple[list[str], str]:
    best, steps = n[0], []
    for other in n[1:]:
        compared, found = scratch.compare(best, other)
        best = best if found == sign else other
        steps.append(f"{compared}: {best}")
    return steps, str(best)


def work_sort(n: Numbers) -> tuple[list[str], str]:
    """Insertion from the left, the row after each."""
    row, steps = [n[0]], []
    for number in n[1:]:
        seen = []
        at = len(row)
        for i, other in enumerate(row):
            compared, sign = scratch.compare(number, other)
            seen.append(compared)
            if sign == "<":
                at = i
                break
        row.insert(at, number)
        steps.append(f"{'; '.join(seen)} -> {' '.join(map(str, row))}")
    return steps, ", ".join(map(str, row))


def check_sort(n: Numbers) -> str:
    return "<".join(map(str, sorted(n)))


# Sequences: the kind of rule first, then the terms


def draw_sequence(rng: random.Random, level: int, held_out: bool) -> Numbers:
    a = rng.randint(1, 9 if level < 3 else 30)
    rule = "halve" if held_out and level > 2 else rng.choice(("add", "add", "take") if level == 1 else ("add", "take", "times", "grow", "two"))
    d = rng.randint(2, 9 if level < 3 else 25)
    length = 5 if held_out else rng.choice((4, 4, 6))
    if rule == "add":
        return [a + i * d for i in range(length)]
    if rule == "take":
        return [a + (length + 3 - i) * d for i in range(length)]
    if rule == "times":
        k = rng.choice((2, 3))
        return [min(a, 9) * k**i for i in range(length)]
    if rule == "halve":
        k = rng.randint(1, 9)
        return [k * 2 ** (length + 1 - i) for i in range(length)]
    if rule == "grow":
        terms = [a]
        for i in range(length):
            terms.append(terms[-1] + d + i * rng_step(a))
        return terms
    terms = [a, a + d]
    while len(terms) < length + 1:
        terms.append(terms[-1] + terms[-2])
    return terms


def rng_step(a: int) -> int:
    return 1 + a % 3


def work_sequence(n: Numbers) -> tuple[list[str], str]:
    gaps = [b - a for a, b in zip(n, n[1:], strict=False)]
    down = gaps[0] < 0
    first = [scratch.subtract(*((a, b) if down else (b, a))).text for a, b in zip(n, n[1:], strict=False)]
    if len(set(gaps)) == 1:
        last = scratch.subtract(n[-1], -gaps[0]) if down else scratch.add(n[-1], gaps[0])
        return [*first, f"always {'-' if down else '+'}{abs(gaps[0])}", last.text], str(last.value)
    if n[1] % n[0] == 0 and all(b == a * (n[1] // n[0]) for a, b in zip(n, n[1:], strict=False)):
        k = n[1] // n[0]
        last = scratch.multiply(n[-1], k)
        return [*first[:2], f"not the same; {n[1]}/{n[0]}={k}, {n[2]}/{n[1]}={k}: always *{k}", last.text], str(last.value)
    if down and all(a == 2 * b for a, b in zip(n, n[1:], strict=False)):
        last = scratch.divide(n[-1], 2)
        return [*first[:2], f"not the same; {n[0]}/{n[1]}=2, {n[1]}/{n[2]}=2: always /2", last.text], str(last.value)
    seconds = [b - a for a, b in zip(gaps, gaps[1:], strict=False)]
    if len(set(seconds)) == 1:
        gap = scratch.add(gaps[-1], seconds[0])
        last = scratch.add(n[-1], gap.value)
        return [*first, f"steps grow by {seconds[0]}: {gap.text}", last.text], str(last.value)
    last = scratch.add(n[-2], n[-1])
    return [*first[:2], f"each is the sum of the two before: {n[0]}+{n[1]}={n[2]}", last.text], str(last.value)


def check_sequence(n: Numbers) -> str:
    steps, answer = work_sequence(n)
    return f"{' '.join(map(str, n))} {answer}"


# Divisors and multiples


def draw_pair(rng: random.Random, level: int, held_out: bool) -> Numbers:
    g = rng.randint(1, (3, 9, 12, 25, 40)[level - 1])
    top = (5, 8, 14, 20, 40)[level - 1]
    a, b = g * rng.randint(1, top), g * rng.randint(1, top)
    return [max(a, b) + g * (a == b), min(a, b)]


def draw_small_pair(rng: random.Random, level: int, held_out: bool) -> Numbers:
    g = rng.randint(1, (2, 4, 6, 8, 10)[level - 1])
    a, b = g * rng.randint(2, 9), g * rng.randint(2, 9)
    return [max(a, b) + g * (a == b), min(a, b)]


def work_gcd(n: Numbers) -> tuple[list[str], str]:
    a, b = n
    steps = []
    while b:
        worked = scratch.divide(a, b)
        steps.append(worked.text + ("" if worked.rest else "r0"))
        a, b = b, worked.rest
    return steps, str(a)


def check_gcd(n: Numbers) -> str:
    g = gcd(*n)
    return f"{scratch.divide(n[0], g).text}, {scratch.divide(n[1], g).text}"


def work_lcm(n: Numbers) -> tuple[list[str], str]:
    steps, g = work_gcd(n)
    part = scratch.divide(n[0], int(g))
    product = scratch.multiply(part.value, n[1])
    return [*steps, f"gcd {g}", part.text, product.text], str(product.value)


def check_lcm(n: Numbers) -> str:
    m = n[0] * n[1] // gcd(*n)
    return f"{scratch.divide(m, n[0]).text}, {scratch.divide(m, n[1]).text}"


PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)


def draw_prime(rng: random.Random, level: int, held_out: bool) -> Numbers:
    low, high = (200, 288) if held_out else ((2, 30), (5, 60), (11, 120), (30, 168), (60, 199))[level - 1]
    while True:
        n = rng.randint(low, high)
        prime = all(n % p for p in PRIMES if p * p <= n)
        if prime or rng.random() < 0.35:  # as many primes as others
            return [n]


def work_prime(n: Numbers) -> tuple[list[str], str]:
    steps = []
    for p in PRIMES:
        if p * p > n[0]:
            steps.append(f"{p}*{p}={p * p}>{n[0]}")
            return steps, "yes"
        worked = scratch.divide(n[0], p)
        steps.append(worked.text + ("" if worked.rest else "r0"))
        if not worked.rest:
            return steps, "no"
    return steps, "yes"


def check_prime(n: Numbers) -> str:
    p = next((p for p in PRIMES if p * p <= n[0] and n[0] % p == 0), 0)
    return scratch.multiply(p, n[0] // p).text if p else f"last digit {n[0] % 10}, no divisor found"


def draw_factors(rng: random.Random, level: int, held_out: bool) -> Numbers:
    while True:
        n, count = 1, 6 if held_out else rng.randint(2, 3 + level // 2)
        for _ in range(count):
            n *= rng.choice((2, 2, 2, 3, 3, 5, 7, 11))
        if 4 <= n <= (60, 90, 200, 500, 1000)[level - 1] * (3 if held_out else 1):
            return [n]


def work_factors(n: Numbers) -> tuple[list[str], str]:
    rest, steps, found = n[0], [], []
    for p in PRIMES:
        while rest % p == 0:
            steps.append(scratch.divide(rest, p).text)
            rest //= p
            found.append(p)
    return steps, "*".join(map(str, found)) if len(found) > 1 else str(n[0])


def check_factors(n: Numbers) -> str:
    found = list(map(int, work_factors(n)[1].split("*")))[::-1]
    total, steps = found[0], []
    for p in found[1:]:
        steps.append(scratch.multiply(total, p).text)
        total *= p
    return ", ".join(steps) or str(total)


def draw_multiples(rng: random.Random, level: int, held_out: bool) -> Numbers:
    return [rng.randint(20, (60, 99, 200, 500, 999)[level - 1]), 7 if held_out else rng.choice((2, 3, 4, 5, 6, 8, 9))]


def work_multiples(n: Numbers) -> tuple[list[str], str]:
    worked = scratch.divide(*n)
    return [worked.text + ("" if worked.rest else "r0")], str(worked.value)


# Bases


def draw_base(rng: random.Random, level: int, held_out: bool) -> Numbers:
    base = rng.choice((5, 7)) if held_out else rng.choice((2, 2, 3, 4, 8))
    return [rng.randint(base, {2: 8, 3: 30, 4: 60, 5: 250}[max(2, level)]), base]


def to_base(n: int, base: int) -> str:
    digits = ""
    while n:
        digits = str(n % base) + digits
        n //= base
    return digits or "0"


def work_to_base(n: Numbers) -> tuple[list[str], str]:
    value, base, steps = *n, []
    while value:
        worked = scratch.divide(value, base)
        steps.append(worked.text + ("" if worked.rest else "r0"))
        value = int(worked.value)
    return steps, to_base(*n)


def work_from_base(n: Numbers) -> tuple[list[str], str]:
    value, steps = 0, []
    for i, d in enumerate(map(int, to_base(*n))):
        if i:
            product = scratch.multiply(value, n[1])
            more = scratch.add(product.value, d)
            steps.append(f"{product.text}, {more.text}")
            value = int(more.value)
        else:
            value = d
            steps.append(f"{d}")
    return steps, str(value)


KINDS: dict[str, Kind] = {
    "remainder": Kind(
        (1, 2, 3, 4, 5), draw_remainder, work_remainder, check_remainder,
        "What is the remainder when {0} is divided by {1}?\n{0} divided by {1} [leaves what|has which] remainder?\n[Find|What is] {0} mod {1}[?|.]\nWhat is {0} % {1}?\nDivide {0} by {1}. [What is|Give] the remainder[?|.]\nHow much remains [when|if] {0} is divided by {1}?\n{1} goes into {0} some times. What is left?\nGive the remainder of {0} / {1}.\nHow much is left over when {0} is split into parts of {1}?",
        "{0}除以{1}的余数是多少？\n求{0}除以{1}的余数。",
    ),
    "digit sum": Kind(
        (1, 2, 3), lambda rng, level, held_out: [rng.randint(10, 10 ** (1 + level + held_out) - 1) + 10**3 * 10 * held_out], work_digits, check_digits,
        "What is the [sum of the digits|digit sum] of {0}?\n[Add|Add up|Sum] the digits of {0}.\nFind the digit sum of {0}.\nHow much do the digits of {0} [add up to|come to]?\nTake the digits of {0} and add them[ up|].\nWhat do the digits of {0} make together?",
        "{0}的各位数字之和是多少？",
    ),
    "parity": Kind(
        (1, 2), lambda rng, level, held_out: [rng.randint(1000, 5000) if held_out else rng.randint(1, 999)], work_parity, lambda n: scratch.divide(n[0], 2).text,
        "Is {0} even or odd?\nIs the number {0} odd or even?\n[Even or odd|Odd or even]: {0}?\nIs {0} an even number or an odd [one|number]?\nSay whether {0} is even or odd.\nTell whether {0} is odd or even.",
        shape="word",
    ),
    "largest": Kind(
        (1, 2, 3, 4), draw_list, lambda n: best_of(n, ">"), lambda n: f"{max(n)} is above {' '.join(str(m) for m in sorted(n)[:-1])}",
        "Which [number |]is the [largest|greatest|biggest]: {l}?\n[What is|Find] the [largest|greatest] of {l}[?|.]\n[What is|Find] the maximum of {l}[?|.]\nOf {l}, which is the [largest|biggest|greatest][ number|]?\nOf {l}, what is the most?\nWhich of {l} is the [most|highest]?\n{l}: [give|name|say] the [largest|biggest].\nOf {l}, which is the most?",
        "{l}中最大的数是多少？",
    ),
    "smallest": Kind(
        (1, 2, 3, 4), draw_list, lambda n: best_of(n, "<"), lambda n: f"{min(n)} is below {' '.join(str(m) for m in sorted(n)[1:])}",
        "Which [number |]is the [smallest|least]: {l}?\n[What is|Find] the smallest of {l}[?|.]\n[What is|Find] the minimum of {l}[?|.]\nOf {l}, which is the [smallest|lowest][ number|]?\nOf {l}, what is the least?\nWhich of {l} is the [least|lowest]?\n{l}: [give|name|say] the smallest.\nOf {l}, which is the least?",
        "{l}中最小的数是多少？",
    ),
    "sort": Kind(
        (2, 3, 4, 5), draw_list, work_sort, check_sort,
        "Sort {l}[ from smallest to largest|].\nPut [these numbers|them] in [increasing|ascending] order: {l}.\nOrder {l} from least to greatest.\nArrange {l} in [rising|increasing] order.\nWrite {l} from the smallest to the largest.\nBring {l} into [rising|increasing] order.\nWrite {l} in [rising|ascending] order.\nWrite {l} so that each is larger than the one before.",
        "把{l}从小到大排列。", "list",
    ),
    "next": Kind(
        (1, 2, 3, 4, 5), draw_sequence, work_sequence, check_sequence,
        "What comes next: {l}[, ...|]?\n[Find|What is] the next [number|term] [in the sequence|of] {l}[, ...|].\n{l}, ?\nContinue the [sequence|pattern]: {l}, ...\nWhich [number|term] comes next: {l}?\nWhich [number|term] comes after {l}?\n{l}: which is next?\nWhat follows {l}?\nWhich number follows {l}?",
        "找规律：{l}，下一个数是多少？",
    ),
    "gcd": Kind(
        (2, 3, 4, 5), draw_pair, work_gcd, check_gcd,
        "What is the greatest common [divisor|factor] of {0} and {1}?\n[Find|What is|Compute] the [GCD|gcd|GCF] of {0} and {1}[?|.]\n[What is |]gcd({0}, {1})?\nWhat is the highest common factor of {0} and {1}?\nWhat is the biggest number that [divides|goes into] {0} and {1}?\nWhich is the largest [whole |]number that goes into both {0} and {1}?\nFind the largest [divisor|factor] that {0} and {1} [have in common|share].\nWhat is the greatest number that divides {0} and also {1}?\nWhat is the largest number that divides both {0} and {1}?",
        "{0}和{1}的最大公因数是多少？\n求{0}和{1}的最大公约数。",
    ),
    "lcm": Kind(
        (2, 3, 4, 5), draw_small_pair, work_lcm, check_lcm,
        "What is the least common multiple of {0} and {1}?\n[Find|What is|Compute] the [LCM|lcm] of {0} and {1}[?|.]\n[What is |]lcm({0}, {1})?\nFind the least common multiple of {0} and {1}.\nWhat is the smallest number that {0} and {1} [both divide|both go into]?\nWhich is the least number that is a multiple of {0} and of {1}?\nFind the smallest multiple that {0} and {1} [have in common|share].\nWhat is the least number that both {0} and {1} go into?\nWhat is the smallest number that both {0} and {1} divide?",
        "{0}和{1}的最小公倍数是多少？",
    ),
    "prime": Kind(
        (2, 3, 4, 5), draw_prime, work_prime, check_prime,
        "Is {0} [a prime number|prime|a prime]?\nTell me whether {0} is prime.\nIs the number {0} prime?\nDoes {0} have only 1 and itself as divisors?\nHas {0} no [factors|divisors] but itself and 1?\nCan one say that {0} is prime?\nDoes {0} have no divisors but 1 and itself?",
        shape="word",
    ),
    "factors": Kind(
        (2, 3, 4, 5), draw_factors, work_factors, check_factors,
        "[What is|Find] the prime factorization of {0}[?|.]\nFactor {0} into primes.\nWrite {0} as a product of primes.\nFind the prime factors of {0}.\nSplit {0} into primes.\nBreak {0} into prime factors.\nSplit {0} into prime factors.",
        shape="product",
    ),
    "multiples": Kind(
        (3, 4, 5), draw_multiples, work_multiples, check_remainder,
        "How many multiples of {1} are there from 1 to {0}?\nHow many numbers from 1 to {0} are divisible by {1}?\nHow many positive multiples of {1} are at most {0}?\nHow many numbers up to {0} does {1} divide?\nFrom 1 to {0}, how many numbers [are divisible by|are multiples of] {1}?\nCount the numbers from 1 to {0} that {1} divides.\nFrom 1 up to {0}, how many numbers does {1} divide?",
    ),
    "to base": Kind(
        (3, 4, 5), draw_base, work_to_base, lambda n: ", ".join(work_from_base(n)[0]),
        "[Write|Convert] {0} [in|to] base {1}.\nWhat is {0} in base {1}?\nWhat is the decimal number {0} written in base {1}?\nGive {0} in base {1}.\nHow does one write {0} in base {1}?\nWhat is the base {1} form of {0}?\nGive the base {1} form of {0}.",
    ),
    "from base": Kind(
        (3, 4, 5), draw_base, work_from_base, lambda n: ", ".join(work_to_base(n)[0]),
        "What is {b} in base {1} as a decimal number?\nConvert {b} from base {1} to [decimal|base ten].\nThe number {b} is written in base {1}. What is it in base ten?\n{b} is in base {1}. Which number is it?\nRead {b} in base {1}[ and give the number|]. What is it?\nWhich number is {b} in base {1}?\nRead {b} in base {1}. Which number is it?",
    ),
}  # fmt: skip


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    name = rng.choice([name for name, kind in KINDS.items() if level in kind.levels])
    kind = KINDS[name]
    # what is held out differs from training in its numbers or, always where the kind has no such numbers, in its wording
    new_numbers = held_out and kind.draw not in (draw_pair, draw_small_pair) and rng.random() < 0.6
    numbers = kind.draw(rng, level, new_numbers)
    facts: dict = {"kind": name, "numbers": numbers}
    lines = kind.wordings.splitlines()
    chosen = lines[-1] if held_out and not new_numbers else rng.choice(lines[:-1])
    if not held_out and kind.chinese and rng.random() < 0.15:
        chosen = rng.choice(kind.chinese.splitlines())
        facts["language"] = "zh"
    listed = ", ".join(map(str, numbers))
    if rng.random() < 0.4 and name not in ("next",) and "language" not in facts:
        listed = listed.rsplit(", ", 1)[0] + " and " + str(numbers[-1]) if len(numbers) > 1 else listed
    text = say(rng, chosen).format(*numbers, l=listed, b=to_base(*numbers) if "base" in name else "")
    return Problem(name, f"{name} {numbers}", user(text), facts | {"answer": kind.work(numbers)[1]})


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    facts = problem.facts
    kind, numbers = KINDS[facts["kind"]], facts["numbers"]
    steps, answer = kind.work(numbers)
    chinese = facts.get("language") == "zh"
    content = f"答案是{answer}。" if chinese else f"The answer is {answer}."
    if effort == "none":
        return [assistant(content)]
    if effort == "max":
        steps = [*steps, f"{'检验' if chinese else 'check'}: {kind.check(numbers)} ok, {answer}"]
    return [assistant(content, "\n".join(steps))]


def verify(problem: Problem, replies: list[Message], box: object) -> Verdict:
    content, facts = answer_of(replies)[-2000:], problem.facts
    answer, shape = facts["answer"], KINDS[facts["kind"]].shape
    no = Verdict(False, f"the answer is {answer}")
    if shape == "word":
        said = re.findall(r"\b(yes|no|even|odd|not (?:a )?prime|prime)\b", content.lower())
        same = {"yes": "yes", "prime": "yes", "not prime": "no", "not a prime": "no"}
        said = [same.get(word, word) for word in said if word in ("yes", "no", "even", "odd") or not {"yes", "no"} & set(said)]
        return Verdict(True) if set(said) == {answer} else no
    if shape == "list":
        found = list(map(int, re.findall(r"-?\d{1,20}", content.rpartition(":")[2] or content)))
        return Verdict(True) if found == list(map(int, answer.split(", "))) else no
    if shape == "product":
        return Verdict(True) if _factors(content) == sorted(map(int, answer.split("*"))) else no
    return verify_number(content, answer)


def _factors(content: str) -> list[int]:
    """The factors of the last product, 2^3*5 and 2 × 2 × 2 × 5 alike."""
    text = re.sub(r"\\times|\\cdot|[×·x]", "*", content).replace("{", "").replace("}", "").replace("**", "^").rpartition("=")[2]
    runs = re.findall(r"\d{1,9}(?:\s*\^\s*\d)?(?:\s*\*\s*\d{1,9}(?:\s*\^\s*\d)?)*", text)
    factors = []
    for part in re.split(r"\s*\*\s*", runs[-1]) if runs else []:
        base, _, power = part.partition("^")
        factors += [int(base)] * int(power or 1)
    return sorted(factors)


NUMBER_THEORY = Task("number_theory", "mathematics", 5, sample, solve, verify)
