"""How does a model learn to tell a short story that is about what was asked? A grammar of heroes and plots.

Levels: 1 the request names one of hero, thing and place, 2 two of them, 3 all, the hero by name, 4 a question about a
story that was just told, or another one. Held out: wordings of requests, and pairs of hero and thing.
A verifier cannot say whether a story is good. It says whether it is about what was asked, has a few sentences in
words that exist, and does not repeat itself.
"""

from __future__ import annotations

import random
import re
from hashlib import sha256
from typing import Any

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user
from finback.tasks.talk import chinese
from finback.tasks.talk.plots import OPENINGS, PLOTS
from finback.tasks.talk.words import (
    FOODS,
    HAPPY,
    HE,
    KIND,
    PLACE,
    SAD,
    SHE,
    THING,
    WEATHERS,
    Kind,
    Place,
    Thing,
    with_article,
)

CHINESE = 0.2
HELD_OUT_PAIRS = 8  # one pair of hero and thing in so many
FEWEST, MOST = 3, 8
LONGEST = 1500
KNOWN = 0.9  # this share of a story's words must exist

# {who} "a fox" or "a fox named Pip", {thing} "a key", {place} "in the forest"; the last two of each are held out.
ABOUT = {
    ("who",): (
        "Tell me a story about {who}.",
        "Write a short story about {who}.",
        "Can you tell me a story with {who} in it?",
        "A story about {who}, please.",
        "I would like to hear a story about {who}.",
        "Make up a little story about {who}.",
        "Please invent a story in which {who} appears.",
        "Story time! Something with {who}.",
    ),
    ("thing",): (
        "Tell me a story about {thing}.",
        "Write a short story about {thing}.",
        "Can you tell me a story with {thing} in it?",
        "A story about {thing}, please.",
        "Make up a little story about {thing}.",
        "Please invent a story in which {thing} appears.",
        "Story time! Something with {thing}.",
    ),
    ("place",): (
        "Tell me a story that happens {place}.",
        "Write a short story that takes place {place}.",
        "A story {place}, please.",
        "What could happen {place}? Tell me a story.",
        "Please invent a story that is set {place}.",
        "Story time! Something that goes on {place}.",
    ),
    ("who", "thing"): (
        "Tell me a story about {who} and {thing}.",
        "Write a short story about {who} with {thing}.",
        "Write a story with {who} and {thing}.",
        "Please tell a story: it is about {who}, and there is {thing} in it.",
        "A story with {thing} and {who}, please.",
        "Invent a tale in which {who} has {thing}.",
        "Could I have a story? It should have {who} and {thing} in it.",
    ),
    ("who", "place"): (
        "Tell me a story about {who} {place}.",
        "Write a short story about {who}. It happens {place}.",
        "What does {who} do {place}? Tell me a story.",
        "A story about {who} {place}, please.",
        "Invent a tale of {who}, set {place}.",
        "Could I have a story? {who_cap}, {place}.",
    ),
    ("thing", "place"): (
        "Tell me a story about {thing} {place}.",
        "Write a short story with {thing}. It happens {place}.",
        "There is {thing} {place}. Tell me a story about it.",
        "Invent a tale of {thing}, set {place}.",
        "Could I have a story? {thing_cap}, {place}.",
    ),
    ("who", "thing", "place"): (
        "Tell me a story about {who} and {thing} {place}.",
        "Write a short story about {who}, {thing} and what happens {place}.",
        "Write a story. Hero: {who}. Thing: {thing}. Place: {place}.",
        "I want a story about {who} with {thing}. It should happen {place}.",
        "Tell me how {who} gets into trouble with {thing} {place}.",
        "Invent a tale of {who} with {thing}, set {place}.",
        "Could I have a story? {who_cap}, {thing}, {place}.",
    ),
}
WORDINGS_HELD_OUT = 2
WITH_GIST = (
    "Tell me a story: {who} {gist} {place}.",
    "Write a short story in which {who} {gist} {place}.",
    "{who_cap} {gist} {place}. Tell the story.",
)
# (question, answer, what is asked for); the last of each kind is held out.
ASKED = {
    "name": ("What was the name of the {kind}?", "How was the {kind} called?", "Who was the hero of the story?"),
    "thing": ("Which thing was in the story?", "What thing was the story about?", "Which object mattered in it?"),
    "place": ("Where did it happen?", "Where was {name}?", "In what place did the story go on?"),
    "friend": ("Who met {name}?", "Whom did {name} meet?", "Who else was in the story?"),
}
ANSWERS = {
    "name": "The {kind} was called {name}.",
    "thing": "It was about the {thing}.",
    "place": "It happened {at}.",
    "friend": "It was {friend} the {friend_kind}.",
}
AGAIN = (
    "Another one, about {who}.",
    "Now tell one about {who}.",
    "That was nice. One more, please, with {who}.",
    "And the next one with {who}, please.",
)


def _pair_is_held_out(kind: str, thing: str) -> bool:
    return sha256(f"{kind} {thing}".encode()).digest()[0] % HELD_OUT_PAIRS == 0


