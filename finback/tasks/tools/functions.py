"""How does a model learn to call functions that it has never seen? They are named and shaped anew for each problem.

Which function fits is said by its description, how it is called by its schema: nothing else can be relied on, since
names of functions and arguments are drawn at random, some of them meaningless. Levels: 1 one argument, few functions;
2 more arguments and functions, or none fits; 3 two calls at once, or a call put right after an error; 4 the result of
one call is the argument of the next, or a following turn. Held out: concepts, chains, three calls at once (training shows two and four); and every
held-out problem uses function names that training never has.
"""

from __future__ import annotations

import json
import random
import re
from hashlib import sha256
from typing import Any

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, user
from finback.tasks.tools.calls import (
    Call,
    answering,
    asking,
    calls_before,
    functions,
    has_word,
    judge,
    misfit,
    numbers,
    results,
    system,
    tool,
    words_of,
)
from finback.tasks.tools.concepts import CHAINS, CHAINS_HELD_OUT, HELD_OUT, OWN_CHAINS, TRAINED, Concept, concept
from finback.tasks.tools.things import Slot, word
from finback.tasks.tools.direct import direct_question

EXTRA_ARGUMENTS = (("limit", "integer"), ("verbose", "boolean"), ("format", "string"), ("unit", "string"))
TWO = ("{0} {1}", "{0} And: {1}", "I have two questions. {0} {1}", "First: {0} Then: {1}")
THREE = ("{0} {1} {2}", "I have three questions. {0} {1} {2}")
FOUR = ("{0} {1} {2} {3}", "I have four questions. {0} {1} {2} {3}")
NO_TOOL = "I have no tool for that."
HELD_OUT_NAMES = 5  # one name in so many is kept for held-out problems


def _name_is_held_out(name: str) -> bool:
    return sha256(name.encode()).digest()[0] % HELD_OUT_NAMES == 0


def _name(rng: random.Random, it: Concept, held_out: bool, taken: set[str]) -> str:
    while True:
        style = rng.randrange(5)
        noun, verb = rng.choice(it.nouns), rng.choice(it.verbs)
        if style == 0:
            name = f"{verb}_{noun}"
        elif style == 1:
            name = verb.split("_")[0] + noun.title().replace("_", "")
        elif style == 2:
            name = f"{noun}_{word(rng, 2)}"
        elif style == 3:
            name = f"{word(rng, 2)}_{word(rng, 1)}"
        else:
            name = word(rng, 3) + str(rng.randrange(10))
        # Every held-out name is unseen; the short list of speaking names would soon be used up without the syllables.
        if name not in taken and _name_is_held_out(name) == held_out:
            taken.add(name)
            return name


