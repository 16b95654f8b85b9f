"""How fast is Finback on a CPU, in every stored format, against transformers and llama.cpp on the same weights?

    python benchmarks/cpu.py --llama DIR               # the whole table
    python benchmarks/cpu.py --llama DIR --quick       # bench-small, short contexts: minutes
    python benchmarks/cpu.py --preset bench-small --row finback:bf16@65536 --row llama.cpp:BF16@16384

One table, one run: prefill, decode, peak memory, training forward and backward, each beside the machine's ceiling
(bandwidth or matrix products, measured first in the same run) as a percentage. A row's logits are checked first
against transformers in FP32 on exactly the values that its file holds; a row that differs by more than rounding does
not count. Every row runs in processes of its own. What fails or takes too long stands in the table with its reason.

llama.cpp: DIR is where it is or shall be built, from the source that the PyPI package llama-cpp-python vendors. It runs
with flash attention and the better of two batch sizes, transformers with the better of two expert implementations.
Needs `pip install finback[bench]`; the peers' rows need transformers (for the check as well), cmake, ninja and g++.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LLAMA_PACKAGE = "llama-cpp-python==0.3.36"
UBATCHES = (128, 512)
PREFILL = (512, 4096, 16384)
DECODE = (128, 4096, 16384, 65536)
ROUNDS = 3  # of what is short; medians count
CHECKED = 300  # tokens whose logits must agree ...
CONTEXT = 256  # ... after so many others, so that the indexer of bench-small has to choose
SINGLE = 44  # of them decoded one at a time
LONG = 16384  # from this length llama-bench warms up no more: its warm-up is the whole prompt
TRAINING_GAP = {"fp32": 1e-3, "bf16": 3e-2}  # relative, of the loss and of the gradient's norm


@dataclass(frozen=True)
class Row:
    """A line of the table. `stored`: the checkpoint it loads or its GGUF is made from; `arithmetic`: what its logits may
    round; `gemm`: the fastest matrix product that its stored values allow."""

    engine: str
    format: str
    stored: str
    arithmetic: str
    gemm: str
    longest: int = DECODE[-1]

    @property
    def name(self) -> str:
        return f"{self.engine}:{self.format}"

    @property
    def key(self) -> str:
        """Of the logits it must agree with: those of its values."""
        return self.format if self.format in ("Q8_0", "MXFP4") else self.stored


ROWS = {
    row.name: row
    for row in (
        Row("finback", "fp32", "fp32", "fp32", "fp32"),
        Row("finback", "bf16", "bf16", "bf16", "bf16"),
        Row("finback", "fp8", "fp8", "bf16", "bf16"),
        Row("finback", "fp4", "fp4", "bf16", "bf16"),
        Row("finback", "int8", "fp32", "int8", "int8"),
        Row("transformers", "fp32", "fp32", "fp32", "fp32"),
        Row("transformers", "bf16", "bf16", "bf16", "bf16"),
        Row("llama.cpp", "F32", "fp32", "fp32", "fp32"),
        Row("llama.cpp", "BF16", "bf16", "bf16", "bf16"),
        Row("llama.cpp", "Q8_0", "fp32", "int8", "int8"),
        Row("llama.cpp", "MXFP4", "fp4", "int8", "int8"),
    )
}
# Lengths that fit a whole run into half an hour: the slowest rows stop earlier.
DEFAULT = {
    "bench-small": (
        "finback:fp32@16384", "finback:bf16@65536", "finback:fp8@16384", "finback:fp4@65536", "finback:int8@65536",
        "transformers:fp32@4096", "transformers:bf16@16384",
        "llama.cpp:F32@4096", "llama.cpp:BF16@65536", "llama.cpp:Q8_0@65536", "llama.cpp:MXFP4@4096",
    ),
    "bench-mid": (
        "finback:fp32@512", "finback:bf16@4096", "finback:fp8@4096", "finback:fp4@4096", "finback:int8@4096",
        "transformers:fp32@512", "transformers:bf16@4096",
        "llama.cpp:F32@512", "llama.cpp:BF16@4096", "llama.cpp:Q8_0@4096", "llama.cpp:MXFP4@4096",
    ),
}  # fmt: skip


class Failed(Exception):
    """A process that gave no result; the message is the reason shown in the table."""


@dataclass
class Bench:
    options: argparse.Namespace
    work: Path
    llama: Path | None

    def environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
        path = os.pathsep.join(filter(None, (str(HERE.parent), os.environ.get("PYTHONPATH"))))
        return {
            **inherited,
            "OMP_NUM_THREADS": str(self.options.threads),
            "PYTHONPATH": path,
            "TOKENIZERS_PARALLELISM": "false",
        }

    def run(self, command: list[str], log: Path, deadline: float) -> int:
        """Runs a process to its end and gives its peak memory in bytes. Raises Failed."""
        spare = 0.92 * available_memory()
        with open(log, "wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=self.environment())
        why = None
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if why is None:
                if time.monotonic() > deadline:
                    why = f"over {self.options.limit} s"
                elif resident(process.pid) > spare:
                    why = f"over {spare / 2**30:.0f} GiB"
                if why:
                    process.kill()
            time.sleep(0.05)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise Failed(why or last_line(log) or f"exit {process.returncode}")
        return usage.ru_maxrss * 1024

    def job(self, name: str, deadline: float, **arguments: Any) -> tuple[list[dict[str, Any]], str | None]:
        """Runs a job of cpu_jobs.py: its results so far, and why there are no more."""
        results = self.work / "results.jsonl"
        results.unlink(missing_ok=True)
        command = [sys.executable, str(HERE / "cpu_jobs.py"), str(results), name, json.dumps(arguments)]
        reason = None
        try:
            self.run(command, self.work / f"{name}.log", deadline)
        except Failed as failed:
            reason = str(failed)
        lines = results.read_text().splitlines() if results.exists() else []
        return [json.loads(line) for line in lines], reason

    def need(self, name: str, **arguments: Any) -> list[dict[str, Any]]:
        results, reason = self.job(name, time.monotonic() + 1800, **arguments)
        if reason:
            sys.exit(f"cpu.py: {name} failed: {reason} (see {self.work / name}.log; --work DIR keeps it)")
        return results

    def row(self, preset: str, row: Row) -> dict[str, Any]:
        """All measurements of a row."""
        deadline = time.monotonic() + self.options.limit
        cells = {
            (task, n)
            for task, lengths in (("prefill", PREFILL), ("decode", DECODE))
            for n in lengths
            if n <= min(row.longest, self.options.longest)
        }
        folder = self.work / preset
        began = time.monotonic()
        if row.engine == "llama.cpp":
            results, reason = self.llama_row(folder, row, cells, deadline)
        else:
            results, reason = self.job(
                "inference", deadline, folder=str(folder), preset=preset, engine=row.engine, format=row.format,
                stored=row.stored, arithmetic=row.arithmetic, tokens=self.options.tokens,
                prefill=sorted(n for task, n in cells if task == "prefill"),
                decode=sorted(n for task, n in cells if task == "decode"),
            )  # fmt: skip
            trains = preset in self.options.training and row.format in ("fp32", "bf16")
            if trains and checked(results):
                more, why = self.job(
                    "training", time.monotonic() + self.options.limit, folder=str(folder), preset=preset,
                    engine=row.engine, format=row.format, stored="fp32",
                )  # fmt: skip
                results += more or [{"task": "training", "failed": why}]
        return {
            "preset": preset, "row": row.name, "asked": sorted(cells), "results": results, "reason": reason,
            "seconds": round(time.monotonic() - began, 1), "load": os.getloadavg()[0],
        }  # fmt: skip

    def llama_row(
        self, folder: Path, row: Row, cells: set[tuple[str, int]], deadline: float
    ) -> tuple[list, str | None]:
        results: list[dict[str, Any]] = []
        model, logits = str(folder / f"{row.format}.gguf"), str(folder / "llama.f32")
        threads = str(self.options.threads)
        try:
            tool = str(self.llama / "build/bin/llama_logits")
            for ubatch in UBATCHES:
                checked_ids = str(folder / "checked.i32")
                self.run(
                    [tool, model, checked_ids, logits, str(CONTEXT + CHECKED - SINGLE), str(ubatch), threads],
                    self.work / "logits.log",
                    deadline,
                )
                found, reason = self.job(
                    "compare", deadline, folder=str(folder), key=row.key, logits=logits, arithmetic=row.arithmetic
                )
                results += found
                if reason or not checked(found):
                    return results, reason
            best = UBATCHES[-1]
            for task, length in sorted(cells, key=lambda cell: (cell[1], cell[0] == "decode")):
                ubatches = UBATCHES if task == "prefill" and length < LONG else (best,)
                rates, peak = self.llama_bench(model, task, length, ubatches, deadline)
                if task == "prefill":
                    best = max(rates, key=rates.get)
                results.append({
                    "task": task, "length": length, "rate": max(rates.values()), "peak": peak,
                    "variant": f"-ub {max(rates, key=rates.get)}", "all": rates,
                })  # fmt: skip
        except Failed as failed:
            return results, str(failed)
        return results, None

    def llama_bench(
        self, model: str, task: str, length: int, ubatches: tuple[int, ...], deadline: float
    ) -> tuple[dict[int, float], int]:
        """Tokens per second by batch size (the median of the repetitions), and the peak memory."""
        short = length <= PREFILL[0] or task == "decode"
        what = (
            ["-p", str(length), "-n", "0"]
            if task == "prefill"
            else ["-p", "0", "-n", str(self.options.tokens), "-d", str(length)]
        )
        command = [
            str(self.llama / "build/bin/llama-bench"), "-m", model, "-t", str(self.options.threads), "-fa", "1", "-o", "json",
            "-ub", ",".join(map(str, ubatches)), "-r", str(ROUNDS if short else 1), *what,
            *(["--no-warmup"] if task == "prefill" and length >= LONG else []),
        ]  # fmt: skip
        log = self.work / "llama-bench.log"
        peak = self.run(command, log, deadline)
        text = log.read_text()
        found = json.loads(text[text.index("[\n") : text.rindex("]") + 1])
        return {entry["n_ubatch"]: sorted(entry["samples_ts"])[len(entry["samples_ts"]) // 2] for entry in found}, peak


def checked(results: list[dict[str, Any]]) -> bool:
    found = [r for r in results if r["task"] == "logits"]
    return bool(found) and all(r["ok"] for r in found)


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):  # it has just ended
        return 0


def available_memory() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:120].replace("|", "/") if lines else ""


def build_llama(folder: Path) -> Path:
    """llama-bench and our llama_logits in FOLDER/build/bin, built there if they are missing."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "build/bin/llama-bench").exists():
        print("building llama.cpp (some ten minutes) ...", file=sys.stderr, flush=True)
        if not list(folder.glob("llama_cpp_python-*/vendor/llama.cpp")):
            if not list(folder.glob("llama_cpp_python-*.tar.gz")):
                pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "-d", str(folder)]
                subprocess.run([*pip, LLAMA_PACKAGE], check=True, stdout=sys.stderr)
            archive = next(folder.glob("llama_cpp_python-*.tar.gz"))
            subprocess.run(["tar", "xzf", str(archive), "-C", str(folder)], check=True)
        flags = ["-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DLLAMA_CURL=OFF", "-DBUILD_SHARED_LIBS=OFF"]
        source, build = str(next(folder.glob("llama_cpp_python-*/vendor/llama.cpp"))), str(folder / "build")
        subprocess.run(["cmake", "-G", "Ninja", "-S", source, "-B", build, *flags], check=True, stdout=sys.stderr)
        subprocess.run(["ninja", "-C", build, "llama-bench"], check=True, stdout=sys.stderr)
    tool, code = folder / "build/bin/llama_logits", HERE / "llama_logits.cpp"
    if not tool.exists() or tool.stat().st_mtime < code.stat().st_mtime:
        source = next(folder.glob("llama_cpp_python-*/vendor/llama.cpp"))
        libraries = [
            folder / "build" / name
            for name in ("src/libllama.a", *(f"ggml/src/lib{n}.a" for n in ("ggml", "ggml-cpu", "ggml-base")))
        ]
        include = [f"-I{source}/include", f"-I{source}/ggml/include"]
        link = [*map(str, libraries), "-fopenmp", "-lpthread", "-ldl"]
        subprocess.run(["g++", "-O2", *include, str(code), "-o", str(tool), *link], check=True)
    return folder


