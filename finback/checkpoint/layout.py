"""Which tensors does a DeepSeek-V4 checkpoint hold, and how large is each?

The complete inventory of a config in DeepSeek's flat names and order: first as computed
(`weights`: a name, a shape and what kind of weight it is), then as stored (`official_tensors`:
with the dtype strings of safetensors, packed shapes and scale tensors). For the published
configs it gives the published index files to the byte. Nothing is allocated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from finback.config import ModelConfig

from .formats import BLOCK, GROUP, Format

# expert and linear: quantised in DeepSeek's files; plain: BF16 there; float: always F32; table: I64
Kind = Literal["expert", "linear", "plain", "float", "table"]

DTYPE_BYTES = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "BF16": 2, "F16": 2, "I16": 2, "U16": 2,
    "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip

_PLAIN_DTYPE = {"fp32": "F32", "bf16": "BF16", "fp8": "BF16"}  # plain weights beside linears of this format


@dataclass(frozen=True)
class Weight:
    """One weight as computed: DeepSeek's name, the shape without packing, and its kind."""

    name: str
    shape: tuple[int, ...]
    kind: Kind

    @property
    def numel(self) -> int:
        return _product(self.shape)


def weights(config: ModelConfig) -> Iterator[Weight]:
    """Every weight of the model, MTP blocks included, in DeepSeek's order."""
    c = config
    V, D, hc = c.vocab_size, c.hidden_size, c.hc_mult
    yield Weight("embed.weight", (V, D), "plain")
    yield Weight("head.weight", (V, D), "plain")
    yield Weight("norm.weight", (D,), "plain")
    yield from _hyper("hc_head", hc, D, hc, 1)
    for n in range(c.num_hidden_layers):
        yield from _block(c, f"layers.{n}.", n)
    for n in range(c.num_nextn_predict_layers):
        prefix = f"mtp.{n}."
        yield from _block(c, prefix, c.num_hidden_layers + n)
        for name in ("e_proj", "h_proj"):
            yield Weight(f"{prefix}{name}.weight", (D, D), "linear")
        for name in ("enorm", "hnorm", "norm"):
            yield Weight(f"{prefix}{name}.weight", (D,), "plain")
        yield from _hyper(f"{prefix}hc_head", hc, D, hc, 1)


