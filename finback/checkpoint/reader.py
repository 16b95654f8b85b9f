"""What lies in a checkpoint, and is it all there?

Headers are read and checked first: missing shards, truncated files, missing, unexpected,
doubled and mis-shaped tensors are found, all of them, before a single weight is touched.
Then weights come lazily from memory-mapped files, in two forms that must not be confused:
`stored(name)` is what the file holds (packed values and their scale), `tensor(name, dtype)` is
the weight the model computes with. Formats are told by each tensor's own header, never by
config.json; nor does it say that DeepSeek's indexers run in FP4, which they do where the experts
are FP4 (`index_fp4` of Finback's own checkpoints says it outright). All names are DeepSeek's, whichever spelling the file uses (see `names`).
"""

from __future__ import annotations

import json
import struct
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from finback.config import ModelConfig, is_dspark

from .formats import FormatError, Stored, decode
from .layout import DTYPE_BYTES, Weight, expert_parts, scale_name, scale_shape, tensor_bytes, weights, without_mtp
from .names import WeightNameError, canonical_names, few, stacked_parts

INDEX = "model.safetensors.index.json"

_TORCH = {
    "F64": torch.float64, "F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16, "I64": torch.int64,
    "I32": torch.int32, "I8": torch.int8, "U8": torch.uint8, "F8_E4M3": torch.float8_e4m3fn, "F8_E8M0": torch.float8_e8m0fnu,
}  # fmt: skip
_PLAIN = ("F32", "BF16", "F16", "F64")


class CheckpointError(ValueError):
    """A checkpoint that cannot be read or written; the message names the file and the fix."""


@dataclass(frozen=True)
class Entry:
    """Where a tensor lies: `name` as the file spells it, `offset` in bytes from the file's start."""

    file: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int

    @property
    def nbytes(self) -> int:
        return tensor_bytes(self.dtype, self.shape)


