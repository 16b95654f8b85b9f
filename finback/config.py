"""What shape does a DeepSeek-V4 model have?

One frozen dataclass with the field names of DeepSeek's `config.json`, the presets, and the
two JSON spellings (DeepSeek's and transformers') it is read from. A config that contradicts
itself is refused here, with the field and the fix, so that no other file has to check.
This file knows nothing of tensors.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

LayerKind = Literal["SWA", "CSA", "HCA"]

_TF_LAYER_TYPES = {
    "sliding_attention": "SWA",
    "compressed_sparse_attention": "CSA",
    "heavily_compressed_attention": "HCA",
}


class ConfigError(ValueError):
    """A configuration that cannot be built; the message names the field and the fix."""


@dataclass(frozen=True)
class Yarn:
    """YaRN scaling of the rotary frequencies in layers with compressed attention (no mscale)."""

    factor: float = 16.0
    original_max_position_embeddings: int = 65536
    beta_fast: float = 32.0
    beta_slow: float = 1.0


@dataclass(frozen=True)
class ModelConfig:
    """The hyper-parameters of a V4 model (defaults: V4-Flash).

    `compress_ratios` has one entry for each layer and one for each MTP block: 0 is sliding
    window only, `csa_ratio` is CSA (overlapping compressor and indexer), any other value is HCA.
    """

    vocab_size: int = 129280
    hidden_size: int = 4096
    num_hidden_layers: int = 43
    num_nextn_predict_layers: int = 1
    # attention
    num_attention_heads: int = 64
    head_dim: int = 512
    qk_rope_head_dim: int = 64
    q_lora_rank: int = 1024
    o_groups: int = 8
    o_lora_rank: int = 1024
    sliding_window: int = 128
    compress_ratios: tuple[int, ...] = (0, 0) + (4, 128) * 20 + (4, 0)
    csa_ratio: int = 4
    index_n_heads: int = 64
    index_head_dim: int = 128
    index_topk: int = 512
    index_fp4: bool = False  # ours: whether the indexer multiplies rotated FP4 queries and keys
    # rotary positions
    rope_theta: float = 10000.0
    compress_rope_theta: float = 160000.0
    rope_scaling: Yarn | None = Yarn()
    max_position_embeddings: int = 1048576
    # experts
    n_routed_experts: int = 256
    num_experts_per_tok: int = 6
    moe_intermediate_size: int = 2048
    num_hash_layers: int = 3
    routed_scaling_factor: float = 1.5
    swiglu_limit: float = 10.0
    # hyper-connections
    hc_mult: int = 4
    hc_sinkhorn_iters: int = 20
    hc_eps: float = 1e-6
    # the rest
    rms_norm_eps: float = 1e-6
    initializer_range: float = 0.02
    bos_token_id: int = 0
    eos_token_id: int = 1

    def __post_init__(self):
        object.__setattr__(self, "compress_ratios", tuple(self.compress_ratios))
        _validate(self)

    @property
    def layer_kinds(self) -> tuple[LayerKind, ...]:
        """The attention of each layer, then of each MTP block."""
        return tuple("SWA" if r == 0 else "CSA" if r == self.csa_ratio else "HCA" for r in self.compress_ratios)

    @property
    def num_blocks(self) -> int:
        """Layers and MTP blocks."""
        return self.num_hidden_layers + self.num_nextn_predict_layers

    def replace(self, **changes: Any) -> ModelConfig:
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The content of a `config.json` that DeepSeek's code, transformers and Finback read."""
        return _to_dict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> ModelConfig:
        """Reads DeepSeek's `config.json` or the one transformers writes. Raises ConfigError."""
        return _from_dict(raw)

    @classmethod
    def from_file(cls, path: str | Path) -> ModelConfig:
        """Reads a `config.json`, or the one in a checkpoint directory."""
        path = Path(path)
        if path.is_dir():
            path = path / "config.json"
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"{path} does not exist: give a checkpoint directory or its config.json") from None
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ConfigError(f"{path} is not valid JSON ({error}): download or export it again") from None
        if not isinstance(raw, dict):
            raise ConfigError(f"{path} holds a JSON {type(raw).__name__}, not an object: it is not a model's config.json")
        return cls.from_dict(raw)


