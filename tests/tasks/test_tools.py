"""Calls fit the schemas, answers are right, and neither slips past the verifier when they are not."""

from __future__ import annotations

import copy
import json
import random
import re

import pytest

from finback.tasks.protocol import EFFORTS, draw, render
from finback.tasks.sandbox import Sandbox
from finback.tasks.tools import CALCULATOR, FUNCTIONS, PYTHON_TOOL, TASKS
from finback.tasks.tools import calculator
from finback.tasks.tools.calculator import evaluate
from finback.tasks.tools.calls import functions, misfit, wrong_numbers
from finback.tasks.tools.concepts import HELD_OUT, TRAINED, concept
from finback.tasks.tools.functions import _name_is_held_out
from finback.tasks.tools.python_questions import PAIRS, PAIRS_HELD_OUT, SINGLE, SINGLE_HELD_OUT
from finback.tasks.tools.python_tool import _spoken
from finback.text import parse_completion

EACH = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
SEEDS = range(40)


@pytest.fixture(scope="module")
def box():
    with Sandbox(workers=1) as box:
        yield box


def problems(task, splits=("train", "held_out"), seeds=SEEDS):
    for split in splits:
        for seed in seeds:
            for level in range(1, task.levels + 1):
                yield draw(task, split, seed, level)


def about_how_many_tokens(text: str) -> int:
    return len(re.findall(r"[A-Za-z]+|\d|[^\sA-Za-z\d]", text))


def calls_in(replies):
    for reply in replies:
        for call in reply.get("tool_calls") or []:
            yield call["function"]["name"], json.loads(call["function"]["arguments"])


@EACH
def test_its_own_traces_are_right_at_every_effort(task):
    for problem, rng in problems(task):
        for effort in EFFORTS:
            replies = task.solve(problem, effort, rng)
            verdict = task.verify(problem, replies, None)
            assert verdict.right, (verdict.why, replies)
            assert all(("reasoning_content" in r) == (effort != "none") for r in replies if r["role"] == "assistant")


@EACH
def test_the_results_in_a_trace_are_what_the_tools_give(task, box):
    for problem, rng in problems(task, seeds=range(6)):
        replies = task.solve(problem, "none", rng)
        given = [m["content"] for m in replies if m["role"] == "tool"]
        assert given == [task.act(problem, *call, box) for call in calls_in(replies)]
        # What stands in the problem's history happened, too.
        history = [m for m in problem.messages if m["role"] in ("assistant", "tool")]
        assert [m["content"] for m in history if m["role"] == "tool"] == [
            task.act(problem, *call, box) for call in calls_in(history)
        ]


@EACH
def test_a_trace_comes_back_from_its_prompt_text(task):
    for problem, rng in problems(task, ("train",), range(10)):
        replies = task.solve(problem, "high", rng)
        before = render(problem.messages, "high")
        whole = render([*problem.messages, *replies], "high")
        assert whole.startswith(before)
        first = parse_completion(whole[len(before) :].split("<｜User｜>")[0], "thinking", strict=True)
        assert [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in first["tool_calls"]] == list(
            calls_in(replies[:1])
        )


@EACH
def test_the_same_seed_gives_the_same_problem(task):
    for split in ("train", "held_out"):
        (a, rng_a), (b, rng_b) = draw(task, split, 7), draw(task, split, 7)
        assert a == b and task.solve(a, "max", rng_a) == task.solve(b, "max", rng_b)
    assert json.loads(json.dumps(a.facts)) == a.facts


@EACH
def test_traces_are_short_and_max_is_at_most_about_twice_high(task):
    for problem, rng in problems(task, seeds=range(20)):
        lengths = {}
        for effort in EFFORTS:
            before = about_how_many_tokens(render(problem.messages, effort))
            lengths[effort] = (
                about_how_many_tokens(render([*problem.messages, *task.solve(problem, effort, rng)], effort)) - before
            )
        assert lengths["none"] < lengths["high"] <= lengths["max"] < 2 * lengths["high"] + 20
        assert lengths["high"] < lengths["max"] or (task is FUNCTIONS and "direct" in problem.facts)
        assert lengths["max"] < 650 and before < 900


