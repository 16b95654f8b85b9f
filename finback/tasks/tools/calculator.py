"""How does a model learn to leave arithmetic to a calculator? Sums whose numbers are too big to guess.

Levels: 1 one operation, 2 several and stories, 3 two calls or none, 4 a result used in the next turn, a failed call.
Held out: story templates, wordings of operations, and three calculations at once (training shows two and four).
"""

from __future__ import annotations

import ast
import random
from fractions import Fraction
from typing import Any

from finback.tasks.protocol import Effort, Message, Problem, Task, Verdict, user
from finback.tasks.tools.calls import (
    Call,
    answering,
    asking,
    beginning,
    calls_before,
    has_word,
    judge,
    results,
    system,
    tool,
    words_of,
    wrong_numbers,
)
from finback.tasks.tools.direct import direct_question

TOOL = tool("calculator", "Work out an arithmetic expression.", {"expression": {"type": "string"}})
SYMBOLS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
LONGEST_NUMBER = 10**40
DECIMALS = 6

# Words for one operation on a and b; the last is held out.
ONE = {
    "+": (
        "What is {a} + {b}?",
        "Add {a} and {b}.",
        "What is {a} plus {b}?",
        "How much is {a} and {b} together?",
        "{a} + {b} = ?",
        "Find the sum of {a} and {b}.",
        "{a} 加 {b} 等于多少？",
        "{a} added to {b} gives what?",
        "What is the total of {a} and {b}?",
        "I have {a} and get {b} more. How many is that?",
        "Increase {a} by {b}.",
        "{a} and {b} make what?",
        "Work out {a} + {b}.",
        "Put {a} and {b} together. How many is that?",
        "What is {b} more than {a}?",
        "Add up {a} and {b}.",
        "Calculate the sum {a} plus {b}.",
        "{a} people come, then {b} more. How many are there?",
        "One box holds {a} and another {b}. How many do both hold?",
        "What number is {b} larger than {a}?",
        "把 {a} 和 {b} 加起来是多少？",
        "What do you get when you add {b} to {a}?",
    ),
    "-": (
        "What is {a} - {b}?",
        "Subtract {b} from {a}.",
        "What is {a} minus {b}?",
        "Take {b} away from {a}.",
        "{a} - {b} = ?",
        "How much bigger is {a} than {b}?",
        "{a} 减 {b} 等于多少？",
        "How much less is {b} than {a}?",
        "What is the difference between {a} and {b}?",
        "From {a} I give away {b}. How many are left?",
        "Reduce {a} by {b}.",
        "{a} less {b} is what?",
        "Work out {a} - {b}.",
        "Deduct {b} from {a}.",
        "What is {b} less than {a}?",
        "Of {a} things {b} are gone. How many are there still?",
        "By how much does {a} exceed {b}?",
        "How far is it from {b} up to {a}?",
        "{b} must become {a}. How many are missing?",
        "Lower {a} by {b}.",
        "Calculate {a} minus {b}.",
        "{a} 比 {b} 多多少？",
        "Find the difference of {a} and {b}.",
    ),
    "*": (
        "What is {a} * {b}?",
        "Multiply {a} by {b}.",
        "What is {a} times {b}?",
        "Find the product of {a} and {b}.",
        "{a} × {b} = ?",
        "Calculate {a} x {b}.",
        "{a} 乘以 {b} 等于多少？",
        "{a} multiplied by {b} gives what?",
        "What do {b} groups of {a} make together?",
        "How many are {b} rows of {a}?",
        "{a} times {b} is what?",
        "Work out {a} * {b}.",
        "Form the product of {a} and {b}.",
        "There are {b} bags of {a}. How many is that?",
        "What are {b} packs of {a} in all?",
        "{b} times {a} is how many?",
        "Each of {b} people has {a}. How many have they together?",
        "Multiply {a} and {b}.",
        "{a} 的 {b} 倍是多少？",
        "How much is {a} taken {b} times?",
    ),
    "/": (
        "What is {a} / {b}?",
        "Divide {a} by {b}.",
        "What is {a} divided by {b}?",
        "How many times does {b} go into {a}?",
        "{a} ÷ {b} = ?",
        "{a} 除以 {b} 等于多少？",
        "What is the quotient of {a} and {b}?",
        "Split {a} into {b} equal groups. How many are in a group?",
        "Cut {a} into {b} equal pieces. How long is one?",
        "{b} people share {a} equally. How many does each get?",
        "{a} divided by {b} is what?",
        "Work out {a} / {b}.",
        "Form the quotient of {a} and {b}.",
        "How many groups of {b} are in {a}?",
        "{a} are put into boxes of {b}. How many boxes is that?",
        "Deal {a} out evenly among {b} people. How many does one get?",
        "What is one of {b} equal portions of {a}?",
        "把 {a} 平均分成 {b} 份，每份是多少？",
        "Share {a} into {b} equal parts. How big is each?",
    ),
}
# (words, expression); held out are the last of each list.
SEVERAL = (
    ("What is {a} + {b} * {c}?", "{a} + {b} * {c}"),
    ("What is ({a} + {b}) * {c}?", "({a} + {b}) * {c}"),
    ("Add {a} and {b}, then multiply by {c}.", "({a} + {b}) * {c}"),
    ("Multiply {a} by {b} and add {c}.", "{a} * {b} + {c}"),
    ("Multiply {a} by {b}, then take away {c}.", "{a} * {b} - {c}"),
    ("What is the sum of {a}, {b} and {c}?", "{a} + {b} + {c}"),
    ("Take {b} away from {a}, then multiply by {c}.", "({a} - {b}) * {c}"),
    ("Work out {a} * {b} * {c}.", "{a} * {b} * {c}"),
    ("What is the average of {a} and {b}?", "({a} + {b}) / 2"),
    ("What is the square of {a}?", "{a} * {a}"),
    ("What is {c} percent of {a}?", "{a} * {c} / 100"),
    ("{a} 加 {b}，再乘以 {c}，等于多少？", "({a} + {b}) * {c}"),
    ("What is {c} times the difference of {a} and {b}?", "{c} * ({a} - {b})"),
    ("Add {c} to the product of {a} and {b}.", "{a} * {b} + {c}"),
    ("Subtract {c} from the sum of {a} and {b}.", "{a} + {b} - {c}"),
    ("Add {a} to the square of {c}.", "{a} + {c} * {c}"),
    ("What is the average of {a}, {b}, {c} and {d}?", "({a} + {b} + {c} + {d}) / 4"),
    ("What is the fourth power of {c}?", "{c} * {c} * {c} * {c}"),
    ("Subtract {c} from the difference of {a} and {b}.", "{a} - {b} - {c}"),
    ("Multiply the difference of {a} and {b} by {c}.", "({a} - {b}) * {c}"),
    ("What is {c} times the product of {a} and {b}?", "{c} * {a} * {b}"),
    ("Divide the sum of {a} and {b} by 2.", "({a} + {b}) / 2"),
    ("What is the fifth power of {c}?", "{c} * {c} * {c} * {c} * {c}"),
    ("Add {c} to the sum of {a} and {b}.", "{a} + {b} + {c}"),
    ("Add {c} to the difference of {a} and {b}.", "{a} - {b} + {c}"),
    ("What is twice the sum of {a} and {b}?", "2 * ({a} + {b})"),
    ("What is half of {a}?", "{a} / 2"),
    ("Multiply the sum of {a}, {b} and {c} by {d}.", "({a} + {b} + {c}) * {d}"),
    ("What is {d} times {a}, plus {b}?", "{d} * {a} + {b}"),
    ("Multiply the sum of {a} and {b} by {c}.", "({a} + {b}) * {c}"),
    ("What is {a} - {b} + {c}?", "{a} - {b} + {c}"),
    ("What is {a} + {b} - {c}?", "{a} + {b} - {c}"),
    ("What is {c} * {a} + {b}?", "{c} * {a} + {b}"),
    ("What is {a} * {c} - {b}?", "{a} * {c} - {b}"),
    ("What is ({a} - {b}) * {c}?", "({a} - {b}) * {c}"),
    ("What is ({a} + {b}) / {c}?", "({a} + {b}) / {c}"),
    ("What is {a} / {c} + {b}?", "{a} / {c} + {b}"),
    ("What is {a} + {b} + {c} + {d}?", "{a} + {b} + {c} + {d}"),
    ("What is {a} * {c} + {b} * {d}?", "{a} * {c} + {b} * {d}"),
    ("What is {a} * {b} / {c}?", "{a} * {b} / {c}"),
    ("Add {a} and {b} and take {c} away.", "{a} + {b} - {c}"),
    ("Add {a} and {b}, then divide by {c}.", "({a} + {b}) / {c}"),
    ("Divide the sum of {a} and {b} by {c}.", "({a} + {b}) / {c}"),
    ("Divide the difference of {a} and {b} by {c}.", "({a} - {b}) / {c}"),
    ("Divide the product of {a} and {b} by {c}.", "{a} * {b} / {c}"),
    ("Multiply {a} by {c}, then divide by {d}.", "{a} * {c} / {d}"),
    ("Divide {a} by {c} and add {b}.", "{a} / {c} + {b}"),
    ("Divide {a} by {c}, then multiply by {d}.", "{a} / {c} * {d}"),
    ("Take {b} away from {a}, then divide by {c}.", "({a} - {b}) / {c}"),
    ("Take {b} away from {a} and add {c}.", "{a} - {b} + {c}"),
    ("Take both {b} and {c} away from {a}.", "{a} - {b} - {c}"),
    ("Start with {a}, add {b}, multiply by {c}.", "({a} + {b}) * {c}"),
    ("Start with {a}, multiply by {c}, add {b}.", "{a} * {c} + {b}"),
    ("Start with {a}, take off {b}, multiply by {c}.", "({a} - {b}) * {c}"),
    ("Start with {a}, multiply by {c}, take off {b}.", "{a} * {c} - {b}"),
    ("Start with {a}, divide by {c}, add {b}.", "{a} / {c} + {b}"),
    ("Add the product of {a} and {c} to {b}.", "{b} + {a} * {c}"),
    ("Add the product of {a} and {c} and the product of {b} and {d}.", "{a} * {c} + {b} * {d}"),
    ("Add {d} to the quotient of {a} and {c}.", "{a} / {c} + {d}"),
    ("Subtract {d} from the quotient of {a} and {c}.", "{a} / {c} - {d}"),
    ("Subtract {c} times {d} from the sum of {a} and {b}.", "{a} + {b} - {c} * {d}"),
    ("Subtract the sum of {c} and {d} from {a}.", "{a} - ({c} + {d})"),
    ("Multiply the product of {a} and {b} by {c}.", "{a} * {b} * {c}"),
    ("Multiply the sum of {a} and {b} by the sum of {c} and {d}.", "({a} + {b}) * ({c} + {d})"),
    ("Multiply the difference of {a} and {b} by the sum of {c} and {d}.", "({a} - {b}) * ({c} + {d})"),
    ("What is the product of {a}, {c} and {d}?", "{a} * {c} * {d}"),
    ("What is the sum of {a}, {b}, {c} and {d}?", "{a} + {b} + {c} + {d}"),
    ("What is the product of {a} and {c}, plus {b}?", "{a} * {c} + {b}"),
    ("What is the quotient of {a} and {c}, plus {b}?", "{a} / {c} + {b}"),
    ("What is {d} times {a}, minus {b}?", "{d} * {a} - {b}"),
    ("What is {d} times {a}, divided by {c}?", "{d} * {a} / {c}"),
    ("What is {c} times {a} plus {d} times {b}?", "{c} * {a} + {d} * {b}"),
    ("What is the square of {a}, plus {b}?", "{a} * {a} + {b}"),
    ("What is the square of {a}, minus {b}?", "{a} * {a} - {b}"),
    ("What is the square of the sum of {b} and {c}?", "({b} + {c}) * ({b} + {c})"),
    ("What is the sum of the squares of {a} and {c}?", "{a} * {a} + {c} * {c}"),
    ("What is twice the difference of {a} and {b}?", "2 * ({a} - {b})"),
    ("What is twice {a}, plus {b}?", "2 * {a} + {b}"),
    ("What is half the difference of {a} and {b}?", "({a} - {b}) / 2"),
    ("What is half of {a}, plus {b}?", "{a} / 2 + {b}"),
    ("What is a quarter of {a}?", "{a} / 4"),
    ("What is {c} percent of the sum of {a} and {b}?", "({a} + {b}) * {c} / 100"),
    ("How much is {a} plus {c} percent of it?", "{a} + {a} * {c} / 100"),
    ("{a} 减 {b}，再乘以 {c}，等于多少？", "({a} - {b}) * {c}"),
    ("{a} 乘以 {c}，再加 {b}，等于多少？", "{a} * {c} + {b}"),
    ("{a} 加 {b}，再减 {c}，等于多少？", "{a} + {b} - {c}"),
    ("What is {c} times the sum of {a} and {b}?", "{c} * ({a} + {b})"),
    ("Subtract {c} from the product of {a} and {b}.", "{a} * {b} - {c}"),
    ("What is the average of {a}, {b} and {c}?", "({a} + {b} + {c}) / 3"),
    ("What is the cube of {c}?", "{c} * {c} * {c}"),
)
SEVERAL_HELD_OUT = 4
STORIES = (
    ("A factory makes {a} {thing} every day. How many {thing} does it make in {c} days?", "{a} * {c}"),
    ("{who} has {a} {thing} and gets {b} more. How many {thing} are there now?", "{a} + {b}"),
    ("A shop has {a} {thing} and sells {b} of them. How many {thing} are left?", "{a} - {b}"),
    ("There are {c} boxes with {a} {thing} in each. How many {thing} are there in all?", "{c} * {a}"),
    ("{who} buys {c} {thing} at {b} dollars each. How many dollars is that?", "{c} * {b}"),
    ("{who} had {a} dollars and bought {c} {thing} at {d} dollars each. How many dollars are left?", "{a} - {c} * {d}"),
    (
        "A train carries {a} people. At a stop {b} get off and {d} get on. How many people are on it now?",
        "{a} - {b} + {d}",
    ),
    ("In one town live {a} people, in another {b}. How many people live in both?", "{a} + {b}"),
    ("{who} earns {a} dollars a month. How much is that in a year, after spending {b} dollars?", "{a} * 12 - {b}"),
    ("A book has {a} pages and {who} has read {b}. How many pages are left to read?", "{a} - {b}"),
    ("每箱有 {a} 个苹果，{c} 箱一共有多少个？", "{a} * {c}"),
    ("商店有 {a} 本书，卖了 {b} 本，还剩多少本？", "{a} - {b}"),
    ("{who} packs {c} boxes of {d} {thing} and has {a} {thing} besides. How many {thing} are that?", "{c} * {d} + {a}"),
    ("{who} reads {d} pages a day for {c} days and had read {b} before. How many pages in all?", "{d} * {c} + {b}"),
    ("A shop had {a} {thing}, threw away {b} and sold the rest at {c} dollars. How many dollars is that?", "({a} - {b}) * {c}"),
    ("{a} people are on a ship. {b} go ashore, and the others buy {c} {thing} each. How many {thing} is that?", "({a} - {b}) * {c}"),
    ("{c} shops get {a} {thing} each from a store, where {b} stay. How many {thing} were in the store?", "{c} * {a} + {b}"),
    ("{who} had {a} {thing} and lost {b} of them. How many are left?", "{a} - {b}"),
    ("A farm had {a} {thing}. It sold {b}. How many {thing} did it keep?", "{a} - {b}"),
    ("A farm sold {a} {thing} at {c} dollars each. How many dollars did it get?", "{a} * {c}"),
    ("A shop had {a} {thing}. {b} broke, and the others were worth {c} dollars each. How many dollars was that?", "({a} - {b}) * {c}"),
    ("{who} had {a} {thing}, lost {b}, and then sold the rest at {c} dollars each. How many dollars did that make?", "({a} - {b}) * {c}"),
    ("{c} classes get {a} {thing} each, and {b} are left over. How many {thing} are there in all?", "{c} * {a} + {b}"),
    ("{c} schools have {a} {thing} each. How many {thing} do they have in all?", "{c} * {a}"),
    ("There are {b} {thing} in a store and {c} boxes of {a} besides. How many {thing} are there in all?", "{b} + {c} * {a}"),
    ("{who} runs {d} metres a day for {c} days. How many metres in all?", "{d} * {c}"),
    ("{who} walks {a} metres on the first day, and {d} metres a day for {c} days after it. How many metres in all?", "{a} + {d} * {c}"),
    ("{who} swims {d} metres a day for {c} days, and {b} metres in the week after. How many metres is that?", "{d} * {c} + {b}"),
    ("{who} has {a} dollars and earns {d} dollars a day for {c} days. How many dollars is that?", "{a} + {d} * {c}"),
    ("A library had {a} {thing}, bought {b} and lost {d}. How many {thing} has it now?", "{a} + {b} - {d}"),
    ("{who} had {a} {thing}, gave away {b} and then found {d}. How many are there now?", "{a} - {b} + {d}"),
    ("{who} collects {a} {thing}, {b} more and then {c} more. How many {thing} are that?", "{a} + {b} + {c}"),
    ("{who} has {a} {thing}. {c} are red, {d} are blue, the others green. How many are green?", "{a} - {c} - {d}"),
    ("{who} has {c} boxes of {a} {thing} and gives {b} away. How many {thing} are left?", "{c} * {a} - {b}"),
    ("{a} {thing} are packed into {c} boxes evenly. How many are in one box?", "{a} / {c}"),
    ("{who} puts {a} old and {b} new {thing} on {c} shelves evenly. How many are on a shelf?", "({a} + {b}) / {c}"),
    ("{who} shares {a} {thing}, but keeps {b} first. How many does each of {c} friends get?", "({a} - {b}) / {c}"),
    ("Each week a ship brings {a} {thing} and a train {b}. How many {thing} come in {c} weeks?", "({a} + {b}) * {c}"),
    ("{c} trucks bring {a} {thing} each and {d} vans {b} each. How many {thing} come?", "{c} * {a} + {d} * {b}"),
    ("{who} buys {c} {thing} at {d} dollars each and a bag for {b} dollars. What is the price?", "{c} * {d} + {b}"),
    ("{who} pays {a} dollars for {c} {thing}. What does one cost?", "{a} / {c}"),
    ("A town had {a} people. {b} moved in and {c} moved away. How many live there now?", "{a} + {b} - {c}"),
    ("There are {a} litres in a tank. {d} litres run out each hour for {c} hours. How many are left?", "{a} - {d} * {c}"),
    ("There are {a} litres in a tank, and {d} litres run in each hour for {c} hours. How many are in it?", "{a} + {d} * {c}"),
    ("A hall has {c} rows of {d} seats and {b} seats on a balcony. How many seats has it?", "{c} * {d} + {b}"),
    ("A machine makes {a} {thing} a day, and {b} of them break each day. How many are good in {c} days?", "({a} - {b}) * {c}"),
    ("{who} saves {b} dollars a week for {c} weeks, then spends {d}. How many dollars are left?", "{b} * {c} - {d}"),
    ("One farm has {a} {thing}, the next {b} fewer. How many has the next farm?", "{a} - {b}"),
    ("One shop has {a} {thing}, the next {b} more. How many do both shops have together?", "{a} + {a} + {b}"),
    ("{who} reads {b} of {a} pages. The rest takes {c} days. How many pages a day is that?", "({a} - {b}) / {c}"),
    ("{who} 有 {a} 元，买了 {c} 本书，每本 {d} 元，还剩多少元？", "{a} - {c} * {d}"),
    ("工厂每天做 {a} 个零件，{c} 天做多少个？", "{a} * {c}"),
    ("学校有 {a} 个学生，来了 {b} 个，又走了 {c} 个，现在有多少个？", "{a} + {b} - {c}"),
    (
        "{c} schools share {a} {thing} each and keep {b} more in a store. How many {thing} are there in all?",
        "{c} * {a} + {b}",
    ),
    (
        "{who} walks {d} metres a day for {c} days, and {a} metres on the last day. How many metres in all?",
        "{d} * {c} + {a}",
    ),
    (
        "A farm had {a} {thing}. It lost {b}, and then the rest was worth {c} dollars each. How many dollars was that?",
        "({a} - {b}) * {c}",
    ),
)
STORIES_HELD_OUT = 3
NEXT = (
    ("Now add {b}.", "+ {b}"),
    ("And if you take away {b}?", "- {b}"),
    ("Multiply that by {c}.", "* {c}"),
    ("Now divide it by {c}.", "/ {c}"),
    ("Take {b} away from that.", "- {b}"),
    ("What is that times {c}?", "* {c}"),
    ("Add {b} to the result, please.", "+ {b}"),
    ("再加上 {b} 呢？", "+ {b}"),
    ("Add {b} to it.", "+ {b}"),
    ("Now subtract {b}.", "- {b}"),
    ("Now multiply it by {c}.", "* {c}"),
    ("What if it were three times as much?", "* 3"),
    ("What is four times that?", "* 4"),
    ("What if I take half of it?", "/ 2"),
    ("How far above {b} is that?", "- {b}"),
    ("What if I halve it?", "/ 2"),
    ("What if I triple it?", "* 3"),
    ("Double the result.", "* 2"),
    ("Make it twice as big.", "* 2"),
    ("How much bigger than {b} is it?", "- {b}"),
    ("How much is left if I give away {b}?", "- {b}"),
    ("Now put {b} on top.", "+ {b}"),
    ("Increase that by {b}.", "+ {b}"),
    ("What if {b} more come?", "+ {b}"),
    ("What is {b} more than that?", "+ {b}"),
    ("And with {b} besides?", "+ {b}"),
    ("Plus {b}?", "+ {b}"),
    ("What is the sum of it and {b}?", "+ {b}"),
    ("Reduce that by {b}.", "- {b}"),
    ("Make it {b} less.", "- {b}"),
    ("What is {b} less than that?", "- {b}"),
    ("And minus {b}?", "- {b}"),
    ("Deduct {b}, please.", "- {b}"),
    ("Suppose {b} of them go. How many stay?", "- {b}"),
    ("What does it come to after {b} are lost?", "- {b}"),
    ("Now spend {b} of it.", "- {b}"),
    ("By how much does it exceed {b}?", "- {b}"),
    ("再减去 {b} 呢？", "- {b}"),
    ("And times {c}?", "* {c}"),
    ("What do {c} of those make?", "* {c}"),
    ("Take that {c} times.", "* {c}"),
    ("What if each of {c} people has that many?", "* {c}"),
    ("Quadruple it.", "* 4"),
    ("What is six times that?", "* 6"),
    ("再乘以 {c} 呢？", "* {c}"),
    ("Divide the result by {c}.", "/ {c}"),
    ("Split that among {c} people.", "/ {c}"),
    ("What is a quarter of it?", "/ 4"),
    ("What is a tenth of that?", "/ 10"),
    ("再除以 {c} 呢？", "/ {c}"),
    ("What if it were five times as much?", "* 5"),
    ("What remains of it without {b}?", "- {b}"),
)
NEXT_HELD_OUT = 2
THINGS = """apples bolts books bottles bricks cards chairs coins cups eggs lamps letters nails pens plates seeds
shirts stamps stones tickets tiles toys""".split()
WHO = "Ana Ben Carla David Emma Felix Grace Hugo Ines Jack Kira Leo Maria Noah Olga Paul Rosa Sam Tara Victor".split()
TWO = ("{} {}", "{} And also: {}", "I have two questions. {} {}", "First: {} Second: {}")


