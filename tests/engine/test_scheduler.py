"""Decisions of the scheduler, without a model."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from finback.engine.scheduler import MIN_SHARE, Limits, admit, order, plan, victim


@dataclass(eq=False)
class Job:
    priority: int
    arrival: int
    pending: int
    boundary: int | None = None


jobs = st.lists(
    st.tuples(st.integers(0, 2), st.one_of(st.just(1), st.integers(2, 5000)), st.one_of(st.none(), st.integers(1, 700))), max_size=40
).map(lambda found: [Job(p, i, n, b) for i, (p, n, b) in enumerate(found)])


@given(jobs, st.integers(1, 2000))
def test_a_plan_stays_in_its_budget_and_wastes_none(running, tokens):
    shares = plan(running, Limits(tokens=tokens))
    given_to = {id(job): n for job, n in shares}
    assert len(given_to) == len(shares) and sum(given_to.values()) <= tokens
    for job, n in shares:
        assert 1 <= n <= min(job.pending, job.boundary or job.pending)
    if running:
        assert shares
    wanted = sum(min(job.pending, job.boundary or job.pending) for job in running)
    served = [job for job, _ in shares if job.pending > 1]
    if len(served) == sum(job.pending > 1 for job in running):
        assert sum(given_to.values()) == min(tokens, wanted) or len(served) > tokens - sum(j.pending == 1 for j in running)


@given(jobs, st.integers(1, 2000))
def test_decoding_goes_before_prompts_and_the_first_is_always_served(running, tokens):
    served = {id(job) for job, _ in plan(running, Limits(tokens=tokens))}
    decoding = [job for job in order(running) if job.pending == 1]
    assert all(id(job) in served for job in decoding[:tokens])
    prompts = [job for job in order(running) if job.pending > 1]
    if prompts and tokens - len(decoding) >= MIN_SHARE:
        assert id(prompts[0]) in served


@given(jobs, st.integers(0, 50), st.integers(0, 5), st.integers(1, 8))
def test_admission_keeps_order_memory_and_number(waiting, free, running, requests):
    out = admit(waiting, running, free, lambda job: job.pending // 128 + 2, Limits(requests=requests))
    assert out == order(waiting)[: len(out)]
    assert running + len(out) <= max(requests, running)
    if len(out) > 1 or running:
        assert sum(job.pending // 128 + 2 for job in out[0 if running else 1 :]) <= max(free, 0)
    if waiting and not running:
        assert out


@given(jobs)
def test_the_victim_is_never_the_first(running):
    found = victim(running)
    assert (found is None) == (len(running) < 2)
    if found is not None:
        assert found is order(running)[-1] is not order(running)[0]
