"""Word problems of one and two operations that can play in any situation of `scenes.py`, in English.

`grammar.py` says how a block is read; @change and @group in the first line choose the situations.
"""

SCENES = r"""
scene_gain @change; a=n(); b=n()
{A} had {a} {x} {at}. {A.He} {gp} {b} more. How many {x} does {A} have [now|in all|altogether]?
{A} had {a} {x} {at} and {gp} {b} more [{x} |][today|yesterday|on {day}|later|]. How many {x} [is that|does {A.he} have] [in all|altogether|now]?
{A} {gp} {a} {x}. {B} {gp} {b}[ {x}|]. How many {x} did they {gi} [in all|altogether|together|in total]?
{A} {gp} {a} {x} [on {day}|in the morning|last week|in {month}]. [Then|Later|After that] {A.he} {gp} {b} more. How many {x} did {A.he} {gi} [in all|altogether|in total]?
[On {day}|In {month}|Yesterday] {A} {gp} {a} {x}. [On {day2}|In {month2}|Today] {A.he} {gp} {b}. [What is the total number of {x}|How many {x} did {A.he} {gi} in all]?
There were {a} {x} {at}. Then {A} {gp} {b} [more|others|new ones]. How many {x} are there [now|in total]?
{A} {gp} {a} {col} {x} and {b} {col2} {x}. How many {x} did {A.he} {gi} [in all|altogether|in total|]?
{A} and {B} {gp} {x} {at}. {A} {gp} {a} and {B} {gp} {b}. What is the total number of {x}?
= total {x}: a+b

scene_lose @change; a=n(4); b=below(a)
{A} had {a} {x} {at}. {A.He} {lp} {b} [of them|{x}]. How many {x} [does {A} have left|are left|does {A.he} have now|remain]?
{A} {gp} {a} {x}, but {A.he} {lp} {b} of them. How many {x} [are left|does {A.he} have now]?
[There were|{A} had] {a} {x} {at}. [Then |]{A} {lp} {b}. How many {x} [were left|remained|does {A.he} still have]?
{A} [has|had] {a} {x}. {A.He} [decides to|wants to|plans to|will] {li} {b} of them. How many {x} will {A.he} have [left|then|after that]?
Of the {a} {x} {at}, {A} {lp} {b}. How many {x} did {A.he} not {li}?
{A} started [the day|the week|] with {a} {x}. By [noon|evening|{day}] {A.he} {lp} {b} of them. How many {x} [were left|did {A.he} still have]?
= {x} left: a-b

scene_gain_unknown @change; a=n(4); b=below(a)
{A} had {b} {x} {at}. {A.He} {gp} some more. Now {A.he} has {a}[ {x}|]. How many {x} did {A.he} {gi}?
{A} had {b} {x}. After {A.he} {gp} [some|a few|several] more, {A.he} had {a}. How many [more |]did {A.he} {gi}?
{A} {gp} {b} {x} [on {day}|in the morning] and some more [t:on {day2}|in the afternoon|later]. In all {A.he} {gp} {a}. How many {x} did {A.he} {gi} {t1}?
{A} and {B} {gp} {a} {x} [together|in all]. {A} {gp} {b} of them. How many did {B} {gi}?
{A} {gp} a total of {a} {x} in two days. On the first day {A.he} {gp} {b}. How many did {A.he} {gi} on the second day?
= {x} added: a-b

scene_lose_unknown @change; a=n(4); b=below(a)
{A} had {a} {x} {at}. {A.He} {lp} some of them. Now {A.he} has {b}[ {x}|][ left|]. How many {x} did {A.he} {li}?
{A} had {a} {x}, but {lp} some. {b} are left. How many did {A.he} {li}?
{A} {gp} {a} {x}. [By the end of the day|A week later|After some time] only {b} were left. How many [were gone|{x} were gone]?
= {x} gone: a-b

scene_start_lost @change; a=n(); b=n()
{A} had some {x} {at}. {A.He} {lp} {b} of them and has {a} left. How many {x} did {A.he} have [at first|before|to start with|originally]?
{A} {lp} {b} {x}. Now {A.he} has {a} {x}. How many {x} were there [before|at first|in the beginning]?
After {A} {lp} {b} of {A.his} {x}, {A.he} still had {a}. How many did {A.he} have at the start?
= {x} at first: a+b

scene_start_gained @change; a=n(4); b=below(a)
{A} had some {x} {at}. Then {A.he} {gp} {b} more, and now there are {a}. How many {x} were there [at first|before]?
After {A} {gp} {b} more {x}, {A.he} has {a}. How many {x} did {A.he} have before that?
= {x} at first: a-b

scene_more @change; a=n(4); b=below(a)
{A} {gp} {a} {x}. {B} {gp} {b}[ {x}|]. How many more {x} did {A} {gi} than {B}?
{A} {gp} {a} {x} [t:on {day}|in {month}|yesterday|in the first week] and {b} [{x} |][on {day3}|in {month3}|today]. How many more did {A.he} {gi} {t1}?
{A} {gp} {a} {x} but only {lp} {b}. How many more {x} did {A.he} {gi} than {A.he} {lp}?
{A} {gp} {a} {x}, while {B} {gp} {b}. [What is the difference|How many fewer did {B} {gi}|By how many {x} is {A} ahead]?
= difference: a-b

scene_compare @change; a=n(); b=n()
{A} {gp} {a} {x}. {B} {gp} {b} more {x} than {A}. How many {x} did {B} {gi}?
On {day} {A} {gp} {a} {x}. On {day2} {A.he} {gp} {b} more than on {day}. How many {x} did {A.he} {gi} on {day2}? ## {x}
Last week {A} {gp} {a} {x}. This week {A.he} {gp} {b} more than last week. How many {x} did {A.he} {gi} this week? ## {x}
{A} {gp} {a} {x}, {b} fewer than {B}. How many {x} did {B} {gi}?
= {x} of {B}: a+b

scene_compare_less @change; a=n(4); b=below(a)
{A} {gp} {a} {x}. {B} {gp} {b} [fewer|less] [{x} |]than {A}. How many {x} did {B} {gi}?
{A} {gp} {a} {x}, which is {b} more than {B} {gp}. How many {x} did {B} {gi}?
= {x} of {B}: a-b

scene_times @change; a=t(); k=s()
{A} {gp} {a} {x}. {B} {gp} {k.times} as many. How many {x} did {B} {gi}?
[Last week|On {day}] {A} {gp} {a} {x}. [This week|On {day2}] {A.he} {gp} {k.times} as many. How many {x} is that? ## {x}
= {x} of {B}: a*k

scene_goal @change; a=n(4); b=below(a)
{A} wants to {gi} {a} {x}. {A.He} [has already|already] {gp} {b}. How many more [{x} |]must {A.he} {gi}?
{A} [needs|has] to {gi} {a} {x}. So far {A.he} {gp} {b}. How many [more|are left|are still missing]?
= more needed: a-b

scene_daily @change; a=t(); k=s()
{A} {gp} {a} {x} [a day|each day|every day|per day] for {k} days. How many {x} did {A.he} {gi} [in all|altogether|]?
{A} can {gi} {a} {x} an hour. How many {x} can {A.he} {gi} in {k} hours?
{k} [friends|children|people] each {gp} {a} {x}. How many {x} did they {gi} in all?
{A}, {B} and some others, {k} in all, {gp} {a} {x} each. How many {x} did they {gi} together?
= total {x}: a*k

scene_per_day @change; k=s(); q=t(); a=k*q
{A} {gp} {a} {x} in {k} days, the same number each day. How many {x} did {A.he} {gi} [a day|each day]?
{k} friends {gp} {a} {x} in all. Each of them {gp} the same number. How many did each {gi}?
{A} {gp} {a} {x} in {k} hours. How many {x} did {A.he} {gi} per hour?
= {x} each: a/k

scene_days_needed @change; k=s(); q=t(); a=k*q
{A} has to {gi} {a} {x}. {A.He} can {gi} {k} a day. How many days [does {A.he} need|will it take]?
{A} {gp} {k} {x} every day until {A.he} had {a}. How many days did it take?
= days: a/k

scene_three @change; a=n(); b=n(); c=n()
{A} {gp} {a} {x}, {B} {gp} {b} {x}, and {C} {gp} {c} {x}. How many {x} did they {gi} [in all|altogether|in total|together]?
{A} {gp} {a} {x} on {day}, {b} on {day2}, and {c} on {day3}. How many {x} did {A.he} {gi} [in all|in total]?
{A} had {a} {x} {at}. {A.He} {gp} {b} on {day} and {c} more on {day2}. How many {x} does {A.he} have now?
{A} has {a} {col} {x}, {b} {col2} {x} and {c} {col3} {x}. How many {x} is that in all?
= total {x}: a+b+c

scene_gain_lose @change; a=n(); b=n(); c=below(a+b)
{A} had {a} {x} {at}. {A.He} {gp} {b} more, but then {lp} {c}. How many {x} does {A.he} have [now|left]?
{A} {gp} {a} {x} [on {day}|first] and {b} [on {day2}|later]. {A.He} {lp} {c} of them. How many {x} [are left|does {A.he} still have]?
{A} {gp} {a} {x} and {B} {gp} {b}. {c} of them were [bad|broken|lost|no good]. How many [good ones are there|are left|can be used]?
{A} and {A.his} {kin} {gp} {a} and {b} {x}. If they {lp} {c} of [them|the {x}], how many were left?
{A} {gp} {a} {x} and {B} {gp} {b}. Only {c} of the {x} were [good|used]. How many were not?
= together: t=a+b; left: t-c

scene_lose_gain @change; a=n(4); b=below(a); c=n()
{A} had {a} {x} {at}. {A.He} {lp} {b} and then {gp} {c} more. How many {x} does {A.he} have now?
{A} had {a} {x}. If {A.he} {lp} {b} of them and {gp} {c} new ones, how many would {A.he} have?
{A} {lp} {b} of the {a} {x} {at}, but later {gp} another {c}. How many {x} are there now?
There were {a} {x} {at}. {A} {lp} {b}, and {B} {gp} {c}. How many {x} are there?
= after that: l=a-b; now: l+c

scene_lose_lose @change; a=n(10); b=r(1,a//2); c=r(1,a//2-1)
{A} had {a} {x} {at}. {A.He} {lp} {b} [on {day}|at first] and {c} [on {day2}|later]. How many {x} are left?
{A} had {a} {x}. {A.He} {lp} {b}, and {B} took {c}. How many does {A} [have left|still have]?
There were {a} {x}. {A} {lp} {b} of them and {B} {lp} {c}. How many {x} remain?
= after the first: l=a-b; left: l-c

scene_share_sum @change; c=s(); q=s(); b=below(c*q); a=c*q-b
{A} {gp} {a} {x} and {B} {gp} {b}. They [put|sort] them in {c} equal [piles|groups|boxes]. How many {x} are in each?
{A} had {a} {x} and {gp} {b} more. {A.He} [shared|split] them equally among {c} [people|friends]. How many {x} did each one get?
{A} had {a} {x} and {gp} {b} more. {A.He} can fit {c} [c:in a box/boxes|on a page/pages|in each bag/bags]. How many {c2} does {A.he} need? ## groups
= {x} in all: t=a+b; {x} each: t/c

scene_share_rest @change; c=s(); q=s(); b=n(); a=c*q+b
{A} had {a} {x} {at}. {A.He} {lp} {b} of them and [put|packed|sorted] the rest into {c} equal [piles|groups|boxes]. How many {x} are in each?
{A} {gp} {a} {x}. {A.He} {lp} {b}. The rest are [put|packed] in [c:boxes|bags|piles] of {c}. How many {c1} are there? ## groups
{A} has {a} {x}. {B} takes {b} of them. {A} can handle {c} [an hour|a day]. How [many hours|long] will the rest take? ## time
= {x} left: l=a-b; {x} each: l/c

scene_twice @change; a=t(); k=r(2,5)
{A} {gp} {a} {x}. {B} {gp} {k.times} as many. How many {x} did they {gi} [together|in all]?
{A} {gp} {a} {x} on {day} and {k.times} as many on {day2}. How many {x} is that in all?
= the second: s=a*k; together: a+s

scene_more_sum @change; a=n(); b=n()
{A} {gp} {a} {x}. {B} {gp} {b} more than {A}. How many {x} did they {gi} [together|in all]?
On {day} {A} {gp} {a} {x}, and on {day2} {b} more than on {day}. How many {x} did {A.he} {gi} on both days?
= the second: s=a+b; together: a+s

scene_each_sell @change; a=n(4); b=below(a); p=s()
{A} had {a} {x} and {lp} {b}. The rest are worth {$p} each. How much are they worth [together|in all]?
= {x} left: l=a-b; worth: l*p

scene_earn_each @change; a=t(); p=s(); c=n()
{A} gets {p} cents for each of the {a} {x} {A.he} {gp}. {A.He} already has {c} cents. How many cents does {A.he} have then?
= cents for {x}: t=a*p; cents in all: t+c

scene_other_kind @change; a=n(); b=n(); c=n()
{A} had {a} {x} and {c} {y}. {A.He} {gp} {b} more {x}. How many {x} does {A.he} have now?
{A} has {c} {y} and {a} {x}. {B} gives {A.him} {b} {x}. How many {x} does {A} have [now|in all]?
{A} {gp} {a} {x}. {B} {gp} {b} {x} and {c} {y}. How many {x} did they {gi} [in all|together]?
{A} owns {a} {col} {x} and {c} {col2} ones, and {B} owns {b} {col} ones. How many {col} {x} do both of them own?
{A} {gp} {a} {x}. Then {A.he} {gp} {b} more. Later {A.he} bought {c} {y}. How many {x} does {A.he} have in all?
= {x} now: a+b

scene_other_kind_lose @change; a=n(4); b=below(a); c=n()
{A} had {a} {x} and {c} {y}. {A.He} {lp} {b} {x}. How many {x} does {A.he} have left?
{A} has {c} {y} and {a} {x}. {B} takes {b} of the {x}. How many {x} are left?
There are {a} {x} in one {bin} and {c} {x} in another. {A} takes {b} out of the first. How many {x} are left in the first?
{A} had {a} {x} and {B} had {c}. {A} {lp} {b} of {A.his}. How many {x} does {A} have now?
= {x} left: a-b

scene_other_share @change; k=s(); q=t(); a=k*q; c=n()
{A} has {a} {x} and {c} {y}. {A.He} shares the {x} among {k} friends. How many {x} does each friend get?
{A} has {a} {x}. {B} brings {c} {y}. {A} puts the {x} into {k} equal groups. How many {x} are in each group?
= {x} each: a/k

grp_total @group; a=s(); b=t()
There are {a} {gs}. [Each {g} has|On each {g} there are|In every {g} there are] {b} {x}. How many {x} [are there|is that] [in all|altogether|in total]?
{A} {vp} {a} {gs} with {b} {x} [each|in each|on each]. How many {x} [is that|are there] [in all|altogether|]?
{A} {vp} {a} {gs}. If there [are|were] {b} {x} [for each {g}|to a {g}|in each {g}], how many {x} [are|were] there?
There are {b} {x} [per {g}|for every {g}|in a {g}]. How many {x} are there [in|for] {a} {gs}?
Each {g} has {b} {x}. How many {x} do {a} {gs} have?
= total {x}: a*b

grp_each @group; k=s(); q=t(); a=k*q
There are {a} {x} and {k} {gs}. Each {g} has the same number of {x}. How many {x} [are in each {g}|does each {g} have]?
{a} {x} are [divided|split|spread] [equally|evenly] over {k} {gs}. How many {x} [are there for each {g}|go to each {g}|does each {g} get]?
{A} {vp} {k} {gs} with {a} {x} in all. [Every|Each] {g} had the same number. How many {x} [were there for|had] each {g}?
{A} has {a} {x} for {k} {gs}. How many {x} are there for each {g}?
= {x} each: a/k

grp_count @group; k=s(); q=t(); a=k*q
There are {a} {x}. Each {g} [has|holds|takes] {k}. How many {gs} [are there|are needed]?
{A} has {a} {x} and wants {k} {x} for each {g}. How many {gs} can there be?
{a} {x} are put {k} to a {g}. How many {gs} is that?
{A} counted {a} {x}, {k} for every {g}. How many {gs} were there?
If each {g} needs {k} {x}, how many {gs} can {A} {vi} with {a} {x}?
= {gs}: a/k

grp_two_gs @group; a=s(); c=s(); b=t()
{A} {vp} {a} {gs} [on {day}|in the morning|yesterday] and {c} [more |][on {day2}|in the afternoon|today]. [Each {g} had|There were] {b} {x}[ to each {g}|]. How many {x} [is that|were there] [in all|altogether]?
{A} {vp} {a} [big|{col}|new] {gs} and {c} [small|{col2}|old] {gs}. If each {g} had {b} {x}, how many {x} were there?
{A} {vp} {a} {gs} and {B} {vp} {c}. Each {g} has {b} {x}. How many {x} do they have [together|in all]?
= {gs}: g=a+c; {x}: g*b

grp_less_gs @group; a=s(); h=below(a); b=t()
There are {a} {gs}, and {A} has [already |]{vp} {h} of them. Each {g} has {b} {x}. How many {x} are in the {gs} that are left?
{A} wanted to {vi} {a} {gs} but [forgot|skipped|missed] {h} of them. There are {b} {x} for each {g}. How many {x} did {A.he} [get|have]?
{A} had {a} {gs} of {b} {x} each and gave {h} of the {gs} to {B}. How many {x} does {A} still have?
= {gs} left: l=a-h; {x}: l*b

grp_rest_each @group; k=s(); q=t(); b=n(); a=k*q+b
There were {a} {x}, but {b} were [lost|gone|taken away]. The rest belong to {k} {gs}, the same number to each. How many {x} [does each {g} have|has each {g}]?
{A} had {a} {x}. {A.He} kept {b} and put the rest equally in {k} {gs}. How many {x} are in each {g}?
= {x} left: l=a-b; {x} each: l/k

grp_rest_count @group; k=s(); q=s(); b=n(); a=k*q+b
There were {a} {x}. {b} of them [left|were taken|are gone]. Each {g} [has|gets] {k} of the rest. How many {gs} are there?
{A} had {a} {x}. {A.He} gave away {b} and put the others in {gs} of {k}. How many {gs} did {A.he} have?
= {x} left: l=a-b; {gs}: l/k

grp_sum_count @group; k=s(); q=s(); b=below(k*q); a=k*q-b
{A} has {a} {col} {x} and {b} {col2} {x}. Each {g} [has|needs|holds] {k} {x}. How many {gs} [are there|can {A.he} {vi}]?
{A} has {a} {x} and {B} has {b}. They want {gs} with {k} {x} in each. How many {gs} [will there be|can they make]?
There are {a} {x} here and {b} {x} there. If each {g} holds {k}, how many {gs} [are needed|do they fill]?
= {x} in all: t=a+b; {gs}: t/k

grp_two_in_each @group; a=s(); b=s(); c=s()
{A} {vp} {a} {gs}. Each {g} had {b} {col} {x} and {c} {col2} {x}. How many {x} were there [in all|]?
There are {a} {gs} with {b} [big|old] and {c} [small|new] {x} at each. How many {x} are there?
= {x} in each: e=b+c; in all: e*a

grp_plus @group; a=s(); b=t(); c=n()
{A} {vp} {a} {gs} with {b} {x} each. {A.He} [also has|already had|found] {c} [other|more|single] {x}. How many {x} is that in all?
= {x} in the {gs}: t=a*b; in all: t+c

grp_minus @group; a=s(); b=t(); c=below(a*b)
{A} {vp} {a} {gs} with {b} {x} each. {c} of the {x} were [bad|lost|missing|given away]. How many {x} [are left|were left|were good]?
There are {a} {gs} with {b} {x} each. {c} {x} are [taken|used|gone]. How many {x} are there now?
= {x} in the {gs}: t=a*b; left: t-c

grp_money @group; a=s(); b=t(); p=s()
{A} has {a} {gs} with {b} {x} each. Each {x1} is worth {p} [points|cents]. What are all of them worth?
= {x}: t=a*b; worth: t*p

grp_need_up @group; k=r(3,12); a=n(15)
{a} {x} have to fit. One {g} [takes|holds] {k}. How many {gs} are needed?
{A} has {a} {x}. There is room for {k} {x} in each {g}. How many {gs} does {A.he} need for all of them?
= {gs} needed: a/k up

grp_left_over @group; k=r(3,9); a=n(10)
{A} has {a} {x}. {A.He} puts {k} in each {g}. How many {x} [are left over|do not fit in a full {g}|remain]?
There are {a} {x} for {k} {gs}, and each {g} gets the same number. How many {x} are left over?
= left over: a/k rest

grp_full @group; k=r(3,9); a=n(10)
{A} has {a} {x} and puts {k} in each {g}. How many full {gs} [are there|can {A.he} make]?
= full {gs}: a/k down

grp_compare @group; a=s(); c=s(); b=t(); d=t()
{A} has {a} {gs} with {b} {x} each. {B} has {c} {gs} with {d} {x} each. How many {x} do they have [together|in all]?
= {x} of {A}: e=a*b; {x} of {B}: f=c*d; together: e+f

grp_two_need*@group; a=s(); c=s(); b=t(); d=below(b)
{A} {vp} {a} {gs}. There should be {b} {x} for each {g}, but each has only {d}. How many {x} are missing in all?
= missing in each: m=b-d; in all: m*a

scene_give_each*@change; k=s(); p=r(1,9); a=k*p+n()
{A} had {a} {x} {at}. {A.He} gave {p} {x} to each of {k} friends. How many {x} does {A.he} still have?
= given away: g=k*p; {x} left: a-g

scene_stop*@change; a=n(); b=n(); c=below(a+b)
At first {A} {gp} {a} {x}, next {b}. In the end {A.he} {lp} {c}. With how many {x} did {A.he} finish?
= together: t=a+b; left: t-c

scene_missing*@change; a=n(4); b=below(a)
Once {A} had {a} {x} {at}. When {A.he} counts them today, only {b} are there. How many are missing?
= {x} gone: a-b
"""