# The table


class Table:
    """The rows that were measured, as Markdown. Columns are the lengths that any of them was asked for."""

    def __init__(self, found: list[dict[str, Any]], ceilings: dict[str, dict[int, Any]]):
        self.found, self.ceilings = found, ceilings
        asked = {tuple(cell) for row in found for cell in row["asked"]}
        self.prefill, self.decode = (
            [(task, n) for t, n in sorted(asked) if t == task] for task in ("prefill", "decode")
        )
        self.lengths = sorted({n for _, n in asked})

    def __str__(self) -> str:
        columns = ["preset", "engine", "format", "logits: correlation, argmax"]
        columns += [f"{task} {short(n)}" for task, n in (*self.prefill, *self.decode)]
        columns += ["peak GiB at " + " / ".join(map(short, self.lengths)), "training", "training GiB"]
        lines = [columns, ["---"] * len(columns), *map(self.line, self.found)]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    def line(self, found: dict[str, Any]) -> list[str]:
        row, results = ROWS[found["row"]], found["results"]
        ok = checked(results)
        cells = [found["preset"], row.engine, row.format, self.logits(results, ok)]
        rates = {(r["task"], r["length"]): r for r in results if "rate" in r}
        why = (found["reason"] or "missing") if ok else "-"
        for task, n in (*self.prefill, *self.decode):
            missing = why if [task, n] in [list(a) for a in found["asked"]] else "-"
            cells.append(self.cell(found["preset"], row, rates[task, n]) if (task, n) in rates else missing)
        peaks = (
            max((r["peak"] for (t, m), r in rates.items() if m == n and t != "training"), default=0)
            for n in self.lengths
        )
        cells.append(" / ".join(gib(peak) for peak in peaks))
        trained = next((r for r in results if r["task"] == "training"), None)
        if trained is None or "failed" in trained:
            return [*cells, trained["failed"] if trained else "-", "-"]
        return [*cells, self.training(found["preset"], row, trained), gib(trained["peak"])]

    def logits(self, results: list[dict[str, Any]], ok: bool) -> str:
        worst = min(
            (r for r in results if r["task"] == "logits"), key=lambda r: (r["ok"], r["correlation"]), default=None
        )
        if worst is None:
            return "not computed"
        return ("" if ok else "**differ:** ") + f"{worst['correlation']:.6f}, {100 * worst['argmax']:.0f} %"

    def cell(self, preset: str, row: Row, result: dict[str, Any]) -> str:
        best = self.ceilings[preset][result["length"]][result["task"]][
            row.format if result["task"] == "decode" else row.gemm
        ]
        return f"{result['rate']:.{0 if result['rate'] >= 100 else 1}f} ({100 * result['rate'] / best:.0f} %)"

    def training(self, preset: str, row: Row, result: dict[str, Any]) -> str:
        """Counts only if loss and gradient are those of transformers in FP32."""
        expected = next(
            (r for f in self.found if (f["preset"], f["row"]) == (preset, "transformers:fp32")
             for r in f["results"] if r["task"] == "training" and "rate" in r), None,
        )  # fmt: skip
        if expected is None:
            return self.cell(preset, row, result) + ", gradient not compared"
        for name in ("loss", "gradient_norm"):
            gap = abs(result[name] / expected[name] - 1)
            if gap > TRAINING_GAP[row.format]:
                return f"**differs:** {name} by {100 * gap:.2f} %"
        return self.cell(preset, row, result)


