"""Wrong answers are refused and right ones in odd forms accepted, in all planning tasks but Blocksworld."""

from __future__ import annotations

import random
import re

import pytest

from finback.tasks.planning import TASKS
from finback.tasks.planning.countdown import HELD_OUT, three
from finback.tasks.planning.grid import search
from finback.tasks.planning.hanoi import work as hanoi_work
from finback.tasks.planning.scheduling import work as schedule_work
from finback.tasks.protocol import Problem, assistant, draw


def drawn(name: str, n: int = 80, split: str = "train"):
    for seed in range(n):
        problem, rng = draw(TASKS[name], split, seed)
        yield problem, TASKS[name].solve(problem, "none", rng)[0]["content"]


def verdict(name: str, problem: Problem, text: str):
    return TASKS[name].verify(problem, [assistant(text)], None)


def right(name: str, problem: Problem, text: str) -> bool:
    return verdict(name, problem, text).right


@pytest.mark.parametrize("name", ["logistics", "gripper", "hanoi"])
def test_a_plan_that_lacks_doubles_or_reverses_an_action_is_refused(name):
    for problem, plan in drawn(name):
        lines = plan.splitlines()
        for i in range(len(lines)):
            assert not right(name, problem, "\n".join(lines[:i] + lines[i + 1 :])), (problem, i)
            if name != "logistics" or not lines[i].startswith(("drive", "fly")):
                doubled = right(name, problem, "\n".join(lines[: i + 1] + lines[i:]))
                assert not doubled, (problem, lines[i])
        assert len(lines) == 1 or not right(name, problem, "\n".join(reversed(lines)))


@pytest.mark.parametrize("name", ["logistics", "gripper", "hanoi"])
def test_plans_may_be_numbered_listed_fenced_or_explained(name):
    for problem, plan in drawn(name, 40):
        lines = plan.splitlines()
        assert right(name, problem,
                     "Here is the plan:\n\n" + "\n".join(f"{i}. {line}" for i, line in enumerate(lines, 1))
                     + "\n\nThat is all.")
        assert right(name, problem, "```\n" + "\n".join(f"- {line}" for line in lines) + "\n```")
        assert right(name, problem, "\n\n".join(line.capitalize() + " " for line in lines))


def test_logistics_takes_pddl_and_drives_without_the_city():
    for problem, plan in drawn("logistics", 40):
        assert right("logistics", problem, re.sub(r" in city_\d", "", plan))
        typed = [re.sub(r"^(load|unload)", r"\1-truck" if " t" in line else r"\1-airplane", line)
                 for line in plan.splitlines()]
        pddl = "\n".join(f"({line})" for line in typed)
        assert right("logistics", problem, pddl.replace("(drive ", "(drive-truck ").replace("(fly ", "(fly-airplane "))


def test_logistics_refuses_a_truck_in_another_city_and_an_airplane_at_no_airport():
    facts = {"at": {},
             "init": ["airport l00", "airport l10", "airplane a0", "truck t0", "package p0", "at a0 l00", "at t0 l00",
                      "at p0 l00",
                                "city l00 c0", "city l01 c0", "city l10 c1", "city l11 c1"], "goal": ["at p0 l11"]}
    problem = Problem("", "", [], facts)
    assert not right("logistics", problem, "load p0 t0 l00\ndrive t0 l00 l11\nunload p0 t0 l11")
    assert not right("logistics", problem, "load p0 t0 l00\ndrive t0 l00 l11 c0\nunload p0 t0 l11")
    assert not right("logistics", problem, "load p0 a0 l00\nfly a0 l00 l11\nunload p0 a0 l11")
    facts["goal"] = ["at p0 l10"]
    assert right("logistics", problem, "load p0 a0 l00\nfly a0 l00 l10\nunload p0 a0 l10")


def test_gripper_refuses_a_full_hand_and_a_ball_elsewhere():
    facts = {"init": ["room A", "room B", "ball p", "ball q", "free left", "at-robby A", "at p A", "at q A"],
             "goal": ["at p B", "at q B"]}
    problem = Problem("", "", [], facts)
    assert "free left" in verdict("gripper", problem, "pick p A left\npick q A left").why
    assert "at-robby" in verdict("gripper", problem, "move A B\npick p A left").why
    assert right("gripper", problem,
                 "pick p A left\nmove A B\ndrop p B left\nmove B A\npick q A left\nmove A B\ndrop q B left")


