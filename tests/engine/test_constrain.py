"""Answers in a given form: what the grammars admit and refuse, and that a random model obeys them."""

from __future__ import annotations

import json

import pytest
import torch
from engine_helpers import TALKER, TOKENIZER, drive, queue, run
from helpers import random_model, tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st

from finback.engine import Constraint, Engine, SamplingParams, sample
from finback.engine.constrain import ANY_ORDER, Grammars
from finback.text import encode_messages, parse_completion
from finback.text.encoding import _tool_calls
from finback.text.tokens import DSML, EOS

pytest.importorskip("llguidance")
GRAMMARS = Grammars(TOKENIZER, TOKENIZER.vocab_size + 7)
CLOSE = TOKENIZER.token_id("</think>")


def admits(constraint: Constraint, text: str) -> bool:
    """Whether an answer may be this text and end there."""
    matcher = GRAMMARS.matcher(constraint)
    for token in TOKENIZER.encode(text):
        if not matcher.allowed()[token]:
            return False
        matcher.take(token)
    return bool(matcher.allowed()[TOKENIZER.eos_id])


def calls(*which: tuple[str, dict]) -> str:
    return _tool_calls([(name, json.dumps(arguments, ensure_ascii=False)) for name, arguments in which])


OBJECT = {"type": "object", "additionalProperties": False}
WEATHER = {
    "name": "weather",
    "parameters": {
        **OBJECT,
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "maximum": 99},
            "unit": {"enum": ["C", "F", None]},
            "how": {"$ref": "#/$defs/How"},
            "more": {"anyOf": [{"type": "array", "items": {"type": "boolean"}}, {"const": "all"}]},
        },
        "required": ["city"],
        "$defs": {"How": {**OBJECT, "properties": {"fast": {"type": ["boolean", "null"]}}, "required": ["fast"]}},
    },
}
MANY = {"name": "many", "parameters": {**OBJECT, "properties": {f"p{i}": {"type": "number"} for i in range(ANY_ORDER + 2)}, "required": ["p1", "p4"]}}
TOOLS = [{"type": "function", "function": WEATHER}, MANY, {"name": "now"}, {"name": "free", "parameters": {"type": "object"}}]

GOOD = [
    ("weather", {"city": "Rome"}),
    ("weather", {"city": 'a <b>\n</c> "quoted" 日本 ｜ </think '}),
    ("weather", {"city": ""}),
    ("weather", {"days": 3, "city": "x"}),
    ("weather", {"unit": "C", "how": {"fast": None}, "more": "all", "city": "x", "days": 0}),
    ("weather", {"unit": None, "more": [True, False], "city": "x"}),
    ("many", {"p1": 1.5, "p4": -2}),
    ("many", {"p0": 0, "p1": 1, "p2": 2, "p3": 3, "p4": 4, "p5": 5, "p6": 6e5}),
    ("now", {}),
    ("free", {}),
    ("free", {"anything": [{"a": None}], "text": "as it is"}),
]
BAD = [
    ("weather", {}),
    ("weather", {"days": 3}),
    ("weather", {"city": 3}),
    ("weather", {"city": "x", "days": 100}),
    ("weather", {"city": "x", "days": "3"}),
    ("weather", {"city": "x", "unit": "K"}),
    ("weather", {"city": "x", "town": "y"}),
    ("weather", {"city": "x", "how": {}}),
    ("weather", {"city": "x", "how": {"fast": 1}}),
    ("weather", {"city": "x", "more": "some"}),
    ("wether", {"city": "x"}),
    ("weather2", {"city": "x"}),
    ("many", {"p1": 1}),
    ("many", {"p4": 4, "p1": 1}),
    ("many", {"p1": True, "p4": 1}),
    ("now", {"a": 1}),
]


@pytest.mark.parametrize("call", GOOD, ids=str)
def test_calls_that_follow_the_tools_are_admitted(call):
    for choice in ("auto", "required", call[0]):
        assert admits(Constraint.tools(TOOLS, choice), calls(call)), choice
    assert admits(Constraint.tools(TOOLS), "Let me see." + calls(call, call, GOOD[0]))


@pytest.mark.parametrize("call", BAD, ids=str)
def test_calls_that_do_not_are_refused(call):
    for choice in ("auto", "required"):
        assert not admits(Constraint.tools(TOOLS, choice), calls(call))
        assert not admits(Constraint.tools(TOOLS, choice), calls(GOOD[0], call))


