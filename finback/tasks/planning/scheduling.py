"""In which order can tasks with durations and needs be done, and when is all done at the earliest?

Two forms: as many workers as wanted (a task starts when the last of its needs ends), or one worker (one task after
another). The trace numbers the list and goes through it, each task in full: one whose needs are not all done
waits, any other gets its start and end ("done 1 mow: 0 to 9"), and the end once more in the words in which it is needed
("mow ends 9"); with one worker such a line ends with the time that it is then. What waits is listed, numbered anew, and
the trace goes through that. In the end all that is done is gone through by its number, for the latest end, and at max,
after the check, said once more.
"""

from __future__ import annotations

import random
import re

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user

# Numbers of tasks; the held-out ones lie between those of training.
SIZES = {1: (3, 4), 2: (4, 5, 6), 3: (5, 6, 9, 9)}
HELD_OUT = {1: (7,), 2: (7, 8), 3: (8,)}
NAMES = (tuple("ABCDEFGHJK"), tuple("abcdefghjk"), tuple(f"T{i}" for i in range(1, 10)),
         ("wash", "cook", "shop", "clean", "bake", "iron", "sweep", "paint", "pack", "mow"),
         ("design", "build", "test", "ship", "plan", "draw", "print", "sign", "check", "train"),
         ("walls", "roof", "floor", "doors", "pipes", "wires", "paint", "tiles", "stairs", "garden"))


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    n = rng.choice((HELD_OUT if held_out else SIZES)[level])
    names = rng.sample(rng.choice(NAMES), n)
    needs: dict[str, list[str]] = {}
    for i, name in enumerate(names):
        needs[name] = rng.sample(names[:i], min(i, rng.choice((0, 1, 1, 1, 2))))
    order = rng.sample(names, n) if rng.random() < 0.6 else names  # as listed in the prompt
    tasks = [[name, rng.randint(1, 9), needs[name]] for name in order]
    facts = {"tasks": tasks, "workers": rng.choice(("many", "one"))}
    return Problem(f"{n} tasks, {'one worker' if facts['workers'] == 'one' else 'many workers'}", _key(facts),
                   user(_prompt(rng, facts)), facts)


def _key(facts: dict) -> str:
    """Tasks told apart by duration and, over and over, by what they need and what needs them, not by name or order."""
    form = {name: str(duration) for name, duration, _ in facts["tasks"]}
    for _ in facts["tasks"]:
        full = {name: (form[name], sorted(form[x] for x in needs),
                       sorted(form[x] for x, _, others in facts["tasks"] if name in others))
                for name, _, needs in facts["tasks"]}
        number = {repr(value): str(i) for i, value in enumerate(sorted(full.values()))}
        form = {name: number[repr(value)] for name, value in full.items()}
    said = sorted(f"{form[n]} {d} {' '.join(sorted(form[x] for x in needs))}" for n, d, needs in facts["tasks"])
    return f"{facts['workers']}; {', '.join(said)}"


def _prompt(rng: random.Random, facts: dict) -> str:
    unit = rng.choice(("minutes", "hours", "days", "weeks"))
    after = rng.choice(("after {}", "needs {}", "requires {}", "only after {}"))
    form = rng.choice(("{} takes {} {}{}", "{}: {} {}{}", "{} ({} {}){}"))
    said = []
    for name, duration, needs in facts["tasks"]:
        said.append(form.format(name, duration, unit, f", {after.format(' and '.join(needs))}" if needs else ""))
    if rng.random() < 0.6:
        listed = "Tasks: " + rng.choice(("; ", ". ")).join(said)
    else:
        listed = "\n".join(f"- {line}" for line in said)
    if facts["workers"] == "one":
        ask = rng.choice(("One worker does one task at a time. Give an order with start and end times.",
                          "Only one task can be done at a time. Give a schedule.",
                          "I am alone and do one task at a time. When does each start and end?",
                          "Schedule them on one machine."))
    else:
        ask = rng.choice(("Tasks may run at the same time. When is all done at the earliest? Give start and end times.",
                          "There are enough workers for all tasks at once. Find the earliest finish and a schedule.",
                          "Tasks can run in parallel. Give the earliest start and end of each."))
    return rng.choice((f"{listed}\n{ask}", f"Make a plan. {listed}\n{ask}", f"{ask}\n{listed}"))


