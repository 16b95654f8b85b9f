"""How does a model learn to do simple things with words exactly? Facts, lists, letters, counting.

Levels: 1 one fact, 2 lists and what is done to letters and words, 3 two steps in a row, 4 a following turn. Held out:
wordings, pairs of steps, and lists of a length that is not asked for in training.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user
from finback.tasks.talk import facts as f
from finback.tasks.talk.words import FOODS, HE, KIND, PLACE, SHE, THING

CHINESE = 0.2
LONGEST = 400


# What is done to a word: (ask with {0}, what it gives, how it is worked).
LETTERS: dict[str, tuple[tuple[str, ...], Callable[[str], str], Callable[[str], str]]] = {
    "capitals": (
        ("Write {0} in capital letters.", "Put {0} in capitals.", "Turn {0} into upper case."),
        str.upper,
        lambda w: f"{w}: {w.upper()}.",
    ),
    "first": (
        ("What is the first letter of {0}?", "With which letter does {0} begin?", "Which letter opens {0}?"),
        lambda w: w[0],
        lambda w: f"{' '.join(w)}: first {w[0]}.",
    ),
    "last": (
        ("What is the last letter of {0}?", "With which letter does {0} end?", "Which letter closes {0}?"),
        lambda w: w[-1],
        lambda w: f"{' '.join(w)}: last {w[-1]}.",
    ),
    "spell": (
        ("Spell {0}.", "Spell {0} letter by letter.", "Give me the letters of {0} one by one."),
        lambda w: "-".join(w),
        lambda w: f"{w}: {' '.join(w)}.",
    ),
    "length": (
        ("How many letters has {0}?", "Count the letters of {0}.", "Of how many letters is {0} made?"),
        lambda w: str(len(w)),
        lambda w: f"{', '.join(f'{c} {i}' for i, c in enumerate(w, 1))}.",
    ),
}
LETTER_ANSWERS = {
    "capitals": "{1}",
    "first": "The first letter is {1}.",
    "last": "The last letter is {1}.",
    "spell": "{1}",
    "length": "It has {1} letters.",
}
# Facts that give one word, and what is done to it afterwards.
FIRST_STEPS = {
    "opposite": "the opposite of {0}",
    "plural": "the plural of {0}",
    "past": "the past tense of {0}",
    "young": "the word for a young {0}",
    "day": "the day after {0}",
    "month": "the month after {0}",
}
STEPS = [(one, two) for one in FIRST_STEPS for two in LETTERS]
STEPS_HELD_OUT = [p for i, p in enumerate(STEPS) if i % 5 == i // 5 % 5]
STEPS_TRAINED = [p for p in STEPS if p not in STEPS_HELD_OUT]
LIST = (
    "List {k} {c}.",
    "Name {k} {c}.",
    "Give me {k} {c}.",
    "Can you name {k} {c}?",
    "Tell me {k} {c}, please.",
    "I need {k} {c}.",
    "Which {c} do you know? {k_cap} are enough.",
)
LIST_CHINESE = ("请列出{k}种{c}。", "说出{k}种{c}。", "请告诉我{k}种{c}。", "你知道哪些{c}？说{k}种。")
LIST_LENGTHS, LIST_LENGTH_HELD_OUT = (2, 3, 5), 4
FIRST_NAMES = SHE[:40] + HE[:40]
SENTENCES = (
    "The {a} {k} sleeps.",
    "{n} has a {t}.",
    "A {k} and a {k2} play.",
    "{n} likes {food}.",
    "We saw the {t} on the table.",
    "My {t} is {a}.",
    "{n} and {n2} are friends.",
    "There is a {k} {p}.",
    "The {k} gave {n} a {t}.",
    "Every day {n} walks {p}.",
    "It rains.",
    "{n} sings.",
)
COUNT = (
    "How many words are in this sentence? {0}",
    "Count the words: {0}",
    "How many words does this have? {0}",
    "Tell me the number of words here: {0}",
)
FIRST_WORD = (
    "What is the first word of this sentence? {0}",
    "Which word comes first? {0}",
    "Give me the opening word of: {0}",
)
LAST_WORD = (
    "What is the last word of this sentence? {0}",
    "Which word comes last? {0}",
    "Give me the final word of: {0}",
)
REPEAT = (
    "Say {0} {k} times.",
    "Write the word {0} {k} times.",
    "Repeat {0} {k} times.",
    "I want to read {0} {k} times.",
)
SORT = (
    "Sort these words by the alphabet: {0}.",
    "Put these words in alphabetical order: {0}.",
    "Which order of these is alphabetical? {0}.",
)
USE_WORD = (
    "Write a sentence with the word {0}.",
    "Use the word {0} in a sentence.",
    "Make a sentence in which {0} appears.",
)
SENTENCES_WITH = {
    "thing": ("{n} found a {0} {p}.", "{n} gave the {0} to a {k}.", "There is a {0} {p}."),
    "animal": ("The {0} ran {p}.", "{n} saw a {0} {p}.", "A {0} was looking for {food}."),
}


def _facts(problem_kind: str, key: str, words: str, answer: str, want: str, thought: str, **more: Any) -> Problem:
    return Problem(problem_kind, key, user(words), {"answer": answer, "want": want, "thought": thought, **more})


def _pick(rng: random.Random, wordings: tuple[str, ...], held_out: bool) -> str:
    return wordings[-1] if held_out else rng.choice(wordings[:-1])


def _fact(rng: random.Random, held_out: bool) -> Problem:
    it = rng.choice(f.FACTS_CHINESE if rng.random() < CHINESE else f.FACTS)
    row, value = rng.choice(sorted(it.table.items()))
    words = _pick(rng, it.ask, held_out).format(row, value)
    return _facts(
        f"fact {it.name}",
        f"{it.name} {row} {words}",
        words,
        it.say.format(row, value),
        value,
        it.thought.format(row, value),
    )


def _any_word(rng: random.Random) -> str:
    return rng.choice(
        (
            lambda: rng.choice(KIND).noun,
            lambda: rng.choice(THING).noun,
            lambda: rng.choice(sorted(f.OPPOSITES)),
            lambda: rng.choice(FIRST_NAMES),
        )
    )()


def _letters(rng: random.Random, held_out: bool) -> Problem:
    name = rng.choice(sorted(LETTERS))
    ask, do, work = LETTERS[name]
    word = _any_word(rng)
    words = _pick(rng, ask, held_out).format(f'"{word}"' if rng.random() < 0.6 else f"the word {word}")
    return _facts(
        f"letters {name}", f"{name} {word}", words, LETTER_ANSWERS[name].format(word, do(word)), do(word), work(word)
    )


def _list(rng: random.Random, held_out: bool) -> Problem:
    count = LIST_LENGTH_HELD_OUT if held_out else rng.choice(LIST_LENGTHS)
    if rng.random() < CHINESE:
        kind = rng.choice(sorted(f.CHINESE_CATEGORIES))
        known, words = f.CHINESE_CATEGORIES[kind], rng.choice(LIST_CHINESE).format(k="零一两三四五"[count], c=kind)
        picks = rng.sample(known, count)
        answer, thought = "、".join(picks) + "。", "，".join(f"{i} {w}" for i, w in enumerate(picks, 1)) + "。"
    else:
        kind = rng.choice([c for c, (_, rows) in f.CATEGORIES.items() if len(rows) >= count])
        known, number = f.CATEGORIES[kind][1], rng.choice((f.NUMBERS[count], str(count)))
        words = rng.choice(LIST).format(k=number, k_cap=number.title(), c=kind)
        picks = rng.sample(known, count)
        answer, thought = ", ".join(picks) + ".", ", ".join(f"{i} {w}" for i, w in enumerate(picks, 1)) + "."
    return _facts(f"list {kind}", f"list {kind} {count} {words}", words, answer, "", thought, known=known, count=count)


def _sentence(rng: random.Random) -> str:
    slots = {
        "a": rng.choice(rng.choice(THING).looks),
        "k": rng.choice(KIND).noun,
        "k2": rng.choice(KIND).noun,
        "n": rng.choice(FIRST_NAMES),
        "n2": rng.choice(FIRST_NAMES),
        "t": rng.choice(THING).noun,
        "p": rng.choice(PLACE).at,
        "food": rng.choice(FOODS),
    }
    return rng.choice(SENTENCES).format(**slots)


def _words(rng: random.Random, held_out: bool) -> Problem:
    """Something about a sentence or several words."""
    what = rng.choice(("count", "first word", "last word", "repeat", "sort", "use"))
    sentence = _sentence(rng)
    parts = sentence.rstrip(".").split()
    shown = f'"{sentence}"' if rng.random() < 0.5 else sentence
    if what == "count":
        counted = ", ".join(f"{w} {i}" for i, w in enumerate(parts, 1)) + "."
        words = _pick(rng, COUNT, held_out).format(shown)
        return _facts(
            what,
            f"{what} {sentence}",
            words,
            f"There are {len(parts)} words." if len(parts) > 1 else "There is 1 word.",
            str(len(parts)),
            counted,
        )
    if what in ("first word", "last word"):
        wanted = parts[0 if what == "first word" else -1]
        words = _pick(rng, FIRST_WORD if what == "first word" else LAST_WORD, held_out).format(shown)
        return _facts(
            what,
            f"{what} {sentence}",
            words,
            f'The {what} is "{wanted}".',
            wanted,
            f"{parts[0]} ... {parts[-1]}: {what} {wanted}.",
        )
    if what == "repeat":
        word, count = _any_word(rng), rng.randint(2, 5)
        words = _pick(rng, REPEAT, held_out).format(f'"{word}"', k=f.NUMBERS[count])
        return _facts(
            what,
            f"{what} {word} {count}",
            words,
            " ".join([word] * count),
            word,
            ", ".join(f"{i} {word}" for i in range(1, count + 1)) + ".",
            count=count,
        )
    if what == "sort":
        some = {}
        while len(some) < 3:
            word = rng.choice((rng.choice(KIND).noun, rng.choice(THING).noun, rng.choice(sorted(f.OPPOSITES))))
            some.setdefault(word[0], word)
        shuffled = list(some.values())
        rng.shuffle(shuffled)
        in_order = sorted(some.values())
        words = _pick(rng, SORT, held_out).format(", ".join(shuffled))
        thought = ", ".join(f"{w[0]} {w}" for w in shuffled) + ": " + ", ".join(w[0] for w in in_order) + "."
        return _facts(
            what, f"{what} {' '.join(in_order)}", words, ", ".join(in_order) + ".", "", thought, order=in_order
        )
    kind = rng.choice(sorted(SENTENCES_WITH))
    word = rng.choice(THING).noun if kind == "thing" else rng.choice(f.CATEGORIES["animals"][1])
    made = rng.choice(SENTENCES_WITH[kind]).format(
        word, n=rng.choice(FIRST_NAMES), p=rng.choice(PLACE).at, k=rng.choice(KIND).noun, food=rng.choice(FOODS)
    )
    words = _pick(rng, USE_WORD, held_out).format(f'"{word}"' if rng.random() < 0.5 else word)
    return _facts(what, f"{what} {word}", words, made, word, f"{kind}: {word}.", sentence=True)


def _two_steps(rng: random.Random, held_out: bool) -> Problem:
    one, two = rng.choice(STEPS_HELD_OUT if held_out else STEPS_TRAINED)
    it = next(x for x in f.FACTS if x.name == one)
    row, value = rng.choice(sorted(it.table.items()))
    ask, do, work = LETTERS[two]
    words = rng.choice(ask[:-1]).format(
        FIRST_STEPS[one].format(f'"{row}"' if one not in ("young", "day", "month") else row)
    )
    answer = LETTER_ANSWERS[two].format(value, do(value))
    return _facts(f"{two} of {one}", f"{two} {one} {row}", words, answer, do(value), f"{row}: {value}. {work(value)}")


def _next_turn(rng: random.Random, held_out: bool) -> Problem:
    """A question about the list before, or the same question about something else."""
    if rng.random() < 0.5:
        before = _list(rng, False)
        while before.facts["count"] < 3 or "、" in before.facts["answer"]:
            before = _list(rng, False)
        picks = before.facts["answer"].rstrip(".").split(", ")
        at = rng.randrange(min(4, len(picks)))
        word = picks[at]
        if held_out:
            words, answer, want, thought = (
                f"Spell the {f.ORDINALS[at]} one.",
                "-".join(word),
                "-".join(word),
                f"{f.ORDINALS[at]}: {word}. {' '.join(word)}.",
            )
        else:
            ask, do = rng.choice(
                (
                    ("What was the {} one?", str),
                    ("Write the {} one in capitals.", str.upper),
                    ("Which did you name {}?", str),
                    ("With which letter does the {} one begin?", lambda w: w[0]),
                )
            )
            words, want = ask.format(f.ORDINALS[at]), do(word)
            answer = (
                LETTER_ANSWERS["first"].format("", want)
                if len(want) == 1
                else want
                if want != word
                else f"The {f.ORDINALS[at]} one was {word}."
            )
            thought = f"{f.ORDINALS[at]}: {word}." + (f" {want}." if want != word else "")
        made = {"answer": answer, "want": want, "thought": thought}
        return Problem(
            "about the list",
            f"list {word} {at} {words}",
            [*before.messages, assistant(before.facts["answer"]), *user(words)],
            made,
        )
    it = rng.choice(f.FACTS)
    (row, value), (other, wanted) = rng.sample(sorted(it.table.items()), 2)
    words = (
        f"Then what about {other}?"
        if held_out
        else rng.choice(("And {}?", "And what about {}?", "The same for {}, please.")).format(other)
    )
    history = [*user(rng.choice(it.ask[:-1]).format(row, value)), assistant(it.say.format(row, value)), *user(words)]
    made = {"answer": it.say.format(other, wanted), "want": wanted, "thought": it.thought.format(other, wanted)}
    return Problem(f"and {it.name}", f"and {it.name} {other} after {row}", history, made)


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    make = {1: (_fact,), 2: (_letters, _list, _words), 3: (_two_steps,), 4: (_next_turn,)}[level]
    return rng.choice(make)(rng, held_out)


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    made = problem.facts
    so = "所以：" if re.search(r"[\u4e00-\u9fff]", made["answer"]) else " So: "
    more = f"{so}{made['answer']}" if effort == "max" else ""
    return [assistant(made["answer"], "" if effort == "none" else made["thought"] + more)]


def verify(problem: Problem, replies: list[Message], box: Any) -> Verdict:
    content = answer_of(replies) if isinstance(replies, list) and all(isinstance(r, dict) for r in replies) else ""
    why = (
        "there is no answer"
        if not content.strip()
        else "the answer is too long"
        if len(content) > LONGEST
        else _wrong(problem, content)
    )
    return Verdict(not why, why)


def _wrong(problem: Problem, content: str) -> str:
    made = problem.facts
    plain = content.replace("*", "").replace("`", "")
    if "known" in made:
        return _wrong_list(made["known"], made["count"], plain)
    if "order" in made:
        said = [w for w in re.findall(r"[a-z]+", plain.lower()) if w in made["order"]]
        return "" if said[-len(made["order"]) :] == made["order"] else f"the order is not {', '.join(made['order'])}"
    want = made["want"]
    if made.get("sentence"):
        enough = len(re.findall(r"\w+", plain)) >= 4 and re.search(r"[.!?][\"”']?$", plain.strip())
        return "" if enough and _says(plain, want, False) else f"it is no sentence with {want}"
    if "count" in made:
        said = re.findall(r"\w+", plain)
        return (
            ""
            if sum(w.lower() == want.lower() for w in said) == made["count"] == len(said)
            else f"it does not say {want} {made['count']} times"
        )
    if problem.kind == "fact number word" or re.match(r"(letters|.*) ?length", problem.kind) or problem.kind == "count":
        digit, word = (want, f.NUMBERS[int(want)]) if want.isdigit() else (str(f.NUMBERS.index(want)), want)
        asked_for_word = not want.isdigit()
        found = [x for x in re.findall(r"[a-z]+|\d+", plain.lower()) if x in f.NUMBERS or x.isdigit()]
        return (
            ""
            if found and (found[-1] == word or (found[-1] == digit and not asked_for_word))
            else f"the answer is not {want}"
        )
    exact = want.isupper() or "-" in want
    if "-" in want:
        plain = re.sub(r"[\s,.-]+", "-", plain)
        return "" if want.lower() in plain.lower() else f"the answer is not {want}"
    if not _says(plain, want, exact):
        return f"the answer does not say {want}"
    others = _siblings(problem, want)
    asked = problem.messages[-1]["content"]
    also = [
        o
        for o in others
        if _says(plain, o, exact)
        and not _says(asked, o, False)
        and o.lower() not in want.lower()
        and not _says(want, o, False)
    ]
    return f"the answer also says {also[0]}" if also else ""


def _siblings(problem: Problem, want: str) -> list[str]:
    """The other answers of the same table, and for letters the other letters."""
    for it in (*f.FACTS, *f.FACTS_CHINESE):
        if problem.kind in (f"fact {it.name}", f"and {it.name}"):
            return [v for v in it.table.values() if v != want]
    return [c for c in "bcdefghjklmnopqrtuvwxyz" if c != want.lower()] if len(want) == 1 else []


def _says(text: str, word: str, exact: bool) -> bool:
    if re.search(r"[\u4e00-\u9fff]", word):
        return word in text
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, 0 if exact else re.IGNORECASE) is not None


def _wrong_list(known: list[str], count: int, text: str) -> str:
    if re.search(r"[\u4e00-\u9fff]", known[0]):
        said = [w for w in re.split(r"[、，。,.\s和]+", text) if w]
        items = [w for w in said if w in known]
    else:
        items = []
        for piece in re.split(r"[,.;\n]|\band\b|:", text.lower()):
            words = re.sub(r"^\s*(\d+[.)]?|[-•])?\s*(the |a |an )?", "", piece).strip(" !?")
            match = next((k for k in known if words in (k.lower(), k.lower() + "s", k.lower() + "es")), None)
            items += [match] if match else []
            if not match and words and re.fullmatch(r"[a-z]+", words) and words not in ("sure", "here", "yes", "okay"):
                return f"{words} does not belong in the list"
    if len(set(items)) < len(items):
        return "something is named twice"
    return "" if len(items) == count else f"it names {len(items)} and not {count}"


INSTRUCTION = Task("instruction", "talk", 4, sample, solve, verify)
