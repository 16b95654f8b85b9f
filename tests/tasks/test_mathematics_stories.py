"""Templates and tellers of word problems: held-out ones are never trained on, every wording of every template comes out clean."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from finback.tasks.mathematics import arithmetic, equation, grammar, tellers
from finback.tasks.mathematics.grammar import Cast, Template
from finback.tasks.mathematics.lexicon import plural, spelled, tidy
from finback.tasks.mathematics.steps import run, step, thoughts, value_of
from finback.tasks.mathematics.telling import arrange, spaced, tell
from finback.tasks.mathematics.word_problem import CHINESE, TEMPLATES, WORD_PROBLEM, quantities
from finback.tasks.protocol import draw

HELD = {t.name for t in (*TEMPLATES, *CHINESE) if t.held_out}


def signatures(held_out: bool, count: int) -> set[str]:
    rng = random.Random(1)
    found = set()
    for i in range(count):
        story = tellers.compose(rng, 2 + i % 5, held_out)
        found.add(story.name.split()[0] + "".join(" " + "".join(s["chain"].split()[1::2]) + s["round"] for s in story.steps))
    return found


def test_held_out_templates_and_forms_are_never_drawn_for_training():
    assert len(HELD) >= 25
    for level in range(1, 7):
        for seed in range(60):
            assert draw(WORD_PROBLEM, "train", seed, level)[0].kind not in HELD
    held = {f.strip("*") for forms in (*equation.FORMS.values(), *equation.SYSTEMS.values()) for f in forms if f.startswith("*")}
    for seed in range(150):
        assert draw(equation.EQUATION, "train", seed)[0].kind not in held
        assert draw(equation.EQUATION, "held_out", seed)[0].kind in held


def bare(side: str) -> str:
    """A side without the names of its numbers, a product's number in front, its terms in one order."""
    side = re.sub(r"\(([^)]*)\)", lambda m: f"({bare(m[1])})", side)
    terms = re.findall(r"[+-]?(?:[^-+()]|\([^)]*\))+", re.sub(r"(x|\([^)]*\))\*[a-dr]|[a-dr]\*x", lambda m: f"r{m[1] or 'x'}", side))
    return "".join(sorted((t if t[0] in "+-" else f"+{t}") for t in re.sub("[a-ds]", "r", " ".join(terms)).split()))


def shape(form: str) -> str:
    return ";".join("=".join(map(bare, e.split("="))) for e in form.strip("*").split(";"))


# Held out, and the trained forms of which it is another order.
NEIGHBOURS = {
    "r=x-a": "x-a=r",
    "r=ax-b": "ax-b=r x*a-b=r a*x-b=r",
    "r=a(x+b)": "a(x+b)=r a(b+x)=r (x+b)*a=r",
    "b+ax=cx+r": "ax+b=cx+r cx+r=ax+b",
    "r+cx=ax+b": "ax+b=cx+r cx+r=ax+b",
    "ax-cx-b=r": "ax-b-cx=r",
    "b+ax+cx=r": "ax+cx+b=r ax+b+cx=r r=ax+cx+b",
    "ax-by=r;cx+dy=s": "ax+by=r;cx-dy=s by+ax=r;cx-dy=s",
}


def test_what_trained_equations_have_in_common_with_held_out_ones():
    """Terms exchanged, sides exchanged, and in systems the equations or the unknowns: the neighbours are known by name."""
    forms = [f for table in (equation.FORMS, equation.SYSTEMS) for level in table.values() for f in level]
    assert len(forms) == len(set(forms))
    found = set()
    for held in (f.strip("*") for f in forms if f.startswith("*")):
        swapped = {held, held.translate(str.maketrans("xy", "yx"))} if ";" in held else {held, "=".join(held.split("=")[::-1])}
        same = {shape(f) for f in swapped} | {shape(";".join(f.split(";")[::-1])) for f in swapped}
        found |= {(f, held) for f in forms if not f.startswith("*") and shape(f) in same}
    assert found == {(f, held) for held, fs in NEIGHBOURS.items() for f in fs.split()}


