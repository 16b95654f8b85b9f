"""How does one find through a maze of rooms and doors: depth first, with the way so far kept in sight?

The trace says the doors again in the problem's order, each with all that is known by then of its two rooms, so that the
last list of a room is whole (where the problem lists the rooms, these lists are said again); then it is one line per look
around: the way so far, then the doors of the room where it ends, each to a room seen or new; it goes on
to the first new one, or a step back where there is none. The way at the end is the answer.
"""

from __future__ import annotations

import random
import re

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

# Numbers of rooms; the held-out ones lie between those of training, and have more loops than most there.
ROOMS = {1: (5, 6), 2: (6, 7, 8), 3: (8, 9, 10, 14)}
HELD_OUT = {1: (11,), 2: (11, 12), 3: (12, 13)}
NAMES = (tuple("ABCDEFGHJKLMNPQRST"), tuple("abcdefghjklmnpqrst"),
         ("hall", "kitchen", "cellar", "attic", "garden", "library", "pantry", "studio", "office", "garage", "tower",
          "bath", "porch", "lounge", "yard"),
         ("oak", "elm", "ash", "fir", "pine", "birch", "maple", "cedar", "willow", "beech", "larch", "yew", "alder",
          "hazel"),
         ("red", "blue", "green", "white", "black", "brown", "pink", "grey", "gold", "silver", "orange", "violet",
          "yellow", "cyan"),
         tuple(f"{letter}{digit}" for letter in "abcd" for digit in range(1, 5)))
MOST_LINES = 15


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    while True:
        n = rng.choice((HELD_OUT if held_out else ROOMS)[level])
        names = rng.sample(rng.choice([names for names in NAMES if len(names) >= n]), n)
        # a random tree that likes to go on from its last rooms, so that ways are long, and a few doors more
        doors = [(names[max(0, i - rng.choice((1, 1, 2, 2, 3)))], names[i]) for i in range(1, n)]
        doors = list(dict.fromkeys(doors))
        for _ in range(rng.randint(1, 3) if held_out else rng.choice((0, 0, 1, 1, 2, 3))):
            a, b = rng.sample(names, 2)
            if (a, b) not in doors and (b, a) not in doors:
                doors.append((a, b))
        rng.shuffle(doors)
        doors = [door if rng.random() < 0.5 else door[::-1] for door in doors]
        start, goal = rng.sample(names, 2)
        listed = rng.random() < 0.5
        order = rng.sample(names, n)
        ways = {room: [b if a == room else a for a, b in doors if room in (a, b)] for room in order}
        lines, way = explore(ways, start, goal)
        if len(way) > 2 and len(lines) <= MOST_LINES:
            break
    facts = {"ways": ways, "start": start, "goal": goal, "doors": [] if listed else [list(door) for door in doors]}
    return Problem(f"{n} rooms, {len(doors) - n + 1} loops", _key(ways, start, goal),
                   user(_prompt(rng, facts)), facts)


def _key(ways: dict[str, list[str]], start: str, goal: str) -> str:
    """Rooms numbered by colour refinement from start and goal: equal for equal mazes under other names."""
    colour = {room: (room == start) + 2 * (room == goal) for room in ways}
    for _ in ways:
        full = {room: (colour[room], sorted(colour[other] for other in ways[room])) for room in ways}
        number = {repr(value): i for i, value in enumerate(sorted(full.values()))}
        colour = {room: number[repr(full[room])] for room in ways}
    edges = sorted(" ".join(map(str, sorted((colour[a], colour[b])))) for a in ways for b in ways[a])
    return f"{len(ways)} {colour[start]} {colour[goal]}; {', '.join(edges[::2])}"


