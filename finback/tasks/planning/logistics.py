"""How do packages reach their places by trucks within cities and airplanes between them?

The policy takes the packages in order. Each goes, as far as it must, by truck to its city's airport, by the first
airplane to the goal's city, and by truck to its place; a vehicle that is not where the package waits comes first. The
trace first says in the problem's own order where everything is and what is wanted, which is copying; it puts two places
that are compared side by side ("l10 l11 same city"), names each leg before it is taken and restates where all vehicles
are after each package. Names are short in it:
l21 is place 1 of city 2, place 0 is the airport, and truck t2 is city 2's. The English is PlanBench's, word for word.
"""

from __future__ import annotations

import random
from itertools import permutations
from pathlib import Path

from finback.tasks.planning.strips import LOGISTICS, Step, check_plan
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

# level -> choices of (cities, places in a city, packages); of the held-out shapes training shows each number, with others
SHAPES = {1: ((2, 1, 1), (2, 2, 1), (3, 2, 1), (2, 1, 2), (4, 1, 1)), 2: ((2, 2, 2), (3, 1, 2), (3, 2, 2), (3, 3, 1), (4, 1, 2)),
          3: ((3, 2, 3), (2, 3, 2), (3, 3, 2), (2, 2, 3), (2, 1, 4))}
HELD_OUT = {1: ((2, 1, 3), (4, 2, 1)), 2: ((4, 2, 2), (3, 1, 4)), 3: ((2, 2, 4), (4, 2, 3))}
MOST_STEPS = {"english": 12, "compact": 26}

DOMAIN = Path(__file__).with_name("planbench_logistics.txt").read_text(encoding="utf-8")
SHORT = (DOMAIN.split(". ")[0] + ".\n\n",
         "Trucks drive within a city, airplanes fly between airports. List the actions, one per line.\n\n", "")
LONG_NAMES = {"l": "location", "t": "truck", "a": "airplane", "p": "package", "c": "city"}


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    wording = "english" if rng.random() < 0.55 else "compact"
    while True:
        cities, places, packages = rng.choice((HELD_OUT if held_out else SHAPES)[level])
        airplanes = rng.randint(1, 2)
        spots = [f"l{c}{i}" for c in range(cities) for i in range(places)]
        at = {f"a{i}": f"l{rng.randrange(cities)}0" for i in range(airplanes)}
        at |= {f"p{i}": rng.choice(spots) for i in range(packages)}
        at |= {f"t{c}": f"l{c}{rng.randrange(places)}" for c in range(cities)}
        goal = {f"p{i}": rng.choice(spots) for i in range(packages)}
        steps = len(work(at, goal)[1])
        if 0 < steps <= MOST_STEPS[wording]:
            break
    if rng.random() < 0.3:
        at = dict(rng.sample(list(at.items()), len(at)))
    kind = f"{cities} cities of {places}, {packages} packages"
    facts = {"at": at, "places": spots, "wants": goal, "wording": wording} | strips_facts(at, spots, goal, wording)
    return Problem(f"{kind}, {wording}", _key(cities, places, at, goal),
                   user(_prompt(rng, facts, short=steps <= 5 and not held_out)), facts)


def _key(cities: int, places: int, at: dict[str, str], goal: dict[str, str]) -> str:
    """The least of the forms that the problem has under other numbers for cities, places, packages and airplanes."""
    forms = []
    for city in permutations(range(cities)):
        for place in permutations(range(1, places)):
            name = {f"l{c}{i}": f"{city[c]}{(0, *place)[i]}" for c in range(cities) for i in range(places)}
            jobs = sorted(f"{name[at[p]]}>{name[to]}" for p, to in goal.items())
            forms.append(" ".join([*jobs, *sorted(f"{v[0]}{name[spot]}" for v, spot in at.items() if v not in goal)]))
    return f"{cities} {places}; {min(forms)}"


def long(name: str) -> str:
    return "_".join([LONG_NAMES[name[0]], *name[1:]])


def strips_facts(at: dict[str, str], spots: list[str], goal: dict[str, str], wording: str) -> dict[str, list[str]]:
    """The problem as facts in the names of its wording, in PlanBench's order."""
    say = long if wording == "english" else str
    kinds = [f"{LONG_NAMES[name[0]]} {say(name)}" for name in at]
    init = [*(f"airport {say(s)}" for s in spots if s[2] == "0"), *kinds,
            *(f"at {say(n)} {say(s)}" for n, s in at.items()),
            *(f"city {say(s)} {say('c' + s[1])}" for s in spots)]
    return {"init": init, "goal": [f"at {say(p)} {say(s)}" for p, s in goal.items()]}


