"""What did an evaluation find? Rates with intervals, what thinking cost, where and why it was wrong: JSON, page, tables.

A rate is the mean over problems, its interval Wilson's at 95 % for so many problems; several samples of one problem
narrow no interval. Examples of wrong answers are the first by a hash, so nobody chose them.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.table import Table

from finback.data import write_atomically
from finback.lab.evaluate import BROKEN, Record
from finback.lab.page import FAINT, GRID, SERIES, STYLE, drawing, escaped, svg
from finback.tasks import ABILITIES, EFFORTS

EXAMPLES = 2  # wrong answers shown of each source, split and effort
REASONS = 6
LONGEST = 1500  # characters of a prompt or an answer on the page
COLOUR = dict(zip(EFFORTS, SERIES))


def wilson(right: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a rate of `right` of `n`."""
    if not n:
        return 0.0, 1.0
    z, p = 1.959964, right / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max((middle - half) / (1 + z * z / n), 0.0), min((middle + half) / (1 + z * z / n), 1.0)


# --- numbers ---


def results(records: Sequence[Record], run: dict[str, Any]) -> dict[str, Any]:
    """All that is known of an evaluation, as JSON values."""
    return {
        **run,
        "abilities": _grouped(records, "ability", "split", "effort"),
        "sources": _grouped(records, "ability", "source", "split", "effort"),
        "levels": _grouped([r for r in records if r.case.level], "source", "split", "effort", "level"),
        "kinds": _grouped(records, "source", "split", "effort", "kind"),
        "reasons": _reasons(records),
        "examples": _examples(records),
        "wrong": {r.case.name: r.verdict.why for r in records if not r.verdict.right},
    }  # fmt: skip


def _grouped(records: Sequence[Record], *by: str) -> list[dict[str, Any]]:
    """A row for each combination of what the cases have under the names `by`."""
    groups: dict[tuple, list[Record]] = {}
    for record in records:
        groups.setdefault(tuple(getattr(record.case, name) for name in by), []).append(record)
    rows = [dict(zip(by, values)) | _summary(group) for values, group in groups.items()]
    return sorted(rows, key=_order)


def _order(labels: dict[str, Any]) -> tuple:
    ability = labels.get("ability")
    return (
        ABILITIES.index(ability) if ability else 0, labels.get("source", ""), labels["split"], labels.get("level", 0),
        labels.get("kind", ""), EFFORTS.index(labels["effort"]),
    )  # fmt: skip


