"""What could a tool be about? Small invented worlds: prices, rooms, weather, calendars, conversions.

A concept has slots (its arguments), what it gives back, nouns for names and words for descriptions. The
last concepts of `CONCEPTS` are held out: training never sees them. Most of the trained ones are as plain as can be, a
property of something, something by day, an action for someone, and many, so that a new one is read, not known.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

PEOPLE = """Ada Amir Anna Ben Bo Carla Chen Dora Eli Emma Farid Felix Gina Hana Hugo Ida Igor Jack Jun Kira
Lena Leo Lin Mara Max Mei Mila Nina Noor Omar Otto Pia Raj Rosa Sami Sara Tara Theo Uma Vera Wei Yara Zoe""".split()
CITIES = """Arden Bellmar Corvo Dunhill Elmsworth Farrow Glenport Harwick Ironbridge Jarrow Kestrel Lumen
Marlow Northam Oakley Pinewood Quarry Redmond Silverton Thornbury Umber Valmont Westfield Yarrow""".split()
ITEMS = """apple backpack ball basket bell bench blanket book bottle bowl broom brush bucket candle chair
clock coat comb cup desk drum fan flute fork glove guitar hammer hat helmet jacket jar kettle kite knife ladder lamp
lock map mirror mug needle oven paint pan pen pillow plate pot radio ring rope rug sandal saw scarf shelf shirt shoe
shovel soap sofa spoon stove table tent torch towel toy umbrella vase wallet watch whistle""".split()
TEAMS = (
    "Bears Bulls Comets Eagles Falcons Foxes Hawks Kings Lions Owls Pirates Ravens Rockets Sharks Tigers Wolves".split()
)
SHOPS = "bakery bank barber bookshop cafe cinema florist gym library market museum pharmacy pool theatre zoo".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
WORDS = (
    "bird bread dog door fire fish flower house king milk moon rain river snow star stone sun tree water wind".split()
)
LANGUAGES = "Arnic Belto Carish Dovian Elvic Fennish Gorlan".split()
CURRENCIES = "dollars euros pounds yen francs pesos rupees crowns rubles dinars".split()
COURSES = "algebra biology chemistry drawing economics french geometry history music physics poetry swimming".split()
SYLLABLES = """ba be bo da de do fa fi fo ga gi go ka ke ko la li lo ma mi mo na ne no pa pe po ra ri ro sa si so ta
ti to va vi vo za zi zo""".split()

COMPANIES = "Altex Bravix Cordell Denmar Evolta Fintor Gravel Hexon Inova Jutland Kraft Lumora".split()
BEASTS = "badger bat bear beaver camel cow crow deer eagle fox goat goose hare hen horse lynx otter panda seal swan wolf".split()
MONTHS = "January February March April May June July August September October November December".split()
STREETS = "Ash Birch Cedar Castle Chapel Church Elm Garden Hill King Lake Market Mill Oak Park Queen River Station".split()
COLOURS = "black blue brown green grey orange pink purple red white yellow".split()
SKIES = "sunny cloudy rainy windy snowy foggy stormy".split()
EVENTS = "choir concert dentist dinner exam interview lecture meeting party picnic rehearsal training".split()


def word(rng: random.Random, syllables: int) -> str:
    return "".join(rng.choice(SYLLABLES) for _ in range(syllables))


@dataclass(frozen=True)
class Slot:
    """One argument. values: what it can be, or a range of integers; names: what it may be called."""

    values: list[str] | range
    names: tuple[str, ...]
    about: str

    @property
    def type(self) -> str:
        return "integer" if isinstance(self.values, range) else "string"


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


ITEM = Slot(ITEMS, ("item", "product", "thing", "article", "object", "what"), "the item")
PERSON = Slot(PEOPLE, ("person", "name", "who", "employee", "someone"), "the person")
CITY = Slot(CITIES, ("city", "place", "town", "location", "where"), "the city")
FROM = Slot(CITIES, ("start", "origin", "source", "departure", "first_city"), "where it starts")
TO = Slot(CITIES, ("end", "destination", "target", "arrival", "second_city"), "where it ends")
DAY = Slot(DAYS, ("day", "weekday", "when", "date"), "the day")
SHOP = Slot(SHOPS, ("shop", "building", "venue", "business"), "the place")
TEAM = Slot(TEAMS, ("team", "club", "side", "squad"), "the team")
WORD = Slot(WORDS, ("word", "text", "term", "entry"), "the word")
LANGUAGE = Slot(LANGUAGES, ("language", "tongue", "into", "lang"), "the language")
HOUR = Slot(range(8, 20), ("hour", "time", "at", "start_hour"), "the hour")
EVENT = Slot(EVENTS, ("title", "event", "what", "subject"), "the event")
COURSE = Slot(COURSES, ("course", "subject", "lesson", "topic"), "the course")
AMOUNT = Slot(range(2, 100), ("amount", "count", "quantity", "n"), "how many")
MONEY = Slot(range(2, 900), ("amount", "value", "sum"), "how much")
FROM_UNIT = Slot(CURRENCIES, ("from_unit", "have", "source", "old_unit"), "the unit it is in")
TO_UNIT = Slot(CURRENCIES, ("to_unit", "want", "target", "new_unit"), "the unit it becomes")
TRAIN = Slot(range(10, 999), ("train", "number", "line", "service"), "the train number")

COMPANY = Slot(COMPANIES, ("company", "firm", "supplier", "brand"), "the company")
BEAST = Slot(BEASTS, ("animal", "creature", "beast", "species"), "the animal")
MONTH = Slot(MONTHS, ("month", "period", "in_month"), "the month")
STREET = Slot([f"{s} Street" for s in STREETS], ("street", "road", "address"), "the street")

# Of whom or what, what it may be, and the properties that are such.
PROPERTIES: tuple[tuple[Slot, list[str] | range, str], ...] = (
    (PERSON, range(10, 9000), "salary, age, desk, car number, bonus, locker, badge number, ticket number, pension, debt, "
     "savings, pulse, account number, wage, tax, balance, rating, allowance, overtime, height, shoe size, quota, parking space"),
    (PERSON, PEOPLE, "doctor, neighbour, assistant, brother, sister, uncle, aunt, cousin, friend, partner, lawyer, dentist, "
     "trainer, landlord, client, deputy, mentor, guest, roommate, colleague, agent, nurse, secretary, driver, grandmother"),
    (PERSON, CITIES, "holiday resort, work place, next stop, favourite city, meeting point"),
    (PERSON, DAYS, "shift, day off, pay day, laundry day, visiting day"),
    (PERSON, ITEMS, "gift, prize, favourite thing, burden"), (PERSON, LANGUAGES, "language, accent"),
    (PERSON, COLOURS, "eye colour, hair colour, uniform"), (PERSON, BEASTS, "pet, nickname"),
    (PERSON, COMPANIES, "employer, bank, insurer"), (PERSON, STREETS, "route home"),
    (ITEM, range(2, 900), "shelf number, length, discount, box number, width, depth, volume, warranty, barcode, voltage, power, "
     "row, size, deposit, fine, battery life, model number, serial number, thickness, temperature, score"),
    (ITEM, PEOPLE, "owner, maker, designer, seller, buyer, inventor, painter, donor, finder, borrower"),
    (ITEM, CITIES, "warehouse, factory, hiding place"), (ITEM, DAYS, "delivery day, release day, repair day"),
    (ITEM, COMPANIES, "manufacturer, carrier"), (ITEM, COLOURS, "label colour, lid"), (ITEM, MONTHS, "expiry month"),
    (CITY, range(2, 3000), "height, area, post code, temperature, rainfall, bus fare, speed limit, humidity, noise level, "
     "dialling code, crime rate, number of bridges, number of schools, number of hotels, tide, debt, altitude, snow depth"),
    (CITY, PEOPLE, "founder, architect, bishop, governor, poet, judge, sheriff, patron, librarian, painter"),
    (CITY, DAYS, "market day, festival day, rubbish day"), (CITY, LANGUAGES, "dialect, official language"),
    (CITY, CURRENCIES, "currency"), (CITY, BEASTS, "emblem, mascot"), (CITY, STREETS, "main street"), (CITY, CITIES, "twin city"),
    (TEAM, range(1, 90), "rank, wins, losses, draws, budget, trophies, goals, squad size, average age"),
    (TEAM, PEOPLE, "coach, captain, goalkeeper, sponsor, president, physio, striker, referee, scout"),
    (TEAM, CITIES, "home town, training ground"), (TEAM, COLOURS, "jersey, flag"), (TEAM, BEASTS, "mascot"),
    (COURSE, range(1, 900), "fee, course room, credits, chapters, lessons, pass rate, class size"),
    (COURSE, PEOPLE, "examiner, author, best student"), (COURSE, DAYS, "exam day, start day"), (COURSE, STREETS, "location"),
    (TRAIN, range(1, 300), "platform, delay, carriages, top speed, fare, stops, length"),
    (TRAIN, PEOPLE, "driver, conductor, cleaner"), (TRAIN, CITIES, "terminus, depot, origin"), (TRAIN, COLOURS, "livery"),
    (SHOP, range(2, 9000), "rent, turnover, floor, parking fee, lease, staff size, power bill"),
    (SHOP, PEOPLE, "cook, guard, cashier, director, accountant, best customer"), (SHOP, DAYS, "closing day, sale day"),
    (SHOP, COLOURS, "door colour"), (SHOP, STREETS, "address"),
    (WORD, range(1, 90), "syllable count, frequency, page"), (WORD, LANGUAGES, "origin, source"), (WORD, WORDS, "rhyme, synonym"),
    (COMPANY, range(10, 9000), "share price, profit, revenue, staff count, tax number, market share, loss"),
    (COMPANY, PEOPLE, "chairman, founder, lawyer, speaker, auditor, heir"), (COMPANY, CITIES, "main office, port, branch"),
    (COMPANY, STREETS, "address"), (COMPANY, COMPANIES, "parent, supplier"), (COMPANY, COLOURS, "logo"),
    (BEAST, range(1, 90), "life span, cage number, litter size, top speed, age"), (BEAST, PEOPLE, "keeper, vet, owner"),
    (BEAST, ITEMS, "toy"), (BEAST, MONTHS, "mating season"),
    (MONTH, range(1, 900), "sales, average temperature, rainy days, sunrise, turnover"), (MONTH, COLOURS, "calendar colour"),
    (STREET, range(2, 900), "length, house count, parking fee, speed limit"), (STREET, PEOPLE, "postman, caretaker"),
)  # fmt: skip
# The same of a thing on a day: what is asked with "how many" and what with "what" or "who".
COUNTED = ((PERSON, "appointments, visitors, calls, guests, hours of sleep"), (CITY, "flights, sunny hours, tourists, accidents"),
           (SHOP, "customers, sales, open desks"), (TRAIN, "passengers, spare bikes, stops"), (TEAM, "injured players, fans"),
           (ITEM, "orders, returns, spare boxes"))  # fmt: skip
BY_DAY = ((PERSON, PEOPLE, "partner, visitor, helper, stand-in"), (TEAM, PEOPLE, "referee, top scorer"), (TEAM, CITIES, "place of play"),
          (CITY, range(1, 40), "temperature, air quality"), (CITY, PEOPLE, "guest speaker, officer"), (SHOP, ITEMS, "special offer"),
          (TRAIN, PEOPLE, "guard, driver"), (TRAIN, range(1, 30), "platform, delay"), (COURSE, range(100, 999), "room"),
          (COMPANY, range(2, 900), "share price"))  # fmt: skip
# What can be done for a person at an hour of a day.
ACTIONS = """book table, order taxi, plan visit, schedule call, arrange lesson, request report, prepare meal, open ticket, reserve bike,
start backup, cancel delivery, write note, print badge, rent boat, send message, hire guide, pack parcel, buy ticket, log complaint""".replace("\n", " ").split(", ")


def _the(slot: Slot) -> str:
    return "" if slot in (PERSON, CITY, WORD, COURSE, COMPANY, MONTH, STREET) else "train " if slot is TRAIN else "the "


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _plain(name: str, slot: Slot, gives: list[str] | range) -> Concept:
    a, the = _a(slot.about.replace("the ", "")), _the(slot)
    ask = "Who" if gives is PEOPLE else "What"
    return Concept(
        f"{name} of {slot.about}",
        (name.replace(" ", "_"),),
        (f"{name.capitalize()} of {a}.", f"Gives the {name} of {a}.", f"The {name} of {a}.", f"Look up the {name} of {a}.",
         f"Returns the {name} that {a} has."),
        (slot,),
        gives,
        (f"{ask} is the {name} of {the}{{0}}?", f"Tell me the {name} of {the}{{0}}.", f"I need the {name} of {the}{{0}}.",
         f"Can you find the {name} of {the}{{0}}?", f"Do you know the {name} of {the}{{0}}?"),
        f"The {name} of {the}{{0}} is {{v}}.",
        words=name,
    )  # fmt: skip


def _counted(name: str, slot: Slot) -> Concept:
    a, the = _a(slot.about.replace("the ", "")), _the(slot)
    return Concept(
        f"count of {name} of {slot.about}",
        (name.replace(" ", "_"),),
        (f"{name.capitalize()} of {a} on a day.", f"How many {name} {a} has on a day."),
        (slot, DAY),
        range(2, 300),
        (f"How many {name} does {the}{{0}} have on {{1}}?", f"On {{1}}, how many {name} are there for {the}{{0}}?"),
        f"On {{1}} {the}{{0}} has {{v}} {name}.",
        words=name,
    )


def _by_day(name: str, slot: Slot, gives: list[str] | range) -> Concept:
    a, the = _a(slot.about.replace("the ", "")), _the(slot)
    ask = "Who" if gives is PEOPLE else "What"
    return Concept(
        f"{name} of {slot.about} by day",
        (name.replace(" ", "_").replace("-", "_"),),
        (f"{name.capitalize()} of {a} on a day.", f"Gives the {name} of {a} for a day."),
        (slot, DAY),
        gives,
        (f"{ask} is the {name} of {the}{{0}} on {{1}}?", f"Tell me the {name} of {the}{{0}} for {{1}}."),
        f"On {{1}} the {name} of {the}{{0}} is {{v}}.",
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
    *(_plain(name, slot, gives) for slot, gives, names in PROPERTIES for name in names.split(", ")),
    *(_counted(name, slot) for slot, names in COUNTED for name in names.split(", ")),
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
    single = [c for c in TRAINED if len(c.slots) == 1 and " of " in c.name]
    return tuple(
        (one.name, two.name, f"{'Who' if two.gives is PEOPLE else 'What'} is the {two.word} of the {one.word} of {_the(one.slots[0])}{{0}}?")
        for one in single for two in single if one.gives is two.slots[0].values and one.word != two.word
    )  # fmt: skip


CHAINS = chains()