def _build(
    rng: random.Random, it: Concept, held_out: bool, taken: set[str], may_extend: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(schema, how it answers): a function for a concept."""
    names: list[str] = []
    properties: dict[str, dict[str, Any]] = {}
    for slot in it.slots:
        plain = rng.random() < 0.7
        name = rng.choice(slot.names) if plain else word(rng, 2)
        while name in names:
            name = word(rng, 2)
        names.append(name)
        properties[name] = {"type": slot.type}
        if not plain or (len(it.slots) > 1 and rng.random() < 0.4):
            properties[name]["description"] = slot.about
    optional = []
    if may_extend and rng.random() < 0.3:
        extra, kind = rng.choice(EXTRA_ARGUMENTS)
        if extra not in properties:
            properties[extra] = {"type": kind}
            optional.append(extra)
    order = list(properties)
    rng.shuffle(order)
    name = _name(rng, it, held_out, taken)
    schema = tool(name, rng.choice(it.about), {p: properties[p] for p in order}, optional)
    return schema, {"name": name, "arguments": names, "required": schema["function"]["parameters"]["required"], "table": {}}


def _value(rng: random.Random, slot: Slot, without: set[str]) -> str | int:
    while str(value := rng.choice(slot.values)) in without:
        pass
    return value


def _result(rng: random.Random, it: Concept, without: set[str]) -> str:
    if it.gives == "word":
        return word(rng, 3)
    if it.gives == "id":
        return str(rng.randint(100, 9999))
    while (result := str(rng.choice(it.gives))) in without:
        pass
    return result


class _World:
    """What a problem is made of, while it is being made."""

    def __init__(self, rng: random.Random, held_out: bool) -> None:
        self.rng, self.held_out = rng, held_out
        self.taken: set[str] = set()
        self.schemas: list[dict[str, Any]] = []
        self.tools: dict[str, dict[str, Any]] = {}  # by concept
        self.used: set[str] = set()

    def add(self, it: Concept, may_extend: bool) -> None:
        if it.name not in self.tools:
            schema, self.tools[it.name] = _build(self.rng, it, self.held_out, self.taken, may_extend)
            self.schemas.append(schema)

    def other(self, *besides: Concept) -> Concept:
        """A trained concept whose word is that of no function here and of none of `besides`, or it would not be clear which
        one is meant."""
        taken = {c.word for c in (*map(concept, self.tools), *besides)}
        return self.rng.choice([c for c in TRAINED if c.word not in taken])

    def call(self, it: Concept, values: list[str | int] | None = None) -> dict[str, Any]:
        """A call of a concept's function whose result is now in its table."""
        made = self.tools[it.name]
        if values is None:
            values = []
            for slot in it.slots:
                values.append(_value(self.rng, slot, self.used))
                self.used.add(str(values[-1]))
        result = _result(self.rng, it, self.used | {str(v) for v in values})
        self.used.add(result)
        made["table"][_row(values)] = result
        by_name = dict(zip(made["arguments"], values))
        arguments = {name: by_name[name] for name in made["required"]}
        return {"name": made["name"], "arguments": arguments, "result": result, "values": values, "concept": it.name}

    def problem(self, kind: str, key: str, messages: list[Message], **facts: Any) -> Problem:
        # Here the names are the problem: the same question to other functions is another one.
        key = " ".join([key, *sorted(t["name"] for t in self.tools.values())])
        order = list(self.schemas)
        self.rng.shuffle(order)
        tables = {t["name"]: {"arguments": t["arguments"], "table": t["table"]} for t in self.tools.values()}
        return Problem(kind, key, [system(order), *messages], {"tools": tables, **facts})


def _row(values: list[Any]) -> str:
    return "|".join(str(v).strip().lower() for v in values)


def _ask(rng: random.Random, it: Concept, values: list[Any]) -> str:
    return rng.choice(it.ask).format(*values)


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    world = _World(rng, held_out)
    own = HELD_OUT if held_out else TRAINED
    count = rng.randint(1, 2) if level == 1 else rng.randint(2, 3)
    if level <= 2:
        fitting = [c for c in own if len(c.slots) == 1] if level == 1 else [c for c in own if len(c.slots) > 1]
        it = rng.choice(fitting)
        if level == 2 and rng.random() < 0.25 and not held_out:
            return _none_fits(rng, world, it)
        world.add(it, level > 1)
        while len(world.tools) < count:
            world.add(world.other(), level > 1)
        call = world.call(it)
        return world.problem(
            f"one call {it.name}",
            f"{it.name} {_row(call['values'])}",
            user(_ask(rng, it, call["values"])),
            steps=[[call]],
        )
    if level == 3:
        if not held_out and rng.random() < 0.3:
            return _after_error(rng, world)
        number = rng.choice((2, 3)) if held_out else rng.choice((2, 2, 2, 4))
        first = rng.choice(own)
        picks = [first]
        world.add(first, False)
        for _ in range(number - 1):
            picks.append(world.other() if number == 2 and rng.random() < 0.9 else first)
            world.add(picks[-1], False)
        world.add(world.other(), False)
        calls = [world.call(it) for it in picks]
        asked = [_ask(rng, it, c["values"]) for it, c in zip(picks, calls)]
        words = rng.choice({2: TWO, 3: THREE, 4: FOUR}[number]).format(*asked)
        key = " ".join(f"{it.name} {_row(c['values'])}" for it, c in zip(picks, calls))
        return world.problem(f"{number} at once", key, user(words), steps=[calls])
    if rng.random() < 0.3:
        return _next_turn(rng, world, own)
    one, two, words = rng.choice(CHAINS_HELD_OUT if held_out else OWN_CHAINS if rng.random() < 0.3 else CHAINS)
    for it in (concept(one), concept(two)):
        world.add(it, True)
    world.add(world.other(), True)
    first_call = world.call(concept(one))
    second = world.call(concept(two), [first_call["result"]])
    key = f"{one} {two} {_row(first_call['values'])}"
    return world.problem(
        f"chain {one} {two}", key, user(words.format(*first_call["values"])), steps=[[first_call], [second]]
    )


def _none_fits(rng: random.Random, world: _World, it: Concept) -> Problem:
    """A question for a function that is not there, or one that needs none."""
    for _ in range(2):
        world.add(world.other(it), False)
    if rng.random() < 0.5:
        words, answer, turn = direct_question(rng)
        return world.problem("none needed", f"direct {words}", user(words), direct=answer, word=turn)
    values = [_value(rng, slot, set()) for slot in it.slots]
    return world.problem(
        "none fits", f"none {it.name} {_row(values)}", user(_ask(rng, it, values)), direct=NO_TOOL, word="no tool", asked=it.word
    )


def _after_error(rng: random.Random, world: _World) -> Problem:
    """A call that failed stands in the history: an argument with a wrong name, or one that is missing."""
    it = rng.choice(TRAINED)
    world.add(it, False)
    world.add(world.other(), False)
    call = world.call(it)
    name, wrong = call["name"], dict(call["arguments"])
    last = next(reversed(wrong))
    if len(wrong) > 1 and rng.random() < 0.5:
        del wrong[last]
    else:
        wrong[rng.choice(("value", "input", "arg", "data", word(rng, 2)))] = wrong.pop(last)
    schemas = {s["function"]["name"]: s["function"]["parameters"] for s in world.schemas}
    message = f"Error: {misfit(schemas[name], wrong)}"
    words = _ask(rng, it, call["values"])
    history = [*user(words), asking([(name, wrong)], 1), *results([message], 1)]
    return world.problem("after an error", f"error {it.name} {_row(call['values'])}", history, steps=[[call]])


def _next_turn(rng: random.Random, world: _World, own: tuple[Concept, ...]) -> Problem:
    """One question is answered already; the next one is about the same thing or another."""
    it = rng.choice(own)
    before = it if rng.random() < 0.1 else world.other(it)
    for each in (it, before):
        world.add(each, True)
    done, call = world.call(before), world.call(it)
    history = [
        *user(_ask(rng, before, done["values"])),
        asking([_made(done)], 1),
        *results([done["result"]], 1),
        answering(_say(done), "none", ""),
        *user(_ask(rng, it, call["values"])),
    ]
    return world.problem(f"next turn {it.name}", f"next {it.name} {_row(call['values'])}", history, steps=[[call]])


def _made(call: dict[str, Any]) -> Call:
    return call["name"], call["arguments"]


def _say(call: dict[str, Any]) -> str:
    return concept(call["concept"]).say.format(*call["values"], v=call["result"])


def _choice(problem: Problem, call: dict[str, Any]) -> str:
    """What is asked for, what the function is for, its name and the arguments that it needs, as the prompt has them, then
    their values.

    The word that is asked for leads to the description that has it, and the description to the name, which may mean
    nothing. The name is said once before the call, since each copy of it can go wrong."""
    name = call["name"]
    given = ", ".join(f"{k} = {v}" for k, v in call["arguments"].items())
    return f"Asked {concept(call['concept']).word}: {_described(problem, name)}: {given}."


def _described(problem: Problem, name: str) -> str:
    about = next(t["function"]["description"] for t in problem.messages[0]["tools"] if t["function"]["name"] == name)
    return f"{about} {name} {', '.join(functions(problem)[name]['required'])}"


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    facts = problem.facts
    # Names stand in front of descriptions in the prompt; here behind them, as in the choice that follows.
    tried = "".join(f"{_described(problem, name)}\n" for name in functions(problem)) if effort == "max" else ""
    if "direct" in facts:
        chosen = f"Asked {facts['asked']}: no tool." if facts["direct"] == NO_TOOL else "This needs no tool."
        return [answering(facts["direct"], effort, tried + chosen)]
    messages: list[Message] = []
    first = calls_before(problem.messages) + 1
    error = problem.messages[-1]["content"] if problem.messages[-1]["role"] == "tool" else ""
    for number, calls in enumerate(facts["steps"]):
        thoughts = "\n".join(_choice(problem, c) for c in calls)
        if number:
            thoughts = f"Result: {facts['steps'][number - 1][-1]['result']}. {thoughts}"
        else:
            thoughts = tried + (f"{error}. {thoughts}" if error else thoughts)
        messages.append(asking([_made(c) for c in calls], first, "" if effort == "none" else thoughts))
        messages += results([c["result"] for c in calls], first)
        first += len(calls)
    last = facts["steps"][-1]
    after = f"Result: {', '.join(c['result'] for c in last)}."
    if effort == "max":
        after += " " + " ".join(f"{c['name']}({', '.join(map(str, c['values']))}) = {c['result']}." for c in last)
    return [*messages, answering(_final(problem), effort, after)]


def _final(problem: Problem) -> str:
    """For a chain the answer speaks of what was asked, without the step between."""
    steps = problem.facts["steps"]
    return " ".join(_say(c) for c in steps[-1])


def act(problem: Problem, name: str, arguments: dict[str, Any], box: Any) -> str:
    schemas = functions(problem)
    if name not in schemas:
        return f"Error: there is no tool '{name}'"
    if why := misfit(schemas[name], arguments):
        return f"Error: {why}"
    made = problem.facts["tools"][name]
    row = _row([arguments[a] for a in made["arguments"]])
    return made["table"].get(
        row, f"Error: nothing is known about {json.dumps(row.split('|'), ensure_ascii=False)[1:-1]}"
    )


def verify(problem: Problem, replies: list[Message], box: Any) -> Verdict:
    def find(content: str, calls: list[Call]) -> str:
        facts = problem.facts
        if "direct" in facts:
            if calls:
                return "a tool was called where none fits"
            hints = (
                (facts["word"],)
                if facts["direct"] != NO_TOOL
                else ("no tool", "none of", "cannot", "can't", "unable", "not able")
            )
            return "" if any(has_word(content, h) for h in hints) else f"the answer does not say {facts['word']}"
        made = [
            (name, _row([arguments.get(a) for a in facts["tools"][name]["arguments"]])) for name, arguments in calls
        ]
        expected = [(c["name"], _row(c["values"])) for step in facts["steps"] for c in step]
        for call in expected:
            if call not in made:
                return f"the call {call[0]}({call[1]}) was not made"
        if len(made) > len(expected) + 2:
            return "calls were made that nobody needs"
        return _answer_is_wrong(problem, content)

    return judge(problem, replies, find)


def _answer_is_wrong(problem: Problem, content: str) -> str:
    last = problem.facts["steps"][-1]
    known = " ".join([words_of(problem), *(c["result"] for step in problem.facts["steps"] for c in step)])
    content = re.sub(r"(?<=\d),(?=\d{3})", "", content)
    places = []
    for c in last:
        if not has_word(content, c["result"]):
            return f"the answer does not say {c['result']}"
        places.append(content.lower().index(c["result"].lower()))
    if places != sorted(places) and not _each_beside_its_own(content, last):
        return "the answers are not where their questions are"
    extra = set(numbers(content)) - set(numbers(known))
    if extra:
        return f"the answer also says {float(min(extra)):g}"
    others = {g for c in last if isinstance(gives := concept(c["concept"]).gives, list) for g in gives}
    also = [other for other in sorted(others) if has_word(content, other) and not has_word(known, other)]
    return f"the answer also says {also[0]}" if also else ""


def _each_beside_its_own(content: str, calls: list[dict[str, Any]]) -> bool:
    """Whether each result stands in a sentence with what was asked about it."""
    sentences = re.split(r"[.\n;,]| and ", content)
    return all(any(has_word(s, c["result"]) and has_word(s, str(c["values"][0])) for s in sentences) for c in calls)


FUNCTIONS = Task("functions", "tools", 4, sample, solve, verify, act)
