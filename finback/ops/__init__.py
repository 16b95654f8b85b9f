"""Which implementation of a heavy step runs? The first backend that takes its arguments, else the reference.

`ops.reference` defines every operation in plain PyTorch. FINBACK_BACKEND chooses: `auto` (default), `reference`
(nothing else runs), or a backend's name, `cpu`, under which arguments that it refuses are an error.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

from finback.ops import cpu, reference
from finback.ops.entries import round_entries
from finback.ops.formats import hadamard, round_fp4, round_index
from finback.ops.reference import affinities, hidden_entries

BACKENDS = ("auto", "reference", "cpu")
BACKEND = os.environ.get("FINBACK_BACKEND", "auto")
if BACKEND not in BACKENDS:
    raise ValueError(f"FINBACK_BACKEND={BACKEND} is unknown: choose one of {', '.join(BACKENDS)}")
if BACKEND == "cpu" and cpu.MISSING:
    raise RuntimeError(f"FINBACK_BACKEND=cpu, but {cpu.MISSING}")


def _choose(name: str) -> Callable:
    definition = getattr(reference, name)
    if BACKEND == "reference" or cpu.MISSING or name not in cpu.OPS:
        return definition
    refuses, native = cpu.OPS[name]

    @functools.wraps(definition)
    def op(*args):
        reason = refuses(*args)
        if reason is None:
            return native(*args)
        if BACKEND == "cpu":
            raise RuntimeError(f"FINBACK_BACKEND=cpu, but its {name} refuses the arguments: {reason}")
        return definition(*args)

    return op


entry_mass = _choose("entry_mass")
experts = _choose("experts")
hc_head = _choose("hc_head")
hc_post = _choose("hc_post")
hc_pre = _choose("hc_pre")
index_scores = _choose("index_scores")
pool_windows = _choose("pool_windows")
rms_norm = _choose("rms_norm")
rotate = _choose("rotate")
select_entries = _choose("select_entries")
sparse_attention = _choose("sparse_attention")
swiglu = _choose("swiglu")
top_k = _choose("top_k")

__all__ = [
    "affinities",
    "entry_mass",
    "experts",
    "hadamard",
    "hc_head",
    "hc_post",
    "hc_pre",
    "hidden_entries",
    "index_scores",
    "pool_windows",
    "rms_norm",
    "rotate",
    "round_entries",
    "round_fp4",
    "round_index",
    "select_entries",
    "sparse_attention",
    "swiglu",
    "top_k",
]
