"""Word problems in which the size of a group, the price or the time comes before the numbers it belongs to, and some that ask
for common divisors, patterns, or what is missing to an even share. In English. `grammar.py` says how a block is read.
"""

ORDER = r"""
first_price_two; p=s(); a=s(); b=s()
At a [sale|market|fair] every {x1} [costs|is] {$p}. {A} buys {a} for {A.himself} and {b} for {A.his} {kin}. How much does {A.he} [pay|spend]?
[Tickets|Seats] for the show were {p} dollars each. {A} bought {a} for {A.his} family and {b} more for friends. How much did {A.he} spend?
A stall sells flowers at {p} dollars apiece. {A} takes {a} roses and {b} tulips. How much is that [in all|altogether]?
{A} is paid {p} dollars an hour. {A.He} worked {a} hours on {day} and {b} hours on {day2}. How much did {A.he} earn in the two days?
{A} sells {x} for {$p} each. [In the morning|On {day}] {a} were sold, [in the afternoon|on {day2}] {b}. How much money is that?
= number: n=a+b; in all: n*p

first_price_less; p=s(); a=r(3,20); b=below(a)
{A} sells {x} for {$p} each. {A.He} starts with {a} and has {b} left [in the evening|at the end]. How much did {A.he} earn?
A meal costs {$p} for adults, and children eat for nothing. {a} people come, {b} of them children. How much do they pay?
Every right answer [gives|brings] {p} points. There were {a} questions and {A} got {b} wrong. What was {A.his} score?
A page has {p} problems. The teacher has {a} pages to check and has checked {b}. How many problems are left to check?
Each room takes {p} hours to clean. There are {a} rooms, and {A} has done {b}. How many hours are left?
{A} gets {$p} for each dog that {A.he} walks. {A.He} should walk {a} dogs, but {b} stay at home. How much does {A.he} get?
= number: n=a-b; in all: n*p

first_size_sum; k=s(); q=s(); b=below(k*q); a=k*q-b
A vase [holds|takes] {k} flowers. {A} has {a} roses and {b} daisies. How many vases does {A.he} need?
{A} puts {k} {x} in each {bin}. {A.He} has {a} {col} {x} and {b} {col2} {x}. How many {bins} does {A.he} need?
A fridge shelf holds {k} bottles. {A} buys {a} bottles of juice and {b} bottles of water. How many shelves are filled?
{A} does {k} problems an hour. {A.He} has {a} math problems and {b} reading problems. How many hours will {A.he} need?
For every {k} pounds of paper a class gets one point. {A} brings {a} pounds and {B} {b} pounds. How many points is that?
A prize costs {k} tickets. {A} won {a} tickets at one game and {b} at another. How many prizes can {A.he} get?
Every day {A} eats {k} sweets. {A.He} got {a} from {B} and {b} from {C}. For how many days will they last?
= in all: t=a+b; groups: t/k

first_size_sum_up; k=r(3,12); a=n(8); b=r(2,30)
A boat carries {k} people at once. {a} children and {b} adults want to cross. How many trips are needed?
{A} can carry {k} plates at a time. {a} plates are on one table and {b} on another. How many times must {A.he} go?
One van takes {k} people. {a} [students|players] and {b} [teachers|coaches] ride along. How many vans are needed?
= in all: t=a+b; needed: t/k up

first_size_less; k=s(); q=s(); b=n(); a=k*q+b
A shelf has room for {k} books. {A} has to put away {a} books, but a helper takes {b} of them. How many shelves does {A.he} need?
{A} packs {k} {x} in a {bin}. {A.He} made {a} {x}, and {b} were eaten. How many {bins} can {A.he} pack?
A ride takes {k} tickets. {A} had {a} tickets and used {b} for games. How many rides can {A.he} take?
A toy costs {$k}. {A} had {$a} and spent {$b} on food. How many toys can {A.he} buy with what is left?
= left: l=a-b; groups: l/k

first_size_total; k=s(); a=t()
There are {k} {x} in a {bin}. {A} buys {a} {bins}. How many {x} is that?
A seat on the wheel holds {k} people. There are {a} seats. How many people can ride at once?
A chapter has {k} pages. {A} read {a} chapters. How many pages did {A.he} read?
One necklace needs {k} beads. How many beads do {a} necklaces need?
A band of {k} players plays in each of {a} towns. How many players is that, if each town has its own band?
{A} wants to give {k} {x} to each of {a} guests. How many {x} are needed?
= in all: k*a

week; a=t()
A baker makes {a} cakes on each day of the week. How many cakes does that make in a week?
{A} [drinks|uses|fills] {a} cups a day. How many is that in a week?
= in a week: a*7

year; a=t()
{A} pays {$a} a month. How much is that in a year?
{A} reads {a} books a month. How many books does {A.he} read in a year?
= in a year: a*12

two_weeks*; a=t()
A cow gives {a} liters of milk a day. How many liters does it give in two weeks?
= in a week: w=a*7; in all: w*2

cats_and_each; k=s(); a=s(); b=s()
A shop has {k} cages. In each of them are {a} {x} and {b} {y}. How many animals is that?
{A} opens {k} boxes of winter things. In each there are {a} scarves and {b} gloves. How many things does {A.he} find?
A bus has {k} benches, each with {a} girls and {b} boys. How many children are on the bus?
= in each: e=a+b; in all: e*k

extra_fruit; a=n(); b=n(); c=below(a+b)
A kitchen ordered {a} red apples and {b} green ones. Only {c} were eaten. How many are left over?
{A} baked {a} rolls and {b} cakes, and carried {c} of them home again. How many were sold?
{A} and {B} dug up {a} and {b} carrots. {c} of these were good. How many were bad?
{A} picked {a} tulips and {b} roses and used only {c} of the flowers. How many were not used?
A waiter had {a} guests at noon and {b} more in the evening. {c} of the guests gave no tip. How many gave one?
{A} saved {a} songs and {b} films on a stick and later removed {c} of these files. How many files are still there?
= in all: t=a+b; the rest: t-c

grouped_pictures; k=s(); q=s(); b=below(k*q); a=k*q-b
{A} put {a} pictures from a phone and {b} from a camera into {k} albums, the same number in each. How many pictures are in each album?
{a} new and {b} old players are split into {k} teams. How many players are on each team?
{a} wings were ready and {b} more were cooked for {k} friends. How many does each get, if all get the same?
= in all: t=a+b; in each: t/k

loses_then; a=n(4); b=below(a); c=n()
{A} earned {$a}, spent {$b} on a {x1}, and then got {$c} from {A.his} {kin}. How much does {A.he} have now?
At the fair {A} won {a} tickets, paid {b} for a prize and won {c} more. How many tickets does {A.he} have?
A shop had {a} roses, sold {b}, and got {c} new ones. How many roses does it have now?
{A} gave away {b} of {A.his} {a} books and used the space for {c} new ones. How many books does {A.he} have?
A teacher had {a} tests to check and checked {b}. Then {c} more came in. How many are there to check?
A waiter had {a} guests. {b} left and {c} new ones came. How many guests did he have then?
= after that: l=a-b; now: l+c

won_then; a=n(); b=n(); c=below(a+b)
In the first round {A} got {a} points, in the second {b}. In the last round {A.he} lost {c}. How many points were left?
{A} had {$a} and got {$b} as a present. A game cost {A.him} {$c}. How much does {A.he} have now?
= in all: t=a+b; left: t-c

three_minus; a=r(2,20); b=r(2,20); c=r(2,20); d=r(1,a+b+c-1)
There are {a} {col} {x}, {b} {col2} {x} and {c} {col3} {x}. {d} of them are taken away. How many {x} are left?
{A} got {a} {x} from {B}, {b} from {C} and {c} from {A.his} {kin}. {A.He} gave away {d}. How many are left?
= in all: t=a+b+c; left: t-d

gcd_groups; g=r(2,9); h=g*r(2,3); j=g*pick(5,7)
{A} puts {h} red and {j} blue balls into {g} bags, so that all bags are alike. How many balls are in each bag?
= red in each: r=h/g; blue in each: q=j/g; in each: r+q

double_pattern; a=r(2,9); b=a*2; c=b*2; d=c*2
There are {a} plants in the first row, {b} in the second, {c} in the third and {d} in the fourth. If it goes on like this, how many are in the fifth?
= times: k=b/a; next: d*k

triple_pattern; a=r(2,9); b=a*3; c=b*3
The first child got {a} cards, the second {b}, the third {c}. If it goes on like this, how many does the fourth get?
= times: k=b/a; next: c*k

miss_to_even; k=r(3,9); q=s(); m=r(1,k-1); a=k*q+m
{a} children want to make {k} teams of the same size. How many more children do they need at least?
{A} has {a} {x} for {k} bags with the same number in each. How many more {x} are needed so that it comes out even?
A store wants to put {a} films on {k} shelves, the same number on each. How many more films are needed?
= left over: l=a/k rest; missing: k-l

not_in_team; k=r(3,12); a=n(15)
{a} students make teams of {k}. How many students are not on a team?
A roll of {a} inches is cut into pieces of {k} inches. How many inches are left?
{A} gives {a} berries to {k} girls, the same number to each. How many berries are left?
A ride costs {k} tickets. {A} has {a} tickets and rides as often as possible. How many tickets are left?
= left over: a/k rest

can_make; k=r(3,12); a=n(15)
{A} has {a} stars and uses {k} for each card. How many cards can {A.he} make?
A roll of {a} inches is cut into pieces of {k} inches. How many whole pieces are there?
Boxes of {k} are filled with {a} eggs. How many boxes are full?
= full: a/k down

odometer; a=measure(50,300); b=less(a)
The meter of {A}'s car showed {b} miles before the trip and {a} after it. How long was the trip?
A tank held {b} gallons before the rain and holds {a} now. How much came in?
= difference: a-b

way_there; a=r(20,300); b=below(a); c=r(2,30)
It is {a} miles to the lake. {A} has driven {b} miles and put in {c} gallons of gas. How many miles are left?
= miles left: a-b

ticket_food_change; p=money(2,9); k=r(2,4); c=money(1,6); w=50
{A} bought {k} tickets at {$p} each and a drink for {$c}. {A.He} paid with a {$w} bill. How much change did {A.he} get?
= tickets: t=p*k; in all: u=t+c; change: w-u

dozen_times; a=s(); k=r(2,5)
{A} has {a} dozen {x}. {B} has {k.times} as many. How many {x} does {B} have?
= {x} of {A}: f=a*12; {x} of {B}: f*k

same_amount; d=r(2,30); b=r(2,60); a=b+d+d
{A} has {$a} and {B} has {$b}. How much must {A} give to {B}, so that both have the same?
= difference: f=a-b; half: f/2

kinds_choice; a=r(2,9); b=r(2,9)
There are {a} kinds of bread and {b} kinds of filling. How many different sandwiches are there?
{A} has {a} shirts and {b} pairs of pants. In how many ways can {A.he} dress?
= ways: a*b

per_block; a=s(); b=s()
A village has {a} blocks with {b} houses each. How many houses are there?
A hall has {a} parts, and each part seats {b} people. How many people can sit?
= in all: a*b

tax; p=pick(5,10,20); k=s(); c=r(1,12)*20
{A} buys {k} {x} for {$c} each. A tax of {p}% is added. How much does {A.he} pay?
= price: t=c*k; tax: u=t*p/100; in all: t+u

weekly_same; a=r(100,900); b=r(100,900); k=r(2,5)
A pilot flies {a} miles on {day} and {b} miles on {day2}, and the same in {k} weeks. How many miles is that?
= in one week: w=a+b; in all: w*k

left_after_sharing; x=food+keep; k=r(3,9); a=n(10)
{A} had {a} {x} and gave equal numbers to {k} friends. {A.He} kept what was left. How many did {A.he} keep?
{k} children share {a} {x} evenly. How many {x} stay on the plate?
{A} served {a} {x} equally to {k} guests. How many {x} were not served?
= left over: a/k rest

left_after_packs; x=food+keep+school; k=r(3,12); a=n(15)
{x} are sold in packs of {k}. A shop has {a} {x} and makes full packs. How many {x} are left?
{A} uses {k} {x} for one gift. {A.He} has {a} {x} and makes as many gifts as {A.he} can. How many {x} are left?
The {a} {x} are set in rows of {k}. How many {x} are left after the last full row?
= left over: a/k rest

most_full; x=food+keep+school; k=r(3,12); a=n(15)
{A} uses {k} {x} for one gift. How many gifts can {A.he} make with {a} {x}?
{A} has {a} {x} and puts {k} on each card. How many whole cards does {A.he} get?
{a} {x} are divided equally among {k} rooms, as far as they go. How many does each room get?
= full: a/k down

most_needed; x=food+keep+school; k=r(3,12); a=n(15)
A tank holds {k} gallons. How many tanks are needed for {a} gallons of oil?
Each basket holds {k} {x}. How many baskets does {A} need so that all {a} {x} have a place?
= needed: a/k up

in_both_hands*; k=s(); a=s(); b=s()
{A} has {a} red sacks and {b} green sacks, and there are {k} balls in every sack. How many balls are there?
= sacks: s=a+b; balls: s*k

rest_of_shift*; p=s(); a=r(4,12); b=below(a)
Folding a tent takes {p} minutes. Of {a} tents, {b} are folded. How many minutes of work are left?
= tents left: l=a-b; minutes: l*p

full_rows*; k=s(); q=s(); b=below(k*q); a=k*q-b
{A} stands {k} chairs in a row. {a} chairs come from one room and {b} from another. How many rows is that?
= chairs: t=a+b; rows: t/k
"""
