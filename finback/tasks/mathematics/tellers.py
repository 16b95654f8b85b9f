"""Which tellers of longer word problems are there, and which compositions are kept for measuring?

One composition in `HELD_OUT_ONE_IN`, by the teller and the order of its operations, is never drawn for training.
"""

from __future__ import annotations

import random
from zlib import crc32

from finback.tasks.mathematics import stories, stories_places
from finback.tasks.mathematics.grammar import Story
from finback.tasks.mathematics.stories import Stuck

HELD_OUT_ONE_IN = 7
TELLERS = (
    stories.events,
    stories.people,
    stories.shopping,
    stories.earning,
    stories_places.farm,
    stories_places.trip,
    stories_places.school,
    stories_places.kitchen,
    stories_places.routine,
    stories_places.game,
)


def compose(rng: random.Random, size: int, held_out: bool) -> Story:
    """A story of `size` operations."""
    while True:
        teller = rng.choice(TELLERS)
        try:
            build = teller(rng, size)
        except Stuck:
            continue
        signature = teller.__name__ + "".join(" " + "".join(s["chain"].split()[1::2]) + s["round"] for s in build.steps)
        if build.size == size and (crc32(signature.encode()) % HELD_OUT_ONE_IN == 0) == held_out:
            people = [name for name, _ in build.cast.people.values()]
            return Story(f"{teller.__name__} {size}", build.facts, build.question, build.steps, people)


