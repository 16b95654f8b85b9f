"""What is a shortest way over a grid with walls, found by breadth-first search in coordinates?

A cell is two digits, row and column. The trace restates walls, start and goal; then takes each cell in the order in
which it was found and says of its neighbours (up, down, left, right) whether they are out, wall, seen or new; goes back
from the goal over the cells that found each other; and reads off the directions.
"""

from __future__ import annotations

import random
import re

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

Cell = tuple[int, int]
# level -> (rows, columns); of the held-out ones training shows each number of rows and of columns, with others
SHAPES = {1: ((3, 3), (3, 4), (4, 3), (2, 4), (4, 2)), 2: ((4, 4), (3, 5), (5, 3), (2, 7), (7, 2)),
          3: ((4, 5), (5, 4), (5, 5), (5, 6), (6, 5), (3, 7), (7, 3))}
HELD_OUT = {1: ((2, 5), (5, 2), (2, 6)), 2: ((3, 6), (6, 3)), 3: ((4, 6), (6, 4))}
MARKS = (("#", ".", "S", "G"), ("X", ".", "S", "E"), ("#", "_", "A", "B"))  # wall, free, start, goal of a drawing
MOST_LOOKS = 19  # cells that the search may take, so that its trace stays short
MOVES: dict[str, Cell] = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
WORDS = {"up": "up", "north": "up", "u": "up", "n": "up", "down": "down", "south": "down", "d": "down", "s": "down",
         "left": "left", "west": "left", "l": "left", "w": "left", "right": "right", "east": "right", "r": "right",
         "e": "right"}


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    while True:
        rows, columns = rng.choice((HELD_OUT if held_out else SHAPES)[level])
        cells = [(r, c) for r in range(1, rows + 1) for c in range(1, columns + 1)]
        start, goal, *rest = rng.sample(cells, len(cells))
        walls = sorted(rest[: round(len(cells) * rng.uniform(0.1, 0.4))])
        lines, way = search(rows, columns, walls, start, goal)
        if way and len(way) > 1 + level and len(lines) <= MOST_LOOKS:
            break
    drawn = rng.random() < 0.3
    facts = {"rows": rows, "columns": columns, "walls": [list(wall) for wall in walls], "start": list(start),
             "goal": list(goal), "marks": list(rng.choice(MARKS)) if drawn else []}
    key = f"{rows}x{columns} {_said([start, goal])}; {_said(walls)}"
    return Problem(f"{rows}x{columns}{', drawn' if drawn else ''}", key, user(_prompt(rng, facts)), facts)


def _grid(facts: dict) -> tuple[int, int, list[Cell], Cell, Cell]:
    cells = [(r, c) for r, c in (*facts["walls"], facts["start"], facts["goal"])]
    return facts["rows"], facts["columns"], cells[:-2], cells[-2], cells[-1]


def _said(cells: list[Cell]) -> str:
    return " ".join(f"{r}{c}" for r, c in cells)


def _prompt(rng: random.Random, facts: dict) -> str:
    rows, columns, walls, start, goal = _grid(facts)
    ask = rng.choice(("Find a shortest path.", "What is the shortest way? Answer with up, down, left, right.",
                      "Give the moves of a shortest path.",
                      "Which moves (up, down, left, right) are a shortest way?", "List the fewest moves."))
    if facts["marks"]:
        wall, _, s, g = facts["marks"]
        drawing = "\n".join(_drawing(facts))
        return rng.choice((f"A map, {wall} is a wall. Go from {s} to {g}.\n{drawing}\n{ask}",
                           f"{drawing}\nFrom {s} to {g}, not through {wall}. {ask}"))
    form = rng.choice(("({},{})", "({}, {})", "{}{}", "r{}c{}"))
    a, b = form.format(*start), form.format(*goal)
    listed = rng.choice((" ", ", ", "; ")).join(form.format(*w) for w in rng.sample(walls, len(walls))) or "none"
    size = f"{rows} rows and {columns} columns"
    return rng.choice((
        f"Grid of {size}, cells as row and column, row 1 at the top. Walls: {listed}. From {a} to {b}. {ask}",
        f"{rows}x{columns} grid (row, column), {a} to {b}, blocked: {listed}. {ask}",
        f"A robot stands at {a} on a grid with {size} and wants to reach {b}. It cannot enter {listed}. {ask}",
        f"Start {a}\nGoal {b}\nObstacles {listed}\nSize {rows} by {columns}\n{ask}",
    ))


def _drawing(facts: dict) -> list[str]:
    """The rows as the prompt draws them."""
    rows, columns, walls, start, goal = _grid(facts)
    wall, free, s, g = facts["marks"]
    mark = {cell: wall for cell in walls} | {start: s, goal: g}
    return [" ".join(mark.get((r, c), free) for c in range(1, columns + 1)) for r in range(1, rows + 1)]


