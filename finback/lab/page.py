"""How does a report become one page that asks nothing of the network? Its style, and pictures that go with it.

Pictures are matplotlib's SVG inside the page; their colours are names that the page's style resolves, so that one picture
is right in light and dark.
"""

from __future__ import annotations

import html
import io
import re
from contextlib import AbstractContextManager

import matplotlib
from matplotlib.figure import Figure

# Stand-ins in the pictures for the colours that the page's style defines, by their CSS names.
INK, FAINT, GRID = "#010203", "#040506", "#070809"
SERIES = ("#010a01", "#020a02", "#030a03", "#040a04", "#050a05", "#060a06")
_NAMES = {INK: "ink", FAINT: "faint", GRID: "grid", **{colour: f"c{i}" for i, colour in enumerate(SERIES, 1)}}


def drawing(number: int) -> AbstractContextManager:
    """Within it a page's picture is made, up to its `svg`."""
    options = {"svg.fonttype": "none", "svg.hashsalt": str(number), "font.size": 10, "text.color": INK, "axes.labelcolor": FAINT,
               "xtick.color": FAINT, "ytick.color": FAINT, "axes.edgecolor": GRID, "axes.formatter.limits": (-3, 4)}  # fmt: skip
    return matplotlib.rc_context(options)


def svg(figure: Figure, title: str, number: int) -> str:
    """An <svg> element; `number` keeps the ids of a page's pictures apart."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:xlink)?="[^"]*"', "", text).replace("xlink:href", "href")  # inside HTML both are understood without
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>p{number}-", text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text))
    text = re.sub("#[0-9a-f]{6}", lambda found: f"var(--{_NAMES[found[0]]})" if found[0] in _NAMES else found[0], text)
    return text.replace("<svg", f'<svg role="img" aria-label="{escaped(title)}"', 1)


def escaped(value: object) -> str:
    return html.escape(str(value))


STYLE = """
:root { color-scheme: light dark; --paper: #fcfcfa; --card: #fff; --ink: #1c1e21; --faint: #6a6f76; --grid: #dfe2e6;
  --c1: #2563a8; --c2: #c4631c; --c3: #2c8a57; --c4: #9a3f8f; --c5: #a08b12; --c6: #5b5fc7; }
@media (prefers-color-scheme: dark) { :root { --paper: #15171a; --card: #1d2024; --ink: #e7e9ec; --faint: #9aa1aa; --grid: #353a41;
  --c1: #74aef0; --c2: #f09a5c; --c3: #68c996; --c4: #d98bd0; --c5: #d6c04e; --c6: #9a9df2; } }
body { margin: 0 auto; max-width: 1180px; padding: 1.2rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.9rem; } h2 { margin: 2rem 0 .7rem; font-size: 1.2rem; } h3 { margin: 0; font-size: 1rem; }
.faint, small, summary { color: var(--faint); } small { font-size: .8rem; line-height: 1.3; }
.tiles, .curves { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 158px), 1fr)); }
.curves { grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); }
.tiles div, figure, article { margin: 0; padding: .8rem; background: var(--card); border: 1px solid var(--grid); border-radius: 10px; }
.tiles b { display: block; font-size: 1.35rem; line-height: 1.2; } .tiles span, .tiles small { display: block; }
figcaption { margin-bottom: .3rem; font-weight: 600; font-size: .95rem; } svg { display: block; width: 100%; height: auto; }
svg text { font-family: system-ui, sans-serif !important; }
article { margin-bottom: .8rem; } ol { margin: .4rem 0 0; padding: 0; list-style: none; } li p { margin: .1rem 0 .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; } th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); overflow-wrap: break-word; }
details td { overflow-wrap: anywhere; }
@media (max-width: 480px) { .tiles { grid-template-columns: 1fr 1fr; } }
"""
