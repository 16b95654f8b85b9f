"""Which well-known functions on lists, dictionaries and matrices are there?"""

import random
from typing import Any

from finback.tasks.code.classic import classic, ints


def one_list(least: int = 0, most: int = 6, low: int = -5, high: int = 15) -> Any:
    return lambda rng: [ints(rng, least, most, low, high)]


def list_and_item(least: int = 1) -> Any:
    """A list and, more often than not, one of its elements."""

    def draw(rng: random.Random) -> list[Any]:
        items = ints(rng, least, 6, 0, 9)
        return [items, rng.choice(items) if items and rng.random() < 0.7 else rng.randint(0, 9)]

    return draw


def sorted_and_item(rng: random.Random) -> list[Any]:
    items = sorted(set(ints(rng, 2, 8, 0, 30)))
    return [items, rng.choice(items) if rng.random() < 0.6 else rng.randint(0, 30)]


def two_lists(same: bool = False) -> Any:
    def draw(rng: random.Random) -> list[Any]:
        a, b = ints(rng, 1, 5, 0, 9), ints(rng, 1, 5, 0, 9)
        size = min(len(a), len(b))
        return [a[:size], b[:size]] if same else [a, b]

    return draw


def two_sorted(rng: random.Random) -> list[Any]:
    return [sorted(ints(rng, 0, 4, 0, 9)), sorted(ints(rng, 0, 4, 0, 9))]


def two_matrices(rng: random.Random) -> list[Any]:
    rows, columns = rng.randint(1, 3), rng.randint(1, 3)
    return [[[rng.randint(0, 9) for _ in range(columns)] for _ in range(rows)] for _ in range(2)]


def factors(rng: random.Random) -> list[Any]:
    a, b, c = (rng.randint(1, 2) for _ in range(3))
    return [[[rng.randint(0, 4) for _ in range(b)] for _ in range(a)],
        [[rng.randint(0, 4) for _ in range(c)] for _ in range(b)]]


def two_dicts(rng: random.Random) -> list[Any]:
    keys = ["a", "b", "c", "x", "y"]
    return [{k: rng.randint(1, 9) for k in rng.sample(keys, rng.randint(1, 3))} for _ in range(2)]


def with_gap(rng: random.Random) -> list[Any]:
    numbers = list(range(1, rng.randint(3, 8)))
    numbers.remove(rng.choice(numbers))
    rng.shuffle(numbers)
    return [numbers]


def nest(rng: random.Random, depth: int = 2) -> list[Any]:
    return [nest(rng, depth - 1) if depth and rng.random() < 0.4 else rng.randint(0,
        9) for _ in range(rng.randint(1, 3))]


def progression(rng: random.Random) -> list[Any]:
    start, step, size = rng.randint(-3, 9), rng.randint(-3, 4), rng.randint(2, 5)
    items = [start + step * i for i in range(size)]
    if rng.random() < 0.5:
        items[rng.randrange(size)] += 1
    return [items]


