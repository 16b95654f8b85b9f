"""Spikes: what is one, and does the run go back, route by older parameters and lose nothing on the way?"""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import random

import pytest
import torch
from rich.console import Console
from test_train import RECIPE, losses, points, quiet, said, toy  # noqa: F401 (toy is a fixture)

from finback.data import Stream
from finback.lab.report import page
from finback.model import Trace, mtp_streams, new_model
from finback.train import loop, read_recipe, stability, train
from finback.train.recipe import StabilityOptions
from finback.train.stability import Guard, Spike, sentence

SMALL = StabilityOptions(window=8, rollback=2, dt=3, duration=9)
SPIKES_AT, BACK_TO = 13, 10  # rows and steps of the run with a burst


def burst(monkeypatch, steps: range, factor: float = 1000.0) -> None:
    """A learning rate so high that the steps after it spike, whenever the run comes by."""
    real = loop.at

    def at(schedule, step, tokens):
        moment = real(schedule, step, tokens)
        return dataclasses.replace(moment, learning_rate=moment.learning_rate * (factor if step in steps else 1.0))

    monkeypatch.setattr(loop, "at", at)


@pytest.fixture
def small(toy, monkeypatch):  # noqa: F811
    """A run's folder and a function that makes its recipe."""
    folder, recipe = toy
    monkeypatch.setattr(loop, "EVALUATIONS", 3)
    monkeypatch.setattr(loop, "_finish", lambda *_: None)  # the export and its pictures
    monkeypatch.setattr(loop, "matmul_flops", lambda *_: 1e11)
    return folder, lambda options=SMALL, **changes: dataclasses.replace(recipe(**changes), stability=options)


# --- what is a spike ---


def judged(losses, norms=None, options=None, stage=0, guard=None) -> list[int]:
    """The places of a made-up curve that are spikes."""
    guard = guard if guard is not None else Guard(options or StabilityOptions())
    norms = norms if norms is not None else [1.0] * len(losses)
    return [i for i, (loss, norm) in enumerate(zip(losses, norms)) if guard.judge(stage, loss, norm) is not None]


def noisy(seed: int, steps: int, level=lambda i: 3.0) -> tuple[list[float], list[float]]:
    """Losses with normal noise; gradient norms with a heavy tail, which quadruple now and then."""
    rng = random.Random(seed)
    losses = [level(i) * rng.gauss(1.0, 0.05) for i in range(steps)]
    return losses, [rng.lognormvariate(0.0, 0.25) * (4.0 if rng.random() < 0.01 else 1.0) for _ in range(steps)]


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_no_spike(seed):
    assert judged(*noisy(seed, 1500)) == []


def test_a_loss_or_a_gradient_far_above_the_last_ones_is_a_spike_and_does_not_become_usual():
    losses, norms = noisy(0, 100)
    losses[60], norms[80] = 6.0, 60.0
    assert judged(losses, norms) == [60, 80]
    losses[60:66] = [6.0] * 6
    assert judged(losses, norms) == [60, 61, 62, 63, 64, 65, 80]


def test_a_constant_may_move_by_a_hairs_breadth():
    assert judged([3.0] * 50 + [3.1] + [3.0] * 10 + [4.0]) == [61]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_a_spike_at_once(bad):
    assert judged([3.0, bad, 3.0], [1.0, 1.0, bad]) == [1, 2]


def test_the_first_steps_and_those_of_a_new_stage_are_none():
    window = StabilityOptions().window
    guard = Guard(StabilityOptions())
    wild = [(-1) ** i * 2.5 + 3.0 for i in range(window)]
    assert judged(wild, guard=guard) == []
    guard = Guard(StabilityOptions())
    assert judged(noisy(1, 200)[0], guard=guard) == []
    assert judged([9.0] * window, [50.0] * window, stage=1, guard=guard) == []  # three times the loss of stage 0
    assert judged([30.0], stage=1, guard=guard) == [0]


