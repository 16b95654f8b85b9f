"""How do one to three pieces become a function, its plan and its tests, and which combinations are held out?

A combination is held out if two of its pieces, in whatever order or distance, are a pair of the one in
`HELD_PAIRS` by hash that training never shows together.
"""

from __future__ import annotations

import copy
import random
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from itertools import combinations
from typing import Any

from finback.tasks.code.piece import Piece, lines, step
from finback.tasks.code.pieces_lists import LISTS
from finback.tasks.code.pieces_numbers import LOOPING, NUMBERS, SMALL
from finback.tasks.code.pieces_strings import STRINGS, WORDS
from finback.tasks.code.pieces_tables import TABLES
from finback.tasks.code.values import NAMES, PARAMETER_NAMES, empty, parameter, value

PIECES = {p.name: p for p in LISTS + NUMBERS + STRINGS + WORDS + TABLES}
BY_INPUT: dict[str, list[Piece]] = defaultdict(list)
for _piece in PIECES.values():
    BY_INPUT[_piece.takes].append(_piece)
STARTS = {"L": 40, "S": 18, "W": 16, "N": 12, "D": 6, "M": 5, "P": 3}
# The pieces that are drawn four times as often as others.
COMMON = set(
    "keep even|keep odd|keep positive|keep negative|keep > k|keep < k|keep multiples of k|drop k|square each|"
    "double each|times k|plus k|minus k|negate each|absolute values|mod k|to strings|sort up|sort down|reverse|"
    "first k|last k|drop first k|drop first|drop last|even positions|distinct|running sums|neighbour differences|"
    "append k|count each number|sum|product|largest|smallest|count|range|count even|count odd|count > k|count k|"
    "first|last|second largest|index of largest|average|is sorted|all even|any negative|all > k|contains k|"
    "has duplicates|sum of squares|digit sum|reverse digits|factorial|square|count digits|last digit|"
    "multiply by k|add k|subtract k|remainder|halve|digits|divisors|1 to n|evens to n|squares to n|is even|"
    "is odd|is prime|is multiple of k|is > k|to text|to binary|count divisors|sum to n|upper|lower|reverse text|"
    "drop vowels|drop spaces|keep letters|drop digits|drop letter|replace letter|first k characters|"
    "last k characters|repeat text|sort characters|distinct characters|append text|prepend text|text length|"
    "count vowels|count letter|count words|is palindrome|starts with|contains letter|split words|characters|"
    "word lengths|count characters|digit list|reverse words|title case|upper each|lower each|reverse each|"
    "first letters|lengths|keep longer than k|keep shorter than k|keep starting with|keep containing|sort words|"
    "sort by length|reverse list|distinct words|first k words|count strings|total length|longest|shortest|"
    "longest length|first string|last string|join|join with spaces|join with k|count each word|"
    "length of each word|group by first letter|keep values > k|double values|sort by value|values|keys|"
    "sum of values|largest value|key of largest|count entries|swap keys and values|has key|first parts|"
    "second parts|pairs by second|pairs to dict|totals by name|row sums|row maxima|column sums|flatten|transpose|"
    "sum of all|diagonal|reverse rows".split("|")
)
HELD_PAIRS = 6
CONTINUED = "NLSWDMPG"
TESTS = 8
LONGEST_RESULT = 1000  # characters of a test's result


