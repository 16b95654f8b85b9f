"""Which operations on lists of integers are there?"""

from finback.tasks.code.piece import each, keep, piece

FILTERS = [
    keep("keep even", "L>L", "x % 2 == 0", "evens", "even %nums|%nums divisible by 2", "(只|)保留偶数|(去掉|删除)奇数",
        "odd %nums"),
    keep("keep odd", "L>L", "x % 2 == 1", "odds", "odd %nums|%nums not divisible by 2", "(只|)保留奇数|(去掉|删除)偶数",
        "even %nums"),
    keep("keep positive", "L>L", "x > 0", "positives", "positive %nums|%nums (greater than|above) (0|zero)",
        "(只|)保留正数", "%nums that are not positive"),
    keep("keep negative", "L>L", "x < 0", "negatives", "negative %nums|%nums (less than|below) (0|zero)",
        "(只|)保留负数", "%nums that are not negative"),
    keep("keep nonzero", "L>L", "x != 0", "nonzero", "nonzero %nums|%nums that are not (0|zero)", "(去掉|删除)(0|零)",
        "(zeros|zeroes)"),
    keep("keep > k", "L>L", "x > $k", "big", "%nums %more $k|%nums that are %more $k", "(只|)保留大于$k的数",
        "%nums that are at most $k", "i"),
    keep("keep < k", "L>L", "x < $k", "small", "%nums %less $k|%nums that are %less $k", "(只|)保留小于$k的数",
        "%nums that are at least $k", "i"),
    keep("keep >= k", "L>L", "x >= $k", "big", "%nums (that are |)(at least $k|greater than or equal to $k|not less "
        "than $k)", "(只|)保留(至少为$k|不小于$k)的数", "%nums %less $k", "i"),
    keep("keep <= k", "L>L", "x <= $k", "small", "%nums (that are |)(at most $k|less than or equal to $k|not greater "
        "than $k)", "(只|)保留(至多为$k|不大于$k)的数", "%nums %more $k", "i"),
    keep("keep multiples of k", "L>L", "x % $k == 0", "multiples", "multiples of $k|%nums (that are |)divisible by $k",
        "(只|)保留(能被$k整除的数|$k的倍数)", "%nums that are not divisible by $k", "n"),
    keep("drop multiples of k", "L>L", "x % $k != 0", "rest", "%nums (that are |)not divisible by $k",
        "(去掉|删除)$k的倍数", "multiples of $k|%nums divisible by $k", "n"),
    keep("drop k", "L>L", "x != $k", "rest", "%nums (that are not|other than|different from|not equal to) $k",
        "(去掉|删除)所有等于$k的数", "%nums equal to $k|occurrences of $k", "i"),
    keep("keep k to m", "L>L", "$k <= x <= $m", "inside", "%nums (between $k and $m|from $k to $m)(| inclusive)",
        "(只|)保留$k到$m之间的数", "%nums outside $k to $m", "ii"),
    keep("keep ending in k", "L>L", "abs(x) % 10 == $k", "ending", "%nums (whose last digit is|that end in|ending with|"
        "with last digit) $k", "(只|)保留个位是$k的数", "", "d"),
    keep("keep above average", "L>L", "x > sum($v) / len($v)", "above", "%nums (above the average|greater than the "
        "(mean|average)|larger than average)", "(只|)保留大于平均值的数"),
    keep("keep single digits", "L>L", "0 <= x <= 9", "digits", "single-digit %nums|one-digit %nums|%nums (from|"
        "between) 0 (to|and) 9", "(只|)保留一位数"),
    keep("keep unrepeated", "L>L", "$v.count(x) == 1", "single", "%nums that (appear|occur) (only|exactly|just) once|"
        "unrepeated %nums", "(只|)保留只出现一次的数", "%nums that (appear|occur) more than once"),
    keep("keep repeated", "L>L", "$v.count(x) > 1", "repeated", "%nums that (appear|occur) more than once|repeated "
        "%nums", "(只|)保留重复出现的数", "%nums that (appear|occur) only once"),
    keep("drop largest", "L>L", "x != max($v)", "rest", "%nums (other than|except|smaller than) the (largest|biggest|"
        "maximum)", "(去掉|删除)最大的数", "%big %num"),
    keep("drop smallest", "L>L", "x != min($v)", "rest", "%nums (other than|except|larger than) the (smallest|lowest|"
        "minimum)", "(去掉|删除)最小的数", "%small %num"),
]

