"""Requests of a process that died go on as if it had not."""

from __future__ import annotations

import dataclasses
import errno
import os
import pickle
import random
import signal
import threading
import time
from pathlib import Path

import pytest
import torch
from helpers import random_ids, random_model, tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st

from finback.engine import Constraint, Engine, Limits, SamplingParams, journal
from finback.engine.engine import Request

MODEL = random_model(tiny_config(compress_ratios=(0, 4, 128, 4)), seed=5).requires_grad_(False)
V = MODEL.config.vocab_size
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
JOBS = [
    ([3, 1, 4, 1, 5], SamplingParams(max_tokens=60, seed=1, logprobs=2)),
    (random_ids(200, V, 1).tolist(), SamplingParams(max_tokens=50, seed=2, n=3, temperature=0.7)),
    (random_ids(150, V, 2).tolist(), SamplingParams(max_tokens=40, temperature=0, prompt_logprobs=1, frequency_penalty=1.0)),
    (random_ids(9, V, 3).tolist(), SamplingParams(max_tokens=70, seed=4, stop=("ja",), stop_token_ids=(7,), logit_bias={7: 1.5})),
]


class Letters:
    """A tokenizer whose token t is the letter number t; every 50th is half a letter, which the next completes."""

    vocab_size, eos_id = V, V - 1

    class Decoder:
        midway = False

        def __init__(self):
            self.held = ""

        def feed(self, token):
            out, self.held = self.held + chr(97 + token % 26), ""
            if token % 50 == 0:
                out, self.held = "", out
            return out

        def flush(self):
            return self.held

    def stream_decoder(self):
        return self.Decoder()


def new_engine(path: Path | None, **options) -> Engine:
    return Engine(MODEL, Letters(), limits=Limits(tokens=128), journal=path, **options)


def queue(engine: Engine, ids: list[int], params: SamplingParams) -> Request:
    """Submits without the engine's thread, for tests that step by hand."""
    request = Request(engine, ids, params, "", 0, next(engine._arrivals))
    request.entry = engine.journal.begin(request) if engine.journal else None
    engine.waiting.append(request)
    return request


def said(request: Request) -> list:
    """What a caller sees of an answer in the end, without what a repetition may change: how much came from a cache."""
    return [dataclasses.replace(result, cached=0) for result in request.results()]