def evaluate(expression: str) -> str:
    """The value of an arithmetic expression as text, or a sentence that begins with "Error"."""
    if len(expression) > 300:
        return "Error: the expression is too long"
    try:
        return show(_value(ast.parse(expression.strip(), mode="eval").body))
    except ZeroDivisionError:
        return "Error: division by zero"
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        return f"Error: {error}" if type(error) is ValueError else "Error: use numbers, + - * / and brackets only"


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float) and abs(node.value) < LONGEST_NUMBER:
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        value = _value(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        a, b = _value(node.left), _value(node.right)
        match node.op:
            case ast.Add():
                value = a + b
            case ast.Sub():
                value = a - b
            case ast.Mult():
                value = a * b
            case ast.Div():
                value = a / b
            case ast.FloorDiv():
                value = Fraction(a // b)
            case ast.Mod():
                value = a % b
            case ast.Pow() if b.denominator == 1 and 0 <= b <= 100:
                value = a ** int(b)
            case _:
                raise ValueError("use numbers, + - * / and brackets only")
        if abs(value) >= LONGEST_NUMBER:
            raise ValueError("the number is too big")
        return value
    raise ValueError("use numbers, + - * / and brackets only")


def show(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    digits = round(abs(value) * 10**DECIMALS)
    text = f"{digits // 10**DECIMALS}.{digits % 10**DECIMALS:0{DECIMALS}d}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 and text != "0" else text


def _numbers(rng: random.Random) -> dict[str, Any]:
    """a is big, b is smaller than a, c is small, d smaller than b."""
    a = rng.randint(200, 99_999)
    b = rng.randint(20, a - 20)
    return {
        "a": a,
        "b": b,
        "c": rng.randint(3, 99),
        "d": rng.randint(2, min(b, 60)),
        "thing": rng.choice(THINGS),
        "who": rng.choice(WHO),
    }


def _question(rng: random.Random, level: int, held_out: bool) -> tuple[str, str, str]:
    """(words, expression, structure)."""
    if level == 1:
        values = _numbers(rng)
        symbol = rng.choice("+-*/")
        words = ONE[symbol][-1] if held_out else rng.choice(ONE[symbol][:-1])
        if symbol == "*":
            values["b"] = rng.randint(12, 999)
        elif symbol == "/":
            values["b"] = rng.randint(3, 99)
            values["a"] = values["b"] * rng.randint(30, 2000)
        return words.format(**values), f"{values['a']} {symbol} {values['b']}", symbol
    stories = rng.random() < 0.5
    pool, kept = (STORIES, STORIES_HELD_OUT) if stories else (SEVERAL, SEVERAL_HELD_OUT)
    words, expression = rng.choice(pool[-kept:] if held_out else pool[:-kept])
    while True:
        values = _numbers(rng)
        if not stories or evaluate(expression.format(**values)).isdigit():  # of things there is a whole number, or none
            break
    return words.format(**values), expression.format(**values), expression


def sample(rng: random.Random, level: int, held_out: bool) -> Problem:
    messages: list[Message] = [system([TOOL])]
    if level <= 2:
        words, expression, kind = _question(rng, level, held_out)
        return _problem([*messages, *user(words)], [expression], kind)
    if level == 3:
        if rng.random() < 0.2:
            words, answer, turn = direct_question(rng)
            return Problem("no tool", f"direct {words}", [*messages, *user(words)], {"direct": answer, "word": turn})
        asked = [_question(rng, rng.randint(1, 2), False) for _ in range(3 if held_out else rng.choice((2, 2, 2, 4)))]
        words = rng.choice(TWO).format(*(w for w, _, _ in asked)) if len(asked) == 2 else " ".join(w for w, _, _ in asked)
        return _problem([*messages, *user(words)], [e for _, e, _ in asked], f"{len(asked)} at once", [beginning(w) for w, _, _ in asked])
    words, expression, kind = _question(rng, rng.randint(1, 2), held_out and rng.random() < 0.5)
    if rng.random() < 0.3 and not held_out:
        # Somebody's call failed; what is asked for is the right one.
        broken = rng.choice(
            (
                expression.replace("*", "x") + ("" if "*" in expression else " ="),
                expression + " =",
                "(" + expression,
                words.rstrip("?."),
            )
        )
        if evaluate(broken).startswith("Error"):
            return _problem(
                [*messages, *user(words), *_exchange(broken, evaluate(broken), 1)], [expression], "after an error"
            )
    result = evaluate(expression)
    values = _numbers(rng)
    more, symbol = rng.choice(NEXT[-NEXT_HELD_OUT:] if held_out else NEXT[:-NEXT_HELD_OUT])
    if symbol == "- {b}" and float(result) > 2:
        values["b"] = rng.randint(1, int(float(result)) - 1)  # no more is taken than there is
    before = [*user(words), *_exchange(expression, result, 1), answering(_sentence([result], words), "none", "")]
    expression = f"{result} {symbol.format(**values)}"
    return _problem([*messages, *before, *user(more.format(**values))], [expression], f"next turn {symbol.split()[0]}")


def _exchange(expression: str, result: str, first: int) -> list[Message]:
    return [asking([("calculator", {"expression": expression})], first), *results([result], first)]


def _problem(messages: list[Message], expressions: list[str], kind: str, begins: list[str] | None = None) -> Problem:
    """begins: how each of several questions begins, by which the thoughts go through them."""
    values = [evaluate(e) for e in expressions]
    return Problem(kind, " ; ".join(expressions), messages, {"expressions": expressions, "answers": values, "begins": begins or []})


def _sentence(values: list[str], words: str) -> str:
    chinese = any("\u4e00" <= c <= "\u9fff" for c in words)
    if len(values) == 1:
        return f"答案是 {values[0]}。" if chinese else f"The answer is {values[0]}."
    listed = ("、" if chinese else ", ").join(values[:-1]) + (" 和 " if chinese else " and ") + values[-1]
    return f"答案是 {listed}。" if chinese else f"The answers are {listed}."


def solve(problem: Problem, effort: Effort, rng: random.Random) -> list[Message]:
    if "direct" in problem.facts:
        thoughts = "This needs no calculation." + (" No tool fits, so I answer." if effort == "max" else "")
        return [answering(problem.facts["direct"], effort, thoughts)]
    expressions, values = problem.facts["expressions"], problem.facts["answers"]
    first = calls_before(problem.messages) + 1
    begins = problem.facts["begins"]
    each = [f"{b}: {e}" for b, e in zip(begins, expressions)] if begins else expressions
    thoughts = ("Expressions. " if begins else "Expression: ") + " ; ".join(each) + "."
    if problem.messages[-1]["role"] == "tool":
        thoughts = "That was an error. " + thoughts
    if effort == "max":
        inside = [
            t
            for e in expressions
            for t in e.replace("(", " ").replace(")", " ").split()
            if t[0].isdigit() or len(t) > 1
        ]
        thoughts += " Check: the numbers are " + ", ".join(inside) + "."
    after = f"Result: {' ; '.join(values)}."
    if effort == "max":
        after += " " + " ; ".join(f"{e} = {v}" for e, v in zip(expressions, values)) + "."
    return [
        asking([("calculator", {"expression": e}) for e in expressions], first, "" if effort == "none" else thoughts),
        *results(values, first),
        answering(
            _sentence(values, problem.messages[-1]["content"] if problem.messages[-1]["role"] == "user" else ""),
            effort,
            after,
        ),
    ]


def act(problem: Problem, name: str, arguments: dict[str, Any], box: Any) -> str:
    expression = arguments.get("expression")
    if name != "calculator" or not isinstance(expression, str):
        return "Error: there is only calculator(expression)"
    return evaluate(expression)


def verify(problem: Problem, replies: list[Message], box: Any) -> Verdict:
    def find(content: str, calls: list[Call]) -> str:
        if "direct" in problem.facts:
            if calls:
                return "a tool was called where none fits"
            return (
                "" if has_word(content, problem.facts["word"]) else f"the answer does not say {problem.facts['word']}"
            )
        known = " ".join([words_of(problem), *problem.facts["expressions"]])
        return wrong_numbers(content, problem.facts["answers"], known)

    return judge(problem, replies, find)


CALCULATOR = Task("calculator", "tools", 4, sample, solve, verify, act)
