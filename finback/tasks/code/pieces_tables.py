"""Which operations on dictionaries, lists of pairs and matrices are there?"""

from finback.tasks.code.piece import each, piece

DICTS = [
    piece("keep values > k", "D>D", "{key: x for key, x in $v.items() if x > $k}", "big",
        "%keep (|only )the (entries|items|pairs) (with a value|whose value is) %more $k",
        "the (entries|items) of $v (with a value|whose value is) %more $k", "(只|)保留值大于$k的项", "i"),
    piece("keep values < k", "D>D", "{key: x for key, x in $v.items() if x < $k}", "small",
        "%keep (|only )the (entries|items|pairs) (with a value|whose value is) %less $k",
        "the (entries|items) of $v (with a value|whose value is) %less $k", "(只|)保留值小于$k的项", "i"),
    piece("keep even values", "D>D", "{key: x for key, x in $v.items() if x % 2 == 0}", "even",
        "%keep (|only )the (entries|items|pairs) (with an even value|whose value is even)",
        "the (entries|items) of $v (with an even value|whose value is even)", "(只|)保留值为偶数的项"),
    piece("keep keys starting with", "D>D", "{key: x for key, x in $v.items() if key.startswith($k)}", "chosen",
        "%keep (|only )the (entries|items|pairs) whose key (starts|begins) with $k",
        "the (entries|items) of $v whose key (starts|begins) with $k", "(只|)保留键以$k开头的项", "c"),
    piece("keep keys longer than k", "D>D", "{key: x for key, x in $v.items() if len(key) > $k}", "chosen",
        "%keep (|only )the (entries|items|pairs) whose key is longer than $k(| characters| letters)",
        "the (entries|items) of $v whose key is longer than $k(| characters| letters)", "(只|)保留键长度大于$k的项",
        "n"),
    piece("drop key", "D>D", "{key: x for key, x in $v.items() if key != $k}", "rest",
        "%drop the (key|entry|entry with key) $k", "$v without the key $k", "(去掉|删除)键$k", "w"),
    piece("double values", "D>D", "{key: x * 2 for key, x in $v.items()}", "doubled",
        "double (%each value|the values|all values)|multiply %each value by (2|two)",
        "$v with (%each value|the values) doubled", "(把|将)每个值(翻倍|乘以2)"),
    piece("square values", "D>D", "{key: x * x for key, x in $v.items()}", "squared",
        "square (%each value|the values|all values)", "$v with (%each value|the values) squared", "(把|将)每个值平方"),
    piece("add k to values", "D>D", "{key: x + $k for key, x in $v.items()}", "raised",
        "add $k to (%each value|the values|all values)|increase %each value by $k", "$v with $k added to %each value",
        "(把|将)每个值加(上|)$k", "n"),
    piece("upper keys", "D>D", "{key.upper(): x for key, x in $v.items()}", "upper",
        "(convert|turn|change) (the|all) keys (to|into) uppercase|make (the|all) keys upper case",
        "$v with uppercase keys", "(把|将)键(转成|变成)大写"),
    piece("sort by value", "D>D", "dict(sorted($v.items(), key=lambda item: item[1]))", "ordered", "sort (it|the "
        "dictionary|the entries) by value(| in ascending order)|order the entries from the smallest to the largest "
        "value", "$v sorted by value", "按值(从小到大|)排序"),
    piece("sort by value down", "D>D", "dict(sorted($v.items(), key=lambda item: item[1], reverse=True))", "ordered",
        "sort (it|the dictionary|the entries) by value in descending order|order the entries from the largest to the "
        "smallest value", "$v sorted by value in descending order", "按值从大到小排序"),
    piece("sort by key", "D>D", "dict(sorted($v.items()))", "ordered", "sort (it|the dictionary|the entries) by key(| "
        "alphabetically)|put the entries in (alphabetical |)order of (their|the) keys", "$v sorted by key", "按键排序"),
    piece("swap keys and values", "D>T", "{x: key for key, x in $v.items()}", "swapped",
        "(swap|exchange) (the |)keys and (the |)values|invert (it|the dictionary)",
        "$v with keys and values swapped|the inverse of the dictionary $v", "(交换|互换)键和值"),
    piece("group by value", "D>T", "$o = {}\nfor key, x in $v.items():\n    $o.setdefault(x, []).append(key)", "groups",
        "group the keys by (their |)value|(make|build) a dictionary from %each value to the list of its keys",
        "a dictionary from %each value in $v to its keys", "按值把键分组"),
    piece("values", "D>L", "list($v.values())", "values", "(list|take|collect) (the|its|all) values",
        "the (list of |)values (of|in) $v", "取所有的值"),
    piece("keys", "D>W", "list($v)", "keys", "(list|take|collect) (the|its|all) keys", "the (list of |)keys (of|in) $v",
        "取所有的键"),
    piece("keys with value > k", "D>W", "[key for key, x in $v.items() if x > $k]", "names",
        "(list|collect|%find) the keys (with a value|whose value is) %more $k",
        "the keys (in|of) $v (with a value|whose value is) %more $k", "(找出|列出)值大于$k的键", "i"),
    piece("keys by value", "D>W", "sorted($v, key=$v.get)", "names", "(list|take) the keys sorted by (their |)value(| "
        "in ascending order)|sort the keys by their value", "the keys of $v sorted by (their |)value",
        "(把|将)键按值(从小到大|)排列"),
    piece("keys with largest value", "D>W", "[key for key, x in $v.items() if x == max($v.values())]", "names",
        "(list|collect|%find) (all |)the keys with the (largest|highest|maximum) value",
        "the list of (all |)keys of $v with the (largest|highest|maximum) value", "(找出|列出)值最大的所有键"),
    piece("sum of values", "D>N", "sum($v.values())", "total", "(add up|sum|total) (the|its|all) values|%find the (sum|"
        "total) of the values", "the (sum|total) of the values (of|in) $v", "求(所有值的和|值的总和)"),
    piece("largest value", "D>N", "max($v.values())", "top", "%find the %big value", "the %big value (of|in) $v",
        "(求|找出)最大的值"),
    piece("smallest value", "D>N", "min($v.values())", "low", "%find the %small value", "the %small value (of|in) $v",
        "(求|找出)最小的值"),
    piece("count entries", "D>N", "len($v)", "count", "count (the|its) (entries|keys|items)",
        "the (number|count) of (entries|keys|items) (of|in) $v", "(统计|求)(键的个数|项数)"),
    piece("count values > k", "D>N", "sum(1 for x in $v.values() if x > $k)", "count", "count the values %more $k",
        "the (number|count) of values in $v (that are |)%more $k", "(统计|求)大于$k的值的个数", "i"),
    piece("value of key", "D>N", "$v.get($k, 0)", "found", "(look up|get) the value of (the key |)$k( or 0 if it is "
        "missing|, 0 if missing)", "the value of $k in $v( or 0 if it is missing|, 0 if missing)",
        "取键$k的值，没有则为0", "w"),
    piece("key of largest", "D>S", "max($v, key=$v.get)", "best", "%find the key (with|of) the %big value",
        "the key (with|of) the %big value (of|in) $v", "(求|找出)值最大的键"),
    piece("key of smallest", "D>S", "min($v, key=$v.get)", "worst", "%find the key (with|of) the %small value",
        "the key (with|of) the %small value (of|in) $v", "(求|找出)值最小的键"),
    piece("average value", "D>F", "sum($v.values()) / len($v)", "mean", "%find the (average|mean) (of the values|"
        "value)", "the (average|mean) (of the values|value) (of|in) $v", "求值的平均(值|数)"),
    piece("entries as pairs", "D>P", "list($v.items())", "pairs", "(list|take) (the|its) (items|entries|keys and "
        "values) as pairs|(convert|turn) it (to|into) a list of pairs", "the list of (key and value|key-value) pairs "
        "(of|in) $v", "(转成|变成)键值对列表"),
    piece("has key", "D>B", "$k in $v", "answer", "%check (it|the dictionary) (has|contains) the key $k",
        "whether $v (has|contains) the key $k", "判断是否有键$k", "w"),
    piece("all values positive", "D>B", "all(x > 0 for x in $v.values())", "answer",
        "%check (all|all its|all the) values are (positive|greater than (0|zero))",
        "whether all values (of|in) $v are (positive|greater than (0|zero))", "判断所有值是否都是正数"),
    piece("values distinct", "D>B", "len(set($v.values())) == len($v)", "answer",
        "%check (all|all its|all the) values are (different|distinct|unique)",
        "whether all values (of|in) $v are (different|distinct|unique)", "判断所有值是否各不相同"),
]