@dataclass(frozen=True)
class Pipeline:
    """pieces with their parameters: for each, the values of `$k` and `$m`, and the names that they have as arguments
    of the function ("" where the value stands in the code)."""

    pieces: tuple[Piece, ...]
    values: tuple[tuple[Any, ...], ...]
    names: tuple[tuple[str, ...], ...]
    arg: str

    @property
    def args(self) -> list[str]:
        return [self.arg] + [n for names in self.names for n in names if n]

    @property
    def extra(self) -> list[Any]:
        """The values of the parameters that are arguments."""
        return [v for vs, ns in zip(self.values, self.names, strict=True) for v, n in zip(vs, ns, strict=True) if n]

    @property
    def kinds(self) -> list[str]:
        """The types of the arguments."""
        found = [kind for p, ns in zip(self.pieces, self.names, strict=True) for kind, n in zip(p.params, ns) if n]
        return [self.pieces[0].takes, *found]

    @property
    def key(self) -> str:
        return " > ".join(
            " ".join([p.name, *(n and "arg" or repr(v) for v, n in zip(vs, ns, strict=True))])
            for p, vs, ns in zip(self.pieces, self.values, self.names, strict=True)
        )

    @property
    def types(self) -> str:
        return ">".join([self.pieces[0].takes, *(p.gives for p in self.pieces)])

    def words(self, i: int) -> dict[str, str]:
        """What `$k` and `$m` of piece i read as, in code and in words."""
        shown = [n or repr(v) for v, n in zip(self.values[i], self.names[i], strict=True)]
        return dict(zip("km", shown, strict=False))

    def label(self, i: int) -> str:
        return re.sub(r"\b[km]\b", lambda m: self.words(i).get(m[0], m[0]), self.pieces[i].name)

    def blocks(self) -> list[list[str]]:
        """The lines of each piece."""
        found, v = [], self.arg
        for i, p in enumerate(self.pieces):
            found.append(lines(p, v, self.words(i), i == len(self.pieces) - 1))
            v = p.var
        return found

    def states(self, start: Any, extra: list[Any] | None = None) -> list[Any]:
        """The value after each piece. Raises whatever the pieces raise."""
        given = iter(self.extra if extra is None else extra)
        found = []
        for p, vs, ns in zip(self.pieces, self.values, self.names, strict=True):
            k, m, *_ = [next(given) if n else v for v, n in zip(vs, ns, strict=True)] + [None, None]
            if isinstance(start, int) and p.name in LOOPING and not -SMALL < start < SMALL:
                raise OverflowError
            start = step(p)(start, k, m)
            if isinstance(start, int) and not -(10**12) < start < 10**12:
                raise OverflowError
            found.append(start)
        return found


@cache
def held_pair(a: str, b: str) -> bool:
    first, second = sorted((a, b))
    return sha256(f"{first} + {second}".encode()).digest()[0] % HELD_PAIRS == 0


def held_composition(names: list[str]) -> bool:
    return any(held_pair(a, b) for a, b in combinations(names, 2))


@dataclass(frozen=True)
class Drawn:
    """A pipeline with examples fit to be shown and traced, and hidden tests: (arguments, result) each."""

    pipeline: Pipeline
    examples: list[tuple[list[Any], Any]] = field(default_factory=list)
    tests: list[tuple[list[Any], Any]] = field(default_factory=list)


def draw_pipeline(rng: random.Random, size: int, held_out: bool) -> Drawn:
    """A pipeline of a number of pieces in which every piece matters; held_out: (for two or more) of a held-out pair."""
    while True:
        kind = rng.choices(list(STARTS), list(STARTS.values()))[0]
        pieces: list[Piece] = []
        while len(pieces) < size:
            last = len(pieces) == size - 1
            options = [p for p in BY_INPUT[pieces[-1].gives if pieces else kind] if last or p.gives in CONTINUED]
            pieces.append(rng.choices(options, [4 if p.name in COMMON else 1 for p in options])[0])
        names = [p.name for p in pieces]
        if len(set(names)) < size or (size > 1 and held_composition(names) != held_out):
            continue
        drawn = _with_tests(rng, _named(rng, tuple(pieces)))
        if drawn:
            return drawn


def _named(rng: random.Random, pieces: tuple[Piece, ...]) -> Pipeline:
    arg = rng.choice(NAMES[pieces[0].takes])
    taken = {arg} | {p.var for p in pieces}
    values, names = [], []
    as_arguments = rng.random() < 0.3
    for p in pieces:
        found, called = [], []
        for kind in p.params:
            found.append(parameter(rng, kind))
            free = [n for n in PARAMETER_NAMES[kind] if n not in taken]
            called.append(rng.choice(free) if as_arguments and free and len(called) < 2 else "")
            taken.add(called[-1])
        if len(found) == 2 and p.params == "ii" and found[0] > found[1]:
            found.reverse()
        values.append(tuple(found))
        names.append(tuple(called))
    return Pipeline(pieces, tuple(values), tuple(names), arg)


