"""Talk is about what was asked: stories name it, instructions are followed exactly, what was said is remembered."""

from __future__ import annotations

import json
import re

import pytest
from code_box import ForkBox

from finback.tasks import TASKS as ALL_TASKS
from finback.tasks.protocol import EFFORTS, Problem, draw, is_seen, render
from finback.tasks.talk import CHAT, INSTRUCTION, RECALL, SEVERAL, STORY, TASKS
from finback.tasks.talk.chat import MEMORIES, MEMORIES_HELD_OUT
from finback.tasks.talk.facts import CATEGORIES, FACTS, FACTS_CHINESE
from finback.tasks.talk.instructions import STEPS_HELD_OUT
from finback.tasks.talk.plots import OPENINGS, PLOTS
from finback.tasks.talk.recall import HELD_OUT_LENGTH, WORDINGS
from finback.tasks.talk.sayings import ITSELF, MANNERS
from finback.tasks.talk.story import ABOUT, VOCABULARY, is_no_story
from finback.tasks.talk.words import FOODS, KIND, PLACE, THING, WEATHERS, with_article

TASKS = {name: task for name, task in TASKS.items() if task is not SEVERAL}  # that runs code, and is judged by other tasks
EACH = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)


def problems(task, splits=("train", "held_out"), seeds=range(60)):
    for split in splits:
        for seed in seeds:
            for level in range(1, task.levels + 1):
                yield draw(task, split, seed, level)


def reply(content):
    return [{"role": "assistant", "content": content}]


def answer(problem, task, rng):
    return task.solve(problem, "none", rng)[0]["content"]


def about_how_many_tokens(text: str) -> int:
    return len(re.findall(r"[A-Za-z]+|\d|[^\sA-Za-z\d]", text))


@EACH
def test_its_own_traces_are_right_at_every_effort(task):
    for problem, rng in problems(task, seeds=range(50)):
        for effort in EFFORTS:
            replies = task.solve(problem, effort, rng)
            verdict = task.verify(problem, replies, None)
            assert verdict.right, (verdict.why, problem.messages, replies)
            assert ("reasoning_content" in replies[0]) == (effort != "none") and len(replies) == 1


@EACH
def test_the_same_seed_gives_the_same_problem(task):
    for split in ("train", "seen", "held_out"):
        (a, rng_a), (b, rng_b) = draw(task, split, 7), draw(task, split, 7)
        assert a == b and task.solve(a, "max", rng_a) == task.solve(b, "max", rng_b)
        assert json.loads(json.dumps(a.facts)) == a.facts


@EACH
def test_answers_and_thoughts_are_short(task):
    for problem, rng in problems(task, seeds=range(30)):
        lengths = {}
        for effort in EFFORTS:
            before = about_how_many_tokens(render(problem.messages, effort))
            lengths[effort] = (
                about_how_many_tokens(render([*problem.messages, *task.solve(problem, effort, rng)], effort)) - before
            )
        assert max(lengths.values()) < (450 if task is RECALL else 260) and before < 350, lengths
        if task not in (STORY, RECALL):  # a story told again is another one, and a list looked up is said in the thoughts
            assert lengths["none"] < lengths["high"] + 20 < lengths["none"] + 70


@EACH
@pytest.mark.parametrize(
    "replies",
    [
        [],
        None,
        [None],
        [{}],
        [{"role": "assistant"}],
        [{"role": "assistant", "content": 3}],
        reply(""),
        reply("   "),
        reply("x" * 10**6),
        reply("。" * 500),
        reply("the " * 3000),
        [{"role": "user", "content": "Hello! How can I help you?"}],
        reply("The dog. The dog. The dog. The dog."),
        reply("((((" * 1000),
    ],
)
def test_a_verifier_survives_anything(task, replies):
    for level in range(1, task.levels + 1):
        for seed in range(3):
            verdict = task.verify(draw(task, "train", seed, level)[0], replies, None)
            assert not verdict.right and verdict.why


