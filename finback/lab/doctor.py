"""Is this installation sound, and what will it run on?

Each check gives a finding: OK, NOTE (works, but the user should know) or FAIL (with the fix). The
self-test runs the shipped model, or a random one where there is none, and compares two ways to
compute the same logits.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

import finback
from finback import device, ops
from finback.checkpoint import load
from finback.config import preset
from finback.model import Batch, new_model

TORCH = "2.13"


@dataclass(frozen=True)
class Finding:
    status: str
    what: str
    detail: str


def examine(shipped_model: Path) -> list[Finding]:
    """All findings, in the order of a reader's questions."""
    return [
        Finding("OK", "finback", f"{finback.__version__}, Python {platform.python_version()}, {sys.platform}"),
        _torch(),
        *_devices(),
        Finding("OK", "threads", f"{torch.get_num_threads()} of {os.cpu_count()} processors (OMP_NUM_THREADS sets it)"),
        _memory(),
        _operations(),
        _shipped(shipped_model),
        _self_test(shipped_model),
    ]


def render(findings: list[Finding], console: Console) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    colour = {"OK": "green", "NOTE": "yellow", "FAIL": "bold red"}
    for f in findings:
        table.add_row(f"[{colour[f.status]}]{f.status}[/]", f.what, f.detail)
    console.print(table)


def _torch() -> Finding:
    version = torch.__version__
    if version.split("+")[0].rsplit(".", 1)[0] != TORCH:
        return Finding("NOTE", "torch", f"{version}; Finback is tested with {TORCH}: pip install torch=={TORCH}.0")
    return Finding("OK", "torch", f"{version}, CPU capability {torch.backends.cpu.get_cpu_capability()}")


def _devices() -> list[Finding]:
    found = [kind for kind in device.KINDS if device.present(kind)]
    return [Finding("OK", "devices", ", ".join(found) + f"; --device auto takes {device.resolve().type}")]


def _operations() -> Finding:
    if ops.BACKEND == "reference":
        return Finding("NOTE", "operations", "reference (plain PyTorch), because FINBACK_BACKEND says so: inference is slower")
    if ops.cpu.MISSING:
        return Finding("NOTE", "operations", f"reference (plain PyTorch): {ops.cpu.MISSING}; inference is slower")
    return Finding("OK", "operations", f"native CPU kernels, level {ops.cpu.level()} (FINBACK_CPU chooses another); plain PyTorch elsewhere")


def _memory() -> Finding:
    free, disk = device.memory(torch.device("cpu")), shutil.disk_usage(Path.cwd()).free
    detail = f"{free / 2**30:.1f} GiB of memory available, {disk / 2**30:.1f} GiB of disk here"
    return Finding("OK" if free > 2**30 else "NOTE", "memory", detail)


def _shipped(path: Path) -> Finding:
    if not (path / "config.json").exists():
        return Finding("FAIL", "model", f"{path} is missing: reinstall Finback, or train one with recipes/first.toml")
    nbytes = sum(f.stat().st_size for f in path.iterdir())
    return Finding("OK", "model", f"{path.name}, {nbytes / 2**20:.1f} MiB")


@torch.no_grad()
def _self_test(path: Path) -> Finding:
    model = load(path, "float32") if (path / "config.json").exists() else new_model(preset("nano"), 0)
    ids = [i % model.config.vocab_size for i in range(7, 7 + 3 * 150, 3)]
    whole, state = model.logits([ids])[0], model.new_state()
    cut = 131
    parts = [model(Batch.of([ids[:cut]]), [state])]
    parts += [model(Batch.of([[t]], [cut + i]), [state]) for i, t in enumerate(ids[cut:])]
    error = float((torch.cat(parts) - whole).abs().max() / whole.std())
    status = "OK" if error < 1e-3 else "FAIL"
    return Finding(status, "self-test", f"prefill then decode equals whole prefill to {error:.1e} of the logits' spread")
