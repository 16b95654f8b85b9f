"""Which questions need no tool, although there are some?"""

from __future__ import annotations

import random

OPPOSITES = {
    "hot": "cold", "big": "small", "up": "down", "day": "night", "open": "closed", "early": "late", "fast": "slow", "left": "right",
    "happy": "sad", "wet": "dry", "old": "new", "full": "empty", "light": "dark", "hard": "soft", "near": "far", "rich": "poor",
    "loud": "quiet", "strong": "weak", "first": "last", "true": "false", "clean": "dirty", "long": "short", "thick": "thin",
    "deep": "shallow", "sweet": "bitter", "win": "lose", "buy": "sell", "push": "pull", "laugh": "cry", "begin": "end",
}  # fmt: skip
NEXT_DAYS = dict(zip(
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    ("Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "Monday"),
))  # fmt: skip
SOUNDS = {"dog": "bark", "cat": "meow", "cow": "moo", "duck": "quack", "sheep": "baa", "lion": "roar", "bee": "buzz", "snake": "hiss"}
HOMES = {"bird": "nest", "bee": "hive", "dog": "kennel", "horse": "stable", "bear": "cave", "spider": "web", "fish": "water"}
COLOURS = {"grass": "green", "snow": "white", "blood": "red", "coal": "black", "the sky": "blue", "a banana": "yellow", "a carrot": "orange"}
SMALL_TALK = {
    "Hello!": "Hello! How can I help you?", "Hi there!": "Hello! How can I help you?",
    "Good morning!": "Good morning! How can I help you?", "Thank you!": "You are welcome!", "Thanks a lot.": "You are welcome!",
    "Bye!": "Goodbye!", "Good night.": "Good night!",
}  # fmt: skip


def direct_question(rng: random.Random) -> tuple[str, str, str]:
    """A question, its answer as a sentence, and the word that the answer turns on."""
    kind = rng.randrange(6)
    if kind == 0:
        word, other = rng.choice(sorted(OPPOSITES.items()))
        ask = rng.choice(("What is the opposite of {}?", "Give me the opposite of the word {}.", "Which word is the opposite of {}?"))
        return ask.format(f'"{word}"'), f'The opposite of "{word}" is "{other}".', other
    if kind == 1:
        day, following = rng.choice(sorted(NEXT_DAYS.items()))
        ask = rng.choice(("What day comes after {}?", "Which day follows {}?", "Today is {}. What day is tomorrow?"))
        return ask.format(day), f"The day after {day} is {following}.", following
    if kind == 2:
        animal, sound = rng.choice(sorted(SOUNDS.items()))
        return rng.choice(("What sound does a {} make?", "Which sound do you hear from a {}?")).format(animal), f"A {animal} makes the sound {sound}.", sound
    if kind == 3:
        animal, home = rng.choice(sorted(HOMES.items()))
        return rng.choice(("Where does a {} live?", "What is the home of a {}?")).format(animal), f"The home of a {animal} is: {home}.", home
    if kind == 4:
        thing, colour = rng.choice(sorted(COLOURS.items()))
        return rng.choice(("What colour is {}?", "Which colour has {}?")).format(thing), f"The colour of {thing} is {colour}.", colour
    said, reply = rng.choice(sorted(SMALL_TALK.items()))
    return said, reply, re_word(reply)


def re_word(reply: str) -> str:
    """The word of a greeting that must come back."""
    return next(w for w in ("Hello", "Good morning", "welcome", "Goodbye", "Good night") if w in reply)
