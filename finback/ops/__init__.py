"""Which implementation of the heavy steps runs? The plain PyTorch reference, until a faster one exists."""

from finback.ops.reference import (
    affinities,
    entry_mass,
    experts,
    hc_head,
    hc_post,
    hc_pre,
    hidden_entries,
    index_scores,
    pool_windows,
    rms_norm,
    rotate,
    select_entries,
    sparse_attention,
    swiglu,
    top_k,
)

__all__ = [
    "affinities",
    "entry_mass",
    "experts",
    "hc_head",
    "hc_post",
    "hc_pre",
    "hidden_entries",
    "index_scores",
    "pool_windows",
    "rms_norm",
    "rotate",
    "select_entries",
    "sparse_attention",
    "swiglu",
    "top_k",
]