PAIRS = [
    each("first parts", "P>W", "x[0]", "names", "(take|list|collect) the first (part|item|element) of %each pair",
        "the first (parts|items|elements) of (the pairs in |)$v", "取每对的第一个元素"),
    each("second parts", "P>L", "x[1]", "numbers", "(take|list|collect) the second (part|item|element) of %each pair",
        "the second (parts|items|elements) of (the pairs in |)$v", "取每对的第二个元素"),
    piece("pairs by second", "P>P", "sorted($v, key=lambda x: x[1])", "ordered",
        "sort (it|the pairs) by (the|their) (second (part|item|element)|number)(| in ascending order)",
        "the pairs of $v sorted by (the |)second (part|item|element)", "按第二个元素(从小到大|)排序"),
    piece("pairs by second down", "P>P", "sorted($v, key=lambda x: x[1], reverse=True)", "ordered",
        "sort (it|the pairs) by (the|their) (second (part|item|element)|number) in descending order",
        "the pairs of $v sorted by (the |)second (part|item|element) in descending order", "按第二个元素从大到小排序"),
    piece("pairs by first", "P>P", "sorted($v)", "ordered", "sort (it|the pairs) by (the|their) (first (part|item|"
        "element)|name)", "the pairs of $v sorted by (the |)first (part|item|element)", "按第一个元素排序"),
    piece("pairs > k", "P>P", "[x for x in $v if x[1] > $k]", "big", "%keep (|only )the pairs (whose second (part|item|"
        "element) is|with a number) %more $k", "the pairs (of|in) $v (whose second (part|item|element) is|with a "
        "number) %more $k", "(只|)保留第二个元素大于$k的对", "i"),
    piece("reverse pairs", "P>P", "$v[::-1]", "backward", "reverse (the order of the pairs|the list of pairs)",
        "the pairs of $v in reverse order", "(反转|颠倒)列表顺序"),
    piece("first k pairs", "P>P", "$v[:$k]", "front", "%keep (|only )the first $k pairs",
        "the first $k pairs (of|in) $v", "(只|)取前$k对", "n"),
    piece("pairs to dict", "P>D", "dict($v)", "table", "(convert|turn) (it|the pairs) (to|into) a dictionary|(make|"
        "build) a dictionary from the pairs", "the dictionary (made from|of|built from) (the pairs in |)$v",
        "(转成|变成)字典"),
    piece("totals by name", "P>D", "$o = {}\nfor name, x in $v:\n    $o[name] = $o.get(name, 0) + x", "totals",
        "add up the numbers (of|for) %each name|(make|build) a dictionary (of|with) the total (of|for) %each name",
        "a dictionary with the total of %each name in $v", "按名字求和，得到字典"),
    piece("numbers by name", "P>G", "$o = {}\nfor name, x in $v:\n    $o.setdefault(name, []).append(x)", "groups",
        "(group|collect) the numbers by name|(make|build) a dictionary from %each name to the list of its numbers",
        "a dictionary from %each name in $v to (the list of |)its numbers", "按名字把数分组"),
    piece("name of largest", "P>S", "max($v, key=lambda x: x[1])[0]", "best",
        "%find the name (with|of) the %big number", "the name (with|of) the %big number in $v",
        "(求|找出)数最大的名字"),
    piece("name of smallest", "P>S", "min($v, key=lambda x: x[1])[0]", "worst",
        "%find the name (with|of) the %small number", "the name (with|of) the %small number in $v",
        "(求|找出)数最小的名字"),
    piece("sum of seconds", "P>N", "sum(x[1] for x in $v)", "total", "(add up|sum) the (second (parts|items|elements)|"
        "numbers)( of the pairs|)", "the sum of the (second (parts|items|elements)|numbers) (of|in) $v",
        "求第二个元素的和"),
    piece("swap pairs", "P>T", "[(b, a) for a, b in $v]", "swapped", "(swap|exchange) the two parts of %each pair|"
        "(reverse|flip) %each pair", "the pairs of $v with their parts swapped", "交换每对的两个元素"),
    piece("pairs as text", "P>W", "[f'{a}: {b}' for a, b in $v]", "texts",
        "write %each pair as (a string|text) with a colon and a space between its parts",
        "the pairs of $v as strings with a colon and a space between", "(把|将)每对写成“a: b”形式的字符串"),
]

