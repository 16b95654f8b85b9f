"""How does a model learn to find a thing in what it was told, and to say it again exactly? Everything else rests on that.

Levels: 1 a list said again, its things with nothing but spaces between, or a long number, 2 with commas, or what stands beside a thing or
belongs to it, 3 backwards, and a chain of what belongs to what, 4 the stacks of a Blocksworld problem, which is where its
plans begin, 5 tables: what belongs to each thing, the things asked for in another order, two tables made one, or a table by
what it says instead of by its things; so that nearly every word of an answer is looked up, 6 comparisons, a table of them:
two things side by side, the same or not; two numbers, which is larger; two tables, where they agree, 7 what a word problem
counts, most of its nouns exchanged for any others: the first line of `word_problem`'s traces. Things are words, names, numbers
and syllables without meaning, so that nothing but the prompt helps.
Held out: the last wording of each, and lists and tables of 7 things (of a larger table 7 may be asked for); word problems that
are held out themselves.
"""

from __future__ import annotations

import random
import re

from finback.tasks.mathematics import word_problem
from finback.tasks.planning import blocks, blocks_words
from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, is_seen, user
from finback.tasks.talk.chinese import KINDS, NAMES
from finback.tasks.talk.words import HE, KIND, SHE, THING

CHINESE = 0.2
HELD_OUT_LENGTH = 7
COLOURS = "red blue orange yellow green white black purple brown pink grey".split()
# For each kind the wordings in English and in Chinese: {0} the list, {1} the thing that is asked about.
WORDINGS = {
    "repeat": (
        ("Repeat: {0}", "Say this again: {0}", "Copy this: {0}", "Write exactly this: {0}", "{0} Say that again.", "Give this back: {0}"),
        ("请重复：{0}", "再说一遍：{0}", "照着写：{0}", "请抄下来：{0}"),
    ),
    "backwards": (
        ("Say backwards: {0}", "In reverse order: {0}", "From the last to the first: {0}", "Turn this list round: {0}"),
        ("倒过来说：{0}", "从后往前说：{0}", "反过来写：{0}"),
    ),
    "after": (
        ("{0}: what comes after {1}?", "In the list {0}, which one follows {1}?", "{0}. Next after {1}?", "Here is a list: {0}. What stands right after {1}?"),
        ("{0}：{1}后面是什么？", "在{0}里，{1}的下一个是什么？", "{0}。紧跟着{1}的是什么？"),
    ),
    "before": (
        ("{0}: what comes before {1}?", "In the list {0}, which one is in front of {1}?", "{0}. Just before {1}?", "Here is a list: {0}. What stands right before {1}?"),
        ("{0}：{1}前面是什么？", "在{0}里，{1}的上一个是什么？", "{0}。{1}之前的是什么？"),
    ),
    "belongs": (
        ("{0}. What belongs to {1}?", "{0}. Say what {1} has.", "I know: {0}. And {1}?", "Remember: {0}. Which one goes with {1}?"),
        ("{0}。{1}对应什么？", "已知：{0}。{1}呢？", "记住：{0}。和{1}在一起的是什么？"),
    ),
    "chain": (
        ("{0}. From {1} on, where does it lead?", "Follow this from {1}: {0}", "{0}. Start at {1} and go on to the end.", "{0}. You begin at {1}: where do you end?"),
        ("{0}。从{1}开始，最后到哪里？", "从{1}走到底：{0}", "{0}。由{1}出发，终点是什么？"),
    ),
    # {0} the table or tables, {1} the things in the order of the answer
    "arrange": (
        ("{0}. Now in this order: {1}", "Say what belongs to each of {1}. {0}", "{0}. And {1}?", "Arrange as {1}: {0}"),
        ("{0}。请按这个顺序：{1}", "{1}各对应什么？{0}", "{0}。那么{1}呢？"),
    ),
    "join": (
        ("{0}. Say both for {1}", "Make one list of the two, for {1}. {0}", "{0}. Put them together: {1}", "For each of {1} say both. {0}"),
        ("{0}。请合起来说：{1}", "{1}各有哪两个？{0}", "{0}。两个都说：{1}"),
    ),
    "group": (
        ("{0}. Group them: {1}", "Which ones belong to {1}? {0}", "{0}. Who goes with {1}?", "Sort into {1}: {0}"),
        ("{0}。请分组：{1}", "{1}各有哪些？{0}", "{0}。和{1}在一起的各是哪些？"),
    ),
    # {0} pairs, tables of two things each, {1} the words for the two cases
    "same": (
        ("{0}. Are they the same? Say {1}.", "Same or not? {0} ({1})", "The same or not, {1}: {0}", "Compare: {0}. Say {1} for each."),
        ("{0}。一样吗？说{1}", "一样还是不一样（{1}）：{0}", "比一比，说{1}：{0}"),
    ),
    "more": (
        ("{0}. Is the first more, less or same?", "more, less or same: {0}", "Compare the numbers (more, less, same): {0}", "{0}. Say more, less or same."),
        ("{0}。第一个是more、less还是same？", "比大小（more, less, same）：{0}", "比较两个数，说more、less或same：{0}"),
    ),
    "agree": (
        ("{0}. For which do the two agree? Say {1}.", "Do the lists agree ({1})? {0}", "{0}. Do they agree? {1}", "Compare both lists, {1}: {0}"),
        ("{0}。两边一样吗？说{1}", "对一对（{1}）：{0}", "两张表，说{1}：{0}"),
    ),
    "read": (
        ("{0} Do not solve this: say each number with the word behind it.", "Which numbers are in this text, each with its next word? {0}",
         "Read each number and the word behind it: {0}", "Copy every number together with the word that follows. {0}"),
        (),
    ),
}  # fmt: skip
KEPT = set("hours kilometres meters metres miles minutes parts times years days weeks cents dollars grams litres was has is".split())  # what is counted in
CASES = (("same", "different"), ("yes", "no"), ("stays", "goes"), ("ok", "go"), ("there", "away"), ("equal", "not equal"))
LINKS = ("{} {}", "{} is {}", "{}: {}", "{} = {}", "{} -> {}", "{} to {}", "{} in {}", "{} has {}")
STACKS_NOW = ("Which stacks are there now, from the table up?", "Say how the blocks stand now.", "What stands on what?", "Name the stacks at the start.")
STACKS_WANTED = ("Which stacks does the goal ask for?", "Say how the blocks must stand in the end.", "What is to stand on what?", "Name the stacks that I want.")


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    if level == 4:
        return _stacks(rng, held_out)
    if level == 5:
        return _table(rng, held_out)
    if level == 6:
        return _compared(rng, held_out)
    if level == 7:
        return _read(rng, held_out)
    kind = rng.choice((("repeat",), ("repeat", "after", "before", "belongs"), ("backwards", "chain", "belongs"))[level - 1])
    lengths = {"repeat": range(3, 21), "backwards": range(3, 9), "chain": range(3, 7)}.get(kind, range(3, 12))
    unknown_length = held_out and HELD_OUT_LENGTH in lengths and rng.random() < 0.5
    count = HELD_OUT_LENGTH if unknown_length else rng.choice([n for n in lengths if n != HELD_OUT_LENGTH])
    in_chinese = rng.random() < CHINESE
    if kind == "repeat" and rng.random() < 0.2:  # one long number, which has no words to hold on to
        count, digits, unknown_length = 1, rng.choice(("01", "0123456789")), False
    things = ["".join(rng.choices(digits, k=rng.randint(6, 24)))] if count == 1 else _things(rng, {"chain": count + 1, "belongs": 2 * count}.get(kind, count), in_chinese)
    joint = " " if level == 1 else "，" if in_chinese else rng.choice((" ", ", ", "; "))
    place, asked = rng.randrange(count), ""
    shown = joint.join(things)
    if kind in ("repeat", "backwards"):
        want = shown if kind == "repeat" else joint.join(reversed(things))
        work = f"{things[0]} ... {things[-1]}"
    elif kind in ("after", "before"):
        step = 1 if kind == "after" else -1
        place = rng.randrange(count - 1) + (step < 0)
        asked, want = things[place], things[place + step]
        work = f"{asked}, {want}" if step > 0 else f"{want}, {asked}"
    elif kind == "belongs":
        pairs = list(zip(things[:count], things[count:]))
        shown, (asked, want) = _pairs(rng, pairs), pairs[place]
        work = f"{asked} {want}"
    else:
        links = list(zip(things, things[1:]))
        asked, want = things[rng.randrange(count - 1)], things[-1]
        work = ", ".join(things[things.index(asked) :])
        rng.shuffle(links)
        shown = _pairs(rng, links)
    *trained, last = WORDINGS[kind][in_chinese]
    wording = last if held_out and not unknown_length else rng.choice(trained)
    facts = {"want": want, "work": work}
    return Problem(kind, f"{kind} {asked} {' '.join(things)}", user(wording.format(shown, asked)), facts)


