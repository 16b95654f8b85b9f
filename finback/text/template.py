"""How do engines that only speak Jinja get DeepSeek-V4's prompt?

DeepSeek ships no template; this one is generated from the constants of the encoder and renders the same
string. It reads: messages, tools, thinking or enable_thinking (bool, default false), reasoning_effort,
add_generation_prompt (default true). `tools` join the first message if it is a system message, else they
open the prompt; `tools` and `response_format` keys on a system or developer message work as in the encoder.

What it cannot express:
- Jinja cannot read JSON: tool call arguments must be a mapping, as transformers passes them. A string is
  rendered as a single parameter called "arguments".
- `context`, `drop_thinking=False` and `add_default_bos_token=False` do not exist: it renders a whole
  conversation, and forgets old thoughts unless there are tools.
- It needs transformers' `tojson` (non-ASCII kept, key order kept) and its `raise_exception`. Errors are
  template errors, and values that Python and Jinja print differently (a dict as content) may differ.
- add_generation_prompt=false leaves out what the encoder would put behind the last message. With true, a
  conversation that ends with a system or assistant message opens no reply, as in the encoder.
"""

from __future__ import annotations

import json

from finback.text.encoding import EFFORT_PREFIXES, RESPONSE_FORMAT_HEAD, TOOLS_HEAD, TOOLS_TAIL
from finback.text.tokens import (
    ASSISTANT,
    BOS,
    DSML,
    EOS,
    LATEST_REMINDER,
    TASK_TOKENS,
    THINK_END,
    THINK_START,
    USER,
)

