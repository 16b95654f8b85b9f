"""What does a program do, line by line, as a few short lines of text?

`trace` runs a program of ours under `sys.settrace` and tells, for each line that was run, what it did to the
variables; conditions are shown with the values put in. Programs that a model wrote never come here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

FILE = "<ours>"
SHORT = 40
_SAFE: dict[str, Any] = {
    "len": len, "sum": sum, "max": max, "min": min, "abs": abs, "str": str, "int": int, "sorted": sorted,
    "list": list, "set": set, "range": range, "bool": bool, "ord": ord, "chr": chr, "all": all, "any": any,
    "enumerate": enumerate, "zip": zip, "reversed": reversed, "dict": dict,
}  # fmt: skip


class TooLong(Exception):
    """A program ran more lines than it was allowed."""


@dataclass
class Run:
    """lines: what happened, in order. result: what the call gave, None for a program. output: what it printed."""

    lines: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    result: Any = None
    error: str = ""


def limited(function: Callable[..., Any], args: list[Any], steps: int = 2000) -> Any:
    """The result of one of our functions, possibly broken on purpose. Raises TooLong after a number of lines."""
    left = steps

    def follow(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename != FILE:
            return None
        left -= event == "line"
        if left < 0:
            raise TooLong
        return follow

    old = sys.gettrace()
    sys.settrace(follow)
    try:
        return function(*args)
    finally:
        sys.settrace(old)


def define(code: str, name: str) -> Callable[..., Any]:
    """A function of ours from its text."""
    space: dict[str, Any] = {}
    exec(compile(code, FILE, "exec"), space)
    return space[name]


class _Lookups(ast.NodeTransformer):
    """Names, items and lengths replaced by their values; operations are left standing."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def _value(self, node: ast.expr) -> ast.expr:
        try:
            value = eval(compile(ast.Expression(node), FILE, "eval"), self.names | {"__builtins__": {}})
        except Exception:
            return node
        if not isinstance(value, int | str | float | bool | list | dict | tuple | type(None)):
            return node
        return ast.copy_location(ast.Constant(value), node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._value(node) if node.id in self.names and node.id not in _SAFE else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return self._value(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A built-in function or a method keeps standing, with its values put in, where that is short."""
        shown = ast.parse(ast.unparse(node), mode="eval").body
        assert isinstance(shown, ast.Call)
        shown.args = [self.visit(a) for a in shown.args]
        if isinstance(shown.func, ast.Attribute):
            shown.func.value = self.visit(shown.func.value)
        short = _callable(shown) and not shown.keywords and len(ast.unparse(shown)) <= SHORT
        return shown if short else self._value(node)

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        return self._value(node)

    visit_GeneratorExp = visit_ListComp  # type: ignore[assignment]
    visit_DictComp = visit_ListComp  # type: ignore[assignment]
    visit_JoinedStr = visit_ListComp  # type: ignore[assignment]

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        return node


def _callable(node: ast.Call) -> bool:
    """Whether a call is of a known built-in or of a method of a constant, on constants."""
    known = isinstance(node.func, ast.Name) and node.func.id in _SAFE and node.func.id not in ("range", "enumerate",
        "zip")
    method = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Constant)
    return (known or method) and all(isinstance(a, ast.Constant) for a in node.args)


class _First(ast.NodeTransformer):
    """The innermost leftmost operation on constants carried out, once."""

    def __init__(self) -> None:
        self.done = False

    def generic_visit(self, node: ast.AST) -> ast.AST:
        node = super().generic_visit(node)
        ready = all(isinstance(child, ast.Constant | ast.operator | ast.unaryop | ast.cmpop | ast.boolop)
                    for child in ast.iter_child_nodes(node))  # fmt: skip
        ready = ready or isinstance(node, ast.Call) and _callable(node)
        if not self.done and ready and isinstance(node, ast.BinOp | ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Call):
            try:
                value = eval(compile(ast.fix_missing_locations(ast.Expression(node)), FILE, "eval"), dict(_SAFE))
            except Exception:
                return node
            self.done = True
            return ast.copy_location(ast.Constant(value), node)
        return node


def unfold(node: ast.expr, names: dict[str, Any]) -> list[str]:
    """An expression with its values put in, then operation by operation down to its value."""
    node = _Lookups(names | _SAFE).visit(ast.parse(ast.unparse(node), mode="eval").body)
    shown = [ast.unparse(node)]
    for _ in range(8):
        if isinstance(node, ast.Constant):
            break
        step = _First()
        node = step.visit(node)
        if not step.done:
            break
        shown.append(ast.unparse(node))
    return shown


def _says(node: ast.expr, names: dict[str, Any], value: Any) -> str:
    """`3 + 4 = 7`, or just `7` where there is nothing to work out."""
    shown = unfold(node, names)
    if shown[-1] != repr(value):
        shown = [*shown, repr(value)] if len(shown[-1]) < SHORT else [repr(value)]
    if len(shown) > 1 and any(len(s) > SHORT for s in shown[:-1]):
        shown = shown[-1:]
    return " = ".join(dict.fromkeys(shown))


class _Tracer:
    """Follows the frames of one program; a line is told when the next one begins, for only then its effect is known."""

    def __init__(self, code: str, tree: ast.Module, limit: int, run: Run) -> None:
        self.code, self.limit, self.run = code, limit, run
        self.nodes = {node.lineno: node for node in ast.walk(tree) if isinstance(node, ast.stmt)}
        self.waiting: dict[FrameType, tuple[ast.stmt, dict[str, Any], int]] = {}  # with the line that was run before
        self.at: dict[FrameType, int] = {}  # the line that was run last
        self.left: dict[tuple[FrameType, ast.For], str | list[Any]] = {}  # what a loop that runs has still to go through

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        name = frame.f_code.co_name
        if frame.f_code.co_filename != FILE or (name.startswith("<") and name != "<module>"):
            return None
        if event == "call":
            if frame.f_code.co_name != "<module>":
                given = ", ".join(f"{k} = {v!r}" for k, v in frame.f_locals.items() if _plain(v))
                self.tell(f"call {frame.f_code.co_name}: {given}")
            return self
        last = self.waiting.get(frame, (None,))[0]
        if event in ("line", "return"):
            self.finish(frame, arg)
        if event == "line" and frame.f_lineno in self.nodes:
            self.waiting[frame] = self.nodes[frame.f_lineno], _copy(frame.f_locals), self.at.get(frame, 0)
            self.at[frame] = frame.f_lineno
        if event == "return" and frame.f_code.co_name != "<module>" and not isinstance(last, ast.Return):
            self.tell(f"return {arg!r}")
        return self

    def text(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.code, node) or ast.unparse(node)

    def tell(self, text: str) -> None:
        self.run.lines.append(text)
        if len(self.run.lines) > self.limit:
            raise TooLong

    def finish(self, frame: FrameType, result: Any) -> None:
        node, before, came_from = self.waiting.pop(frame, (None, {}, 0))
        printed = len(self.run.output)
        self.told(node, before, came_from, frame, result)
        del self.run.output[printed:]  # what working a line out again has printed

    def told(self, node: ast.stmt | None, before: dict[str, Any], came_from: int, frame: FrameType, result: Any) -> None:
        after = frame.f_locals
        names = {**frame.f_globals, **before}
        if isinstance(node, ast.If | ast.While):
            word = "if" if isinstance(node, ast.If) else "while"
            self.tell(" -> ".join([f"{word} {self.text(node.test)}", *_condition(node.test, names)]))
        elif isinstance(node, ast.For):
            targets = [n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)]
            if not node.lineno <= came_from <= (node.end_lineno or 0):  # it begins, perhaps once more after a break
                over = eval(compile(ast.Expression(node.iter), FILE, "eval"), dict(names))
                self.left[frame, node] = over if isinstance(over, str) else list(over)
            if frame.f_lineno in (s.lineno for s in node.body):
                self.left[frame, node] = left = self.left[frame, node][1:]
                then = f" then {left!r}" if len(repr(left)) <= SHORT else ""
                self.tell("for " + ", ".join(f"{t} = {after[t]!r}" for t in targets) + then)
            else:
                self.tell(f"for {', '.join(targets)} -> done")
        elif isinstance(node, ast.Assign | ast.AugAssign):
            self.tell(_assignment(node, names, after))
        elif isinstance(node, ast.Return):
            self.tell(f"return {_says(node.value, names, result)}" if node.value else "return None")
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self.call(node.value, names, after)

    def call(self, node: ast.Call, names: dict[str, Any], after: dict[str, Any]) -> None:
        said = [_says(a, names, eval(compile(ast.Expression(a), FILE, "eval"), dict(names))) for a in node.args]
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            shown = self.run.output[-1] if self.run.output else ""
            self.tell(f"print {said[0]}" if len(said) == 1 and "=" in said[0] else f"print {shown}")
        elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            name = node.func.value.id
            given = f"{node.func.attr} {', '.join(said)} -> " if said else ""
            self.tell(f"{given}{name} = {after.get(name)!r}")


def _plain(value: Any) -> bool:
    return isinstance(value, int | float | str | list | dict | tuple | set | type(None))


def _copy(names: dict[str, Any]) -> dict[str, Any]:
    return {k: (list(v) if isinstance(v, list) else dict(v) if isinstance(v, dict) else v) for k, v in names.items()}


def _condition(test: ast.expr, names: dict[str, Any]) -> list[str]:
    shown = unfold(test, names)
    answer = eval(compile(ast.Expression(test), FILE, "eval"), dict(names))
    shown = [s for s in shown if len(s) <= SHORT and s not in ("True", "False")]
    return [*shown, "yes" if answer else "no"]


def _assignment(node: ast.Assign | ast.AugAssign, names: dict[str, Any], after: dict[str, Any]) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if isinstance(target, ast.Name):
        if isinstance(node, ast.AugAssign):
            old = ast.Name(target.id, ast.Load())
            return f"{target.id} = {_says(ast.BinOp(old, node.op, node.value), names, after[target.id])}"
        return f"{target.id} = {_says(node.value, names, after[target.id])}"
    if isinstance(target, ast.Tuple):
        return ", ".join(f"{n.id} = {after[n.id]!r}" for n in target.elts if isinstance(n, ast.Name))
    place: ast.expr = target
    while isinstance(place, ast.Subscript):
        place = place.value
    if not isinstance(place, ast.Name) or not isinstance(target, ast.Subscript):
        return ast.unparse(target)
    value: ast.expr = node.value
    if isinstance(node, ast.AugAssign):
        value = ast.BinOp(ast.Subscript(target.value, target.slice, ast.Load()), node.op, node.value)
    ast.fix_missing_locations(value)
    result = eval(compile(ast.Expression(value), FILE, "eval"), dict(names))
    key = unfold(target.slice, names)[-1]
    return f"{ast.unparse(target.value)}[{key}] = {_says(value, names, result)} -> {place.id} = {after[place.id]!r}"


def trace(code: str, call: str = "", limit: int = 40) -> Run:
    """A program run from its top, or after defining its functions a call of one of them. Raises TooLong beyond `limit`
    lines of trace or where it does not end; errors of the program are kept in the run."""
    tree = ast.parse(code)
    run = Run()
    space: dict[str, Any] = {"print": lambda *xs: run.output.append(" ".join(map(str, xs)))}
    program: CodeType = compile(tree, FILE, "exec")
    if call:
        exec(program, space)
    tracer = _Tracer(code, tree, limit, run)
    left = 40 * limit

    def follow(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooLong
        return follow if tracer(frame, event, arg) else None

    old = sys.gettrace()
    sys.settrace(follow)
    try:
        run.result = eval(compile(call, FILE + "call", "eval"), space) if call else exec(program, space)
    except TooLong:
        raise
    except Exception as error:
        run.error = type(error).__name__
    finally:
        sys.settrace(old)
    return run