@EACH
def test_problems_are_many(task):
    assert len({draw(task, "train", seed)[0].key for seed in range(400)}) > 340


def spoiled(replies, rng):
    """Replies with one thing wrong each, and what the verdict must call it."""
    made = [i for i, r in enumerate(replies) if r.get("tool_calls")]
    content = replies[-1]["content"]

    def changed(i, edit):
        copied = copy.deepcopy(replies)
        edit(copied[i]["tool_calls"][-1]["function"])
        return copied

    def arguments(edit):
        def apply(function):
            values = json.loads(function["arguments"])
            edit(values)
            function["arguments"] = json.dumps(values)

        return apply

    for i in made:
        yield changed(i, lambda f: f.update(name=f["name"] + "x")), "malformed"
        yield changed(i, lambda f: f.update(arguments=f["arguments"][:-1])), "malformed"
        yield changed(i, lambda f: f.update(arguments="[]")), "malformed"
        yield changed(i, lambda f: f.pop("name")), "malformed"
        yield changed(i, arguments(lambda v: v.update(zzz=1))), "malformed"
        yield changed(i, arguments(lambda v: v.pop(next(iter(v))))), "malformed"
        yield changed(i, arguments(lambda v: v.update({next(iter(v)): [1]}))), "malformed"
    if made:
        yield replies[:-1], "malformed"
        yield [*replies, replies[made[0]]], "malformed"
        yield [*replies[:-1], {"role": "assistant", "content": ""}], "malformed"
        yield [*replies[:-1], {"role": "assistant", "content": "The answer is not known."}], "wrong"
    for number in set(re.findall(r"\d+", content)):
        other = str(int(number) + rng.choice((1, 10, 1000)))
        yield [*replies[:-1], {"role": "assistant", "content": content + f" Or {other}7."}], "wrong"


@EACH
def test_wrong_replies_are_refused_and_called_by_their_kind(task):
    count = 0
    for problem, rng in problems(task, ("train", "held_out"), range(15)):
        replies = task.solve(problem, "none", rng)
        for bad, kind in spoiled(replies, rng):
            verdict = task.verify(problem, bad, None)
            assert not verdict.right and verdict.why.startswith(kind), (kind, verdict, bad)
            count += 1
    assert count > 500


@EACH
@pytest.mark.parametrize(
    "replies",
    [
        [],
        [{}],
        [{"role": "assistant"}],
        [{"role": "assistant", "content": None}],
        [{"role": "assistant", "content": "x" * 10**6}],
        [None, 3],
        None,
        [{"role": "assistant", "content": "1", "tool_calls": [None]}],
        [{"role": "assistant", "content": "1", "tool_calls": "x"}],
        [{"role": "assistant", "content": "1", "tool_calls": [{"function": {"name": 3, "arguments": 4}}]}],
        [{"role": "user", "content": "hello"}],
        [{"role": "assistant", "content": "</｜DSML｜invoke>"}],
        [{"role": "assistant", "content": "9" * 5000}],
        [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "python", "arguments": "[" * 10**5}}],
            }
        ],
    ],
)
def test_a_verifier_survives_anything(task, replies):
    for level in range(1, task.levels + 1):
        verdict = task.verify(draw(task, "train", 1, level)[0], replies, None)
        assert not verdict.right and verdict.why


@EACH
def test_odd_forms_of_a_right_answer_are_accepted(task):
    def forms(content, text):
        yield f"**{content}**"
        yield "\n  " + content.replace(". ", ".\n") + "\n\n"
        yield content.rstrip(".") + " !"
        yield "Sure. " + content + " Is there anything else?"
        if all(len(n) > 4 for n in re.findall(r"\d+", content)) and "[" not in content and not text:
            yield re.sub(r"(?<![\d.])\d+", lambda m: f"{int(m[0]):,}", content)
        yield re.sub(r"(?<=answer is )(-?[\d.]*\d)(?![\w'])", r"\\boxed{\1}", content)

    for problem, rng in problems(task, ("train",), range(15)):
        replies = task.solve(problem, "none", rng)
        text = any(value.startswith("'") for value in problem.facts.get("answers", []))  # a binary number, of which no digits are grouped
        for content in forms(replies[-1]["content"], text):
            verdict = task.verify(problem, [*replies[:-1], {"role": "assistant", "content": content}], None)
            assert verdict.right, (verdict, content)