@EACH
def test_one_in_five_is_chinese_or_so(task):
    chinese = sum(
        bool(re.search(r"[\u4e00-\u9fff]", answer(p, task, rng)))
        for p, rng in (draw(task, "train", s) for s in range(500))
    )
    assert 40 < chinese < 160


# Stories


def test_stories_vary():
    stories = [answer(*((p := draw(STORY, "train", s, 2))[0], STORY, p[1])) for s in range(300)]
    assert len(set(stories)) == 300
    english = [s for s in stories if s.isascii()]
    assert len({s.split(". ")[0] for s in english}) > 200
    assert len({w for s in english for w in re.findall(r"[a-z]+", s.lower())}) > 800


def test_every_plot_can_be_told_of_everything():
    for row in (*KIND, *THING, *PLACE):
        assert row.noun in VOCABULARY
    assert (
        len(VOCABULARY) > 1500
        and len(PLOTS) >= 16
        and len(OPENINGS) >= 7
        and len(FOODS) == len(set(FOODS))
        and len(WEATHERS) == len(set(WEATHERS))
    )
    for table in (KIND, THING, PLACE):
        assert len({row.noun for row in table}) == len(table)


def test_an_article_fits_its_noun():
    assert [with_article(w) for w in ("owl", "old fox", "fox", "umbrella", "useful key", "honest bear")] == [
        "an owl",
        "an old fox",
        "a fox",
        "an umbrella",
        "a useful key",
        "an honest bear",
    ]
    for problem, rng in problems(STORY, ("train",)):
        text = answer(problem, STORY, rng)
        assert not re.search(r"\b[Aa] [aeio]|\b[Aa]n [^aeiouh]|  |[{}]| [.,]", text), text


def test_a_story_about_something_else_is_refused():
    for seed in range(60):
        problem, rng = draw(STORY, "train", seed, 3)
        story = answer(problem, STORY, rng)
        for word in problem.facts["words"]:
            other = re.sub(re.escape(word), "莫名" if not word.isascii() else "thing", story, flags=re.IGNORECASE)
            assert word in STORY.verify(problem, reply(other), None).why


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda s: s[: len(s) // 2].rstrip('.!?" '), "middle"),
        (lambda s: s.split(". ")[0] + ".", "sentences"),
        (lambda s: s + " " + s, "sentences"),
        (lambda s: " ".join(s.split(". ")[:3]) + ". " + " ".join([s.split(". ")[0] + "."] * 3), "repeats"),
        (lambda s: s + " And then, and then, and then, and then, and then it was over.", "repeats|sentences"),
        (lambda s: re.sub(r"\b[a-z]{3,}\b", lambda m: m[0][::-1] + "q", s), "do not exist"),
        (lambda s: "A. B. C. D. E.", "too short"),
        (lambda s: s * 50, "too long"),
    ],
)
def test_what_is_no_story_is_refused(spoil, why):
    seen = 0
    for seed in range(40):
        problem, rng = draw(STORY, "train", seed, 1)
        story = answer(problem, STORY, rng)
        if story.isascii() and "?" not in story:
            seen += 1
            assert re.search(why, is_no_story(spoil(story), False)), spoil(story)
    assert seen > 15


@pytest.mark.parametrize(
    "form",
    [
        lambda s: f"\n{s}\n\n",
        lambda s: s.replace(". ", ".\n\n"),
        lambda s: s.replace('"', "“"),
        lambda s: s.replace(". ", "! ", 1),
    ],
)
def test_a_right_story_in_another_form_is_accepted(form):
    for seed in range(40):
        problem, rng = draw(STORY, "train", seed, 2)
        verdict = STORY.verify(problem, reply(form(answer(problem, STORY, rng))), None)
        assert verdict.right, verdict


# Instructions


