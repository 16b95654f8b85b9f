"""Is this plan valid? Plans read from text in many forms, and simulated strictly.

An action has preconditions and effects. A fact is a string of words ("on red blue"), a state a set of them; an action
is possible if all its preconditions hold. This knows no domain's towers or routes, so it judges plans independently of
the code that makes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from finback.tasks.protocol import Verdict

Step = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Action:
    """Parameters are single letters; `needs`, `adds` and `drops` are facts over them. optional: how many trailing
    parameters a plan may leave out (they only restate what the others imply)."""

    parameters: str
    needs: tuple[str, ...]
    adds: tuple[str, ...]
    drops: tuple[str, ...]
    optional: int = 0


@dataclass(frozen=True)
class Domain:
    """verbs: how an action may begin in a plan (a pattern, upper or lower case) -> the action."""

    actions: dict[str, Action]
    verbs: dict[str, str]


def action(parameters: str, needs: str, adds: str, drops: str, optional: int = 0) -> Action:
    split = [tuple(fact.strip() for fact in facts.split(",") if fact.strip()) for facts in (needs, adds, drops)]
    return Action(parameters, *split, optional)


BLOCKS = Domain(
    {
        "pick-up": action("x", "clear x, table x, empty", "holding x", "clear x, table x, empty"),
        "put-down": action("x", "holding x", "clear x, table x, empty", "holding x"),
        "stack": action("xy", "holding x, clear y", "on x y, clear x, empty", "holding x, clear y"),
        "unstack": action("xy", "on x y, clear x, empty", "holding x, clear y", "on x y, clear x, empty"),
    },
    {r"pick[\s-]*up": "pick-up", r"put[\s-]*down": "put-down", "unstack": "unstack", "stack": "stack"},
)
LOGISTICS = Domain(
    {
        "load-truck": action("ptl", "package p, truck t, at t l, at p l", "in p t", "at p l"),
        "load-airplane": action("pal", "package p, airplane a, at a l, at p l", "in p a", "at p l"),
        "unload-truck": action("ptl", "package p, truck t, at t l, in p t", "at p l", "in p t"),
        "unload-airplane": action("pal", "package p, airplane a, at a l, in p a", "at p l", "in p a"),
        "drive-truck": action("tlmc", "truck t, at t l, city l c, city m c", "at t m", "at t l", optional=1),
        "fly-airplane": action("alm", "airplane a, at a l, airport l, airport m", "at a m", "at a l"),
    },
    {r"load(?:[\s-]*(?:the)?\s*truck)?(?=.*\bt(?:ruck_?)?\d)": "load-truck",
     r"load(?:[\s-]*(?:the)?\s*airplane)?": "load-airplane",
     r"unload(?:[\s-]*(?:the)?\s*truck)?(?=.*\bt(?:ruck_?)?\d)": "unload-truck",
     r"unload(?:[\s-]*(?:the)?\s*airplane)?": "unload-airplane",
     r"drive(?:[\s-]*truck)?": "drive-truck", r"fly(?:[\s-]*airplane)?": "fly-airplane"},
)
DEPOTS = Domain(
    {
        "drive": action("tpq", "truck t, at t p, place q", "at t q", "at t p"),
        "lift": action("hcsp", "hoist h, crate c, at h p, available h, at c p, on c s, clear c", "lifting h c, clear s",
                       "at c p, clear c, available h, on c s"),
        "drop": action("hcsp", "hoist h, crate c, at h p, at s p, clear s, lifting h c",
                       "available h, at c p, clear c, on c s",
                       "lifting h c, clear s"),
        "load": action("hctp", "hoist h, crate c, truck t, at h p, at t p, lifting h c", "in c t, available h",
                       "lifting h c"),
        "unload": action("hctp", "hoist h, crate c, truck t, at h p, at t p, available h, in c t", "lifting h c",
                         "in c t, available h"),
    },
    {"drive": "drive"} | {rf"(?:hoist\d+ to )?{verb}": verb for verb in ("lift", "drop", "load", "unload")},
)
GRIPPER = Domain(
    {
        "move": action("rs", "at-robby r, room s", "at-robby s", "at-robby r"),
        "pick": action("brg", "ball b, at b r, at-robby r, free g", "carry b g", "at b r, free g"),
        "drop": action("brg", "carry b g, at-robby r", "at b r, free g", "carry b g"),
    },
    {"move": "move", "go": "move", r"pick(?:[\s-]*up)?": "pick", "drop": "drop"},
)


def check_plan(domain: Domain, facts: dict[str, Any], text: str, names: dict[str, str] | None = None) -> Verdict:
    """Whether a text has a plan from facts["init"] to facts["goal"]. names: as said -> name (None: as in facts)."""
    names = names or {word: word for fact in facts["init"] for word in fact.split()[1:]}
    plan = read_plan(text, domain, names)
    return Verdict(False, plan) if isinstance(plan, str) else judge(domain, facts["init"], facts["goal"], plan)


def judge(domain: Domain, init: Iterable[str], goal: Iterable[str], plan: list[Step]) -> Verdict:
    """Whether every action of a plan is possible where it is taken and the goal holds at the end."""
    state = set(init)
    for number, (name, arguments) in enumerate(plan, 1):
        said = f"step {number} ({' '.join((name, *arguments))})"
        schema = domain.actions[name]
        for values in _bindings(schema, arguments, state):
            lacking = next((need for fact in schema.needs if (need := _fill(fact, values)) not in state), None)
            if lacking is None:
                break
        else:
            return Verdict(False, f"{said} needs {lacking!r}")
        state -= {_fill(fact, values) for fact in schema.drops}
        state |= {_fill(fact, values) for fact in schema.adds}
    for fact in goal:
        if fact not in state:
            return Verdict(False, f"at the end {fact!r} does not hold")
    return Verdict(True)


def _bindings(schema: Action, arguments: tuple[str, ...], state: set[str]) -> list[dict[str, str]]:
    """What the parameters may stand for: the arguments, and for one that was left out every object there is."""
    values = dict(zip(schema.parameters, arguments, strict=False))
    if len(arguments) == len(schema.parameters):
        return [values]
    objects = sorted({word for fact in state for word in fact.split()[1:]})
    return [values | {schema.parameters[-1]: name} for name in objects]


def _fill(fact: str, values: dict[str, str]) -> str:
    head, *rest = fact.split()
    return " ".join([head, *(values[word] for word in rest)])


# What may stand before an action on its line, and what ends one.
_LEAD = re.compile(
    r"^(?:[\s\-*•>`(\[.:,#]|\d+\s*[.:\]]|\d+(?=\s)|step\s*\d*|"
    r"(?:first|second|then|next|after that|now|finally|lastly|and|i|we|you|the robot|robot|use|using)\b)+", re.I)
_ENDS = r"[\n;)]|\.\s|,?\s+(?:and\s+)?then\s+|->|→"
MOST_STEPS = 400


def read_plan(text: str, domain: Domain, names: dict[str, str]) -> list[Step] | str:
    """The actions that a text lists. An action is a line that opens with a verb of the domain and names objects (as
    said -> name); other lines are talk. A sentence instead, where there is no action or one is malformed."""
    lower = {said.lower(): name for said, name in names.items()}
    compiled = [(re.compile(rf"(?:{pattern})(?![\w-])", re.I), act) for pattern, act in domain.verbs.items()]
    ends = re.compile(rf"{_ENDS}|,\s*(?:and\s+)?(?=(?:{'|'.join(domain.verbs)})(?![\w-]))", re.I)
    steps: list[Step] = []
    for line in ends.split(text[:40_000]):
        line = _LEAD.sub("", line or "")
        act = next((act for pattern, act in compiled if pattern.match(line)), None)
        if act is None:
            continue
        most = len(domain.actions[act].parameters)
        words = re.findall(r"[\w-]+", line)
        found = [names[word] for word in words if word in names]
        if not most - domain.actions[act].optional <= len(found) <= most:  # perhaps written in another case
            found = [lower[word.lower()] for word in words if word.lower() in lower]
        if not most - domain.actions[act].optional <= len(found) <= most:
            return f"step {len(steps) + 1} ({line.strip()[:60]!r}) names {len(found)} objects; {act} takes {most}"
        steps.append((act, tuple(found)))
        if len(steps) > MOST_STEPS:
            return f"the plan has more than {MOST_STEPS} steps"
    return steps or "there is no plan: no line is an action"
