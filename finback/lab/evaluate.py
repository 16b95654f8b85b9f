"""How good is a model? It is asked problems of every task, many at once, and the tasks' verifiers judge what it said.

What it said is appended to `answers.jsonl` in the run's folder as it comes; a run that was killed, or is asked for
more, goes on from there. Verdicts are not kept: each run judges all answers with the verifiers as they are then. Every
problem is put at every effort, so efforts are compared on the same problems. Whatever the model says, the worst that
can come of it is a wrong answer.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from finback.data import write_atomically
from finback.engine import Engine, SamplingParams
from finback.tasks import EFFORTS, SPLITS, Problem, Task, Verdict, draw, render
from finback.tasks.protocol import Effort, Message
from finback.tasks.public import PublicSet
from finback.text import mode_of, neutralize, parse_completion

CONCURRENCY = 64  # conversations at a time
ROUNDS = 6  # of tool calls in one conversation
REPETITION = 256  # tokens of one short cycle end an answer: it would go on until max_tokens
MEASURED = SPLITS[1:]
TRIES = 8  # draws for each wanted problem, where a task has few


@dataclass(frozen=True)
class Plan:
    """What is asked, and how. problems: of each task and split, and of each public set (None: 50, and public sets
    whole). samples: answers to each problem, whose mean counts (pass@1)."""

    tasks: tuple[str, ...]
    public: tuple[str, ...] = ()
    efforts: tuple[Effort, ...] = EFFORTS
    splits: tuple[str, ...] = MEASURED
    problems: int | None = None
    seed: int = 1
    temperature: float = 0.0
    max_tokens: int = 1024
    samples: int = 1

    def __post_init__(self):
        for name, known in (("efforts", EFFORTS), ("splits", MEASURED)):
            given = getattr(self, name)
            if not given or set(given) - set(known):
                raise ValueError(f"{name} is {', '.join(given) or 'empty'}: choose from {', '.join(known)}")
        if self.samples > 1 and not self.temperature:
            raise ValueError(
                f"{self.samples} samples at temperature 0 are {self.samples} times the same answer: "
                "set a temperature, for example 0.6"
            )


@dataclass(frozen=True)
class Case:
    """One conversation to be had. source: a task or a public set. level: 0 for public sets."""

    source: str
    ability: str
    split: str
    level: int
    number: int
    effort: Effort
    sample: int
    problem: Problem
    verify: Callable[[Problem, list[Message], Any], Verdict]
    act: Callable[[Problem, str, dict[str, Any], Any], str] | None
    needs_sandbox: bool

    @property
    def name(self) -> str:
        return f"{self.source}/{self.split}/{self.number}/{self.effort}/{self.sample}"

    @property
    def kind(self) -> str:
        return self.problem.kind

    @property
    def prompt(self) -> str:
        """The prompt's digest, by which an answer from an earlier run is known to be to the same question."""
        return sha256(render(self.problem.messages, self.effort).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Answer:
    """What came of a case, over all its turns. finish: why the last one ended, as in `engine.Result`, or "rounds" (it
    went on calling tools), or "unasked: " and why the engine refused the prompt. thinking: tokens of thoughts."""

    case: str
    prompt: str
    replies: list[Message]
    finish: str
    prompt_tokens: int
    tokens: int
    thinking: int
    seconds: float


@dataclass(frozen=True)
class Record:
    case: Case
    answer: Answer
    verdict: Verdict


# --- what is asked ---


def cases(plan: Plan, tasks: Mapping[str, Task], sets: Mapping[str, PublicSet], data: Path) -> list[Case]:
    """Every conversation of a plan, those that will be longest first, so that they do not end up alone."""
    problems = []
    for name in plan.tasks:
        task = named(tasks, name, "task")
        for split in plan.splits:
            found = distinct(task, split, plan.problems or 50, plan.seed)
            problems += [
                (name, task.ability, split, level, i, p, task.verify, task.act, task.needs_sandbox)
                for i, (level, p) in enumerate(found)
            ]
    for name in plan.public:
        one = named(sets, name, "public set")
        for i, p in enumerate(one.problems(data)[: plan.problems]):
            problems.append((name, one.ability, "public", 0, i, p, one.verify, None, one.needs_sandbox))
    if not problems:
        raise ValueError("there is nothing to ask: name tasks or public sets")
    return [
        Case(source, ability, split, level, i, effort, sample, *rest)
        for effort in sorted(plan.efforts, key=EFFORTS.index, reverse=True)
        for sample in range(plan.samples)
        for source, ability, split, level, i, *rest in problems
    ]


def distinct(task: Task, split: str, count: int, seed: int) -> list[tuple[int, Problem]]:
    """Up to `count` problems with their levels, which take turns; none twice, in other words or names either. Fewer where
    the task has fewer."""
    out: list[tuple[int, Problem]] = []
    keys: set[str] = set()
    levels = list(range(1, task.levels + 1))
    for i in range(TRIES * count):
        if len(out) == count or not levels:
            break
        level = levels[i % len(levels)]
        try:
            problem, _ = draw(task, split, f"{seed} {i}", level)
        except RuntimeError:  # it has none of this level
            levels.remove(level)
            continue
        if problem.key not in keys:
            keys.add(problem.key)
            out.append((level, problem))
    return out


def named(known: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in known:
        raise ValueError(f"there is no {what} {name!r}: choose from {', '.join(known) or 'none, as none is installed'}")
    return known[name]


# --- what it answers ---


def converse(engine: Engine, case: Case, plan: Plan, box: Any) -> Answer:
    """One problem, with the tools that it calls, until it is answered."""
    replies: list[Message] = []
    prompt_tokens = tokens = thinking = 0
    began, finish = time.perf_counter(), ""
    digest = sha256(f"{plan.seed} {case.name}".encode()).digest()
    for turn in range(ROUNDS + 1):
        params = SamplingParams(
            plan.temperature,
            max_tokens=plan.max_tokens,
            repetition_span=REPETITION,
            seed=int.from_bytes(digest[:7], "big") + turn,
        )
        try:
            request = engine.submit(_whole(render(case.problem.messages + replies, case.effort)), params)
        except ValueError as error:  # above all a prompt that is longer than the model can read
            finish = f"unasked: {error}"
            break
        result = request.result()
        prompt_tokens, tokens, thinking = (
            prompt_tokens + result.prompt_tokens,
            tokens + len(result.tokens),
            thinking + result.thinking,
        )
        message = _message(result.text, case.effort, turn)
        replies.append(message)
        finish = result.finish
        calls = message.get("tool_calls", [])
        if finish != "stop" or not calls or case.act is None:
            break
        if turn == ROUNDS:
            finish = "rounds"
            break
        for call in calls:
            replies.append(
                {
                    "role": "tool",
                    "tool_call_id": call["id"],
                    "content": neutralize(_whole(_act(case, call["function"], box))),
                }
            )
    return Answer(case.name, case.prompt, replies, finish, prompt_tokens, tokens, thinking, time.perf_counter() - began)


def _message(text: str, effort: Effort, turn: int) -> Message:
    """A completion as an assistant's message, without the fields that it does not use."""
    message = parse_completion(text, mode_of(effort)[0])
    for i, call in enumerate(message["tool_calls"]):
        call["id"] = f"call_{turn}_{i}"
    return {key: value for key, value in message.items() if value or key in ("role", "content")}


def _act(case: Case, function: dict[str, str], box: Any) -> str:
    try:
        arguments = json.loads(function["arguments"])
        if not isinstance(arguments, dict):
            raise ValueError("the arguments are no JSON object")
        return str(case.act(case.problem, function["name"], arguments, box))
    except Exception as error:  # the model called it so, and may read what is wrong
        return f"error: {type(error).__name__}: {error}"


def _whole(text: str) -> str:
    """Without halves of characters, which JSON can hold and no file can."""
    return text.encode("utf-8", "replace").decode()


def ask(engine: Engine, cases: Sequence[Case], plan: Plan, file: Path, box: Any, progress: Progress) -> list[Answer]:
    """An answer to each case: from the file if the same question was answered there, else from the engine and then in
    the file. An interrupt ends the engine."""
    known = {row["case"]: row for row in read_rows(file) if "case" in row}
    left = [case for case in cases if known.get(case.name, {}).get("prompt") != case.prompt]
    bar, tokens, began = (
        progress.add_task("answering", total=len(cases), completed=len(cases) - len(left), note=""),
        0,
        time.perf_counter(),
    )
    with ThreadPoolExecutor(CONCURRENCY) as pool, file.open("a", encoding="utf-8") as out:
        futures = [pool.submit(converse, engine, case, plan, box) for case in left]
        try:
            for future in as_completed(futures):
                answer = future.result()
                known[answer.case] = asdict(answer)
                out.write(json.dumps(known[answer.case], ensure_ascii=False) + "\n")
                out.flush()
                tokens += answer.tokens
                progress.update(bar, advance=1, note=f"{tokens / (time.perf_counter() - began):,.0f} tokens/s")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            engine.close()
            raise
        if left:
            row = {
                "seconds": time.perf_counter() - began,
                "tokens": tokens,
                "prompt_tokens": sum(known[c.name]["prompt_tokens"] for c in left),
                "answers": len(left),
            }
            out.write(json.dumps({"process": row}) + "\n")
    return [Answer(**known[case.name]) for case in cases]


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines, [] without one. A last line that a kill cut short is taken out of the file."""
    if not file.exists():
        return []
    data = file.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(file, whole)
    return [json.loads(line) for line in data[:whole].decode().split("\n")[:-1]]


# --- what it is worth ---


def judge(case: Case, answer: Answer, box: Any) -> Verdict:
    if answer.finish.startswith("unasked"):
        return Verdict(False, answer.finish)
    try:
        verdict = case.verify(case.problem, answer.replies, box)
    except Exception as error:  # a fault of ours, which the report counts
        verdict = Verdict(False, f"{BROKEN}{type(error).__name__}: {error}")
    return Verdict(verdict.right, _whole(verdict.why))


BROKEN = "the verifier failed: "


def evaluate(
    engine: Engine, plan: Plan, folder: Path, about: dict[str, Any], tasks: Mapping[str, Task],
    sets: Mapping[str, PublicSet], data: Path, console: Console,
) -> tuple[list[Record], dict[str, Any]]:  # fmt: skip
    """Every case's record, and the run: what was asked of which model (about: its identity above all), and the time
    that it took. Raises ValueError where the folder holds answers of another model or made in another way."""
    folder.mkdir(parents=True, exist_ok=True)
    _claim(
        folder / "run.json",
        {"model": about["identity"]} | {k: getattr(plan, k) for k in ("seed", "temperature", "max_tokens")},
    )
    began = time.perf_counter()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as progress:
        status = progress.add_task("drawing problems", total=None, note="")
        found = cases(plan, tasks, sets, data)
        progress.remove_task(status)
        drawn = time.perf_counter()
        with _sandbox(found) as box:
            answers = ask(engine, found, plan, folder / "answers.jsonl", box, progress)
            answered = time.perf_counter()
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                verdicts = list(
                    progress.track(
                        pool.map(judge, found, answers, [box] * len(found)),
                        total=len(found),
                        task_id=progress.add_task("judging", note=""),
                    )
                )
    seconds = {"drawing": drawn - began, "answering": answered - drawn, "judging": time.perf_counter() - answered}
    processes = [row["process"] for row in read_rows(folder / "answers.jsonl") if "process" in row]
    run = {"about": about, "plan": asdict(plan), "seconds": seconds, "speed": _speed(processes)}
    return [Record(*row) for row in zip(found, answers, verdicts)], run


def _claim(file: Path, wanted: dict[str, Any]) -> None:
    """Makes a folder this run's, if it is not another's."""
    if file.exists():
        held = json.loads(file.read_text(encoding="utf-8"))
        if differ := [key for key in wanted if held.get(key) != wanted[key]]:
            raise ValueError(
                f"{file.parent} holds answers with another {' and '.join(differ)}: "
                "give another folder with --out, or delete this one"
            )
    write_atomically(file, json.dumps(wanted).encode())


def _sandbox(found: Iterable[Case]) -> Any:
    if not any(case.needs_sandbox for case in found):
        return nullcontext()
    from finback.tasks.sandbox import Sandbox

    return Sandbox()


def _speed(processes: list[dict[str, Any]]) -> dict[str, float] | None:
    """Over all processes that answered and were not killed."""
    if not processes:
        return None
    total = {key: sum(row[key] for row in processes) for key in processes[0]}
    return total | {"tokens_a_second": total["tokens"] / total["seconds"]}
