"""How does a robot with one or two hands bring balls to their rooms?

The policy, room by room: drop what belongs here, take the first balls that want to leave, as many as there are free hands,
then go where the first ball in hand wants to go, or with empty hands to the first ball that waits. The trace first says
start and goal again in the problem's own order, which is copying; puts each ball's two places side by side ("hall attic
goes", "hall hall stays"); and gathers what waits by rooms. In every room it compares what it holds with where it is, says
what waits there, takes it ball by ball, and ends with all that is in hand and all that still waits, so that the next
room's lines look no further back.
"""

from __future__ import annotations

import random

from finback.tasks.planning.strips import GRIPPER, Step, check_plan
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

ROOMS = (("A", "B", "C", "D"), ("kitchen", "hall", "garden", "cellar"), ("r1", "r2", "r3", "r4"),
         ("red", "green", "blue", "white"),
         ("lab", "shop", "yard", "attic"), ("north", "south", "east", "west"))
BALLS = (tuple(f"b{i}" for i in range(1, 9)), tuple(f"ball{i}" for i in range(1, 9)),
         ("apple", "book", "cup", "drum", "egg", "fan", "gem", "hat"),
         tuple("pqstuvwx"), ("lamp", "vase", "shoe", "coin", "key", "bell", "jar", "rope"))
HANDS = ("left", "right")
# level -> (rooms, balls) pairs; of the held-out ones training shows the number of rooms with other balls, and their number of
# balls, or one less and one more, in other rooms
SHAPES = {1: ((2, 3), (3, 2), (3, 3), (4, 2)), 2: ((2, 4), (2, 5), (3, 4), (4, 2)), 3: ((3, 4), (3, 5), (2, 7))}
HELD_OUT = {1: ((4, 3),), 2: ((4, 4), (2, 6)), 3: ((3, 6), (4, 5))}


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    n_rooms, n_balls = rng.choice((HELD_OUT if held_out else SHAPES)[level])
    rooms = rng.sample(rng.choice(ROOMS), n_rooms)
    balls = rng.sample(rng.choice(BALLS)[:7], n_balls)
    hands = HANDS[: 1 if rng.random() < 0.25 else 2]
    while True:
        at = {ball: rng.choice(rooms) for ball in balls}
        wants = {ball: rng.choice(rooms) for ball in balls if rng.random() < 0.85}
        if sum(at[ball] != room for ball, room in wants.items()) >= 1 + level // 2:
            break
    robot = rng.choice(rooms)
    init = [*(f"room {r}" for r in rooms), *(f"ball {b}" for b in balls), *(f"free {h}" for h in hands),
            f"at-robby {robot}",
            *(f"at {ball} {room}" for ball, room in at.items())]
    goal = [f"at {ball} {room}" for ball, room in rng.sample(list(wants.items()), len(wants))]
    wording = rng.choice(("english", "english", "compact", "pddl"))
    facts = {"init": init, "goal": goal, "wording": wording}
    return Problem(f"{n_rooms} rooms, {n_balls} balls, {len(hands)} hands", _key(rooms, robot, at, wants, hands),
                   user(_prompt(rng, facts)), facts)


def _key(rooms: list[str], robot: str, at: dict[str, str], wants: dict[str, str], hands: tuple[str, ...]) -> str:
    """Rooms renamed: the robot's first, the others by what lies and goes there, so that most equal problems meet."""
    moves = [(at[ball], wants.get(ball)) for ball in at]
    size = {room: (room != robot, sum(a == room != b for a, b in moves), sum(b == room != a for a, b in moves),
                   sum(a == b == room for a, b in moves))
            for room in rooms}
    number = {room: str(i) for i, room in enumerate(sorted(rooms, key=size.__getitem__))} | {None: "-"}
    return f"{len(rooms)} {len(hands)}; " + " ".join(sorted(f"{number[a]}>{number[b]}" for a, b in moves))