@pytest.mark.parametrize(
    ("form", "values", "x", "trace"),
    [
        ("x-a-b=r", {"a": 5, "b": 8, "r": 11}, 24, "x-5-8=11\n-5-8=-[5+8=13]13\nx-13=11\nx=11+13=[1+3=4,1+1=2]24"),
        ("c-(x+b)/a=r", {"a": 4, "b": 13, "c": 6, "r": 2}, 3, "6-(x+13)/4=2\n(x+13)/4=6-2=4\nx+13=4*4=16\nx=16-13=[6-3=3,6-6=0]3"),
        ("r=x*a", {"a": 8, "r": 40}, 5, "40=x*8\nx*8=40\n8x=40\nx=40/8=5"),
    ],
)
def test_steps_of_composed_equations(form, values, x, trace):
    lines = equation.lines({"form": form, "values": values, "x": x, "letter": "x"})
    assert [re.sub(r"\[.*\]", "", line) for line in lines] == [re.sub(r"\[.*\]", "", line) for line in trace.split("\n")]


def test_held_out_compositions_are_never_composed_for_training():
    assert not signatures(False, 300) & signatures(True, 60)


def test_held_out_shapes_are_never_drawn_for_training():
    for level in range(5, 7):
        shapes = [{p.kind for p, _ in (draw(arithmetic.ARITHMETIC, split, i, level) for i in range(80)) if p.kind.startswith("chain")} for split in ("train", "held_out")]
        assert not shapes[0] & shapes[1]


def test_names_of_templates_are_unique():
    counts = Counter(t.name for t in (*TEMPLATES, *CHINESE))
    assert not [name for name, n in counts.items() if n > 1]


@pytest.mark.parametrize("in_chinese", [False, True])
def test_every_wording_of_every_template_comes_out_clean(in_chinese):
    rng = random.Random(5)
    for template in CHINESE if in_chinese else TEMPLATES:
        for wording in template.wordings:
            alone = Template(template.name, template.held_out, template.distractors, template.scene, template.nouns, template.numbers, [wording], template.steps)
            for scale in (1, 2):
                story = grammar.make(alone, rng, scale, in_chinese)
                text = story.question if in_chinese else " ".join([*story.facts, story.question])
                assert not re.search(r"[{}\[\]|]|##|  | [.?,]|\ba [aeio]", text), (template.name, text)
                assert "？" in text or text.count("?") == 1, (template.name, text)
                value = value_of(story.steps[-1])
                assert value >= 0 and len(f"{value:f}") <= 9, (template.name, text, value)
                assert run(story.steps[-1])[1] == value
                written = set(re.findall(r"\d+(?:\.\d+)?", text))
                operands = {c for s in story.steps for c in s["chain"].split()[::2]}
                made = {f"{value_of(s):f}" for s in story.steps}
                constants = {"2", "3", "4", "7", "10", "12", "24", "25", "60", "100", "1"}
                said = {str(n) for n, word in ((2, "twice"), (3, "third"), (4, "quarter"), (5, "fifth"), (6, "sixth")) if word in text.lower()}
                said |= {str(n) for n in range(2, 13) if f"{spelled(n)} times" in text.lower()}
                assert operands <= written | made | constants | said, (template.name, text, story.steps)


def test_a_step_rounds_as_it_says():
    assert [value_of(step("", 26, "/", 8, rounding=r)) for r in ("up", "down", "rest")] == [4, 3, 2]
    assert [value_of(step("", 24, "/", 8, rounding=r)) for r in ("up", "down", "rest")] == [3, 3, 0]
    with pytest.raises(ValueError, match="does not come out even"):
        run(step("", 10, "/", 3))


def test_max_asks_drops_an_alternative_and_checks():
    made = thoughts([step("left", 52, "-", 17), step("price", 35, "*", 2)], "max").splitlines()
    assert made == [
        "asked: price",
        "52+17? no: one is taken off",
        "left: 52-17=[12-7=5,5-1-1=3]35",
        "price: 35*2=[2*5=10,2*3=6+1=7]70",
        "check: 70/2=[7/2=3r1,10/2=5r0]35 ok, 70",
    ]


def test_text_in_every_order_keeps_all_its_numbers():
    rng = random.Random(2)
    facts = ["Tom had 52 marbles.", "He lost 17 of them."]
    texts = {arrange(rng, facts, "How many marbles are left?") for _ in range(300)}
    assert len(texts) >= 6
    assert all(sorted(re.findall(r"\d+", text)) == ["17", "52"] for text in texts)
    assert "Tom had 52 marbles. If he lost 17 of them, how many marbles are left?" in texts


