"""The catalogue: every piece and every well-known function runs, has words, and is called by no name of another."""

from __future__ import annotations

import random
import re

import pytest

from finback.tasks.code.compose import COMMON, PIECES, Pipeline, agrees, draw_pipeline, held_composition, held_pair
from finback.tasks.code.functions import CLASSICS, afresh
from finback.tasks.code.piece import step
from finback.tasks.code.trace import define, limited
from finback.tasks.code.wording import expansions, fill, say

ENTRIES = [*PIECES.values(), *(c.piece for c in CLASSICS.values())]


def said(grammar: str) -> list[str]:
    return [w for part in expansions(grammar) for w in part] if grammar else []


def test_there_are_as_many_pieces_as_we_say():
    assert len(PIECES) > 350 and len(CLASSICS) > 140 and COMMON <= set(PIECES)


def test_wordings_are_well_formed():
    for p in ENTRIES:
        for grammar in (p.do, p.of, p.zh):
            for text in said(grammar):
                assert text == text.strip() and "  " not in text and not re.search(r"[()|%]", text), (p.name, text)
                placeholders = set(re.findall(r"\$([a-z]+)", text))
                assert placeholders <= set("vkm"[: 1 + len(p.params)]), (p.name, text)
        assert len(said(p.do)) >= 1 and said(p.zh), p.name
        assert p.name in CLASSICS or all("$v" in text for text in said(p.of)), p.name


def test_no_wording_means_two_things():
    """Entries of one input type share a wording only if they compute the same."""
    seen: dict[tuple[str, str], str] = {}
    for p in ENTRIES:
        for text in said(p.do) + said(p.of):
            other = seen.setdefault((p.takes, text), p.name)
            assert other == p.name or {other, p.name} == {"count k", "count loop"}, (other, p.name, text)


def test_some_wordings_are_kept_from_training():
    seen, held = expansions("(a|b|c|d|e|f) (x|y)")
    assert len(seen) + len(held) == 12 and len(held) == 2 and not set(seen) & set(held)
    rng = random.Random(0)
    assert {say(rng, "(a|b|c|d|e|f) (x|y)") for _ in range(200)} == set(seen)
    assert {say(rng, "(a|b|c|d|e|f) (x|y)", True) for _ in range(50)} == set(held)


def test_filling_takes_the_longer_name_first():
    assert fill("$n $noun $k-th", n="f", noun="sum", k=3) == "f sum 3-th"


def test_every_piece_compiles():
    for p in PIECES.values():
        assert callable(step(p))


@pytest.mark.parametrize("name", CLASSICS)
def test_well_known_function_does_not_depend_on_the_names_of_its_arguments(name):
    c = CLASSICS[name]
    results = set()
    for names in c.args:
        args = names.split(" ")
        assert len(args) == len(c.kinds)
        words = {"f": "fun", **dict(zip("vkm", args, strict=False))}
        function = define(fill(c.code, **words), "fun")
        assert "$" not in fill(c.code + c.plan, **words)
        rng = random.Random(1)
        found = [repr(limited(function, afresh(c.inputs(rng)))) for _ in range(12)]
        assert len(set(found)) > 1
        results.add(tuple(found))
    assert len(results) == 1


def test_held_out_combinations_never_occur_in_training():
    rng = random.Random(3)
    for i in range(60):
        size = 2 + i % 2
        pieces = draw_pipeline(rng, size, held_out=i % 3 == 0).pipeline.pieces
        pairs = [held_pair(a.name, b.name) for j, a in enumerate(pieces) for b in pieces[j + 1 :]]
        assert any(pairs) == (i % 3 == 0) == held_composition([p.name for p in pieces])


def test_every_piece_of_a_pipeline_matters():
    rng = random.Random(4)
    for _ in range(40):
        drawn = draw_pipeline(rng, 3, held_out=False)
        runs = [drawn.pipeline.states(args[0], args[1:]) for args, _ in drawn.tests + drawn.examples]
        for i in range(3):
            before = [args[0] if i == 0 else runs[j][i - 1] for j, (args, _) in enumerate(drawn.tests + drawn.examples)]
            assert any(repr(run[i]) != repr(b) for run, b in zip(runs, before, strict=True))


def test_written_code_equals_the_pieces_run_one_by_one():
    rng = random.Random(5)
    for i in range(60):
        drawn = draw_pipeline(rng, 1 + i % 3, held_out=False)
        p: Pipeline = drawn.pipeline
        body = "\n".join(f"    {line}" for block in p.blocks() for line in block)
        function = define(f"def f({', '.join(p.args)}):\n{body}", "f")
        for args, result in drawn.tests + drawn.examples:
            assert repr(function(*args)) == repr(result)


def test_pieces_that_disturb_each_other_s_names_are_found_out():
    def pipeline(*names: str) -> Pipeline:
        pieces = tuple(PIECES[name] for name in names)
        return Pipeline(pieces, ((),) * len(pieces), ((),) * len(pieces), "n")

    for names, fits in ((("digits", "sum", "factorial"), True), (("digits", "product", "factorial"), False)):
        p = pipeline(*names)
        assert agrees(p, [([12], p.states(12, []))]) == fits