def test_text_is_free_without_a_block_and_the_choice_may_forbid_it():
    auto, required, named = (Constraint.tools(TOOLS, choice) for choice in ("auto", "required", "now"))
    for text in ("", "hello", "a < b, <b>bold</b>\n\n", "<|DSML|", f"{DSML} tells of tools", "日本語"):
        assert admits(auto, text) and not admits(required, text) and not admits(named, text)
    block = calls(GOOD[0])
    assert not admits(named, block) and not admits(named, calls(("now", {}), ("now", {})))
    assert not admits(Constraint.tools(TOOLS, parallel=False), calls(GOOD[0], GOOD[0])) and admits(Constraint.tools(TOOLS, parallel=False), block)
    for broken in (block + " and more", block[:-1], block.replace('string="true"', 'string="false"'), block.replace("parameter>\n", "parameter>", 1)):
        assert not admits(auto, broken), broken


def test_a_parameter_comes_once():
    line = f'<{DSML}parameter name="city" string="true">x</{DSML}parameter>\n'
    assert not admits(Constraint.tools(TOOLS), calls(("weather", {"city": "x"})).replace(line, line + line))


json_values = st.recursive(st.none() | st.booleans() | st.integers(-999, 999) | st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=5), lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text("abc", max_size=3), v, max_size=3), max_leaves=6)  # fmt: skip


@settings(max_examples=25)
@given(json_values)
def test_any_json_is_admitted_however_it_is_laid_out(value):
    for layout in ({}, {"indent": 2}, {"separators": (",", ":")}):
        text = json.dumps(value, ensure_ascii=False, **layout)
        assert admits(Constraint.json_schema({}), text), text
        assert not admits(Constraint.json_schema({}), text + "]")


def test_a_schema_a_pattern_and_a_grammar_are_kept():
    schema = Constraint.json_schema({**OBJECT, "properties": {"a": {"type": "integer"}, "b": {"type": "string", "maxLength": 3}}, "required": ["a"]})
    assert admits(schema, '{"a": 3}') and admits(schema, '{"a": 3, "b": "xyz"}')
    for text in ("{}", '{"a": "3"}', '{"a": 3, "b": "xyzw"}', '{"a": 3, "c": 1}', "3", ""):
        assert not admits(schema, text)
    assert admits(Constraint.regex("[0-9]{3}-[a-z]+"), "123-abc") and not admits(Constraint.regex("[0-9]{3}-[a-z]+"), "123-")
    sums = Constraint.grammar('start: term ("+" term)*\nterm: /[0-9]+/ | "(" start ")"')
    assert admits(sums, "1+(2+3)+45") and not admits(sums, "1+(2+3") and not admits(sums, "1++2")


@pytest.mark.parametrize(
    "constraint, cause",
    [
        (Constraint.json_schema({"type": "objekt"}), "JSON schema of the constraint cannot be used.*objekt"),
        (Constraint.json_schema("{"), "JSON schema of the constraint cannot be used"),
        (Constraint.regex("(a"), "(?s)regex of the constraint cannot be used.*unclosed group"),
        (Constraint.grammar("start: there"), "grammar of the constraint cannot be used.*there"),
        (Constraint.tools([{"name": "t", "parameters": {"properties": {"a": {"type": "integre"}}}}]), "tools of the constraint cannot be used.*integre"),
    ],
)
def test_what_cannot_be_understood_is_refused_at_submission_with_its_cause(constraint, cause):
    with pytest.raises(ValueError, match=cause):
        Engine(TALKER, TOKENIZER).submit("x", SamplingParams(constraint=constraint))


def test_impossible_tools_are_refused():
    for tools, choice, cause in (
        ([], "auto", "at least one"),
        ([{"name": "a"}, {"name": "a"}], "auto", "name of its own"),
        ([{"name": "a"}], "b", "give auto, required, or one of a"),
        ([{"name": "a", "parameters": {"properties": {"x": {}}, "required": ["y"]}}], "auto", "requires y"),
    ):
        with pytest.raises(ValueError, match=cause):
            Constraint.tools(tools, choice)
    with pytest.raises(ValueError, match="need a tokenizer"):
        Engine(TALKER).submit([1], SamplingParams(constraint=Constraint.regex("a")))
    with pytest.raises(ValueError, match="ignore_eos"):
        SamplingParams(constraint=Constraint.regex("a"), ignore_eos=True)