@dataclass
class Checkpoint:
    """An inspected checkpoint. `entries` maps official names (scales included) to their place."""

    path: Path
    config: ModelConfig
    raw_config: dict[str, Any]
    entries: dict[str, Entry]
    notes: tuple[str, ...] = ()  # what was left aside, in sentences
    problems: tuple[str, ...] = ()  # why it cannot be loaded, in sentences
    _maps: dict[Path, torch.UntypedStorage] = field(default_factory=dict, repr=False)

    def names(self) -> list[str]:
        """The official names of all weights, in DeepSeek's order, without the scales."""
        return [w.name for w in weights(self.config) if w.name in self.entries]

    def dtype(self, name: str) -> str:
        """The safetensors dtype of a weight as stored."""
        return self._entry(name).dtype

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a weight as stored (FP4 is packed, two to a byte)."""
        return self._entry(name).shape

    def stored(self, name: str) -> Stored:
        """The weight as stored: its bytes and, for FP8 and FP4, its scales; both memory-mapped."""
        data = self._mapped(self._entry(name))
        scale = self.entries.get(scale_name(name)) if name.endswith(".weight") else None
        return Stored(data, None if scale is None else self._mapped(scale))

    def tensor(self, name: str, dtype: torch.dtype) -> Tensor:
        """The weight as computed; still memory-mapped if it is stored in `dtype`."""
        stored = self.stored(name)
        if name.endswith(".tid2eid"):
            return stored.data.to(torch.int64)
        try:
            return decode(stored, dtype)
        except FormatError as error:
            raise CheckpointError(f"{name} in {self._entry(name).file}: {error}") from None

    def _entry(self, name: str) -> Entry:
        if name not in self.entries:
            raise CheckpointError(f"{self.path} has no weight {name!r}: names() lists those it has")
        return self.entries[name]

    def _mapped(self, entry: Entry) -> Tensor:
        if entry.file not in self._maps:
            # private mapping: a model trained in place changes its memory, never the file
            self._maps[entry.file] = torch.UntypedStorage.from_file(str(entry.file), False, entry.file.stat().st_size)
        dtype = _TORCH[entry.dtype]
        if entry.nbytes == 0:
            return torch.empty(entry.shape, dtype=dtype)
        span = self._maps[entry.file][entry.offset : entry.offset + entry.nbytes]
        data = torch.empty(0, dtype=torch.uint8).set_(span)
        if data.data_ptr() % DTYPE_BYTES[entry.dtype]:
            data = data.clone()
        return data.view(dtype).view(entry.shape)


def open_checkpoint(path: str | Path) -> Checkpoint:
    """A checkpoint directory, or one .safetensors file with its config.json beside it.

    Raises CheckpointError with everything that is wrong with it; warns about what is left aside.
    """
    checkpoint = survey(path)
    if checkpoint.problems:
        raise CheckpointError(f"{path} cannot be loaded: " + "; ".join(checkpoint.problems))
    if checkpoint.notes:
        warnings.warn(f"{path}: " + "; ".join(checkpoint.notes), stacklevel=2)
    return checkpoint


def survey(path: str | Path) -> Checkpoint:
    """Like `open_checkpoint`, but lists problems with the tensors instead of raising them."""
    path = Path(path)
    files, promised = find_files(path)
    raw = read_config(path if path.is_dir() else path.parent)
    return match(path, raw, read_headers(files), promised)


def match(path: Path, raw: dict[str, Any], found: list[Entry], promised: dict[str, str] | None) -> Checkpoint:
    """Compares tensors found in files with what config.json (`raw`) and the index (`promised`) announce."""
    problems = _index_problems(found, promised)
    try:
        by_official = canonical_names(e.name for e in found)
    except WeightNameError as error:
        # names are matched to weights below; without them there is nothing more to say
        return Checkpoint(path, ModelConfig.from_dict(raw), raw, {}, (), (*problems, str(error)))
    by_name = {e.name: e for e in found}
    entries = {official: by_name[name] for official, name in by_official.items()}
    config = ModelConfig.from_dict(raw)
    entries, stack_problems = _unstack(entries, config)
    config, entries, notes = _settle_mtp(config, raw, entries)
    config = config.replace(index_fp4=raw.get("index_fp4", _has_fp4_experts(entries)))
    problems += stack_problems + _inventory_problems(config, entries)
    return Checkpoint(path, config, raw, entries, tuple(notes), tuple(problems))


def _has_fp4_experts(entries: dict[str, Entry]) -> bool:
    return any(e.dtype in ("I8", "U8") for name, e in entries.items() if expert_parts(name))


def read_config(directory: Path) -> dict[str, Any]:
    """The raw config.json of a directory, after it was found to be a V4 config."""
    ModelConfig.from_file(directory / "config.json")
    return json.loads((directory / "config.json").read_text(encoding="utf-8"))


def find_files(path: Path) -> tuple[list[Path], dict[str, str] | None]:
    """The safetensors files of a checkpoint, and the index's map from tensor to file if there is one."""
    if not path.exists():
        previous = path.parent / f".{path.name}.previous"
        hint = f"; a save was interrupted, the previous checkpoint is in {previous}" if previous.exists() else ""
        raise CheckpointError(f"{path} does not exist{hint}: give a checkpoint directory or a .safetensors file")
    if path.is_file():
        if path.suffix != ".safetensors":
            raise CheckpointError(f"{path} is no .safetensors file: give one, or the checkpoint directory")
        return [path], None
    if (path / INDEX).exists():
        promised = _read_index(path / INDEX)
        files = sorted(set(promised.values()))
        missing = [f for f in files if not (path / f).is_file()]
        if missing:
            raise CheckpointError(
                f"{len(missing)} of the {len(files)} files named by {path / INDEX} are missing: {few(missing)}; "
                "fetch them, or save the checkpoint again"
            )
        return [path / f for f in files], promised
    if (path / "model.safetensors").is_file():
        return [path / "model.safetensors"], None
    found = sorted(p.name for p in path.glob("*.safetensors"))
    if len(found) == 1 and "-of-" not in found[0]:
        return [path / found[0]], None
    if found:
        raise CheckpointError(
            f"{path} has {len(found)} .safetensors files ({few(found, 2)}) but no {INDEX}: the download or save was "
            "interrupted, complete it; or name the one file to read"
        )
    raise CheckpointError(f"{path} holds no .safetensors files: give the directory of a checkpoint")


