"""In how many ways can the same facts and question be told? Orders, joined sentences, number words, distractors."""

from __future__ import annotations

import random
import re

from finback.tasks.mathematics import lexicon
from finback.tasks.mathematics.grammar import Cast, Story, say

PROPER = {*lexicon.HE, *lexicon.SHE, *lexicon.DAYS, *lexicon.MONTHS, "Mr", "Mrs", "Ms"}
CONNECTED = re.compile(r"^(If|Then|Now|Later|After|When|Yesterday|Today|First|Next|For|At|On|In|Every one|Each)\b")

DISTRACTORS = """{P} is [|now ]{z} years old.
{P} [has|also has|owns] {z} {y} [|at home|in a drawer|on a shelf].
{P} lives [about |]{z} [miles|kilometers|blocks] from the {place}.
It [is|was] {z} degrees outside.
The {shop} [opens|closes] at {h} o'clock.
{P} [also saw|also counted|also noticed] {z} {w}.
{P}'s {kin} has {z} {y}.
There [are|were] also {z} {y} [nearby|in the room|in a box|on the table].
There are {z} {w} in the {place}.
{P} has {h} [cousins|friends|neighbors|classmates].
{P} woke up at {h} o'clock.
The {place} is {z} years old.
{P}'s favorite number is {z}.
Each of the {y} costs ${h}.
{P} has been doing this for {h} years.
A {y1} weighs {z} grams.
{P} also wanted to buy {h} {y}, but did not.
Last year {P} had {z} {y}.""".splitlines()

OPENERS = """{P} [likes|loves] [{y}|to help|to read|the {place}].
{P} [was|is] [helping|working|spending the day] at the {place}.
{P} [was|is] [cleaning|tidying] [{hh} room|the house|the garage].
It [is|was] [{P}'s birthday|a {adj} day|the first day of school|{day}|the weekend].
{P} [went|is going] to the {place}[ with {hh} {kin}|][ on {day}|].
{P} is planning a [party|trip|picnic|game].
{P} and {hh} {kin} [went shopping|had a long day|were at home|love {y}].
{P} has [a new hobby|a big family|a small garden|many friends|a busy week].
[Last|This] [week|summer|weekend] {P} [was|stayed] at the {place}.
{P}'s {kin} [asked for help|came to visit|was happy|needed help].
There was a [sale|party|fair] at the {place}.
{P} wants to be the best in class.
{P} is good with numbers.
The {place} was [busy|full|open] [today|that day|on {day}].
{P} [decided|wanted] to [help {hh} {kin}|make a plan|do something new].
{P} got up early.
{P} had a good day.""".splitlines()

REQUESTS = r"""Solve this problem: {}
Problem: {}
Question: {}
Q: {}
{} Show your work.
{} Think step by step.
{} Give just the number at the end.
Can you help me with this one? {}
Please solve: {}
Here is a word problem. {}
{} What is the answer?
{}\nAnswer:
Question: {}\nAnswer:
Q: {}\nA:
I need help with my homework: {}
Answer this question. {}
Math problem: {}
{} Explain.
{} Please answer with a number.
Solve the following math problem. {}
Solve the following problem step by step.\n\n{}
{} Let's think step by step.""".splitlines()
REQUESTS = [request.replace("\\n", "\n") for request in REQUESTS]


def lower(sentence: str) -> str:
    """A sentence as it continues another."""
    first = re.split(r"[ ,.']", sentence, maxsplit=1)[0]
    return sentence if first in PROPER or first[:1].isdigit() else sentence[:1].lower() + sentence[1:]


def tell(rng: random.Random, story: Story, level: int) -> str:
    """The problem as text."""
    facts, question = list(story.facts), story.question
    if story.distractors and facts and rng.random() < (0.06 if level == 1 else 0.16):
        facts.insert(rng.randint(0, len(facts)), distractor(rng, story))
        text = " ".join([*facts, question])
    else:
        text = arrange(rng, facts, question)
    if story.people and facts and rng.random() < (0.05 if level == 1 else 0.10):
        text = f"{opener(rng, story)} {text}"
    text = word_numbers(rng, text)
    style = rng.random()
    if style < 0.06:
        text = spaced(text)
    elif style < 0.09:
        text = text.replace("?", rng.choice((".", "", " ?")))
    elif style < 0.10:
        text = text.lower()
    if rng.random() < 0.12:
        text = rng.choice(REQUESTS).replace("{}", text)
    return text