def work(tasks: list, one: bool) -> tuple[list[str], dict[str, tuple[int, int]]]:
    """The trace's lines and each task's start and end, in the order of doing."""
    times: dict[str, tuple[int, int]] = {}
    said = {name: f"{name}={duration} {'needs ' + ' '.join(needs) if needs else 'free'}" for name, duration, needs in tasks}
    lines: list[str] = []
    waiting, now = tasks, 0
    while waiting:
        listed = ", ".join(f"#{i} {said[name]}" for i, (name, *_) in enumerate(waiting, 1))
        lines.append(f"{'Left' if times else 'Tasks'} {listed}{f'; now {now}' if one else ''}")
        later = []
        for number, (name, duration, needs) in enumerate(waiting, 1):
            if missing := next((need for need in needs if need not in times), None):
                lines.append(f"See #{number} {said[name]}: {missing} not yet{f'; now {now}' if one else ''}")
                later.append([name, duration, needs])
                continue
            ends = [times[need][1] for need in needs]
            start = now if one else max(ends, default=0)
            why = ", ".join(f"{need} ends {times[need][1]}" for need in needs) or "go"
            end = start + duration
            times[name] = (start, end)
            lines.append(f"See #{number} {said[name]}: {why}; {start}+{duration}={end}; done {len(times)} {name}: {start} to {end}; {name} ends {end}"
                         f"{f'; now {end}' if one else ''}")
            now = end
        waiting = later
    best = 0
    for number, (name, (start, end)) in enumerate(times.items(), 1):
        best = max(best, end)
        lines.append(f"End {number} {name}: {start} to {end}, latest {best}")
    return lines, times


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    tasks, one = problem.facts["tasks"], problem.facts["workers"] == "one"
    lines, times = work(tasks, one)
    finish = max(end for _, end in times.values())
    if effort == "max":
        duration = {name: d for name, d, _ in tasks}
        if one:  # the sum of the durations, in the order of the list
            total = 0
            for name, d, _ in tasks:
                lines.append(f"Sum {name}: {total}+{d}={total + d}")
                total += d
        else:  # back along the tasks that hold each other up
            name = next(n for n, (_, end) in times.items() if end == finish)
            while name:
                start, end = times[name]
                cause = next((need for n, _, needs in tasks if n == name for need in needs if times[need][1] == start),
                             None)
                why = f"{cause}={start}" if cause else "first"
                lines.append(f"Back {name}={end}: {end}-{duration[name]}={start}, {why}")
                name = cause
        lines.append("So " + ", ".join(f"{i} {name}: {start} to {end}" for i, (name, (start, end)) in enumerate(times.items(), 1)))
    content = "\n".join([*(f"- {name}: {start} to {end}" for name, (start, end) in times.items()),
                         f"All done at {finish}."])
    return [assistant(content, "" if effort == "none" else "\n".join(lines))]


def verify(problem: Problem, replies: list[Message], box: None) -> Verdict:
    tasks, one = problem.facts["tasks"], problem.facts["workers"] == "one"
    text = answer_of(replies)[:10_000]
    names = {name.lower(): name for name, _, _ in tasks if len(name) > 1} | {name: name for name, _, _ in tasks}
    times: dict[str, tuple[int, int]] = {}
    finish = None
    for line in re.split(r"[\n;]", text):
        line = re.sub(r"^\s*(?:\d+\s*[.)]\s|[-*•])\s*", "", line)
        words = re.findall(r"[A-Za-z]+\d*|\d+", line)
        named = next(filter(None, (names.get(w) or names.get(w.lower() if len(w) > 1 else "") for w in words)), None)
        numbers = [int(w[:6]) for w in words if w.isdigit()]
        if named and len(numbers) >= 2 and named not in times:
            times[named] = (numbers[0], numbers[-1])
        elif numbers and re.search(r"\b(?:done|finish\w*|total|end\w*|complete\w*|earliest|makespan)\b", line, re.I):
            finish = numbers[-1]
    missing = [name for name, _, _ in tasks if name not in times]
    if missing:
        return Verdict(False, f"{missing[0]} has no start and end")
    for name, duration, needs in tasks:
        start, end = times[name]
        if end - start != duration:
            return Verdict(False, f"{name} takes {duration}, not {end - start}")
        for need in needs:
            if times[need][1] > start:
                return Verdict(False, f"{name} starts at {start}, before {need} ends")
    spans = sorted(times.values())
    if one and any(a[1] > b[0] for a, b in zip(spans, spans[1:], strict=False)):
        return Verdict(False, "two tasks overlap")
    best = sum(d for _, d, _ in tasks) if one else max(end for _, end in work(tasks, False)[1].values())
    last = max(end for _, end in times.values())
    if last != best:
        return Verdict(False, f"it ends at {last}; it can end at {best}")
    return Verdict(True) if finish in (None, best) else Verdict(False, f"the finish is given as {finish}, not {best}")


TASK = Task("scheduling", "planning", len(SIZES), sample, solve, verify)
