"""Which questions need no tool, although there are some? Greetings and what anyone knows."""

from __future__ import annotations

import random

from finback.tasks.talk.facts import FACTS
from finback.tasks.talk.sayings import MANNERS
from finback.tasks.tools.calls import has_word

PLAIN_FACTS = tuple(
    it
    for it in FACTS
    if it.name in ("opposite", "plural", "past", "young", "sound", "colour", "capital", "day", "month", "use")
)
PLAIN_MANNERS = tuple(m for m in MANNERS if m.name in ("hello", "morning", "thanks", "bye", "night"))


def direct_question(rng: random.Random) -> tuple[str, str, str]:
    """A question, its answer as a sentence, and the word that the answer turns on."""
    if rng.random() < 0.2:
        said = rng.choice(PLAIN_MANNERS)
        reply = said.replies[0]
        return rng.choice(said.said[:-1]), reply, next(w for w in said.must[0] if has_word(reply, w))
    it = rng.choice(PLAIN_FACTS)
    row, value = rng.choice(sorted(it.table.items()))
    return rng.choice(it.ask[:-1]).format(row, value), it.say.format(row, value), value