def _cast(rng: random.Random, held_out: bool) -> dict[str, Any]:
    """Hero, helper, thing, place and plot of a story."""
    while True:
        kind, thing = rng.choice(KIND), rng.choice(THING)
        if _pair_is_held_out(kind.noun, thing.noun) == held_out:
            break
    friend_kind = rng.choice([k for k in KIND if k.noun != kind.noun])
    she, friend_she = _is_she(rng, kind), _is_she(rng, friend_kind)
    name = rng.choice(SHE if she else HE)
    friend = rng.choice([n for n in (SHE if friend_she else HE) if n != name])
    return {
        "kind": kind.noun,
        "name": name,
        "she": she,
        "friend_kind": friend_kind.noun,
        "friend": friend,
        "friend_she": friend_she,
        "thing": thing.noun,
        "place": rng.choice(PLACE).noun,
        "plot": rng.choice(PLOTS).name,
    }


def _is_she(rng: random.Random, kind: Kind) -> bool:
    if kind.noun in ("princess", "queen", "girl", "witch", "hen"):
        return True
    return kind.noun not in ("prince", "king", "boy", "wizard", "fisherman", "postman") and rng.random() < 0.5


def _find(table: list[Any], noun: str) -> Any:
    return next(row for row in table if row.noun == noun)


def tell(cast: dict[str, Any], rng: random.Random) -> str:
    kind: Kind = _find(KIND, cast["kind"])
    thing: Thing = _find(THING, cast["thing"])
    place: Place = _find(PLACE, cast["place"])
    plot = next(p for p in PLOTS if p.name == cast["plot"])
    him, his = ("her", "her") if cast["she"] else ("him", "his")
    look = rng.choice(thing.looks)
    friend_kind: Kind = _find(KIND, cast["friend_kind"])
    he, hhe = "she" if cast["she"] else "he", "she" if cast["friend_she"] else "he"
    spots = rng.sample(place.spots, 2)
    slots = {
        "n": cast["name"],
        "he": he,
        "him": him,
        "his": his,
        "He": he.title(),
        "His": his.title(),
        "ak": with_article(f"{rng.choice(kind.traits)} {kind.noun}"),
        "home": kind.home.format(him=him),
        "h": cast["friend"],
        "hk": friend_kind.noun,
        "ahk": with_article(f"{rng.choice(friend_kind.traits)} {friend_kind.noun}"),
        "hhe": hhe,
        "hhim": "her" if hhe == "she" else "him",
        "hhis": "her" if hhe == "she" else "his",
        "t": thing.noun,
        "look": look,
        "at": with_article(f"{look} {thing.noun}"),
        "use": thing.use,
        "p": place.at,
        "p_cap": place.at[0].upper() + place.at[1:],
        "place": place.noun,
        "s1": spots[0],
        "s2": spots[1],
        "around": place.around,
        "food": rng.choice(FOODS),
        "sad": rng.choice(SAD),
        "happy": rng.choice(HAPPY),
        "weather": rng.choice(WEATHERS),
        "athing": with_article(thing.noun),
    }
    while True:
        steps = [rng.choice(OPENINGS), *(rng.choice(step) for step in plot.steps)]
        story = " ".join(step.format(**slots) for step in steps)
        # Not every way to tell a plot says where it is.
        if has_word(story, place.noun) and not is_no_story(story, False):
            return story


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    if rng.random() < CHINESE:
        return chinese.sample_story(rng, level, held_out)
    cast = _cast(rng, held_out)
    if level == 4:
        return _after_a_story(rng, cast, held_out)
    asked = tuple(sorted(rng.sample(("who", "thing", "place"), level), key=("who", "thing", "place").index))
    named = level == 3 or rng.random() < 0.3
    words = _request(rng, cast, asked, named, held_out)
    return Problem(
        f"story {' '.join(asked)}", _key(cast, asked), user(words), {"cast": cast, "words": _wanted(cast, asked, named)}
    )


def _request(rng: random.Random, cast: dict[str, Any], asked: tuple[str, ...], named: bool, held_out: bool) -> str:
    who = with_article(cast["kind"]) + (rng.choice((" named {}", " called {}")).format(cast["name"]) if named else "")
    thing, place = with_article(cast["thing"]), _find(PLACE, cast["place"]).at
    wordings = ABOUT[asked]
    pool = wordings[-WORDINGS_HELD_OUT:] if held_out else wordings[:-WORDINGS_HELD_OUT]
    gist = next(p.gist for p in PLOTS if p.name == cast["plot"]).format(athing=thing)
    if len(asked) == 3 and not held_out and rng.random() < 0.4:
        pool = WITH_GIST
        if cast["thing"] not in gist:
            gist += f" and has {thing}"
    return rng.choice(pool).format(
        who=who,
        thing=thing,
        place=place,
        gist=gist,
        who_cap=who[0].upper() + who[1:],
        thing_cap=thing[0].upper() + thing[1:],
    )


def _wanted(cast: dict[str, Any], asked: tuple[str, ...], named: bool) -> list[str]:
    words = {
        "who": [cast["kind"], *([cast["name"]] if named else [])],
        "thing": [cast["thing"]],
        "place": [cast["place"]],
    }
    return [w for a in asked for w in words[a]]