def test_wrong_answers_to_instructions_are_refused():
    counts = {}
    for seed in range(60):
        for level in range(1, 5):
            problem, _ = draw(INSTRUCTION, "train", seed, level)
            for other_seed in range(200, 212):
                other, rng = draw(INSTRUCTION, "train", other_seed, level)
                said = answer(other, INSTRUCTION, rng)
                same = INSTRUCTION.verify(other, reply(problem.facts["answer"]), None).right
                if (
                    problem.facts["want"] != other.facts["want"]
                    and not same
                    and said != problem.facts["answer"]
                    and not problem.facts.get("sentence")
                ):
                    if INSTRUCTION.verify(problem, reply(said), None).right:
                        # A list can be right by chance, a one-letter word can stand in another answer.
                        counts[problem.kind] = counts.get(problem.kind, 0) + 1
    assert sum(counts.values()) < 12, counts


def test_naming_several_answers_is_no_answer():
    for it in (*FACTS, *FACTS_CHINESE):
        rows = sorted(it.table.items())
        for row, value in rows[:6]:
            problem = next(
                p
                for p in (draw(INSTRUCTION, "train", f"{it.name} {s}", 1)[0] for s in range(5000))
                if p.kind == f"fact {it.name}"
            )
            wrong = next(
                v
                for v in it.table.values()
                if v != problem.facts["want"]
                and v not in problem.facts["want"]
                and problem.facts["want"] not in v
                and v not in problem.messages[-1]["content"]
            )
            for said in (f"{problem.facts['want']} {wrong}", f"{wrong} or {problem.facts['want']} or {wrong}", wrong):
                assert not INSTRUCTION.verify(problem, reply(said), None).right, (problem, said)
            break


@pytest.mark.parametrize(
    "form", [lambda s: f"**{s}**", lambda s: f"  {s} ", lambda s: s.rstrip(".") + "!", lambda s: s.replace('"', "")]
)
def test_right_answers_in_other_forms_are_accepted(form):
    for problem, rng in problems(INSTRUCTION, ("train",), range(40)):
        verdict = INSTRUCTION.verify(problem, reply(form(answer(problem, INSTRUCTION, rng))), None)
        assert verdict.right, (verdict, problem)


@pytest.mark.parametrize(
    "form",
    [
        "1. {}\n2. {}\n3. {}",
        "- {}\n- {}\n- {}",
        "Sure: {}, {} and {}.",
        "{}, {}, and {}",
        "The {}, the {} and the {}.",
        "Here are three: {}, {}, {}",
    ],
)
def test_lists_may_look_as_they_like(form):
    problem = next(
        p
        for p in (draw(INSTRUCTION, "train", s, 2)[0] for s in range(500))
        if p.kind == "list animals" and p.facts["count"] == 3
    )
    names = CATEGORIES["animals"][1]
    verdict = INSTRUCTION.verify(problem, reply(form.format(*names[:3])), None)
    assert verdict.right or "Here are" in form, verdict
    for wrong in (names[:2] + names[:1], names[:2] + ["table"], names[:2] + ["xyzzy"]):
        assert not INSTRUCTION.verify(problem, reply(form.format(*wrong)), None).right
    assert not INSTRUCTION.verify(problem, reply(", ".join(names[:4])), None).right


def test_counting_goes_through_the_words():
    for seed in range(300):
        problem, rng = draw(INSTRUCTION, "train", seed, 2)
        if problem.kind == "count":
            thoughts = INSTRUCTION.solve(problem, "high", rng)[0]["reasoning_content"]
            assert thoughts.rstrip(".").split()[-1] == problem.facts["want"]
            assert not INSTRUCTION.verify(
                problem, reply(f"There are {int(problem.facts['want']) + 1} words."), None
            ).right


# Chat


def test_what_was_said_is_remembered_and_nothing_else():
    for problem, rng in problems(CHAT, seeds=range(50)):
        if problem.kind.startswith("memory"):
            (wanted,) = problem.facts["must"][0]
            other = next(v for v in problem.facts["values"] if v not in wanted and wanted not in v)
            said = answer(problem, CHAT, rng)
            assert not CHAT.verify(problem, reply(said.replace(wanted, other)), None).right
            assert not CHAT.verify(problem, reply(f"{said} {other}"), None).right
            assert CHAT.verify(problem, reply(f"Of course! {said.upper()}"), None).right
            for also in problem.facts["never"]:
                assert not CHAT.verify(problem, reply(f"{said} {also}"), None).right


