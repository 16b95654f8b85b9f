"""Did training see what we measure with? Distances between the tasks' training draws and an evaluation's problems.

Four distances for each problem: whether a training prompt equals it word for word (normalised, tools included); whether
a training problem of the same task, or for a public set of any, has its canonical form (other names, same problem); how
many of its word n-grams stand anywhere in training; and how many of its *own* n-grams stand in one training prompt. Own
are those that few training prompts have: the others are the wording of a template, which is meant to be learnt. n is 8,
and 13 where texts are long. The questions of the corpora that training may use are compared like those of a task.
"""

from __future__ import annotations

import json
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finback.data.duplicates import normalise
from finback.lab.evaluate import Plan, distinct, named
from finback.tasks import Problem, Task, draw, render
from finback.tasks.protocol import user
from finback.tasks.public import PublicSet

SIZES = (8, 13)
COMMON = 0.01  # of a task's training prompts, or as many of several tasks, have an n-gram: it is no problem's own
TOO_CLOSE = 0.5  # of a problem's own 8-grams in one training prompt
FEWEST = 10  # own n-grams, to speak of a share of them
CORPORA = (
    ("math/gsm8k_train.jsonl", "question"),
    ("instruct/dolly_subset.jsonl", "instruction"),
)  # and which field asks
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


@dataclass
class Suspect:
    """A problem that is measured with, and what of it was found in training."""

    source: str
    split: str
    problem: Problem
    text: str  # of its questions
    grams: dict[int, set[int]]
    same_prompt: bool = False
    same_key: bool = False
    covered: dict[int, float] = field(default_factory=dict)
    nearest: dict[int, float | None] = field(default_factory=dict)
    beside: str = ""  # the training prompt that shares most of its own 8-grams

    @property
    def too_close(self) -> bool:
        return self.same_prompt or self.same_key or (self.nearest[SIZES[0]] or 0) >= TOO_CLOSE


def question(problem: Problem) -> str:
    """What the user says, normalised. Tools and system turns vary less than that."""
    return normalise(
        "\n".join(m["content"] for m in problem.messages if m["role"] != "system" and isinstance(m.get("content"), str))
    )


def _whole(problem: Problem) -> str:
    return normalise(render(problem.messages, "none"))


def grams(text: str, n: int) -> set[int]:
    words = _WORDS.findall(text)
    return {hash(tuple(words[i : i + n])) for i in range(len(words) - n + 1)}


def suspects(plan: Plan, tasks: Mapping[str, Task], sets: Mapping[str, PublicSet], data: Path) -> list[Suspect]:
    """Every problem that a plan asks."""
    own = [
        (n, s, p)
        for n in plan.tasks
        for s in plan.splits
        for _, p in distinct(named(tasks, n, "task"), s, plan.problems or 50, plan.seed)
    ]
    published = [
        (n, "public", p) for n in plan.public for p in named(sets, n, "public set").problems(data)[: plan.problems]
    ]
    texts = [(*row, question(row[2])) for row in own + published]
    return [Suspect(*row, {n: grams(row[3], n) for n in SIZES}) for row in texts]


def training(tasks: Mapping[str, Task], each: int, data: Path) -> Iterator[tuple[str, Problem]]:
    """Draws for training, and the questions of the corpora that are there."""
    for name, task in tasks.items():
        for i in range(each):
            yield name, draw(task, "train", f"leaks {i}")[0]
    for file, key in CORPORA:
        if (data / file).is_file():
            with (data / file).open(encoding="utf-8") as lines:
                for i, line in enumerate(lines):
                    yield file, Problem(file, f"{file} {i}", user(json.loads(line)[key]))