LIST_CLASSICS = [
    classic("bubble sort", 3, "L", "nums|arr|a|items", one_list(1, 4, 0, 9),
        code="def $f($v):\n    for i in range(len($v)):\n        for j in range(len($v) - 1 - i):\n            if "
        "$v[j] > $v[j + 1]:\n                $v[j], $v[j + 1] = $v[j + 1], $v[j]\n    return $v",
        of="the sorted list $v (by|with|using) bubble sort|$v in ascending order, (sorted|ordered) by bubble sort",
        do="sort $v (by|with|using) bubble sort", zh="用冒泡排序给$v排序", plan="1. i over the length, j up to len - 1 "
        "- i\n2. swap $v[j] and $v[j + 1] if the first is larger\n3. return $v"),
    classic("selection sort", 3, "L", "nums|arr|a|items", one_list(1, 4, 0, 9),
        code="def $f($v):\n    for i in range(len($v)):\n        k = i\n        for j in range(i + 1, "
        "len($v)):\n            if $v[j] < $v[k]:\n                k = j\n        $v[i], $v[k] = $v[k], $v[i]\n    "
        "return $v", of="the sorted list $v (by|with|using) selection sort|$v in ascending order, (sorted|ordered) by "
        "selection sort", do="sort $v (by|with|using) selection sort", zh="用选择排序给$v排序",
        plan="1. for each i find k, the index of the smallest from i on\n2. swap $v[i] and $v[k]\n3. return $v"),
    classic("insertion sort", 3, "L", "nums|arr|a|items", one_list(1, 4, 0, 9),
        code="def $f($v):\n    for i in range(1, len($v)):\n        x = $v[i]\n        j = i - 1\n        while j >= 0 "
        "and $v[j] > x:\n            $v[j + 1] = $v[j]\n            j -= 1\n        $v[j + 1] = x\n    return $v",
        of="the sorted list $v (by|with|using) insertion sort|$v in ascending order, (sorted|ordered) by insertion "
        "sort", do="sort $v (by|with|using) insertion sort", zh="用插入排序给$v排序", plan="1. take x = $v[i] from i = "
        "1 on\n2. shift larger ones right while j >= 0 and $v[j] > x\n3. put x at j + 1"),
    classic("quick sort", 3, "L", "nums|arr|a|items", one_list(0, 5, 0, 9),
        code="def $f($v):\n    if len($v) <= 1:\n        return $v\n    p = $v[0]\n    small = [x for x in $v[1:] if x "
        "< p]\n    large = [x for x in $v[1:] if x >= p]\n    return $f(small) + [p] + $f(large)", of="the sorted list "
        "$v (by|with|using) quicksort|$v in ascending order, (sorted|ordered) by (quicksort|quick sort)",
        do="sort $v (by|with|using) (quicksort|quick sort)", zh="用快速排序给$v排序",
        plan="1. base: at most one element\n2. p = first; small: x < p, large: x >= p\n3. $f(small) + [p] + $f(large)"),
    classic("merge sorted", 3, "LL", "a b|left right|xs ys", two_sorted,
        code="def $f($v, $k):\n    result = []\n    i = 0\n    j = 0\n    while i < len($v) and j < len($k):\n        "
        "if $v[i] <= $k[j]:\n            result.append($v[i])\n            i += 1\n        else:\n            "
        "result.append($k[j])\n            j += 1\n    return result + $v[i:] + $k[j:]", of="the sorted (list|merge) "
        "of the two sorted lists $v and $k|one sorted list (made of|with) all %nums of the sorted lists $v and $k",
        do="merge the sorted lists $v and $k( into one sorted list|)", zh="合并两个有序列表$v和$k",
        plan="1. i = j = 0; take the smaller of $v[i] and $k[j] while both are left\n2. add what is left of both"),
    classic("binary search", 3, "LN", "nums target|arr x|items value|a key", sorted_and_item,
        code="def $f($v, $k):\n    low = 0\n    high = len($v) - 1\n    while low <= high:\n        mid = (low + high) "
        "// 2\n        if $v[mid] == $k:\n            return mid\n        if $v[mid] < $k:\n            low = mid + "
        "1\n        else:\n            high = mid - 1\n    return -1", of="the index of $k in the sorted list $v (by|"
        "with|using) binary search, or -1( if it is missing| if it is not there|)",
        do="use binary search to find the index of $k in the sorted list $v, or -1( if missing|)",
        zh="用二分查找求$k在有序列表$v中的下标，没有则为-1", plan="1. low = 0, high = last\n2. mid: equal: return it; "
        "too small: low = mid + 1; else high = mid - 1\n3. -1"),
    classic("linear search", 1, "LN", "nums target|arr x|items value|a key", list_and_item(),
        code="def $f($v, $k):\n    for i in range(len($v)):\n        if $v[i] == $k:\n            return i\n    return "
        "-1", of="the index of the first $k in $v, or -1( if it is missing| if there is none|)|where $k first occurs "
        "in $v, or -1( if nowhere|)", do="(search|look) for $k in $v and give its (first |)index, or -1",
        zh="求$k在$v中第一次出现的下标，没有则为-1", plan="1. for i: return i if $v[i] == $k\n2. -1"),
    classic("maximum loop", 1, "L", "nums|arr|a|values", one_list(1, 5),
        code="def $f($v):\n    best = $v[0]\n    for x in $v:\n        if x > best:\n            best = x\n    return "
        "best", of="the (largest|biggest|maximum) %num of $v without (using |)max|the (largest|biggest|maximum) %num "
        "of $v with a loop", do="%find the (largest|maximum) %num of $v (with a loop|without max)",
        zh="不用max，求$v的最大值", plan="1. best = $v[0]\n2. each x larger than best becomes best\n3. return best"),
    classic("minimum loop", 1, "L", "nums|arr|a|values", one_list(1, 5),
        code="def $f($v):\n    best = $v[0]\n    for x in $v:\n        if x < best:\n            best = x\n    return "
        "best", of="the (smallest|lowest|minimum) %num of $v without (using |)min|the (smallest|lowest|minimum) %num "
        "of $v with a loop", do="%find the (smallest|minimum) %num of $v (with a loop|without min)",
        zh="不用min，求$v的最小值", plan="1. best = $v[0]\n2. each x smaller than best becomes best\n3. return best"),
    classic("sum loop", 1, "L", "nums|arr|a|values", one_list(0, 5),
        code="def $f($v):\n    total = 0\n    for x in $v:\n        total += x\n    return total",
        of="the (sum|total) of $v without (using |)sum|the (sum|total) of $v with a (for |)loop",
        do="add up $v (with a loop|without sum)", zh="用循环求$v的和", plan="1. total = 0\n2. add each x\n3. return "
        "total"),
    classic("sum recursive", 2, "L", "nums|arr|a|values", one_list(0, 4),
        code="def $f($v):\n    if not $v:\n        return 0\n    return $v[0] + $f($v[1:])",
        of="the (sum|total) of $v (by|with|using) recursion", do="(recursively add up|use recursion to add up) (the "
        "%nums of |)$v", zh="用递归求$v的和", plan="1. base: empty gives 0\n2. else $v[0] + $f($v[1:])"),
    classic("maximum recursive", 2, "L", "nums|arr|a|values", one_list(1, 3),
        code="def $f($v):\n    if len($v) == 1:\n        return $v[0]\n    return max($v[0], $f($v[1:]))",
        of="the (largest|biggest|maximum) %num of $v (by|with|using) recursion",
        do="(recursively find|use recursion to find) the (largest|maximum) %num of $v", zh="用递归求$v的最大值",
        plan="1. base: one element\n2. else max($v[0], $f($v[1:]))"),
    classic("reverse loop", 2, "L", "nums|arr|a|values", one_list(0, 5),
        code="def $f($v):\n    result = []\n    for x in $v:\n        result = [x] + result\n    return result",
        of="the reverse of $v (with|using) a loop|$v (reversed|in reverse order) without slicing",
        do="use a loop to reverse $v", zh="用循环反转$v", plan="1. result = []\n2. put each x in front\n3. return "
        "result"),
    classic("count loop", 1, "LN", "nums target|arr x|items value|a key", list_and_item(),
        code="def $f($v, $k):\n    count = 0\n    for y in $v:\n        if y == $k:\n            count += 1\n    "
        "return count", of="the number of times $k (occurs|appears) in $v|how (often|many times) $k (occurs|appears) "
        "in $v", do="count how (often|many times) $k (occurs|appears) in $v", zh="统计$k在$v中出现的次数",
        plan="1. count = 0\n2. add 1 for each y == $k\n3. return count"),
    classic("two sum", 3, "LN", "nums target|arr total|a goal",
        lambda rng: (lambda items: [items, sum(rng.sample(items, 2))])(rng.sample(range(1, 15), 4)),
        code="def $f($v, $k):\n    for i in range(len($v)):\n        for j in range(i + 1, len($v)):\n            if "
        "$v[i] + $v[j] == $k:\n                return [i, j]\n    return []", of="the indices of two %nums of $v that "
        "add up to $k(, or an empty list|)|(a list of |)the (positions|indices) of the first two %nums in $v whose sum "
        "is $k", do="%find the indices of two %nums of $v (that add up to|with the sum) $k",
        zh="求$v中和为$k的两个数的下标", plan="1. i, and j after i\n2. return [i, j] if $v[i] + $v[j] == $k\n3. []"),
    classic("has pair sum", 2, "LN", "nums target|arr total|a goal",
        lambda rng: (lambda items: [items, sum(rng.sample(items, 2)) if rng.random() < 0.5 else rng.randint(1,
            30)])(rng.sample(range(1, 15), 3)),
        code="def $f($v, $k):\n    for i in range(len($v)):\n        for j in range(i + 1, len($v)):\n            if "
        "$v[i] + $v[j] == $k:\n                return True\n    return False",
        of="whether (two|any two) %nums of $v (add up to|have the sum) $k", do="%check two %nums of $v add up to $k",
        zh="判断$v中是否有两个数之和为$k", plan="1. i, and j after i\n2. True if $v[i] + $v[j] == $k\n3. else False"),
    classic("count pairs with sum", 3, "LN", "nums target|arr total|a goal",
        lambda rng: [ints(rng, 2, 4, 0, 5), rng.randint(2, 7)],
        code="def $f($v, $k):\n    count = 0\n    for i in range(len($v)):\n        for j in range(i + 1, "
        "len($v)):\n            if $v[i] + $v[j] == $k:\n                count += 1\n    return count", of="the number "
        "of pairs (of %nums |)in $v (that add up to|with the sum) $k|how many pairs in $v (add up to|have the sum) $k",
        do="count the pairs in $v (that add up to|with the sum) $k", zh="统计$v中和为$k的数对个数",
        plan="1. count = 0\n2. i, and j after i: count += 1 if $v[i] + $v[j] == $k\n3. return count"),
    classic("best subarray", 3, "L", "nums|arr|a|values", one_list(1, 5, -6, 8),
        code="def $f($v):\n    best = $v[0]\n    current = 0\n    for x in $v:\n        current = max(x, current + "
        "x)\n        best = max(best, current)\n    return best", of="the (largest|biggest|maximum) sum of a "
        "(contiguous |)(sublist|subarray|slice) of $v", do="%find the (largest|maximum) sum of a contiguous (subarray|"
        "sublist) of $v", zh="求$v的最大子数组和", plan="1. current = max(x, current + x)\n2. best = max(best, "
        "current)\n3. return best"),
    classic("interleave", 2, "LL", "a b|xs ys|first second", two_lists(True),
        code="def $f($v, $k):\n    result = []\n    for x, y in zip($v, $k):\n        result.append(x)\n        "
        "result.append(y)\n    return result", of="the %nums of $v and $k (taken |)in turn|a list that (alternates "
        "between|interleaves) the %nums of $v and $k", do="(interleave|alternate) the %nums of $v and $k",
        zh="交替合并$v和$k", plan="1. for x, y in zip($v, $k): append x, then y\n2. return result"),
    classic("common elements", 2, "LL", "a b|xs ys|first second", two_lists(),
        code="def $f($v, $k):\n    result = []\n    for x in $v:\n        if x in $k and x not in result:\n            "
        "result.append(x)\n    return result", of="the (distinct |)%nums (that are in both|common to) $v and $k(, in "
        "the order of $v|)|the intersection of the lists $v and $k, without repeats",
        do="list the %nums that are in both $v and $k, each once", zh="求$v和$k的交集（保持顺序、不重复）",
        plan="1. each x of $v that is in $k and not yet in result: append\n2. return result"),
    classic("list difference", 1, "LL", "a b|xs ys|first second", two_lists(),
        code="def $f($v, $k):\n    return [x for x in $v if x not in $k]",
        of="the %nums of $v that are not in $k|the difference of the lists $v and $k|$v without the %nums of $k",
        do="%drop from $v all %nums that are in $k", zh="从$v中去掉$k里有的数",
        plan="1. [x for x in $v if x not in $k]"),
    classic("union", 2, "LL", "a b|xs ys|first second", two_lists(),
        code="def $f($v, $k):\n    result = []\n    for x in $v + $k:\n        if x not in result:\n            "
        "result.append(x)\n    return result", of="the union of the lists $v and $k without (duplicates|repeats)|the "
        "distinct %nums (that are |)in $v or $k, in order", do="join $v and $k without (duplicates|repeats)",
        zh="求$v和$k的并集（保持顺序、不重复）", plan="1. each x of $v + $k not yet in result: append\n2. return "
        "result"),
    classic("is subset", 1, "LL", "a b|xs ys|small large",
        lambda rng: (lambda b: [rng.sample(b, min(2, len(b))) + ([rng.randint(0, 9)] if rng.random() < 0.5 else []),
            b])(ints(rng, 1, 5, 0, 9)),
        code="def $f($v, $k):\n    return all(x in $k for x in $v)", of="whether (every|each) %num of $v is (also |)in "
        "$k|whether $v is a subset of $k", do="%check every %num of $v is in $k", zh="判断$v的每个数是否都在$k中",
        plan="1. all(x in $k for x in $v)"),
    classic("add lists", 1, "LL", "a b|xs ys|first second", two_lists(True),
        code="def $f($v, $k):\n    return [x + y for x, y in zip($v, $k)]", of="the (elementwise|element-wise) sum of "
        "$v and $k|the sums of the %nums of $v and $k at the same (index|position)",
        do="add the lists $v and $k (element by element|elementwise)", zh="把$v和$k按位置相加",
        plan="1. [x + y for x, y in zip($v, $k)]"),
    classic("multiply lists", 1, "LL", "a b|xs ys|first second", two_lists(True),
        code="def $f($v, $k):\n    return [x * y for x, y in zip($v, $k)]", of="the (elementwise|element-wise) product "
        "of $v and $k|the products of the %nums of $v and $k at the same (index|position)",
        do="multiply the lists $v and $k (element by element|elementwise)", zh="把$v和$k按位置相乘",
        plan="1. [x * y for x, y in zip($v, $k)]"),
    classic("subtract lists", 1, "LL", "a b|xs ys|first second", two_lists(True),
        code="def $f($v, $k):\n    return [x - y for x, y in zip($v, $k)]", of="the (elementwise|element-wise) "
        "difference of $v and $k|the differences of the %nums of $v and $k at the same (index|position)",
        do="subtract the list $k from $v (element by element|elementwise)", zh="把$v和$k按位置相减",
        plan="1. [x - y for x, y in zip($v, $k)]"),
    classic("dot product", 2, "LL", "a b|xs ys|u w", two_lists(True),
        code="def $f($v, $k):\n    return sum(x * y for x, y in zip($v, $k))",
        of="the (dot|scalar|inner) product of $v and $k|the sum of the products of the %nums of $v and $k",
        do="%find the (dot|scalar|inner) product of $v and $k", zh="求$v和$k的点积",
        plan="1. sum(x * y for x, y in zip($v, $k))"),
    classic("same positions", 2, "LL", "a b|xs ys|first second", two_lists(True),
        code="def $f($v, $k):\n    return sum(1 for x, y in zip($v, $k) if x == y)",
        of="the number of positions (at which|where) $v and $k (agree|are equal|have the same %num)",
        do="count the positions where $v and $k (agree|are equal)", zh="统计$v和$k相同位置上相等的个数",
        plan="1. sum(1 for x, y in zip($v, $k) if x == y)"),
    classic("lists to dict", 1, "WL", "keys values|names numbers|words counts",
        lambda rng: (lambda n: [rng.sample(["a", "b", "c", "x", "y", "z"], n),
            [rng.randint(1, 9) for _ in range(n)]])(rng.randint(1, 4)),
        code="def $f($v, $k):\n    return dict(zip($v, $k))", of="a dictionary (from|with) the (keys|names|strings) $v "
        "(to|and) the (values|numbers) $k", do="(make|build) a dictionary from the keys $v and the values $k",
        zh="用键$v和值$k建立字典", plan="1. dict(zip($v, $k))"),
    classic("missing number", 2, "L", "nums|arr|a|values", with_gap,
        code="def $f($v):\n    n = len($v) + 1\n    return n * (n + 1) // 2 - sum($v)",
        of="the (missing number|number that is missing) (in|from) $v, which (holds|contains) 1 to n except one",
        do="%find the number that is missing in $v, which holds 1 to n except one", zh="求$v（1到n缺一个）中缺少的数",
        plan="1. n = len($v) + 1\n2. n * (n + 1) // 2 minus the sum"),
    classic("move zeros", 2, "L", "nums|arr|a|values", one_list(1, 6, 0, 3),
        code="def $f($v):\n    rest = [x for x in $v if x != 0]\n    return rest + [0] * (len($v) - len(rest))",
        of="$v with all (zeros|zeroes) moved to the end|the %nums of $v with the (zeros|zeroes) (last|at the end)",
        do="move (all |the )(zeros|zeroes) of $v to the end", zh="把$v中的0移到末尾",
        plan="1. rest = those not 0\n2. add the missing zeros at the end"),
    classic("flatten recursive", 3, "L", "items|nested|data|lst", lambda rng: [nest(rng)],
        code="def $f($v):\n    result = []\n    for x in $v:\n        if isinstance(x, list):\n            result += "
        "$f(x)\n        else:\n            result.append(x)\n    return result",
        of="the flat list of all %nums of the nested list $v|$v (flattened|without nesting), however deep it is",
        do="flatten the nested list $v, however deep", zh="把嵌套列表$v完全展平",
        plan="1. a list x: result += $f(x)\n2. else append x\n3. return result"),
    classic("longest rise", 3, "L", "nums|arr|a|values", one_list(1, 5, 0, 9),
        code="def $f($v):\n    best = 1\n    run = 1\n    for i in range(1, len($v)):\n        if $v[i] > $v[i - "
        "1]:\n            run += 1\n        else:\n            run = 1\n        best = max(best, run)\n    return best",
        of="the length of the longest (rising|increasing) run (in|of) $v|the length of the longest stretch of $v in "
        "which %each %num is larger than the one before", do="%find the length of the longest (rising|increasing) run "
        "in $v", zh="求$v中最长连续递增段的长度", plan="1. run += 1 if $v[i] > $v[i - 1], else run = 1\n2. best = "
        "max(best, run)\n3. return best"),
    classic("balance index", 3, "L", "nums|arr|a|values",
        lambda rng: [rng.choice([[1, 7, 3, 6, 5, 6], [2, 1, -1], [1, 2, 3], [3, 5, 3], [rng.randint(1, 5), 4, 1, 3],
            [2, rng.randint(0, 9), 1, 1]])],
        code="def $f($v):\n    left = 0\n    total = sum($v)\n    for i, x in enumerate($v):\n        if left == total "
        "- left - x:\n            return i\n        left += x\n    return -1",
        of="the first index (of $v |)(at which|where) the sums to its left and right (in $v |)are equal, or -1",
        do="%find the first index of $v where the sums to its left and right are equal, or -1",
        zh="求$v中左右两边之和相等的第一个下标，没有则为-1", plan="1. left = 0, total = sum\n2. i if left == total - "
        "left - x; left += x\n3. -1"),
    classic("leaders", 3, "L", "nums|arr|a|values", one_list(1, 4, 0, 9),
        code="def $f($v):\n    result = []\n    for i in range(len($v)):\n        if all($v[i] > x for x in $v[i + "
        "1:]):\n            result.append($v[i])\n    return result", of="the %nums of $v that are (larger|greater) "
        "than all (%nums |)after them|the leaders of $v", do="list the %nums of $v that are larger than all after them",
        zh="列出$v中比后面所有数都大的数", plan="1. keep $v[i] if it is > all of $v[i + 1:]\n2. return result"),
    classic("is progression", 2, "L", "nums|arr|a|values", progression,
        code="def $f($v):\n    step = $v[1] - $v[0]\n    for i in range(1, len($v)):\n        if $v[i] - $v[i - 1] != "
        "step:\n            return False\n    return True", of="whether $v is an arithmetic (progression|sequence)|"
        "whether neighbours in $v always (differ by|have) the same (amount|difference)",
        do="%check $v is an arithmetic (progression|sequence)", zh="判断$v是否是等差数列",
        plan="1. step = $v[1] - $v[0]\n2. another step: False\n3. else True"),
    classic("insert at", 1, "LNN", "nums index x|arr i value|items place new",
        lambda rng: (lambda items: [items, rng.randint(0, len(items)), rng.randint(0, 9)])(ints(rng, 1, 5, 0, 9)),
        code="def $f($v, $k, $m):\n    return $v[:$k] + [$m] + $v[$k:]", of="$v with $m (inserted|put in) at (index|"
        "position) $k", do="insert $m (into|in) $v at (index|position) $k", zh="在$v的下标$k处插入$m",
        plan="1. $v[:$k] + [$m] + $v[$k:]"),
    classic("remove at", 1, "LN", "nums index|arr i|items place",
        lambda rng: (lambda items: [items, rng.randint(0, len(items) - 1)])(ints(rng, 1, 5, 0, 9)),
        code="def $f($v, $k):\n    return $v[:$k] + $v[$k + 1:]", of="$v without the %num at (index|position) $k",
        do="%drop the %num of $v at (index|position) $k", zh="去掉$v中下标为$k的数", plan="1. $v[:$k] + $v[$k + 1:]"),
    classic("split at", 1, "LN", "nums index|arr i|items place",
        lambda rng: (lambda items: [items, rng.randint(0, len(items))])(ints(rng, 1, 5, 0, 9)),
        code="def $f($v, $k):\n    return [$v[:$k], $v[$k:]]", of="the two parts of $v before and from (index|"
        "position) $k( on|)", do="split $v at (index|position) $k into two lists", zh="在下标$k处把$v分成两个列表",
        plan="1. [$v[:$k], $v[$k:]]"),
    classic("put between", 2, "LN", "nums x|arr value|items sep", lambda rng: [ints(rng, 0, 4, 1, 9), 0],
        code="def $f($v, $k):\n    result = []\n    for i, y in enumerate($v):\n        if i > 0:\n            "
        "result.append($k)\n        result.append(y)\n    return result", of="$v with $k (put |)between (each two|all) "
        "neighbours|a list with $k between the %nums of $v", do="put $k between the neighbours of $v",
        zh="在$v的相邻数之间插入$k", plan="1. for i, y: append $k if i > 0, then y\n2. return result"),
    classic("all pairs", 2, "L", "nums|arr|a|values", one_list(0, 3, 0, 9),
        code="def $f($v):\n    return [($v[i], $v[j]) for i in range(len($v)) for j in range(i + 1, len($v))]",
        of="all pairs of %nums (at different positions |)of $v(, as tuples|)|the list of all pairs (as tuples |)of two "
        "%nums of $v, in order", do="list all pairs of two %nums of $v as tuples", zh="列出$v中所有两两组合（元组）",
        plan="1. ($v[i], $v[j]) for i, and j after i"),
    classic("subsets", 3, "L", "nums|arr|a|values", lambda rng: [rng.sample(range(1, 9), rng.randint(0, 3))],
        code="def $f($v):\n    result = [[]]\n    for x in $v:\n        result = result + [s + [x] for s in "
        "result]\n    return result", of="(all|the list of all) subsets of $v(, starting with the empty one|)|the "
        "power set of $v as a list of lists", do="list all subsets of $v", zh="列出$v的所有子集",
        plan="1. result = [[]]\n2. for each x: add s + [x] for each s\n3. return result"),
    classic("merge dicts", 2, "DD", "a b|first second|left right", two_dicts,
        code="def $f($v, $k):\n    result = dict($v)\n    for key, x in $k.items():\n        result[key] = "
        "result.get(key, 0) + x\n    return result", of="(a|one) dictionary with the values of $v and $k added (up|"
        "together) by key|the sum of the dictionaries $v and $k, key by key",
        do="(merge|join) the dictionaries $v and $k, adding the values of common keys",
        zh="合并字典$v和$k，相同的键值相加", plan="1. result = dict($v)\n2. each key, x of $k: result[key] = "
        "result.get(key, 0) + x\n3. return result"),
    classic("common keys", 1, "DD", "a b|first second|left right", two_dicts,
        code="def $f($v, $k):\n    return sorted(key for key in $v if key in $k)",
        of="the sorted (list of |)keys that (are in both $v and $k|$v and $k share)",
        do="list the keys that are in both $v and $k, sorted", zh="列出字典$v和$k共有的键（排序）",
        plan="1. sorted(key for key in $v if key in $k)"),
    classic("update dict", 1, "DD", "a b|old new|base changes", two_dicts,
        code="def $f($v, $k):\n    result = dict($v)\n    result.update($k)\n    return result", of="$v updated with "
        "the (entries|items) of $k|(a|one) dictionary with the (entries|items) of $v and $k, where $k wins",
        do="merge $k into (a copy of |)$v, where $k wins", zh="用$k更新$v，返回新字典",
        plan="1. result = dict($v)\n2. result.update($k)\n3. return result"),
    classic("add matrices", 2, "MM", "a b|p q|left right", two_matrices,
        code="def $f($v, $k):\n    return [[x + y for x, y in zip(r, s)] for r, s in zip($v, $k)]",
        of="the sum of the matrices $v and $k|the matrix sum of $v and $k", do="add the matrices $v and $k",
        zh="求矩阵$v与$k的和", plan="1. rows r, s of both\n2. [x + y for x, y in zip(r, s)] for each"),
    classic("multiply matrices", 3, "MM", "a b|p q|left right", factors,
        code="def $f($v, $k):\n    result = []\n    for row in $v:\n        line = []\n        for col in "
        "zip(*$k):\n            line.append(sum(x * y for x, y in zip(row, col)))\n        result.append(line)\n    "
        "return result", of="the product of the matrices $v and $k|the matrix product of $v and $k",
        do="multiply the matrices $v and $k", zh="求矩阵$v与$k的乘积", plan="1. each row of $v with each column of $k, "
        "zip(*$k)\n2. sum(x * y for x, y in zip(row, col))\n3. return result"),
    classic("identity matrix", 2, "N", "n|size|num|k", lambda rng: [rng.randint(0, 4)],
        code="def $f($v):\n    return [[1 if i == j else 0 for j in range($v)] for i in range($v)]",
        of="the (identity|unit) matrix of size $v|a $v by $v matrix with ones on the diagonal and zeros elsewhere",
        do="(make|build) the (identity|unit) matrix of size $v", zh="生成$v阶单位矩阵",
        plan="1. 1 if i == j else 0, for j and i in range($v)"),
    classic("zero matrix", 1, "NN", "rows columns|m n|height width|a b",
        lambda rng: [rng.randint(1, 3), rng.randint(1, 4)],
        code="def $f($v, $k):\n    return [[0] * $k for i in range($v)]", of="a matrix of (zeros|zeroes) with $v rows "
        "and $k columns|a $v by $k matrix (of|full of) (zeros|zeroes)", do="(make|build) a matrix of (zeros|zeroes) "
        "with $v rows and $k columns", zh="生成$v行$k列的零矩阵", plan="1. [0] * $k for each of $v rows"),
    classic("range list", 1, "NN", "a b|low high|start stop",
        lambda rng: (lambda a: [a, a + rng.randint(0, 6)])(rng.randint(-3, 9)),
        code="def $f($v, $k):\n    return list(range($v, $k + 1))", of="(the|a) list of (all |the |)(integers|numbers) "
        "from $v to $k(| inclusive)", do="list the (integers|numbers) from $v to $k", zh="列出从$v到$k的整数",
        plan="1. list(range($v, $k + 1))"),
    classic("element repeat", 1, "LN", "nums k|arr times|items count",
        lambda rng: [ints(rng, 0, 4, 0, 9), rng.randint(1, 3)],
        code="def $f($v, $k):\n    return [x for x in $v for i in range($k)]",
        of="(a list with |)%each %num of $v repeated $k times", do="repeat %each %num of $v $k times",
        zh="把$v的每个数重复$k次", plan="1. [x for x in $v for i in range($k)]"),
    classic("count larger", 1, "LN", "nums limit|arr bound|items low", list_and_item(),
        code="def $f($v, $k):\n    count = 0\n    for x in $v:\n        if x > $k:\n            count += 1\n    return "
        "count", of="the number of %nums in $v (that are |)%more $k, (counted |)with a loop",
        do="(use a loop to count|count with a loop) the %nums of $v %more $k", zh="用循环统计$v中大于$k的数",
        plan="1. count = 0\n2. add 1 for each x > $k\n3. return count"),
    classic("stock profit", 3, "L", "prices|nums|values|a", one_list(1, 5, 1, 9),
        code="def $f($v):\n    low = $v[0]\n    best = 0\n    for p in $v:\n        low = min(low, p)\n        best = "
        "max(best, p - low)\n    return best", of="the (best|largest|maximum) profit from buying and (later |)selling "
        "once at the prices $v|the largest difference between a price in $v and an earlier one, at least 0",
        do="%find the best profit from buying and later selling once at the prices $v",
        zh="求按价格$v买卖一次的最大利润", plan="1. low = lowest price so far\n2. best = max(best, p - low)\n3. return "
        "best"),
    classic("majority", 2, "L", "nums|votes|a|values",
        lambda rng: [rng.choice([[1, 1, 2], [3, 3, 3, 1], [1, 2], [2, 2, 1, 1, 2], [4],
            [rng.randint(0, 2) for _ in range(5)]])],
        code="def $f($v):\n    for x in $v:\n        if $v.count(x) * 2 > len($v):\n            return x\n    return "
        "None", of="the %num that makes up more than half of $v, or None|the majority %num of $v, or None if there is "
        "none", do="%find the %num that makes up more than half of $v, or None", zh="求$v中超过一半的数，没有则为None",
        plan="1. x with $v.count(x) * 2 > len($v)\n2. else None"),
]
