"""Which mathematics is there to learn: arithmetic, word problems, equations, number theory."""

from finback.tasks.mathematics.answers import verify_number
from finback.tasks.mathematics.arithmetic import ARITHMETIC
from finback.tasks.mathematics.equation import EQUATION
from finback.tasks.mathematics.number_theory import NUMBER_THEORY
from finback.tasks.mathematics.word_problem import WORD_PROBLEM

TASKS = {task.name: task for task in (ARITHMETIC, WORD_PROBLEM, EQUATION, NUMBER_THEORY)}

__all__ = ["TASKS", "verify_number"]
