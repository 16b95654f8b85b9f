"""Word problems in Chinese, as in primary school: templates, names, things with their measure words, and how they are told.

`grammar.py` says how a block is read; {x} is a thing, {xm} its measure word. The text is one line, commas and all.
"""

from __future__ import annotations

import random

NAMES = [(name, True) for name in "小明 小刚 小强 小军 小华 小东 小林 小亮 大伟 李明 王刚 张强 刘洋 陈杰 赵勇 小龙 小宇 乐乐 明明 冬冬".split()] + [
    (name, False) for name in "小红 小丽 小芳 小美 小兰 小英 小雨 小玲 李红 王芳 张丽 刘敏 陈静 小雪 小燕 丽丽 婷婷 圆圆 方方 兰兰".split()
]
THINGS = {
    "keep": "个气球 张卡片 张邮票 颗玻璃球 张贴纸 枚硬币 个贝壳 辆玩具车 块积木 个玩具 颗珠子 张照片 个徽章 只纸鹤 颗星星 个风筝 个球",
    "school": "支铅笔 支钢笔 本书 本练习本 块橡皮 支彩笔 把尺子 本故事书 张纸 个文具盒 本漫画书 个书包",
    "food": "个苹果 个梨 个桃子 个橘子 个西瓜 个鸡蛋 个包子 块饼干 块糖 块蛋糕 个面包 颗草莓 个香蕉 盒牛奶 瓶饮料 个月饼 个饺子",
    "animal": "只羊 头牛 只鸡 只鸭 只兔子 条鱼 只猴子 只鸟 匹马 只小狗 只小猫 只松鼠 头猪 只鹅",
    "plant": "棵树 棵松树 棵柳树 盆花 朵红花 棵白菜 棵苹果树 朵菊花",
    "person": "名学生 个同学 名老师 个小朋友 位客人 名运动员 个人 名工人",
    "goods": "件衣服 双鞋 顶帽子 个足球 个篮球 把椅子 张桌子 条裤子 个书包 台风扇 本字典 个水杯 把雨伞",
}
PLACES = "公园 学校 果园 图书馆 操场 动物园 超市 商店 花园 农场 工厂 食堂 书店".split()
BINS = "箱 盒 袋 筐 篮 包".split()

