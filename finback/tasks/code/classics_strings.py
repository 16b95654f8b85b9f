"""Which well-known functions on strings are there?"""

import random
from typing import Any

from finback.tasks.code.classic import classic
from finback.tasks.code.values import WORDS, word


def one_word(rng: random.Random) -> list[Any]:
    return [rng.choice([rng.choice(WORDS), "".join(rng.choice("abc") for _ in range(rng.randint(0, 5)))])]


def phrase(rng: random.Random) -> list[Any]:
    return [" ".join(word(rng) for _ in range(rng.randint(1, 4)))]


def palindromes(rng: random.Random) -> list[Any]:
    return [rng.choice(["Level", "noon", "Never odd or even", "No lemon no melon", "Race car", "abca", "Top spot",
        word(rng), "a b a", ""])]


def word_and_letter(rng: random.Random) -> list[Any]:
    text = rng.choice([w for w in WORDS if len(w) > 2])
    return [text, rng.choice(text) if rng.random() < 0.75 else rng.choice("abcdeot")]


def two_words(rng: random.Random) -> list[Any]:
    text = rng.choice([w for w in WORDS if len(w) < 6])
    shuffled = "".join(rng.sample(text, len(text)))
    turned = text[2:] + text[:2]
    return [text, rng.choice([shuffled, turned, rng.choice(WORDS), text[:2] + "x", text])]


def equal_length(rng: random.Random) -> list[Any]:
    size = rng.randint(1, 5)
    return ["".join(rng.choice("abc") for _ in range(size)) for _ in range(2)]


def part_of(rng: random.Random) -> list[Any]:
    text = "".join(rng.choice("ab") for _ in range(rng.randint(2, 6)))
    return [text, rng.choice(["a", "b", "ab", "aa", "ba"])]


def brackets(rng: random.Random) -> list[Any]:
    return [rng.choice(["()", "(())", "(()", "())", ")(", "()()", "", "((", "(()())", "())(",
        "".join(rng.choice("()") for _ in range(rng.randint(1, 5)))])]


def mixed_brackets(rng: random.Random) -> list[Any]:
    return [rng.choice(["()[]", "([])", "([)]", "(", "]", "{[]}", "{}", "[(])", "", "(())", "[{}]",
        "".join(rng.choice("()[]") for _ in range(rng.randint(1, 4)))])]


def runs(rng: random.Random) -> list[Any]:
    return ["".join(rng.choice("abc") * rng.randint(1, 3) for _ in range(rng.randint(0, 3)))]


def packed(rng: random.Random) -> list[Any]:
    return ["".join(rng.choice("abc") + str(rng.randint(1, 4)) for _ in range(rng.randint(1, 3)))]


def roman(n: int) -> str:
    text = ""
    for size, letters in ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
        while n >= size:
            text += letters
            n -= size
    return text


def prefixed(rng: random.Random) -> list[Any]:
    text = rng.choice(WORDS)
    return [[text[: rng.randint(1, 3)] + rng.choice(["a", "", "on", "b"]) for _ in range(rng.randint(1, 3))]]


def settings(rng: random.Random) -> list[Any]:
    return [",".join(f"{k}={rng.randint(1, 20)}" for k in rng.sample("abcxyz", rng.randint(1, 3)))]