MAPS = [
    each("square each", "L>L", "x * x", "squares", "square (each|every|all the|the) (number|value|element)|replace "
        "%each %num (by|with) its square|raise %each %num to the power (of |)2",
        "the squares of $v|the list of squares of $v", "(把|将)每个数平方|求每个数的平方"),
    each("cube each", "L>L", "x ** 3", "cubes", "cube %each %num|replace %each %num (by|with) its cube|raise %each "
        "%num to the power (of |)3", "the cubes of $v|the list of cubes of $v", "(把|将)每个数立方|求每个数的立方"),
    each("double each", "L>L", "x * 2", "doubled", "double %each %num|multiply %each %num by (2|two)",
        "the doubles of $v|twice %each %num of $v", "(把|将)每个数(乘以2|翻倍)"),
    each("times k", "L>L", "x * $k", "scaled", "multiply (%each|all the) (number|value|element) by $k|scale %each %num "
        "by $k|replace %each %num (by|with) $k times it", "the products of $k with $v|$k times %each %num of $v",
        "(把|将)每个数乘以$k", "n"),
    each("plus k", "L>L", "x + $k", "added", "add $k to %each %num|increase %each %num by $k",
        "the sums of $k and %each %num of $v|%each %num of $v plus $k", "(把|将)每个数(加上|加)$k", "n"),
    each("minus k", "L>L", "x - $k", "reduced", "subtract $k from %each %num|decrease %each %num by $k|reduce %each "
        "%num by $k", "%each %num of $v minus $k", "(把|将)每个数减去$k", "n"),
    each("negate each", "L>L", "-x", "negated", "negate %each %num|(flip|change) the sign of %each %num|multiply %each "
        "%num by -1", "the negatives of $v|the opposites of $v", "(把|将)每个数(取反|变号)"),
    each("absolute values", "L>L", "abs(x)", "sizes", "(replace %each %num (by|with)|take) (its|the) absolute value|"
        "make %each %num positive|drop the sign of %each %num", "the absolute values of $v",
        "(取每个数的绝对值|把每个数变成绝对值)"),
    each("halve each", "L>L", "x // 2", "halves", "halve %each %num(, rounding down| with integer division)|(floor "
        "divide|integer divide) %each %num by 2", "the rounded-down halves of $v", "(把|将)每个数整除2"),
    each("mod k", "L>L", "x % $k", "remainders", "take %each %num modulo $k|replace %each %num (by|with) its remainder "
        "(modulo|when divided by) $k", "the remainders of $v modulo $k|the remainders modulo $k of $v",
        "(把|将)每个数对$k取余", "n"),
    each("digit sums", "L>L", "sum(int(c) for c in str(abs(x)))", "sums", "replace %each %num (by|with) (its digit sum|"
        "the sum of its digits)|add up the digits of %each %num", "the digit sums of $v|the sums of the digits of "
        "%each %num of $v", "(把|将)每个数换成它的各位数字之和"),
    each("last digits", "L>L", "abs(x) % 10", "ends", "replace %each %num (by|with) its (last|final|units) digit|take "
        "the last digit of %each %num", "the last digits of $v|the units digits of $v", "取每个数的个位(数字|)"),
    each("cap at k", "L>L", "min(x, $k)", "capped", "cap %each %num at $k|replace %nums %more $k (by|with) $k|limit "
        "%each %num to at most $k", "the %nums of $v capped at $k", "(把|将)大于$k的数(变成|改为)$k", "i"),
    each("raise to k", "L>L", "max(x, $k)", "raised", "raise %each %num to at least $k|replace %nums %less $k (by|"
        "with) $k", "", "(把|将)小于$k的数(变成|改为)$k", "i"),
    each("distance from k", "L>L", "abs(x - $k)", "gaps", "replace %each %num (by|with) its distance (from|to) $k|take "
        "the absolute difference of %each %num and $k", "the distances (from $k|to $k) of $v",
        "(把|将)每个数换成它与$k的差的绝对值", "i"),
    each("parities", "L>L", "x % 2", "bits", "replace %each %num by 1 if it is odd and (by |)0 if it is even|take the "
        "parity of %each %num", "the parities of $v", "(把|将)奇数变成1(，|、)偶数变成0"),
    each("replace k by m", "L>L", "$m if x == $k else x", "changed", "replace (%each|all) $k (by|with) $m|change every "
        "$k (to|into) $m|put $m wherever $k (occurs|appears)", "", "(把|将)所有$k换成$m", "ii"),
    each("to strings", "L>W", "str(x)", "texts", "(convert|turn) %each %num (to|into) a string|make a string of %each "
        "%num", "the %nums of $v as strings", "(把|将)每个数(转成|变成)字符串"),
    each("even or odd", "L>W", "'even' if x % 2 == 0 else 'odd'", "labels",
        "(label|mark) %each %num as 'even' or 'odd'|replace %each %num by the word 'even' or 'odd'",
        "the labels 'even' or 'odd' of $v", "(把|将)每个数标为'even'或'odd'"),
    each("signs", "L>L", "(x > 0) - (x < 0)", "signs", "replace %each %num (by|with) its sign|replace positive %nums "
        "by 1, negative %nums by -1 and keep zeros", "the signs of $v", "(把|将)每个数换成它的符号（1、0或-1）"),
]

