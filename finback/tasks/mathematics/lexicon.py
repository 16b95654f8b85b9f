"""Which names and things do the stories of word problems speak of, and how are their words formed?"""

from __future__ import annotations

import re

def listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


HE = """Adam Alex Andrew Ben Benjamin Brian Bruno Caleb Carl Carlos Charlie Chris Daniel David Derek Diego Dylan
Edward Eli Eric Ethan
Felix Finn Frank Fred Gabriel George Greg Harry Henry Hugo Ian Isaac Ivan Jack Jacob Jake James Jamal Jason Jerry Jim
Joe John Jonah
Jordan Joseph Josh Juan Justin Karim Keith Ken Kevin Kyle Leo Liam Louis Lucas Luke Malik Marco Mark Martin Mason Matt
Max Michael Mike
Mohamed Nathan Ned Nick Noah Oliver Omar Oscar Owen Pablo Paul Pedro Peter Philip Rahul Ravi Ray Richard Rob Robert
Ron Ryan Sam Scott
Sean Simon Steve Steven Taro Ted Theo Thomas Tim Todd Tom Tony Tyler Victor Walter Wei William Zach""".split()
SHE = """Ada Aisha Alice Alyssa Amanda Amina Amy Ana Angela Anna April Beth Betty Brenda Carla Carmen Carol Chloe
Cindy Clara Claire Connie
Daisy Dana Debby Diana Donna Dora Elena Ella Ellen Emily Emma Erica Esther Eva Evelyn Faith Fatima Fiona Gina Grace
Gwen Hailey Haley
Hannah Helen Holly Irene Iris Isabel Jane Janet Jenny Jess Jessica Jill Joan Joyce Julia Kate Katie Kayla Kelly Kim
Lana Laura Layla Leah
Lena Lily Linda Lisa Liz Lucy Luna Maria Marie Mary Maya Megan Mei Melissa Mia Michelle Molly Nadia Nancy Naomi Nina
Nora Olivia Paige
Pam Penny Priya Rachel Robin Rosa Rose Ruby Ruth Sally Sandra Sandy Sara Sarah Sofia Sonia Stella Susan Tara Tina Vera
Wendy Yuki Zoe""".split()
LAST = "Adams Baker Brown Carter Clark Cooper Davis Diaz Evans Garcia Green Hall Hill Jones King Lee Lopez Miller Moore Park Reed Smith Taylor Ward White Young".split()

