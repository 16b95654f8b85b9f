"""The judge of programs: right ones pass in any form, wrong ones do not, whatever they print or redefine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from code_box import ForkBox, Outcome

from finback.tasks.code.verify import equal, extract_code, same, verify_program

TESTS = [["(1, 2)", "3"], ["(0, 0)", "0"], ["(-5, 2)", "-3"]]
GOOD = "def add(a, b):\n    return a + b"


@pytest.fixture(scope="module")
def box():
    box = ForkBox()
    yield box
    box.close()


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        f"```python\n{GOOD}\n```",
        f"```\n{GOOD}\n```",
        f"```py\n{GOOD}\n```\nThis adds them.",
        f"Here it is:\n\n```python\n{GOOD}\n```\n\nUse it like this:\n```python\nadd(1, 2)\n```",
        f"Sure!\n{GOOD}\n\nIt adds the two numbers.",
        f"```Python\r\n{GOOD}\r\n```",
        f"```python\n{GOOD}",
        f"Try `add`:\n```bash\npython add.py\n```\n```python\nimport math\n\n{GOOD}\n```",
    ],
)
def test_code_is_found_in_any_form_of_answer(content, box):
    assert verify_program(extract_code(content), TESTS, box, "add").right


@pytest.mark.parametrize(
    "code",
    [
        "",
        "   ",
        "def add(a, b:\n    return a",
        "def add(a, b):\nreturn a",
        "def plus(a, b):\n    return a + b",
        "add = 3",
        "def add(a):\n    return a",
        "def add(a, b):\n    return a - b",
        "def add(a, b):\n    return float(a + b)",
        "def add(a, b):\n    return str(a + b)",
        "def add(a, b):\n    print(a + b)",
        "def add(a, b):\n    return [a + b]",
        "def add(a, b):\n    return abs(a + b)",
        "def add(a, b):\n    while True:\n        pass",
        "def add(a, b):\n    raise SystemExit(0)",
        "raise SystemExit(0)",
        "import os\nos._exit(0)",
        "def add(a, b):\n    import os\n    os._exit(0)",
        "def add(a, b):\n    return add(a, b)",
        # claims, not results
        "print('ok')\nprint('passed')\ndef add(a, b):\n    print('=3')\n    return None",
        "class Any(int):\n    __eq__ = lambda s, o: True\n    __repr__ = lambda s: '3'\n"
        "def add(a, b):\n    return Any(3)",
        "class Any:\n    def __repr__(self): return '3'\n    def __eq__(self, o): return True\n"
        "def add(a, b):\n    return Any()",
        "import builtins\nbuiltins.repr = lambda x: '3'\ndef add(a, b):\n    return 3",
        "import os\nos.write = lambda *a: 0\ndef add(a, b):\n    return 3",
        # looks for the harness and prints what it finds there
        "import sys\ndef add(a, b):\n    m = sys._getframe(1).f_locals['mark']\n"
        "    print(m + '=3\\n' + m + '=0\\n' + m + '=3')\n    return 0",
        "x" * 30_000,
        "\0",
        "(" * 5_000,
    ],
)
def test_wrong_programs_are_refused(code, box):
    verdict = verify_program(code, TESTS, box, "add")
    assert not verdict.right and verdict.why


def test_arguments_are_fresh_for_every_call(box):
    code = "def f(xs):\n    xs.append(1)\n    return len(xs)"
    assert verify_program(code, [["([],)", "1"], ["([],)", "1"], ["([5],)", "2"]], box, "f").right


def test_types_have_to_agree_exactly():
    assert same("3", "3") and same("0.30000000000000004", "0.3") and same("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}")
    different = [("1", "True"), ("1.0", "1"), ("(1,)", "[1]"), ("[1, 2]", "[2, 1]"), ("{1: 2}", "{True: 2}")]
    for found, expected in different:
        assert not same(found, expected), (found, expected)
    assert equal([1, (2, {"a": 0.1 + 0.2})], [1, (2, {"a": 0.3})]) and not equal([1], [1, 1])
    assert not same("raises ValueError", "3") and not same("a value of type Any", "3")


def test_assertions_are_run_as_they_are(box):
    asserts = ["assert add(1, 2) == 3", "assert add(0, 0) == 0"]
    assert verify_program(GOOD, asserts, box).right
    assert not verify_program("def add(a, b):\n    return 3", asserts, box).right
    assert not verify_program("def add(a, b):\n    return 3\nprint('all passed')", asserts, box).right
    check = "def check(candidate):\n    assert candidate(2, 2) == 4\ncheck(add)"
    assert verify_program("import math\n" + GOOD, [check], box, "add").right
    assert not verify_program(GOOD.replace("+", "*"), [check.replace("2, 2) == 4", "2, 3) == 5")], box, "add").right


def test_no_sandbox_is_an_error_and_its_failures_are_verdicts():
    with pytest.raises(ValueError, match="sandbox"):
        verify_program(GOOD, TESTS, None, "add")

    class Failing:
        def run(self, program: str) -> Outcome:
            return Outcome("memory", "")

    verdict = verify_program(GOOD, TESTS, Failing(), "add")
    assert not verdict.right and "memory" in verdict.why


def test_reference_solutions_of_mbpp_pass_their_assertions(box):
    file = Path(os.environ.get("FINBACK_DATA", "../shared/data")) / "code" / "mbpp_dev.jsonl"
    if not file.is_file():
        pytest.skip(f"{file} is not there: set FINBACK_DATA to the folder of evaluation data")
    rows = [json.loads(line) for line in file.read_text().splitlines()][:40]
    programs = [(r["test_setup_code"] + "\n" + r["code"], r["test_list"]) for r in rows]
    wrong = [code for code, tests in programs if not verify_program(code, tests, box).right]
    assert len(wrong) <= 1, wrong
