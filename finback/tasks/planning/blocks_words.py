"""How is a Blocksworld problem told, and how is a plan for it written: PlanBench's English, PDDL, or a compact form?

The English domain text, its sentences and its actions are PlanBench's (karthikv792/LLMs-Planning), word for word,
because its prompts are what the plans are judged by; the other wordings are our own.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

from finback.tasks.planning.blocks_state import Towers, init_facts, towers_of
from finback.tasks.planning.strips import Step

DOMAIN = Path(__file__).with_name("planbench_blocksworld.txt").read_text(encoding="utf-8")
SHORT = (
    "I am playing with a set of blocks where I need to arrange the blocks into stacks.\n\n",
    "I am playing with a set of blocks. I can pick up, put down, stack and unstack one clear block at a time.\n\n",
    "Here are the actions I can do\n\nPick up a block\nUnstack a block from on top of another block\nPut down a block\n"
    "Stack a block on top of another block\n\n",
    "Blocks world: move one block at a time, and only a block with nothing on top of it.\n\n",
    "Find a plan that arranges the blocks. List one action per line.\n\n",
)
ENDINGS = ("My plan is as follows:\n\n[PLAN]", "My plan is as follows:",
           "What is the plan to achieve my goal? Just give the actions in the plan.",
           "Which actions get me there?", "What should I do, step by step?")
PLANBENCH_COLOURS = ("red", "blue", "orange", "yellow", "white", "magenta", "black", "cyan", "green", "violet",
                     "silver", "gold")
ENGLISH_NAMES = (*PLANBENCH_COLOURS, "pink", "brown", "grey", "purple", "wooden", "iron", "glass", "stone", "paper",
                 "small", "big", "round", "old", "new", "heavy", "light", "first", "second", "third", "fourth", "fifth")
SHORT_NAMES = (tuple("ABCDEFGHJKLMNPQRSTUVWXYZ"), tuple("abcdefghjkmnpqrstuvwxyz"), 
               tuple(f"b{i}" for i in range(1, 10)), PLANBENCH_COLOURS,
               ("cup", "box", "book", "toy", "pan", "drum", "lamp", "cake", "shoe"))

STACKED = ("Stacks from the table up: {}", "Towers, lowest block first: {}", "Now (bottom to top): {}")


def says_stacks(prompt: str) -> bool:
    """Whether a compact prompt gives its towers as such."""
    return any(form.format("") in prompt for form in STACKED)


def draw_names(rng: random.Random, wording: str, n: int) -> tuple[str, ...]:
    if wording == "english":
        return tuple(rng.sample(PLANBENCH_COLOURS if rng.random() < 0.6 else ENGLISH_NAMES, n))
    names = rng.choice(SHORT_NAMES)
    return names[:n] if rng.random() < 0.5 else tuple(rng.sample(names, n))


def order_facts(rng: random.Random, wording: str, towers: Towers, goal: list[str],
                names: tuple[str, ...], exact: bool) -> tuple[list[str], list[str]]:
    """The facts in the order of the prompt: as PlanBench sorts them, by kind, then by block (if `exact`, always), or
    shuffled."""
    init = init_facts(towers)
    if wording == "compact":
        placed = [fact for fact in init if fact.startswith(("on", "table"))]
        return rng.sample(placed, len(placed)), rng.sample(goal, len(goal))
    if exact or rng.random() < 0.5:
        kinds = ("clear", "empty", "on", "table")
        place = {f: (kinds.index(f.split()[0]), [names.index(b) for b in f.split()[1:]]) for f in {*init, *goal}}
        return sorted(init, key=place.__getitem__), sorted(goal, key=place.__getitem__)
    return rng.sample(init, len(init)), rng.sample(goal, len(goal))


def prompt_of(rng: random.Random, wording: str, init: list[str], goal: list[str], whole: bool, example: str) -> str:
    """The prompt of a problem. whole: in English, with PlanBench's whole domain text; example: after it, a worked
    problem."""
    names = [fact.split()[1] for fact in init if fact.startswith(("on", "table"))]
    if wording == "english":
        head = DOMAIN if whole else rng.choice(SHORT) if rng.random() < 0.5 else ""
        ending = ENDINGS[0] if head is DOMAIN or rng.random() < 0.6 else rng.choice(ENDINGS)
        return head + example + statement(init, goal, ending)
    if wording == "pddl":
        body = (f"(:objects {' '.join(sorted(names))})\n(:init {' '.join(map(_pddl_fact, init))})\n"
                f"(:goal (and {' '.join(map(_pddl_fact, goal))}))")
        head = rng.choice(("Solve this blocksworld problem with pick-up, put-down, stack and unstack.\n",
                           "Blocksworld problem in PDDL. Give a plan.\n",
                           "Find a valid plan, one action per line.\n",
                           "(define (problem blocks) (:domain blocksworld)\n"))
        return f"{head}{body}{')' * head.startswith('(define')}"
    if rng.random() < 0.5:
        towers = towers_of(init)
        stacks = rng.choice(("; ", ", ", " | ")).join(" ".join(tower) for tower in towers)
        start = rng.choice(STACKED).format(stacks)
    else:
        start = rng.choice(("Start: {}", "Initial state: {}", "Now: {}")).format(", ".join(map(_short_fact, init)))
    end = rng.choice(("Goal: {}", "Make it so that {}", "Wanted: {}")).format(", ".join(map(_short_fact, goal)))
    head = rng.choice(("Blocks world. ", "Rearrange the blocks. ", "Plan the moves of the robot hand. ",
                       "Blocksworld: ", ""))
    tail = rng.choice(("Actions: pick up, put down, stack, unstack.", "Plan with pick up, put down, stack, unstack:",
                       "List the actions.",
                       "Give the plan, one action per line."))
    gap = rng.choice(("\n", ". "))
    return f"{head}{start}{gap}{end}{gap}{tail}"


def statement(init: list[str], goal: list[str], ending: str) -> str:
    """PlanBench's statement of a problem."""
    return (f"[STATEMENT]\nAs initial conditions I have that, {_list(init)}.\n"
            f"My goal is to have that {_list(goal)}.\n\n{ending}")


