"""How do tensors reach the disk so that an interruption costs nothing?

A checkpoint is written into a hidden directory beside its destination: shards one tensor at a
time, then the index, each flushed to disk; only then it takes the destination's name. A
checkpoint that was there stays until that moment; if the process dies between the two renames,
it is found as `.NAME.previous`. Its other files (a tokenizer, a readme) are carried over. Into
a directory that is no checkpoint the files are moved one by one, the index last. This file
knows bytes and names, not models.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .layout import DTYPE_BYTES, tensor_bytes, total_bytes
from .reader import INDEX, CheckpointError

Plan = list[tuple[str, str, tuple[int, ...]]]  # (name, safetensors dtype, shape) in the order of production
SHARD_BYTES = 5_000_000_000


@contextmanager
def replacing(path: Path, nbytes: int) -> Iterator[Path]:
    """A fresh directory to fill, which becomes `path` if the block ends well and vanishes if it does not."""
    path = path.resolve()
    previous = path.with_name(f".{path.name}.previous")
    path.parent.mkdir(parents=True, exist_ok=True)
    if previous.exists() and not path.exists():
        os.rename(previous, path)  # the last save died between its two renames
    _check_destination(path, nbytes)
    fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}.saving-", dir=path.parent))
    try:
        fresh.chmod(0o777 & ~_umask())
        yield fresh
        _sync_directory(fresh)
        if _is_checkpoint(path):
            _carry_over(path, fresh)
            _replace(fresh, path, previous)
        elif path.exists():
            _move_in(fresh, path)
        else:
            os.rename(fresh, path)
        _sync_directory(path.parent)
        shutil.rmtree(previous, ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def write_shards(directory: Path, plan: Plan, produce: Callable[[str], dict[str, Tensor]], shard_bytes: float) -> None:
    """Writes the tensors of a plan and, last, the index.

    `produce(name)` is asked for the first tensor of the plan not yet written, and returns it with
    any that come with it (a weight brings its scale).
    """
    shards = _split(plan, shard_bytes)
    names = [f"model-{n:05d}-of-{len(shards):05d}.safetensors" for n in range(1, len(shards) + 1)]
    for name, shard in zip(names, shards):
        _write_shard(directory / name, shard, produce)
    weight_map = {tensor: file for file, shard in zip(names, shards) for tensor, _, _ in shard}
    write_json(directory / INDEX, {"metadata": {"total_size": total_bytes(plan)}, "weight_map": weight_map})


def write_json(file: Path, content: dict[str, Any]) -> None:
    with open(file, "w", encoding="utf-8") as f:
        json.dump(content, f, indent=2, ensure_ascii=False)
        f.write("\n")
        f.flush()
        os.fsync(f.fileno())


def _split(plan: Plan, shard_bytes: float) -> list[Plan]:
    """Consecutive tensors of at most `shard_bytes` (or one larger tensor); a scale stays with its weight."""
    shards: list[Plan] = [[]]
    filled = 0
    for item in plan:
        nbytes = tensor_bytes(item[1], item[2])
        if shards[-1] and filled + nbytes > shard_bytes and not item[0].endswith(".scale"):
            shards.append([])
            filled = 0
        shards[-1].append(item)
        filled += nbytes
    return shards


def _write_shard(file: Path, shard: Plan, produce: Callable[[str], dict[str, Tensor]]) -> None:
    # widest types first, so that every tensor is aligned in a memory-mapped file
    order = sorted(shard, key=lambda item: -DTYPE_BYTES[item[1]])
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, dtype, shape in order:
        start, end = end, end + tensor_bytes(dtype, shape)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(file, "wb") as f:
        f.truncate(8 + len(text) + end)
        f.write(struct.pack("<Q", len(text)) + text)
        base = f.tell()
        waiting: dict[str, Tensor] = {}
        for name, dtype, shape in shard:
            if name not in waiting:
                waiting |= produce(name)
            data = _bytes(waiting.pop(name))
            start, end = header[name]["data_offsets"]
            if data.numel() != end - start:
                raise CheckpointError(f"{name} has {data.numel()} bytes where {dtype} {list(shape)} needs {end - start}")
            f.seek(base + start)
            f.write(memoryview(data.numpy()))
        f.flush()
        os.fsync(f.fileno())


def _bytes(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)


def _check_destination(path: Path, nbytes: int) -> None:
    """Refuses, before any work, what would fail or do harm at the end of it."""
    if path.exists() and not path.is_dir():
        raise CheckpointError(f"{path} is a file: give a directory to save the checkpoint into")
    if _is_checkpoint(path) and (os.path.ismount(path) or path == Path.cwd()):
        raise CheckpointError(
            f"{path} holds a checkpoint but is a mount point or the working directory, so it cannot be replaced as a whole: "
            "give a directory inside it"
        )
    free = shutil.disk_usage(path.parent).free
    if nbytes > free:
        raise CheckpointError(
            f"the checkpoint takes {nbytes / 1e9:.1f} GB, but {path.parent} has {free / 1e9:.1f} GB free: "
            "free some space or choose a smaller format"
        )


def _carry_over(old: Path, fresh: Path) -> None:
    """Files of the old directory that no save writes: hard links where the file system has them."""

    def link(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)

    for item in old.iterdir():
        if (fresh / item.name).exists() or item.suffix == ".safetensors" or item.name == INDEX:
            continue
        if item.is_dir() and not item.is_symlink():
            shutil.copytree(item, fresh / item.name, copy_function=link, symlinks=True)
        elif item.is_symlink():
            os.symlink(os.readlink(item), fresh / item.name)
        else:
            link(str(item), str(fresh / item.name))


def _is_checkpoint(path: Path) -> bool:
    return (path / INDEX).exists() or any(path.glob("*.safetensors"))


def _replace(fresh: Path, path: Path, previous: Path) -> None:
    shutil.rmtree(previous, ignore_errors=True)
    os.rename(path, previous)
    try:
        os.rename(fresh, path)
    except OSError:
        os.rename(previous, path)
        raise


def _move_in(fresh: Path, path: Path) -> None:
    for item in sorted(fresh.iterdir(), key=lambda item: item.name == INDEX):
        if item.name == INDEX:
            _sync_directory(path)
        os.replace(item, path / item.name)
    _sync_directory(path)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