# Every line is a statement that trims the blanks around it, so the text comes from the printed strings alone,
# whatever the engine's own trimming is. Words in << >> are replaced by string literals.
_TEMPLATE = """
{%- set think = (thinking if thinking is defined else (enable_thinking if enable_thinking is defined else false)) -%}
{%- set effort = reasoning_effort if reasoning_effort is defined else none -%}
{%- set open_reply = add_generation_prompt if add_generation_prompt is defined else true -%}
{%- set given_tools = tools if tools is defined and tools else none -%}

{#- 1. merge: tool results and neighbouring user turns become blocks of one user turn -#}
{%- set ns = namespace(turns=[], keep=false, order=[], last_user=-1) -%}
{%- if given_tools and not (messages and messages[0].role == 'system') -%}
  {%- set ns.turns = [{'role': 'system', 'content': '', 'tools': given_tools}] -%}
{%- endif -%}
{%- for m in messages -%}
  {%- set joins = ns.turns and ns.turns[-1].role == 'user' and (m.role == 'tool' or ns.turns[-1].task is none) -%}
  {%- if m.role == 'tool' -%}
    {%- set block = {'tool': true, 'id': m.tool_call_id | default(''), 'content': m.content | default('')} -%}
  {%- else -%}
    {%- set block = {'tool': false, 'content': m.content | default('')} -%}
  {%- endif -%}
  {%- if m.role not in ['user', 'tool'] -%}
    {%- set ns.turns = ns.turns + [m] -%}
  {%- elif joins -%}
    {%- set turn = {'role': 'user', 'blocks': ns.turns[-1].blocks + [block], 'task': ns.turns[-1].task} -%}
    {%- set ns.turns = ns.turns[:-1] + [turn] -%}
  {%- else -%}
    {%- set task = m.task | default(none) if m.role == 'user' else none -%}
    {%- set ns.turns = ns.turns + [{'role': 'user', 'blocks': [block], 'task': task}] -%}
  {%- endif -%}
{%- endfor -%}
{%- for t in ns.turns -%}
  {%- if t.tools or (given_tools and loop.first) -%}{%- set ns.keep = true -%}{%- endif -%}
  {%- if t.role in ['user', 'developer'] -%}{%- set ns.last_user = loop.index0 -%}{%- endif -%}
{%- endfor -%}

{#- 2. forget: before the last user turn only these roles remain -#}
{%- if think and not ns.keep -%}
  {%- set kept = namespace(turns=[]) -%}
  {%- for t in ns.turns -%}
    {%- if loop.index0 >= ns.last_user or t.role in ['user', 'system', 'assistant', 'latest_reminder'] -%}
      {%- set kept.turns = kept.turns + [t] -%}
    {%- endif -%}
  {%- endfor -%}
  {%- set ns.turns = kept.turns -%}
  {%- for t in ns.turns -%}
    {%- if t.role in ['user', 'developer'] -%}{%- set ns.last_user = loop.index0 -%}{%- endif -%}
  {%- endfor -%}
{%- endif -%}

{%- macro instructions(functions, schema) -%}
  {%- if functions -%}
    {{- "\\n\\n" + <<TOOLS_HEAD>> -}}
    {%- for tool in functions -%}
      {{- tool.function | tojson -}}{%- if not loop.last -%}{{- "\\n" -}}{%- endif -%}
    {%- endfor -%}
    {{- <<TOOLS_TAIL>> -}}
  {%- endif -%}
  {%- if schema -%}{{- "\\n\\n" + <<RESPONSE_FORMAT_HEAD>> -}}{{- schema | tojson -}}{%- endif -%}
{%- endmacro -%}

{%- macro block_text(block) -%}
  {%- if block.tool and (block.content is string or block.content is not iterable) -%}
    {{- '<tool_result>' -}}{{- block.content -}}{{- '</tool_result>' -}}
  {%- elif block.tool -%}
    {{- '<tool_result>' -}}
    {%- for part in block.content -%}
      {%- if not loop.first -%}{{- "\\n\\n" -}}{%- endif -%}
      {%- if part.type == 'text' -%}{{- part.text | default('') -}}
      {%- else -%}{{- '[Unsupported ' ~ part.type ~ ']' -}}{%- endif -%}
    {%- endfor -%}
    {{- '</tool_result>' -}}
  {%- elif block.content is string -%}
    {{- block.content -}}
  {%- else -%}
    {{- raise_exception('The content of a user message must be text.') -}}
  {%- endif -%}
{%- endmacro -%}

{%- macro parameter(key, value) -%}
  {{- '<' + <<DSML>> + 'parameter name="' ~ key ~ '" string="' -}}
  {%- if value is string -%}{{- 'true">' -}}{{- value -}}
  {%- else -%}{{- 'false">' -}}{{- value | tojson -}}{%- endif -%}
  {{- '</' + <<DSML>> + 'parameter>' -}}
{%- endmacro -%}

{%- macro tool_calls(calls) -%}
  {{- "\\n\\n<" + <<DSML>> + 'tool_calls>' -}}
  {%- for call in calls -%}
    {{- "\\n<" + <<DSML>> + 'invoke name="' ~ call.function.name ~ "\\">\\n" -}}
    {%- if call.function.arguments is mapping -%}
      {%- for key, value in call.function.arguments.items() -%}
        {%- if not loop.first -%}{{- "\\n" -}}{%- endif -%}
        {{- parameter(key, value) -}}
      {%- endfor -%}
    {%- else -%}
      {{- parameter('arguments', call.function.arguments) -}}
    {%- endif -%}
    {{- "\\n</" + <<DSML>> + 'invoke>' -}}
  {%- endfor -%}
  {{- "\\n</" + <<DSML>> + 'tool_calls>' -}}
{%- endmacro -%}

{#- 3. render -#}
{{- <<BOS>> -}}
{%- set prefixes = <<EFFORTS>> -%}
{%- if effort is not none and effort not in prefixes -%}
  {{- raise_exception('Invalid reasoning effort: ' ~ effort) -}}
{%- endif -%}
{%- if think and effort is not none and ns.turns -%}{{- prefixes[effort] -}}{%- endif -%}
{%- set tasks = <<TASKS>> -%}
{%- set calls = namespace(ids=[]) -%}
{%- for t in ns.turns -%}
  {%- set i = loop.index0 -%}
  {%- if t.role in ['system', 'developer'] -%}
    {%- if t.role == 'developer' -%}
      {%- if not t.content -%}
        {{- raise_exception('Invalid message for role `developer`: content is empty.') -}}
      {%- endif -%}
      {{- <<USER>> -}}
    {%- endif -%}
    {%- if t.content -%}{{- t.content -}}{%- endif -%}
    {{- instructions(t.tools or (given_tools if loop.first else none), t.response_format) -}}
  {%- elif t.role == 'user' -%}
    {%- set ordered = namespace(results=[], used=0) -%}
    {%- for rank in range([calls.ids | length, 1] | max) -%}
      {%- for block in t.blocks -%}
        {#- the last call with an id decides, unknown ids count as the first call -#}
        {%- set where = namespace(rank=0) -%}
        {%- if block.tool and block.id -%}
          {%- for id in calls.ids -%}
            {%- if id == block.id -%}{%- set where.rank = loop.index0 -%}{%- endif -%}
          {%- endfor -%}
        {%- endif -%}
        {%- if block.tool and where.rank == rank -%}{%- set ordered.results = ordered.results + [block] -%}{%- endif -%}
      {%- endfor -%}
    {%- endfor -%}
    {{- <<USER>> -}}
    {%- for block in t.blocks -%}
      {%- if not loop.first -%}{{- "\\n\\n" -}}{%- endif -%}
      {%- if block.tool -%}
        {{- block_text(ordered.results[ordered.used]) -}}
        {%- set ordered.used = ordered.used + 1 -%}
      {%- else -%}
        {{- block_text(block) -}}
      {%- endif -%}
    {%- endfor -%}
  {%- elif t.role == 'latest_reminder' -%}
    {{- <<LATEST_REMINDER>> -}}{{- t.content -}}
  {%- elif t.role == 'assistant' -%}
    {%- set answers_task = i > 0 and ns.turns[i - 1].task is defined and ns.turns[i - 1].task is not none -%}
    {%- if think and not answers_task and (ns.keep or i > ns.last_user) -%}
      {{- (t.reasoning_content or '') ~ <<THINK_END>> -}}
    {%- endif -%}
    {%- if t.content -%}{{- t.content -}}{%- endif -%}
    {%- if t.tool_calls -%}
      {{- tool_calls(t.tool_calls) -}}
      {%- set calls.ids = [] -%}
      {%- for call in t.tool_calls -%}{%- set calls.ids = calls.ids + [call.id or ''] -%}{%- endfor -%}
    {%- endif -%}
    {%- if not t.wo_eos -%}{{- <<EOS>> -}}{%- endif -%}
  {%- else -%}
    {{- raise_exception('Unknown role: ' ~ t.role) -}}
  {%- endif -%}

  {#- what opens the reply -#}
  {%- set opens = open_reply if loop.last else ns.turns[i + 1].role in ['assistant', 'latest_reminder'] -%}
  {%- set has_task = t.task is defined and t.task is not none -%}
  {%- set opener = <<THINK_START>> if think else <<THINK_END>> -%}
  {%- if opens and has_task -%}
    {%- if t.task not in tasks -%}{{- raise_exception('Invalid task: ' ~ t.task) -}}{%- endif -%}
    {%- if t.task == 'action' -%}{{- <<ASSISTANT>> + opener -}}{%- endif -%}
    {{- tasks[t.task] -}}
  {%- elif opens and t.role in ['user', 'developer'] -%}
    {{- <<ASSISTANT>> + (opener if ns.keep or i >= ns.last_user else <<THINK_END>>) -}}
  {%- endif -%}
{%- endfor -%}
"""


def chat_template(contract: str = "preview") -> str:
    """The template of one effort contract ("preview" or "0731")."""
    if contract not in EFFORT_PREFIXES:
        raise ValueError(f"unknown chat contract {contract!r}: use one of {', '.join(map(repr, EFFORT_PREFIXES))}")
    constants = {
        "TOOLS_HEAD": TOOLS_HEAD,
        "TOOLS_TAIL": TOOLS_TAIL,
        "RESPONSE_FORMAT_HEAD": RESPONSE_FORMAT_HEAD,
        "EFFORTS": {name: prefix for name, prefix in EFFORT_PREFIXES[contract].items() if name is not None},
        "TASKS": TASK_TOKENS,
        "BOS": BOS,
        "EOS": EOS,
        "USER": USER,
        "ASSISTANT": ASSISTANT,
        "LATEST_REMINDER": LATEST_REMINDER,
        "DSML": DSML,
        "THINK_START": THINK_START,
        "THINK_END": THINK_END,
    }
    template = _TEMPLATE.strip()
    for name, value in constants.items():
        # A JSON literal is a Jinja literal, escapes included.
        template = template.replace(f"<<{name}>>", json.dumps(value, ensure_ascii=False))
    return template