def read_headers(files: Iterable[Path]) -> list[Entry]:
    """All tensors of some files, by reading their headers only. Damaged files are refused, all together."""
    entries, problems = [], []
    for file in files:
        try:
            entries += _read_header(file)
        except CheckpointError as error:
            problems.append(str(error))
    if problems:
        more = f"; and {len(problems) - 3} more files" if len(problems) > 3 else ""
        raise CheckpointError("; ".join(problems[:3]) + more)
    first: dict[str, Entry] = {}
    doubled = [e for e in entries if first.setdefault(e.name, e) is not e]
    if doubled:
        where = [f"{e.name} in {first[e.name].file.name} and {e.file.name}" for e in doubled]
        raise CheckpointError(f"{len(doubled)} tensors are stored twice: {few(where, 3)}; remove the stale files")
    return entries


def _read_header(file: Path) -> list[Entry]:
    size = file.stat().st_size
    with open(file, "rb") as f:
        start = f.read(8)
        if start == b"version ":
            raise CheckpointError(f"{file} is a Git LFS pointer, not the file itself: run `git lfs pull`")
        n = struct.unpack("<Q", start)[0] if len(start) == 8 else None
        if n is None or 8 + n > size:
            raise CheckpointError(f"{file} is truncated inside its header ({size} bytes): fetch it again")
        text = f.read(n)
    try:
        header = json.loads(text, object_pairs_hook=_no_doubles)
        header.pop("__metadata__", None)
        entries = [
            Entry(file, name, h["dtype"], tuple(h["shape"]), 8 + n + h["data_offsets"][0]) for name, h in header.items()
        ]
        ends = [8 + n + h["data_offsets"][1] for h in header.values()]
    except CheckpointError as error:
        raise CheckpointError(f"{file}: {error}") from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise CheckpointError(f"{file} does not begin with a safetensors header: fetch it again") from None
    if max(ends, default=8 + n) != size:
        expected = max(ends, default=8 + n)
        fault = "truncated" if size < expected else "longer than its header says"
        raise CheckpointError(f"{file} is {fault}: {size} bytes where its header announces {expected}; fetch it again")
    for entry, end in zip(entries, ends):
        if entry.dtype not in DTYPE_BYTES:
            raise CheckpointError(f"{file}: {entry.name} has dtype {entry.dtype}, which no V4 checkpoint uses")
        if entry.offset < 8 + n or entry.offset + entry.nbytes != end:
            raise CheckpointError(
                f"{file}: the header gives {entry.name} {end - entry.offset} bytes, but {entry.dtype} "
                f"{list(entry.shape)} takes {entry.nbytes}: fetch it again"
            )
    return entries


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        names = [name for name, _ in pairs]
        raise CheckpointError(f"its header names {few(sorted({n for n in names if names.count(n) > 1}))} twice: fetch it again")
    return out


def _read_index(file: Path) -> dict[str, str]:
    try:
        promised = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_no_doubles)["weight_map"]
        if not promised or any(Path(f).name != f for f in promised.values()):
            raise ValueError("its weight_map must name files of its own directory")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{file} is no valid index ({error}): fetch it again") from None
    return promised


def _index_problems(found: list[Entry], promised: dict[str, str] | None) -> list[str]:
    if promised is None:
        return []
    there = {e.name: e.file.name for e in found}
    problems = []
    lost = [n for n, f in promised.items() if there.get(n) != f]
    if lost:
        problems.append(f"{len(lost)} of {len(promised)} tensors are not in the file that {INDEX} names: {few(lost)}")
    extra = [n for n in there if n not in promised]
    if extra:
        problems.append(f"{len(extra)} tensors are in the files but not in {INDEX}: {few(extra)}")
    return problems


