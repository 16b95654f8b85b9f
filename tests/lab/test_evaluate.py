"""An evaluation counts right as right and wrong as wrong, asks nothing twice, and survives what a model may say."""

from __future__ import annotations

import io
import json
import tempfile
import threading
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from evaluation_helpers import SUMS, TASKS, TOOL, Engine, by_heart
from helpers import random_model, tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from finback.checkpoint import save
from finback.cli import app
from finback.lab.evaluate import CONCURRENCY, ROUNDS, Plan, cases, distinct, evaluate, read_rows
from finback.lab.evaluation_report import results, tables, wilson, write
from finback.lab.leaks import Suspect, compare, grams, question, report, suspects, training
from finback.tasks import TASKS as ALL
from finback.tasks import Problem, Verdict, draw
from finback.tasks.protocol import user
from finback.text import train_tokenizer

PLAN = Plan(("sums", "tool"), problems=12)
QUIET = Console(quiet=True)


def run(engine, folder, plan=PLAN, tasks=TASKS, identity="m"):
    about = {"name": "a <model>", "identity": identity, "arithmetic": "by heart"}
    records, found = evaluate(engine, plan, folder, about, tasks, {}, folder, QUIET)
    return results(records, found)


@pytest.fixture(scope="module")
def table():
    return by_heart(cases(PLAN, TASKS, {}, None))


def test_solvers_answers_are_all_right(table, tmp_path):
    found = run(Engine(table), tmp_path)
    assert len(found["sources"]) == 2 * 2 * 3
    for row in found["sources"] + found["abilities"] + found["levels"] + found["kinds"]:
        assert row["rate"] == 1 and row["high"] == pytest.approx(1) and row["low"] < 1 and row["verifier_failed"] == 0
    assert found["wrong"] == {} and found["examples"] == [] and found["reasons"] == []


def test_thinking_is_counted_where_there_is_any(table, tmp_path):
    rows = {(r["source"], r["split"], r["effort"]): r for r in run(Engine(table), tmp_path)["sources"]}
    assert rows["sums", "seen", "none"]["thinking_mean"] == 0
    assert 0 < rows["sums", "seen", "high"]["thinking_mean"] <= rows["sums", "seen", "high"]["thinking_p95"]
    assert rows["tool", "seen", "high"]["tokens_mean"] > rows["tool", "seen", "none"]["tokens_mean"]


def test_changed_answers_are_wrong_one_by_one(table, tmp_path):
    spoilt = {prompt for i, prompt in enumerate(table) if "<tool_result>" not in prompt and i % 3 == 0}
    changed = {p: t.replace("The sum is ", "The sum is 9") if p in spoilt else t for p, t in table.items()}
    expected = sum(changed[p] != table[p] for p in table)
    found = run(Engine(changed), tmp_path)
    assert 0 < expected == len(found["wrong"])
    assert sum(r["answers"] - r["right"] for r in found["sources"]) == expected
    assert all(why.endswith(".") and "instead of" in why for why in found["wrong"].values())
    assert any(r["why"].startswith("… instead of The sum is") for r in found["reasons"])
    assert {row["case"] for row in found["examples"]} <= set(found["wrong"])