def gib(size: int) -> str:
    return f"{size / 2**30:.2f}" if size else "-"


def short(n: int) -> str:
    return f"{n // 1024}K" if n >= 1024 else str(n)


def rows_of(options: argparse.Namespace, preset: str) -> list[Row]:
    chosen = []
    for text in options.row or DEFAULT[preset]:
        name, _, longest = text.partition("@")
        if name not in ROWS or (longest and not longest.isdecimal()):
            sys.exit(f"cpu.py: --row {text}: give engine:format or engine:format@longest with one of {', '.join(ROWS)}")
        row = replace(ROWS[name], longest=int(longest or DECODE[-1]))
        if row.engine == "llama.cpp" and not options.llama:
            if options.row:
                sys.exit(f"cpu.py: --row {text} needs --llama DIR, where llama.cpp is built or shall be")
            continue
        chosen.append(row)
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", action="append", choices=sorted(DEFAULT), help="default: both")
    parser.add_argument("--row", action="append", help=f"engine:format[@longest context], of {', '.join(ROWS)}")
    parser.add_argument("--longest", type=int, default=DECODE[-1], help="no row goes beyond this context")
    parser.add_argument(
        "--training",
        nargs="*",
        choices=sorted(DEFAULT),
        default=["bench-small"],
        help="presets to train (default: bench-small)",
    )
    parser.add_argument("--quick", action="store_true", help="bench-small up to 512 tokens, without training")
    parser.add_argument("--tokens", type=int, default=32, help="decoded in each of three rounds")
    parser.add_argument("--limit", type=int, default=400, help="seconds for a row, and for its training")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--llama", type=Path, help="directory of llama.cpp's source and build; filled if empty")
    parser.add_argument("--work", type=Path, help="keeps the checkpoints, GGUF files and logs (default: temporary)")
    parser.add_argument("--json", type=Path, default=Path("cpu.json"), help="where the results go beside the table")
    options = parser.parse_args()
    if options.quick:
        options.preset, options.longest, options.training = ["bench-small"], 512, []
    if not options.llama and not options.row:
        print("cpu.py: without --llama DIR the table has no rows of llama.cpp", file=sys.stderr)
    if os.getloadavg()[0] > 0.5:
        print(
            f"cpu.py: the machine is busy (load {os.getloadavg()[0]:.1f}): do not quote these figures", file=sys.stderr
        )
    llama = build_llama(options.llama) if options.llama else None
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        measure(Bench(options, work.resolve(), llama))


