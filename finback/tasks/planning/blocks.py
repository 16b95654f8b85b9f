"""How is a Blocksworld problem solved so that every step is one look at what was just written?

The policy is fixed: check each tower from the table up until a block is wrong; put what stands above on the table,
top first; then build the goal's chains from below. Its plans are always valid and near the shortest (on PlanBench 8.0
actions where 7.3 would do). The trace restates the problem as towers and chains ("a b | c": b on a; c alone), says of
each block what it wants beneath it, marks in each tower what must go ("a / b c": b and c), and writes the towers after
each move. It is first said again what stands on what, below first, so that the towers are read off near by (not where the
prompt gives towers). A move is two actions of the hand. Lines begin with a word of their own, so that
a name is always a token with a space before it.
"""

from __future__ import annotations

import random

from finback.tasks.planning import blocks_words as words
from finback.tasks.planning.blocks_state import (
    Towers,
    chains_of,
    init_facts,
    key_of,
    on_facts,
    random_towers,
    towers_of,
)
from finback.tasks.planning.planbench_set import excluded, prefix
from finback.tasks.planning.strips import BLOCKS, Step, check_plan
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

SIZES = {1: (3, 4, 4), 2: (4, 5), 3: (5, 6, 6, 8, 8)}
HELD_OUT_SIZE = 7  # between sizes that are trained


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    wording = rng.choices(("english", "pddl", "compact"), (60, 15, 25))[0]
    while True:
        n = HELD_OUT_SIZE if held_out else rng.choice(SIZES[level])
        exact = wording == "english" and n <= 5 and rng.random() < 0.4  # names and order just as in PlanBench
        names = words.PLANBENCH_COLOURS[:n] if exact else words.draw_names(rng, wording, n)
        towers, goal = _draw(rng, names)
        if held_out and not level <= len(goal) // 2 <= level + 1:
            continue
        key = key_of(towers, goal)
        if goal and not set(goal) <= set(init_facts(towers)) and not _is_planbench(towers, goal, key):
            break
    init, goal = words.order_facts(rng, wording, towers, goal, names, exact)
    # PlanBench's domain text is long, and its problems have 3 to 5 blocks
    chance = rng.random() if wording == "english" and n <= 5 else 1.0
    example = _example(rng) if chance < 0.05 else ""
    prompt = words.prompt_of(rng, wording, init, goal, chance < (0.6 if exact else 0.15), example)
    unsaid = [fact for fact in init_facts(towers) if fact not in init]
    facts = {"init": unsaid + init, "goal": goal, "wording": wording}
    return Problem(f"{n} blocks, {wording}", key, user(prompt), facts)


def _draw(rng: random.Random, names: tuple[str, ...]) -> tuple[Towers, list[str]]:
    """A state and a goal: mostly as PlanBench draws them, all that stands on something in a second state; at times what
    must be on the table as well, or only a part."""
    towers, final = random_towers(rng, list(names)), random_towers(rng, list(names))
    goal = on_facts(final)
    chance = rng.random()
    if chance < 0.25:
        goal += [f"table {tower[0]}" for tower in final if rng.random() < 0.7]
    elif chance < 0.4 and goal:
        goal = rng.sample(goal, rng.randint(1, len(goal)))
    return towers, goal


def _is_planbench(towers: Towers, goal: list[str], key: str) -> bool:
    """Whether it is one of PlanBench's problems, or one with goals added that hold from the start. A goal that also
    asks for a block on the table that is not there yet makes another problem."""
    standing = {f"table {tower[0]}" for tower in towers}
    return bool({prefix(key), prefix(key_of(towers, [fact for fact in goal if fact not in standing]))} & excluded())


def _example(rng: random.Random) -> str:
    """A worked problem as PlanBench puts before its own."""
    names = words.PLANBENCH_COLOURS[: rng.randint(3, 5)]
    while True:
        towers, goal = random_towers(rng, list(names)), on_facts(random_towers(rng, list(names)))
        if goal and not set(goal) <= set(init_facts(towers)) and not _is_planbench(towers, goal, key_of(towers, goal)):
            init, goal = words.order_facts(rng, "english", towers, goal, names, exact=True)
            return words.english_example(init, goal, Worker(init, goal).plan)