def test_cut_off_answers_are_wrong_and_counted(table, tmp_path):
    found = run(Engine(table, lambda text: text[: len(text) // 2], "length"), tmp_path)
    assert all(row["finish"] == {"length": row["answers"]} for row in found["sources"])
    assert all(row["rate"] == 0 for row in found["sources"] if row["source"] == "sums")


@given(
    st.text(st.sampled_from('ab<>/｜DSML \n"{}=') | st.characters(), max_size=40), st.sampled_from(["stop", "length"])
)
def test_any_output_is_an_answer(text, finish):
    plan = Plan(("sums", "tool"), problems=2, efforts=("none", "high"))
    heart = by_heart(cases(plan, TASKS, {}, None))
    with tempfile.TemporaryDirectory() as folder:
        found = run(Engine(dict.fromkeys(heart, text), finish=finish), Path(folder), plan)
    assert all(row["rate"] == 0 for row in found["sources"])


def test_tool_call_with_broken_arguments_is_answered_and_goes_on(tmp_path):
    plan = Plan(("tool",), problems=1, efforts=("none",), splits=("seen",))
    heart = by_heart(cases(plan, TASKS, {}, None))

    class Stubborn(Engine):
        def submit(self, prompt, params):
            self.table[prompt] = next(iter(heart.values())).replace("numbers", "digits")
            return super().submit(prompt, params)

    engine = Stubborn({})
    found = run(engine, tmp_path, plan)
    assert len(engine.asked) == ROUNDS + 1
    assert "error: KeyError" in engine.asked[1]
    assert found["sources"][0]["finish"] == {"rounds": 1} and found["sources"][0]["right"] == 0


def test_half_a_character_in_a_call_reaches_no_file(tmp_path):
    plan = Plan(("tool",), problems=1, efforts=("none",), splits=("seen",))
    tasks = {
        "tool": replace(
            TOOL,
            act=lambda problem, name, arguments, box: f"no {arguments}",
            verify=lambda problem, replies, box: Verdict(False, "\ud800"),
        )
    }
    heart = by_heart(cases(plan, tasks, {}, None), tasks)
    text = next(iter(heart.values())).replace("numbers", "\\ud800")

    class Echo(Engine):
        def submit(self, prompt, params):
            self.table[prompt.encode().decode()] = text
            return super().submit(prompt, params)

    found = run(Echo({}), tmp_path, plan, tasks)
    write(found, tmp_path)
    assert found["wrong"] == {"tool/seen/0/none/0": "?"}


def test_finished_answers_are_not_asked_again(table, tmp_path):
    first = Engine(table)
    whole = run(first, tmp_path / "whole")
    run(Engine(table), tmp_path / "cut")
    file = tmp_path / "cut" / "answers.jsonl"
    lines = [line for line in file.read_text().splitlines(keepends=True) if "process" not in line]
    file.write_text("".join(lines[:50]) + lines[50][:30])  # as a kill leaves it
    second = Engine(table)
    again = run(second, tmp_path / "cut")
    asked = sum(1 + (row["case"].startswith("tool")) for row in map(json.loads, lines[50:]))
    assert len(second.asked) == asked < len(first.asked)
    for part in ("sources", "abilities", "kinds"):
        for a, b in zip(whole[part], again[part], strict=True):
            assert {k: v for k, v in a.items() if k != "tokens_a_second"} == {
                k: v for k, v in b.items() if k != "tokens_a_second"
            }
    third = Engine(table)
    run(third, tmp_path / "cut")
    assert third.asked == []


def test_a_changed_question_is_asked_again(table, tmp_path):
    run(Engine(table), tmp_path)

    def politely(rng, level, held_out):
        problem = SUMS.sample(rng, level, held_out)
        return replace(problem, messages=user("Kindly: " + problem.messages[0]["content"]))

    tasks = {"sums": replace(SUMS, sample=politely), "tool": TOOL}
    engine = Engine(by_heart(cases(PLAN, tasks, {}, None), tasks))
    found = run(engine, tmp_path, tasks=tasks)
    assert len(engine.asked) == 12 * 2 * 3 and all("Kindly" in prompt for prompt in engine.asked)
    assert found["wrong"] == {}


def test_a_folder_keeps_the_answers_of_one_model(table, tmp_path):
    run(Engine(table), tmp_path)
    with pytest.raises(ValueError, match="another model: give another folder"):
        run(Engine(table), tmp_path, identity="n")
    with pytest.raises(ValueError, match="another seed and max_tokens"):
        run(Engine(table), tmp_path, replace(PLAN, seed=2, max_tokens=5))


def test_a_failure_of_the_engine_ends_the_run_and_keeps_what_was_answered(table, tmp_path):
    class Breaking(Engine):
        def submit(self, prompt, params):
            if len(self.asked) == 20:
                raise RuntimeError("out of memory")
            return super().submit(prompt, params)

    engine = Breaking(table)
    with pytest.raises(RuntimeError, match="out of memory"):
        run(engine, tmp_path)
    assert engine.closed
    assert all("case" in row for row in read_rows(tmp_path / "answers.jsonl"))
    assert run(Engine(table), tmp_path)["wrong"] == {}


def test_a_verifier_that_fails_is_a_wrong_answer_and_is_counted(table, tmp_path):
    def fails(problem, replies, box):
        raise IndexError("no such thing")

    found = run(Engine(table), tmp_path, tasks={"sums": replace(SUMS, verify=fails), "tool": TOOL})
    row = next(row for row in found["sources"] if row["source"] == "sums")
    assert row["right"] == 0 and row["verifier_failed"] == row["answers"]
    write(found, tmp_path)
    assert "verifier failures" in (tmp_path / "report.html").read_text()


def test_problems_are_distinct_levels_take_turns_and_splits_are_kept():
    found = distinct(SUMS, "seen", 30, 1)
    assert len({p.key for _, p in found}) == 30
    assert {level for level, _ in found} == {1, 2, 3}
    assert {p.kind for _, p in distinct(SUMS, "held_out", 9, 1)} == {"3 numbers"}
    assert distinct(SUMS, "seen", 30, 1) == found != distinct(SUMS, "seen", 30, 2)
    few = replace(
        SUMS, levels=1, sample=lambda rng, level, held_out: Problem("", "the same", user(f"in words {rng.randrange(99)}"))
    )
    assert len(distinct(few, "held_out", 30, 1)) == 1


def test_efforts_and_samples_share_their_problems():
    found = cases(Plan(("sums",), problems=5, samples=3, temperature=1.0), TASKS, {}, None)
    assert len({c.name for c in found}) == len(found) == 5 * 2 * 3 * 3
    assert len({c.problem.messages[0]["content"] for c in found}) == 10
    assert found[0].effort == "max" and found[-1].effort == "none"


def test_samples_narrow_no_interval(table, tmp_path):
    one = run(Engine(table), tmp_path / "one", replace(PLAN, tasks=("sums",)))
    four = run(Engine(table), tmp_path / "four", replace(PLAN, tasks=("sums",), samples=4, temperature=1.0))
    assert [(r["n"], r["low"]) for r in one["sources"]] == [(r["n"], r["low"]) for r in four["sources"]]
    assert four["sources"][0]["answers"] == 4 * four["sources"][0]["n"]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"samples": 3}, "the same answer"),
        ({"efforts": ("low",)}, "efforts is low"),
        ({"splits": ("train",)}, "splits is train"),
        ({"splits": ()}, "splits is empty"),
    ],
)
def test_plans_that_make_no_sense_are_refused(changes, cause):
    with pytest.raises(ValueError, match=cause):
        Plan(("sums",), **changes)


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no task 'summs': choose from sums, tool"):
        cases(Plan(("summs",)), TASKS, {}, None)
    with pytest.raises(ValueError, match="nothing to ask"):
        cases(Plan(()), TASKS, {}, None)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662), (10, 10, 0.7225, 1.0)],
)
def test_wilson_gives_the_published_intervals(right, n, low, high):
    assert wilson(right, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_page_shows_everything_and_asks_nothing_of_the_network(table, tmp_path):
    found = run(Engine(table, lambda text: text.replace("sum", "<script>alert(1)</script>")), tmp_path)
    write(found, tmp_path)
    assert json.loads((tmp_path / "results.json").read_text()) == json.loads(json.dumps(found))
    lines = (tmp_path / "rates.md").read_text().splitlines()
    for row in found["sources"]:
        (line,) = (x for x in lines if x.startswith(f"| {row['source']} | {row['split'].replace('_', ' ')} | {row['n']} |"))
        assert f"{100 * row['rate']:.0f} (" in line
    text = (tmp_path / "report.html").read_text()
    read = Tags(text)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in read.tags}
    assert "http" not in text.replace("http-equiv", "")
    assert "<script>alert(1)</script>" in read.text and "Evaluation of a <model>" in read.text
    pictures = [a["aria-label"] for tag, a in read.tags if tag == "svg"]
    assert len(pictures) == len(set(pictures)) == 6
    ids = [a["id"] for _, a in read.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for word in ("sums", "tool", "held_out", "3 numbers"):
        assert word in read.text


def test_table_has_a_row_for_each_source_and_split_and_its_ability(table, tmp_path):
    shown = tables(run(Engine(table), tmp_path))
    assert shown.row_count == 2 * (2 + 2)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(shown)
    assert "100 (" in console.export_text()


# --- leaks ---


def suspect(text: str, key: str = "k", source: str = "sums") -> Suspect:
    problem = Problem("", key, user(text))
    return Suspect(source, "seen", problem, question(problem), {n: grams(question(problem), n) for n in (8, 13)})


LONG = "On a bright cold day in April Tom counted forty one brown sheep and nine white goats near the old stone bridge"


def test_copies_are_found_in_other_spelling_and_other_names():
    exact, renamed, new = (
        suspect(LONG.upper() + "  "),
        suspect("something else", "abc"),
        suspect("unlike all of it", "x"),
    )
    drawn = [
        ("sums", Problem("", "k2", user(LONG))),
        ("sums", Problem("", "abc", user("another wording"))),
        ("tool", Problem("", "x", user("another task"))),
    ]
    assert compare([exact, renamed, new], drawn, 3) == 3
    assert (exact.same_prompt, exact.same_key, exact.nearest[8], exact.covered[13]) == (True, False, 1.0, 1.0)
    assert (renamed.same_prompt, renamed.same_key) == (False, True)
    assert not new.too_close and new.nearest[8] is None


def test_half_a_copy_is_measured_as_half_and_shown():
    words = LONG.split()
    half = " ".join(words[:15]) + " all alone by himself without anybody to help him"
    found = suspect(half)
    compare(
        [found, other := suspect(LONG)],
        [("sums", Problem("", "k2", user(LONG))), ("sums", Problem("", "k3", user("nothing of the kind")))],
        2,
    )
    assert found.nearest[8] == pytest.approx(8 / (len(half.split()) - 7))
    assert found.beside == question(Problem("", "", user(LONG)))
    assert other.nearest[8] == 1
    said = report([found, other], 2, 1)
    assert said["rows"][0]["too_close"] == 1 and said["rows"][0]["nearest_8"] == 1


def test_wording_of_a_template_is_nobodys_own():
    frame = "Here is a question that everybody is asked in just these words every single day of the week: "
    drawn = [("sums", Problem("", f"k{i}", user(frame + f"what about number {i}"))) for i in range(300)]
    found = suspect(frame + "which of the three apples on the table in front of us is the reddest one", "new")
    compare([found], drawn, 300)
    assert found.covered[8] > 0.3 and found.nearest[8] == 0 and not found.too_close


def test_a_tasks_splits_share_no_key_with_training():
    found = suspects(Plan(("sums",), problems=20), TASKS, {}, None)
    count = compare(found, training({"sums": SUMS}, 400, Path("nowhere")), 400)
    assert count == 400 and len(found) == 40
    assert not any(s.same_key or s.same_prompt for s in found)
    leaked, _ = draw(SUMS, "train", "leaks 7")
    again = [replace(found[0], problem=leaked, text=question(leaked))]
    compare(again, training({"sums": SUMS}, 20, Path("nowhere")), 20)
    assert again[0].same_key and again[0].same_prompt


def test_questions_of_the_corpora_count_as_training(tmp_path):
    (tmp_path / "math").mkdir()
    (tmp_path / "math" / "gsm8k_train.jsonl").write_text(json.dumps({"question": LONG, "answer": "50"}) + "\n")
    found = suspect(LONG)
    assert compare([found], training({}, 10, tmp_path), 10) == 1
    assert found.same_prompt and found.too_close


def test_verdict_of_a_refused_prompt_says_so(table, tmp_path):
    class Refusing(Engine):
        def submit(self, prompt, params):
            raise ValueError("the prompt has 9000 tokens; the model takes fewer than 8192")

    found = run(Refusing(table), tmp_path)
    assert set(found["wrong"].values()) == {"unasked: the prompt has 9000 tokens; the model takes fewer than 8192"}
    assert found["sources"][0]["finish"] == {"unasked": found["sources"][0]["answers"]}


def test_as_many_conversations_as_said_are_under_way(tmp_path):
    plan = Plan(("sums",), problems=CONCURRENCY, efforts=("high",), splits=("seen",))
    together = threading.Barrier(CONCURRENCY, timeout=20)

    class Meeting(Engine):
        def submit(self, prompt, params):
            together.wait()
            return super().submit(prompt, params)

    assert run(Meeting(by_heart(cases(plan, TASKS, {}, None))), tmp_path, plan)["wrong"] == {}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eval") / "tiny"
    tokenizer = train_tokenizer(["hello there, hello you"], 340)
    save(random_model(tiny_config(vocab_size=tokenizer.vocab_size)), folder, weight_format="fp32")
    tokenizer.save(folder)
    return folder


def test_command_asks_a_model_once_and_shows_the_leak_check(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr("finback.tasks.TASKS", TASKS)
    monkeypatch.setenv("FINBACK_DATA", str(tmp_path / "nothing"))

    def command(*more):
        result = CliRunner().invoke(
            app,
            [
                "eval",
                "-m",
                str(checkpoint),
                "--problems",
                "2",
                "--max-tokens",
                "6",
                "--out",
                str(tmp_path / "out"),
                *more,
            ],
            env={"COLUMNS": "200"},
        )
        assert result.exit_code == 0, result.output
        return result.output

    assert "sums" in command("--tasks", "sums", "--efforts", "none,high")
    first = (tmp_path / "out" / "answers.jsonl").read_text()
    assert len(first.splitlines()) == 2 * 2 * 2 + 1
    assert "leaks" in command("--leaks", "20", "--abilities", "mathematics")
    assert "tool" in command()  # the rest of what there is
    lines = (tmp_path / "out" / "answers.jsonl").read_text()
    assert lines.startswith(first) and sum(line.count('"case"') for line in lines.splitlines()) == 2 * 2 * 2 * 3
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (
        found["leaks"]["training"] == 40
        and found["about"]["identity"] == json.loads((tmp_path / "out" / "run.json").read_text())["model"]
    )
    assert "Compared with 40 training questions" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_tasks_own_solver_is_right_through_an_evaluation(name, tmp_path):
    plan = Plan((name,), problems=2)
    found = run(Engine(by_heart(cases(plan, ALL, {}, None), ALL)), tmp_path, plan, ALL)
    assert found["wrong"] == {}
    assert sum(row["n"] for row in found["sources"]) == 2 * 2 * 3
