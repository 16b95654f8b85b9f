"""How does any position of the Towers of Hanoi become any other, each move read off one line?

The trace first says start and goal again, then by disks. A line then lists the disks from the largest down, each with
the peg where it is, the one where it must be in the end and whether it must go: "3 A goal C go". A disk that must go sends
all smaller ones to the third peg first, out of its way: "2 C goal A off B go"; a disk in place asks nothing: "1 B goal C off B ok".
The last disk of the line that must go can go: that is the move, said with both pegs and with where the disk is then ("2 from C to
B, 2 B"), and the next line follows from it. A peg is always said behind the words that it stood behind before, so
that to look it up is to go on as the text did there. The moves are the fewest where the goal is a whole tower.
A disk's goal is said in every line, also while the disk is off, so that it is never far.
Two or three disks have few different problems; four have a thousand.
"""

from __future__ import annotations

import random
import re

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

SIZES = {1: (2, 3), 2: (3, 4), 3: (4, 6, 7)}
HELD_OUT_SIZE = 5  # between sizes that are trained
MOST_MOVES = {1: 8, 2: 12, 3: 16}  # of problems with five disks and more; smaller ones have no limit
MOST_SAID = 80  # disks times moves, so that a trace stays short
PEGS = (("A", "B", "C"), ("left", "middle", "right"), ("a", "b", "c"), ("X", "Y", "Z"), ("P", "Q", "R"),
        ("red", "green", "blue"))
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven"}
Position = tuple[int, ...]  # the peg of each disk, the largest first


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    while True:
        n = HELD_OUT_SIZE if held_out else rng.choice(SIZES[level])
        start: Position = (rng.randrange(3),) * n if rng.random() < 0.3 else tuple(rng.randrange(3) for _ in range(n))
        goal: Position = (rng.randrange(3),) * n if rng.random() < 0.7 else tuple(rng.randrange(3) for _ in range(n))
        moves = len(work(start, goal)[1]) if start != goal else 0
        if moves and (n < HELD_OUT_SIZE or moves <= MOST_MOVES[level] and moves * n <= MOST_SAID):
            break
    pegs = rng.choice(PEGS)
    pegs = tuple(rng.sample(pegs, 3)) if rng.random() < 0.3 else pegs
    facts = {"start": list(start), "goal": list(goal), "pegs": list(pegs)}
    return Problem(f"{n} disks, {'tower' if len(set(goal)) == 1 else 'mixed'} goal", _key(start, goal),
                   user(_prompt(rng, start, goal, pegs)), facts)


def _key(start: Position, goal: Position) -> str:
    """Pegs renamed in the order in which start and goal first use them."""
    number: dict[int, int] = {}
    for peg in (*start, *goal):
        number.setdefault(peg, len(number))
    return "".join(str(number[p]) for p in start) + ">" + "".join(str(number[p]) for p in goal)


def _stacks(position: Position, pegs: tuple[str, ...], colon: str) -> str:
    n = len(position)
    disks = [[str(n - i) for i, at in enumerate(position) if at == peg] for peg in range(3)]
    return ", ".join(f"{name}{colon} {' '.join(d) or 'empty'}" for name, d in zip(pegs, disks, strict=True))


def _prompt(rng: random.Random, start: Position, goal: Position, pegs: tuple[str, ...]) -> str:
    n = len(start)
    colon = rng.choice((":", " has", " ="))
    whole = len(set(start)) == 1 == len(set(goal))
    aim = f"all disks on peg {pegs[goal[0]]}" if len(set(goal)) == 1 else _stacks(goal, pegs, colon)
    rule = rng.choice(("Never put a larger disk on a smaller one. ", "The usual rules. ",
                       "Only the top disk of a peg moves, and never onto a smaller one. ", ""))
    if whole and rng.random() < 0.7:
        here, there, third = pegs[start[0]], pegs[goal[0]], pegs[3 - start[0] - goal[0]]
        told = rng.choice((
            f"Solve the Towers of Hanoi with {NUMBERS[n]} disks: from peg {here} to peg {there}, using peg {third}.",
            f"Towers of Hanoi, {n} disks, pegs {' '.join(pegs)}: {here} to {there}.",
            f"Move a tower of {NUMBERS[n]} disks from {here} to {there}; the pegs are {', '.join(pegs)}.",
        ))
        return f"{told} {rule}".strip()
    now = _stacks(start, pegs, colon)
    return rng.choice((
        f"Towers of Hanoi, {NUMBERS[n]} disks (1 is the smallest), from the bottom. Now {now}. Goal: {aim}. {rule}",
        f"Hanoi, pegs {' '.join(pegs)}, disks 1 to {n}, largest first.\nStart: {now}\nGoal: {aim}\n{rule}",
        f"{n} disks lie on three pegs (bottom to top): {now}. {rule}Which moves lead to {aim}?",
    )).strip()


