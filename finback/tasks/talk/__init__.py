"""Which problems teach a model to talk? Small talk and what it is, short stories, simple instructions, finding things in what was said."""

from finback.tasks.talk.chat import CHAT
from finback.tasks.talk.instructions import INSTRUCTION
from finback.tasks.talk.recall import RECALL
from finback.tasks.talk.story import STORY

TASKS = {task.name: task for task in (CHAT, INSTRUCTION, RECALL, STORY)}

__all__ = ["CHAT", "INSTRUCTION", "RECALL", "STORY", "TASKS"]