def measure(bench: Bench) -> None:
    options = bench.options
    report: dict[str, Any] = {
        "threads": options.threads,
        "command": sys.argv[1:],
        "machine": {},
        "ceilings": {},
        "rows": [],
    }
    try:
        for preset in options.preset or sorted(DEFAULT, reverse=True):
            folder = bench.work / preset
            folder.mkdir(parents=True, exist_ok=True)
            rows = rows_of(options, preset)
            say(f"{preset}: writing checkpoints, computing the logits to agree with")
            gguf = [(row.format, row.stored) for row in rows if row.engine == "llama.cpp"]
            trained = ["fp32"] if preset in options.training else []
            bench.need(
                "prepare",
                folder=str(folder),
                preset=preset,
                stored=sorted({r.stored for r in rows} | set(trained)),
                gguf=gguf,
            )
            for key, stored in sorted({(row.key, row.stored) for row in rows}):
                if not (folder / f"reference-{key}.pt").exists():
                    quantised = key if key != stored else None
                    bench.need("reference", folder=str(folder), preset=preset, stored=stored, gguf=quantised)
            machine, *ceilings = bench.need(
                "ceilings", preset=preset, gemms=["fp32", "bf16", "int8"], lengths=sorted({*PREFILL, *DECODE}),
                formats={row.format: row.stored for row in rows},
            )  # fmt: skip
            report["machine"][preset] = machine
            report["ceilings"][preset] = {c["length"]: c for c in ceilings}
            for row in rows:
                found = bench.row(preset, row)
                report["rows"].append(found)
                rates = [f"{r['task']} {short(r['length'])} {r['rate']:.1f}" for r in found["results"] if "rate" in r]
                say(f"{preset} {row.name}: {', '.join(rates)} [{found['seconds']:.0f} s] {found['reason'] or ''}")
                partial = options.json.with_suffix(".partial")
                partial.write_text(json.dumps(report, indent=1) + "\n")
                partial.replace(options.json)
    finally:
        if report["rows"]:
            print(summary(report), Table(report["rows"], report["ceilings"]), sep="\n\n")


def summary(report: dict[str, Any]) -> str:
    lines = [f"Tokens per second with {report['threads']} threads (and percent of the machine's ceiling)."]
    for preset, machine in report["machine"].items():
        rates = ", ".join(f"{name} {rate / 1e9:.0f} G/s" for name, rate in machine["gemm"].items())
        lines.append(f"Before {preset}: memory {machine['bandwidth'] / 1e9:.1f} GB/s, matrix products {rates}.")
        software = ", ".join(f"{name} {version}" for name, version in machine["software"].items())
    return "\n".join([*lines, f"Software: {software}."])


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
