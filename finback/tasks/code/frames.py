"""How is a function asked for: in words, with examples, with assertions, or as a signature to complete?"""

from __future__ import annotations

import random
from typing import Any

from finback.tasks.code.compose import Pipeline
from finback.tasks.code.values import ANNOTATIONS, KINDS_EN, KINDS_ZH
from finback.tasks.code.wording import fill, measured, say

CHINESE = 0.1

# $noun is a noun phrase, $recipe commands joined into one text, $what either as a sentence of its own.
NOUN = (
    "(Write|Implement|Create|Give me) (a|a Python|a python) function $n that (takes|receives|gets|is given) $base "
    "(and|and then) returns $noun.|"
    "(Write|Create|I need|Please write) (a|a Python|a python) function (called |named |)$n(|, with arguments $args,) "
    "that returns $noun( for|, given) $base.|"
    "(Write|Create) a (Python |python |)function to $verb $noun. (Call it|Name it|Its name is|The function is called) "
    "$n.|"
    "(Define|Implement) `$sig`: it should (return|give back) $noun."
    + "|Given $base, (return|work out|produce) $noun. (Write|Make) it (a|one) function $n.|"
    "(How|In Python, how) do I $verb $noun? (Write|Show me) a function $sig."
)
UNNAMED = (
    "(Write|Create|Give me|I need|Please write) (a|a Python|a python) function (that returns|which returns|returning|to compute|for) $noun.|"
    "(Write|Create) (a|a Python|a python) function that (takes|receives|gets) $base and returns $noun.|"
    "(How do I|In Python, how do I) get $noun? (Write a function.|Show me a function.)"
)
RECIPE = (
    "(Write|Implement|Create) (a|a Python|a python) function $n that (takes|receives|gets|is given) $base. "
    "(It should|The function should|Let it) $recipe. "
    "(Return the result.|It returns the result.|The result is returned.)|"
    "Given $base, $recipe(, and return the result| and return what you get). (Write|Make) (a|the) function $sig.|"
    "(Define|Implement) `$sig`. (Steps|What it does|The task): $recipe. Return the result.|"
    "(I have|There is|You get) $base. $Recipe. (Return|Give back) the result (from|in) a function (called|named) $n."
)
LISTED = (
    "(Write|Implement|Create) (a|a Python|a python) function $sig (that does this|with these steps|as follows):\n"
    "$list\n"
    "(It returns|Return|Finally return) the result.|"
    "(Program|Code) these steps (as|in) a (Python |)function $n, which takes $base:\n$list\nReturn the result."
)
CHINESE_FRAMES = (
    "(写|请写|编写|实现)一个(Python|)函数$n，(输入|参数)是$base，$recipe，(返回结果|最后返回结果)。|"
    "(给定|已知)$base，$recipe。(用|写)函数$sig(实现|完成)，返回结果。"
)
COMPLETE = (
    "(Complete|Finish|Fill in) (this|the|the following) (function|Python function|code):|"
    "(Implement|Write) the body of this function:|"
    "(Here is|This is) a signature with a docstring. (Complete it.|Write the function.)|完成(这个|下面的)函数："
)
TESTS = (
    "(Your code|It|The function|Your function) (should|must) (pass|satisfy) (these tests|these assertions|"
    "the tests below|the following tests):|"
    "(Tests|Asserts|Checks):|测试："
)


def call_text(name: str, args: list[Any]) -> str:
    return f"{name}({', '.join(map(repr, args))})"


def base(rng: random.Random, pipeline: Pipeline, chinese: bool = False) -> str:
    """The arguments by type and name: `a list of integers nums and an integer k`."""
    kinds = KINDS_ZH if chinese else KINDS_EN
    quote = "`" if rng.random() < 0.3 else ""
    parts = [
        f"{kinds[kind]}{'' if chinese else ' '}{quote}{name}{quote}"
        for kind, name in zip(pipeline.kinds, pipeline.args, strict=True)
    ]
    return ("和" if chinese else " and ").join(parts)


def noun(rng: random.Random, pipeline: Pipeline, held: bool, what: str = "") -> str:
    """What the function returns as one noun phrase, inner pieces last; "" if a piece has none. what: said instead of
    the first argument's name."""
    if not all(p.of for p in pipeline.pieces):
        return ""
    text = what or pipeline.arg
    for i, p in enumerate(pipeline.pieces):
        text = fill(say(rng, p.of, held), v=text, **pipeline.words(i))
    return text


def commands(rng: random.Random, pipeline: Pipeline, held: bool, chinese: bool = False) -> list[str]:
    return [
        fill(say(rng, p.zh if chinese else p.do, held), v=pipeline.arg, **pipeline.words(i))
        for i, p in enumerate(pipeline.pieces)
    ]


