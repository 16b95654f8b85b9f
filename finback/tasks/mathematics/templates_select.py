"""Word problems in which only some of the numbers count: which ones, the question says. In English.

`grammar.py` says how a block is read.
"""

SELECT = r"""
sel_two_of_three; x=person+countable; a=n(); b=n(); c=n()
There were {a} {x} on {day}, {b} on {day2} and {c} on {day3}. How many were there on {day} and {day2} together?
{A} [v:got/get|found/find|made/make|sold/sell|counted/count] {a} {x} in the morning, {b} in the afternoon and {c} in the evening. How many {x} did {A.he} {v2} in the morning and the afternoon?
{A} has {a} {x}, {B} has {b} and {C} has {c}. How many do {A} and {B} have together?
A story has three parts of {a}, {b} and {c} pages. How many pages are the first two parts together? ## pages
= {x} of the two: a+b

sel_last_two; x=countable; a=n(); b=n(); c=n()
{A} [v:got/get|found/find|made/make|sold/sell] {a} {x} on {day}, {b} on {day2} and {c} on {day3}. How many {x} did {A.he} {v2} on {day2} and {day3}?
{A} has {a} {x}, {B} has {b} and {C} has {c}. How many do {B} and {C} have [together|in all]?
= {x} of the two: b+c

sel_first_last; x=countable; a=n(); b=n(); c=n()
{A} [v:got/get|found/find|made/make|sold/sell] {a} {x} on {day}, {b} on {day2} and {c} on {day3}. How many {x} did {A.he} {v2} on {day} and {day3} [together|]?
{A} has {a} {x}, {B} has {b} and {C} has {c}. How many do {A} and {C} have [together|in all]?
= {x} of the two: a+c

sel_more_first_second; x=countable; a=n(4); b=below(a); c=n()
{A} [v:got/get|found/find|made/make|sold/sell] {a} {x} on {day}, {b} on {day2} and {c} on {day3}. How many more {x} did {A.he} {v2} on {day} than on {day2}?
{A} has {a} {x}, {B} has {b} {x} and {C} has {c} {x}. How many more {x} does {A} have than {B}?
The first part of a story has {a} pages, the second part {b} and the last {c}. By how many pages is the first part longer than the second?
= difference: a-b

sel_more_third; x=countable; a=n(); b=n(); c=n(4); d=below(c)
{A} [v:got/get|found/find|made/make|sold/sell] {d} {x} on {day}, {b} on {day2} and {c} on {day3}. How many more {x} did {A.he} {v2} on {day3} than on {day}?
{A} has {d} {x}, {B} has {b} and {C} has {c}. How many more does {C} have than {A}?
= difference: c-d

sel_after_two; x=bought; y=bought; a=n(5); b=n(5); c=below(a); d=below(b)
{A} had {a} {x} and {b} {y}. After [giving some away|losing some|using some], {A.he} had {c} {x} and {d} {y} left. How many {x} [are gone|did {A.he} lose|did {A.he} use]?
{A} had {a} {x} and {b} {y}. Now {A.he} has only {c} {x} and {d} {y}. How many {x} fewer does {A.he} have than before?
= {x} gone: a-c

sel_after_second; x=bought; y=bought; a=n(5); b=n(5); c=below(a); d=below(b)
{A} had {a} {x} and {b} {y}. After [giving some away|losing some|using some], {A.he} had {c} {x} and {d} {y} left. How many {y} [are gone|did {A.he} lose|did {A.he} use]?
{A} packed {a} {x} and {b} {y}. At the end {c} {x} and {d} {y} were left. How many {y} were used?
= {y} gone: b-d

sel_now_more; x=bought; y=bought; a=n(5); b=n(5); c=n(4); d=below(c)
{A} had {a} {x} and {b} {y}. Now {A.he} has {c} {x} and {d} {y}. How many more {x} than {y} does {A.he} have now?
There were {a} {x} and {b} {y} in the {bin}. Someone took some, and {c} {x} and {d} {y} are there now. How many more {x} than {y} are there now?
= difference: c-d

sel_found_now; x=keep; a=n(); b=n(); t=a+b
{A} collects {x}. {A.He} found {a} {x} at the {place}. Now {A.he} has {t} {x}[ in {A.his} collection|]. How many did {A.he} have before?
{A} bought {a} {x}, and now {A.he} has {t}. How many {x} did {A.he} have at first?
= {x} at first: t-a

sel_found_threw; x=keep; a=n(4); b=below(a)
{A} found {a} {x} and threw away {b} old ones. How many more {x} did {A.he} find than throw away?
= difference: a-b

sel_work_parts; a=r(5,60); b=r(2,40); c=below(a); d=below(b)
{A} had {a} math problems and {b} reading pages to do. {A.He} did {c} of the math problems. How many math problems are left?
{A} has to wash {a} plates and {b} cups. {A.He} has washed {c} plates. How many plates are left to wash?
= left: a-c

sel_homework; a=r(5,60); b=r(2,40); c=below(a+b)
{A}'s homework was {a} math problems and {b} science problems. In study hall {A.he} got through {c} of them. How many were left for the evening?
{A} must wash {a} shirts and {b} sweaters. By noon {A.he} had washed {c} of them. How many pieces had {A.he} not washed?
= in all: t=a+b; left: t-c

sel_books_movies; x=bought; a=n(5); b=n(5); c=below(a); d=below(b)
A series has {a} books and {b} films. {A} has read {c} of the books and seen {d} of the films. How many books does {A.he} still have to read?
A set has {a} [red|big] cards and {b} [blue|small] cards. {A} has {c} of the first kind and {d} of the second. How many of the first kind are missing?
= left: a-c

sel_films; a=n(5); b=n(5); c=below(a); d=below(b)
A series has {a} books and {b} films. {A} has read {c} of the books and seen {d} of the films. How many films are there still to see?
= left: b-d

sel_more_read; a=n(5); c=below(a)
A series has {a} books. {A} has read {c} of them. How many books has {A.he} not read yet?
= left: a-c

sel_jump; a=r(5,60); b=r(2,40); c=r(1,a+b-1)
In a jumping contest {A} jumped {a} inches. {B} jumped {b} inches farther than {A}. How far did {B} jump?
{A}, {B} and {C} had a contest. {A} jumped {a} inches. {B} jumped {b} inches farther than {A}. How far did {B} jump?
= {B}'s jump: a+b

sel_jump_three; a=r(5,60); b=r(2,40); c=r(1,a+b-1)
{A} jumped {a} inches. {B} jumped {b} inches farther than {A}, and {C} jumped {c} inches less than {B}. How far did {C} jump?
{A} scored {a} points. {B} scored {b} points more than {A}. {C} scored {c} fewer than {B}. How many points did {C} score?
= {B}'s: t=a+b; {C}'s: t-c

sel_jump_unneeded; a=r(5,60); b=r(2,40); c=below(a)
{A} jumped {a} inches. {B} jumped {b} inches farther than {A}, and {C} jumped {c} inches less than {A}. How far did {C} jump?
{A} did {a} push-ups. {B} did {b} more than {A} and {C} did {c} fewer than {A}. How many did {C} do?
= {C}'s: a-c

sel_chain; x=keep+fruit; a=n(); b=n(); c=r(1,9)
{A} has {b} more {x} than {B}. {B} has {a} {x}. {C} has {c} {x}. How many {x} does {A} have?
{C} has {c} {x}. {A} has {b} more {x} than {B}, and {B} has {a}. How many does {A} have?
= {x} of {A}: a+b

sel_chain_two; x=keep+fruit; a=n(3); b=n(); c=r(1,a+b-1)
{A} has {c} fewer {x} than {B}. {B} has {b} more {x} than {C}. {C} has {a} {x}. How many {x} does {A} have?
{B} has {b} more {x} than {C}, and {A} has {c} fewer than {B}. {C} has {a}. How many does {A} have?
= {x} of {B}: t=a+b; {x} of {A}: t-c

sel_chain_use; x=keep+fruit; a=n(3); b=below(a); c=n()
{A} has {b} fewer {x} than {B} and {c} more {x} than {C}. {B} has {a} {x}. How many {x} does {A} have?
{B} has {a} {x}. {A} has {b} fewer {x} than {B} and {c} more than {C}. How many does {A} have?
= {x} of {A}: a-b

sel_money_more; a=money(5,90); b=less(a)
{A} bought a {x1} for {$a} and a {y1} for {$b}. How much more did the {x1} cost than the {y1}?
{A} spent {$a} at the {shop} and {$b} on lunch. How much more did {A.he} spend at the {shop}?
{A} had some money. {A.He} spent {$b} on a {x1} and {$a} on a {y1}. How much more did {A.he} spend on the {y1}?
= difference: a-b

sel_money_had; a=money(20,100); b=less(a)
{A} had {$a}. {A.He} bought a {x1} and had {$b} left. How much did the {x1} cost?
{A} took {$a} to the {shop} and came home with {$b}. How much did {A.he} spend?
= spent: a-b

sel_money_left_gain; a=money(2,90); b=money(2,90)
{A} spent {$a} on a {x1} and has {$b} left. How much did {A.he} have before?
For {A.his} birthday {A} got some money. {A.He} spent {$a} and has {$b} left. How much did {A.he} get?
= at first: a+b

sel_wallet; a=money(2,60); b=money(2,60); c=less(a+b)
There were {a} dollars in {A}'s wallet. {A.He} took {b} more from the bank. After shopping {c} dollars were left. How much did {A.he} spend?
{A} had {$a} and was given {$b}. After buying a {x1}, {A.he} has {$c}. How much was the {x1}?
= money in all: t=a+b; spent: t-c

sel_weeks_earn; k=s(); q=t(); a=k*q; c=s()
{A} earned {$a} in {k} weeks. {A.He} worked {c} days each week. How much did {A.he} earn per week?
In {k} weeks of harvest {A} got {$a}. How much was that each week?
= each week: a/k

sel_weeks_total; k=t(); q=s(); c=s()
{A} earns {$k} a week for {q} weeks. The rent is {$c}. How much does {A.he} earn in all?
For {q} weeks {A} gets {$k} every week. How much money is that?
= in all: k*q

sel_weeks_save; k=r(6,60); q=s(); c=r(1,k-1)
{A} earns {$k} every week for {q} weeks and pays {$c} a week for food. How much does {A.he} have at the end?
= kept each week: w=k-c; in all: w*q

sel_sacks; k=t(); q=s(); c=s()
They pick {k} sacks of fruit a day, {c} of them unripe. How many sacks do they pick in {q} days?
A farm fills {k} sacks a day. How many sacks are there after {q} days?
= sacks: k*q

sel_sacks_ripe; k=r(6,60); q=s(); c=r(1,k-1)
They pick {k} sacks of fruit a day and throw away {c} of them. How many sacks do they have after {q} days?
= kept a day: w=k-c; in all: w*q

sel_baskets_kinds; a=s(); b=t(); c=t()
Each of {a} baskets has {b} red apples and {c} green apples. How many red apples are there?
In every one of {a} pots stand {b} tulips and {c} wooden sticks. How many tulips is that?
= the first kind: a*b

sel_baskets_second; a=s(); b=t(); c=t()
Each of {a} baskets has {b} red apples and {c} green apples. How many green apples are there?
= the second kind: a*c

sel_basket_diff; b=r(5,60); c=below(b); a=s()
A bowl holds {b} sweet cherries and {c} sour ones. How many more of them are sweet?
= difference: b-c

sel_shelves_extra; a=s(); b=t(); c=t()
{A}'s room has {a} shelves and {c} drawers. Each shelf holds {b} {x}. How many {x} fit on the shelves?
There are {a} tables and {c} lamps in a hall. {b} people can sit at each table. How many people can sit down?
= in all: a*b

sel_groups_extra; x=countable; y=countable; k=s(); q=t(); a=k*q; c=n()
{A} has {a} {x} and {c} {y}. The {x} are put in {k} groups. How big is each group?
{A} sorts {a} {x} into {k} groups of the same size. {A.He} owns {c} {y}, too. How large is a group?
{a} {x} and {c} {y} are in the {bin}. {k} friends share the {x}. How many {x} does each get?
= {x} each: a/k

sel_groups_other; x=countable; y=countable; k=s(); q=t(); a=k*q; m=s(); c=n()
The {x} are put into {k} groups and the {y} into {m} groups. There are {a} {x} and {c} {y}. How many {x} are in each group?
= {x} each: a/k

sel_pack_left; a=s(); b=t(); c=below(a*b)
{A} bought {a} packs of {x} with {b} in each. {A.He} needs only {c}. How many {x} are left over?
= {x}: t=a*b; left: t-c

sel_friends_packs; k=r(2,12); q=s(); a=k*q
{A} invites {a} friends. One pack has {k} invitations. How many packs does {A.he} need?
= packs: a/k

sel_pile; x=countable; a=n(); b=n(); c=r(3,20)
There are {a} {x} in a pile. They come in packages of {c}. {b} {x} are added to the pile. How many {x} are in the pile?
There are {a} {x} on the desk. Each {x1} costs {c} cents. {b} more {x} are put on the desk. How many are there?
= {x}: a+b

sel_trees_died; a=n(5); b=below(a)
{A} had {a} trees. After a storm {b} of them were dead. How many trees survived?
= alive: a-b

sel_died_more; a=n(9); b=r(1,a//2-1)
{A} had {a} trees. {b} died in a storm. How many more trees lived than died?
= alive: l=a-b; difference: l-b

sel_stayed_more; a=n(9); b=r(1,a//2-1)
A waiter had {a} customers and {b} of them left. How many more stayed than left?
= stayed: l=a-b; difference: l-b

sel_kids_home; a=n(20); b=below(a)
There are {a} kids in the town. {b} of them [stayed home|went to camp] this summer and the rest did not. How many did not?
{A}'s school has {a} pupils. {b} are girls. How many boys are there?
= the rest: a-b

sel_camp_day; a=n(); b=n(); c=n(); d=n()
{a} visitors rented boats and {b} rented bikes before noon. After noon {c} more rented boats. How many rented boats on that day? ## boats
{a} people swam and {b} ran on {day}. On {day2} {c} people swam. How many people swam on the two days?
= rowing or the like: a+c

sel_camp_all; a=n(); b=n(); c=n()
A lake sold {a} boat rides before noon, {b} after noon and {c} at night. How many boat rides is that?
= in all: a+b+c

sel_sold_discount; p=r(10,60); d=r(1,9); k=t()
A shop sells shirts for {$p}. It takes {$d} off each and sells {k} of them. How much money does it get?
= price now: w=p-d; in all: w*k

sel_sold_two_games; p=r(5,60); a=t(); b=t(); t=a+b
A shop earns {$p} on each shirt. It sold {t} shirts on two days, {a} of them on the first. How much did it earn on the second day?
= shirts on the second day: s=t-a; money: s*p

sel_weight_lost; a=n(4); b=n(4)
{A} weighs {a} pounds. Before that {A.he} was {b} pounds heavier. How much did {A.he} weigh then?
= weight then: a+b

sel_strawberries; a=n(); b=n(); t=a+b
A melon and a pumpkin weigh {t} pounds together. The melon weighs {a} pounds. What does the pumpkin weigh?
{A} and {B} have {t} {x} together. {A} has {a}. How many does {B} have?
= the other: t-a

sel_straw_more*; a=n(); b=r(1,a-1); t=a+b
{A} and {B} have {t} {x} together. {A} has {a} of them. How many more does {A} have than {B}?
= {x} of {B}: o=t-a; difference: a-o

sel_height*; a=r(40,80); b=r(2,20); k=s()
{A} is {a} inches tall. {B} is {b} inches shorter than {A}. A tree is {k} times as tall as {B}. How tall is the tree?
= {B}: t=a-b; tree: t*k

sel_visitors*; a=n(); b=n(); c=n()
The museum had {a} visitors on the first day, {b} on the second, and {c} on the third. How many came on the first and the third day?
= visitors: a+c

sel_two_left*; x=fruit; y=vegetable; a=n(5); b=n(5); c=below(a)
A farmer had {a} {x} and {b} {y}. He sold {c} {x}. How many {x} and {y} does he have left?
= {x} left: l=a-c; in all: l+b
"""
