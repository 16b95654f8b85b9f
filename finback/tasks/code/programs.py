"""Which small programs are there to be run in the head?

A program is made of one to three blocks (assignments, a branch, a loop, a function) that work on shared variables.
Names are written `$a`, `$l`, ... and chosen at the end, so that a program has one canonical text. Every block has a
structure (its kind and the kinds of its parts); one structure in `HELD_BLOCKS` by hash is never trained.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from finback.tasks.code.values import WORDS

HELD_BLOCKS = 6
NAMES = {
    "a": ["a", "x", "n", "num", "value", "p", "left", "first"],
    "b": ["b", "y", "m", "k", "other", "q", "right", "second"],
    "t": ["total", "result", "acc", "t", "out", "res", "r", "answer"],
    "c": ["count", "hits", "cnt", "steps", "found"],
    "l": ["nums", "items", "data", "lst", "values", "xs", "arr"],
    "o": ["new", "kept", "rows", "made", "parts"],
    "s": ["s", "text", "word", "name", "line"],
    "u": ["u", "code", "built", "mirror", "tag"],
    "w": ["words", "names", "tokens", "labels"],
    "d": ["d", "table", "counts", "seen", "stock"],
    "i": ["i", "j", "pos", "idx"],
    "j": ["jj", "col", "inner", "step"],
    "e": ["e", "v", "z", "item", "elem"],
    "h": ["ch", "letter", "char"],
    "g": ["w", "tok", "entry"],
    "f": ["f", "g", "step_up", "change", "calc", "go"],
}


@dataclass(frozen=True)
class Block:
    """lines with `$` names; structure: its kinds; needs: variables to be set before and the kinds of their values."""

    lines: list[str]
    structure: str
    needs: dict[str, str]
    shows: list[str]


def held(block: Block) -> bool:
    return sha256(block.structure.encode()).digest()[0] % HELD_BLOCKS == 0


def arithmetic(rng: random.Random) -> Block:
    k = rng.randint(2, 5)
    forms = {
        "add": f"$a = $a + {k}", "times": f"$a = $a * {k}", "minus": f"$b = $b - {k}", "sum": "$a = $a + $b",
        "difference": "$b = $a - $b", "plus": f"$b += {k}", "double": "$a *= 2", "swap": "$a, $b = $b, $a",
        "mod": f"$b = $a % {k}", "half": "$a = $a // 2", "mixed": f"$a = $a * {k} + $b", "step": "$a, $b = $b, $a + $b",
        "max": "$b = max($a, $b)", "min": "$a = min($a, $b)", "square": "$b = $b * $b", "far": "$a = abs($a - $b)",
    }  # fmt: skip
    chosen = rng.sample(list(forms), rng.randint(2, 3))
    return Block([forms[c] for c in chosen], "set " + " ".join(chosen), {"a": "n", "b": "n"}, ["$a", "$b"])


def strings(rng: random.Random) -> Block:
    k = rng.randint(1, 3)
    x = rng.choice("abcxyz")
    forms = {
        "append": f"$s = $s + '{x}'", "front": f"$s = '{x}' + $s", "upper": "$s = $s.upper()",
        "reverse": "$s = $s[::-1]",
        "drop": f"$s = $s[{k}:]", "take": f"$s = $s[:{k + 1}]", "ends": "$u = $s[0] + $s[-1]", "twice": "$s = $s * 2",
        "length": "$a = len($s)", "replace": f"$s = $s.replace($s[0], '{x}')", "count": "$a = $s.count($s[0])",
        "index": f"$u = $s[{k}]",
    }  # fmt: skip
    chosen = rng.sample(list(forms), rng.randint(2, 3))
    lines = [forms[c] for c in chosen]
    shows = [v for v in ("$s", "$u", "$a") if any(line.startswith(v + " ") for line in lines)]
    return Block(lines, "text " + " ".join(chosen), {"s": "s"}, shows)


def lists(rng: random.Random) -> Block:
    k, i = rng.randint(1, 9), rng.randint(0, 2)
    forms = {
        "append": f"$l.append({k})", "set": f"$l[{i}] = {k}", "raise": f"$l[{i}] += {k}", "pop": "$a = $l.pop()",
        "sort": "$l.sort()", "sorted": "$l = sorted($l)", "reverse": "$l = $l[::-1]", "tail": "$l = $l[1:]",
        "sum": "$a = sum($l)", "max": "$a = max($l)", "len": "$a = len($l)", "item": f"$a = $l[{i}]",
        "join": f"$l = $l + [{k}]",
        "last": "$a = $l[-1]", "insert": f"$l.insert(0, {k})", "remove": "$l.remove(min($l))", "copy": "$l[0] = $l[-1]",
    }  # fmt: skip
    chosen = rng.sample(list(forms), rng.randint(2, 3))
    lines = [forms[c] for c in chosen]
    shows = ["$l"] + (["$a"] if any(line.startswith("$a ") for line in lines) else [])
    return Block(lines, "list " + " ".join(chosen), {"l": "l"}, shows)


def dicts(rng: random.Random) -> Block:
    key, k = "$key", rng.randint(1, 9)
    forms = {
        "set": f"$d['{rng.choice('xyz')}'] = {k}", "raise": f"$d[{key}] += {k}", "double": f"$d[{key}] = $d[{key}] * 2",
        "get": "$a = $d.get('q', 0)", "item": f"$a = $d[{key}]", "len": "$a = len($d)", "sum": "$a = sum($d.values())",
        "keys": "$l = list($d)", "has": "$a = 'x' in $d",
    }  # fmt: skip
    chosen = rng.sample(list(forms), rng.randint(2, 3))
    lines = [forms[c] for c in chosen]
    shows = ["$d"] + [v for v in ("$a", "$l") if any(line.startswith(v + " ") for line in lines)]
    return Block(lines, "dict " + " ".join(chosen), {"d": "d"}, shows)


CONDITIONS = {
    "n": {"even": "$e % 2 == 0", "odd": "$e % 2 == 1", "above": "$e > {k}", "below": "$e < {k}", "not": "$e != {k}",
        "by3": "$e % 3 == 0"},
    "h": {"is": "$h == '{x}'", "not": "$h != '{x}'", "vowel": "$h in 'aeiou'", "before": "$h < 'm'"},
    "g": {"long": "len($g) > 3", "short": "len($g) < 5", "letter": "$g[0] == '{x}'", "has": "'{x}' in $g"},
}  # fmt: skip
# What a loop does with an element: the line, and which variables it needs and shows.
ACTIONS = {
    "n": {
        "sum": ("$t += $e", "t"), "scaled": ("$t += $e * {m}", "t"), "count": ("$c += 1", "c"),
        "append": ("$o.append($e)", "o"),
        "append more": ("$o.append($e + {m})", "o"), "append times": ("$o.append($e * {m})", "o"),
        "minus": ("$t -= $e", "t"),
        "front": ("$o = [$e] + $o", "o"), "write": ("$u += str($e)", "u"), "print": ("print($e)", ""),
        "largest": ("$t = max($t, $e)", "t"),
        "set": ("$t = $e", "t"), "mix": ("$t = $t * 2 + $e", "t"), "note": ("$m[$e] = $e * {m}", "m"),
    },
    "h": {
        "join": ("$u = $u + $h", "u"), "front": ("$u = $h + $u", "u"), "upper": ("$u += $h.upper()", "u"),
        "count": ("$c += 1", "c"),
        "twice": ("$u += $h * 2", "u"), "append": ("$o.append($h)", "o"), "tally": ("$m[$h] = $m.get($h, 0) + 1", "m"),
        "dash": ("$u += $h + '-'", "u"),
    },
    "g": {
        "join": ("$u += $g[0]", "u"), "lengths": ("$t += len($g)", "t"), "append": ("$o.append(len($g))", "o"),
        "count": ("$c += 1", "c"),
        "upper": ("$o.append($g.upper())", "o"), "note": ("$m[$g] = len($g)", "m"), "print": ("print($g)", ""),
        "turn": ("$o.append($g[::-1])", "o"),
    },
}  # fmt: skip
STARTS = {"t": "0", "c": "0", "o": "[]", "u": "''", "m": "{}"}
SOURCES = {
    "n": {
        "list": ("$e in $l", {"l": "l"}), "range": ("$e in range({k})", {}),
        "range from": ("$e in range({m}, {m} + {j})", {}),
        "backwards": ("$e in $l[::-1]", {"l": "l"}), "tail": ("$e in $l[1:]", {"l": "l"}),
        "sorted": ("$e in sorted($l)", {"l": "l"}),
        "steps": ("$e in range(0, {k} * 2, 2)", {}), "index": ("$i, $e in enumerate($l)", {"l": "l"}),
        "values": ("$e in $d.values()", {"d": "d"}),
    },
    "h": {"text": ("$h in $s", {"s": "s"}), "backwards": ("$h in $s[::-1]", {"s": "s"}),
        "tail": ("$h in $s[1:]", {"s": "s"})},
    "g": {"words": ("$g in $w", {"w": "w"}), "backwards": ("$g in $w[::-1]", {"w": "w"}),
        "keys": ("$g in $d", {"d": "d"})},
}  # fmt: skip


def loop(rng: random.Random) -> Block:
    kind = rng.choices(["n", "h", "g"], [6, 3, 2])[0]
    source = rng.choice(list(SOURCES[kind]))
    head, needs = SOURCES[kind][source]
    action, other = rng.sample(list(ACTIONS[kind]), 2)
    k, m, j, x = rng.randint(3, 5), rng.randint(2, 4), rng.randint(3, 4), rng.choice("aeblrst")
    branch = rng.choice(["", "", "if", "if", "else", "continue", "break", "after"])
    condition = rng.choice(list(CONDITIONS[kind])) if branch and branch != "after" else ""
    line, shows = ACTIONS[kind][action]
    second, also = ACTIONS[kind][other]
    test = CONDITIONS[kind].get(condition, "")
    body = {
        "": [line], "after": [line, second], "if": [f"if {test}:", f"    {line}"],
        "else": [f"if {test}:", f"    {line}", "else:", f"    {second}"],
        "continue": [f"if {test}:", "    continue", line], "break": [f"if {test}:", "    break", line],
    }[branch]  # fmt: skip
    used = list(dict.fromkeys(v for v in shows + (also if branch in ("else", "after") else "")))
    lines = [f"${v} = {STARTS[v]}" for v in used] + [f"for {head}:"] + [f"    {b}" for b in body]
    for name, value in (("{k}", k), ("{m}", m), ("{j}", j), ("{x}", x)):
        lines = [text.replace(name, str(value)) for text in lines]
    structure = f"for {kind} {source} {branch} {condition} {action} {other if branch in ('else', 'after') else ''}"
    return Block(lines, structure, needs, [f"${v}" for v in used])


def branch(rng: random.Random) -> Block:
    k, m = rng.randint(2, 9), rng.randint(1, 5)
    tests = {"more": "$a > $b", "less": "$a < $b", "even": "$a % 2 == 0", "big": f"$a > {k}",
        "sum": f"$a + $b > {k + 3}", "same": "$a == $b", "and": f"$a > {m} and $b > {m}", "or": f"$a > {k} or $b < {m}",
        "not": f"not $a > {k}"}
    acts = {"add": f"$a = $a + {m}", "minus": "$a = $a - $b", "times": f"$b = $b * {m}", "zero": "$b = 0",
        "swap": "$a, $b = $b, $a", "sum": "$t = $a + $b", "word": f"$t = '{rng.choice(WORDS)}'"}
    test, second = rng.sample(list(tests), 2)
    first, then, last = rng.sample(list(acts), 3)
    shape = rng.choice(["if", "else", "else", "elif"])
    lines = ["$t = 0", f"if {tests[test]}:", f"    {acts[first]}"]
    if shape == "elif":
        lines += [f"elif {tests[second]}:", f"    {acts[last]}"]
    if shape != "if":
        lines += ["else:", f"    {acts[then]}"]
    more = {"if": "", "else": then, "elif": f"{then} {second} {last}"}[shape]
    structure = f"branch {shape} {test} {first} {more}"
    return Block(lines, structure, {"a": "n", "b": "n"}, ["$a", "$b", "$t"])


def while_loop(rng: random.Random) -> Block:
    k, m, top = rng.randint(2, 3), rng.randint(2, 4), rng.randint(10, 30)
    shapes = {
        "grow": (["while $a < {top}:", "    $a = $a * {k} + 1"], ["$a"]),
        "grow count": (["$c = 0", "while $a < {top}:", "    $a += {m}", "    $c += 1"], ["$a", "$c"]),
        "digits": (["$a = $a * 10 + $b", "$t = 0", "while $a > 0:", "    $t += $a % 10", "    $a = $a // 10"], ["$t"]),
        "halve": (["$a = {top}", "$c = 0", "while $a > 1:", "    $a = $a // 2", "    $c += 1"], ["$c"]),
        "halve list": (["$a = {top}", "$o = []", "while $a > 0:", "    $o.append($a % 2)", "    $a = $a // 2"], ["$o"]),
        "down": (["$t = 0", "while $a > 0:", "    $t += $a", "    $a -= {k}"], ["$t", "$a"]),
        "pop": (["$t = 0", "while $l:", "    $t += $l.pop()"], ["$t", "$l"]),
        "pop big": (["$o = []", "while len($l) > 1:", "    $o.append($l.pop(0))"], ["$o", "$l"]),
        "gcd": (["$a = $a + {top}", "while $b > 0:", "    $a, $b = $b, $a % $b"], ["$a"]),
        "fibonacci": (["$a, $b = 0, 1", "while $b < {top}:", "    $a, $b = $b, $a + $b"], ["$a", "$b"]),
        "cut": (["$c = 0", "while len($s) > 1:", "    $s = $s[{cut}:]", "    $c += 1"], ["$s", "$c"]),
        "collatz": (["$c = 0", "while $a != 1 and $c < 6:", "    if $a % 2 == 0:", "        $a = $a // 2", "    else:",
            "        $a = 3 * $a + 1", "    $c += 1"], ["$a", "$c"]),
        "meet": (["while $a < $b:", "    $a += {k}", "    $b -= 1"], ["$a", "$b"]),
        "true": (["while True:", "    $a += {m}", "    if $a > {top}:", "        break"], ["$a"]),
    }  # fmt: skip
    shape = rng.choice(list(shapes))
    lines, shows = shapes[shape]
    for name, value in (("{k}", k), ("{m}", m), ("{top}", top), ("{cut}", rng.randint(1, 2))):
        lines = [text.replace(name, str(value)) for text in lines]
    text = " ".join(lines)
    needs = {v: kind for v, kind in (("a", "n"), ("b", "n"), ("l", "l"), ("s", "s")) if f"${v}" in text}
    return Block(lines, f"while {shape} {k if shape in ('grow', 'down', 'meet') else ''}", needs, shows)


def nested(rng: random.Random) -> Block:
    k, m = rng.randint(2, 3), rng.randint(2, 3)
    inner = rng.choice([f"range({m})", "range($i + 1)", "range($i)"])
    acts = {"sum": ("$t += $i * $j", "t"), "add": ("$t += $i + $j", "t"), "count": ("$c += 1", "c"),
        "append": ("$o.append($i * $j)", "o"), "tuple": ("$o.append($i + $j)", "o"), "write": ("$u += str($j)", "u"),
        "print": ("print($i, $j)", "")}
    act = rng.choice(list(acts))
    line, v = acts[act]
    guard = rng.choice(["", "", "if $i != $j:", "if $j > 0:"])
    body = [f"        {line}"] if not guard else [f"        {guard}", f"            {line}"]
    lines = ([f"${v} = {STARTS[v]}"] if v else []) + [f"for $i in range({k}):", f"    for $j in {inner}:", *body]
    return Block(lines, f"nested {inner} {act} {guard}", {}, [f"${v}"] if v else [])


def function(rng: random.Random) -> Block:
    k, m, j = rng.randint(2, 4), rng.randint(1, 5), rng.randint(2, 6)
    bodies = {
        "linear": ([f"return $e * {k} + {m}"], "n"), "square": (["return $e * $e"], "n"),
        "less": ([f"return $e - {m}"], "n"),
        "branch": ([f"if $e > {j}:", f"    return $e - {m}", f"return $e * {k}"], "n"),
        "even": (["if $e % 2 == 0:", "    return $e // 2", "return $e + 1"], "n"),
        "rest": ([f"return $e % {k}"], "n"),
        "sign": ([f"if $e < {j}:", "    return 0", "return 1"], "n"),
        "down": (["if $e <= 0:", "    return 0", "return $e + $f($e - 1)"], "r"),
        "twice": (["if $e <= 1:", "    return 1", f"return {k} * $f($e - 1)"], "r"),
        "halves": (["if $e < 2:", "    return 0", "return 1 + $f($e // 2)"], "r"),
        "skip": (["if $e <= 0:", "    return 0", f"return $e + $f($e - {k})"], "r"),
        "list": (["if $e == 0:", "    return []", "return $f($e - 1) + [$e]"], "r"),
        "back": (["if $e == '':", "    return ''", "return $f($e[1:]) + $e[0]"], "s"),
        "len": (["if $e == '':", "    return 0", "return 1 + $f($e[1:])"], "s"),
        "wrap": (["return $e[0] + $e[-1]"], "t"), "twins": (["return $e + $e[::-1]"], "t"),
        "loud": (["return $e.upper() + '!'"], "t"),
    }  # fmt: skip
    name = rng.choice(list(bodies))
    body, kind = bodies[name]
    uses = {
        "n": {"print": ["print($f({j}))"], "twice": ["$t = $f($f({j}))"], "sum": ["$t = $f({j}) + $f({k})"],
            "loop": ["$t = 0", "for $i in range({k}):", "    $t += $f($i)"],
            "list": ["$o = [$f($i) for $i in range({k} + 1)]"], "set": ["$a = $f($a)", "$a = $f($a)"]},
        "r": {"print": ["print($f({k} + 1))"], "set": ["$t = $f({k})"], "plus": ["$t = $f({k} + 1)", "print($t)"]},
        "s": {"print": ["print($f('{w}'))"], "set": ["$u = $f('{w}')"]},
        "t": {"print": ["print($f('{v}'))"], "set": ["$u = $f('{v}')"], "twice": ["$u = $f($f('{v}'))"]},
    }[kind]  # fmt: skip
    use = rng.choice(list(uses))
    lines = [f"def $f($e):", *(f"    {b}" for b in body), *uses[use]]
    for label, value in (("{k}", k), ("{m}", m), ("{j}", j), ("{w}", "".join(rng.sample("abcdefg", rng.randint(2, 3)))),
    ("{v}", rng.choice(WORDS))):
        lines = [text.replace(label, str(value)) for text in lines]
    shows = [v for v in ("$t", "$o", "$u", "$a") if any(line.startswith(v + " ") for line in lines)]
    return Block(lines, f"def {name} {use}", {"a": "n"} if use == "set" and kind == "n" else {}, shows)


BLOCKS: dict[int, list[tuple[Callable[[random.Random], Block], int]]] = {
    1: [(arithmetic, 2), (strings, 2), (lists, 2), (dicts, 1), (branch, 2), (loop, 2)],
    2: [(loop, 5), (while_loop, 3), (function, 3), (nested, 1)],
    3: [(loop, 4), (while_loop, 2), (function, 3), (nested, 1), (branch, 2), (lists, 1), (strings, 1), (dicts, 1)],
}


def initial(rng: random.Random, kind: str) -> str:
    if kind == "n":
        return str(rng.randint(1, 9))
    if kind == "l":
        return repr([rng.randint(0, 9) for _ in range(rng.randint(3, 5))])
    if kind == "s":
        return repr(rng.choice([w for w in WORDS if 3 <= len(w) <= 5]))
    if kind == "w":
        return repr(rng.sample(WORDS, rng.randint(2, 3)))
    return repr(dict(zip(rng.sample("abcdxyz", rng.randint(2, 3)), (rng.randint(1, 9) for _ in range(3)),
        strict=False)))


@dataclass(frozen=True)
class Program:
    """code: as shown. canonical: before names were chosen. structures: those of its blocks."""

    code: str
    canonical: str
    structures: tuple[str, ...]

    @property
    def kind(self) -> str:
        return " / ".join(structure.split(" ")[0] for structure in self.structures)


def draw_program(rng: random.Random, level: int, held_out: bool) -> Program:
    """One block at levels 1 and 2, two at level 3; held_out: with a block whose structure is never trained."""
    while True:
        makers, weights = zip(*BLOCKS[level], strict=True)
        blocks = [m(rng) for m in rng.choices(makers, weights, k=2 if level == 3 else 1)]
        if any(map(held, blocks)) == held_out:
            break
    lines: list[str] = []
    known: dict[str, str] = {}
    for block in blocks:
        for v, kind in block.needs.items():
            if f"${v} = " not in "\n".join(lines):
                known[v] = initial(rng, kind)
                lines.append(f"${v} = {known[v]}")
        lines += block.lines
    keys = re.findall(r"'(\w+)':", known.get("d", ""))
    lines = [line.replace("$key", repr(rng.choice(keys))) if keys else line for line in lines]
    shows = list(dict.fromkeys(v for block in blocks for v in block.shows))
    if shows and not (lines[-1].startswith("print") and rng.random() < 0.5):
        some = rng.sample(shows, min(len(shows), rng.choice([1, 1, 2, 3])))
        lines += [f"print({', '.join(some)})"] if rng.random() < 0.7 else [f"print({v})" for v in some]
    canonical = "\n".join(lines)
    code = canonical.replace("$m", "$d2")
    taken: set[str] = set()
    for v, names in {**NAMES, "d2": ["freq", "notes", "tally", "pairs"]}.items():
        if f"${v}" in code:
            name = rng.choice([n for n in names if n not in taken])
            taken.add(name)
            code = re.sub(rf"\${v}(?![a-z0-9])", name, code)
    return Program(code, canonical, tuple(b.structure for b in blocks))
