"""What happens in a short story, and why? Each plot is a row of steps, each step a few ways to say it.

Slots: {n} the hero's name, {he} {him} {his} {He} {His}, {ak} `an old fox`, {home}; {h} {hk} {ahk} {hhe} {hhim} {hhis}
the same of a second one; {t} the thing, {at} `a rusty key`, {athing} `a key`, {look} how it looks, {use} what it is
for; {p} and {p_cap} `in the forest`, {s1} {s2} spots there, {around} what goes on there; {weather} begins a sentence;
{food}, {sad}, {happy}. `gist` says the plot in a request. Every plot can name hero, thing and place.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plot:
    name: str
    gist: str
    steps: tuple[tuple[str, ...], ...]


OPENINGS = (
    "Once there was {ak} named {n} who lived in a {home}.",
    "{n} was {ak} and lived in a {home}.",
    "Long ago, {ak} called {n} lived in a {home}.",
    "There was once {ak} whose name was {n}.",
    "Not far from here lived {ak} named {n}.",
    "In a {home} lived {ak} called {n}.",
    "Everyone knew {n}, {ak} who lived in a {home}.",
)

PLOTS = (
    Plot(
        "lost",
        "loses {athing}",
        (
            (
                "{He} loved {his} {look} {t}, because with it {he} could {use}.",
                "Every day {he} used {his} {look} {t} to {use}.",
                "{His} best treasure was {at}.",
            ),
            (
                "One day, {p}, the {t} was suddenly gone.",
                "But one morning {he} went for a walk {p} and lost the {t}.",
                "{weather} {n} was playing {p} and left the {t} behind.",
            ),
            (
                "{n} was {sad} and looked near {s1}, but there was nothing.",
                "{He} searched beside {s1}, then beside {s2}, and found nothing.",
                "Without it {he} could not {use}, so {n} was {sad}.",
            ),
            (
                "Then {h} the {hk} came by and asked what was wrong.",
                "{h}, {ahk}, heard {him} sigh and stopped to help.",
            ),
            (
                '"I saw {athing} near {s2}," said {h}, and they ran there together.',
                '"Let us look together," said {h}, "four eyes see more than two."',
            ),
            ("There lay the {t}, and {n} was {happy}.", "Soon they found the {t} near {s2}, and {n} danced with joy."),
            (
                "To say thank you, {n} gave {h} {food}.",
                "From then on {n} took good care of the {t}.",
                "That evening they shared {food} and laughed.",
            ),
        ),
    ),
    Plot(
        "found",
        "finds {athing}",
        (
            ("{weather} {n} was walking {p}, where {around}.", "One day {he} was alone {p}, and {around}."),
            ("Near {s1} {he} found {at}.", "Beside {s1} something was shining: it was {at}."),
            (
                '"With this {t} I could {use}," thought {n}, "but somebody must miss it."',
                "{n} wanted to keep it, but {he} knew that it was not {his} own.",
            ),
            (
                "So {he} asked everyone until {he} met {h} the {hk}, who was {sad}.",
                "Behind {s2} sat {h} the {hk}, crying, because the {t} was lost.",
            ),
            (
                "{n} held out the {t}, and {h} could not believe {hhis} eyes.",
                '"Is this yours?" asked {n}, and {h} jumped for joy.',
            ),
            (
                "Because {n} was honest, {h} gave {him} {food}.",
                '"You are a true friend," said {h}, and gave {n} {food}.',
            ),
            (
                "After that day the two met often {p}.",
                "{n} went home without the {t}, but {happy}.",
                "And so {n} found something better than {at}: a friend.",
            ),
        ),
    ),
    Plot(
        "lend",
        "lends {athing} to a friend",
        (
            ("{n} had {at}, and {he} used it to {use}.", "{His} {look} {t} was the best one anywhere."),
            ("One day {p} {he} met {h}, {ahk}, who looked {sad}.", "{weather} {n} saw {h} the {hk} sitting near {s1}."),
            (
                '"I want to {use}, but I have no {t}," said {h}.',
                "{h} needed {athing} to {use}, but {hhe} did not have one.",
            ),
            (
                "{n} thought for a moment and then gave {hhim} the {t}.",
                '"Take mine," said {n}, "you can bring it back tomorrow."',
            ),
            ("So {h} could {use} at last.", "{h} worked until evening, and everything went well."),
            (
                "The next day {h} brought the {t} back, clean and shiny, and {food} with it.",
                "The next morning the {t} lay at {n}'s door, beside {food}.",
            ),
            (
                '"Sharing makes things better," said {n}.',
                "Since then they share everything.",
                "{n} smiled, because a thing that is shared is worth twice as much.",
            ),
        ),
    ),
    Plot(
        "noise",
        "hears a strange noise",
        (
            ("One night {n} heard a strange noise {p}.", "{weather} a strange sound came from somewhere {p}."),
            (
                "It went tap, tap, tap near {s1}, and {n} was afraid.",
                '"Perhaps it is a monster," {he} thought, and {his} knees shook.',
            ),
            (
                "But {he} took {his} {look} {t} and went to see.",
                "{He} held the {t} tight, took a deep breath and went on.",
            ),
            ("Behind {s2} something moved.", "Step by step {he} came closer to {s2}."),
            (
                "It was only {h} the {hk}, who was looking for {food}.",
                "There stood {h}, {ahk}, who had dropped {food} and could not find it.",
            ),
            ("Both of them jumped, and then both of them laughed.", '"You scared me!" they said at the same time.'),
            (
                "{n} lent {hhim} the {t}, and they ate together.",
                "Now {n} knows that most noises have a simple reason.",
                "Since that night {n} is not afraid any more.",
            ),
        ),
    ),
    Plot(
        "make",
        "makes {athing}",
        (
            ("More than anything, {n} wanted to make {at}.", "{n} had a plan: {he} would make {at} and {use}."),
            ("{He} worked {p}, where {around}.", "All day long {he} sat near {s1} and worked."),
            (
                "But {he} was in a hurry, and the {t} broke in two.",
                "The first one fell apart, because {he} had worked too fast.",
            ),
            ("{n} was {sad} and threw the pieces away.", '"I will never learn it," {he} said, and sat down near {s2}.'),
            (
                'Then {h} the {hk} sat down beside {him} and said: "Try again, but slowly."',
                "{h}, {ahk}, showed {him} how to do it one step at a time.",
            ),
            ("This time {n} was patient, and the {t} was perfect.", "The second {t} was strong and {look}."),
            (
                "Now {he} could {use}, and {he} was {happy}.",
                '"Slow hands make good work," said {h}, and {n} had to agree.',
                "That evening {n} showed everyone how to {use}.",
            ),
        ),
    ),
    Plot(
        "race",
        "runs a race",
        (
            (
                "One day there was a race {p}, and the prize was {at}.",
                "Everyone came to the great race {p}; who won would get {at}.",
            ),
            (
                "{n} wanted to win, because then {he} could {use}.",
                "{n} dreamed of the {t} and ran as fast as {he} could.",
            ),
            (
                "Near {s1} {he} was in front, ahead of {h} the {hk}.",
                "At first {h}, {ahk}, was faster, but near {s1} {n} came closer.",
            ),
            ("Suddenly {h} fell over and hurt {hhis} leg.", "Then {h} slipped beside {s2} and could not get up."),
            ("{n} looked at the finish, but {he} turned back to help.", "{n} stopped at once and helped {hhim} up."),
            ("Side by side they walked over the line, the last of all.", "Together they came in last, arm in arm."),
            (
                "But everyone clapped, and the {t} was given to both of them.",
                '"Kindness wins more than speed," said the judge, and gave them the {t}.',
                "Because {n} had been kind, the judge gave {him} the {t}.",
            ),
        ),
    ),
    Plot(
        "swap",
        "swaps food for {athing}",
        (
            ("One morning {n} took {food} and went out.", "{weather} {n} packed {food} for lunch and set out."),
            (
                "{p_cap} {he} met {h}, {ahk}, who was hungry and had nothing but {at}.",
                "Near {s1} sat {h} the {hk} with {at}, and was very hungry.",
            ),
            ('"I will give you my {t} for your food," said {h}.', "{h} asked for the food and offered the {t} for it."),
            (
                "{n} did not need {athing}, but {he} was kind and said yes.",
                '"What should I do with {athing}?" thought {n}, but {he} agreed.',
            ),
            (
                "The next day a rich stranger came by who wanted to {use}.",
                "Near {s2} {he} met a rich lady who wanted to {use}.",
            ),
            (
                "There was only one {t} far and wide, and {n} had it.",
                '"Who gives me {athing} will be rich," {n} heard, and {he} held out the {t}.',
            ),
            (
                "So {n} got a bag of gold, because {he} had been kind.",
                "That is how a good deed made {n} rich.",
                '"A small kindness came back to me," said {n}.',
            ),
        ),
    ),
    Plot(
        "gift",
        "gives {athing} away",
        (
            (
                "It was the birthday of {h} the {hk}, but {n} had no money for a gift.",
                "Tomorrow {h}, {ahk}, would have a birthday, and {n} had no present.",
            ),
            (
                "{He} walked about {p} and thought, while {around}.",
                "{He} sat down near {s1} and thought about it for a long time.",
            ),
            ("All {he} had was {his} own {look} {t}.", "There was only one thing that {he} owned: {at}."),
            (
                "{n} loved the {t}, but {he} loved {h} more.",
                "It was hard for {him}, but {he} wrapped the {t} in paper.",
            ),
            ("When {h} opened the present, {hhis} eyes grew wide.", '"For me?" cried {h}, and hugged {n}.'),
            ('"I have always wanted to {use}!" said {h}.', '"Now we can {use} together," said {h}.'),
            (
                "Then they ate {food}, and {n} was {happy}.",
                "Giving the {t} away made {n} {happy}.",
                "It was the best party of the year.",
            ),
        ),
    ),
    Plot(
        "truth",
        "breaks {athing} and tells the truth",
        (
            ("{h} the {hk} was the best friend of {n} and owned {at}.", "One day {h}, {ahk}, lent {n} {at}."),
            (
                "{weather} {n} played with the {t} {p}, although {he} was told not to.",
                "{n} took it along and ran about {p}.",
            ),
            (
                "{He} tripped near {s1}, and the {t} broke.",
                "Suddenly it slipped out of {his} hands near {s1}, and a piece broke off.",
            ),
            (
                "{n} was afraid and hid the {t} behind {s2}.",
                '"Nobody saw me," thought {n}, and hid the pieces near {s2}.',
            ),
            (
                "But that night {he} could not sleep, because {he} felt bad.",
                "All day long {his} stomach hurt, because {he} had a secret.",
            ),
            (
                "In the end {n} went to {h} and told the truth.",
                '"I broke your {t}, and I am sorry," {he} said at last.',
            ),
            (
                "{h} was not angry, and together they mended it.",
                '"Thank you for telling me," said {h}, and they mended the {t} with glue.',
                "{h} forgave {him}, and {n} felt light again.",
            ),
        ),
    ),
    Plot(
        "wish",
        "makes a wish",
        (
            ("One day {n} found {at} {p}.", "{weather} {n} dug near {s1} and found {at}."),
            (
                'When {he} touched it, a small voice said: "You have one wish."',
                "It was magic, and who held it could make one wish.",
            ),
            (
                "{n} wished for a mountain of gold, and there it was.",
                '"I want all the cakes in the world," said {n}, and they fell from the sky.',
            ),
            (
                "But now everyone was afraid of {him}, and {he} was {sad}.",
                "But {he} had nobody to share it with, and soon {he} was {sad}.",
            ),
            (
                '{h} the {hk} said: "The best things are not made by magic."',
                "Only {h}, {ahk}, came to see {him} and brought {food}.",
            ),
            (
                "So {n} asked the {t} to take everything back.",
                "Then {n} put the {t} back near {s1}, and the magic was gone.",
            ),
            (
                "Now {he} had a friend, and that was better.",
                "They ate {food} together, and {n} was {happy}.",
                "{n} never wished for gold again.",
            ),
        ),
    ),
    Plot(
        "careless",
        "forgets {athing} in the rain",
        (
            (
                "{n} had {at}, but {he} never looked after it.",
                '{His} mother gave {him} {at} and said: "Take good care of it."',
            ),
            (
                "One evening {he} left the {t} {p} and went to bed.",
                "One day {he} forgot the {t} near {s1}, because {he} was thinking of {food}.",
            ),
            ("In the night it rained, and the wind was strong.", "That night a storm came, and everything got wet."),
            (
                "In the morning the {t} was broken, and {n} was {sad}.",
                "The next day {he} found it full of mud, and {he} could not {use}.",
            ),
            ("{h} the {hk} came past and saw the trouble.", '"Do not cry," said {h}, {ahk}, "we can clean it."'),
            (
                "They washed it, dried it and mended it until it was like new.",
                "It took them all day, but then the {t} was like new.",
            ),
            (
                "Since then {n} brings the {t} home every evening.",
                '"Now I know what care means," said {n}.',
                "So {n} could {use} again and was {happy}.",
            ),
        ),
    ),
    Plot(
        "rescue",
        "helps somebody who is lost",
        (
            (
                "{weather} {n} was out {p} with {his} {look} {t}.",
                "One day {n} took {his} {look} {t} and went for a walk.",
            ),
            ("Near {s1} {he} heard somebody crying.", "Somebody was calling for help {p}."),
            (
                "It was little {h}, {ahk}, who had lost the way.",
                "A small {hk} named {h} sat near {s2} and could not get home.",
            ),
            (
                '"Do not worry," said {n}, "I know the way."',
                '"I will help you," said {n}, and gave {hhim} the {t} to hold.',
            ),
            (
                "{n} took {hhim} by the hand, and together they found the path.",
                '"Follow me," said {n}, and before dark they were out of danger.',
            ),
            (
                "The family of {h} was {happy} and gave them {food}.",
                "When {h} was home, {hhis} mother cooked a big dinner.",
            ),
            (
                "Now {h} visits {n} every week.",
                "Everybody {p} still talks about brave {n}.",
                "That night {n} slept well, because {he} had done a good thing.",
            ),
        ),
    ),
    Plot(
        "boast",
        "is proud of {athing}",
        (
            ("{n} had {at} and talked about it all day.", "When {n} got {at}, {he} became very proud."),
            (
                '"Nobody else can {use}," {he} told everyone {p}.',
                "{p_cap} {he} showed it to everybody, but nobody was allowed to touch it.",
            ),
            ("Soon the others did not want to play with {him} any more.", "After a while all the others went away."),
            ("So {n} sat alone near {s1} and was {sad}.", "Now {he} was alone with {his} {t}, and it was no fun."),
            (
                "Then {he} saw {h} the {hk}, who was alone too.",
                "{h}, {ahk}, came by and looked at the {t} without a word.",
            ),
            ('"Would you like to try it?" asked {n}.', '"You may hold it if you like," said {n} in a low voice.'),
            (
                "They took turns, and {n} was {happy}.",
                "From that day {n} let everyone play with the {t}.",
                "So {n} learned that things are more fun with friends.",
            ),
        ),
    ),
    Plot(
        "treasure",
        "looks for a treasure",
        (
            (
                "An old map showed that a treasure was hidden {p}.",
                "{weather} {n} heard that a treasure lay hidden {p}.",
            ),
            (
                "{n} took {his} {look} {t} and set out with {h} the {hk}.",
                "Together with {h}, {ahk}, and {at}, {n} went to look for it.",
            ),
            ("They looked near {s1}, while {around}.", "First they searched near {s1}, but they found only dust."),
            ("Then {h} saw a mark near {s2}.", "At last there was a sign near {s2}, and they began to dig."),
            (
                "They found an old chest, and in the chest lay {food}.",
                "In the ground was a chest, but there was no gold in it, only a letter.",
            ),
            (
                '"Who shares with a friend is rich," it said on the lid.',
                '"The real treasure is the one beside you," somebody had written.',
            ),
            (
                "The two looked at each other and laughed.",
                "So they sat down, ate {food} and were {happy}.",
                "{n} and {h} are friends to this day.",
            ),
        ),
    ),
    Plot(
        "night",
        "cannot sleep",
        (
            ("One night {n} could not sleep and walked about {p}.", "It was late, but {n} was wide awake and sat {p}."),
            ("The moon shone, and {around}.", "Everything was quiet near {s1}."),
            (
                "{He} had {his} {look} {t} with {him}, but even that did not help.",
                "{He} tried to {use} with {his} {t}, but {he} did not get tired.",
            ),
            ("There {he} met {h}, {ahk}, who was awake too.", "Near {s2} sat {h} the {hk} and looked at the stars."),
            ('"Count the stars with me," said {h}.', '"Lie down and listen to the wind," said {h}.'),
            ("They counted to twenty, and then {n} began to yawn.", "After a while {his} eyes grew heavy."),
            (
                "{n} fell asleep with the {t} in {his} arms.",
                "In the morning {n} woke up beside the {t} and was {happy}.",
                "Since then the two meet whenever they cannot sleep.",
            ),
        ),
    ),
    Plot(
        "thief",
        "looks for a thief",
        (
            (
                "One morning the {look} {t} of {n} was not there any more.",
                "{n} woke up and saw that somebody had taken {his} {look} {t}.",
            ),
            ("Small footprints led to a spot {p}.", "{He} followed the footprints until {he} was {p}."),
            ("{n} was angry, because now {he} could not {use}.", '"A thief!" cried {n}, and ran past {s1}.'),
            (
                "Behind {s2} {he} found {h} the {hk} with the {t}.",
                "There was {h}, {ahk}, holding the {t} with both hands.",
            ),
            (
                '"Please do not be angry," said {h}, "my little brother is ill, and I only wanted to {use} for him."',
                '"I wanted to bring it back today," said {h}, and turned red.',
            ),
            (
                "When {n} heard that, {he} was not angry any more.",
                '"You could have asked me," said {n}, and sat down beside {hhim}.',
            ),
            (
                "They went together, and {n} brought {food} along.",
                "The next time {h} asked first, and {n} said yes.",
                "Asking is better than taking, and both of them knew it now.",
            ),
        ),
    ),
)