ORDERS = [
    piece("sort up", "L>L", "sorted($v)", "ordered", "sort (|the list |the %nums )(in ascending order|from smallest to "
        "largest|in increasing order|ascending)", "the ascending sort of $v|the sorted (list|version) of $v",
        "(从小到大|按升序)排序"),
    piece("sort down", "L>L", "sorted($v, reverse=True)", "ordered", "sort (|the list |the %nums )(in descending order|"
        "from largest to smallest|in decreasing order|descending)", "the descending sort of $v|the reverse sorted "
        "(list|version) of $v", "(从大到小|按降序)排序"),
    piece("sort by size", "L>L", "sorted($v, key=abs)", "ordered", "sort (|the list |the %nums )by absolute value|"
        "order (the list|the %nums) by absolute value", "", "按绝对值(从小到大|)排序"),
    piece("sort by last digit", "L>L", "sorted($v, key=lambda x: abs(x) % 10)", "ordered",
        "(sort|order) the (list|%nums) by (the |)(last|units) digit", "", "按个位(数字|)排序"),
    piece("evens first", "L>L", "sorted($v, key=lambda x: x % 2)", "ordered",
        "(put|move) (|all )(the |)even %nums (before|in front of) (the |)odd ones(|, keeping their order)", "",
        "(把|将)偶数放在奇数前面"),
    piece("reverse", "L>L", "$v[::-1]", "backward", "reverse (|the list|the order|the order of the %nums)|put the "
        "%nums in reverse order|turn the list around", "the reverse of $v|the reversed (list|version) of $v",
        "(反转列表|(把|将)列表倒过来|倒序排列)"),
    piece("first k", "L>L", "$v[:$k]", "front", "%keep (|only )the first $k %nums", "the first $k %nums of $v",
        "(只|)取前$k个(数|元素)", "n"),
    piece("last k", "L>L", "$v[-$k:]", "back", "%keep (|only )the (last|final) $k %nums",
        "the (last|final) $k %nums of $v", "(只|)取(最后|后)$k个(数|元素)", "n"),
    piece("drop first k", "L>L", "$v[$k:]", "rest", "(%drop|skip) the first $k %nums",
        "$v without (its|the) first $k %nums", "(去掉|跳过)前$k个(数|元素)", "n"),
    piece("drop last k", "L>L", "$v[:-$k]", "rest", "%drop the last $k %nums|leave out the last $k %nums", "",
        "(去掉|删除)最后$k个(数|元素)", "n"),
    piece("drop first", "L>L", "$v[1:]", "rest", "(%drop|skip) the first %num",
        "everything but the first %num of $v|all but the first %num of $v", "(去掉|跳过)第一个(数|元素)"),
    piece("drop last", "L>L", "$v[:-1]", "rest", "(%drop|leave out) the last %num",
        "everything but the last %num of $v|all but the last %num of $v", "(去掉|删除)最后一个(数|元素)"),
    piece("even positions", "L>L", "$v[::2]", "every", "%keep (|only )(the %nums at even (indices|positions)|every "
        "(second|other) %num starting with the first)", "the %nums at even (indices|positions) %in $v",
        "(只|)取下标为偶数的(数|元素)"),
    piece("odd positions", "L>L", "$v[1::2]", "every", "%keep (|only )(the %nums at odd (indices|positions)|every "
        "(second|other) %num starting with the second)", "the %nums at odd (indices|positions) %in $v",
        "(只|)取下标为奇数的(数|元素)"),
    piece("every k-th", "L>L", "$v[::$k]", "every", "%keep every $k-th %num(| starting with the first)|step through "
        "the list $k at a time", "every $k-th %num of $v", "每隔$k个取一个(数|元素)", "n"),
    piece("rotate left k", "L>L", "$v[$k:] + $v[:$k]", "turned", "rotate (|the list )(left by $k|by $k (places|"
        "positions) to the left)|move the first $k %nums to the end", "", "向左(循环移动|旋转)$k位", "n"),
    piece("rotate right k", "L>L", "$v[-$k:] + $v[:-$k]", "turned", "rotate (|the list )(right by $k|by $k (places|"
        "positions) to the right)|move the last $k %nums to the front", "", "向右(循环移动|旋转)$k位", "n"),
    piece("k largest", "L>L", "sorted($v, reverse=True)[:$k]", "top", "%keep (|only )the $k (largest|biggest|highest) "
        "%nums(|, largest first)", "the $k (largest|biggest|highest) %nums (in|of) $v", "(只|)取最大的$k个数", "n"),
    piece("k smallest", "L>L", "sorted($v)[:$k]", "lowest", "%keep (|only )the $k (smallest|lowest) %nums(|, smallest "
        "first)", "the $k (smallest|lowest) %nums (in|of) $v", "(只|)取最小的$k个数", "n"),
    piece("swap ends", "L>L", "[$v[-1]] + $v[1:-1] + [$v[0]]", "swapped", "(swap|exchange) the first (and|with) the "
        "last %num", "", "交换(首尾|第一个和最后一个)元素"),
]

