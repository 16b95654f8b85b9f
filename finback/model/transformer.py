"""What does the whole model compute, from token ids to logits? (report figure 2, spec 2)

Embedding copied to n residual streams; blocks of attention and experts, each read from and written
to the streams by hyper-connections; a head that collapses the streams. One forward serves training,
prefill in any chunks, decode and rollouts: the cache (`states`) is an optional argument. The model
knows nothing of files, tokenizers or schedulers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from finback import ops
from finback.config import ModelConfig
from finback.model import hyper_connections as hc
from finback.model import native
from finback.model.attention import Attention
from finback.model.batch import Batch, Pass
from finback.model.layers import RMSNorm
from finback.model.moe import MoE
from finback.model.rope import Rope, angles, frequencies
from finback.model.state import Layout, Pool, SequenceState
from finback.ops.cpu.plan import Plan, Stored

_KEPT = "this model's matrices are kept as they are stored, for the native kernels"
_DENSE = 'Load it with dtype="float32" or "bfloat16"'


class Block(nn.Module):
    """h -> h: attention, then experts, each as X' = B X + C F(norm(A X)) (report 2.2)."""

    def __init__(self, config: ModelConfig, layer: int):
        super().__init__()
        self.config = config
        self.attn = Attention(config, layer)
        self.ffn = MoE(config, layer)
        self.attn_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.ffn_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        hc.add_parameters(self, "hc_attn", config)
        hc.add_parameters(self, "hc_ffn", config)

    def forward(self, h: Tensor, run: Pass) -> Tensor:
        """h: [T, n, D] residual streams -> the same shape."""
        x, post, comb = self._read("hc_attn", h, run)
        h = ops.hc_post(self.attn(self.attn_norm(x), run), h, post, comb)
        x, post, comb = self._read("hc_ffn", h, run)
        return ops.hc_post(self.ffn(self.ffn_norm(x), run), h, post, comb)

    def _read(self, prefix: str, h: Tensor, run: Pass) -> tuple[Tensor, Tensor, Tensor]:
        x, post, comb = hc.read(self, prefix, h, self.config)
        if run.trace is not None and run.trace.mixing is not None:
            run.trace.mixing.append(comb.detach())
        return x, post, comb


