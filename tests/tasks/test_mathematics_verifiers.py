"""Answers that are more than one number are read in the forms that people and models write them in, and in no other."""

from __future__ import annotations

import pytest

from finback.tasks.mathematics import TASKS
from finback.tasks.protocol import Problem, assistant, user


def judged(task: str, facts: dict, content: str) -> bool:
    return TASKS[task].verify(Problem("", "", user("?"), facts), [assistant(content)], None).right


REMAINDER = {"chain": ["347", "/", "6"], "rest": 5, "answer": "57 remainder 5"}
PAIR = {"form": "x+y=r;x-y=s", "x": 12, "y": -4, "values": {}}
SORTED = {"kind": "sort", "answer": "3, 7, 12", "numbers": [7, 3, 12]}
PRODUCT = {"kind": "factors", "answer": "2*2*2*5", "numbers": [40]}
PRIME = {"kind": "prime", "answer": "no", "numbers": [51]}


@pytest.mark.parametrize("content", ["57 remainder 5", "57 r5", "The answer is 57, remainder 5.", "57余5", "57 5/6", "347/6", "57R5."])
def test_a_quotient_with_remainder_is_read(content):
    assert judged("arithmetic", REMAINDER, content)


@pytest.mark.parametrize("content", ["57", "5", "57 remainder 4", "56 remainder 5", "5 remainder 57", "57.8", "57 5/7", ""])
def test_another_quotient_or_remainder_is_refused(content):
    assert not judged("arithmetic", REMAINDER, content)


@pytest.mark.parametrize("content", ["The answer is x = 12, y = -4.", "x=12 and y=-4", "y = -4, x = 12", "(12, -4)", "12, -4", "x = 12\ny = −4"])
def test_a_pair_is_read(content):
    assert judged("equation", PAIR, content)


@pytest.mark.parametrize("content", ["x = -4, y = 12", "12", "x = 12, y = 4", "x = 12.5, y = -4", "(-4, 12)", ""])
def test_another_pair_is_refused(content):
    assert not judged("equation", PAIR, content)


@pytest.mark.parametrize("content", ["The answer is 3, 7, 12.", "3 7 12", "[3, 7, 12]", "3 < 7 < 12", "Sorted: 3, 7 and 12"])
def test_a_sorted_list_is_read(content):
    assert judged("number_theory", SORTED, content)


@pytest.mark.parametrize("content", ["3, 12, 7", "3, 7", "3, 7, 12, 13", "12, 7, 3", ""])
def test_another_order_is_refused(content):
    assert not judged("number_theory", SORTED, content)


@pytest.mark.parametrize("content", ["2*2*2*5", "The answer is 2 × 2 × 2 × 5.", "40 = 2^3 * 5", "$2^{3} \\times 5$", "5 * 2 * 2 * 2", "2**3*5"])
def test_a_product_is_read(content):
    assert judged("number_theory", PRODUCT, content)


@pytest.mark.parametrize("content", ["4*10", "2*2*5", "2*2*2*2*5", "40", "2^2*5", "8*5", ""])
def test_another_product_is_refused(content):
    assert not judged("number_theory", PRODUCT, content)


@pytest.mark.parametrize("content", ["The answer is no.", "No", "No, 51 is not prime.", "51 is not a prime number", "not prime"])
def test_a_no_is_read(content):
    assert judged("number_theory", PRIME, content)


@pytest.mark.parametrize("content", ["The answer is yes.", "yes", "51 is prime", "yes and no", "17", ""])
def test_another_word_is_refused(content):
    assert not judged("number_theory", PRIME, content)
