"""More word problems of one to three operations, in English: coins, bills, clocks, ratios, patterns, discounts, crowds and
the like. `grammar.py` says how a block is read.
"""

MORE = r"""
trees_after; x=tree; a=n(); b=n()
A park has {a} {x}. The city plants {b} more [this spring|this week|next month]. How many {x} will the park have?
There are {a} {x} in {A}'s [street|village|orchard] [now|today]. {A} and {A.his} friends are going to plant {b} more. How many {x} will there be [then|after that]?
[Gardeners|Helpers|Students] will plant {b} {x} in the {place} [today|tomorrow]. {a} {x} are there already. How many {x} will there be in all?
= {x} in all: a+b

trees_planted; x=tree; a=n(); b=n(); t=a+b
There are {a} {x} in the {place}. [Workers|Helpers] will plant more {x} today. When they are done there will be {t} {x}. How many {x} do they plant?
The {place} had {a} {x}. After more were planted it has {t}. How many were planted?
= {x} planted: t-a

trees_cut; x=tree; a=n(4); b=below(a)
The {place} has {a} {x}. {b} of them are [sick|old|dead] and must be cut down. How many {x} will [be left|stay|remain]?
A storm knocked down {b} of the {a} {x} in the {place}. How many {x} are still standing?
= {x} left: a-b

two_trees; x=tree; y=tree; a=n(); b=n(); c=n()
There are {a} {x} and {b} {y} in the {place}. Workers plant {c} more {x}. How many {x} are there [now|then]?
There are {a} tall {x} and {b} short {x} in a park. {c} tall {x} will be planted today. How many tall {x} will there be?
= {x} in all: a+c

drawer; x=school+home; y=school; a=n(); b=n(); c=n()
There are {a} {x} in the drawer and {b} {x} on the desk. {A} puts {c} more {x} on the desk. How many {x} are there in all?
There were {a} {x} in one {bin} and {b} in another. {A} added {c} {x} to the first. How many {x} are there altogether now?
= {x} before: t=a+b; {x} in all: t+c

barn; a=n(); b=n(); t=a+b; c=n()
The barn held {a} bales of hay and the shed {c}. {A} brought more bales into the barn, and then it held {t}. How many bales did {A.he} bring in?
There were {a} boxes in the attic and {c} boxes in the cellar. {A} carried more boxes to the attic. Now {t} boxes are in the attic. How many did {A.he} carry there?
= added: t-a

birds_come; x=bird; a=n(); b=n(); t=a+b
{a} {x} were sitting [in a tree|on a roof|on a wire]. Some more [landed there|came]. Then there were {t} {x}. How many [more |]came?
{a} people were waiting in line. Some more people joined the line. Now there are {t}. How many joined?
= came: t-a

games_won; a=n(5); b=below(a)
{A}'s school played {a} {game} games. They [won|lost] {b} of them. How many did they not?
There were {a} {game} games this [year|season]. {A} missed {b} of them. How many games did {A.he} [go to|see|attend]?
{A}'s team won {b} of {a} games. How many did it lose?
= games: a-b

games_went; a=n(); b=n()
{A} went to {a} {game} games [this year|this month] and {b} [last year|last month]. How many games did {A.he} go to [in all|altogether]?
{A} [saw|played] {a} games in {month} and {b} games in {month2}. How many games is that in all?
= games in all: a+b

games_three; a=r(2,30); b=r(2,30); c=r(2,30)
{A} went to {a} {game} games last [month|year], {b} this [month|year], and wants to go to {c} next [month|year]. How many games will that be in all?
= games in all: a+b+c

bill_three; a=money(2,40); b=money(2,40); c=money(2,40)
{A} spent {$a} on [a {x1}|lunch|shoes], {$b} on [a {y1}|a toy|a belt] and {$c} on [a gift|snacks|a map]. How much did {A.he} spend [in all|in total|altogether]?
{A} bought [a {x1}|a cap] for {$a}, [a {y1}|a scarf] for {$b}, and [a game|a pen] for {$c}. [In total, how much did {A} pay|What was the total cost|How much money did {A.he} spend]?
At the {shop} {A} paid {$a} for a {x1}, {$b} for a {y1} and {$c} for other things. What did {A.he} pay in all?
= cost in all: a+b+c

bill_two; a=money(2,60); b=money(2,60)
{A} spent {$a} on [a {x1}|lunch|shoes] and {$b} on [a {y1}|dinner|a game]. How much [money |]did {A.he} spend [in all|in total|altogether]?
{A} went to the {shop}. A {x1} cost {$a} and a {y1} cost {$b}. [What was the total bill|How much did both cost|What did {A.he} pay for both]?
{A} bought a {x1} for {$a} and a {y1} for {$b}. In total, how much did {A} spend?
= cost in all: a+b

bill_extra; a=money(2,60); b=money(2,60); c=r(2,12)
{A} went to {c} shops. {A.He} spent {$a} on a {x1} and {$b} on a {y1}. How much did {A.he} spend in all?
{A} already owns {c} {x}. {A.He} buys another {x1} for {$a} and a {y1} for {$b}. What does {A.he} pay?
= cost in all: a+b

bill_unbought; a=money(2,60); b=money(2,60); c=money(2,60)
{A} bought a {x1} for {$a} and a {y1} for {$b}. {A.He} looked at a {z1} for {$c}, but did not buy it. How much did {A.he} spend?
= cost in all: a+b

change_of_bill; p=pick(5,10,20,50,100); a=money(1,p-1); b=p-a
A {x1} costs {$a}. {A} pays with a {$p} bill. How much change does {A.he} get?
{A} bought a {x1} for {$a} and gave the clerk {$p}. What is {A.his} change?
= change: p-a

coins_to_cents; a=r(2,20); b=r(2,20); c=r(2,9)
{A} has {a} quarters and {b} dimes. How many cents is that?
How many cents are {a} quarters and {b} dimes?
= quarters: q=a*25; dimes: d=b*10; cents: q+d

coins_to_dollars; k=pick(2,4,10,20); u={2:'half dollars',4:'quarters',10:'dimes',20:'nickels'}[k]; q=r(2,20); a=k*q
{A} has {a} {u}. {k} {u} make one dollar. How many dollars [is that|does {A.he} have]?
How many dollars are {a} {u}, if {k} {u} are a dollar?
= dollars: a/k

coins_lent; a=r(4,40); b=below(a); c=r(2,20); u=pick('dimes','nickels','quarters','pennies')
In {A.his} purse {A} had {a} {u} and {c} [half dollars|bills]. {A.He} lent {A.his} {kin} {b} {u}. How many {u} are left in the purse?
{A} lent {b} of {A.his} {a} {u} to {A.his} {kin}. How many {u} does {A.he} still have?
= {u} left: a-b

coins_given; a=r(2,40); b=r(2,40); c=r(2,20); u=pick('dimes','nickels','quarters','pennies')
In {A.his} purse {A} had {a} {u} and {c} [half dollars|bills]. {A.His} {kin} handed {A.him} another {b} {u}. How many {u} are in the purse now?
{A} owned {a} {u} and got {b} more from {A.his} {kin}. How many {u} does {A.he} own now?
= {u} now: a+b

each_name_three; x=keep+clothes+school; b=n()
{A}, {B} and {C} [bring|own] {b} {x} apiece. How many {x} is that altogether?
{A}, {B}, and {C} split the [bill|cost] equally. Each of them pays {$b}. How much [was the bill|is it in all]?
{A} goes to lunch with {B} and {C}. Every one of them orders the {$b} special, and {A} pays for all. How much does {A.he} pay?
= in all: 3*b

each_name_four; x=keep+clothes+school; b=n()
{A}, {B}, {C} and {D} [bring|own] {b} {x} apiece. How many {x} is that altogether?
= in all: 4*b

share_two; x=keep+fruit+fish; q=n(); a=q*2
{A} and {B} [catch|find|pick] {a} {x} [together|in all]. They split them equally. How many does each get?
= {x} each: a/2

share_three*; x=keep+fruit; q=t(); a=q*3
{A}, {B} and {C} share {a} {x} equally. How many does each of them get?
= {x} each: a/3

fishing; x=fish; a=t(); b=t(); k=r(2,6)
{A} caught {a} {x} at the lake. {B} had {k.times} as many in {B.his} net. How many {x} did {B} have?
At the river {B} gets {k.times} as many {x} as {A}, who gets {a}. How many {x} is that for {B}?
= {x} of {B}: a*k

fishing_sum; x=fish; a=t(); b=t()
At the lake {A} pulled out {a} {x} and {B} pulled out {b}. How many {x} did the two of them catch?
= {x} in all: a+b

more_equal; x=countable; k=r(3,9); q=s(); m=r(1,k-1); a=k*q+m
{A} has {a} {x} for {k} friends. {A.He} wants each to get the same number. How many {x} would be left over?
= left over: a/k rest

miss_equal; x=countable; k=r(3,9); q=s(); m=r(1,k-1); a=k*q+m
{A} wants to put {a} {x} into {k} equal groups, but some are left over. How many more {x} does {A.he} need so that none is left over?
{A} has {a} {x} and {k} {bins}. {A.He} wants the same number in each {bin}. How many more {x} does {A.he} have to get?
= left over: l=a/k rest; more needed: k-l

ratio_up; k=s(); m=s(); q=r(2,12); a=k*q
[The ratio of boys to girls|For each group, the ratio of boys to girls] is {k} to {m}. There are {a} boys. How many girls are there?
At the {shop}, for every {k} {x} there are {m} {y}. There are {a} {x}. How many {y} are there?
A recipe takes {k} cups of flour to {m} eggs. {A} uses {a} cups of flour. How many eggs does {A.he} need?
The ratio of {x} to {y} is {k}:{m}. If there are {a} {x}, how many {y} are there?
= parts: p=a/k; the other: p*m

ratio_total; k=r(2,6); m=r(2,6); q=r(2,12); w=k+m; a=w*q
There are {a} children. The ratio of boys to girls is {k}:{m}. How many boys are there?
{A} and {B} share {a} {x} in the ratio {k} to {m}. How many does {A} get?
= parts: p=k+m; one part: o=a/p; the first: o*k

discount; p=pick(10,20,25,30,40,50); a=r(1,40)*20
A {x1} costs {$a}. It is {p}% off. [What is the sale price|How much does it cost now]?
The price of a {x1} was {$a}. The shop takes off {p} percent. How much [must {A} pay|is it now]?
= discount: d=a*p/100; price: a-d

tax_or_tip*; p=pick(5,10,15,20); a=r(1,20)*20
A meal costs {$a}. {A} adds a tip of {p}%. How much does {A.he} pay in all?
= tip: d=a*p/100; in all: a+d

interest; p=pick(2,3,4,5,10); a=r(1,40)*100
{A} puts {$a} in a bank that pays {p}% a year. How much [interest does {A.he} get|money does that bring] in one year?
= interest: a*p/100

gas_trip; k=s(); q=r(2,40); a=k*q
{A}'s car goes {q} miles on one gallon. How many gallons does {A.he} need for {a} miles?
= gallons: a/q

per_unit_time; a=r(2,15); b=t()
It takes {A} {a} minutes to [fold|make|draw|wash] one {x1}. How many minutes do {b} {x} take?
Each {x1} takes {a} minutes to make. How long do {b} {x} take?
= minutes: a*b

mile_every; a=r(5,20); b=r(2,12)
{A} walks a mile every {a} minutes. How many minutes do {b} miles take?
= minutes: a*b

clock_span; a=r(1,6); b=r(a+1,12)
A [show|class|meeting] starts at {a} o'clock and ends at {b} o'clock. How many hours does it last?
{A} left at {a} o'clock and came home at {b} o'clock. How many hours was {A.he} away?
= hours: b-a

years; a=r(1900,1990); b=r(5,60); c=a+b
{A} was born in {a}. How old was {A.he} in {c}?
A [house|bridge|school] was built in {a}. How old was it in {c}?
= years: c-a

year_then; a=r(1950,2005); b=r(5,60)
{A} was born in {a}. In which year will {A.he} be {b}?
= year: a+b

weight_each; a=r(2,30); b=t()
One {x1} weighs {a} [grams|ounces|pounds]. How much do {b} {x} weigh?
If each {x1} weighs {a} pounds, what is the weight of {b} {x}?
= weight: a*b

weight_count; k=r(2,9); q=t(); a=k*q
A box of {x} weighs {a} pounds. Each {x1} weighs {k} pounds. How many {x} are in the box?
= {x}: a/k

weight_one*; k=r(2,9); q=t(); a=k*q
{k} {x} of the same kind weigh {a} grams. How much does one weigh?
= weight of one: a/k

seats_empty; a=n(10); b=below(a)
A hall has {a} seats, and {b} people came to the show. How many seats stayed empty?
A plane has {a} seats. {b} passengers are on it. How many seats are free?
= empty seats: a-b

houses; a=n(); b=n()
A [county|town] had {a} houses. [Then|Last year] builders built {b} more. How many houses are there now?
A factory made {a} cars in one plant and {b} in another. How many cars is that in all?
{a} people live in one village and {b} in the next. How many people live in both?
= in all: a+b

houses_built; a=n(); b=n(); t=a+b
A town had {a} houses. Now it has {t}. How many houses were built?
The lake had {a} plants in it last year. This year there are {t}. How many more [plants |]are there?
Last year a farm had {a} eggs. This year it had {t}. How many more eggs did it have this year?
= more: t-a

account_before; a=n(); b=n()
{A} took {$a} out of {A.his} bank account. Now the account has {$b} in it. How much was in it before?
{A} paid {$a} for a {x1}, and {$b} remained. How much money was there before?
= before: a+b

fund_drop; a=n(5); b=below(a)
{A}'s savings were {$a}. They went down by {$b}. How much are they now?
The price of a {x1} was {$a}. It [dropped|fell] by {$b}. What is the price now?
= now: a-b

fund_rise; a=n(5); b=below(a)
The price of a {x1} was {$a}. It went up by {$b}. What is the price now?
{A}'s rent was {$a} and rises by {$b}. What is it now?
= now: a+b

expected_more; a=n(20); b=below(a)
A farmer hoped for {a} [bushels|bags|tons] of [wheat|corn|rice], but got {b} more than that. How much did the farmer get?
= in all: a+b

spill; a=n(); b=n(); t=a+b
{a} gallons of oil leaked from a pipe before it was found. In the end {t} gallons leaked in all. How many gallons leaked after it was found?
This morning {A}'s bakery used {a} eggs. In the whole day it used {t}. How many eggs did it use in the afternoon?
{A} drove {a} miles before lunch and {t} miles in the whole day. How many miles did {A.he} drive after lunch?
= the rest: t-a

parts_decimal; a=measure(1,5); b=measure(1,5)
{A} [ate|used|drank] {a} [of a pizza|pounds of nuts|cups of milk] and {B} [ate|used|drank] {b}. How much [is that|did they use] in all?
{A} put {a} [cups|spoons] of sugar and {b} [cups|spoons] of flour in a bowl. How much is in the bowl?
The gauge showed {a} inches of rain on {day} and {b} on {day2}. How much rain was that?
The recipe takes {a} cups of milk and {b} cups of water. How many cups is that?
= in all: a+b

parts_decimal_three; a=measure(1,5); b=measure(1,5); c=measure(1,5)
{A}'s training was {a} miles on {day}, {b} on {day2} and {c} on {day3}. How many miles did {A.he} train in all?
A shop had {a} pounds of [nuts|tea], {b} pounds of [rice|salt] and {c} pounds of [beans|sugar] left. How many pounds were left in all?
= in all: a+b+c

parts_decimal_less; a=measure(2,8); b=less(a)
On {day} the rain gauge showed {a} inches, on {day2} only {b}. How much more rain fell on {day}?
{A}'s way to school is {a} miles and {B}'s is {b} miles. How much [longer is {A}'s|shorter is {B}'s] way?
{A} used {a} cups of flour and {b} cups of sugar. How much more flour than sugar did {A.he} use?
A tailor cut {a} inches off one skirt and {b} inches off another. How much more did he cut off the first?
= difference: a-b

price_per_many; a=money(1,15); b=s()
One {x1} is {$a}. What do {b} of them cost?
{A} buys {b} {x}. The price of one is {$a}. How much is it altogether?
Tickets cost {$a} each. How much do {b} tickets cost?
= cost: a*b

price_and_more; a=money(2,20); k=s(); b=money(2,30)
{A} spent {$a} each on {k} tickets and {$b} on food. How much did {A.he} spend in all?
{A} rents a boat for {$a} an hour, for {k} hours, and pays {$b} for lunch. How much does {A.he} spend?
= tickets: t=a*k; in all: t+b

price_three_times; a=money(2,20); k=s(); b=money(2,30); c=money(2,30)
{A} bought {k} tickets for {$a} each, a film for {$b} and a book for {$c}. How much did {A.he} spend in all?
= tickets: t=a*k; in all: t+b+c

saved_months; a=r(10,90); b=r(10,90); c=r(10,90); d=r(1,a+b+c-1)
{A} saved {$a} in {month}, {$b} in {month2} and {$c} in {month3}. Then {A.he} spent {$d} on a {x1}. How much is left?
= saved: t=a+b+c; left: t-d

want_two; a=r(5,40); b=r(5,40); c=r(1,a+b-1)
A {x1} costs {$a} and a {y1} costs {$b}. {A} has {$c} and wants both. How much more does {A.he} need?
= both: t=a+b; more needed: t-c

want_three; a=r(4,30); b=r(4,30); c=r(4,30); d=r(1,10); e=r(1,10)
{A} wants to buy a {x1} for {$a}, a {y1} for {$b} and a {z1} for {$c}. {A.He} has {$d} and {A.his} {kin} gives {A.him} {$e}. How much more does {A.he} need?
= cost in all: t=a+b+c; money: m=d+e; more needed: t-m

birthday_money; a=r(5,90); b=r(5,90); c=r(5,90); t=a+b+c+r(5,200)
{A} got {$a} from {A.his} [aunt|grandmother], {$b} from {A.his} [uncle|brother] and {$c} from {A.his} parents. Now {A.he} has {$t}. How much did {A.he} have before?
= given: g=a+b+c; before: t-g

mail; a=s(); b=s(); c=s()
A mail carrier gives {a} letters and {b} magazines to each house. How many pieces of mail does each house get?
= pieces: a+b

mail_blocks; a=s(); b=s(); c=s()
A mail carrier gives {a} letters to each house. There are {b} houses in a block and {c} blocks. How many letters are given out?
= houses: h=b*c; letters: h*a

invite_each; a=n(4); b=below(a); k=s()
{A} invited {a} friends, but {b} could not come. {A.He} wants {k} {x} for each one who comes. How many {x} does {A.he} need?
= friends there: f=a-b; {x}: f*k

finish_set; a=r(6,40); b=below(a); p=s()
A set has {a} {x}. {A} has {b} of them. Each one costs {$p}. How much does it cost to complete the set?
{A} needs {a} {x} and has {b}. At {$p} each, how much do the missing ones cost?
= missing: m=a-b; cost: m*p

two_packs_more; a=s(); b=s(); c=s(); d=s()
{A} bought {a} packs of {x} and {b} packs of {y}. Each pack of {x} has {c} and each pack of {y} has {d}. How many things is that in all?
= {x}: e=a*c; {y}: f=b*d; in all: e+f

two_packs_diff; a=s(); b=s(); c=s(); d=s()
{A} bought {a} packs of {x} with {c} in each and {b} packs of {y} with {d} in each. How many {x} and {y} is that together?
= {x}: e=a*c; {y}: f=b*d; in all: e+f

bill_tables; a=s(); b=s(); c=s()
{A} waits on {a} tables, each with {b} women and {c} men. How many guests is that?
At each of {a} tables there are {b} boys and {c} girls. How many children are there?
= at each table: e=b+c; in all: e*a

tips; a=n(4); b=below(a); p=s()
A waiter had {a} customers. {b} of them left no tip. The others gave {$p} each. How much did the waiter get?
= with a tip: w=a-b; money: w*p

half_of_total; a=n(); b=n(); u=(a+b)%2; c=b+u
{A} has {a} {x} and {B} has {c}. Half of all the {x} are {col}. How many are {col}?
= {x} in all: t=a+c; half: t/2

half_gone_before; b=r(2,40); q=r(3,60)
{A} ate half of {A.his} {x} and then [gave away|lost] {b}. Now {q} are left. How many {x} did {A.he} have at first?
= before the last: t=q+b; at first: t*2

pattern_add; a=r(2,40); d=r(2,12); b=a+d; c=b+d; e=c+d
{A} put {a} {x} in the first box, {b} in the second, {c} in the third and {e} in the fourth. If this goes on, how many {x} will be in the fifth?
In {month} a shop sold {a} {x}, the month after {b}, then {c}, then {e}. If this pattern continues, how many will it sell next month?
= step: d=b-a; next: e+d

consecutive; a=r(3,90)
What number comes right after the sum of {a} and {a}?
= sum: s=a+a; next: s+1

number_more; a=n(); b=n()
What number is {b} more than {a}?
Which number is {a} larger than {b}?
= number: a+b

number_less; a=n(4); b=below(a)
What number is {b} less than {a}?
By how much is {a} larger than {b}?
How much must be added to {b} to get {a}?
= number: a-b

square; a=t()
The side of a square is {a} [feet|inches|meters] long. What is its perimeter?
Each side of a square [garden|tile|room] is {a} meters. How long is the way around it?
= around: a*4

square_area; a=t()
The side of a square is {a} [feet|inches|meters] long. What is its area?
= area: a*a

triangle; a=t(); b=t(); c=t()
The sides of a triangle are {a}, {b} and {c} inches long. What is its perimeter?
= perimeter: a+b+c

wide_from_area; a=s(); b=t(); c=a*b
A [rug|garden|poster] has an area of {c} square feet and is {b} feet long. How wide is it?
= width: c/b

walk_around; a=r(10,90); b=r(5,60); k=r(2,5)
A field is {a} meters long and {b} meters wide. {A} runs around it {k} times. How far does {A.he} run?
= half around: h=a+b; around: o=h*2; in all: o*k

posts; a=r(2,20); k=r(2,9); b=a*k
There is a lamp every {k} meters along a road of {b} meters, at both ends too. How many lamps are there?
= gaps: g=b/k; lamps: g+1

dozen_count; a=r(2,20); b=a*12
{A} has {b} {x}. How many dozen [{x} |]is that?
= dozens: b/12

dozen_part*; a=s(); b=r(1,11)
{A} has {a} dozen {x} and {b} more. How many {x} does {A.he} have?
= in dozens: d=a*12; in all: d+b

hours_to_days*; a=r(2,10)
How many hours are there in {a} days?
= hours: a*24

minutes_seconds; a=s()
A song lasts {a} minutes. How many seconds is that?
= seconds: a*60

meters; a=s()
A rope is {a} meters long. How many centimeters is that?
How many cents are in {a} dollars?
= in all: a*100

yards; a=t()
A field is {a} yards long. How many feet is that?
= feet: a*3

temperature; a=r(40,100); b=r(3,30)
It was {a} degrees at noon. By evening it was {b} degrees [cooler|colder]. What was the temperature in the evening?
The temperature fell {b} degrees from {a} degrees. How warm is it now?
= degrees: a-b

temperature_up; a=r(10,70); b=r(3,30)
It was {a} degrees in the morning. By noon it was {b} degrees warmer. What was the temperature at noon?
= degrees: a+b

read_twice; a=n(); b=n()
{A} read {a} pages of a book before lunch and {b} pages after lunch. How many pages did {A.he} read?
{A} read {a} pages on {day} and {b} pages on {day2}. How many pages is that in all?
= pages: a+b

book_days; a=r(2,12); b=r(5,60); c=a*b
A book has {c} pages. {A} wants to finish it in {a} days, with the same number of pages each day. How many pages a day must {A.he} read?
{A} read a book of {c} pages in {a} days. How many pages did {A.he} read per day?
= pages a day: c/a

grow; x=grown; a=n(); b=n(); c=n()
{A}, {B} and {C} planted {x}. Their harvests were {a}, {b} and {c}. How many {x} is that?
{A} picked {a} {x}, {B} picked {b} {x} and {C} picked {c} {x} from [a tree|the garden]. How many {x} were picked in all?
= {x} in all: a+b+c

grow_two; x=grown; y=grown; a=n(); b=n(); c=n()
{A} raised {a} {x} and {b} {y} this year, and {B} raised {c} {x}. How many {x} did the two raise?
= {x} in all: a+c

eaten; x=grown; a=n(4); b=below(a)
Of {A}'s {a} {x}, {b} were eaten by [rabbits|birds|deer|snails] before the harvest. How many {x} could {A.he} pick?
= {x} left: a-b

legs_each; k=pick(2,4,6,8); a=t(); u={2:'birds',4:'dogs',6:'ants',8:'spiders'}[k]
Each of {a} {u} has {k} legs. How many legs is that?
One of these {u} has {k} legs. How many legs do {a} {u} have?
= legs: a*k

slices; a=s(); b=s(); c=below(a*b)
{A} ordered {a} pizzas. Each was cut into {b} slices. {c} slices were eaten. How many slices are left?
= slices: t=a*b; left: t-c

teams_of; k=r(3,11); q=s(); a=k*q
{a} [kids|players] make teams of {k}. How many teams are there?
= teams: a/k

recipe_more; a=s(); b=s(); c=r(1,a*b-1)
A cake takes {a} eggs. {A} wants to bake {b} cakes and has {c} eggs. How many more eggs does {A.he} need?
= eggs: t=a*b; more needed: t-c

lawn_pay; p=s(); a=r(4,20); b=below(a)
{A} earns {$p} for each lawn. {A.He} had {a} lawns to mow, but {b} of them were too wet. How much did {A.he} earn?
= lawns: l=a-b; money: l*p

lemonade; k=r(2,9); q=s(); a=k*q
One glass of juice takes {k} lemons. How many glasses can {A} make with {a} lemons?
= glasses: a/k

machine_time; k=r(2,9); q=s(); a=k*q
A machine makes {k} shirts a minute. It made {a} shirts. How many minutes did it work?
= minutes: a/k

hike_days; a=r(2,12); b=r(5,300)
On a trip of {a} days {A} rode {b} miles a day. How long was the trip in miles?
= miles: a*b

crowd; a=r(20,900); k=r(2,6)
{a} people came to the {place} on {day}. {k.times} as many came on {day2}. How many came on {day2}?
= people: a*k

adults; a=n(20); b=below(a)
There were {a} people at the {place}. {b} of them were children. How many adults were there?
Of {a} [tickets|seats], {b} were sold. How many were not?
= the rest: a-b

three_groups; a=r(2,40); b=r(2,40); t=a+b+r(2,60)
There are {t} {x}. {a} are {col}, {b} are {col2} and the rest are {col3}. How many are {col3}?
A group of {t} people has {a} men, {b} women and some children. How many children are there?
= known: k=a+b; the rest: t-k

join_and_leave; a=r(5,40); b=r(5,40); c=r(2,20); d=r(2,9)
There were {a} girls and {b} boys in a club. {c} more girls joined and {d} children left. How many children are in the club now?
= at first: t=a+b; with the new ones: w=t+c; now: w-d

packs_needed; k=r(2,12); q=s(); a=k*q
{A} needs {a} {x} for a party. They come in packs of {k}. How many packs must {A.he} buy?
= packs: a/k

packs_needed_up; k=r(3,12); a=n(14)
{A} needs {a} {x}. They are sold in packs of {k}. How many packs must {A.he} buy?
= packs: a/k up

packs_more; a=r(2,9); b=t(); c=r(2,9)
{x} come in packages of {b}. {A} has {a} packages and {c} single {x}. How many {x} does {A.he} have?
= in packages: p=a*b; in all: p+c

not_needed_box; x=fruit+keep; a=s(); b=t(); c=r(2,20)
{A} opens {a} boxes with {b} {x} in every box. A full case would be {c} boxes. How many {x} are in {A.his} boxes?
= {x}: a*b

tower; x=keep; a=n(); b=n(); t=a+b
{A} built a wall of {a} blocks and then made it higher. At the end there were {t} blocks in it. How many blocks were added?
= added: t-a

hair; a=r(4,30); b=r(1,9)
{A}'s hair is {a} inches long. It grows {b} more inches. How long is it then?
A plant is {a} centimeters tall and grows {b} centimeters. How tall is it now?
= length: a+b

hair_cut; a=r(6,30); b=r(1,5)
{A}'s hair was {a} inches long. {A.He} had {b} inches cut off. How long is it now?
= length: a-b
"""
