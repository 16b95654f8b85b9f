"""What are the states and goals of Blocksworld: towers from facts, random towers, and a problem's canonical form?

Facts are strings: "on a b", "table a", "clear a", "empty". A tower is a list of blocks from the table up.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import permutations, product
from math import comb, factorial

Towers = list[list[str]]


def towers_of(init: Iterable[str]) -> Towers:
    """The towers in the order in which the facts put their lowest blocks on the table."""
    words = [fact.split() for fact in init]
    above = {w[2]: w[1] for w in words if w[0] == "on"}
    towers = [[w[1]] for w in words if w[0] == "table"]
    for tower in towers:
        while tower[-1] in above:
            tower.append(above[tower[-1]])
    return towers


def chains_of(goal: Iterable[str]) -> Towers:
    """What the goal wants on what, as chains from below up, in the order in which it first names their lowest part. A
    chain that must stand on the table begins with the word "table"."""
    words = [fact.split() for fact in goal]
    above = {w[2]: w[1] for w in words if w[0] == "on"}
    raised = set(above.values())
    tabled = {w[1] for w in words if w[0] == "table"}
    chains: dict[str, list[str]] = {}
    for w in words:
        lowest = w[1] if w[0] == "table" else w[2]
        if lowest not in raised and lowest not in chains:
            chain = [lowest]
            while chain[-1] in above:
                chain.append(above[chain[-1]])
            chains[lowest] = ["table"] * (lowest in tabled) + chain
    return list(chains.values())


def init_facts(towers: Towers) -> list[str]:
    """The facts of a state with an empty hand: what is clear, what is on what, what is on the table."""
    clear = [f"clear {tower[-1]}" for tower in towers]
    on = [f"on {a} {b}" for tower in towers for b, a in zip(tower, tower[1:], strict=False)]
    return [*clear, "empty", *on, *(f"table {tower[0]}" for tower in towers)]


def on_facts(towers: Towers) -> list[str]:
    return [fact for fact in init_facts(towers) if fact.startswith("on ")]


def random_towers(rng: random.Random, blocks: list[str]) -> Towers:
    """A state of the blocks, each equally likely: n!/k! C(n-1, k-1) states have k towers."""
    n = len(blocks)
    weights = [comb(n - 1, k - 1) * factorial(n) // factorial(k) for k in range(1, n + 1)]
    k = rng.choices(range(1, n + 1), weights)[0]
    cuts = [0, *sorted(rng.sample(range(1, n), k - 1)), n]
    order = rng.sample(blocks, n)
    return [order[a:b] for a, b in zip(cuts, cuts[1:], strict=False)]


def key_of(towers: Towers, goal: Iterable[str]) -> str:
    """The problem up to names and the order of facts: equal exactly for problems that differ in those only."""
    facts = [fact.split() for fact in goal]
    height = {block: (len(tower), i) for tower in towers for i, block in enumerate(tower)}

    def signature(tower: list[str]) -> tuple:
        """What can be said of a tower without names, so that few orders of the towers are left to try."""
        of = [sorted((f[0], f.index(block), *(height[b] for b in f[1:])) for f in facts if block in f[1:])
              for block in tower]
        return len(tower), tuple(map(tuple, of))

    groups: dict[tuple, Towers] = {}
    for tower in towers:
        groups.setdefault(signature(tower), []).append(tower)
    best: list[str] | None = None
    for arrangement in product(*(permutations(groups[s]) for s in sorted(groups))):
        order = [block for group in arrangement for tower in group for block in tower]
        number = {block: str(i) for i, block in enumerate(order)}
        form = sorted(" ".join([f[0], *(number[b] for b in f[1:])]) for f in facts)
        best = form if best is None else min(best, form)
    heights = sorted(len(tower) for tower in towers)
    return f"{' '.join(map(str, heights))}; {', '.join(best or [])}"