def _validate(c: ModelConfig) -> None:
    def check(ok: bool, sentence: str) -> None:
        if not ok:
            raise ConfigError(sentence)

    for field in dataclasses.fields(c):
        value = getattr(c, field.name)
        if field.type in ("int", "float"):
            numeric = isinstance(value, int) or (field.type == "float" and isinstance(value, float))
            check(numeric and not isinstance(value, bool), f"{field.name} is {value!r}; expected {field.type}")
    at_least_one = (
        "vocab_size hidden_size num_hidden_layers num_attention_heads head_dim q_lora_rank o_groups o_lora_rank "
        "sliding_window n_routed_experts num_experts_per_tok moe_intermediate_size hc_mult hc_sinkhorn_iters "
        "max_position_embeddings"
    )
    for name in at_least_one.split():
        check(getattr(c, name) >= 1, f"{name} is {getattr(c, name)}; it must be at least 1")
    for name in "num_nextn_predict_layers num_hash_layers".split():
        check(getattr(c, name) >= 0, f"{name} is {getattr(c, name)}; it must not be negative")
    for name in "rope_theta compress_rope_theta swiglu_limit hc_eps rms_norm_eps".split():
        check(getattr(c, name) > 0, f"{name} is {getattr(c, name)}; it must be positive")

    L, M = c.num_hidden_layers, c.num_nextn_predict_layers
    check(
        len(c.compress_ratios) == L + M,
        f"compress_ratios has {len(c.compress_ratios)} entries for {L} layers + {M} MTP blocks; "
        f"expected {L + M}: give one for each, or change num_hidden_layers or num_nextn_predict_layers",
    )
    check(c.csa_ratio >= 2, f"csa_ratio is {c.csa_ratio}; CSA compresses at least 2 tokens into one entry")
    for i, ratio in enumerate(c.compress_ratios):
        check(
            isinstance(ratio, int) and (ratio == 0 or ratio >= 2),
            f"compress_ratios[{i}] is {ratio!r}; use 0 for a sliding-window layer or a window of at least 2 tokens",
        )
    check(
        c.qk_rope_head_dim % 2 == 0 and 0 < c.qk_rope_head_dim <= c.head_dim,
        f"qk_rope_head_dim is {c.qk_rope_head_dim}; it must be even and between 2 and head_dim={c.head_dim}",
    )
    check(
        c.num_attention_heads % c.o_groups == 0,
        f"o_groups={c.o_groups} does not divide num_attention_heads={c.num_attention_heads}: "
        "choose o_groups so that every group has the same number of heads",
    )
    if "CSA" in c.layer_kinds:
        for name in ("index_n_heads", "index_topk"):
            check(getattr(c, name) >= 1, f"{name} is {getattr(c, name)}; the CSA layers need at least 1")
        check(
            c.index_head_dim >= c.qk_rope_head_dim,
            f"index_head_dim={c.index_head_dim} is smaller than qk_rope_head_dim={c.qk_rope_head_dim}: "
            "the indexer rotates that many channels, raise index_head_dim",
        )
        check(
            not c.index_fp4 or c.index_head_dim.bit_count() == 1,
            f"index_head_dim is {c.index_head_dim}, but index_fp4 turns the indexer by a Hadamard matrix: use a power of two",
        )
    check(isinstance(c.index_fp4, bool), f"index_fp4 is {c.index_fp4!r}; it must be true or false")
    check(
        c.num_experts_per_tok <= c.n_routed_experts,
        f"num_experts_per_tok={c.num_experts_per_tok} exceeds n_routed_experts={c.n_routed_experts}: lower it",
    )
    check(
        c.num_hash_layers <= L,
        f"num_hash_layers={c.num_hash_layers} exceeds num_hidden_layers={L}: lower it (MTP blocks never hash)",
    )
    for name in ("bos_token_id", "eos_token_id"):
        check(
            0 <= getattr(c, name) < c.vocab_size,
            f"{name}={getattr(c, name)} is outside the vocabulary of {c.vocab_size}: correct it or vocab_size",
        )


# What V4 fixes: a config that asks for something else is another model.
_FIXED = {
    "num_key_value_heads": 1,
    "n_shared_experts": 1,
    "scoring_func": "sqrtsoftplus",
    "topk_method": "noaux_tc",
    "norm_topk_prob": True,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "attention_bias": False,
    "mlp_bias": False,
}