def test_every_stock_reply_says_what_it_must_and_fits_only_its_own_kind():
    for it in (*MANNERS, *ITSELF):
        for text in it.replies:
            assert all(
                any(re.search(rf"(?<!\w){w}(?!\w)", text, re.I) if w.isascii() else w in text for w in words)
                for words in it.must
            ), it.name
            assert not any(re.search(rf"\b{w}\b", text, re.I) for w in it.never)
    problem, _ = next((p, r) for p, r in (draw(CHAT, "train", s, 2) for s in range(500)) if p.kind == "chat who")
    for wrong in ("I am ChatGPT.", "I am DeepSeek.", "Hello!", "I am a human named Ada."):
        assert not CHAT.verify(problem, reply(wrong), None).right


# What is held out


def test_held_out_wordings_and_structures_are_never_trained_on():
    asked = {split: [draw(CHAT, split, s)[0] for s in range(400)] for split in ("train", "held_out")}
    held = {it.said[-1] for it in (*MANNERS, *ITSELF)}
    assert not any(
        p.messages[-1]["content"].endswith(h) for p in asked["train"] for h in held if p.kind.startswith("chat")
    )
    names = {s: {p.kind for p in asked[s] if p.kind.startswith("memory")} for s in asked}
    assert names["train"] <= {f"memory {m.name}" for m in MEMORIES} and names["held_out"] <= {
        f"memory {m.name}" for m in MEMORIES_HELD_OUT
    }
    steps = {split: {draw(INSTRUCTION, split, s, 3)[0].kind for s in range(400)} for split in ("train", "held_out")}
    assert not steps["train"] & steps["held_out"] and len(steps["held_out"]) == len(STEPS_HELD_OUT)
    for seed in range(300):
        train, _ = draw(INSTRUCTION, "train", seed, 2)
        assert train.facts.get("count") != 4 or not train.kind.startswith("list")
        story, rng = draw(STORY, "train", seed, 2)
        assert not any(
            story.messages[-1]["content"].startswith(w.split("{")[0])
            for ws in ABOUT.values()
            for w in ws[-2:]
            if len(w.split("{")[0]) > 15
        )
    pairs = {
        s: {
            (p.facts["cast"].get("kind"), p.facts["cast"].get("thing"))
            for p in (draw(STORY, s, i, 3)[0] for i in range(400))
            if "cast" in p.facts
        }
        for s in ("train", "held_out")
    }
    assert not {p for p in pairs["train"] & pairs["held_out"] if p[0]}


def test_what_is_recalled_must_be_all_of_it_in_its_order():
    wanted = {"repeat": ("ant bee cow", "ant bee", "bee ant cow"), "backwards": ("cow bee ant", "ant bee cow"), "belongs": ("bee", "ant"),
              "join": ("ant in red, ant to 7; bee in pink, bee to 8", "ant in red; bee in pink", "ant in red, ant to 8; bee in pink, bee to 7")}  # fmt: skip
    for kind, (right, *wrong) in wanted.items():
        problem = Problem(kind, "", [], {"want": right, "work": right})
        for said in (right, right.upper(), f" {right}. ", right.replace(" ", ", ")):
            assert RECALL.verify(problem, reply(said), None).right, said
        for said in (*wrong, f"{right} dog", "", f"It is {right}"):
            assert not RECALL.verify(problem, reply(said), None).right, said


def test_stacks_may_stand_in_any_order_but_blocks_may_not():
    problem = Problem("stacks", "", [], {"want": "red blue | pink", "work": ""})
    for said in ("red blue | pink", "Pink | red blue", "pink|red blue."):
        assert RECALL.verify(problem, reply(said), None).right, said
    for said in ("blue red | pink", "red blue", "red | blue pink", "red blue | pink | pink"):
        assert not RECALL.verify(problem, reply(said), None).right, said


