"""Word problems of two operations, in English. `grammar.py` says how a block is read."""

TWO = r"""
teams; x=person; c=s(); q=t(); b=n(); a=c*q+b
{a} {x} [tried out|signed up|came to play] for the [quiz|{game}|chess|relay] teams. {b} of them [were not chosen|went home|changed their minds]. The [others|rest] were [put|split|divided] into {c} equal [teams|groups]. How many {x} are on each team?
A [coach|teacher|camp leader] has {a} {x}. {b} are [sick|absent|away] today. The rest [form|make] {c} groups of the same size. How many are in each group?
= {x} present: p=a-b; {x} each: p/c

teams_count; x=person; c=s(); q=t(); b=n(); a=c*q+b
{a} {x} want to play. {b} of them [leave|go home early]. The rest make teams of {c}. How many teams are there?
There were {a} {x} at [camp|school|the party]. {b} [left|were picked up early]. The others [sat at|went to] tables of {c}. How many tables [did they fill|were needed]?
= {x} there: p=a-b; groups: p/c

packs_after_eating; x=eat; c=s(); q=s(); b=n(); a=c*q+b
{A} baked {a} {x} for a [fair|school event|class party]. {A.His} {kin} [ate|took|dropped] {b} of them. {A} [puts|packs] the rest in {bins} of {c}. How many {bins} does {A.he} [get|fill|have]?
{A} had {a} {x}. After [eating|giving away|selling] {b}, {A.he} put the rest into {bins} with {c} in each. How many {bins} did {A.he} [need|use]?
A [baker|cook|shop] made {a} {x} and sold {b}. The [rest|others] go into {bins} that hold {c} each. How many {bins} are filled?
= {x} left: l=a-b; {bins}: l/c

old_games; x=keep+school+clothes; c=s(); q=s(); b=n(); a=c*q+b
{A} is [cleaning|tidying] {A.his} room. {A.He} has {a} {x} and [throws away|gives away|sells] {b} of them. The rest go into {c} {bins}, with the same number in each. How many {x} are in each {bin}?
{A} [owned|had] {a} {x}. {A.He} [sold|lost|gave {B}] {b}. {A.He} then split the rest evenly among {c} {bins}. How many {x} were in each {bin}?
= {x} left: l=a-b; {x} each: l/c

garden_seeds; x=plant; c=s(); q=s(); b=n(); a=c*q+b
{A} had {a} seeds. {A.He} planted {b} [by the fence|in a big bed|in the front yard]. The rest went into small pots, {c} to a pot. How many pots did {A.he} [need|use|plant]?
{A} bought {a} {x} for {A.his} garden. {A.He} [planted|put] {b} of them near the house and the rest in rows of {c}. How many rows [are there|did {A.he} make]?
= rest: l=a-b; pots: l/c

shelves; x=keep+school; c=s(); q=s(); b=below(c*q); a=c*q-b
{A} has {a} {x}. {A.He} [buys|gets|finds] {b} more. {A.He} puts {c} on each shelf. How many shelves does {A.he} [fill|need|use]?
A [store|library|school] had {a} {x} and got a delivery of {b} more. Each shelf holds {c} {x}. How many shelves are [needed|filled]?
{A} [collected|picked up] {a} {x} on {day} and {b} on {day2}. {A.He} keeps them in {bins} of {c}. How many {bins} does {A.he} have?
= {x} in all: t=a+b; groups: t/c

share_sum; x=food+keep; c=s(); q=s(); b=below(c*q); a=c*q-b
{A} [has|picked|bought|made] {a} {x} and {B} [has|picked|bought|made] {b}. They [share|divide|split] them equally among {c} [friends|people|children]. How many {x} does each [get|person get]?
A [cook|waiter|mother] had {a} {x} ready and made {b} more. {c} [people|guests|friends] shared them equally. How many did each person [get|eat]?
There are {a} {x} in one {bin} and {b} {x} in another. {c} children share all of them. How many does each child get?
= {x} in all: t=a+b; {x} each: t/c

vans; a=n(8); b=s(); k=r(4,12)
A [class|school|club|choir] is [going|taking a trip] to the {place}. There are {a} [students|children] and {b} [teachers|adults|parents]. Each [van|car|boat|bus] [holds|can carry|has room for] {k} people. How many [vans|cars|boats|buses] are needed?
{a} [boys|runners|players] and {b} [girls|coaches|helpers] travel to a [game|match|show] in [vans|cars] that seat {k}. How many do they need?
= people: p=a+b; needed: p/k up

tables; a=n(8); b=s(); k=r(4,10)
{A} invited {a} [friends|people|guests] to a [party|dinner|wedding]. {b} of them cannot come. Each table seats {k}. How many tables does {A.he} need?
= guests: p=a-b; needed: p/k up

carry; a=n(8); b=n(); k=s()
{A} [must|has to] carry {a} [plates|chairs|books|trays] from one room and {b} from another. {A.He} can carry {k} at a time. How many trips [must {A.he} make|does {A.he} need]?
= in all: t=a+b; trips: t/k up

pages; x=print; b=s(); q=s(); c=s(); a=b*q
{A} has {a} {x} in [an album|a binder]. Each page holds {b}. {A.He} adds {c} more [full pages|pages]. How many pages are there now?
= pages: p=a/b; pages now: p+c

boxes_plus; x=countable; a=s(); b=t(); c=n()
{A} has {a} {bins} of {x}. Each {bin} [has|holds] {b} {x}. {A.He} also has {c} [loose|extra|other] {x}. How many {x} does {A.he} have [in all|altogether]?
{A} [bought|got] {a} {bins} with {b} {x} in each. {A.He} already had {c} {x}. How many {x} does {A.he} have now?
A [teacher|chef|shop|coach] had {c} {x} and ordered {a} more {bins}. There are {b} {x} in each {bin}. How many {x} [is that|are there] [in all|altogether]?
{A} had {c} {x}. {A.His} {kin} gave {A.him} {a} {bins} of {b} {x} each. How many {x} does {A.he} have now?
= new {x}: t=a*b; {x} in all: t+c

boxes_minus; x=countable; a=s(); b=t(); c=below(a*b)
{A} [bought|has|made|packed] {a} {bins} of {x} with {b} in each. {A.He} [gave away|sold|used|lost] {c} {x}. How many {x} [are left|does {A.he} have left]?
There are {a} rows of {b} [chairs|seats|desks] in a [hall|room]. {c} of them are [taken|broken|empty]. How many are not?
A [bakery|factory|farm] makes {b} {x} a day. After {a} days it has sold {c} of them. How many {x} are left?
{A} [picked|filled] {a} {bins} of {x}, {b} in each {bin}. [Then |]{c} {x} [were|went] bad. How many [good |]{x} [remain|are left]?
= {x} in all: t=a*b; {x} left: t-c

boxes_given; x=countable; a=s(); g=below(a); b=t()
{A} bought {a} {bins} of {x} and gave {g} {bins} to {B}. Each {bin} has {b} {x}[ in it|]. How many {x} does {A.he} [still have|have left]?
There are {b} {x} in each {bin}. {A} had {a} {bins} but [sold|lost|dropped] {g}. How many {x} are in the {bins} that are left?
= {bins} left: l=a-g; {x}: l*b

two_kinds_boxes; x=keep+sweet+baked; a=s(); c=s(); b=t()
{A} [bought|filled|packed] {a} {bins} of {col} {x} and {c} {bins} of {col2} {x}. Each {bin} holds {b}. How many {x} [are there|did {A.he} get] [in all|]?
{A} filled {a} {bins} [on {day}|in the morning] and {c} {bins} [on {day2}|in the afternoon]. Each {bin} holds {b} {x}. How many {x} [is that|does {A.he} have] in all?
{A} has {a} [full |]shelves of {x} in one room and {c} in another. There are {b} {x} on every shelf. How many {x} are there?
{A} bought {a} {bins} of {x} and {B} bought {c}. There are {b} {x} in each. How many {x} do they have together?
= {bins}: t=a+c; {x}: t*b

each_has_two; x=keep+fruit+clothes; y=school+sweet; k=s(); a=s(); b=s()
{A} [packs|makes|fills] {k} [gift bags|{bins}]. In each {A.he} puts {a} {x} and {b} {y}. How many things does {A.he} [use|pack|need] in all?
There are {k} [children|friends|tables]. Each gets {a} {x} and {b} {y}. How many things is that altogether?
{A} found {k} [old |]{bins}. Each had {a} {x} and {b} {y} inside. How many things did {A.he} find?
= in each: e=a+b; in all: e*k

sold_some_price; x=goods+baked; a=n(6); b=below(a); p=s()
{A} had {a} {x} to sell. At the end of the day {b} were left. Each {x1} [costs|was sold for] {$p}. How much money did {A.he} [make|take in|earn]?
A [shop|stand|school] started with {a} {x} at {$p} each and had {b} left [in the evening|at closing time]. How much did it earn?
{A} sold {x} for {$p} each. {A.He} began with {a} and ended with {b}. How much money did {A.he} make?
= {x} sold: s=a-b; money: s*p

two_buy; x=goods; p=s(); a=s(); b=s()
{A} and {B} each [buy|want] {x} [that cost|at] {$p} each. {A} buys {a} and {B} buys {b}. How much do they [pay|spend] together?
{A} bought {a} {x} on {day} and {b} {x} on {day2}. Each {x1} cost {$p}. How much did {A.he} spend in all?
A ticket [to the {place}|for the show] costs {$p}. {a} [adults|boys] and {b} [children|girls] go. How much do the tickets cost [altogether|in all]?
= number: n=a+b; cost: n*p

points; p=s(); a=r(3,20); b=below(a)
{A} gets {p} points for [each|every] [bag of cans|right answer|level|book]. {A.He} had {a} but did not [hand in|finish] {b} of them. How many points did {A.he} get?
A [quiz|test|game] had {a} [questions|rounds] worth {p} points each. {A} missed {b} of them. How many points did {A.he} score?
= counted: c=a-b; points: c*p

points_two; p=s(); a=s(); b=s()
In a game {A} [beat|caught|found] {a} [monsters|stars|coins] [on|in] the first level and {b} in the second. Each is worth {p} points. What was {A.his} score?
{A} scored {a} goals and {B} scored {b}. Each goal counts {p} points. How many points did they score together?
= number: n=a+b; points: n*p

team_points; k=s(); p=s(); c=r(2,12); a=k*p+c
A team scored {a} points [in all|]. {A} scored {c} of them, and the other players scored {p} each. How many other players [scored|were there]?
= points of the others: o=a-c; players: o/p

then_gets; x=keep+food+school; a=n(); b=below(a); c=n()
{A} had {a} {x}. {A.He} [gave away|lost|sold|ate|used] {b} and then [bought|found|got|made] {c} more. How many {x} [does {A.he} have|are there] now?
{A} [threw away|gave {B}] {b} of {A.his} {a} {x} and bought {c} new ones. How many {x} does {A.he} have [now|]?
There were {a} [people|kids|students] [on the bus|in line|in the room]. {b} left and {c} more came. How many are there now?
At the start of the year a class had {a} students. {b} moved away and {c} new ones came. How many students [were|are] in the class [in the end|then]?
= after that: l=a-b; now: l+c

gets_then; x=keep+food+school; a=n(); b=n(); c=below(a+b)
{A} had {a} {x}. {A.He} [bought|found|got|made|picked] {b} more. Then {A.he} [gave {c} to {B}|lost {c}|ate {c} of them|sold {c}]. How many {x} [does {A.he} have left|are left|does {A.he} have now]?
{A} has {a} {x} and {B} has {b}. They [gave away|sold|used] {c} [of them|together]. How many {x} do they have left?
{A} [took|made] {a} [pictures|drawings] at the {place} and {b} at the {shop}. {A.He} [deleted|threw out] {c} of them. How many [are left|does {A.he} still have]?
There were {a} {x} in the {bin}. {A} put in {b} more, and {B} took out {c}. How many are in the {bin} now?
{A} had {a} [math problems|pages] and {b} [spelling words|more pages] to do. {A.He} did {c} [at school|before dinner]. How many are left?
= together: t=a+b; left: t-c

lose_twice; x=keep+food; a=n(8); b=r(1,a//2); c=r(1,a//2-1)
{A} had {a} {x}. {A.He} [gave|sold] {b} to {B} and {c} to {C}. How many {x} [does {A.he} have left|are left]?
{A} had {a} {x}. {A.He} [ate|used|lost|sold] {b} [in the morning|on {day}] and {c} [in the evening|on {day2}]. How many are left?
{a} [birds|ducks|people] were at the lake. {b} [went|flew] away first, then {c} more. How many stayed?
= after the first: l=a-b; left: l-c

money_two_spent; a=money(20,100); b=less(a//2); c=less(a//2)
{A} had {$a}. {A.He} spent {$b} on [a {x1}|lunch|a ticket] and {$c} on [a {y1}|a drink|a gift]. How much money does {A.he} have left?
{A} took {$a} to the {shop}. {A.He} bought a {x1} for {$b} and a {y1} for {$c}. How much [is left|did {A.he} have left]?
A {x1} costs {$b} and a {y1} costs {$c}. {A} pays for both with {$a}. How much change does {A.he} get?
= after the first: l=a-b; money left: l-c

money_in_out; a=money(); b=money(); c=less(a+b)
{A} [earned|made|got] {$a} [in spring|in {month}|from {A.his} {kin}] and {$b} [in summer|in {month2}|from {B}]. {A.He} spent {$c} on [supplies|a {x1}|food]. How much [does {A.he} have left|money is left]?
{A} had {$a} and [found|earned|got] {$b} more. Then {A.he} paid {$c} for a {x1}. How much is left?
{A} has {$a} in {A.his} bank. {A.He} puts in {$b} and takes out {$c}. How much is in the bank now?
= money in all: t=a+b; money left: t-c

money_need; a=money(10,100); b=less(a//2); c=less(a//2)
A {x1} costs {$a}. {A} has saved {$b} and {A.his} {kin} gives {A.him} {$c}. How much more does {A.he} need?
{A} wants [a {x1}|to go on a trip] that costs {$a}. {A.He} has {$b} and earns {$c}[ on {day}|]. How much money is still missing?
= money so far: t=b+c; more needed: a-t

need_more_two; x=countable; a=n(8); b=r(1,a//2); c=r(1,a//2-1)
{A} needs {a} {x}. {A.He} has {b}, and {B} gives {A.him} {c}. How many more {x} does {A.he} need?
{A} wants to [make|sell|collect] {a} {x}. {A.He} got {b} [last week|on {day}] and {c} [this week|on {day2}]. How many more [must {A.he} get|are needed|does {A.he} need]?
= so far: t=b+c; more needed: a-t

price_change; x=goods; k=s(); p=s(); e=r(1,40); a=k*p+e
{A} buys {k} {x} for {$p} each. {A.He} pays with {$a}. How much change does {A.he} get?
{A} had {$a}. {A.He} bought {k} {x} that cost {$p} each. How much money is left?
= cost: c=k*p; money left: a-c

price_plus; x=goods; y=goods; k=s(); p=s(); c=money(3,50)
{A} bought {k} {x} at {$p} each and a {y1} for {$c}. How much did {A.he} [spend|pay] [in all|altogether]?
{A} pays {$c} to get into the [fair|park|zoo] and then {$p} for each of {k} rides. How much does {A.he} spend?
A plumber asks {$c} to come and {$p} for each hour. How much does a job of {k} hours cost?
= cost of {k}: t=k*p; in all: t+c

fee_hours; k=s(); p=r(5,60); c=r(10,200); a=k*p+c
A [mechanic|plumber|painter] charges {$p} an hour and {$c} for parts. The bill is {$a}. How many hours did the job take?
{A} paid {$a} [in all |]to rent a [bike|boat|car]. It cost {$c} [at the start|to begin with] and {$p} for each day. For how many days did {A.he} rent it?
= for the hours: t=a-c; hours: t/p

spend_rest; x=goods; k=s(); p=s(); c=money(2,30); a=k*p+c
{A} had {a} dollars. {A.He} spent {c} dollars on [lunch|a gift] and the rest on {x} that cost {p} dollars each. How many {x} did {A.he} buy?
{A} [earned|got] {a} dollars and {c} of it went to [{A.his} {kin}|savings]. With the rest {A.he} bought {x} for {p} dollars each. How many did {A.he} [buy|get]?
= the rest: l=a-c; {x}: l/p

saved_more_buy; x=goods; p=s(); q=s(); b=below(p*q); a=p*q-b
{A} had {$a} and got {$b} [for {A.his} birthday|from {B}|for helping]. How many {x} can {A.he} buy at {$p} each?
{A} earned {$a} on {day} and {$b} on {day2}. {A.He} buys {x} that cost {$p} each. How many can {A.he} buy?
= money: t=a+b; {x}: t/p

earn_rooms; a=r(4,20); b=below(a); h=s()
{A} has to [paint|clean] {a} [rooms|windows|fences]. {A.He} [has finished|already did] {b}. Each takes {h} [u:hours|minutes]. How [long will the rest take|many {u1} will the rest take]?
A [house|school|wall] needs {a} [windows|doors|panels], and {b} are [done|in place]. Each takes {h} hours. How many hours are left to work?
= left to do: l=a-b; time: l*h

candy_days; x=sweet+baked+fruit; c=s(); q=s(); b=below(c*q); a=c*q-b
{A} got {a} {x} from {B} and {b} from {C}. {A.He} eats {c} a day. How many days [will they last|do they last]?
{A} has {a} {x} at home and buys {b} more. The family eats {c} {x} every day. For how many days is that enough?
= {x} in all: t=a+b; days: t/c

bunches; x=flower+food; c=s(); q=s(); b=n(); a=c*q+b
{A} picked {a} {x}, but {b} [wilted|were bad|got lost]. {A.He} [ties|packs] the rest in [bunches|bundles] of {c}. How many [bunches|bundles] can {A.he} make?
= {x} left: l=a-b; bunches: l/c

rides; p=s(); q=r(2,6); b=r(1,20); a=p*q+b
{A} bought {a} tickets at the fair. {A.He} used {b} [at the games|for food]. Each ride takes {p} tickets. How many rides can {A.he} go on?
= tickets left: l=a-b; rides: l/p

ticket_price; a=r(5,30); b=below(a); p=s()
{A} bought {a} tickets at the fair and had {b} left [at the end|in the evening]. Each ticket cost {p} dollars. How much [money |]did the used tickets cost?
= tickets used: u=a-b; cost: u*p

more_total; x=countable; a=n(); b=n()
{A} has {a} {x}. {B} has {b} more than {A}. How many {x} do they have [together|in all|altogether]?
{A} [v:found/find|picked/pick|read/read|sold/sell] {a} {x}, and {B} {v1} {b} more than {A}. How many {x} did they {v2} in all?
The {shop} sold {a} {x} on {day} and {b} more on {day2} than on {day}. How many did it sell on both days?
= {x} of the second: s=a+b; together: a+s

fewer_total; x=countable; a=n(4); b=below(a)
{A} has {a} {x}. {B} has {b} fewer. How many {x} do they have [together|in all|altogether]?
{A} [found|picked|made|sold] {a} {x}. {B} got {b} less than that. How many {x} [is that|are there] altogether?
= {x} of the second: s=a-b; together: a+s

times_total; x=countable; a=t(); k=s()
{A} has {a} {x}. {B} has {k.times} as many. How many {x} do they have [together|in all|altogether]?
{A} [v:found/find|made/make|sold/sell|ate/eat] {a} {x}. {B} {v1} {k.times} as many. How many {x} did they {v2} [together|in all]?
A {x1} costs {$a}. A {y1} costs {k.times} as much. How much do both cost together?
= the second: s=a*k; together: a+s

times_more; x=countable; a=t(); k=r(2,9)
{A} has {a} {x}. {B} has {k.times} as many. How many more {x} does {B} have than {A}?
= the second: s=a*k; difference: s-a

half_total; x=countable; q=n(); a=q*2
{A} [sold|has|read|picked] {a} {x}. {B} [got|has] half as many. How many {x} is that [together|in all]?
{A} sold {a} {x} in {month} and half as many in {month2}. How many {x} did {A.he} sell in the two months?
= half: h=a/2; together: a+h

half_then; x=countable; q=n(3); a=q*2; b=below(q)
{A} had {a} {x}. {A.He} gave half of them to {B} and [lost|sold|ate] {b}. How many {x} are left?
Half of {A}'s {a} {x} are {col}. {b} of the {col} ones are broken. How many {col} ones are not broken?
= half: h=a/2; left: h-b

half_back; x=keep; b=r(1,30); q=r(b+1,b+60)
{A} sold half of {A.his} {x} and then bought {b} more. Now {A.he} has {q}. How many {x} did {A.he} have [at first|to begin with]?
= before buying: h=q-b; at first: h*2

fraction_left; x=countable; k=r(3,6); q=t(); a=k*q
{A} had {a} {x}. {A.He} gave [a|one] {k.frac} of them to {B}. How many {x} [are left|does {A} have left]?
There are {a} [students|people|animals] at the {place}. [A|One] {k.frac} of them [leave|are sleeping]. How many [stay|are not]?
= part: p=a/k; left: a-p

percent_of; x=countable; p=pick(10,20,25,30,40,50,60,75,80,90); a=r(1,20)*20
{p}% of the {a} {x} [in the {bin}|at the {shop}] are {col}. How many {x} are {col}?
{A} has {a} {x}. {A.He} [gives|sells] {p}% of them. How many {x} is that?
Of {a} [students|people|guests], {p} percent [walk|like tea|came by bus]. How many is that?
= part: a*p/100

average; a=r(5,95); b=r(5,95); u=(a+b)%2; c=b+u
{A} [scored|got|ran|read] {a} on {day} and {c} on {day2}. What is the average?
What is the average of {a} and {c}?
= sum: t=a+c; average: t/2

rate_scale; k=s(); q=s(); m=s(); a=k*q
{A} [makes|reads|packs] {a} {x} in {k} hours. How many can {A.he} do in {m} hours?
{k} {x} cost {$a}. How much do {m} {x} cost?
A [car|train] goes {a} miles in {k} hours. How far does it go in {m} hours at the same speed?
{k} [machines|workers|hens] make {a} {y} a day. How many do {m} make?
= for one: e=a/k; in all: e*m

rate_scale_days*; k=s(); q=s(); m=s(); a=k*q
{A} uses {a} {x} every {k} days. How many does {A.he} use in {m} days?
= for one: e=a/k; in all: e*m

time_for; k=s(); q=s(); m=s(); a=k*q; b=q*m
A pump fills {a} [tanks|buckets] in {k} hours. How many hours does it need for {b}?
{A} reads {a} pages in {k} days. How many days does {A.he} need for {b} pages?
= for one: e=a/k; needed: b/e

three_factors; x=countable; a=s(); b=s(); c=s()
{A} has {a} {bins}. Each has {b} [packs|bundles|sets] with {c} {x} in each. How many {x} [are there|does {A.he} have]?
There are {a} [houses|schools|floors] with {b} rooms each. Every room has {c} {y}. How many {y} are there?
{A} works {a} hours a day, {b} days a week, and earns {$c} an hour. How much does {A.he} earn a week?
{A} [runs|walks|drives] {c} miles a day, {b} days a week. How many miles is that in {a} weeks?
= first: f=a*b; in all: f*c

daily_pages; c=s(); b=s(); a=b*c+r(1,100)
A book has {a} pages. {A} reads {b} pages a day. How many pages are left after {c} days?
{A} has {a} [dollars|{x}] and uses {b} every day. How many are left after {c} days?
= used: u=b*c; left: a-u

weekly_goal; c=s(); b=s(); q=s(); a=b*q+c
{A} wants to save {$a}. {A.He} has {$c} and saves {$b} each week. How many weeks will it take?
A tree is {c} feet tall and grows {b} feet [a|every] year. After how many years is it {a} feet tall?
= still needed: l=a-c; time: l/b

ages_sum; a=r(5,40); b=r(2,20)
{A} is {a} years old. {B} is {b} years older. What is the sum of their ages?
= age of {B}: o=a+b; sum: a+o

ages_in; a=r(5,40); b=r(2,20); c=r(2,15)
{A} is {a} years old. {B} is {b} years older than {A}. How old will {B} be in {c} years?
{B} is {b} years older than {A}. {A} is {a}. How old will {B} be {c} years from now?
= age of {B}: o=a+b; in {c} years: o+c

ages_times; a=r(3,25); k=r(2,4); c=r(1,15)
{A} is {a} years old. {A.His} {kin} is {k.times} as old. How old will {A.his} {kin} be in {c} years?
= age now: o=a*k; in {c} years: o+c

dozen_left; x=food+flower; a=s(); b=below(a*12)
{A} [bought|baked|picked] {a} dozen {x}. {A.He} [gave away|used|sold|ate] {b}. How many {x} are left?
= {x}: t=a*12; left: t-b

dozen_price; x=food+flower; a=s(); p=s()
{A} buys {a} dozen {x}. Each {x1} costs {$p}. How much does {A.he} pay?
= {x}: t=a*12; cost: t*p

coins_two; a=t(); b=t()
{A} has {a} dimes and {b} pennies. How many cents [is that|does {A.he} have]?
{A} found {a} coins of 10 cents and {b} coins of 1 cent. How many cents did {A.he} find?
= dimes: d=a*10; cents: d+b

hours_min_sum; a=r(1,6); b=r(5,55)
A [movie|trip|class] takes {a} hours and {b} minutes. How many minutes is that?
{A} practiced for {a} hours and {b} minutes. How many minutes did {A.he} practice?
= hours: h=a*60; minutes: h+b

perimeter; a=t(); b=s()
A rectangular [garden|field|room] is {a} [u:feet|meters] long and {b} {u1} wide. What is its perimeter?
{A} puts a fence around a yard that is {a} [u:feet|meters] long and {b} {u1} wide. How many {u1} of fence does {A.he} need?
= half way: h=a+b; perimeter: h*2

four_sides; a=t(); k=s()
{A} walks around a square park {k} times. Each side is {a} meters long. How many meters does {A.he} walk?
= once around: o=a*4; in all: o*k

both_ways; a=s(); k=s()
It is {a} [u:miles|blocks|feet] from {A}'s [house|desk|room] to the {place}. {A.He} goes there and back {k} times. How many {u1} does {A.he} go?
= there and back: o=a*2; in all: o*k

legs_two; a=s(); b=s()
There are {a} [dogs|cows|sheep|pigs] and {b} [birds|hens|ducks|chickens] [on a farm|in the yard]. How many legs do they have [in all|altogether]? [Four-legged animals have 4 and birds have 2.|]
= legs of the first: f=a*4; legs of the second: g=b*2; in all: f+g

wheels; a=s(); b=s()
There are {a} bikes and {b} cars [at the {place}|outside]. A bike has 2 wheels and a car has 4. How many wheels are there?
= wheels of bikes: f=a*2; wheels of cars: g=b*4; in all: f+g

kinds_ask_one; x=bought; y=bought; a=n(); b=n(); c=n()
{A} had {a} {x} and {b} {y}. {A.He} [bought|got|found] {c} more {x}. How many {x} does {A.he} have now?
There are {a} {x} and {b} {y} in the {bin}. {A} [puts|placed] {c} {x} in the {bin}. How many {x} are in the {bin} now?
= {x} now: a+c

kinds_lose_one; x=bought; y=bought; a=n(3); b=n(); c=below(a)
{A} had {a} {x} and {b} {y}. {A.He} [lost|gave {B}|sold|used] {c} {x}. How many {x} does {A.he} have left?
= {x} left: a-c

lost_game; a=n(5); b=below(a); c=r(1,9)
{A}'s team played {a} games of {game} this year. They lost {b} of them. They scored {c} goals in each game they won. How many goals did they score in games they won?
= games won: w=a-b; goals: w*c

inverse_two; x=keep+food; b=n(); c=n(); d=n()
{A} had some {x}. {A.He} gave {b} to {B} and {c} to {C}. Now {A.he} has {d} left. How many {x} did {A.he} have at first?
= given away: g=b+c; at first: g+d

inverse_in*; x=keep+food; b=n(); c=n(); t=r(b+c+1,b+c+90)
{A} had some {x}. {B} gave {A.him} {b} and {C} gave {A.him} {c}. Now {A.he} has {t}. How many {x} did {A.he} have at first?
= given: g=b+c; at first: t-g

left_to_share*; x=fruit+keep; c=s(); q=s(); b=n(); a=c*q+b
A [farmer|woman|shop] has {a} {x} and keeps {b}. The others are for {c} neighbors, who all get the same number. How many {x} does one neighbor get?
= {x} to give: l=a-b; {x} each: l/c

group_fee*; a=s(); b=s(); p=s()
{a} children and {b} adults visit the {place}. Everyone pays {$p}. How much do they pay in all?
= people: n=a+b; cost: n*p

jars_minus*; x=keep+fruit; a=s(); b=t(); c=below(a*b)
{A} fills {a} jars with {b} {x} each. Then {c} {x} fall out. How many {x} are still in the jars?
= {x} in all: t=a*b; {x} left: t-c

bus_stops*; a=n(8); b=below(a); c=n()
A bus has {a} people on it. At a stop {b} get off and {c} get on. How many people are on the bus?
= after that: l=a-b; now: l+c

sum_minus*; x=baked+fruit; a=n(); b=n(); c=below(a+b)
{A} made {a} {x} and {A.his} {kin} made {b}. The guests ate {c}. How many {x} were left?
= together: t=a+b; left: t-c
"""