def _stacks(rng: random.Random, held_out: bool) -> Problem:
    """The statement of a Blocksworld problem, of which only the stacks are asked, as the first lines of `blocks`' traces say them."""
    plan = blocks.sample(rng, rng.choice((1, 2, 3)) if not held_out else 2, held_out)
    init, goal = plan.facts["init"], plan.facts["goal"]
    work = blocks.Worker(init, goal).lines[:2]
    of_goal = rng.random() < 0.4
    *trained, last = STACKS_WANTED if of_goal else STACKS_NOW
    prompt = blocks_words.statement(init, goal, last if held_out and rng.random() < 0.5 else rng.choice(trained))
    want = work[of_goal].split(": ", 1)[1]
    return Problem("stacks", f"stacks {of_goal} {plan.key}", user(prompt), {"want": want, "work": "\n".join([*blocks.said_again(init, goal), *work])})


def _table(rng: random.Random, held_out: bool) -> Problem:
    """Look-ups one after the other: the value of every key, of two tables, or the keys of every value."""
    kind = rng.choice(("arrange", "join", "group"))
    unknown_length = held_out and rng.random() < 0.5
    count = HELD_OUT_LENGTH if unknown_length else rng.choice([n for n in range(3, 11) if n != HELD_OUT_LENGTH])
    in_chinese = rng.random() < CHINESE
    keys = _things(rng, count, in_chinese)
    values = [v for v in _things(rng, 3 * count, in_chinese) if v not in keys]
    order = rng.sample(keys, count if rng.random() < 0.5 else rng.randint(2, count))
    link, second = rng.sample(LINKS, 2)
    joint, comma = ("；", "，") if in_chinese else ("; ", ", ")
    if kind == "group":
        names = values[: rng.randint(2, 4)]
        of = {key: rng.choice(names) for key in keys}
        order = rng.sample(names, len(names))
        want = joint.join(f"{name}: {comma.join(key for key in keys if of[key] == name) or '-'}" for name in order)
        shown = comma.join(link.format(key, of[key]) for key in keys)
    else:
        tables = [dict(zip(keys, rng.sample(values, count) if rng.random() < 0.6 else rng.choices(values[:4], k=count)))
                  for _ in range(1 + (kind == "join"))]
        shown = ". ".join(comma.join(form.format(key, of[key]) for key in rng.sample(keys, count)) for form, of in zip((link, second), tables))
        want = joint.join(comma.join(form.format(key, of[key]) for form, of in zip((link, second), tables)) for key in order)
    *trained, last = WORDINGS[kind][in_chinese]
    wording = last if held_out and not unknown_length else rng.choice(trained)
    prompt = wording.format(shown, comma.join(order))
    return Problem(kind, f"{kind} {shown} {' '.join(order)}", user(prompt), {"want": want, "work": want.replace(joint, "\n")})