def test_a_recalled_answer_is_made_of_what_the_prompt_says():
    for problem, _ in problems(RECALL):
        asked = problem.messages[0]["content"]
        assert all(word in asked for word in re.findall(r"\w+", problem.facts["want"]))


def test_a_table_said_otherwise_is_the_same_table():
    """What is wanted is in the prompt word for word, in the order that it asks for, and nothing of it is left out."""
    kinds = set()
    for seed in range(300):
        problem, _ = draw(RECALL, "train", seed, 5)
        prompt, rows = problem.messages[0]["content"], re.split(r"[;；]\s?", problem.facts["want"])
        kinds.add(problem.kind)
        if problem.kind == "group":
            heads = [row.partition(": ")[0] for row in rows]
            assert re.search(r"[,，]\s?".join(heads), prompt), "the order is that of the request"
            members = [re.findall(r"\w+", row.partition(": ")[2]) for row in rows]
            for head, keys in zip(heads, members):
                assert all(re.search(rf"\b{key}(?: is | to | in | has |: | = | -> | ){head}\b", prompt) for key in keys), problem
            listed = max(re.split(r"[?？。.:：]\s?(?=\S)|[?？。.]$", prompt), key=len)
            assert sum(map(len, members)) >= len(re.split(r"[,，]\s?", listed)) - 1, problem
        else:
            pairs = [re.split(r"[,，]\s?", row) for row in rows]
            assert all(pair in prompt for row in pairs for pair in row), problem
            assert {len(row) for row in pairs} == {2 if problem.kind == "join" else 1}
            keys = [re.match(r"\w+", row[0])[0] for row in pairs]
            assert all(re.match(r"\w+", pair)[0] == key for row, key in zip(pairs, keys) for pair in row)
            assert re.search(r"[,，]\s?".join(keys), prompt), "the order is that of the request"
    assert kinds == {"arrange", "join", "group"}


def test_what_is_compared_is_what_the_prompt_says_and_the_verdicts_are_true():
    kinds = set()
    for seed in range(300):
        problem, _ = draw(RECALL, "train", seed, 6)
        prompt, rows = problem.messages[0]["content"], problem.facts["work"].split("\n")
        wanted = re.split(r"[;；]\s?", problem.facts["want"])
        kinds.add(problem.kind)
        verdicts = set()
        for row, want in zip(rows, wanted, strict=True):
            *looked_up, compared = row.rsplit(": ", 1) if problem.kind == "agree" else (row,)
            a, b, verdict = compared.split(" ", 2)
            assert want == (re.match(r"\w+", row)[0] + " " + verdict if looked_up else row)
            if problem.kind == "more":
                assert verdict == ("same" if int(a) == int(b) else "more" if int(a) > int(b) else "less")
            else:
                verdicts.add((a == b, verdict))
            if looked_up:
                assert [part.split()[-1] for part in re.split(r"[,，]\s?", looked_up[0])] == [a, b]
                assert all(part in prompt for part in re.split(r"[,，]\s?", looked_up[0])), problem
            else:
                assert f"{a} {b}" in prompt
        assert len(verdicts) == len({same for same, _ in verdicts}) == len({word for _, word in verdicts})
    assert kinds == {"same", "more", "agree"}


def test_verdicts_may_be_listed_in_any_order_and_must_all_be_there():
    agree = Problem("agree", "", [], {"want": "ant yes; bee no; b3 yes", "work": ""})
    for said in ("ant yes; bee no; b3 yes", "- bee: no\n- ant: yes\n- b3: yes", "B3 yes, ant yes, bee no."):
        assert RECALL.verify(agree, reply(said), None).right, said
    for said in ("ant yes; bee no", "ant yes; bee yes; b3 yes", "ant yes; bee no; b3 yes; cow no", "yes no yes", ""):
        assert not RECALL.verify(agree, reply(said), None).right, said
    same = Problem("same", "", [], {"want": "a a yes; a b no", "work": ""})
    assert RECALL.verify(same, reply("a a: yes\na b: no"), None).right
    for said in ("a a yes; a b yes", "a b no; a a yes", "a a yes"):
        assert not RECALL.verify(same, reply(said), None).right, said