class Worker:
    """Works a problem by the policy: `lines` is the trace, `plan` the actions."""

    def __init__(self, init: list[str], goal: list[str]):
        self.towers = [list(tower) for tower in towers_of(init)]
        self.chains = chains_of(goal)
        self.below = {a: b for chain in self.chains for b, a in zip(chain, chain[1:], strict=False)}
        self.plan: list[Step] = []
        self.lines = [f"Now: {_said(self.towers)}", f"Goal: {_said(self.chains)}"]
        right = {tower[0]: self._check(tower) for tower in self.towers if len(tower) > 1}
        # how many blocks of a tower stay: those that are right, and the lowest, which stands on the table already
        self.stay = {block: max(1, n) for block, n in right.items()}
        self.lines.append(f"Start: {self._state()}")
        self._clear()
        self._build()

    def _check(self, tower: list[str]) -> int:
        """How many blocks from the table up are where the goal can leave them."""
        above = {b: a for a, b in self.below.items()}
        for i, block in enumerate(tower):
            under = tower[i - 1] if i else "table"
            wants = self.below.get(block)
            if wants is not None:
                right, why = wants == under, f"wants {wants}"
            else:
                right, why = i == 0 or under not in above, "free"
                if not right:
                    why = f"free, {above[under]} wants {under}"
            self.lines.append(f"Check {block}: {why}, {'yes' if right else 'no'}")
            if not right:
                return i
        return len(tower)

    def _clear(self) -> None:
        while tower := next((t for t in self.towers if len(t) > self.stay.get(t[0], 1)), None):
            block = tower.pop()
            self.plan += [("unstack", (block, tower[-1])), ("put-down", (block,))]
            self.towers.append([block])
            self.lines.append(f"Move {block} from {tower[-1]} to table: {self._state()}")

    def _build(self) -> None:
        for chain in self.chains:
            for under, block in zip(chain, chain[1:], strict=False):
                if under == "table":
                    continue
                tower = next(t for t in self.towers if under in t)
                if block in tower:
                    self.lines.append(f"Keep {block} on {under}")
                    continue
                self.towers.remove([block])
                tower.append(block)
                self.stay[tower[0]] = len(tower)
                self.plan += [("pick-up", (block,)), ("stack", (block, under))]
                self.lines.append(f"Move {block} from table to {under}: {self._state()}")

    def _state(self) -> str:
        """The towers, with a bar before what must go."""
        marked = []
        for tower in self.towers:
            stay = self.stay.get(tower[0], 1)
            marked.append(tower[:stay] + ["/"] * (len(tower) > stay) + tower[stay:])
        return _said(marked)


def said_again(init: list[str], goal: list[str], towers_said: bool = False) -> list[str]:
    """What stands on what and what should, each in the order of the prompt: "b a" for a on b.
    towers_said: the prompt gives the towers, so only the goal is said."""

    def pairs(facts: list[str]) -> str:
        words = [(fact.split() + ["table"])[1:3] for fact in facts if fact.startswith(("on ", "table "))]
        return ", ".join(f"{under} {block}" for block, under in words)

    return [f"Has {pairs(init)}"] * (not towers_said) + [f"Wants {pairs(goal)}"]


def _said(towers: Towers) -> str:
    return " | ".join(" ".join(tower) for tower in towers)


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    init, goal = problem.facts["init"], problem.facts["goal"]
    worker = Worker(init, goal)
    lines = said_again(init, goal, words.says_stacks(problem.messages[-1]["content"])) + worker.lines
    if effort == "max":
        lines.append(f"Test: {_said(worker.towers)}")
        lines += [f"Test {fact.split()[1]} on {(fact.split() + ['table'])[2]}: yes" for fact in goal]
    content = words.plan_of(problem.facts["wording"], worker.plan)
    return [assistant(content, "" if effort == "none" else "\n".join(lines))]


def verify(problem: Problem, replies: list[Message], box: None) -> Verdict:
    return check_plan(BLOCKS, problem.facts, answer_of(replies))


TASK = Task("blocksworld", "planning", len(SIZES), sample, solve, verify)