def _summary(group: list[Record]) -> dict[str, Any]:
    n = len({(r.case.source, r.case.split, r.case.number) for r in group})
    rate = sum(r.verdict.right for r in group) / len(group)
    low, high = wilson(rate * n, n)
    thinking = sorted(r.answer.thinking for r in group)
    speeds = sorted(r.answer.tokens / r.answer.seconds for r in group if r.answer.seconds)
    return {
        "n": n, "answers": len(group), "right": sum(r.verdict.right for r in group),
        "rate": rate, "low": low, "high": high,
        "thinking_mean": sum(thinking) / len(thinking), "thinking_p95": thinking[math.ceil(0.95 * len(thinking)) - 1],
        "tokens_mean": sum(r.answer.tokens for r in group) / len(group),
        "tokens_a_second": speeds[len(speeds) // 2] if speeds else None,  # of the median answer, among the others
        "finish": dict(Counter(r.answer.finish.partition(":")[0] for r in group)),
        "verifier_failed": sum(r.verdict.why.startswith(BROKEN) for r in group),
    }  # fmt: skip


def _reasons(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The commonest causes of wrong answers of each source and effort; numbers and quotations in them are left out."""
    found: dict[tuple[str, str], Counter] = defaultdict(Counter)
    for r in records:
        if not r.verdict.right:
            why = re.sub(r"(\d+(?:[.,:/]\d+)*|'[^']*'|\"[^\"]*\"|`[^`]*`)", "…", r.verdict.why)
            found[r.case.source, r.case.effort][(why or "no reason given")[:160]] += 1
    return [
        {"source": source, "effort": effort, "why": why, "count": count}
        for (source, effort), counts in sorted(found.items(), key=lambda item: (item[0][0], EFFORTS.index(item[0][1])))
        for why, count in counts.most_common(REASONS)
    ]


def _examples(records: Sequence[Record]) -> list[dict[str, Any]]:
    shown: Counter = Counter()
    out = []
    for r in sorted((r for r in records if not r.verdict.right), key=lambda r: sha256(r.case.name.encode()).digest()):
        group = (r.case.source, r.case.split, r.case.effort)
        shown[group] += 1
        if shown[group] <= EXAMPLES:
            out.append({
                "case": r.case.name, "kind": r.case.kind, "level": r.case.level,
                "why": r.verdict.why, "finish": r.answer.finish,
                "prompt": _cut("\n\n".join(str(m.get("content") or "") for m in r.case.problem.messages)),
                "said": _cut(_spoken(r.answer.replies)),
            })  # fmt: skip
    return sorted(out, key=lambda row: row["case"])


def _spoken(replies: list[dict[str, Any]]) -> str:
    lines = []
    for message in replies:
        if message["role"] == "tool":
            lines.append(f"[result] {message['content']}")
            continue
        if thoughts := message.get("reasoning_content"):
            lines.append(f"[thoughts] {thoughts}")
        if message["content"]:
            lines.append(message["content"])
        lines += [
            f"[call] {call['function']['name']} {call['function']['arguments']}"
            for call in message.get("tool_calls", [])
        ]
    return "\n".join(lines)


def _cut(text: str) -> str:
    """The beginning and the end of a long text."""
    return (
        text
        if len(text) <= LONGEST
        else f"{text[: LONGEST // 2]}\n[… {len(text) - LONGEST:,} characters …]\n{text[-LONGEST // 2 :]}"
    )


def write(found: dict[str, Any], folder: Path) -> None:
    """results.json, report.html and rates.md; a leak check that the folder holds is shown on the page too."""
    leaks = folder / "leaks.json"
    if leaks.exists():
        found = found | {"leaks": json.loads(leaks.read_text(encoding="utf-8"))}
    write_atomically(folder / "results.json", (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode())
    write_atomically(folder / "report.html", page(found).encode())
    write_atomically(folder / "rates.md", markdown(found).encode())


def markdown(found: dict[str, Any]) -> str:
    """The rates as a table for a model card: percent with the interval, abilities in bold before what they are made of."""
    efforts = [e for e in EFFORTS if e in found["plan"]["efforts"]]
    lines = [f"| | structures | problems | {' | '.join(efforts)} |", "|---" * (3 + len(efforts)) + "|"]
    for row in _paired(found, efforts):
        name = row[0].get("source") or f"**{row[0]['ability']}**"
        lines.append(f"| {name} | {row[0]['split'].replace('_', ' ')} | {row[0]['n']} | {' | '.join(map(_percent, row))} |")
    return "\n".join(lines) + "\n"


# --- in the terminal ---


def tables(found: dict[str, Any]) -> Table:
    """A row for each source and split, a column for each effort; abilities in bold."""
    efforts = [e for e in EFFORTS if e in found["plan"]["efforts"]]
    thinking = [e for e in efforts if e != "none"]
    table = Table(
        "",
        "split",
        "n",
        *(f"{e}, %" for e in efforts),
        "thoughts",
        "cut",
        box=None,
        header_style="bold",
        padding=(0, 1, 0, 0),
    )
    for column in table.columns[2:]:
        column.justify = "right"
    table.columns[0].no_wrap = True
    for row in _paired(found, efforts):
        first, by_effort = row[0], dict(zip(efforts, row))
        cut = sum(r["finish"].get("length", 0) + r["finish"].get("repetition", 0) for r in row) / sum(
            r["answers"] for r in row
        )
        table.add_row(
            first.get("source", first["ability"]), first["split"], str(first["n"]), *(_percent(r) for r in row),
            "/".join(f"{by_effort[e]['thinking_mean']:.0f}" for e in thinking), f"{cut:.0%}" if cut else "",
            style=None if "source" in first else "bold",
        )  # fmt: skip
    return table


def _paired(found: dict[str, Any], efforts: list[str]) -> list[list[dict[str, Any]]]:
    """The rows of all efforts side by side; first an ability's, then those of what it is made of."""
    groups: dict[tuple, dict[str, dict[str, Any]]] = {}
    for row in found["abilities"] + found["sources"]:
        key = (ABILITIES.index(row["ability"]), row["split"] == "public", row.get("source", ""), row["split"])
        if "source" in row or row["split"] != "public":  # different public sets have no common rate
            groups.setdefault(key, {})[row["effort"]] = row
    return [[group[e] for e in efforts] for _, group in sorted(groups.items())]


def _percent(row: dict[str, Any]) -> str:
    return f"{100 * row['rate']:.0f} ({100 * row['low']:.0f}–{100 * row['high']:.0f})"


# --- the page ---


def page(found: dict[str, Any]) -> str:
    pictures = "".join(
        f"<figure><figcaption>{escaped(title)}</figcaption>{picture}</figure>" for title, picture in _pictures(found)
    )
    about, plan = found["about"], found["plan"]
    facts = {**about, **plan, **found["seconds"], **(found["speed"] or {})}
    return _PAGE.format(
        style=STYLE + "td:not(:last-child) { white-space: nowrap; }", name=escaped(f"Evaluation of {about['name']}"),
        tiles=_tiles(found), pictures=pictures, rates=_rates(found), kinds=_kinds(found), reasons=_reasons_table(found),
        examples=_example_list(found), leaks=_leaks(found.get("leaks")), facts=_facts(facts), summary=_size(found),
    )  # fmt: skip


def _size(found: dict[str, Any]) -> str:
    answers = sum(row["answers"] for row in found["sources"])
    problems = sum(row["n"] for row in found["sources"] if row["effort"] == found["plan"]["efforts"][0])
    return f"{answers:,} answers to {problems:,} problems, judged by verifiers."


def _facts(facts: dict[str, Any]) -> str:
    return "".join(_row((name, json.dumps(value, ensure_ascii=False))) for name, value in facts.items())


def _tiles(found: dict[str, Any]) -> str:
    tiles = []
    for row in found["abilities"]:
        if row["split"] == "held_out" and row["effort"] == _best_effort(found):
            tiles.append(
                (
                    row["ability"],
                    f"{row['rate']:.0%}",
                    f"effort {row['effort']}, held-out structure, {row['low']:.0%} to {row['high']:.0%}",
                )
            )
    if speed := found["speed"]:
        tiles.append(("speed", f"{speed['tokens_a_second']:,.0f}", f"tokens a second, {speed['tokens']:,} in all"))
        tiles.append(
            ("time", f"{speed['seconds'] / 60:.1f} min", f"to answer; judging {found['seconds']['judging']:.0f} s")
        )
    if broken := sum(row["verifier_failed"] for row in found["sources"]):
        tiles.append(("verifier failures", str(broken), "counted as wrong; see the examples' reasons"))
    return "".join(
        f"<div><b>{escaped(value)}</b><span>{escaped(name)}</span><small>{escaped(more)}</small></div>"
        for name, value, more in tiles
    )


def _best_effort(found: dict[str, Any]) -> str:
    efforts = found["plan"]["efforts"]
    return "high" if "high" in efforts else efforts[-1]


def _pictures(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Titles and pictures of what there is to show."""
    out: list[tuple[str, str]] = []

    def add(title: str, figure: Callable[[], Figure]) -> None:
        with drawing(len(out)):
            out.append((title, svg(figure(), title, len(out))))

    for split, words in (("held_out", "held-out structure"), ("seen", "seen structure, new problems")):
        if rows := [row for row in found["abilities"] if row["split"] == split]:
            add(f"By ability, %: {words}", lambda: _dots(rows, "ability"))
    if rows := [row for row in found["sources"] if row["split"] == "public"]:
        add("Public sets, %", lambda: _dots(rows, "source"))
    if rows := [row for row in found["abilities"] if row["split"] == "held_out"]:
        add(
            "What thinking brings, % (held-out structure)",
            lambda: _curve(rows, "thinking_mean", "mean tokens of thoughts"),
        )
    if rows := _by_level(found):
        add(f"By level, % (held-out structure, effort {_best_effort(found)})", lambda: _curve(rows, "level", "level"))
    for ability in ABILITIES:
        if rows := [row for row in found["sources"] if row["ability"] == ability and row["split"] == "held_out"]:
            add(f"{ability.capitalize()} by task, %: held-out structure", lambda: _dots(rows, "source"))
    return out


def _by_level(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The rates of an ability's tasks at a level, together."""
    ability = {row["source"]: row["ability"] for row in found["sources"]}
    sums: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0, 0])
    for row in found["levels"]:
        if row["split"] == "held_out" and row["effort"] == _best_effort(found):
            both = sums[ability[row["source"]], row["level"]]
            both[0] += row["rate"] * row["n"]
            both[1] += row["n"]
    return [
        {"ability": a, "level": level, "rate": right / n, **dict(zip(("low", "high"), wilson(right, n)))}
        for (a, level), (right, n) in sorted(sums.items())
    ]


def _dots(rows: list[dict[str, Any]], by: str) -> Figure:
    """A line for each name, a dot with its interval for each effort."""
    names = list(dict.fromkeys(row[by] for row in rows))
    efforts = [e for e in EFFORTS if any(row["effort"] == e for row in rows)]
    figure = Figure(figsize=(4.1, 1.0 + 0.42 * max(len(names), 3)), layout="constrained")
    axis = figure.subplots()
    for i, effort in enumerate(efforts):
        own = {row[by]: row for row in rows if row["effort"] == effort}
        y = [names.index(name) + 0.2 * (i - (len(efforts) - 1) / 2) for name in own]
        x = [100 * row["rate"] for row in own.values()]
        low = [100 * max(row["rate"] - row["low"], 0) for row in own.values()]
        high = [100 * max(row["high"] - row["rate"], 0) for row in own.values()]
        axis.errorbar(x, y, xerr=[low, high], fmt="o", color=COLOUR[effort], markersize=4, linewidth=1.4, label=effort)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xlim(-2, 102)
    _finish(axis, "x")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def _curve(rows: list[dict[str, Any]], x: str, label: str) -> Figure:
    """A curve for each ability."""
    figure = Figure(figsize=(4.1, 2.6), layout="constrained")
    axis = figure.subplots()
    for i, ability in enumerate(ABILITIES):
        own = [row for row in rows if row["ability"] == ability]
        if not own:
            continue
        rates = [100 * row["rate"] for row in own]
        spread = [
            [100 * max(row["rate"] - row["low"], 0) for row in own],
            [100 * max(row["high"] - row["rate"], 0) for row in own],
        ]
        axis.errorbar(
            [row[x] for row in own],
            rates,
            yerr=spread,
            fmt="o-",
            color=SERIES[i],
            markersize=4,
            linewidth=1.4,
            elinewidth=0.8,
            label=ability,
        )
    axis.set_ylim(-3, 103)
    axis.set_xlabel(label)
    axis.xaxis.get_major_locator().set_params(integer=True)
    _finish(axis, "both")
    axis.legend(frameon=False, fontsize=9)
    return figure


def _finish(axis: Any, grid: str) -> None:
    axis.grid(color=GRID, linewidth=0.6, axis=grid)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(colors=FAINT)


def _row(cells: Sequence[object], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{escaped(cell)}" for cell in cells)


def _rates(found: dict[str, Any]) -> str:
    head = (
        "",
        "split",
        "effort",
        "problems",
        "right",
        "95 %",
        "thoughts",
        "95th",
        "tokens",
        "tokens/s",
        "how they ended",
    )
    rows = [
        _row((
            row.get("source") or row["ability"], row["split"], row["effort"], row["n"], f"{row['rate']:.1%}", f"{row['low']:.1%} to {row['high']:.1%}",
            f"{row['thinking_mean']:.0f}", row["thinking_p95"], f"{row['tokens_mean']:.0f}", f"{row['tokens_a_second']:.0f}" if row["tokens_a_second"] else "",
            ", ".join(f"{name} {count}" for name, count in sorted(row["finish"].items())),
        ))
        for group in _paired(found, [e for e in EFFORTS if e in found["plan"]["efforts"]]) for row in group
    ]  # fmt: skip
    return _row(head, "th") + "".join(rows)


def _kinds(found: dict[str, Any]) -> str:
    """The kinds that are not all right, the weakest first, of each source."""
    weak = [row for row in found["kinds"] if row["rate"] < 1 and row["effort"] == _best_effort(found)]
    rows = [
        _row((row["source"], row["split"], row["kind"], row["n"], _percent(row)))
        for row in sorted(weak, key=lambda r: (r["source"], r["split"], r["rate"]))
    ]
    return _row(("task", "split", "kind", "problems", f"right at effort {_best_effort(found)}, %"), "th") + "".join(
        rows
    )


def _reasons_table(found: dict[str, Any]) -> str:
    return _row(("task", "effort", "answers", "why"), "th") + "".join(
        _row((r["source"], r["effort"], r["count"], r["why"])) for r in found["reasons"]
    )


def _example_list(found: dict[str, Any]) -> str:
    out = []
    for row in found["examples"]:
        level = f", level {row['level']}" if row["level"] else ""
        where = f"{row['kind']}{level}; ended: {row['finish']}"
        out.append(
            f"<article><h3>{escaped(row['case'])}</h3><small>{escaped(where)}</small><ol><li><p>{escaped(row['prompt'])}</p>"
            f"<li><small>said</small><p>{escaped(row['said']) or '<i>(nothing)</i>'}</p><li><small>wrong because</small><p>{escaped(row['why'])}</p></ol></article>"
        )
    return "".join(out) or "<p class=faint>No answer was wrong.</p>"


def _leaks(leaks: dict[str, Any] | None) -> str:
    if leaks is None:
        return "<p class=faint>Not checked with this evaluation: <code>finback eval --leaks 2000 --out</code> this folder.</p>"
    head = (
        "",
        "split",
        "problems",
        "same prompt",
        "same problem",
        "most of one's own 8-grams",
        "13-grams",
        "8-grams seen anywhere",
        "too close",
    )
    rows = [
        _row((
            row["source"], row["split"], row["n"], row["same_prompt"], row["same_key"],
            *("" if row[f"nearest_{n}"] is None else f"{row[f'nearest_{n}']:.0%}" for n in (8, 13)), f"{row['covered_8']:.0%}", row["too_close"],
        ))
        for row in leaks["rows"]
    ]  # fmt: skip
    return f"<p>{escaped(leaks['method'])}</p><div class=wide><table>{_row(head, 'th')}{''.join(rows)}</table></div>"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>{style}</style></head><body>
<h1>{name}</h1><p class="faint">{summary}</p>
<section class="tiles">{tiles}</section>
<h2>Rates</h2><section class="curves">{pictures}</section>
<p class="faint">Bars: 95 % intervals (Wilson) over problems. Every problem is put at every effort.</p>
<details open><summary>all rates</summary><div class="wide"><table>{rates}</table></div></details>
<h2>Where it fails</h2><details><summary>kinds of problems</summary><div class="wide"><table>{kinds}</table></div></details>
<details><summary>reasons</summary><div class="wide"><table>{reasons}</table></div></details>
<details><summary>examples, not chosen</summary>{examples}</details>
<h2>Leaks</h2>{leaks}
<h2>Settings</h2><details><summary>all of them</summary><div class="wide"><table>{facts}</table></div></details>
</body></html>
"""
