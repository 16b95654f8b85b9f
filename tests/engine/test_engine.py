"""Many requests, one cache: the same answers whatever the company."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import random_ids, random_model, tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st

import finback
from finback.checkpoint import load
from finback.engine import Engine, Limits, SamplingParams
from finback.engine.prefix import recompute_tokens
from finback.text import load_tokenizer

MODEL = random_model(tiny_config(compress_ratios=(0, 4, 128, 4)), seed=5).requires_grad_(False)
V = MODEL.config.vocab_size


def prompt(n: int, seed: int) -> list[int]:
    return random_ids(n, V, seed).tolist()


def alone(ids: list[int], params: SamplingParams) -> list[int]:
    """The answer by the plainest loop: the whole sequence again for every token."""
    from finback.engine import sample

    answer: list[int] = []
    with torch.no_grad():
        for _ in range(params.max_tokens):
            answer.append(sample(MODEL.logits([ids + answer])[0][-1], params, answer).token)
    return answer


def drive(engine: Engine, requests: list, steps: int = 2000) -> None:
    for _ in range(steps):
        if all(r.finished for r in requests):
            return
        engine.step()
    raise AssertionError("requests did not finish")


def queue(engine: Engine, ids: list[int], params: SamplingParams, user: str = "", priority: int = 0):
    """Submits without the engine's thread, for tests that step by hand."""
    from finback.engine.engine import Request

    request = Request(engine, engine._ids(ids), params, user, priority, next(engine._arrivals))
    engine.waiting.append(request)
    return request


@settings(max_examples=12)
@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(1, 6), st.sampled_from([0.0, 0.9])), min_size=1, max_size=6),
    st.sampled_from([3, 64, 200, 1024]),
    st.sampled_from([None, "full", "periodic", "zero"]),
    st.sampled_from([None, 5, 8]),
)
def test_answers_do_not_depend_on_company_chunks_policy_or_preemption(shapes, tokens, policy, blocks):
    engine = Engine(MODEL, limits=Limits(tokens=tokens, requests=4), prefix=policy, period=128, cache_blocks=blocks)
    jobs = [(prompt(n, 10 + i), SamplingParams(temperature=t, max_tokens=k, seed=i)) for i, (n, k, t) in enumerate(shapes)]
    requests = [queue(engine, ids, params) for ids, params in jobs]
    drive(engine, requests)
    for request, (ids, params) in zip(requests, jobs):
        assert request.answer == alone(ids, params)
    if engine.prefixes:
        engine.prefixes.clear()
    assert engine.pool.used == 0


@pytest.mark.parametrize("policy", ["full", "periodic", "zero"])
def test_a_hit_gives_what_a_cold_run_gives(policy):
    engine = Engine(MODEL, prefix=policy, period=256)
    base = prompt(700, 1)
    params = SamplingParams(temperature=0, max_tokens=5)
    for length, tail in ((700, 0), (700, 30), (512, 9), (400, 1), (129, 0), (128, 0), (640, 100)):
        ids = base[:length] + prompt(tail, length)
        request = queue(engine, ids, params)
        drive(engine, [request])
        assert request.answer == alone(ids, params), (length, tail, request.cached)
        known = length // 128 * 128 if (length, tail) != (700, 0) and length % 128 + tail else 0
        if policy == "full" and known:
            assert request.cached == known
    assert engine.prefixes.stats().found > 0 or recompute_tokens(engine.pool) > 700


def test_users_do_not_share():
    engine = Engine(MODEL, prefix="full")
    ids = prompt(300, 3)
    for user, cached in (("a", 0), ("b", 0), ("a", 256)):
        request = queue(engine, ids, SamplingParams(temperature=0, max_tokens=2), user)
        drive(engine, [request])
        assert request.cached == cached


def test_preemption_happens_and_nothing_is_lost():
    engine = Engine(MODEL, cache_blocks=4, prefix=None)
    requests = [queue(engine, prompt(100, i), SamplingParams(temperature=0, max_tokens=60)) for i in range(4)]
    drive(engine, requests)
    assert engine.preemptions > 0
    assert requests[0].answer == alone(prompt(100, 0), SamplingParams(temperature=0, max_tokens=60))
    assert requests[3].answer == alone(prompt(100, 3), SamplingParams(temperature=0, max_tokens=60))
    assert engine.pool.used == 0


