"""A run's page: self-contained, complete, and harmless whatever the model said."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from finback.lab.report import CHARTS, _running_mean, cost, page, write_report

SOURCES = [{"name": "<tales>", "share": 1.0, "tokens": 1000, "origin": "here & there", "licence": "CC0"}]
ABOUT = {
    "name": "a <run>", "seed": 1, "parameters": 1_400_000, "active": 900_000, "tokens": 4000, "steps": 40, "model": {"hidden_size": 8},
    "schedule": {"batch_tokens": 100}, "optimizer": {"kind": "muon"}, "sources": SOURCES, "threads": 2, "device": "cpu", "memory": 2_100_000_000,
}  # fmt: skip


def rows(steps: int) -> list[dict]:
    out = []
    for step in range(1, steps + 1):
        row = {
            "step": step, "tokens": 100 * step, "attention": "dense" if step < 20 else "sparse", "loss": 8 / step, "mtp": 9 / step,
            "grad_norm": 1.0, "lr": 1e-3, "busiest_expert": 1.5, "idle_experts": 0, "recall": 0.9, "indexer": 0.1, "speed": 50.0,
            "seconds": 2.0, "flops": 3e9, "ceiling": 1e10, "mfu": 0.15,
        }  # fmt: skip
        if step % 10 == 0:
            row |= {"bits_per_byte": {"<tales>": 3 - step / 100}, "sinkhorn_error": 1e-4, "evaluation_seconds": 9.0, "memory": 1_900_000_000 + step}
        out.append(row)
    return out


@pytest.fixture
def run(tmp_path):
    def write(log: list[dict], samples: list[dict]):
        (tmp_path / "run.json").write_text(json.dumps(ABOUT))
        for name, content in (("log", log), ("samples", samples)):
            lines = [json.dumps(row) + "\n" for row in content]
            (tmp_path / f"{name}.jsonl").write_text("".join(lines) + '{"step": 9999, "tok')  # a kill cut a line short
        return tmp_path

    return write


class Reader(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


SAID = [
    {"step": s, "tokens": 100 * s, "samples": {"Hello <b>?": f"answer {s} <script>alert(1)</script>"}} for s in (10, 20, 30, 40)
]


def test_page_shows_every_curve_and_every_answer(run):
    text = page(run(rows(40), SAID))
    read = Reader(text)
    assert [a["aria-label"] for tag, a in read.tags if tag == "svg"] == [chart.title for chart in CHARTS]
    for step in (10, 20, 30, 40):
        assert f"answer {step} <script>alert(1)</script>" in read.text
    assert read.text.index("answer 40") < read.text.index("answer 10")
    assert "Hello <b>?" in read.text and "here & there" in read.text and "<tales>" in read.text


def test_page_asks_nothing_of_the_network_and_runs_nothing(run):
    text = page(run(rows(40), SAID))
    tags = Reader(text).tags
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in tags}
    for _, attributes in tags:
        for name in ("href", "src", "xlink:href"):
            assert attributes.get(name, "#").startswith("#")
    assert "http" not in re.sub(r"http-equiv", "", text) and "@import" not in text
    assert set(re.findall(r"url\((.)", text)) <= {"#"}


def test_ids_are_unique_and_references_resolve(run):
    text = page(run(rows(40), SAID))
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) <= set(ids)


def test_colours_of_the_curves_follow_the_page(run):
    text = page(run(rows(40), SAID))
    assert "var(--c1)" in text and "var(--c2)" in text and "var(--ink)" in text
    for name in set(re.findall(r"var\((--\w+)\)", text)):
        assert len(re.findall(rf"{name}: #", text)) == 2, f"{name} is not given for light and dark"
    assert set(re.findall(r"#[0-9a-f]{6}\b", text[text.index("</style>") :])) <= {"#000000", "#ffffff"}


def test_costs_are_those_of_the_steps(run):
    found = cost(rows(40))
    assert found["training"] == pytest.approx(80 / 3600)
    assert found["evaluation"] == pytest.approx(36 / 3600)
    assert found["flops"] == pytest.approx(1.2e11)
    assert found["mfu"] == pytest.approx(0.15)
    assert found["speed"] == pytest.approx(50)
    slow = rows(1)[0] | {"seconds": 6.0, "mfu": 0.05}
    assert cost([rows(1)[0], slow])["mfu"] == pytest.approx(0.075)  # weighted by time: 6 GFLOP where 80 were possible


def test_what_a_run_has_not_is_said(run):
    log = [{k: v for k, v in row.items() if k not in ("recall", "indexer", "mtp")} for row in rows(12)]
    text = page(run(log, []))
    assert "Without a value in this run: Indexer recall; Indexer loss." in text
    assert "30% of its tokens so far" in text and "no prompts" in text


def test_long_runs_stay_small(run):
    short, long = (len(page(run(rows(n), []))) for n in (800, 8000))
    assert long < 1.5 * short


def test_running_mean_of_a_constant_is_the_constant_and_it_follows_a_step():
    assert _running_mean([2.0] * 50) == [2.0] * 50
    after = _running_mean([0.0] * 400 + [1.0] * 200)
    assert after[399] == 0 and 0 < after[400] < 0.2 and after[-1] > 0.99


def test_report_is_written_whole_or_not_at_all(run):
    folder = run(rows(3), [])
    write_report(folder, folder / "r.html")
    assert (folder / "r.html").read_text().endswith("</html>\n")
    (folder / "log.jsonl").write_text("")
    with pytest.raises(ValueError, match="has not finished a step"):
        write_report(folder, folder / "r.html")
    (folder / "log.jsonl").unlink()
    with pytest.raises(ValueError, match="finback train"):
        write_report(folder, folder / "r.html")
    assert (folder / "r.html").read_text().endswith("</html>\n")