def _from_dict(raw: dict[str, Any]) -> ModelConfig:
    model_type = raw.get("model_type", "deepseek_v4")
    if model_type != "deepseek_v4":
        known = {"deepseek_v41": "DeepSeek-V4.1 (CSA2, Engram)", "deepseek_v3": "DeepSeek-V3", "deepseek_v32": "DeepSeek-V3.2"}
        raise ConfigError(
            f"model_type is {model_type!r} ({known.get(model_type, 'another architecture')}); "
            "Finback reads deepseek_v4: give a V4 checkpoint"
        )
    for name, fixed in _FIXED.items():
        if raw.get(name, fixed) != fixed:
            raise ConfigError(f"{name} is {raw[name]!r}, but DeepSeek-V4 has {fixed!r}: remove it or use {fixed!r}")

    fields = {f.name for f in dataclasses.fields(ModelConfig)}
    values = {k: v for k, v in raw.items() if k in fields and v is not None}
    for name in ("rope_theta", "compress_rope_theta"):
        if name in values:
            values[name] = float(values[name])
    if isinstance(values.get("eos_token_id"), list):
        values["eos_token_id"] = values["eos_token_id"][0]

    L = values.get("num_hidden_layers", ModelConfig.num_hidden_layers)
    M = values.get("num_nextn_predict_layers", ModelConfig.num_nextn_predict_layers)
    if "compress_ratios" not in raw and raw.get("layer_types") is not None:  # transformers' spelling
        values.update(_ratios_from_layer_types(raw))
    if is_dspark(raw):  # the drafter's stages stand where the MTP block was; only the backbone is read
        values["num_nextn_predict_layers"] = M = 0
        if len(values.get("compress_ratios", ())) > L:
            values["compress_ratios"] = tuple(values["compress_ratios"])[:L]
    ratios = tuple(values.get("compress_ratios", ()))
    if len(ratios) == L and M:  # transformers drops the MTP entries; the blocks are sliding-window
        values["compress_ratios"] = ratios + (0,) * M
    if "num_hash_layers" not in raw and raw.get("mlp_layer_types") is not None:
        kinds = raw["mlp_layer_types"]
        n_hash = kinds.count("hash_moe")
        if kinds != ["hash_moe"] * n_hash + ["moe"] * (len(kinds) - n_hash):
            raise ConfigError("mlp_layer_types must list all hash_moe layers first, then moe: reorder it")
        values["num_hash_layers"] = n_hash
    values.update(_rope_from_dict(raw))
    if "qk_rope_head_dim" not in raw and raw.get("partial_rotary_factor") is not None:
        values["qk_rope_head_dim"] = int(values.get("head_dim", ModelConfig.head_dim) * raw["partial_rotary_factor"])
    return ModelConfig(**values)


def is_dspark(raw: dict[str, Any]) -> bool:
    """True for the checkpoints whose MTP block was replaced by the DSpark drafter (V4-Flash-0731 and later)."""
    return any(key.startswith("dspark_") for key in raw)


def _ratios_from_layer_types(raw: dict[str, Any]) -> dict[str, Any]:
    rates = {"compressed_sparse_attention": 4, "heavily_compressed_attention": 128, **(raw.get("compress_rates") or {})}
    unknown = set(raw["layer_types"]) - set(_TF_LAYER_TYPES)
    if unknown:
        raise ConfigError(f"layer_types contains {sorted(unknown)}; expected only {sorted(_TF_LAYER_TYPES)}")
    csa, hca = rates["compressed_sparse_attention"], rates["heavily_compressed_attention"]
    if csa == hca and {"compressed_sparse_attention", "heavily_compressed_attention"} <= set(raw["layer_types"]):
        raise ConfigError(f"compress_rates gives CSA and HCA the same rate {csa}: make them differ")
    ratio = {"sliding_attention": 0, "compressed_sparse_attention": csa, "heavily_compressed_attention": hca}
    csa_ratio = csa if "compressed_sparse_attention" in raw["layer_types"] or csa != hca else ModelConfig.csa_ratio
    return {"compress_ratios": tuple(ratio[t] for t in raw["layer_types"]), "csa_ratio": csa_ratio}


def _rope_from_dict(raw: dict[str, Any]) -> dict[str, Any]:
    """The rotary fields from DeepSeek's `rope_scaling` or transformers' `rope_parameters {main, compress}`."""
    out: dict[str, Any] = {}
    nested = raw.get("rope_parameters") or {}
    if "main" in nested and "compress" in nested:
        out["rope_theta"] = float(nested["main"]["rope_theta"])
        out["compress_rope_theta"] = float(nested["compress"]["rope_theta"])
        scaling = nested["compress"]
    else:
        scaling = raw.get("rope_scaling") or nested or None
    if scaling is None:
        return {**out, "rope_scaling": None}
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind == "default":
        return {**out, "rope_scaling": None}
    if kind != "yarn":
        raise ConfigError(f"rope_scaling type is {kind!r}; DeepSeek-V4 uses 'yarn' (or no rope_scaling at all)")
    if scaling.get("attention_factor", 1.0) not in (None, 1.0) or scaling.get("mscale") or scaling.get("mscale_all_dim"):
        raise ConfigError("rope_scaling sets attention_factor or mscale, which DeepSeek-V4 does not apply: remove them")
    names = [f.name for f in dataclasses.fields(Yarn)]
    given = {n: scaling[n] for n in names if scaling.get(n) is not None}
    for n in ("factor", "original_max_position_embeddings"):
        if n not in given:
            raise ConfigError(f"rope_scaling lacks {n}, which YaRN needs: add it (V4 has factor 16, original 65536)")
    return {**out, "rope_scaling": Yarn(**given)}


