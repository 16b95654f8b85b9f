"""Which device computes, and what does it have? The one place that knows devices.

cpu, cuda, npu (Huawei Ascend, through torch_npu) and mps. Everything else in the package is
device-agnostic PyTorch. torch_npu is imported only when asked for: with it installed and Ascend's
CANN libraries missing, importing it fails.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys
import time
from pathlib import Path

import torch

KINDS = ("cpu", "cuda", "npu", "mps")


class DeviceError(RuntimeError):
    """A device that is asked for and not there; the message says what is missing."""


def resolve(name: str = "auto") -> torch.device:
    """The device of that name ("auto": the first accelerator present, else the CPU). Raises DeviceError."""
    if name == "auto":
        return next((torch.device(kind) for kind in ("cuda", "npu", "mps") if present(kind)), torch.device("cpu"))
    kind = name.split(":")[0]
    if kind not in KINDS:
        raise DeviceError(f"there is no device {name!r}: choose auto, {', '.join(KINDS)}, or one with a number as cuda:1")
    if kind == "npu":
        _import_npu()
    if not present(kind):
        raise DeviceError(f"device {name!r} was asked for, but this PyTorch finds no {kind}: use --device cpu or install its build")
    return torch.device(name)


def present(kind: str) -> bool:
    """Whether PyTorch can use a device of this kind now."""
    if kind == "cpu":
        return True
    if kind == "mps":
        return torch.backends.mps.is_available()
    module = getattr(torch, kind, None)
    return module is not None and module.is_available()


def memory(device: torch.device) -> int:
    """Bytes that a process may still take on the device; on the CPU its control group's limit counts too."""
    if device.type in ("cuda", "npu"):
        return getattr(torch, device.type).mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        available = min(available, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no group, or its limit is "max"
        pass
    return available


def used(device: torch.device) -> int:
    """Bytes that this process holds on the device now."""
    if device.type in ("cuda", "npu"):
        return getattr(torch, device.type).memory_reserved(device)
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # not Linux: the most that it has held so far
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def peak(device: torch.device) -> int | None:
    """The most bytes that this process has held on the device since `forget_peak`; None where nobody counts."""
    if device.type in ("cuda", "npu"):
        return getattr(torch, device.type).max_memory_reserved(device)
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def forget_peak(device: torch.device) -> None:
    if device.type in ("cuda", "npu"):
        getattr(torch, device.type).reset_peak_memory_stats(device)
    else:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # see proc(5)


def keep_freed_memory() -> None:
    """Lets this process keep the memory that it frees, for its next use, where the C library is GNU's.

    By itself that library maps every large tensor anew and gives it back at once. The page faults of one of 33 MB take many
    times as long as a multiplication of it.
    """
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        for option, value in ((-4, 0), (-1, -1)):  # M_MMAP_MAX: map nothing apart; M_TRIM_THRESHOLD: give nothing back
            library.mallopt(option, value)


def matmul_flops(device: torch.device, dtype: torch.dtype) -> float:
    """FLOP/s of a square matrix product, the best of a few: the ceiling that a model's own FLOP/s are compared with."""
    n = 1024 if device.type == "cpu" else 8192
    a, b = torch.ones((n, n), device=device, dtype=dtype), torch.ones((n, n), device=device, dtype=dtype)
    fastest, began = float("inf"), time.perf_counter()
    while time.perf_counter() - began < 0.25:
        at = time.perf_counter()
        float((a @ b)[0, 0])  # reading a number waits for the device
        fastest = min(fastest, time.perf_counter() - at)
    return 2 * n**3 / fastest


def fast_bf16(device: torch.device) -> bool:
    """Whether matrix products in BF16 are faster than in FP32 there: twice as fast with AVX-512-BF16, more with AMX."""
    if device.type == "cpu":
        return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return device.type in ("cuda", "npu")


def _import_npu() -> None:
    try:
        import torch_npu  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        raise DeviceError(
            f"torch_npu does not load ({error}): install torch_npu for this torch, and source CANN's set_env.sh first"
        ) from None