def test_hanoi_positions_in_a_trace_follow_from_its_moves_and_whole_towers_take_the_fewest():
    for n in (2, 3, 4, 5):
        assert len(hanoi_work((0,) * n, (2,) * n)[1]) == 2**n - 1
    for problem, plan in drawn("hanoi"):
        seen, moves = hanoi_work(tuple(problem.facts["start"]), tuple(problem.facts["goal"]))
        for (before, _), (after, _), (disk, source, target) in zip(seen, seen[1:], moves, strict=False):
            i = len(before) - disk
            assert before[i] == source and after == (*before[:i], target, *before[i + 1 :])
        assert right("hanoi", problem,
                     plan.replace("move disk", "Disk").replace(" from ", ": ").replace(" to ", " -> "))


def test_hanoi_refuses_a_larger_disk_on_a_smaller_one():
    problem = Problem("", "", [], {"start": [0, 0], "goal": [2, 2], "pegs": ["A", "B", "C"]})
    assert "smaller disk" in verdict("hanoi", problem, "move disk 1 from A to C\nmove disk 2 from A to C").why
    assert "not there" in verdict("hanoi", problem, "move disk 1 from B to C").why
    assert right("hanoi", problem,
                 "1. Move disk 1 from peg A to peg B\n2. Move disk 2 from peg A to peg C\n3) disk 1 from B to C")


def test_grid_ways_are_read_in_many_forms_and_longer_ones_refused():
    for problem, plan in drawn("grid"):
        words = plan.removeprefix("Go ").rstrip(".").split(", ")
        assert right("grid", problem,
                     "The way is: " + " -> ".join(words)
                     + ".") and right("grid", problem, "\n".join(f"{i}. {w.title()}" for i, w in enumerate(words, 1)))
        assert right("grid", problem,
                     "".join(w[0].upper() for w in words)) and right("grid", problem, " ".join(w[0] for w in words))
        compass = {"up": "north", "down": "south", "left": "west", "right": "east"}
        assert right("grid", problem, ", ".join(compass[w] for w in words))
        back = {"up": "down", "down": "up", "left": "right", "right": "left"}
        assert not right("grid", problem, ", ".join([*words, back[words[-1]], words[-1]])), "it is not the shortest"
        assert not right("grid", problem,
                         ", ".join(words[:-1])) and not right("grid", problem, ", ".join(back[w] for w in words))


def test_grid_search_lines_are_true():
    lines, way = search(3, 3, [(1, 2), (2, 2)], (1, 1), (1, 3))
    assert way == [(1, 1), (2, 1), (3, 1), (3, 2), (3, 3), (2, 3), (1, 3)]
    assert lines[0] == "#1 11:out,21 new #2,out,12 wall" and lines[-1] == "#6 23:13 goal"
    assert search(2, 2, [(1, 2), (2, 1)], (1, 1), (2, 2))[1] == []


def test_maze_ways_are_read_in_many_forms_and_wrong_ones_refused():
    for problem, plan in drawn("maze"):
        way = plan.removeprefix("Go from ").rstrip(".").split(" to ")
        for text in (", ".join(way), "\n".join(way), f"The way is:\n{' → '.join(way)}",
                     "\n".join(f"Go from {a} to {b}." for a, b in zip(way, way[1:], strict=False)),
                     f"From {way[0]} to {way[-1]}:\n{' '.join(way)}", " -> ".join(way[1:])):
            assert right("maze", problem, text), text
        for wrong in (way[:-1], way[::-1], [way[0], way[-1]], [*way, way[-2]]):
            adjacent = wrong == [way[0], way[-1]] and way[-1] in problem.facts["ways"][way[0]]
            assert adjacent or not right("maze", problem, " -> ".join(wrong))


