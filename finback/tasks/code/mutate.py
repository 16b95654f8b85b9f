"""How is a right function made wrong in one place, in a way that a person might?"""

from __future__ import annotations

import ast
import random
from dataclasses import dataclass

COMPARISONS = {
    ast.Lt: ["<=", ">"], ast.LtE: ["<", ">="], ast.Gt: [">=", "<"], ast.GtE: [">", "<="], ast.Eq: ["!="],
    ast.NotEq: ["=="],
    ast.In: ["not in"], ast.NotIn: ["in"],
}  # fmt: skip
SIGNS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.In: "in",
    ast.NotIn: "not in",
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%", ast.Div: "/", ast.Pow: "**",
    ast.And: "and", ast.Or: "or",
}  # fmt: skip
OPERATIONS = {
    ast.Add: ["-"], ast.Sub: ["+"], ast.Mult: ["+"], ast.FloorDiv: ["%"], ast.Mod: ["//"], ast.Div: ["*", "//"],
    ast.Pow: ["*"],
}  # fmt: skip
SWAPS = {
    "min": "max", "max": "min", "sum": "len", "any": "all", "all": "any", "upper": "lower", "lower": "upper",
    "startswith": "endswith", "endswith": "startswith", "isdigit": "isalpha", "isalpha": "isdigit", "keys": "values",
    "values": "keys", "isupper": "islower", "islower": "isupper",
}  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """code: the wrong function. line: the number of its wrong line, from 1. why: what is wrong with it."""

    code: str
    line: int
    why: str


def mutations(code: str) -> list[Mutation]:
    """Every way to make one-place mistakes in a function; some may not change what it does."""
    tree = ast.parse(code)
    lines = code.split("\n")
    found: list[Mutation] = []

    def put(node: ast.AST, old: str, new: str, why: str, start: int, end: int) -> None:
        """`old` in columns start to end of the node's first line becomes `new`."""
        row = node.lineno - 1  # type: ignore[attr-defined]
        at = lines[row].find(old, start, end)
        if at >= 0:
            changed = lines[row][:at] + new + lines[row][at + len(old) :]
            found.append(Mutation("\n".join([*lines[:row], changed, *lines[row + 1 :]]), row + 1, why))

    names = list(dict.fromkeys(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx,
        ast.Store)))
    head = tree.body[0]
    assert isinstance(head, ast.FunctionDef)
    names += [a.arg for a in head.args.args]
    for node in ast.walk(tree):
        if getattr(node, "lineno", 0) != getattr(node, "end_lineno", 0):
            continue
        if isinstance(node, ast.Compare):
            between = node.left.end_col_offset or 0, node.comparators[0].col_offset
            for new in COMPARISONS.get(type(node.ops[0]), []):
                put(node, SIGNS[type(node.ops[0])], new, "wrong comparison", *between)
        elif isinstance(node, ast.BinOp):
            between = node.left.end_col_offset or 0, node.right.col_offset
            for new in OPERATIONS.get(type(node.op), []):
                put(node, SIGNS[type(node.op)], new, "wrong operator", *between)
        elif isinstance(node, ast.AugAssign):
            between = node.target.end_col_offset or 0, node.value.col_offset
            for new in OPERATIONS.get(type(node.op), []):
                put(node, SIGNS[type(node.op)], new, "wrong operator", *between)
        elif isinstance(node, ast.BoolOp):
            old = SIGNS[type(node.op)]
            put(node, old, "or" if old == "and" else "and", "wrong operator", node.values[0].end_col_offset or 0,
                node.values[1].col_offset)
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            span = node.col_offset, node.end_col_offset or 0
            start = any(isinstance(s, ast.Assign) and s.value is node for s in ast.walk(tree))
            for new in (node.value + 1, node.value - 1):
                if new >= 0:
                    put(node, str(node.value), str(new), "wrong start value" if start else "off by one", *span)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
            for new in names:
                if new != node.id:
                    put(node, node.id, new, "wrong variable", node.col_offset, node.end_col_offset or 0)
        if isinstance(node, ast.Call):
            word = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if word in SWAPS:
                put(node, word, SWAPS[word], "wrong function", node.func.col_offset, node.func.end_col_offset or 0)
        if isinstance(node, ast.keyword) and node.arg == "reverse":
            put(node, "True", "False", "wrong order", node.col_offset, node.end_col_offset or 0)
    last = head.body[-1]
    if isinstance(last, ast.Return) and last.value and last.lineno == last.end_lineno:
        row = last.lineno - 1
        put(last, "return ", "", "missing return", last.col_offset, last.col_offset + 7)
        if len(head.body) > 1 and isinstance(head.body[-2], ast.For | ast.While):
            found.append(Mutation("\n".join([*lines[:row], "    " + lines[row]]), row + 1, "return too early"))
    return found


def draw_mutation(rng: random.Random, code: str) -> list[Mutation]:
    """The mutations in random order, one of each kind before a second of any."""
    kinds: dict[str, list[Mutation]] = {}
    for m in mutations(code):
        kinds.setdefault(m.why, []).append(m)
    for group in kinds.values():
        rng.shuffle(group)
    order = [(i, rng.random(), m) for group in kinds.values() for i, m in enumerate(group)]
    return [m for _, _, m in sorted(order, key=lambda item: item[:2])]
