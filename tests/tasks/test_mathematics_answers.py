"""The reader of answers takes every usual way to write a number, and no other number for it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from finback.tasks.mathematics import verify_number
from finback.tasks.mathematics.answers import last_number

SAME = [
    ("The answer is 42.", 42),
    ("42", 42.0),
    ("The answer is 42 marbles.", "42"),
    ("so Tom has **42** marbles", 42),
    ("答案是42。", 42),
    ("一共42个", 42),
    ("\\boxed{42}", 42),
    ("$\\boxed{42\\text{ apples}}$", 42),
    ("\\boxed{\\frac{3}{4}} of 12", 0.75),
    ("\\dfrac{3}{4}", 0.75),
    ("1,234", 1234),
    ("1,234,567.5 people", "1234567.5"),
    ("It costs $4.50", 4.5),
    ("$ 4.5", "4.50"),
    ("¥7", 7),
    ("25%", 25),
    ("25 %", 25),
    ("3/4", 0.75),
    ("3 / 4 of a cup", 0.75),
    ("1 1/2 cups", 1.5),
    ("-5", -5),
    ("−5", -5),
    ("-$5", -5),
    ("x = -3", -3),
    ("x=7", 7),
    ("12-5=7", 7),
    ("from 3-4", 4),
    ("42.0", 42),
    ("42.", 42),
    (".5", 0.5),
    ("about 0.3333333", 1 / 3),
    ("1/3", 0.3333333333),
    ("0.9166666667", 0.9166666667),
    ("5km", 5),
    ("The answer is 42.\n\n", 42),
]


@pytest.mark.parametrize(("content", "target"), SAME)
def test_usual_forms_are_read(content, target):
    assert verify_number(content, target).right, last_number(content)


@pytest.mark.parametrize("content", ["43", "420", "4.2", "-42", "42 or 43", "1/42", "42,000", "x42", "", "forty", "0.42", None, "42 1/2", "\\boxed{41} 42"])
def test_other_numbers_are_refused_with_a_reason(content):
    verdict = verify_number(content, 42)
    assert not verdict.right and verdict.why


def test_near_is_not_right_for_whole_numbers_and_money():
    assert not verify_number("42.0000001", 42).right
    assert not verify_number("4.61", 4.62).right
    assert not verify_number("0.33", 1 / 3).right


def test_a_box_counts_more_than_what_follows():
    assert last_number("\\boxed{12} (see 3)") == 12
    assert last_number("1, 2 and \\boxed{\\frac{1}{2}}") == Fraction(1, 2)
