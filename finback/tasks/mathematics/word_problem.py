"""Word problems: where do they come from at each level, how are they worked, and when is an answer right?

Level 1: one operation, numbers mostly below 100. 2: one operation, larger numbers, decimals, more distractors.
3: two operations. 4: three. 5: four or five. 6: six to eight.
"""

from __future__ import annotations

import random
import re

from finback.tasks.mathematics import (
    chinese,
    grammar,
    lexicon,
    templates_more,
    templates_one,
    templates_order,
    templates_scenes,
    templates_select,
    templates_two,
)
from finback.tasks.mathematics.answers import verify_number
from finback.tasks.mathematics.grammar import Story, Template
from finback.tasks.mathematics.scratch import show
from finback.tasks.mathematics.steps import canonical, run, thoughts, value_of
from finback.tasks.mathematics.tellers import compose
from finback.tasks.mathematics.telling import tell
from finback.tasks.protocol import Effort, Message, Problem, Task, answer_of, assistant, user

TEXTS = (
    templates_one.ONE,
    templates_two.TWO,
    templates_scenes.SCENES,
    templates_more.MORE,
    templates_select.SELECT,
    templates_order.ORDER,
)
TEMPLATES = [template for text in TEXTS for template in grammar.parse(text)]
CHINESE = grammar.parse(chinese.TEMPLATES)
CHINESE_SHARE = 0.18
SAID = {*lexicon.ONES[2:], *lexicon.TENS[1:], *lexicon.FRACTIONS.values(), *"hundred twice double triple dozen percent".split()}


def of_size(templates: list[Template]) -> dict[tuple[int, bool], list[Template]]:
    pools: dict[tuple[int, bool], list[Template]] = {}
    for template in templates:
        pools.setdefault((template.size, template.held_out), []).append(template)
    return pools


POOLS, CHINESE_POOLS = of_size(TEMPLATES), of_size(CHINESE)


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    size = (1, 1, 2, 3, rng.randint(4, 5), rng.randint(6, 8))[level - 1]
    scale = 1 if level == 1 or (level > 2 and rng.random() < 0.6) else 2
    pool = CHINESE_POOLS.get((size, held_out), [])
    if pool and rng.random() < CHINESE_SHARE:
        story = grammar.make(rng.choice(pool), rng, scale, in_chinese=True)
        return problem_of(story, chinese.tell(rng, story.question), "zh")
    pool = POOLS.get((size, held_out), [])
    if pool and (size == 1 or rng.random() < (0.75 if size == 2 else 0.35)):
        story = grammar.make(rng.choice(pool), rng, scale)
    else:
        story = compose(rng, size, held_out)
    return problem_of(story, tell(rng, story, level), "en")


def problem_of(story: Story, text: str, language: str) -> Problem:
    facts = {"answer": show(value_of(story.steps[-1])), "steps": story.steps, "language": language}
    return Problem(story.name, canonical(story.steps), user(text), facts)


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    steps, chinese = problem.facts["steps"], problem.facts["language"] == "zh"
    value = show(run(steps[-1])[1])
    content = f"答案是{value}。" if chinese else f"The answer is {value}."
    if effort == "none":
        return [assistant(content)]
    read = f"{'数' if chinese else 'Read'} {', '.join(quantities(problem.messages[-1]['content']))}"
    return [assistant(content, f"{read}\n{thoughts(steps, effort, chinese)}")]


def quantities(text: str) -> list[str]:
    """The quantities in the order of the text, each with the word behind it ("46 stamps"), in Chinese two characters.

    A number once chosen, the rest is copying, while a word in front of it could only be found by looking ahead.
    Numbers in words count in English, but not "the third"; in Chinese digits, a half, one and two pairs or dozens."""
    if re.search(r"[\u4e00-\u9fff]", text):
        return re.findall(r"(?:\d[\d.,/]*%?|一半|[一两][双打])[^\d\s，。？！、?]{0,2}", text)
    words = text.split()
    spans: list[list[int]] = []
    for i, word in enumerate(words):
        if not _is_quantity(word) or (i and words[i - 1].lower() == "the" and not any(c.isdigit() for c in word)):
            continue
        # Some texts have blanks in front of their punctuation, which ends a quantity there too.
        goes_on = word[-1] not in ".?!:;," and i + 1 < len(words) and re.search(r"[\w$%]", words[i + 1])
        end = i + 2 if goes_on else i + 1
        if spans and i < spans[-1][1]:
            spans[-1][1] = end
        else:
            spans.append([i, end])
    return [" ".join(word.rstrip(".,?!:;") for word in words[start:end]) for start, end in spans]


def _is_quantity(word: str) -> bool:
    return word == "$" or any(c.isdigit() for c in word) or word.lower().rstrip(".,?!:;").split("-")[0] in SAID


def verify(problem: Problem, replies: list[Message], box: object):
    return verify_number(answer_of(replies), problem.facts["answer"])


WORD_PROBLEM = Task("word_problem", "mathematics", 6, sample, solve, verify)