WHOLES = [
    piece("distinct", "L>L", "list(dict.fromkeys($v))", "unique", "%drop (|the |all )duplicates|keep (|only )the first "
        "(occurrence|copy) of %each %num|make the %nums (unique|distinct)",
        "the (distinct|unique|different) %nums %in $v", "(去掉|删除)重复(的数|元素)|去重"),
    piece("running sums", "L>L", "$o = []\ntotal = 0\nfor x in $v:\n    total += x\n    $o.append(total)", "sums",
        "replace %each %num (by|with) the sum of all %nums up to it|%find the (running|cumulative) (sums|totals)|take "
        "(prefix|running) sums", "the (running|cumulative|prefix) sums of $v", "求(前缀和|累加和)"),
    piece("running max", "L>L", "$o = []\nfor x in $v:\n    $o.append(x if not $o else max($o[-1], x))", "peaks",
        "replace %each %num (by|with) the largest %num so far|%find the (running|cumulative) (maximum|maxima)",
        "the (running|cumulative|prefix) (maxima|maximums) of $v", "求(前缀最大值|累计最大值)"),
    piece("neighbour differences", "L>L", "[$v[i + 1] - $v[i] for i in range(len($v) - 1)]", "steps", "(take|%find) "
        "the differences (between|of) (neighbours|neighbouring %nums|consecutive %nums|adjacent %nums)|subtract %each "
        "%num from the next one", "the (consecutive|neighbouring|adjacent) differences of $v", "求相邻(数|元素)的差"),
    piece("neighbour sums", "L>L", "[$v[i] + $v[i + 1] for i in range(len($v) - 1)]", "sums", "(take|%find) the sums "
        "of (neighbours|neighbouring %nums|consecutive %nums|adjacent %nums)|add %each %num to the next one",
        "the sums of (adjacent|neighbouring|consecutive) %nums of $v", "求相邻(数|元素)的和"),
    piece("neighbour products", "L>L", "[$v[i] * $v[i + 1] for i in range(len($v) - 1)]", "products", "(take|%find) "
        "the products of (neighbours|neighbouring %nums|consecutive %nums|adjacent %nums)|multiply %each %num by the "
        "next one", "the products of (adjacent|neighbouring|consecutive) %nums of $v", "求相邻(数|元素)的积"),
    piece("times index", "L>L", "[i * x for i, x in enumerate($v)]", "weighted",
        "multiply %each %num by its (index|position)( (counting|starting) from 0|)",
        "the products of index and %num in $v", "(把|将)每个数乘以它的下标"),
    piece("minus smallest", "L>L", "[x - min($v) for x in $v]", "shifted",
        "subtract the (smallest %num|minimum) from %each %num", "", "(把|将)每个数减去最小值"),
    piece("append sum", "L>L", "$v + [sum($v)]", "longer", "(append|add) (the sum of the list|the total) (at|to) the "
        "end|put the (sum|total) at the end", "$v with its sum (appended|at the end)", "(把|将)总和加到列表末尾"),
    piece("append k", "L>L", "$v + [$k]", "longer", "(append|add) $k (to|at) the end(| of the list)|put $k (at|on) the "
        "end", "", "在(列表|)末尾(加上|添加)$k", "i"),
    piece("put k in front", "L>L", "[$k] + $v", "longer", "(insert|put|add) $k (at the (front|start|beginning)|as the "
        "first %num)", "", "在(列表|)开头(加上|插入)$k", "i"),
    piece("twice over", "L>L", "$v + $v", "longer", "repeat the (whole |)list (twice|two times)|(append|join) the list "
        "to itself", "$v repeated twice", "(把|将)列表重复两遍"),
    piece("with its mirror", "L>L", "$v + $v[::-1]", "mirror", "(append|add) (the reversed list|the list in reverse) "
        "(at|to) the end|mirror the list", "$v followed by its reverse", "在末尾接上反转的列表"),
    piece("rising elements", "L>L", "[$v[i] for i in range(1, len($v)) if $v[i] > $v[i - 1]]", "rising",
        "%keep (|only )the %nums (that are |)(greater|larger) than the one before( them|)",
        "the %nums in $v that are (greater|larger) than the one before", "(只|)保留比前一个数大的数"),
    piece("positions of k", "L>L", "[i for i, x in enumerate($v) if x == $k]", "places",
        "%find (all |)the (indices|positions) (of $k|where $k occurs)", "(all |)the (indices|positions) of $k in $v",
        "(找出|求)$k(的所有下标|出现的所有位置)", "i"),
    piece("positions of evens", "L>L", "[i for i, x in enumerate($v) if x % 2 == 0]", "places",
        "%find (all |)the (indices|positions) of the even %nums", "(all |)the (indices|positions) of the even %nums in "
        "$v", "(找出|求)偶数(的所有下标|所在的位置)"),
    piece("chunks of k", "L>M", "[$v[i:i + $k] for i in range(0, len($v), $k)]", "chunks", "split (it|the list) into "
        "(chunks|groups|parts|pieces) of (size |length |)$k|(cut|divide) the list into (chunks|groups) of $k",
        "the (chunks|groups) of (size |length |)$k of $v", "(把|将)列表每$k个分成一组", "n"),
    piece("windows of k", "L>M", "[$v[i:i + $k] for i in range(len($v) - $k + 1)]", "windows",
        "(take|%find) all (windows|slices|runs) of $k (consecutive|neighbouring) %nums",
        "all (sliding windows|slices) of (size|length) $k of $v", "取所有长度为$k的(窗口|连续子列表)", "n"),
    piece("evens and odds", "L>M", "[[x for x in $v if x % 2 == 0], [x for x in $v if x % 2 == 1]]", "parts", "(split|"
        "separate) the %nums into (a list of |)evens and (a list of |)odds|put the even %nums and the odd %nums into "
        "two lists", "two lists with the even and the odd %nums of $v", "(把|将)偶数和奇数分成两个列表"),
    piece("count each number", "L>T", "{x: $v.count(x) for x in $v}", "counts",
        "count how often %each %num (appears|occurs)|(make|build) a dictionary (of|with) the count of %each %num",
        "a dictionary (with|of) the counts of the %nums %in $v", "统计每个数出现的次数"),
    piece("index map", "L>T", "{i: x for i, x in enumerate($v)}", "table",
        "(map|make a dictionary from) (the |)indices to (the |)%nums|(make|build) a dictionary from index to %num",
        "a dictionary from index to %num of $v", "(建立|生成)下标到元素的字典"),
]

