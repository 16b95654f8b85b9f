"""Which everyday situations do word problems play in, where things come and go or stand in equal groups?

CHANGES: thing; where; verbs by which there are more (past/base); verbs by which there are fewer. GROUPS: group; thing; verb
by which someone makes or fills the groups (past/base). The templates of `templates_scenes.py` tell each of their
structures in every one of these situations.
"""

from __future__ import annotations

import random
from functools import cache

from finback.tasks.mathematics.lexicon import plural

CHANGES = """
song; on {A.his} [phone|player|list]; downloaded/download, added/add; deleted/delete, removed/remove
photo; on {A.his} [camera|phone|computer]; took/take, saved/save; deleted/delete, erased/erase
app; on {A.his} [phone|tablet]; installed/install, downloaded/download; deleted/delete, removed/remove
file; on {A.his} computer; copied/copy, created/create; deleted/delete, moved/move
worksheet; [to grade|on {A.his} desk]; got/get, found/find; graded/grade, finished/finish
homework problem; to [do|solve]; got/get, was given/get; solved/solve, finished/finish
fish; in {A.his} [bucket|tank|pond]; caught/catch, bought/buy; released/release, let go/let go
can; [in a bag|for recycling]; collected/collect, found/find; recycled/recycle, crushed/crush
ticket; [at the fair|in {A.his} pocket]; won/win, bought/buy; used/use, spent/spend
point; in a [game|quiz]; scored/score, earned/earn, won/win; lost/lose
life; in a video game; gained/gain, got/get; lost/lose, used/use
coin; in {A.his} [bank|jar|purse]; saved/save, found/find, earned/earn; spent/spend, lost/lose
penny; in {A.his} [bank|jar]; found/find, got/get; spent/spend, lost/lose
nickel; in {A.his} [bank|jar]; found/find, got/get; spent/spend, lent/lend
dime; in {A.his} [bank|purse]; found/find, got/get; spent/spend, lent/lend
quarter; in {A.his} [bank|pocket]; saved/save, found/find; spent/spend, used/use
dollar; in {A.his} [wallet|bank|purse]; earned/earn, received/receive, saved/save; spent/spend, paid/pay, lent/lend
baseball card; in {A.his} collection; bought/buy, traded for/trade for, got/get; sold/sell, gave away/give away, lost/lose
stamp; in {A.his} [album|collection]; bought/buy, received/receive; sold/sell, traded away/trade away
marble; in a [bag|jar]; won/win, found/find, bought/buy; lost/lose, gave away/give away
seashell; from the beach; found/find, picked up/pick up, collected/collect; broke/break, gave away/give away, lost/lose
balloon; for a [party|birthday]; blew up/blow up, bought/buy, got/get; popped/pop, lost/lose, gave away/give away
cupcake; for [a bake sale|the class]; baked/bake, made/make, frosted/frost; sold/sell, ate/eat, dropped/drop
cookie; on a [tray|plate]; baked/bake, made/make; ate/eat, sold/sell, shared/share
apple; in a [basket|bowl]; picked/pick, bought/buy; ate/eat, peeled/peel, gave away/give away
carrot; from {A.his} garden; picked/pick, pulled/pull, grew/grow; ate/eat, washed/wash, threw out/throw out
tomato; from the garden; picked/pick, grew/grow; used/use, ate/eat, threw out/throw out
pumpkin; on the farm; grew/grow, picked/pick; sold/sell, carved/carve
flower; in [a vase|the garden]; planted/plant, picked/pick, cut/cut; gave away/give away, sold/sell
tree; in [the yard|an orchard]; planted/plant; cut down/cut down, sold/sell
egg; in the [basket|fridge]; gathered/gather, collected/collect, bought/buy; used/use, broke/break, sold/sell
book; on [the shelf|{A.his} shelf]; bought/buy, borrowed/borrow, received/receive; sold/sell, gave away/give away, returned/return
page; of {A.his} [story|report]; wrote/write, typed/type; tore out/tear out, threw away/throw away
pencil; in [the drawer|{A.his} case]; bought/buy, got/get, found/find; lost/lose, broke/break, lent/lend
crayon; in a box; bought/buy, found/find, got/get; broke/break, lost/lose, gave away/give away
sticker; in {A.his} book; bought/buy, got/get, earned/earn; used/use, gave away/give away, traded away/trade away
toy car; on the shelf; bought/buy, got/get, received/receive; sold/sell, broke/break, gave away/give away
shirt; in {A.his} closet; bought/buy, got/get, sewed/sew; washed/wash, gave away/give away, sold/sell
sock; in a drawer; bought/buy, found/find; threw away/throw away, lost/lose
chair; in the [hall|room]; set up/set up, bought/buy, painted/paint; folded/fold, sold/sell, moved/move
brick; for a wall; bought/buy, carried/carry, laid/lay; used/use, broke/break
block; in a tower; added/add, put on/put on; took off/take off, removed/remove
bead; for [necklaces|bracelets]; bought/buy, strung/string; used/use, lost/lose
picture; [at the zoo|for the album]; took/take, drew/draw; deleted/delete, sold/sell, gave away/give away
ribbon; in a box; bought/buy, cut/cut; used/use, tied/tie
letter; in the mail; wrote/write, received/receive; opened/open, sent/send, answered/answer
email; in {A.his} inbox; received/receive, got/get; deleted/delete, answered/answer, read/read
puzzle piece; on the table; found/find, sorted/sort; lost/lose, used/use
piece of candy; from [the party|a parade]; got/get, received/receive, collected/collect; ate/eat, shared/share, gave away/give away
snowball; for a [fight|game]; made/make, rolled/roll; threw/throw, lost/lose
paper plane; in class; folded/fold, made/make; threw/throw, lost/lose
sandwich; for the [picnic|trip]; made/make, packed/pack; ate/eat, sold/sell
pizza; for [the party|lunch]; ordered/order, baked/bake, made/make; ate/eat, sold/sell, served/serve
newspaper; in {A.his} bag; folded/fold, picked up/pick up; delivered/deliver, sold/sell
magazine; at the [stand|store]; bought/buy, received/receive; sold/sell, read/read
customer; at the [restaurant|shop]; served/serve, greeted/greet; lost/lose
bug; in a jar; caught/catch, found/find; let go/let go, lost/lose
kite; for the contest; made/make, bought/buy; lost/lose, broke/break, sold/sell
""".strip().splitlines()