def _to_dict(c: ModelConfig) -> dict[str, Any]:
    out: dict[str, Any] = {"architectures": ["DeepseekV4ForCausalLM"], "model_type": "deepseek_v4", **_FIXED}
    for field in dataclasses.fields(c):
        out[field.name] = getattr(c, field.name)
    out["compress_ratios"] = list(c.compress_ratios)
    out["rope_scaling"] = None
    if c.rope_scaling is not None:
        out["rope_scaling"] = {"type": "yarn", **dataclasses.asdict(c.rope_scaling)}
    if c.csa_ratio == 4:
        del out["csa_ratio"]
    if not set(c.compress_ratios) <= {0, 4, 128} or c.csa_ratio != 4:
        # transformers maps only the ratios 0, 4 and 128 by itself; others it needs spelt out.
        tf_names = {kind: name for name, kind in _TF_LAYER_TYPES.items()}
        kinds = c.layer_kinds[: c.num_hidden_layers]
        out["layer_types"] = [tf_names[k] for k in kinds]
        hca = {r for r, k in zip(c.compress_ratios, kinds) if k == "HCA"}
        if len(hca) <= 1:  # transformers knows one HCA rate for the whole model
            out["compress_rates"] = {
                "compressed_sparse_attention": c.csa_ratio,
                "heavily_compressed_attention": hca.pop() if hca else 128,
            }
    return out


_BENCH = dict(
    num_hidden_layers=8, num_nextn_predict_layers=0, compress_ratios=(0, 0) + (4, 128) * 3, num_hash_layers=3,
    n_routed_experts=32, num_experts_per_tok=4,
)  # fmt: skip

PRESETS: dict[str, ModelConfig] = {
    # about a million parameters: tests and the first model
    "nano": ModelConfig(
        vocab_size=2048, hidden_size=128, num_hidden_layers=4, compress_ratios=(0, 4, 128, 4, 0), num_attention_heads=4,
        head_dim=32, qk_rope_head_dim=16, q_lora_rank=64, o_groups=2, o_lora_rank=32, index_n_heads=8, index_head_dim=32,
        index_topk=32, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=64, num_hash_layers=1,
        max_position_embeddings=65536, rope_scaling=Yarn(original_max_position_embeddings=4096),
    ),
    # the size of the released model
    "mini": ModelConfig(
        vocab_size=4096, hidden_size=256, num_hidden_layers=8, compress_ratios=(0, 0) + (4, 128) * 3 + (0,),
        num_attention_heads=4, head_dim=64, qk_rope_head_dim=32, q_lora_rank=128, o_groups=2, o_lora_rank=128,
        index_n_heads=8, index_head_dim=64, index_topk=64, n_routed_experts=16, num_experts_per_tok=2,
        moe_intermediate_size=256, num_hash_layers=2, max_position_embeddings=65536,
        rope_scaling=Yarn(original_max_position_embeddings=4096),
    ),
    "bench-small": ModelConfig(
        vocab_size=8192, hidden_size=512, num_attention_heads=8, head_dim=128, qk_rope_head_dim=32, q_lora_rank=256,
        o_groups=2, o_lora_rank=256, index_n_heads=8, index_head_dim=64, index_topk=64, moe_intermediate_size=256,
        **_BENCH,
    ),
    "bench-mid": ModelConfig(
        vocab_size=16384, hidden_size=1024, num_attention_heads=16, head_dim=512, qk_rope_head_dim=64, q_lora_rank=512,
        o_groups=4, o_lora_rank=512, index_n_heads=16, index_head_dim=128, index_topk=512, moe_intermediate_size=512,
        **_BENCH,
    ),
    "flash": ModelConfig(),
    "pro": ModelConfig(
        hidden_size=7168, num_hidden_layers=61, compress_ratios=(128, 128) + (4, 128) * 29 + (4, 0),
        num_attention_heads=128, q_lora_rank=1536, o_groups=16, index_topk=1024, n_routed_experts=384,
        moe_intermediate_size=3072, routed_scaling_factor=2.5,
    ),
}  # fmt: skip


def preset(name: str) -> ModelConfig:
    """A preset by name; an unknown name is refused with the list of known ones."""
    if name not in PRESETS:
        raise ConfigError(f"there is no preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