def arrange(rng: random.Random, facts: list[str], question: str) -> str:
    how = rng.random()
    last = facts[-1] if facts else ""
    single = question.count("?") == 1 and not question.startswith(("If", "Then"))
    if how < 0.22 and last and single and not CONNECTED.match(last):
        return " ".join([*facts[:-1], f"If {lower(last.rstrip('.'))}, {lower(question)}"])
    if how < 0.25 and last and single and not CONNECTED.match(last) and len(facts) > 1:
        both = f"{lower(facts[-2].rstrip('.'))} and {lower(last.rstrip('.'))}"
        return " ".join([*facts[:-2], f"If {both}, {lower(question)}"])
    if how < 0.30 and single and 1 <= len(facts) <= 3 and not any(map(CONNECTED.match, facts)):
        return f"{question.rstrip('?')} if {' and '.join(lower(f.rstrip('.')) for f in facts)}?"
    if how < 0.34 and facts:
        return " ".join([question, *facts])
    if how < 0.37 and len(facts) > 1 and not CONNECTED.match(facts[1]):
        return " ".join([f"{facts[0].rstrip('.')} and {lower(facts[1])}", *facts[2:], question])
    if how < 0.39 and last and single:
        return " ".join([*facts[:-1], f"{last.rstrip('.')}, {lower(question)}"])
    return " ".join([*facts, question])


def distractor(rng: random.Random, story: Story) -> str:
    cast = Cast(rng, {"y": "keep+clothes+home", "w": "wild+bird+pet"})
    person = rng.choice(story.people) if story.people and rng.random() < 0.8 else cast.person("A")[0]
    numbers = {"z": str(rng.randint(6, 60)), "h": str(rng.randint(2, 11)), "P": person}
    return lexicon.tidy(cast.fill(say(rng, rng.choice(DISTRACTORS)), numbers))


def opener(rng: random.Random, story: Story) -> str:
    """A first sentence that tells nothing that counts."""
    cast = Cast(rng, {"y": "fruit+baked+pet+flower"})
    person = story.people[0]
    adj = rng.choice(("sunny", "rainy", "cold", "warm", "nice", "windy"))
    hers = person in lexicon.SHE or person.startswith(("Mrs", "Ms"))
    words = {"P": person, "hh": "her" if hers else "his", "adj": adj}
    return lexicon.tidy(cast.fill(say(rng, rng.choice(OPENERS)), words))


def word_numbers(rng: random.Random, text: str) -> str:
    """Some numbers in words, and some large ones with separators."""
    share = rng.choices((0.0, 0.3, 1.0), (8, 1, 1))[0]

    def reword(match: re.Match[str]) -> str:
        n = int(match[1])
        if 1800 <= n <= 2100:
            return match[1]  # a year, it may be
        if n >= 1000:
            return f"{n:,}" if share > 0 or n >= 10000 else match[1]
        if n <= 100 and rng.random() < share:
            word = lexicon.spelled(n) if n < 100 else "one hundred"
            before = text[: match.start()].rstrip()
            return word.capitalize() if not before or before[-1] in ".?!" else word
        return match[1]

    return re.sub(r"(?<![\w$.,:/-])(\d{1,6})(?![\w%:/-]|[.,]\d)", reword, text)


def spaced(text: str) -> str:
    """As some public sets are written: a space before every mark."""
    text = re.sub(r"(?<!\d)([.,?!])(?=\s|$)|(?<=\d)([.,?!])(?=\s|$)", lambda m: f" {m[0]}", text)
    return re.sub(r"\$(?=\d)", "$ ", text).replace("'s", " 's")