# ---- a random model obeys

PADDED = random_model(tiny_config(vocab_size=TOKENIZER.vocab_size + 7), seed=3).requires_grad_(False)  # ids without text
SHORT = {
    "name": "short",
    "parameters": {**OBJECT, "properties": {"n": {"type": "integer", "maximum": 99, "minimum": 0}, "w": {"enum": ["up", "down"]}}, "required": ["n"]},
}


def ask(mode: str, constraint: Constraint, **kwargs):
    ids = TOKENIZER.encode(encode_messages([{"role": "user", "content": "do it"}], mode))
    params = SamplingParams(**{"temperature": 1.5, "max_tokens": 300, "constraint": constraint, **kwargs})
    return run(Engine(PADDED if mode == "chat" else TALKER, TOKENIZER), ids, params).result()


@pytest.mark.parametrize("mode", ["chat", "thinking"])
def test_forced_calls_come_out_of_any_model(mode):
    for seed in range(4):
        result = ask(mode, Constraint.tools([SHORT, MANY], "short"), seed=seed, thinking_budget=5, logit_bias={TOKENIZER.eos_id: -99.0})
        assert result.finish == "stop" and result.tokens[-1] == TOKENIZER.eos_id
        (call,) = parse_completion(result.text, mode, strict=mode == "chat")["tool_calls"]
        arguments = json.loads(call["function"]["arguments"])
        assert call["function"]["name"] == "short" and 0 <= arguments["n"] <= 99 and arguments.get("w") in ("up", "down", None)
        assert (CLOSE in result.tokens) == (mode == "thinking")


@pytest.mark.parametrize("params", [dict(temperature=0), dict(top_k=1), dict(top_p=0.2), dict(min_p=0.5), dict(n=1, min_tokens=60)])
def test_the_mask_goes_before_temperature_and_narrowing_and_the_end_token_closes_a_finished_form(params):
    schema = {**OBJECT, "properties": {"a": {"enum": [1, 2]}, "b": {"type": "boolean"}}, "required": ["a", "b"]}
    result = ask("chat", Constraint.json_schema(schema), logprobs=1, **params)
    value = json.loads(result.text.removesuffix(EOS))
    assert value["a"] in (1, 2) and value["b"] in (True, False) and result.finish == "stop" and result.tokens[-1] == TOKENIZER.eos_id
    assert [c.token for c in result.choices] == result.tokens


def test_log_probabilities_stay_the_models_under_a_mask():
    logits, allowed = torch.tensor([3.0, 1.0, 0.0]), torch.tensor([False, False, True])
    choice = sample(logits, SamplingParams(logprobs=1), [], allowed)
    assert choice.token == 2 and choice.logprob == pytest.approx(float(logits.log_softmax(0)[2])) and choice.top[0][0] == 0


def test_constrained_requests_keep_their_places_beside_others_and_after_preemption():
    ids = TOKENIZER.encode(encode_messages([{"role": "user", "content": "do it"}], "chat"))
    params = [SamplingParams(temperature=1.2, seed=i, max_tokens=40, constraint=c) for i, c in enumerate([Constraint.regex("[a-z]{200}"), Constraint.tools(TOOLS, "required"), None, Constraint.json_schema({})])]  # fmt: skip
    alone = [run(Engine(TALKER, TOKENIZER), ids, p).answer for p in params]
    engine = Engine(TALKER, TOKENIZER, cache_blocks=3, prefix=None)
    long = ids + TOKENIZER.encode("a b c d ") * 12
    others = [queue(engine, long, SamplingParams(temperature=0, max_tokens=90)) for _ in range(2)]
    requests = [queue(engine, ids, p) for p in params]
    drive(engine, requests + others)
    assert [r.answer for r in requests] == alone and engine.preemptions > 0


def test_a_group_under_a_constraint_has_a_place_for_each_answer():
    ids = TOKENIZER.encode(encode_messages([{"role": "user", "content": "do it"}], "chat"))
    request = run(Engine(TALKER, TOKENIZER), ids, SamplingParams(n=4, temperature=2.0, constraint=Constraint.regex("(yes|no|[0-9]{1,4})")))
    texts = [r.text.removesuffix(EOS) for r in request.results()]
    assert all(text in ("yes", "no") or text.isdigit() for text in texts) and len(set(texts)) > 1
