"""Word problems of one operation, in English. `grammar.py` says how a block is read."""

ONE = r"""
lost; x=keep; a=n(); b=below(a)
{A} [had|has|owned|collected] {a} {x}. {A.He} [lost|gave away|dropped|broke|traded away|threw away|sold] {b} of [them|the {x}]. How many {x} [does {A} have [left|now|]|does {A.he} have left|are left]?
{A} [has|had] {a} {x}[ in a {bin}| in {A.his} room|]. {A.He} [gives|gave] {b} [of them |of the {x} |]to {B}. How many {x} [will {A} have|does {A} have left|does {A.he} have now|remain]?
There were {a} {x} in the {bin}. {A} took [out |]{b} of them. How many {x} are [left|still] in the {bin}?
{A} [started|starts] with {a} {x}. {B} [took|takes] {b} [of them |]away. How many {x} does {A} [end|finish] with?
{A} found {a} {x}, but {A.he} [lost|gave] {b} of them[ to {B}|]. How many {x} [does {A.he} have now|are left]?
= {x} left: a-b

eat; x=eat; a=n(); b=below(a)
{A} [had|baked|bought|made|has] {a} {x}. {A.He} [ate|gave {B}|shared|dropped] {b} of them. How many {x} [are left|does {A} have left|remain|does {A.he} still have]?
There [were|are] {a} {x} [on the {place} table|on a plate|in the {bin}|on the counter|in the kitchen]. {A} [ate|eats|took|takes] {b} of them. How many {x} are [left|still there]?
{A}'s [mom|dad|aunt|grandmother] [made|baked|bought] {a} {x} for a [party|picnic|birthday|bake sale]. The [guests|children|family] ate {b} {x}. How many {x} were not eaten?
{A} [bought|picked up] a {bin} of {a} {x}. After a [week|few days|day], {b} {x} had been eaten. How many were left?
= {x} left: a-b

spent; a=money(5,100); b=less(a)
{A} [had|has] {$a}. {A.He} spent {$b} [on a {x1}|at the {shop}|on lunch|on snacks|on a gift]. How much money does {A} have left?
{A} went to the {shop} with {$a}. {A.He} paid {$b} for [a {x1}|some {x}|two {x}]. How much [money |]did {A.he} have [left|afterward]?
{A} saved {$a}. Then {A.he} bought a {x1} for {$b}. How many dollars [are left|does {A.he} have now|remain]?
{A}'s {kin} gave {A.him} {$a}. {A.He} [used|spent] {$b} to buy {x}. How much is left?
A {x1} costs {$b}. {A} pays with {$a}. How much change [does {A.he} get|should {A.he} get back|will {A.he} receive]?
= money left: a-b

away; x=animal; a=n(); b=below(a)
There were {a} {x} [in the {place}|in a tree|on the hill|by the lake|on a fence]. {b} [of them|{x}] [ran|went|walked] away. How many {x} [are left|stayed|are still there]?
{a} {x} were [resting|sitting|playing|sleeping] [in the {place}|in the sun|by the water]. Then {b} of them left. How many {x} [are there now|remained]?
A farmer has {a} {x}. He [sells|sold|lost] {b} of them. How many {x} does the farmer have [left|now]?
A [zoo|shelter|pet shop] had {a} {x}. [During the week|Last month|In one day] {b} {x} [found a new home|were sold|were moved to another place]. How many {x} are still at the [zoo|shelter|shop]?
= {x} left: a-b

people_left*; x=person; a=n(); b=below(a)
{a} {x} [got on the bus|were on the bus|were in the room|were at the party|were waiting in line] [at first|in the beginning|]. {b} [got off|left|went home] [early|after an hour|at the next stop|]. How many {x} [stayed|were still there|remained]?
= {x} left: a-b

gain; x=keep; a=n(); b=n()
{A} [had|has|owns] {a} {x}. {A.He} [got|gets|found|bought|was given|received|won|collected] {b} more[ {x}|][ from {B}| at the {shop}| on {day}|]. How many {x} does {A} have [now|in all|altogether|in total]?
{A} has {a} {x}. {B} [gives|gave|sends|hands] {A.him} {b} more. How many {x} [will {A} have|does {A.he} have now]?
There [are|were] {a} {x} in the {bin}. {A} [put|puts|placed|added|drops] {b} more {x} [in|into] the {bin}. How many {x} are [in the {bin} now|now in the {bin}|there now in all|there in total]?
{A} [starts|started|begins] with {a} {x} and [gets|finds|buys|wins] {b} more. How many {x} does {A.he} [end with|have now|have in the end]?
{A}'s {x1} collection has {a} pieces. {A.His} {kin} gives {A.him} {b} more {x}. How many {x} are in the collection now?
= {x} now: a+b

both; x=bought; a=n(); b=n()
{A} [v:has|bought|found|counted|collected|picked|got] {a} {x}. {B} {v1} {b} {x}. How many {x} [do they have|are there|is that] [in all|altogether|together|in total|combined]?
{A} has {a} {x} and {B} has {b} {x}. [What is the total number of {x}|How many {x} do {A} and {B} have together|How many {x} do they have altogether]?
{A} [v:picked/pick|bought/buy|got/get|found/find|counted/count|sold/sell|made/make|used/use] {a} {x} [on {day} and {b} {x} on {day2}|in the morning and {b} in the afternoon|last week and {b} this week|in {month} and {b} {x} in {month2}|at the {shop} and {b} {x} at the {place}]. How many {x} did {A.he} {v2} [in all|altogether|in total|]?
There are {a} {x} on the [table|shelf|desk|floor] and {b} {x} in the {bin}. How many {x} are there [in all|altogether|in total]?
= total {x}: a+b

colors; x=keep+flower+clothes; a=n(); b=n()
{A} has {a} {col} {x} and {b} {col2} {x}. How many {x} does {A} have [in all|altogether|total|in total]?
There are {a} {col} {x} and {b} {col2} {x} in [a|the] {bin}. How many {x} are in the {bin}?
A {shop} sold {a} {col} {x} and {b} {col2} {x} [yesterday|today|last week]. How many {x} did it sell [in total|in all]?
{A} [v:made|painted|used] {a} {col} {x} and {B} {v1} {b} {col2} {x}. What is the total number of {x}?
= total {x}: a+b

kinds; x=bought; y=bought; a=n(); b=n()
{A} [v:bought/buy|sold/sell|packed/pack|found/find|made/make|carried/carry] {a} {x} and {b} {y}. How many [things|items|pieces] [did {A.he} {v2}|is that] [in all|altogether|total|in total]?
A {bin} has {a} {x} and {b} {y} in it. How many things are in the {bin}?
= total: a+b

people_total; x=person; y=person; a=n(); b=n()
{a} {x} and {b} {y} [came to the {place}|went on the trip|are on the bus|are in the room|ate lunch together|played {game}]. How many people [is that|were there|are there] [in all|altogether|in total]?
There are {a} boys and {b} girls in the [class|school|club|team|choir]. How many [children|students|kids] are there [in all|altogether|]?
On {day} {a} people visited the {place}. On {day2} {b} people visited. How many people visited on the two days?
= total people: a+b

animals_total; x=pet+farm+wild; y=pet+farm+wild; a=n(); b=n()
There are {a} {x} and {b} {y} [on a farm|at the {place}|in the barn|in the field]. How many animals [are there|is that] [in all|altogether|in total]?
{A} [v:saw/see|counted/count|fed/feed] {a} {x} and {b} {y} at the {place}. How many animals did {A.he} {v2} [in all|]?
= total animals: a+b

plant*; x=tree; a=n(); b=n()
A town counts {a} {x} along its streets. Volunteers want to plant {b} more [this week|soon|in spring]. How many {x} will stand there [after that|then]?
= {x} after: a+b

join; x=person+animal; a=n(); b=n()
{a} {x} were [in the {place}|by the {place}|under a tree]. {b} more {x} [came|joined them|arrived]. How many {x} are there now?
There [were|are] {a} {x} at the {place}. Then {b} more [show up|came|arrive]. How many {x} is that [now|altogether]?
= {x} now: a+b

distance_total; a=measure(); b=measure()
{A} [walked|ran|biked|hiked|drove|jogged] {a} [u:miles|kilometers] [in the morning and {b} {u1} in the afternoon|on {day} and {b} {u1} on {day2}|to the {place} and then {b} {u1} to the {shop}]. How far did {A} go [in all|altogether|in total]?
{A} ran {a} miles. Later {A.he} [walked|jogged|ran] {b} [more |]miles. How many miles did {A.he} cover [in all|in total]?
= total distance: a+b

stuff_total; a=measure(1,12); b=measure(1,12)
{A} [v:used/use|bought/buy|mixed/mix] {a} [u:cups|pounds|liters|kilograms] of [flour|sugar|rice|paint|sand|water] and {b} {u1} of [milk|salt|beans|glue|soil|juice]. How [much|many {u1}] did {A.he} {v2} in all?
A [bucket|tank|bottle|pot] holds {a} [gallons|liters|cups] of water. {A} [adds|pours in] {b} more. How much water is in it now?
{A} bought {a} [u:pounds|kilograms] of {x} and {b} {u1} of {y}. How many {u1} [of food |]did {A.he} buy [in all|altogether]?
= total amount: a+b

stuff_left; a=measure(2,20); b=less(a)
A [tank|bucket|barrel|jug] [has|had] {a} [gallons|liters|quarts] of [water|juice|milk|oil] in it. {A} [used|poured out|drank|spilled] {b} of them. How much is left?
{A} has a [rope|ribbon|board|string|pipe] that is {a} [u:feet|meters|inches] long. {A.He} [cuts off|uses|gives away] {b} {u1}. How long is the piece that is left?
A [truck|cart|boat] carried {a} [tons|pounds|kilograms] of [sand|coal|grain|rice]. It [lost|dropped off|unloaded] {b} on the way. How much does it still carry?
= amount left: a-b

longer; a=measure(2,20); b=less(a)
{A}'s [pencil|rope|ribbon|hair|stick|scarf] is {a} [u:inches|centimeters|feet] long. {B}'s is {b} {u1} long. How much longer is {A}'s?
{A} [v:ran|walked|biked|swam] {a} [miles|kilometers|laps] and {B} {v1} {b}. How much farther did {A} go than {B}?
{A} weighs {a} pounds, but {B} only {b}. By how many pounds is {A} heavier?
The [oak|tower|first plant|red building] is {a} [u:feet|meters] tall and the [pine|house|second plant|white building] is {b} {u1} tall. What is the difference [in|between their] height[s|]?
= difference: a-b

compare_more; x=countable; a=n(3); b=below(a)
{A} has {a} {x}. {B} has {b} {x}. How many more {x} does {A} have than {B}?
{A} [v:found/find|picked/pick|made/make|sold/sell|used/use|bought/buy] {a} {x} and {B} {v1} {b}[ {x}|]. How many more {x} did {A} {v2} than {B}?
{A} [v:found/find|picked/pick|made/make|sold/sell|used/use|bought/buy] {a} {x} and {B} {v1} {b}. How many fewer {x} did {B} {v2}[ than {A}|]?
{B} has {b} {x} and {A} has {a} {x}. [What is the difference|How many fewer {x} does {B} have than {A}|How many more {x} does {A} have]?
There are {a} {x} in the [v:first|big|red] {bin} and {b} {x} in the [second|small|blue|other] {bin}. How many more {x} are in the {v1} {bin}?
= difference: a-b

compare_kinds; x=countable; y=countable; a=n(3); b=below(a)
{A} has {a} {x} and {b} {y}. How many more {x} than {y} does {A.he} have?
There are {b} {y} and {a} {x} [in the {bin}|on the table|at the {shop}]. How many [more {x} than {y}|fewer {y} than {x}] are there?
A {shop} has {a} {x} and {b} {y}. [How many more {x} are there than {y}|What is the difference between the number of {x} and the number of {y}]?
= difference: a-b

compare_days; x=person+print; a=n(3); b=below(a)
{a} {x} were counted on {day} and {b} on {day2}. How many more {x} were there on {day} than on {day2}?
{A} [sent|got|wrote] {a} [letters|emails|messages] in {month} and {b} in {month2}. How many more did {A.he} [send|get|write] in {month}?
Last year the {place} had {b} visitors. This year it had {a} visitors. By how many did the number [grow|go up|increase]?
The {place} had {a} visitors on {day} but only {b} on {day2}. How many fewer visitors came on {day2}?
= difference: a-b

more_than; x=countable; a=n(); b=n()
{A} has {a} {x}. {B} has {b} more {x} than {A}. How many {x} does {B} have?
{B} [v:found/find|picked/pick|made/make|sold/sell|ate/eat] {b} more {x} than {A}. {A} {v1} {a}[ {x}|]. How many {x} did {B} {v2}?
The {shop} sold {a} {x} [last week|on {day}]. It sold {b} more {x} [this week|on {day2}] than [last week|on {day}]. How many {x} did it sell [this week|on {day2}]? ## {x} sold
= {x} of {B}: a+b

fewer_than; x=countable; a=n(4); b=below(a)
{A} has {a} {x}. {B} has {b} fewer {x} than {A}. How many {x} does {B} have?
{B} [v:found/find|picked/pick|sold/sell|made/make] {b} [fewer|less] {x} than {A}. {A} {v1} {a}. How many did {B} {v2}?
{A} has {a} {x}, which is {b} more than {B} has. How many {x} does {B} have?
{A} has {b} more {x} than {B}. {A} has {a} {x}. How many [{x} |]does {B} have?
= {x} of {B}: a-b

times_as; x=countable; a=t(); k=s()
{A} has {a} {x}. {B} has {k.times} as many {x} as {A}. How many {x} does {B} have?
{B} [v:found/find|made/make|sold/sell|bought/buy] {k.times} as many {x} as {A}. {A} {v1} {a}. How many {x} did {B} {v2}?
{A} [ran|walked|swam] {a} [miles|laps|kilometers]. {B} went {k.times} as far. How far did {B} go? ## distance
A {x1} costs {$a}. A {y1} costs {k.times} as much. [How much does the {y1} cost|What is the price of the {y1}]? ## price
= {x} of {B}: a*k

times_less*; x=countable; k=s(); q=t(); a=k*q
{A} has {a} {x}. That is {k.times} as many as {B} has. How many {x} does {B} have?
{A} has {k.times} as many {x} as {B}. {A} has {a} {x}. How many {x} does {B} have?
= {x} of {B}: a/k

how_many_times; x=countable; k=s(); q=t(); a=k*q
{A} has {a} {x}. {B} has {q} {x}. How many times as many {x} does {A} have as {B}?
The [oak|tower|big dog|red rope] [weighs|is] {a} [pounds|feet] and the [bush|house|small dog|blue rope] {q} [pounds|feet]. How many times as much is the first as the second?
= times: a/q

groups; x=countable; a=s(); b=t()
[There are|{A} has|{A} bought|{A} packed] {a} {bins} of {x}. [Each {bin} has|There are|Every {bin} holds] {b} {x}[ in each {bin}|]. How many {x} [are there|is that|does {A} have] [in all|altogether|in total]?
{A} [fills|packed|has] {a} {bins} with {b} {x} each. How many {x} [are there|does {A.he} have]?
There are {b} {x} in each {bin}. How many {x} are in {a} {bins}?
{A} [puts|put|places] {b} {x} in each of {a} {bins}. How many {x} [does {A.he} use|are there] in all?
= total {x}: a*b

rows; x=plant+home+person; a=s(); b=t()
[There are|{A} plants|The {place} has] {a} rows of {x}. Each row has {b} {x}. How many {x} are there [in all|altogether]?
The {x} are [set|lined up|planted] in {a} rows with {b} in each row. How many {x} [are there|is that]?
A [garden|hall|field|room] has {a} rows and {b} columns of {x}. How many {x} are there?
= total {x}: a*b

each_person; x=countable; a=s(); b=t()
{a} [friends|children|students|players|kids] each [have|bring|get|buy|found] {b} {x}. How many {x} [do they have|is that] [in all|altogether]?
There are {a} [players|people|friends] on the team. Each one has {b} {x}. How many {x} do they have [in all|together]?
{A} wants to give {b} {x} to each of {A.his} {a} [friends|cousins|classmates|neighbors]. How many {x} [does {A.he} need|will {A.he} need]?
{a} friends went to the {place}. Each of them took {b} {x}. How many {x} did they take in all?
= total {x}: a*b

price_times; x=goods+school+food; a=s(); b=money(2,60)
Each {x1} costs {$b}. How much do {a} {x} cost?
{A} [bought|buys|wants to buy] {a} {x}. [Each one costs {$b}|Each {x1} costs {$b}|They cost {$b} each|The price is {$b} each]. How much [does {A.he} pay|will {A.he} spend|must {A.he} pay|money does {A.he} need]?
{A} [bought|buys] {a} {x} for {$b} each. How much did {A.he} spend [in all|altogether|]?
If one {x1} costs {$b}, how much would {a} {x} cost?
{A} sold {a} {x} for {$b} each. How much money did {A.he} [make|earn|get]?
= cost: b*a

wage; a=s(); b=money(5,30)
{A} earns {$b} [an hour|per hour|each hour|for every hour of work]. {A.He} works {a} hours. How much [money |]does {A.he} earn?
{A} gets paid {$b} for each [lawn|car|house|dog|window] {A.he} [cleans|takes care of|works on]. {A.He} did {a} of them. How much money did {A.he} make?
{A} saves {$b} [a|every|each] [t:week|month]. How much will {A.he} save in {a} {t1}s?
= money: b*a

speed; a=s(); b=r(2,70)
{A} [drives|rides|travels] at {b} [miles|kilometers] per hour for {a} hours. How far does {A.he} go?
A [train|car|bus|boat] goes {b} [miles|kilometers] an hour. How far does it go in {a} hours?
A [bird|plane|ship] moves at {b} miles per hour for {a} hours. [How far does it get|How many miles is that]?
{A} needs {a} hours for the way to {B}'s village, going {b} miles per hour. How far away is the village?
= distance: b*a

travel_time; a=s(); b=r(2,60); d=a*b
{A} [drives|travels|rides] {d} miles at {b} miles per hour. How [long does it take|many hours does the trip take]?
A [train|ship|bus] travels {d} [u:kilometers|miles] at {b} {u1} per hour. How many hours does it travel?
{A} has to go {d} miles. {A.He} goes {b} miles each hour. How many hours will it take?
= hours: d/b

speed_of*; a=s(); b=r(2,60); d=a*b
{A} [drove|rode|traveled] {d} miles in {a} hours. How [fast did {A.he} go in miles per hour|many miles did {A.he} go each hour]?
= speed: d/a

daily; x=task+food+print; a=s(); b=t()
{A} [reads|does|makes|writes|eats|sells] {b} {x} [a day|each day|every day|per day]. How many {x} [is that|will that be|are there] in {a} days?
{A} [v:makes/make|finishes/finish|sells/sell] {b} {x} every [t:hour|week|day]. How many {x} does {A.he} {v2} in {a} {t1}s?
A [factory|machine|bakery|printer] makes {b} {x} [per|each|every] [t:hour|day]. How many {x} does it make in {a} {t1}s?
= total {x}: b*a

legs; x=pet+farm; a=t()
How many legs do {a} {x} have, if each [one |{x1} |]has 4 legs?
There are {a} [chairs|tables|dogs|cats|horses|cows] in the {place}. Each has 4 legs. How many legs are there [in all|altogether]?
{A} sees {a} [cars|trucks] with 4 wheels each. How many wheels [are there|is that]?
= total: a*4

share; x=countable; k=s(); q=t(); a=k*q
{A} has {a} {x}. {A.He} shares them equally [among|with] {k} [friends|children|people|cousins]. How many {x} does each [friend|one|person] get?
{A} [wants to put|puts|packs|sorts] {a} {x} into {k} {bins}[ with the same number in each|equally|]. How many {x} [go|are|will be] in each {bin}?
{k} [friends|children|students] share {a} {x} [equally|evenly]. How many does each of them get?
There are {a} {x} and {k} [children|students|friends]. If the {x} are divided equally, how many {x} does each one get?
{k} guests come to {A}'s party, and there are {a} {x} to hand out. How many {x} does each guest get?
= {x} each: a/k

into_groups; x=countable; k=s(); q=t(); a=k*q
{A} has {a} {x}. {A.He} puts {k} {x} in each {bin}. How many {bins} does {A.he} [need|use|fill]?
{A} [wants to split|splits|sorts] {a} {x} into groups of {k}. How many groups [will there be|can {A.he} make|are there]?
Each {bin} [can hold|holds] {k} {x}. How many {bins} are needed for {a} {x}?
{a} {x} are packed in {bins} of {k}. How many {bins} are there?
= groups: a/k

how_many_can_buy; x=goods+food; k=s(); q=t(); a=k*q
{A} has {$a}. [Each {x1} costs {$k}|One {x1} costs {$k}|{x} cost {$k} each]. How many {x} can {A.he} buy?
{A} spent {$a} on {x} [that cost|at] {$k} each. How many {x} did {A.he} buy?
= {x}: a/k

unit_price; x=goods+food; k=s(); q=t(); a=k*q
{k} {x} cost {$a}. [How much does one {x1} cost|What is the price of one {x1}|How much is each {x1}]?
{A} paid {$a} for {k} {x}. Each one cost the same. How much did each {x1} cost?
{A} [earned|made] {$a} [for|by] working {k} hours. How much did {A.he} [earn|make] [per|each] hour?
= price: a/k

days_needed; x=task+print; k=s(); q=t(); a=k*q
{A} has {a} {x} to [do|finish|read]. {A.He} does {k} [a day|each day|every day]. How many days will it take?
{A} [did|finished] {k} {x} each day. How many days did {A.he} need for {a} {x}?
A book has {a} pages. {A} reads {k} pages [a day|each night|every evening]. How many days does {A.he} need [to finish it|for the book]?
= days: a/k

per_day*; x=task+print; k=s(); q=t(); a=k*q
{A} [has to finish|must do] {a} {x} in {k} days. {A.He} does the same number each day. How many {x} is that [each|per|a] day?
= {x} per day: a/k

need_more; x=countable; a=n(3); b=below(a)
{A} needs {a} {x} [for a party|for school|for a project|in all]. {A.He} [already has|has only] {b}[ {x}|]. How many more {x} does {A.he} need?
{A} has {b} {x}. How many more {x} does {A.he} [need|have to get|need to buy] to have {a} {x}?
{A} wants to [collect|have|get] {a} {x}. So far {A.he} has {b}. How many [more |]does {A.he} still need?
A recipe [needs|calls for|asks for] {a} cups of flour. {A} [already put in|has put in] {b} cups. How many more cups must {A.he} add?
The price of a {x1} is {$a}, and {A} has only {$b}. How much [money |]is missing?
= more needed: a-b

gave_some; x=keep+food; a=n(3); b=below(a)
{A} had {a} {x}. {A.He} [v:gave some to {B}/give to {B}|lost some of them/lose|sold some/sell|used some of them/use]. Now {A.he} has {b} {x}[ left|]. How many {x} did {A.he} {v2}?
{A} had {a} {x}. After [giving some to {B}|a week|the party|using some], {A.he} had {b} left. How many {x} [are gone|were used|did {A.he} get rid of]?
There were {a} {x} in the {bin}. {A} took some out. Now there are {b} {x} [left |]in the {bin}. How many {x} did {A.he} take?
= {x} gone: a-b

got_some; x=keep+food; a=n(3); b=below(a)
{A} had {b} {x}. {A.He} [v:found/find|bought/buy|got/get|made/make] some more. Now {A.he} has {a} {x}. How many {x} did {A.he} {v2}?
There were {b} {x} in the {bin}. {A} put some more in. Now there are {a}. How many {x} did {A.he} put in?
{A} had {b} {x} and {B} gave {A.him} some more. {A} now has {a} {x}. How many did {B} give {A.him}?
{b} {x} were on the table. Some more were [put|placed] there. Then there were {a} {x}. How many [more |]were [put|placed] there?
= {x} added: a-b

start_lost; x=keep+food; a=n(); b=n()
{A} had some {x}. {A.He} [gave {b} of them to {B}|lost {b}|sold {b} of them|ate {b}]. Now {A.he} has {a} {x} left. How many {x} did {A.he} have [at first|to start with|to begin with|in the beginning]?
After {A} gave {b} {x} to {B}, {A.he} had {a} left. How many {x} did {A.he} have before?
There were some {x} in a {bin}. {b} were taken out and {a} are left. How many {x} were in the {bin} [at first|at the start|originally]?
= {x} at first: a+b

start_gained*; x=keep+food; a=n(3); b=below(a)
{A} had some {x}. {A.He} [bought|found|got] {b} more. Now {A.he} has {a} {x}. How many {x} did {A.he} [start with|have at first]?
= {x} at first: a-b

rest_are; x=person+animal; a=n(3); b=below(a)
There are {a} {x} in the {place}. {b} of them [are big|are sleeping|wear hats|are new]. [The rest are not|The others are not]. How many are not?
A [class|school|club|team] has {a} students. {b} are girls[ and the rest are boys|]. How many [boys are there|are boys|boys are in it]?
{A} has {a} {y}. {b} are {col} and the rest are {col2}. How many are {col2}?
{A} played {a} games of {game} and won {b} of them. How many [games did {A.he} lose|did {A.he} not win]?
A [theater|bus|hall|plane] has {a} seats. {b} [seats are taken|people are sitting in it]. How many seats are [empty|free]?
= the rest: a-b

work_left; x=task+work; a=n(3); b=below(a)
{A} has {a} {x} to do. {A.He} has [done|finished] {b} of them. How many {x} are left to do?
{A} [must clean|has to look after] {a} {x}. {A.He} has already done {b}. How many does {A.he} still have to do?
A book has {a} pages. {A} has read {b} pages. How many pages [are left|does {A.he} still have to read]?
A [trip|road|race] is {a} miles long. {A} has gone {b} miles. How many miles are left?
= left: a-b

age_after; a=r(3,60); b=r(2,30)
{A} is {a} years old. How old will {A.he} be in {b} years?
{A} is {a} years old. {B} is {b} years older[ than {A}|]. How old is {B}?
{B} is {b} years older than {A}, who is {a}. What is {B}'s age?
= age of {B}: a+b

age_before; a=r(8,70); b=r(2,a-2)
{A} is {a} years old. How old was {A.he} {b} years ago?
{A} is {a} years old. {B} is {b} years younger. How old is {B}?
{A}'s {kin} is {a} years old. {A} is {b} years younger than that. How old is {A}?
= age: a-b

half; x=countable; q=n(); a=q*2
{A} has {a} {x}. {A.He} gives half of them to {B}. How many {x} does {A.he} [give away|give to {B}|have left]?
{A} has {a} {x}. {B} has half as many. How many {x} does {B} have?
Half of the {a} {x} are {col}. How many {x} are {col}?
{A} [spent|used] half of {A.his} {$a}. How [much money is that|many dollars did {A.he} spend]?
= half: a/2

fraction; x=countable; k=r(3,6); q=t(); a=k*q
One {k.frac} of {A}'s {a} {x} are {col}. How many of {A.his} {x} are {col}?
{A} has {a} {x}. {A.He} gives [one|a] {k.frac} of them to {B}. How many {x} does {B} get?
A {k.frac} of the {a} [students|people|guests] [walk home|like tea|are late]. How many is that?
= part: a/k

dozens; x=food+flower; a=s()
{A} [bought|has|picked] {a} dozen {x}. How many {x} [is that|does {A.he} have|are there]?
There are {a} dozen {x} in a {bin}. How many {x} are in the {bin}?
= {x}: a*12

coins_value; a=t(); k=pick(5,10,25); c={5:'nickels',10:'dimes',25:'quarters'}[k]; d={5:'nickel',10:'dime',25:'quarter'}[k]
{A} has {a} coins worth {k} cents each. How many cents does {A.he} have?
{A} [found|saved] {a} {c}. [A {d}|Each] is worth {k} cents. How many cents is that?
= cents: a*k

hours_minutes; a=s()
{A} [worked|played|practiced|waited] for {a} hours. How many minutes is that?
A [movie|trip|game] takes {a} hours. How many minutes does it take?
= minutes: a*60

minutes_hours*; q=s(); a=q*60
{A} [worked|played|practiced] for {a} minutes. How many hours is that?
= hours: a/60

weeks_days; a=t()
{A} will be away for {a} weeks. How many days is that?
How many days are there in {a} weeks?
There are {a} weeks until [the holidays|summer|{A}'s birthday]. How many days are there until then?
= days: a*7

feet_inches; a=t()
A [board|rope|table|wall] is {a} feet long. How many inches long is it?
{A}'s [desk|bed|shelf] is {a} feet wide. How many inches is that?
= inches: a*12

area; a=t(); b=s()
A [garden|room|rug|poster|field|wall] is {a} [u:feet|meters|inches] long and {b} {u1} wide. What is its area?
How large is the area of a rectangle that is {a} long and {b} wide?
= area: a*b

side*; a=t(); b=s(); c=a*b
A [garden|room|lawn] has an area of {c} square [u:feet|meters]. It is {b} {u1} wide. How long is it?
= length: c/b

buses; x=person; k=r(3,12); a=n(15)
Each [bus|van|boat|car|table|bench] can [hold|seat|carry] {k} people. How many are needed for {a} {x}?
{a} {x} are going [on a trip|to the {place}]. Each van holds {k}. How many vans [are needed|do they need|will they need]?
{A} has {a} {y} to carry. {A.He} can carry {k} at a time. How many trips [will {A.he} make|does {A.he} need]?
= needed: a/k up

full_boxes; x=countable; k=r(3,12); a=n(15)
{A} has {a} {x}. {A.He} puts {k} in each {bin}. How many {bins} can {A.he} fill completely?
{A} [makes|ties|packs] bunches of {k} {x} each. {A.He} has {a} {x}. How many full bunches can {A.he} make?
= full: a/k down

left_over; x=countable; k=r(3,9); a=n(10)
{A} has {a} {x}. {A.He} shares them equally among {k} friends. How many {x} are left over?
{A} packs {a} {x} into {bins} of {k}. How many {x} [are left over|will be left]?
{A} puts {a} {x} in rows of {k}. How many {x} do not fit in a full row?
= left over: a/k rest

sum_three; x=countable; a=n(); b=n(); c=n()
{A} has {a} {x}, {B} has {b} {x} and {C} has {c} {x}. How many {x} do they have [in all|altogether|together]?
{A} [found|bought|made|sold] {a} {x} on {day}, {b} on {day2} and {c} on {day3}. How many {x} [is that|did {A.he} get] [in all|altogether]?
= total {x}: a+b+c
"""
