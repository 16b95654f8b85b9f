"""Which simple things does a small model know? Opposites, lists, capitals, words in English and Chinese.

Data only, kept small on purpose: what is here can be asked and answered exactly.
"""

from __future__ import annotations

from dataclasses import dataclass


def _pairs(text: str) -> dict[str, str]:
    """`a b, c d` as a table; a tilde stands for a blank within an entry."""
    return {
        a.replace("~", " "): b.replace("~", " ")
        for a, b in (pair.split() for pair in text.replace("\n", " ").split(","))
    }


OPPOSITES = _pairs("""hot cold, big small, up down, day night, open closed, early late, fast slow, left right, happy
sad, wet dry, old new, full empty, light dark, hard soft, near far, rich poor, loud quiet, strong weak, first last,
true false, clean dirty, long short, thick thin, deep shallow, sweet bitter, win lose, buy sell, push pull, laugh cry,
begin end, love hate, high low, good bad, black white, alive dead, asleep awake, brave afraid, easy difficult, cheap
expensive, wide narrow, young old, inside outside, above below, before after, always never, more less, yes no, friend
enemy, give take, come go, remember forget, find lose, stand sit, question answer, summer winter, morning evening,
north south, east west, smooth rough, sharp blunt, heavy light, safe dangerous, simple complicated, tall short, warm
cool, calm nervous, polite rude, lazy busy, honest dishonest, visible invisible, possible impossible, lucky unlucky,
success failure, arrive leave, build destroy, enter exit, rise fall, save spend, teach learn, fresh stale, tight
loose, public private, ancient modern, guilty innocent, noisy silent, wise foolish, victory defeat, front back, heaven
hell""")
PLURALS = _pairs("""cat cats, dog dogs, box boxes, fox foxes, child children, mouse mice, foot feet, tooth teeth, man
men, woman women, goose geese, leaf leaves, knife knives, wolf wolves, city cities, baby babies, story stories, berry
berries, bus buses, glass glasses, dish dishes, watch watches, church churches, book books, tree trees, house houses,
car cars, hand hands, bird birds, boy boys, day days, key keys, toy toys, potato potatoes, tomato tomatoes, hero
heroes, sheep sheep, fish fish, person people, shelf shelves, wife wives, life lives, party parties, lady ladies,
brush brushes, class classes, ox oxen, loaf loaves, half halves, country countries, butterfly butterflies, apple
apples, bridge bridges, horse horses, star stars""")
PASTS = _pairs("""go went, come came, see saw, eat ate, run ran, take took, give gave, make made, find found, think
thought, buy bought, bring brought, write wrote, read read, sing sang, swim swam, drink drank, begin began, know knew,
grow grew, fly flew, draw drew, throw threw, break broke, speak spoke, steal stole, wear wore, forget forgot, get got,
sit sat, stand stood, tell told, sell sold, feel felt, keep kept, sleep slept, leave left, lose lost, catch caught,
teach taught, fight fought, hold held, meet met, lead led, win won, fall fell, hide hid, ride rode, drive drove, walk
walked, play played, jump jumped, help helped, work worked, laugh laughed, open opened, cry cried, try tried, stop
stopped, live lived""")
YOUNG = _pairs("""dog puppy, cat kitten, cow calf, horse foal, sheep lamb, hen chick, pig piglet, duck duckling,
goose gosling, bear cub, frog tadpole, lion cub, goat kid, kangaroo joey, deer fawn, swan cygnet, eagle eaglet,
butterfly caterpillar""")
SOUNDS = _pairs("""dog bark, cat meow, cow moo, duck quack, sheep baa, lion roar, bee buzz, snake hiss, pig oink, frog
croak, owl hoot, wolf howl""")
HOMES = _pairs("""bird nest, bee hive, dog kennel, horse stable, bear cave, spider web, rabbit burrow, hen coop, pig
sty, king palace, monk monastery, lion den""")
COLOURS_OF = _pairs("""grass green, snow white, blood red, coal black, the~sky blue, a~banana yellow, a~carrot orange,
milk white, a~lemon yellow, an~elephant grey, a~cherry red, chocolate brown, a~frog green, the~night black, a~tomato
red, salt white, a~plum purple, the~sun yellow""")
LEGS = _pairs("""dog four, bird two, spider eight, ant six, cat four, horse four, bee six, chair four, man two, cow
four, hen two, beetle six, crab ten""")
CAPITALS = _pairs("""France Paris, Germany Berlin, Italy Rome, Spain Madrid, China Beijing, Japan Tokyo, Russia Moscow,
England London, Egypt Cairo, Greece Athens, Austria Vienna, Poland Warsaw, Portugal Lisbon, Sweden Stockholm, Norway
Oslo, Finland Helsinki, Denmark Copenhagen, Ireland Dublin, Turkey Ankara, Canada Ottawa, Mexico Mexico~City, Peru
Lima, Cuba Havana, Kenya Nairobi, India New~Delhi, Thailand Bangkok, Vietnam Hanoi, Australia Canberra, Hungary
Budapest, Belgium Brussels, Iran Tehran, Iraq Baghdad, Chile Santiago, South~Korea Seoul, Nepal Kathmandu, Cambodia
Phnom~Penh""")
JOBS = _pairs("""bread baker, clothes tailor, meat butcher, pictures painter, books writer, houses builder, shoes
shoemaker, songs singer, music musician, poems poet, flowers gardener, fish fisherman, teeth dentist, hair barber,
letters postman""")
USES = _pairs("""write pen, cut scissors, sweep broom, dig shovel, eat~soup spoon, see~the~stars telescope,
tell~the~time clock, open~a~lock key, sew needle, drive~a~nail hammer, take~a~photo camera, sleep bed, measure~a~line
ruler, boil~water kettle, find~the~north compass, light~a~fire match, carry~water bucket""")
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
SEASONS = "spring summer autumn winter".split()
NUMBERS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty""".split()
ORDINALS = "first second third fourth".split()

# (one of them, all of them)
CATEGORIES = {
    "animals": (
        "animal",
        """cat dog horse cow sheep pig goat lion tiger bear wolf fox rabbit mouse elephant monkey giraffe zebra camel
        deer hippo kangaroo koala panda squirrel hedgehog otter whale dolphin seal""".split(),
    ),
    "birds": (
        "bird",
        "eagle owl swan duck goose parrot sparrow robin crow pigeon penguin hawk stork raven peacock".split(),
    ),
    "insects": ("insect", "ant bee beetle butterfly fly mosquito wasp moth cricket ladybird".split()),
    "fruits": (
        "fruit",
        "apple banana pear orange lemon cherry grape plum peach mango kiwi melon pineapple strawberry fig".split(),
    ),
    "vegetables": (
        "vegetable",
        "carrot potato onion cabbage bean pea spinach pumpkin cucumber garlic radish turnip leek lettuce".split(),
    ),
    "colours": ("colour", "red blue green yellow black white orange purple pink brown grey".split()),
    "trees": ("tree", "oak pine birch maple willow beech palm fir cedar elm".split()),
    "flowers": ("flower", "rose tulip daisy lily violet sunflower poppy orchid daffodil iris".split()),
    "drinks": ("drink", "water milk tea coffee juice lemonade cocoa wine beer soda".split()),
    "clothes": ("piece of clothing", "shirt coat hat skirt dress jacket scarf glove sock sweater cap belt".split()),
    "tools": ("tool", "hammer saw drill axe shovel screwdriver file chisel rake pliers".split()),
    "instruments": ("instrument", "piano violin guitar flute drum trumpet harp cello clarinet organ".split()),
    "sports": (
        "sport",
        "football tennis swimming hockey rowing boxing golf skiing cycling rugby basketball judo".split(),
    ),
    "countries": (
        "country",
        "France Germany Italy Spain China Japan Russia Egypt Greece Brazil Canada Mexico India Kenya Norway".split(),
    ),
    "planets": ("planet", "Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune".split()),
    "days": ("day", DAYS),
    "months": ("month", MONTHS),
    "seasons": ("season", SEASONS),
    "jobs": (
        "job",
        "baker teacher doctor farmer painter tailor sailor nurse pilot cook singer writer lawyer builder".split(),
    ),
    "parts of the body": (
        "part of the body",
        "head arm leg hand foot nose ear eye mouth knee back neck finger toe shoulder".split(),
    ),
    "rooms": ("room", "kitchen bedroom bathroom hall cellar attic office library nursery".split()),
    "metals": ("metal", "iron gold silver copper tin lead zinc steel".split()),
    "vehicles": ("vehicle", "car bus train bicycle truck boat plane tram ship tractor lorry".split()),
    "numbers": ("number", NUMBERS[1:]),
}

CHINESE_WORDS = _pairs("""cat 猫, dog 狗, bird 鸟, fish 鱼, horse 马, cow 牛,
sheep 羊, tiger 老虎, rabbit 兔子, water 水, fire 火, sun 太阳, moon 月亮, star 星星,
mountain 山, river 河, sea 海, tree 树, flower 花, grass 草, wind 风, rain 雨, snow
雪, house 房子, door 门, book 书, pen 笔, table 桌子, chair 椅子, apple 苹果, rice 米饭,
tea 茶, milk 牛奶, bread 面包, egg 鸡蛋, red 红色, blue 蓝色, green 绿色, white 白色,
black 黑色, big 大, small 小, hot 热, cold 冷, good 好, teacher 老师, student 学生,
friend 朋友, mother 妈妈, father 爸爸, child 孩子, king 国王, one 一, two 二, three 三,
four 四, five 五, six 六, seven 七, eight 八, nine 九, ten 十, today 今天, tomorrow
明天, yesterday 昨天, school 学校, city 城市, country 国家, hello 你好, goodbye 再见,
thanks 谢谢""")
CHINESE_OPPOSITES = _pairs("""大 小, 多 少, 上 下, 左 右, 前 后, 高 低, 长 短, 冷 热, 快 慢,
新 旧, 好 坏, 黑 白, 远 近, 轻 重, 软 硬, 早 晚, 开 关, 进 退, 胖 瘦, 深 浅, 哭 笑, 买 卖, 真 假, 美 丑,
输 赢, 内 外, 宽 窄, 干净 肮脏, 安静 吵闹, 勇敢 胆小, 简单 复杂, 安全 危险, 开始 结束, 白天 黑夜, 朋友 敌人, 成功
失败, 勤劳 懒惰""")
CHINESE_CAPITALS = _pairs("""中国 北京, 法国 巴黎, 德国 柏林, 日本 东京, 英国 伦敦, 意大利 罗马, 西班牙
马德里, 俄罗斯 莫斯科, 埃及 开罗, 希腊 雅典, 韩国 首尔, 泰国 曼谷, 美国 华盛顿, 印度 新德里, 越南 河内, 加拿大 渥太华,
澳大利亚 堪培拉, 芬兰 赫尔辛基""")
CHINESE_CATEGORIES = {
    "动物": "猫 狗 马 牛 羊 老虎 狮子 大象 猴子 兔子 熊猫 狐狸 狼 鹿".split(),
    "水果": "苹果 香蕉 梨 桃子 葡萄 西瓜 橙子 草莓 樱桃 芒果".split(),
    "颜色": "红色 黄色 蓝色 绿色 白色 黑色 紫色 橙色 粉色 灰色".split(),
    "蔬菜": "白菜 萝卜 土豆 黄瓜 茄子 菠菜 豆角 南瓜 洋葱".split(),
    "国家": "中国 法国 德国 日本 英国 意大利 俄罗斯 埃及 印度 巴西".split(),
    "乐器": "钢琴 小提琴 笛子 鼓 吉他 琵琶 二胡 古筝".split(),
    "职业": "老师 医生 工人 农民 司机 画家 作家 厨师 护士".split(),
    "运动": "足球 篮球 游泳 跑步 乒乓球 羽毛球 滑雪 网球".split(),
}
CHINESE_DAYS = "星期一 星期二 星期三 星期四 星期五 星期六 星期日".split()


def following(rows: list[str], word: str, step: int = 1) -> str:
    return rows[(rows.index(word) + step) % len(rows)]


@dataclass(frozen=True)
class Fact:
    """A table of which every row is a question. ask: {0} is the row; the last is held out. say: {1} is its value."""

    name: str
    table: dict[str, str]
    ask: tuple[str, ...]
    say: str
    thought: str = "{0}: {1}."


FACTS = (
    Fact(
        "opposite",
        OPPOSITES,
        (
            'What is the opposite of "{0}"?',
            'Give me the opposite of the word "{0}".',
            "Opposite of {0}?",
            "Which word means the opposite of {0}?",
            "Tell me a word that says the contrary of {0}.",
        ),
        'The opposite of "{0}" is "{1}".',
    ),
    Fact(
        "plural",
        PLURALS,
        (
            'What is the plural of "{0}"?',
            "Give the plural of {0}.",
            "One {0}, two ...?",
            "If there is more than one {0}, what do you say?",
        ),
        'The plural of "{0}" is "{1}".',
    ),
    Fact(
        "past",
        PASTS,
        (
            'What is the past tense of "{0}"?',
            "Give the past form of {0}.",
            "Today I {0}, yesterday I ...?",
            "How do you say {0} when it was yesterday?",
        ),
        'The past tense of "{0}" is "{1}".',
    ),
    Fact(
        "young",
        YOUNG,
        (
            "What is a young {0} called?",
            "What do you call the baby of a {0}?",
            "Which word is there for a child of a {0}?",
        ),
        "A young {0} is called a {1}.",
    ),
    Fact(
        "sound",
        SOUNDS,
        ("What sound does a {0} make?", "Which sound do you hear from a {0}?", "How does a {0} sound?"),
        "The sound of a {0} is: {1}.",
    ),
    Fact(
        "home",
        HOMES,
        (
            "Where does a {0} live?",
            "What is the home of a {0} called?",
            "What do you call the place where a {0} lives?",
        ),
        "The home of a {0} is a {1}.",
    ),
    Fact(
        "colour",
        COLOURS_OF,
        (
            "What colour is {0}?",
            "Which colour does {0} have?",
            "Tell me the colour of {0}.",
            "If you paint {0}, which colour do you take?",
        ),
        "The colour of {0} is {1}.",
    ),
    Fact(
        "legs",
        LEGS,
        ("How many legs does a {0} have?", "How many legs has a {0}?", "Count the legs of a {0}."),
        "A {0} has {1} legs.",
    ),
    Fact(
        "capital",
        CAPITALS,
        (
            "What is the capital of {0}?",
            "Which city is the capital of {0}?",
            "Name the capital of {0}.",
            "The government of {0} sits in which city?",
        ),
        "The capital of {0} is {1}.",
    ),
    Fact(
        "job",
        JOBS,
        ("Who works with {0}?", "Which person deals with {0}?", "Who takes care of {0} as a job?"),
        "For {0} there is the {1}.",
    ),
    Fact(
        "use",
        USES,
        ("What do you need to {0}?", "Which thing helps you to {0}?", "With what can one {0}?"),
        "To {0} you need: {1}.",
    ),
    Fact(
        "day",
        {d: following(DAYS, d) for d in DAYS},
        (
            "What day comes after {0}?",
            "Which day follows {0}?",
            "Today is {0}. What day is tomorrow?",
            "Which day is one day later than {0}?",
        ),
        "The day after {0} is {1}.",
    ),
    Fact(
        "day before",
        {d: following(DAYS, d, -1) for d in DAYS},
        (
            "What day comes before {0}?",
            "Today is {0}. What day was yesterday?",
            "Which day is one day earlier than {0}?",
        ),
        "The day before {0} is {1}.",
    ),
    Fact(
        "month",
        {m: following(MONTHS, m) for m in MONTHS},
        (
            "What month comes after {0}?",
            "Which month follows {0}?",
            "It is {0}. What is the next month?",
            "Which month is one later than {0}?",
        ),
        "The month after {0} is {1}.",
    ),
    Fact(
        "number word",
        dict(zip(map(str, range(21)), NUMBERS)),
        ("Write {0} as a word.", "How do you write the number {0} in letters?", "Spell out the number {0}."),
        "{0} is {1}.",
    ),
    Fact(
        "to Chinese",
        CHINESE_WORDS,
        (
            'How do you say "{0}" in Chinese?',
            "Translate {0} into Chinese.",
            "What is {0} in Chinese?",
            "Give me the Chinese word for {0}.",
        ),
        '"{0}" in Chinese is {1}.',
    ),
    Fact(
        "from Chinese",
        {b: a for a, b in CHINESE_WORDS.items()},
        (
            "What does {0} mean?",
            "Translate {0} into English.",
            "What is {0} in English?",
            "{0} - which English word is that?",
        ),
        '{0} means "{1}".',
    ),
    Fact(
        "kind",
        {
            w: one
            for one, words in CATEGORIES.values()
            for w in words
            if one in ("fruit", "bird", "vegetable", "insect", "tool", "drink", "metal", "tree")
        },
        (
            "Is {0} a fruit, a tool, a bird or something else? Say what it is.",
            "What kind of thing is {0}?",
            "To which kind of things does {0} belong?",
        ),
        "It is a {1}: {0}.",
    ),
)
FACTS_CHINESE = (
    Fact(
        "反义词",
        CHINESE_OPPOSITES,
        ("“{0}”的反义词是什么？", "请说出“{0}”的反义词。", "{0}的反义词？", "和“{0}”相反的词是哪个？"),
        "“{0}”的反义词是“{1}”。",
        "{0}，{1}。",
    ),
    Fact(
        "首都",
        CHINESE_CAPITALS,
        ("{0}的首都是哪里？", "{0}的首都是哪个城市？", "请告诉我{0}的首都。", "哪个城市是{0}的首都？"),
        "{0}的首都是{1}。",
        "{0}，{1}。",
    ),
    Fact(
        "星期",
        {d: following(CHINESE_DAYS, d) for d in CHINESE_DAYS},
        ("{0}的后一天是星期几？", "今天是{0}，明天是星期几？", "过了{0}是星期几？"),
        "{0}的后一天是{1}。",
        "{0}，{1}。",
    ),
    Fact(
        "英文",
        {b: a for a, b in CHINESE_WORDS.items()},
        ("“{0}”用英语怎么说？", "请把“{0}”翻译成英文。", "{0}的英文是什么？", "英语里“{0}”是哪个词？"),
        "“{0}”的英文是“{1}”。",
        "{0}，{1}。",
    ),
    Fact(
        "中文",
        CHINESE_WORDS,
        ("“{0}”用中文怎么说？", "请把“{0}”翻译成中文。", "{0}的中文是什么？", "英文单词“{0}”是什么意思？"),
        "“{0}”的中文是“{1}”。",
        "{0}，{1}。",
    ),
)
