"""The scratchpads are right for any numbers, and trivial facts have none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finback.tasks.mathematics import scratch
from tests.tasks.test_mathematics import equations, true_equation

numbers = st.one_of(st.integers(0, 20), st.integers(0, 99_999), st.integers(0, 99_999).map(lambda n: Decimal(n).scaleb(-2)))


@settings(max_examples=300, deadline=None)
@given(a=numbers, b=numbers, sign=st.sampled_from("+-*"))
def test_results_and_every_step_are_right(a, b, sign):
    worked = scratch.OPERATIONS[sign](a, b)
    assert worked.value == {"+": a + b, "-": Decimal(a) - b, "*": a * b}[sign]
    if worked.value >= 0:
        for part in equations(worked.text):
            assert true_equation(part), worked.text
        assert worked.text.endswith(("=", "]")[worked.text.endswith("]")] + f"{worked.value:f}") or worked.text.split("=")[-1].split("]")[-1] == f"{worked.value:f}"


@settings(max_examples=300, deadline=None)
@given(a=st.integers(0, 99_999), b=st.integers(1, 999))
def test_division_gives_quotient_and_remainder(a, b):
    worked = scratch.divide(a, b)
    assert (worked.value, worked.rest) == divmod(a, b)
    for part in equations(worked.text):
        assert true_equation(part), worked.text


@settings(max_examples=100, deadline=None)
@given(a=st.integers(1, 9_999), b=st.integers(2, 9))
def test_division_of_money_is_exact(a, b):
    worked = scratch.divide(Decimal(a * b).scaleb(-2), b, 2)
    assert worked.value == Decimal(a).scaleb(-2) and not worked.rest


@settings(max_examples=200, deadline=None)
@given(a=numbers, b=numbers)
def test_comparison_finds_the_larger(a, b):
    steps, sign = scratch.compare(a, b)
    assert sign == ("<" if a < b else ">" if a > b else "=")
    assert steps.count("?") == 1


@pytest.mark.parametrize(
    ("worked", "text"),
    [
        (scratch.add(7, 8), "7+8=15"),
        (scratch.add(347, 85), "347+85=[7+5=12,4+8+1=13,3+1=4]432"),
        (scratch.add(1205, 37), "1205+37=[5+7=12,0+3+1=4]1242"),
        (scratch.subtract(52, 17), "52-17=[12-7=5,5-1-1=3]35"),
        (scratch.subtract(300, 147), "300-147=[10-7=3,10-4-1=5,3-1-1=1]153"),
        (scratch.multiply(47, 6), "47*6=[6*7=42,6*4=24+4=28]282"),
        (scratch.multiply(40, 30), "40*30=[4*3=12]1200"),
        (scratch.divide(347, 6), "347/6=[34/6=5r4,47/6=7r5]57r5"),
        (scratch.divide(42, 6), "42/6=7"),
        (scratch.multiply(Decimal("1.54"), 3), "1.54*3=[3*4=12,3*5=15+1=16,3*1=3+1=4]4.62"),
    ],
)
def test_the_format_is_the_one_that_models_are_trained_on(worked, text):
    assert worked.text == text
