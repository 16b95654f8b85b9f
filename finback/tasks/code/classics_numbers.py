"""Which well-known functions on numbers are there?"""

from finback.tasks.code.classic import between, classic

NUMBER_CLASSICS = [
    classic("gcd", 2, "NN", "a b|x y|m n", between(1, 60, 2),
        code="def $f($v, $k):\n    while $k:\n        $v, $k = $k, $v % $k\n    return $v", of="the (greatest|largest|"
        "highest) common (divisor|factor) of $v and $k|the gcd of $v and $k|the (largest|biggest) (number|integer) "
        "that divides both $v and $k", do="%find the (greatest common divisor|gcd) of $v and $k",
        zh="求$v和$k的最大公约数", plan="1. Euclid: while $k is not 0: $v, $k = $k, $v % $k\n2. return $v"),
    classic("gcd recursive", 2, "NN", "a b|x y|m n", between(1, 60, 2),
        code="def $f($v, $k):\n    if $k == 0:\n        return $v\n    return $f($k, $v % $k)",
        of="the (greatest common divisor|gcd) of $v and $k (by|with|using) recursion", zh="用递归求$v和$k的最大公约数",
        do="(recursively %find|use recursion to find) the (greatest common divisor|gcd) of $v and $k",
        plan="1. base: $k == 0 gives $v\n2. else $f($k, $v % $k)"),
    classic("lcm", 2, "NN", "a b|x y|m n", between(1, 12, 2),
        code="def $f($v, $k):\n    result = $v\n    while result % $k != 0:\n        result += $v\n    return result",
        of="the (least|smallest|lowest) common multiple of $v and $k|the lcm of $v and $k|the smallest (positive |"
        ")(number|integer) that both $v and $k divide", do="%find the (least common multiple|lcm) of $v and $k",
        zh="求$v和$k的最小公倍数", plan="1. result = $v\n2. while result % $k != 0: result += $v\n3. return result"),
    classic("is prime loop", 2, "N", "n|num|x|number", between(0, 60),
        code="def $f($v):\n    if $v < 2:\n        return False\n    i = 2\n    while i * i <= $v:\n        if $v % i "
        "== 0:\n            return False\n        i += 1\n    return True", of="whether $v is (prime|a prime number) "
        "(with|using) a (while |)loop|True if $v is (prime|a prime number) and False (otherwise|if not)",
        do="(use a loop to |)(check|test|decide) (whether|if) $v is (prime|a prime number)",
        zh="(用循环|)判断$v是否是质数", plan="1. below 2: False\n2. i from 2 while i * i <= $v: if $v % i == 0: False\n"
        "3. else True"),
    classic("factorial recursive", 1, "N", "n|num|k|x", between(0, 7),
        code="def $f($v):\n    if $v <= 1:\n        return 1\n    return $v * $f($v - 1)",
        of="the factorial of $v (by|with|using) recursion|$v factorial, computed recursively",
        do="(recursively %find|use recursion to find) the factorial of $v", zh="用递归求$v的阶乘",
        plan="1. base: $v <= 1 gives 1\n2. else $v * $f($v - 1)"),
    classic("fibonacci", 2, "N", "n|num|k|index", between(0, 12),
        code="def $f($v):\n    a, b = 0, 1\n    for i in range($v):\n        a, b = b, a + b\n    return a", of="the "
        "($v-th|n-th|nth) Fibonacci number(|, with 0 and 1 first|, counting from 0)|the Fibonacci number (at index|"
        "with index) $v", do="%find the Fibonacci number (at index|with index) $v",
        zh="求第$v个斐波那契数（从第0个开始）", plan="1. a, b = 0, 1\n2. $v times: a, b = b, a + b\n3. return a"),
    classic("fibonacci recursive", 2, "N", "n|num|k|index", between(0, 5),
        code="def $f($v):\n    if $v < 2:\n        return $v\n    return $f($v - 1) + $f($v - 2)",
        of="the ($v-th|n-th|nth) Fibonacci number (by|with|using) recursion",
        do="(recursively %find|use recursion to find) the Fibonacci number (at index|with index) $v",
        zh="用递归求第$v个斐波那契数", plan="1. base: $v < 2 gives $v\n2. else $f($v - 1) + $f($v - 2)"),
    classic("digit sum loop", 2, "N", "n|num|number|x", between(0, 9999),
        code="def $f($v):\n    total = 0\n    while $v > 0:\n        total += $v % 10\n        $v //= 10\n    return "
        "total", of="the (sum of the digits|digit sum) of $v (with|using) a (while |)loop|the (sum of the digits|digit "
        "sum) of $v without (converting it|turning it|conversion) to a string",
        do="use a (while |)loop to (add up|sum) the digits of $v", zh="用循环求$v的各位数字之和",
        plan="1. total = 0\n2. while $v > 0: total += $v % 10, $v //= 10\n3. return total"),
    classic("reverse number loop", 2, "N", "n|num|number|x", between(0, 9999),
        code="def $f($v):\n    result = 0\n    while $v > 0:\n        result = result * 10 + $v % 10\n        $v //= "
        "10\n    return result", of="the number with the digits of $v reversed (with|using) a (while |)loop|$v with "
        "its digits reversed, without (strings|converting it to a string)",
        do="use a (while |)loop to reverse the digits of $v", zh="用循环把$v的数字倒过来",
        plan="1. result = 0\n2. while $v > 0: result = result * 10 + $v % 10, $v //= 10\n3. return result"),
    classic("power loop", 2, "NN", "base exponent|a b|x n|base exp", lambda rng: [rng.randint(1, 5), rng.randint(0, 5)],
        code="def $f($v, $k):\n    result = 1\n    for i in range($k):\n        result *= $v\n    return result",
        of="$v to the power (of |)$k|$v raised to (the power |)$k", do="raise $v to the power (of |)$k",
        zh="求$v的$k次方", plan="1. result = 1\n2. $k times: result *= $v\n3. return result"),
    classic("power recursive", 2, "NN", "base exponent|a b|x n|base exp",
        lambda rng: [rng.randint(1, 5), rng.randint(0, 4)],
        code="def $f($v, $k):\n    if $k == 0:\n        return 1\n    return $v * $f($v, $k - 1)",
        of="$v to the power (of |)$k (by|with|using) recursion", do="(recursively raise|use recursion to raise) $v to "
        "the power (of |)$k", zh="用递归求$v的$k次方", plan="1. base: $k == 0 gives 1\n2. else $v * $f($v, $k - 1)"),
    classic("collatz steps", 2, "N", "n|num|x|start", between(1, 13),
        code="def $f($v):\n    steps = 0\n    while $v != 1:\n        if $v % 2 == 0:\n            $v //= 2\n        "
        "else:\n            $v = 3 * $v + 1\n        steps += 1\n    return steps", of="the number of (Collatz steps|"
        "steps of the Collatz rule) from $v to 1|how many Collatz steps it takes from $v to 1",
        do="count the Collatz steps from $v to 1", zh="求$v按考拉兹规则到1的步数",
        plan="1. steps = 0\n2. while $v != 1: even: $v //= 2, odd: $v = 3 * $v + 1; steps += 1\n3. return steps"),
    classic("is perfect", 2, "N", "n|num|x|number", lambda rng: [rng.choice([6, 28, 496, *range(1, 40)])],
        code="def $f($v):\n    total = 0\n    for i in range(1, $v):\n        if $v % i == 0:\n            total += "
        "i\n    return total == $v", of="whether $v is (perfect|a perfect number)|whether $v (equals|is) the sum of "
        "its (proper divisors|divisors below $v)", do="%check $v is a perfect number", zh="判断$v是否是完全数",
        plan="1. total = sum of i in range(1, $v) with $v % i == 0\n2. return total == $v"),
    classic("is armstrong", 3, "N", "n|num|x|number",
        lambda rng: [rng.choice([153, 370, 371, 407, 5, 1634, rng.randint(1, 999)])],
        code="def $f($v):\n    digits = str($v)\n    total = 0\n    for d in digits:\n        total += int(d) ** "
        "len(digits)\n    return total == $v", of="whether $v is (an Armstrong|a narcissistic) number|whether $v is "
        "the sum of its digits raised to the number of digits", do="%check $v is (an Armstrong|a narcissistic) number",
        zh="判断$v是否是水仙花数（阿姆斯特朗数）", plan="1. digits = str($v)\n2. add int(d) ** len(digits) for each d\n"
        "3. return total == $v"),
    classic("is leap year", 1, "N", "year|y|n",
        lambda rng: [rng.choice([1900, 2000, 2100, 2024, rng.randint(1890, 2110)])],
        code="def $f($v):\n    return $v % 4 == 0 and ($v % 100 != 0 or $v % 400 == 0)",
        of="whether $v is a leap year|whether the year $v has (366 days|a February 29)",
        do="%check (the year |)$v is a leap year", zh="判断$v年是否是闰年",
        plan="1. divisible by 4, and not by 100 unless by 400"),
    classic("fizzbuzz", 1, "N", "n|num|x|i", between(1, 45),
        code="def $f($v):\n    if $v % 15 == 0:\n        return 'FizzBuzz'\n    if $v % 3 == 0:\n        return "
        "'Fizz'\n    if $v % 5 == 0:\n        return 'Buzz'\n    return str($v)", of="'Fizz' if 3 divides $v, 'Buzz' "
        "if 5 (does|divides it), 'FizzBuzz' if both (do|divide it), else $v as a string|the FizzBuzz word for $v",
        do="%find the FizzBuzz word (of|for) $v", zh="求$v的FizzBuzz结果（字符串）",
        plan="1. by 15: FizzBuzz\n2. by 3: Fizz\n3. by 5: Buzz\n4. else str($v)"),
    classic("fizzbuzz list", 2, "N", "n|num|limit", between(1, 16),
        code="def $f($v):\n    result = []\n    for i in range(1, $v + 1):\n        if i % 15 == 0:\n            "
        "result.append('FizzBuzz')\n        elif i % 3 == 0:\n            result.append('Fizz')\n        elif i % 5 == "
        "0:\n            result.append('Buzz')\n        else:\n            result.append(str(i))\n    return result",
        of="the FizzBuzz (list|words) from 1 to $v", do="list the FizzBuzz words from 1 to $v",
        zh="求1到$v的FizzBuzz列表", plan="1. result = []\n2. i from 1 to $v: by 15 FizzBuzz, by 3 Fizz, by 5 Buzz, "
        "else str(i)\n3. return result"),
    classic("digital root", 2, "N", "n|num|x|number", between(0, 9999),
        code="def $f($v):\n    while $v > 9:\n        $v = sum(int(d) for d in str($v))\n    return $v", of="the "
        "digital root of $v|the single digit left when the digits of $v are added up (again and again|repeatedly)",
        do="add up the digits of $v (again and again|repeatedly) until one digit is left",
        zh="反复求$v的各位数字之和直到剩一位数", plan="1. while $v > 9: $v = sum of its digits\n2. return $v"),
    classic("triangular number", 1, "N", "n|num|k|x", between(0, 30),
        code="def $f($v):\n    return $v * ($v + 1) // 2", of="the ($v-th|n-th|nth) triangular number|the triangular "
        "number (of|with index) $v", do="%find the triangular number (of|with index) $v", zh="求第$v个三角形数",
        plan="1. n * (n + 1) // 2"),
    classic("multiples of 3 or 5", 2, "N", "n|limit|num|top", between(1, 30),
        code="def $f($v):\n    total = 0\n    for i in range(1, $v):\n        if i % 3 == 0 or i % 5 == "
        "0:\n            total += i\n    return total", of="the sum of all (numbers|integers) below $v that (3 or 5 "
        "divides|are multiples of 3 or 5|are divisible by 3 or 5)", do="add up the multiples of 3 or 5 below $v",
        zh="求小于$v的3或5的倍数之和", plan="1. total = 0\n2. i from 1 below $v: if i % 3 == 0 or i % 5 == 0: total += "
        "i\n3. return total"),
    classic("integer square root", 2, "N", "n|num|x|number", between(0, 130),
        code="def $f($v):\n    root = 0\n    while (root + 1) * (root + 1) <= $v:\n        root += 1\n    return root",
        of="the integer square root of $v|the (largest|biggest) integer whose square is (at most|not above) $v|the "
        "square root of $v, rounded down", do="%find the integer square root of $v", zh="求$v的整数平方根",
        plan="1. root = 0\n2. while (root + 1) * (root + 1) <= $v: root += 1\n3. return root"),
    classic("n-th prime", 3, "N", "n|k|num|index", between(1, 12),
        code="def $f($v):\n    primes = []\n    x = 2\n    while len(primes) < $v:\n        if all(x % p != 0 for p in "
        "primes):\n            primes.append(x)\n        x += 1\n    return primes[-1]",
        of="the ($v-th|n-th|nth) prime( number|)|prime number $v", do="%find the ($v-th|n-th|nth) prime( number|)",
        zh="求第$v个质数", plan="1. primes = [], x = 2\n2. while len(primes) < $v: keep x if no prime divides it; x += "
        "1\n3. return primes[-1]"),
    classic("sieve", 3, "N", "n|limit|num|top", between(2, 40),
        code="def $f($v):\n    prime = [True] * ($v + 1)\n    for p in range(2, $v + 1):\n        if "
        "prime[p]:\n            for i in range(p * p, $v + 1, p):\n                prime[i] = False\n    return [p for "
        "p in range(2, $v + 1) if prime[p]]", of="(all |the )primes up to $v (with|using) (a|the) sieve( of "
        "Eratosthenes|)", do="use (a|the) sieve( of Eratosthenes|) to list the primes up to $v",
        zh="用埃氏筛法列出不超过$v的质数", plan="1. prime = [True] * ($v + 1)\n2. for each prime p: strike p * p, p * "
        "p + p, ...\n3. return those left from 2"),
    classic("binary loop", 2, "N", "n|num|x|number", between(0, 40),
        code="def $f($v):\n    if $v == 0:\n        return '0'\n    bits = ''\n    while $v > 0:\n        bits = "
        "str($v % 2) + bits\n        $v //= 2\n    return bits", of="the binary (form|string) of $v (without (using |"
        ")bin|with a loop|using a loop)", do="use a loop to (convert|turn) $v (to|into) binary",
        zh="不用bin，把$v转成二进制字符串", plan="1. 0 gives '0'\n2. while $v > 0: bits = str($v % 2) + bits, $v //= "
        "2\n3. return bits"),
    classic("from binary", 2, "S", "bits|s|text|binary",
        lambda rng: ["".join(rng.choice("01") for _ in range(rng.randint(1, 6)))],
        code="def $f($v):\n    result = 0\n    for bit in $v:\n        result = result * 2 + int(bit)\n    return "
        "result", of="the (integer|number|decimal value) (of|for) the binary string $v",
        do="(convert|turn) the binary string $v (to|into) (an integer|a number)", zh="把二进制字符串$v转成整数",
        plan="1. result = 0\n2. for bit in $v: result = result * 2 + int(bit)\n3. return result"),
    classic("hanoi moves", 1, "N", "n|disks|num|k", between(0, 10),
        code="def $f($v):\n    if $v == 0:\n        return 0\n    return 2 * $f($v - 1) + 1", of="the number of moves "
        "(of|for) the Towers of Hanoi with $v disks|how many moves the Tower of Hanoi with $v disks (takes|needs)",
        do="count the moves that the Tower of Hanoi with $v disks needs", zh="求$v个盘子的汉诺塔需要的步数",
        plan="1. base: 0 disks need 0\n2. else 2 * $f($v - 1) + 1"),
    classic("stairs", 2, "N", "n|steps|num|k", between(1, 10),
        code="def $f($v):\n    a, b = 1, 1\n    for i in range($v):\n        a, b = b, a + b\n    return a", of="the "
        "number of ways to climb $v (stairs|steps) (taking|with) (1 or 2|one or two) at a time|how many ways there are "
        "to climb $v (stairs|steps) by (ones and twos|1 or 2)", do="count the ways to climb $v stairs (taking|with) (1 "
        "or 2|one or two) at a time", zh="求一次走一阶或两阶，爬$v阶楼梯的方法数",
        plan="1. a, b = 1, 1\n2. $v times: a, b = b, a + b\n3. return a"),
    classic("choose", 2, "NN", "n k|n r|total chosen",
        lambda rng: (lambda n: [n, rng.randint(0, n)])(rng.randint(0, 9)),
        code="def $f($v, $k):\n    result = 1\n    for i in range($k):\n        result = result * ($v - i) // (i + "
        "1)\n    return result", of="the number of ways to choose $k (of|from|out of) $v (things|items)|the binomial "
        "coefficient ($v over $k|of $v and $k)|how many subsets of size $k a set of $v (things|items) has",
        do="count the ways to choose $k of $v things", zh="求从$v个中选$k个的组合数",
        plan="1. result = 1\n2. for i in range($k): result = result * ($v - i) // (i + 1)\n3. return result"),
    classic("pascal row", 3, "N", "n|num|k|index", between(0, 8),
        code="def $f($v):\n    row = [1]\n    for i in range($v):\n        row = [1] + [row[j] + row[j + 1] for j in "
        "range(len(row) - 1)] + [1]\n    return row", of="row $v of Pascal's triangle(|, counting from 0)|the ($v-th|"
        "n-th|nth) row of Pascal's triangle, counting from 0", do="%find row $v of Pascal's triangle",
        zh="求杨辉三角的第$v行（从第0行开始）", plan="1. row = [1]\n2. $v times: 1, the sums of neighbours, 1\n3. "
        "return row"),
    classic("is happy", 3, "N", "n|num|x|number",
        lambda rng: [rng.choice([1, 7, 10, 13, 19, 23, 28, 31, 44, rng.randint(1, 99)])],
        code="def $f($v):\n    seen = []\n    while $v != 1 and $v not in seen:\n        seen.append($v)\n        $v = "
        "sum(int(d) ** 2 for d in str($v))\n    return $v == 1", of="whether $v is (happy|a happy number)|whether "
        "adding the squares of the digits of $v again and again (ends at|reaches) 1", do="%check $v is a happy number",
        zh="判断$v是否是快乐数", plan="1. seen = []\n2. while $v is not 1 and new: $v = sum of the squares of its "
        "digits\n3. return $v == 1"),
    classic("is power of two", 1, "N", "n|num|x|number",
        lambda rng: [rng.choice([1, 2, 4, 8, 16, 32, 64, rng.randint(0, 70)])],
        code="def $f($v):\n    while $v > 1 and $v % 2 == 0:\n        $v //= 2\n    return $v == 1",
        of="whether $v is a power of (2|two)", do="%check $v is a power of (2|two)", zh="判断$v是否是2的幂",
        plan="1. while $v > 1 and $v % 2 == 0: $v //= 2\n2. return $v == 1"),
    classic("largest of three", 1, "NNN", "a b c|x y z|first second third", between(-9, 30, 3),
        code="def $f($v, $k, $m):\n    if $v >= $k and $v >= $m:\n        return $v\n    if $k >= $m:\n        return "
        "$k\n    return $m", of="the (largest|biggest|greatest|maximum) of (the three numbers |)$v, $k and $m",
        do="%find the (largest|biggest|greatest|maximum) of $v, $k and $m", zh="求$v、$k、$m中最大的数",
        plan="1. $v if it is >= both\n2. else $k if $k >= $m\n3. else $m"),
    classic("smallest of three", 1, "NNN", "a b c|x y z|first second third", between(-9, 30, 3),
        code="def $f($v, $k, $m):\n    if $v <= $k and $v <= $m:\n        return $v\n    if $k <= $m:\n        return "
        "$k\n    return $m", of="the (smallest|least|minimum) of (the three numbers |)$v, $k and $m",
        do="%find the (smallest|least|minimum) of $v, $k and $m", zh="求$v、$k、$m中最小的数",
        plan="1. $v if it is <= both\n2. else $k if $k <= $m\n3. else $m"),
    classic("middle of three", 2, "NNN", "a b c|x y z|first second third", between(-9, 30, 3),
        code="def $f($v, $k, $m):\n    return sorted([$v, $k, $m])[1]", of="the (middle|median) (one |)of (the three "
        "numbers |)$v, $k and $m", do="%find the (middle|median) of $v, $k and $m", zh="求$v、$k、$m的中间值",
        plan="1. sort the three\n2. take index 1"),
    classic("larger of two", 1, "NN", "a b|x y|m n|first second", between(-9, 30, 2),
        code="def $f($v, $k):\n    if $v > $k:\n        return $v\n    return $k",
        of="the (larger|bigger|greater|maximum) of (the two numbers |)$v and $k",
        do="%find the (larger|bigger|greater|maximum) of $v and $k", zh="求$v和$k中较大的数",
        plan="1. $v if $v > $k\n2. else $k"),
    classic("absolute difference", 1, "NN", "a b|x y|m n|first second", between(-9, 30, 2),
        code="def $f($v, $k):\n    return abs($v - $k)", of="the absolute difference (of|between) $v and $k|the "
        "distance between $v and $k", do="%find the absolute difference of $v and $k", zh="求$v与$k的差的绝对值",
        plan="1. abs($v - $k)"),
    classic("sign", 1, "N", "n|num|x|number", between(-5, 5),
        code="def $f($v):\n    if $v > 0:\n        return 1\n    if $v < 0:\n        return -1\n    return 0",
        of="the sign of $v: 1, -1 or 0|1 if $v is positive, -1 if (it is |)negative, (else 0|and 0 if it is zero)",
        do="%find the sign of $v as 1, -1 or 0", zh="求$v的符号（1、-1或0）",
        plan="1. above 0: 1\n2. below 0: -1\n3. else 0"),
    classic("clamp", 1, "NNN", "x low high|n low high|value least most",
        lambda rng: [rng.randint(-5, 25), rng.randint(0, 8), rng.randint(9, 18)],
        code="def $f($v, $k, $m):\n    if $v < $k:\n        return $k\n    if $v > $m:\n        return $m\n    return "
        "$v", of="$v limited to the range (from |)$k to $m|$v, but $k if it is below $k and $m if it is above $m",
        do="(clamp|limit) $v to the range (from |)$k to $m", zh="把$v限制在$k到$m之间",
        plan="1. below $k: $k\n2. above $m: $m\n3. else $v"),
    classic("letter grade", 1, "N", "score|points|grade|n", between(0, 100),
        code="def $f($v):\n    if $v >= 90:\n        return 'A'\n    if $v >= 80:\n        return 'B'\n    if $v >= "
        "70:\n        return 'C'\n    return 'F'", of="the grade for $v points: 'A' from 90, 'B' from 80, 'C' from 70, "
        "else 'F'|'A' if $v is at least 90, 'B' if at least 80, 'C' if at least 70, and 'F' otherwise",
        do="turn $v points into a grade, 'A' from 90, 'B' from 80, 'C' from 70, else 'F'",
        zh="把分数$v转成等级：90起为'A'，80起为'B'，70起为'C'，否则'F'", plan="1. from 90: A\n2. from 80: B\n3. from "
        "70: C\n4. else F"),
    classic("to fahrenheit", 1, "N", "celsius|c|degrees|t", between(-20, 100),
        code="def $f($v):\n    return $v * 9 / 5 + 32", of="the temperature $v (degrees |)Celsius in (degrees |"
        ")Fahrenheit|$v degrees Celsius (converted to|as) Fahrenheit", do="convert $v (degrees |)Celsius to Fahrenheit",
        zh="把摄氏温度$v转成华氏温度", plan="1. $v * 9 / 5 + 32"),
    classic("rectangle area", 1, "NN", "width height|a b|length width|w h", between(1, 20, 2),
        code="def $f($v, $k):\n    return $v * $k", of="the area of a rectangle with sides $v and $k|the area of a "
        "rectangle of $v by $k", do="%find the area of a rectangle with sides $v and $k", zh="求边长为$v和$k的矩形面积",
        plan="1. $v * $k"),
    classic("rectangle perimeter", 1, "NN", "width height|a b|length width|w h", between(1, 20, 2),
        code="def $f($v, $k):\n    return 2 * ($v + $k)", of="the perimeter of a rectangle with sides $v and $k|the "
        "perimeter of a rectangle of $v by $k", do="%find the perimeter of a rectangle with sides $v and $k",
        zh="求边长为$v和$k的矩形周长", plan="1. 2 * ($v + $k)"),
    classic("cube volume", 1, "N", "side|a|edge|n", between(1, 12),
        code="def $f($v):\n    return $v ** 3", of="the volume of a cube (with|of) (side|edge) $v",
        do="%find the volume of a cube with (side|edge) $v", zh="求边长为$v的立方体体积", plan="1. $v ** 3"),
    classic("is triangle", 1, "NNN", "a b c|x y z", between(1, 9, 3),
        code="def $f($v, $k, $m):\n    return $v + $k > $m and $v + $m > $k and $k + $m > $v",
        of="whether sides $v, $k and $m (form|can form|make) a triangle", do="%check sides $v, $k and $m can form a "
        "triangle", zh="判断边长$v、$k、$m能否组成三角形", plan="1. each two sides add up to more than the third"),
    classic("triangle kind", 2, "NNN", "a b c|x y z",
        lambda rng: rng.choice([[rng.randint(3, 5)] * 3, [4, 4, rng.randint(2, 7)], [rng.randint(3, 6), 5, 4]]),
        code="def $f($v, $k, $m):\n    if $v == $k == $m:\n        return 'equilateral'\n    if $v == $k or $k == $m "
        "or $v == $m:\n        return 'isosceles'\n    return 'scalene'", of="the kind of the triangle with sides $v, "
        "$k and $m: 'equilateral', 'isosceles' or 'scalene'", do="name the triangle with sides $v, $k and $m "
        "'equilateral', 'isosceles' or 'scalene'",
        zh="判断边长$v、$k、$m的三角形是'equilateral'、'isosceles'还是'scalene'",
        plan="1. all equal: equilateral\n2. two equal: isosceles\n3. else scalene"),
    classic("sum of range", 1, "NN", "a b|low high|start end|x y",
        lambda rng: (lambda a: [a, a + rng.randint(0, 8)])(rng.randint(-3, 20)),
        code="def $f($v, $k):\n    total = 0\n    for i in range($v, $k + 1):\n        total += i\n    return total",
        of="the sum of (all |the )(integers|numbers) from $v to $k(| inclusive)",
        do="add up (all |the )(integers|numbers) from $v to $k", zh="求从$v到$k所有整数的和",
        plan="1. total = 0\n2. i from $v to $k: total += i\n3. return total"),
    classic("evens between", 1, "NN", "a b|low high|start end|x y",
        lambda rng: (lambda a: [a, a + rng.randint(0, 12)])(rng.randint(-3, 20)),
        code="def $f($v, $k):\n    return [i for i in range($v, $k + 1) if i % 2 == 0]",
        of="(a list of |)the even (integers|numbers) (between|from) $v (and|to) $k(| inclusive)",
        do="list the even numbers from $v to $k", zh="列出从$v到$k的偶数",
        plan="1. [i for i in range($v, $k + 1) if i % 2 == 0]"),
    classic("common divisors", 2, "NN", "a b|x y|m n", between(1, 40, 2),
        code="def $f($v, $k):\n    return [i for i in range(1, min($v, $k) + 1) if $v % i == 0 and $k % i == 0]",
        of="(the|all) common (divisors|factors) of $v and $k|the list of (numbers|integers) that divide both $v and $k",
        do="list the common (divisors|factors) of $v and $k", zh="列出$v和$k的公约数",
        plan="1. i from 1 to min($v, $k) with $v % i == 0 and $k % i == 0"),
    classic("are coprime", 2, "NN", "a b|x y|m n", between(1, 30, 2),
        code="def $f($v, $k):\n    while $k:\n        $v, $k = $k, $v % $k\n    return $v == 1",
        of="whether $v and $k (are coprime|have no common (divisor|factor) (above|other than) 1)",
        do="%check $v and $k are coprime", zh="判断$v和$k是否互质", plan="1. gcd: while $k: $v, $k = $k, $v % $k\n2. "
        "return $v == 1"),
    classic("multiply by adding", 2, "NN", "a b|x y|m n", between(0, 8, 2),
        code="def $f($v, $k):\n    total = 0\n    for i in range($k):\n        total += $v\n    return total",
        of="the product of $v and $k (using|by|with) (only |)(repeated addition|additions)",
        do="multiply $v by $k with (only |)repeated addition", zh="用重复加法求$v乘以$k",
        plan="1. total = 0\n2. $k times: total += $v\n3. return total"),
    classic("days in month", 2, "N", "month|m|n", between(1, 12),
        code="def $f($v):\n    if $v == 2:\n        return 28\n    if $v in (4, 6, 9, 11):\n        return 30\n    "
        "return 31", of="the number of days in month $v(| of a year that is not a leap year)|how many days month $v "
        "has(| in a year that is not a leap year)", do="%find the number of days of month $v", zh="求平年$v月的天数",
        plan="1. month 2: 28\n2. months 4, 6, 9, 11: 30\n3. else 31"),
    classic("minutes to clock", 2, "N", "minutes|n|m|total", between(0, 1439),
        code="def $f($v):\n    return f'{$v // 60:02d}:{$v % 60:02d}'", of="the time $v minutes after midnight as "
        "'HH:MM'|$v minutes (written|formatted) as 'HH:MM'", do="(format|write) $v minutes as 'HH:MM'",
        zh="把$v分钟写成'HH:MM'", plan="1. hours $v // 60, minutes $v % 60\n2. two digits each, f'{h:02d}:{m:02d}'"),
    classic("number kind", 1, "N", "n|num|x|number", between(-6, 6),
        code="def $f($v):\n    if $v > 0:\n        return 'positive'\n    if $v < 0:\n        return 'negative'\n    "
        "return 'zero'", of="'positive', 'negative' or 'zero', depending on what $v is|the word 'positive', 'negative' "
        "or 'zero' for $v", do="tell by a word whether $v is 'positive', 'negative' or 'zero'",
        zh="判断$v是'positive'、'negative'还是'zero'", plan="1. above 0: positive\n2. below 0: negative\n3. else zero"),
    classic("quotient and rest", 1, "NN", "a b|x y|m n|total part", lambda rng: [rng.randint(0, 60), rng.randint(1, 9)],
        code="def $f($v, $k):\n    return ($v // $k, $v % $k)", of="the quotient and (the |)remainder of $v divided by "
        "$k as a (tuple|pair)|a (tuple|pair) of the quotient and (the |)remainder of $v by $k",
        do="%find the quotient and remainder of $v divided by $k as a tuple", zh="求$v除以$k的商和余数（元组）",
        plan="1. ($v // $k, $v % $k)"),
]
