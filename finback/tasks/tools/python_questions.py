"""What is asked of the Python tool: operations on a word or numbers, and of a list which elements and what of them.

Held out are operations and pairs made of steps that trained ones show.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

WORDS = """apple balloon banana bottle butter button cabbage camera candle carrot castle cheese cherry circle
coffee cookie cotton daisy dinner dragon eleven engine feather finger forest garden giraffe guitar hammer island
jacket jungle kitten ladder lemon letter lizard mango marble meadow mirror monkey needle orange paddle parrot pencil
pepper piano pillow planet potato puppet puzzle rabbit ribbon rocket saddle salmon school season shadow silver spider
spring summer sunset tennis ticket tiger tomato tunnel turtle violin walnut window winter yellow zebra mississippi
strawberry""".split()


@dataclass(frozen=True)
class Operation:
    """ask and code are filled with the values that `draw` makes."""

    ask: tuple[str, ...]
    code: str
    draw: Callable[[random.Random], dict[str, Any]]


def _w(rng: random.Random) -> dict[str, Any]:
    word = (
        rng.choice(WORDS)
        if rng.random() < 0.6
        else "".join(rng.choice("abcdefghiklmnoprstu") for _ in range(rng.randint(5, 9)))
    )
    return {"w": word, "c": rng.choice(word)}


def _mirrored(rng: random.Random) -> dict[str, Any]:
    values = _w(rng)
    half = values["w"][:4]
    return values | {"w": half + half[::-1]} if rng.random() < 0.5 else values


def _n(low: int, high: int) -> Callable[[random.Random], dict[str, Any]]:
    return lambda rng: {"n": rng.randint(low, high), "m": rng.randint(low, high)}


SINGLE = (
    Operation(
        ('How many times does "{c}" occur in "{w}"?', 'Count the letter "{c}" in the word "{w}".'),
        "'{w}'.count('{c}')",
        _w,
    ),
    Operation(
        ('Write "{w}" backwards.', 'What is "{w}" spelled backwards?', 'Reverse the word "{w}".'), "'{w}'[::-1]", _w
    ),
    Operation(('How many letters has "{w}"?', 'How long is the word "{w}"?'), "len('{w}')", _w),
    Operation(('Write "{w}" in capitals.', 'What is "{w}" in capital letters?'), "'{w}'.upper()", _w),
    Operation(
        ('Sort the letters of "{w}".', 'Put the letters of "{w}" in alphabetical order.'), "''.join(sorted('{w}'))", _w
    ),
    Operation(('How many different letters are in "{w}"?',), "len(set('{w}'))", _w),
    Operation(
        ("What is the sum of the digits of {n}?", "Add up the digits of {n}."),
        "sum(int(d) for d in str({n}))",
        _n(1000, 9_999_999),
    ),
    Operation(("What is {n} in binary?", "Write {n} as a binary number."), "bin({n})[2:]", _n(5, 900)),
    Operation(("How many digits has {n} times {m}?",), "len(str({n} * {m}))", _n(100, 99_999)),
    Operation(
        ("What is the remainder of {n} divided by {m}?", "What is {n} modulo {m}?"),
        "{n} % {m}",
        lambda rng: {"n": rng.randint(1000, 99_999), "m": rng.randint(3, 99)},
    ),
    Operation(
        ("What is the sum of the numbers from 1 to {n}?", "Add all the numbers from 1 to {n}."),
        "sum(range(1, {n} + 1))",
        _n(10, 5000),
    ),
    Operation(
        ("What is the factorial of {n}?", "Calculate {n}!"),
        "import math\nmath.factorial({n})",
        lambda rng: {"n": rng.randint(5, 15)},
    ),
    Operation(
        ("What is the greatest common divisor of {n} and {m}?", "Find the gcd of {n} and {m}."),
        "import math\nmath.gcd({n}, {m})",
        _n(12, 9000),
    ),
    Operation(("How many divisors has {n}?",), "sum({n} % i == 0 for i in range(1, {n} + 1))", _n(12, 3000)),
    Operation(("What is the sum of the squares from 1 to {n}?",), "sum(i * i for i in range(1, {n} + 1))", _n(5, 500)),
    Operation(("Is {n} a prime number?",), "all({n} % i for i in range(2, {n}))", _n(11, 3000)),
    Operation(('Is "{w}" the same backwards?',), "'{w}' == '{w}'[::-1]", _mirrored),
    Operation(('Which letter of "{w}" comes last in the alphabet?',), "max('{w}')", _w),
    Operation(("What is the smallest digit of {n}?",), "min(int(d) for d in str({n}))", _n(1000, 999_999)),
    Operation(('Write "{w}" three times in a row.',), "'{w}' * 3", _w),
    Operation(('How many letters has "{w}" written twice?',), "len('{w}' * 2)", _w),
    Operation(('Sort the letters of "{w}" and write them in capitals.',), "''.join(sorted('{w}')).upper()", _w),
    Operation(("What is the sum of the fourth powers from 1 to {n}?",), "sum(i * i * i * i for i in range(1, {n} + 1))", _n(5, 99)),
    Operation(("What is the square root of {n} without its fraction?",), "import math\nmath.isqrt({n})", _n(20, 99_999)),
    Operation(("What is the product of the digits of {n}?",), "import math\nmath.prod(int(d) for d in str({n}))", _n(1000, 999_999)),
    Operation(("How many even digits has {n}?",), "sum(int(d) % 2 == 0 for d in str({n}))", _n(1000, 999_999)),
    Operation(("What is the last digit of {n} times {m}?",), "{n} * {m} % 10", _n(100, 99_999)),
    Operation(("What is the sum of the digits of {n} times {m}?",), "sum(int(d) for d in str({n} * {m}))", _n(100, 99_999)),
    Operation(("What is the sum of the fifth powers from 1 to {n}?",), "sum(i * i * i * i * i for i in range(1, {n} + 1))", _n(5, 60)),
    Operation(("What is the sum of the even numbers from 1 to {n}?",), "sum(range(2, {n} + 1, 2))", _n(10, 5000)),
    Operation(("What is the sum of the odd numbers from 1 to {n}?",), "sum(range(1, {n} + 1, 2))", _n(10, 5000)),
    Operation(("What is {n} in hexadecimal?", "Write {n} as a hexadecimal number."), "hex({n})[2:]", _n(20, 9000)),
    Operation(("What is {n} in octal?", "Write {n} as an octal number."), "oct({n})[2:]", _n(20, 9000)),
    Operation(("What is the larger of {n} and {m}?",), "max({n}, {m})", _n(100, 99_999)),
    Operation(("What is the smaller of {n} and {m}?",), "min({n}, {m})", _n(100, 99_999)),
    Operation(("What is the square of {n} plus {m}?",), "{n} * {n} + {m}", _n(100, 9999)),
    Operation(('Write the word "{w}" backwards.', 'Write the letters of "{w}" backwards.'), "'{w}'[::-1]", _w),
    Operation(('Write the word "{w}" in capitals.', 'Write the word "{w}" in capital letters.'), "'{w}'.upper()", _w),
    Operation(('Write the word "{w}" twice in a row.', 'Write "{w}" twice.'), "'{w}' * 2", _w),
    Operation(('Write the word "{w}" in capitals and twice in a row.',), "'{w}'.upper() * 2", _w),
    Operation(('Write the word "{w}" backwards and twice in a row.',), "'{w}'[::-1] * 2", _w),
    Operation(('Write the word "{w}" without its first letter and in capitals.',), "'{w}'[1:].upper()", _w),
    Operation(('Write the word "{w}" without its first letter.',), "'{w}'[1:]", _w),
    Operation(('Write the word "{w}" without its last letter.',), "'{w}'[:-1]", _w),
    Operation(('Sort the letters of "{w}" and write them backwards.',), "''.join(sorted('{w}'))[::-1]", _w),
    Operation(('What is the first letter of "{w}"?', 'Which letter comes first in "{w}"?'), "'{w}'[0]", _w),
    Operation(('What is the last letter of "{w}"?', 'Which letter comes last in "{w}"?'), "'{w}'[-1]", _w),
    Operation(('Which letter comes last in the alphabet among the letters of "{w}"?',), "max('{w}')", _w),
    Operation(('How many times does "{c}" occur in "{w}" written three times?',), "('{w}' * 3).count('{c}')", _w),
    Operation(('How many times does "{c}" occur in "{w}" without its first letter?',), "'{w}'[1:].count('{c}')", _w),
    Operation(('How many different letters are in "{w}" without its first letter?',), "len(set('{w}'[1:]))", _w),
    Operation(('How many letters has "{w}" written four times?',), "len('{w}' * 4)", _w),
    Operation(('Write the word "{w}" in capitals and without its last letter.',), "'{w}'.upper()[:-1]", _w),
    Operation(('Write the word "{w}" backwards and without its first letter.',), "'{w}'[::-1][1:]", _w),
    Operation(('Write the word "{w}" twice in a row and in capitals.',), "('{w}' * 2).upper()", _w),
    Operation(("What is the least common multiple of 2, {n} and {m}?",), "import math\nmath.lcm(2, {n}, {m})", _n(4, 400)),
    Operation(("What is the cube of {n}?",), "{n} * {n} * {n}", _n(5, 400)),
    Operation(("What is the square of {n}?",), "{n} * {n}", _n(5, 4000)),
    Operation(("What is the sum of the cubes of the digits of {n}?",), "sum(int(d) * int(d) * int(d) for d in str({n}))", _n(1000, 999_999)),
    Operation(("What is the difference of the largest digit and the smallest digit of {n}?",), "max(int(d) for d in str({n})) - min(int(d) for d in str({n}))", _n(1000, 999_999)),
    Operation(('Which letter comes first in the alphabet among the letters of "{w}" without its first letter?',), "min('{w}'[1:])", _w),
    Operation(('Which letter comes last in the alphabet among the letters of "{w}" without its last letter?',), "max('{w}'[:-1])", _w),
    Operation(('How many different letters are in "{w}" written twice?',), "len(set('{w}' * 2))", _w),
    Operation(('How many times does "{c}" occur in "{w}" written twice?',), "('{w}' * 2).count('{c}')", _w),
    Operation(
        (
            'How many times does the capital of "{c}" occur in "{w}" in capitals?',
            'Write "{w}" in capitals. How many times is the capital letter of "{c}" in it?',
        ),
        "'{w}'.upper().count('{c}'.upper())",
        _w,
    ),
    Operation(
        ('What is the first letter of "{w}" in capitals?', 'Give the first letter of "{w}" as a capital.'),
        "'{w}'.upper()[0]",
        _w,
    ),
    Operation(
        ('What is the last letter of "{w}" in capitals?', 'Give the last letter of "{w}" as a capital.'),
        "'{w}'.upper()[-1]",
        _w,
    ),
    Operation(
        ('Write "{w}" in small letters and backwards.', 'Reverse "{w}" in small letters.'),
        "'{w}'.lower()[::-1]",
        _w,
    ),
    Operation(
        (
            'Write "{w}" with a capital first letter and without its last letter.',
            'Drop the last letter of "{w}" and begin it with a capital.',
        ),
        "'{w}'.title()[:-1]",
        _w,
    ),
    Operation(
        (
            'Drop the last letter of "{w}" and write the rest in capitals.',
            'What is "{w}" in capitals when its last letter is taken off first?',
        ),
        "'{w}'[:-1].upper()",
        _w,
    ),
    Operation(
        (
            'Write the word "{w}" without its first letter and backwards.',
            'Take off the first letter of "{w}", then reverse the rest.',
        ),
        "'{w}'[1:][::-1]",
        _w,
    ),
    Operation(
        (
            'Write "{w}" backwards and give the first three letters of that.',
            'What are the first three letters of "{w}" reversed?',
        ),
        "'{w}'[::-1][:3]",
        _w,
    ),
    Operation(
        ('What are the first three letters of "{w}"?', 'Give the first three letters of "{w}".'),
        "'{w}'[:3]",
        _w,
    ),
    Operation(('What are the last three letters of "{w}"?', 'Give the last three letters of "{w}".'), "'{w}'[-3:]", _w),
    Operation(
        (
            'Write the first three letters of "{w}" twice in a row.',
            'Take the first three letters of "{w}" and write them twice in a row.',
        ),
        "'{w}'[:3] * 2",
        _w,
    ),
    Operation(
        ('Write the first three letters of "{w}" backwards.', 'Reverse the first three letters of "{w}".'),
        "'{w}'[:3][::-1]",
        _w,
    ),
    Operation(
        ('Write the last three letters of "{w}" in capitals.', 'Give the last three letters of "{w}" as capitals.'),
        "'{w}'[-3:].upper()",
        _w,
    ),
    Operation(
        (
            'Write every second letter of "{w}", beginning with the first.',
            'Take every other letter of "{w}", the first one included.',
        ),
        "'{w}'[::2]",
        _w,
    ),
    Operation(
        ('Write "{w}" without the letter "{c}".', 'Remove every "{c}" from "{w}".'),
        "'{w}'.replace('{c}', '')",
        _w,
    ),
    Operation(
        (
            'Remove every "{c}" from "{w}" and write the rest in capitals.',
            'Remove every "{c}" from "{w}", then write it in capitals.',
        ),
        "'{w}'.replace('{c}', '').upper()",
        _w,
    ),
    Operation(
        (
            'Remove every "{c}" from "{w}" and write the rest backwards.',
            'Write "{w}" without any "{c}" and reverse what is left.',
        ),
        "'{w}'.replace('{c}', '')[::-1]",
        _w,
    ),
    Operation(
        ('How many letters has "{w}" without the letter "{c}"?', 'How long is "{w}" when every "{c}" is removed?'),
        "len('{w}'.replace('{c}', ''))",
        _w,
    ),
    Operation(
        ('How many letters of "{w}" are not "{c}"?', 'Count the letters of "{w}" other than "{c}".'),
        "len('{w}') - '{w}'.count('{c}')",
        _w,
    ),
    Operation(
        ('What is twice the number of letters of "{w}", plus 1?', 'Count the letters of "{w}", double that and add 1.'),
        "len('{w}') * 2 + 1",
        _w,
    ),
    Operation(
        ('How many letters are left over when each different letter of "{w}" is counted once?',),
        "len('{w}') - len(set('{w}'))",
        _w,
    ),
    Operation(
        ('Sort the letters of "{w}" and give the first of them.', 'Which letter stands first when "{w}" is sorted?'),
        "''.join(sorted('{w}'))[0]",
        _w,
    ),
    Operation(
        (
            'Sort the letters of "{w}" and give the first three.',
            'What are the first three letters of "{w}" in alphabetical order?',
        ),
        "''.join(sorted('{w}'))[:3]",
        _w,
    ),
    Operation(
        (
            'Sort the letters of "{w}" and leave out the first of the sorted letters.',
            'Put the letters of "{w}" in alphabetical order, then drop the first one.',
        ),
        "''.join(sorted('{w}'))[1:]",
        _w,
    ),
    Operation(
        (
            'Sort the letters of "{w}" and write that twice in a row.',
            'Put the letters of "{w}" in alphabetical order and write the result twice in a row.',
        ),
        "''.join(sorted('{w}')) * 2",
        _w,
    ),
    Operation(
        ('Sort the different letters of "{w}".', 'List each letter of "{w}" once, in alphabetical order.'),
        "''.join(sorted(set('{w}')))",
        _w,
    ),
    Operation(
        (
            'Write "{w}" in capitals, then sort its letters.',
            'Put "{w}" in capitals first and in alphabetical order then.',
        ),
        "''.join(sorted('{w}'.upper()))",
        _w,
    ),
    Operation(
        (
            'At which position, counted from 0, does "{c}" first stand in "{w}"?',
            'Find the index of the first "{c}" in "{w}".',
        ),
        "'{w}'.find('{c}')",
        _w,
    ),
    Operation(
        (
            'At which position, counted from 0, does "{c}" first stand in "{w}" written backwards?',
            'Reverse "{w}" and find the index of the first "{c}".',
        ),
        "'{w}'[::-1].find('{c}')",
        _w,
    ),
    Operation(('How many vowels has "{w}"?', 'Count the vowels in "{w}".'), "sum(x in 'aeiou' for x in '{w}')", _w),
    Operation(
        ('Write "{w}" without its vowels.', 'Remove all vowels from "{w}".'),
        "''.join(x for x in '{w}' if x not in 'aeiou')",
        _w,
    ),
    Operation(
        (
            'Which letter of "{w}" comes last in the alphabet? Write it as a capital.',
            'Write as a capital the letter of "{w}" that is last in the alphabet.',
        ),
        "max('{w}').upper()",
        _w,
    ),
    Operation(
        ('What is twice the number of times "{c}" occurs in "{w}"?', 'Count "{c}" in "{w}" and double that.'),
        "'{w}'.count('{c}') * 2",
        _w,
    ),
    Operation(('Does "{w}" end with "{c}"?', 'Is "{c}" the last letter of "{w}"?'), "'{w}'.endswith('{c}')", _w),
    Operation(
        (
            "What is {n} plus {m} in binary?",
            "Add {n} and {m} and write the sum in binary.",
            "Give the sum of {n} and {m} in binary.",
        ),
        "bin({n} + {m})[2:]",
        _n(20, 900),
    ),
    Operation(
        ("How many digits has {n} in binary?", "How long is {n} when written in binary?"),
        "len(bin({n})[2:])",
        _n(20, 9000),
    ),
    Operation(
        (
            "What is {n} plus {m} in hexadecimal?",
            "Add {n} and {m} and write the sum in hexadecimal.",
            "Give the sum of {n} and {m} in hexadecimal.",
        ),
        "hex({n} + {m})[2:]",
        _n(20, 900),
    ),
    Operation(
        ("What is {n} times {m} in hexadecimal?", "Multiply {n} by {m} and write the product in hexadecimal."),
        "hex({n} * {m})[2:]",
        _n(20, 900),
    ),
    Operation(
        ("How many digits has {n} in hexadecimal?", "How long is {n} when written in hexadecimal?"),
        "len(hex({n})[2:])",
        _n(20, 9000),
    ),
    Operation(
        (
            "What is {n} plus {m} in octal?",
            "Add {n} and {m} and write the sum in octal.",
            "Give the sum of {n} and {m} in octal.",
        ),
        "oct({n} + {m})[2:]",
        _n(20, 900),
    ),
    Operation(
        ("What is {n} times {m} in octal?", "Multiply {n} by {m} and write the product in octal."),
        "oct({n} * {m})[2:]",
        _n(20, 900),
    ),
    Operation(
        ("How many digits has {n} in octal?", "How long is {n} when written in octal?"),
        "len(oct({n})[2:])",
        _n(20, 9000),
    ),
    Operation(
        ("What is {n} minus 1 in binary?", "Write the number before {n} in binary."),
        "bin({n} - 1)[2:]",
        _n(20, 900),
    ),
    Operation(
        ("How many ones has {n} in binary?", "Count the digit 1 in the binary form of {n}."),
        "bin({n}).count('1')",
        _n(20, 9000),
    ),
    Operation(
        ("How many ones has {n} plus {m} in binary?", "Add {n} and {m}. How many ones are in the binary form?"),
        "bin({n} + {m}).count('1')",
        _n(20, 900),
    ),
    Operation(
        ("Write {n} in binary and backwards.", "What is the binary form of {n} reversed?"),
        "bin({n})[2:][::-1]",
        _n(20, 900),
    ),
    Operation(
        ("Write {n} in binary, twice in a row.", "Write the binary form of {n} twice in a row."),
        "bin({n})[2:] * 2",
        _n(20, 200),
    ),
    Operation(
        ("Write {n} in hexadecimal with capital letters.", "What is {n} in hexadecimal, in capitals?"),
        "hex({n})[2:].upper()",
        _n(200, 9000),
    ),
    Operation(
        ("Multiply {n} by {m} and write the product backwards.", "What are the digits of {n} times {m} in reverse?"),
        "str({n} * {m})[::-1]",
        _n(12, 900),
    ),
    Operation(
        ("Add {n} and {m} and write the sum backwards.", "What are the digits of {n} plus {m} in reverse?"),
        "str({n} + {m})[::-1]",
        _n(100, 9000),
    ),
    Operation(
        ("Write the number {n} backwards.", "What are the digits of {n} in reverse?"),
        "str({n})[::-1]",
        _n(1000, 999_999),
    ),
    Operation(
        ("What is the first digit of {n} times {m}?", "Multiply {n} by {m}. Which digit comes first?"),
        "str({n} * {m})[0]",
        _n(100, 9999),
    ),
    Operation(
        (
            "How many times does the digit 3 occur in {n} times {m}?",
            "Multiply {n} by {m}. How many threes has the product?",
        ),
        "str({n} * {m}).count('3')",
        _n(100, 99_999),
    ),
    Operation(
        ("Sort the digits of {n}.", "Put the digits of {n} in order from small to large."),
        "''.join(sorted(str({n})))",
        _n(1000, 999_999),
    ),
    Operation(
        ("Sort the digits of {n} times {m}.", "Multiply {n} by {m} and put the digits of the product in order."),
        "''.join(sorted(str({n} * {m})))",
        _n(20, 900),
    ),
    Operation(
        ("What is the largest digit of {n}?", "Which digit of {n} is the largest?"),
        "max(int(d) for d in str({n}))",
        _n(1000, 999_999),
    ),
    Operation(
        ("What is the largest digit of {n} times {m}?", "Multiply {n} by {m}. What is the largest digit?"),
        "max(int(d) for d in str({n} * {m}))",
        _n(100, 9999),
    ),
    Operation(
        ("What is the sum of the digits of {n} plus {m}?", "Add {n} and {m}, then add up the digits of the sum."),
        "sum(int(d) for d in str({n} + {m}))",
        _n(100, 99_999),
    ),
    Operation(
        ("What is the sum of the squares of the digits of {n}?", "Square each digit of {n} and add the squares."),
        "sum(int(d) * int(d) for d in str({n}))",
        _n(1000, 999_999),
    ),
    Operation(
        ("How many different digits has {n}?", "Count the different digits of {n}."),
        "len(set(str({n})))",
        _n(1000, 999_999),
    ),
    Operation(
        ("How many different digits has {n} times {m}?", "Multiply {n} by {m}. How many different digits are in it?"),
        "len(set(str({n} * {m})))",
        _n(100, 9999),
    ),
    Operation(
        (
            "What is the sum of the doubles of the numbers from 1 to {n}?",
            "Double each number from 1 to {n} and add the results.",
        ),
        "sum(2 * i for i in range(1, {n} + 1))",
        _n(5, 500),
    ),
    Operation(
        (
            "What is the sum of the squares of the odd numbers from 1 to {n}?",
            "Add the squares of all odd numbers from 1 to {n}.",
        ),
        "sum(i * i for i in range(1, {n} + 1) if i % 2 == 1)",
        _n(5, 300),
    ),
    Operation(
        ("What is the sum of the multiples of 3 from 1 to {n}?", "Add all multiples of 3 from 1 to {n}."),
        "sum(i for i in range(1, {n} + 1) if i % 3 == 0)",
        _n(10, 900),
    ),
    Operation(
        ("How many numbers from 1 to {n} are multiples of 7?", "Count the multiples of 7 from 1 to {n}."),
        "sum(i % 7 == 0 for i in range(1, {n} + 1))",
        _n(20, 3000),
    ),
    Operation(
        ("How many numbers from 1 to {n} have a digit 7?", "Count the numbers from 1 to {n} in which a 7 occurs."),
        "sum('7' in str(i) for i in range(1, {n} + 1))",
        _n(20, 900),
    ),
    Operation(
        (
            "What is the sum of each number from 1 to {n} times the next one?",
            "Multiply each number from 1 to {n} by the one after it and add the products.",
        ),
        "sum(i * (i + 1) for i in range(1, {n} + 1))",
        _n(5, 200),
    ),
    Operation(
        ("What is the remainder of {n} plus {m} divided by 9?", "Add {n} and {m}. What is left after division by 9?"),
        "({n} + {m}) % 9",
        _n(100, 99_999),
    ),
    Operation(
        (
            "How many whole times does 7 go into {n} plus {m}?",
            "Add {n} and {m} and divide by 7, without the remainder.",
        ),
        "({n} + {m}) // 7",
        _n(100, 99_999),
    ),
    Operation(
        ("How far apart are {n} and {m}?", "What is the distance between {n} and {m}?"),
        "abs({n} - {m})",
        _n(100, 99_999),
    ),
    Operation(
        ("How many numbers are there from the smaller to the larger of {n} and {m}, with both?",),
        "max({n}, {m}) - min({n}, {m}) + 1",
        _n(100, 9999),
    ),
    Operation(
        ("What is the last digit of {n} to the power of 3?", "Raise {n} to the power of 3. Which digit comes last?"),
        "{n} ** 3 % 10",
        _n(20, 900),
    ),
    Operation(
        ("How many digits has {n} to the power of 5?", "Raise {n} to the power of 5. How many digits are that?"),
        "len(str({n} ** 5))",
        _n(20, 900),
    ),
)
# Made of steps that others of `SINGLE` show, one or two of them together as none does.
SINGLE_HELD_OUT = (
    Operation(
        ("What is the sum of the cubes from 1 to {n}?",), "sum(i * i * i for i in range(1, {n} + 1))", _n(5, 200)
    ),
    Operation(('Write "{w}" and then the same letters backwards, as one word.',), "'{w}' + '{w}'[::-1]", _w),
    Operation(('Write the word "{w}" backwards and in capitals.',), "'{w}'[::-1].upper()", _w),
    Operation(('How many times does "{c}" occur in "{w}" without its last letter?',), "'{w}'[:-1].count('{c}')", _w),
    Operation(('Sort the letters of "{w}" without its first letter.',), "''.join(sorted('{w}'[1:]))", _w),
    Operation(("What is {n} times {m} in binary?",), "bin({n} * {m})[2:]", _n(5, 900)),
)
WHICH = {
    "all": ("numbers", ""),
    "even": ("even numbers", " if x % 2 == 0"),
    "odd": ("odd numbers", " if x % 2 == 1"),
    "greater": ("numbers greater than {k}", " if x > {k}"),
    "less": ("numbers less than {k}", " if x < {k}"),
    "multiples": ("multiples of {d}", " if x % {d} == 0"),
    "not multiples": ("numbers that are not multiples of {d}", " if x % {d} != 0"),
    "at least": ("numbers not less than {k}", " if x >= {k}"),
    "even above": ("even numbers greater than {k}", " if x % 2 == 0 and x > {k}"),
    "odd below": ("odd numbers less than {k}", " if x % 2 == 1 and x < {k}"),
    "ending": ("numbers whose last digit is {d}", " if x % 10 == {d}"),
}
WHAT = {
    "sum": ("What is the sum of the {which} in {xs}?", "sum(x for x in {xs}{test})"),
    "count": ("How many {which} are in {xs}?", "len([x for x in {xs}{test}])"),
    "largest": ("What is the largest of the {which} in {xs}?", "max(x for x in {xs}{test})"),
    "smallest": ("What is the smallest of the {which} in {xs}?", "min(x for x in {xs}{test})"),
    "squares": ("What is the sum of the squares of the {which} in {xs}?", "sum(x * x for x in {xs}{test})"),
    "sorted": ("List the {which} in {xs} from small to large.", "sorted(x for x in {xs}{test})"),
    "doubled": ("Double the {which} in {xs} and list the results.", "[2 * x for x in {xs}{test}]"),
    "descending": ("List the {which} in {xs} from large to small.", "sorted((x for x in {xs}{test}), reverse=True)"),
    "tripled": ("Triple the {which} in {xs} and list the results.", "[3 * x for x in {xs}{test}]"),
    "one more": ("Add 1 to each of the {which} in {xs} and list the results.", "[x + 1 for x in {xs}{test}]"),
    "first": ("What is the first of the {which} in {xs}?", "[x for x in {xs}{test}][0]"),
    "last": ("What is the last of the {which} in {xs}?", "[x for x in {xs}{test}][-1]"),
    "twice the sum": ("What is twice the sum of the {which} in {xs}?", "2 * sum(x for x in {xs}{test})"),
    "digits": ("What is the sum of the last digits of the {which} in {xs}?", "sum(x % 10 for x in {xs}{test})"),
    "doubled in order": (
        "Double the {which} in {xs} and list the results from small to large.",
        "sorted(2 * x for x in {xs}{test})",
    ),
}
PAIRS_HELD_OUT = {
    ("even", "squares"),
    ("odd", "largest"),
    ("greater", "sorted"),
    ("less", "count"),
    ("multiples", "smallest"),
    ("odd", "count"),
    ("less", "squares"),
}
PAIRS = [(which, what) for which in WHICH for what in WHAT if (which, what) not in PAIRS_HELD_OUT]
