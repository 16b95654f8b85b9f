"""Which names, animals, things and places can small talk be about?

Data only, one entry a line where an entry has parts: `noun | adjectives | what it is for`, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass

SHE = """Ada Alice Amy Anna Bella Betty Bonnie Carla Chloe Clara Daisy Dora Ella Elsa Emma Eva Fay Flora
Fiona Gina Grace Hanna Hazel Heidi Holly Ida Iris Ivy Jane Jenny Julia June Kate Kira Lena Lily Lola Lotte Lucy Luna
Maya Mia Mila Molly Nina Nora Olive Pearl Penny Poppy Rita Rosa Ruby Ruth Sally Sara Stella Tess Tilly Uma Vera Willa
Zara Zoe""".split()
HE = """Adam Alex Archie Arlo Barney Ben Bobby Bruno Carl Charlie Dan David Eddie Eli Emil Felix Finn
Frank Fred George Gus Hank Harry Henry Hugo Ian Igor Jack Jacob Jasper Joe Jonas Karl Kurt Leo Liam Louis Lucas Mark
Max Milo Nick Ned Noah Oliver Oscar Otto Paul Pete Pip Ralph Rex Robin Sam Simon Teddy Theo Tim Toby Tom Victor Walter
Will Zack""".split()

# noun | traits | home
KINDS = """
fox | clever, quick, curious | den under an oak
bear | big, gentle, sleepy | warm cave
rabbit | small, shy, quick | burrow by the hill
mouse | tiny, brave, careful | hole in an old wall
owl | wise, quiet, old | hollow tree
cat | lazy, soft, proud | house with a red door
dog | loyal, cheerful, noisy | hut beside the gate
duck | funny, round, busy | nest in the reeds
frog | green, jolly, loud | pond full of lilies
hedgehog | prickly, kind, slow | pile of dry leaves
squirrel | nervous, nimble, busy | nest high in a tree
turtle | slow, patient, old | shell that was always with {him}
lion | strong, proud, golden | den among the rocks
elephant | huge, friendly, grey | wide green valley
monkey | playful, cheeky, quick | tall banana tree
penguin | neat, cheerful, clumsy | snowy bay
goat | stubborn, hungry, bold | barn on the hill
pony | young, wild, gentle | stable near the mill
bird | little, bright, cheerful | nest above the river
bee | busy, tiny, striped | hive in the garden
dragon | lonely, green, gentle | deep dark cave
giant | tall, kind, clumsy | castle without a roof
robot | shiny, polite, curious | workshop full of tools
wizard | old, forgetful, merry | crooked tower
princess | brave, stubborn, kind | stone castle
prince | lonely, polite, young | white palace
knight | bold, loud, honest | tent beside the road
pirate | noisy, brave, greedy | creaky ship
farmer | strong, honest, tired | farm with a blue roof
baker | round, cheerful, busy | shop that smelled of bread
fisherman | quiet, patient, old | hut beside the sea
sailor | bold, cheerful, strong | boat with a yellow sail
shepherd | young, patient, gentle | stone hut on the hill
miller | rich, fat, merry | mill beside the stream
gardener | quiet, careful, kind | cottage full of flowers
doctor | clever, calm, busy | house near the bridge
teacher | kind, strict, clever | school on the corner
painter | dreamy, poor, cheerful | room under the roof
tailor | neat, poor, clever | shop in a narrow street
king | old, grumpy, rich | golden palace
queen | wise, proud, kind | marble palace
girl | brave, curious, cheerful | house at the end of the street
boy | shy, clever, lively | flat above a shop
witch | strange, lonely, clever | hut on tall legs
astronaut | calm, brave, curious | little silver rocket
clown | funny, sad, clumsy | wagon with red wheels
postman | friendly, quick, thin | room behind the post office
wolf | grey, hungry, lonely | lair in the hills
horse | strong, brown, gentle | quiet stable
hen | fussy, white, busy | little wooden coop
pig | pink, greedy, happy | muddy yard
sheep | woolly, quiet, shy | green meadow
snail | slow, calm, tiny | shell with a brown ring
whale | huge, lonely, blue | cold deep sea
camel | proud, thirsty, tall | camp near the palm trees
giraffe | spotted, tall, gentle | park with high trees
zebra | striped, swift, nervous | wide dusty plain
kangaroo | bouncy, sporty, cheerful | dry grassland
panda | fluffy, dreamy, slow | bamboo grove
koala | drowsy, soft, silent | leafy crown
otter | slippery, playful, sleek | riverbank
beaver | diligent, stout, practical | lodge of sticks and mud
badger | stern, sturdy, fair | tunnel with seven rooms
deer | graceful, timid, slender | quiet clearing
donkey | faithful, patient, dusty | shed behind the inn
cow | mild, spotted, thoughtful | pasture above the village
rooster | vain, punctual, colourful | dunghill in the yard
goose | bossy, snowy, chatty | pen beside the barn
swan | elegant, pale, haughty | lake with an island
raven | black, sly, learned | ruin on the cliff
stork | long, dignified, travelling | nest on a chimney
bat | nocturnal, velvety, modest | belfry of the church
spider | skilful, thin, patient | web between two beams
ant | tireless, strong, obedient | hill of needles
butterfly | delicate, orange, airy | bush of lavender
beetle | shiny, stubborn, armoured | crack in the bark
lizard | sunny, agile, spotted | gap between warm stones
snake | smooth, polite, coiled | basket with a lid
crocodile | toothy, lazy, ancient | muddy riverbed
dolphin | smart, smiling, swift | warm blue bay
octopus | clever, shy, eight-armed | sunken ship
seal | whiskered, plump, curious | rocky shore
gnome | bearded, grumpy, tiny | mushroom with a chimney
fairy | sparkling, kind, tiny | foxglove in the wood
ghost | polite, pale, homesick | abandoned mansion
mermaid | singing, silvery, wistful | grotto under the waves
troll | hairy, grumpy, hungry | hollow below the road
dwarf | sturdy, bearded, skilful | mine inside the mountain
blacksmith | muscular, sooty, generous | forge beside the crossroads
carpenter | handy, sunburnt, thoughtful | cabin that smelled of wood
weaver | skilful, patient, humble | loft with a loom
musician | merry, ragged, gifted | inn by the bridge
detective | sharp, calm, observant | study full of notebooks
pilot | daring, cool, cheerful | hangar near the runway
inventor | absent-minded, eager, brilliant | garage full of wires
explorer | daring, weathered, tireless | tent full of maps
merchant | wealthy, cautious, talkative | villa beside the market
grandmother | warm, wise, wrinkled | cottage with a rocking chair
grandfather | grey, humorous, patient | cabin near the orchard
nurse | gentle, quick, cheerful | ward with white curtains
cook | stout, fiery, generous | kitchen behind the hall
librarian | bookish, quiet, precise | flat full of novels
shoemaker | modest, clever, poor | basement with a tiny window
crab | cross, red, small | hole in the sand
parrot | bright, loud, funny | cage without a door
"""

# noun | adjectives | what one can do with it
THINGS = """
key | small, golden, rusty | open the old door
lamp | bright, brass, little | see in the dark
map | old, torn, secret | find the way
boat | wooden, tiny, blue | cross the water
kite | red, paper, beautiful | reach the clouds
ball | round, striped, bouncy | play all day
book | thick, dusty, magic | learn new words
bell | silver, loud, heavy | call everyone together
rope | long, strong, thick | climb up and down
ladder | tall, wooden, wobbly | reach high places
basket | big, woven, empty | carry many apples
drum | round, loud, leather | make music
flute | thin, sweet, wooden | play soft songs
violin | fine, brown, old | play happy dances
hat | tall, green, warm | keep the rain away
coat | thick, woolly, blue | stay warm in winter
scarf | long, striped, soft | keep the cold away
blanket | warm, soft, yellow | sleep through cold nights
mirror | round, shiny, strange | catch the light
ring | gold, thin, magic | make wishes come true
crown | heavy, golden, bright | look like a king
coin | silver, lucky, old | buy a warm meal
box | locked, wooden, heavy | keep treasures safe
bag | brown, leather, big | carry everything
bottle | green, glass, empty | send a letter over the sea
cup | white, cracked, tiny | drink hot tea
pot | iron, big, black | cook soup for everyone
spoon | wooden, long, silver | stir the soup
broom | old, stiff, flying | sweep the floor
bucket | tin, heavy, blue | carry water
shovel | strong, sharp, rusty | dig deep holes
hammer | heavy, iron, small | mend the fence
saw | sharp, long, old | cut the wood
needle | thin, silver, sharp | sew new clothes
button | shiny, red, round | close the coat
umbrella | big, purple, broken | stay dry in the rain
lantern | paper, bright, swinging | light the path
candle | white, thick, tall | light up the room
clock | ticking, tall, golden | tell the time
compass | brass, tiny, shiny | find the north
telescope | long, brass, heavy | look at the stars
wheel | round, wooden, broken | drive the cart again
cart | creaky, little, green | bring the hay home
sled | fast, red, wooden | race down the hill
bicycle | shiny, blue, squeaky | ride to the village
balloon | huge, yellow, round | float over the roofs
feather | white, long, soft | write a letter
pencil | short, yellow, sharp | draw pictures
brush | thin, soft, fine | paint the sky
seed | tiny, brown, strange | grow a great tree
flower | pink, rare, lovely | make a room smell sweet
apple | red, sweet, shiny | bake a small pie
shell | white, curved, pretty | hear the sea
stone | smooth, warm, glowing | warm cold hands
net | wide, strong, torn | catch silver fish
whistle | tin, shrill, tiny | call for help
horn | curved, loud, golden | wake the whole village
flag | red, big, waving | send a sign
tent | green, small, warm | sleep outside
pillow | soft, fat, white | dream sweet dreams
toy | wooden, painted, old | make a child laugh
puppet | funny, wooden, little | tell a story
mask | strange, painted, green | play a trick
shoe | lost, brown, tiny | walk over sharp stones
glove | warm, woolen, left | hold the cold ice
chair | broken, small, soft | rest after work
table | long, oak, heavy | eat with all the friends
bowl | blue, clay, deep | share warm porridge
jar | glass, full, sticky | keep the honey
letter | secret, yellow, short | tell the news
picture | old, lovely, faded | remember a friend
machine | strange, noisy, shiny | do all the work
wand | thin, magic, crooked | turn stones into bread
sword | sharp, heavy, rusty | guard the gate
shield | round, iron, strong | stop the arrows
raft | flat, shaky, new | float down the river
anchor | heavy, iron, old | hold the ship still
sail | white, torn, wide | catch the wind
acorn | smooth, tiny, lucky | plant a mighty oak
apron | flowered, clean, starched | bake without a stain
arrow | feathered, swift, straight | hit the target
axe | sharp, heavy, shiny | split the firewood
barrel | round, leaky, oak | store the rain water
bracelet | woven, silver, delicate | remember a promise
brick | red, solid, square | repair the chimney
camera | old, heavy, clicking | keep a happy moment
cane | polished, carved, sturdy | walk through the mud
carpet | flying, woven, dusty | soar above the towers
chain | iron, rattling, long | lock the gate
chart | yellowed, rolled, detailed | avoid the reefs
cushion | velvet, plump, green | sit in comfort
diary | secret, leather, tiny | record every adventure
dictionary | fat, learned, worn | understand strangers
envelope | sealed, blue, crumpled | deliver a message
fiddle | cracked, lively, wooden | cheer the whole tavern
anvil | heavy, black, solid | forge a horseshoe
globe | painted, spinning, big | discover far countries
goblet | silver, tall, engraved | toast the victory
harp | golden, graceful, magic | calm wild beasts
helmet | dented, steel, heavy | protect the head
hourglass | glass, elegant, sandy | measure the minutes
jewel | sparkling, red, precious | pay for a long journey
kettle | steaming, copper, round | boil water for tea
lock | stiff, iron, clever | guard the treasure room
magnet | strong, red, curved | pull nails from the sand
marble | glassy, green, swirling | win the game
medal | bronze, proud, round | prove great courage
necklace | pearl, fine, lost | shine at the ball
newspaper | crumpled, daily, printed | learn what happened
oar | wooden, split, long | row against the stream
parachute | silk, striped, folded | land without harm
pipe | clay, curved, old | blow soap bubbles
poster | colourful, torn, huge | announce the concert
pumpkin | orange, enormous, ripe | carve a grinning face
purse | velvet, tiny, heavy | pay the ferryman
puzzle | tricky, wooden, unfinished | pass a long evening
ribbon | satin, pink, silky | tie up a parcel
rocket | silver, roaring, tiny | fly to the moon
saddle | leather, worn, fine | ride a wild horse
scale | brass, exact, balanced | weigh gold and grain
sack | rough, heavy, patched | carry the flour
sponge | wet, yellow, squishy | scrub the floor
stamp | rare, tiny, colourful | mail a postcard
statue | marble, silent, cracked | decorate the square
suitcase | packed, heavy, battered | travel around the world
teapot | chipped, painted, warm | serve the guests
ticket | crumpled, lucky, green | enter the theatre
torch | flaming, smoky, bright | explore the tunnels
trumpet | brass, shiny, noisy | greet the king
vase | tall, porcelain, fragile | arrange fresh flowers
waistcoat | checked, elegant, tight | look like a gentleman
wallet | empty, leather, folded | pay the landlord
"""

# noun | how one is there | two things that stand there | what goes on in the background
PLACES = """
forest | in the | a fallen tree, a mossy rock | birds sang in the branches
garden | in the | an apple tree, a stone wall | bees hummed among the roses
village | in the | the well, the market cross | smoke rose from the chimneys
town | in the | the tall clock, the old fountain | carts rolled over the stones
castle | in the | the great stairs, the iron gate | flags waved on the towers
cave | in the | a dark pool, a flat stone | water dripped from the roof
valley | in the | a lonely pine, a wooden bridge | the wind moved the long grass
desert | in the | a dry bush, a sand hill | the sun burned hot and bright
jungle | in the | a hanging vine, a giant leaf | monkeys called from the trees
market | at the | a fruit stall, a cloth tent | people talked and laughed
harbour | at the | an old ship, a pile of ropes | gulls cried over the water
beach | on the | a big shell, a broken boat | waves rolled over the sand
island | on the | a palm tree, a black rock | the sea shone all around
mountain | on the | a steep path, a snowy rock | the air was cold and clear
hill | on the | a bent tree, a ring of stones | clouds drifted by
farm | on the | the red barn, the water trough | the hens scratched in the dust
river | by the | a flat rock, the tall reeds | the water ran fast
lake | by the | a wooden pier, a willow tree | the water lay still as glass
sea | by the | a white cliff, an empty boat | the waves were high
pond | by the | a rotten log, the water lilies | frogs croaked in the evening
bridge | near the | a stone post, a wild rose | the river sang below
mill | near the | a pile of sacks, the great wheel | the wheel turned and turned
school | at the | the long bench, the old map | children ran in the yard
library | in the | a high shelf, a round table | it was very quiet
kitchen | in the | the warm stove, a sack of flour | a kettle hummed softly
attic | in the | a dusty chest, a broken chair | spiders sat in their webs
tower | in the | a narrow window, the winding stairs | the wind blew through the cracks
palace | in the | a golden door, a red carpet | music came from the hall
park | in the | a green bench, a round pond | leaves danced in the wind
meadow | in the | a clump of daisies, an old fence | butterflies flew about
snow | in the | a frozen bush, a white hill | everything was white and still
swamp | in the | a crooked tree, a muddy hole | mist hung over the water
workshop | in the | a heavy bench, a box of nails | tools hung on the walls
station | at the | a wooden bench, a big clock | trains came and went
zoo | at the | the bear house, a high fence | the animals were having lunch
circus | at the | a striped tent, a row of lamps | a band played a march
bakery | in the | a tray of buns, the hot oven | it smelled of fresh bread
orchard | in the | a pear tree, a tall ladder | ripe fruit hung everywhere
field | in the | a scarecrow, a heap of straw | the wheat was tall and yellow
cellar | in the | a row of barrels, a stone step | it was cool and dark
temple | in the | a bronze gong, a marble pillar | incense drifted through the air
theatre | in the | a velvet curtain, a painted tree | actors practised their lines
museum | in the | a glass case, a stuffed owl | guards walked up and down
hospital | at the | a white bed, the front desk | nurses hurried along the corridor
inn | at the | a roaring fireplace, a wooden counter | travellers told tall tales
lighthouse | at the | a spiral staircase, a huge lens | foghorns sounded in the distance
airport | at the | a ticket counter, a pile of suitcases | engines roared outside
playground | in the | a rusty swing, a sandpit | children shouted with delight
greenhouse | in the | a row of tomatoes, a watering can | the glass was misty and warm
vineyard | in the | a trellis, a stone hut | grapes ripened in the sunshine
canyon | in the | a narrow ledge, a cactus | echoes answered every call
waterfall | near the | a slippery stone, a rainbow bush | spray filled the air
volcano | near the | a black boulder, a smoking crack | the ground rumbled now and then
glacier | on the | an icy arch, a blue crevice | ice groaned under the sun
prairie | on the | a lone cottonwood, a buffalo skull | grass rippled to the horizon
ship | on the | a tall mast, a coil of rope | sails flapped in the breeze
rooftop | on the | a crooked chimney, a weather vane | pigeons cooed in the morning light
balcony | on the | a pot of geraniums, an iron railing | the street bustled below
staircase | on the | a carved banister, a faded portrait | footsteps echoed faintly
crossroads | at the | a wooden signpost, a milestone | dust rose behind a distant coach
stable | in the | a pile of hay, a leather saddle | horses snorted softly
laboratory | in the | a bubbling flask, a blackboard | strange lights blinked
mine | in the | a rusty wagon, a wooden beam | pickaxes rang far below
ruin | in the | a broken column, an ivy wall | owls called through the dusk
"""

FOODS = """a piece of bread, a bowl of soup, a sweet bun, an apple pie, a jar of honey, a basket of berries,
a plate of pancakes, a cup of cocoa, a slice of cheese, a bag of nuts, a ripe pear, a bunch of grapes, a warm potato,
a plum cake, a carrot, a lemon tart, a bowl of rice, a handful of cherries, a pot of stew, a ginger biscuit, a roasted
chestnut, a bowl of porridge, a peach, a wedge of melon, a glass of lemonade, a pretzel, a dish of noodles, a salted
herring, a box of raisins, a cinnamon roll, a tomato sandwich, a mushroom omelette""".replace("\n", " ").split(", ")
WEATHERS = """
One bright spring morning,
Just as the sun came up,
On a windy autumn day,
After a night of snow,
On a hot summer day,
While a soft rain was falling,
When the moon was round and full,
Under low grey clouds,
On the first warm day of the year,
In thick white fog,
Under a red evening sky,
Early on market day,
On a cold and windy afternoon,
On the longest day of summer,
Before the others were awake,
After lunch,
One quiet Sunday,
Late in the evening,
""".strip().split("\n")
SAD = "sad|very sad|worried|lonely|upset|close to tears|full of sorrow".split("|")
HAPPY = "happy|very happy|full of joy|proud|glad|delighted|as happy as could be|warm inside".split("|")


@dataclass(frozen=True)
class Kind:
    noun: str
    traits: tuple[str, ...]
    home: str


@dataclass(frozen=True)
class Thing:
    noun: str
    looks: tuple[str, ...]
    use: str


@dataclass(frozen=True)
class Place:
    noun: str
    at: str
    spots: tuple[str, ...]
    around: str


def _rows(table: str) -> list[list[str]]:
    return [[part.strip() for part in line.split("|")] for line in table.strip().splitlines()]


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


KIND = [Kind(noun, _parts(traits), home) for noun, traits, home in _rows(KINDS)]
THING = [Thing(noun, _parts(looks), use) for noun, looks, use in _rows(THINGS)]
PLACE = [
    Place(
        noun,
        f"{at} {noun}",
        tuple(f"the {s.removeprefix('the ').removeprefix('a ').removeprefix('an ')}" for s in _parts(spots)),
        around,
    )
    for noun, at, spots, around in _rows(PLACES)
]


def with_article(words: str) -> str:
    """`an old fox`."""
    vowel = words[0] in "aeiou" and not words.startswith(("use", "uni", "eu")) or words.startswith(("hon", "hour"))
    return f"an {words}" if vowel and not words.startswith("honey") else f"a {words}"