def english_example(init: list[str], goal: list[str], plan: list[Step]) -> str:
    return f"{statement(init, goal, ENDINGS[0])}\n{plan_of('english', plan)}\n[PLAN END]\n\n"


def plan_of(wording: str, plan: list[Step]) -> str:
    """A plan, one action per line, in the wording of the prompt."""
    return "\n".join(_FORMS[wording][name].format(*blocks) for name, blocks in plan)


_FORMS = {
    "english": {"pick-up": "pick up the {} block", "put-down": "put down the {} block",
                "stack": "stack the {} block on top of the {} block",
                "unstack": "unstack the {} block from on top of the {} block"},
    "pddl": {"pick-up": "(pick-up {})", "put-down": "(put-down {})", "stack": "(stack {} {})",
             "unstack": "(unstack {} {})"},
    "compact": {"pick-up": "pick up {}", "put-down": "put down {}", "stack": "stack {} on {}",
                "unstack": "unstack {} from {}"},
}
_ENGLISH = {"clear": "the {} block is clear", "empty": "the hand is empty",
            "on": "the {} block is on top of the {} block",
            "table": "the {} block is on the table"}


def _list(facts: list[str]) -> str:
    said = [_ENGLISH[fact.split()[0]].format(*fact.split()[1:]) for fact in facts]
    return re.sub(r", (?=[^,]*$)", " and ", ", ".join(said))


def _pddl_fact(fact: str) -> str:
    return f"({fact})".replace("(empty)", "(handempty)").replace("(table ", "(ontable ")


def _short_fact(fact: str) -> str:
    head, *blocks = fact.split()
    return f"{blocks[0]} on {blocks[1]}" if head == "on" else f"{blocks[0]} on table"
