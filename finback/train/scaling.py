"""How large a model, on how many tokens, how fast? One dial, `size`, that sets what a recipe leaves open.

Each step of the dial adds a layer and 32 channels, and costs some times as much as the one before; `finback sizes`
prints what each comes to. Depth and width come first, and whatever a recipe sets itself replaces
the rule and is what the later rules go by. The rules, and whose they are:

    depth        3 + size layers: two of sliding window, then CSA and HCA in turn, as DeepSeek-V4-Flash
    width        32 (size + 1) channels. Deep and narrow suits small models (MobileLLM, arXiv 2402.14905), and
                 the exact ratio matters little (Kaplan et al., arXiv 2001.08361, figure 5)
    attention    4 heads, together as wide as the model; ranks and index heads in V4's proportions
    experts      4 (size + 1), each as wide as the model, 2 of them and a shared one for a token: fine-grained
                 (DeepSeekMoE, arXiv 2401.06066), and sparser as the compute grows (arXiv 2501.12370)
    MTP          none: below some billions of parameters it does not pay (Gloeckle et al., arXiv 2404.19737)
    vocabulary   512 (size + 1): it should grow more slowly than the rest (Tao et al., arXiv 2407.13623)
    weights      start with deviation 0.5 / sqrt(width), DeepSeek-V3's 0.006 at its width of 7168
    sequences    128 (size + 1) tokens, of whose CSA entries the indexer picks a quarter
    tokens       20 for each active parameter (Chinchilla, arXiv 2203.15556)
    batch, rate  0.2920 C^0.3271 tokens and 0.3118 C^-0.1250 for a compute of C FLOPs (DeepSeek LLM, arXiv
                 2401.02954, equations 1). Muon's updates have AdamW's size (report 2.4), so the rate holds for both
    schedule     5 % of the steps rise, 70 % of the tokens dense at a constant rate; then, while the rate falls to
                 a tenth (report 4.2.2; a fall of 20 % is enough, arXiv 2405.18392), 5 % warm up the indexer and
                 the rest is sparse

DeepSeek fitted its laws on dense models at 1e17 to 2e19 FLOPs; the small sizes here lie far below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from finback.config import ModelConfig, preset
from finback.cost import parameters, training_flops

SIZES = range(1, 25)
TOKENS_PER_PARAMETER = 20
DENSE, WARMUP = 0.70, 0.05  # shares of the tokens


class SizeError(ValueError):
    """A size that there is not, or that contradicts the recipe."""


def fill_in(raw: dict[str, Any]) -> dict[str, Any]:
    """A recipe's plain values with `size` carried out: what the dial decides and the recipe does not say is added.

    [schedule] may hold `tokens`, the length of the run, in place of stages. Raises SizeError.
    """
    size, given = raw["size"], raw.get("model", {})
    if not isinstance(size, int) or isinstance(size, bool) or size not in SIZES:
        raise SizeError(f"size is {size!r}; choose a whole number from {SIZES[0]} to {SIZES[-1]} (`finback sizes` shows them)")
    if "preset" in given:
        raise SizeError(f"the recipe has size = {size} and [model] preset = {given['preset']!r}, which both choose a model: drop one")
    schedule, tokenizer = raw.get("schedule", {}), {"vocab_size": 512 * (size + 1), **raw.get("tokenizer", {})}
    for where, names in (
        (given, ("num_hidden_layers", "hidden_size", "num_nextn_predict_layers", "head_dim")),
        (schedule, ("tokens", "batch_tokens", "learning_rate")), (tokenizer, ("vocab_size",)),
    ):  # fmt: skip
        for name in names:
            _check(where, name)
    if "stages" in schedule and "tokens" in schedule:
        raise SizeError("[schedule] has tokens and stages, which both say how long the run is: drop one")
    model = {**_architecture(size, given), **given}
    rest = {key: value for key, value in raw.items() if key != "size"}
    config = preset("nano").replace(vocab_size=tokenizer["vocab_size"], **model)
    return {**rest, "model": model, "tokenizer": tokenizer, "schedule": _schedule(size, config, schedule)}


@dataclass(frozen=True)
class Size:
    """What a size comes to where a recipe sets nothing else; flops: of the whole run."""

    size: int
    model: ModelConfig
    tokens: int
    batch_tokens: int
    learning_rate: float
    flops: float


def size_of(size: int) -> Size:
    """Raises SizeError."""
    filled = fill_in({"size": size})
    config = preset("nano").replace(vocab_size=filled["tokenizer"]["vocab_size"], **filled["model"])
    s, flops = filled["schedule"], 0.0
    for stage in s["stages"]:
        flops += stage["tokens"] / stage["sequence"] * training_flops(config, [stage["sequence"]], stage["attention"], False)
    return Size(size, config, sum(stage["tokens"] for stage in s["stages"]), s["batch_tokens"], s["learning_rate"], flops)


def _check(values: dict[str, Any], name: str) -> None:
    value = values.get(name, 1)
    kinds = (int, float) if name == "learning_rate" else (int,)
    if not isinstance(value, kinds) or isinstance(value, bool) or value < (0 if name == "num_nextn_predict_layers" else 1e-9):
        raise SizeError(f"{name} is {value!r}; other values follow from it, so it must be a number above 0: correct or drop it")


def _architecture(size: int, given: dict[str, Any]) -> dict[str, Any]:
    """The fields of ModelConfig that differ from preset nano."""
    L, D = given.get("num_hidden_layers", 3 + size), given.get("hidden_size", 32 * (size + 1))
    M = given.get("num_nextn_predict_layers", 0)
    c = given.get("head_dim", D // 4)
    return {
        "num_hidden_layers": L, "hidden_size": D, "num_nextn_predict_layers": M,
        "compress_ratios": ((0, 0) + (4, 128) * L)[:L] + (0,) * M, "num_hash_layers": min(2, L),
        "num_attention_heads": 4, "head_dim": c, "qk_rope_head_dim": c // 4 * 2, "q_lora_rank": D // 2, "o_groups": 2,
        "o_lora_rank": D // 4, "index_n_heads": 8, "index_head_dim": c, "index_topk": _sequence(size) // 16,
        "n_routed_experts": 4 * (size + 1), "num_experts_per_tok": 2, "moe_intermediate_size": D,
        "initializer_range": 0.5 / math.sqrt(D),
    }  # fmt: skip


def _schedule(size: int, config: ModelConfig, given: dict[str, Any]) -> dict[str, Any]:
    given = dict(given)
    tokens, sequence = given.pop("tokens", TOKENS_PER_PARAMETER * parameters(config).active), _sequence(size)
    if "stages" in given:
        try:
            tokens = max(sum(stage["tokens"] for stage in given["stages"]), 1)
            sequence = max(1, *(stage["sequence"] for stage in given["stages"]))
        except (TypeError, KeyError, ValueError):
            return given  # read_schedule says what is wrong with them
    compute = tokens / sequence * training_flops(config, [sequence], "sparse", config.num_nextn_predict_layers > 0)
    batch = given.get("batch_tokens", max(round(0.2920 * compute**0.3271 / sequence), 1) * sequence)
    rate = given.get("learning_rate", float(f"{0.3118 * compute**-0.1250:.2g}"))
    steps = math.ceil(tokens / batch)
    warmup, sparse = max(round(WARMUP * steps), 1), max(round((1 - DENSE - WARMUP) * steps), 1)
    parts = (("dense", max(steps - warmup - sparse, 1)), ("warmup", warmup), ("sparse", sparse))
    return {
        "stages": [{"tokens": n * batch, "sequence": sequence, "attention": attention} for attention, n in parts],
        "batch_tokens": batch, "learning_rate": rate, "end_learning_rate": rate / 10,
        "warmup_steps": min(math.ceil(steps / 20), 2000), "decay_start": DENSE, **given,
    }  # fmt: skip


def _sequence(size: int) -> int:
    return 128 * (size + 1)