def search(rows: int, columns: int, walls: list[Cell], start: Cell, goal: Cell) -> tuple[list[str], list[Cell]]:
    """The lines of a breadth-first search, and the way it finds ([] if there is none)."""
    blocked, found, order, lines = set(walls), {start: start}, [start], []
    for number, cell in enumerate(order, 1):
        said = []
        for step in MOVES.values():
            r, c = cell[0] + step[0], cell[1] + step[1]
            if not (1 <= r <= rows and 1 <= c <= columns):
                said.append("out")
            elif (r, c) in blocked:
                said.append(f"{r}{c} wall")
            elif (r, c) in found:
                said.append(f"{r}{c} seen")
            else:
                found[r, c] = cell
                order.append((r, c))
                said.append(f"{r}{c} {'goal' if (r, c) == goal else f'new #{len(order)}'}")
                if (r, c) == goal:
                    break
        lines.append(f"#{number} {cell[0]}{cell[1]}:{','.join(said)}")
        if goal in found:
            way = [goal]
            while way[-1] != start:
                way.append(found[way[-1]])
            return lines, way[::-1]
    return lines, []


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    rows, columns, walls, start, goal = _grid(problem.facts)
    lines, way = search(rows, columns, walls, start, goal)
    names = {step: name for name, step in MOVES.items()}
    moves = [names[b[0] - a[0], b[1] - a[1]] for a, b in zip(way, way[1:], strict=False)]
    head = []
    if problem.facts["marks"]:  # each row said again, then read off cell by cell, as columns are hard to count
        kind = dict.fromkeys(walls, "wall") | {start: "start", goal: "goal"}
        head = [f"Row {row}:" + ",".join(f"{r}{c} {kind.get((r, c), 'free')}" for c in range(1, columns + 1))
                for r, row in enumerate(_drawing(problem.facts), 1)]
    head += [f"Size {rows} {columns}", f"Walls {_said(walls) or 'none'}", f"From {_said([start])} to {_said([goal])}"]
    steps = "".join(f" {move},{_said([cell])}" for move, cell in zip(moves, way[1:], strict=True))
    tail = [f"Back {_said(way[::-1])}"]
    if effort == "max":
        head += _straight(start, goal, walls)
        tail.append("Check " + ",".join(f"{_said([cell])} free" for cell in way[1:]))
    tail.append(f"Way {_said(way[:1])}{steps}")
    return [assistant(f"Go {', '.join(moves)}.", "" if effort == "none" else "\n".join([*head, *lines, *tail]))]


def _straight(start: Cell, goal: Cell, walls: list[Cell]) -> list[str]:
    """The two ways with one corner, walked until a wall: what is tried first, and mostly dropped."""
    down, right = goal[0] - start[0], goal[1] - start[1]
    along = [(1 if down > 0 else -1, 0)] * abs(down)
    across = [(0, 1 if right > 0 else -1)] * abs(right)
    lines = []
    for steps in dict.fromkeys((tuple(across + along), tuple(along + across))):
        at, said = start, []
        for step in steps:
            at = (at[0] + step[0], at[1] + step[1])
            said.append(f"{_said([at])} {'wall' if at in walls else 'free'}")
            if at in walls:
                break
        lines.append(f"Try {','.join(said)}: {'no' if at in walls else 'yes'}")
    return lines


def verify(problem: Problem, replies: list[Message], box: None) -> Verdict:
    rows, columns, walls, start, goal = _grid(problem.facts)
    text = answer_of(replies)[:5000].lower()
    words = [WORDS[w] for w in re.findall(r"[a-z]+", text) if len(w) > 1 and w in WORDS]
    letters = re.sub(r"[\s,;.>\-→]", "", text)
    if not words and re.fullmatch(r"[udlr]+|[nsew]+", letters):
        words = [WORDS[letter] for letter in letters]
    if not words:
        return Verdict(False, "there are no directions")
    r, c = start
    for number, word in enumerate(words, 1):
        r, c = r + MOVES[word][0], c + MOVES[word][1]
        if not (1 <= r <= rows and 1 <= c <= columns):
            return Verdict(False, f"move {number} ({word}) leaves the grid")
        if (r, c) in walls:
            return Verdict(False, f"move {number} ({word}) runs into a wall at row {r}, column {c}")
    if (r, c) != goal:
        return Verdict(False, f"the way ends at row {r}, column {c}, not at the goal")
    shortest = len(search(rows, columns, walls, start, goal)[1]) - 1
    if len(words) > shortest:
        return Verdict(False, f"the way has {len(words)} moves; the shortest has {shortest}")
    return Verdict(True)


TASK = Task("grid", "planning", len(SHAPES), sample, solve, verify)