def recipe(rng: random.Random, said: list[str], chinese: bool = False) -> str:
    """Commands joined in order."""
    if len(said) == 1:
        return said[0]
    if chinese:
        return "，".join(["先" + said[0], *("再" + s for s in said[1:-1]), rng.choice(["然后", "最后"]) + said[-1]])
    style = rng.randrange(4)
    if style == 0:
        return ", ".join(["first " + said[0], *("then " + s for s in said[1:-1]),
            rng.choice(["and finally ", "then "]) + said[-1]])
    if style == 1:
        return ", ".join(said[:-1]) + rng.choice([" and then ", ", then ", " and after that "]) + said[-1]
    if style == 2:
        return ". ".join([said[0], *(rng.choice(["Then ", "Next, ", "After that, "]) + s for s in said[1:])])
    return "; ".join(said)


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def examples(rng: random.Random, name: str, shown: list[tuple[list[Any], Any]]) -> str:
    """Some examples in one of several forms; the first of `shown` is the one that gets traced."""
    if not shown:
        return ""
    calls = [(call_text(name, args), repr(result)) for args, result in shown]
    style = rng.randrange(6)
    if style == 0:
        return "\n" + say(rng, TESTS) + "\n" + "\n".join(f"assert {c} == {r}" for c, r in calls)
    if style == 1:
        return "\n" + "\n".join(f">>> {c}\n{r}" for c, r in calls)
    if style == 2:
        return "\n" + "\n".join(f"{c} -> {r}" for c, r in calls)
    if style == 3:
        return "\n" + "\n".join(rng.choice(["Example: ", "For example, "]) + f"{c} returns {r}." for c, r in calls)
    if style == 4:
        return " " + " ".join(f"For instance {c} should give {r}." for c, r in calls)
    return "\n" + "\n".join(f"assert {c} == {r}" for c, r in calls)


def signature(rng: random.Random, name: str, args: list[str], kinds: list[str] | None = None) -> str:
    """`def f(nums)`, perhaps with types."""
    if kinds and rng.random() < 0.5:
        args = [f"{a}: {ANNOTATIONS[k]}" for a, k in zip(args, kinds, strict=True)]
    return f"def {name}({', '.join(args)})"


def docstring(rng: random.Random, head: str, what: str, name: str, shown: list[tuple[list[Any], Any]]) -> str:
    """A signature with a docstring to complete."""
    rows = [sentence(what).rstrip(".") + "."]
    for args, result in shown:
        rows += [f">>> {call_text(name, args)}", repr(result)]
    if len(rows) == 1 and rng.random() < 0.5:
        body = f'    """{rows[0]}"""'
    else:
        body = '    """' + "\n".join(("" if i == 0 else "    ") + r for i, r in enumerate(rows)) + '\n    """'
    code = f"{head}:\n{body}"
    if rng.random() < 0.7:
        return say(rng, COMPLETE) + f"\n```python\n{code}\n```"
    return code


def verb(rng: random.Random, noun: str) -> str:
    return "check" if noun.startswith("whether") else rng.choice(["find", "get", "compute", "return", "calculate"])


def purpose(rng: random.Random, pipeline: Pipeline, held: bool, chinese: bool) -> str:
    """What the function is for, as a command: `return the sum of nums`, `add up the numbers`."""
    if chinese:
        return recipe(rng, commands(rng, pipeline, False, chinese=True), chinese=True)
    if as_noun(rng, pipeline, held):
        return f"return {noun(rng, pipeline, held)}"
    return recipe(rng, commands(rng, pipeline, held))


def as_noun(rng: random.Random, pipeline: Pipeline, held: bool) -> bool:
    """Whether to say it as one noun phrase, where the wording allows a choice."""
    nouns = all(measured(p.of) for p in pipeline.pieces) if held else all(p.of for p in pipeline.pieces)
    orders = not held or all(measured(p.do) for p in pipeline.pieces)
    return nouns and (not orders or rng.random() < 0.55)


def ask_unnamed(rng: random.Random, pipeline: Pipeline, held: bool) -> str:
    """A request that leaves the names of the function and of its only argument to the answer; "" if there are more
    arguments or no words for it."""
    if len(pipeline.args) > 1 or not all(measured(p.of) if held else p.of for p in pipeline.pieces):
        return ""
    kind = KINDS_EN[pipeline.kinds[0]]
    frame = say(rng, UNNAMED, held)
    what = pipeline.arg if "$base" in frame else rng.choice((kind, kind, pipeline.arg))
    return fill(frame, noun=noun(rng, pipeline, held, what), base=base(rng, pipeline))


def ask(rng: random.Random, pipeline: Pipeline, name: str, shown: list[tuple[list[Any], Any]], held: bool) -> str:
    """The whole request. held: in a wording that training never shows, of what the function does and of the frame."""
    sig = f"{name}({', '.join(pipeline.args)})"
    if rng.random() < CHINESE and not held:
        said = commands(rng, pipeline, False, chinese=True)
        parts = {"recipe": recipe(rng, said, chinese=True), "base": base(rng, pipeline, True), "n": name, "sig": sig}
        return fill(say(rng, CHINESE_FRAMES), **parts) + examples(rng, name, shown)
    style = rng.random()
    phrase = noun(rng, pipeline, held) if as_noun(rng, pipeline, held) else ""
    said = [] if phrase else commands(rng, pipeline, held)
    if style < 0.2:
        what = f"return {phrase}" if phrase else recipe(rng, said)
        return docstring(rng, signature(rng, name, pipeline.args, pipeline.kinds), what, name, shown)
    parts = {"n": name, "sig": sig, "base": base(rng, pipeline), "args": ", ".join(pipeline.args)}
    if phrase:
        frame = fill(say(rng, NOUN, held), noun=phrase, verb=verb(rng, phrase), **parts)
    elif len(said) > 1 and style > 0.7:
        rows = [rng.choice(["- ",
            "* "])] * len(said) if rng.random() < 0.3 else [f"{i + 1}. " for i in range(len(said))]
        listed = "\n".join(r + s for r, s in zip(rows, said, strict=True))
        frame = fill(say(rng, LISTED, held), list=listed, **parts)
    else:
        joined = recipe(rng, said)
        frame = fill(say(rng, RECIPE, held), recipe=joined, Recipe=sentence(joined), **parts)
    return frame + examples(rng, name, shown)
