"""Which code tasks are there? Write a function, predict a program's output, find and fix a bug, fill in missing lines.

`TASKS` lists them. `verify_program` runs code against hidden tests in a sandbox, `extract_code` finds it in an answer.
"""

from finback.tasks.code.verify import extract_code, verify_program
from finback.tasks.code.fill_middle import FILL_MIDDLE
from finback.tasks.code.fix_bug import FIX_BUG
from finback.tasks.code.predict_output import PREDICT_OUTPUT
from finback.tasks.code.write_function import WRITE_FUNCTION
from finback.tasks.protocol import Task

TASKS: dict[str, Task] = {t.name: t for t in (WRITE_FUNCTION, PREDICT_OUTPUT, FIX_BUG, FILL_MIDDLE)}

__all__ = ["TASKS", "extract_code", "verify_program"]
