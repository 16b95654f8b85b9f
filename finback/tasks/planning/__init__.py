"""Which planning tasks are there? `TASKS` has them by name; `planbench` reads PlanBench's files for measuring.

Each has a file of its own with its policy and trace; plans are judged by `strips` or by a simulation beside the task.
"""

from finback.tasks.planning import blocks, gripper, hanoi
from finback.tasks.planning.planbench import planbench, planbench_keys
from finback.tasks.protocol import Task

TASKS: dict[str, Task] = {module.TASK.name: module.TASK for module in (blocks, gripper, hanoi)}

__all__ = ["TASKS", "planbench", "planbench_keys"]