GROUPS = """
table; customer; served/serve
table; guest; invited/invite
row; seat; painted/paint
row; desk; set up/set up
row; carrot plant; planted/plant
row; corn plant; planted/plant
row; tree; planted/plant
shelf; book; put away/put away
shelf; toy; set up/set up
shelf; can; stacked/stack
page; homework problem; did/do
page; sticker; filled/fill
page; photo; filled/fill
album; picture; filled/fill
worksheet; problem; solved/solve
chapter; page; read/read
book; page; read/read
team; player; trained/train
van; student; drove/drive
bus; child; counted/count
boat; tourist; saw/see
car; passenger; counted/count
tent; camper; counted/count
cage; puppy; cleaned/clean
cage; bird; cleaned/clean
tank; fish; filled/fill
pond; frog; counted/count
vase; flower; filled/fill
bouquet; rose; made/make
pot; seed; filled/fill
tray; cookie; baked/bake
batch; muffin; baked/bake
pan; brownie; baked/bake
plate; pancake; served/serve
pizza; slice; cut/cut
pie; piece; served/serve
pile; coin; made/make
stack; plate; carried/carry
stack; card; built/build
bracelet; bead; made/make
necklace; pearl; made/make
box; pencil; bought/buy
box; crayon; bought/buy
box; chocolate; bought/buy
box; donut; ordered/order
box; ornament; packed/pack
pack; baseball card; opened/open
pack; marker; bought/buy
pack; balloon; bought/buy
package; hot dog; bought/buy
package; invitation; bought/buy
carton; egg; bought/buy
case; water bottle; carried/carry
crate; orange; filled/fill
basket; apple; filled/fill
basket; egg; filled/fill
bag; can; collected/collect
bag; marble; bought/buy
bag; potato; bought/buy
bag; cookie; packed/pack
bag; orange; filled/fill
bucket; shell; filled/fill
jar; button; filled/fill
jar; jelly bean; filled/fill
drawer; sock; opened/open
closet; shirt; cleaned out/clean out
rack; CD; filled/fill
load; towel; washed/wash
trip; tray; made/make
trip; box; made/make
level; star; finished/finish
round; point; played/play
game; goal; played/play
lesson; new word; had/have
class; student; taught/teach
school; teacher; visited/visit
floor; window; cleaned/clean
house; room; painted/paint
building; office; built/build
train; wagon; saw/see
branch; bird; watched/watch
nest; egg; found/find
bunch; banana; bought/buy
hive; bee; kept/keep
bush; berry; picked/pick
tree; apple; picked/pick
lawn; dollar; mowed/mow
car; dollar; washed/wash
dog; dollar; walked/walk
deck; card; bought/buy
set; stamp; collected/collect
string; light; hung/hang
packet; seed; planted/plant
field; cow; visited/visit
week; page; studied/study
day; mile; hiked/hike
hour; toy; worked/work
song; note; played/play
shift; pizza; worked/work
""".strip().splitlines()


@cache
def parsed(kind: str) -> list[list[str]]:
    return [[part.strip() for part in line.split(";")] for line in {"change": CHANGES, "group": GROUPS}[kind]]


def scene(rng: random.Random, kind: str) -> dict[str, str]:
    """The slots of one situation: x, x1, at, gp and gi, lp and li; or u1, us, x, x1, vp and vi."""
    if kind == "group":
        group, thing, verb = rng.choice(parsed("group"))
        past, base = verb.split("/")
        return {"g": group, "gs": plural(group), "x1": thing, "x": plural(thing), "vp": past, "vi": base}
    thing, at, gain, lose = rng.choice(parsed("change"))
    gp, gi = rng.choice(gain.split(", ")).split("/")
    lp, li = rng.choice(lose.split(", ")).split("/")
    return {"x1": thing, "x": plural(thing), "at": at, "gp": gp, "gi": gi, "lp": lp, "li": li}
