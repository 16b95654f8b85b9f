"""Which problems teach a model to talk? Small talk and what it is, short stories, simple instructions, finding things in what was said,
conversations that change their subject."""

from finback.tasks.talk.chat import CHAT
from finback.tasks.talk.instructions import INSTRUCTION
from finback.tasks.talk.recall import RECALL
from finback.tasks.talk.several import SEVERAL
from finback.tasks.talk.story import STORY

TASKS = {task.name: task for task in (CHAT, INSTRUCTION, RECALL, SEVERAL, STORY)}

__all__ = ["CHAT", "INSTRUCTION", "RECALL", "SEVERAL", "STORY", "TASKS"]
