"""The prefix store's files: whatever happens to them, answers are those of a cold run."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import logging
import os
import random
import resource
import signal
import threading
import time
from pathlib import Path

import pytest
import torch
from helpers import random_ids, random_model, tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st

from finback.engine import Engine, SamplingParams, disk
from finback.engine.disk import DiskStore
from finback.engine.prefix import _keys, recompute_tokens
from finback.ops import cpu

CONFIG = tiny_config(compress_ratios=(0, 4, 128, 4))
MODEL = random_model(CONFIG, seed=5).requires_grad_(False)
SIZES = {"block": 300, "rings": 700}
PARAMS = SamplingParams(temperature=0.8, max_tokens=3, logprobs=3, seed=1)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Flushing matters when a machine dies, which no test here can bring about, and takes ten milliseconds a file."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def prompt(n: int, seed: int) -> list[int]:
    return random_ids(n, CONFIG.vocab_size, seed).tolist()


def new_engine(folder: Path | None, policy: str | None = "periodic", **options) -> Engine:
    return Engine(MODEL, prefix=policy, period=256, disk=folder, **options)


def answer(engine: Engine, ids: list[int], params: SamplingParams = PARAMS):
    result = engine.generate([ids], params)[0]
    return result.tokens, result.choices, result.cached


def cold(ids: list[int]):
    engine = new_engine(None, None)
    out = answer(engine, ids)
    engine.close()
    return out[:2]


# --- the files alone: blocks and rings whose content follows from their key


def key_of(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def content(kind: str, key: bytes) -> torch.Tensor:
    return torch.frombuffer(bytearray(random.Random(key + kind.encode()).randbytes(SIZES[kind])), dtype=torch.uint8)


def chain(name: str, length: int) -> list[tuple[bytes, bytes | None]]:
    keys = [key_of(f"{name} {i}") for i in range(length)]
    return list(zip(keys, [None, *keys]))


def new_store(folder: Path, budget: int = 1 << 20, model: str = "m") -> DiskStore:
    return DiskStore(folder, model, SIZES, budget)


def put(store: DiskStore, links, rings: bool = True) -> None:
    for key, parent in links:
        if store.lacks("block", key, parent):
            store.offer("block", key, parent, content("block", key))
        if rings and store.lacks("rings", key):
            store.offer("rings", key, None, content("rings", key))


def found(store: DiskStore, links) -> list[bool]:
    """Which blocks and rings are there; what is there must be right."""
    out = []
    for key, parent in links:
        for kind, above in (("block", parent), ("rings", None)):
            data = store.read(kind, key, above)
            assert data is None or torch.equal(data, content(kind, key))
            out.append(data is not None)
    return out


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def held(folder: Path) -> int:
    return sum(p.stat().st_size for p in files(folder))


def check_tree(folder: Path) -> None:
    """No file is without what it is found by."""
    blocks = {p.name[:32]: p.name[33:65] for p in folder.rglob("*.block")}
    assert all(parent in blocks or parent == "0" * 32 for parent in blocks.values())
    assert all(p.name[:32] in blocks for p in folder.rglob("*.rings"))


def test_what_was_written_is_read_by_the_next_process(tmp_path):
    store = new_store(tmp_path)
    put(store, chain("a", 5))
    store.close()
    assert store.stats().written == 10 and store.stats().bytes == held(tmp_path)
    again = new_store(tmp_path)
    assert all(found(again, chain("a", 5))) and not any(found(again, chain("b", 2)))
    assert not any(found(new_store(tmp_path, model="other"), chain("a", 5)))
    assert {p.stat().st_mode & 0o777 for p in files(tmp_path)} == {0o600}
    assert {p.suffix for p in files(tmp_path)} == {".block", ".rings"}


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_file_is_a_miss_told_once_and_written_again(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("disk")
    store = new_store(folder)
    links = chain("a", 2)
    put(store, links)
    store.close()
    file = data.draw(st.sampled_from(files(folder)))
    good = file.read_bytes()
    damage = data.draw(st.sampled_from(["cut", "flip", "longer", "empty", "other", "text"]))
    if damage == "cut":
        bad = good[: data.draw(st.integers(0, len(good) - 1))]
    elif damage == "flip":
        bit = data.draw(st.integers(0, 8 * len(good) - 1))
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
    elif damage == "longer":
        bad = good + b"\0"
    elif damage == "other":  # a whole and healthy file of another block
        bad = next(p for p in files(folder) if p.suffix == file.suffix and p != file).read_bytes()
    else:
        bad = b"" if damage == "empty" else b"hello"
    file.write_bytes(bad)
    again, records = new_store(folder), []
    disk.log.addFilter(lambda record: bool(records.append(record.getMessage())))
    try:
        seen = found(again, links)
        assert not file.exists() and seen.count(False) == 1
        found(again, links)
    finally:
        disk.log.filters.clear()
    assert len(records) == 1 and str(file) in records[0]
    put(again, links)
    again.close()
    assert file.read_bytes() == good


def test_a_file_is_flushed_before_it_has_its_name(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(os, "fsync", lambda handle: calls.append(os.readlink(f"/proc/self/fd/{handle}")))
    real = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append(str(b)), real(a, b)))
    store = new_store(tmp_path)
    put(store, chain("a", 1), rings=False)
    store.close()
    flushed, named, folder = calls
    assert flushed.endswith(".part") and Path(named) == files(tmp_path)[0] and Path(folder) == store.folder


def test_another_format_is_not_read(tmp_path, monkeypatch, caplog):
    store = new_store(tmp_path)
    put(store, chain("a", 1))
    store.close()
    old = files(tmp_path)
    monkeypatch.setattr(disk, "FORMAT", 2)
    newer = new_store(tmp_path)
    assert newer.folder != store.folder
    for file in old:
        file.rename(newer.folder / file.name)
    assert not any(found(newer, chain("a", 1)))
    assert "has format 1, and this Finback reads 2" in caplog.text


@settings(max_examples=15)
@given(st.integers(1500, 8000), st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 6), st.booleans()), max_size=25), st.randoms())
def test_the_budget_holds_and_parents_outlive_children_whatever_the_clock_says(tmp_path_factory, budget, jobs, rng):
    folder = tmp_path_factory.mktemp("disk")
    store = new_store(folder, budget)
    for name, length, reopen in jobs:
        put(store, chain(name, length), rng.random() < 0.5)
        store.flush()
        assert held(folder) <= budget and store.stats().bytes == held(folder)
        check_tree(folder)
        for file in files(folder):
            moment = rng.choice([0, 1, time.time(), time.time() + 1e8, rng.uniform(0, 2e9)])
            os.utime(file, (moment, moment))
        if reopen:
            store.close()
            store = new_store(folder, budget)
    store.close()
    found(new_store(folder, budget), chain("a", 6))


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 50), st.one_of(st.none(), st.integers(0, 50))), max_size=30))
def test_a_file_goes_after_all_that_need_it_and_else_by_its_last_use(blocks):
    tree = []
    for i, (n, used, rings) in enumerate(blocks):
        tree.append(disk._File(f"b{i}", "m", "block", str(i), str(n % (i + 1) - 1), 1, used))  # -1: no parent
        if rings is not None:
            tree.append(disk._File(f"r{i}", "m", "rings", str(i), str(i), 1, rings))
    left = random.Random(0).sample(tree, len(tree))
    for file in disk._leaves(tree):
        free = [f for f in left if f.kind == "rings" or not any(other.needs == f.name for other in left)]
        assert file in free and file.used == min(f.used for f in free)
        left.remove(file)
    assert not left


def test_the_longest_unused_leaves_go_first(tmp_path):
    store = new_store(tmp_path)
    for name in "abc":
        put(store, chain(name, 3))
        store.flush()
        for file in files(tmp_path):
            os.utime(file, (file.stat().st_atime - 100, file.stat().st_mtime - 100))
    store.used(chain("a", 2), key_of("a 1"))
    store.close()
    size = held(tmp_path)
    small = new_store(tmp_path, size // 2)
    small.close()  # a smaller budget takes effect at once
    assert held(tmp_path) <= size // 2
    check_tree(tmp_path)
    assert found(small, chain("a", 2))[0::2] == [True, True] and found(small, chain("a", 2))[3]
    assert found(small, chain("b", 3)).count(True) < found(small, chain("c", 3)).count(True)


def test_files_larger_than_the_budget_are_refused(tmp_path, caplog):
    store = new_store(tmp_path, 400)
    put(store, chain("a", 3))
    store.close()
    assert files(tmp_path) == [] and "no room" in caplog.text


def test_a_full_disk_costs_the_files_and_nothing_else(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(disk, "PAUSE", 0.0)
    full = [True]

    def fsync(handle):
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    ids = prompt(700, 3)
    engine = new_engine(tmp_path, "full")
    assert answer(engine, ids)[:2] == cold(ids)
    engine.prefixes.disk.flush()
    assert files(tmp_path) == [] and engine.prefixes.stats().disk.failed > 0
    assert sum("No space" in r.getMessage() for r in caplog.records) == 1
    full[0] = False
    engine.prefixes.clear()
    assert answer(engine, ids)[:2] == cold(ids)
    engine.close()
    assert engine.prefixes.stats().disk.written > 0
    other = new_engine(tmp_path, "full")
    assert answer(other, ids) == (*cold(ids), 640)
    other.close()


@needs_fork
def test_a_file_that_was_written_in_part_only_leaves_no_trace(tmp_path):
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))  # enough for a block, too little for rings
        store = new_store(tmp_path)
        put(store, chain("a", 1))
        store.close()
        assert (store.stats().written, store.stats().failed) == (1, 1)

    assert os.waitstatus_to_exitcode(os.waitpid(fork(limited), 0)[1]) == 0
    assert [file.suffix for file in files(tmp_path)] == [".block"]
    assert found(new_store(tmp_path), chain("a", 1)) == [True, False]


def test_a_slow_disk_drops_blocks_and_later_takes_them(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "QUEUE_BYTES", 2 * SIZES["block"] + 50)
    gate, real = threading.Event(), DiskStore._write
    monkeypatch.setattr(DiskStore, "_write", lambda *args: (gate.wait(20), real(*args)))
    store = new_store(tmp_path)
    put(store, chain("a", 5), rings=False)
    assert store.stats().dropped == 1  # the third; those behind it are not even offered
    gate.set()
    store.flush()
    for _ in range(3):
        put(store, chain("a", 5), rings=False)
        store.flush()
    store.close()
    assert found(new_store(tmp_path), chain("a", 5))[0::2] == [True] * 5


def test_what_another_process_removed_is_written_again(tmp_path):
    one, two = new_store(tmp_path), new_store(tmp_path)
    put(one, chain("a", 3))
    one.flush()
    assert all(found(two, chain("a", 3)))
    for file in files(tmp_path):
        file.unlink()
    assert not any(found(two, chain("a", 3)))
    one.used(chain("a", 3), key_of("a 2"))
    one.flush()
    put(one, chain("a", 3))
    one.flush()
    assert all(found(two, chain("a", 3)))


def scribble(folder: Path, seed: int, budget: int, seconds: float) -> None:
    """Writes and reads chains for a while, in a small budget."""
    rng, end = random.Random(seed), time.monotonic() + seconds
    store = new_store(folder, budget)
    while time.monotonic() < end:
        links = chain(rng.choice("abcdefgh"), rng.randint(1, 6))
        put(store, links, rng.random() < 0.5)
        found(store, links)
        store.used(links, None)
        if rng.random() < 0.3:
            store.flush()
    store.close()


def fork(function, *args) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            logging.disable()
            function(*args)
            os._exit(0)
        finally:
            os._exit(1)
    return pid


@needs_fork
def test_processes_share_a_folder(tmp_path):
    children = [fork(scribble, tmp_path, seed, 6000, 1.0) for seed in range(2)]
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0]
    assert held(tmp_path) <= 6000 * 9 // 8 + 1200
    assert not list(tmp_path.rglob("*.part"))
    store = new_store(tmp_path)
    for name in "abcdefgh":
        found(store, chain(name, 6))
    assert store.stats().damaged == 0


@needs_fork
def test_a_writer_killed_at_any_moment_leaves_whole_files(tmp_path):
    rng = random.Random(1)
    for seed in range(12):
        pid = fork(scribble, tmp_path, seed, 1 << 16, 60.0)
        time.sleep(rng.uniform(0.005, 0.1))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        store = new_store(tmp_path)
        for name in "abcdefgh":
            found(store, chain(name, 6))
        assert store.stats().damaged == 0
        check_tree(tmp_path)
    assert len(files(tmp_path)) > 10
    for part in tmp_path.rglob("*.part"):
        os.utime(part, (0, 0))
    new_store(tmp_path)  # what the dead left goes once it is old
    assert not list(tmp_path.rglob("*.part"))


# --- the engine


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """For each policy a folder that knows one long prompt."""
    out = {}
    for policy in ("full", "periodic", "zero"):
        out[policy] = tmp_path_factory.mktemp(policy)
        engine = new_engine(out[policy], policy)
        answer(engine, prompt(900, 1))
        engine.close()
    return out


@pytest.mark.skipif(cpu.MISSING is not None, reason="only the native plan rounds alike in every batch")
@pytest.mark.parametrize("policy", ["full", "periodic", "zero"])
@settings(max_examples=6)
@given(st.one_of(st.integers(0, 900), st.sampled_from([127, 128, 129, 256, 640, 768, 769, 896])), st.integers(0, 140))
def test_a_hit_from_disk_at_any_boundary_is_bitwise_a_cold_run(stores, policy, length, tail):
    ids = prompt(900, 1)[:length] + prompt(tail + (length + tail == 0), 2)
    engine = new_engine(stores[policy], policy)
    tokens, choices, cached = answer(engine, ids)
    stats = engine.prefixes.stats()
    engine.prefixes.clear()
    assert engine.pool.used == 0
    engine.close()
    assert (tokens, choices) == cold(ids)
    blocks = min(length, len(ids) - 1) // 128
    least = {"full": 128 * blocks, "periodic": blocks // 2 * 256, "zero": max(128 * blocks - recompute_tokens(engine.pool), 0)}[policy]
    assert cached >= least and stats.found_on_disk == stats.found == cached


def test_a_damaged_file_in_the_middle_costs_time_only(tmp_path):
    ids, expected = prompt(900, 1), cold(prompt(900, 1))
    engine = new_engine(tmp_path, "full")
    answer(engine, ids)
    engine.close()
    before, rng = files(tmp_path), random.Random(3)
    last = [key for key in _keys("", ids, 128, 7)][-1].hex()[:32]
    read = [file for file in before if file.suffix == ".block" or file.name[:32] == last]  # other rings are not needed
    for file in rng.sample(read, 6):
        good = file.read_bytes()
        bad = bytearray(good)
        bad[rng.randrange(len(bad))] ^= 16
        file.write_bytes(bad)
        engine = new_engine(tmp_path, "full")
        assert answer(engine, ids)[:2] == expected
        engine.close()
        assert files(tmp_path) == before
        for part in parts(engine.pool.layout, file.suffix):
            start = disk._HEADER.size + part.offset
            assert file.read_bytes()[start : start + part.nbytes] == good[start : start + part.nbytes]


def parts(layout, suffix: str):
    names = ("entries", "keys") if suffix == ".block" else ("window", "u", "z", "index_u", "index_z")
    return [part for layer in layout.layers for part in (getattr(layer, name) for name in names) if part is not None]


def test_a_pool_with_little_room_takes_what_fits(stores):
    ids = prompt(900, 1)
    for blocks in (8, 9, 12):
        engine = new_engine(stores["full"], "full", cache_blocks=blocks)
        other = engine.submit(prompt(300, 4), PARAMS)
        assert answer(engine, ids)[:2] == cold(ids)
        assert (other.result().tokens, other.finished) == (cold(prompt(300, 4))[0], True)
        engine.close()
        engine.prefixes.clear()
        assert engine.pool.used == 0


def test_users_and_models_do_not_share(stores):
    ids = prompt(900, 1)
    engine = new_engine(stores["full"], "full")
    assert engine.submit(ids, PARAMS, user="someone").result().cached == 0
    assert engine.submit(ids, PARAMS).result().cached == 896
    engine.close()
    other = random_model(CONFIG, seed=5).requires_grad_(False)
    other.layers[1].ffn.experts.w1[2, 3, 4] += 1e-3
    engine = Engine(other, prefix="full", disk=stores["full"])
    assert engine.submit(ids, PARAMS).result().cached == 0
    engine.close()


def test_the_end_of_an_answer_is_kept(tmp_path):
    engine = new_engine(tmp_path, "periodic")
    params = dataclasses.replace(PARAMS, max_tokens=100)
    ids = prompt(290, 6)
    turn = ids + engine.submit(ids, params).result().tokens
    engine.close()
    engine = new_engine(tmp_path, "periodic")
    assert engine.submit(turn + prompt(5, 7), PARAMS).result().cached == 384  # 256 by the period alone
    engine.close()


@pytest.mark.parametrize("policy", ["full", "periodic", "zero"])
def test_turns_with_drafts_across_restarts_are_those_of_one_cold_engine_without(tmp_path, policy):
    """Drafts that were refused leave their traces in rings; none may be seen in a snapshot or a block."""
    model = random_model(tiny_config(compress_ratios=(0, 4, 128, 4, 0), num_nextn_predict_layers=1), seed=7).requires_grad_(False)
    params = dataclasses.replace(PARAMS, max_tokens=150, temperature=0.3)
    turn, cached = prompt(200, 8), 0
    for i in range(3):
        engine = Engine(model, prefix=policy, period=256, drafts=2, disk=tmp_path, journal=tmp_path / "journal")
        warm = engine.submit(turn, params).result()
        engine.close()
        plain = Engine(model, prefix=None, drafts=0)
        alone = plain.submit(turn, params).result()
        plain.close()
        assert (warm.tokens, warm.choices) == (alone.tokens, alone.choices)
        turn, cached = turn + warm.tokens + prompt(20, 9 + i), warm.cached
    assert cached or policy == "zero"


def test_options_that_contradict_are_refused(tmp_path):
    with pytest.raises(ValueError, match="without a prefix store"):
        Engine(MODEL, prefix=None, disk=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="give a directory that can be written"):
        Engine(MODEL, disk=tmp_path / "file")


def test_a_model_of_windows_alone_runs_without_a_store(tmp_path):
    model = random_model(tiny_config(compress_ratios=(0, 0, 0, 0)), seed=1).requires_grad_(False)
    engine = Engine(model, disk=tmp_path)
    assert len(engine.submit(prompt(300, 1), SamplingParams(max_tokens=3)).result().tokens) == 3
    engine.close()