@pytest.mark.parametrize("end", [9.0, 1.0])
def test_a_slow_drift_is_none(end):
    losses, norms = noisy(2, 600, lambda i: 3.0 + (end - 3.0) * i / 600)
    assert judged(losses, [n * (1 + i / 100) for i, n in enumerate(norms)]) == []


def test_a_guard_that_is_not_enabled_never_judges():
    assert judged([3.0] * 50 + [float("nan"), 30.0], options=StabilityOptions(enabled=False)) == []


# --- routing by older parameters ---


def forced(recipe, folder, left: int = 1000):
    """A run with anticipatory routing on from its start."""
    run = loop._open(recipe, folder, quiet())
    run.guard.left = left
    return run


def recorded(monkeypatch) -> list[tuple]:
    """What each step computed with: (batch, targets, routing, loads)."""
    seen, real = [], loop.losses

    def losses(model, batch, targets, weights, **options):
        found = real(model, batch, targets, weights, **options)
        seen.append((batch, targets, options["routing"], found.loads))
        return found

    monkeypatch.setattr(loop, "losses", losses)
    return seen


@torch.no_grad()
def chosen(model, batch, targets, dtype: torch.dtype, dense: bool, fp4: bool, mtp: bool) -> dict[int, torch.Tensor]:
    run = model.new_pass(batch, dtype=dtype, dense=dense, fp4=fp4, trace=(trace := Trace(indexing=None)))
    h = model.streams(run)
    if mtp:
        mtp_streams(model, h, targets, run)
    return {layer: r.ids for layer, r in trace.routing.items() if not r.hashed}


def test_experts_of_a_step_are_those_that_the_parameters_of_dt_steps_ago_choose(small, monkeypatch):
    folder, recipe = small
    seen = recorded(monkeypatch)
    run = forced(recipe(dense=1536, fp4=True), folder / "run")  # 6 dense steps, 2 of warm-up, 4 sparse ones in FP4
    old, rows = [], []
    while run.tokens < run.recipe.schedule.tokens:
        old.append(copy.deepcopy(run.model.state_dict()))
        rows.append(loop.training_step(run))
    assert [row["routing_age"] for row in rows] == [0, 1, 2] + [3] * 9
    model, changed = new_model(run.model.config, 0).train(), 0
    for t, (batch, targets, routing, loads) in enumerate(seen):
        stage = rows[t]["attention"]
        options = {"dense": stage != "sparse", "fp4": stage == "sparse", "mtp": stage != "warmup"}
        model.load_state_dict(old[max(t - 3, 0)])
        wanted = chosen(model, batch, targets, run.dtype, **options)
        assert set(wanted) == set(routing) == ({1, 2} if options["mtp"] else {1})
        for layer, ids in wanted.items():
            assert torch.equal(routing[layer], ids)
            assert torch.equal(loads[layer], torch.bincount(ids.flatten(), minlength=4) / ids.numel())
        model.load_state_dict(old[t])
        changed += any(not torch.equal(ids, routing[layer]) for layer, ids in chosen(model, batch, targets, run.dtype, **options).items())
    assert changed >= 6  # the parameters of today would have chosen otherwise


def test_with_dt_0_a_step_is_an_ordinary_step(small, monkeypatch):
    folder, recipe = small
    states = []
    for name, left in (("plain", 0), ("anticipatory", 1000)):
        run = forced(recipe(dataclasses.replace(SMALL, dt=0), dense=1024), folder / name, left)
        rows = [loop.training_step(run) for _ in range(6)]
        states.append(([(row["loss"], row["grad_norm"]) for row in rows], run.model.state_dict()))
    assert states[0][0] == states[1][0]
    assert all(torch.equal(tensor, states[1][1][name]) for name, tensor in states[0][1].items())


def test_it_is_on_for_its_duration_and_looks_no_further_ahead(small, monkeypatch):
    folder, recipe = small
    real, forwards = stability.choices, []
    monkeypatch.setattr(stability, "choices", lambda *args: forwards.append(1) or real(*args))
    run = forced(recipe(), folder / "run", left=5)
    rows = [loop.training_step(run) for _ in range(7)]
    assert [row.get("routing_age") for row in rows] == [0, 1, 2, 3, 3, None, None]
    assert len(forwards) == 5 and run.guard.queue == []
    run.guard.left = 1000
    while run.tokens < run.recipe.schedule.tokens:
        loop.training_step(run)
    assert len(forwards) == 12 and run.guard.queue == []  # none beyond the end of the run


