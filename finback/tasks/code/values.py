"""Which inputs are a function of a given type tried on, and what are its arguments called?"""

from __future__ import annotations

import random
from typing import Any

NAMES = {
    "N": ["n", "num", "number", "value", "m", "val"],
    "L": ["nums", "numbers", "values", "arr", "lst", "data", "items", "xs", "a", "seq", "array", "ints"],
    "S": ["s", "text", "string", "word", "line", "st", "phrase", "message"],
    "W": ["strings", "names", "lst", "items", "tokens", "texts", "labels", "arr"],
    "D": ["d", "table", "scores", "prices", "stock", "dic", "data", "ages"],
    "M": ["matrix", "grid", "m", "mat", "rows", "board"],
    "P": ["pairs", "records", "tuples", "entries", "items", "sales"],
}
PARAMETER_NAMES = {
    "n": ["k", "n", "count", "size", "step"],
    "i": ["limit", "bound", "target", "t", "low", "high", "threshold"],
    "d": ["digit", "d", "last"],
    "c": ["ch", "char", "letter", "old", "new"],
    "w": ["word", "suffix", "part", "extra", "name"],
    "s": ["sep", "glue", "mark", "between"],
}
KINDS_EN = {
    "N": "an integer", "L": "a list of integers", "S": "a string", "W": "a list of strings",
    "D": "a dictionary from strings to integers", "M": "a matrix (a list of lists of integers)",
    "P": "a list of (name, number) pairs",
    "n": "an integer", "i": "an integer", "d": "a digit", "c": "a character", "w": "a string", "s": "a string",
}  # fmt: skip
KINDS_ZH = {
    "N": "整数", "L": "整数列表", "S": "字符串", "W": "字符串列表", "D": "字典（字符串到整数）",
    "M": "矩阵（整数列表的列表）",
    "P": "（名字, 数）对的列表", "n": "整数", "i": "整数", "d": "数字", "c": "字符", "w": "字符串", "s": "字符串",
}  # fmt: skip
ANNOTATIONS = {
    "N": "int", "L": "list[int]", "S": "str", "W": "list[str]", "D": "dict[str, int]", "M": "list[list[int]]",
    "P": "list[tuple[str, int]]", "n": "int", "i": "int", "d": "int", "c": "str", "w": "str", "s": "str",
}  # fmt: skip
WORDS = (
    "apple banana cat dog egg fish tree river stone cloud moon sun star bird lake hill road town ship rain snow wind "
    "leaf root seed corn rice milk bread salt gold iron wood wool silk lamp book pen desk door key ring bell drum "
    "level noon kayak radar eve civic blue red green pink gray ant bee cow owl pig tea pear plum mint oak elm"
).split()
LETTERS = "aeiostrnlbdgmp"


def word(rng: random.Random) -> str:
    text = rng.choice(WORDS)
    draw = rng.random()
    if draw < 0.15:
        return text.capitalize()
    return text.upper() if draw < 0.2 else text


def integer(rng: random.Random) -> int:
    draw = rng.random()
    return rng.randint(-9, -1) if draw < 0.15 else rng.randint(0, 9) if draw < 0.75 else rng.randint(10, 30)


def text(rng: random.Random, hint: str, short: bool) -> str:
    """hint: the code that will read it; text with commas, digits or runs where that looks for them."""
    if '","' in hint:
        parts = [str(rng.randint(0, 30)) if rng.random() < 0.6 else word(rng) for _ in range(rng.randint(1, 4))]
        return ",".join(parts)
    draw = rng.random()
    if draw < 0.3 + 0.4 * ("digit" in hint):
        size = rng.randint(2, 6)
        return "".join(rng.choice("abcxyzAB") if rng.random() < 0.5 else str(rng.randint(0, 9)) for _ in range(size))
    if draw < 0.4 + 0.3 * ("- 1]" in hint):
        return "".join(rng.choice("abc") * rng.randint(1, 3) for _ in range(rng.randint(1, 4)))
    words = 1 if draw < 0.6 and "split" not in hint else rng.randint(2, 3 if short else 5)
    return " ".join(word(rng) for _ in range(words))


def value(rng: random.Random, kind: str, hint: str = "", short: bool = False) -> Any:
    """An input of a type; short: one that fits a trace, and is not empty."""
    size = rng.randint(3, 5) if short else rng.randint(1, 8)
    if kind == "N":
        return rng.randint(1, 12) if "range" in hint else rng.choice([rng.randint(0, 30), rng.randint(10, 999)])
    if kind == "L":
        items = [integer(rng) for _ in range(size)]
        if rng.random() < 0.4 and size > 1:
            items[rng.randrange(size)] = items[0]
        return sorted(items) if rng.random() < 0.1 else items
    if kind == "S":
        return text(rng, hint, short)
    if kind == "W":
        items = [word(rng) for _ in range(size)]
        if rng.random() < 0.4 and size > 1:
            items[-1] = items[0]
        return items
    if kind == "D":
        return {word(rng).lower(): rng.randint(1, 20) for _ in range(size)}
    if kind == "P":
        names = rng.sample(WORDS, 3)
        return [(rng.choice(names), rng.randint(1, 20)) for _ in range(size)]
    if kind == "M":
        rows = rng.randint(2, 3)
        columns = rows if rng.random() < 0.5 else rng.randint(2, 3 if short else 4)
        return [[rng.randint(0, 9) for _ in range(columns)] for _ in range(rows)]
    raise ValueError(f"there are no inputs of type {kind!r}")


def empty(kind: str) -> Any:
    return {"N": 0, "L": [], "S": "", "W": [], "D": {}, "M": [], "P": []}[kind]


def parameter(rng: random.Random, kind: str) -> Any:
    if kind == "n":
        return rng.randint(2, 5)
    if kind in "id":
        return rng.randint(0, 9) if kind == "d" else rng.randint(1, 12)
    if kind == "c":
        return rng.choice(LETTERS)
    if kind == "w":
        return rng.choice([rng.choice(WORDS), rng.choice(["s", "ed", "!", "ing", "un", "re", "x"])])
    return rng.choice(["-", "_", ", ", "/", " ", "+", ":"])