def _key(cast: dict[str, Any], asked: tuple[str, ...]) -> str:
    return " ".join(["story", cast["plot"], *(cast[{"who": "kind"}.get(a, a)] for a in asked)])


def _after_a_story(rng: random.Random, cast: dict[str, Any], held_out: bool) -> Problem:
    asked = ("who", "thing", "place")
    messages = [*user(_request(rng, cast, asked[: rng.randint(1, 3)], False, held_out)), assistant(tell(cast, rng))]
    if rng.random() < 0.3:
        other = _cast(rng, held_out)
        words = rng.choice(AGAIN[-1:] if held_out else AGAIN[:-1]).format(who=with_article(other["kind"]))
        return Problem(
            "another story",
            f"again {_key(other, asked)}",
            [*messages, *user(words)],
            {"cast": other, "words": [other["kind"]]},
        )
    what = rng.choice(sorted(ASKED))
    place = _find(PLACE, cast["place"])
    slots = cast | {"at": place.at}
    question = rng.choice(ASKED[what][-1:] if held_out else ASKED[what][:-1]).format(**slots)
    facts = {"answer": ANSWERS[what].format(**slots), "words": [cast[what]]}
    return Problem(
        f"question {what}", f"question {what} {_key(cast, asked)} {cast['friend']}", [*messages, *user(question)], facts
    )


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    facts = problem.facts
    if "answer" in facts:
        thoughts = (
            f"从故事里找：{facts['words'][0]}。" if facts.get("chinese") else f"From the story: {facts['words'][0]}."
        )
        return [assistant(facts["answer"], "" if effort == "none" else thoughts)]
    cast = facts["cast"]
    if facts.get("chinese"):
        story, thoughts, plan = chinese.tell(cast, rng)
    else:
        story = tell(cast, rng)
        thoughts = f"Hero: {cast['name']} the {cast['kind']}. Thing: {cast['thing']}. Place: {cast['place']}."
        gist = next(p.gist for p in PLOTS if p.name == cast["plot"]).format(athing=with_article(cast["thing"]))
        plan = f" Friend: {cast['friend']} the {cast['friend_kind']}. Plot: {cast['name']} {gist}."
    return [assistant(story, {"none": "", "high": thoughts, "max": thoughts + plan}[effort])]


def vocabulary() -> frozenset[str]:
    """Every word that the grammar can say, in small letters."""
    parts = [
        *OPENINGS,
        *FOODS,
        *WEATHERS,
        *SAD,
        *HAPPY,
        *SHE,
        *HE,
        *(line for p in PLOTS for step in p.steps for line in step),
    ]
    for kind in KIND:
        parts += [kind.noun, *kind.traits, kind.home]
    for thing in THING:
        parts += [thing.noun, *thing.looks, thing.use]
    for place in PLACE:
        parts += [place.noun, place.at, *place.spots, place.around]
    own = re.findall(r"[a-z]+", re.sub(r"\{.*?\}", " ", " ".join(parts)).lower())
    return frozenset([*own, "a", "an", "the", "he", "she", "him", "her", "his", "s", "they", "them", "their"])


VOCABULARY = vocabulary()


def verify(problem: Problem, replies: list[Message], box: Any) -> Verdict:
    content = answer_of(replies) if isinstance(replies, list) and all(isinstance(r, dict) for r in replies) else ""
    facts = problem.facts
    in_chinese = bool(facts.get("chinese"))
    for word in facts["words"]:
        if not (word in content if in_chinese else has_word(content, word)):
            return Verdict(False, f"it does not mention {word}")
    if "answer" in facts:
        return Verdict(len(content) <= 300, "" if len(content) <= 300 else "the answer is a story of its own")
    why = is_no_story(content, in_chinese)
    return Verdict(not why, why)


def has_word(text: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}s?\b", text, re.IGNORECASE) is not None


def is_no_story(text: str, in_chinese: bool) -> str:
    """Why a text does not pass for a short story."""
    text = text.strip()
    if len(text) > LONGEST:
        return "it is too long"
    ends = r"(?<=[。！？])”?" if in_chinese else r"(?<=[.!?])[\"”']?\s+(?=[\"“'A-Z])"
    sentences = [s.strip() for s in re.split(ends, text) if s and s.strip("”\"' \n")]
    if not FEWEST <= len(sentences) <= MOST:
        return f"it has {len(sentences)} sentences and should have {FEWEST} to {MOST}"
    if not re.search(r"[.!?。！？][\"”']?$", text):
        return "it stops in the middle of a sentence"
    words = re.findall(r"[\u4e00-\u9fff]" if in_chinese else r"[a-z]+", text.lower())
    size = 8 if in_chinese else 6
    runs = [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]
    if len(set(runs)) < len(runs) or len({s.lower() for s in sentences}) < len(sentences):
        return "it repeats itself"
    if len(words) < 5 * len(sentences):
        return "its sentences are too short to be ones"
    if not in_chinese and sum(w in VOCABULARY for w in words) < KNOWN * len(words):
        return "too many of its words do not exist here"
    return ""


STORY = Task("story", "talk", 4, sample, solve, verify)
