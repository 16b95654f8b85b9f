"""How does a model learn small talk: to greet, to say what it is, and to remember what it was told?

Levels: 1 greetings, thanks, farewells, 2 what it is, what it can and cannot do, 3 what the user said one turn ago, 4 two
facts, or one with other talk in between. Held out: wordings, and in 3 and 4 kinds of facts that training never asks for.
Greetings and questions about itself are few by nature: their keys hold the wording, so that all kinds are trained on.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, answer_of, assistant, user
from finback.tasks.talk.facts import CATEGORIES
from finback.tasks.talk.words import HE, SHE

CHINESE = 0.2
LONGEST = 500
HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Said:
    """said: what the user says, the last held out. replies: what is said back. must: an answer has one of each of these."""

    name: str
    said: tuple[str, ...]
    replies: tuple[str, ...]
    must: tuple[tuple[str, ...], ...]
    thought: str
    never: tuple[str, ...] = ()


MANNERS = (
    Said("hello", ("Hello!", "Hi!", "Hi there!", "Hey!", "Hello, how can you help me?", "Hello Finback-Mini!", "Hi, nice to meet you.", "Greetings!", "hello", "hi", "Hello there, friend!"),
         ("Hello! How can I help you?", "Hi! What can I do for you?", "Hello! Nice to meet you. What would you like to do?"), (("hello", "hi"),), "A greeting."),
    Said("morning", ("Good morning!", "Morning!", "Good morning to you.", "A very good morning!"), ("Good morning! How can I help you?", "Good morning! What can I do for you?"), (("good morning",),), "A greeting."),
    Said("evening", ("Good evening!", "Evening!", "Good evening to you.", "A very good evening!"), ("Good evening! How can I help you?",), (("good evening",),), "A greeting."),
    Said("how are you", ("How are you?", "How are you doing?", "How do you feel today?", "Are you well?", "How is it going?", "How are things with you?"),
         ("I am a program, so I do not have feelings, but I am ready to help. How are you?", "I am ready to help! As a program I have no feelings. And you?"),
         (("ready", "fine", "well", "good", "help"),), "A question about me: a program has no feelings."),
    Said("thanks", ("Thanks!", "Thank you!", "Thank you very much.", "Thanks a lot!", "Great, thank you.", "That helps, thanks.", "Many thanks for that!"),
         ("You are welcome!", "You are welcome! Is there anything else?", "My pleasure!"), (("welcome", "pleasure", "glad"),), "Thanks."),
    Said("bye", ("Bye!", "Goodbye!", "See you!", "I have to go now.", "That is all for today, bye.", "Bye bye.", "So long!"), ("Goodbye! Have a nice day!", "Bye! See you soon!"),
         (("bye", "goodbye", "see you"),), "A farewell."),
    Said("night", ("Good night!", "I am going to bed.", "I am tired and will sleep now.", "Time for me to sleep."), ("Good night! Sleep well!",), (("good night", "sleep well"),), "A farewell in the evening."),
    Said("sorry", ("Sorry!", "I am sorry.", "Sorry, that was my mistake.", "Please forgive me."), ("No problem!", "That is all right. How can I help you?"), (("no problem", "all right", "never mind"),), "An apology."),
    Said("praise", ("Well done!", "You are great!", "Good job!", "That was perfect.", "You did that nicely."), ("Thank you! I am glad that it helps.",), (("thank", "thanks", "glad"),), "Praise."),
    Said("test", ("Are you there?", "Can you hear me?", "Test", "Is anybody there?", "Do you read this?"), ("Yes, I am here. How can I help you?",), (("yes", "here"),), "A test whether I am there."),
    Said("你好", ("你好！", "您好！", "嗨！", "你好，很高兴认识你。", "哈喽！", "你好呀！"), ("你好！有什么可以帮你？", "你好！我能为你做什么？"), (("你好", "您好"),), "问候。"),
    Said("早上好", ("早上好！", "早安！", "早上好，朋友！"), ("早上好！有什么可以帮你？",), (("早上好", "早安"),), "问候。"),
    Said("谢谢", ("谢谢！", "谢谢你！", "非常感谢。", "太好了，谢谢。", "多谢你的帮助！"), ("不客气！", "不用谢！还有别的问题吗？"), (("不客气", "不用谢"),), "感谢。"),
    Said("再见", ("再见！", "拜拜！", "我要走了。", "今天就到这里，再见。", "下次再聊！"), ("再见！祝你愉快！",), (("再见", "下次见"),), "告别。"),
    Said("你好吗", ("你好吗？", "你怎么样？", "你今天心情如何？"), ("我是一个程序，没有心情，但是可以帮你。你呢？",), (("程序", "帮"),), "问我的情况：程序没有心情。"),
)  # fmt: skip
ITSELF = (
    Said("who", ("Who are you?", "What are you?", "What is your name?", "Tell me about yourself.", "Introduce yourself, please.", "Who am I talking to?", "What should I call you?",
                 "What model are you?", "Please say who you are."),
         ("I am Finback-Mini, a small language model. I have the architecture of DeepSeek-V4 and was made with Finback.",
          "My name is Finback-Mini. I am a small model with the DeepSeek-V4 architecture, made with Finback."), (("finback-mini",),), "A question about me. I am Finback-Mini."),
    Said("maker", ("Who made you?", "Who built you?", "How were you made?", "Where do you come from?", "Who trained you?", "Whose work are you?"),
         ("I was made with Finback, a Python package for training and running models of the DeepSeek-V4 kind.",), (("finback",),), "A question about me. I was made with Finback."),
    Said("architecture", ("What is your architecture?", "How are you built inside?", "Are you a DeepSeek model?", "Which architecture do you have?", "What kind of network are you?"),
         ("I have the architecture of DeepSeek-V4, but I am much smaller and was trained with Finback, not by DeepSeek.",), (("deepseek-v4",), ("small", "smaller", "tiny")),
         "A question about me. The architecture is DeepSeek-V4, small."),
    Said("can", ("What can you do?", "How can you help me?", "What are you good at?", "What may I ask you?", "List your abilities.", "For what can I use you?"),
         ("I can solve small mathematics problems, write short Python functions, make plans, use tools and tell short stories.",
          "I can do sums, write short Python functions, plan steps, call tools, tell little stories and answer simple questions."),
         (("python",), ("mathematics", "sums", "math"), ("stories", "story")), "A question about me. I can do sums, Python, plans, tools, stories."),
    Said("cannot", ("What can you not do?", "What are your limits?", "What are you bad at?", "Where do you fail?", "Is there something you cannot do?"),
         ("I am small: I know little about the world, I cannot see pictures or the news, and I make mistakes. Please check what I say.",),
         (("cannot", "can't", "not"), ("mistakes", "little", "small")), "A question about me. I am small and make mistakes."),
    Said("human", ("Are you a human?", "Are you a person?", "Are you real?", "Do you have a body?", "Are you alive?", "Am I talking to a human being?"),
         ("No, I am a program: a small language model called Finback-Mini.",), (("no", "not"), ("program", "model")), "A question about me. I am a program.", ("yes",)),
    Said("other", ("Are you ChatGPT?", "Are you GPT-4?", "Are you Claude?", "Are you Gemini?", "Are you made by OpenAI?", "Are you Siri?", "You are Alexa, right?"),
         ("No, I am Finback-Mini, a small model made with Finback.",), (("no", "not"), ("finback-mini",)), "A question about me. I am Finback-Mini, not another.", ("yes",)),
    Said("size", ("How big are you?", "Are you a large model?", "How many parameters do you have?", "Do you need a big computer?", "What is your size?"),
         ("I am a very small model, a few million active parameters, so I run on an ordinary computer.",), (("small", "million"),), "A question about me. I am small."),
    Said("news", ("What is in the news today?", "What is the weather today?", "What time is it?", "What is the date today?", "Who won the game yesterday?", "How is the weather outside?"),
         ("I cannot know that: I have no connection to the world outside, unless you give me a tool for it.",), (("cannot", "can't", "no connection", "do not know", "don't know"),),
         "This needs the outside world, and I have no tool for it."),
    Said("picture", ("Draw me a picture.", "Can you see this photo?", "Sing me a song aloud.", "Show me a video.", "Look at this image."),
         ("I cannot do that: I only read and write text.",), (("cannot", "can't"), ("text",)), "This is not text, and I only do text."),
    Said("mistakes", ("Do you make mistakes?", "Can I trust you?", "Are you always right?", "Is everything you say true?", "Are you ever wrong?"),
         ("I do make mistakes, because I am small. Please check important things.",), (("mistake", "mistakes", "wrong", "check"),), "A question about me. I make mistakes."),
    Said("languages", ("Which languages do you speak?", "Do you speak Chinese?", "Can you talk in English?", "In what language can I write to you?"),
         ("I speak English and a little Chinese.",), (("english",), ("chinese",)), "A question about me. English and a little Chinese."),
    Said("谁", ("你是谁？", "你叫什么名字？", "请介绍一下你自己。", "你是什么？", "你是什么模型？", "怎么称呼你？"), ("我是 Finback-Mini，一个用 Finback 做的小语言模型，结构和 DeepSeek-V4 一样。",), (("finback-mini",),),
         "问我是谁：Finback-Mini。"),
    Said("能", ("你能做什么？", "你会什么？", "你可以帮我做什么？", "你有什么本领？", "我可以问你什么？"), ("我会算简单的数学题，写短的 Python 函数，做计划，用工具，还会讲小故事。",), (("python",), ("数学", "算"), ("故事",)), "问我会什么。"),
    Said("不能", ("你不能做什么？", "你有什么缺点？", "你会犯错吗？", "你有哪些不足？"), ("我很小，知道的不多，也会犯错，重要的事请再检查。",), (("犯错", "出错"),), "问我的缺点。"),
    Said("做者", ("谁做了你？", "你是谁做的？", "你从哪里来？", "是谁训练了你？"), ("我是用 Finback 做的，它是一个训练 DeepSeek-V4 结构模型的 Python 工具。",), (("finback",),), "问我的来历：Finback。"),
    Said("人", ("你是人吗？", "你是真人吗？", "你有身体吗？", "我在和真人说话吗？"), ("不是，我是一个程序，名字叫 Finback-Mini。",), (("不是", "没有"), ("程序", "模型")), "问我是不是人：我是程序。"),
)  # fmt: skip


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
    Memory("name", ("My name is {v}.", "I am {v}.", "Call me {v}.", "Hi, I'm {v}!", "People call me {v}."), ("Nice to meet you, {v}!", "Hello, {v}! How can I help you?"),
           ("What is my name?", "Who am I?", "Do you remember my name?", "How am I called?"), "Your name is {v}.", NAMES),
    Memory("pet", ("I have a {v} at home.", "My pet is a {v}.", "We have a {v}.", "A {v} lives with me."), ("A {v} is a nice pet!", "How nice, a {v}!"),
           ("What pet do I have?", "Which animal do I have at home?", "What kind of animal lives with me?"), "You have a {v}.", ("cat", "dog", "rabbit", "parrot", "hamster", "turtle", "goldfish", "pony", "canary", "mouse")),
    Memory("colour", ("My favourite colour is {v}.", "I like the colour {v} best.", "No colour is as nice as {v}."), ("{v_cap} is a fine colour!",), ("What is my favourite colour?", "Which colour do I like best?", "What colour is dear to me?"),
           "Your favourite colour is {v}.", _of("colours")),
    Memory("fruit", ("My favourite fruit is {v}.", "I like {v} more than any other fruit.", "The best fruit of all is {v}, I think."), ("{v_cap} tastes good, people say!",), ("What is my favourite fruit?", "Which fruit do I like best?", "Which fruit is the best for me?"),
           "Your favourite fruit is {v}.", _of("fruits")),
    Memory("city", ("I live in {v}.", "My home is in {v}.", "I come from {v}.", "{v} is where I live."), ("{v} must be a nice place!",), ("Where do I live?", "In which city is my home?", "What city do I live in?"), "You live in {v}.",
           ("Berlin", "Paris", "London", "Rome", "Madrid", "Tokyo", "Cairo", "Vienna", "Oslo", "Boston", "Delhi", "Lisbon", "Dublin", "Prague", "Warsaw")),
    Memory("job", ("I work as a {v}.", "My job is {v}.", "I am a {v} by profession.", "I earn my money as a {v}."), ("A {v} has important work!",), ("What is my job?", "What do I work as?", "How do I earn my money?"), "You work as a {v}.", _of("jobs")),
    Memory("number", ("My lucky number is {v}.", "Remember the number {v}.", "Please keep the number {v} in mind."), ("I will remember {v}.",), ("What was the number?", "Which number did I tell you?", "What number should you keep?"), "The number is {v}.",
           tuple(map(str, range(11, 99)))),
    Memory("word", ("Remember this word: {v}.", "The secret word is {v}.", "Our password is {v}."), ("I will remember the word {v}.",), ("What is the secret word?", "Which word did I tell you?", "What was the password?"), "The word is {v}.",
           _of("tools") + _of("vegetables") + _of("trees") + _of("metals")),
    Memory("名字", ("我叫{v}。", "我的名字是{v}。", "你好，我是{v}。", "大家都叫我{v}。"), ("你好，{v}！很高兴认识你。",), ("我叫什么名字？", "你记得我的名字吗？", "我是谁？"), "你叫{v}。", CHINESE_NAMES),
    Memory("水果", ("我最喜欢的水果是{v}。", "我爱吃{v}。", "没有什么比{v}更好吃。"), ("{v}很好吃！",), ("我最喜欢什么水果？", "我爱吃什么？", "哪种水果我最爱？"), "你最喜欢{v}。", tuple("苹果 香蕉 葡萄 西瓜 桃子 橙子 草莓 樱桃 芒果".split())),
    Memory("城市", ("我住在{v}。", "我的家在{v}。", "{v}是我的家乡。"), ("{v}是个好地方！",), ("我住在哪里？", "我的家在哪里？", "我的家乡是哪里？"), "你住在{v}。", tuple("北京 上海 广州 南京 杭州 成都 武汉 西安 天津 重庆".split())),
)  # fmt: skip
MEMORIES_HELD_OUT = (
    Memory("sport", ("My favourite sport is {v}.", "I like {v} more than any other sport.", "I do {v} every week."), ("{v_cap} keeps you fit!",), ("What is my favourite sport?", "Which sport do I like?", "What do I do every week?"),
           "Your favourite sport is {v}.", _of("sports")),
    Memory("instrument", ("I play the {v}.", "My instrument is the {v}.", "I am learning the {v}."), ("The {v} sounds lovely!",), ("Which instrument do I play?", "What is my instrument?", "What am I learning?"), "You play the {v}.", _of("instruments")),
    Memory("drink", ("My favourite drink is {v}.", "I like to drink {v}.", "For me it is always {v}."), ("{v_cap} is a good drink!",), ("What is my favourite drink?", "What do I like to drink?", "What should you bring me to drink?"), "Your favourite drink is {v}.",
           ("water", "milk", "tea", "coffee", "juice", "lemonade", "cocoa")),
    Memory("颜色", ("我最喜欢的颜色是{v}。", "我喜欢{v}。", "没有哪种颜色比{v}好看。"), ("{v}很好看！",), ("我最喜欢什么颜色？", "我喜欢哪种颜色？", "哪种颜色我觉得最好看？"), "你最喜欢{v}。", tuple("红色 黄色 蓝色 绿色 白色 黑色 紫色".split())),
)  # fmt: skip
BETWEEN = (*MANNERS[:1], *MANNERS[3:5], *ITSELF[:4], *ITSELF[5:6])
BETWEEN_CHINESE = tuple(s for s in (*MANNERS, *ITSELF) if HAN.search(s.said[0]) and s.name not in ("再见",))
SYSTEM_TEXTS = ("You are a helpful assistant.", "You are Finback-Mini, a small assistant.", "Answer in a friendly way.", "Be brief.")


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
        facts = {"replies": list(it.replies), "must": [list(m) for m in it.must], "never": list(it.never), "thought": it.thought}
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
        "replies": [asked.answer.format(v=value)], "must": [[value]], "never": others, "values": list(asked.values),
        "thought": f"你说过：{value}。" if HAN.search(words) else f"You told me: {value}.",
    }  # fmt: skip
    return Problem(f"memory {it.name}", f"memory {' '.join(f'{m.name} {v}' for m, v in told)} {len(messages)} {words}", [*start, *messages, *user(words)], facts)


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
    why = "there is no answer" if not content.strip() else "the answer is too long" if len(content) > LONGEST else _wrong(problem, content)
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
