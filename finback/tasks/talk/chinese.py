"""Which stories are told in Chinese, and from what?

A small grammar beside the English one: fewer heroes, things, places and plots, the same requests and questions.
"""

from __future__ import annotations

import random
from hashlib import sha256
from typing import Any

from finback.tasks.protocol import Problem, assistant, user

HELD_OUT_PAIRS = 8
NAMES = "小明 小红 小华 小刚 小丽 乐乐 豆豆 安安 阿宝 阿福 圆圆 点点 果果 毛毛 丁丁 冬冬 贝贝 美美 朵朵 星星".split()
KINDS = "狐狸 小熊 兔子 老鼠 猫头鹰 小猫 小狗 鸭子 青蛙 刺猬 松鼠 乌龟 狮子 大象 猴子 企鹅 小马 小鸟 蜜蜂 小龙 男孩 女孩 农夫 渔夫 小羊 小猪 公主 王子 老师 画家".split()
TRAITS = "聪明的 勇敢的 害羞的 善良的 好奇的 快乐的 调皮的 安静的 勤劳的 细心的".split()
# 东西，量词，用处
THINGS = [
    row.split("|")
    for row in """钥匙|把|打开旧门
灯笼|盏|照亮黑夜
地图|张|找路
小船|条|过河
风筝|只|和风比赛
皮球|个|玩一整天
书|本|学新知识
铃铛|个|叫来大家
绳子|根|爬上山坡
梯子|架|爬到高处
篮子|个|装很多苹果
笛子|支|吹好听的歌
帽子|顶|挡住太阳
围巾|条|挡风
毯子|条|睡个好觉
镜子|面|照亮山洞
箱子|个|放好宝贝
雨伞|把|挡雨
望远镜|个|看星星
画笔|支|画出彩虹
种子|粒|种出大树
贝壳|个|听大海的声音
帐篷|顶|在外面过夜
水桶|个|打水
口哨|个|叫人来帮忙""".splitlines()
]
# 地方，旁边的东西
PLACES = [
    row.split("|")
    for row in """森林里|大树|石头
花园里|苹果树|石墙
村子里|水井|木桥
山洞里|水池|大石头
山坡上|松树|石堆
海边|礁石|旧船
河边|芦苇|木桥
湖边|柳树|木船
草地上|野花|篱笆
沙漠里|沙丘|枯树
小岛上|椰子树|黑石头
市场里|水果摊|布帐篷
农场里|谷仓|草堆
公园里|长椅|喷泉
城堡里|楼梯|铁门
学校里|黑板|书架
雪地里|雪堆|木屋""".splitlines()
]
FOODS = "一个苹果 一块蛋糕 一碗热汤 一罐蜂蜜 一袋花生 一个面包 一盘饺子 一串葡萄 一杯牛奶 一篮草莓".split()
# {n} 名字 {k} 种类 {h} 朋友 {hk} {t} 东西 {m} 量词 {use} {p} 地方 {a} {b} 旁边 {food}
OPENINGS = (
    "从前，有一位叫{n}的{trait}{k}。",
    "很久以前，有一位{trait}{k}，名字叫{n}。",
    "{n}是一位{trait}{k}。",
    "大家都认识{n}，一位{trait}{k}。",
)
PLOTS = {
    "丢": (
        "丢了{t}",
        (
            ("{n}有一{m}心爱的{t}，可以用来{use}。", "{n}每天都用{t}{use}。"),
            ("有一天，{t}在{p}不见了。", "一天早上，{n}在{p}玩，把{t}弄丢了。"),
            ("{n}在{a}旁边找，在{b}后面找，都没有找到。", "{n}很难过，因为没有{t}就不能{use}。"),
            ("这时{hk}{h}走过来，问发生了什么事。", "{hk}{h}听见了，停下来帮忙。"),
            ("他们一起找，终于在{b}下面找到了{t}。", "{h}说，两个人一起找会更快，果然在{a}后面找到了。"),
            ("{n}非常高兴，送给{h}{food}。", "从此，{n}把{t}保管得很好。"),
        ),
    ),
    "捡": (
        "捡到{t}",
        (
            ("一天，{n}在{p}散步。", "早上太阳出来了，{n}来到了{p}。"),
            ("{n}在{a}旁边捡到了一{m}{t}。", "忽然，{n}看见{a}下面有一{m}{t}。"),
            ("{n}很想留下它，可是知道这不是自己的。", "{n}想，丢了它的人一定很着急。"),
            ("在{b}后面，{hk}{h}正在哭，原来是丢了{t}。", "{n}问了很多人，最后找到了它的主人，{hk}{h}。"),
            ("{n}把{t}还给了{h}。", "{h}接过{t}，高兴得跳了起来。"),
            ("因为{n}很诚实，{h}送来了{food}。", "从那天起，他们成了好朋友。"),
        ),
    ),
    "借": (
        "借出{t}",
        (
            ("{n}有一{m}很好的{t}。", "{n}的{t}可以用来{use}。"),
            ("在{p}，{n}遇见了{hk}{h}。", "一天，{hk}{h}坐在{p}，看起来很着急。"),
            ("{h}想{use}，可是没有{t}。", "原来{h}需要一{m}{t}。"),
            ("{n}想了想，就把{t}借给了{h}。", "{n}说，用我的吧，明天还给我就行。"),
            ("{h}终于可以{use}了。", "有了{t}，{h}很快就把事情做好了。"),
            ("第二天，{h}还了{t}，还带来了{food}。", "{n}明白了，分享会让大家更快乐。"),
        ),
    ),
    "声音": (
        "听见奇怪的声音",
        (
            ("一天晚上，{n}听见{p}有奇怪的声音。", "夜里，{p}传来奇怪的声音。"),
            ("{n}有点害怕，以为是妖怪。", "声音是从{a}那边来的，{n}的心跳得很快。"),
            ("可是{n}还是拿着{t}走了过去。", "{n}鼓起勇气，拿起{t}，一步一步往前走。"),
            ("原来是{hk}{h}在{b}后面找吃的。", "{b}后面有一个影子，原来是{hk}{h}。"),
            ("他们都吓了一跳，然后一起笑了。", "{h}说，你吓到我了。"),
            ("后来他们一起吃了{food}。", "从此，{n}再也不怕黑了。"),
        ),
    ),
    "做": (
        "想做一{m}{t}",
        (
            ("{n}想自己做一{m}{t}。", "{n}有一个愿望，就是做一{m}{t}。"),
            ("{n}在{p}忙了一整天。", "{n}坐在{p}的{a}旁边，开始动手做。"),
            ("可是做得太急，{t}坏了。", "第一次做的{t}一下子就散了。"),
            ("{hk}{h}说，别着急，慢慢来。", "{hk}{h}教{n}一步一步地做。"),
            ("第二次，{n}很有耐心，{t}做好了。", "这一次做出来的{t}又结实又好看。"),
            ("现在{n}可以{use}了，大家都很高兴。", "{n}明白了，做事不能着急。"),
        ),
    ),
    "礼物": (
        "把{t}送给朋友",
        (
            ("{hk}{h}的生日快到了，可是{n}没有钱买礼物。", "明天是{hk}{h}的生日，{n}想送一件礼物。"),
            ("{n}在{p}走来走去，想了很久。", "{n}坐在{p}的{a}旁边想办法。"),
            ("{n}只有一{m}自己的{t}。", "{n}最喜欢的东西是一{m}{t}。"),
            ("虽然舍不得，{n}还是把{t}包了起来。", "{n}想，朋友比{t}更重要。"),
            ("{h}打开礼物，眼睛都亮了。", "{h}说，我早就想{use}了。"),
            ("他们一起吃了{food}，过了快乐的一天。", "{n}觉得，送出礼物的人也很幸福。"),
        ),
    ),
}
# 最后一个只用来测试
ABOUT = {
    1: (
        "讲一个关于{k}的故事。",
        "请给我讲一个{k}的故事。",
        "写一个关于{k}的小故事。",
        "我想听{k}的故事。",
        "编一个有{k}的故事吧。",
    ),
    2: (
        "讲一个{k}和{t}的故事。",
        "写一个关于{k}和{t}的小故事。",
        "请讲一个故事，里面有{k}和{t}。",
        "编一个故事，要有{t}，还要有{k}。",
    ),
    3: (
        "讲一个故事：叫{n}的{k}在{p}，还有{t}。",
        "写一个故事，主角是{k}{n}，地点在{p}，里面有{t}。",
        "请讲{k}{n}和{t}的故事，发生在{p}。",
        "编一个故事：{p}，{k}{n}，{t}。",
    ),
}
ASKED = {
    "n": ("主角叫什么名字？", "那个{k}叫什么？", "故事的主角是谁？"),
    "t": ("故事里有什么东西？", "这个故事讲了什么东西？", "故事里重要的东西是什么？"),
    "h": ("{n}遇见了谁？", "故事里的朋友叫什么？", "还有谁在故事里？"),
}
ANSWERS = {"n": "主角叫{n}。", "t": "故事里有{t}。", "h": "是{hk}{h}。"}


