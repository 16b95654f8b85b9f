"""What could a tool be about? Small invented worlds: prices, rooms, weather, calendars, conversions.

A concept has slots (its arguments), what it gives back, nouns for names and words for descriptions. The
last concepts of `CONCEPTS` are held out: training never sees them. Most of the trained ones are as plain as can be, a
property of something, something by day, an action for someone, and many, so that a new one is read, not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from finback.tasks.tools.things import (
    ACTIONS,
    AMOUNT,
    BY_DAY,
    CITIES,
    CITY,
    COLOURS,
    COMPANY,
    COUNTED,
    COUNTED_BY_DAY,
    COURSE,
    DAY,
    EVENT,
    FROM,
    FROM_UNIT,
    HOUR,
    ITEM,
    LANGUAGE,
    MONEY,
    MONTH,
    PEOPLE,
    PERSON,
    PROPERTIES,
    SHOP,
    SKIES,
    STREET,
    TEAM,
    TEAMS,
    TO,
    TO_UNIT,
    TRAIN,
    WORD,
    Slot,
)


@dataclass(frozen=True)
class Concept:
    """ask: questions that mention every slot as {0}, {1}; say: the answer with {v}; gives: the possible results; word: what
    is asked for, as question and description mostly call it."""

    name: str
    nouns: tuple[str, ...]
    about: tuple[str, ...]
    slots: tuple[Slot, ...]
    gives: list[str] | range | str
    ask: tuple[str, ...]
    say: str
    verbs: tuple[str, ...] = field(
        default=("get", "find", "fetch", "look_up", "read", "show", "query", "check", "tell")
    )
    words: str = ""

    @property
    def word(self) -> str:
        return self.words or self.name.replace("_", " ")


def _the(slot: Slot) -> str:
    """How a question mentions a thing of this kind."""
    if slot is WORD:
        return 'the word "{0}"'
    if slot is TRAIN:
        return "train {0}"
    return "{0}" if slot in (PERSON, CITY, COURSE, COMPANY, MONTH, STREET) else "the {0}"


def _kind(slot: Slot) -> str:
    """How a description does: "a person"."""
    return _a("train" if slot is TRAIN else slot.about.removeprefix("the "))


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _property(name: str, slot: Slot, gives: list[str] | range) -> Concept:
    a, the, ask = _kind(slot), _the(slot), "Who" if gives is PEOPLE else "What"
    return Concept(
        f"{name} of {slot.about}",
        (name.replace(" ", "_"),),
        (f"{name.capitalize()} of {a}.", f"Gives the {name} of {a}.", f"The {name} of {a}.", f"Look up the {name} of {a}.",
         f"Returns the {name} that {a} has."),
        (slot,),
        gives,
        (f"{ask} is the {name} of {the}?", f"Tell me the {name} of {the}.", f"I need the {name} of {the}.",
         f"Can you find the {name} of {the}?", f"Do you know the {name} of {the}?"),
        f"The {name} of {the} is {{v}}.",
        words=name,
    )  # fmt: skip


def _counted(name: str, slot: Slot, gives: range, by_day: bool) -> Concept:
    a, the = _kind(slot), _the(slot)
    does, has = ("do", "have") if slot is TEAM else ("does", "has")
    asked, said = (" on {1}", "On {1} ") if by_day else ("", "")
    told = f"{said}{the} {has} {{v}} {name}."
    return Concept(
        f"count of {name} of {slot.about}{' by day' if by_day else ''}",
        (name.replace(" ", "_"),),
        (f"{name.capitalize()} of {a}{' on a day' if by_day else ''}.", f"How many {name} {a} has{' on a day' if by_day else ''}."),
        (slot, DAY) if by_day else (slot,),
        gives,
        (f"How many {name} {does} {the} have{asked}?", f"{said.strip()}{', how' if by_day else 'How'} many {name} are there for {the}?"),
        told[0].upper() + told[1:],
        words=name,
    )


def _by_day(name: str, slot: Slot, gives: list[str] | range) -> Concept:
    a, the, ask = _kind(slot), _the(slot), "Who" if gives is PEOPLE else "What"
    return Concept(
        f"{name} of {slot.about} by day",
        (name.replace(" ", "_").replace("-", "_"),),
        (f"{name.capitalize()} of {a} on a day.", f"Gives the {name} of {a} for a day."),
        (slot, DAY),
        gives,
        (f"{ask} is the {name} of {the} on {{1}}?", f"Tell me the {name} of {the} for {{1}}."),
        f"On {{1}} the {name} of {the} is {{v}}.",
        words=name,
    )


def _action(verb: str, noun: str) -> Concept:
    return Concept(
        f"{verb} {noun}",
        (noun,),
        (f"{verb.capitalize()} {_a(noun)} for a person.",),
        (PERSON, DAY, HOUR),
        "id",
        (f"{verb.capitalize()} {_a(noun)} for {{0}} on {{1}} at {{2}}.", f"Please {verb} {_a(noun)} for {{0}}: {{1}}, hour {{2}}."),
        f"The {noun} for {{0}} has the number {{v}}.",
        (verb, "make", "create", "add"),
        words=noun,
    )


CONCEPTS = (
    Concept(
        "price",
        ("price", "cost"),
        ("Price of an item in dollars.", "What an item costs in dollars."),
        (ITEM,),
        range(2, 400),
        (
            "What is the price of the {0}?",
            "How much does the {0} cost?",
            "I want to buy the {0}. What does it cost?",
            "Tell me the price of the {0}.",
        ),
        "The {0} costs {v} dollars.",
    ),
    Concept(
        "stock",
        ("stock", "supply"),
        ("How many of an item are in stock.", "Stock of an item."),
        (ITEM,),
        range(0, 900),
        (
            "How many of the {0} are in stock?",
            "What is the stock of the {0}?",
            "Is there stock of the {0}, and how many?",
        ),
        "There are {v} of the {0} in stock.",
    ),
    Concept(
        "colour",
        ("colour", "paint"),
        ("Colour of an item.",),
        (ITEM,),
        COLOURS,
        ("What colour is the {0}?", "Which colour does the {0} have?", "Tell me the colour of the {0}."),
        "The {0} is {v}.",
    ),
    Concept(
        "weather",
        ("weather", "sky"),
        ("Weather in a city.", "What the weather is like in a city."),
        (CITY,),
        SKIES,
        ("What is the weather in {0}?", "How is the weather in {0}?", "I am going to {0}. What is the weather there?"),
        "The weather in {0} is {v}.",
    ),
    Concept(
        "forecast",
        ("forecast", "outlook"),
        ("Weather forecast of a city for a day.",),
        (CITY, DAY),
        SKIES,
        (
            "What is the forecast for {0} on {1}?",
            "What will the weather be in {0} on {1}? Look at the forecast.",
            "On {1} I will be in {0}. What is the forecast?",
        ),
        "The forecast for {0} on {1} is {v}.",
    ),
    Concept(
        "room",
        ("room", "office"),
        ("Room of a person.", "In which room a person works."),
        (PERSON,),
        range(100, 999),
        ("Which room is {0} in?", "What is the room of {0}?", "In which room does {0} work?"),
        "The room of {0} is {v}.",
    ),
    Concept(
        "phone",
        ("phone", "number"),
        ("Phone number of a person.",),
        (PERSON,),
        range(1000, 9999),
        (
            "What is the phone number of {0}?",
            "I want to call {0}. What is the phone number?",
            "Give me the phone number of {0}.",
        ),
        "The phone number of {0} is {v}.",
        words="phone number",
    ),
    Concept(
        "manager",
        ("manager", "boss"),
        ("Manager of a person.", "Who the manager of a person is."),
        (PERSON,),
        PEOPLE,
        ("Who is the manager of {0}?", "Tell me the manager of {0}."),
        "The manager of {0} is {v}.",
    ),
    Concept(
        "home",
        ("home", "residence"),
        ("Home city of a person.",),
        (PERSON,),
        CITIES,
        ("What is the home city of {0}?", "In which city is the home of {0}?"),
        "The home of {0} is {v}.",
    ),
    Concept(
        "distance",
        ("distance", "route"),
        ("Distance between two cities in kilometres.",),
        (FROM, TO),
        range(10, 900),
        (
            "What is the distance from {0} to {1}?",
            "How great is the distance between {0} and {1}?",
            "I drive from {0} to {1}. What is the distance?",
        ),
        "The distance from {0} to {1} is {v} kilometres.",
    ),
    Concept(
        "hours",
        ("opening", "hours"),
        ("Opening hour of a place on a day.",),
        (SHOP, DAY),
        range(6, 12),
        ("What is the opening hour of the {0} on {1}?", "At which opening hour can I go to the {0} on {1}?"),
        "On {1} the {0} opens at {v}.",
        words="opening hour",
    ),
    Concept(
        "score",
        ("score", "points"),
        ("Score of a team.", "How many points a team has as its score."),
        (TEAM,),
        range(0, 120),
        ("What is the score of the {0}?", "Which score do the {0} have?"),
        "The score of the {0} is {v}.",
    ),
    Concept(
        "translation",
        ("translation", "meaning"),
        ("Translation of a word into a language.",),
        (WORD, LANGUAGE),
        "word",
        ('What is the translation of "{0}" into {1}?', 'Give me the translation of the word "{0}" into {1}.'),
        'The translation of "{0}" into {1} is "{v}".',
    ),
    Concept(
        "booking",
        ("booking", "calendar"),
        ("Write an event into the calendar.", "Add an event to the calendar."),
        (EVENT, DAY, HOUR),
        "id",
        (
            "Add {0} to my calendar on {1} at {2}.",
            "Write {0} into the calendar: {1}, hour {2}.",
            "Please put {0} in my calendar for {1} at {2}.",
        ),
        "The event {0} is in the calendar: entry {v}.",
        ("add", "make", "create", "write", "save", "put"),
        words="calendar",
    ),
    Concept(
        "order",
        ("order", "purchase"),
        ("Order an amount of an item.",),
        (ITEM, AMOUNT),
        "id",
        ("Order {1} of the {0}.", "Please order the {0}, {1} of them.", "I need {1} of the {0}. Please order them."),
        "The order for {1} of the {0} has the number {v}.",
        ("place", "make", "send", "create", "put"),
    ),
    Concept(
        "teacher",
        ("teacher", "tutor"),
        ("Teacher of a course.",),
        (COURSE,),
        PEOPLE,
        ("Who is the teacher of {0}?", "Which teacher gives the course {0}?"),
        "The teacher of {0} is {v}.",
    ),
    Concept(
        "population",
        ("population", "people"),
        ("Population of a city.",),
        (CITY,),
        range(1000, 99_999),
        ("What is the population of {0}?", "How many people live in {0}? I need the population."),
        "The population of {0} is {v}.",
    ),
    Concept(
        "conversion",
        ("conversion", "convert"),
        ("Convert an amount from one unit to another.",),
        (MONEY, FROM_UNIT, TO_UNIT),
        range(2, 9999),
        (
            "Convert {0} {1} to {2}.",
            "How many {2} do I get for {0} {1}? Convert them.",
            "Please convert {0} {1} into {2}.",
        ),
        "{0} {1} are {v} {2}.",
        words="convert",
    ),
    *(_property(name, slot, gives) for slot, gives, names in PROPERTIES for name in names.split(", ")),
    *(_counted(name, slot, gives, False) for slot, gives, names in COUNTED for name in names.split(", ")),
    *(_counted(name, slot, gives, True) for slot, gives, names in COUNTED_BY_DAY for name in names.split(", ")),
    *(_by_day(name, slot, gives) for slot, gives, names in BY_DAY for name in names.split(", ")),
    *(_action(*each.split()) for each in ACTIONS),
    # Held out.
    Concept(
        "weight",
        ("weight", "mass"),
        ("Weight of an item in grams.",),
        (ITEM,),
        range(5, 990),
        ("What is the weight of the {0}?", "How heavy is the {0}? Tell me its weight."),
        "The weight of the {0} is {v} grams.",
    ),
    Concept(
        "birthday",
        ("birthday", "birth_year"),
        ("Birth year of a person.",),
        (PERSON,),
        range(1930, 2015),
        ("What is the birth year of {0}?", "In which year was {0} born? I need the birth year."),
        "The birth year of {0} is {v}.",
        words="birth year",
    ),
    Concept(
        "mayor",
        ("mayor", "head"),
        ("Mayor of a city.",),
        (CITY,),
        PEOPLE,
        ("Who is the mayor of {0}?", "Tell me the mayor of {0}."),
        "The mayor of {0} is {v}.",
    ),
    Concept(
        "seats",
        ("seats", "places"),
        ("Free seats on a train on a day.",),
        (TRAIN, DAY),
        range(0, 300),
        ("How many free seats are on train {0} on {1}?", "Are there free seats on train {0} on {1}, and how many?"),
        "Train {0} has {v} free seats on {1}.",
        words="free seats",
    ),
    Concept(
        "match",
        ("match", "rival"),
        ("Opponent of a team on a day.",),
        (TEAM, DAY),
        TEAMS,
        ("Which opponent do the {0} have on {1}?", "Who is the opponent of the {0} on {1}?"),
        "On {1} the opponent of the {0} is: {v}.",
        words="opponent",
    ),
    Concept(
        "reminder",
        ("reminder", "alarm"),
        ("Set a reminder for a person.",),
        (PERSON, DAY, HOUR),
        "id",
        ("Set a reminder for {0} on {1} at {2}.", "Please set {0} a reminder: {1}, hour {2}."),
        "The reminder for {0} is set: entry {v}.",
        ("set", "make", "create", "add"),
    ),
)
HELD_OUT_CONCEPTS = 6
TRAINED = CONCEPTS[:-HELD_OUT_CONCEPTS]
HELD_OUT = CONCEPTS[-HELD_OUT_CONCEPTS:]

# (first, second): the result of the first is the argument of the second; ask with {0} the first's argument.
OWN_CHAINS = (
    ("manager", "room", "Which room is the manager of {0} in?"),
    ("manager", "phone", "What is the phone number of the manager of {0}?"),
    ("home", "weather", "What is the weather in the home city of {0}?"),
    ("teacher", "room", "In which room does the teacher of {0} work?"),
    ("home", "population", "What is the population of the home city of {0}?"),
    ("teacher", "manager", "Who is the manager of the teacher of {0}?"),
    ("manager", "home", "What is the home city of the manager of {0}?"),
)
CHAINS_HELD_OUT = (
    ("teacher", "phone", "What is the phone number of the teacher of {0}?"),
    ("teacher", "home", "What is the home city of the teacher of {0}?"),
    ("manager", "birthday", "What is the birth year of the manager of {0}?"),
    ("mayor", "room", "Which room is the mayor of {0} in?"),
    ("home", "mayor", "Who is the mayor of the home city of {0}?"),
)


_BY_NAME = {c.name: c for c in CONCEPTS}


def concept(name: str) -> Concept:
    return _BY_NAME[name]


def chains() -> tuple[tuple[str, str, str], ...]:
    """Chains of two properties: what the first gives is what the second is asked about."""
    single = [c for c in TRAINED if len(c.slots) == 1 and " of " in c.name and not c.name.startswith("count of ")]
    return tuple(
        (one.name, two.name, f"{'Who' if two.gives is PEOPLE else 'What'} is the {two.word} of the {one.word} of {_the(one.slots[0])}?")
        for one in single for two in single
        if one.gives is two.slots[0].values and one.word != two.word and one.word not in ("emblem", "mascot")  # the vet of an emblem
    )  # fmt: skip


CHAINS = chains()