ENDS = [
    piece("sum", "L>N", "sum($v)", "total", "(add up|sum|sum up|total) (the list|the %nums|all the %nums)|%find the "
        "(sum|total)", "the (sum|total) of $v|the sum of all (|the )%nums %in $v", "求(和|总和)|(把|将)所有数相加"),
    piece("product", "L>N", "$o = 1\nfor x in $v:\n    $o *= x", "product",
        "multiply (the %nums|all the %nums)( together|)|%find the product",
        "the product of $v|the product of all (|the )%nums %in $v", "求(所有数的乘积|积)|(把|将)所有数相乘"),
    piece("largest", "L>N", "max($v)", "top", "%find the (%big %num|maximum)", "the %big %num %in $v|the maximum of $v",
        "(求|找出)(最大值|最大的数)"),
    piece("smallest", "L>N", "min($v)", "low", "%find the (%small %num|minimum)",
        "the %small %num %in $v|the minimum of $v", "(求|找出)(最小值|最小的数)"),
    piece("count", "L>N", "len($v)", "count", "count (the %nums|how many %nums there are|them)|%find the number of "
        "%nums", "the (number|count) of %nums in $v|how many %nums there are in $v|the length of $v",
        "(数一数|统计)(个数|有多少个数)|求(长度|个数)"),
    piece("range", "L>N", "max($v) - min($v)", "spread", "%find the (difference between the largest and (the |"
        ")smallest %num|maximum minus the minimum)|subtract the (smallest|minimum) from the (largest|maximum)",
        "the (range|spread) of $v|the difference between the largest and (the |)smallest %num of $v",
        "求最大值与最小值的差|求极差"),
    piece("count even", "L>N", "sum(1 for x in $v if x % 2 == 0)", "count",
        "count (the |)even %nums|%find how many %nums are even", "the (number|count) of even %nums in $v|how many "
        "%nums in $v are even", "(统计|求)偶数的个数"),
    piece("count odd", "L>N", "sum(1 for x in $v if x % 2 == 1)", "count",
        "count (the |)odd %nums|%find how many %nums are odd", "the (number|count) of odd %nums in $v|how many %nums "
        "in $v are odd", "(统计|求)奇数的个数"),
    piece("count positive", "L>N", "sum(1 for x in $v if x > 0)", "count",
        "count (the |)positive %nums|%find how many %nums are positive", "the (number|count) of positive %nums in $v|"
        "how many %nums in $v are positive", "(统计|求)正数的个数"),
    piece("count > k", "L>N", "sum(1 for x in $v if x > $k)", "count", "count (the |)%nums %more $k|%find how many "
        "%nums are %more $k", "the (number|count) of %nums in $v (that are |)%more $k", "(统计|求)大于$k的数的个数",
        "i"),
    piece("count < k", "L>N", "sum(1 for x in $v if x < $k)", "count", "count (the |)%nums %less $k|%find how many "
        "%nums are %less $k", "the (number|count) of %nums in $v (that are |)%less $k", "(统计|求)小于$k的数的个数",
        "i"),
    piece("count k", "L>N", "$v.count($k)", "count", "count (how often|how many times) $k (appears|occurs)|%find the "
        "number of occurrences of $k", "the number of (occurrences of $k|times $k occurs) in $v",
        "(统计|求)$k出现的次数", "i"),
    piece("count distinct", "L>N", "len(set($v))", "count", "count (the |)(distinct|different|unique) %nums",
        "the (number|count) of (distinct|different|unique) %nums in $v", "(统计|求)不同的数的个数"),
    piece("first", "L>N", "$v[0]", "head", "(take|get|pick) the first %num", "the first %num %in $v",
        "取第一个(数|元素)"),
    piece("last", "L>N", "$v[-1]", "tail", "(take|get|pick) the (last|final) %num", "the (last|final) %num %in $v",
        "取最后一个(数|元素)"),
    piece("middle", "L>N", "$v[len($v) // 2]", "middle", "(take|get|pick) the %num (in the middle|at index len // 2)",
        "the middle %num (in|of) $v", "取中间的(数|元素)"),
    piece("second largest", "L>N", "sorted(set($v))[-2]", "second", "%find the second (largest|biggest|highest) (|"
        "distinct )%num", "the second (largest|biggest|highest) (|distinct )%num %in $v", "(求|找出)第二大的数"),
    piece("second smallest", "L>N", "sorted(set($v))[1]", "second", "%find the second (smallest|lowest) (|distinct "
        ")%num", "the second (smallest|lowest) (|distinct )%num %in $v", "(求|找出)第二小的数"),
    piece("k-th largest", "L>N", "sorted($v, reverse=True)[$k - 1]", "ranked",
        "%find the %num that ranks $k from the top|%find the $k-th (largest|biggest) %num",
        "the $k-th (largest|biggest) %num (in|of) $v", "(求|找出)第$k大的数", "n"),
    piece("k-th smallest", "L>N", "sorted($v)[$k - 1]", "ranked", "%find the $k-th (smallest|lowest) %num",
        "the $k-th (smallest|lowest) %num (in|of) $v", "(求|找出)第$k小的数", "n"),
    piece("most common", "L>N", "max($v, key=$v.count)", "mode", "%find the (most common|most frequent) %num|%find the "
        "%num that (appears|occurs) most often", "the (most common|most frequent) %num %in $v|the mode of $v",
        "(求|找出)出现次数最多的数"),
    piece("index of largest", "L>N", "$v.index(max($v))", "place", "%find the (index|position) of the (largest|biggest|"
        "maximum) %num", "the (index|position) of the (largest|biggest|maximum) %num in $v",
        "(求|找出)最大值的(下标|位置)"),
    piece("index of smallest", "L>N", "$v.index(min($v))", "place", "%find the (index|position) of the (smallest|"
        "lowest|minimum) %num", "the (index|position) of the (smallest|lowest|minimum) %num in $v",
        "(求|找出)最小值的(下标|位置)"),
    piece("alternating sum", "L>N", "sum($v[::2]) - sum($v[1::2])", "total",
        "%find the alternating sum|(add and subtract the %nums in turn|alternately add and subtract the %nums)",
        "the alternating sum of $v", "求交错和"),
    piece("sum of squares", "L>N", "sum(x * x for x in $v)", "total", "add up the squares of the %nums|%find the sum "
        "of (the |)squares", "the sum of (the |)squares of $v", "求平方和"),
    piece("largest step", "L>N", "max(abs($v[i + 1] - $v[i]) for i in range(len($v) - 1))", "jump",
        "%find the (largest|biggest) (difference|jump|step) between (neighbours|neighbouring %nums|consecutive %nums)",
        "the (largest|biggest) (difference|jump|step) between (neighbours|consecutive %nums) in $v",
        "(求|找出)相邻数的最大差"),
    piece("count rises", "L>N", "sum(1 for i in range(1, len($v)) if $v[i] > $v[i - 1])", "count",
        "count (how often a %num is (greater|larger) than the one before|the rises)",
        "the number of %nums in $v that are (greater|larger) than the one before", "(统计|求)比前一个数大的数的个数"),
    piece("longest run", "L>N", "$o = 0\nrun = 0\nfor i, x in enumerate($v):\n    run = run + 1 if i > 0 and x == $v[i "
        "- 1] else 1\n    $o = max($o, run)", "best", "%find the length of the longest run of equal (neighbours|%nums)",
        "the length of the longest run of equal %nums in $v", "求最长的连续相等段的长度"),
    piece("average", "L>F", "sum($v) / len($v)", "mean", "%find the (average|mean)|average the %nums",
        "the (average|mean|arithmetic mean) of $v", "求平均(值|数)"),
    piece("median", "L>F", "$o = sorted($v)\nhalf = len($o) // 2\nif len($o) % 2 == 1:\n    return $o[half]\n$o = "
        "($o[half - 1] + $o[half]) / 2", "middle", "%find the median", "the median of $v|the median %num of $v",
        "求中位数"),
    piece("is sorted", "L>B", "$v == sorted($v)", "answer", "%check (it|the list) is (sorted|in ascending order|sorted "
        "from smallest to largest)", "whether $v is (sorted|in ascending order)", "判断(列表|)是否(已|)按升序排列"),
    piece("all even", "L>B", "all(x % 2 == 0 for x in $v)", "answer", "%check (all|all the) %nums are even",
        "whether (all|all the) %nums in $v are even", "判断是否全是偶数"),
    piece("all positive", "L>B", "all(x > 0 for x in $v)", "answer", "%check (all|all the) %nums are (positive|greater "
        "than (0|zero))", "whether (all|all the) %nums in $v are positive", "判断是否全是正数"),
    piece("any negative", "L>B", "any(x < 0 for x in $v)", "answer", "%check (any|at least one) %num is (negative|"
        "below (0|zero))", "whether (any|at least one) %num in $v is negative", "判断是否有负数"),
    piece("all > k", "L>B", "all(x > $k for x in $v)", "answer", "%check (all|all the) %nums are %more $k",
        "whether (all|all the) %nums in $v are %more $k", "判断是否全都大于$k", "i"),
    piece("contains k", "L>B", "$k in $v", "answer", "%check (the list contains $k|$k is in the list|$k (occurs|"
        "appears))", "whether ($v contains $k|$k is in $v)", "判断是否(包含|含有)$k", "i"),
    piece("has duplicates", "L>B", "len(set($v)) < len($v)", "answer", "%check (there are duplicates|(any|some) %num "
        "(appears|occurs) (twice|more than once))", "whether $v (has|contains) (duplicates|repeated %nums)",
        "判断是否有重复(的数|元素)"),
    piece("all equal", "L>B", "len(set($v)) <= 1", "answer", "%check (all|all the) %nums are (equal|the same)",
        "whether (all|all the) %nums in $v are (equal|the same)", "判断是否全都相等"),
    piece("is palindrome list", "L>B", "$v == $v[::-1]", "answer", "%check (the list|it) (is a palindrome|reads the "
        "same backwards)", "whether $v (is a palindrome|reads the same backwards)", "判断(列表|)是否是回文"),
]

LISTS = FILTERS + MAPS + ORDERS + WHOLES + ENDS
