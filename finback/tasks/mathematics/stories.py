"""How are longer word problems about people, shops and pay composed?

A teller adds facts and operations to a `Build` one by one until the problem has its size; what happens next is drawn at
each turn, so that the compositions are many. `tellers.py` chooses among them.
"""

from __future__ import annotations

import random

from finback.tasks.mathematics import lexicon
from finback.tasks.mathematics.grammar import Cast, choose, nodes
from finback.tasks.mathematics.steps import Step, step, value_of


JOBS = """washing cars,walking dogs,mowing lawns,babysitting,cleaning rooms,tutoring,painting fences,raking leaves,
delivering papers,helping in the bakery,watering plants,packing boxes,feeding cats""".replace("\n", "").split(",")


class Stuck(Exception):
    """The numbers drawn so far allow no way on."""


class Build:
    """The facts and steps of a problem in the making."""

    def __init__(self, rng: random.Random, kinds: str = ""):
        self.rng, self.cast = rng, Cast(rng, {"x": kinds} if kinds else {})
        self.facts: list[str] = []
        self.steps: list[Step] = []
        self.question = ""

    def phrase(self, text: str, **numbers: int | str) -> str:
        return lexicon.tidy(self.cast.fill(choose(self.rng, nodes(text)), {k: str(v) for k, v in numbers.items()}))

    def say(self, text: str, **numbers: int | str) -> None:
        self.facts.append(self.phrase(text, **numbers))

    def ask(self, text: str, **numbers: int | str) -> None:
        self.question = self.phrase(text, **numbers)

    def calc(self, label: str, *chain: int | str, rounding: str = "", **numbers: int | str) -> int:
        made = step(self.phrase(label, **numbers), *chain, rounding=rounding)
        value = value_of(made)
        if value < 0 or value != int(value) or value > 99_999:
            raise Stuck
        self.steps.append(made)
        return int(value)

    def r(self, low: int, high: int) -> int:
        if high < low:
            raise Stuck
        return self.rng.randint(low, high)

    @property
    def size(self) -> int:
        return sum(len(made["chain"].split()) // 2 for made in self.steps)


def events(rng: random.Random, size: int) -> Build:
    """What one person has goes up and down."""
    b = Build(rng, "keep+school+fruit+baked+sweet")
    have = b.r(5, 120)
    b.say("{A} [has|had|started with|begins with|owned] {n} {x}[.| at first.| in a {bin}.]", n=have)
    ending = rng.random()
    last = 1 if ending < 0.45 else 0
    while b.size < size - last:
        left = size - last - b.size
        kind = rng.choice(("gain", "lose", "gain", "lose", "packs", "each", "half", "double", "kin"))
        n = b.r(2, max(2, min(have - 1, 60)))
        if kind == "gain":
            n = b.r(2, 60)
            b.say("[{A.He}|Then {A.he}|Later {A.he}|On {day} {A.he}] [bought|found|got|was given|won] {n} more[ {x}|].", n=n)
            have = b.calc("{x} now", have, "+", n)
        elif kind == "kin":
            b.say("[{A.His} {kin}|{B}|A friend] [gave|sent|brought] {A.him} {n}[ more|][ {x}|].", n=n)
            have = b.calc("{x} now", have, "+", n)
        elif kind == "lose":
            b.say("[{A.He}|Then {A.he}|After that {A.he}|Later {A.he}] [lost|gave {B}|sold|used|traded] {n}[ of them| {x}|].", n=n)
            have = b.calc("{x} left", have, "-", n)
        elif kind == "packs" and left >= 2:
            p, n = b.r(2, 9), b.r(2, 12)
            how = "[of {n} {x}|with {n} {x} in each|of {x} with {n} in each]"
            b.say("[{A.He}|Then {A.he}|Next {A.he}] [bought|got|found] {p} [packs|boxes|bags] " + how + ".", p=p, n=n)
            more = b.calc("new {x}", p, "*", n)
            have = b.calc("{x} now", have, "+", more)
        elif kind == "each" and left >= 2:
            p = b.r(2, 9)
            n = b.r(1, (have - 1) // p)
            to = "[friends|cousins|classmates|neighbors|children]"
            b.say("[{A.He}|Then {A.he}] gave [{n} {x} to each of {p} " + to + "|{p} " + to + " {n} {x} each].", p=p, n=n)
            gone = b.calc("given away", p, "*", n)
            have = b.calc("{x} left", have, "-", gone)
        elif kind == "half" and have % 2 == 0 and have > 4:
            b.say("[{A.He}|Then {A.he}] [gave {C} half of [them|the {x}]|[lost|sold] half of [them|the {x}]].")
            have = b.calc("{x} left", have, "/", 2)
        elif kind == "double" and have < 200:
            k = b.r(2, 3)
            twice = "[Then {A.he}|{A.He}] [doubled the number of {x}|got as many {x} again as {A.he} had]."
            b.say(twice if k == 2 else "[Then|Later] the number of {A.his} {x} [became three times as large|tripled].")
            have = b.calc("{x} now", have, "*", k)
    if not last:
        b.ask("How many {x} [does {A} have [now|left|in the end]|are there now|are left]?")
    elif ending < 0.15:
        p = b.r(2, 12)
        b.say("[{A.He}|At the end {A.he}] [sells|sold] [all of them|the rest|what is left] for ${p} each.", p=p)
        b.calc("money", have, "*", p)
        b.ask("How much [money |]does {A.he} [get|make|earn]?")
    elif ending < 0.30:
        c = rng.choice([c for c in range(2, 13) if have % c == 0 and have > c] or [0])
        if not c:
            raise Stuck
        b.say("[{A.He}|Now {A.he}] [puts|packs] [them|the {x}|the rest] into {bins} of {c}.", c=c)
        b.calc("{bins}", have, "/", c)
        b.ask("How many {bins} [does {A.he} [need|fill]|are there]?")
    else:
        c = b.r(2, 9)
        if have <= c:
            raise Stuck
        share = rng.choice(("down", "rest", "up"))
        told = {
            "down": "{A.He} fills as many {bins} as {A.he} can with {c} {x} each.",
            "rest": "{A.He} shares [them|the {x}] equally among {c} [friends|children].",
            "up": "A {bin} holds {c} {x}[ and {A.he} packs all of them|].",
        }
        asked = {
            "down": "How many {bins} are full?",
            "rest": "How many {x} are left over?",
            "up": "How many {bins} does {A.he} need?",
        }
        b.say(told[share], c=c)
        b.calc({"down": "full {bins}", "rest": "left over", "up": "{bins} needed"}[share], have, "/", c, rounding=share)
        b.ask(asked[share])
    return b


def people(rng: random.Random, size: int) -> Build:
    """Several people's amounts, each told by another's."""
    b = Build(rng, "keep+school+fruit+sweet+clothes")
    count = min(4, size, b.r(2, 4))
    letters = "ABCD"[: count + 1] if size > count else "ABCD"[:count]
    v = rng.choice(("has",) * 7 + ("found", "collected", "sold", "made", "picked"))
    base = {"has": "have", "found": "find", "collected": "collect", "sold": "sell", "made": "make", "picked": "pick"}[v]
    amounts = {"A": b.r(4, 60)}
    b.say(f"{{A}} {v} {{n}} {{x}}.", n=amounts["A"])
    relate = letters[1:3] if size <= 3 else letters[1:]
    for letter in relate:
        if b.size >= size:
            break
        other = rng.choice(list(amounts)) if rng.random() < 0.3 else list(amounts)[-1]
        n = amounts[other]
        kinds = ("more", "fewer", "times", "half")
        kind = rng.choice((*kinds, "times_more") if size - b.size > 2 else kinds)
        if kind == "half" and n % 2:
            kind = "more"
        k, d = b.r(2, 5), b.r(2, max(2, min(n - 1, 30)))
        label = f"{{x}} of {{{letter}}}"
        than = f"{{{other}}}"
        if kind == "more":
            b.say(f"{{{letter}}} {v} {{d}} more [{{x}} |]than {than}.", d=d)
            amounts[letter] = b.calc(label, n, "+", d)
        elif kind == "fewer":
            b.say(f"{{{letter}}} {v} {{d}} [fewer|less] [{{x}} |]than {than}.", d=d)
            amounts[letter] = b.calc(label, n, "-", d)
        elif kind == "times":
            b.say(f"{{{letter}}} {v} {{k.times}} as many [{{x}} |]as {than}.", k=k)
            amounts[letter] = b.calc(label, n, "*", k)
        elif kind == "half":
            b.say(f"{{{letter}}} {v} half as many [{{x}} |]as {than}.")
            amounts[letter] = b.calc(label, n, "/", 2)
        else:
            b.say(f"{{{letter}}} {v} {{d}} [more|{{x}} more] than {{k.times}} as many [{{x}} |]as {than}.", d=d, k=k)
            amounts[letter] = b.calc(label, n, "*", k, "+", d)
    left = size - b.size
    names = list(amounts)
    if left == 0:
        b.ask(f"How many {{x}} {'does' if v == 'has' else 'did'} {{{names[-1]}}} {base}?")
    elif left == 1 and rng.random() < 0.4 and len(names) > 2:
        low, high = sorted((names[0], names[-1]), key=amounts.__getitem__)
        b.calc("difference", amounts[high], "-", amounts[low])
        b.ask(f"How many more {{x}} {'does' if v == 'has' else 'did'} {{{high}}} {base} than {{{low}}}?")
    elif left == len(names) - 1:
        b.calc("{x} together", *chained("+", [amounts[n] for n in names]))
        b.ask(f"How many {{x}} {'do' if v == 'has' else 'did'} they {base} [in all|altogether|together]?")
    elif left == len(names):
        total = b.calc("{x} together", *chained("+", [amounts[n] for n in names]))
        end = rng.random()
        if end < 0.35:
            n = b.r(1, total - 1)
            b.say("[Together they|They] [give away|sold|lost] {n} of [them|the {x}].", n=n)
            b.calc("{x} left", total, "-", n)
            b.ask("How many {x} [do they have left|are left] [in all|together]?")
        elif end < 0.7:
            p = b.r(2, 9)
            b.say("[Each {x1}|Every one] [costs|is worth] ${p}.", p=p)
            b.calc("[value|cost]", total, "*", p)
            b.ask("How much are all their {x} worth?")
        else:
            n = total + b.r(2, 60)
            b.say("[Together they need|They need] {n} {x}.", n=n)
            b.calc("more needed", n, "-", total)
            b.ask("How many more {x} do they need?")
    else:
        raise Stuck
    return b


def chained(sign: str, values: list[int]) -> list[int | str]:
    chain: list[int | str] = [values[0]]
    for value in values[1:]:
        chain += [sign, value]
    return chain


def shopping(rng: random.Random, size: int) -> Build:
    """Prices, numbers, a discount, and what is paid with."""
    b = Build(rng, "")
    ending = rng.choice(("total", "change", "discount", "percent", "need", "share"))
    extra = {"total": 0, "change": 1, "discount": 1, "percent": 3, "need": 1, "share": 1}[ending]
    room = size - extra
    if room < 1:
        raise Stuck
    kinds = (room + 1) // 2
    if kinds > 4 or kinds < 1:
        raise Stuck
    one_single = room % 2 == 0  # one thing is bought once, without a product
    kinds = (room + 2) // 2 if one_single else kinds
    if kinds > 4:
        raise Stuck
    goods = rng.sample(lexicon.nouns("goods+school+baked+fruit"), kinds)
    if len(set(goods)) < kinds:
        raise Stuck
    amounts, listing = [], []
    single = rng.randrange(kinds) if one_single else -1
    wanted = "wants to buy" if ending == "need" else "[bought|buys|gets|ordered|picks out]"
    for i, noun in enumerate(goods):
        price, many = b.r(2, 25), b.r(2, 9)
        if i == single:
            listing.append(b.phrase("[one|a] {g} [for|that costs|at] ${p}", g=noun, p=price))
            amounts.append((noun, price, 1))
        else:
            each = "{m} {g} [for ${p} each|at ${p} each|that cost ${p} each]"
            listing.append(b.phrase(each, g=lexicon.plural(noun), p=price, m=many))
            amounts.append((noun, price, many))
    if rng.random() < 0.6:
        several = ", ".join(listing[:-1]) + (" and " if listing[:-1] else "") + listing[-1]
        b.say("[|At the {shop}, |On {day}, ]{A} " + wanted + " {list}.", list=several)
    else:
        prices = [b.phrase("a {g} costs ${p}", g=n, p=p) for n, p, _ in amounts]
        counts = [f"{m} {lexicon.plural(n)}" if m > 1 else f"one {n}" for n, _, m in amounts]
        b.say("[At the {shop}|In the {shop}], {list}.", list=" and ".join(prices))
        b.say("{A} " + wanted + " {list}.", list=" and ".join(counts))
    costs = [b.calc("cost of {g}", p, "*", m, g=lexicon.plural(n)) if m > 1 else p for n, p, m in amounts]
    total = b.calc("cost in all", *chained("+", costs)) if len(costs) > 1 else costs[0]
    if ending == "total":
        b.ask("[How much does {A.he} [pay|spend|have to pay] [in all|]|What is the total cost|How much does {A.he} need]?")
    elif ending == "change":
        paid = total + b.r(1, 50)
        b.say("{A.He} [pays with|gives the cashier|hands over|had] ${p}.", p=paid)
        b.calc("money left", paid, "-", total)
        b.ask("How much [change does {A.he} get|money does {A.he} get back|is left over]?")
    elif ending == "discount":
        n = b.r(1, total - 1)
        b.say("[A coupon takes ${n} off the price|{A.He} has a coupon for ${n} off|The shop takes off ${n}].", n=n)
        b.calc("price to pay", total, "-", n)
        b.ask("How much does {A.he} pay?")
    elif ending == "percent":
        p = rng.choice((10, 20, 25, 50, 30, 40))
        if total * p % 100:
            raise Stuck
        b.say("[The shop gives a discount of {p}%|Everything is {p}% off today|{A.He} gets {p} percent off].", p=p)
        off = b.calc("discount", total, "*", p, "/", 100)
        b.calc("price to pay", total, "-", off)
        b.ask("How much does {A.he} pay [in the end|]?")
    elif ending == "need":
        have = b.r(1, total - 1)
        b.say("{A.He} [has|has saved|only has] ${n}.", n=have)
        b.calc("more needed", total, "-", have)
        b.ask("How much more [money |]does {A.he} need?")
    else:
        k = rng.choice([k for k in range(2, 9) if total % k == 0] or [0])
        if not k:
            raise Stuck
        b.say("{k} friends [split the bill equally|share the cost equally].", k=k)
        b.calc("each pays", total, "/", k)
        b.ask("How much does each [friend|of them] pay?")
    return b


def earning(rng: random.Random, size: int) -> Build:
    """Jobs, hours, days, pay, spending and a goal."""
    b = Build(rng, "")
    jobs = rng.sample(JOBS, 3)
    money = 0
    first = True
    ending = rng.choice(("none", "spend", "goal", "weeks", "buy"))
    last = 0 if ending == "none" else 1
    while b.size < size - last:
        left = size - last - b.size
        need = 1 if first else 2
        pay, hours, days = b.r(4, 25), b.r(2, 9), b.r(2, 6)
        if left >= need + 1 and rng.random() < 0.5 and jobs:
            who = "{A}" if first else "{A.He}"
            b.say(f"[{who} [earns|gets|makes] ${{p}} an hour {{j}}|For {{j}}, {{A}} gets ${{p}} an hour].", p=pay, j=jobs.pop())
            b.say("{A.He} [works|does this] {h} hours a day for {d} days.", h=hours, d=days)
            got = b.calc("money for it", pay, "*", hours, "*", days)
        elif left >= need and jobs:
            who = "{A}" if first else "{A.He}"
            pays = f"{who} [earns|makes|gets] ${{p}} [an hour|per hour] {{j}} and [works|does this for] {{h}} hours."
            b.say(pays, p=pay, j=jobs.pop(), h=hours)
            got = b.calc("money for it", pay, "*", hours)
        elif not first:
            got = b.r(3, 60)
            if rng.random() < 0.5 or money < 5:
                b.say("{A.His} {kin} [also gave|gave] {A.him} ${n}.", n=got)
                money = b.calc("money now", money, "+", got)
            else:
                got = b.r(1, money - 1)
                b.say("{A.He} [spent|paid] ${n} [on|for] [food|clothes|a book|bus tickets|a game].", n=got)
                money = b.calc("money left", money, "-", got)
            continue
        else:
            raise Stuck
        money = got if first else b.calc("money now", money, "+", got)
        first = False
    if ending == "none":
        b.ask("How much money does {A} have [now|in the end|]?")
    elif ending == "spend":
        n = b.r(1, money - 1)
        b.say("{A.He} [spends|used|gave away] ${n}[ of it|].", n=n)
        b.calc("money left", money, "-", n)
        b.ask("How much [money |][is left|does {A.he} have left]?")
    elif ending == "goal":
        n = money + b.r(2, 200)
        b.say("{A.He} wants to buy a {y1} that costs ${n}.", n=n)
        b.calc("more needed", n, "-", money)
        b.ask("How much more [money |]does {A.he} need?")
    elif ending == "weeks":
        k = b.r(2, 8)
        b.say("{A.He} does the same every week.")
        b.calc("money", money, "*", k)
        b.ask("How much [money |]does {A.he} [have|get] after {k} weeks?", k=k)
    else:
        k = rng.choice([k for k in range(2, 13) if money % k == 0] or [0])
        if not k:
            raise Stuck
        b.say("{A.He} buys {y} for ${k} each with all of it.", k=k)
        b.calc("{y}", money, "/", k)
        b.ask("How many {y} can {A.he} buy?")
    return b