TEMPLATES = r"""
zh_left; x=keep+school+food; a=n(4); b=below(a)
{A}有{a}{xm}{x}，[送给{B}|用去|丢了|拿走]{b}{xm}，还剩多少{xm}？
{A}有{a}{xm}{x}，给了{B}{b}{xm}，{A}现在有多少{xm}{x}？
[盒子|篮子|书包|袋子]里有{a}{xm}{x}，拿走了{b}{xm}，[还剩|还有]多少{xm}{x}？
商店[运来|有]{a}{xm}{x}，卖出{b}{xm}，还剩多少{xm}？
= 剩下: a-b

zh_sum; x=keep+school+food; a=n(); b=n()
{A}有{a}{xm}{x}，{B}有{b}{xm}{x}，[他们|两人]一共有多少{xm}{x}？
{A}上午[做|卖|摘|买]了{a}{xm}{x}，下午又{b}{xm}，一共多少{xm}？
商店[上午|第一天]卖出{a}{xm}{x}，[下午|第二天]卖出{b}{xm}，一共卖出多少{xm}？
{A}原来有{a}{xm}{x}，[又买来|妈妈又给了他|{B}又送给他]{b}{xm}，[现在|一共]有多少{xm}？
= 一共: a+b

zh_add_animals; x=animal; y=animal; a=n(); b=n()
{place}里有{a}{xm}{x}和{b}{ym}{y}，一共有多少只动物？
草地上有{a}{xm}{x}，又来了{b}{xm}，现在有多少{xm}{x}？
= 一共: a+b

zh_boys_girls; a=n(); b=n()
[一班|二年级一班|合唱队|操场上]有男生{a}人，女生{b}人，一共有多少人？
[参加比赛的|去春游的]男生有{a}人，女生有{b}人，共有多少人？
= 总人数: a+b

zh_girls; a=n(5); b=below(a)
[一班|合唱队|体育队]共有{a}人，其中男生{b}人，女生有多少人？
一本书有{a}页，{A}看了{b}页，还剩多少页没看？
一条[路|绳子]长{a}米，[已经修了|用去]{b}米，还剩多少米？
= 剩下: a-b

zh_more; x=keep+school+food; a=n(); b=n()
{A}有{a}{xm}{x}，{B}比{A}多{b}{xm}，{B}有多少{xm}{x}？
{A}做了{a}{xm}{x}，{B}比{A}多做{b}{xm}，{B}做了多少{xm}？
果园里有苹果树{a}棵，梨树比苹果树多{b}棵，梨树有多少棵？ ## 梨树
= {B}的: a+b

zh_fewer; x=keep+school+food; a=n(5); b=below(a)
{A}有{a}{xm}{x}，{B}比{A}少{b}{xm}，{B}有多少{xm}{x}？
{A}有{a}{xm}{x}，比{B}多{b}{xm}，{B}有多少{xm}？
果园里有桃树{a}棵，梨树比桃树少{b}棵，梨树有多少棵？ ## 梨树
= {B}的: a-b

zh_difference; x=keep+school+food; a=n(5); b=below(a)
{A}有{a}{xm}{x}，{B}有{b}{xm}，{A}比{B}多多少{xm}？
{A}有{a}{xm}{x}，{B}有{b}{xm}，{B}比{A}少多少{xm}？
一个玩具{a}元，一本书{b}元，玩具比书贵多少元？
黄花有{a}朵，红花有{b}朵，相差多少朵？
= 相差: a-b

zh_before; x=keep+school+food; a=n(); b=n()
{A}送给{B}{b}{xm}{x}后，还剩{a}{xm}，{A}原来有多少{xm}？
[车上|盒子里|商店里]有一些{x}，[拿走|卖出]{b}{xm}，还剩{a}{xm}，原来有多少{xm}？
= 原来: a+b

zh_need; x=keep+school+food; a=n(5); b=below(a)
{A}要做{a}{xm}{x}，已经做了{b}{xm}，还要做多少{xm}？
要买{a}{xm}{x}，已经有{b}{xm}，还差多少{xm}？
= 还要: a-b

zh_groups; x=keep+school+food+plant; a=s(); b=t()
每{bin}装{b}{xm}{x}，{a}{bin}一共装多少{xm}{x}？
有{a}{bin}{x}，每{bin}{b}{xm}，一共有多少{xm}？
[同学们种树|{x}排成{a}行]，每行{b}{xm}，{a}行一共多少{xm}？
{a}个小朋友，每人有{b}{xm}{x}，一共有多少{xm}？
= 一共: a*b

zh_times; x=keep+school+food+animal; a=t(); k=s()
{A}有{a}{xm}{x}，{B}的{x}是{A}的{k}倍，{B}有多少{xm}？
[白兔|小鸡]有{a}只，[v:黑兔|小鸭|小鹅]的只数是它的{k}倍，{v1}有多少只？
= 一共: a*k

zh_how_times; k=s(); q=t(); a=k*q
羊圈里有白羊{a}只，黑羊{q}只，白羊是黑羊的多少倍？
果园里有苹果树{a}棵，梨树{q}棵，苹果树是梨树的几倍？
{A}有{a}元，{B}有{q}元，{A}的钱是{B}的几倍？
= 倍数: a/q

zh_share; x=keep+school+food; k=s(); q=t(); a=k*q
[把|老师把|妈妈把]{a}{xm}{x}平均分给{k}个[小朋友|同学|班]，每[人|个]分得多少{xm}？
{a}{xm}{x}平均装在{k}个{bin}子里，每个{bin}子装多少{xm}？
{A}{k}天做了{a}{xm}{x}，平均每天做多少{xm}？
= 每份: a/k

zh_packs; x=keep+school+food; k=s(); q=t(); a=k*q
有{a}{xm}{x}，每{k}{xm}装一{bin}，可以装多少{bin}？
{a}{xm}{x}，每人分{k}{xm}，可以分给多少人？
一本书有{a}页，{A}每天看{k}页，多少天可以看完？
= 份数: a/k

zh_rest; x=keep+school+food; k=r(3,9); a=n(12)
{a}{xm}{x}，平均分给{k}个小朋友，还剩多少{xm}？
有{a}{xm}{x}，每{k}{xm}装一{bin}，装满后还剩多少{xm}？
= 剩下: a/k rest

zh_up; x=person; k=r(4,40); a=n(30)
有{a}{xm}{x}去[春游|参观]，每辆车坐{k}人，至少要多少辆车？
有{a}{xm}{x}去划船，每条船坐{k}人，至少要租多少条船？
= 需要: a/k up

zh_down; x=keep+food; k=r(3,9); a=n(12)
做一套衣服要{k}米布，{a}米布最多可以做多少套？
{A}有{a}元，一{xm}{x}{k}元，最多可以买多少{xm}？
= 最多: a/k down

zh_price; x=goods+school; a=s(); b=r(2,60)
一{xm}{x}{b}元，买{a}{xm}要多少元？
每{xm}{x}{b}元，{A}买了{a}{xm}，一共要付多少元？
= 总价: b*a

zh_change; x=goods; y=goods; a=n(10); b=below(a)
{A}买一{xm}{x}用了{b}元，付给售货员{a}元，应找回多少元？
{A}有{a}元，买一{xm}{x}用去{b}元，还剩多少元？
= 找回: a-b

zh_pay_two; x=goods; y=goods; a=r(2,90); b=r(2,90)
一{xm}{x}{a}元，一{ym}{y}{b}元，买一{xm}{x}和一{ym}{y}一共要多少元？
{A}买一{xm}{x}用了{a}元，买一{ym}{y}用了{b}元，一共用了多少元？
= 一共: a+b

zh_unit; x=goods+school; k=s(); q=r(2,40); a=k*q
买{k}{xm}{x}用了{a}元，每{xm}{x}多少元？
= 单价: a/k

zh_distance; a=r(3,90); k=s()
一辆[汽车|客车|货车]每小时行{a}千米，{k}小时行多少千米？
{A}每分钟走{a}米，走了{k}分钟，一共走了多少米？
= 路程: a*k

zh_speed; a=r(3,90); k=s(); d=a*k
一辆汽车{k}小时行了{d}千米，平均每小时行多少千米？
= 速度: d/k

zh_time; a=r(3,90); k=s(); d=a*k
[甲乙两地|两城]相距{d}千米，一辆汽车每小时行{a}千米，几小时可以到？
= 时间: d/a

zh_age; a=r(4,40); b=r(2,30)
{A}今年{a}岁，[v:爸爸|妈妈|爷爷]比{A}大{b}岁，{v1}今年多少岁？
{A}今年{a}岁，{b}年后{A}多少岁？
= 年龄: a+b

zh_area; a=t(); b=s()
一个长方形[花坛|操场|菜地]长{a}米，宽{b}米，面积是多少平方米？
= 面积: a*b

zh_fraction; x=keep+school+food; k=r(2,6); q=t(); a=k*q
{A}有{a}{xm}{x}，吃了{k}分之一，吃了多少{xm}？
{a}的{k}分之一是多少？
= 部分: a/k

zh_half; x=keep+food; q=n(); a=q*2
{A}有{a}{xm}{x}，把一半送给{B}，送了多少{xm}？
= 一半: a/2

zh_three; x=keep+school+food; a=n(); b=n(); c=n()
三个班[分别]捐了{a}、{b}、{c}{xm}{x}，一共捐了多少{xm}？
{A}第一天看了{a}页书，第二天看了{b}页，第三天看了{c}页，三天一共看了多少页？
= 一共: a+b+c

zh_bus; a=n(10); b=n(); c=below(a)
公共汽车上有{a}人，到站后下去{c}人，又上来{b}人，现在车上有多少人？
{A}有{a}元，用去{c}元，妈妈又给了{b}元，现在有多少元？
= 下车后: d=a-c; 现在: d+b

zh_bus_up; a=n(10); b=n(); c=below(a+b)
车上原有{a}人，上来{b}人，又下去{c}人，现在有多少人？
图书馆有{a}本书，又买来{b}本，借出{c}本，还有多少本？
= 合起来: d=a+b; 剩下: d-c

zh_twice_left; x=keep+school+food; a=n(12); b=r(2,a//2); c=r(1,a//2-1)
{A}有{a}{xm}{x}，给{B}{b}{xm}，又给{C}{c}{xm}，还剩多少{xm}？
商店有{a}{xm}{x}，上午卖出{b}{xm}，下午卖出{c}{xm}，还剩多少{xm}？
= 第一次后: d=a-b; 剩下: d-c

zh_more_total; x=keep+school+food; a=n(); b=n()
{A}有{a}{xm}{x}，{B}比{A}多{b}{xm}，两人一共有多少{xm}？
第一组做了{a}{xm}{x}，第二组比第一组多做{b}{xm}，两组一共做了多少{xm}？
= 第二个: d=a+b; 一共: a+d

zh_fewer_total; x=keep+school+food; a=n(5); b=below(a)
{A}有{a}{xm}{x}，{B}比{A}少{b}{xm}，两人一共有多少{xm}？
= 第二个: d=a-b; 一共: a+d

zh_times_total; x=keep+school+food; a=t(); k=s()
{A}有{a}{xm}{x}，{B}的是{A}的{k}倍，两人一共有多少{xm}？
果园里有桃树{a}棵，苹果树的棵数是桃树的{k}倍，一共有多少棵树？
= 第二个: d=a*k; 一共: a+d

zh_times_diff; x=keep+food; a=t(); k=r(2,9)
{A}有{a}{xm}{x}，{B}的是{A}的{k}倍，{B}比{A}多多少{xm}？
= 第二个: d=a*k; 相差: d-a

zh_groups_plus; x=keep+school+food; a=s(); b=t(); c=n()
有{a}{bin}{x}，每{bin}{b}{xm}，还有{c}{xm}散装的，一共有多少{xm}？
= {a}{bin}: d=a*b; 一共: d+c

zh_groups_minus; x=keep+school+food; a=s(); b=t(); c=below(a*b)
有{a}{bin}{x}，每{bin}{b}{xm}，[卖出|吃了|送出]{c}{xm}，还剩多少{xm}？
= {a}{bin}: d=a*b; 剩下: d-c

zh_price_change; x=goods+school; k=s(); p=r(2,20); e=r(1,40); a=k*p+e
{A}买了{k}{xm}{x}，每{xm}{p}元，付了{a}元，应找回多少元？
{A}带了{a}元，买了{k}{xm}{x}，每{xm}{p}元，还剩多少元？
= 总价: c=p*k; 找回: a-c

zh_sum_share; x=keep+school+food; k=s(); q=s(); b=below(k*q); a=k*q-b
有{a}{xm}红色的和{b}{xm}黄色的{x}，平均分给{k}个小朋友，每人多少{xm}？
= 一共: d=a+b; 每人: d/k

zh_rest_share; x=keep+school+food; k=s(); q=s(); b=n(); a=k*q+b
[食堂|商店]运进{a}千克[大米|面粉|蔬菜]，用了{k}天，还剩{b}千克，平均每天用多少千克？
有{a}{xm}{x}，拿走{b}{xm}，剩下的平均分给{k}个班，每班多少{xm}？
= 用去: d=a-b; 每份: d/k

zh_cages; a=n(); b=s(); k=r(3,9)
养了{a}只母鸡和{b}只公鸡，{k}只鸡住一个笼子，至少要多少个笼子？
= 一共: d=a+b; 笼子: d/k up

zh_rate; x=school+food; k=s(); q=s(); m=s(); a=k*q
{k}{xm}{x}{a}元，买{m}{xm}要多少元？
一辆汽车{k}小时行{a}千米，照这样，{m}小时行多少千米？
{A}{k}天看了{a}页书，照这样计算，{m}天看多少页？
= 一份: d=a/k; 一共: d*m

zh_rate_time; k=s(); q=s(); m=s(); a=k*q; b=q*m
{A}{k}天看了{a}页书，照这样计算，{b}页要看多少天？
一台机器{k}小时做{a}个零件，照这样，做{b}个要几小时？
= 一天: d=a/k; 需要: b/d

zh_two_carry; a=r(5,90); b=r(5,90); k=r(2,20)
一辆大车每次运{a}包，一辆小车每次运{b}包，各运{k}次，一共运多少包？
= 每次: d=a+b; 一共: d*k

zh_three_factor; a=s(); b=s(); c=s()
有{a}箱书，每箱{b}包，每包{c}本，一共有多少本？
每排有{b}个座位，每层{c}排，{a}层一共有多少个座位？
= 先算: d=a*b; 一共: d*c

zh_perimeter; a=t(); b=s()
一个长方形长{a}厘米，宽{b}厘米，周长是多少厘米？
= 长加宽: d=a+b; 周长: d*2

zh_trees_gap; k=r(2,9); q=r(3,20); a=k*q
一条路长{a}米，每隔{k}米种一棵树，两端都种，一共种多少棵？
= 间隔: d=a/k; 棵数: d+1

zh_percent; p=pick(10,20,25,30,40,50,60,75,80); a=r(1,40)*20
一本书有{a}页，{A}看了{p}%，看了多少页？
[学校有|工厂有]{a}人，其中{p}%是女的，女的有多少人？
= 部分: a*p/100

zh_discount; p=pick(5,6,7,8,9); a=r(1,40)*10
一{xm}{x}原价{a}元，现在打{p}折，现价多少元？
= 现价: a*p/10

zh_average; a=r(5,95); b=r(5,95); u=(a+b)%2; c=b+u
{A}两次考试得{a}分和{c}分，平均分是多少？
= 总分: d=a+c; 平均: d/2

zh_chase; a=r(3,9); b=r(10,20); k=r(2,8); g=b-a; d=k*g
甲车每小时行{b}千米，乙车每小时行{a}千米，乙车在甲车前面{d}千米，几小时后甲车追上乙车？
= 每小时追: e=b-a; 时间: d/e

zh_meet; a=r(3,60); b=r(3,60); k=s(); d=k*a+k*b
两车从相距{d}千米的两地同时相对开出，甲车每小时行{a}千米，乙车每小时行{b}千米，几小时相遇？
= 每小时共行: e=a+b; 时间: d/e

zh_left_three; x=food+keep; k=s(); b=s(); a=k*b+r(2,40); c=r(1,a-k*b-1)
{A}有{a}{xm}{x}，分给{k}个同学每人{b}{xm}，自己又吃了{c}{xm}，还剩多少{xm}？
= 分掉: d=k*b; 分后: e=a-d; 剩下: e-c

zh_buy_three; x=goods; y=goods; a=s(); p=r(2,20); b=s(); q=r(2,20); t=a*p+b*q+r(1,50)
{A}买了{a}{xm}{x}，每{xm}{p}元，又买了{b}{ym}{y}，每{ym}{q}元，付了{t}元，应找回多少元？
= 第一种: c=p*a; 第二种: d=q*b; 一共: e=c+d; 找回: t-e

zh_work_plan; k=s(); q=s(); m=s(); b=q*m; a=k*q+b
修一条长{a}米的路，已经修了{k}天，每天修{q}米，剩下的每天修{q}米，还要几天？
= 已修: c=k*q; 剩下: d=a-c; 还要: d/q

zh_held_missing*; x=keep+school; a=n(5); b=below(a)
书架上本来应有{a}{xm}{x}，数了数只有{b}{xm}，少了多少{xm}？
= 少了: a-b

zh_held_stack*; x=goods; a=s(); b=t()
仓库里堆着{a}堆{x}，每堆{b}{xm}，仓库里有多少{xm}{x}？
= 一共: a*b

zh_held_two*; x=food; a=n(); b=n(); c=below(a+b)
食堂昨天买{a}{xm}{x}，今天买{b}{xm}，两天共吃掉{c}{xm}，剩多少{xm}？
= 两天: d=a+b; 剩下: d-c

zh_held_tables*; a=s(); b=s(); c=n()
会议室摆{a}排椅子，每排{b}把，坐了人后又加{c}把，现在共有多少把椅子？
= 原有: d=a*b; 现在: d+c

zh_held_three*; a=s(); b=s(); c=r(1,9); d=r(2,9)
{A}每天跑步{a}圈，跑了{b}天，{B}比{A}多跑{c}圈，两人共跑多少圈？
= {A}的: e=a*b; {B}的: f=e+c; 一共: e+f
"""

REQUESTS = ["{}", "{}", "{}", "{}", "{}", "{}", "{}", "应用题：{}", "请解答：{}", "{}请写出过程。", "问题：{}", "帮我算一下：{}", "{}\n答：", "{}请一步一步地想。"]


def tell(rng: random.Random, text: str) -> str:
    if rng.random() < 0.12:
        text = text.replace("，", rng.choice((",", "。"))).replace("？", rng.choice(("?", "？")))
    return rng.choice(REQUESTS).replace("{}", text)
