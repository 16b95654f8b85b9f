"""The cache's memory: rings, blocks, forks."""

from __future__ import annotations

import pytest
import torch
from helpers import random_ids, random_model, tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from finback import ops
from finback.config import preset
from finback.model import Batch
from finback.model.state import Layout, Pool, keep, recent

MODEL = random_model(tiny_config(compress_ratios=(0, 4, 128, 4)), seed=5)
V = MODEL.config.vocab_size


@given(st.integers(1, 9), st.lists(st.integers(0, 25), max_size=6))
def test_a_ring_holds_the_last_rows(slots, chunks):
    ring, rows = torch.full((slots, 2), torch.nan), torch.zeros(0, 2)
    for n in chunks:
        fresh = torch.arange(len(rows), len(rows) + n)[:, None].expand(n, 2).float()
        keep(ring, fresh, len(rows) + n)
        rows = torch.cat((rows, fresh))
        for count in range(min(slots, len(rows)) + 1):
            assert torch.equal(recent(ring, len(rows), count), rows[len(rows) - count :])


@pytest.mark.parametrize("name", ["nano", "mini", "bench-small", "flash", "pro"])
def test_parts_do_not_overlap_and_fill_their_buffers(name):
    for dtype in (torch.float32, torch.bfloat16):
        layout = Layout(preset(name), dtype)
        rings = [p for x in layout.layers for p in (x.window, x.u, x.z, x.index_u, x.index_z) if p]
        paged = [p for x in layout.layers for p in (x.entries, x.keys) if p]
        for parts, total in ((rings, layout.fixed_bytes), (paged, layout.block_bytes)):
            end = 0
            for part in sorted(parts):
                assert part.offset >= end and part.offset % 64 == 0
                end = part.offset + part.nbytes
            assert end <= total < end + 64
        assert all(layout.block_tokens % r == 0 for r in preset(name).compress_ratios if r)


@torch.no_grad()
@given(st.integers(1, 300), st.integers(1, 150), st.integers(1, 150))
def test_forks_go_their_own_ways(n, k, j):
    trunk, one, two = random_ids(n, V, 1), random_ids(k, V, 2), random_ids(j, V, 3)
    pool = MODEL.new_pool()
    state = MODEL.new_state(pool)
    MODEL(Batch.of([trunk]), [state])
    other = state.fork()
    assert pool.used == len(state.blocks) + (n % 128 != 0)
    MODEL(Batch.of([one], [n]), [state])
    out = MODEL(Batch.of([two], [n]), [other])
    assert (out - MODEL.logits([torch.cat((trunk, two))])[0][n:]).abs().max() < 1e-4
    state.release()
    other.release()
    assert pool.used == 0


@given(st.integers(1, 150), st.integers(1, 4), st.integers(0, 4), st.booleans())  # at most 8 rows, as the shortest ring has
@settings(max_examples=16)
@torch.no_grad()
def test_a_rewound_state_goes_on_as_if_the_tokens_had_never_been(n, wrong, right, native):
    ids, layers = random_ids(n + right + 12, V, n).tolist(), range(MODEL.config.num_hidden_layers)
    expected, state = MODEL.logits([ids])[0], MODEL.new_state()
    run = lambda tokens: MODEL(Batch.of([tokens], [state.length]), [state])  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops, "BACKEND", ops.BACKEND if native else "reference")
        run(ids[:n])
        undo = state.undo(n + right + 1, wrong - 1, layers)  # all that will be forgotten but the first
        run(ids[n : n + right] + [(t + 1) % V for t in ids[n + right : n + right + wrong]])
        state.rewind(n + right, undo, layers)
        state.length = n + right
        for at in range(n + right, len(ids)):
            torch.testing.assert_close(run(ids[at : at + 1])[0], expected[at], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_a_full_pool_refuses_and_leaves_the_state_as_it_was():
    pool = MODEL.new_pool(limit=2)
    state = MODEL.new_state(pool)
    MODEL(Batch.of([random_ids(200, V, 1)]), [state])
    with pytest.raises(MemoryError, match="all 2 blocks"):
        MODEL(Batch.of([random_ids(300, V, 2)], [200]), [state])
    assert state.length == 200 and len(state.blocks) == 2
    MODEL(Batch.of([random_ids(56, V, 2)], [200]), [state])
    state.release()
    assert pool.used == 0


class PoolMachine(RuleBasedStateMachine):
    """Blocks are never lost, given twice, or freed while somebody owns them."""

    def __init__(self):
        super().__init__()
        self.pool, self.owners = Pool(Layout(preset("nano"), torch.float32), limit=12), []

    @rule()
    def take(self):
        if len(set(self.owners)) == 12:
            with pytest.raises(MemoryError):
                self.pool.take()
        else:
            block = self.pool.take()
            assert block not in self.owners
            self.owners.append(block)

    @precondition(lambda self: self.owners)
    @rule(data=st.data())
    def share(self, data):
        self.owners.append(self.pool.share(data.draw(st.sampled_from(self.owners))))

    @precondition(lambda self: self.owners)
    @rule(data=st.data())
    def release(self, data):
        block = data.draw(st.sampled_from(self.owners))
        self.pool.release(block)
        self.owners.remove(block)
        if block not in self.owners:
            for act in (self.pool.release, self.pool.share):
                with pytest.raises(ValueError):
                    act(block)

    @invariant()
    def counts_agree(self):
        assert self.pool.used == len(set(self.owners))
        assert len(self.pool.memory) == len(self.pool.references) <= 12


TestPool = PoolMachine.TestCase