STRING_CLASSICS = [
    classic("is phrase palindrome", 2, "S", "s|text|string|phrase", palindromes,
        code="def $f($v):\n    t = $v.lower().replace(' ', '')\n    return t == t[::-1]", of="whether $v is a "
        "palindrome, ignoring case and spaces|whether $v reads the same backwards (if|when) case and spaces (are "
        "ignored|do not count)", do="%check $v is a palindrome, ignoring case and spaces",
        zh="判断$v（忽略大小写和空格）是否是回文", plan="1. t = lower case without spaces\n2. t == t[::-1]"),
    classic("are anagrams", 1, "SS", "a b|s t|first second", two_words,
        code="def $f($v, $k):\n    return sorted($v) == sorted($k)", of="whether $v and $k are anagrams|whether $v and "
        "$k (are made of|have) the same letters, equally often", do="%check $v and $k are anagrams",
        zh="判断$v和$k是否是变位词", plan="1. sorted($v) == sorted($k)"),
    classic("word counts", 2, "S", "text|s|line|string",
        lambda rng: [" ".join(rng.choice(["cat", "dog", "a", "the"]) for _ in range(rng.randint(1, 4)))],
        code="def $f($v):\n    counts = {}\n    for w in $v.split():\n        counts[w] = counts.get(w, 0) + 1\n    "
        "return counts", of="a dictionary (with|of) the counts of the words (in|of) $v|how often %each word occurs in "
        "$v, as a dictionary", do="count how often %each word occurs in $v", zh="统计$v中每个单词出现的次数",
        plan="1. counts = {}\n2. each w of $v.split(): counts[w] = counts.get(w, 0) + 1\n3. return counts"),
    classic("letter counts loop", 2, "S", "s|text|string|st", one_word,
        code="def $f($v):\n    counts = {}\n    for c in $v:\n        counts[c] = counts.get(c, 0) + 1\n    return "
        "counts", of="a dictionary (with|of) the %chars of $v and their counts, (made|built) with a loop",
        do="use a loop to count how often %each (character|letter) occurs in $v", zh="用循环统计$v中每个字符出现的次数",
        plan="1. counts = {}\n2. each c: counts[c] = counts.get(c, 0) + 1\n3. return counts"),
    classic("vowel loop", 1, "S", "s|text|string|word", one_word,
        code="def $f($v):\n    count = 0\n    for c in $v:\n        if c in 'aeiou':\n            count += 1\n    "
        "return count", of="the number of vowels in the (lowercase|lower case) string $v, (counted |)with a loop",
        do="(use a loop to count|count with a loop) the vowels of the lowercase string $v",
        zh="用循环统计小写字符串$v的元音个数", plan="1. count = 0\n2. add 1 for each c in 'aeiou'\n3. return count"),
    classic("longest word", 2, "S", "text|s|line|string", phrase,
        code="def $f($v):\n    best = ''\n    for w in $v.split():\n        if len(w) > len(best):\n            best = "
        "w\n    return best", of="the longest word (of|in) the (sentence|text) $v(, the first one if there are several|"
        ")", do="%find the longest word in the (sentence|text) $v", zh="求句子$v中最长的单词",
        plan="1. best = ''\n2. each longer w becomes best\n3. return best"),
    classic("first unrepeated", 2, "S", "s|text|string|word", one_word,
        code="def $f($v):\n    for c in $v:\n        if $v.count(c) == 1:\n            return c\n    return ''",
        of="the first (character|letter) of $v that (occurs|appears) only once, or ''( if there is none|)",
        do="%find the first (character|letter) of $v that (occurs|appears) only once, or ''",
        zh="求$v中第一个只出现一次的字符，没有则为''", plan="1. c with $v.count(c) == 1\n2. else ''"),
    classic("first repeated", 2, "S", "s|text|string|word", one_word,
        code="def $f($v):\n    seen = ''\n    for c in $v:\n        if c in seen:\n            return c\n        seen "
        "+= c\n    return ''", of="the first (character|letter) of $v that has (occurred|appeared) before, or ''( if "
        "there is none|)", do="%find the first (character|letter) of $v that has (occurred|appeared) before, or ''",
        zh="求$v中第一个重复出现的字符，没有则为''", plan="1. seen = ''\n2. c already in seen: return it; else add it\n"
        "3. ''"),
    classic("run-length text", 3, "S", "s|text|string|word", runs,
        code="def $f($v):\n    result = ''\n    i = 0\n    while i < len($v):\n        j = i\n        while j < "
        "len($v) and $v[j] == $v[i]:\n            j += 1\n        result += $v[i] + str(j - i)\n        i = j\n    "
        "return result", of="the run-length (encoding|code) of $v as a string(, such as 'a2b1' for 'aab'|)|$v with "
        "%each run written as its letter and its length", do="run-length encode $v as a string, such as 'a2b1' for "
        "'aab'", zh="求$v的游程编码字符串（'aab'变为'a2b1'）", plan="1. from i find j, the end of its run\n2. add "
        "$v[i] and str(j - i); i = j\n3. return result"),
    classic("run-length decode", 2, "S", "s|text|string|code", packed,
        code="def $f($v):\n    result = ''\n    for i in range(0, len($v), 2):\n        result += $v[i] * int($v[i + "
        "1])\n    return result", of="the (string|text) that the run-length code $v(, such as 'a2b1',|) stands for|$v, "
        "pairs of a letter and a digit, written out", do="decode the run-length code $v, such as 'a2b1' for 'aab'",
        zh="解码游程编码$v（'a2b1'变为'aab'）", plan="1. i in steps of 2: add $v[i] * int($v[i + 1])\n2. return "
        "result"),
    classic("balanced brackets", 2, "S", "s|text|string|code", brackets,
        code="def $f($v):\n    depth = 0\n    for c in $v:\n        if c == '(':\n            depth += 1\n        elif "
        "c == ')':\n            depth -= 1\n        if depth < 0:\n            return False\n    return depth == 0",
        of="whether the (parentheses|round brackets) in $v are balanced|whether every (parenthesis|round bracket) in "
        "$v is (closed|matched)", do="%check the (parentheses|round brackets) in $v are balanced",
        zh="判断$v中的圆括号是否配对", plan="1. depth: '(' adds 1, ')' takes 1\n2. below 0: False\n3. depth == 0"),
    classic("mixed brackets", 3, "S", "s|text|string|code", mixed_brackets,
        code="def $f($v):\n    pairs = {')': '(', ']': '[', '}': '{'}\n    stack = []\n    for c in $v:\n        if c "
        "in pairs.values():\n            stack.append(c)\n        elif not stack or stack.pop() != "
        "pairs[c]:\n            return False\n    return not stack", of="whether the brackets $v (of several kinds |"
        ")are (balanced|matched|closed) correctly", do="%check the brackets $v of several kinds are balanced",
        zh="判断多种括号$v是否正确配对", plan="1. push opening ones on a stack\n2. a closing one must match the one "
        "popped\n3. the stack is empty at the end"),
    classic("roman to number", 3, "S", "s|text|roman|numeral", lambda rng: [roman(rng.randint(1, 39))],
        code="def $f($v):\n    values = {'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': 100}\n    total = 0\n    for i, c in "
        "enumerate($v):\n        if i + 1 < len($v) and values[$v[i + 1]] > values[c]:\n            total -= "
        "values[c]\n        else:\n            total += values[c]\n    return total",
        of="the (number|integer|value) (of|for) the Roman numeral $v(, with letters up to C|)",
        do="(convert|turn) the Roman numeral $v (to|into) (a number|an integer)", zh="把罗马数字$v转成整数",
        plan="1. values of I, V, X, L, C\n2. subtract a letter before a larger one, else add it\n3. return total"),
    classic("number to roman", 3, "N", "n|num|number|x", lambda rng: [rng.randint(1, 39)],
        code="def $f($v):\n    result = ''\n    for size, letters in [(10, 'X'), (9, 'IX'), (5, 'V'), (4, 'IV'), (1, "
        "'I')]:\n        while $v >= size:\n            result += letters\n            $v -= size\n    return result",
        of="the Roman numeral (of|for) $v, (which is |)(below|less than) 40",
        do="(convert|write) $v, which is below 40, (to|as) a Roman numeral", zh="把小于40的整数$v转成罗马数字",
        plan="1. sizes 10 X, 9 IX, 5 V, 4 IV, 1 I\n2. while $v >= size: add the letters, subtract the size\n3. return "
        "result"),
    classic("hamming distance", 2, "SS", "a b|s t|first second", equal_length,
        code="def $f($v, $k):\n    count = 0\n    for x, y in zip($v, $k):\n        if x != y:\n            count += "
        "1\n    return count", of="the Hamming distance (of|between) $v and $k|the number of positions (at which|"
        "where) $v and $k (differ|are different)", do="count the positions (at which|where) $v and $k differ",
        zh="求$v和$k不同位置的个数", plan="1. count = 0\n2. add 1 for each x != y of zip($v, $k)\n3. return count"),
    classic("common prefix", 2, "SS", "a b|s t|first second",
        lambda rng: (lambda w: [w[: rng.randint(1, 4)] + rng.choice(["x", "", "on"]), w])(rng.choice(WORDS)),
        code="def $f($v, $k):\n    i = 0\n    while i < len($v) and i < len($k) and $v[i] == $k[i]:\n        i += "
        "1\n    return $v[:i]", of="the (longest |)common (prefix|beginning) of $v and $k|the longest string that both "
        "$v and $k (start|begin) with", do="%find the (longest |)common prefix of $v and $k",
        zh="求$v和$k的最长公共前缀", plan="1. i = 0; move on while both go on and agree\n2. return $v[:i]"),
    classic("prefix of all", 3, "W", "words|strings|names|items", prefixed,
        code="def $f($v):\n    p = $v[0]\n    for w in $v:\n        while not w.startswith(p):\n            p = "
        "p[:-1]\n    return p", of="the longest common (prefix|beginning) of all %strs (in|of) $v|the longest string "
        "that all %strs of $v (start|begin) with", do="%find the longest common prefix of all %strs (in|of) $v",
        zh="求$v中所有字符串的最长公共前缀", plan="1. p = the first one\n2. shorten p while w does not start with it\n"
        "3. return p"),
    classic("is subsequence", 3, "SS", "a b|s t|small large",
        lambda rng: (lambda w: ["".join(c for c in w if rng.random() < 0.5) + ("x" if rng.random() < 0.4 else ""),
            w])(rng.choice([w for w in WORDS if len(w) < 6])),
        code="def $f($v, $k):\n    i = 0\n    for c in $k:\n        if i < len($v) and c == $v[i]:\n            i += "
        "1\n    return i == len($v)", of="whether $v is a subsequence of $k|whether the %chars of $v (occur|appear) in "
        "$k in the same order", do="%check $v is a subsequence of $k", zh="判断$v是否是$k的子序列",
        plan="1. i = 0; each c of $k equal to $v[i] moves i on\n2. i == len($v)"),
    classic("camel to snake", 3, "S", "s|name|text|string",
        lambda rng: [rng.choice(["my", "get", "an",
            "the"]) + "".join(rng.choice(WORDS)[:3].capitalize() for _ in range(rng.randint(0, 2)))],
        code="def $f($v):\n    result = ''\n    for c in $v:\n        if c.isupper():\n            result += '_' + "
        "c.lower()\n        else:\n            result += c\n    return result", of="the (camelCase|camel case) name $v "
        "in (snake_case|snake case)|$v with %each capital letter replaced by an underscore and the small letter",
        do="(convert|turn) the camel case name $v (to|into) snake case", zh="把驼峰命名$v转成下划线命名",
        plan="1. a capital c: add '_' and c.lower()\n2. else add c\n3. return result"),
    classic("snake to camel", 2, "S", "s|name|text|string",
        lambda rng: ["_".join(rng.choice(WORDS)[:4] for _ in range(rng.randint(1, 3)))],
        code="def $f($v):\n    parts = $v.split('_')\n    return parts[0] + ''.join(p.capitalize() for p in parts[1:])",
        of="the (snake_case|snake case) name $v in (camelCase|camel case)",
        do="(convert|turn) the snake case name $v (to|into) camel case", zh="把下划线命名$v转成驼峰命名",
        plan="1. parts = $v.split('_')\n2. first part, then the others capitalized"),
    classic("count overlapping", 2, "SS", "s part|text word|string piece", part_of,
        code="def $f($v, $k):\n    count = 0\n    for i in range(len($v)):\n        if "
        "$v[i:].startswith($k):\n            count += 1\n    return count", of="how (often|many times) $k (occurs|"
        "appears) in $v, overlaps (included|counted)|the number of (possibly |)overlapping (occurrences|copies) of $k "
        "in $v", do="count the overlapping occurrences of $k in $v", zh="统计$k在$v中（可重叠）出现的次数",
        plan="1. count the i with $v[i:].startswith($k)\n2. return count"),
    classic("is rotation", 1, "SS", "a b|s t|first second", two_words,
        code="def $f($v, $k):\n    return len($v) == len($k) and $k in $v + $v",
        of="whether $k is a rotation of $v|whether $v can be rotated (to|into) $k", do="%check $k is a rotation of $v",
        zh="判断$k是否是$v的旋转", plan="1. equal lengths and $k in $v + $v"),
    classic("most common letter", 1, "S", "s|text|string|word", lambda rng: [rng.choice(WORDS)],
        code="def $f($v):\n    return max($v, key=$v.count)", of="the (most common|most frequent) (character|letter) "
        "(of|in) $v|the (character|letter) that (occurs|appears) most often in $v",
        do="%find the (most common|most frequent) (character|letter) in $v", zh="求$v中出现最多的字符",
        plan="1. max($v, key=$v.count)"),
    classic("remove character at", 1, "SN", "s index|text i|string place",
        lambda rng: (lambda w: [w, rng.randint(0, len(w) - 1)])(rng.choice(WORDS)),
        code="def $f($v, $k):\n    return $v[:$k] + $v[$k + 1:]", of="$v without (its|the) (character|letter) at "
        "(index|position) $k", do="%drop the (character|letter) of $v at (index|position) $k",
        zh="去掉$v中下标为$k的字符", plan="1. $v[:$k] + $v[$k + 1:]"),
    classic("insert text at", 1, "SNS", "s index part|text i extra|string place new",
        lambda rng: (lambda w: [w, rng.randint(0, len(w)), rng.choice(["x", "-", "ab", "!"])])(rng.choice(WORDS)),
        code="def $f($v, $k, $m):\n    return $v[:$k] + $m + $v[$k:]", of="$v with $m (inserted|put in) at (index|"
        "position) $k", do="insert $m (into|in) $v at (index|position) $k", zh="在$v的下标$k处插入$m",
        plan="1. $v[:$k] + $m + $v[$k:]"),
    classic("parse settings", 2, "S", "s|text|line|string", settings,
        code="def $f($v):\n    result = {}\n    for part in $v.split(','):\n        key, x = part.split('=')\n        "
        "result[key] = int(x)\n    return result", of="a dictionary (made |)(from|of) a string $v (such as|like) "
        "'a=1,b=2'( with numbers as values|)|the settings in $v, (such as|like) 'a=1,b=2', as a dictionary",
        do="(parse|read) the string $v, such as 'a=1,b=2', into a dictionary with numbers as values",
        zh="把形如'a=1,b=2'的字符串$v解析成字典", plan="1. each part of $v.split(','): key, x = part.split('=')\n2. "
        "result[key] = int(x)\n3. return result"),
    classic("clock to minutes", 2, "S", "time|s|clock|text",
        lambda rng: [f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"],
        code="def $f($v):\n    h, m = $v.split(':')\n    return int(h) * 60 + int(m)", of="the (minutes|number of "
        "minutes) (since|after) midnight (of|for) the time $v (in the form|written as) 'HH:MM'",
        do="(convert|turn) the time $v in the form 'HH:MM' (to|into) minutes", zh="把'HH:MM'形式的时间$v转成分钟数",
        plan="1. h, m = $v.split(':')\n2. int(h) * 60 + int(m)"),
    classic("is pangram", 2, "S", "s|text|string|line",
        lambda rng: [rng.choice(["the quick brown fox jumps over the lazy dog", "abcdefghijklmnopqrstuvwxyz",
            "hello world", "abcdefghijklmnopqrstuvwxy", word(rng)])],
        code="def $f($v):\n    return all(c in $v.lower() for c in 'abcdefghijklmnopqrstuvwxyz')",
        of="whether $v (contains|has) (every|each) letter of the alphabet|whether $v is a pangram",
        do="%check $v (contains|has) every letter of the alphabet", zh="判断$v是否包含全部字母",
        plan="1. all(c in $v.lower() for c in the alphabet)"),
    classic("reverse text loop", 2, "S", "s|text|string|word", one_word,
        code="def $f($v):\n    result = ''\n    for c in $v:\n        result = c + result\n    return result",
        of="the reverse of the string $v (with|using) a loop|the string $v (reversed|backwards) without slicing",
        do="use a loop to reverse the string $v", zh="用循环反转字符串$v",
        plan="1. result = ''\n2. put each c in front\n3. return result"),
    classic("reverse text recursive", 2, "S", "s|text|string|word",
        lambda rng: [rng.choice([w for w in WORDS if len(w) < 5] + ["", "ab"])],
        code="def $f($v):\n    if $v == '':\n        return ''\n    return $f($v[1:]) + $v[0]",
        of="the reverse of the string $v (by|with|using) recursion", do="(recursively reverse|use recursion to "
        "reverse) the string $v", zh="用递归反转字符串$v", plan="1. base: '' gives ''\n2. else $f($v[1:]) + $v[0]"),
    classic("palindrome recursive", 2, "S", "s|text|string|word",
        lambda rng: [rng.choice(["noon", "level", "abca", "aba", "ab", "", *WORDS])],
        code="def $f($v):\n    if len($v) < 2:\n        return True\n    return $v[0] == $v[-1] and $f($v[1:-1])",
        of="whether the string $v is a palindrome (by|with|using) recursion",
        do="(recursively check|use recursion to check) whether the string $v is a palindrome",
        zh="用递归判断字符串$v是否是回文", plan="1. base: shorter than 2 gives True\n2. else ends equal and "
        "$f($v[1:-1])"),
    classic("remove letter loop", 1, "SS", "s ch|text letter|string char", word_and_letter,
        code="def $f($v, $k):\n    result = ''\n    for c in $v:\n        if c != $k:\n            result += c\n    "
        "return result", of="the string $v without the (character|letter) $k, (made|built) with a loop",
        do="use a loop to remove (every|each) $k from the string $v", zh="用循环去掉$v中的$k",
        plan="1. result = ''\n2. add each c != $k\n3. return result"),
    classic("keep in order words", 1, "S", "text|s|line|string", phrase,
        code="def $f($v):\n    return ' '.join(sorted($v.split(), key=str.lower))",
        of="the words of $v in alphabetical order, ignoring case, (joined by spaces|as one string)",
        do="sort the words of $v ignoring case and join them with spaces", zh="把$v的单词（忽略大小写）按字母顺序排列",
        plan="1. sorted($v.split(), key=str.lower)\n2. ' '.join of it"),
    classic("initials", 1, "S", "name|text|s|line",
        lambda rng: [" ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 3)))],
        code="def $f($v):\n    return '.'.join(w[0].upper() for w in $v.split()) + '.'",
        of="the initials of $v, (each followed by a dot|such as 'A.B.' for 'ann bell')",
        do="write the initials of $v, such as 'A.B.' for 'ann bell'", zh="写出$v的首字母缩写（如'A.B.'）",
        plan="1. w[0].upper() of each word, joined with '.'\n2. a '.' at the end"),
    classic("strong password", 2, "S", "password|s|text|pw",
        lambda rng: [rng.choice(["Abc12345", "abc", "ABC12345", "Passw0rd", "longpassword", "A1b2C3d4", "x",
            "Zz9" + rng.choice(WORDS)])],
        code="def $f($v):\n    if len($v) < 8:\n        return False\n    if not any(c.isdigit() for c in "
        "$v):\n        return False\n    return any(c.isupper() for c in $v)",
        of="whether the password $v has at least 8 characters, a digit and (an uppercase|a capital) letter",
        do="%check the password $v has at least 8 characters, a digit and (an uppercase|a capital) letter",
        zh="判断密码$v是否至少8个字符并含有数字和大写字母", plan="1. shorter than 8: False\n2. no digit: False\n3. any "
        "capital"),
    classic("digits after letters", 2, "S", "s|text|string|code",
        lambda rng: ["".join(rng.choice("ab12") for _ in range(rng.randint(1, 6)))],
        code="def $f($v):\n    letters = [c for c in $v if c.isalpha()]\n    digits = [c for c in $v if "
        "c.isdigit()]\n    return ''.join(letters + digits)", of="the letters of $v followed by its digits|$v with its "
        "letters first and its digits last", do="move the digits of $v behind its letters",
        zh="把$v中的数字移到字母后面", plan="1. letters: c.isalpha(); digits: c.isdigit()\n2. join letters + digits"),
    classic("longest equal run", 3, "S", "s|text|string|word", runs,
        code="def $f($v):\n    best = 0\n    run = 0\n    last = ''\n    for c in $v:\n        run = run + 1 if c == "
        "last else 1\n        best = max(best, run)\n        last = c\n    return best",
        of="the length of the longest run of (one|the same) (character|letter) in $v",
        do="%find the length of the longest run of (one|the same) (character|letter) in $v",
        zh="求$v中最长连续相同字符的长度", plan="1. run = run + 1 if c == last else 1\n2. best = max(best, run); last "
        "= c\n3. return best"),
    classic("swap parts", 1, "SN", "s k|text n|string size",
        lambda rng: (lambda w: [w, rng.randint(0, len(w))])(rng.choice(WORDS)),
        code="def $f($v, $k):\n    return $v[$k:] + $v[:$k]", of="the string $v rotated (to the left|left) by $k|the "
        "string $v with its first $k %chars moved to the end", do="rotate the string $v to the left by $k",
        zh="把字符串$v左移$k位", plan="1. $v[$k:] + $v[:$k]"),
    classic("join with comma and and", 2, "W", "names|words|items|strings",
        lambda rng: [rng.sample(WORDS, rng.randint(1, 4))],
        code="def $f($v):\n    if len($v) == 1:\n        return $v[0]\n    return ', '.join($v[:-1]) + ' and ' + "
        "$v[-1]", of="the %strs of $v as an (English |)enumeration (such as|like) 'a, b and c'",
        do="(write|join) the %strs of $v (as|into) an enumeration such as 'a, b and c'",
        zh="把$v写成'a, b and c'的形式", plan="1. a single one is itself\n2. ', '.join of all but the last, ' and ', "
        "the last"),
    classic("plural", 1, "SN", "noun count|word n|name k",
        lambda rng: [rng.choice(["cat", "dog", "tree", "ship", "book"]), rng.randint(0, 3)],
        code="def $f($v, $k):\n    if $k == 1:\n        return f'{$k} {$v}'\n    return f'{$k} {$v}s'", of="$k and the "
        "noun $v, with an 's' unless $k is 1|text such as '1 cat' or '3 cats' for the noun $v and the (number|count) "
        "$k", do="write $k and the noun $v, with an 's' unless $k is 1", zh="写出$k和名词$v，除非$k为1否则加's'",
        plan="1. $k == 1: as it is\n2. else with an s"),
]