@EACH
def test_a_call_where_none_is_needed_is_wrong(task):
    found = 0
    for problem, rng in problems(task, ("train",)):
        if "direct" in problem.facts:
            name, schema = next(iter(functions(problem).items()))
            arguments = {
                p: {"string": "x", "integer": 1}[s["type"]]
                for p, s in schema["properties"].items()
                if p in schema["required"]
            }
            call = {"id": "c", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            replies = [
                {"role": "assistant", "content": "", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c", "content": "1"},
            ]
            assert "none fits" in task.verify(problem, [*replies, *task.solve(problem, "none", rng)], None).why
            found += 1
    assert found > 3


# The calculator


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("-7 // 2", "-4"),
        ("7 % 4", "3"),
        ("2 ** 10", "1024"),
        ("10 / 4", "2.5"),
        ("1 / 3", "0.333333"),
        ("0.1 + 0.2", "0.3"),
        ("-1 / 3", "-0.333333"),
        (" 5 ", "5"),
        ("1e3 * 2", "2000"),
        ("-0.0000001", "0"),
    ],
)
def test_the_calculator_is_exact(expression, value):
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "1 +",
        "1 / 0",
        "5 % 0",
        "__import__('os')",
        "9 ** 9 ** 9",
        "2 ** 101",
        "'a' * 9",
        "1 if 1 else 2",
        "x",
        "True + 1",
        "1j",
        "(" * 1000,
        "1" * 400,
        "10 ** 50",
        "2 ** 0.5",
        "1 == 1",
        "[1]",
        "f(1)",
        "1; 2",
        "0" * 10 + "1",
        "1e999",
        "nan",
        "-" * 290 + "1",
        "1_0 ** -1",
    ],
)
def test_the_calculator_refuses_what_is_no_sum(expression):
    assert evaluate(expression).startswith("Error") or expression.startswith("-")


def test_numbers_are_read_in_their_order_and_nothing_may_stand_beside_them():
    assert wrong_numbers("So 1,234 and 5.50.", ["1234", "5.5"], "") == ""
    assert wrong_numbers("10-4=6", ["6"], "10 4") == ""
    assert wrong_numbers("minus: -6", ["-6"], "") == ""
    assert wrong_numbers("6", ["-6"], "")
    assert wrong_numbers("5.5, 1234", ["1234", "5.5"], "")
    assert wrong_numbers("1 or 2 or 3", ["2"], "")


# Python


def test_python_keeps_variables_in_a_session_only(box):
    problem = draw(PYTHON_TOOL, "train", 1)[0]
    with box.session() as session:
        assert PYTHON_TOOL.act(problem, "python", {"code": "a = 5"}, session) == "(no output)"
        assert PYTHON_TOOL.act(problem, "python", {"code": "a"}, session) == "5"
    assert PYTHON_TOOL.act(problem, "python", {"code": "a"}, box) == "Error: line 1: NameError: name 'a' is not defined"
    assert (
        PYTHON_TOOL.act(problem, "python", {"code": "print(1)\n1 / 0"}, box)
        == "1\nError: line 2: ZeroDivisionError: division by zero"
    )
    assert PYTHON_TOOL.act(problem, "other", {}, box).startswith("Error")


def test_the_other_half_of_a_text_answer_is_wrong():
    for problem, rng in problems(PYTHON_TOOL, ("train",)):
        replies = PYTHON_TOOL.solve(problem, "none", rng)
        for value in problem.facts.get("answers", ()):
            if value in ("True", "False"):
                swapped = replies[-1]["content"].replace("yes", "YES").replace("no.", "yes.").replace("YES", "no")
                if len(problem.facts["answers"]) == 1:
                    assert not PYTHON_TOOL.verify(
                        problem, [*replies[:-1], {"role": "assistant", "content": swapped}], None
                    ).right
            elif value.startswith("'") and not value.strip("'").isdigit():
                bad = replies[-1]["content"].replace(value.strip("'"), value.strip("'")[:-1])
                assert not PYTHON_TOOL.verify(
                    problem, [*replies[:-1], {"role": "assistant", "content": bad}], None
                ).right


