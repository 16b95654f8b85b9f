"""What do the worlds of the tools consist of: people, cities, trains, and what each may have?

Data only: values, the slots that take them, and for each kind of thing the properties that a function may be about.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

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
STREETS = [f"{name} Street" for name in "Ash Birch Cedar Castle Chapel Church Elm Garden Hill King Lake Market Mill Oak Park Queen River Station".split()]
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
STREET = Slot(STREETS, ("street", "road", "address"), "the street")

# Of whom or what, what it may be, and the properties that are such.
PROPERTIES: tuple[tuple[Slot, list[str] | range, str], ...] = (
    (PERSON, range(100, 9000), "salary, bonus, pension, debt, account number, tax, balance, allowance, car number, ticket number"),
    (PERSON, range(18, 90), "age, pulse, rating, quota"), (PERSON, range(36, 48), "shoe size"), (PERSON, range(140, 210), "height"),
    (PERSON, range(1, 400), "desk, locker, badge number, overtime, parking space"),
    (PERSON, PEOPLE, "doctor, neighbour, assistant, brother, sister, uncle, aunt, cousin, friend, partner, lawyer, dentist, "
     "trainer, landlord, client, deputy, mentor, guest, roommate, colleague, agent, nurse, secretary, driver, grandmother"),
    (PERSON, CITIES, "holiday resort, work place, next stop, favourite city, meeting point"),
    (PERSON, DAYS, "shift, day off, pay day, laundry day, visiting day"),
    (PERSON, ITEMS, "gift, prize, favourite thing"), (PERSON, LANGUAGES, "language, accent"),
    (PERSON, COLOURS, "eye colour, hair colour, uniform"), (PERSON, BEASTS, "pet"),
    (PERSON, COMPANIES, "employer, bank, insurer"), (PERSON, STREETS, "route home"),
    (ITEM, range(2, 300), "shelf number, length, box number, width, depth, volume, voltage, power, row, size, deposit, fine, "
     "thickness, temperature"),
    (ITEM, range(2, 60), "discount, warranty, battery life"), (ITEM, range(1000, 99_999), "barcode, model number, serial number"),
    (ITEM, PEOPLE, "owner, maker, designer, seller, buyer, inventor, painter, donor, finder, borrower"),
    (ITEM, CITIES, "warehouse, factory, hiding place"), (ITEM, DAYS, "delivery day, release day, repair day"),
    (ITEM, COMPANIES, "manufacturer, carrier"), (ITEM, COLOURS, "label colour, lid"), (ITEM, MONTHS, "expiry month"),
    (CITY, range(20, 3000), "height, area, rainfall, debt"), (CITY, range(1000, 9999), "post code, dialling code"),
    (CITY, range(1, 40), "temperature, bus fare, tide, snow depth, number of bridges, number of schools, number of hotels"),
    (CITY, range(20, 100), "speed limit, humidity, noise level, crime rate"),
    (CITY, PEOPLE, "founder, architect, bishop, governor, poet, judge, sheriff, patron, librarian, painter"),
    (CITY, DAYS, "market day, festival day, rubbish day"), (CITY, LANGUAGES, "dialect"),
    (CITY, CURRENCIES, "currency"), (CITY, BEASTS, "emblem"), (CITY, STREETS, "main street"), (CITY, CITIES, "twin city"),
    (TEAM, range(1, 30), "rank, squad size, average age"), (TEAM, range(100, 9000), "budget"),
    (TEAM, PEOPLE, "coach, captain, goalkeeper, sponsor, president, physio, striker, referee, scout"),
    (TEAM, CITIES, "home town, training ground"), (TEAM, COLOURS, "jersey, flag"), (TEAM, BEASTS, "mascot"),
    (COURSE, range(20, 900), "fee, course room"), (COURSE, range(10, 100), "pass rate, class size"),
    (COURSE, PEOPLE, "examiner, author, best student"), (COURSE, DAYS, "exam day, start day"), (COURSE, STREETS, "location"),
    (TRAIN, range(1, 30), "platform"), (TRAIN, range(1, 90), "delay, fare"), (TRAIN, range(80, 300), "top speed, length"),
    (TRAIN, PEOPLE, "driver, conductor, cleaner"), (TRAIN, CITIES, "terminus, depot, origin"), (TRAIN, COLOURS, "livery"),
    (SHOP, range(200, 9000), "rent, turnover, lease, power bill"), (SHOP, range(1, 30), "floor, parking fee, staff size"),
    (SHOP, PEOPLE, "cook, guard, cashier, director, accountant, best customer"), (SHOP, DAYS, "closing day, sale day"),
    (SHOP, COLOURS, "door colour"), (SHOP, STREETS, "address"),
    (WORD, range(1, 6), "syllable count"), (WORD, range(1, 90), "frequency, page"), (WORD, LANGUAGES, "origin"),
    (WORD, WORDS, "rhyme, synonym"),
    (COMPANY, range(10, 9000), "profit, revenue, staff count, tax number, loss"), (COMPANY, range(1, 90), "market share"),
    (COMPANY, PEOPLE, "chairman, founder, lawyer, speaker, auditor, heir"), (COMPANY, CITIES, "main office, port, branch"),
    (COMPANY, STREETS, "address"), (COMPANY, COMPANIES, "parent, supplier"), (COMPANY, COLOURS, "logo"),
    (BEAST, range(1, 30), "life span, cage number, litter size, age"), (BEAST, PEOPLE, "keeper, vet, owner"),
    (BEAST, ITEMS, "toy"), (BEAST, MONTHS, "mating season"),
    (MONTH, range(1, 30), "average temperature"), (MONTH, range(100, 9000), "turnover"), (MONTH, COLOURS, "calendar colour"),
    (STREET, range(2, 90), "length, house count, parking fee, speed limit"), (STREET, PEOPLE, "postman, caretaker"),
)  # fmt: skip
# What is asked with "how many": of a thing, and of a thing on a day.
COUNTED = (
    (TEAM, range(1, 30), "wins, losses, draws, trophies, goals"), (COURSE, range(2, 40), "credits, chapters, lessons"),
    (TRAIN, range(2, 30), "carriages"), (PERSON, range(2, 900), "medals, shares"), (MONTH, range(1, 28), "rainy days, holidays"),
)  # fmt: skip
COUNTED_BY_DAY = (
    (PERSON, range(2, 12), "appointments, calls, guests, hours of sleep"), (CITY, range(2, 12), "flights, sunny hours, accidents"),
    (CITY, range(20, 900), "tourists"), (SHOP, range(2, 90), "customers, sales, open desks"), (TRAIN, range(2, 90), "passengers, spare bikes, stops"),
    (TEAM, range(2, 12), "injured players"), (TEAM, range(100, 9000), "fans"), (ITEM, range(2, 90), "orders, spare boxes"),
)  # fmt: skip
# The same of a thing on a day, asked with "what" or "who".
BY_DAY = (
    (PERSON, PEOPLE, "partner, visitor, helper, stand-in"), (TEAM, PEOPLE, "referee, top scorer"), (TEAM, CITIES, "place of play"),
    (CITY, range(1, 40), "temperature, air quality"), (CITY, PEOPLE, "guest speaker, officer"), (SHOP, ITEMS, "special offer"),
    (TRAIN, PEOPLE, "guard, driver"), (TRAIN, range(1, 30), "platform, delay"), (COURSE, range(100, 999), "room"),
    (COMPANY, range(2, 900), "share price"),
)  # fmt: skip
# What can be done for a person at an hour of a day.
ACTIONS = (
    "book table, order taxi, plan visit, schedule call, arrange lesson, request report, prepare meal, open ticket, reserve bike, start backup, "
    "write note, print badge, rent boat, send message, hire guide, pack parcel, buy ticket, log complaint"
).split(", ")