def test_schedules_with_a_wrong_time_are_refused():
    for problem, plan in drawn("scheduling"):
        assert right("scheduling", problem, plan.rsplit("\n", 1)[0]), "the last line only sums up"
        assert right("scheduling", problem, re.sub(r": (\d+) to (\d+)", r" starts at \1 and ends at \2", plan))
        assert right("scheduling", problem,
                     plan.replace("- ", "* ")) and right("scheduling", problem, plan.replace("- ", ""))
        assert not right("scheduling", problem,
                         re.sub(r"All done at (\d+)", lambda m: f"All done at {int(m[1]) + 1}", plan))
        for i, line in enumerate(plan.splitlines()[:-1]):
            lines = plan.splitlines()
            start, end = map(int, re.findall(r"\d+", line.split(":")[1]))
            name = line.split(":")[0].removeprefix("- ")
            for a, b in ((start, end + 1), (start + 40, end + 40), (start - 1, end)):
                assert not right("scheduling", problem, "\n".join([*lines[:i], f"{name}: {a} to {b}", *lines[i + 1 :]]))
            assert not right("scheduling", problem, "\n".join([*lines[:i], *lines[i + 1 :]]))


def test_schedule_of_many_workers_is_the_longest_chain():
    tasks = [["a", 3, []], ["b", 5, []], ["c", 4, ["a", "b"]], ["d", 1, ["a"]]]
    assert schedule_work(tasks, False)[1] == {"a": (0, 3), "b": (0, 5), "c": (5, 9), "d": (3, 4)}
    assert max(end for _, end in schedule_work(tasks, True)[1].values()) == 13


def test_countdown_formulas_are_read_in_many_forms_and_wrong_ones_refused():
    for problem, plan in drawn("countdown"):
        formula, target = plan.split("=")
        for text in (formula, formula.replace("*", "×").replace("/", "÷"), f"The answer is {formula} = {target}.",
                     f"$${formula.replace('*', chr(92) + 'times')}$$",
                     f"**{formula}**", f"{target} = {formula}", f"First try 1 + 1.\n{formula} = {target}"):
            right_text = right("countdown", problem, text)
            assert right_text or text.startswith(target), text
        numbers = problem.facts["numbers"]
        assert not right("countdown", problem,
                         f"{formula} + 0 = {target}") and not right("countdown", problem, f"{target} + 0")
        assert not right("countdown", problem, f"({formula}) * 1") and not right("countdown", problem, f"{target}")
        assert right("countdown", problem, " + ".join(map(str, numbers))) == (sum(numbers) == problem.facts["target"])


@pytest.mark.parametrize("text",
                         ["9**9**9**9 + 1 + 2", "1 // 0", "1 / 0 + 3", "(" * 90 + "1 + 2", "__import__('os')",
                          "1 + 2 if 3 else 4", "0x10 + 1"])
def test_countdown_evaluates_nothing_but_formulas(text):
    problem = Problem("", "", [], {"numbers": [1, 2, 3], "target": 6})
    assert not right("countdown", problem, text)
    assert right("countdown", problem, "1 + 2 + 3") and right("countdown", problem, "3*2*1")


def test_countdown_lines_are_true_and_held_out_shapes_stay_out():
    for split in ("train", "held_out"):
        for problem, _ in drawn("countdown", 60, split):
            branches = problem.facts["left"] or [[(n, str(n)) for n in problem.facts["numbers"]]]
            found = [three([(v, said) for v, said in items], problem.facts["target"]) for items in branches]
            assert all(f.formula is None for f in found[:-1])
            assert (found[-1].shape in HELD_OUT[len(problem.facts["numbers"])]) == (split == "held_out")
            for line in found[-1].lines:
                for a, sign, b, value in re.findall(r"(\d+)([-+*/])(\d+)=(\d+)", line):
                    assert eval(f"{a} {sign} {b}") == int(value)
            for effort in ("high", "max"):  # the last line says the operations, then the formula of just these
                reply = TASKS["countdown"].solve(problem, effort, random.Random(0))[0]
                last = reply["reasoning_content"].split("\n")[-1]
                operations, formula = last.removeprefix("So ").split(": ")
                assert last.startswith("So ") and formula == reply["content"]
                assert all(eval(each.replace("=", "==")) for each in (*operations.split(", "), formula))
                assert sorted(re.findall(r"[-+*/]", operations)) == sorted(re.findall(r"[-+*/]", formula))