# --- going back ---


def test_going_back_restores_the_state_to_the_bit(small, monkeypatch):
    folder, recipe = small
    run = loop._open(recipe(dense=3584), folder / "run", quiet())
    burst(monkeypatch, range(11, 12))
    log, states = folder / "run" / "log.jsonl", {}
    with pytest.raises(Spike) as spike:
        for _ in range(20):
            states[run.step] = copy.deepcopy(
                (run.model.state_dict(), run.optimizer.state_dict()["state"], run.stream.state(), run.guard.state(), run.tokens)
            )
            if run.step and run.guard.keeps(run.step):
                loop._save_checkpoint(run)
            row = loop.training_step(run)
            with log.open("a") as out:
                out.write(json.dumps(row) + "\n")
    assert run.step == SPIKES_AT - 1 and spike.value.to == BACK_TO
    with pytest.raises(FileNotFoundError, match="checkpoint of step 2 is gone"):
        loop._go_back(run, Spike("made up", 2))
    past = loop._go_back(run, spike.value)
    model, moments, stream, guard, tokens = states[BACK_TO]
    assert [row["step"] for row in past] == list(range(1, BACK_TO + 1)) and (run.step, run.tokens) == (BACK_TO, tokens)
    assert all(torch.equal(tensor, model[name]) for name, tensor in run.model.state_dict().items())
    now = run.optimizer.state_dict()["state"]
    assert now.keys() == moments.keys()
    assert all(torch.equal(value, moments[p][name]) for p in now for name, value in now[p].items())
    assert run.stream.state() == stream
    assert run.guard.state() == guard | {"left": SMALL.duration}
    assert all(p.grad is None for p in run.model.parameters())


def events(run) -> list[dict]:
    return [{k: v for k, v in row["event"].items() if k != "seconds"} for row in loop.read_log(run / "log.jsonl") if "event" in row]


def test_a_run_goes_back_once_and_its_records_show_each_step_once(small, monkeypatch):
    folder, recipe = small
    burst(monkeypatch, range(11, 12))
    seen = recorded(monkeypatch)
    run = folder / "run"
    console = Console(record=True, width=200, file=io.StringIO())
    train(recipe(dense=3584), run, console)
    rows = loop.read_log(run / "log.jsonl")
    assert [row["step"] for row in rows] == list(range(1, 21))
    first, second = events(run)
    assert (first["kind"], first["step"], first["to"]) == ("rollback", SPIKES_AT, BACK_TO)
    assert len(first["undone"]) == SPIKES_AT - 1 - BACK_TO
    assert first["undone"][0] == rows[BACK_TO]["loss"]  # the same parameters choose and compute
    assert second["kind"] == "passed" and second["step"] >= SPIKES_AT  # with the burst it spikes again: on through it
    assert [row["step"] for row in rows if "routing_age" in row] == list(range(BACK_TO + 1, BACK_TO + 1 + SMALL.duration))
    assert points(run) == [(row["step"], pytest.approx(row["loss"], rel=1e-6)) for row in rows]
    steps = [row["step"] for row in said(run)]
    assert steps == sorted(set(steps))
    assert sentence(first) in console.export_text() and sentence(second) in page(run)
    # every token is trained on exactly once, apart from the steps that were undone
    tokens = [torch.cat((batch.tokens, targets)) for batch, targets, _, _ in seen]
    undone = tokens[BACK_TO:SPIKES_AT]
    assert len(tokens) == 20 + len(undone)
    del tokens[BACK_TO:SPIKES_AT]
    assert all(torch.equal(a, b) for a, b in zip(undone, tokens[BACK_TO:SPIKES_AT]))
    r = recipe(dense=3584)
    opened = loop._open(r, run, quiet())
    stream = Stream(opened.corpus, r.sources, r.seed, r.data.fim_rate)
    for batch, stage in zip(tokens, (row["attention"] for row in rows)):
        wanted, targets = loop._batch(stream.next(256, 96 if stage == "sparse" else 64))
        assert torch.equal(batch, torch.cat((wanted.tokens, targets)))