def targets(position: Position, goal: Position) -> list[int]:
    """Where each disk must go before the next larger one that must move can."""
    found: list[int] = []
    forced: int | None = None
    for at, wanted in zip(position, goal, strict=True):
        to = wanted if forced is None else forced
        found.append(to)
        if at != to:
            forced = 3 - at - to
    return found


def work(start: Position, goal: Position) -> tuple[list[tuple[Position, list[int]]], list[tuple[int, int, int]]]:
    """Every position with its targets, and the moves (disk, from, to)."""
    position, n = start, len(start)
    seen, moves = [], []
    while position != goal:
        to = targets(position, goal)
        seen.append((position, to))
        i = max(i for i in range(n) if position[i] != to[i])
        moves.append((n - i, position[i], to[i]))
        position = (*position[:i], to[i], *position[i + 1 :])
    seen.append((position, list(goal)))
    return seen, moves


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    start, goal, pegs = tuple(problem.facts["start"]), tuple(problem.facts["goal"]), problem.facts["pegs"]
    n = len(start)
    seen, moves = work(start, goal)
    lines = [f"Now {_stacks(start, pegs, '')}", f"Goal {_stacks(goal, pegs, '')}"]
    lines.append("Disks " + ", ".join(f"{n - i} {pegs[peg]}" for peg in range(3) for i, at in enumerate(start) if at == peg))
    lines.append("Aims " + ", ".join(f"{n - i} goal {pegs[peg]}" for peg in range(3) for i, at in enumerate(goal) if at == peg))
    for (position, to), move in zip(seen, [*moves, None], strict=True):
        said, off = [], False
        for i, (a, b) in enumerate(zip(position, to, strict=True)):
            said.append(f"{n - i} {pegs[a]} goal {pegs[goal[i]]} {f'off {pegs[b]} ' if off else ''}{'ok' if a == b else 'go'}")
            off |= a != b
        then = f"{move[0]} from {pegs[move[1]]} to {pegs[move[2]]}, {move[0]} {pegs[move[2]]}" if move else "done"
        lines.append(f"See {', '.join(said)}: {then}")
    if effort == "max":
        lines.append(f"Check {_stacks(seen[-1][0], pegs, '')}; wanted {_stacks(goal, pegs, '')}: same")
    content = "\n".join(f"move disk {disk} from {pegs[a]} to {pegs[b]}" for disk, a, b in moves)
    return [assistant(content, "" if effort == "none" else "\n".join(lines))]


_PEG = r"(?:(?:from|to|onto|on|peg|rod)\W+)*"
_MOVE = re.compile(rf"(?:disk|disc|ring|move|\()?\W*(?P<disk>\d)\W+{_PEG}(?P<a>\w+)\W+{_PEG}(?P<b>\w+)", re.I)
_LEAD = re.compile(r"^\s*(?:\d+\s*[.):]|[-*•]|step\s+\d+\W)\s*")


def verify(problem: Problem, replies: list[Message], box: None) -> Verdict:
    position, goal = list(problem.facts["start"]), problem.facts["goal"]
    n = len(position)
    pegs = {name.lower(): i for i, name in enumerate(problem.facts["pegs"])}
    number = 0
    for line in re.split(r"[\n;]", answer_of(replies)[:20_000]):
        line = _LEAD.sub("", line.lower()).strip().replace("->", " to ").replace("→", " to ")
        if not re.match(r"\W*(?:then\W+)?(?:move|disk|disc|\d)", line):
            continue
        match = _MOVE.search(line)
        if not match or match["a"] not in pegs or match["b"] not in pegs:
            return Verdict(False, f"no move can be read from {line[:60]!r}")
        number += 1
        disk, a, b = int(match["disk"]), pegs[match["a"]], pegs[match["b"]]
        said = f"move {number} (disk {disk} from {match['a']} to {match['b']})"
        if not 1 <= disk <= n or position[n - disk] != a:
            return Verdict(False, f"{said}: the disk is not there")
        if a == b or any(position[n - smaller] in (a, b) for smaller in range(1, disk)):
            return Verdict(False, f"{said}: a smaller disk is in the way")
        position[n - disk] = b
        if number > 400:
            return Verdict(False, "more than 400 moves")
    if not number:
        return Verdict(False, "there are no moves")
    return Verdict(position == goal, "" if position == goal else "at the end the disks are not where they should be")


TASK = Task("hanoi", "planning", len(SIZES), sample, solve, verify)