def _with_tests(rng: random.Random, pipeline: Pipeline) -> Drawn | None:
    """None where the pieces do not fit: a step that never changes anything, results that hardly vary, errors."""
    kind = pipeline.pieces[0].takes
    hint = " ".join(p.code for p in pipeline.pieces)
    runs = []
    for i in range(TESTS + 10):
        start = value(rng, kind, hint, short=i < 6)
        extra = pipeline.extra
        if i >= 6 and extra and rng.random() < 0.5:
            extra = [parameter(rng, k) for k in pipeline.kinds[1:]]
        if i == TESTS + 9:
            start = empty(kind)
        try:
            states = pipeline.states(start, extra)
        except (ArithmeticError, IndexError, KeyError, TypeError, ValueError):
            continue
        if len(repr(states[-1])) <= LONGEST_RESULT:
            runs.append(([start, *extra], states))
    if not agrees(pipeline, runs):
        return None
    results = [repr(states[-1]) for _, states in runs]
    if len(runs) < TESTS or len(set(results)) < (2 if pipeline.pieces[-1].gives == "B" else 4):
        return None
    for i in range(len(pipeline.pieces)):
        before = [repr(states[i - 1] if i else args[0]) for args, states in runs]
        if sum(repr(states[i]) != b for (_, states), b in zip(runs, before, strict=True)) < 2:
            return None
    for i in range(len(pipeline.pieces) - 1):  # a piece that could be left out is not needed
        if not _matters(pipeline, i, runs):
            return None
    most = max(results.count(r) for r in results)
    if most > len(runs) * 0.7:
        return None
    fit = [i for i in range(min(6, len(runs))) if len(repr(runs[i])) < 60 + 60 * len(pipeline.pieces)]
    if len(fit) < 2:
        return None
    fit = sorted(fit, key=lambda i: _tells(*runs[i]))[:3]
    rest = [(args, states[-1]) for i, (args, states) in enumerate(runs) if i not in fit]
    return Drawn(pipeline, [(runs[i][0], runs[i][1][-1]) for i in fit], rest)


def agrees(pipeline: Pipeline, runs: list[tuple[list[Any], list[Any]]]) -> bool:
    """Whether the pieces do in one function what they do alone: not where one uses a name that another still needs."""
    space: dict[str, Any] = {}
    body = [line for block in pipeline.blocks() for line in block]
    exec(f"def whole({', '.join(pipeline.args)}):\n" + "".join(f"    {line}\n" for line in body), space)
    for args, states in runs:
        try:
            if repr(space["whole"](*copy.deepcopy(args))) != repr(states[-1]):
                return False
        except Exception:  # whatever comes of the wrong names
            return False
    return True


def _tells(args: list[Any], states: list[Any]) -> int:
    """How little an example says: steps that change nothing, a result that is empty."""
    chain = [args[0], *states]
    return sum(a == b for a, b in zip(chain, chain[1:], strict=False)) + (chain[-1] in (0, [], "", {}, False))


def _matters(pipeline: Pipeline, i: int, runs: list[tuple[list[Any], list[Any]]]) -> bool:
    """Whether leaving piece i out, where the types allow it, changes a result."""
    if pipeline.pieces[i].takes != pipeline.pieces[i].gives:
        return True
    pick = [j for j in range(len(pipeline.pieces)) if j != i]
    short = Pipeline(
        tuple(pipeline.pieces[j] for j in pick), tuple(pipeline.values[j] for j in pick),
        tuple(("",) * len(pipeline.names[j]) for j in pick), pipeline.arg,
    )  # fmt: skip
    for args, states in runs:
        if args[1:] != pipeline.extra:
            continue
        try:
            if repr(short.states(args[0])[-1]) != repr(states[-1]):
                return True
        except (ArithmeticError, IndexError, KeyError, TypeError, ValueError):
            return True
    return False
