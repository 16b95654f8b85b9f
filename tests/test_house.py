"""The rooms import only what the design lets them, and only one of them knows devices."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import finback

PACKAGE = Path(finback.__file__).parent
ROOMS = {
    "config": set(),
    "device": set(),
    "cost": {"config", "checkpoint"},
    "text": set(),
    "ops": {"config"},
    "model": {"config", "ops"},
    "checkpoint": {"config", "model", "ops"},
    "data": {"text"},
    "tasks": {"text"},
    "engine": {"config", "model", "checkpoint", "text"},
    "train": {"config", "device", "cost", "model", "data", "tasks", "engine", "checkpoint", "text"},
    "server": {"config", "device", "checkpoint", "model", "engine", "text"},
    "lab": {"config", "device", "cost", "ops", "model", "checkpoint", "text", "data", "tasks", "engine", "train"},
    "chat": {"engine", "tasks", "text"},
}


def files(room: str) -> list[Path]:
    return sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts[: -node.level]) if node.level else ""
            module = ".".join(filter(None, (package, node.module)))
            found |= {module} if module != "finback" else {f"finback.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_what_the_design_allows(room):
    for file in files(room):
        for module in imports(file):
            if module.startswith("finback."):
                other = module.split(".")[1]
                assert other == room or other in ROOMS[room], f"{file.name} imports {module}"


def test_every_room_is_in_the_table():
    found = {p.stem for p in PACKAGE.glob("*.py")} | {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    assert found - {"__init__", "cli"} == set(ROOMS)


def test_only_the_device_module_names_devices():
    for file in PACKAGE.rglob("*.py"):
        if file.name == "device.py":
            continue
        source = file.read_text()
        for word in ("torch.cuda", "torch_npu", ".cuda()", "is_cuda", "torch.npu"):
            assert word not in source, f"{file.relative_to(PACKAGE)} names {word}"


def test_text_room_does_not_need_torch():
    for file in files("text"):
        assert not any(m == "torch" or m.startswith("torch.") for m in imports(file)), file


@pytest.mark.parametrize(("given", "found"), [({}, "3000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")])
def test_openmp_spins_shortly_unless_told_otherwise(given, found):
    clean = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    code = "import finback, os; print(os.environ.get('GOMP_SPINCOUNT'))"
    run = subprocess.run([sys.executable, "-c", code], env=clean | given, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == found
