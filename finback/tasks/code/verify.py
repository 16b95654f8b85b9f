"""Does a program that a model wrote do what hidden tests ask?

The program runs in a sandbox. For our own tests the sandbox is told only the arguments: results come back as text
behind a random mark and are compared here, so nothing that the program prints or redefines can claim a pass
without knowing the result. Assertions (MBPP, HumanEval) have to run beside the program; for them the mark alone
is what printing cannot forge. Arguments are made afresh for every call, types must agree exactly.
"""

from __future__ import annotations

import ast
import re
import secrets
from typing import Any

from finback.tasks.protocol import Verdict

LONGEST = 20_000

_FENCE = re.compile(r"```[ \t]*([A-Za-z0-9+_-]*)[ \t]*\r?\n(.*?)(?:\r?\n[ \t]*```|\Z)", re.DOTALL)

# Runs in the sandbox. `show` takes only exact built-in types; everything it uses is bound before the program runs.
_SHARED = '''\
import os as _os, sys as _sys
def _harness(code, name, calls, asserts, mark, write=_os.write, repr=repr, type=type, compile=compile, exec=exec,
             eval=eval, isinstance=isinstance, callable=callable, list=list, tuple=tuple, dict=dict, set=set,
             frozenset=frozenset, sorted=sorted, plain=(int, float, str, bool, type(None), bytes, complex),
             Exception=BaseException):
    def show(x):
        t = type(x)
        if t in plain:
            return repr(x)
        if t is list:
            return "[" + ", ".join([show(y) for y in x]) + "]"
        if t is tuple:
            return "(" + ", ".join([show(y) for y in x]) + ("," if len(x) == 1 else "") + ")"
        if t is dict:
            return "{" + ", ".join([show(k) + ": " + show(y) for k, y in x.items()]) + "}"
        if t is set or t is frozenset:
            return t.__name__ + "(" + ", ".join(sorted([show(y) for y in x])) + ")"
        return "a value of type " + t.__name__
    def tell(kind, text):
        text = (mark + kind + text.replace("\\n", " ")[:4000] + "\\n").encode("utf-8", "replace")
        while text:
            text = text[write(1, text):]
    space = {"__name__": "__program__"}
    write(1, b"\\n")
    try:
        exec(compile(code, "<program>", "exec"), space)
        function = space.get(name)
        if name and not callable(function):
            tell("!", "it defines no function " + name)
            return
    except Exception as error:
        tell("!", "it fails when it is loaded: " + type(error).__name__ + ": " + str(error)[:200])
        return
    for call in calls:
        try:
            tell("=", show(function(*eval(call, {}))))
        except Exception as error:
            tell("=", "raises " + type(error).__name__)
    for test in asserts:
        try:
            exec(compile(test, "<test>", "exec"), space)
        except Exception as error:
            tell("!", "fails: " + test[:200] + " (" + type(error).__name__ + ")")
            return
    tell(".", "")
'''


def extract_code(content: str) -> str:
    """The program in an answer: the first fenced block with a function, else the first block, else the text from its
    first code line on."""
    blocks = [m[2] for m in _FENCE.finditer(content)]
    if blocks:
        chosen = [b for b in blocks if "def " in b] or blocks[:1]
        return chosen[0].strip("\r\n")
    start = re.search(r"^[ \t]*(?:def |import |from \w+ import |@|class |async def )", content, re.MULTILINE)
    if not start:
        return content.strip("\r\n")
    body = content[start.start() :].strip("\r\n").split("\n")
    while body:  # words after the code
        try:
            ast.parse("\n".join(body))
            break
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            body.pop()
    return "\n".join(body) or content[start.start() :].strip("\r\n")


def defined(code: str) -> list[str]:
    """The names of the functions that code defines at its top, in order; none where it does not compile."""
    try:
        compile(code, "<program>", "exec")
        return [node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return []


def call_program(code: str, name: str, tests: list[list[str]], mark: str) -> str:
    """The sandboxed text for our own tests: [arguments as a tuple's text, result's text] each; results stay outside."""
    return f"{_SHARED}_harness({code!r}, {name!r}, {[t[0] for t in tests]!r}, [], {mark!r})\n"


def assert_program(code: str, name: str, asserts: list[str], mark: str) -> str:
    """The sandboxed text for assertions; name: a function that has to exist, "" for any."""
    return f"{_SHARED}_harness({code!r}, {name!r}, [], {asserts!r}, {mark!r})\n"


def verify_program(code: str, tests: list[Any], box: Any, name: str = "") -> Verdict:
    """Whether code passes tests, which are [arguments, result] pairs of texts, `name` then says of which function, or
    assertion texts (also whole test programs such as HumanEval's `check`)."""
    if box is None:
        raise ValueError("running a program needs a sandbox: pass the box of finback.tasks.sandbox")
    if not code.strip():
        return Verdict(False, "there is no code in the answer")
    if len(code) > LONGEST:
        return Verdict(False, f"the code has {len(code)} characters, more than {LONGEST}")
    try:
        compile(code, "<program>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        return Verdict(False,
            f"the code does not parse: {type(error).__name__} at line {getattr(error, 'lineno', '?')}")
    mark = secrets.token_hex(16)
    asserts = [t for t in tests if isinstance(t, str)]
    calls = [t for t in tests if not isinstance(t, str)]
    program = assert_program(code, name, asserts, mark) if asserts else call_program(code, name, calls, mark)
    return judge(box.run(program), calls, mark)


def judge(outcome: Any, calls: list[list[str]], mark: str) -> Verdict:
    """What an outcome of the sandbox says, given the calls whose results are expected (none for assertions)."""
    told = [line[len(mark) :] for line in (outcome.output or "").split("\n") if line.startswith(mark)]
    for line in told:
        if line.startswith("!"):
            return Verdict(False, line[1:])
    for call, line in zip(calls, (t for t in told if t.startswith("=")), strict=False):
        if not same(line[1:], call[1]):
            return Verdict(False, f"for {call[0][:200]} it gives {line[1:][:200]}, expected {call[1][:200]}")
    if outcome.status != "ok":
        return Verdict(False, f"the program ended with {outcome.status}: {str(outcome.error or '')[-200:]}")
    if sum(t.startswith("=") for t in told) != len(calls) or told[-1:] != ["."]:
        return Verdict(False, "the program ended before all tests were done")
    return Verdict(True)


def same(found: str, expected: str) -> bool:
    """Whether two results shown as text are equal: the same text, floats to nine digits."""
    if found == expected:
        return True
    try:
        a, b = ast.literal_eval(found), ast.literal_eval(expected)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return equal(a, b)


def equal(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict):  # order is not asked for
        return len(a) == len(b) and all(
            k in b and any(type(k) is type(j) for j in b if j == k) and equal(v, b[k]) for k, v in a.items()
        )
    return a == b
