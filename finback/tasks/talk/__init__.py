"""Which problems teach a model to talk? Small talk and what it is, short stories, simple instructions."""

from finback.tasks.talk.chat import CHAT
from finback.tasks.talk.instructions import INSTRUCTION
from finback.tasks.talk.story import STORY

TASKS = {task.name: task for task in (CHAT, INSTRUCTION, STORY)}

__all__ = ["CHAT", "INSTRUCTION", "STORY", "TASKS"]
