"""What does the server remember of its answers? Enough to render them again exactly as they were sampled.

Clients send a conversation back in their own words: without its thoughts, and with the arguments of tool calls as JSON.
Two kinds of memories undo that, so that a model sees what it really wrote and the prefix cache finds it:
- a turn of a conversation with tools, by the ids of its calls (without calls, by what it says to which message): its
  text with thoughts and the spelling of its calls;
- an answer's token ids, by a digest of the conversation up to its end: another split of the same text would miss the cache.
Both belong to one user, and tokens to one model. Whoever was silent longest is forgotten first, and nobody has more than a share.
"""

from __future__ import annotations

import hashlib
import json
import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finback.server.ask import Message
from finback.text import Tokenizer
from finback.text.tokens import EOS, THINK_END


@dataclass(frozen=True)
class Call:
    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Turn:
    """An answer. thoughts, text: as sampled, without the marks between and behind them; content: of the
    text, what the client saw outside of calls."""

    thoughts: str
    text: str
    content: str
    calls: tuple[Call, ...]

    @classmethod
    def of(cls, sampled: str, thinking: bool, content: str, calls: Sequence[Call]) -> Turn | None:
        """None where the calls were made within the thoughts: rendered again they would read otherwise."""
        thoughts, mark, text = sampled.partition(THINK_END) if thinking else ("", THINK_END, sampled)
        return cls(thoughts, text, content, tuple(calls)) if mark else None

    def made(self, message: Message) -> bool:
        """Whether a message is this turn, as a client may send it back."""
        calls = message.get("tool_calls", [])
        return (
            len(calls) == len(self.calls)
            and message["content"].strip() == self.content.strip()
            and (message.get("reasoning_content") or "").strip() in ("", self.thoughts.strip())
            and all(
                theirs["id"] == ours.id and theirs["function"]["name"] == ours.name
                and _canonical(theirs["function"]["arguments"]) == _canonical(ours.arguments)
                for theirs, ours in zip(calls, self.calls)
            )
        )  # fmt: skip


class Memory:
    """limit: bytes of all users' memories, about; share: of one user's."""

    def __init__(self, limit: int = 64 << 20, share: int = 16 << 20):
        self.limit, self.share = limit, share
        self._users: OrderedDict[str, OrderedDict[Any, tuple[Any, int]]] = OrderedDict()
        self._held: dict[str, int] = {}
        self._lock = threading.Lock()

    def turn(self, user: str, message: Message, before: Message | None) -> Turn | None:
        """The turn that an assistant's message says it is; before: the message that it answers."""
        calls = message.get("tool_calls")
        return self._recall(user, calls[0]["id"] if calls else _saying(before, message["content"]))

    def keep_turn(self, user: str, turn: Turn, before: Message | None) -> None:
        cost = 4 * (len(turn.thoughts) + len(turn.text) + len(turn.content)) + 500
        keys = [call.id for call in turn.calls] or [_saying(before, turn.content)]
        for key in keys:
            self._keep(user, key, turn, cost // len(keys))

    def keep_answer(self, user: str, model: str, tokenizer: Tokenizer, prompt: str, text: str, ids: Sequence[int]) -> None:
        """An answer's tokens. text: without the end mark, which need not be among the ids either."""
        if not ids or ids[-1] != tokenizer.eos_id:
            ids = [*ids, tokenizer.eos_id]
        text += EOS
        if tokenizer.decode(ids) == text:
            digest = _digest(model)
            digest.update((prompt + text).encode())
            self._keep(user, digest.digest(), (len(text), array("i", ids)), 4 * len(ids) + 200)

    def tokens(self, user: str, model: str, tokenizer: Tokenizer, text: str) -> list[int]:
        """The ids of a prompt: of remembered answers in it their own, of the rest the tokenizer's."""
        ids: list[int] = []
        digest, hashed, done = _digest(model), 0, 0
        end = text.find(EOS)
        while end >= 0:
            end += len(EOS)
            digest.update(text[hashed:end].encode())
            hashed = end
            found = self._recall(user, digest.digest())
            if found is not None:
                ids += tokenizer.encode(text[done : end - found[0]])
                ids += found[1]
                done = end
            end = text.find(EOS, end)
        return ids + tokenizer.encode(text[done:])

    def _recall(self, user: str, key: Any) -> Any:
        with self._lock:
            own = self._users.get(user)
            if own is None or key not in own:
                return None
            own.move_to_end(key)
            self._users.move_to_end(user)
            return own[key][0]

    def _keep(self, user: str, key: Any, value: Any, cost: int) -> None:
        with self._lock:
            own = self._users.setdefault(user, OrderedDict())
            self._users.move_to_end(user)
            self._held[user] = self._held.get(user, 0) + cost - own.get(key, (None, 0))[1]
            own[key] = value, cost
            own.move_to_end(key)
            while self._held[user] > self.share:
                self._forget(user)
            while sum(self._held.values()) > self.limit:
                self._forget(next(iter(self._users)))

    def _forget(self, user: str) -> None:
        own = self._users[user]
        _, (_, cost) = own.popitem(last=False)
        self._held[user] -= cost
        if not own:
            del self._users[user], self._held[user]


def _digest(model: str) -> Any:
    return hashlib.sha256(model.encode() + b"\0")


def _saying(before: Message | None, content: str) -> bytes:
    asked = () if before is None else (before["role"], before["content"], before.get("tool_call_id"))
    return hashlib.sha256(json.dumps([asked, content.strip()]).encode()).digest()


def _canonical(arguments: str) -> str:
    """The same for all spellings of the same JSON."""
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments
