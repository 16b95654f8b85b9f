"""What is a piece of a pipeline: an operation from one value to another, its Python and its words?

Types are one letter: N an int, L a list of ints, S a string, W a list of strings, D a dict from strings to ints,
M a list of lists of ints, P a list of (string, int) pairs, G a dict of lists; B a bool, F a float and T another
dict or list end a pipeline. `$v` is the value that comes in, `$o` the name of what goes out, `$k` and `$m` parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

# Kinds of parameters: n a small count, i a threshold, d a digit, c a letter, w a word, s a separator.
PARAMETERS = "nidcws"


@dataclass(frozen=True)
class Piece:
    """name: its label in plans. code: an expression, or lines that set `$o`. do: what it does, as a command; of: its
    result, as a noun around `$v` ("" where that reads badly); zh: do in Chinese. params: kinds of `$k` and `$m`."""

    name: str
    takes: str
    gives: str
    code: str
    var: str
    do: str
    of: str
    zh: str
    params: str = ""

    @property
    def block(self) -> bool:
        return "\n" in self.code


def piece(name: str, types: str, code: str, var: str, do: str, of: str, zh: str, params: str = "") -> Piece:
    takes, gives = types.split(">")
    return Piece(name, takes, gives, code, var, do, of, zh, params)


def keep(name: str, types: str, test: str, var: str, these: str, zh: str, those: str = "", params: str = "") -> Piece:
    """The elements `x` of a list with a property. these: what stays, those: what goes, as plurals."""
    do = f"%keep (|only |all )the ({these})"
    if those:
        do += f"|%drop (|all )the ({those})"
    return piece(name, types, f"[x for x in $v if {test}]", var, do, f"(|all )the ({these}) %in $v", zh, params)


def each(name: str, types: str, code: str, var: str, do: str, of: str, zh: str, params: str = "") -> Piece:
    """Every element `x` of a list changed by an expression."""
    return piece(name, types, f"[{code} for x in $v]", var, do, of, zh, params)


def lines(p: Piece, v: str, params: dict[str, str], last: bool) -> list[str]:
    """The piece as lines of a function body, without indentation; `last` returns the result."""
    text = p.code
    for name, value in (params | {"v": v, "o": p.var}).items():
        text = text.replace(f"${name}", value)
    if p.block:
        return text.split("\n") + ([f"return {p.var}"] if last else [])
    return [f"return {text}" if last else f"{p.var} = {text}"]


@cache
def step(p: Piece) -> Callable[[Any, Any, Any], Any]:
    """The piece alone as a function of its value and parameters."""
    body = lines(p, "v", {"k": "k", "m": "m"}, True)
    space: dict[str, Any] = {}
    exec("def step(v, k, m):\n" + "".join(f"    {line}\n" for line in body), space)
    return space["step"]
