"""How does a forked child run a program, or one cell of a session after another, and report how it ended?

Lives in the child, on the same side of the wall as the program: nothing here is trusted by the worker, which measures
time, memory and output from outside. The report says how the code ended; its token keeps stray writes from passing as one.
"""

from __future__ import annotations

import ast
import builtins
import io
import json
import os
import sys
import types

OUTPUT, COMMANDS, REPORT = 1, 3, 4
FILE = "<program>"
LONGEST_ERROR = 2000
# Bound before any program runs, so that a program which replaces a module's function changes no report.
_loads, _read_fd, _write, _exit = json.loads, os.read, os.write, os._exit


def serve_cells() -> None:
    """Runs what comes in until the worker goes away. Variables stay from one cell to the next."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    module.__builtins__ = builtins  # type: ignore[attr-defined]
    while True:
        size = int.from_bytes(_read(4), "big")
        command = _loads(_read(size))
        out = io.TextIOWrapper(
            io.BufferedWriter(io.FileIO(OUTPUT, "w", closefd=False)), "utf-8", errors="backslashreplace"
        )
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = out
        status, error = run(command["text"], command["show"], module.__dict__)
        try:
            out.flush()
        except (OSError, ValueError):
            pass
        report = f"{command['token']}{status} {error}".encode("utf-8", "backslashreplace").replace(b"\n", b"\r")
        _write(REPORT, report + b"\n")


def run(text: str, show: bool, variables: dict[str, object]) -> tuple[str, str]:
    """Runs `text`; show: the value of a last expression is printed, as at Python's prompt."""
    try:
        tree = ast.parse(text, FILE)
        last = tree.body.pop() if show and tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, FILE, "exec"), variables)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), FILE, "eval"), variables)
            if value is not None:
                print(repr(value))
        sys.stdout.flush()
    except MemoryError:
        return "memory", "MemoryError: more memory than is allowed"
    except SystemExit:
        return "error", "SystemExit: the program stopped itself before its last line"
    except BaseException as error:
        return "error", _describe(error)
    return "ok", ""


def _describe(error: BaseException) -> str:
    """`line 3: ValueError: why`, the line being the innermost one of the program itself."""
    try:
        why = str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:
        why = "(its text could not be made)"
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == FILE else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    text = f"{type(error).__name__}: {why}" if why else type(error).__name__
    return (f"line {line}: {text}" if line else text)[:LONGEST_ERROR]


def _read(size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = _read_fd(COMMANDS, size - len(data))
        if not piece:
            _exit(0)
        data += piece
    return data