def _prompt(rng: random.Random, facts: dict) -> str:
    start, goal, ways, doors = facts["start"], facts["goal"], facts["ways"], facts["doors"]
    ask = rng.choice(("Find a way from {} to {}.", "How do I get from {} to {}?", "Which way leads from {} to {}?",
                      "Go from {} to {}. List the rooms of the way.",
                      "Find a path from {} to {}.")).format(start, goal)
    if doors:
        form, head = rng.choice((("{} to {}", "Doors: "), ("{} and {}", "There are doors between "),
                                 ("{} - {}", "Connections: "), ("{} with {}", "Edges: "),
                                 ("{} to {}", "A maze. Its rooms are joined: ")))
        said = f"{head}{', '.join(form.format(*door) for door in doors)}."
    else:
        form = rng.choice(("Room {} leads to {}.", "From {} one can go to {}.", "At {}: {}.",
                           "Place {} has doors to {}."))
        said = rng.choice((" ", "\n")).join(form.format(room, ", ".join(ways[room])) for room in ways)
    return rng.choice((f"{said}\n{ask}", f"{ask}\n{said}", f"{said} {ask}"))


def explore(ways: dict[str, list[str]], start: str, goal: str) -> tuple[list[str], list[str]]:
    """The lines of a depth-first search and the way at its end."""
    way, seen, lines = [start], {start}, []
    while way:
        doors = ways[way[-1]]
        new = goal if goal in doors else next((room for room in doors if room not in seen), None)
        said = ", ".join(f"{room} {'goal' if room == goal else 'seen' if room in seen else 'new'}" for room in doors)
        go = f"go {new}" if new else f"back to {way[-2]}" if len(way) > 1 else "stuck"
        lines.append(f"Way {' '.join(way)}, want {goal}: {said}; {go}")
        if new is None:
            way.pop()
            continue
        way.append(new)
        seen.add(new)
        if new == goal:
            break
    return lines, way


def gather(doors: list[list[str]]) -> list[str]:
    """Each door with all that is known by then of its two rooms, so that a room's last list is whole."""
    known: dict[str, list[str]] = {}
    lines = []
    for a, b in doors:
        for room, other in ((a, b), (b, a)):
            known.setdefault(room, []).append(other)
        lines.append(f"{a} {b}; {a}: {', '.join(known[a])}; {b}: {', '.join(known[b])}")
    return lines


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    f = problem.facts
    lines, way = explore(f["ways"], f["start"], f["goal"])
    if f["doors"]:
        told = [f"Door {line}" for line in gather(f["doors"])]
    else:
        told = ["Doors " + "; ".join(f"{room}: {', '.join(doors)}" for room, doors in f["ways"].items())]
    lines = told + lines
    if effort == "max":
        lines.append("Check " + ", ".join(f"{a} has {b}" for a, b in zip(way, way[1:], strict=False)))
    lines.append(f"Done {' '.join(way)}")
    return [assistant(f"Go from {' to '.join(way)}.", "" if effort == "none" else "\n".join(lines))]


def verify(problem: Problem, replies: list[Message], box: None) -> Verdict:
    f = problem.facts
    text = answer_of(replies)[:5000]
    names = {name.lower(): name for name in f["ways"] if len(name) > 1} | {name: name for name in f["ways"]}
    best = Verdict(False, "no rooms are named")
    for part in (text, *text.splitlines()[-1:]):
        words = re.findall(r"\w+", part)
        way = [name for word in words if (name := names.get(word) or names.get(word.lower() if len(word) > 1 else ""))]
        if not way:
            continue
        way = [room for i, room in enumerate(way) if i == 0 or room != way[i - 1]]  # "go from a to b. go from b to c"
        way = way if way[0] == f["start"] else [f["start"], *way]
        best = _walk(f, way)
        if best.right:
            break
    return best


def _walk(f: dict, way: list[str]) -> Verdict:
    for a, b in zip(way, way[1:], strict=False):
        if b not in f["ways"][a]:
            return Verdict(False, f"there is no door from {a} to {b}")
    return Verdict(True) if way[-1] == f["goal"] else Verdict(False, f"the way ends in {way[-1]}, not in {f['goal']}")


TASK = Task("maze", "planning", len(ROOMS), sample, solve, verify)
