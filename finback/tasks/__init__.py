"""Where do problems come from, how are they worked, and who says that an answer is right? Code, mathematics, planning, tools, talk.

`TASKS` lists every family of problems by name; `finback/tasks/protocol.py` says what a task is.
"""

from finback.tasks import code, mathematics, planning, talk, tools
from finback.tasks.protocol import (
    ABILITIES,
    EFFORTS,
    SPLITS,
    Problem,
    Task,
    Verdict,
    draw,
    render,
)

TASKS: dict[str, Task] = {**mathematics.TASKS, **code.TASKS, **planning.TASKS, **tools.TASKS, **talk.TASKS}

__all__ = ["ABILITIES", "EFFORTS", "SPLITS", "TASKS", "Problem", "Task", "Verdict", "draw", "render"]