def test_a_quiet_run_is_the_same_with_and_without_the_guard(small):
    folder, recipe = small
    train(recipe(), folder / "on", quiet())
    train(recipe(StabilityOptions(enabled=False)), folder / "off", quiet())
    assert losses(folder / "on") == losses(folder / "off") and events(folder / "on") == []


def test_rollback_alone_repeats_the_spike(small, monkeypatch):
    folder, recipe = small
    burst(monkeypatch, range(11, 12))
    for name, options in (("alone", dataclasses.replace(SMALL, dt=0)), ("none", StabilityOptions(enabled=False))):
        train(recipe(options, dense=3584), folder / name, quiet())
    assert [event["kind"] for event in events(folder / "alone")] == ["rollback", "passed"]
    assert losses(folder / "alone") == losses(folder / "none")


def test_a_spike_that_is_not_finite_and_comes_again_ends_the_run(small, monkeypatch):
    folder, recipe = small
    real = loop.losses

    def losses(model, *args, **options):
        found = real(model, *args, **options)
        return dataclasses.replace(found, total=found.total * float("nan")) if run_step() == 9 else found

    opened, real_open = [], loop._open
    run_step = lambda: opened[-1].step  # noqa: E731
    monkeypatch.setattr(loop, "_open", lambda *args: opened.append(real_open(*args)) or opened[-1])
    monkeypatch.setattr(loop, "losses", losses)
    with pytest.raises(FloatingPointError, match="step 9: .* nan: lower learning_rate"):
        train(recipe(), folder / "run", quiet())
    rows = loop.read_log(folder / "run" / "log.jsonl")
    assert [row["step"] for row in rows] == list(range(1, 10))
    assert rows[6]["event"]["why"] == "gradient norm nan" and rows[6]["event"]["to"] == 6


def test_run_killed_around_a_spike_resumes_with_the_same_losses(small, monkeypatch):
    folder, recipe = small
    burst(monkeypatch, range(11, 12))
    train(recipe(dense=3584), folder / "whole", quiet())

    class Killed(Exception):
        pass

    # with a checkpoint after every step, or at the steps to go back to alone
    for after, seconds in ((12, 0.0), (13, 1e9), (16, 0.0)):
        real, count = loop.training_step, iter(range(1000))

        def step(run, real=real, count=count, after=after):
            if next(count) == after:
                raise Killed
            return real(run)

        run = folder / f"killed-{after}"
        with monkeypatch.context() as patch:
            patch.setattr(loop, "CHECKPOINT_SECONDS", seconds)
            patch.setattr(loop, "training_step", step)
            with pytest.raises(Killed):
                train(recipe(dense=3584), run, quiet())
        train(recipe(dense=3584), run, quiet())
        assert losses(run) == losses(folder / "whole")
        assert events(run) == events(folder / "whole")
        assert said(run) == said(folder / "whole")
        assert [step for step, _ in points(run)] == list(range(1, 21))


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("spikes = 2", "unknown key 'spikes'"),
        ("enabled = 1", "enabled is 1; it must be true or false"),
        ("factor = 0.5", "factor is 0.5; it must be a number of at least 1"),
        ("window = 31", r"window is 31; .* at least 32 \(twice rollback"),
        ("duration = 20", r"duration is 20; .* at least 32 \(twice rollback"),
        ("dt = 1.5", "dt is 1.5"),
        ("rollback = 0", "rollback is 0"),
    ],
)
def test_bad_stability_options_are_refused_with_their_cause(tmp_path, line, match):
    (tmp_path / "r.toml").write_text(RECIPE.format(dense=64, sha="0").replace("[tokenizer]", f"[stability]\n{line}\n[tokenizer]"))
    with pytest.raises(ValueError, match=match):
        read_recipe(tmp_path / "r.toml")