# Singular nouns by kind. A kind may name other kinds: a template asks for "keep" or "keep+food".
KINDS = {
    "keep": """marble,sticker,baseball card,trading card,toy car,seashell,stamp,coin,button,bead,comic book,video game,balloon,
        crayon,bottle cap,action figure,block,doll,kite,puzzle,toy robot,tennis ball,ribbon,bracelet,postcard,poster,magnet,key chain,
        rock,feather,badge,toy soldier,game card,model plane,teddy bear,pin,yo-yo,rubber band,paper clip,token,ticket,photo,gem,shell""",
    "fruit": "apple,orange,banana,pear,peach,plum,mango,lemon,lime,kiwi,strawberry,cherry,grape,watermelon,melon,pineapple,apricot,fig",
    "vegetable": "carrot,potato,tomato,onion,pumpkin,turnip,pepper,cucumber,cabbage,radish,ear of corn,beet,zucchini,bean",
    "baked": "cookie,cupcake,muffin,brownie,pie,cake,donut,bagel,tart,roll,loaf of bread,waffle,pancake,pretzel,scone,biscuit",
    "sweet": "candy,lollipop,piece of candy,chocolate,gumball,jelly bean,mint,candy bar,caramel,piece of gum,marshmallow,chocolate bar",
    "snack": "cracker,sandwich,hot dog,burger,slice of pizza,egg,peanut,walnut,chip,taco,chicken wing,egg roll,granola bar",
    "school": """pencil,pen,eraser,notebook,book,marker,folder,ruler,sheet of paper,paint brush,glue stick,index card,binder,crayon,
        workbook,sticky note,textbook,worksheet,colored pencil""",
    "tree": "oak tree,maple tree,pine tree,apple tree,cherry tree,walnut tree,palm tree,birch tree,dogwood tree,willow tree,lemon tree,fir tree",
    "flower": "rose,tulip,daisy,lily,sunflower,orchid,violet,carnation,daffodil,poppy,iris,marigold",
    "pet": "cat,dog,puppy,kitten,rabbit,hamster,parrot,turtle,goldfish,snake,lizard,guinea pig",
    "farm": "cow,horse,pig,sheep,goat,chicken,duck,goose,turkey,lamb,hen,donkey",
    "wild": "fox,deer,squirrel,frog,monkey,lion,zebra,elephant,penguin,seal,bear,wolf,butterfly,bee,ant,snail,spider,ladybug",
    "bird": "robin,sparrow,pigeon,crow,gull,swan,duck,owl,parrot,bluebird",
    "fish": "fish,trout,salmon,bass,perch,crab,guppy,cod",
    "clothes": "shirt,hat,sock,scarf,sweater,jacket,skirt,dress,tie,cap,glove,T-shirt,pair of shoes,pair of pants,pair of jeans,coat,belt",
    "person": "student,child,kid,boy,girl,player,visitor,adult,teacher,friend,guest,customer,tourist,runner,dancer,worker,fan,camper,singer",
    "home": "chair,table,lamp,plate,cup,spoon,fork,bowl,towel,pillow,candle,vase,picture frame,mug,glass,clock,blanket,basket,knife",
    "vehicle": "car,truck,bus,bike,boat,van,motorcycle,scooter,train,taxi",
    "goods": "toy,book,hat,lamp,mug,shirt,ball,game,puzzle,bag,backpack,umbrella,watch,plant,kite,doll,pillow,candle,clock,necklace,ring,poster,notebook,basket,bottle of juice,water bottle,bar of soap,CD,DVD,football,basketball,baseball bat,skateboard,helmet,flashlight,pizza,bike helmet,paint set",
    "task": "math problem,spelling word,science question,worksheet,page,chapter,puzzle,essay,homework problem,reading page",
    "score": "point,goal,coin,star,token,gold coin,run",
    "print": "page,photo,letter,card,flyer,email,invitation,poster,postcard,poem,story,drawing,painting",
    "work": "car,window,dog,lawn,fence,room,house,bike,floor,truck,desk,driveway",
    "material": "brick,tile,board,nail,screw,plank,rope,pipe,stone,log",
}  # fmt: skip
NOUNS = {kind: listed(text) for kind, text in KINDS.items()}
GROUPS = {
    "food": "fruit vegetable baked sweet snack",
    "eat": "fruit baked sweet snack",
    "thing": "keep school fruit baked sweet clothes home",
    "bought": "keep school fruit vegetable baked sweet clothes home",
    "animal": "pet farm wild bird",
    "grown": "fruit vegetable flower",
    "plant": "tree flower vegetable",
    "countable": "keep school fruit vegetable baked sweet flower pet farm clothes home",
}
COLORS = "red blue green yellow white black orange purple pink brown gray silver".split()
SORTS = "big small old new large tiny wooden plastic round square shiny heavy long short striped plain".split()
BINS = "box bag basket jar crate pack carton tray bucket bin case package container drawer packet sack tin".split()
SHOPS = listed("store,market,supermarket,mall,bookstore,toy store,bakery,corner shop,pet store,garden center,grocery store,hardware store,gift shop,flea market,fair,school store")
PLACES = listed("park,garden,school,library,zoo,farm,beach,museum,playground,town,village,field,forest,lake,gym,camp,stadium,theater,station,hotel,hospital,restaurant,office,factory,pool,airport")
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
KIN = "brother sister mother father friend cousin uncle aunt grandmother grandfather neighbor teacher mom dad classmate".split()
GAMES = "soccer basketball baseball football hockey volleyball tennis".split()
IRREGULAR = {
    "child": "children", "person": "people", "man": "men", "woman": "women", "mouse": "mice", "goose": "geese", "fish": "fish",
    "sheep": "sheep", "deer": "deer", "trout": "trout", "salmon": "salmon", "bass": "bass", "perch": "perch", "cod": "cod",
    "goldfish": "goldfish", "shelf": "shelves", "loaf": "loaves", "knife": "knives", "leaf": "leaves", "scarf": "scarves",
    "wolf": "wolves", "potato": "potatoes", "tomato": "tomatoes", "mango": "mangoes", "foot": "feet", "half": "halves", "inch": "inches",
    "lily": "lilies", "life": "lives", "bus": "buses", "iris": "irises", "zucchini": "zucchini",
}  # fmt: skip
ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen""".split()
TENS = "_ ten twenty thirty forty fifty sixty seventy eighty ninety".split()
FRACTIONS = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth", 10: "tenth"}
TIMES = {2: "twice", 3: "three times", 4: "four times", 5: "five times", 6: "six times", 7: "seven times", 8: "eight times"}


def nouns(kinds: str) -> list[str]:
    """The singular nouns of kinds joined by +, e.g. "keep+food"."""
    parts = [part for kind in kinds.split("+") for part in GROUPS.get(kind, kind).split()]
    return [noun for part in parts for noun in NOUNS[part]]


def plural(noun: str) -> str:
    head, of, rest = noun.partition(" of ")
    before, _, last = head.rpartition(" ")
    if last in IRREGULAR:
        last = IRREGULAR[last]
    elif re.search(r"(s|x|ch|sh|z)$", last):
        last += "es"
    elif re.search(r"[^aeiou]y$", last):
        last = last[:-1] + "ies"
    else:
        last += "s"
    return f"{before} {last}".strip() + of + rest


def spelled(n: int) -> str:
    """A number below 1000 in words."""
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + (f"-{ONES[n % 10]}" if n % 10 else "")
    return f"{ONES[n // 100]} hundred" + (f" {spelled(n % 100)}" if n % 100 else "")


def tidy(text: str) -> str:
    """"a" before a vowel becomes "an", and empty choices leave no spaces."""
    text = re.sub(r" +(?=[.?!,](?: |$)| |$)", "", text)
    return re.sub(r"\b([Aa]) (?=[aeiouAEIO])(?!one\b|uni|euro|use)", r"\1n ", text)