def test_a_prompt_that_can_never_fit_is_refused():
    with pytest.raises(ValueError, match="needs 4 blocks of cache, the engine has 3"):
        Engine(MODEL, cache_blocks=3).submit(prompt(400, 1))
    with pytest.raises(ValueError, match="outside the vocabulary"):
        Engine(MODEL).submit([V])
    with pytest.raises(ValueError, match="prompt is empty"):
        Engine(MODEL).submit([])


def test_threads_stream_cancel_and_close():
    engine = Engine(MODEL)
    params = SamplingParams(temperature=0, max_tokens=8)
    results = engine.generate([prompt(20, 1), prompt(150, 2)], params)
    assert [r.tokens for r in results] == [alone(prompt(20, 1), params), alone(prompt(150, 2), params)]
    assert [r.finish for r in results] == ["length", "length"]

    async def first_three():
        out = []
        async for piece in engine.stream(prompt(20, 1), SamplingParams(temperature=0, max_tokens=4000)):
            out += piece.tokens
            if len(out) >= 3:
                break
        return out

    assert asyncio.run(first_three())[:3] == results[0].tokens[:3]
    request = engine.submit(prompt(5, 1), SamplingParams(max_tokens=4000))
    engine.close()
    assert [piece.finish for piece in request][-1] == "cancelled"
    with pytest.raises(ValueError, match="closed"):
        engine.submit([1])
    if engine.prefixes:
        engine.prefixes.clear()
    assert engine.pool.used == 0


class Letters:
    """A tokenizer whose token t is the letter number t."""

    vocab_size, eos_id = V, V - 1

    class Decoder:
        def feed(self, token):
            return chr(97 + token % 26)

        def flush(self):
            return ""

    def stream_decoder(self):
        return self.Decoder()


@pytest.mark.parametrize("stop", ["q", "ab", "xyz"])
def test_stop_strings_end_the_answer_and_are_not_part_of_it(stop):
    engine = Engine(MODEL, Letters())
    free = queue(engine, prompt(9, 2), SamplingParams(seed=1, max_tokens=60))
    drive(engine, [free])
    text = "".join(piece.text for piece in free)
    assert len(text) == len(free.answer)
    stop = stop if stop == "xyz" else text[30 : 30 + len(stop)]  # one that occurs, but for the last
    cut = queue(engine, prompt(9, 2), SamplingParams(seed=1, max_tokens=60, stop=(stop,)))
    drive(engine, [cut])
    pieces = list(cut)
    assert "".join(piece.text for piece in pieces) == text.split(stop)[0]
    assert pieces[-1].finish == ("stop" if stop in text else free_finish(free))


def free_finish(request) -> str:
    return "stop" if request.answer[-1] == V - 1 else "length"


def test_a_program_that_ends_with_a_running_engine_ends_cleanly():
    code = (
        "import sys; sys.path.insert(0, 'tests'); from helpers import random_model, tiny_config\n"
        "from finback.engine import Engine, SamplingParams\n"
        "engine = Engine(random_model(tiny_config(), seed=1).requires_grad_(False))\n"
        "next(iter(engine.submit([1, 2, 3], SamplingParams(max_tokens=4000))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_is_loaded_with_its_tokenizer():
    path = Path(finback.__file__).parent / "models" / "first"
    params = SamplingParams(max_tokens=5, temperature=0)
    given, asked = (engine.generate(["Once upon a time"], params)[0].text for engine in (Engine(load(path), load_tokenizer(path)), Engine(str(path))))
    assert given == asked and given


def test_a_start_does_not_wait_for_what_no_answer_needs():
    """PyTorch's compiler takes longer to import than all the rest, and a draw on the meta device is enough for it."""
    path = Path(finback.__file__).parent / "models" / "first"
    code = f"import sys, finback; finback.Engine({str(path)!r}).generate(['Once']); print('torch._dynamo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