def _prompt(rng: random.Random, facts: dict) -> str:
    init, goal = facts["init"], facts["goal"]
    of = {head: [f.split()[1] for f in init if f.split()[0] == head] for head in ("room", "ball", "free", "at-robby")}
    at = [f.split()[1:] for f in init if f.startswith("at ")]
    wants = [f.split()[1:] for f in goal]
    robot, hands, rooms = of["at-robby"][0], of["free"], of["room"]
    if facts["wording"] == "pddl":
        head = rng.choice(("Gripper problem. Give a plan with move, pick and drop.",
                           "Solve with (move a b), (pick ball room hand), (drop ball room hand)."))
        now = " ".join([f"(at-robby {robot})", *(f"(free {h})" for h in hands), *(f"(at {b} {r})" for b, r in at)])
        aims = " ".join(f"(at {b} {r})" for b, r in wants)
        return f"{head}\n(:objects {' '.join([*rooms, *rng.sample(of['ball'], len(at)), *hands])})\n(:init {now})\n(:goal (and {aims}))"
    if facts["wording"] == "compact":
        lead = rng.choice(("Robot", "Carrier", "Gripper"))
        now, aims = (", ".join(f"{b} in {r}" for b, r in part) for part in (at, wants))
        tail = rng.choice(("Plan:", "Give the plan.", "Actions: move, pick, drop."))
        start = f"{lead} in {robot}, hands: {' '.join(hands)}"
        return rng.choice(("\n", "; ")).join((start, f"Rooms: {' '.join(rooms)}", f"Now: {now}", f"Goal: {aims}", tail))
    grip = "one hand, the left one" if len(hands) == 1 else "two hands, left and right"
    thing = rng.choice(("things", "objects", "items"))
    now = ", ".join(f"{b} is in {r}" for b, r in at)
    form = rng.choice(("{} must be in {}", "bring {} to {}"))
    aims = ", ".join(form.format(b, r) for b, r in wants)
    opening = rng.choice((f"A robot with {grip}, carries {thing} between rooms, one in each hand.",
                          f"I am a robot. I have {grip}, and each holds one of the {thing}.",
                          f"Help the robot: it has {grip}, and a hand holds one thing at a time."))
    end = rng.choice(("Goal", "Task", "At the end"))
    ask = rng.choice(("What should the robot do?", "Give its actions: move, pick, drop.", "List the steps."))
    return f"{opening} The rooms are {', '.join(rooms)}. The robot is in {robot}; {now}. {end}: {aims}. {ask}"


def work(init: list[str], goal: list[str]) -> tuple[list[str], list[Step]]:
    """The trace's lines and the plan."""
    at = {f.split()[1]: f.split()[2] for f in init if f.startswith("at ")}
    wants = {f.split()[1]: f.split()[2] for f in goal}
    hands = [f.split()[1] for f in init if f.startswith("free ")]
    robot = next(f.split()[1] for f in init if f.startswith("at-robby"))
    held: dict[str, str] = {}  # hand -> ball, in the order of taking
    todo = {ball: at[ball] for ball in at if wants.get(ball, at[ball]) != at[ball]}

    def balls(room: str) -> str:
        return f"{room} has " + (", ".join(f"{b} to {wants[b]}" for b, where in todo.items() if where == room) or "none")

    def waiting() -> str:
        return "Left " + ("; ".join(map(balls, dict.fromkeys(todo.values()))) or "none")

    lines = [f"Now {robot}; " + ", ".join(f"{ball} in {room}" for ball, room in at.items()),
             "Goal " + ", ".join(f"{ball} to {room}" for ball, room in wants.items()),
             *(f"Ball {ball} in {room}, {f'{ball} to {wants[ball]}: {room} {wants[ball]}' if ball in wants else 'free:'} "
               f"{'goes' if ball in todo else 'stays'}" for ball, room in at.items()),
             "Hold none", waiting()]
    plan: list[Step] = []

    def do(name: str, *arguments: str) -> None:
        plan.append((name, arguments))
        lines.append(f"{name} {' '.join(arguments)}")

    while todo or held:
        lines.append(f"In {robot}")
        for hand, ball in list(held.items()):
            lines.append(f"{hand} {ball} to {wants[ball]}: {robot} {wants[ball]} {'drop' if wants[ball] == robot else 'keep'}")
            if wants[ball] == robot:
                del held[hand]
                do("drop", ball, robot, hand)
        lines.append(balls(robot))
        for ball in [ball for ball, room in todo.items() if room == robot]:
            free = [hand for hand in hands if hand not in held]
            lines.append(f"{ball} to {wants[ball]}: {f'{free[0]} free' if free else 'full'}")
            if not free:
                break
            held[free[0]] = ball
            del todo[ball]
            do("pick", ball, robot, free[0])
        lines.append("Hold " + (", ".join(f"{hand} {ball} to {wants[ball]}" for hand, ball in held.items()) or "none"))
        lines.append(waiting())
        if held or todo:
            start, robot = robot, wants[next(iter(held.values()))] if held else next(iter(todo.values()))
            do("move", start, robot)
    return lines, plan


FORMS = {
    "pddl": {"move": "(move {} {})", "pick": "(pick {} {} {})", "drop": "(drop {} {} {})"},
    "compact": {"move": "move {} {}", "pick": "pick {} {} {}", "drop": "drop {} {} {}"},
    "english": {"move": "move from {} to {}", "pick": "pick up {} in {} with {}", "drop": "drop {} in {} from {}"},
}


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    facts = problem.facts
    lines, plan = work(facts["init"], facts["goal"])
    if effort == "max":
        wants = dict(fact.split()[1:] for fact in facts["goal"])
        checks = {f"drop {' '.join(said)}": f"Check {said[0]} to {wants[said[0]]}, in {said[1]}: yes" for name, said in plan if name == "drop"}
        lines = [each for line in lines for each in (line, checks.get(line)) if each]
    content = "\n".join(FORMS[facts["wording"]][name].format(*arguments) for name, arguments in plan)
    return [assistant(content, "" if effort == "none" else "\n".join(lines))]


def verify(problem: Problem, replies: list[Message], box: None) -> Verdict:
    return check_plan(GRIPPER, problem.facts, answer_of(replies))


TASK = Task("gripper", "planning", len(SHAPES), sample, solve, verify)