def _pair_is_held_out(kind: str, thing: str) -> bool:
    return sha256(f"{kind} {thing}".encode()).digest()[0] % HELD_OUT_PAIRS == 0


def _cast(rng: random.Random, held_out: bool) -> dict[str, Any]:
    while True:
        kind, thing = rng.choice(KINDS), rng.choice(THINGS)
        if _pair_is_held_out(kind, thing[0]) == held_out:
            break
    name, friend = rng.sample(NAMES, 2)
    place = rng.choice(PLACES)
    return {
        "n": name,
        "k": kind,
        "h": friend,
        "hk": rng.choice([k for k in KINDS if k != kind]),
        "t": thing[0],
        "m": thing[1],
        "use": thing[2],
        "p": place[0],
        "a": place[1],
        "b": place[2],
        "plot": rng.choice(sorted(PLOTS)),
    }


def sample_story(rng: random.Random, level: int, held_out: bool) -> Problem:
    cast = _cast(rng, held_out)
    asked = min(level, 3)
    words = rng.choice(ABOUT[asked][-1:] if held_out else ABOUT[asked][:-1]).format(**cast)
    key = f"故事 {cast['plot']} {cast['k']} {cast['t']} {cast['p']}"
    wanted = {1: ["k"], 2: ["k", "t"], 3: ["k", "n", "t", "p"]}[asked]
    if level < 4:
        return Problem(
            f"story in Chinese {asked}",
            key,
            user(words),
            {"cast": cast, "words": [cast[w] for w in wanted], "chinese": True},
        )
    what = rng.choice(sorted(ASKED))
    question = rng.choice(ASKED[what][-1:] if held_out else ASKED[what][:-1]).format(**cast)
    facts = {"answer": ANSWERS[what].format(**cast), "words": [cast[what]], "chinese": True}
    return Problem(
        "question in Chinese", f"问 {what} {key}", [*user(words), assistant(tell(cast, rng)[0]), *user(question)], facts
    )


def tell(cast: dict[str, Any], rng: random.Random) -> tuple[str, str, str]:
    """The story, who and what it is about, and what happens."""
    gist, steps = PLOTS[cast["plot"]]
    slots = cast | {"trait": rng.choice(TRAITS), "food": rng.choice(FOODS)}
    story = ""
    while cast["p"] not in story or cast["t"] not in story:
        story = "".join(s.format(**slots) for s in (rng.choice(OPENINGS), *(rng.choice(step) for step in steps)))
    return (
        story,
        f"主角：{cast['k']}{cast['n']}。东西：{cast['t']}。地点：{cast['p']}。",
        f"朋友：{cast['hk']}{cast['h']}。情节：{cast['n']}{gist.format(**cast)}。",
    )