def _compared(rng: random.Random, held_out: bool) -> Problem:
    """Two things each, half of them the same: side by side as they are shown, or looked up in two tables first."""
    kind = rng.choice(("same", "more", "agree", "agree"))
    unknown_length = held_out and rng.random() < 0.5
    count = HELD_OUT_LENGTH if unknown_length else rng.choice([n for n in range(3, 11) if n != HELD_OUT_LENGTH])
    in_chinese = rng.random() < CHINESE
    joint, comma = ("；", "，") if in_chinese else ("; ", ", ")
    cases = rng.choice(CASES)
    if kind == "more":
        below = rng.choice((10, 30, 100, 1000))
        firsts = [rng.randrange(below) for _ in range(3 * count)]
        pairs = list(dict.fromkeys((a, rng.choice((a, rng.randrange(below), rng.randrange(below)))) for a in firsts))[:count]
        verdicts = ["same" if a == b else "more" if a > b else "less" for a, b in pairs]
    else:
        # A pair stands only once in a list that is said again, or it would be unclear where the list goes on.
        pool = _things(rng, count + 2, in_chinese) if kind == "same" else _places(rng) if rng.random() < 0.6 else _things(rng, 4, in_chinese)
        firsts = rng.sample(pool, count) if kind == "same" else rng.choices(pool, k=count)
        pairs = [(a, a if rng.random() < 0.5 else rng.choice([x for x in pool if x != a])) for a in firsts]
        verdicts = [cases[a != b] for a, b in pairs]
    said = [f"{a} {b}" for a, b in pairs]
    shown, work = comma.join(said), [f"{pair} {verdict}" for pair, verdict in zip(said, verdicts)]
    want = work
    if kind == "agree":
        keys = [k for k in _things(rng, count + len(pool), in_chinese) if k not in pool][:count]
        one, two = rng.sample(LINKS, 2)
        table = [one.format(key, a) for key, (a, _) in zip(keys, pairs)]
        other = rng.sample([two.format(key, b) for key, (_, b) in zip(keys, pairs)], count)
        shown = ("。" if in_chinese else ". ").join((comma.join(table), comma.join(other)))
        work = [f"{one.format(key, a)}{comma}{two.format(key, b)}: {each}" for key, (a, b), each in zip(keys, pairs, work)]
        want = [f"{key} {verdict}" for key, verdict in zip(keys, verdicts)]
    *trained, last = WORDINGS[kind][in_chinese]
    wording = last if held_out and not unknown_length else rng.choice(trained)
    prompt = wording.format(shown, comma.join(cases))
    return Problem(kind, f"{kind} {shown}", user(prompt), {"want": joint.join(want), "work": "\n".join(work)})