def test_who_belongs_to_what_may_be_said_in_any_order():
    problem = Problem("group", "", [], {"want": "red: ant, bee; pink: cow; grey: -", "work": ""})
    for said in ("red: ant, bee; pink: cow; grey: -", "Pink: cow; red: bee, ant", "red: ant, bee\npink: cow\ngrey: none."):
        assert RECALL.verify(problem, reply(said), None).right, said
    for said in ("red: ant; pink: cow", "red: ant, bee, cow; pink: cow", "pink: ant, bee; red: cow", "red: ant, bee; pink: cow; grey: cow", "red: ant, bee", ""):
        assert not RECALL.verify(problem, reply(said), None).right, said


def test_wordings_and_lengths_of_recall_that_are_held_out_are_not_trained():
    for seed in range(300):
        for level in (1, 2, 3, 5, 6, 7):
            problem, _ = draw(RECALL, "train", seed, level)
            prompt = problem.messages[0]["content"]
            for wordings in filter(None, WORDINGS[problem.kind]):
                said = [re.escape(part) for part in wordings[-1].replace("{1}", "{0}").split("{0}")]
                assert not re.fullmatch("(.+)".join(said), prompt), (problem.kind, prompt)
            if problem.kind in ("repeat", "backwards") and not re.fullmatch(r"\d{6,}", problem.facts["want"]):
                assert len(re.findall(r"\w+", problem.facts["want"])) != HELD_OUT_LENGTH


def test_what_a_word_problem_counts_is_read_in_its_order_and_with_its_words():
    beasts, exchanged = {kind.noun for kind in KIND}, 0  # hardly any of which the stories themselves count
    for seed in range(200):
        problem, _ = draw(RECALL, "train", seed, 7)
        prompt, want = problem.messages[0]["content"], problem.facts["want"].split(", ")
        at = 0
        for each in want:
            assert each in prompt[at:], (each, prompt)
            at = prompt.index(each, at) + len(each)
        numbers = re.findall(r"\d[\d.,]*(?<![.,])", re.sub(r"\b[Tt]he \d+", "", prompt))
        assert all(any(n in each for each in want) for n in numbers)
        exchanged += any(w in beasts for w in re.findall(r"\d ([a-z]{3,})s\b", prompt))
        assert not RECALL.verify(problem, reply(", ".join(want[1:])), None).right
    assert exchanged > 25


@pytest.fixture(scope="module")
def box():
    box = ForkBox()
    yield box
    box.close()


def test_each_turn_of_a_conversation_with_several_subjects_is_right_for_its_own_task(box):
    for problem, rng in problems(SEVERAL, seeds=range(8)):
        assert not SEVERAL.verify(problem, reply("I do not know."), box).right
        task = ALL_TASKS[problem.facts["task"]]
        assert problem.messages[-len(problem.facts["messages"]) :] == problem.facts["messages"]
        assert not is_seen(task.name, problem.facts["key"]), "what is kept for measuring that task is shown here"
        for effort in EFFORTS:
            assert SEVERAL.verify(problem, SEVERAL.solve(problem, effort, rng), box).right
        assert [m["role"] for m in problem.messages] == ["user", "assistant"] * (len(problem.messages) // 2) + ["user"]


def test_pairs_of_subjects_that_are_held_out_never_follow_each_other_in_training():
    kinds = {split: {problem.kind for problem, _ in problems(SEVERAL, (split,), range(120))} for split in ("train", "held_out")}
    assert kinds["train"] and kinds["held_out"] and not kinds["train"] & kinds["held_out"]
    for problem, _ in problems(SEVERAL, ("train",), range(40)):
        assert about_how_many_tokens(render(problem.messages, "none")) < 1000
