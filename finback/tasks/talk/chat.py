"""How does a model learn small talk: to greet, to say what it is, and to remember what it was told?

Levels: 1 greetings, thanks, farewells, 2 what it is, what it can and cannot do, 3 what the user said one turn ago, 4
two facts, or one with other talk in between. Held out: wordings, and in 3 and 4 kinds of facts.
Greetings and questions about itself are few by nature: their keys hold the wording, so that all kinds are trained on.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user
from finback.tasks.talk.facts import CATEGORIES
from finback.tasks.talk.sayings import (
    BETWEEN,
    BETWEEN_CHINESE,
    HAN,
    ITSELF,
    MANNERS,
    SYSTEM_TEXTS,
)
from finback.tasks.talk.words import HE, SHE

CHINESE = 0.2
LONGEST = 500


@dataclass(frozen=True)
class Memory:
    """A thing about the user: told, taken note of, asked for, answered; in tell and ask the last is held out."""

    name: str
    tell: tuple[str, ...]
    note: tuple[str, ...]
    ask: tuple[str, ...]
    answer: str
    values: tuple[str, ...]


def _of(category: str) -> tuple[str, ...]:
    return tuple(CATEGORIES[category][1])


NAMES = tuple(SHE[:50] + HE[:50])
CHINESE_NAMES = tuple("王明 李华 张伟 刘洋 陈静 杨丽 赵强 周杰 吴芳 徐亮 孙红 马超 朱琳 胡军 林涛 何敏".split())
MEMORIES = (
    Memory(
        "name",
        ("My name is {v}.", "I am {v}.", "Call me {v}.", "Hi, I'm {v}!", "People call me {v}."),
        ("Nice to meet you, {v}!", "Hello, {v}! How can I help you?"),
        ("What is my name?", "Who am I?", "Do you remember my name?", "How am I called?"),
        "Your name is {v}.",
        NAMES,
    ),
    Memory(
        "pet",
        ("I have a {v} at home.", "My pet is a {v}.", "We have a {v}.", "A {v} lives with me."),
        ("A {v} is a nice pet!", "How nice, a {v}!"),
        ("What pet do I have?", "Which animal do I have at home?", "What kind of animal lives with me?"),
        "You have a {v}.",
        ("cat", "dog", "rabbit", "parrot", "hamster", "turtle", "goldfish", "pony", "canary", "mouse"),
    ),
    Memory(
        "colour",
        ("My favourite colour is {v}.", "I like the colour {v} best.", "No colour is as nice as {v}."),
        ("{v_cap} is a fine colour!",),
        ("What is my favourite colour?", "Which colour do I like best?", "What colour is dear to me?"),
        "Your favourite colour is {v}.",
        _of("colours"),
    ),
    Memory(
        "fruit",
        (
            "My favourite fruit is {v}.",
            "I like {v} more than any other fruit.",
            "The best fruit of all is {v}, I think.",
        ),
        ("{v_cap} tastes good, people say!",),
        ("What is my favourite fruit?", "Which fruit do I like best?", "Which fruit is the best for me?"),
        "Your favourite fruit is {v}.",
        _of("fruits"),
    ),
    Memory(
        "city",
        ("I live in {v}.", "My home is in {v}.", "I come from {v}.", "{v} is where I live."),
        ("{v} must be a nice place!",),
        ("Where do I live?", "In which city is my home?", "What city do I live in?"),
        "You live in {v}.",
        (
            "Berlin",
            "Paris",
            "London",
            "Rome",
            "Madrid",
            "Tokyo",
            "Cairo",
            "Vienna",
            "Oslo",
            "Boston",
            "Delhi",
            "Lisbon",
            "Dublin",
            "Prague",
            "Warsaw",
        ),
    ),
    Memory(
        "job",
        ("I work as a {v}.", "My job is {v}.", "I am a {v} by profession.", "I earn my money as a {v}."),
        ("A {v} has important work!",),
        ("What is my job?", "What do I work as?", "How do I earn my money?"),
        "You work as a {v}.",
        _of("jobs"),
    ),
    Memory(
        "number",
        ("My lucky number is {v}.", "Remember the number {v}.", "Please keep the number {v} in mind."),
        ("I will remember {v}.",),
        ("What was the number?", "Which number did I tell you?", "What number should you keep?"),
        "The number is {v}.",
        tuple(map(str, range(11, 99))),
    ),
    Memory(
        "word",
        ("Remember this word: {v}.", "The secret word is {v}.", "Our password is {v}."),
        ("I will remember the word {v}.",),
        ("What is the secret word?", "Which word did I tell you?", "What was the password?"),
        "The word is {v}.",
        _of("tools") + _of("vegetables") + _of("trees") + _of("metals"),
    ),
    Memory(
        "名字",
        ("我叫{v}。", "我的名字是{v}。", "你好，我是{v}。", "大家都叫我{v}。"),
        ("你好，{v}！很高兴认识你。",),
        ("我叫什么名字？", "你记得我的名字吗？", "我是谁？"),
        "你叫{v}。",
        CHINESE_NAMES,
    ),
    Memory(
        "水果",
        ("我最喜欢的水果是{v}。", "我爱吃{v}。", "没有什么比{v}更好吃。"),
        ("{v}很好吃！",),
        ("我最喜欢什么水果？", "我爱吃什么？", "哪种水果我最爱？"),
        "你最喜欢{v}。",
        tuple("苹果 香蕉 葡萄 西瓜 桃子 橙子 草莓 樱桃 芒果".split()),
    ),
    Memory(
        "城市",
        ("我住在{v}。", "我的家在{v}。", "{v}是我的家乡。"),
        ("{v}是个好地方！",),
        ("我住在哪里？", "我的家在哪里？", "我的家乡是哪里？"),
        "你住在{v}。",
        tuple("北京 上海 广州 南京 杭州 成都 武汉 西安 天津 重庆".split()),
    ),
)
MEMORIES_HELD_OUT = (
    Memory(
        "sport",
        ("My favourite sport is {v}.", "I like {v} more than any other sport.", "I do {v} every week."),
        ("{v_cap} keeps you fit!",),
        ("What is my favourite sport?", "Which sport do I like?", "What do I do every week?"),
        "Your favourite sport is {v}.",
        _of("sports"),
    ),
    Memory(
        "instrument",
        ("I play the {v}.", "My instrument is the {v}.", "I am learning the {v}."),
        ("The {v} sounds lovely!",),
        ("Which instrument do I play?", "What is my instrument?", "What am I learning?"),
        "You play the {v}.",
        _of("instruments"),
    ),
    Memory(
        "drink",
        ("My favourite drink is {v}.", "I like to drink {v}.", "For me it is always {v}."),
        ("{v_cap} is a good drink!",),
        ("What is my favourite drink?", "What do I like to drink?", "What should you bring me to drink?"),
        "Your favourite drink is {v}.",
        ("water", "milk", "tea", "coffee", "juice", "lemonade", "cocoa"),
    ),
    Memory(
        "颜色",
        ("我最喜欢的颜色是{v}。", "我喜欢{v}。", "没有哪种颜色比{v}好看。"),
        ("{v}很好看！",),
        ("我最喜欢什么颜色？", "我喜欢哪种颜色？", "哪种颜色我觉得最好看？"),
        "你最喜欢{v}。",
        tuple("红色 黄色 蓝色 绿色 白色 黑色 紫色".split()),
    ),
)


def _languages(rng: random.Random, rows: tuple[Any, ...], example: str) -> list[Any]:
    chinese = rng.random() < CHINESE
    return [r for r in rows if bool(HAN.search(getattr(r, example)[0])) == chinese]


def _say(rng: random.Random, wordings: tuple[str, ...], held_out: bool) -> str:
    return wordings[-1] if held_out else rng.choice(wordings[:-1])


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    start: list[Message] = [{"role": "system", "content": rng.choice(SYSTEM_TEXTS)}] if rng.random() < 0.15 else []
    if level <= 2:
        it = rng.choice(_languages(rng, MANNERS if level == 1 else ITSELF, "said"))
        words = _say(rng, it.said, held_out)
        if level == 2 and rng.random() < 0.25:
            hello = rng.choice(MANNERS[0].said[:4]) if not HAN.search(words) else "你好！"
            words = f"{hello} {words}" if not HAN.search(words) else hello + words
        facts = {
            "replies": list(it.replies),
            "must": [list(m) for m in it.must],
            "never": list(it.never),
            "thought": it.thought,
        }
        return Problem(f"chat {it.name}", f"chat {it.name} {words} {len(start)}", [*start, *user(words)], facts)
    pool = _languages(rng, MEMORIES_HELD_OUT if held_out else MEMORIES, "tell")
    it = rng.choice(pool)
    told = [(it, rng.choice(it.values))]
    if level == 4 and rng.random() < 0.5:
        language = bool(HAN.search(it.tell[0]))
        other = rng.choice([m for m in MEMORIES if m.name != it.name and bool(HAN.search(m.tell[0])) == language])
        told.append((other, rng.choice(other.values)))
        rng.shuffle(told)
    messages = [m for memory, value in told for m in _told(rng, memory, value)]
    if level == 4 and len(told) == 1:
        between = rng.choice(BETWEEN_CHINESE if HAN.search(it.tell[0]) else BETWEEN)
        messages += [*user(rng.choice(between.said[:-1])), assistant(rng.choice(between.replies))]
    asked, value = next((m, v) for m, v in told if m is it)
    words = rng.choice(asked.ask[:-1])
    others = [v for m, v in told if m is not it]
    facts = {
        "replies": [asked.answer.format(v=value)],
        "must": [[value]],
        "never": others,
        "values": list(asked.values),
        "thought": f"你说过：{value}。" if HAN.search(words) else f"You told me: {value}.",
    }
    return Problem(
        f"memory {it.name}",
        f"memory {' '.join(f'{m.name} {v}' for m, v in told)} {len(messages)} {words}",
        [*start, *messages, *user(words)],
        facts,
    )


def _told(rng: random.Random, it: Memory, value: str) -> list[Message]:
    said = rng.choice(it.tell[:-1]).format(v=value)
    return [*user(_a(said)), assistant(_a(rng.choice(it.note).format(v=value, v_cap=value.title())))]


def _a(text: str) -> str:
    """The right article: `an owl`."""
    return re.sub(r"\b([Aa]) (?=[aeio])", r"\1n ", text)


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    facts = problem.facts
    content = _a(rng.choice(facts["replies"]))
    thoughts = facts["thought"]
    if effort == "max":
        thoughts += "我简短地回答。" if HAN.search(thoughts) else " I answer in one or two sentences."
    return [assistant(content, "" if effort == "none" else thoughts)]


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
    facts = problem.facts
    for words in facts["must"]:
        if not any(_says(content, w) for w in words):
            return f"it does not say {' or '.join(words)}"
    for word in facts["never"]:
        if _says(content, word):
            return f"it says {word}"
    wanted = facts["must"][0][0]
    also = [v for v in facts.get("values", ()) if v != wanted and v not in wanted and _says(content, v)]
    return f"it also says {also[0]}" if also else ""


def _says(text: str, word: str) -> bool:
    if HAN.search(word):
        return word in text
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


CHAT = Task("chat", "talk", 4, sample, solve, verify)