# What is held out


def test_held_out_structures_are_never_trained_on():
    trained = {it.name for it in TRAINED}
    chains = {kind for kind in (draw(FUNCTIONS, "train", s, 4)[0].kind for s in range(200)) if kind.startswith("chain")}
    for seed in range(200):
        for split, names_are_held_out in (("train", False), ("held_out", True)):
            problem = draw(FUNCTIONS, split, seed)[0]
            assert {_name_is_held_out(name) for name in functions(problem)} == {names_are_held_out}
        one = draw(FUNCTIONS, "held_out", seed, 1)[0]
        assert one.kind.removeprefix("one call ") not in trained
        assert draw(FUNCTIONS, "held_out", seed, 4)[0].kind not in chains
        train = draw(FUNCTIONS, "train", seed)[0]
        for it in HELD_OUT:
            assert not any(about in json.dumps(train.messages[0]) for about in it.about)
            told = re.sub("[_ ]", " ", json.dumps(train.messages))
            told = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", told)  # camel case
            words = [w.replace("_", " ") for w in (it.word, *it.nouns)]
            assert not re.search(rf"\b({'|'.join(words)})\b", told, re.I), told
    assert not set(PAIRS) & PAIRS_HELD_OUT
    assert not {o.code for o in SINGLE} & {o.code for o in SINGLE_HELD_OUT}
    bare = [{re.sub(r"-?\d+", "#", o.code) for o in operations} for operations in (SINGLE, SINGLE_HELD_OUT)]
    assert not bare[0] & bare[1]  # nor does one differ by its constants only
    for task in (CALCULATOR, PYTHON_TOOL):
        for level in (1, 2):
            asked = {
                s: {
                    re.sub(r"[\d.]+|\b[A-Z]\w+", "#", draw(task, s, i, level)[0].messages[-1]["content"])
                    for i in range(150)
                }
                for s in ("train", "held_out")
            }
            overlap = {q for q in asked["train"] & asked["held_out"] if "[" not in q}
            assert not overlap, overlap


def test_no_wording_is_both_trained_and_held_out_or_there_twice():
    trained = [words for symbol in "+-*/" for words in calculator.ONE[symbol][:-1]]
    held = [calculator.ONE[symbol][-1] for symbol in "+-*/"]
    for first, count in (
        (calculator.SEVERAL, calculator.SEVERAL_HELD_OUT),
        (calculator.STORIES, calculator.STORIES_HELD_OUT),
        (calculator.NEXT, calculator.NEXT_HELD_OUT),
    ):
        trained += [words for words, _ in first[:-count]]
        held += [words for words, _ in first[-count:]]
    trained += [words for o in SINGLE for words in o.ask]
    held += [words for o in SINGLE_HELD_OUT for words in o.ask]
    assert len({*trained, *held}) == len(trained) + len(held)


def test_a_story_is_answered_by_a_whole_number_of_things():
    rng, stories, seen = random.Random(3), {words: e for words, e in calculator.STORIES}, set()
    for _ in range(5000):
        words, expression, structure = calculator._question(rng, 2, rng.random() < 0.1)
        names = {w for w, e in stories.items() if e == structure and re.fullmatch(re.sub(r"\\{\w+\\}", ".+", re.escape(w)), words)}
        assert not names or evaluate(expression).isdigit(), (words, expression)
        seen |= names
    assert seen == set(stories)


def test_one_letter_is_said_and_not_just_a_word_of_the_answer():
    said = {"a": ('The answer is a.', 'It is "a".', "a", "The answers are a and 7."), "1f4": ("It is 0x1f4.", "1f4")}
    for text, right in said.items():
        pattern = re.compile(_spoken(text))
        assert all(pattern.search(answer) for answer in right), text
        for wrong in ("It is a word that I cannot say.", "This has a b.", "I see a cat.", "It is 21f4."):
            assert not pattern.search(wrong), wrong


