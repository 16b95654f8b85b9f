"""What are PlanBench's problems, as problems of ours: prompts without an example, facts from its English, and keys?

Of PlanBench's problems nothing is kept here but SHA-256 prefixes of the canonical keys of those of Blocksworld, which
training never draws. To make them anew, for other files or more of them:

    python -m finback.tasks.planning.planbench_set FOLDER > finback/tasks/planning/planbench_keys.txt
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from finback.tasks.planning.blocks_state import key_of, towers_of
from finback.tasks.planning.strips import BLOCKS, DEPOTS, LOGISTICS, check_plan
from finback.tasks.protocol import Message, Problem, Verdict, answer_of, user

PREFIX = 16
DOMAINS = {"blocksworld": BLOCKS, "logistics": LOGISTICS, "depots": DEPOTS}
FACTS = {  # PlanBench's sentences, by domain, and the facts they state
    "blocksworld": [
        (r"the (\w+) block is clear", ("clear",)),
        (r"the hand is empty", ("empty",)),
        (r"the (\w+) block is on top of the (\w+) block", ("on",)),
        (r"the (\w+) block is on the table", ("table",)),
    ],
    "logistics": [
        (r"(\w+) is an airport", ("airport",)),
        (r"(\w+) is in the city (\w+)", ("city",)),
        (r"(package_\w+) is at (\w+)", ("at", "package")),
        (r"(truck_\w+) is at (\w+)", ("at", "truck")),
        (r"(airplane_\w+) is at (\w+)", ("at", "airplane")),
    ],
    "depots": [
        (r"(crate\d+) is at (\w+)", ("at", "crate")),
        (r"(hoist\d+) is at (\w+)", ("at", "hoist")),
        (r"(truck\d+) is at (\w+)", ("at", "truck")),
        (r"(pallet\d+) is at (\w+)", ("at",)),
        (r"(\w+) is available", ("available",)),
        (r"(\w+) is clear", ("clear",)),
        (r"(\w+) is on (\w+)", ("on",)),
    ],
}
_STATEMENT = re.compile(r"As initial conditions I have that,? (.*?)\.?\s*\nMy goal is to have that (.*?)\.?\s*\n", re.S)


def planbench(file: str | Path) -> list[Problem]:
    """The problems of a PlanBench file (Blocksworld, logistics or depots), with its own English prompt and no worked
    example (zero-shot)."""
    domain = next((d for d in FACTS if d in Path(file).name), None)
    if domain is None:
        raise ValueError(f"{file} names none of the domains {', '.join(FACTS)}: keep PlanBench's file name")
    with open(file, encoding="utf-8") as lines:
        return [_problem(domain, json.loads(line)) for line in lines]


def _problem(domain: str, row: dict[str, Any]) -> Problem:
    text, *_, statement = row["query"].split("[STATEMENT]")
    match = _STATEMENT.search(statement)
    if not match:
        raise ValueError(f"instance {row['instance_id']} states no initial conditions and goal in PlanBench's words")
    init, goal = (facts_of(domain, sentence) for sentence in match.groups())
    facts = {"domain": domain, "init": init, "goal": goal, "wording": "english",
             "ground_truth": row["ground_truth_plan"]}
    if domain == "depots":
        facts["init"] += sorted({f"place {fact.split()[2]}" for fact in init if fact.startswith("at ")})
    if domain == "blocksworld":
        key = key_of(towers_of(init), goal)
    else:
        key = f"{', '.join(sorted(init))}; {', '.join(sorted(goal))}"
    return Problem(f"planbench {domain}", key, user(f"{text}[STATEMENT]{statement}".strip()), facts)


def facts_of(domain: str, sentence: str) -> list[str]:
    """The facts of a sentence in PlanBench's English, in its order, with the types that names imply."""
    facts: list[str] = []
    for part in re.split(r",\s+(?:and\s+)?|\s+and\s+", sentence.strip()):
        for pattern, (head, *types) in FACTS[domain]:
            if match := re.fullmatch(pattern, part):
                facts.append(" ".join([head, *match.groups()]))
                facts += [f"{kind} {match[1]}" for kind in types if f"{kind} {match[1]}" not in facts]
                break
        else:
            raise ValueError(f"{part!r} is no fact of PlanBench's {domain}")
    return facts


def verify_planbench(problem: Problem, replies: list[Message], box: None) -> Verdict:
    """Judges a plan for a PlanBench problem, in its English or in PDDL."""
    domain = problem.facts["domain"]
    names = {word: word for fact in problem.facts["init"] for word in fact.split()[1:]}
    if domain == "logistics":  # its PDDL says l0-1 for location_0_1
        names |= {re.sub(r"^([a-z])[a-z]*_(\d)(?:_(\d))?$", lambda m: m[1] + m[2] + (f"-{m[3]}" if m[3] else ""),
                         name): name for name in names}
    return check_plan(DOMAINS[domain], problem.facts, answer_of(replies), names)


def planbench_keys(folder: str | Path) -> set[str]:
    """The canonical keys of PlanBench's Blocksworld problems in a folder."""
    return {problem.key for file in sorted(Path(folder).glob("*blocksworld*.jsonl")) for problem in planbench(file)}


def prefix(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:PREFIX]


@cache
def excluded() -> frozenset[str]:
    """The prefixes that training must not draw."""
    return frozenset((Path(__file__).with_name("planbench_keys.txt")).read_text().split())


if __name__ == "__main__":
    print("\n".join(sorted(prefix(key) for key in planbench_keys(sys.argv[1]))))