GROUPS = [
    piece("group sizes", "G>T", "{key: len(x) for key, x in $v.items()}", "sizes",
        "count the (items|elements|members) of %each group|replace %each list (by|with) its length",
        "a dictionary (with|of) the (sizes|lengths) of the lists in $v", "求每组的大小"),
    piece("sorted groups", "G>T", "{key: sorted(x) for key, x in $v.items()}", "ordered",
        "sort (%each list|the list of %each key|%each group)", "$v with %each list sorted", "(把|将)每组排序"),
    piece("group firsts", "G>T", "{key: x[0] for key, x in $v.items()}", "heads",
        "keep (only |)the first (item|element|member) of %each (group|list)",
        "a dictionary (with|of) the first (item|element) of %each list in $v", "取每组的第一个元素"),
    piece("group lasts", "G>T", "{key: x[-1] for key, x in $v.items()}", "tails",
        "keep (only |)the last (item|element|member) of %each (group|list)",
        "a dictionary (with|of) the last (item|element) of %each list in $v", "取每组的最后一个元素"),
    piece("count groups", "G>N", "len($v)", "count", "count the (groups|lists|keys)",
        "the number of (groups|lists|keys) in $v", "(统计|求)组数"),
    piece("largest group", "G>T", "max($v.values(), key=len)", "best", "(take|%find) the (longest list|largest group|"
        "group with the most members)", "the (longest list|largest group) (in|of) $v", "(求|找出)最大的一组"),
    piece("largest group key", "G>T", "max($v, key=lambda key: len($v[key]))", "best",
        "%find the key of the (longest list|largest group)", "the key of the (longest list|largest group) (in|of) $v",
        "(求|找出)最大的一组的键"),
    piece("big groups", "G>G", "{key: x for key, x in $v.items() if len(x) > 1}", "big", "%keep (|only )the (groups|"
        "lists) with (more than one|at least two) (items|elements|members)|%drop (the |)groups of one",
        "the (groups|lists) (in|of) $v with (more than one|at least two) (items|elements|members)",
        "(只|)保留多于一个元素的组"),
]

