"""Which operations on integers are there?"""

from finback.tasks.code.piece import piece

# Pieces that loop up to the number itself; inputs above `SMALL` are not drawn for them.
SMALL = 400

NUMBERS = [
    piece("digit sum", "N>N", "sum(int(c) for c in str($v))", "total", "(add up|sum) (its|the) digits|%find the (sum "
        "of the digits|digit sum)", "the (sum of the digits|digit sum) of $v", "求各位数字之和"),
    piece("digit product", "N>N", "$o = 1\nfor c in str($v):\n    $o *= int(c)", "product",
        "multiply (its|the) digits(| together)|%find the product of (its|the) digits",
        "the product of the digits of $v", "求各位数字之积"),
    piece("reverse digits", "N>N", "int(str($v)[::-1])", "backward", "reverse (its|the|the order of its) digits|read "
        "the (number|integer) backwards", "the %num with the digits of $v reversed|the digit reversal of $v",
        "(把|将)数字倒过来"),
    piece("factorial", "N>N", "$o = 1\nfor i in range(2, $v + 1):\n    $o *= i", "product",
        "%find (its|the) factorial|multiply all integers from 1 to (it|the number)", "the factorial of $v", "求阶乘"),
    piece("square", "N>N", "$v * $v", "square", "square (it|the number)|multiply (it|the number) by itself|raise (it|"
        "the number) to the power (of |)2", "the square of $v", "求平方"),
    piece("cube", "N>N", "$v ** 3", "cube", "cube (it|the number)|raise (it|the number) to the power (of |)3",
        "the cube of $v", "求立方"),
    piece("count digits", "N>N", "len(str($v))", "count", "count (its|the) digits|%find (the number of digits|how many "
        "digits there are)", "the number of digits (of|in) $v", "求(数字的位数|位数)"),
    piece("last digit", "N>N", "$v % 10", "digit", "(take|get) (its|the) (last|final|units) digit",
        "the (last|final|units) digit of $v", "取个位(数字|)"),
    piece("first digit", "N>N", "int(str($v)[0])", "digit", "(take|get) (its|the) (first|leading) digit",
        "the (first|leading) digit of $v", "取(首位数字|最高位数字)"),
    piece("largest digit", "N>N", "max(int(c) for c in str($v))", "digit", "(take|find|get) (its|the) %big digit",
        "the %big digit (of|in) $v", "(求|找出)最大的数字"),
    piece("smallest digit", "N>N", "min(int(c) for c in str($v))", "digit", "(take|find|get) (its|the) %small digit",
        "the %small digit (of|in) $v", "(求|找出)最小的数字"),
    piece("count divisors", "N>N", "sum(1 for i in range(1, $v + 1) if $v % i == 0)", "count",
        "count (its|the) (divisors|factors)|%find how many (divisors|factors) (it|the number) has",
        "the number of (divisors|factors) of $v", "求(因数|约数)的个数"),
    piece("sum of divisors", "N>N", "sum(i for i in range(1, $v + 1) if $v % i == 0)", "total",
        "(add up|sum) (its|the) (divisors|factors)|%find the sum of (its|the) (divisors|factors)",
        "the sum of (all |the |)(divisors|factors) of $v", "求所有(因数|约数)之和"),
    piece("sum to n", "N>N", "sum(range(1, $v + 1))", "total", "add up all integers from 1 to (it|the number)|sum the "
        "numbers from 1 up to (it|the number)", "the sum of (all |the |)(integers|numbers) from 1 to $v",
        "求从1加到它的和"),
    piece("squares to n summed", "N>N", "sum(i * i for i in range(1, $v + 1))", "total",
        "add up the squares of the integers from 1 to (it|the number)", "the sum of the squares (of the numbers |)from "
        "1 to $v", "求从1到它的平方和"),
    piece("count multiples", "N>N", "sum(1 for i in range(1, $v + 1) if i % $k == 0)", "count",
        "count the (multiples of $k|numbers divisible by $k) from 1 to (it|the number)",
        "the number of (multiples of $k|numbers divisible by $k) from 1 to $v", "求从1到它之间$k的倍数的个数", "n"),
    piece("multiply by k", "N>N", "$v * $k", "scaled", "multiply (it|the number|the result) by $k",
        "$k times $v|the product of $k and $v", "乘以$k", "n"),
    piece("add k", "N>N", "$v + $k", "added", "add $k( to it| to the number| to the result|)|increase it by $k",
        "the sum of $k and $v|$k more than $v", "加上$k", "n"),
    piece("subtract k", "N>N", "$v - $k", "reduced", "subtract $k( from it| from the number| from the result|)|"
        "decrease it by $k", "$k less than $v", "减去$k", "n"),
    piece("remainder", "N>N", "$v % $k", "rest", "take (it|the number|the result) modulo $k|%find (its|the) remainder "
        "(modulo|when divided by) $k", "the remainder of $v (modulo|divided by) $k", "对$k取余", "n"),
    piece("halve", "N>N", "$v // 2", "half", "halve (it|the number)(, rounding down| with integer division)|integer "
        "divide (it|the number) by 2", "half of $v, rounded down|the rounded-down half of $v", "整除2"),
    piece("power of k", "N>N", "$k ** $v", "power", "raise $k to (its|the) power(| given by the number)",
        "$k to the power of $v|the power of $k with exponent $v", "求$k的该次方", "n"),
    piece("count one bits", "N>N", "bin($v).count('1')", "count", "count the (ones|1s|one bits|set bits) in (its|the) "
        "binary (form|representation)", "the number of (ones|1s|one bits|set bits) in (the binary form of |)$v",
        "求二进制中1的个数"),
    piece("absolute value", "N>N", "abs($v)", "size", "take (its|the) absolute value|drop (its|the) sign",
        "the absolute value of $v", "求绝对值"),
    piece("digits", "N>L", "[int(c) for c in str($v)]", "digits", "(split|break) (it|the number) into (its |a list of |"
        ")digits|list (its|the) digits|make a list of (its|the) digits", "the (list of |)digits of $v",
        "(把|将)(它|这个数)拆成各位数字"),
    piece("divisors", "N>L", "[i for i in range(1, $v + 1) if $v % i == 0]", "divisors",
        "list (its|the|all its) (divisors|factors)|%find (all |)(its|the) (divisors|factors)",
        "the (divisors|factors) of $v|the list of (divisors|factors) of $v", "(列出|求)所有(因数|约数)"),
    piece("1 to n", "N>L", "list(range(1, $v + 1))", "numbers", "(list|make a list of) the (integers|numbers) from 1 "
        "to (it|the number)|count from 1 up to (it|the number)", "the (integers|numbers) from 1 to $v|the list of "
        "(integers|numbers) from 1 to $v", "列出从1到它的(所有|)整数"),
    piece("0 to n-1", "N>L", "list(range($v))", "numbers", "(list|make a list of) the (integers|numbers) from 0 up to "
        "but not including (it|the number)", "the (integers|numbers) from 0 up to but not including $v|the "
        "non-negative integers below $v", "列出从0到它（不含）的整数"),
    piece("n down to 1", "N>L", "list(range($v, 0, -1))", "numbers", "count down from (it|the number) to 1|list the "
        "(integers|numbers) from (it|the number) down to 1", "the (integers|numbers) from $v down to 1|the countdown "
        "from $v to 1", "列出从它倒数到1的整数"),
    piece("evens to n", "N>L", "list(range(2, $v + 1, 2))", "evens", "list the even (integers|numbers) from 2 (up |)to "
        "(it|the number)", "the (positive |)even (integers|numbers) (up to|not above) $v", "列出不超过它的正偶数"),
    piece("odds to n", "N>L", "list(range(1, $v + 1, 2))", "odds", "list the odd (integers|numbers) from 1 (up |)to "
        "(it|the number)", "the (positive |)odd (integers|numbers) (up to|not above) $v", "列出不超过它的正奇数"),
    piece("multiples to n", "N>L", "list(range($k, $v + 1, $k))", "multiples",
        "list the (positive |)multiples of $k up to (it|the number)", "the (positive |)multiples of $k (up to|not "
        "above) $v", "列出不超过它的$k的倍数", "n"),
    piece("first n multiples", "N>L", "[$k * i for i in range(1, $v + 1)]", "multiples",
        "list that many multiples of $k(, starting with $k|)", "the first $v multiples of $k",
        "列出$k的前若干个倍数（个数由它决定）", "n"),
    piece("squares to n", "N>L", "[i * i for i in range(1, $v + 1)]", "squares",
        "list the squares of the (integers|numbers) from 1 to (it|the number)",
        "the squares of the (integers|numbers) from 1 to $v|the first $v square numbers", "列出从1到它的平方"),
    piece("prime factors", "N>L", "$o = []\nn = $v\np = 2\nwhile n > 1:\n    while n % p == 0:\n        "
        "$o.append(p)\n        n //= p\n    p += 1", "factors", "(split|factor) (it|the number) into (its |)prime "
        "factors|list (its|the) prime factors(| with repetition)", "the prime factors of $v|the list of prime factors "
        "of $v", "(分解质因数|求质因数列表)"),
    piece("primes to n", "N>L", "[x for x in range(2, $v + 1) if all(x % i != 0 for i in range(2, x))]", "primes",
        "list the primes (up to|not above) (it|the number)|%find all primes up to (it|the number)",
        "the (primes|prime numbers) (up to|not above) $v|the list of (primes|prime numbers) up to $v",
        "列出不超过它的(质数|素数)"),
    piece("fibonacci list", "N>L", "$o = []\na, b = 0, 1\nfor i in range($v):\n    $o.append(a)\n    a, b = b, a + b",
        "terms", "list that many Fibonacci numbers(| starting with 0|, starting from 0)",
        "the first $v Fibonacci numbers|the first $v terms of the Fibonacci sequence",
        "列出前若干个斐波那契数（个数由它决定）"),
    piece("halving list", "N>L", "$o = []\nn = $v\nwhile n > 0:\n    $o.append(n)\n    n //= 2", "halves",
        "list (it|the number) and its repeated (integer |)halves until 1",
        "the list of repeated integer halves of $v down to 1", "列出它不断整除2直到1的过程"),
    piece("is even", "N>B", "$v % 2 == 0", "answer", "%check (it|the number|the result) is (even|divisible by 2)",
        "whether $v is (even|divisible by 2)", "判断是否是偶数"),
    piece("is odd", "N>B", "$v % 2 == 1", "answer", "%check (it|the number|the result) is odd", "whether $v is odd",
        "判断是否是奇数"),
    piece("is positive", "N>B", "$v > 0", "answer", "%check (it|the number|the result) is (positive|greater than (0|"
        "zero))", "whether $v is (positive|greater than (0|zero))", "判断是否是正数"),
    piece("is multiple of k", "N>B", "$v % $k == 0", "answer", "%check (it|the number|the result) is (divisible by|a "
        "multiple of) $k", "whether $v is (divisible by|a multiple of) $k", "判断能否被$k整除", "n"),
    piece("is > k", "N>B", "$v > $k", "answer", "%check (it|the number|the result) is %more $k",
        "whether $v is %more $k", "判断是否大于$k", "i"),
    piece("is prime", "N>B", "$v > 1 and all($v % i != 0 for i in range(2, $v))", "answer",
        "%check (it|the number|the result) is (prime|a prime|a prime number)",
        "whether $v is (prime|a prime|a prime number)", "判断是否是(质数|素数)"),
    piece("is square", "N>B", "any(i * i == $v for i in range($v + 1))", "answer",
        "%check (it|the number|the result) is a (perfect |)square(| number)",
        "whether $v is a (perfect |)square(| number)", "判断是否是(完全平方数|平方数)"),
    piece("is palindrome number", "N>B", "str($v) == str($v)[::-1]", "answer",
        "%check (it|the number|the result) (is a palindrome|reads the same backwards)",
        "whether $v (is a palindrome|reads the same backwards)", "判断是否是回文数"),
    piece("has digit k", "N>B", "str($k) in str($v)", "answer", "%check (it|the number|the result) (contains|has) the "
        "digit $k", "whether $v (contains|has) the digit $k", "判断是否含有数字$k", "d"),
    piece("to text", "N>S", "str($v)", "text", "(convert|turn) (it|the number|the result) (to|into) a string",
        "the string (form|representation) of $v|$v as a string", "(转成|变成)字符串"),
    piece("to binary", "N>S", "bin($v)[2:]", "bits", "(convert|turn) (it|the number|the result) (to|into) (binary|a "
        "binary string|base 2)|write it in binary", "the binary (form|representation|string) of $v|$v in binary",
        "转成二进制字符串"),
    piece("to hex", "N>S", "hex($v)[2:]", "digits", "(convert|turn) (it|the number|the result) (to|into) (hexadecimal|"
        "a hexadecimal string|base 16)|write it in hexadecimal", "the hexadecimal (form|representation|string) of $v|"
        "$v in hexadecimal", "转成十六进制字符串"),
    piece("stars", "N>S", "'*' * $v", "line", "(make|build) a string of that many stars|write that many asterisks",
        "a (string|line) of $v (stars|asterisks)", "生成由这么多个星号组成的字符串"),
    piece("numbers as text", "N>W", "[str(i) for i in range(1, $v + 1)]", "texts",
        "list the numbers from 1 to (it|the number) as strings", "the numbers from 1 to $v as strings",
        "以字符串列出从1到它的数"),
    piece("times table", "N>M", "[[i * j for j in range(1, $v + 1)] for i in range(1, $v + 1)]", "table",
        "(make|build) the multiplication table up to (it|the number)", "the multiplication table (up to|of size) $v",
        "生成到它为止的乘法表"),
]
LOOPING = {"factorial", "count divisors", "sum of divisors", "sum to n", "squares to n summed", "count multiples",
    "power of k", "divisors", "1 to n", "0 to n-1", "n down to 1", "evens to n", "odds to n", "multiples to n",
    "first n multiples", "squares to n", "prime factors", "primes to n", "fibonacci list", "is prime", "is square",
    "stars", "numbers as text", "times table"}