def _prompt(rng: random.Random, facts: dict, short: bool) -> str:
    """short: whether the plan leaves room for PlanBench's long domain text."""
    said = [fact.split() for fact in facts["init"]]
    init = [f for f in said if f[0] in ("airport", "at", "city")]
    goal = [f.split() for f in facts["goal"]]
    if rng.random() < 0.3:  # the kinds mixed, of each in its order what the trace will say in that order
        at = iter([f for f in init if f[0] == "at"])
        init = [next(at) if f[0] == "at" else f for f in rng.sample(init, len(init))]
    if facts["wording"] == "english":
        forms = {"airport": "{} is an airport", "at": "{} is at {}", "city": "{} is in the city {}"}
        start, end = (_listed([forms[f[0]].format(*f[1:]) for f in part]) for part in (init, goal))
        head = DOMAIN if short and rng.random() < 0.25 else rng.choice(SHORT)
        return (f"{head}[STATEMENT]\nAs initial conditions I have that, {start}.\nMy goal is to have that {end}.\n\n"
                f"My plan is as follows:\n\n[PLAN]")
    places = ", ".join(f"{f[1]} in {f[2]}" for f in init if f[0] == "city")
    now = ", ".join(f"{f[1]} at {f[2]}" for f in init if f[0] == "at")
    aims = ", ".join(f"{f[1]} at {f[2]}" for f in goal)
    head = rng.choice(("Logistics: trucks t drive in their city, airplanes a fly between airports.",
                       "Deliver the packages p.", "Plan: load, unload, drive, fly."))
    form = rng.choice(("{0}\nPlaces: {1}\nAirports: {4}\nNow: {2}\nGoal: {3}", "{0} {1}; airports {4}. {2}. Goal: {3}",
                       "{0}\n{2}\nairports {4}; {1}\ngoal {3}"))
    return form.format(head, places, now, aims, " ".join(f[1] for f in init if f[0] == "airport"))


def _listed(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]


def work(at: dict[str, str], goal: dict[str, str]) -> tuple[list[str], list[Step]]:
    """The trace's lines and the plan, in short names."""
    at = dict(at)
    vehicles = [name for name in at if name[0] in "at"]
    lines = ["Now " + ", ".join(f"{name} at {spot}" for name, spot in at.items()),
             "Goal " + ", ".join(f"{package} to {spot}" for package, spot in goal.items())]
    plan: list[Step] = []

    def leg(package: str, vehicle: str, to: str) -> None:
        kind = {"t": "truck", "a": "airplane"}[vehicle[0]]
        said = [f"{vehicle} at {at[vehicle]}"]

        def go(spot: str) -> None:
            if at[vehicle] == spot:
                return
            plan.append(("drive-truck", (vehicle, at[vehicle], spot, f"c{spot[1]}")) if kind == "truck"
                        else ("fly-airplane", (vehicle, at[vehicle], spot)))
            at[vehicle] = spot
            said.append(f"to {spot}")

        start = at[package]
        said.append(f"{at[vehicle]} {start} {'here' if at[vehicle] == start else 'away'}")
        go(start)
        plan.append((f"load-{kind}", (package, vehicle, start)))
        said.append("load")
        go(to)
        plan.append((f"unload-{kind}", (package, vehicle, to)))
        said.append("unload")
        at[package] = to
        lines.append(f"Leg {package} {start} to {to}: {', '.join(said)}")

    for package, to in goal.items():
        start = at[package]
        where = "there" if start == to else "same city" if start[1] == to[1] else "other city"
        lines.append(f"Take {package} at {start}, {package} to {to}: {start} {to} {where}")
        if start == to:
            continue
        if start[1] == to[1]:
            leg(package, f"t{to[1]}", to)
        else:
            if start[2] != "0":
                leg(package, f"t{start[1]}", f"l{start[1]}0")
            leg(package, "a0", f"l{to[1]}0")
            if to[2] != "0":
                leg(package, f"t{to[1]}", to)
        if package != list(goal)[-1]:
            lines.append(_positions(at, vehicles))
    return lines, plan


def _positions(at: dict[str, str], vehicles: list[str]) -> str:
    return "Vehicles: " + ", ".join(f"{name} at {at[name]}" for name in vehicles)


FORMS = {
    "english": {"load-truck": "load {} into {} at {}", "load-airplane": "load {} into {} at {}",
                "unload-truck": "unload {} from {} at {}",
                "unload-airplane": "unload {} from {} at {}", "drive-truck": "drive {} from {} to {} in {}",
                "fly-airplane": "fly {} from {} to {}"},
    "compact": {"load-truck": "load {} {} {}", "load-airplane": "load {} {} {}", "unload-truck": "unload {} {} {}",
                "unload-airplane": "unload {} {} {}", "drive-truck": "drive {} {} {}", "fly-airplane": "fly {} {} {}"},
}


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    facts = problem.facts
    lines, plan = work(facts["at"], facts["wants"])
    if effort == "max":
        last = {arguments[0]: arguments[2] for name, arguments in plan if name.startswith("unload")}
        for package, to in facts["wants"].items():
            how = "unloaded" if package in last else "stayed"
            lines.append(f"Check {package} {how} at {last.get(package, to)}, wants {to}: yes")
    say = long if facts["wording"] == "english" else str
    content = "\n".join(FORMS[facts["wording"]][name].format(*map(say, arguments)) for name, arguments in plan)
    return [assistant(content, "" if effort == "none" else "\n".join(lines))]


def verify(problem: Problem, replies: list[Message], box: None) -> Verdict:
    return check_plan(LOGISTICS, problem.facts, answer_of(replies))


TASK = Task("logistics", "planning", len(SHAPES), sample, solve, verify)