def test_about_fifteen_in_a_hundred_are_chinese():
    languages = Counter(draw(WORD_PROBLEM, "train", i)[0].facts["language"] for i in range(400))
    assert 0.06 < languages["zh"] / 400 < 0.25


def test_prompts_seldom_repeat():
    texts = {draw(WORD_PROBLEM, "train", i, 1)[0].messages[0]["content"] for i in range(300)}
    assert len(texts) > 295


def test_words_are_formed_as_english_does():
    assert [plural(w) for w in ("box", "piece of candy", "berry", "toy", "loaf of bread", "child", "paint brush", "pair of shoes")] == [
        "boxes", "pieces of candy", "berries", "toys", "loaves of bread", "children", "paint brushes", "pairs of shoes"]  # fmt: skip
    assert [spelled(n) for n in (0, 13, 40, 99, 215)] == ["zero", "thirteen", "forty", "ninety-nine", "two hundred fifteen"]
    assert tidy("a apple and a unicorn , a onion ?") == "an apple and a unicorn, an onion?"
    assert spaced("Tom's pen cost $4.50. How much?") == "Tom 's pen cost $ 4.50 . How much ?"


def test_a_person_keeps_name_and_pronoun():
    cast = Cast(random.Random(3))
    assert cast.fill("{A} {A.he} {A.his}") == cast.fill("{A} {A.he} {A.his}")
    assert cast.fill("{A}") != cast.fill("{B}")


def test_telling_never_loses_the_question():
    rng = random.Random(8)
    for template in TEMPLATES[:60]:
        story = grammar.make(template, rng, 1)
        assert re.search(r"how|what|which|by how", tell(rng, story, 2).lower())


def test_the_first_thought_reads_every_number_of_the_text_in_its_order():
    for seed in range(150):
        for level in range(1, 7):
            problem, rng = draw(WORD_PROBLEM, "train", seed, level)
            text = problem.messages[0]["content"]
            read = WORD_PROBLEM.solve(problem, "high", rng)[0]["reasoning_content"].split("\n")[0]
            assert re.findall(r"\d+", read) == re.findall(r"\d+", text)
            assert read.split(" ")[0] in ("Read", "数") and "  " not in read


NUMBER = (
    r"(?i)^\$$|\d|^(two|three|four|five|six|seven|eight|nine|(thir|four|fif|six|seven|eigh|nine)teen|ten|eleven|twelve|half"
    r"|(twen|thir|for|fif|six|seven|eigh|nine)ty|third|quarter|(four|fif|six|seven|eigh|nin|ten)th)s?\b"
    r"|^(hundred|twice|double|triple|dozen|percent)$"
)


def test_every_quantity_that_is_read_stands_so_in_the_text_and_begins_with_its_number():
    for seed in range(150):
        problem, rng = draw(WORD_PROBLEM, "train", seed, 1 + seed % 6)
        text = problem.messages[0]["content"]
        read = WORD_PROBLEM.solve(problem, "high", rng)[0]["reasoning_content"].split("\n")[0]
        place = 0
        for part in read.split(" ", 1)[1].split(", "):
            place = text.index(part, place) + len(part)
            if read[0] == "数":
                assert re.fullmatch(r"(\d[\d.,/]*%?|一半|[一两][双打])\D{0,2}", part), read
                continue
            *numbers, behind = part.split(" ")
            assert all(re.search(NUMBER, number) for number in numbers or [behind]), read
            # A number alone is one that nothing follows within its part of the sentence.
            assert numbers or not re.match(r" \w", text[place:]), read


def test_quantities_in_words_are_read_too():
    text = "Ann had twenty-four eggs. She gave half of them away, then a fifth of the rest, and kept 7, not $2.50."
    text += " She sold 9 . One of 20 % is gone. On the third day it was $ 22 an hour."
    assert quantities(text) == ["twenty-four eggs", "half of", "fifth of", "7", "$2.50", "9", "20 %", "$ 22 an"]
    assert quantities("捐了61、买了5个苹果，卖掉一半，一双鞋31元，有多少双鞋?") == ["61", "5个苹", "一半", "一双鞋", "31元"]