@pytest.mark.parametrize("name", ["gripper", "hanoi", "logistics", "maze", "scheduling"])
def test_a_trace_begins_with_the_problem_in_its_own_order(name):
    """What the first lines say again stands in the prompt in the same order, so that writing them is copying."""
    for seed in range(40):
        problem, rng = draw(TASKS[name], "train", seed)
        lines = TASKS[name].solve(problem, "high", rng)[0]["reasoning_content"].split("\n")
        prompt = problem.messages[-1]["content"].replace("location_", "l").replace("package_", "p").replace("airplane_", "a").replace("truck_", "t")
        prompt = re.sub(r"\bl(\d)_(\d)", r"l\1\2", prompt)
        begins = {"maze": "Door", "scheduling": "Tasks "}.get(name, "Now ")
        assert lines[0].startswith(begins), lines[0]
        if name == "hanoi":  # towers are often told in words
            plain = re.sub(r":| has\b| =", "", prompt)
            in_words = len(set(problem.facts["start"])) == 1 and "empty" not in prompt
            assert in_words or lines[0].removeprefix(begins) in plain
            continue
        items = lines[0].removeprefix(begins).removesuffix("; now 0").split("; ")[-1].split(", ")
        if name == "maze":  # "Door a b; ..." for each door, or "Doors a: b, c; ..." for each room
            doors = [line.split(";")[0].removeprefix("Door ") for line in lines if line.startswith("Door ")]
            items = doors or lines[0].removeprefix("Doors ").split("; ")
        after = prompt.index("(:init") if "(:init" in prompt else prompt.find("ow:") if name == "gripper" else 0
        for item in items:
            first = re.match(r"(?:#\d+ )?(\w+)", item)[1]
            found = re.compile(rf"(?<!\w){first}(?!\w)").search(prompt, max(after, 0))
            assert found, (item, prompt)
            after = found.end()


def thoughts(name: str, problem: Problem, rng) -> list[str]:
    return TASKS[name].solve(problem, "high", rng)[0]["reasoning_content"].split("\n")


def test_gripper_says_of_each_ball_where_it_is_and_should_be():
    for seed in range(60):
        problem, rng = draw(TASKS["gripper"], "train", seed)
        at = dict(f.split()[1:] for f in problem.facts["init"] if f.startswith("at "))
        wants = dict(f.split()[1:] for f in problem.facts["goal"])
        lines = thoughts("gripper", problem, rng)
        said = [line.removeprefix("Ball ") for line in lines if line.startswith("Ball ")]
        assert [line.split()[0] for line in said] == list(at)
        for line in said:
            ball = line.split()[0]
            goes = wants.get(ball, at[ball]) != at[ball]
            aim = f"{ball} to {wants[ball]}: {at[ball]} {wants[ball]}" if ball in wants else "free:"
            assert line == f"{ball} in {at[ball]}, {aim} {'goes' if goes else 'stays'}"
        # In every room what waits there is what was last said to wait there, and what is held is kept or dropped by its room.
        waits, hold, brought, goes_to = {}, set(), set(), ""
        going = {f"{b} to {wants[b]}" for b in at if wants.get(b, at[b]) != at[b]}
        for line in lines:
            if line.startswith("In "):
                room = line.removeprefix("In ")
                assert room == (goes_to or room)
            elif line.startswith("Left "):
                waits = dict(part.split(" has ") for part in line.removeprefix("Left ").split("; ")) if "none" not in line else {}
                assert {each for balls in waits.values() for each in balls.split(", ")} | hold | brought == going
            elif line.startswith("Hold "):
                hold = {each.split(" ", 1)[1] for each in line.removeprefix("Hold ").split(", ") if each != "none"}
            elif held := re.fullmatch(r"\w+ (\w+ to (\w+)): (\w+) \2 (drop|keep)", line):
                assert held[1] in hold and held[3] == room and (held[4] == "drop") == (held[2] == room)
                brought |= {held[1]} if held[4] == "drop" else set()
            elif line.startswith("move "):
                assert line.split()[1] == room
                goes_to = line.split()[2]
            elif " has " in line:
                assert line == f"{room} has {waits.get(room, 'none')}"
        assert not waits and not hold and brought == going