ROWS = [
    each("row sums", "M>L", "sum(x)", "sums", "(take|%find) the sum of %each row|add up %each row",
        "the (row sums|sums of the rows) of $v", "求每行的和"),
    each("row maxima", "M>L", "max(x)", "tops", "(take|%find) the %big %num of %each row",
        "the (row maxima|largest %nums of the rows|maximum of %each row) (of|in) $v", "求每行的最大值"),
    each("row minima", "M>L", "min(x)", "lows", "(take|%find) the %small %num of %each row",
        "the (row minima|smallest %nums of the rows|minimum of %each row) (of|in) $v", "求每行的最小值"),
    each("row lengths", "M>L", "len(x)", "sizes", "(take|%find) the length of %each row",
        "the lengths of the rows of $v|the row lengths of $v", "求每行的长度"),
    each("row firsts", "M>L", "x[0]", "heads", "(take|list|collect) the first %num of %each row",
        "the first column of $v|the first %num of %each row (of|in) $v", "取每行的第一个元素"),
    each("row lasts", "M>L", "x[-1]", "tails", "(take|list|collect) the last %num of %each row",
        "the last column of $v|the last %num of %each row (of|in) $v", "取每行的最后一个元素"),
    piece("column sums", "M>L", "[sum(col) for col in zip(*$v)]", "sums", "(take|%find) the sum of %each column|add up "
        "%each column", "the (column sums|sums of the columns) of $v", "求每列的和"),
    piece("column maxima", "M>L", "[max(col) for col in zip(*$v)]", "tops",
        "(take|%find) the %big %num of %each column", "the (column maxima|largest %nums of the columns|maximum of "
        "%each column) (of|in) $v", "求每列的最大值"),
    piece("flatten", "M>L", "[x for row in $v for x in row]", "flat", "flatten (it|the matrix|the rows|the list of "
        "lists)|(put|join) all rows into one list", "the (flattened|flat) (list|version) of $v|all the %nums %in $v in "
        "one list", "(展平|展开)成一个列表"),
    piece("diagonal", "M>L", "[$v[i][i] for i in range(min(len($v), len($v[0])))]", "diagonal",
        "(take|list) the (main |)diagonal", "the (main |)diagonal of $v", "取(主|)对角线"),
    piece("first row", "M>L", "$v[0]", "row", "(take|get) the first row", "the first row of $v", "取第一行"),
    piece("last row", "M>L", "$v[-1]", "row", "(take|get) the last row", "the last row of $v", "取最后一行"),
    piece("row with largest sum", "M>L", "max($v, key=sum)", "row", "%find the row with the (largest|biggest|greatest) "
        "sum", "the row of $v with the (largest|biggest|greatest) sum", "(求|找出)和最大的一行"),
    piece("longest row", "M>L", "max($v, key=len)", "row", "%find the longest row", "the longest row (of|in) $v",
        "(求|找出)最长的一行"),
    piece("transpose", "M>M", "[list(col) for col in zip(*$v)]", "turned",
        "transpose (it|the matrix)|(swap|exchange) rows and columns", "the transpose of $v|$v with rows and columns "
        "swapped", "转置(矩阵|)"),
    piece("rotate", "M>M", "[list(col)[::-1] for col in zip(*$v)]", "turned",
        "(rotate|turn) (it|the matrix) (clockwise by 90 degrees|90 degrees clockwise|a quarter turn clockwise)",
        "$v (rotated|turned) 90 degrees clockwise", "顺时针旋转90度"),
    each("reverse rows", "M>M", "x[::-1]", "flipped", "reverse %each row|(flip|mirror) (it|the matrix) from left to "
        "right", "$v with %each row reversed", "(反转|颠倒)每一行"),
    each("sort rows", "M>M", "sorted(x)", "ordered", "sort %each row(| in ascending order)", "$v with %each row sorted",
        "(把|将)每行排序"),
    piece("rows by sum", "M>M", "sorted($v, key=sum)", "ordered", "(sort|order) the rows by (their |)sum",
        "the rows of $v sorted by (their |)sum", "(把|将)行按和排序"),
    piece("reverse row order", "M>M", "$v[::-1]", "flipped", "(reverse|turn around) the order of the rows|(flip|"
        "mirror) (it|the matrix) upside down", "$v with its rows in reverse order", "(反转|颠倒)行的顺序"),
    piece("scale rows", "M>M", "[[x * $k for x in row] for row in $v]", "scaled",
        "multiply %each %num (of the matrix |)by $k", "$v multiplied by $k|$k times the matrix $v",
        "(把|将)矩阵的每个数乘以$k", "n"),
    piece("nonempty rows", "M>M", "[row for row in $v if row]", "filled", "%drop (the |)empty (rows|lists)|%keep (|"
        "only )the (non-empty|nonempty) (rows|lists)", "the (non-empty|nonempty) rows of $v", "(去掉|删除)空行"),
    piece("rows with sum > k", "M>M", "[row for row in $v if sum(row) > $k]", "chosen",
        "%keep (|only )the rows (with a sum|whose sum is) %more $k", "the rows (of|in) $v (with a sum|whose sum is) "
        "%more $k", "(只|)保留和大于$k的行", "i"),
    piece("sum of all", "M>N", "sum(sum(row) for row in $v)", "total", "(add up|sum) (all the %nums in all rows|the "
        "whole matrix|all rows)", "the sum of all %nums in (all rows of |the matrix )$v", "求矩阵所有数之和"),
    piece("largest of all", "M>N", "max(max(row) for row in $v)", "top", "%find the %big %num in (all rows|the whole "
        "matrix)", "the %big %num in (all rows of|the matrix) $v", "求矩阵中最大的数"),
    piece("count zeros", "M>N", "sum(row.count(0) for row in $v)", "count",
        "count the (zeros|zeroes) in (all rows|the whole matrix)", "the number of (zeros|zeroes) in $v",
        "(统计|求)矩阵中0的个数"),
    piece("trace", "M>N", "sum($v[i][i] for i in range(len($v)))", "total",
        "(add up|sum) the (main |)diagonal|%find the trace", "the (trace|sum of the main diagonal) of $v",
        "求(主|)对角线之和"),
    piece("count rows", "M>N", "len($v)", "count", "count the rows", "the number of rows (of|in) $v", "(统计|求)行数"),
    piece("is square matrix", "M>B", "all(len(row) == len($v) for row in $v)", "answer",
        "%check (it|the matrix) is square|%check there are as many rows as columns",
        "whether $v is (square|a square matrix)", "判断是否是方阵"),
    piece("is symmetric", "M>B", "$v == [list(col) for col in zip(*$v)]", "answer",
        "%check (it|the matrix) (is symmetric|equals its transpose)", "whether $v (is symmetric|equals its transpose)",
        "判断是否对称"),
]

TABLES = DICTS + PAIRS + GROUPS + ROWS
