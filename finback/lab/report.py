"""How did a run go? One HTML page that asks nothing of the network: curves, samples over time, costs.

Everything comes from the run's folder (`run.json`, `log.jsonl`, `samples.jsonl`), finished or not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from finback.data import write_atomically
from finback.lab.page import FAINT, GRID, SERIES, STYLE, drawing, escaped, svg
from finback.train.loop import read_log
from finback.train.stability import sentence

POINTS = 400  # of a curve at most; more are averaged
WIDTH, HEIGHT = 4.1, 2.5  # inches of a picture, whose letters stay readable on a phone


@dataclass(frozen=True)
class Chart:
    """One picture: `curves` by label, each the name of a row's value; a value of several numbers is a curve for each."""

    title: str
    curves: dict[str, str]
    log: bool = False
    scale: float = 1.0
    smooth: bool = False


CHARTS = (
    Chart("Training loss, nats per token", {"next token": "loss", "token after next (MTP)": "mtp"}, smooth=True),
    Chart("Validation, bits per byte", {"": "bits_per_byte"}),
    Chart("Gradient norm", {"": "grad_norm"}, log=True, smooth=True),
    Chart("Learning rate", {"": "lr"}),
    Chart("Busiest expert, times the mean load", {"": "busiest_expert"}, smooth=True),
    Chart("Idle experts, of all learned layers", {"": "idle_experts"}),
    Chart("Indexer recall, % of the best attention mass", {"": "recall"}, scale=100, smooth=True),
    Chart("Indexer loss, nats", {"": "indexer"}, smooth=True),
    Chart("Tokens per second", {"": "speed"}, smooth=True),
    Chart("MFU, % of the measured ceiling", {"": "mfu"}, scale=100, smooth=True),
    Chart("Sinkhorn error: worst row or column sum", {"": "sinkhorn_error"}, log=True),
)


def write_report(run: Path, file: Path) -> None:
    """Writes the page of a run's folder. Raises ValueError where the folder holds no run."""
    write_atomically(file, page(run).encode())


def page(run: Path) -> str:
    if not (run / "log.jsonl").is_file() or not (run / "run.json").is_file():
        raise ValueError(f"{run} holds no log of a run: give the folder that `finback train` wrote, for example runs/first")
    rows = read_log(run / "log.jsonl")
    if not rows:
        raise ValueError(f"the run in {run} has not finished a step yet: try again in a moment")
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    samples = read_log(run / "samples.jsonl") if (run / "samples.jsonl").is_file() else []
    found = [(chart, curves) for chart in CHARTS if (curves := _curves(chart, rows))]
    pictures = "".join(f"<figure><figcaption>{escaped(c.title)}</figcaption>{_picture(c, v, rows, i)}</figure>" for i, (c, v) in enumerate(found))
    missing = [chart.title.split(",")[0] for chart in CHARTS if chart not in [c for c, _ in found]]
    note = f"<p class=faint>Without a value in this run: {escaped('; '.join(missing))}.</p>" if missing else ""
    done = rows[-1]["tokens"] / about["tokens"]
    state = "finished" if done >= 1 else f"{done:.0%} of its tokens so far"
    return _PAGE.format(
        name=escaped(about["name"]), style=STYLE, tiles=_tiles(about, rows), pictures=pictures, note=note + _events(rows),
        summary=f"{_count(about['parameters'])} parameters, {_count(about['active'])} active for a token; {state}.",
        samples=_samples(samples), sources=_sources(about), facts=_facts(about, rows),
    )  # fmt: skip


def cost(rows: list[dict[str, Any]]) -> dict[str, float]:
    """What the logged steps took: hours of training and of evaluation, FLOPs, and MFU over all of them.

    MFU is the share of what the ceilings, each measured when its process started, would have allowed in that time.
    """
    seconds = sum(row["seconds"] for row in rows)
    flops = sum(row["flops"] for row in rows)
    return {
        "training": seconds / 3600,
        "evaluation": sum(row.get("evaluation_seconds", 0.0) for row in rows) / 3600,
        "flops": flops,
        "mfu": flops / sum(row["seconds"] * row["ceiling"] for row in rows),
        "speed": rows[-1]["tokens"] / seconds,
    }


# --- pictures ---


def _curves(chart: Chart, rows: list[dict[str, Any]]) -> dict[str, tuple[list[float], list[float]]]:
    """Label to (tokens, values), of the curves that have any."""
    out: dict[str, tuple[list[float], list[float]]] = {}
    for label, key in chart.curves.items():
        for row in rows:
            value = row.get(key)
            for name, number in value.items() if isinstance(value, dict) else [(label, value)]:
                if number is not None:
                    x, y = out.setdefault(name, ([], []))
                    x.append(row["tokens"])
                    y.append(number * chart.scale)
    return out


