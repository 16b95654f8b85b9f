"""How is an answer kept to a form: a JSON schema, a regular expression, a grammar, or calls of given tools?

A `Constraint` is data: a grammar's text. `Grammars` compiles it for a tokenizer with llguidance, which computes for
every step which tokens may come next; the engine masks the others before it samples. When the form is complete only
the end token is left. The grammar speaks of text: a marker that is an ordinary token (DSML) may be spelt in any
tokens, one that speaks for a role or opens thoughts is never part of a constrained answer.

Tool calls (spec 5.3): the text before the block is free; the block then names given tools and their parameters, each
once, required ones always; strings stand as they are, everything else is JSON that follows the parameter's schema.
Of a string parameter's schema only `enum` and `const` are enforced. The markers `<｜DSML｜` and `</｜DSML｜` cannot
stand in a string parameter; within the strings of a JSON parameter nothing forbids them.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from finback.text import Tokenizer
from finback.text.tokens import DSML

ANY_ORDER = 5  # parameters that may come in any order; of more, in the schema's: the grammar doubles with each
COMPILED = 64  # constraints that stay compiled

# As Python writes JSON, or with every item on a line of its own; no blanks without end.
_WHITESPACE = r"( |\n {0,40})"
_COMPACT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}

_TOOLS = rf"""
TEXT: /(?s:.*)/ & ~/(?s:.*)<{DSML}(?s:.*)/
OPENING: /(?s:.*)<{DSML}/
opening[lazy]: OPENING
VALUE: /(?s:.*)<\/{DSML}/ & ~/(?s:.*)<{DSML}(?s:.*)/
value[lazy]: VALUE
text: value "parameter>"
NAME: /[^"<>\n]+/
free: "<{DSML}parameter name=\"" NAME "\" string=\"true\">" text | "<{DSML}parameter name=\"" NAME "\" string=\"false\">" json "</{DSML}parameter>"
free_parameters: "\n" | (free "\n")+
json: %json {json.dumps({"x-guidance": _COMPACT})}
"""


@dataclass(frozen=True)
class Constraint:
    """What form an answer must have. Make one by `json_schema`, `regex`, `grammar` or `tools`."""

    kind: Literal["JSON schema", "regex", "grammar", "tools"]
    source: str

    @classmethod
    def json_schema(cls, schema: Mapping[str, Any] | str) -> Constraint:
        """JSON that follows a schema; {"type": "object"} for any object, {} for any value."""
        return cls("JSON schema", schema if isinstance(schema, str) else json.dumps(schema, ensure_ascii=False))

    @classmethod
    def regex(cls, pattern: str) -> Constraint:
        """Text that a regular expression (Rust's syntax) matches from beginning to end."""
        return cls("regex", pattern)

    @classmethod
    def grammar(cls, rules: str) -> Constraint:
        """Text of a context-free grammar in Lark's EBNF notation; its rule `start` is the whole."""
        return cls("grammar", rules)

    @classmethod
    def tools(cls, tools: Sequence[Mapping[str, Any]], choice: str = "auto", parallel: bool = True) -> Constraint:
        """Calls of tools, given as in the OpenAI API or as bare function objects.

        choice: "auto" (text, and calls if the model opens them), "required" (calls at once), or the name of the one
        tool to call once. parallel: several calls may stand in one block. Raises ValueError.
        """
        functions = [tool.get("function", tool) for tool in tools]
        names = [function.get("name") for function in functions]
        if not functions or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
            raise ValueError(f"the tools are named {names}: give at least one, each with a name of its own")
        if choice not in ("auto", "required"):
            if choice not in names:
                raise ValueError(f"the tool choice is {choice!r}: give auto, required, or one of {', '.join(names)}")
            functions, parallel = [function for function in functions if function["name"] == choice], False
        rules = [_invocation(f"t{i}", function) for i, function in enumerate(functions)]
        invoke = " | ".join(f"t{i}" for i in range(len(functions)))
        block = f'"tool_calls>\\n" (invoke "\\n"){"+" if parallel else ""} "</{DSML}tool_calls>"'
        start = "TEXT | opening block" if choice == "auto" else f'"\\n\\n<{DSML}" block'
        return cls("tools", "\n".join([f"start: {start}\nblock: {block}\ninvoke: {invoke}", *rules, _TOOLS]))


def _invocation(rule: str, function: Mapping[str, Any]) -> str:
    """The rules of one tool's call. A state is the parameters that may still come, as their numbers."""
    schema = function.get("parameters") or {}
    properties = schema.get("properties") or {}
    opening, closing = _literal(f'<{DSML}invoke name="{function["name"]}">\n'), f'"</{DSML}invoke>"'
    if not properties:
        free = "free_parameters" if schema and schema.get("additionalProperties", True) is not False else '"\\n"'
        return f"{rule}: {opening} {free} {closing}"
    names = list(properties)
    unknown = set(schema.get("required", ())) - set(names)
    if unknown:
        raise ValueError(f"tool {function['name']} requires {', '.join(sorted(unknown))}, which its properties do not describe")
    required = {i for i, name in enumerate(names) if name in schema.get("required", ())}
    definitions = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    lines = [f"{rule}_p{i}: {_parameter(name, properties[name], definitions)}" for i, name in enumerate(names)]
    todo, seen = [tuple(range(len(names)))], set()
    while todo:
        left = todo.pop()
        if left in seen:
            continue
        seen.add(left)
        ways = []
        if not required.intersection(left):
            ways.append('""' if len(left) < len(names) else '"\\n"')  # no parameters: an empty line
        for at, i in enumerate(left):
            rest = left[:at] + left[at + 1 :] if len(names) <= ANY_ORDER else left[at + 1 :]
            ways.append(f'{rule}_p{i} "\\n" {_state(rule, rest)}')
            todo.append(rest)
            if len(names) > ANY_ORDER and i in required:
                break
        lines.append(f"{_state(rule, left)}: {' | '.join(ways)}")
    return "\n".join([f"{rule}: {opening} {_state(rule, tuple(range(len(names))))} {closing}", *lines])


def _state(rule: str, left: tuple[int, ...]) -> str:
    return "_".join([f"{rule}_s", *map(str, left)])


def _parameter(name: str, schema: Any, definitions: Mapping[str, Any]) -> str:
    """string="true" with the text itself where the schema allows a string, string="false" with JSON where another value."""
    opening, closing, ways = f'<{DSML}parameter name="{name}" string="', f"</{DSML}parameter>", []
    strings, others = _strings(schema, definitions)
    if strings is not None:
        value = " | ".join(_literal(s + closing) for s in strings) if strings else "text"
        ways.append(_literal(opening + 'true">') + f" ({value})")
    if others:
        whole = {**schema, **definitions, "x-guidance": _COMPACT} if isinstance(schema, Mapping) else schema
        ways.append(_literal(opening + 'false">') + f" %json {json.dumps(whole)} " + _literal(closing))
    return " | ".join(ways)


def _strings(schema: Any, definitions: Mapping[str, Any], depth: int = 0) -> tuple[list[str] | None, bool]:
    """Which strings a schema allows (None: none, []: any), and whether it allows anything else."""
    if not isinstance(schema, Mapping) or depth > 20:
        return [], True
    for key in ("const", "enum"):
        if key in schema:
            values = schema[key] if key == "enum" else [schema[key]]
            found = [v for v in values if isinstance(v, str)]
            return found or None, len(found) < len(values)
    if "$ref" in schema:
        _, group, name = [*str(schema["$ref"]).split("/"), "", ""][:3]
        return _strings(definitions.get(group, {}).get(name, {}), definitions, depth + 1)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            branches = [_strings(s, definitions, depth + 1) for s in schema[key]]
            some = [strings for strings, _ in branches if strings is not None]
            merged = None if not some else [] if [] in some else [s for strings in some for s in strings]
            return merged, any(others for _, others in branches)
    if "type" not in schema:
        return [], True
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return [] if "string" in types else None, any(t != "string" for t in types)


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class Grammars:
    """Constraints for one tokenizer and a model with so many token ids. The vocabulary's trie is built at first use;
    the last constraints stay compiled, for an agent sends the same tools every turn."""

    def __init__(self, tokenizer: Tokenizer, vocab_size: int):
        self.tokenizer, self.vocab_size = tokenizer, vocab_size
        self._trie: Any = None
        self._compiled: OrderedDict[Constraint, Any] = OrderedDict()
        self._lock = threading.Lock()

    def matcher(self, constraint: Constraint) -> Matcher:
        """For one answer. Raises ValueError with the cause where the constraint cannot be understood."""
        from llguidance import LLMatcher, LLTokenizer

        with self._lock:
            if self._trie is None:
                self._trie = LLTokenizer(self.tokenizer.backend.to_str(), eos_token=self.tokenizer.eos_id)
            known = self._compiled.get(constraint)
            if known is not None:
                self._compiled.move_to_end(constraint)
                return Matcher(known.deep_copy(), self.vocab_size)
        try:
            if constraint.kind == "JSON schema":
                grammar = LLMatcher.grammar_from_json_schema(constraint.source, defaults={"whitespace_pattern": _WHITESPACE})
            elif constraint.kind == "regex":
                grammar = LLMatcher.grammar_from_regex(constraint.source)
            else:
                grammar = LLMatcher.grammar_from_lark(constraint.source)
            failed, reasons = LLMatcher.validate_grammar_with_warnings(grammar, self._trie)
        except ValueError as error:
            failed, reasons = True, [str(error)]
        if failed:
            raise ValueError(f"the {constraint.kind} of the constraint cannot be used: {reasons[0]}")
        fresh = LLMatcher(self._trie, grammar, log_level=0)
        with self._lock:
            self._compiled[constraint] = fresh.deep_copy()
            if len(self._compiled) > COMPILED:
                self._compiled.popitem(last=False)
        return Matcher(fresh, self.vocab_size)


class Matcher:
    """Where one answer stands in its grammar."""

    def __init__(self, matcher: Any, vocab_size: int):
        self._matcher, self._vocab_size = matcher, vocab_size

    def allowed(self) -> Tensor:
        """Which tokens may come next, bool [V]. Raises ValueError where the grammar became too complex."""
        bits = np.unpackbits(np.frombuffer(self._matcher.compute_bitmask(), np.uint8), bitorder="little")
        if self._matcher.is_error():
            raise ValueError(f"the constraint cannot go on: {self._matcher.get_error()}")
        out = torch.zeros(self._vocab_size, dtype=torch.bool)
        bits = bits[: self._vocab_size].astype(bool)
        out[: len(bits)] = torch.from_numpy(bits)
        return out

    def take(self, token: int) -> None:
        if not self._matcher.consume_token(token):
            raise ValueError(f"token {token} breaks the constraint: {self._matcher.get_error()}")
