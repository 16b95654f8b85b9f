"""Text in, tokens out, and back: DeepSeek-V4's prompt encoding, output parsing and tokenizer.

Everything here works on strings and ids; it knows neither models nor devices nor HTTP.
"""

from finback.text.encoding import encode_messages, mode_of, neutralize, neutralize_messages
from finback.text.parsing import assemble, parse_completion
from finback.text.stream import (
    ContentDelta,
    Event,
    ReasoningDelta,
    StreamParser,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from finback.text.template import chat_template
from finback.text.tokenizer import StreamDecoder, Tokenizer, load_tokenizer, train_tokenizer

__all__ = [
    "ContentDelta",
    "Event",
    "ReasoningDelta",
    "StreamDecoder",
    "StreamParser",
    "Tokenizer",
    "ToolCallDelta",
    "ToolCallEnd",
    "ToolCallStart",
    "assemble",
    "chat_template",
    "encode_messages",
    "load_tokenizer",
    "mode_of",
    "neutralize",
    "neutralize_messages",
    "parse_completion",
    "train_tokenizer",
]