def stored_tensors(weight: Weight, expert_format: Format, weight_format: Format) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """How one weight lies in a file: (name, dtype, shape), and the same for its scale if it has one."""
    if weight.kind == "table":
        yield weight.name, "I64", weight.shape
    elif weight.kind == "float":
        yield weight.name, "F32", weight.shape
    elif weight.kind == "plain":
        yield weight.name, _PLAIN_DTYPE[weight_format], weight.shape
    else:
        format = expert_format if weight.kind == "expert" else weight_format
        dtype = {"fp32": "F32", "bf16": "BF16", "fp8": "F8_E4M3", "fp4": "I8"}[format]
        o, i = weight.shape
        yield weight.name, dtype, (o, i // 2) if format == "fp4" else (o, i)
        if format in ("fp8", "fp4"):
            yield scale_name(weight.name), "F8_E8M0", scale_shape(weight.shape, format)


def official_tensors(
    config: ModelConfig, expert_format: Format = "fp4", weight_format: Format = "fp8"
) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Every tensor of a checkpoint as (name, safetensors dtype, shape). The defaults are DeepSeek's."""
    for weight in weights(config):
        yield from stored_tensors(weight, expert_format, weight_format)


def scale_name(weight_name: str) -> str:
    return weight_name.removesuffix("weight") + "scale"


def scale_shape(shape: tuple[int, ...], format: Format) -> tuple[int, int]:
    """The shape of the scales of a matrix [o, i]."""
    o, i = shape
    return (-(-o // BLOCK), -(-i // BLOCK)) if format == "fp8" else (o, -(-i // GROUP))


def total_bytes(tensors: Iterable[tuple[str, str, tuple[int, ...]]]) -> int:
    return sum(tensor_bytes(dtype, shape) for _, dtype, shape in tensors)


def tensor_bytes(dtype: str, shape: tuple[int, ...]) -> int:
    return DTYPE_BYTES[dtype] * _product(shape)


def expert_parts(name: str) -> tuple[str, int, str] | None:
    """`layers.3.ffn.experts.7.w1.weight` -> (`layers.3.ffn.experts.`, 7, `w1`); None for other weights."""
    match = re.fullmatch(r"(.+\.ffn\.experts\.)(\d+)\.(w[123])\.weight", name)
    return (match[1], int(match[2]), match[3]) if match else None


def without_mtp(config: ModelConfig) -> ModelConfig:
    """The same model without its MTP blocks."""
    return config.replace(num_nextn_predict_layers=0, compress_ratios=config.compress_ratios[: config.num_hidden_layers])


def _block(c: ModelConfig, p: str, index: int) -> Iterator[Weight]:
    D, hc, rank = c.hidden_size, c.hc_mult, c.q_lora_rank
    a = p + "attn."
    yield Weight(a + "attn_sink", (c.num_attention_heads,), "float")
    yield Weight(a + "wq_a.weight", (rank, D), "linear")
    yield Weight(a + "q_norm.weight", (rank,), "plain")
    yield Weight(a + "wq_b.weight", (c.num_attention_heads * c.head_dim, rank), "linear")
    yield Weight(a + "wkv.weight", (c.head_dim, D), "linear")
    yield Weight(a + "kv_norm.weight", (c.head_dim,), "plain")
    low = c.o_groups * c.o_lora_rank
    yield Weight(a + "wo_a.weight", (low, c.num_attention_heads * c.head_dim // c.o_groups), "linear")
    yield Weight(a + "wo_b.weight", (D, low), "linear")
    kind, ratio = c.layer_kinds[index], c.compress_ratios[index]
    if kind != "SWA":
        yield from _compressor(a + "compressor.", ratio, 2 if kind == "CSA" else 1, c.head_dim, D)
    if kind == "CSA":
        yield Weight(a + "indexer.wq_b.weight", (c.index_n_heads * c.index_head_dim, rank), "linear")
        yield Weight(a + "indexer.weights_proj.weight", (c.index_n_heads, D), "plain")
        yield from _compressor(a + "indexer.compressor.", ratio, 2, c.index_head_dim, D)
    yield Weight(p + "attn_norm.weight", (D,), "plain")
    yield Weight(p + "ffn_norm.weight", (D,), "plain")
    for name in ("hc_attn", "hc_ffn"):
        yield from _hyper(p + name, (2 + hc) * hc, D, hc, 3)
    E, I = c.n_routed_experts, c.moe_intermediate_size
    f = p + "ffn."
    yield Weight(f + "gate.weight", (E, D), "plain")
    if index < c.num_hash_layers:
        yield Weight(f + "gate.tid2eid", (c.vocab_size, c.num_experts_per_tok), "table")
    else:
        yield Weight(f + "gate.bias", (E,), "float")
    shapes = {"w1": (I, D), "w2": (D, I), "w3": (I, D)}
    for k in range(E):
        for name, shape in shapes.items():
            yield Weight(f"{f}experts.{k}.{name}.weight", shape, "expert")
    for name, shape in shapes.items():
        yield Weight(f"{f}shared_experts.{name}.weight", shape, "linear")


def _compressor(p: str, ratio: int, series: int, n: int, D: int) -> Iterator[Weight]:
    yield Weight(p + "ape", (ratio, series * n), "float")
    yield Weight(p + "wkv.weight", (series * n, D), "plain")
    yield Weight(p + "wgate.weight", (series * n, D), "plain")
    yield Weight(p + "norm.weight", (n,), "plain")


def _hyper(name: str, rows: int, D: int, hc: int, scales: int) -> Iterator[Weight]:
    yield Weight(name + "_fn", (rows, hc * D), "float")
    yield Weight(name + "_base", (rows,), "float")
    yield Weight(name + "_scale", (scales,), "float")


def _product(shape: tuple[int, ...]) -> int:
    n = 1
    for size in shape:
        n *= size
    return n