def _picture(chart: Chart, curves: dict[str, tuple[list[float], list[float]]], rows: list[dict[str, Any]], number: int) -> str:
    """An <svg> element; `number` keeps the ids of a page's pictures apart."""
    most = rows[-1]["tokens"]
    unit, word = next((u, w) for u, w in ((1e9, "billion "), (1e6, "million "), (1e3, "thousand "), (1, "")) if most >= u)
    with drawing(number):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        axis = figure.subplots()
        for i, (label, (x, y)) in enumerate(curves.items()):
            colour, x = SERIES[i % len(SERIES)], [tokens / unit for tokens in x]
            if chart.smooth and len(y) > 20:
                axis.plot(*_averaged(x, y), color=colour, linewidth=0.7, alpha=0.4)
                y = _running_mean(y)
            axis.plot(*_averaged(x, y), color=colour, linewidth=1.8, label=label, marker="o" if len(x) < 40 else "", markersize=3)
        for before, row in zip(rows, rows[1:]):  # where a stage begins
            if row["attention"] != before["attention"]:
                axis.axvline(before["tokens"] / unit, color=FAINT, linewidth=0.8, linestyle=":")
            if "event" in row:
                axis.axvline(before["tokens"] / unit, color=SERIES[1], linewidth=0.8, linestyle="--")
        values = [value for _, y in curves.values() for value in y]
        if chart.log and 0 < 30 * min(values) < max(values):
            axis.set_yscale("log")
        elif min(values) == max(values) == 0:
            axis.set_ylim(0, 1)
        axis.set_xlabel(f"{word}tokens")
        axis.grid(color=GRID, linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
        if any(curves):
            axis.legend(frameon=False, fontsize=9)
        return svg(figure, chart.title, number)


def _averaged(x: list[float], y: list[float]) -> tuple[list[float], list[float]]:
    size = -(-len(x) // POINTS)
    means = [[sum(v[a : a + size]) / len(v[a : a + size]) for a in range(0, len(v), size)] for v in (x, y)]
    return means[0], means[1]


def _running_mean(values: list[float]) -> list[float]:
    """Each value averaged with those before it, over about a fortieth of the run."""
    keep, mean, out = max(1 - 40 / len(values), 0.5), values[0], []
    for value in values:
        mean = keep * mean + (1 - keep) * value
        out.append(mean)
    return out


# --- words ---


def _tiles(about: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    spent, last, held = cost(rows), rows[-1], max(row.get("memory", 0) for row in rows)
    evaluated = [row["bits_per_byte"] for row in rows if row.get("bits_per_byte")]
    tiles = [
        ("loss", f"{sum(row['loss'] for row in rows[-20:]) / len(rows[-20:]):.3f}", "mean of the last 20 steps"),
        *((f"{name}", f"{bits:.3f}", "bits per byte, held out") for name, bits in (evaluated[-1] if evaluated else {}).items()),
        ("tokens", _count(last["tokens"]), f"of {_count(about['tokens'])}, in {last['step']:,} steps"),
        ("time", _hours(spent["training"]), f"training, and {_hours(spent['evaluation'])} of evaluation"),
        ("compute", f"{_count(spent['flops'])}FLOP", "model FLOPs of the steps"),
        ("MFU", f"{spent['mfu']:.1%}", f"of {_count(last['ceiling'])}FLOP/s, a matrix product measured at the start"),
        *((("memory", f"{_count(held)}B", f"at the peak; {_count(about['memory'])}B were foreseen"),) if held else ()),
        ("speed", f"{spent['speed']:,.0f}", f"tokens per second; {about['device']}, threads: {about['threads']}"),
    ]
    return "".join(f"<div><b>{escaped(value)}</b><span>{escaped(name)}</span><small>{escaped(more)}</small></div>" for name, value, more in tiles)


def _events(rows: list[dict[str, Any]]) -> str:
    """The spikes and what the run did about them."""
    lines = [f"<li>{escaped(sentence(row['event']))}" for row in rows if "event" in row]
    return f"<h3>Spikes</h3><ul>{''.join(lines)}</ul>" if lines else ""


def _samples(samples: list[dict[str, Any]]) -> str:
    """For each prompt what was said at each evaluation, latest first."""
    if not samples:
        return "<p class=faint>The recipe has no prompts to answer.</p>"
    out = []
    for prompt in samples[-1]["samples"]:
        said = [(row["tokens"], row["samples"][prompt]) for row in reversed(samples) if prompt in row["samples"]]
        lines = [f"<li><small>{_count(tokens)} tokens</small><p>{escaped(text) or '<i>(nothing)</i>'}</p>" for tokens, text in said]
        older = f"<details><summary>{len(lines) - 1} earlier</summary><ol>{''.join(lines[1:])}</ol></details>" if lines[1:] else ""
        out.append(f"<article><h3>{escaped(prompt)}</h3><ol>{lines[0]}</ol>{older}</article>")
    return "".join(out)


def _sources(about: dict[str, Any]) -> str:
    head = "<tr><th>source<th>share<th>tokens<th>licence<th>origin"
    cells = ((s["name"], f"{s['share']:.1%}", _count(s["tokens"]), s["licence"], s["origin"]) for s in about["sources"])
    return head + "".join("<tr>" + "".join(f"<td>{escaped(cell)}" for cell in row) for row in cells)


def _facts(about: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """Every setting, for the one who wants to do it again."""
    facts = {"seed": about["seed"], **about["optimizer"], **about["schedule"], **about["model"]}
    return "".join(f"<tr><th>{escaped(name)}<td>{escaped(json.dumps(value))}" for name, value in facts.items())


def _count(n: float) -> str:
    for size, letter in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= size:
            return f"{n / size:.3g} {letter}"
    return f"{n:g} "


def _hours(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.1f} min"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>{style}</style></head><body>
<h1>{name}</h1><p class="faint">{summary}</p>
<section class="tiles">{tiles}</section>
<h2>Curves</h2><section class="curves">{pictures}</section>{note}
<p class="faint">Thin: each step; thick: running mean; dotted: a stage of the schedule begins; dashed: a spike.
What a killed process did after its last checkpoint, and what a spike undid, is not counted in any figure.</p>
<h2>What it says</h2>{samples}
<h2>What it read</h2><div class="wide"><table>{sources}</table></div>
<h2>Settings</h2><details><summary>all of them</summary><div class="wide"><table>{facts}</table></div></details>
</body></html>
"""