class Transformer(nn.Module):
    """The V4 language model. Parameters carry DeepSeek's names; routed experts are stacked per layer."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        from finback.model.mtp import MTPBlock  # mtp is built of Block

        self.config = config
        # given, because nn.Embedding's own draw imports torch._dynamo on the meta device: two seconds of every start
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size, _weight=torch.empty(config.vocab_size, config.hidden_size))
        self.layers = nn.ModuleList(Block(config, i) for i in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        hc.add_parameters(self, "hc_head", config, head=True)
        self.mtp = nn.ModuleList(
            MTPBlock(config, config.num_hidden_layers + i) for i in range(config.num_nextn_predict_layers)
        )
        self._freqs: dict[tuple[torch.device, bool], Tensor] = {}
        self._planner = native.Planner()
        self.kept: dict[str, Stored] = {}  # matrices that are no parameters, see `keep`
        self.activations = "bf16"
        self.fp8_cache = False  # caches in the report's layout, see `Layout`

    def keep(self, kept: dict[str, Stored], activations: str) -> None:
        """Takes matrices in the format in which the native kernels multiply them, by DeepSeek's names, in the place of
        parameters on the meta device. activations: `Plan`'s rounding. Raises ValueError where the kernels cannot."""
        self.kept, self.activations = kept, activations
        with torch.no_grad():
            if self._planner.current(self) is None:
                raise ValueError(f"{_KEPT}, which cannot run here: {self._planner.reason or 'FINBACK_BACKEND=reference'}. {_DENSE}")

    def new_pass(
        self, batch: Batch, states: Sequence[SequenceState] | None = None, fp4: bool = False, **options: Any
    ) -> Pass:
        """Checks a batch and prepares its forward; options are the fields of `Pass`. Raises ValueError.

        fp4: as the model will compute once its experts are stored in FP4 (quantisation-aware training).
        """
        if self.kept:
            raise ValueError(f"{_KEPT}, which know neither gradients nor hooks nor traces. {_DENSE}")
        self._check(batch, states)
        ropes = {compressed: self._rope(batch, compressed) for compressed in (False, True)}
        return Pass(batch, ropes, states, fp4_experts=fp4, fp4_index=fp4 or self.config.index_fp4, fp8_cache=self.fp8_cache, **options)

    def _rope(self, batch: Batch, compressed: bool) -> Rope:
        key = (batch.positions.device, compressed)
        if key not in self._freqs:
            self._freqs[key] = frequencies(self.config, compressed).to(key[0])
        return Rope(self._freqs[key], *angles(batch.positions, self._freqs[key]))

    def streams(self, run: Pass) -> Tensor:
        """The residual streams [T, n, D] after the last layer. Advances the states, one for each segment."""
        for state, (a, b) in zip(run.states or (), run.batch.spans):
            state.reserve(state.length + b - a)
        h = self.embed(run.batch.tokens)
        h = h.to(run.dtype or h.dtype).unsqueeze(1).repeat(1, self.config.hc_mult, 1)
        for block in self.layers:
            h = block(h, run)
        for state, (a, b) in zip(run.states or (), run.batch.spans):
            state.length += b - a
        return h

    def final(self, h: Tensor) -> Tensor:
        """What the head multiplies, [T, D], from streams [T, n, D]."""
        return self.norm(hc.collapse(self, h, self.config))

    def read_out(self, h: Tensor) -> Tensor:
        """Logits [T, V] FP32 of streams [T, n, D]."""
        return self.final(h).float() @ self.head.weight.float().t()

    def forward(self, batch: Batch, states: Sequence[SequenceState] | None = None, rows: Tensor | None = None) -> Tensor:
        """Next-token logits [T, V] FP32, or [len(rows), V] for the given rows of the batch only."""
        plan = self.plan(states)
        if plan is not None:
            self._check(batch, states)
            return native.forward(plan, batch, states, rows)
        h = self.streams(self.new_pass(batch, states))
        return self.read_out(h if rows is None else h[rows])

    def forward_with_streams(self, batch: Batch, states: Sequence[SequenceState], rows: Tensor) -> tuple[Tensor, Tensor]:
        """As forward, and the streams [T, n, D] after the last layer, which MTP blocks go on from."""
        plan = self.plan(states)
        if plan is not None:
            self._check(batch, states)
            h = torch.empty(len(batch.tokens), self.config.hc_mult, self.config.hidden_size)
            return native.forward(plan, batch, states, rows, h), h
        h = self.streams(self.new_pass(batch, states))
        return self.read_out(h[rows]), h

    def plan(self, states: Sequence[SequenceState] | None) -> Plan | None:
        """The native plan that computes the next forward; None where the modules do."""
        plan = self._planner.current(self)
        return plan if plan is not None and all(state.pool.layout == plan.layout for state in states or ()) else None

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Within it this thread's forwards take it that no weight moved or was replaced since the last one; values that change in
        their place are seen. Saves a decoded token the look at every parameter."""
        before, self._planner.settled.on = getattr(self._planner.settled, "on", False), True
        try:
            yield
        finally:
            self._planner.settled.on = before

    def logits(self, sequences: Sequence[Sequence[int]]) -> list[Tensor]:
        """Next-token logits of whole sequences of any lengths: a list of [n_i, V] FP32. Honours torch.no_grad."""
        batch = Batch.of(sequences, device=self.embed.weight.device)
        return list(batch.split(self(batch)))

    @property
    def layout(self) -> Layout:
        """Of the model's caches."""
        return Layout(self.config, torch.float8_e4m3fn if self.fp8_cache else self.embed.weight.dtype)

    def new_pool(self, limit: int | None = None) -> Pool:
        """Memory for the compressed entries of many sequences, at most `limit` blocks."""
        return Pool(self.layout, self.embed.weight.device, limit)

    def new_state(self, pool: Pool | None = None) -> SequenceState:
        """An empty cache for one sequence, in a pool of its own unless one is given."""
        return SequenceState.empty(pool if pool is not None else self.new_pool())

    def _check(self, batch: Batch, states: Sequence[SequenceState] | None) -> None:
        c = self.config
        # On an accelerator this would wait for the device at every step; there the embedding itself refuses.
        if batch.tokens.device.type == "cpu" and batch.tokens.numel():
            low, high = batch.tokens.aminmax()
            if int(low) < 0 or int(high) >= c.vocab_size:
                bad = int(low) if int(low) < 0 else int(high)
                raise ValueError(
                    f"token id {bad} is outside the vocabulary of {c.vocab_size}: was the text encoded with "
                    "another model's tokenizer?"
                )
        for (a, b), start in zip(batch.spans, batch.starts):
            if start + b - a > c.max_position_embeddings:
                raise ValueError(
                    f"a sequence of {start + b - a} tokens exceeds max_position_embeddings={c.max_position_embeddings}: "
                    "shorten it or raise the limit in config.json"
                )
        if states is None:
            if any(batch.starts):
                raise ValueError("the batch continues sequences (starts > 0) but no states were given: pass their states")
            return
        if torch.is_grad_enabled():
            raise ValueError("states keep no gradients: call the model under torch.no_grad() or torch.inference_mode()")
        if any(state.pool.layout.fp8 != self.fp8_cache for state in states):
            raise ValueError("the states' caches are not in the model's layout (fp8_cache): take them from model.new_state()")
        if len({id(state) for state in states}) != len(states):
            raise ValueError("two segments of the batch share one state: give each sequence its own")
        lengths = tuple(state.length for state in states)
        if lengths != batch.starts:
            raise ValueError(f"states hold {lengths} tokens but the batch starts at {batch.starts}: they must agree")


_FP32 = re.compile(
    r"(^|\.)(hc_\w+|attn_sink|ape|\w*norm\.weight|gate\.(weight|bias)|compressor\.(wkv|wgate)\.weight)$|^head\.weight$"
)


def storage_dtype(name: str, dtype: torch.dtype) -> torch.dtype:
    """In which dtype the parameter `name` lives for compute dtype `dtype`: what the spec computes in FP32 stays FP32."""
    if name.endswith("tid2eid"):
        return torch.int64
    return torch.float32 if _FP32.search(name) else dtype