def compare(found: Sequence[Suspect], drawn: Iterable[tuple[str, Problem]], each: int) -> int:
    """Fills in what the suspects lack, and says how many training problems there were. each: of every task."""
    of_prompt: dict[str, list[Suspect]] = {}
    of_key: dict[str, list[Suspect]] = {}
    of_gram: dict[int, dict[int, list[int]]] = {n: {} for n in SIZES}
    for i, s in enumerate(found):
        of_prompt.setdefault(_whole(s.problem), []).append(s)
        of_key.setdefault(s.problem.key, []).append(s)
        for n in SIZES:
            for gram in s.grams[n]:
                of_gram[n].setdefault(gram, []).append(i)
    frequency: dict[int, Counter] = {n: Counter() for n in SIZES}
    hits: dict[int, list[array]] = {n: [] for n in SIZES}  # of each training prompt, the suspects' n-grams in it
    texts: list[str] = []
    for name, problem in drawn:
        text = question(problem)
        texts.append(text)
        for s in of_prompt.get(_whole(problem), ()):
            s.same_prompt = True
        for s in of_key.get(problem.key, ()):
            s.same_key |= s.split == "public" or s.source == name
        for n in SIZES:
            shared = [gram for gram in grams(text, n) if gram in of_gram[n]]
            frequency[n].update(shared)
            hits[n].append(array("q", shared))
    for n in SIZES:
        _measure(found, n, of_gram[n], frequency[n], hits[n], texts, each)
    return len(texts)


def _measure(
    found: Sequence[Suspect], n: int, of_gram: dict[int, list[int]], frequency: Counter, hits: list[array],
    texts: list[str], each: int,
) -> None:  # fmt: skip
    common = {gram for gram, count in frequency.items() if count > max(COMMON * each, 1)}
    best = [(0, -1)] * len(found)
    for place, shared in enumerate(hits):
        counts = Counter(i for gram in shared if gram not in common for i in of_gram[gram])
        for i, count in counts.items():
            best[i] = max(best[i], (count, -place))
    for s, (count, place) in zip(found, best):
        own = len(s.grams[n] - common)
        s.covered[n] = sum(gram in frequency for gram in s.grams[n]) / max(len(s.grams[n]), 1)
        s.nearest[n] = count / own if own >= FEWEST else None
        if n == SIZES[0] and count:
            s.beside = texts[-place]


def report(found: Sequence[Suspect], count: int, each: int) -> dict[str, Any]:
    """The check in JSON values: a row for each source and split, and the closest pair of each."""
    groups: dict[tuple[str, str], list[Suspect]] = {}
    for s in found:
        groups.setdefault((s.source, s.split), []).append(s)
    rows = []
    for (source, split), group in groups.items():
        closest = max(group, key=lambda s: s.nearest[SIZES[0]] or 0)
        row: dict[str, Any] = {
            "source": source,
            "split": split,
            "n": len(group),
            "same_prompt": sum(s.same_prompt for s in group),
            "same_key": sum(s.same_key for s in group),
        }
        for n in SIZES:
            row[f"nearest_{n}"] = max((v for s in group if (v := s.nearest[n]) is not None), default=None)
            row[f"covered_{n}"] = sum(s.covered[n] for s in group) / len(group)
        row |= {
            "without_own": sum(s.nearest[SIZES[0]] is None for s in group),
            "too_close": sum(s.too_close for s in group),
        }
        rows.append(row | {"closest": {"problem": closest.text[:600], "training": closest.beside[:600]}})
    method = (
        f"Compared with {count:,} training questions, {each:,} of each task and those of GSM8K's training part and "
        "Dolly where they are. Same prompt: word for word. Same problem: equal in canonical form (of plans and sums, "
        f"whose words are few, it says more than words do). Own n-grams are those that at most "
        f"{max(COMMON * each, 1):,.0f} training prompts have; given is the largest share of one problem's own n-grams "
        f"that a single training prompt has (blank where no problem has {FEWEST} own). Too close: same prompt, same "
        f"problem, or a share of own 8-grams of {TOO_CLOSE:.0%} or more."
    )
    return {"method": method, "training": count, "each": each, "threshold": TOO_CLOSE, "rows": rows}