@pytest.fixture(scope="module")
def expected():
    engine = new_engine(None)
    out = [said(engine.submit(*job)) for job in JOBS]
    engine.close()
    assert {r.finish for results in out for r in results} == {"length", "stop"}
    return out


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Flushing matters when a machine dies, which no test here can bring about, and takes ten milliseconds."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """A journal of all jobs whose engine took so many steps and vanished; then the whole one."""
    path = tmp_path_factory.mktemp("journal") / "j"
    engine, out = new_engine(path), []
    for job in JOBS:
        queue(engine, *job)
    while engine.waiting or engine.running:
        engine.step()
        out.append(path.read_bytes())
    engine.journal.close()
    return out


def leave(engine: Engine) -> None:
    """What the end of a process does to its journal: nothing, but for the lock."""
    os.close(engine.journal._file)
    engine.journal._file = -1


@settings(max_examples=8)
@given(st.data())
def test_a_request_goes_on_after_its_last_token_whenever_it_was_interrupted(lines, expected, tmp_path_factory, data):
    content = data.draw(st.sampled_from(lines))
    head = content.index(b"\n") + 1
    content = content[: max(len(content) - data.draw(st.integers(0, 200)), head)]  # the end is torn off
    path = tmp_path_factory.mktemp("journal") / "j"
    path.write_bytes(content)
    engine = new_engine(path)
    known = {one.entry: sum(len(p.tokens) for pieces in one.answers.values() for p in pieces) for one in engine.journal.saved}
    assert sum(known.values()) == content[: content.rindex(b"\n")].count(b'"tokens":')
    requests = engine.resume()
    assert [request.entry for request in requests] == list(known) == list(range(len(known)))
    for request in requests:
        assert sum(len(member.answer) for member in request.members) >= known[request.entry]
        assert said(request) == expected[request.entry]
    engine.close()
    assert new_engine(path).journal.saved == []


@settings(max_examples=10)
@given(st.data())
def test_damage_anywhere_costs_time_or_its_request_but_never_a_wrong_token(lines, expected, tmp_path_factory, data):
    content = bytearray(data.draw(st.sampled_from(lines)))
    for _ in range(data.draw(st.integers(1, 3))):
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        content[bit // 8] ^= 1 << bit % 8
    path = tmp_path_factory.mktemp("journal") / "j"
    path.write_bytes(content)
    engine = new_engine(path)
    for request in engine.resume():
        assert said(request) == expected[request.entry]
    engine.close()


def test_what_was_sampled_is_delivered_first_and_not_sampled_again(lines, tmp_path, expected):
    path = tmp_path / "j"
    path.write_bytes(lines[20])
    engine = new_engine(path)
    saved = {one.entry: one for one in engine.journal.saved}
    requests = [journal.resumed(engine, one, 0) for one in engine.journal.saved]
    for request in requests:
        before = [len(m.answer) for m in request.members]
        assert sum(before) > 10 and request.pieces.qsize() == sum(map(len, saved[request.entry].answers.values()))
    leave(engine)
    assert new_engine(path).journal.saved == list(saved.values())  # and nothing was recorded of it


def test_resumed_twice_and_submitted_between(lines, expected, tmp_path):
    path = tmp_path / "j"
    path.write_bytes(lines[10])
    engine = new_engine(path)
    for _ in range(5):
        engine.step()
    extra = queue(engine, *JOBS[0])
    for _ in range(5):
        engine.step()
    leave(engine)
    engine = new_engine(path)
    requests = engine.resume()
    assert engine.resume() == []
    assert [r.entry for r in requests] == [0, 1, 2, 3, extra.entry]
    assert [said(r) for r in requests] == [*expected, expected[0]]
    engine.close()


def test_a_closed_engine_leaves_its_requests_to_the_next(tmp_path, expected):
    engine = new_engine(tmp_path / "j")
    requests = [engine.submit(*job) for job in JOBS]
    next(iter(requests[0]))
    engine.close()
    assert {r.results()[0].finish for r in requests} <= {"cancelled", "stop", "length"}
    engine = new_engine(tmp_path / "j")
    resumed = engine.resume()
    assert [said(r) for r in resumed] == [expected[r.entry] for r in resumed] and resumed
    engine.close()


def test_an_end_that_nobody_took_is_delivered_again(tmp_path, expected):
    engine = new_engine(tmp_path / "j")
    requests = [queue(engine, *job) for job in JOBS]
    heard = []
    requests[1].forward(heard.append)
    while engine.waiting or engine.running:
        engine.step()
    requests[3].forward(heard.append)  # all of its pieces at once
    assert requests[0].result() and sum(piece.finish is not None for piece in heard) == 4
    pieces = iter(requests[2])
    while not next(pieces).finish:
        pass  # who has the last piece may not have saved it yet
    leave(engine)
    engine = new_engine(tmp_path / "j")
    assert [one.entry for one in engine.journal.saved] == [2]
    [request] = engine.resume()
    assert said(request) == expected[2] and engine.steps == 0
    engine.close()
    assert new_engine(tmp_path / "j").journal.saved == []


def test_cancelled_requests_are_over(tmp_path):
    engine = new_engine(tmp_path / "j")
    request = engine.submit([1, 2], SamplingParams(max_tokens=4000, ignore_eos=True))
    request.cancel()
    assert request.result().finish == "cancelled"
    engine.close()
    assert new_engine(tmp_path / "j").journal.saved == []


def test_finished_requests_are_compacted_away(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "SLACK", 3000)
    engine = new_engine(tmp_path / "j")
    waiting = queue(engine, [5, 6, 7], SamplingParams(max_tokens=500, seed=1, ignore_eos=True))
    sizes = []
    for i in range(30):
        request = queue(engine, [i], SamplingParams(max_tokens=10, seed=i))
        while not request.finished:
            engine.step()
        request.result()
        sizes.append((tmp_path / "j").stat().st_size)
        assert engine.journal._size == sizes[-1]
    own = sum(map(len, engine.journal._live[waiting.entry].lines))
    assert max(sizes) < 3000 + 2 * own + 2000 and any(b < a for a, b in zip(sizes, sizes[1:]))
    leave(engine)
    [saved] = new_engine(tmp_path / "j").journal.saved
    assert saved.prompt == [5, 6, 7] and [t for p in saved.answers[0] for t in p.tokens] == waiting.answer


def test_parameters_survive(tmp_path):
    params = SamplingParams(
        0.5, 0.9, 40, 0.1, 1.0, -1.0, {3: -5.0, 4: float("-inf")}, 77, ("a", "ü\n"), 3, 1 << 62, 2, (5, 6), False, 4, 2,
        Constraint.regex("a+"), None, None,
    )  # fmt: skip
    engine = new_engine(tmp_path / "j")
    engine.journal.begin(type("R", (), {"prompt": [1], "params": params, "user": "ü", "priority": -3})())
    leave(engine)
    [saved] = new_engine(tmp_path / "j").journal.saved
    assert (saved.params, saved.user, saved.priority, saved.prompt) == (params, "ü", -3, [1])


def test_a_full_disk_refuses_requests_and_lets_answers_go_on(tmp_path, monkeypatch, expected, caplog):
    engine = new_engine(tmp_path / "j")
    request = queue(engine, *JOBS[0])
    engine.step()
    real, full = os.write, [False]

    def write(handle, data):
        if not full[0]:
            return real(handle, data)
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data[: len(data) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        for i in range(20):
            full[0] = 5 <= i < 12
            engine.step()
            if i == 8:
                with pytest.raises(OSError, match="No space"):
                    engine.submit(*JOBS[1])
        full[0] = True
        engine.step()
        full[0] = False
        other = engine.journal.begin(Request(engine, *JOBS[1], "", 0, 1))  # its line comes behind a part of one
    assert caplog.text.count("would be sampled again") == 2
    assert request.answer == expected[0][0].tokens[:22]
    leave(engine)
    engine = new_engine(tmp_path / "j")
    one, two = engine.journal.saved
    assert (two.entry, two.prompt) == (other, JOBS[1][0])
    assert sum(len(p.tokens) for p in one.answers[0]) == 6  # what came before; what came after has a gap before it
    assert said(engine.resume()[0]) == expected[0]
    engine.close()


def test_one_process_at_a_time(tmp_path):
    engine = new_engine(tmp_path / "j")
    with pytest.raises(ValueError, match="in use by another process"):
        new_engine(tmp_path / "j")
    engine.journal._rewrite()
    with pytest.raises(ValueError, match="in use by another process"):
        new_engine(tmp_path / "j")
    engine.close()
    new_engine(tmp_path / "j").close()


def test_other_files_and_other_models_are_refused(tmp_path, lines):
    (tmp_path / "notes").write_text("precious\n")
    with pytest.raises(ValueError, match="is no journal"):
        new_engine(tmp_path / "notes")
    assert (tmp_path / "notes").read_text() == "precious\n"
    (tmp_path / "j").write_bytes(lines[10])
    other = random_model(MODEL.config, seed=6).requires_grad_(False)
    with pytest.raises(ValueError, match="unfinished requests of another model"):
        Engine(other, Letters(), journal=tmp_path / "j")
    assert (tmp_path / "j").read_bytes() == lines[10]
    (tmp_path / "j").write_bytes(lines[-1])
    engine = new_engine(tmp_path / "j")
    [request.results() for request in engine.resume()]
    engine.close()
    Engine(other, Letters(), journal=tmp_path / "j").close()  # all of them are done
    (tmp_path / "j").write_bytes(lines[10])
    engine = Engine(MODEL, journal=tmp_path / "j", cache_blocks=1)
    with pytest.raises(ValueError, match="needs 2 blocks of cache, the engine has 1"):
        engine.resume()
    assert len(engine.journal.saved) == 4
    engine.close()


def serve(folder: Path, seconds: float) -> None:
    """Goes on with what is there, or begins; leaves the results of all jobs in files. Dies some time after the first step."""
    torch.set_num_threads(1)
    death = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
    step = Engine.step

    def slow_step(self: Engine) -> None:
        if not death.is_alive():
            death.start()
        time.sleep(0.01)
        step(self)

    Engine.step = slow_step
    engine = new_engine(folder / "j", prefix="full", disk=folder / "disk")
    requests = engine.resume()
    requests += [engine.submit(*job) for job in JOBS[engine.journal._next :]]
    for request in requests:
        pieces = []
        for piece in request:
            pieces.append(piece)
            if piece.finish and all(member.finished for member in request.members):
                (folder / f"{request.entry}.new").write_bytes(pickle.dumps([p.tokens for p in pieces if p.index == 0]))
                (folder / f"{request.entry}.new").rename(folder / str(request.entry))
    os._exit(0)


@needs_fork
def test_a_process_killed_again_and_again_finishes_with_the_same_answers(tmp_path, expected):
    rng, statuses = random.Random(2), []
    while (not statuses or statuses[-1] == -signal.SIGKILL) and len(statuses) < 60:
        pid = os.fork()
        if pid == 0:
            try:
                serve(tmp_path, rng.uniform(0.01, 0.2))
            finally:
                os._exit(1)
        rng.random()
        statuses.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    assert statuses[-1] == 0 and len(statuses) > 2
    for entry, results in enumerate(expected):
        tokens = pickle.loads((tmp_path / str(entry)).read_bytes())
        assert [t for piece in tokens for t in piece] == results[0].tokens
