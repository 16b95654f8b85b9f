"""How are longer word problems about farms, trips, schools, kitchens, routines and games composed? See `stories.py`."""

from __future__ import annotations

import random

from finback.tasks.mathematics.stories import Build, Stuck, chained


HABITS = "reads,practices the piano,runs,does homework,draws,swims,plays chess,rides a bike,watches TV,studies".split(",")


def farm(rng: random.Random, size: int) -> Build:
    """Rows and trees that bear, what is lost, packed and sold."""
    b = Build(rng, "fruit+vegetable")
    fields = 2 if size >= 4 and rng.random() < 0.5 else 1
    totals = []
    for i in range(fields):
        rows, plants, per = b.r(2, 9), b.r(2, 9), b.r(2, 12)
        where = ("in one field", "in another field")[i] if fields == 2 else "[in a field|on a farm|in {A}'s garden]"
        if size - b.size >= 2 + (fields - i - 1) * 3 + (fields > 1) and rng.random() < 0.6:
            b.say("[There are|{A} has] {r} rows of [plants|trees|bushes] " + where + ", with {p} in each row.", r=rows, p=plants)
            b.say("[Each|Every one] [gives|bears|has] {n} {x}.", n=per)
            totals.append(b.calc("{x} there", rows, "*", plants, "*", per))
        else:
            b.say("[There are|{A} has] {r} [plants|trees|bushes] " + where + ".", r=rows * 2)
            b.say("[Each|Every one] [gives|bears|has] {n} {x}.", n=per)
            totals.append(b.calc("{x} there", rows * 2, "*", per))
    have = b.calc("{x} in all", *chained("+", totals)) if fields == 2 else totals[0]
    ending = rng.choice(("", "pack", "sell", "pack_sell"))
    last = {"": 0, "pack": 1, "sell": 1, "pack_sell": 2}[ending]
    while b.size < size - last:
        n = b.r(1, max(1, have // 3))
        kind = rng.choice(("bad", "eat", "more", "half"))
        if kind == "half" and have % 2 == 0:
            b.say("Half of [the {x}|them] are [given to neighbors|not ripe|eaten by birds].")
            have = b.calc("{x} left", have, "/", 2)
        elif kind == "more":
            b.say("[A neighbor|{B}] brings {n} more {x}.", n=n)
            have = b.calc("{x} now", have, "+", n)
        elif kind == "eat":
            b.say("[The family eats|The children eat|The birds eat|{A} keeps] {n} [of them|{x}].", n=n)
            have = b.calc("{x} left", have, "-", n)
        else:
            b.say("{n} [of them|{x}] are [bad|rotten|too small][ and thrown away|].", n=n)
            have = b.calc("{x} left", have, "-", n)
    if ending.startswith("pack"):
        k = rng.choice([k for k in range(2, 13) if have % k == 0 and have > k] or [0])
        if not k:
            raise Stuck
        b.say("The [rest|{x}] [are packed|go] into {bins} [of {k}|that hold {k} each].", k=k)
        have = b.calc("{bins}", have, "/", k)
        if ending == "pack":
            b.ask("How many {bins} are [there|needed|filled]?")
            return b
    if ending in ("sell", "pack_sell"):
        p = b.r(2, 12)
        sold = "A {bin}" if ending == "pack_sell" else "[Each of them|Each {x1}]"
        b.say(sold + " [is sold for|brings|costs] ${p}.", p=p)
        b.calc("money", have, "*", p)
        b.ask("How much money [do they bring|is that|is made] [in all|]?")
        return b
    b.ask("How many {x} [are there|are left|remain] [now|in the end]?")
    return b


def trip(rng: random.Random, size: int) -> Build:
    """Legs of a journey, at speeds or told by each other."""
    b = Build(rng, "")
    unit = rng.choice(("miles", "miles", "kilometers"))
    days = ["{day}", "{day2}", "{day3}"]
    legs: list[int] = []
    ending = rng.choice(("total", "left", "more", "gas")) if size >= 3 else "total"
    while True:
        extra = (1 if len(legs) > 1 else 0) * (len(legs) - 1) + (ending != "total")
        left = size - b.size - extra
        if left <= 0 or len(legs) >= 3:
            break
        when = days[len(legs)] if rng.random() < 0.5 else ("First", "Then", "After that")[len(legs)]
        on = f"On {when}" if when.startswith("{") else when
        kind = rng.choice(("speed", "speed", "plain", "times", "more"))
        if legs and left < 2 and kind != "plain":
            kind = "plain"
        if kind == "speed":
            v, h = b.r(3, 60), b.r(2, 8)
            b.say(f"{on} {{A}} [drives|rides|travels] for {{h}} hours at {{v}} {unit} [per|an] hour.", h=h, v=v)
            legs.append(b.calc("way", v, "*", h))
        elif kind == "times" and legs:
            k = b.r(2, 4)
            b.say(f"{on} {{A.he}} goes {{k.times}} as far[ as before|].", k=k)
            legs.append(b.calc("next way", legs[-1], "*", k))
        elif kind == "more" and legs:
            n = b.r(2, 50)
            b.say(f"{on} {{A.he}} goes {{n}} {unit} [more|farther] than before.", n=n)
            legs.append(b.calc("next way", legs[-1], "+", n))
        else:
            n = b.r(5, 90)
            b.say(f"{on} {{A}} goes {{n}} {unit}.", n=n)
            legs.append(n)
    total = b.calc("way in all", *chained("+", legs)) if len(legs) > 1 else legs[0]
    if ending == "total":
        b.ask(f"How [far does {{A}} go|many {unit} does {{A}} go] in all?")
    elif ending == "left":
        n = total + b.r(5, 200)
        b.say(f"The whole [way|trip|road] is {{n}} {unit} long.", n=n)
        b.calc("way left", n, "-", total)
        b.ask(f"How many {unit} are left?")
    elif ending == "more":
        n = b.r(2, 6)
        b.say(f"{{A}} makes this trip {{n}} times [a month|this year|in all].", n=n)
        b.calc("way in all", total, "*", n)
        b.ask(f"How many {unit} is that [in all|]?")
    else:
        k = rng.choice([k for k in (5, 10, 15, 20, 25, 30) if total % k == 0] or [0])
        if not k:
            raise Stuck
        b.say(f"{{A.His}} car goes {{k}} {unit} on one [gallon|liter] of gas.", k=k)
        b.calc("gas", total, "/", k)
        b.ask("How much gas does {A.he} need?")
    return b


def school(rng: random.Random, size: int) -> Build:
    """Classes, boys and girls, absent ones, groups, fees."""
    b = Build(rng, "school+sweet+fruit")
    kind = rng.choice(("classes", "two", "percent"))
    if kind == "classes":
        k, n = b.r(2, 9), b.r(10, 30)
        b.say("[A school has|There are] {k} classes with {n} students each.", k=k, n=n)
        have = b.calc("students", k, "*", n)
    elif kind == "two":
        girls, d = b.r(8, 60), b.r(1, 20)
        b.say("There are {g} girls [in the school choir|at a camp|in a club|in the school band].", g=girls)
        b.say("There are {d} more boys than girls.", d=d)
        boys = b.calc("boys", girls, "+", d)
        have = b.calc("students", girls, "+", boys)
    else:
        have, p = b.r(2, 30) * 20, rng.choice((10, 20, 25, 30, 40, 50, 60, 75, 80))
        b.say("A school has {n} students.", n=have)
        b.say("{p}% of them [go on a trip|are in a club|play {game}|come by bus].", p=p)
        have = b.calc("these students", have, "*", p, "/", 100)
    ending = rng.choice(("", "buses", "groups", "each", "fee", "fee_buses"))
    last = {"": 0, "buses": 1, "groups": 1, "each": 1, "fee": 1, "fee_buses": 3}[ending]
    while b.size < size - last:
        n = b.r(1, max(1, have // 3))
        what = rng.choice(("sick", "teachers", "new", "half"))
        if what == "sick":
            b.say("{n} of them are [sick|absent|away|late][ today|].", n=n)
            have = b.calc("students there", have, "-", n)
        elif what == "teachers":
            n = b.r(2, 15)
            b.say("{n} [teachers|parents|helpers] come with them.", n=n)
            have = b.calc("people", have, "+", n)
        elif what == "new":
            b.say("[Then |]{n} new [students|children] [join|come].", n=n)
            have = b.calc("students now", have, "+", n)
        elif have % 2 == 0:
            b.say("[Half of them go home early|Half of them leave|Half of them do not want to come].")
            have = b.calc("those left", have, "/", 2)
    if have < 3:
        raise Stuck
    if ending == "":
        b.ask("How many people are there [now|in the end]?")
    elif ending in ("buses", "fee_buses"):
        k = b.r(8, 50)
        if have <= k:
            raise Stuck
        b.say("A bus [holds|has seats for] {k} people.", k=k)
        buses = b.calc("buses", have, "/", k, rounding="up")
        if ending == "buses":
            b.ask("How many buses [are needed|do they need]?")
        else:
            c, f = b.r(20, 90), b.r(2, 9)
            b.say("[Each|A] bus costs ${c}, and the driver of each gets ${f} more.", c=c, f=f)
            each = b.calc("cost of a bus", c, "+", f)
            b.calc("cost of the buses", each, "*", buses)
            b.ask("How much do the buses cost?")
    elif ending == "groups":
        k = rng.choice([k for k in range(2, 13) if have % k == 0 and have > k] or [0])
        if not k:
            raise Stuck
        b.say("They [form|make] groups of {k}.", k=k)
        b.calc("groups", have, "/", k)
        b.ask("How many groups are there?")
    elif ending == "each":
        k = b.r(2, 9)
        b.say("Each of them gets {k} {x}.", k=k)
        b.calc("{x}", have, "*", k)
        b.ask("How many {x} are needed[ in all|]?")
    else:
        k = b.r(2, 15)
        b.say("Each [person|one] pays ${k}.", k=k)
        b.calc("money", have, "*", k)
        b.ask("How much [money |]do they pay [in all|together]?")
    return b


def kitchen(rng: random.Random, size: int) -> Build:
    """Batches, trays and dozens, what is eaten, what is shared or sold."""
    b = Build(rng, "baked")
    batches, per = b.r(2, 9), b.r(4, 24)
    if rng.random() < 0.25:
        b.say("{A} [bakes|makes|baked] {n} dozen {x}.", n=batches)
        have = b.calc("{x}", batches, "*", 12)
    elif size >= 4 and rng.random() < 0.4:
        flour = b.r(2, 5)
        b.say("{A} needs {f} cups of flour for [one batch|a batch] of {n} {x}.", f=flour, n=per)
        b.say("{A.He} has {t} cups of flour[ and uses all of it|].", t=flour * batches)
        got = b.calc("batches", flour * batches, "/", flour)
        have = b.calc("{x}", got, "*", per)
    else:
        b.say("{A} [bakes|makes|baked] {b} [batches|trays] of {x}[ for a party| for the bake sale|].", b=batches)
        b.say("There are {n} {x} in each.", n=per)
        have = b.calc("{x}", batches, "*", per)
    ending = rng.choice(("", "share", "sell", "each", "profit"))
    last = {"": 0, "share": 1, "sell": 1, "each": 1, "profit": 2}[ending]
    while b.size < size - last:
        left = size - last - b.size
        n = b.r(1, max(1, have // 3))
        what = rng.choice(("eat", "give", "kids", "more", "burn"))
        if what == "kids" and left >= 2:
            k = b.r(2, 6)
            m = b.r(1, max(1, (have - 1) // k // 2))
            b.say("{k} [children|guests|friends] [eat|take] {m} {x} each.", k=k, m=m)
            gone = b.calc("eaten", k, "*", m)
            have = b.calc("{x} left", have, "-", gone)
        elif what == "more":
            b.say("{A.His} {kin} [brings|bakes|adds] {n} more.", n=n)
            have = b.calc("{x} now", have, "+", n)
        elif what == "give":
            b.say("{A.He} [gives|brings|sends] {n} [of them |]to {B}.", n=n)
            have = b.calc("{x} left", have, "-", n)
        elif what == "burn":
            b.say("{n} of [them|the {x}] [are burnt|fall on the floor|break].", n=n)
            have = b.calc("{x} left", have, "-", n)
        else:
            b.say("[{A.He}|The family|{C}] eats {n} [of them|{x}].", n=n)
            have = b.calc("{x} left", have, "-", n)
    if ending == "":
        b.ask("How many {x} [are left|are there now|does {A} have now]?")
    elif ending == "share":
        k = rng.choice([k for k in range(2, 11) if have % k == 0 and have > k] or [0])
        if not k:
            raise Stuck
        b.say("{A.He} [shares|splits] the rest equally among {k} [people|neighbors|guests].", k=k)
        b.calc("{x} each", have, "/", k)
        b.ask("How many {x} does each [get|of them get]?")
    elif ending == "each":
        k = b.r(2, 9)
        if have <= k:
            raise Stuck
        b.say("{A.He} puts the rest on plates of {k}.", k=k)
        b.calc("full plates", have, "/", k, rounding="down")
        b.ask("How many [full plates are there|plates can {A.he} fill]?")
    else:
        p = b.r(2, 5)
        b.say("{A.He} sells the rest for ${p} each.", p=p)
        money = b.calc("money", have, "*", p)
        if ending == "profit":
            c = b.r(1, max(1, money // 2))
            b.say("{A.He} paid ${c} for [flour and sugar|what {A.he} needed|everything {A.he} used].", c=c)
            b.calc("profit", money, "-", c)
            b.ask("[What is {A.his} profit|How much money does {A.he} make after costs]?")
        else:
            b.ask("How much money does {A.he} [get|make|earn]?")
    return b


def routine(rng: random.Random, size: int) -> Build:
    """Minutes and hours of habits, by day and week."""
    b = Build(rng, "")
    habits = rng.sample(HABITS, 4)
    unit = rng.choice(("minutes", "minutes", "hours"))
    parts: list[int] = []
    ending = rng.choice(("", "weeks", "hours")) if unit == "minutes" else rng.choice(("", "weeks"))
    last = bool(ending)
    while True:
        joins = max(0, len(parts) - 1)
        left = size - last - b.size - joins
        if left <= 0 or len(parts) >= 4:
            break
        first = not parts
        t = b.r(1, 8) * 5 if unit == "minutes" else b.r(1, 5)
        d = b.r(2, 7)
        if left >= (1 if first else 2) and rng.random() < 0.75:
            long = f"{{t}} {unit if t > 1 else unit[:-1]} a day, {{d}} days a week"
            b.say(f"{{A}} {habits[len(parts)]} {long}.", t=t, d=d)
            parts.append(b.calc(f"{unit} a week", t, "*", d))
        elif not first:
            long = f"for {{t}} {unit if t > 1 else unit[:-1]}"
            b.say(f"[On Sundays|On the weekend|Once a week] {{A.he}} {habits[len(parts)]} {long}.", t=t)
            parts.append(t)
        else:
            b.say(f"{{A}} {habits[0]} for {{t}} {unit if t > 1 else unit[:-1]} on {{day}}.", t=t)
            parts.append(t)
    total = b.calc(f"{unit} in all", *chained("+", parts)) if len(parts) > 1 else parts[0]
    if ending == "weeks":
        k = b.r(2, 8)
        b.calc(f"{unit} in {k} weeks", total, "*", k)
        b.ask(f"How many {unit} is that in {{k}} weeks?", k=k)
    elif ending == "hours":
        if total % 60:
            raise Stuck
        b.calc("hours", total, "/", 60)
        b.ask("How many hours [is that|are these] a week?")
    else:
        b.ask(f"How many {unit} is that [in all|altogether|in a week]?")
    return b


def game(rng: random.Random, size: int) -> Build:
    """Points for things found, in rounds, won and lost."""
    b = Build(rng, "")
    items = rng.sample(["star", "coin", "key", "gem", "apple", "ring", "flag", "card", "shell", "cup"], 4)
    points = 0
    first, i = True, 0
    last = rng.choice((0, 1, 1))
    while b.size < size - last:
        left = size - last - b.size
        n, p = b.r(2, 9), b.r(2, 12)
        need = 1 if first else 2
        if left >= need and i < 4 and rng.random() < 0.8:
            item = items[i]
            i += 1
            told = "{A} [found|got|collected] {n} {g} [worth|that are worth] {p} points each"
            other = "[Each|Every] {h} is worth {p} points, and {A} [found|got] {n}"
            b.say(f"[{told}|{other}].", n=n, p=p, g=f"{item}s", h=item)
            got = b.calc("points for {g}", n, "*", p, g=f"{item}s")
            points = got if first else b.calc("points now", points, "+", got)
            first = False
        elif not first:
            n = b.r(1, max(1, points // 2))
            if rng.random() < 0.5:
                b.say("[Then {A.he}|{A.He}] lost {n} points[ by a mistake| in a trap| to {B}|].", n=n)
                points = b.calc("points left", points, "-", n)
            else:
                b.say("{A.He} got a bonus of {n} points.", n=n)
                points = b.calc("points now", points, "+", n)
        elif left < need or i >= 4:
            raise Stuck
    if not last:
        b.ask("How many points does {A} have[ now| in the end|]?")
        return b
    end = rng.choice(("ahead", "double", "need"))
    if end == "ahead":
        n = b.r(1, max(1, points - 1))
        b.say("{B} [has|scored] {n} points.", n=n)
        b.calc("difference", points, "-", n)
        b.ask("How many more points does {A} have than {B}?")
    elif end == "double":
        k = b.r(2, 3)
        b.say("[At the end|In the last round] {A.his} points are " + ("doubled." if k == 2 else "tripled."))
        b.calc("points in the end", points, "*", k)
        b.ask("How many points does {A} have in the end?")
    else:
        n = points + b.r(1, 60)
        b.say("{A.He} needs {n} points to win.", n=n)
        b.calc("more needed", n, "-", points)
        b.ask("How many more points does {A.he} need?")
    return b