def _unstack(entries: dict[str, Entry], config: ModelConfig) -> tuple[dict[str, Entry], list[str]]:
    """Replaces stacked experts [E, o.., i] by the per-expert entries they hold: each is one span of the file."""
    out, problems = {}, []
    E, I, D = config.n_routed_experts, config.moe_intermediate_size, config.hidden_size
    rows = {"w1": I, "w2": D, "w3": I}
    for official, entry in entries.items():
        stack = stacked_parts(official)
        if stack is None:
            out[official] = entry
            continue
        prefix, parts = stack
        expected = (E, sum(rows[p] for p in parts), I if parts == ("w2",) else D)
        if entry.shape != expected or entry.dtype not in _PLAIN:
            problems.append(f"{entry.name} is {entry.dtype} {list(entry.shape)}; expected F32 or BF16 {list(expected)}")
            continue
        offset = entry.offset
        for k in range(E):
            for part in parts:
                piece = replace(entry, shape=(rows[part], expected[2]), offset=offset)
                out[f"{prefix}{k}.{part}.weight"] = piece
                offset += piece.nbytes
    return out, problems


def _settle_mtp(
    config: ModelConfig, raw: dict[str, Any], entries: dict[str, Entry]
) -> tuple[ModelConfig, dict[str, Entry], list[str]]:
    """Decides what becomes of the `mtp.*` tensors: MTP blocks, a drafter we do not read, or left-overs."""
    notes = []
    announced = config.num_nextn_predict_layers
    present = [n for n in entries if n.startswith("mtp.")]
    if announced and not any(n.startswith("mtp.0.attn.") for n in present):
        config = without_mtp(config)
        notes.append(
            f"config.json announces {announced} MTP block(s), but the files have none (transformers drops them): "
            "read without, num_nextn_predict_layers=0"
        )
    expected = {w.name for w in weights(config) if w.name.startswith("mtp.")}
    expected |= {scale_name(n) for n in expected if n.endswith(".weight")}
    ignored = {n: None for n in present if n not in expected}
    if ignored:
        what = "tensors of the DSpark drafter" if is_dspark(raw) else "mtp.* tensors that belong to no MTP block of this model"
        notes.append(f"{len(ignored)} {what} are ignored ({few(list(ignored), 2)}); the backbone is read without them")
        entries = {n: e for n, e in entries.items() if n not in ignored}
    return config, entries, notes


def _inventory_problems(config: ModelConfig, entries: dict[str, Entry]) -> list[str]:
    """Compares the tensors with the inventory of the config."""
    missing, wrong, expected = [], [], set()
    for weight in weights(config):
        expected.add(weight.name)
        entry = entries.get(weight.name)
        if entry is None:
            missing.append(weight.name)
            continue
        fault, scale = _weight_fault(weight, entry)
        if fault:
            wrong.append(fault)
        elif scale:
            name = scale_name(weight.name)
            expected.add(name)
            if name not in entries:
                missing.append(name)
            elif entries[name].shape != scale or entries[name].dtype not in ("F8_E8M0", "U8", "F32"):
                e = entries[name]
                wrong.append(f"{e.name} is {e.dtype} {list(e.shape)}, expected F8_E8M0 {list(scale)}")
    unexpected = [e.name for n, e in entries.items() if n not in expected]
    problems = []
    if missing:
        problems.append(f"{len(missing)} tensors are missing: {few(missing)}")
    if unexpected:
        problems.append(f"{len(unexpected)} tensors are unexpected for this config.json: {few(unexpected)}")
    if wrong:
        problems.append(f"{len(wrong)} tensors have the wrong shape or type: {few(wrong, 3)}")
    if problems:
        problems[-1] += "; fetch the checkpoint again, or the config.json that belongs to it"
    return problems


def _weight_fault(weight: Weight, entry: Entry) -> tuple[str | None, tuple[int, int] | None]:
    """What is wrong with a tensor's type and shape (or None), and the shape of the scale it needs (or None)."""
    shape, quantisable = weight.shape, weight.kind in ("expert", "linear")
    scale = None
    if weight.kind == "table":
        types = ("I64", "I32")
    elif quantisable and entry.dtype == "F8_E4M3":
        types, scale = ("F8_E4M3",), scale_shape(weight.shape, "fp8")
    elif quantisable and entry.dtype in ("I8", "U8"):
        types, shape, scale = ("I8", "U8"), (shape[0], shape[1] // 2), scale_shape(weight.shape, "fp4")
    else:
        types = _PLAIN
    if entry.dtype in types and entry.shape == shape:
        return None, scale
    return f"{entry.name} is {entry.dtype} {list(entry.shape)}, expected {types[0]} {list(shape)}", None
