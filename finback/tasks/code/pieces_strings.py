"""Which operations on strings and lists of strings are there?"""

from finback.tasks.code.piece import each, keep, piece

STRINGS = [
    piece("upper", "S>S", "$v.upper()", "upper", "(convert|turn|change) (it|the string|the text) (to|into) uppercase|"
        "make (it|the string|all letters) upper case|capitalize every letter",
        "the uppercase (version|form) of $v|$v in (uppercase|upper case|capital letters)", "(转成|变成)大写"),
    piece("lower", "S>S", "$v.lower()", "lower", "(convert|turn|change) (it|the string|the text) (to|into) lowercase|"
        "make (it|the string|all letters) lower case", "the lowercase (version|form) of $v|$v in (lowercase|lower case|"
        "small letters)", "(转成|变成)小写"),
    piece("swap case", "S>S", "$v.swapcase()", "swapped", "(swap|invert|flip) (the case of each letter|its case|upper "
        "and lower case)", "$v with (upper and lower case swapped|the case of each letter swapped)",
        "(交换|互换)大小写"),
    piece("capitalize first", "S>S", "$v[:1].upper() + $v[1:]", "title", "(capitalize|make upper case) the first "
        "(letter|character)", "$v with its first letter capitalized", "(把|将)首字母大写"),
    piece("reverse text", "S>S", "$v[::-1]", "backward", "reverse (it|the string|the text|its characters)|(write|read|"
        "spell) (it|the string) backwards", "the reverse of $v|the reversed (string|version) of $v|$v (spelled |"
        ")backwards", "(反转字符串|(把|将)字符串(倒过来|反转))"),
    piece("drop vowels", "S>S", "''.join(c for c in $v if c not in 'aeiouAEIOU')", "rest", "%drop (|all |the )vowels",
        "$v without (its |)vowels|the string $v with its vowels removed", "(去掉|删除)元音字母"),
    piece("keep vowels", "S>S", "''.join(c for c in $v if c in 'aeiouAEIOU')", "vowels", "%keep (|only )the vowels",
        "the vowels (of|in) $v", "(只|)保留元音字母"),
    piece("drop spaces", "S>S", "$v.replace(' ', '')", "dense", "%drop (|all |the )(spaces|blanks)",
        "$v without (its |)(spaces|blanks)", "(去掉|删除)(所有|)空格"),
    piece("keep letters", "S>S", "''.join(c for c in $v if c.isalpha())", "letters",
        "%keep (|only )the letters|%drop (everything|all characters) that (is|are) not (a letter|letters)",
        "the letters (of|in) $v", "(只|)保留字母"),
    piece("keep digit characters", "S>S", "''.join(c for c in $v if c.isdigit())", "digits",
        "%keep (|only )the digits|%drop (everything|all characters) that (is not a digit|are not digits)",
        "the digits (of|in) $v(| as a string)", "(只|)保留数字字符"),
    piece("drop digits", "S>S", "''.join(c for c in $v if not c.isdigit())", "rest", "%drop (|all |the )digits",
        "$v without (its |)digits", "(去掉|删除)数字字符"),
    piece("keep capitals", "S>S", "''.join(c for c in $v if c.isupper())", "capitals",
        "%keep (|only )the (uppercase|capital|upper case) letters", "the (uppercase|capital|upper case) letters (of|"
        "in) $v", "(只|)保留大写字母"),
    piece("drop letter", "S>S", "$v.replace($k, '')", "rest", "%drop (|all occurrences of |every |the letter )$k",
        "$v without (the letter |)$k|$v with every $k removed", "(去掉|删除)所有$k", "c"),
    piece("replace letter", "S>S", "$v.replace($k, $m)", "changed", "replace (every |each |all occurrences of )$k (by|"
        "with) $m|change every $k (to|into) $m", "$v with every $k replaced by $m", "(把|将)所有$k(换成|替换为)$m",
        "cc"),
    piece("spaces to k", "S>S", "$v.replace(' ', $k)", "joined", "replace (every space|each space|all spaces|the "
        "spaces) (by|with) $k|put $k in place of (every space|spaces)", "$v with (its |)spaces replaced by $k",
        "(把|将)空格(换成|替换为)$k", "s"),
    piece("first k characters", "S>S", "$v[:$k]", "front", "%keep (|only )the first $k %chars",
        "the first $k %chars of $v", "(只|)取前$k个字符", "n"),
    piece("last k characters", "S>S", "$v[-$k:]", "back", "%keep (|only )the (last|final) $k %chars",
        "the (last|final) $k %chars of $v", "(只|)取最后$k个字符", "n"),
    piece("drop first k characters", "S>S", "$v[$k:]", "rest", "(%drop|skip|cut off) the first $k %chars",
        "$v without (its|the) first $k %chars", "(去掉|跳过)前$k个字符", "n"),
    piece("drop ends", "S>S", "$v[1:-1]", "inner", "(%drop|cut off) the first and (the |)last (character|letter)",
        "$v without (its|the) first and last (character|letter)", "(去掉|删除)首尾(字符|字母)"),
    piece("every other character", "S>S", "$v[::2]", "every", "%keep every (second|other) (character|letter)(, "
        "starting with the first|)|%keep the %chars at even (indices|positions)",
        "every (second|other) (character|letter) of $v|the %chars at even (indices|positions) of $v",
        "(只|)取下标为偶数的字符"),
    piece("repeat text", "S>S", "$v * $k", "longer", "repeat (it|the string|the text) $k times", "$v repeated $k times",
        "(把|将)字符串重复$k次", "n"),
    piece("double characters", "S>S", "''.join(c * 2 for c in $v)", "doubled",
        "(double|repeat) %each (character|letter)|write %each (character|letter) twice",
        "$v with (each|every) (character|letter) doubled", "(把|将)每个字符写两遍"),
    piece("sort characters", "S>S", "''.join(sorted($v))", "ordered", "sort (its|the) %chars(| alphabetically)|put "
        "(its|the) %chars in (alphabetical|sorted) order", "the sorted %chars of $v(| as a string)", "(把|将)字符排序"),
    piece("distinct characters", "S>S", "''.join(dict.fromkeys($v))", "unique",
        "%drop (repeated|duplicate) %chars|%keep only the first occurrence of %each (character|letter)",
        "the (distinct|different|unique) %chars of $v(| in order)", "(去掉|删除)重复的字符"),
    piece("squeeze", "S>S", "''.join(c for i, c in enumerate($v) if i == 0 or c != $v[i - 1])", "squeezed",
        "(collapse|reduce|squeeze) runs of (equal|the same) %chars (to|into) one",
        "$v with runs of equal %chars reduced to one", "(把|将)连续相同的字符合并成一个"),
    piece("append text", "S>S", "$v + $k", "longer", "(append|add) $k (to|at) the end|put $k (at the end|after it)",
        "$v followed by $k", "在末尾加上$k", "w"),
    piece("prepend text", "S>S", "$k + $v", "longer", "(prepend|add) $k (to|at) the (front|start|beginning)|put $k (in "
        "front|before it)", "$v preceded by $k", "在开头加上$k", "w"),
    piece("mirror text", "S>S", "$v + $v[::-1]", "mirror", "(append|add) (its|the) reverse (at|to) the end|(mirror|"
        "reflect) the string", "$v followed by its reverse", "在末尾接上反转的字符串"),
    piece("shift letters", "S>S", "''.join(chr((ord(c) - 97 + $k) % 26 + 97) if c.islower() else c for c in $v)",
        "shifted", "shift %each (lowercase|small) letter by $k( places| positions|) in the alphabet(|, wrapping "
        "around)", "the Caesar shift of $v by $k", "(把|将)每个小写字母在字母表中后移$k位", "n"),
    piece("text length", "S>N", "len($v)", "count", "count (its|the) characters|%find (its|the) length",
        "the length of $v|the number of characters in $v", "求(字符串的|)长度"),
    piece("count vowels", "S>N", "sum(1 for c in $v if c in 'aeiouAEIOU')", "count",
        "count (the|its) vowels|%find how many vowels (there are|it has)",
        "the (number|count) of vowels in $v|how many vowels $v (has|contains)", "(统计|求)元音字母的个数"),
    piece("count consonants", "S>N", "sum(1 for c in $v if c.isalpha() and c not in 'aeiouAEIOU')", "count",
        "count (the|its) consonants", "the (number|count) of consonants in $v", "(统计|求)辅音字母的个数"),
    piece("count letter", "S>N", "$v.count($k)", "count", "count (how often|how many times) $k (appears|occurs)|%find "
        "the number of occurrences of $k", "the (number|count) of occurrences of $k in $v|how often $k (occurs|"
        "appears) in $v", "(统计|求)$k出现的次数", "c"),
    piece("count words", "S>N", "len($v.split())", "count", "count (the|its) words|%find how many words there are",
        "the (number|count) of words in $v", "(统计|求)单词(的个数|数)"),
    piece("count digit characters", "S>N", "sum(1 for c in $v if c.isdigit())", "count", "count (the|its) digits",
        "the (number|count) of (digits|digit characters) in $v", "(统计|求)数字字符的个数"),
    piece("count capitals", "S>N", "sum(1 for c in $v if c.isupper())", "count",
        "count (the|its) (uppercase|capital|upper case) letters", "the (number|count) of (uppercase|capital|upper "
        "case) letters in $v", "(统计|求)大写字母的个数"),
    piece("count small letters", "S>N", "sum(1 for c in $v if c.islower())", "count",
        "count (the|its) (lowercase|small|lower case) letters", "the (number|count) of (lowercase|small|lower case) "
        "letters in $v", "(统计|求)小写字母的个数"),
    piece("count spaces", "S>N", "$v.count(' ')", "count", "count (the|its) (spaces|blanks)",
        "the (number|count) of (spaces|blanks) in $v", "(统计|求)空格的个数"),
    piece("count distinct characters", "S>N", "len(set($v))", "count", "count (the|its) (distinct|different|unique) "
        "%chars", "the (number|count) of (distinct|different|unique) %chars in $v", "(统计|求)不同字符的个数"),
    piece("sum of digits in text", "S>N", "sum(int(c) for c in $v if c.isdigit())", "total",
        "(add up|sum) (the|its|all) digits(| in it)", "the sum of the digits in $v", "求(其中|)数字字符之和"),
    piece("position of letter", "S>N", "$v.find($k)", "place", "%find the (index|position) of the first $k(|, or -1)",
        "the (index|position) of the first $k in $v(|, or -1)", "求第一个$k的下标，没有则为-1", "c"),
    piece("is palindrome", "S>B", "$v == $v[::-1]", "answer", "%check (it|the string|the text|the result) (is a "
        "palindrome|reads the same (backwards|in both directions))", "whether $v (is a palindrome|reads the same "
        "backwards)", "判断是否是回文"),
    piece("only digits", "S>B", "$v.isdigit()", "answer", "%check (it|the string) (has only|consists only of|is made "
        "of) digits", "whether $v (has only|consists only of|is made of) digits", "判断是否全是数字"),
    piece("starts with", "S>B", "$v.startswith($k)", "answer", "%check (it|the string) (starts|begins) with $k",
        "whether $v (starts|begins) with $k", "判断是否以$k开头", "c"),
    piece("ends with", "S>B", "$v.endswith($k)", "answer", "%check (it|the string) ends (with|in) $k",
        "whether $v ends (with|in) $k", "判断是否以$k结尾", "c"),
    piece("contains letter", "S>B", "$k in $v", "answer", "%check (it|the string) (contains|has) (the letter |)$k|"
        "%check $k (occurs|appears) in it", "whether $v (contains|has) (the letter |)$k|whether $k (occurs|appears) in "
        "$v", "判断是否(包含|含有)$k", "c"),
    piece("all characters distinct", "S>B", "len(set($v)) == len($v)", "answer",
        "%check (all|all its) %chars are (different|distinct|unique)", "whether all %chars of $v are (different|"
        "distinct|unique)", "判断所有字符是否各不相同"),
    piece("has capital", "S>B", "any(c.isupper() for c in $v)", "answer", "%check (it|the string) (contains|has) (an "
        "uppercase|a capital) letter", "whether $v (contains|has) (an uppercase|a capital) letter",
        "判断是否有大写字母"),
    piece("split words", "S>W", "$v.split()", "words", "split (it|the string|the text) (into (|its |single )words|at "
        "(the |)(spaces|blanks))|list (its|the) words", "the (list of |)words (of|in) $v", "(拆成|分成)单词"),
    piece("split commas", "S>W", "$v.split(',')", "parts", "split (it|the string|the text) (at (the |)commas|by "
        "commas)", "the comma-separated parts of $v", "按逗号(拆开|分割)"),
    piece("characters", "S>W", "list($v)", "letters", "(split|break) (it|the string) into (single |)characters|list "
        "(its|the) characters", "the list of characters (of|in) $v", "(拆成|分成)单个字符"),
    piece("digit list", "S>L", "[int(c) for c in $v if c.isdigit()]", "digits",
        "list (its|the) digits as (numbers|integers)|(extract|collect) (its|the) digits as (numbers|integers)",
        "the list of digits in $v as (numbers|integers)|the digits in $v as (a list of |)(numbers|integers)",
        "(取出|提取)其中的数字（作为整数列表）"),
    piece("word lengths", "S>L", "[len(w) for w in $v.split()]", "lengths",
        "list the lengths of (its|the) words|(take|%find) the length of %each word",
        "the lengths of the words (of|in) $v|the word lengths of $v", "求每个单词的长度"),
    piece("positions of letter", "S>L", "[i for i, c in enumerate($v) if c == $k]", "places",
        "%find (all |)the (indices|positions) of $k", "(all |)the (indices|positions) of $k in $v",
        "(求|找出)$k的所有下标", "c"),
    piece("character codes", "S>L", "[ord(c) for c in $v]", "codes", "list the (character|ASCII) codes(| of its "
        "characters)|(convert|turn) %each character (to|into) its (ASCII |)code",
        "the (character|ASCII) codes (of|in) $v", "求每个字符的编码"),
    piece("parse numbers", "S>L", "[int(w) for w in $v.split(',') if w.strip().isdigit()]", "numbers",
        "(read|parse) the comma-separated (numbers|integers)", "the comma-separated (numbers|integers) in $v",
        "解析逗号分隔的整数"),
    piece("count characters", "S>D", "{c: $v.count(c) for c in $v}", "counts", "count how often %each (character|"
        "letter) (appears|occurs)|(make|build) a dictionary of (character|letter) counts", "a dictionary (with|of) the "
        "(character|letter) counts of $v|how often %each (character|letter) occurs in $v as a dictionary",
        "统计每个字符出现的次数"),
    piece("lengths by word", "S>D", "{w: len(w) for w in $v.split()}", "lengths",
        "(make|build) a dictionary from %each word to its length|map %each word to its length",
        "a dictionary from %each word (of|in) $v to its length", "建立单词到长度的字典"),
    piece("run lengths", "S>P", "$o = []\nfor c in $v:\n    if $o and $o[-1][0] == c:\n        $o[-1] = (c, $o[-1][1] "
        "+ 1)\n    else:\n        $o.append((c, 1))", "runs", "(make|build) a list of character and length pairs of "
        "its runs|run-length encode it as pairs", "the run-length encoding of $v as (a list of |)pairs",
        "求游程编码（字符和长度的列表）"),
    piece("title case", "S>S", "' '.join(w[:1].upper() + w[1:] for w in $v.split())", "title",
        "capitalize (each|every) word|(make|write) the first letter of (each|every) word (upper case|a capital)",
        "$v with (each|every) word capitalized", "(把|将)每个单词首字母大写"),
    piece("reverse words", "S>S", "' '.join($v.split()[::-1])", "turned", "reverse the order of (the|its) words|put "
        "(the|its) words in reverse order", "$v with its words in reverse order", "(把|将)单词顺序反转"),
    piece("reverse each word", "S>S", "' '.join(w[::-1] for w in $v.split())", "turned",
        "reverse (each|every) word (in place|where it stands)|(spell|write) (each|every) word backwards",
        "$v with (each|every) word (reversed|spelled backwards)", "(把|将)每个单词(反转|倒过来)"),
]