def _read(rng: random.Random, held_out: bool) -> Problem:
    """The quantities of a word problem, whose nouns may be any here, as only the reading is asked for."""
    while True:
        problem = word_problem.sample(rng, rng.randint(1, word_problem.WORD_PROBLEM.levels), held_out)
        text = problem.messages[-1]["content"]
        if not re.search(r"[\u4e00-\u9fff]", text) and (held_out or not is_seen("word_problem", problem.key)):
            break
    nouns = sorted(set(re.findall(r"\d ([a-z]{2,}s)\b", text)) - KEPT)
    others = [w for w in _things(rng, 60, False) if re.fullmatch("[a-z]{3,}", w) and w[-1] not in "fhsxyz" and w not in ("goose", "mouse")]
    other = dict(zip(nouns, (f"{w}s" for w in others)))
    text = re.sub(r"\b[a-z]+\b", lambda m: other.get(m[0], m[0]), text)
    want = ", ".join(word_problem.quantities(text))
    *trained, last = WORDINGS["read"][0]
    prompt = (last if held_out else rng.choice(trained)).format(text)
    return Problem("read", f"read {text}", user(prompt), {"want": want, "work": f"Read {want}"})


def _places(rng: random.Random) -> list[str]:
    """Names that differ in a letter or a digit."""
    letter, digits = rng.choice("abclprtxyz"), range(rng.randint(2, 5))
    two = rng.random() < 0.5
    return [f"{letter}{i}{j}" for i in digits for j in range(3)] if two else [f"{letter}{i}" for i in digits]


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    want, work = problem.facts["want"], problem.facts["work"]
    thoughts = {"none": "", "high": work, "max": f"{work}\nAgain: {work}"}[effort]
    return [assistant(want, thoughts)]


def verify(problem: Problem, replies: list[Message], box: object) -> Verdict:
    texts = answer_of(replies), problem.facts["want"]
    if problem.kind == "group":
        said, want = (_groups(text) for text in texts)
    elif problem.kind == "agree":  # a verdict for each key, in any order
        rows = (re.split(r"[,;，；\n]", text.lower().rstrip(".。")) for text in texts)
        said, want = (sorted(re.sub(r"\W+", " ", row).strip() for row in each) for each in rows)
    else:
        said, want = (re.sub(r"[\s,;:.，；：。、]+", " ", text).strip().lower() for text in texts)
    if problem.kind == "stacks":  # one beside the other in any order
        said, want = (sorted(stack.strip() for stack in text.split("|")) for text in (said, want))
    return Verdict(said == want, "" if said == want else f"it is not {problem.facts['want']!r}")


def _groups(text: str) -> dict[str, set[str]]:
    """What belongs to each name, in any order; a name to which nothing does may say so or be left out."""
    found = {}
    for part in re.split(r"[;；\n]", text.strip().lower().rstrip(".。")):
        name, _, members = part.partition(":")
        if members := set(re.findall(r"\w+", members)) - {"none", "nothing", "没有", "无"}:
            found[name.strip()] = members
    return found


def _pairs(rng: random.Random, pairs: list[tuple[str, str]]) -> str:
    link, joint = rng.choice((("{} is {}", ", "), ("{}: {}", "; "), ("{} = {}", ", "), ("{} -> {}", ", "), ("{} on {}", ", "), ("{} has {}", " and ")))
    return joint.join(link.format(*pair) for pair in pairs)


def _things(rng: random.Random, count: int, in_chinese: bool) -> list[str]:
    """So many different things; most lists are of one sort."""
    sorts = (lambda: rng.choice(KINDS), lambda: rng.choice(NAMES), lambda: str(rng.randrange(100))) if in_chinese else (
        lambda: rng.choice(KIND).noun, lambda: rng.choice(THING).noun, lambda: rng.choice(SHE + HE), lambda: rng.choice(COLOURS),
        lambda: str(rng.randrange(10)), lambda: str(rng.randrange(1000)), lambda: chr(97 + rng.randrange(26)),
        lambda: "".join(rng.choice("bdfgklmnprst") + rng.choice("aeiou") for _ in range(rng.randint(1, 3))),
    )  # fmt: skip
    sort = rng.choice(sorts) if rng.random() < 0.7 else None
    found: dict[str, None] = {}
    for tries in range(20 * count):
        found[(sort if sort and tries < 4 * count else rng.choice(sorts))()] = None
        if len(found) == count:
            break
    return list(found)


RECALL = Task("recall", "talk", 7, sample, solve, verify)