def test_functions_say_what_is_wrong_with_a_call():
    problem, rng = draw(FUNCTIONS, "train", 3, 1)
    (name, arguments), *_ = calls_in(FUNCTIONS.solve(problem, "none", rng))
    assert FUNCTIONS.act(problem, name, arguments, None) == problem.facts["steps"][0][0]["result"]
    assert FUNCTIONS.act(problem, "nope", arguments, None) == "Error: there is no tool 'nope'"
    assert FUNCTIONS.act(problem, name, {}, None).endswith("is missing")
    assert "there is no argument 'zz'" in FUNCTIONS.act(problem, name, arguments | {"zz": 1}, None)
    (argument,) = [a for a in arguments]
    assert FUNCTIONS.act(problem, name, {argument: "nobody"}, None) == 'Error: nothing is known about "nobody"'
    assert "must be of type string" in FUNCTIONS.act(problem, name, {argument: 3}, None)
    assert misfit({"properties": {"n": {"type": "integer"}}, "required": []}, {"n": True})


def test_answers_to_two_questions_must_not_be_swapped():
    swapped = 0
    for seed in range(150):
        problem, rng = draw(FUNCTIONS, "train", seed, 3)
        if problem.kind == "2 at once":
            *calls, last = FUNCTIONS.solve(problem, "none", rng)
            one, two = (c["result"] for c in problem.facts["steps"][0])
            if one in two or two in one:
                continue
            content = last["content"].replace(one, "@").replace(two, one).replace("@", two)
            verdict = FUNCTIONS.verify(problem, [*calls, {"role": "assistant", "content": content}], None)
            assert not verdict.right, content
            swapped += 1
            sentences = last["content"].split(". ")
            if len(sentences) == 2 and problem.facts["steps"][0][0]["concept"] != "translation":
                turned = f"{sentences[1].rstrip('.')}. {sentences[0]}."
                assert FUNCTIONS.verify(problem, [*calls, {"role": "assistant", "content": turned}], None).right, turned
    assert swapped > 50


def test_a_guess_without_the_call_is_wrong():
    for seed in range(50):
        problem, rng = draw(FUNCTIONS, "train", seed, 1)
        assert "was not made" in FUNCTIONS.verify(problem, FUNCTIONS.solve(problem, "none", rng)[-1:], None).why


def test_random_seeds_do_not_leak_between_calls():
    problem, _ = draw(FUNCTIONS, "train", 5)
    assert FUNCTIONS.solve(problem, "max", random.Random(1)) == FUNCTIONS.solve(problem, "max", random.Random(2))


def thoughts_of(problem, effort, number):
    """What is thought before the calls of a step, from the schemas of the prompt and the calls themselves."""
    tools = {t["function"]["name"]: t["function"] for t in problem.messages[0]["tools"]}
    told = {n: f"{t['description']} {n} {', '.join(t['parameters']['required'])}" for n, t in tools.items()}
    steps, last = problem.facts.get("steps"), problem.messages[-1]
    before = "".join(f"{line}\n" for line in told.values()) if effort == "max" and not number else ""
    if not steps:
        return before + (f"Asked {problem.facts['asked']}: no tool." if problem.kind == "none fits" else "This needs no tool.")
    if number:
        before = f"Result: {steps[number - 1][0]['result']}. "
    elif last["role"] == "tool":
        before += f"{last['content']}. "
    lines = []
    for call in steps[number]:
        values = [f"{a} = {call['arguments'][a]}" for a in tools[call["name"]]["parameters"]["required"]]
        lines.append(f"Asked {concept(call['concept']).word}: {told[call['name']]}: {', '.join(values)}.")
    return before + "\n".join(lines)


@pytest.mark.parametrize("effort", ("high", "max"))
def test_thoughts_choose_a_function_by_its_description_and_bind_its_arguments(effort):
    kinds = set()
    for problem, rng in problems(FUNCTIONS):
        replies = [m for m in FUNCTIONS.solve(problem, effort, rng) if m["role"] == "assistant"]
        chosen = replies[:-1] or replies
        assert len(chosen) == len(problem.facts.get("steps", [0]))
        for number, reply in enumerate(chosen):
            assert reply["reasoning_content"] == thoughts_of(problem, effort, number)
        kinds.add(problem.kind.split(" ")[0] if "none" not in problem.kind else problem.kind)
    assert kinds >= {"one", "2", "3", "4", "chain", "next", "after", "none fits", "none needed"}
