"""How does a template become the text and the steps of a word problem?

A block of template text reads

    lose; x=keep; a=n(); b=below(a)
    {A} [had|has] {a} {x}. {A.He} [lost|gave away] {b} of them. How many {x} does {A} have left?
    = {x} left: a-b

First line: name (a star behind it: held out; an exclamation mark: no distractors; @change or @group: told in every
situation of `scenes.py`), nouns by kind, numbers as Python over the methods of `Draws`. Then
wordings, one a line, with nested choices in brackets ([v:found/find|sold/sell] is repeated by {v1}, {v2}); the sentence
with the question mark is the question; `## label` behind a wording renames its last step. Then the steps: label, colon,
a chain of + - * / from left to right, as `t=a+b` where later steps need it, `up`, `down` or `rest` behind it to round.
Slots: {a} a number, {$a} money, {a.times} "twice", {a.frac} "third", {x} and
{x1} a noun, {A}, {A.he}, {A.his} and so on a person, {shop}, {place}, {day}, {day2}, {bin}, {bins}, {col}, {col2} ...
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from finback.tasks.mathematics import chinese, lexicon
from finback.tasks.mathematics.scenes import scene
from finback.tasks.mathematics.steps import Step, step, value_of

PRONOUNS = {"he": ("he", "she"), "his": ("his", "her"), "him": ("him", "her"), "himself": ("himself", "herself")}
NAMED = re.compile(r"([a-w]):")
Node = str | list[list["Node"]]  # text, or alternatives


@dataclass(frozen=True)
class Template:
    name: str
    held_out: bool
    distractors: bool
    scene: str  # "change", "group" or ""
    nouns: dict[str, str]
    numbers: list[tuple[str, Any]]
    wordings: list[tuple[list[Node], str]]  # text, label of the last step where it is another
    steps: list[tuple[str, str, str, str]]  # label, variable, chain, rounding

    @property
    def size(self) -> int:
        """Operations, by which the level goes."""
        return sum(len(re.findall(r"[-+*/]", chain)) for _, _, chain, _ in self.steps)


@dataclass(frozen=True)
class Story:
    """facts: sentences. asker: who the facts are about, for distractors."""

    name: str
    facts: list[str]
    question: str
    steps: list[Step]
    people: list[str]
    distractors: bool = True


class Draws:
    """The numbers of a template. scale 1: mostly below 100; scale 2: larger ones and decimals too."""

    def __init__(self, rng: random.Random, scale: int):
        self.rng, self.scale = rng, scale

    def r(self, low: int, high: int) -> int:
        return self.rng.randint(low, max(low, high))

    def n(self, low: int = 2) -> int:
        """A count."""
        sizes = ((20, 5), (100, 9), (1000, 1)) if self.scale == 1 else ((20, 3), (100, 8), (1000, 3), (10000, 1))
        top = self.rng.choices([s for s, _ in sizes], [w for _, w in sizes])[0]
        return self.rng.randint(max(low, top // 20), max(low * 3, top - 1))

    def s(self) -> int:
        return self.rng.choice((2, 3, 4, 5, 6, 7, 8, 9)) if self.rng.random() < 0.85 else self.rng.randint(10, 12)

    def t(self) -> int:
        """A number of groups, or of what is in one."""
        return self.rng.randint(2, 20) if self.scale == 1 or self.rng.random() < 0.5 else self.rng.randint(20, 150)

    def below(self, a: int) -> int:
        return self.rng.randint(1 if a < 5 or self.rng.random() < 0.03 else 2, max(1, a - 1))

    def money(self, low: int = 2, high: int = 100) -> Decimal | int:
        """Whole dollars, or with cents at scale 2."""
        if self.scale == 1 or self.rng.random() < 0.5:
            return self.rng.randint(low, high)
        return Decimal(self.rng.randint(low * 100, high * 100)).scaleb(-2)

    def measure(self, low: int = 1, high: int = 20) -> Decimal | int:
        """A length, weight or volume: whole, or with one or two decimals at scale 2."""
        if self.scale == 1 or self.rng.random() < 0.3:
            return self.rng.randint(low, high * 3)
        if self.rng.random() < 0.4:
            return Decimal(self.rng.choice((25, 50, 75, 125, 150, 175, 225, 250, 20, 40, 60, 80))).scaleb(-2).normalize()
        return Decimal(self.rng.randint(low * 10 + 1, high * 10)).scaleb(-1)

    def pick(self, *values: Any) -> Any:
        return self.rng.choice(values)

    def less(self, a: Decimal | int) -> Decimal | int:
        """Something positive below a, with as many decimals."""
        at = max(0, -Decimal(a).as_tuple().exponent)  # type: ignore[operator]
        whole = self.rng.randint(1, max(1, int(Decimal(a).scaleb(at)) - 1))
        return Decimal(whole).scaleb(-at) if at else whole


def parse(text: str) -> list[Template]:
    """Every template of a text of blocks."""
    made = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines() if line.strip() and not line.strip().startswith("#")]
        if not lines:
            continue
        head, *others = lines
        name, *declared = (part.strip() for part in head.split(";"))
        nouns, numbers = {}, []
        for part in declared:
            variable, _, how = part.partition("=")
            if variable in ("x", "y", "z") and "(" not in how:
                nouns[variable] = how
            else:
                numbers.append((variable.strip(), compile(how.strip(), name, "eval")))
        told = [line.partition("##") for line in others if not line.startswith("=")]
        wordings = [(nodes(text.strip()), label.strip()) for text, _, label in told]
        steps = [_step(part) for line in others if line.startswith("=") for part in line[1:].split(";")]
        if not wordings or not steps:
            raise ValueError(f"template {name} lacks wordings or steps")
        name, _, setting = name.partition("@")
        made.append(
            Template(name.strip(" *!"), "*" in name, "!" not in name, setting.strip(), nouns, numbers, wordings, steps)
        )
    return made


def _step(text: str) -> tuple[str, str, str, str]:
    label, _, chain = text.strip().rpartition(":")
    chain = chain.strip()
    rounding = next((word for word in ("up", "down", "rest") if chain.endswith(f" {word}")), "")
    chain = chain.removesuffix(rounding).strip()
    variable, equals, right = chain.partition("=")
    return label.strip(), variable.strip() if equals else "", right.strip() if equals else chain, rounding


def nodes(text: str) -> list[Node]:
    """Text with choices in brackets as a tree."""
    stack: list[list[list[Node]]] = [[[]]]
    for piece in re.split(r"([\[\]|])", text):
        if piece == "[":
            stack.append([[]])
        elif piece == "]":
            done = stack.pop()
            stack[-1][-1].append(done)
        elif piece == "|" and len(stack) > 1:
            stack[-1].append([])
        elif piece:
            stack[-1][-1].append(piece)
    if len(stack) != 1:
        raise ValueError(f"brackets do not match in: {text}")
    return stack[0][0]


def choose(rng: random.Random, tree: list[Node], said: dict[str, str] | None = None) -> str:
    """The text of a tree. A choice [v:found/find|sold/sell] is remembered: {v1} and {v2} repeat its two forms."""
    said = {} if said is None else said
    parts = []
    for node in tree:
        if isinstance(node, str):
            parts.append(re.sub(r"\{([a-z][12])\}", lambda m: said.get(m[1], m[0]), node))
            continue
        chosen = choose(rng, rng.choice(node), said)
        name = NAMED.match(node[0][0]) if node[0] and isinstance(node[0][0], str) else None
        if name:
            first, _, second = chosen.removeprefix(name[0]).partition("/")
            said |= {f"{name[1]}1": first, f"{name[1]}2": second or first}
            chosen = first
        parts.append(chosen)
    return "".join(parts)


def say(rng: random.Random, text: str) -> str:
    """One choice from text with brackets."""
    return choose(rng, nodes(text)) if "[" in text else text


class Cast:
    """Who and what the slots of one problem stand for; each is drawn when it is first named."""

    def __init__(self, rng: random.Random, kinds: dict[str, str] | None = None, in_chinese: bool = False):
        self.rng, self.in_chinese = rng, in_chinese
        self.values: dict[str, Any] = {}
        self.people: dict[str, tuple[str, bool]] = {}
        for variable, kind in (kinds or {}).items():
            self.noun(variable, kind)

    def noun(self, variable: str, kind: str) -> None:
        if self.in_chinese:
            things = [t for part in kind.split("+") for t in chinese.THINGS[part].split()]
            thing = self.rng.choice([t for t in things if t[1:] not in self.values.values()])
            self.values |= {variable: thing[1:], f"{variable}m": thing[0]}
            return
        taken = {self.values.get(v) for v in ("x1", "y1", "z1")}
        noun = self.rng.choice([n for n in lexicon.nouns(kind) if n not in taken])
        if self.rng.random() < 0.12 and set(kind.split("+")) <= {"keep", "school", "clothes", "flower", "home"}:
            noun = f"{self.rng.choice(lexicon.COLORS)} {noun}"
        self.values |= {f"{variable}1": noun, variable: lexicon.plural(noun)}

    def person(self, letter: str) -> tuple[str, bool]:
        if letter not in self.people and self.in_chinese:
            self.people[letter] = self.rng.choice([n for n in chinese.NAMES if n not in self.people.values()])
        if letter not in self.people:
            male = self.rng.random() < 0.5
            taken = {name for name, _ in self.people.values()}
            names = [n for n in (lexicon.HE if male else lexicon.SHE) if n not in taken]
            name = self.rng.choice(names)
            if self.rng.random() < 0.03:
                name = f"{'Mr.' if male else self.rng.choice(('Mrs.', 'Ms.'))} {self.rng.choice(lexicon.LAST)}"
            self.people[letter] = (name, male)
        return self.people[letter]

    def fill(self, text: str, numbers: dict[str, str] | None = None) -> str:
        """Text with every slot filled; numbers are written as digits here, and reworded by `tell`."""
        return re.sub(r"\{([^{}]+)\}", lambda m: self.slot(m[1], numbers or {}), text)

    def slot(self, name: str, numbers: dict[str, str]) -> str:
        if name[0] in "ABCD" and (len(name) == 1 or name[1] == "."):
            who, male = self.person(name[0])
            if len(name) == 1:
                return who
            part = name[2:]
            if self.in_chinese:
                return "他" if male else "她"
            word = PRONOUNS[part.lower()][not male]
            return word.capitalize() if part[0].isupper() else word
        base, _, form = name.lstrip("$").partition(".")
        if base in numbers:
            value = numbers[base]
            if form == "times":
                return lexicon.TIMES.get(int(value), f"{value} times") if self.rng.random() < 0.6 else f"{value} times"
            if form == "frac":
                return lexicon.FRACTIONS[int(value)]
            return f"${value}" if name[0] == "$" else value
        if name[0] in "xyz" and name not in self.values:
            self.noun(name[0], "goods" if self.in_chinese else "bought")
        if name not in self.values:
            self.values |= self.draw(name)
        value = self.values[name]
        return self.fill(value, numbers) if "{" in value else value

    def draw(self, name: str) -> dict[str, str]:
        if self.in_chinese:
            return {"place": self.rng.choice(chinese.PLACES), "bin": self.rng.choice(chinese.BINS)}
        pools = {"shop": lexicon.SHOPS, "place": lexicon.PLACES, "kin": lexicon.KIN, "game": lexicon.GAMES}
        if name in pools:
            return {name: self.rng.choice(pools[name])}
        if name in ("col", "col2", "col3"):
            return dict(zip(("col", "col2", "col3"), self.rng.sample(lexicon.COLORS, 3), strict=True))
        if name in ("day", "day2", "day3"):
            start = self.rng.randrange(5)
            return dict(zip(("day", "day2", "day3"), lexicon.DAYS[start : start + 3], strict=True))
        if name in ("month", "month2", "month3"):
            start = self.rng.randrange(10)
            return dict(zip(("month", "month2", "month3"), lexicon.MONTHS[start : start + 3], strict=True))
        if name in ("bin", "bins"):
            noun = self.rng.choice(lexicon.BINS)
            return {"bin": noun, "bins": lexicon.plural(noun)}
        raise KeyError(f"there is no slot {{{name}}}")


def make(template: Template, rng: random.Random, scale: int, in_chinese: bool = False) -> Story:
    """A story of a template."""
    draws, scope = Draws(rng, scale), {}
    helpers: dict[str, Callable] = {name: getattr(draws, name) for name in vars(Draws) if not name.startswith("_")}
    for variable, code in template.numbers:
        scope[variable] = eval(code, {"__builtins__": {}, **helpers}, scope)
    written = {variable: f"{Decimal(value):f}" for variable, value in scope.items() if not isinstance(value, str)}
    written |= {variable: value for variable, value in scope.items() if isinstance(value, str)}
    cast = Cast(rng, template.nouns, in_chinese)
    if template.scene:
        cast.values |= {slot: say(rng, text) for slot, text in scene(rng, template.scene).items()}
    tree, other_label = rng.choice(template.wordings)
    steps = []
    for label, variable, chain, rounding in template.steps:
        parts = re.split(r"([-+*/])", chain.replace(" ", ""))
        operands = [part if part in "+-*/" else str(scope.get(part, part)) for part in parts]
        made = step(cast.fill(label, written), *operands, rounding=rounding)
        steps.append(made)
        if variable:
            scope[variable] = f"{value_of(made):f}"
    if other_label:
        steps[-1] |= {"label": cast.fill(other_label, written)}
    text = choose(rng, tree)
    if in_chinese:
        return Story(template.name, [], cast.fill(text, written), steps, [])
    text = lexicon.tidy(text)
    sentences = [_start(lexicon.tidy(cast.fill(s, written))) for s in re.split(r"(?<=[.?!]) +", text.strip())]
    questions = [s for s in sentences if s.endswith("?")]
    facts = [s for s in sentences if not s.endswith("?")]
    people = [name for name, _ in cast.people.values()]
    return Story(template.name, facts, " ".join(questions), steps, people, template.distractors)


def _start(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