WORDS = [
    each("upper each", "W>W", "x.upper()", "upper", "(convert|turn|change) %each %str (to|into) uppercase|make %each "
        "%str upper case", "the uppercase (versions|forms) of $v", "(把|将)每个字符串(变成|转成)大写"),
    each("lower each", "W>W", "x.lower()", "lower", "(convert|turn|change) %each %str (to|into) lowercase|make %each "
        "%str lower case", "the lowercase (versions|forms) of $v", "(把|将)每个字符串(变成|转成)小写"),
    each("capitalize each", "W>W", "x.capitalize()", "titles", "capitalize %each %str", "the capitalized %strs of $v",
        "(把|将)每个字符串首字母大写"),
    each("reverse each", "W>W", "x[::-1]", "turned", "reverse %each %str|(write|spell) %each %str backwards",
        "the %strs of $v (spelled backwards|each reversed)", "(把|将)每个字符串(反转|倒过来)"),
    each("first letters", "W>W", "x[:1]", "heads", "(take|keep) the first (letter|character) of %each %str",
        "the first (letters|characters) of $v|the first (letter|character) of %each %str in $v",
        "取每个字符串的首字母"),
    each("last letters", "W>W", "x[-1:]", "tails", "(take|keep) the last (letter|character) of %each %str",
        "the last (letters|characters) of $v|the last (letter|character) of %each %str in $v",
        "取每个字符串的最后一个字母"),
    each("append to each", "W>W", "x + $k", "longer", "(append|add) $k to (the end of |)%each %str",
        "the %strs of $v with $k appended", "在每个字符串末尾加上$k", "w"),
    each("prepend to each", "W>W", "$k + x", "longer", "(prepend $k to|put $k in front of) %each %str",
        "the %strs of $v with $k in front", "在每个字符串前面加上$k", "w"),
    each("first k of each", "W>W", "x[:$k]", "short", "(cut|shorten|trim) %each %str to (its|the) first $k %chars|"
        "(take|keep) the first $k %chars of %each %str", "the first $k %chars of %each %str in $v",
        "取每个字符串的前$k个字符", "n"),
    each("lengths", "W>L", "len(x)", "lengths", "(take|%find) the length of %each %str|replace %each %str (by|with) "
        "its length", "the lengths of $v|the lengths of the %strs in $v", "求每个字符串的长度"),
    each("vowel counts", "W>L", "sum(1 for c in x if c in 'aeiouAEIOU')", "counts", "count the vowels of %each %str",
        "the vowel counts of $v|the number of vowels in %each %str of $v", "(统计|求)每个字符串的元音个数"),
    keep("keep longer than k", "W>W", "len(x) > $k", "long", "%strs (longer than|with more than) $k( characters| "
        "letters|)", "(只|)保留长度大于$k的字符串", "%strs with at most $k letters", "n"),
    keep("keep shorter than k", "W>W", "len(x) < $k", "short", "%strs (shorter than|with fewer than) $k( characters| "
        "letters|)", "(只|)保留长度小于$k的字符串", "%strs with at least $k letters", "n"),
    keep("keep length k", "W>W", "len(x) == $k", "exact", "%strs (of length|with length|with exactly) $k( characters| "
        "letters|)", "(只|)保留长度为$k的字符串", "", "n"),
    keep("keep even length", "W>W", "len(x) % 2 == 0", "even", "%strs (of|with) (an |)even length|%strs with an even "
        "number of letters", "(只|)保留长度为偶数的字符串"),
    keep("keep odd length", "W>W", "len(x) % 2 == 1", "odd", "%strs (of|with) (an |)odd length|%strs with an odd "
        "number of letters", "(只|)保留长度为奇数的字符串"),
    keep("keep starting with", "W>W", "x.startswith($k)", "chosen", "%strs (that start|that begin|starting|beginning) "
        "with $k", "(只|)保留以$k开头的字符串", "%strs that do not start with $k", "c"),
    keep("keep ending with", "W>W", "x.endswith($k)", "chosen", "%strs (that end|ending) (with|in) $k",
        "(只|)保留以$k结尾的字符串", "%strs that do not end with $k", "c"),
    keep("keep containing", "W>W", "$k in x", "chosen", "%strs (that contain|containing|with) (the letter |)$k",
        "(只|)保留(含有|包含)$k的字符串", "%strs without $k", "c"),
    keep("keep without", "W>W", "$k not in x", "chosen", "%strs (without|that do not contain|lacking) (the letter |)$k",
        "(去掉|删除)(含有|包含)$k的字符串", "%strs that contain $k", "c"),
    keep("keep palindromes", "W>W", "x == x[::-1]", "palindromes", "palindromes|%strs that (are palindromes|read the "
        "same backwards)", "(只|)保留回文(字符串|)", "%strs that are not palindromes"),
    keep("keep starting with vowel", "W>W", "x[:1] in tuple('aeiouAEIOU')", "chosen",
        "%strs (that start|starting|beginning) with a vowel", "(只|)保留以元音字母开头的字符串",
        "%strs that do not start with a vowel"),
    keep("drop empty", "W>W", "x != ''", "filled", "(non-empty|nonempty) %strs|%strs that are not empty",
        "(去掉|删除)空字符串", "empty %strs"),
    piece("sort words", "W>W", "sorted($v)", "ordered", "sort (|them |the %strs )(alphabetically|in alphabetical "
        "order)", "the alphabetical sort of $v|the alphabetically sorted %strs of $v", "按字母顺序排序"),
    piece("sort words down", "W>W", "sorted($v, reverse=True)", "ordered",
        "sort (|them |the %strs )in (reverse|descending|backward) alphabetical order",
        "the reverse alphabetical sort of $v", "按字母逆序排序"),
    piece("sort by length", "W>W", "sorted($v, key=len)", "ordered", "(sort|order) (them|the %strs) (by length|from "
        "shortest to longest)|put the shortest %strs first", "the %strs of $v sorted by length",
        "按长度(从短到长|)排序"),
    piece("sort by length down", "W>W", "sorted($v, key=len, reverse=True)", "ordered",
        "(sort|order) (them|the %strs) (by descending length|from longest to shortest)|put the longest %strs first",
        "the %strs of $v sorted from longest to shortest", "按长度从长到短排序"),
    piece("sort by last letter", "W>W", "sorted($v, key=lambda x: x[-1:])", "ordered",
        "(sort|order) (them|the %strs) by (the|their) last (letter|character)", "the %strs of $v sorted by last letter",
        "按最后一个字母排序"),
    piece("reverse list", "W>W", "$v[::-1]", "backward", "reverse (|the list|the order|the order of the %strs)|put the "
        "%strs in reverse order", "the %strs of $v in reverse order|the reversed list of %strs $v",
        "(反转列表|(把|将)列表倒过来)"),
    piece("distinct words", "W>W", "list(dict.fromkeys($v))", "unique", "%drop (duplicates|duplicate %strs|repeated "
        "%strs)|keep only the first (occurrence|copy) of %each %str", "the (distinct|unique|different) %strs %in $v",
        "(去掉|删除)重复的字符串|去重"),
    piece("first k words", "W>W", "$v[:$k]", "front", "%keep (|only )the first $k %strs", "the first $k %strs of $v",
        "(只|)取前$k个字符串", "n"),
    piece("last k words", "W>W", "$v[-$k:]", "back", "%keep (|only )the (last|final) $k %strs",
        "the (last|final) $k %strs of $v", "(只|)取最后$k个字符串", "n"),
    piece("every other word", "W>W", "$v[::2]", "every", "%keep every (second|other) %str(, starting with the first|)",
        "every (second|other) %str (of|in) $v", "(只|)取下标为偶数的字符串"),
    piece("number the words", "W>W", "[f'{i + 1}. {x}' for i, x in enumerate($v)]", "numbered",
        "number the %strs from 1 with a dot|put (its|the) number, a dot and a space in front of %each %str",
        "the %strs of $v numbered from 1 with a dot", "给字符串加上编号（从1开始，形如“1. ”）"),
    piece("count strings", "W>N", "len($v)", "count", "count (them|the %strs)|%find (how many %strs there are|the "
        "number of %strs)", "the (number|count) of %strs in $v", "(统计|求)字符串的个数"),
    piece("total length", "W>N", "sum(len(x) for x in $v)", "total", "add up (the|their) lengths(| of the %strs)|%find "
        "the total (length|number of characters)", "the (total length|total number of characters) of (the %strs in |"
        ")$v", "求总长度"),
    piece("longest length", "W>N", "max(len(x) for x in $v)", "longest", "%find the length of the longest %str",
        "the length of the longest %str %in $v", "求最长字符串的长度"),
    piece("shortest length", "W>N", "min(len(x) for x in $v)", "shortest", "%find the length of the shortest %str",
        "the length of the shortest %str %in $v", "求最短字符串的长度"),
    piece("count longer than k", "W>N", "sum(1 for x in $v if len(x) > $k)", "count",
        "count the %strs (longer than|with more than) $k( characters| letters|)",
        "the (number|count) of %strs in $v (longer than|with more than) $k( characters| letters|)",
        "(统计|求)长度大于$k的字符串的个数", "n"),
    piece("count starting with", "W>N", "sum(1 for x in $v if x.startswith($k))", "count",
        "count the %strs (that start|starting|beginning) with $k", "the (number|count) of %strs in $v (that start|"
        "starting|beginning) with $k", "(统计|求)以$k开头的字符串的个数", "c"),
    piece("count word", "W>N", "$v.count($k)", "count", "count (how often|how many times) $k (appears|occurs)",
        "the number of (times $k occurs|occurrences of $k) in $v", "(统计|求)$k出现的次数", "w"),
    piece("count distinct words", "W>N", "len(set($v))", "count", "count the (distinct|different|unique) %strs",
        "the (number|count) of (distinct|different|unique) %strs in $v", "(统计|求)不同字符串的个数"),
    piece("longest", "W>S", "max($v, key=len)", "longest", "%find the longest %str|(take|pick) the %str with the most "
        "%chars", "the longest %str %in $v", "(求|找出)最长的字符串"),
    piece("shortest", "W>S", "min($v, key=len)", "shortest", "%find the shortest %str|(take|pick) the %str with the "
        "fewest %chars", "the shortest %str %in $v", "(求|找出)最短的字符串"),
    piece("first in alphabet", "W>S", "min($v)", "first", "%find the %str that (comes|is) first (alphabetically|in "
        "alphabetical order)", "the alphabetically (first|smallest) %str %in $v", "(求|找出)字母顺序最靠前的字符串"),
    piece("last in alphabet", "W>S", "max($v)", "last", "%find the %str that (comes|is) last (alphabetically|in "
        "alphabetical order)", "the alphabetically (last|largest) %str %in $v", "(求|找出)字母顺序最靠后的字符串"),
    piece("first string", "W>S", "$v[0]", "head", "(take|get|pick) the first %str", "the first %str %in $v",
        "取第一个字符串"),
    piece("last string", "W>S", "$v[-1]", "tail", "(take|get|pick) the (last|final) %str",
        "the (last|final) %str %in $v", "取最后一个字符串"),
    piece("most common word", "W>S", "max($v, key=$v.count)", "mode", "%find the (most common|most frequent) %str|"
        "%find the %str that (appears|occurs) most often", "the (most common|most frequent) %str %in $v",
        "(求|找出)出现次数最多的字符串"),
    piece("join", "W>S", "''.join($v)", "text", "(join|concatenate) (them|the %strs)(| into one string| without a "
        "separator)|glue the %strs together", "the concatenation of $v|the %strs of $v joined together",
        "(把|将)它们(连接|拼接)起来"),
    piece("join with spaces", "W>S", "' '.join($v)", "text", "join (them|the %strs) with (spaces|a space)|put a space "
        "between the %strs", "the %strs of $v joined (with|by) spaces", "用空格(连接|拼接)"),
    piece("join with k", "W>S", "$k.join($v)", "text", "join (them|the %strs) (with|using) $k(| between them)|put $k "
        "between the %strs", "the %strs of $v joined (with|by) $k", "用$k(连接|拼接)", "s"),
    piece("acronym", "W>S", "''.join(x[:1].upper() for x in $v)", "letters", "(make|build) (an|the) acronym( from the "
        "first letters|)|join the (capitalized |upper case )first letters(| of the %strs)",
        "the acronym of $v|the acronym of the %strs in $v", "求首字母缩写（大写）"),
    piece("all lowercase", "W>B", "all(x.islower() for x in $v)", "answer",
        "%check (all|all the) %strs are (lowercase|in lower case)", "whether (all|all the) %strs in $v are (lowercase|"
        "in lower case)", "判断是否全是小写"),
    piece("any longer than k", "W>B", "any(len(x) > $k for x in $v)", "answer",
        "%check (any|at least one) %str is longer than $k( characters| letters|)",
        "whether (any|at least one) %str in $v is longer than $k( characters| letters|)",
        "判断是否有长度大于$k的字符串", "n"),
    piece("has word", "W>B", "$k in $v", "answer", "%check (the list contains $k|$k is in the list|$k (occurs|"
        "appears))", "whether ($v contains $k|$k is in $v)", "判断是否(包含|含有)$k", "w"),
    piece("same lengths", "W>B", "len(set(len(x) for x in $v)) <= 1", "answer",
        "%check (all|all the) %strs have the same length", "whether (all|all the) %strs in $v (have the same length|"
        "are equally long)", "判断所有字符串长度是否相同"),
    piece("count each word", "W>D", "{x: $v.count(x) for x in $v}", "counts",
        "count how often %each %str (appears|occurs)|(make|build) a dictionary (of|with) the count of %each %str",
        "a dictionary (with|of) the counts of the %strs in $v", "统计每个字符串出现的次数"),
    piece("length of each word", "W>D", "{x: len(x) for x in $v}", "lengths",
        "map %each %str to its length|(make|build) a dictionary from %each %str to its length",
        "a dictionary from %each %str in $v to its length", "建立字符串到长度的字典"),
    piece("position of each word", "W>D", "{x: i for i, x in enumerate($v)}", "places", "map %each %str to its (last |"
        ")(index|position)|(make|build) a dictionary from %each %str to its (index|position)",
        "a dictionary from %each %str in $v to its (index|position)", "建立字符串到下标的字典"),
    piece("group by first letter", "W>G", "$o = {}\nfor x in $v:\n    $o.setdefault(x[:1], []).append(x)", "groups",
        "group (them|the %strs) by (the|their) first letter", "a dictionary of the %strs of $v grouped by first letter",
        "按首字母分组"),
    piece("group by length", "W>G", "$o = {}\nfor x in $v:\n    $o.setdefault(len(x), []).append(x)", "groups",
        "group (them|the %strs) by (|their )length", "a dictionary of the %strs of $v grouped by length", "按长度分组"),
    piece("group by last letter", "W>G", "$o = {}\nfor x in $v:\n    $o.setdefault(x[-1:], []).append(x)", "groups",
        "group (them|the %strs) by (the|their) last letter", "a dictionary of the %strs of $v grouped by last letter",
        "按最后一个字母分组"),
    piece("pair with lengths", "W>P", "[(x, len(x)) for x in $v]", "pairs",
        "pair %each %str with its length|(make|build) a list of pairs of %each %str and its length",
        "pairs of %each %str in $v and its length|the %strs of $v paired with their lengths",
        "(把|将)每个字符串与它的长度配对"),
]
