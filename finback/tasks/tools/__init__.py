"""Which problems teach a model to use tools? A calculator, Python, and functions it has never seen.

All three hold single calls, parallel calls, calls that need the result of another, a call corrected after an error,
and questions that no tool answers. Train on what `solve` returns only: a problem may end in somebody's failed call.
"""

from finback.tasks.tools.calculator import CALCULATOR
from finback.tasks.tools.functions import FUNCTIONS
from finback.tasks.tools.python_tool import PYTHON_TOOL

TASKS = {task.name: task for task in (CALCULATOR, PYTHON_TOOL, FUNCTIONS)}

__all__ = ["CALCULATOR", "FUNCTIONS", "PYTHON_TOOL", "TASKS"]
