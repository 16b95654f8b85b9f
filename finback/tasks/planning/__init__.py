"""Which planning tasks are there? `TASKS` has them by name.

`planbench` and `verify_planbench` are for measuring on PlanBench's files. Each task has a file of its own with its
policy and trace; plans are judged by `strips` or by a simulation beside the task.
"""

from finback.tasks.planning import blocks, countdown, grid, gripper, hanoi, logistics, maze, scheduling
from finback.tasks.planning.planbench_set import planbench, planbench_keys, verify_planbench
from finback.tasks.protocol import Task

_MODULES = (blocks, logistics, gripper, grid, maze, hanoi, scheduling, countdown)
TASKS: dict[str, Task] = {module.TASK.name: module.TASK for module in _MODULES}

__all__ = ["TASKS", "planbench", "planbench_keys", "verify_planbench"]