def test_hanoi_lines_say_the_position_after_each_move_and_the_goal():
    for seed in range(60):
        problem, rng = draw(TASKS["hanoi"], "train", seed)
        start, goal, pegs = (problem.facts[k] for k in ("start", "goal", "pegs"))
        n = len(start)
        lines = thoughts("hanoi", problem, rng)
        assert sorted(re.findall(r"(\d) (\w+)", lines[2])) == sorted((str(n - i), pegs[p]) for i, p in enumerate(start))
        assert sorted(re.findall(r"(\d) goal (\w+)", lines[3])) == sorted((str(n - i), pegs[p]) for i, p in enumerate(goal))
        at = {str(n - i): pegs[p] for i, p in enumerate(start)}
        aims = {str(n - i): pegs[p] for i, p in enumerate(goal)}
        for line in lines[4:]:
            said = re.findall(r"(\d) (\w+) goal (\w+)( off (\w+))? (ok|go)", line)
            assert [(disk, peg) for disk, peg, *_ in said] == list(at.items())
            larger = None  # the last larger disk that must move, with its pegs
            for disk, peg, aim, off, out, verdict in said:
                to = out or aim
                assert aim == aims[disk] and verdict == ("ok" if peg == to else "go")
                assert bool(off) == bool(larger) and (not larger or to not in larger)
                larger = (peg, to) if peg != to else larger
            if move := re.search(r": (\d) from (\w+) to (\w+), \1 \3$", line):
                assert move[1] == [disk for disk, *_, verdict in said if verdict == "go"][-1] and at[move[1]] == move[2]
                at[move[1]] = move[3]
            else:
                assert line.endswith(": done") and at == aims


def test_a_schedule_is_said_with_the_same_times_wherever_they_are_needed():
    for seed in range(60):
        problem, rng = draw(TASKS["scheduling"], "train", seed)
        reply = TASKS["scheduling"].solve(problem, "high", rng)[0]
        times = dict(re.findall(r"- (\w+): (\d+ to \d+)", reply["content"]))
        thoughts = reply["reasoning_content"]
        assert set(re.findall(r"(\w+): (\d+ to \d+)", thoughts)) == set(times.items())
        assert set(re.findall(r"(\w+) ends (\d+)", thoughts)) == {(name, span.split()[-1]) for name, span in times.items()}
        now = "0"  # with one worker a line says at its end when the last task ended
        for line in thoughts.split("\n") if problem.facts["workers"] == "one" else ():
            if done := re.search(r" ends (\d+); now ", line):
                now = done[1]
            assert line.startswith("End ") or line.endswith(f"; now {now}")
        done = set()
        for line in reply["reasoning_content"].split("\n"):
            if line.startswith("Left "):
                waits = [name for name, *_ in problem.facts["tasks"] if name not in done]
                assert re.findall(r"#(\d+) (\w+)=", line) == [(str(i), name) for i, name in enumerate(waits, 1)]
            elif own := re.match(r"See #\d+ (\w+)=.*; done (\d+) \w+: \d+ to \d+; ", line):
                done.add(own[1])
                assert own[2] == str(len(done))


def test_a_maze_s_doors_are_gathered_room_by_room():
    for seed in range(60):
        problem, rng = draw(TASKS["maze"], "train", seed)
        lines = [line for line in thoughts("maze", problem, rng) if line.startswith("Door ")]
        assert [line.split(";")[0].split()[1:] for line in lines] == problem.facts["doors"]
        last = dict(part.split(": ") for line in lines for part in line.split("; ")[1:])
        assert not lines or {room: others.split(", ") for room, others in last.items()} == problem.facts["ways"]


def test_logistics_puts_the_places_that_it_compares_side_by_side():
    for seed in range(60):
        problem, rng = draw(TASKS["logistics"], "train", seed)
        at, wants = problem.facts["at"], problem.facts["wants"]
        for line in thoughts("logistics", problem, rng):
            if take := re.fullmatch(r"Take (p\d) at (l\d\d), \1 to (l\d\d): \2 \3 (.+)", line):
                package, here, there, case = take.groups()
                assert (here, there) == (at[package], wants[package])
                assert case == ("there" if here == there else "same city" if here[1] == there[1] else "other city")
            elif leg := re.fullmatch(r"Leg (p\d) (l\d\d) to (l\d\d): ([at]\d) at (l\d\d), \5 \2 (here|away), (?:to \2, )?load, to \3, unload", line):
                assert (leg[5] == leg[2]) == (leg[6] == "here") == (f"to {leg[2]}, load" not in line)
            else:
                assert line.startswith(("Now ", "Goal ", "Vehicles: ")), line
