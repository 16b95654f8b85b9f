"""Which number does an answer state, and is it the right one? For all tasks and sets whose answer is a number."""

from __future__ import annotations

import re
from fractions import Fraction

from finback.tasks.protocol import Verdict

LONGEST = 20_000  # characters of an answer that are looked at, from the end
_TEXT = r"\\text\s*\{([^{}]*)\}"
_LATEX_FRACTION = re.compile(r"(-?)\\[dt]?frac\s*\{\s*(-?\d+)\s*\}\s*\{\s*(-?\d+)\s*\}")
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+)(?![\d])")
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.])(?P<sign>-?)\s*[$¥€£]?\s*(?P<sign2>-?)"
    r"(?:(?P<whole>\d{1,40})\s+(?=\d+\s*/)(?P<mixed>\d{1,40}\s*/\s*\d{1,40})|(?P<fraction>\d{1,40}\s*/\s*\d{1,40})"
    r"|(?P<plain>\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?|\.\d{1,40}))"
)


def last_number(content: str) -> Fraction | None:
    """The last number of an answer, or of its last box: 1,234.50 or $3 or 25% or 3/4 or 1 1/2 or \\frac{3}{4}."""
    text = content[-LONGEST:]
    boxes = re.findall(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}", text)
    if boxes:
        text = boxes[-1]
    text = text.replace("−", "-").replace("\\$", "$").replace("\\!", "").replace("{,}", ",")
    text = re.sub(_TEXT, r" \1 ", text)
    text = _LATEX_FRACTION.sub(r"\1\2/\3", text).replace("*", " ")
    text = _THOUSANDS.sub(lambda m: m[1].replace(",", ""), text)
    found = None
    for match in _NUMBER.finditer(text):
        before = text[max(0, match.start() - 20) : match.start()].rstrip()[-1:]
        joined = before.isdigit() or before == ")"  # a dash between numbers is no sign
        value = _value(match)
        if value is not None:
            negative = (match["sign"] == "-" and not joined) != (match["sign2"] == "-")
            found = -value if negative else value
    return found


def _value(match: re.Match[str]) -> Fraction | None:
    try:
        if match["plain"]:
            return Fraction(match["plain"])
        value = Fraction(re.sub(r"\s", "", match["mixed"] or match["fraction"]))
        return value + int(match["whole"]) if match["whole"] else value
    except (ZeroDivisionError, ValueError):
        return None


def verify_number(content: str | None, target: float | int | str | Fraction) -> Verdict:
    """Whether the last number of `content` is the target; targets of many digits (1/3 as 0.3333333333) are met to a
    millionth. Percent signs, currency, units, thousands separators, fractions and LaTeX boxes are read."""
    if not isinstance(content, str) or not content.strip():
        return Verdict(False, "there is no answer")
    want = Fraction(str(target).replace(",", "").strip()) if not isinstance(target, Fraction) else target
    got = last_number(content)
    if got is None:
        return Verdict(False, "the answer has no number")
    close = Fraction(1, 10**6) if want.denominator > 100 else Fraction(0)
    if abs(got - want) <= close * max(1, abs(want)):
        return Verdict(True)
    return Verdict(False, f"the answer is {_short(want)}, not {_short(got)}")


def _short(value: Fraction) -> str:
    return str(value) if value.denominator in (1, 2, 3, 4, 5, 6, 7, 8, 9) else f"{float(value):.10g}"
